//! Debt requests of one day, counted by how they stand, and how long their answers took. In SQL, because the database need
//! not give out what it only counts; the two dialects differ in how they count seconds.

use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Date, Nullable, Text};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::db::{Backend, both};
use super::types::{Guid, Uid};
use super::{Conn, StoreError};
use crate::domain::answer::{Source, State};
use crate::domain::debt_request::{ResponseStatus, Stage};
use crate::domain::statistics::{GroupBy, Standing};
use crate::ids::OrganizationId;

/// Which debt requests are asked about, and how.
pub(crate) struct Question<'a> {
    /// Whose.
    pub(crate) organization: OrganizationId,
    /// Those that were sent on this day.
    pub(crate) day: NaiveDate,
    /// What they are grouped by; of one day, they are one group.
    pub(crate) group_by: GroupBy,
    /// The present day.
    pub(crate) today: NaiveDate,
    /// How far the organisation's clocks are ahead of UTC, from which day on.
    pub(crate) offsets: &'a [(NaiveDate, i64)],
}

/// From when on it is counted how long an answer took: to the first answer that was in force, or to the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// When the gateway first saw the debt request.
    Arrival,
    /// When the answer was submitted.
    Submission,
}

/// What the dialects say differently.
struct Dialect {
    /// The whole seconds from 1970 to a moment.
    seconds: fn(&str) -> String,
    /// The same to the beginning of a day in UTC.
    midnight: fn(&str) -> String,
}

impl Dialect {
    fn of(conn: &mut Conn) -> Self {
        match conn.backend() {
            Backend::Pg(_) => Self {
                seconds: |moment| format!("floor(extract(epoch FROM {moment}))::bigint"),
                midnight: |day| format!("extract(epoch FROM {day})::bigint"),
            },
            Backend::Lite(_) => Self {
                seconds: |moment| format!("{moment} / 1000000"),
                midnight: |day| format!("unixepoch({day})"),
            },
        }
    }
}

impl Question<'_> {
    /// The column of the key.
    const fn key(&self) -> &'static str {
        match self.group_by {
            GroupBy::Day => "CAST(NULL AS uuid)",
            GroupBy::Department => "r.department_id",
            GroupBy::Executor => "r.executor_id",
            GroupBy::Requester => "r.requester_id",
        }
    }

    /// What the key is called; of several names on one day, one is told.
    const fn name(&self) -> &'static str {
        match self.group_by {
            GroupBy::Day | GroupBy::Department | GroupBy::Executor => "CAST(NULL AS text)",
            GroupBy::Requester => "r.requester_name",
        }
    }

    /// By how many seconds the clocks are ahead of UTC at the end of the last day to answer.
    fn offset(&self) -> String {
        let Some(((_, first), changes)) = self.offsets.split_first() else { return "0".to_owned() };
        if changes.is_empty() {
            return first.to_string();
        }
        let later = changes.iter().rev().map(|(day, ahead)| format!("WHEN r.due_on >= '{day}' THEN {ahead}"));
        format!("CASE {} ELSE {first} END", later.collect::<Vec<_>>().join(" "))
    }
}

/// When an answer of ours was first in force, whatever was corrected or withdrawn since: a correction of what was given in
/// time is not late. GIS's own time counts where it is the earlier one; it is another one when GIS had to be sent the same
/// answer again.
const FIRST: &str = "(SELECT min(CASE WHEN o.gis_updated_at < o.delivered_at THEN o.gis_updated_at \
                                      ELSE o.delivered_at END) \
                      FROM answers o \
                      WHERE o.debt_request_id = r.id AND o.source <> 'gis' AND o.delivered_at IS NOT NULL)";

#[derive(QueryableByName)]
struct StandingRow {
    #[diesel(sql_type = Nullable<Uid>)]
    key: Option<Guid>,
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
    #[diesel(sql_type = Text)]
    stage: Stage,
    #[diesel(sql_type = Text)]
    response_status: ResponseStatus,
    #[diesel(sql_type = Nullable<Text>)]
    answer_state: Option<State>,
    #[diesel(sql_type = Nullable<Text>)]
    source: Option<Source>,
    #[diesel(sql_type = Nullable<Bool>)]
    has_debt: Option<bool>,
    #[diesel(sql_type = Bool)]
    past: bool,
    #[diesel(sql_type = Bool)]
    late: bool,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The debt requests of the day: by key with its name, how many stand how.
pub(crate) async fn standings(
    conn: &mut Conn,
    question: &Question<'_>,
) -> Result<Vec<(Option<Uuid>, Option<String>, Standing, i64)>, StoreError> {
    let Dialect { seconds, midnight } = Dialect::of(conn);
    let query = format!(
        "SELECT d.key, max(d.name) AS name, d.stage, d.response_status, d.answer_state, d.source, d.has_debt, d.past,
                d.late, count(*) AS count
         FROM (SELECT {key} AS key, {name} AS name, r.stage, r.response_status, r.answer_state, a.source,
                      coalesce(a.has_debt, r.gis_has_debt) AS has_debt,
                      coalesce(r.due_on < $1, false) AS past,
                      coalesce({first} >= {due} + 86400 - ({offset}), false) AS late
               FROM debt_requests r
               LEFT JOIN answers a ON a.debt_request_id = r.id AND a.state = 'delivered'
               WHERE r.organization_id = $2 AND r.sent_key = $3) d
         GROUP BY d.key, d.stage, d.response_status, d.answer_state, d.source, d.has_debt, d.past, d.late",
        key = question.key(),
        name = question.name(),
        first = seconds(FIRST),
        due = midnight("r.due_on"),
        offset = question.offset(),
    );
    let rows: Vec<StandingRow> = both!(conn, c => {
        diesel::sql_query(query)
            .bind::<Date, _>(question.today)
            .bind::<Uid, _>(question.organization)
            .bind::<Date, _>(question.day)
            .load(c)
            .await
    })?;
    let standing = |row: &StandingRow| Standing {
        stage: row.stage,
        response: row.response_status,
        current: row.answer_state,
        delivered: row.source,
        has_debt: row.has_debt,
        past: row.past,
        late: row.late,
    };
    let found = rows.into_iter().map(|row| {
        let standing = standing(&row);
        (row.key.map(|Guid(id)| id), row.name, standing, row.count)
    });
    Ok(found.collect())
}

#[derive(QueryableByName)]
struct DurationRow {
    #[diesel(sql_type = Nullable<Uid>)]
    key: Option<Guid>,
    #[diesel(sql_type = BigInt)]
    seconds: i64,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// How long the delivered answers of ours to the debt requests of the day took: key, seconds, how many. Seconds have three
/// significant digits, the others are zeros, so that there are no more than some thousand different ones.
pub(crate) async fn durations(
    conn: &mut Conn,
    question: &Question<'_>,
    since: Since,
) -> Result<Vec<(Option<Uuid>, i64, i64)>, StoreError> {
    let Dialect { seconds, .. } = Dialect::of(conn);
    let (began, ended) = match since {
        Since::Arrival => ("r.created_at", FIRST),
        Since::Submission => ("a.submitted_at", "a.delivered_at"),
    };
    let query = format!(
        "SELECT d.key,
                CASE WHEN d.took < 1000 THEN d.took
                     WHEN d.took < 10000 THEN d.took / 10 * 10
                     WHEN d.took < 100000 THEN d.took / 100 * 100
                     WHEN d.took < 1000000 THEN d.took / 1000 * 1000
                     ELSE d.took / 10000 * 10000 END AS seconds,
                count(*) AS count
         FROM (SELECT {key} AS key, {ended} - {began} AS took
               FROM debt_requests r
               JOIN answers a ON a.debt_request_id = r.id AND a.state = 'delivered'
               WHERE r.organization_id = $1 AND r.sent_key = $2 AND a.source <> 'gis') d
         WHERE d.took IS NOT NULL
         GROUP BY 1, 2",
        key = question.key(),
        ended = seconds(ended),
        began = seconds(began),
    );
    let rows: Vec<DurationRow> = both!(conn, c => {
        diesel::sql_query(query)
            .bind::<Uid, _>(question.organization)
            .bind::<Date, _>(question.day)
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(|row| (row.key.map(|Guid(id)| id), row.seconds, row.count)).collect())
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::domain::answer::Answer;
    use crate::domain::debt_request::DebtRequest;
    use crate::ids::DepartmentId;
    use crate::store::samples::{day, request, stored_organization};
    use crate::store::test_db::for_both;
    use crate::store::{answers, debt_requests, test_rows};

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// A delivered answer to a request; both are stored.
    async fn delivered(conn: &mut Conn, request: &DebtRequest, submitted: &str, delivered: &str) {
        let answer = Answer {
            state: State::Delivered,
            submitted_at: Some(time(submitted)),
            delivered_at: Some(time(delivered)),
            // It was corrected in vain since: GIS did not withdraw it.
            settled_at: Some(time("2026-11-20T00:00:00Z")),
            ..test_rows::answer(request.organization, request.id)
        };
        debt_requests::save(conn, std::slice::from_ref(request)).await.unwrap();
        answers::insert(conn, vec![(answer, Vec::new())]).await.unwrap();
    }

    #[test]
    fn a_day_is_counted_and_timed() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
            let department = DepartmentId::generate();
            let mut all = [request(ours), request(ours), request(ours), request(theirs)];
            all[0].created_at = time("2026-11-02T06:00:00Z");
            all[1].created_at = time("2026-11-02T06:00:00Z");
            all[1].department = Some(department);
            // In Yekaterinburg, five hours ahead, the 10th ends at 19:00 in UTC: one just in time, one late.
            delivered(&mut tx, &all[0], "2026-11-10T18:59:18Z", "2026-11-10T18:59:59.999999Z").await;
            delivered(&mut tx, &all[1], "2026-11-10T18:00:00Z", "2026-11-10T19:00:00Z").await;
            debt_requests::save(&mut tx, &all[2..]).await.unwrap();
            let question = |group_by, today, offsets| Question {
                organization: ours,
                day: day(2),
                group_by,
                today: day(today),
                offsets,
            };
            let offsets = [(day(1), 5 * 3600)];
            let asked = question(GroupBy::Department, 11, &offsets);
            let mut found = standings(&mut tx, &asked).await.unwrap();
            found.sort_by_key(|(key, _, standing, _)| (*key, standing.delivered));
            let of = |delivered: Option<Source>, late| Standing {
                stage: Stage::New,
                response: ResponseStatus::NotSent,
                current: None,
                delivered,
                has_debt: delivered.map(|_| false),
                past: true,
                late,
            };
            let expected = [
                (None, None, of(None, false), 1),
                (None, None, of(Some(Source::Api), false), 1),
                (Some(department.as_uuid()), None, of(Some(Source::Api), true), 1),
            ];
            assert_eq!(found, expected);
            // 8 days, 12:59:59 and 13:00:00, to three digits; then 41 seconds and an hour.
            let mut took = durations(&mut tx, &asked, Since::Arrival).await.unwrap();
            took.sort_unstable();
            assert_eq!(took, [(None, 737_000, 1), (Some(department.as_uuid()), 738_000, 1)]);
            let by_day = question(GroupBy::Day, 10, &offsets);
            let mut took = durations(&mut tx, &by_day, Since::Submission).await.unwrap();
            took.sort_unstable();
            assert_eq!(took, [(None, 41, 1), (None, 3_600, 1)]);
            assert!(standings(&mut tx, &by_day).await.unwrap().iter().all(|(_, _, it, _)| !it.past));
            // With clocks that are changed in between, the later offset holds.
            let moved = [(day(1), 5 * 3600), (day(9), 4 * 3600), (day(12), 9 * 3600)];
            let asked = question(GroupBy::Executor, 11, &moved);
            assert!(standings(&mut tx, &asked).await.unwrap().iter().all(|(_, _, it, _)| !it.late));
            let other = Question { day: day(3), ..question(GroupBy::Requester, 11, &offsets) };
            assert_eq!(standings(&mut tx, &other).await.unwrap(), []);
        });
    }

    /// An answer that came in time and was corrected after the last day is not late, and its successor took no longer.
    #[test]
    fn the_first_answer_counts_whatever_came_of_it() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            let mut all = [request(organization), request(organization)];
            for request in &mut all {
                request.created_at = time("2026-11-02T06:00:00Z");
                delivered(&mut tx, request, "2026-11-12T00:00:00Z", "2026-11-12T00:00:40Z").await;
            }
            // GIS had it before we knew, and its own time after a repair is later.
            let earlier = |gis: &str| Answer {
                state: State::Revoked,
                revision: 2,
                gis_updated_at: Some(time(gis)),
                delivered_at: Some(time("2026-11-04T06:00:00Z")),
                ..test_rows::answer(organization, all[0].id)
            };
            let first = earlier("2026-11-03T06:00:00Z");
            let repaired = Answer { debt_request: all[1].id, ..earlier("2026-11-12T06:00:00Z") };
            answers::insert(&mut tx, vec![(first, Vec::new()), (repaired, Vec::new())]).await.unwrap();
            let asked = Question {
                organization,
                day: day(2),
                group_by: GroupBy::Day,
                today: day(13),
                offsets: &[(day(1), 5 * 3600)],
            };
            let found = standings(&mut tx, &asked).await.unwrap();
            assert!(found.iter().all(|(_, _, it, _)| it.past && !it.late), "{found:?}");
            let mut took = durations(&mut tx, &asked, Since::Arrival).await.unwrap();
            took.sort_unstable();
            assert_eq!(took, [(None, 86_400, 1), (None, 172_000, 1)]);
            assert_eq!(durations(&mut tx, &asked, Since::Submission).await.unwrap(), [(None, 40, 2)]);
        });
    }

    #[test]
    fn a_requester_has_a_name() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let organization = stored_organization(&mut tx).await;
            let id = Uuid::now_v7();
            let mut all = [request(organization), request(organization), request(organization)];
            for (request, name) in all.iter_mut().zip(["Отдел № 7", "Управление № 7"]) {
                request.gis.requester.organization_id = Some(id);
                request.gis.requester.name = Some(name.to_owned());
            }
            debt_requests::save(&mut tx, &all).await.unwrap();
            let question = Question {
                organization,
                day: day(2),
                group_by: GroupBy::Requester,
                today: day(2),
                offsets: &[],
            };
            let found = standings(&mut tx, &question).await.unwrap();
            let mut named: Vec<_> =
                found.iter().map(|(key, name, _, count)| (*key, name.as_deref(), *count)).collect();
            named.sort_unstable();
            assert_eq!(named, [(None, None, 1), (Some(id), Some("Управление № 7"), 2)]);
        });
    }
}
