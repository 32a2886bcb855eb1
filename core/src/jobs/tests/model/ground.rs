//! What there is before anything happens: debt requests in the database, the service and its workers.

use std::collections::HashMap;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use gis_client::debt_requests::Dictionaries;
use gis_client::{Signer, SignerError};
use uuid::Uuid;

use super::action::REQUESTS;
use super::line::{Line, SharedGis};
use crate::clock::Clock;
use crate::domain::debt_request::{DebtRequest, GisView};
use crate::files::FileStore;
use crate::ids::{DebtRequestId, OrganizationId};
use crate::jobs::tests::client::organization;
use crate::jobs::{JobName, NamedSigner, Report, Worker};
use crate::settings::Settings;
use crate::store::{Db, debt_requests, samples};
use crate::{Result, Service};

/// What is in the database before anything happens.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) organization: OrganizationId,
    pub(super) requests: Vec<DebtRequestId>,
}

/// When the story begins: half past one at night in the east, the reading of the night is over in Moscow.
pub(super) fn start() -> DateTime<Utc> {
    "2026-11-04T20:30:00Z".parse().unwrap()
}

impl Ground {
    /// An organisation with its debt requests in an empty database.
    pub(super) async fn lay(db: &Db) -> Self {
        let (organization, _) = organization(db, Uuid::from_u128(0x7c8c_e67b), start()).await;
        let requests: Vec<_> = (0..REQUESTS).map(|_| DebtRequestId::from(Uuid::now_v7())).collect();
        let rows: Vec<_> = requests.iter().map(|id| debt_request(*id, organization)).collect();
        let mut tx = db.begin().await.unwrap();
        debt_requests::save(&mut tx, &rows).await.unwrap();
        tx.commit().await.unwrap();
        Self { organization, requests }
    }
}

fn debt_request(id: DebtRequestId, organization: OrganizationId) -> DebtRequest {
    let sample = samples::request(organization);
    // Without a last day nothing hurries.
    let gis = GisView { sent_on: None, due_on: None, ..sample.gis };
    DebtRequest { id, gis, synced_at: start(), created_at: start(), updated_at: start(), ..sample }
}

/// An activation of a job under way.
pub(super) type Activation = Pin<Box<dyn Future<Output = Result<Report>> + Send>>;

/// A worker and what it is doing.
pub(super) struct AtWork {
    pub(super) worker: Arc<Worker>,
    pub(super) line: Arc<Line>,
    /// An activation that is held in the middle of a call.
    pub(super) stopped: Option<(JobName, Activation)>,
}

/// GIS of the model asks for no signature.
struct NoSigner;

#[async_trait]
impl Signer for NoSigner {
    fn certificate(&self) -> &gost::Certificate {
        unreachable!("nothing is signed in the model")
    }

    async fn sign(&self, _: &[u8; 32]) -> std::result::Result<gost::Signature, SignerError> {
        unreachable!("nothing is signed in the model")
    }
}

pub(super) fn service(db: Db, clock: &Clock, folder: &Path) -> Arc<Service> {
    let mut settings = Settings::default();
    settings.gis.package_linger = std::time::Duration::ZERO;
    // One call of a worker at a time, so that a worker that is held in one holds nothing else.
    settings.gis.parallel = 1;
    Arc::new(Service {
        db,
        clock: clock.clone(),
        files: FileStore::open(&format!("file://{}", folder.display())).unwrap(),
        dictionaries: Dictionaries::default(),
        settings,
        tokens: Default::default(),
        horizons: Default::default(),
    })
}

pub(super) fn at_work(service: &Arc<Service>, gis: &SharedGis) -> AtWork {
    let lease = TimeDelta::from_std(service.settings.gis.timeout).unwrap() + TimeDelta::seconds(1);
    let line = Arc::new(Line::new(Arc::clone(gis), service.clock.clone(), lease));
    let signer = NamedSigner { signer: Arc::new(NoSigner), operator_signature: true };
    let signers = HashMap::from([("test".to_owned(), signer)]);
    let worker = Worker::new(Arc::clone(service), Arc::<Line>::clone(&line), signers);
    AtWork { worker: Arc::new(worker), line, stopped: None }
}
