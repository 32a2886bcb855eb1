//! `/v1/answers/{id}/evidence`: the zip is made while it is sent, one message at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ContentDisposition};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use debt_core::domain::evidence::{Entry, Part};
use debt_core::evidence::Evidence;
use debt_core::ids::AnswerId;
use debt_core::{Error, Service};
use futures_util::stream::{self, StreamExt};
use gis_client::signature::{CertificateDigest, verify_reply};
use gost::Certificate;
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::caller::Authenticated;
use crate::examples;
use crate::path::Id;
use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;
use crate::views::evidence::{CertificateFile, Contents, EvidenceZip, MessageFile, SignatureNote, summary};
use crate::zip_stream::ZipStream;

/// Доказательства отправки ответа
///
/// Архив zip для спора с ГИС ЖКХ или суда. Для каждой попытки по порядку: `NN-request.xml` — подписанный запрос,
/// `NN-acknowledgement.xml` — что ГИС ЖКХ ответила на отправку, `NN-result.xml` — результат обработки; всё байт в байт, как
/// передано и получено, поэтому подписи можно проверить. Ещё `certificate.pem` — сертификат подписи запроса,
/// `gis-certificate.pem` — сертификат подписи ГИС ЖКХ и `summary.txt` — сводка на русском языке с суммами SHA-256. Ответ на
/// отправку, который не похож на сообщение SOAP, лежит с расширением `.txt`.
///
/// Пакет несёт до 100 ответов одной организации, поэтому в файлах есть персональные данные и других её ответов.
///
/// Читает из архива шлюза, ГИС ЖКХ не спрашивает. Пока по ответу ничего не отправлялось — 409 `state_conflict`; когда срок
/// хранения сообщений истёк (`[retention] evidence`) — 410 `evidence_expired`.
#[utoipa::path(
    get, path = "/v1/answers/{id}/evidence", tag = "answers", operation_id = "get_answer_evidence",
    params(("id" = Uuid, Path, description = "Идентификатор ответа.", example = json!(examples::ANSWER))),
    security(("bearer" = ["answers:read"])),
    responses((status = 200, description = "Архив zip.", content_type = "application/zip", body = EvidenceZip)),
)]
pub(crate) async fn get_answer_evidence(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
    id: Id<AnswerId>,
) -> Result<HttpResponse, Failure> {
    Query::of(request.query_string(), &[])?.finish()?;
    let evidence = state.service.get_evidence(&caller, id.0).await?;
    let packing = Packing::new(Arc::clone(&state.service), evidence);
    // The first piece is made before the status is sent: a file store that is down is still a problem then.
    let (first, packing) = packing.step().await?;
    let rest = stream::try_unfold(packing, |packing| async {
        match packing {
            Some(packing) => packing.step().await.map(Some),
            None => Ok(None),
        }
    });
    let rest = rest.inspect(move |piece| {
        if let Err(error) = piece {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::error!(answer = %id.0, %error, cause, "a zip with evidence breaks off");
        }
    });
    let name = format!("evidence-{}.zip", id.0);
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((CONTENT_DISPOSITION, ContentDisposition::attachment(name)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(stream::once(std::future::ready(Ok(first))).chain(rest)))
}

/// A zip with evidence under way.
struct Packing {
    service: Arc<Service>,
    evidence: Evidence,
    /// What is still to be put in: number of the attempt, from 0, and the message.
    todo: VecDeque<(usize, Entry)>,
    zip: ZipStream,
    messages: Vec<Vec<MessageFile>>,
    certificates: Vec<CertificateFile>,
}

/// What can be sent, and how it goes on.
type Step = (Bytes, Option<Packing>);

impl Packing {
    fn new(service: Arc<Service>, evidence: Evidence) -> Self {
        let todo = evidence.sent.iter().enumerate();
        let todo =
            todo.flat_map(|(number, sent)| sent.entries.iter().map(move |entry| (number, entry.clone())));
        Self {
            service,
            todo: todo.collect(),
            messages: evidence.sent.iter().map(|_| Vec::new()).collect(),
            evidence,
            zip: ZipStream::new(),
            certificates: Vec::new(),
        }
    }

    /// Puts in one message, or, behind the last one, the rest.
    async fn step(mut self) -> Result<Step, Error> {
        let Some((number, entry)) = self.todo.pop_front() else {
            return spawn_blocking(|| self.finish()).await.map_err(Error::internal)?;
        };
        let content = self.service.evidence_content(&entry).await?;
        spawn_blocking(move || self.put(number, entry, &content)).await.map_err(Error::internal)?
    }

    fn put(mut self, number: usize, entry: Entry, content: &[u8]) -> Result<Step, Error> {
        let name = format!("{:02}-{}.{}", number + 1, entry.part, extension(content));
        let piece = self.zip.add(&name, entry.recorded_at, content).map_err(Error::internal)?;
        let signature = match entry.part {
            Part::Request => Some(self.signature("certificate", content)),
            Part::Result => Some(self.signature("gis-certificate", content)),
            // GIS signs results alone.
            Part::Acknowledgement => None,
        };
        if let Some(messages) = self.messages.get_mut(number) {
            messages.push(MessageFile { name, entry, signature });
        }
        Ok((piece, Some(self)))
    }

    /// A request is signed in the same form as a reply.
    fn signature(&mut self, name: &str, message: &[u8]) -> SignatureNote {
        match verify_reply(&String::from_utf8_lossy(message)) {
            Ok(certificate) => SignatureNote::Good { certificate: self.certificate(name, certificate) },
            Err(problem) => SignatureNote::Bad(problem),
        }
    }

    /// The name of a certificate's file. A signer may have had several in the course of time.
    fn certificate(&mut self, name: &str, certificate: Certificate) -> String {
        let digest = CertificateDigest::of(&certificate);
        let known =
            self.certificates.iter().find(|known| CertificateDigest::of(&known.certificate) == digest);
        if let Some(known) = known {
            return known.name.clone();
        }
        let name = match self.certificates.iter().filter(|known| known.name.starts_with(name)).count() {
            0 => format!("{name}.pem"),
            others => format!("{name}-{}.pem", others + 1),
        };
        let sha256 = Sha256::digest(certificate.to_pem().as_bytes()).into();
        self.certificates.push(CertificateFile { name: name.clone(), certificate, sha256 });
        name
    }

    fn finish(mut self) -> Result<Step, Error> {
        let now = self.service.clock.now();
        let mut sent = Vec::new();
        for CertificateFile { name, certificate, .. } in &self.certificates {
            let piece = self.zip.add(name, now, certificate.to_pem().as_bytes()).map_err(Error::internal)?;
            sent.extend_from_slice(&piece);
        }
        let contents =
            Contents { evidence: &self.evidence, messages: &self.messages, certificates: &self.certificates };
        let text = summary(&contents, now);
        sent.extend_from_slice(&self.zip.add("summary.txt", now, text.as_bytes()).map_err(Error::internal)?);
        sent.extend_from_slice(&self.zip.finish().map_err(Error::internal)?);
        Ok((sent.into(), None))
    }
}

/// What came back may be a page of a gateway in between.
fn extension(content: &[u8]) -> &'static str {
    const SOAP: &[u8] = b"http://schemas.xmlsoap.org/soap/envelope/";
    if content.windows(SOAP.len()).any(|bytes| bytes == SOAP) { "xml" } else { "txt" }
}
