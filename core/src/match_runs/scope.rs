//! Which requests a run is about, looked up before it starts: newly arriving ones never join it.

use std::collections::HashSet;

use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::MatchScope;
use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::debt_request::DebtRequest;
use crate::error::{Error, Mistake, Result};
use crate::ids::{DebtRequestId, ImportId, OrganizationId};
use crate::spreadsheets::{Limits, SheetRequests, Workbook, WorkbookError, read_requests};
use crate::store::debt_requests::{After, Filter, Sort, SortBy};
use crate::store::{Conn, debt_requests, imports};

/// Requests of one run.
pub(crate) const MOST: usize = 100_000;
/// Requests looked up at once.
const PAGE: i64 = 1_000;
/// The same where each has a name.
const CHUNK: usize = 500;
/// Mistakes of a workbook that are listed.
const MOST_MISTAKES: usize = 1_000;

/// A workbook may become large when it is unpacked: one at a time.
static READING: Semaphore = Semaphore::const_new(1);

impl Service {
    /// The requests of a scope, each once, in the order of their deadlines where it is a filter.
    ///
    /// # Errors
    /// There are too many, or some that do not exist.
    pub async fn match_scope(&self, caller: &Caller, scope: MatchScope) -> Result<Vec<DebtRequestId>> {
        caller.need(Scope::RegistryRead)?;
        let (place, found) = match scope {
            MatchScope::Ids(mut ids) => {
                ids.sort_unstable();
                ids.dedup();
                let mut conn = self.db.scan().await?;
                if known(&mut conn, caller, &ids).await?.len() < ids.len() {
                    let mistake = Mistake::at("/scope/ids", "not_found", "некоторых запросов нет");
                    return Err(Error::Invalid(vec![mistake]));
                }
                ("/scope/ids", ids)
            }
            MatchScope::Filter(filter) => {
                let mut conn = self.db.scan().await?;
                let all = walk(&mut conn, caller.organization, &filter, MOST, |request| request.id);
                ("/scope/filter", all.await?)
            }
            MatchScope::Import(id) => (IMPORT, self.listed(caller, id).await?),
        };
        if found.len() > MOST {
            let mistake = Mistake::at(place, "too_many", format!("не более {MOST} запросов"));
            return Err(Error::Invalid(vec![mistake]));
        }
        Ok(found)
    }

    /// The requests that an uploaded workbook lists; all of them must be there.
    async fn listed(&self, caller: &Caller, id: ImportId) -> Result<Vec<DebtRequestId>> {
        let import = {
            let mut conn = self.db.read().await?;
            imports::get(&mut conn, caller.organization, id).await?
        };
        let Some(import) = import else {
            return Err(Error::Invalid(vec![Mistake::at(IMPORT, "not_found", "такой загрузки нет")]));
        };
        let content = self.files.get(import.content).await?;
        let most = self.settings.limits.import_bytes;
        let turn = READING.acquire().await.map_err(Error::internal)?;
        let read = move || {
            // The thread goes on when the client hangs up, and so does its turn.
            let _turn = turn;
            read(content, most)
        };
        let read = spawn_blocking(read).await.map_err(Error::internal)?;
        let sheet = read.map_err(|error| error.refusal(IMPORT))?;
        let mut mistakes = sheet.errors.mistakes(IMPORT);
        let ids: Vec<_> = sheet.requests.iter().map(|(_, id)| *id).collect();
        let mut conn = self.db.scan().await?;
        let known = known(&mut conn, caller, &ids).await?;
        let unknown = sheet.requests.iter().filter(|(_, id)| !known.contains(id));
        mistakes.extend(unknown.take(MOST_MISTAKES).map(|(row, _)| {
            Mistake::at(IMPORT, "not_found", format!("строка {row}: такого запроса нет")).in_sheet(*row, None)
        }));
        if mistakes.is_empty() { Ok(ids) } else { Err(Error::Invalid(mistakes)) }
    }
}

const IMPORT: &str = "/scope/import_id";

fn read(content: Bytes, most: u64) -> std::result::Result<SheetRequests, WorkbookError> {
    let limits = Limits { file_bytes: most, errors: MOST_MISTAKES, ..Limits::default() };
    read_requests(&mut Workbook::open(content, limits)?)
}

/// Those of some requests that exist.
async fn known(conn: &mut Conn, caller: &Caller, ids: &[DebtRequestId]) -> Result<HashSet<DebtRequestId>> {
    let mut known = HashSet::new();
    for some in ids.chunks(CHUNK) {
        let found = debt_requests::find(conn, caller.organization, some, &[]).await?;
        known.extend(found.into_iter().map(|request| request.id));
    }
    Ok(known)
}

/// Something of everything that a filter leaves, the nearest deadline first; little more than `most`.
pub(crate) async fn walk<T>(
    conn: &mut Conn,
    organization: OrganizationId,
    filter: &Filter,
    most: usize,
    pick: impl Fn(DebtRequest) -> T,
) -> Result<Vec<T>> {
    let sort = Sort { by: SortBy::DueOn, descending: false };
    let mut found = Vec::new();
    let mut after = None;
    while found.len() <= most {
        let page = debt_requests::page(conn, organization, filter, sort, after.as_ref(), PAGE).await?;
        after = page.last().map(|last| After::of(last, sort.by));
        if after.is_none() {
            break;
        }
        found.extend(page.into_iter().map(&pick));
    }
    Ok(found)
}
