//! One organisation with its worker, its simulator and its debt requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Days, TimeDelta, Utc};
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
use crate::domain::answer::{Answer, Confirm, Source, State};
use crate::domain::caller::{Caller, Scope, Scopes};
use crate::domain::debt_request::{
    Address, DebtRequest, GisView, RequestStatus, Requester, ResponseStatus, Stage,
};
use crate::domain::organization::{Employee, Organization};
use crate::domain::submission::Submission;
use crate::files::FileStore;
use crate::idempotency::{Begun, Reply, Writing};
use crate::ids::{AnswerId, DebtRequestId, EmployeeId, OrganizationId, TokenId};
use crate::jobs::{JobName, NamedSigner, Worker};
use crate::settings::Settings;
use crate::store::{Db, answers, debt_requests, jobs, organizations, submissions, test_db};

/// The jobs under test, in the order of an answer's way.
const JOBS: [JobName; 4] = [JobName::Files, JobName::Outbox, JobName::Polling, JobName::Settle];
/// More activations in a row mean that a job runs in circles.
const MOST_ROUNDS: usize = 60;

/// Everything of one test.
pub(super) struct Bench {
    pub(super) worker: Worker,
    pub(super) simulator: SimHandle,
    pub(super) organization: OrganizationId,
    pub(super) executor: Uuid,
    caller: Caller,
    _files: TempDir,
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
        let (organization, executor) = organization(&service).await;
        let worker = worker(Arc::new(service), &simulator);
        let caller = Caller {
            token: TokenId::generate(),
            subject: "1C".to_owned(),
            organization,
            employee: None,
            scopes: Scopes::from_iter(Scope::ALL.iter().copied()),
        };
        Self { worker, simulator, organization, executor, caller, _files: files }
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
        debt_requests::save_many(&mut tx, &requests).await.unwrap();
        tx.commit().await.unwrap();
        ids
    }

    fn mirrored(&self, id: DebtRequestId) -> DebtRequest {
        let now = self.worker.now();
        let report = self.held(id);
        DebtRequest {
            id,
            organization: self.organization,
            gis: GisView {
                request_id: None,
                request_number: report.summary.number,
                requester: Requester::default(),
                address: Address::default(),
                period_from: None,
                period_to: None,
                sent_on: Some(report.summary.sent),
                due_on: Some(report.summary.respond_by),
                request_status: RequestStatus::Sent,
                response_status: ResponseStatus::NotSent,
            },
            synced_at: now,
            shown: None,
            stage: Stage::New,
            answered: false,
            department: None,
            responsible: None,
            executor: None,
            note: None,
            matched: None,
            answer: None,
            draft: None,
            alarm: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
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
        let mut writing = self.writing().await;
        let created = self.worker.service.create_answer(&mut writing, &self.caller, command).await.unwrap();
        writing.finish(&reply()).await.unwrap();
        created.answer.answer.id
    }

    pub(super) async fn revoke(&self, id: AnswerId) {
        let mut writing = self.writing().await;
        let command = RevokeAnswer::default();
        self.worker.service.revoke_answer(&mut writing, &self.caller, id, command, None).await.unwrap();
        writing.finish(&reply()).await.unwrap();
    }

    async fn writing(&self) -> Writing {
        match self.worker.service.begin(None).await.unwrap() {
            Begun::Fresh(writing) => writing,
            Begun::Replay(_) => panic!("a replay without a key"),
        }
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
        self.worker.run(std::future::ready(())).await;
    }

    pub(super) async fn answer(&self, id: AnswerId) -> Answer {
        let mut conn = self.worker.service.db.read().await.unwrap();
        answers::get(&mut conn, self.organization, id).await.unwrap().unwrap()
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
    let start = DateTime::from_timestamp_millis(Utc::now().timestamp_millis());
    let mut config = Config { frozen: true, requests: 0, start, ..Config::default() };
    config.scenario.timing.poll_ready = Duration::from_secs(2);
    Sim::start(config).unwrap()
}

fn worker(service: Arc<Service>, simulator: &SimHandle) -> Worker {
    let settings = HttpSettings::new(simulator.base_url());
    let gis = Arc::new(HttpGis::new(settings).unwrap());
    let signer = NamedSigner { signer: Arc::new(signer()), operator_signature: true };
    Worker::new(service, gis, HashMap::from([("test".to_owned(), signer)]))
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

async fn organization(service: &Service) -> (OrganizationId, Uuid) {
    let now = service.clock.now();
    let employee = Employee {
        id: EmployeeId::generate(),
        organization: OrganizationId::generate(),
        full_name: "Тестова Анна Петровна".to_owned(),
        gis_guid: Some(Uuid::from_u128(0xE)),
        department: None,
    };
    let organization = Organization {
        id: employee.organization,
        name: "ООО «Пример»".to_owned(),
        ogrn: "1027700132195".parse().unwrap(),
        ppa_guid: ppa(),
        signer: "test".to_owned(),
        time_zone: chrono_tz::Europe::Moscow,
        default_executor: None,
        content_key: [7; 32],
        halted: None,
        created_at: now,
    };
    let mut tx = service.db.begin().await.unwrap();
    organizations::insert(&mut tx, &organization).await.unwrap();
    organizations::insert_employee(&mut tx, &employee, now).await.unwrap();
    organizations::set_default_executor(&mut tx, organization.id, employee.id).await.unwrap();
    tx.commit().await.unwrap();
    (organization.id, employee.gis_guid.unwrap())
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

fn command(debt_request: DebtRequestId, content: ContentDraft) -> CreateAnswer {
    CreateAnswer {
        debt_request,
        external_id: None,
        submit: true,
        content,
        executor: None,
        confirm: Vec::new(),
        reason: Some("ошибка".to_owned()),
        source: Source::Api,
        trace: None,
    }
}

fn reply() -> Reply {
    Reply { status: 202, headers: Vec::new(), body: Bytes::new() }
}

/// An answer without a debt.
pub(super) fn no_debt(comment: &str) -> ContentDraft {
    ContentDraft { comment: Some(comment.to_owned()), ..ContentDraft::default() }
}
