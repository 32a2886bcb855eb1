//! Reads the command line, does what it says, exits with its code.

use std::process::ExitCode;

use clap::Parser as _;
use debtgate::cli::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match debtgate::cli::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("debtgate: {error:#}");
            ExitCode::FAILURE
        }
    }
}
