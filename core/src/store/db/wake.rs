//! Waking jobs: inside the process by a channel, between instances on PostgreSQL by NOTIFY and LISTEN. A notice that is
//! lost does no harm, jobs also wake by themselves; therefore after a reconnection all of them are woken.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::StreamExt;
use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::postgres::Server;
use crate::error::Cause;
use crate::jobs::name::JobName;

const CHANNEL: &str = "debtgate";
const CAPACITY: usize = 64;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(super) struct Wakes {
    sender: broadcast::Sender<JobName>,
    /// Tells our own notices from those of other instances.
    instance: Uuid,
    listener: OnceLock<Listener>,
}

struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Wakes {
    pub(super) fn new() -> Self {
        let (sender, _) = broadcast::channel(CAPACITY);
        Self { sender, instance: Uuid::new_v4(), listener: OnceLock::new() }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<JobName> {
        self.sender.subscribe()
    }

    /// Wakes a job in this process; nobody may be listening.
    pub(super) fn send(&self, job: JobName) {
        drop(self.sender.send(job));
    }

    /// One SELECT that tells the other instances. Names of jobs and a UUID need no quoting.
    pub(super) fn notices(&self, jobs: &BTreeSet<JobName>) -> String {
        let notices: Vec<_> =
            jobs.iter().map(|job| format!("pg_notify('{CHANNEL}', '{job} {}')", self.instance)).collect();
        format!("SELECT {}", if notices.is_empty() { "1".to_owned() } else { notices.join(", ") })
    }

    /// Starts listening to the other instances, once.
    pub(super) fn listen(&self, server: &Arc<Server>, runtime: &Handle) {
        self.listener.get_or_init(|| {
            let ears = Ears { sender: self.sender.clone(), instance: self.instance.to_string() };
            Listener(runtime.spawn(listen_for_ever(Arc::clone(server), ears)))
        });
    }
}

struct Ears {
    sender: broadcast::Sender<JobName>,
    instance: String,
}

impl Ears {
    fn hear(&self, payload: &str) {
        let (name, instance) = payload.split_once(' ').unwrap_or((payload, ""));
        match name.parse::<JobName>() {
            Ok(_) if instance == self.instance => {}
            Ok(job) => drop(self.sender.send(job)),
            // An instance of another version may know more jobs.
            Err(error) => tracing::debug!(%error, "a notice for somebody else"),
        }
    }

    fn wake_all(&self) {
        for job in JobName::ALL {
            drop(self.sender.send(*job));
        }
    }
}

async fn listen_for_ever(server: Arc<Server>, ears: Ears) {
    let mut pause = FIRST_PAUSE;
    loop {
        match start_listening(&server).await {
            Ok(mut conn) => {
                pause = FIRST_PAUSE;
                ears.wake_all();
                hear_until_broken(&mut conn, &ears).await;
                tracing::warn!("the connection for notices is lost");
            }
            Err(error) => tracing::warn!(error, "no connection for notices"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn start_listening(server: &Server) -> Result<AsyncPgConnection, Cause> {
    let mut conn = server.connect().await?;
    conn.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
    Ok(conn)
}

async fn hear_until_broken(conn: &mut AsyncPgConnection, ears: &Ears) {
    let mut notices = std::pin::pin!(conn.notifications_stream());
    while let Some(Ok(notice)) = notices.next().await {
        ears.hear(&notice.payload);
    }
}
