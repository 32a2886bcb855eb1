//! Readings of GIS.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, Insertable, OptionalExtension, QueryDsl,
    Queryable, Selectable, SelectableHelper,
};
use diesel_async::RunQueryDsl;

use super::db::{both, holding};
use super::schema::sync_runs;
use super::types::{Json, Ts};
use super::{Conn, StoreError};
use crate::domain::sync_run::{RunState, SyncRun};
use crate::ids::{OrganizationId, SyncRunId};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sync_runs, treat_none_as_default_value = false, treat_none_as_null = true)]
struct SyncRunRow {
    id: SyncRunId,
    organization_id: OrganizationId,
    started_by: String,
    state: RunState,
    window_from: NaiveDate,
    window_to: NaiveDate,
    found: i64,
    added: i64,
    changed: i64,
    pages: i64,
    error: Option<Json>,
    started_at: Ts,
    finished_at: Option<Ts>,
}

impl SyncRunRow {
    fn of(run: &SyncRun) -> Result<Self, StoreError> {
        Ok(Self {
            id: run.id,
            organization_id: run.organization,
            started_by: run.started_by.clone(),
            state: run.state,
            window_from: run.window_from,
            window_to: run.window_to,
            found: run.found,
            added: run.added,
            changed: run.changed,
            pages: run.pages,
            error: run.error.as_ref().map(Json::of).transpose()?,
            started_at: Ts(run.started_at),
            finished_at: run.finished_at.map(Ts),
        })
    }
}

impl TryFrom<SyncRunRow> for SyncRun {
    type Error = StoreError;

    fn try_from(row: SyncRunRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            organization: row.organization_id,
            started_by: row.started_by,
            state: row.state,
            window_from: row.window_from,
            window_to: row.window_to,
            found: row.found,
            added: row.added,
            changed: row.changed,
            pages: row.pages,
            error: row.error.map(Json::read).transpose()?,
            started_at: row.started_at.0,
            finished_at: row.finished_at.map(|time| time.0),
        })
    }
}

/// Stores a run that begins; a second one of an organisation at a time is a [`StoreError::Unique`].
pub(crate) async fn insert(conn: &mut Conn, run: &SyncRun) -> Result<(), StoreError> {
    let row = SyncRunRow::of(run)?;
    both!(conn, c => diesel::insert_into(sync_runs::table).values(row).execute(c).await)?;
    Ok(())
}

/// Stores what became of a run; [`StoreError::Stale`] when there is no such run.
pub(crate) async fn update(conn: &mut Conn, run: &SyncRun) -> Result<(), StoreError> {
    let row = SyncRunRow::of(run)?;
    let hit = both!(conn, c => diesel::update(sync_runs::table.find(run.id)).set(row).execute(c).await)?;
    StoreError::unless_hit(hit)
}

/// A run of any organisation, held until the transaction ends.
pub(crate) async fn lock(conn: &mut Conn, id: SyncRunId) -> Result<Option<SyncRun>, StoreError> {
    let row = holding!(conn, sync_runs::table.find(id).select(SyncRunRow::as_select()), |query, c| {
        query.first(c).await.optional()
    })?;
    row.map(SyncRun::try_from).transpose()
}

/// One run of an organisation.
pub(crate) async fn get(
    conn: &mut Conn,
    organization: OrganizationId,
    id: SyncRunId,
) -> Result<Option<SyncRun>, StoreError> {
    let row = both!(conn, c => {
        sync_runs::table
            .find(id)
            .filter(sync_runs::organization_id.eq(organization))
            .select(SyncRunRow::as_select())
            .first(c)
            .await
            .optional()
    })?;
    row.map(SyncRun::try_from).transpose()
}

/// The newest run.
pub(crate) async fn last(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Option<SyncRun>, StoreError> {
    Ok(page(conn, organization, None, 1).await?.pop())
}

/// When the last run that succeeded ended.
pub(crate) async fn last_success(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let end: Option<Option<Ts>> = both!(conn, c => {
        sync_runs::table
            .filter(sync_runs::organization_id.eq(organization))
            .filter(sync_runs::state.eq(RunState::Succeeded))
            .order(sync_runs::started_at.desc())
            .select(sync_runs::finished_at)
            .first(c)
            .await
            .optional()
    })?;
    Ok(end.flatten().map(|time| time.0))
}

/// Newest first, after (`started_at`, id).
pub(crate) async fn page(
    conn: &mut Conn,
    organization: OrganizationId,
    after: Option<(DateTime<Utc>, SyncRunId)>,
    limit: i64,
) -> Result<Vec<SyncRun>, StoreError> {
    let rows = both!(conn, c => {
        let mut query = sync_runs::table
            .filter(sync_runs::organization_id.eq(organization))
            .order((sync_runs::started_at.desc(), sync_runs::id.desc()))
            .limit(limit)
            .select(SyncRunRow::as_select())
            .into_boxed();
        if let Some((time, id)) = after {
            let same_moment = sync_runs::started_at.eq(Ts(time)).and(sync_runs::id.lt(id));
            query = query
                .filter(sync_runs::started_at.le(Ts(time)))
                .filter(sync_runs::started_at.lt(Ts(time)).or(same_moment));
        }
        query.load(c).await
    })?;
    rows.into_iter().map(SyncRun::try_from).collect()
}

/// Runs that are under way.
pub(crate) async fn running(conn: &mut Conn) -> Result<Vec<SyncRun>, StoreError> {
    let rows = both!(conn, c => {
        sync_runs::table
            .filter(sync_runs::state.eq(RunState::Running))
            .order((sync_runs::started_at, sync_runs::id))
            .select(SyncRunRow::as_select())
            .load(c)
            .await
    })?;
    rows.into_iter().map(SyncRun::try_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::LastError;
    use crate::store::samples::{at, day, stored_organization};
    use crate::store::test_db::for_both;

    fn run(organization: OrganizationId, started_at: i64) -> SyncRun {
        SyncRun {
            id: SyncRunId::generate(),
            organization,
            started_by: "schedule".to_owned(),
            state: RunState::Running,
            window_from: day(1),
            window_to: day(9),
            found: 0,
            added: 0,
            changed: 0,
            pages: 0,
            error: None,
            started_at: at(started_at),
            finished_at: None,
        }
    }

    #[test]
    fn a_run_goes_its_way() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            let mut given = run(organization, 1);
            insert(&mut tx, &given).await.unwrap();
            assert_eq!(lock(&mut tx, given.id).await.unwrap(), Some(given.clone()));
            assert_eq!(running(&mut tx).await.unwrap(), [given.clone()]);
            assert_eq!(get(&mut tx, organization, given.id).await.unwrap(), Some(given.clone()));
            assert_eq!(get(&mut tx, OrganizationId::generate(), given.id).await.unwrap(), None);
            given.state = RunState::Failed;
            given.found = 7;
            given.finished_at = Some(at(2));
            given.error = Some(LastError {
                origin: "gis".to_owned(),
                code: "gis_unavailable".to_owned(),
                detail: "ГИС ЖКХ не отвечает".to_owned(),
                pointer: None,
                gis: None,
            });
            update(&mut tx, &given).await.unwrap();
            assert_eq!(last(&mut tx, organization).await.unwrap(), Some(given.clone()));
            assert_eq!(running(&mut tx).await.unwrap(), []);
            given.error = None;
            update(&mut tx, &given).await.unwrap();
            assert_eq!(lock(&mut tx, given.id).await.unwrap(), Some(given));
            assert!(matches!(update(&mut tx, &run(organization, 1)).await, Err(StoreError::Stale)));
            assert_eq!(lock(&mut tx, SyncRunId::generate()).await.unwrap(), None);
        });
    }

    #[test]
    fn pages_go_from_the_newest_to_the_oldest() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let ended = |time| SyncRun { state: RunState::Succeeded, ..run(ours, time) };
            let mut runs: Vec<_> = [1, 3, 3, 2].map(ended).into();
            for run in runs.iter().chain([&run(theirs, 4)]) {
                insert(&mut tx, run).await.unwrap();
            }
            runs.sort_by_key(|run| std::cmp::Reverse((run.started_at, run.id)));
            let mut found = Vec::new();
            let mut after = None;
            while let Some(run) = page(&mut tx, ours, after, 1).await.unwrap().pop() {
                after = Some((run.started_at, run.id));
                found.push(run);
            }
            assert_eq!(found, runs);
        });
    }
}
