//! The running instances of the program, and which of them a client can reach.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::harness::{Gateway, Workshop};

/// An instance that is to die by itself does so within this time, or never.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at whether it has.
const PAUSE: Duration = Duration::from_millis(5);

/// Instances on one database.
pub(crate) struct Fleet {
    workshop: Arc<Workshop>,
    instances: Vec<Option<Gateway>>,
    addresses: watch::Sender<Vec<String>>,
}

impl Fleet {
    /// Starts so many.
    pub(crate) async fn start(workshop: Workshop, size: usize) -> Self {
        let instances = (0..size).map(|_| None).collect();
        let mut fleet =
            Self { workshop: Arc::new(workshop), instances, addresses: watch::Sender::new(Vec::new()) };
        for instance in 0..size {
            fleet.start_again(instance).await;
        }
        fleet
    }

    /// Where the living ones listen, as it changes.
    pub(crate) fn addresses(&self) -> watch::Receiver<Vec<String>> {
        self.addresses.subscribe()
    }

    /// SIGKILL. Clients learn of it by themselves first.
    pub(crate) fn kill(&mut self, instance: usize) {
        if let Some(mut gateway) = self.instances[instance].take() {
            gateway.kill();
        }
        self.announce();
    }

    /// How an instance ended that dies by itself, if it does. Clients learn of it by themselves first.
    pub(crate) async fn death(&mut self, instance: usize) -> Option<ExitStatus> {
        let deadline = Instant::now() + PATIENCE;
        let mut status = None;
        while status.is_none() && Instant::now() < deadline {
            tokio::time::sleep(PAUSE).await;
            status = self.instances[instance].as_mut()?.process.try_wait().unwrap();
        }
        self.kill(instance);
        status
    }

    pub(crate) async fn start_again(&mut self, instance: usize) {
        self.start_with(instance, None).await;
    }

    /// The same with a variable of the environment.
    pub(crate) async fn start_with(
        &mut self,
        instance: usize,
        variable: Option<(&'static str, &'static str)>,
    ) {
        let workshop = Arc::clone(&self.workshop);
        // It waits for the program without giving way to others.
        let started = tokio::task::spawn_blocking(move || workshop.serve_with(variable.as_slice())).await;
        self.instances[instance] = Some(started.unwrap());
        self.announce();
    }

    /// The end of the log of every living one.
    pub(crate) fn logs(&self) -> String {
        let tail = |gateway: &Gateway| {
            let log = gateway.log();
            let lines: Vec<_> = log.lines().filter(|line| !line.contains("\"INFO\"")).collect();
            lines[lines.len().saturating_sub(30)..].join("\n")
        };
        self.instances.iter().flatten().map(tail).collect::<Vec<_>>().join("\n---\n")
    }

    fn announce(&self) {
        let living = self.instances.iter().flatten();
        self.addresses.send_replace(living.map(|gateway| gateway.public.clone()).collect());
    }
}
