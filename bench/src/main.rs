//! Runs the gateway against the simulator of GIS and compares what became of every answer with what was posted.
//!
//! ```sh
//! cargo build --release -p debtgate && cargo run --release -p bench -- drill
//! cargo build --release -p debtgate && cargo run --release -p bench -- soak --minutes 30
//! ```

mod clients;
mod drill;
mod report;
mod soak;
mod verdict;
mod world;

use std::process::ExitCode;

use bench::Failure;
use clap::Parser;

/// Runs the gateway against the simulator of GIS.
#[derive(Debug, Parser)]
enum Command {
    /// Reads, answers and confirms thousands of debt requests while GIS misbehaves.
    Drill(drill::Options),
    /// Goes on for a long time under a mixed load, and looks at memory and queue.
    Soak(soak::Options),
}

fn main() -> ExitCode {
    let command = Command::parse();
    match run(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    // One thread for all clients: they are to leave the cores to the gateway.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match command {
        Command::Drill(options) => runtime.block_on(drill::run(options)),
        Command::Soak(options) => runtime.block_on(soak::run(options)),
    }
}
