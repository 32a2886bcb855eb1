//! The gateway as its clients meet it: the release binary in a process of its own, over HTTP, on SQLite and PostgreSQL.
//!
//! ```sh
//! cargo build --release -p debtgate && cargo bench -p bench --bench gateway
//! ```
//!
//! Prints one table and judges nothing. The clients, the simulator of GIS and PostgreSQL share the machine with the
//! gateway, so the figures are for comparing: with the bare handlers of the same run, and with other runs on the same
//! machine. `-- --help` lists what can be chosen, by argument or by variable.

mod bare;
mod load;
mod mass;
mod measure;
mod table;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use bench::store::Place;
use bench::{Failure, gateway};
use clap::Parser as _;
use test_support::postgres::Database;

use crate::load::Plan;
use crate::measure::Lab;
use crate::table::Table;

/// Measures the gateway and prints a table.
#[derive(Debug, clap::Parser)]
struct Options {
    /// Debt requests in the large database.
    #[arg(long, env = "BENCH_ROWS", default_value_t = 1_000_000)]
    rows: u32,
    /// Debt requests to import.
    #[arg(long, env = "BENCH_IMPORT", default_value_t = 10_000)]
    import: u32,
    /// Seconds of each measurement under load.
    #[arg(long, env = "BENCH_SECONDS", default_value_t = 10)]
    seconds: u64,
    /// Connections at once.
    #[arg(long, env = "BENCH_CONNECTIONS", default_value_t = 32)]
    connections: usize,
    /// What the gateway logs, as DEBTGATE_LOG; by default a gateway logs every request (info).
    #[arg(long, env = "BENCH_LOG", default_value = "warn")]
    log: String,
    /// Only the lists of the large databases.
    #[arg(long)]
    lists: bool,
    /// Given by cargo.
    #[arg(long = "bench", hide = true)]
    _bench: bool,
}

impl Options {
    fn plan(&self) -> Plan {
        Plan {
            connections: self.connections,
            warm_up: Duration::from_secs(1),
            time: Duration::from_secs(self.seconds.max(1)),
        }
    }
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let binary = gateway::find_binary()?;
    // One thread for all clients: they are to leave the cores to the gateway.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut table = Table::default();
    let outcome = runtime.block_on(measure(options, &binary, &mut table));
    println!(
        "\n{} connections, {} s a measurement, log level {}\n\n{table}",
        options.connections, options.seconds, options.log
    );
    outcome
}

async fn measure(options: &Options, binary: &Path, table: &mut Table) -> Result<(), Failure> {
    let mut lab = Lab::open(options, binary, table).await?;
    if !options.lists {
        lab.small(Place::Lite).await?;
    }
    lab.large(Place::Lite).await?;
    // Whatever happens to a measurement, its database is removed.
    if !options.lists
        && let Some(database) = Database::create("benchmark of the gateway").await
    {
        let outcome = lab.small(Place::Pg(database.url())).await;
        database.remove().await;
        outcome?;
    }
    if let Some(database) = Database::create("benchmark of the gateway").await {
        let outcome = lab.large(Place::Pg(database.url())).await;
        database.remove().await;
        outcome?;
    }
    Ok(())
}
