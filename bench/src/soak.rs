//! The soak: debt requests come, are answered and corrected, and lists are read, for a long time, while GIS misbehaves. What
//! is looked at is whether memory stays flat and whether nothing is left over in the end.

use std::time::Duration;

use bench::Failure;
use bench::gateway::{self, Home, Running};
use bench::store::Place;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::clients::Clients;
use crate::verdict::{self, Verdict};
use crate::world::{Cadence, World};

/// One answer in so many is corrected.
const CORRECTED_ONE_IN: u32 = 10;
/// New debt requests are read so often.
const READING: Duration = Duration::from_secs(30);
/// A list is read so often.
const LISTING: Duration = Duration::from_millis(50);
/// Memory is looked at so often.
const SAMPLING: Duration = Duration::from_secs(5);
/// What is still open at the end comes to rest within this time, or never.
const PATIENCE: Duration = Duration::from_secs(300);
/// Rows of the report.
const ROWS: usize = 10;

/// How the soak goes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// How long the load goes on.
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Debt requests that come in a second.
    #[arg(long, default_value_t = 4)]
    rate: u32,
    /// Decides everything that looks like chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What the gateway logs, as DEBTGATE_LOG.
    #[arg(long, default_value = "error")]
    log: String,
}

/// Runs it and prints its report; an error when an answer is lost or doubled, or the queue is not empty.
pub(crate) async fn run(options: &Options) -> Result<(), Failure> {
    let binary = gateway::find_binary()?;
    let mut world = World::start(options.seed)?;
    world.overload()?;
    world.haunt()?;
    let cadence = Cadence::Quick;
    let home = Home::furnish(&binary, Place::Lite, cadence.manners(&options.log)).await?;
    let running = home.start(&world.base_url()).await?;
    let clients = Clients::new(home.client(&running), Some(CORRECTED_ONE_IN));
    println!("{} requests a second, {}; {}", options.rate, world.describe(), cadence.describe());
    let until = Instant::now() + Duration::from_secs(options.minutes * 60);
    let ((), (), memory) =
        tokio::try_join!(load(&world, &clients, options.rate, until), clients.answer_everything(), async {
            Ok(sample(&running, until).await)
        },)?;
    world.heal();
    let verdict = rest(&world, &clients).await?;
    print_memory(&memory);
    println!("debt requests {}, calls of GIS {}", clients.posted().len(), world.state().calls);
    println!("queue {}", clients.queue().await?);
    println!("{verdict}");
    verdict.require_clean()
}

/// Debt requests come and are read; lists are read as people do.
async fn load(world: &World, clients: &Clients, rate: u32, until: Instant) -> Result<(), Failure> {
    let (mut second, mut reading, mut listing) =
        (every(Duration::from_secs(1)), every(READING), every(LISTING));
    while Instant::now() < until {
        tokio::select! {
            _ = second.tick() => clients.expect(world.create(rate)?.len()),
            _ = reading.tick() => clients.start_reading().await?,
            _ = listing.tick() => drop(clients.get("/v1/debt-requests?answered=false").await?),
        }
    }
    clients.close();
    // A reading that is under way may have passed by what came last.
    while !clients.has_heard_everything() {
        reading.tick().await;
        clients.start_reading().await?;
    }
    Ok(())
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Resident memory in megabytes, from time to time.
async fn sample(running: &Running, until: Instant) -> Vec<f64> {
    let mut samples = Vec::new();
    while Instant::now() < until {
        sleep(SAMPLING).await;
        samples.extend(running.memory().map(|memory| memory.resident));
    }
    samples
}

/// Until everything is as it should be, or for as long as it may take.
async fn rest(world: &World, clients: &Clients) -> Result<Verdict, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let open = clients.any_answer("is_final=false").await?;
        let verdict = verdict::judge(world, clients).await?;
        if (!open && verdict.is_clean()) || Instant::now() > deadline {
            return if open { Err("there are answers that are not final".into()) } else { Ok(verdict) };
        }
        sleep(SAMPLING).await;
    }
}

/// The median of each tenth of the time.
fn print_memory(samples: &[f64]) {
    let tenth = samples.len().div_ceil(ROWS).max(1);
    for (number, part) in samples.chunks(tenth).enumerate() {
        let mut part = part.to_vec();
        part.sort_by(f64::total_cmp);
        let median = part.get(part.len() / 2).copied().unwrap_or_default();
        println!("memory, tenth {:<2} of the time, MB {median:>8.1}", number + 1);
    }
}
