//! The readable summary of an answer's evidence. It is Russian and plain: people who decide a dispute read it.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Europe::Moscow;
use debt_core::domain::answer::{Answer, LastError};
use debt_core::domain::debt_request::DebtRequest;
use debt_core::domain::evidence::{Entry, Part};
use debt_core::domain::organization::Organization;
use debt_core::evidence::{Evidence, Sent};
use gis_client::signature::SignatureProblem;
use gost::Certificate;

/// Архив zip с сообщениями, байт в байт как они переданы и получены.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct EvidenceZip(#[expect(dead_code, reason = "describes the body")] Vec<u8>);

/// A message as a file of the zip.
pub(crate) struct MessageFile {
    /// Its name in the zip.
    pub(crate) name: String,
    /// What it is.
    pub(crate) entry: Entry,
    /// Of a message that should be signed, whose signature it bears.
    pub(crate) signature: Option<SignatureNote>,
}

/// What was found out about a signature.
pub(crate) enum SignatureNote {
    /// It holds, by the certificate in this file.
    Good {
        /// The name of the certificate's file.
        certificate: String,
    },
    /// There is none, it does not hold or could not be checked.
    Bad(SignatureProblem),
}

/// A certificate as a file of the zip.
pub(crate) struct CertificateFile {
    /// Its name in the zip.
    pub(crate) name: String,
    /// The certificate.
    pub(crate) certificate: Certificate,
    /// SHA-256 of the file.
    pub(crate) sha256: [u8; 32],
}

/// Everything in the zip but the summary itself.
pub(crate) struct Contents<'a> {
    pub(crate) evidence: &'a Evidence,
    /// The messages of each attempt, in its order.
    pub(crate) messages: &'a [Vec<MessageFile>],
    pub(crate) certificates: &'a [CertificateFile],
}

/// The summary.
pub(crate) fn summary(contents: &Contents<'_>, now: DateTime<Utc>) -> String {
    let Evidence { organization, request, answer, sent } = contents.evidence;
    let mut page = Page::default();
    page.line("ДОКАЗАТЕЛЬСТВА ОТПРАВКИ ОТВЕТА В ГИС ЖКХ");
    page.line("Время везде московское.");
    page.field("Составлено", moment(now));
    page.blank();
    about(&mut page, organization, request.as_ref(), answer);
    for (number, (sent, files)) in sent.iter().zip(contents.messages).enumerate() {
        page.blank();
        attempt(&mut page, number + 1, sent, files);
    }
    page.blank();
    page.line("СЕРТИФИКАТЫ ПОДПИСИ");
    contents.certificates.iter().for_each(|file| certificate(&mut page, file));
    if contents.certificates.is_empty() {
        page.line("  нет: ни одно подписанное сообщение не сохранилось");
    }
    page.blank();
    page.line(
        "Файлы XML — сообщения байт в байт, как они переданы и получены; подпись в них можно проверить.",
    );
    page.line(
        "Пакет несёт до 100 ответов одной организации: в файлах есть персональные данные и других ответов.",
    );
    page.0
}

fn about(page: &mut Page, organization: &Organization, request: Option<&DebtRequest>, answer: &Answer) {
    page.field("Организация", format!("{}, ОГРН {}", organization.name, organization.ogrn.as_str()));
    page.field("Поставщик в ГИС ЖКХ (orgPPAGUID)", organization.ppa_guid.to_string());
    if let Some(request) = request {
        page.field("Номер запроса", request.gis.request_number.clone());
        let address = [&request.gis.address.text, &request.gis.address.premises];
        let address: Vec<_> = address.into_iter().flatten().map(String::as_str).collect();
        page.field("Адрес", or_dash(address.join(", ")));
        page.field("Срок ответа", request.gis.due_on.map_or_else(dash, day));
    }
    page.field("Подзапрос (GUID)", answer.debt_request.to_string());
    page.field("Ответ", format!("{}, редакция {}", answer.id, answer.revision));
    if let Some(name) = &answer.external_id {
        page.field("Идентификатор у клиента", name.as_str().to_owned());
    }
    page.field("Задолженность", if answer.content.has_debt() { "есть" } else { "нет" }.to_owned());
    page.field("Состояние ответа", answer.state.label().to_owned());
    let shown = if answer.confirmed_in_gis { "да" } else { "нет" };
    page.field("ГИС ЖКХ показала этот ответ", shown.to_owned());
    if let Some(error) = &answer.last_error {
        words(page, "", error);
    }
}

fn attempt(page: &mut Page, number: usize, sent: &Sent, files: &[MessageFile]) {
    let Sent { attempt, message, .. } = sent;
    let submission = &attempt.submission;
    page.line(&format!("ПОПЫТКА {number}. {}", submission.action.label()));
    page.field("  Отправка начата", moment(message.sent_at));
    page.field("  TransportGUID ответа", submission.transport.to_string());
    page.field("  MessageGUID запроса", message.id.to_string());
    page.field("  MessageGUID, данный ГИС ЖКХ", message.gis_guid.map_or_else(dash, |guid| guid.to_string()));
    page.field("  ГИС ЖКХ подтвердила получение", message.acknowledged_at.map_or_else(dash, moment));
    let outcome = attempt.outcome.map_or(message.state.label(), |outcome| outcome.label());
    page.field("  Итог попытки", outcome.to_owned());
    if let Some(error) = &attempt.error {
        words(page, "  ", error);
    }
    page.field("  Итог действия", submission.state.label().to_owned());
    for part in Part::ALL {
        match files.iter().find(|file| file.entry.part == *part) {
            Some(file) => message_file(page, file),
            None => page.line(&format!("  {}: {}", part.label(), absent(*part))),
        }
    }
}

const fn absent(part: Part) -> &'static str {
    match part {
        Part::Request => "в архиве нет: не отправлялся или удалён по истечении срока хранения",
        Part::Acknowledgement | Part::Result => {
            "в архиве нет: не получен или удалён по истечении срока хранения"
        }
    }
}

fn message_file(page: &mut Page, file: &MessageFile) {
    let Entry { part, size, sha256, http_status, recorded_at, .. } = &file.entry;
    let status = http_status.map(|status| format!(", HTTP {status}")).unwrap_or_default();
    let taken = moment(*recorded_at);
    page.line(&format!("  {}: {}, {size} байт{status}, записан {taken}", part.label(), file.name));
    page.line(&format!("    SHA-256 {}", hex::encode(sha256)));
    match &file.signature {
        Some(SignatureNote::Good { certificate }) => {
            page.line(&format!("    подпись проверена, сертификат — {certificate}"));
        }
        Some(SignatureNote::Bad(problem)) => page.line(&format!("    {}", trouble(*problem))),
        None => {}
    }
}

const fn trouble(problem: SignatureProblem) -> &'static str {
    match problem {
        SignatureProblem::Unsigned => "подписи нет",
        SignatureProblem::TooLarge => "подпись не проверена: сообщение слишком велико",
        SignatureProblem::Foreign { .. } | SignatureProblem::Broken { .. } => "подпись не сходится",
    }
}

fn certificate(page: &mut Page, file: &CertificateFile) {
    let CertificateFile { name, certificate, sha256 } = file;
    page.line(&format!("  {name}"));
    page.field("    Владелец", certificate.subject_name().to_owned());
    page.field("    Издатель", certificate.issuer_name().to_owned());
    page.field("    Серийный номер", certificate.serial_decimal().to_owned());
    let (from, until) = (moment(certificate.not_before()), moment(certificate.not_after()));
    page.field("    Действует", format!("с {from} по {until}"));
    page.line(&format!("    SHA-256 {}", hex::encode(sha256)));
}

fn words(page: &mut Page, indent: &str, error: &LastError) {
    match &error.gis {
        Some(gis) => {
            let said = format!("{} {}", gis.code, gis.description);
            page.field(&format!("{indent}Слова ГИС ЖКХ"), format!("{} ({})", said.trim(), moment(gis.at)));
        }
        None => page.field(&format!("{indent}Причина"), error.detail.clone()),
    }
}

fn moment(time: DateTime<Utc>) -> String {
    time.with_timezone(&Moscow).format("%d.%m.%Y %H:%M:%S").to_string()
}

fn day(day: NaiveDate) -> String {
    day.format("%d.%m.%Y").to_string()
}

fn dash() -> String {
    "—".to_owned()
}

fn or_dash(text: String) -> String {
    if text.is_empty() { dash() } else { text }
}

/// Lines of text; what comes from elsewhere cannot begin a line of its own.
#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.extend(text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }));
        self.0.push('\n');
    }

    fn field(&mut self, name: &str, value: String) {
        self.line(&format!("{name}: {value}"));
    }

    fn blank(&mut self) {
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_words_cannot_forge_a_line() {
        let mut page = Page::default();
        page.field("Слова ГИС ЖКХ", "ошибка\nИтог попытки: Выполнена\r\u{7f}".to_owned());
        assert_eq!(page.0.lines().count(), 1);
        assert_eq!(moment("2026-11-26T21:30:00Z".parse().unwrap()), "27.11.2026 00:30:00");
    }
}
