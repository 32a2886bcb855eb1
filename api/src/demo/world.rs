//! What the demo is furnished with: debt requests from the simulator, and an answer or a file for every example of the
//! document, so that each "Try it out" succeeds as it stands.

mod access;
mod cabinet;
mod matching;
mod people;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use debt_core::Service;
use debt_core::answers::{BulkItem, ContentDraft, CreateAnswer, CreateAnswers, OnInvalid};
use debt_core::attachments::NewFile;
use debt_core::domain::answer::{Answer, Source, State};
use debt_core::domain::caller::Caller;
use debt_core::domain::debt_request::{Address, ResponseStatus};
use debt_core::domain::export::ExportKind;
use debt_core::domain::import::{AnswerColumnMode, ImportMode};
use debt_core::exports::CreateExport;
use debt_core::idempotency::{Begun, Reply, Writing};
use debt_core::ids::{AnswerId, AttachmentId, DebtRequestId, ExportId, ImportId, OperationId};
use debt_core::imports::CreateImport;
use debt_core::jobs::Worker;
use debt_core::spreadsheets::{DebtRequestRow, DebtRequestsWriter, Said};
use debt_core::store::debt_requests::{Filter, Sort, SortBy};
use gis_sim::SimHandle;
use uuid::Uuid;

use crate::examples;

/// How often to look whether GIS has got further.
const PAUSE: Duration = Duration::from_millis(100);
/// The simulator needs seconds; longer means that something is broken.
const PATIENCE: Duration = Duration::from_secs(120);
/// Debt requests that the examples use.
const NEEDED: usize = 16;

/// Commits. There is no key, so the reply is not kept.
async fn finish(writing: Writing) -> Result<()> {
    let (headers, body) = (Vec::new(), Bytes::new());
    let reply = Reply { status: 200, headers, body, before: None, shown_once: None };
    Ok(writing.finish(&reply).await?)
}

fn no_debt(request: DebtRequestId, name: Option<&str>, submit: bool) -> CreateAnswer {
    CreateAnswer {
        debt_request: request,
        external_id: name.map(ToOwned::to_owned),
        submit,
        content: ContentDraft { has_debt: false, ..ContentDraft::default() },
        executor: None,
        confirm: Vec::new(),
        reason: None,
        source: Source::Api,
        trace: None,
    }
}

/// A workbook with an answer, and with one to a debt request that does not exist.
fn workbook(request: DebtRequestId) -> Result<Bytes> {
    let mut writer = DebtRequestsWriter::new(&std::env::temp_dir())?;
    for subrequest in [request, Uuid::nil().into()] {
        writer.push(&DebtRequestRow {
            request_number: "",
            request: None,
            subrequest,
            status: ResponseStatus::NotSent,
            requester: None,
            employee: None,
            sent_on: None,
            period_from: None,
            period_to: None,
            due_on: None,
            fias_house: None,
            address: None,
            unified_account: None,
            account: None,
            directorate: None,
            said: Said::HasDebt(false),
        })?;
    }
    let mut content = std::io::Cursor::new(Vec::new());
    writer.finish(&mut content)?;
    Ok(content.into_inner().into())
}

/// Identifiers of this demo for those of the document.
#[derive(Debug)]
pub(super) struct Examples(Vec<(&'static str, String)>);

impl Examples {
    /// The document with the identifiers of this demo.
    pub(super) fn put_into(&self, document: &str) -> String {
        self.0.iter().fold(document.to_owned(), |text, (example, ours)| text.replace(example, ours))
    }

    /// A debt request that waits for an answer.
    pub(super) fn debt_request_to_answer(&self) -> &str {
        self.0
            .iter()
            .find(|(example, _)| *example == examples::DEBT_REQUEST_TO_ANSWER)
            .map_or("", |(_, ours)| ours.as_str())
    }
}

/// Reads the requests and makes the answers of the examples, by the same use cases and jobs as any client.
pub(super) async fn furnish(
    service: &Arc<Service>,
    worker: &Worker,
    caller: &Caller,
    sim: &SimHandle,
) -> Result<Examples> {
    tokio::time::timeout(PATIENCE, Furnisher { service, worker, caller, sim }.furnish())
        .await
        .context("имитатор не ответил вовремя")?
}

struct Furnisher<'a> {
    service: &'a Arc<Service>,
    worker: &'a Worker,
    caller: &'a Caller,
    sim: &'a SimHandle,
}

impl Furnisher<'_> {
    async fn furnish(&self) -> Result<Examples> {
        let requests = self.read_requests().await?;
        let people = self.people(&requests).await?;
        let owing = self.asked_address(&requests).await?;
        let mut free = requests.into_iter();
        let mut next =
            || free.next().context("слишком мало запросов для примеров; задайте --requests побольше");
        let mut ids = vec![
            (examples::DEBT_REQUEST, next()?.to_string()),
            (examples::DEBT_REQUEST_TO_ANSWER, next()?.to_string()),
            (examples::DEBT_REQUEST_IN_BULK, next()?.to_string()),
        ];
        let contradicted = next()?;
        let written_over = self.answer(contradicted, None, true).await?;
        // Cancelled before the jobs have had a chance to send it; a second cancellation succeeds as well.
        let cancelled = self.answer(next()?, None, true).await?;
        self.cancel(cancelled).await?;
        // The same holds for an operation.
        let stopped = self.operation(next()?).await?;
        self.stop(stopped).await?;
        let operation = self.operation(next()?).await?;
        self.accounts().await?;
        let export = self.export().await?;
        let workbook = workbook(next()?)?;
        let imports = [self.import(&workbook).await?, self.import(&workbook).await?];
        let placed = self.answer(next()?, Some("1C-000123"), true).await?;
        let revoked = self.answer(next()?, None, true).await?;
        for (example, request) in [
            (examples::ANSWER_TO_EDIT, next()?),
            (examples::ANSWER_TO_DELETE, next()?),
            (examples::ANSWER_TO_COMPLETE, next()?),
            (examples::ANSWER_TO_SUBMIT, next()?),
        ] {
            ids.push((example, self.answer(request, None, false).await?.to_string()));
        }
        let prepared = self.answer(next()?, None, false).await?;
        self.complete(prepared).await?;
        ids.extend([
            (examples::ANSWER_TO_CANCEL, cancelled.to_string()),
            (examples::ANSWER, placed.to_string()),
            (examples::ANSWER_TO_REVOKE, revoked.to_string()),
            (examples::ANSWER_TO_RETURN, prepared.to_string()),
            (examples::ATTACHMENT, self.file("Решение суда.txt", "Решение").await?.to_string()),
            (examples::ATTACHMENT_TO_DELETE, self.file("Черновик.txt", "Черновик").await?.to_string()),
            (examples::OPERATION, operation.to_string()),
            (examples::OPERATION_TO_CANCEL, stopped.to_string()),
            (examples::IMPORT, imports[0].to_string()),
            (examples::IMPORT_TO_APPLY, imports[1].to_string()),
            (examples::EXPORT, export.to_string()),
            (examples::REGISTRY, self.registry().await?.to_string()),
            (examples::COURT_DEBT, self.court_debt(owing).await?.to_string()),
            (examples::COURT_DEBT_TO_DELETE, self.court_debt(Address::default()).await?.to_string()),
            (examples::SYNC_RUN, self.sync_run().await?),
        ]);
        ids.extend(people);
        let (first, last) = self.period().await?;
        ids.extend([(examples::FIRST_DAY, first.to_string()), (examples::LAST_DAY, last.to_string())]);
        let matched = self.match_run().await?;
        ids.push((examples::MATCH_RUN, matched.to_string()));
        self.work_until(async || {
            let mut delivered = true;
            for answer in [placed, revoked, written_over] {
                delivered &= self.state_of(answer).await? == State::Delivered;
            }
            let written = self.service.get_export(self.caller, export).await?.file.is_some();
            let mut read = self.service.get_match_run(self.caller, matched).await?.run.finished_at.is_some();
            for import in imports {
                read &= self.service.get_import(self.caller, import).await?.import.finished_at.is_some();
            }
            Ok(delivered && written && read)
        })
        .await?;
        self.contradict(contradicted)?;
        // The last things: nobody waits here for what a name server says, or GIS of an organisation that it does not know.
        ids.extend(self.webhooks().await?);
        ids.extend(self.access().await?);
        Ok(Examples(ids))
    }

    /// Steps the jobs until something is true.
    async fn work_until(&self, done: impl AsyncFn() -> Result<bool>) -> Result<()> {
        loop {
            self.worker.step_all().await?;
            if done().await? {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Debt requests without an answer whose numbers the simulator treats as usual: the endings 01 to 06 are special.
    async fn read_requests(&self) -> Result<Vec<DebtRequestId>> {
        self.work_until(async || {
            let runs = self.service.list_sync_runs(self.caller, None, 1).await?;
            Ok(runs.first().is_some_and(|run| run.finished_at.is_some()))
        })
        .await?;
        let filter = Filter { answered: Some(false), has_draft: Some(false), ..Filter::default() };
        let sort = Sort { by: SortBy::DueOn, descending: true };
        let found = self.service.list_debt_requests(self.caller, &filter, sort, None, 200).await?;
        let usual = found.into_iter().map(|details| details.request).filter(|request| {
            let number = request.gis.request_number.as_str();
            !["01", "02", "03", "04", "05", "06"].iter().any(|ending| number.ends_with(ending))
        });
        let ids: Vec<_> = usual.map(|request| request.id).collect();
        ensure!(ids.len() >= NEEDED, "слишком мало запросов для примеров; задайте --requests побольше");
        Ok(ids)
    }

    async fn begin(&self) -> Result<Writing> {
        match self.service.begin(None).await? {
            Begun::Fresh(writing) => Ok(writing),
            Begun::Replay(_) => anyhow::bail!("a request without a key was done before"),
        }
    }

    async fn answer(&self, request: DebtRequestId, name: Option<&str>, submit: bool) -> Result<AnswerId> {
        let command = no_debt(request, name, submit);
        let mut tx = self.begin().await?;
        let created = self.service.create_answer(&mut tx, self.caller, command).await?;
        finish(tx).await?;
        Ok(created.answer.answer.id)
    }

    async fn operation(&self, request: DebtRequestId) -> Result<OperationId> {
        // There is no such debt request: the operation has something of every kind to show.
        let items = [request, DebtRequestId::generate()].map(|request| BulkItem {
            debt_request: Some(request),
            external_id: None,
            command: Ok(no_debt(request, None, true)),
        });
        let command = CreateAnswers { submit: true, on_invalid: OnInvalid::Skip, items: items.into() };
        let mut tx = self.begin().await?;
        let details = self.service.create_answers(&mut tx, self.caller, command).await?;
        finish(tx).await?;
        Ok(details.operation.id)
    }

    async fn export(&self) -> Result<ExportId> {
        let mut tx = self.begin().await?;
        let command =
            CreateExport { kind: ExportKind::DebtRequests, filter: Filter::default(), account_found: None };
        let export = self.service.create_export(&mut tx, self.caller, command).await?;
        finish(tx).await?;
        Ok(export.id)
    }

    async fn import(&self, workbook: &Bytes) -> Result<ImportId> {
        let command = CreateImport {
            file_name: "Запросы.xlsx".to_owned(),
            content: workbook.clone(),
            mode: ImportMode::Preview,
            answer_column: AnswerColumnMode::Strict,
            submit: false,
        };
        let staged = self.service.stage_import(self.caller, command, "/file").await?;
        let mut tx = self.begin().await?;
        let details = self.service.create_import(&mut tx, self.caller, staged).await?;
        finish(tx).await?;
        Ok(details.import.id)
    }

    async fn stop(&self, id: OperationId) -> Result<()> {
        let mut tx = self.begin().await?;
        self.service.cancel_operation(&mut tx, self.caller, id.as_uuid()).await?;
        finish(tx).await
    }

    async fn cancel(&self, id: AnswerId) -> Result<()> {
        let mut tx = self.begin().await?;
        self.service.cancel_answer(&mut tx, self.caller, id, None).await?;
        finish(tx).await
    }

    async fn complete(&self, id: AnswerId) -> Result<()> {
        let mut tx = self.begin().await?;
        self.service.complete_answer(&mut tx, self.caller, id, None).await?;
        finish(tx).await
    }

    async fn file(&self, name: &str, text: &'static str) -> Result<AttachmentId> {
        let file = NewFile {
            file_name: name.to_owned(),
            description: None,
            content: Bytes::from_static(text.as_bytes()),
            sha256: None,
        };
        let mut tx = self.begin().await?;
        let file = self.service.upload_attachment(&mut tx, self.caller, file).await?;
        finish(tx).await?;
        Ok(file.id)
    }

    async fn sync_run(&self) -> Result<String> {
        let runs = self.service.list_sync_runs(self.caller, None, 1).await?;
        Ok(runs.first().context("no reading of GIS")?.id.to_string())
    }

    async fn state_of(&self, id: AnswerId) -> Result<State> {
        let details = self.service.get_answer(self.caller, id).await?;
        let Answer { state, .. } = details.answer;
        ensure!(state != State::Rejected, "имитатор отклонил ответ для примера");
        Ok(state)
    }
}
