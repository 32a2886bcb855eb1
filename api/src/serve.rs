//! The running program: the public and the internal port, the jobs, and a graceful end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::{Compress, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use anyhow::{Context, Result};
use debt_core::jobs::Worker;
use tokio::task::JoinSet;

use crate::app;
use crate::config::Config;
use crate::input::BodyLimit;
use crate::routes::testing;
use crate::state::AppState;
use crate::telemetry::gauges::Gauges;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::request::{PublicUrl, observe};

/// How long requests under way may take to end after SIGTERM; a long poll ends by itself.
const GRACE: u64 = 30;
/// An idle connection stays open for longer than the 60 s that proxies (nginx, HAProxy, cloud balancers) keep theirs:
/// whoever closes first must not be the one that gets the next request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// As long as the largest file takes on a slow line.
const LINGER: Duration = Duration::from_secs(30);
/// How long a call of GIS under way is waited for.
const WORKER_GRACE: Duration = Duration::from_secs(30);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Everything.
    All,
    /// HTTP alone.
    Api,
    /// Jobs alone.
    Worker,
}

/// The ports of a process, open before anything is served.
pub struct Ports {
    public: Option<TcpListener>,
    internal: Option<TcpListener>,
}

impl Ports {
    /// Opens what a role needs.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub fn open(config: &Config, role: Role) -> Result<Self> {
        let public =
            (role != Role::Worker).then(|| listen(config.server.listen, "server.listen")).transpose()?;
        let internal = config
            .server
            .internal_listen
            .map(|address| listen(address, "server.internal_listen"))
            .transpose()?;
        Ok(Self { public, internal })
    }

    /// The address of the public port.
    #[must_use]
    pub fn public_address(&self) -> Option<SocketAddr> {
        self.public.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// The address of the internal port.
    #[must_use]
    pub fn internal_address(&self) -> Option<SocketAddr> {
        self.internal.as_ref().and_then(|listener| listener.local_addr().ok())
    }
}

fn listen(address: SocketAddr, key: &'static str) -> Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| format!("{key} {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until `shutdown`, then lets what is under way end.
///
/// # Errors
/// The HTTP server could not be started.
pub async fn run(
    config: &Config,
    ports: Ports,
    state: AppState,
    worker: Option<Arc<Worker>>,
    metrics: Metrics,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    // Ends with this function, however that ends.
    let mut upkeep = JoinSet::new();
    upkeep.spawn(metrics.clone().keep());
    let state = Data::new(state);
    let public = ports.public.map(|listener| public_server(config, listener, &state)).transpose()?;
    let internal = ports
        .internal
        .map(|listener| internal_server(config, listener, &state, worker.clone(), metrics))
        .transpose()?;
    let handles: Vec<_> = public.iter().chain(&internal).map(actix_web::dev::Server::handle).collect();
    let servers = public.into_iter().chain(internal).map(tokio::spawn).collect::<Vec<_>>();
    // A manual clock means that tests step the jobs.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let jobs = worker.filter(|_| config.testing.clock.is_none()).map(|worker| {
        tokio::spawn(async move {
            worker.run(async { drop(stopped.await) }).await;
        })
    });
    shutdown.await;
    tracing::info!("stopping");
    drop(stop);
    for handle in handles {
        handle.stop(true).await;
    }
    for server in servers {
        server.await??;
    }
    if let Some(jobs) = jobs
        && tokio::time::timeout(WORKER_GRACE, jobs).await.is_err()
    {
        tracing::warn!("a job did not end in time; its leases run out by themselves");
    }
    Ok(())
}

fn public_server(
    config: &Config,
    listener: TcpListener,
    state: &Data<AppState>,
) -> Result<actix_web::dev::Server> {
    let state = state.clone();
    let limit = Data::new(BodyLimit(config.limits.body_bytes));
    let public_url = Data::new(PublicUrl(state.public_url.clone()));
    let paths = app::public(config.server.docs);
    let origins = config.server.cors_origins.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(limit.clone())
            .app_data(public_url.clone())
            .wrap(from_fn(app::finish))
            .wrap(app::cors(&origins))
            .wrap(from_fn(observe))
            // Outside of what may put another body in the place of the handler's.
            .wrap(Compress::default())
            .configure(paths.clone())
    });
    let server = match config.server.workers {
        Some(workers) => server.workers(usize::try_from(workers.get()).unwrap_or(1)),
        None => server,
    };
    // A reply goes out in several pieces; the last one must not wait for the client's delayed acknowledgement (40 ms).
    // Whoever is refused before his body is read goes on sending, and would lose the reply if the connection broke under him.
    let server = server.tcp_nodelay(true).client_disconnect_timeout(LINGER);
    Ok(server.keep_alive(KEEP_ALIVE).disable_signals().shutdown_timeout(GRACE).listen(listener)?.run())
}

fn internal_server(
    config: &Config,
    listener: TcpListener,
    state: &Data<AppState>,
    worker: Option<Arc<Worker>>,
    metrics: Metrics,
) -> Result<actix_web::dev::Server> {
    let state = state.clone();
    let metrics = Data::new(metrics);
    let gauges = Data::new(Gauges::new(Arc::clone(&state.service), worker.as_deref()));
    let stepped = worker.filter(|_| config.testing.clock.is_some()).map(Data::from);
    let server = HttpServer::new(move || {
        let app = App::new()
            .app_data(state.clone())
            .app_data(metrics.clone())
            .app_data(gauges.clone())
            .wrap(from_fn(observe));
        let stepped = stepped.clone();
        app.configure(move |config| {
            if let Some(worker) = stepped {
                testing::configure(config, worker);
            }
            app::internal(config);
        })
    });
    Ok(server
        .workers(1)
        .keep_alive(KEEP_ALIVE)
        .disable_signals()
        .shutdown_timeout(GRACE)
        .listen(listener)?
        .run())
}

/// Ends with SIGTERM or Ctrl-C.
pub async fn signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no SIGTERM on this system");
                drop(interrupt.await);
            }
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}
