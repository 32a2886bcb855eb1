//! Behaviour that must be the same on both databases.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::connection::{Connection, InstrumentationEvent};
use diesel::upsert::excluded;
use diesel::{
    ExpressionMethods, Insertable, QueryDsl, Queryable, Selectable, SelectableHelper, SqliteConnection,
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::poll;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::clock::Clock;
use crate::ids::TokenId;
use crate::store::keys as secrets;
use crate::store::schema::{jobs, keys, submissions, tokens};
use crate::store::test_db::{for_both, for_both_urls, for_postgres_url, open};
use crate::store::types::{Guid, Json, Ts};

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = tokens, treat_none_as_default_value = false)]
struct TokenRow {
    jti: TokenId,
    name: String,
    scopes: String,
    organizations: Json,
    employee_id: Option<Guid>,
    created_by: String,
    created_at: Ts,
    expires_at: Ts,
    last_used_at: Option<Ts>,
    revoked_at: Option<Ts>,
}

fn at(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap()
}

fn token(name: &str) -> TokenRow {
    TokenRow {
        jti: TokenId::generate(),
        name: name.to_owned(),
        scopes: String::new(),
        organizations: Json(json!(["всё", {"a": null, "b": 1.5}])),
        employee_id: None,
        created_by: "test".to_owned(),
        created_at: Ts(at(-1)),
        expires_at: Ts(at(1_700_000_000_000_001)),
        last_used_at: Some(Ts(at(-62_135_596_800_000_000))),
        revoked_at: None,
    }
}

async fn names(db: &Db) -> Vec<String> {
    let mut conn = db.read().await.unwrap();
    both!(conn, c => tokens::table.select(tokens::name).order(tokens::name).load(c).await).unwrap()
}

async fn insert(tx: &mut Tx, row: &TokenRow) -> Result<usize, StoreError> {
    Ok(both!(tx, c => diesel::insert_into(tokens::table).values(row).execute(c).await)?)
}

#[test]
fn values_come_back_as_they_went() {
    for_both(async |db| {
        let full = TokenRow {
            employee_id: Some(Guid(Uuid::now_v7())),
            revoked_at: Some(Ts(at(0))),
            ..token("full")
        };
        for row in [token("empty"), full] {
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx, &row).await.unwrap();
            tx.commit().await.unwrap();
            let mut conn = db.read().await.unwrap();
            let found: Vec<TokenRow> = both!(conn, c => {
                tokens::table
                    .filter(tokens::jti.eq(row.jti))
                    .filter(tokens::created_at.eq(row.created_at))
                    .filter(tokens::last_used_at.lt(Ts(at(0))))
                    .select(TokenRow::as_select())
                    .load(c)
                    .await
            })
            .unwrap();
            assert_eq!(found, [row]);
        }
    });
}

#[test]
fn a_text_enum_and_bare_types_are_read() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let row = (
            jobs::name.eq(JobName::Outbox),
            jobs::activated_at.eq(Ts(at(7))),
            jobs::report.eq(Json(json!({}))),
            jobs::worker.eq(None::<Guid>),
        );
        both!(tx, c => diesel::insert_into(jobs::table).values(row).execute(c).await).unwrap();
        let found: (JobName, DateTime<Utc>, Option<Uuid>) = both!(tx, c => {
            jobs::table
                .filter(jobs::name.eq_any([JobName::Outbox, JobName::Files]))
                .select((jobs::name, jobs::activated_at, jobs::worker))
                .first(c)
                .await
        })
        .unwrap();
        assert_eq!(found, (JobName::Outbox, at(7), None));
    });
}

#[test]
fn whoever_is_second_learns_it() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let row = token("twin");
        insert(&mut tx, &row).await.unwrap();
        assert!(insert(&mut tx, &row).await.unwrap_err().is_unique());
    });
}

#[test]
fn only_what_is_committed_stays() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, &token("kept")).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, &token("dropped")).await.unwrap();
        drop(tx);
        // The next writer gets its turn only after the roll-back.
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, &token("later")).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(names(&db).await, ["kept", "later"]);
    });
}

#[test]
fn a_caller_that_vanishes_leaves_nothing_behind() {
    for_both(async |db| {
        for _ in 0..20 {
            let mut tx = db.begin().await.unwrap();
            // Polled once, then dropped: on PostgreSQL the query is under way, on SQLite it has run here.
            let slow = async {
                both!(tx, c => diesel::sql_query(
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
                     INSERT INTO keys SELECT 'gone' || i, secret, created_at FROM n, keys WHERE keys.name = 'cursor'",
                )
                .execute(c)
                .await)
            };
            assert_eq!(futures_util::FutureExt::now_or_never(slow).is_some(), db.is_embedded());
            drop(tx);
            // The next writer may vanish too, before or after its BEGIN.
            drop(futures_util::FutureExt::now_or_never(db.begin()));
        }
        let mut tx = db.begin().await.unwrap();
        let count: i64 = both!(tx, c => keys::table.count().get_result(c).await).unwrap();
        assert_eq!(count, 1);
        insert(&mut tx, &token("alive")).await.unwrap();
        tx.commit().await.unwrap();
    });
}

#[test]
fn writers_take_turns() {
    for_both(async |db| {
        let writers = (0..20).map(|number| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut tx = db.begin().await?;
                insert(&mut tx, &token(&format!("{number:02}"))).await?;
                tx.commit().await
            })
        });
        for outcome in futures_util::future::join_all(writers).await {
            outcome.unwrap().unwrap();
        }
        assert_eq!(names(&db).await.len(), 20);
    });
}

#[test]
fn a_transaction_that_is_undone_leaves_those_beside_it_alone() {
    for_both(async |db| {
        let writers = (0..30).map(|number| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut tx = db.begin().await?;
                let row = token(&format!("{number:02}"));
                insert(&mut tx, &row).await?;
                match number % 3 {
                    0 => tx.commit().await,
                    1 => {
                        drop(tx);
                        Ok(())
                    }
                    // A failed statement, then a roll-back.
                    _ => insert(&mut tx, &row).await.map(drop),
                }
            })
        });
        for (number, outcome) in futures_util::future::join_all(writers).await.into_iter().enumerate() {
            assert_eq!(outcome.unwrap().is_ok(), number % 3 != 2, "{number}");
        }
        let kept = names(&db).await;
        assert_eq!(kept, ["00", "03", "06", "09", "12", "15", "18", "21", "24", "27"]);
    });
}

/// On SQLite those that wait for each other are committed together: nobody is told before all are through, and everybody is
/// told when it cannot be done.
#[test]
fn what_cannot_be_committed_was_promised_to_nobody() {
    for_both_urls(async |url| {
        let db = open(url).await;
        db.migrate(&Clock::System).await.unwrap();
        if !db.is_embedded() {
            return;
        }
        let before = db.begin().await.unwrap();
        let (mut first, mut second) = (pin!(db.begin()), pin!(db.begin()));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        // Its group may end before the two come, or with them.
        let before = tokio::spawn(before.commit());
        let mut first = first.await.unwrap();
        insert(&mut first, &token("first")).await.unwrap();
        let first = tokio::spawn(first.commit());
        let mut second = second.await.unwrap();
        assert_eq!(names(&db).await, Vec::<String>::new(), "nothing is stored before both are through");
        // A foreign key that is checked at the commit, and broken.
        match second.backend() {
            Backend::Lite(conn) => conn.batch_execute("PRAGMA defer_foreign_keys = ON").await.unwrap(),
            Backend::Pg(_) => unreachable!(),
        }
        submit(&mut second, Uuid::now_v7(), "queued").await.unwrap();
        assert!(matches!(second.commit().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(first.await.unwrap(), Err(StoreError::Unavailable(_))));
        drop(before.await.unwrap());
        assert_eq!(names(&db).await, Vec::<String>::new());
        let mut third = db.begin().await.unwrap();
        insert(&mut third, &token("third")).await.unwrap();
        third.commit().await.unwrap();
        assert_eq!(names(&db).await, ["third"]);
    });
}

#[test]
fn many_rows_are_written_at_once() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let rows: Vec<_> = (0..1200).map(|number| token(&number.to_string())).collect();
        let again: Vec<_> =
            rows.iter().cloned().map(|row| TokenRow { name: "new".to_owned(), ..row }).collect();
        let written = insert_batch!(tx, rows, |batch| diesel::insert_into(tokens::table).values(batch));
        assert_eq!(written, Ok(1200));
        let written = insert_batch!(tx, again, |batch| diesel::insert_into(tokens::table)
            .values(batch)
            .on_conflict(tokens::jti)
            .do_update()
            .set(tokens::name.eq(excluded(tokens::name))));
        assert_eq!(written, Ok(1200));
        tx.commit().await.unwrap();
        assert_eq!(names(&db).await, vec!["new"; 1200]);
    });
}

/// Diesel tells when it keeps a statement, which it does at the first use.
#[test]
fn sqlite_keeps_the_statement_of_a_batch() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let Backend::Lite(conn) = tx.backend() else { return };
        let kept = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&kept);
        let listen = move |conn: &mut SqliteConnection| {
            conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                let keeps = matches!(event, InstrumentationEvent::CacheQuery { sql, .. } if sql.starts_with("INSERT"));
                count.fetch_add(usize::from(keeps), Ordering::Relaxed);
            });
            Ok(())
        };
        conn.spawn_blocking(listen).await.unwrap();
        for name in ["one", "two", "three"] {
            let written = insert_batch!(tx, vec![token(name)], |batch| diesel::insert_into(tokens::table)
                .values(batch)
                .on_conflict(tokens::jti)
                .do_update()
                .set(tokens::name.eq(excluded(tokens::name))));
            assert_eq!(written, Ok(1));
        }
        assert_eq!(AtomicUsize::load(&kept, Ordering::Relaxed), 1);
    });
}

#[test]
fn a_failed_statement_is_not_committed_in_silence() {
    for_postgres_url(async |url| {
        let db = open(url).await;
        db.migrate(&Clock::System).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let row = token("twin");
        insert(&mut tx, &row).await.unwrap();
        insert(&mut tx, &row).await.unwrap_err();
        tx.commit().await.unwrap_err();
    });
}

#[test]
fn migrating_twice_changes_nothing() {
    for_both_urls(async |url| {
        let db = open(url).await;
        assert!(!db.pending_migrations().await.unwrap().is_empty());
        let secret = async || {
            let mut conn = db.read().await.unwrap();
            secrets::secret(&mut conn, secrets::CURSOR).await.unwrap()
        };
        db.migrate(&Clock::System).await.unwrap();
        let first = secret().await;
        assert_eq!(first.as_ref().map(Vec::len), Some(32));
        let (one, two) = tokio::join!(db.migrate(&Clock::System), db.migrate(&Clock::System));
        one.unwrap();
        two.unwrap();
        assert_eq!(secret().await, first);
        assert_eq!(db.pending_migrations().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn steps_of_a_newer_program_are_seen_and_nothing_is_changed_then() {
    for_both_urls(async |url| {
        let db = open(url).await;
        assert_eq!(db.unknown_migrations().await.unwrap(), Vec::<String>::new(), "an empty database");
        db.migrate(&Clock::System).await.unwrap();
        assert_eq!(db.unknown_migrations().await.unwrap(), Vec::<String>::new());
        let newer = ["29990101000001", "29990101000000"];
        for version in newer {
            let step = format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')");
            let mut tx = db.begin().await.unwrap();
            both!(tx, c => diesel::sql_query(step).execute(c).await).unwrap();
            tx.commit().await.unwrap();
        }
        assert_eq!(db.unknown_migrations().await.unwrap(), ["29990101000000", "29990101000001"]);
        let refused = db.migrate(&Clock::System).await;
        assert!(matches!(&refused, Err(OpenError::Newer(steps)) if steps.len() == 2), "{refused:?}");
        // An instance that runs already goes on while a newer one takes over.
        assert_eq!(db.pending_migrations().await.unwrap(), Vec::<String>::new());
    });
}

#[test]
fn jobs_wake_after_the_commit_and_only_then() {
    for_both(async |db| {
        let mut wakes = db.wakes();
        if !db.is_embedded() {
            all_woken(&mut wakes).await;
        }
        let mut tx = db.begin().await.unwrap();
        tx.wake(JobName::Files);
        drop(tx);
        let mut tx = db.begin().await.unwrap();
        tx.wake(JobName::Outbox);
        tx.wake(JobName::Outbox);
        assert!(wakes.try_recv().is_err());
        tx.commit().await.unwrap();
        assert_eq!(wakes.try_recv(), Ok(JobName::Outbox));
        assert!(wakes.try_recv().is_err());
    });
}

#[test]
fn instances_wake_each_other() {
    for_postgres_url(async |url| {
        let (here, there) = (open(url).await, open(url).await);
        let mut wakes = there.wakes();
        all_woken(&mut wakes).await;
        let mut tx = here.begin().await.unwrap();
        tx.wake(JobName::Settle);
        tx.commit().await.unwrap();
        let heard = tokio::time::timeout(Duration::from_secs(10), wakes.recv()).await.unwrap();
        assert_eq!(heard, Ok(JobName::Settle));
    });
}

/// A connection for notices begins with a wake of every job.
async fn all_woken(wakes: &mut broadcast::Receiver<JobName>) {
    for job in JobName::ALL {
        assert_eq!(wakes.recv().await, Ok(*job));
    }
}

#[test]
fn a_sqlite_file_serves_one_handle() {
    for_both_urls(async |url| {
        let settings = DatabaseSettings::parse(url, None).unwrap();
        let first = Db::open(&settings).await.unwrap();
        let second = Db::open(&settings).await;
        if first.is_embedded() {
            assert!(matches!(second, Err(OpenError::InUse(_))), "{second:?}");
            drop(first);
            Db::open(&settings).await.unwrap();
        } else {
            second.unwrap();
        }
    });
}

#[test]
fn one_submission_of_a_debt_request_is_live() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        // The rows around a submission do not matter here, and nothing is committed.
        match tx.backend() {
            Backend::Pg(conn) => conn.batch_execute("SET LOCAL session_replication_role = replica").await,
            Backend::Lite(conn) => conn.batch_execute("PRAGMA defer_foreign_keys = ON").await,
        }
        .unwrap();
        let debt_request = Uuid::now_v7();
        for state in ["queued", "queued", "done", "sending"] {
            submit(&mut tx, debt_request, state).await.unwrap();
        }
        submit(&mut tx, Uuid::now_v7(), "accepted").await.unwrap();
        assert!(submit(&mut tx, debt_request, "uncertain").await.unwrap_err().is_unique());
    });
}

async fn submit(tx: &mut Tx, debt_request: Uuid, state: &str) -> Result<usize, StoreError> {
    let row = (
        submissions::id.eq(Guid(Uuid::now_v7())),
        submissions::organization_id.eq(Guid(Uuid::now_v7())),
        submissions::debt_request_id.eq(Guid(debt_request)),
        submissions::answer_id.eq(Guid(Uuid::now_v7())),
        submissions::action.eq("send"),
        submissions::transport_guid.eq(Guid(Uuid::now_v7())),
        submissions::state.eq(state),
        submissions::attempts.eq(0),
        submissions::has_debt.eq(false),
        submissions::due_key.eq(at(0).date_naive()),
        submissions::look_first.eq(false),
        submissions::not_before.eq(Ts(at(0))),
        submissions::repairs.eq(0),
        submissions::created_at.eq(Ts(at(0))),
        submissions::updated_at.eq(Ts(at(0))),
    );
    Ok(both!(tx, c => diesel::insert_into(submissions::table).values(row).execute(c).await)?)
}
