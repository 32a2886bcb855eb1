//! Load: so many connections, each sending its next request when the last one is answered. Every latency is kept, and
//! percentiles are exact.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bench::Failure;
use bench::http::{Connection, Request};
use bench::process::{Memory, processor_time};
use hyper::StatusCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// The next request of whichever connection asks; `None` when there are no more.
pub(crate) type Next = Arc<dyn Fn() -> Option<Request> + Send + Sync>;

/// How long before the end the memory of the server is looked at, while everything is still under way.
const BEFORE_THE_END: Duration = Duration::from_millis(50);

/// How much load, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) connections: usize,
    pub(crate) warm_up: Duration,
    pub(crate) time: Duration,
}

/// What came out.
pub(crate) struct Figures {
    /// Answered as expected in a second.
    pub(crate) rate: f64,
    /// Milliseconds that half of the requests took at most.
    pub(crate) p50: f64,
    /// Milliseconds that 99 of 100 requests took at most.
    pub(crate) p99: f64,
    /// Answered with another status.
    pub(crate) failed: u32,
    /// Microseconds of processor time that a request took the server.
    pub(crate) processor: Option<f64>,
    /// The server's memory at the end.
    pub(crate) memory: Option<Memory>,
}

/// When requests count: those that end in it.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: Instant,
    until: Instant,
}

/// What one connection saw.
#[derive(Default)]
struct Part {
    /// In microseconds.
    latencies: Vec<u32>,
    failed: u32,
    last: Option<Instant>,
}

/// Loads a server; `None` when not one request ended as expected in time.
pub(crate) async fn run(
    server: (SocketAddr, Option<u32>),
    plan: Plan,
    next: Next,
    expected: StatusCode,
) -> Result<Option<Figures>, Failure> {
    let (address, pid) = server;
    let mut connections = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        connections.push(Connection::open(address).await?);
    }
    let from = Instant::now() + plan.warm_up;
    let window = Window { from, until: from + plan.time };
    let mut workers = JoinSet::new();
    for connection in connections {
        workers.spawn(work(connection, Arc::clone(&next), window, expected));
    }
    sleep_until(window.from).await;
    let busy = || pid.and_then(processor_time);
    let before = busy();
    sleep_until(window.until - BEFORE_THE_END).await;
    let busy =
        before.and_then(|before| Some((busy()? - before) / (plan.time - BEFORE_THE_END).as_secs_f64()));
    let memory = pid.and_then(Memory::of);
    let mut whole = Part::default();
    while let Some(part) = workers.join_next().await {
        let part = part??;
        whole.latencies.extend(part.latencies);
        whole.failed = whole.failed.saturating_add(part.failed);
        whole.last = whole.last.max(part.last);
    }
    Ok(figures(whole, window, busy, memory))
}

async fn work(
    mut connection: Connection,
    next: Next,
    window: Window,
    expected: StatusCode,
) -> Result<Part, Failure> {
    let mut part = Part::default();
    while Instant::now() < window.until {
        let Some(request) = next() else { break };
        let began = Instant::now();
        let status = connection.send(request).await?;
        let ended = Instant::now();
        if ended < window.from || ended > window.until {
            continue;
        }
        part.last = Some(ended);
        if status == expected {
            part.latencies.push(u32::try_from((ended - began).as_micros()).unwrap_or(u32::MAX));
        } else {
            part.failed = part.failed.saturating_add(1);
        }
    }
    Ok(part)
}

/// `busy` are processors that the server kept busy. The time is that up to the last request: there may have been too few for the whole of it.
fn figures(mut whole: Part, window: Window, busy: Option<f64>, memory: Option<Memory>) -> Option<Figures> {
    whole.latencies.sort_unstable();
    let seconds = (whole.last? - window.from).as_secs_f64();
    let count = u32::try_from(whole.latencies.len()).unwrap_or(u32::MAX);
    let rate = f64::from(count) / seconds;
    Some(Figures {
        rate,
        processor: busy.map(|busy| busy / rate * 1e6),
        p50: percentile(&whole.latencies, 50)?,
        p99: percentile(&whole.latencies, 99)?,
        failed: whole.failed,
        memory,
    })
}

/// The nearest rank, in milliseconds.
fn percentile(sorted: &[u32], percent: usize) -> Option<f64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    let micros = sorted.get(rank.checked_sub(1)?)?;
    Some(f64::from(*micros) / 1000.0)
}
