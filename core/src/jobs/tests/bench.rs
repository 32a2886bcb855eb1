//! A gateway without its HTTP side, a simulator of GIS, and the clock that both go by.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use gis_client::debt_requests::Dictionaries;
use gis_client::http::VerifyReplies;
use gis_client::signature::CertificateDigest;
use gis_client::signer::KeyPairSigner;
use gis_client::{HttpGis, HttpSettings};
use gis_sim::control::SubrequestFilter;
use gis_sim::faults::{Kind, Rule, Target, When};
use gis_sim::{Config, Control, Sim, SimHandle};
use gost::{Certificate, KeyPair, ParameterSet, PrivateKey};
use tempfile::TempDir;

use crate::access::TokenCache;
use crate::clock::Clock;
use crate::domain::debt_request::DebtRequest;
use crate::domain::organization::Organization;
use crate::domain::sync_run::{RunState, SyncRun};
use crate::files::FileStore;
use crate::ids::{DebtRequestId, OrganizationId};
use crate::jobs::{JobName, NamedSigner, Report, Worker, pages};
use crate::service::Service;
use crate::settings::{GisSettings, Settings};
use crate::store::debt_requests::{Counts, Filter};
use crate::store::{Db, debt_requests, organizations, samples, sync_runs};

/// The jobs that read debt requests.
const READERS: [JobName; 2] = [JobName::Sync, JobName::Polling];

/// Everything together.
pub(super) struct Bench {
    pub(super) worker: Worker,
    pub(super) organization: OrganizationId,
    sim: SimHandle,
    clock: Clock,
    _files: TempDir,
}

impl Bench {
    /// One organisation with so many debt requests in GIS, none of them read yet.
    pub(super) async fn new(db: Db, requests: u64) -> Self {
        Self::with(db, requests, GisSettings::default()).await
    }

    /// The same with other manners towards GIS.
    pub(super) async fn with(db: Db, requests: u64, gis: GisSettings) -> Self {
        let start = test_support::story::beginning();
        let organization = Organization { signer: "main".to_owned(), ..samples::organization() };
        let mut config = Config {
            requests,
            organizations: vec![organization.ppa_guid],
            start: Some(start),
            frozen: true,
            ..Config::default()
        };
        config.scenario.import.auto_generate = false;
        let sim = Sim::start(config).unwrap();
        let clock = Clock::manual(start);
        let files = TempDir::new().unwrap();
        let mut tx = db.begin().await.unwrap();
        organizations::insert(&mut tx, &organization).await.unwrap();
        tx.commit().await.unwrap();
        let worker = worker(service(db, clock.clone(), gis, &files), &sim);
        Self { worker, organization: organization.id, sim, clock, _files: files }
    }

    /// What happens in GIS.
    pub(super) fn gis(&self) -> &Control {
        self.sim.control()
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Lets time pass on both sides.
    pub(super) fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
        self.gis().advance(time.to_std().unwrap()).unwrap();
    }

    /// Lets time pass until 04:15 in Moscow, tomorrow.
    pub(super) fn pass_until_next_schedule(&self) {
        let due = |day: NaiveDate| day.and_hms_opt(1, 15, 0).unwrap().and_utc();
        let today = due(self.now().date_naive());
        let next = if today > self.now() { today } else { today + Days::new(1) };
        self.pass(next - self.now());
    }

    /// Another process takes the place of this one.
    pub(super) fn restart(&mut self) {
        self.worker = worker(Arc::clone(&self.worker.service), &self.sim);
    }

    /// GIS does not answer at all any more, not even the harmless GET.
    pub(super) fn break_gis(&self) {
        for operation in [Target::Any, Target::Probe] {
            self.fault(operation, When::Always, Kind::ResetBefore);
        }
    }

    pub(super) fn fault(&self, operation: Target, when: When, kind: Kind) {
        let rule = Rule { operation, organization: None, subrequest: None, when, kind };
        self.gis().add_fault(rule).unwrap();
    }

    /// What the readers can do without time passing; their last reports.
    pub(super) async fn rest(&self) -> Vec<Report> {
        loop {
            let mut reports = Vec::new();
            for job in READERS {
                reports.push(self.worker.step(job).await.unwrap());
            }
            if reports.iter().all(|report| report.done == 0) {
                return reports;
            }
        }
    }

    /// The same, then time passes until something is due.
    pub(super) async fn turn(&self) {
        let reports = self.rest().await;
        let next = reports.iter().filter_map(|report| report.next).min().unwrap();
        self.pass((next - self.now()).max(TimeDelta::milliseconds(1)));
    }

    /// Turns until the run under way has ended and what follows from it is done.
    pub(super) async fn finish_run(&self) -> SyncRun {
        for _ in 0..200 {
            self.rest().await;
            let run = self.last_run().await;
            if run.state != RunState::Running {
                self.pass(TimeDelta::seconds(10));
                self.rest().await;
                return run;
            }
            self.turn().await;
        }
        panic!("the run does not end");
    }

    pub(super) async fn last_run(&self) -> SyncRun {
        let mut conn = self.worker.service.db.read().await.unwrap();
        sync_runs::last(&mut conn, self.organization).await.unwrap().unwrap()
    }

    /// Pages that the last run waits for; none before the first run.
    pub(super) async fn last_open_pages(&self) -> Option<usize> {
        let mut conn = self.worker.service.db.read().await.unwrap();
        let run = sync_runs::last(&mut conn, self.organization).await.unwrap()?;
        Some(pages::open_pages(&mut conn, &run).await.unwrap().len())
    }

    pub(super) async fn counts(&self) -> Counts {
        let mut conn = self.worker.service.db.read().await.unwrap();
        let today = self.now().date_naive();
        debt_requests::count(&mut conn, self.organization, &Filter::default(), today).await.unwrap()
    }

    /// One of those in GIS.
    pub(super) async fn any_request(&self) -> DebtRequestId {
        self.gis().subrequests(&SubrequestFilter::default()).items.first().unwrap().guid.into()
    }

    pub(super) async fn request(&self, id: DebtRequestId) -> DebtRequest {
        let mut conn = self.worker.service.db.read().await.unwrap();
        debt_requests::get(&mut conn, self.organization, id).await.unwrap().unwrap()
    }
}

fn service(db: Db, clock: Clock, gis: GisSettings, files: &TempDir) -> Arc<Service> {
    let mut settings = Settings { gis, ..Settings::default() };
    settings.sync.window = Days::new(90);
    Arc::new(Service {
        db,
        clock,
        files: FileStore::open(&format!("file://{}", files.path().display())).unwrap(),
        dictionaries: Dictionaries::default(),
        settings,
        tokens: TokenCache::default(),
        horizons: Default::default(),
    })
}

fn worker(service: Arc<Service>, sim: &SimHandle) -> Worker {
    let settings = HttpSettings {
        verify_replies: VerifyReplies::Require,
        reply_signers: vec![CertificateDigest::of(sim.certificate())],
        timeout: Duration::from_secs(60),
        ..HttpSettings::new(sim.base_url())
    };
    let key = PrivateKey::generate(ParameterSet::CryptoProA).unwrap();
    let now = Utc::now();
    let year = TimeDelta::days(365);
    let certificate = Certificate::self_signed(&key, "Test signer", now - year, now + year).unwrap();
    let signer = NamedSigner {
        signer: Arc::new(KeyPairSigner::new(KeyPair::new(key, certificate).unwrap())),
        operator_signature: true,
    };
    let gis = Arc::new(HttpGis::new(settings).unwrap());
    Worker::new(service, gis, HashMap::from([("main".to_owned(), signer)]))
}
