//! One organisation with its worker, its simulator and its debt requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, TimeDelta};
use gis_client::debt_requests::Dictionaries;
use gis_client::http::{HttpGis, HttpSettings};
use gis_client::signer::KeyPairSigner;
use gis_sim::control::{NewSubrequests, SubrequestReport};
use gis_sim::faults::{Kind, Rule, Target, When};
use gis_sim::rules::dictionaries::Dictionary;
use gis_sim::state::Effect;
use gis_sim::{Config, Sim, SimHandle};
use gost::{Certificate, KeyPair, ParameterSet, PrivateKey};
use tempfile::TempDir;
use uuid::Uuid;

use crate::Service;
use crate::answers::{ContentDraft, CreateAnswer, RevokeAnswer};
use crate::clock::Clock;
use crate::domain::answer::{Answer, Confirm, State};
use crate::domain::debt_request::{DebtRequest, GisView};
use crate::domain::submission::Submission;
use crate::evidence::Evidence;
use crate::files::FileStore;
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};
use crate::jobs::tests::client::{Client, command, organization};
use crate::jobs::{JobName, NamedSigner, Worker};
use crate::settings::Settings;
use crate::store::{Db, answers, debt_requests, jobs, samples, submissions, test_db};

/// The jobs under test, in the order of an answer's way.
const JOBS: [JobName; 4] = [JobName::Files, JobName::Outbox, JobName::Polling, JobName::Settle];
/// More activations in a row mean that a job runs in circles.
const MOST_ROUNDS: usize = 60;

/// Everything of one test.
pub(super) struct Bench {
    pub(super) worker: Arc<Worker>,
    pub(super) simulator: SimHandle,
    pub(super) organization: OrganizationId,
    pub(super) executor: Uuid,
    client: Client,
    files: TempDir,
}

/// Runs a test against both databases.
pub(super) fn for_both(body: impl AsyncFn(Bench)) {
    test_db::for_both(async |db| body(Bench::new(db).await).await);
}

impl Bench {
    async fn new(db: Db) -> Self {
        let simulator = simulator();
        let clock = Clock::manual(simulator.control().now());
        let files = TempDir::new().unwrap();
        let mut settings = Settings::default();
        settings.gis.package_linger = Duration::ZERO;
        let service = Service {
            db,
            clock,
            files: FileStore::open(&format!("file://{}", files.path().display())).unwrap(),
            dictionaries: dictionaries(),
            settings,
            tokens: Default::default(),
            horizons: Default::default(),
        };
        let (organization, executor) = organization(&service.db, ppa(), service.clock.now()).await;
        let worker = worker(Arc::new(service), &simulator);
        let client = Client::of(organization);
        Self { worker, simulator, organization, executor, client, files }
    }

    /// The same database after the program was started again.
    pub(super) fn restart(&mut self) {
        self.worker = worker(Arc::clone(&self.worker.service), &self.simulator);
    }

    /// New debt requests, in GIS and in the mirror.
    pub(super) async fn requests(&self, count: u32) -> Vec<DebtRequestId> {
        let ppa = Some(ppa());
        let new = NewSubrequests { organization: ppa, count, ..NewSubrequests::default() };
        let made = self.simulator.control().create(&new).unwrap();
        let ids: Vec<DebtRequestId> = made.iter().map(|summary| summary.guid.into()).collect();
        let mut tx = self.worker.service.db.begin().await.unwrap();
        let requests: Vec<_> = ids.iter().map(|id| self.mirrored(*id)).collect();
        debt_requests::save(&mut tx, &requests).await.unwrap();
        tx.commit().await.unwrap();
        ids
    }

    fn mirrored(&self, id: DebtRequestId) -> DebtRequest {
        let now = self.worker.now();
        let held = self.held(id).summary;
        let sample = samples::request(self.organization);
        let gis = GisView {
            request_number: held.number,
            sent_on: Some(held.sent),
            due_on: Some(held.respond_by),
            ..sample.gis
        };
        DebtRequest { id, gis, synced_at: now, created_at: now, updated_at: now, ..sample }
    }

    /// What GIS holds.
    pub(super) fn held(&self, id: DebtRequestId) -> SubrequestReport {
        self.simulator.control().subrequest(id.as_uuid()).unwrap()
    }

    /// How often something took effect in GIS.
    pub(super) fn effects(&self, id: DebtRequestId) -> Vec<Effect> {
        self.held(id).history
    }

    /// The next call of an operation goes wrong.
    pub(super) fn fault(&self, operation: Target, kind: Kind) {
        self.faults(operation, kind, When::Next(1));
    }

    pub(super) fn faults(&self, operation: Target, kind: Kind, when: When) {
        let rule = Rule { operation, organization: None, subrequest: None, when, kind };
        self.simulator.control().add_fault(rule).unwrap();
    }

    /// Posts an answer that shall be sent.
    pub(super) async fn post(&self, request: DebtRequestId, content: ContentDraft) -> AnswerId {
        self.post_confirmed(request, content, Vec::new()).await
    }

    /// Posts an answer without a debt by a request that belongs to a trace.
    pub(super) async fn post_in_trace(&self, request: DebtRequestId, trace: &str) -> AnswerId {
        self.create(CreateAnswer { trace: Some(trace.to_owned()), ..command(request, no_debt("нет")) }).await
    }

    pub(super) async fn post_confirmed(
        &self,
        request: DebtRequestId,
        content: ContentDraft,
        confirm: Vec<Confirm>,
    ) -> AnswerId {
        self.create(CreateAnswer { confirm, ..command(request, content) }).await
    }

    async fn create(&self, command: CreateAnswer) -> AnswerId {
        self.client.create(&self.worker.service, command).await.unwrap()
    }

    pub(super) async fn revoke(&self, id: AnswerId) {
        self.try_revoke(id, Vec::new()).await.unwrap();
    }

    pub(super) async fn try_revoke(&self, id: AnswerId, confirm: Vec<Confirm>) -> crate::Result<()> {
        let command = RevokeAnswer { confirm, ..RevokeAnswer::default() };
        self.client.revoke(&self.worker.service, id, command).await
    }

    /// Steps every job until nothing more is done at this moment.
    pub(super) async fn step(&self) {
        for _ in 0..MOST_ROUNDS {
            let mut done = 0;
            for job in JOBS {
                done += self.worker.step(job).await.unwrap().done;
            }
            if done == 0 {
                return;
            }
        }
        panic!("the jobs run in circles");
    }

    /// Lets time pass, in the simulator too, and steps every job.
    pub(super) async fn pass(&self, time: Duration) {
        self.advance(time);
        self.step().await;
    }

    /// Lets time pass, in the simulator too, and nothing else happens.
    pub(super) fn advance(&self, time: Duration) {
        self.worker.service.clock.advance(TimeDelta::from_std(time).unwrap());
        self.simulator.control().advance(time).unwrap();
    }

    /// Works until GIS has had the time for an answer and a look behind it.
    pub(super) async fn work(&self) {
        self.step().await;
        for _ in 0..4 {
            self.pass(Duration::from_secs(15)).await;
        }
    }

    /// The gateway was last at work such a time ago, and begins again.
    pub(super) async fn sleep_and_restart(&self, time: Duration) {
        let service = &self.worker.service;
        let mut tx = service.db.begin().await.unwrap();
        jobs::note(&mut tx, JobName::Outbox, service.clock.now(), &serde_json::json!({}), None)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        self.advance(time);
        Arc::clone(&self.worker).run(std::future::ready(())).await;
    }

    pub(super) async fn answer(&self, id: AnswerId) -> Answer {
        let mut conn = self.worker.service.db.read().await.unwrap();
        answers::get(&mut conn, self.organization, id).await.unwrap().unwrap()
    }

    pub(super) async fn evidence(&self, id: AnswerId) -> crate::Result<Evidence> {
        self.worker.service.get_evidence(self.client.caller(), id).await
    }

    /// How many contents the file store holds.
    pub(super) fn stored_files(&self) -> usize {
        std::fs::read_dir(self.files.path()).unwrap().count()
    }

    /// Nothing can be stored any more: the folder of the file store becomes a file.
    pub(super) fn break_files(&self) {
        std::fs::rename(self.files.path(), self.files.path().with_extension("aside")).unwrap();
        std::fs::write(self.files.path(), "").unwrap();
    }

    /// What was stored is back.
    pub(super) fn mend_files(&self) {
        std::fs::remove_file(self.files.path()).unwrap();
        std::fs::rename(self.files.path().with_extension("aside"), self.files.path()).unwrap();
    }

    pub(super) async fn state(&self, id: AnswerId) -> State {
        self.answer(id).await.state
    }

    pub(super) async fn submissions(&self, id: AnswerId) -> Vec<Submission> {
        let mut conn = self.worker.service.db.read().await.unwrap();
        submissions::of_answer(&mut conn, id).await.unwrap()
    }

    pub(super) async fn request(&self, id: DebtRequestId) -> DebtRequest {
        let mut conn = self.worker.service.db.read().await.unwrap();
        debt_requests::get(&mut conn, self.organization, id).await.unwrap().unwrap()
    }
}

fn simulator() -> SimHandle {
    let start = test_support::story::beginning();
    let mut config = Config { frozen: true, requests: 0, start: Some(start), ..Config::default() };
    config.scenario.timing.poll_ready = Duration::from_secs(2);
    Sim::start(config).unwrap()
}

fn worker(service: Arc<Service>, simulator: &SimHandle) -> Arc<Worker> {
    let settings = HttpSettings::new(simulator.base_url());
    let gis = Arc::new(HttpGis::new(settings).unwrap());
    let signer = NamedSigner { signer: Arc::new(signer()), operator_signature: true };
    Arc::new(Worker::new(service, gis, HashMap::from([("test".to_owned(), signer)])))
}

fn signer() -> KeyPairSigner {
    let key = PrivateKey::generate(ParameterSet::CryptoProA).unwrap();
    let (from, to) = (DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH + Days::new(150 * 365));
    let certificate = Certificate::self_signed(&key, "Test signer", from, to).unwrap();
    KeyPairSigner::new(KeyPair::new(key, certificate).unwrap())
}

const fn ppa() -> Uuid {
    Uuid::from_u128(0x7c8c_e67b)
}

/// The dictionaries of the simulator.
fn dictionaries() -> Dictionaries {
    let mut text = String::new();
    for dictionary in [Dictionary::IdentityDocuments, Dictionary::DebtDocuments] {
        for entry in dictionary.entries() {
            let number = dictionary.number();
            text.push_str(&format!("[[nsi_{number}]]\ncode = {:?}\nguid = \"{}\"\n", entry.code, entry.guid));
        }
    }
    Dictionaries::from_toml(&text).unwrap()
}

/// An answer without a debt.
pub(super) fn no_debt(comment: &str) -> ContentDraft {
    ContentDraft { comment: Some(comment.to_owned()), ..ContentDraft::default() }
}
