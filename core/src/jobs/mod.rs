//! Jobs: what the gateway does by itself. They are the only callers of GIS, and of anybody else.
//!
//! Each job is a reconciler: `activate` takes no argument, does one bounded batch of whatever the database says is due, and
//! can be repeated at any time, on any instance. It is woken by notices of transactions, by the time that its last
//! [`Report`] names, and by a period. What must stay true: no transaction is open during a call of GIS, and whatever a call
//! may have done is committed before it begins (`api.md` §6).

mod assignment;
mod auto_answer;
mod calls;
mod deadlines;
mod delays;
mod driver;
mod elsewhere;
mod ends;
mod expiry;
mod export_files;
mod exports;
mod files;
mod followers;
mod gate;
mod halves;
mod import_files;
mod items;
mod journal;
mod judge;
mod lease;
mod looks;
mod matching;
mod mirror;
pub mod name;
mod operations;
mod outbox;
mod outcomes;
mod package_size;
mod packages;
mod pages;
mod personal_data;
mod polling;
mod restored;
mod results;
mod retention;
mod settle;
mod sync;
#[cfg(test)]
mod tests;
mod watching;
mod webhooks;
mod windows;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gis_client::{Gis, Signer};
use serde_json::Value;

use crate::Result;
use crate::ids::WorkerId;
use crate::service::Service;

pub(crate) use followers::let_go;
pub use gate::Gate;
pub use name::JobName;
use package_size::PackageSize;
pub(crate) use pages::break_off;

/// Who signs for organisations, `[signers.NAME]` of the configuration.
#[derive(Clone)]
pub struct NamedSigner {
    /// Holds the key.
    pub signer: Arc<dyn Signer>,
    /// Whether the operator of the information system signs rather than the organisation (`IsOperatorSignature`).
    pub operator_signature: bool,
}

/// Everything that jobs need.
pub struct Worker {
    /// Database, clock, files, settings.
    pub service: Arc<Service>,
    /// GIS.
    pub gis: Arc<dyn Gis>,
    /// Signers by name.
    pub signers: HashMap<String, NamedSigner>,
    /// The holder of this process's leases.
    pub id: WorkerId,
    /// Lets calls of GIS through, or not.
    pub gate: Gate,
    package_size: PackageSize,
    sender: webhooks::Sender,
}

/// What one activation of a job did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// How many things it moved on; with more than none there may be more to do at once.
    pub done: u64,
    /// When something will be due that is known now.
    pub next: Option<DateTime<Utc>>,
    /// More for the status page; no personal data.
    pub detail: Value,
}

impl Worker {
    /// A worker with an identity of its own.
    #[must_use]
    pub fn new(service: Arc<Service>, gis: Arc<dyn Gis>, signers: HashMap<String, NamedSigner>) -> Self {
        let gate = Gate::new(&service.settings.gis);
        let package_size = PackageSize::new(service.settings.gis.package_size);
        let sender = webhooks::Sender::new(service.settings.webhooks.allow_private_addresses);
        Self { service, gis, signers, id: WorkerId::generate(), gate, package_size, sender }
    }

    /// The time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.service.clock.now()
    }

    /// When work that ends now is deleted with its files.
    pub(crate) fn kept_until(&self) -> DateTime<Utc> {
        self.service.kept_until(self.now())
    }

    /// One activation of a job.
    ///
    /// # Errors
    /// What the job could not cope with; the next activation begins from what is stored.
    pub async fn step(&self, job: JobName) -> Result<Report> {
        match job {
            JobName::Sync => sync::activate(self).await,
            JobName::Assignment => assignment::activate(self).await,
            JobName::Files => files::activate(self).await,
            JobName::Outbox => outbox::activate(self).await,
            JobName::Polling => polling::activate(self).await,
            JobName::Settle => settle::activate(self).await,
            JobName::Exports => export_files::activate(self).await,
            JobName::Imports => import_files::activate(self).await,
            JobName::Matching => matching::activate(self).await,
            JobName::AutoAnswer => auto_answer::activate(self).await,
            JobName::Deadlines => deadlines::activate(self).await,
            JobName::Operations => operations::activate(self).await,
            JobName::Webhooks => webhooks::activate(self).await,
            JobName::Retention => retention::activate(self).await,
        }
    }
}
