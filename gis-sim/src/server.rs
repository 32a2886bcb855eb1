//! The HTTP half: an actix server on a thread of its own, which several simulators in one process can each have.
//!
//! Three doors: the SOAP address, the file store and `/control`. The handlers read the whole request within its limit,
//! let the engine decide on a blocking thread, and put the decision into bytes. What must stay true: the lock on the
//! engine is taken on blocking threads only, and never held while anything waits or while bytes are hashed, signed or
//! copied by the megabyte.

mod control_routes;
mod file_routes;
mod reply;
mod soap;
mod traffic;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use chrono::{DateTime, TimeDelta, Utc};
use gost::{Certificate, KeyPair, ParameterSet, PrivateKey};
use tokio::sync::oneshot;
use uuid::{Uuid, uuid};

use self::traffic::Traffic;
pub use self::traffic::TrafficReport;
use crate::clock::{Clock, FURTHEST};
use crate::control::Control;
use crate::engine::{Engine, Seeds};
use crate::scenario::Scenario;

/// The SOAP address (WSDL of the real service).
pub const SOAP_PATH: &str = "/ext-bus-debtreq-service/services/DebtRequestsAsync";
/// The address of the file store, without the context.
pub const FILES_PATH: &str = "/ext-bus-file-store-service/rest";
/// The context of the file store for this service.
pub const FILES_CONTEXT: &str = "debtreq";
/// The address of what only tests and people do.
const CONTROL_PATH: &str = "/control";
/// The organisation that the examples use; any other works too, unless some are named.
pub const DEFAULT_ORGANIZATION: Uuid = uuid!("d0b70000-5100-4000-8000-000000000001");
/// The largest SOAP message: 10 MiB.
pub const MOST_SOAP_BYTES: usize = 10 << 20;
/// The largest request to `/control`: 1 MiB.
pub const MOST_CONTROL_BYTES: usize = 1 << 20;
/// Seconds that a stop waits for calls in progress.
const STOP_SECONDS: u64 = 1;

/// What a simulator is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Decides everything that looks like chance.
    pub seed: u64,
    /// Subrequests that each organisation finds at its first call.
    pub requests: u64,
    /// The organisations served (orgPPAGUID); empty: any.
    pub organizations: Vec<Uuid>,
    /// The switches.
    pub scenario: Scenario,
    /// What the clock shows at the start; the real time when absent.
    pub start: Option<DateTime<Utc>>,
    /// Whether the clock stands still until it is moved: for tests that must not depend on the speed of a machine.
    pub frozen: bool,
    /// What replies are signed with; a throw-away key when absent.
    pub keys: Option<KeyPair>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            requests: 250,
            organizations: Vec::new(),
            scenario: Scenario::default(),
            start: None,
            frozen: false,
            keys: None,
        }
    }
}

/// What all handlers share.
#[derive(Debug)]
pub(crate) struct Shared {
    clock: Clock,
    engine: Mutex<Engine>,
    keys: KeyPair,
    in_flight: AtomicUsize,
    traffic: Traffic,
}

impl Shared {
    /// The engine, up to date, and the present time.
    pub(crate) fn engine(&self) -> (MutexGuard<'_, Engine>, DateTime<Utc>) {
        // A poisoned lock means that a handler died half-way; the world may lack an effect, which tests will see.
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        engine.settle(now);
        (engine, now)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn traffic(&self) -> TrafficReport {
        self.traffic.report()
    }

    fn keys(&self) -> &KeyPair {
        &self.keys
    }

    /// Counts a call of GIS in, until the guard is dropped; the number includes this call.
    fn enter(self: &Arc<Self>) -> (InFlight, usize) {
        let number = self.in_flight.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        (InFlight(Arc::clone(self)), number)
    }
}

struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Starts simulators.
#[derive(Debug, Clone, Copy)]
pub struct Sim;

impl Sim {
    /// Starts a simulator and returns once it listens. It runs on threads of its own, so it can be started inside any
    /// runtime or none, and several at once.
    ///
    /// # Errors
    /// When the address cannot be bound, a key cannot be made, or `start` is too far away.
    pub fn start(config: Config) -> io::Result<SimHandle> {
        let listener = TcpListener::bind(config.listen)?;
        let address = listener.local_addr()?;
        let clock =
            if config.frozen { Clock::frozen_at(config.start) } else { Clock::starting_at(config.start) };
        let clock = clock.map_err(io::Error::other)?;
        let keys = config.keys.map_or_else(|| throw_away_keys(clock.now()), Ok)?;
        let organizations = config.organizations.into_iter().collect();
        let seeds = Seeds { seed: config.seed, requests: config.requests, organizations };
        let engine = Mutex::new(Engine::new(seeds, config.scenario, clock.now()));
        let shared = Arc::new(Shared {
            clock,
            engine,
            keys,
            in_flight: AtomicUsize::new(0),
            traffic: Traffic::default(),
        });
        let (server, ended) = spawn(listener, Arc::clone(&shared))?;
        Ok(SimHandle { address, control: Control::new(shared), server, ended: Some(ended) })
    }
}

/// A running simulator; dropping it stops it.
#[derive(Debug)]
pub struct SimHandle {
    address: SocketAddr,
    control: Control,
    server: ServerHandle,
    ended: Option<oneshot::Receiver<()>>,
}

impl SimHandle {
    /// `http://host:port`, without a slash at the end: what a client takes as the address of GIS.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `/control` does, as methods.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The certificate that replies are signed with.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        self.control.shared().keys().certificate()
    }

    /// Stops it, giving calls in progress a second, and returns when its port is free.
    pub async fn stop(mut self) {
        self.server.stop(true).await;
        if let Some(ended) = self.ended.take() {
            // An error means that the thread is gone already.
            let _gone = ended.await;
        }
    }
}

impl Drop for SimHandle {
    fn drop(&mut self) {
        // The command is sent at once; nobody waits for the end.
        drop(self.server.stop(false));
    }
}

/// Keys whose certificate is in force wherever the clock, which begins at `start`, can be moved.
fn throw_away_keys(start: DateTime<Utc>) -> io::Result<KeyPair> {
    let key = PrivateKey::generate(ParameterSet::CryptoProA).map_err(io::Error::other)?;
    // Certificates cannot speak of times before 1970.
    let from = (start - TimeDelta::days(1)).max(DateTime::UNIX_EPOCH);
    let until = start.max(from) + FURTHEST + FURTHEST;
    let name = "gis-sim, a stand-in of GIS ZhKH";
    let certificate = Certificate::self_signed(&key, name, from, until).map_err(io::Error::other)?;
    KeyPair::new(key, certificate).map_err(io::Error::other)
}

/// Runs the server on a thread with an actix system of its own.
fn spawn(listener: TcpListener, shared: Arc<Shared>) -> io::Result<(ServerHandle, oneshot::Receiver<()>)> {
    let (report, started) = std::sync::mpsc::channel();
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new().name("gis-sim".to_owned()).spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let server = match serve(listener, shared) {
                Ok(server) => server,
                Err(error) => return drop(report.send(Err(error))),
            };
            drop(report.send(Ok(server.handle())));
            if let Err(error) = server.await {
                tracing::error!(%error, "the simulator stopped");
            }
        });
        // Nobody may be waiting.
        let _nobody = end.send(());
    })?;
    let server = started.recv().map_err(|_ended| io::Error::other("the thread of the simulator ended"))??;
    Ok((server, ended))
}

fn serve(listener: TcpListener, shared: Arc<Shared>) -> io::Result<actix_web::dev::Server> {
    let data: web::Data<Shared> = web::Data::from(shared);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .wrap(from_fn(traffic::count))
            .configure(soap::routes)
            .configure(file_routes::routes)
            .service(web::scope(CONTROL_PATH).configure(control_routes::routes))
    });
    let server = server.workers(2).disable_signals().shutdown_timeout(STOP_SECONDS).listen(listener)?;
    Ok(server.run())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throw_away_certificate_is_in_force_wherever_the_clock_can_be() {
        let now = Utc::now();
        for start in [now, now + FURTHEST, DateTime::UNIX_EPOCH] {
            let keys = throw_away_keys(start).unwrap();
            for time in [start, start + FURTHEST] {
                assert_eq!(keys.certificate().check_validity(time), Ok(()), "{start} {time}");
            }
        }
        assert!(throw_away_keys(now - FURTHEST).is_ok(), "before 1970 no certificate can be in force");
    }
}
