//! `debtgate doctor`: looks at everything that a working gateway needs, and says what to do about what is wrong.

use std::process::ExitCode;

use anyhow::Result;
use chrono::{Datelike, Days, NaiveDate, TimeDelta, Utc};
use clap::Args;
use debt_core::domain::calendar::Calendar;
use gis_client::{Gis, HttpGis};
use serde::Serialize;

use super::ConfigFile;
use crate::assemble;
use crate::auth::KeySet;
use crate::config::{Config, SignerSettings};

#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    file: ConfigFile,
    /// Напечатать JSON.
    #[arg(long)]
    json: bool,
}

/// What a check found.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was looked at.
    check: String,
    /// Whether it is as it should be.
    outcome: Outcome,
    /// What was seen.
    detail: String,
    /// What to do.
    advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Ok,
    Warning,
    Failed,
}

impl Finding {
    fn ok(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { check: check.into(), outcome: Outcome::Ok, detail: detail.into(), advice: None }
    }

    fn warning(check: impl Into<String>, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { outcome: Outcome::Warning, advice: Some(advice.into()), ..Self::ok(check, detail) }
    }

    fn failed(check: impl Into<String>, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, advice: Some(advice.into()), ..Self::ok(check, detail) }
    }
}

impl Doctor {
    pub(super) async fn run(self) -> Result<ExitCode> {
        let findings = match self.file.load() {
            Err(error) => {
                vec![Finding::failed("настройки", format!("{error:#}"), "исправьте названные ключи")]
            }
            Ok(config) => examine(&config).await,
        };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&findings)?);
        } else {
            findings.iter().for_each(print);
        }
        let failed = findings.iter().any(|finding| finding.outcome == Outcome::Failed);
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn print(finding: &Finding) {
    let mark = match finding.outcome {
        Outcome::Ok => "ок      ",
        Outcome::Warning => "внимание",
        Outcome::Failed => "ошибка  ",
    };
    println!("{mark}  {}: {}", finding.check, finding.detail);
    if let Some(advice) = &finding.advice {
        println!("          что делать: {advice}");
    }
}

async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("настройки", "прочитаны")];
    findings.extend(database(config).await);
    findings.push(token_keys(config));
    findings.push(calendar(&assemble::calendar(config), Utc::now().date_naive()));
    findings.extend(config.signers.iter().map(|(name, settings)| signer(name, settings)));
    if config.signers.is_empty() {
        findings.push(Finding::failed(
            "подпись",
            "нет ни одного раздела [signers]",
            "добавьте [signers.main]",
        ));
    }
    findings.extend(gis(config).await);
    findings
}

/// Deadlines that are near lie in this year or, at its end, in the next one.
fn calendar(calendar: &Calendar, today: NaiveDate) -> Finding {
    const CHECK: &str = "календарь";
    let years = [today, today + Days::new(45)].map(|day| day.year());
    match years.into_iter().find(|year| !calendar.knows(*year)) {
        None => Finding::ok(CHECK, "рабочие дни известны"),
        Some(year) => Finding::warning(
            CHECK,
            format!("переносы выходных {year} года неизвестны: учтены только выходные и праздники по закону"),
            "добавьте дни в calendar.holidays и calendar.working_days",
        ),
    }
}

async fn database(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "база данных";
    let service = match assemble::service(config).await {
        Ok(service) => service,
        Err(error) => {
            return vec![Finding::failed(
                CHECK,
                format!("{error:#}"),
                "проверьте [database], [files] и [encryption]",
            )];
        }
    };
    let tables = match service.db.pending_migrations().await {
        Ok(pending) if pending.is_empty() => Finding::ok(CHECK, "открывается, таблицы в порядке"),
        Ok(pending) => {
            let detail = format!("открывается, не выполнено шагов: {}", pending.len());
            return vec![Finding::failed(CHECK, detail, "выполните debtgate migrate")];
        }
        Err(error) => return vec![Finding::failed(CHECK, error.to_string(), "проверьте [database]")],
    };
    let organizations = match service.list_organizations().await {
        Err(error) => Finding::failed("организации", error.to_string(), "проверьте [database]"),
        Ok(list) if list.is_empty() => {
            Finding::warning("организации", "ни одной", "добавьте первую: debtgate org add")
        }
        Ok(list) => {
            let lost: Vec<_> = list
                .iter()
                .filter(|organization| !config.signers.contains_key(&organization.signer))
                .map(|organization| organization.name.as_str())
                .collect();
            if lost.is_empty() {
                Finding::ok("организации", format!("{}", list.len()))
            } else {
                let detail = format!("нет подписи у: {}", lost.join(", "));
                Finding::failed("организации", detail, "добавьте их разделы [signers]")
            }
        }
    };
    vec![tables, organizations]
}

fn token_keys(config: &Config) -> Finding {
    const CHECK: &str = "ключи токенов";
    match KeySet::load(&config.auth) {
        Err(error) => Finding::failed(CHECK, error.to_string(), "проверьте [auth] keys"),
        Ok(keys) if keys.can_sign() => Finding::ok(CHECK, "есть ключ, который подписывает"),
        Ok(_) => Finding::warning(
            CHECK,
            "токены можно только проверять",
            "чтобы выпускать их: debtgate keys generate --alg eddsa --out keys/token.pem",
        ),
    }
}

/// A certificate that ends sooner is worth a warning.
const SOON: TimeDelta = TimeDelta::days(30);

fn signer(name: &str, settings: &SignerSettings) -> Finding {
    let check = format!("подпись {name}");
    let signer = match assemble::open_signer(&settings.kind) {
        Ok(signer) => signer,
        Err(error) => return Finding::failed(check, format!("{error:#}"), "проверьте файлы ключа и пароль"),
    };
    let certificate = signer.certificate();
    let now = Utc::now();
    let until = certificate.not_after().format("%d.%m.%Y");
    if let Err(error) = certificate.check_validity(now) {
        return Finding::failed(check, error.to_string(), "получите новый сертификат");
    }
    if certificate.not_after() - now < SOON {
        return Finding::warning(check, format!("сертификат кончается {until}"), "получите новый сертификат");
    }
    Finding::ok(check, format!("ключ подходит к сертификату, действует до {until}"))
}

async fn gis(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "ГИС ЖКХ";
    let client = match config.gis.http().map_err(anyhow::Error::from).and_then(|http| Ok(HttpGis::new(http)?))
    {
        Ok(client) => client,
        Err(error) => return vec![Finding::failed(CHECK, format!("{error:#}"), "проверьте [gis]")],
    };
    match client.probe().await {
        Ok(reply) => vec![Finding::ok(CHECK, format!("отвечает через туннель, HTTP {}", reply.status))],
        Err(error) => vec![Finding::failed(
            CHECK,
            error.to_string(),
            "проверьте, что туннель ГОСТ TLS запущен по адресу gis.base_url и что сам он видит ГИС ЖКХ",
        )],
    }
}
