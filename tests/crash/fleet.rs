//! The running instances of the program, and which of them a client can reach.

use std::sync::Arc;

use tokio::sync::watch;

use crate::harness::{Gateway, Workshop};

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

    pub(crate) async fn start_again(&mut self, instance: usize) {
        let workshop = Arc::clone(&self.workshop);
        // It waits for the program without giving way to others.
        let started = tokio::task::spawn_blocking(move || workshop.serve_with(&[])).await;
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
