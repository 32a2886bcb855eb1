//! The three lists of a run (F81–F83) as a workbook: found, not found, in doubt. Read page by page and written in constant
//! memory; only the packed file is held.

use std::collections::HashMap;
use std::io::Cursor;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::debt_request::{DebtRequest, MatchResult};
use crate::domain::match_run::{Deed, MatchItem, MatchRun, MatchRunStatus};
use crate::error::{Code, Error, Result};
use crate::ids::{CourtDebtId, DebtRequestId, MatchRunId};
use crate::spreadsheets::{ListItem, MatchList, MatchListsWriter, WriteError};
use crate::store::{debt_requests, match_runs, registries};

/// Items read at once.
const PAGE: i64 = 500;

/// Writing takes a while and a packed file some memory: a few at a time.
static WRITING: Semaphore = Semaphore::const_new(2);

/// Some items with what is shown beside them.
struct Page {
    items: Vec<MatchItem>,
    requests: HashMap<DebtRequestId, DebtRequest>,
    rows: HashMap<CourtDebtId, u32>,
}

impl Service {
    /// The three lists of a run that has ended. Numbers and addresses of requests are in them when the client may read
    /// requests: a run itself shows none.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Code::StateConflict`] while the run goes on.
    pub async fn match_run_content(&self, caller: &Caller, id: MatchRunId) -> Result<(MatchRun, Bytes)> {
        caller.need(Scope::RegistryRead)?;
        let run = {
            let mut conn = self.db.read().await?;
            match_runs::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?
        };
        match run.status {
            MatchRunStatus::Succeeded | MatchRunStatus::Cancelled | MatchRunStatus::Replaced => {}
            MatchRunStatus::Running => {
                let detail = "сопоставление ещё не закончено; списки будут, когда оно закончится";
                return Err(Error::conflict(Code::StateConflict, detail, None));
            }
        }
        let turn = WRITING.acquire().await.map_err(Error::internal)?;
        let folder = std::env::temp_dir();
        let mut writer = blocking(move || MatchListsWriter::new(&folder)).await?;
        let mut after = None;
        loop {
            let page = self.match_page(caller, &run, after).await?;
            let Some(last) = page.items.last() else { break };
            after = Some(last.place);
            writer = blocking(move || {
                page.items.iter().try_for_each(|item| page.push(&mut writer, item))?;
                Ok(writer)
            })
            .await?;
        }
        let content = blocking(move || {
            let mut content = Cursor::new(Vec::new());
            writer.finish(&mut content)?;
            Ok(content.into_inner())
        });
        let content = content.await?;
        drop(turn);
        Ok((run, content.into()))
    }

    async fn match_page(&self, caller: &Caller, run: &MatchRun, after: Option<i64>) -> Result<Page> {
        let mut conn = self.db.scan().await?;
        let items = match_runs::items(&mut conn, run.id, None, after, PAGE).await?;
        let requests = if caller.scopes.allow(Scope::RequestsRead) {
            let ids: Vec<_> = items.iter().map(|item| item.debt_request).collect();
            debt_requests::find(&mut conn, run.organization, &ids, &[]).await?
        } else {
            Vec::new()
        };
        let meant: Vec<_> = items.iter().flat_map(meant).collect();
        let rows = registries::debts_by_id(&mut conn, run.registry, &meant).await?;
        let rows = rows.into_iter().filter_map(|kept| {
            let row = u32::try_from(kept.row?).ok()?;
            Some((kept.debt.entry.id, row))
        });
        let requests = requests.into_iter().map(|request| (request.id, request));
        Ok(Page { requests: requests.collect(), rows: rows.collect(), items })
    }
}

impl Page {
    /// Writes an item into its list; one that was not matched is in none.
    fn push(&self, writer: &mut MatchListsWriter, item: &MatchItem) -> std::result::Result<(), WriteError> {
        let Some(result) = item.result else { return Ok(()) };
        let list = match result {
            MatchResult::Found => MatchList::Found,
            MatchResult::NotFound => MatchList::NotFound,
            MatchResult::Ambiguous => MatchList::Ambiguous,
        };
        let gis = self.requests.get(&item.debt_request).map(|request| &request.gis);
        let address = gis.map(|gis| gis.address.with_premises());
        let rows: Vec<u32> = meant(item).filter_map(|id| self.rows.get(&id).copied()).collect();
        let shown = ListItem {
            request_number: gis.map(|gis| gis.request_number.as_str()).unwrap_or_default(),
            subrequest: item.debt_request,
            address: address.as_deref(),
            period_from: gis.and_then(|gis| gis.period_from),
            period_to: gis.and_then(|gis| gis.period_to),
            due_on: gis.and_then(|gis| gis.due_on),
            registry_rows: &rows,
            note: &note(item),
        };
        writer.push(list, &shown)
    }
}

/// The rows of the registry that were found, or may be meant.
fn meant(item: &MatchItem) -> impl Iterator<Item = CourtDebtId> + '_ {
    let all = item.result == Some(MatchResult::Ambiguous);
    let candidates = item.explanation.iter().flat_map(|explanation| &explanation.candidates);
    candidates.filter(move |row| all || row.counts).map(|row| row.id)
}

/// Why, and what was done.
fn note(item: &MatchItem) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(explanation) = &item.explanation {
        parts.extend(explanation.reasons.iter().map(|reason| reason.label().to_owned()));
        if parts.is_empty() {
            parts.push(explanation.basis.label().to_owned());
        }
    }
    match (item.deed, &item.error) {
        (Deed::Pending | Deed::Matched | Deed::Gone, _) => {}
        (deed, Some(code)) => parts.push(format!("{} ({code})", deed.label())),
        (deed, None) => parts.push(deed.label().to_owned()),
    }
    parts.join("; ")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::result::Result<T, WriteError> + Send + 'static,
) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::internal)?.map_err(Error::internal)
}
