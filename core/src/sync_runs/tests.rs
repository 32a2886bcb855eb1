use chrono::TimeDelta;

use super::*;
use crate::store::samples;
use crate::store::test_db::for_both;
use crate::test_service::{Bench, caller, only};

async fn start(bench: &Bench) -> Result<SyncRun> {
    let mut tx = bench.service.db.begin().await.unwrap();
    let run = bench.service.start_sync(&mut tx, &bench.caller).await?;
    tx.commit().await.unwrap();
    Ok(run)
}

async fn finish(bench: &Bench, run: &SyncRun) {
    let finished_at = Some(bench.service.clock.now());
    let finished = SyncRun { state: RunState::Succeeded, finished_at, ..run.clone() };
    let mut tx = bench.service.db.begin().await.unwrap();
    sync_runs::update(&mut tx, &finished).await.unwrap();
    tx.commit().await.unwrap();
}

#[test]
fn a_reading_begins_without_pages_and_wakes_the_job() {
    for_both(async |db| {
        let mut wakes = db.wakes();
        let bench = Bench::new(db).await;
        let run = start(&bench).await.unwrap();
        assert_eq!((run.state, run.pages), (RunState::Running, 0));
        assert_eq!(run.started_by, bench.caller.subject);
        assert_eq!(wakes.recv().await.unwrap(), JobName::Sync);
        assert_eq!(bench.service.get_sync_run(&bench.caller, run.id).await.unwrap(), run);
        assert_eq!(bench.service.list_sync_runs(&bench.caller, None, 10).await.unwrap(), [run]);
    });
}

#[test]
fn readings_keep_a_pause_and_come_one_by_one() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let run = start(&bench).await.unwrap();
        bench.service.clock.advance(TimeDelta::minutes(9));
        let Error::TooEarly { code: Code::SyncTooEarly, retry_after } = start(&bench).await.unwrap_err()
        else {
            panic!("not too early")
        };
        assert_eq!(retry_after, Duration::from_secs(60));
        bench.service.clock.advance(TimeDelta::minutes(1));
        let Error::Conflict(conflict) = start(&bench).await.unwrap_err() else { panic!("no conflict") };
        assert_eq!(conflict.code, Code::RunInProgress);
        finish(&bench, &run).await;
        assert_ne!(start(&bench).await.unwrap().id, run.id);
    });
}

#[test]
fn of_two_that_come_at_once_one_starts() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let (one, two) = tokio::join!(start(&bench), start(&bench));
        assert!(one.is_ok() != two.is_ok());
    });
}

#[test]
fn a_foreign_reading_is_not_there() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let run = start(&bench).await.unwrap();
        let mut tx = bench.service.db.begin().await.unwrap();
        let stranger = caller(samples::stored_organization(&mut tx).await);
        tx.commit().await.unwrap();
        assert!(matches!(bench.service.get_sync_run(&stranger, run.id).await, Err(Error::NotFound)));
        assert!(bench.service.list_sync_runs(&stranger, None, 10).await.unwrap().is_empty());
        let powerless = only(&bench.caller, Scope::AnswersRead);
        let refused = bench.service.get_sync_run(&powerless, run.id).await;
        assert!(matches!(refused, Err(Error::Refused { code: Code::ScopeMissing, .. })));
    });
}
