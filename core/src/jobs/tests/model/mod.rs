//! A model-based test of the submission protocol (`api.md` §6): the real use cases, jobs and database, with two workers and
//! one clock, against a GIS in memory that does whatever the network and GIS may do.
//!
//! What happens ([`action`]): clients post, correct, withdraw, cancel and ask; a call of GIS is done, lost, done later, done
//! twice or refused, as a whole or for one answer; results are late, missing or forgotten; exports lag behind; workers stop
//! in the middle of a call and go on when others have taken over, or die at any wait for the database; people act in the
//! personal cabinet, GIS answers by itself, requests disappear, a backup takes the place of the database. Late copies keep
//! the bound `max_delay` and exports the bound `view_lag`; a refusal is a refusal.
//!
//! What must be true ([`laws`]), after each activation of a job and whatever else happens:
//! * at most one submission of a debt request is live, and every call that GIS has seen is written down;
//! * no answer vanishes, none leaves a final state, and one whose fate is unknown is never taken for unsent;
//! * what is queued, cancelled or superseded has not come to GIS and will not;
//! * what is delivered, confirmed or revoked was so in GIS at some time since its call;
//! * GIS was read before a withdrawal, a repeat, a correction, and whatever a backup had in its queue;
//! * nothing is sent or withdrawn over what others placed and an export has shown, and no answer over another of ours;
//! * no lagging export calls a person, nothing is repaired more than three times, no job and no use case fails.
//!
//! In the end GIS heals and time goes on: then every answer is final, nothing is watched any more, and GIS holds the last
//! content, or the answer or its request says that it does not; nobody is called without need.
//!
//! [`traps`] holds the stories that `api.md` §6 names, for both databases; the random runs find others, on SQLite.
//! `PROPTEST_CASES` sets how many cases are tried. What fails is printed as the shortest list of actions, and its seed kept in
//! `core/proptest-regressions`.

mod action;
mod gis;
mod ground;
mod laws;
mod line;
mod traps;
mod world;

use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use tempfile::TempDir;

use self::action::{Action, Span, unusual, usual};
use self::ground::Ground;
use self::world::World;
use crate::clock::Clock;
use crate::store::test_db;

/// A database as it is before anything happens, to be copied for every case.
struct Template {
    _folder: TempDir,
    path: PathBuf,
    ground: Ground,
}

impl Template {
    async fn new() -> Self {
        let folder = folder();
        let db = test_db::open(&format!("sqlite://{}", folder.path().join("empty.db").display())).await;
        db.migrate(&Clock::System).await.unwrap();
        let ground = Ground::lay(&db).await;
        let path = folder.path().join("template.db");
        assert!(test_db::copy_into(&db, &path).await);
        Self { _folder: folder, path, ground }
    }

    async fn world(&self) -> World {
        let folder = folder();
        let path = folder.path().join("world.db");
        std::fs::copy(&self.path, &path).unwrap();
        let db = test_db::open(&format!("sqlite://{}", path.display())).await;
        World::new(db, self.ground.clone(), folder).await
    }
}

/// In memory where the system has such a place: a case waits for the disk some hundred times otherwise.
fn folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

async fn live(template: &Template, actions: &[Action], lag: Span) -> Result<(), String> {
    let mut world = template.world().await;
    for action in actions {
        world.act(*action).await.map_err(|broken| format!("{broken}, at {action:?}"))?;
    }
    world.heal(lag.time()).await
}

/// Tries so many cases, unless `PROPTEST_CASES` says otherwise.
fn tries(cases: u32, actions: impl Strategy<Value = Vec<Action>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let template = runtime.block_on(Template::new());
    let mut config = ProptestConfig { source_file: Some(file!()), ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    let lag = proptest::sample::select(vec![Span::seconds(0), Span::hours(24), Span::hours(72)]);
    let actions = proptest::collection::vec(actions, 1..12).prop_map(|parts| parts.concat());
    let story = (actions, lag);
    let outcome = TestRunner::new(config).run(&story, |(actions, lag)| {
        runtime.block_on(live(&template, &actions, lag)).map_err(TestCaseError::fail)
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn whatever_the_network_and_gis_do() {
    tries(50, usual());
}

#[test]
fn whatever_people_do_besides() {
    tries(50, unusual());
}
