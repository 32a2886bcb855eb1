//! The drill: every debt request is read, answered and confirmed, against time.
//!
//! GIS needs three seconds for a result, takes five calls at once, says "try later" to one call in twenty and refuses every
//! package that carries one of the poisoned debt requests.

use std::time::{Duration, Instant};

use bench::Failure;
use bench::gateway::{self, Home};
use bench::store::Place;
use clap::ValueEnum;
use test_support::postgres::Database;

use crate::clients::Clients;
use crate::report::Report;
use crate::verdict;
use crate::world::{Cadence, World};

/// Nothing new for so long means that something is stuck.
const PATIENCE: Duration = Duration::from_secs(900);
/// Between two looks at what is waited for.
const PAUSE: Duration = Duration::from_millis(250);

/// How the drill goes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Debt requests.
    #[arg(long, default_value_t = 10_000)]
    requests: u32,
    /// Decides everything that looks like chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When results are asked for, and how long a doubt is left alone.
    #[arg(long, value_enum, default_value_t = Cadence::Quick)]
    cadence: Cadence,
    /// GIS makes no mistakes.
    #[arg(long)]
    calm: bool,
    /// Where the gateway keeps its rows.
    #[arg(long, value_enum, default_value_t = Kept::Sqlite)]
    database: Kept,
    /// What the gateway logs, as DEBTGATE_LOG.
    #[arg(long, default_value = "error")]
    log: String,
}

/// Where rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kept {
    /// In a file.
    Sqlite,
    /// On the server of TEST_POSTGRES_URL.
    Postgres,
}

/// Runs it and prints its report; an error when an answer is lost or doubled.
pub(crate) async fn run(options: &Options) -> Result<(), Failure> {
    match options.database {
        Kept::Sqlite => drill(options, Place::Lite).await,
        Kept::Postgres => {
            let database = Database::create("drill").await.ok_or("there is no PostgreSQL")?;
            let outcome = drill(options, Place::Pg(database.url())).await;
            database.remove().await;
            outcome
        }
    }
}

async fn drill(options: &Options, place: Place) -> Result<(), Failure> {
    let binary = gateway::find_binary()?;
    let mut world = World::start(options.seed)?;
    let guids = world.create(options.requests)?;
    if !options.calm {
        world.overload()?;
        world.poison(&guids)?;
    }
    let home = Home::furnish(&binary, place, options.cadence.manners(&options.log)).await?;
    let running = home.start(&world.base_url()).await?;
    let clients = Clients::new(home.client(&running), None);
    clients.expect(guids.len());
    clients.close();
    let began = Instant::now();
    clients.start_reading().await?;
    clients.answer_everything().await?;
    let posted = began.elapsed();
    let delivered = wait(&clients, "is_final=false", began).await?;
    let confirmed = wait(&clients, "state=delivered&confirmed_in_gis=false", began).await?;
    let verdict = verdict::judge(&world, &clients).await?;
    let report = Report {
        requests: options.requests,
        steps: [("all posted", posted), ("all final", delivered), ("all confirmed", confirmed)],
        gis: world.state(),
        attempts: home.store.attempts().await?,
        memory: running.memory(),
        processor: bench::process::processor_time(running.pid()),
        rejected: verdict.rejected,
    };
    println!("{} debt requests, {}; {}", options.requests, world.describe(), options.cadence.describe());
    println!("{report}{verdict}");
    verdict.require_clean()
}

/// Until no answer fits the conditions; how long after the beginning that was.
async fn wait(clients: &Clients, conditions: &str, began: Instant) -> Result<Duration, Failure> {
    while clients.any_answer(conditions).await? {
        if began.elapsed() > PATIENCE {
            return Err(format!("there are still answers with {conditions}").into());
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(began.elapsed())
}
