//! All long work of an organisation as one list, newest first (`api.md` §12.1). Each kind lies in a table of its own and is
//! read with the rights of its own resource.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{OperationDetails, is_by, only_of, readable};
use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::export::Export;
use crate::domain::import::Import;
use crate::domain::long_work::{WorkKind, WorkStatus};
use crate::domain::match_run::{MatchRun, MatchTally};
use crate::domain::operation::{Operation, Tally};
use crate::domain::sync_run::SyncRun;
use crate::error::{Error, Result};
use crate::imports::ImportDetails;
use crate::match_runs::MatchRunDetails;
use crate::store::{Conn, exports, imports, match_runs, operations, sync_runs};

/// Long work of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LongWork {
    /// Many answers.
    Answers(OperationDetails),
    /// A list that is written into a spreadsheet.
    Export(Box<Export>),
    /// A spreadsheet with answers.
    Import(Box<ImportDetails>),
    /// A match of many debt requests with a registry.
    MatchRun(MatchRunDetails),
    /// A reading of GIS.
    Sync(SyncRun),
}

impl LongWork {
    /// Its identifier; none has that of another kind.
    #[must_use]
    pub fn id(&self) -> Uuid {
        match self {
            Self::Answers(details) => details.operation.id.as_uuid(),
            Self::Export(export) => export.id.as_uuid(),
            Self::Import(details) => details.import.id.as_uuid(),
            Self::MatchRun(details) => details.run.id.as_uuid(),
            Self::Sync(run) => run.id.as_uuid(),
        }
    }

    /// What it does.
    #[must_use]
    pub fn kind(&self) -> WorkKind {
        match self {
            Self::Answers(details) => details.operation.kind.into(),
            Self::Export(_) => WorkKind::Export,
            Self::Import(_) => WorkKind::Import,
            Self::MatchRun(_) => WorkKind::MatchRun,
            Self::Sync(_) => WorkKind::Sync,
        }
    }

    /// Where it stands, in the words that all have in common.
    #[must_use]
    pub fn status(&self) -> WorkStatus {
        match self {
            Self::Answers(details) => details.operation.status.into(),
            Self::Export(export) => export.status.into(),
            Self::Import(details) => details.import.status.into(),
            Self::MatchRun(details) => details.run.status.into(),
            Self::Sync(run) => run.state.into(),
        }
    }

    /// Where it stands, as people read it of this kind.
    #[must_use]
    pub fn status_label(&self) -> &'static str {
        match self {
            Self::Answers(details) => details.operation.status.label(),
            Self::Export(export) => export.status.label(),
            Self::Import(details) => details.import.status.label(),
            Self::MatchRun(details) => details.run.status.label(),
            Self::Sync(run) => run.state.label(),
        }
    }

    /// When it began.
    #[must_use]
    pub fn created_at(&self) -> DateTime<Utc> {
        match self {
            Self::Answers(details) => details.operation.created_at,
            Self::Export(export) => export.created_at,
            Self::Import(details) => details.import.created_at,
            Self::MatchRun(details) => details.run.created_at,
            Self::Sync(run) => run.started_at,
        }
    }

    /// When it ended.
    #[must_use]
    pub fn finished_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Answers(details) => details.operation.finished_at,
            Self::Export(export) => export.finished_at,
            Self::Import(details) => details.import.finished_at,
            Self::MatchRun(details) => details.run.finished_at,
            Self::Sync(run) => run.finished_at,
        }
    }

    // Not counted yet, see `count`.

    pub(super) fn answers(operation: Operation) -> Self {
        Self::Answers(OperationDetails { operation, tally: Tally::default() })
    }

    pub(super) fn export(export: Export) -> Self {
        Self::Export(Box::new(export))
    }

    pub(super) fn import(import: Import) -> Self {
        Self::Import(Box::new(ImportDetails { import, tally: Tally::default() }))
    }

    pub(super) fn match_run(run: MatchRun) -> Self {
        Self::MatchRun(MatchRunDetails { run, tally: MatchTally::default() })
    }
}

impl Service {
    /// Newest first, after (`created_at`, `id`): all that the caller may read, or of one kind.
    ///
    /// # Errors
    /// The caller may read no work of any kind, or none of this one.
    pub async fn list_operations(
        &self,
        caller: &Caller,
        kind: Option<WorkKind>,
        after: Option<(DateTime<Utc>, Uuid)>,
        limit: i64,
    ) -> Result<Vec<LongWork>> {
        let kinds = readable_kinds(caller, kind)?;
        let mut conn = self.db.scan().await?;
        let mut all = pages(&mut conn, caller, &kinds, after, limit).await?;
        all.sort_unstable_by_key(|work| Reverse((work.created_at(), work.id())));
        all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        count(&mut conn, &mut all).await?;
        Ok(all)
    }

    /// Long work of any kind.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for what the caller may not read.
    pub async fn get_operation(&self, caller: &Caller, id: Uuid) -> Result<LongWork> {
        let kinds = readable_kinds(caller, None)?;
        let mut conn = self.db.scan().await?;
        let mut work = find(&mut conn, caller, &kinds, id).await?.ok_or(Error::NotFound)?;
        count(&mut conn, std::slice::from_mut(&mut work)).await?;
        Ok(work)
    }
}

/// Who may read work of a kind: whoever has one of these rights, as with its own resource.
const fn readers(kind: WorkKind) -> &'static [Scope] {
    match kind {
        WorkKind::AnswersBulk | WorkKind::AutoAnswer => &[Scope::AnswersRead, Scope::AnswersWrite],
        WorkKind::Import => &[Scope::AnswersWrite],
        WorkKind::Export | WorkKind::Sync => &[Scope::RequestsRead],
        WorkKind::MatchRun => &[Scope::RegistryRead],
    }
}

/// Whether a caller has one of these rights.
fn may_read(caller: &Caller, kind: WorkKind) -> bool {
    readers(kind).iter().any(|scope| caller.scopes.allow(*scope))
}

/// Whether a caller may read work of any kind.
pub(super) fn sees_any(caller: &Caller) -> bool {
    WorkKind::ALL.iter().any(|kind| may_read(caller, *kind))
}

/// Whether a caller may read this; if not, it does not exist for him.
pub(super) fn sees(caller: &Caller, work: &LongWork) -> bool {
    match work {
        LongWork::Answers(details) => {
            only_of(caller).is_ok_and(|author| is_by(&details.operation, author.as_deref()))
        }
        LongWork::Export(_) | LongWork::Import(_) | LongWork::MatchRun(_) | LongWork::Sync(_) => {
            may_read(caller, work.kind())
        }
    }
}

/// The kinds that a caller may read, of all or of the one that is asked for; if there are none, he is refused.
fn readable_kinds(caller: &Caller, asked: Option<WorkKind>) -> Result<Vec<WorkKind>> {
    let asked = asked.as_ref().map_or(WorkKind::ALL, std::slice::from_ref);
    let kinds: Vec<_> = asked.iter().copied().filter(|kind| may_read(caller, *kind)).collect();
    let usual = asked.iter().flat_map(|kind| readers(*kind)).next();
    if kinds.is_empty()
        && let Some(scope) = usual
    {
        caller.need(*scope)?;
    }
    Ok(kinds)
}

/// A page of each of the kinds, in no order. What the things of all these have come to is counted later: most of them may
/// be beyond the page.
async fn pages(
    conn: &mut Conn,
    caller: &Caller,
    kinds: &[WorkKind],
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<LongWork>> {
    let organization = caller.organization;
    let mut all = Vec::new();
    let answers: Vec<_> = kinds.iter().filter_map(|kind| kind.of_answers()).collect();
    if !answers.is_empty() {
        let author = only_of(caller)?;
        let author = author.as_deref();
        let page = operations::page(conn, organization, &answers, author, place(after), limit).await?;
        all.extend(page.into_iter().map(LongWork::answers));
    }
    if kinds.contains(&WorkKind::Export) {
        let page = exports::page(conn, organization, place(after), limit).await?;
        all.extend(page.into_iter().map(LongWork::export));
    }
    if kinds.contains(&WorkKind::Import) {
        let page = imports::page(conn, organization, place(after), limit).await?;
        all.extend(page.into_iter().map(LongWork::import));
    }
    if kinds.contains(&WorkKind::MatchRun) {
        let page = match_runs::page(conn, organization, place(after), limit).await?;
        all.extend(page.into_iter().map(LongWork::match_run));
    }
    if kinds.contains(&WorkKind::Sync) {
        let page = sync_runs::page(conn, organization, place(after), limit).await?;
        all.extend(page.into_iter().map(LongWork::Sync));
    }
    Ok(all)
}

/// A place in the common list as a place in the list of one kind.
fn place<Id: From<Uuid>>(after: Option<(DateTime<Utc>, Uuid)>) -> Option<(DateTime<Utc>, Id)> {
    after.map(|(at, id)| (at, id.into()))
}

/// What has this identifier, of these kinds.
async fn find(conn: &mut Conn, caller: &Caller, kinds: &[WorkKind], id: Uuid) -> Result<Option<LongWork>> {
    let organization = caller.organization;
    if kinds.iter().any(|kind| kind.of_answers().is_some())
        && let Some(operation) = readable(conn, caller, id.into()).await?
    {
        return Ok(Some(LongWork::answers(operation)));
    }
    if kinds.contains(&WorkKind::Export)
        && let Some(export) = exports::get(conn, organization, id.into()).await?
    {
        return Ok(Some(LongWork::export(export)));
    }
    if kinds.contains(&WorkKind::Import)
        && let Some(import) = imports::get(conn, organization, id.into()).await?
    {
        return Ok(Some(LongWork::import(import)));
    }
    if kinds.contains(&WorkKind::MatchRun)
        && let Some(run) = match_runs::get(conn, organization, id.into()).await?
    {
        return Ok(Some(LongWork::match_run(run)));
    }
    if kinds.contains(&WorkKind::Sync) {
        return Ok(sync_runs::get(conn, organization, id.into()).await?.map(LongWork::Sync));
    }
    Ok(None)
}

/// Counts what the things of each have come to, with one question for all of a kind.
pub(super) async fn count(conn: &mut Conn, all: &mut [LongWork]) -> Result<()> {
    let (mut answers, mut sheets, mut runs) = (Vec::new(), Vec::new(), Vec::new());
    for work in all.iter() {
        match work {
            LongWork::Answers(details) => answers.push(details.operation.id),
            LongWork::Import(details) => sheets.push(&details.import),
            LongWork::MatchRun(details) => runs.push(details.run.id),
            LongWork::Export(_) | LongWork::Sync(_) => {}
        }
    }
    let mut answers = operations::tallies(conn, &answers).await?;
    let mut sheets = imports::tallies(conn, &sheets).await?;
    let mut runs = match_runs::tallies(conn, &runs).await?;
    for work in all {
        match work {
            LongWork::Answers(details) => {
                details.tally = answers.remove(&details.operation.id).unwrap_or_default();
            }
            LongWork::Import(details) => {
                details.tally = sheets.remove(&details.import.id).unwrap_or_default();
            }
            LongWork::MatchRun(details) => details.tally = runs.remove(&details.run.id).unwrap_or_default(),
            LongWork::Export(_) | LongWork::Sync(_) => {}
        }
    }
    Ok(())
}
