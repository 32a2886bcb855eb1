//! Exactly once, whatever happens to the program: answers are posted, the program is killed at random moments and started
//! again, and GIS answers late, falsely or not at all. In the end nothing accepted may be lost, nothing may have taken
//! effect twice, and nothing may be held that was never posted.
//!
//! Unlike the stories of `tests/gateway` this runs in real time, with the jobs running by themselves. Everything that is
//! chosen by chance follows from one seed: `DEBTGATE_CRASH_SEED`, else a random one, printed. How much is done:
//! `DEBTGATE_CRASH_ANSWERS` debt requests are answered, the program is killed `DEBTGATE_CRASH_KILLS` times. [`points`] lets
//! it die at every marked point instead, once each.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic, and JSON indexing never does"
)]

mod clients;
mod fleet;
#[expect(dead_code, reason = "the stories of tests/gateway need more of it")]
mod harness;
mod plan;
mod points;
mod verdict;
mod world;

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use test_support::postgres::{for_postgres_url, for_sqlite_url};

use plan::{Extent, Plan};
use world::World;

/// One run at a time: each measures how long it takes, and several would only take time from each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
fn one_instance_on_sqlite() {
    alone(|| for_sqlite_url(async |url| run("SQLite, 1 instance", url, 1).await));
}

#[test]
fn one_instance_on_postgres() {
    alone(|| for_postgres_url(async |url| run("PostgreSQL, 1 instance", url, 1).await));
}

#[test]
fn two_instances_on_one_database() {
    alone(|| for_postgres_url(async |url| run("PostgreSQL, 2 instances", url, 2).await));
}

#[test]
fn three_instances_on_one_database() {
    alone(|| for_postgres_url(async |url| run("PostgreSQL, 3 instances", url, 3).await));
}

fn alone(run: impl FnOnce()) {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    run();
    drop(turn);
}

/// Posts, kills, waits for rest and judges.
async fn run(name: &str, url: &str, instances: usize) {
    let extent = Extent::wanted(instances);
    say(&format!("crash: {name}: DEBTGATE_CRASH_SEED={} begins", extent.seed));
    let began = Instant::now();
    let mut world = World::start(url, &extent).await;
    let read = began.elapsed();
    let plan = Plan::new(&extent);
    let mut accepted = Vec::new();
    let (mut kills, mut cuts) = (0, 0);
    for share in plan.shares {
        let (posted, cut) = world.post_and_strike(share.posts, share.strike.as_ref()).await;
        accepted.extend(posted);
        kills += usize::from(share.strike.is_some());
        cuts += cut;
    }
    let posted = began.elapsed();
    world.rest().await;
    let rested = began.elapsed();
    let repeats = world.repeats();
    let verdict = world.judge(accepted).await;
    say(&format!(
        "crash: {name}: seed {} answers {} kills {kills} connections cut {cuts} repeated posts {repeats} \
         identical resends {} late copies {} seconds {:.0} (reading {:.0}, posting {:.0}, settling {:.0}) lost {} doubled {}",
        extent.seed,
        extent.answers,
        verdict.resends,
        verdict.copies,
        began.elapsed().as_secs_f64(),
        read.as_secs_f64(),
        (posted - read).as_secs_f64(),
        (rested - posted).as_secs_f64(),
        verdict.lost.len(),
        verdict.doubled.len(),
    ));
    verdict.assert_exactly_once(extent.seed);
}

/// A line past the capture of the test runner: the figures of a run that went well are of interest too.
fn say(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}
