//! `gis-sim`: the simulator as a program, a sandbox for integrators.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use gis_sim::scenario::Scenario;
use gis_sim::server::{DEFAULT_ORGANIZATION, FILES_CONTEXT, FILES_PATH, SOAP_PATH};
use gis_sim::{Config, Sim, SimHandle};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

/// A stand-in of GIS ZhKH: DebtRequestsAsync and the file store, over plain HTTP.
///
/// Everything in it is invented and lives in memory. Anyone who reaches its address controls it: keep it on the
/// loopback or inside a closed network.
#[derive(Debug, Parser)]
#[command(name = "gis-sim", version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// Subrequests that each organisation finds at its first call, at most 200000.
    #[arg(long, default_value_t = 250, value_parser = clap::value_parser!(u64).range(..=200_000))]
    requests: u64,
    /// Decides everything that looks like chance: the same seed gives the same requests and faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A scenario in TOML: the switches and fault rules to begin with.
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// From the acknowledgement to the result, e.g. 2s; beats the scenario.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    poll_ready: Option<Duration>,
    /// Serve only these organisations (orgPPAGUID); may repeat. Without it, any.
    #[arg(long = "organization", value_name = "GUID")]
    organizations: Vec<Uuid>,
    /// Sign replies with this key (PEM); a throw-away key is made when left out.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// The certificate of the key (PEM or DER).
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
}

/// `2s`, `1h 30m`: the form of scenarios.
fn duration(text: &str) -> Result<Duration, String> {
    let quoted = serde_json::Value::String(text.to_owned());
    humantime_serde::deserialize(quoted).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    // The dispatcher reports every connection that is cut on purpose as an error.
    let usual = "info,actix_server=warn,actix_http::h1::dispatcher=off";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new(usual));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("gis-sim: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let listen = arguments.listen;
    let organizations = arguments.organizations.clone();
    let simulator =
        Sim::start(config(arguments)?).map_err(|error| format!("cannot start on {listen}: {error}"))?;
    greet(&simulator, organizations.first().copied().unwrap_or(DEFAULT_ORGANIZATION));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        asked_to_stop().await?;
        eprintln!("gis-sim: stopping");
        simulator.stop().await;
        Ok(())
    })
}

fn config(arguments: Arguments) -> Result<Config, Box<dyn std::error::Error>> {
    let mut scenario =
        arguments.scenario.as_deref().map_or_else(|| Ok(Scenario::default()), Scenario::from_file)?;
    if let Some(poll_ready) = arguments.poll_ready {
        let patch =
            serde_json::json!({ "timing": { "poll_ready": humantime_serde::Serde::from(poll_ready) } });
        scenario = scenario.patched(patch)?;
    }
    let pem = |key: &Path, certificate: &Path| gost::keyfile::pem(key, certificate, None);
    let keys = arguments.key.zip(arguments.certificate).map(|(key, certificate)| pem(&key, &certificate));
    Ok(Config {
        listen: arguments.listen,
        seed: arguments.seed,
        requests: arguments.requests,
        organizations: arguments.organizations,
        scenario,
        start: None,
        frozen: false,
        keys: keys.transpose()?,
    })
}

fn greet(simulator: &SimHandle, organization: Uuid) {
    let url = simulator.base_url();
    println!("gis-sim listens on {url}");
    println!("  SOAP          {url}{SOAP_PATH}");
    println!("  file store    {url}{FILES_PATH}/{FILES_CONTEXT}");
    println!("  control       {url}/control/state");
    println!("  organisation  {organization} (orgPPAGUID)");
    println!("Try:");
    println!(
        "  curl -X POST {url}/control/subrequests -d '{{\"organization\": \"{organization}\", \"count\": 5}}'"
    );
    println!("  curl '{url}/control/subrequests?limit=3'");
    println!("  curl -X POST {url}/control/clock -d '{{\"advance\": \"72h\"}}'");
}

/// Returns on Ctrl-C, and on SIGTERM where there is one.
async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await
    }
}
