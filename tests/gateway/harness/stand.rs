//! A gateway of two organisations in front of a simulator, and the one clock that both go by.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gis_client::signature::CertificateDigest;
use gis_sim::control::{Fields, NewSubrequests, SubrequestReport};
use gis_sim::faults::{Kind, Rule, Target, When};
use gis_sim::{Config, Control, Sim, SimHandle};
use reqwest::Method;
use serde_json::{Value, json};
use test_support::postgres::for_both_urls;
use tokio::task::JoinHandle;
use uuid::{Uuid, uuid};

use super::{Client, Gateway, Workshop};

/// Our supplier in GIS.
pub(crate) const PPA: Uuid = uuid!("d0b70000-5100-4000-8000-0000000000a1");
/// The supplier of the other organisation.
pub(crate) const FOREIGN_PPA: Uuid = uuid!("d0b70000-5100-4000-8000-0000000000a2");
/// Everything a token may do.
pub(crate) const ALL_SCOPES: &str = "requests:read,answers:read,answers:submit,attachments:write,events:read,\
                                     registry:read,registry:write,settings:read,settings:write,stats:read,audit:read,\
                                     webhooks:manage,admin";
/// Steps of ten seconds: what goes well takes less than this.
const SHORT_STEPS: usize = 12;
/// Steps after which a story has certainly gone wrong: two hours.
const MOST_STEPS: usize = 130;

/// Everything of one story.
pub(crate) struct Stand {
    pub(crate) gateway: Gateway,
    pub(crate) workshop: Workshop,
    /// May do everything for our organisation.
    pub(crate) client: Client,
    /// May do everything for the other organisation.
    pub(crate) foreigner: Client,
    /// May do nothing but manage webhooks.
    pub(crate) powerless: Client,
    token: String,
    pub(crate) organization: Uuid,
    /// Our employee here, who executes everything.
    pub(crate) employee: Uuid,
    /// The same in GIS.
    pub(crate) executor: Uuid,
    sim: SimHandle,
}

/// What differs from one story to the next.
#[derive(Default)]
pub(crate) struct Setup {
    /// Debt requests that GIS has for each organisation at the start.
    pub(crate) requests: u64,
    /// Keys of `[gis]` beside the usual ones.
    pub(crate) gis: &'static str,
    /// Settings behind the usual ones.
    pub(crate) settings: &'static str,
    /// A scenario of the simulator, as a JSON merge patch.
    pub(crate) scenario: Option<Value>,
    /// A result counts only with a good signature of GIS.
    pub(crate) signed_results: bool,
}

/// Tells a story on both databases with so many debt requests, already read.
pub(crate) fn for_both(requests: u64, story: impl AsyncFn(Stand)) {
    for_both_with(
        || Setup { requests, ..Setup::default() },
        async |stand: Stand| {
            stand.read_gis().await;
            story(stand).await;
        },
    );
}

/// Tells a story on both databases.
pub(crate) fn for_both_with(setup: impl Fn() -> Setup, story: impl AsyncFn(Stand)) {
    for_both_urls(async |url| story(Stand::new(url, setup())).await);
}

impl Stand {
    pub(crate) fn new(database: &str, setup: Setup) -> Self {
        let start = test_support::story::beginning();
        let mut config = Config {
            requests: setup.requests,
            organizations: vec![PPA, FOREIGN_PPA],
            start: Some(start),
            frozen: true,
            ..Config::default()
        };
        config.scenario.import.auto_generate = false;
        let sim = Sim::start(config).unwrap();
        if let Some(patch) = setup.scenario {
            sim.control().patch_scenario(patch).unwrap();
        }
        let mut manners = setup.gis.to_owned();
        if setup.signed_results {
            let signer = CertificateDigest::of(sim.certificate());
            manners.push_str(&format!("verify_replies = \"require\"\nreply_signers = [\"{signer}\"]\n"));
        }
        let workshop = Workshop::new(database, &sim.base_url(), start, &manners, setup.settings);
        let executor = Uuid::now_v7();
        let ours = format!("Образцова Анна Сергеевна={executor}");
        let (organization, employee) = workshop.organization("УК «Пример»", "1027700132195", PPA, &ours);
        let theirs = format!("Чужова Вера Павловна={}", Uuid::now_v7());
        let (other, _) = workshop.organization("УК «Другая»", "1026605606620", FOREIGN_PPA, &theirs);
        let token = workshop.token(&[organization], ALL_SCOPES, "90");
        let foreign = workshop.token(&[other], ALL_SCOPES, "90");
        let powerless = workshop.token(&[organization], "webhooks:manage", "30");
        let gateway = workshop.serve(start);
        let client = Client::new(&gateway.public, &token);
        let foreigner = client.with_token(&foreign);
        let powerless = client.with_token(&powerless);
        Self { gateway, workshop, client, foreigner, powerless, token, organization, employee, executor, sim }
    }

    /// A client of ours that may do no more than this. The program is started again for it.
    pub(crate) fn client_with(&mut self, scopes: &str) -> Client {
        let (organization, mut token) = (self.organization, String::new());
        self.restart_after(|workshop| token = workshop.token(&[organization], scopes, "90"));
        self.client.with_token(&token)
    }

    /// The program is killed and started again.
    pub(crate) fn restart(&mut self) {
        self.restart_after(|_| {});
    }

    /// The same, with a command in between: SQLite serves one process at a time.
    pub(crate) fn restart_after(&mut self, meanwhile: impl FnOnce(&Workshop)) {
        self.gateway.kill();
        meanwhile(&self.workshop);
        self.gateway = self.workshop.serve(self.gis().now());
        self.client = self.client.at(&self.gateway.public);
        self.foreigner = self.foreigner.at(&self.gateway.public);
        self.powerless = self.powerless.at(&self.gateway.public);
    }

    /// Clients that act as employees. The program is started again: SQLite serves one process at a time.
    pub(crate) fn act_as<const N: usize>(&mut self, employees: [&str; N]) -> [Client; N] {
        let mut tokens = Vec::new();
        let organization = self.organization;
        self.restart_after(|workshop| {
            tokens.extend(employees.map(|it| workshop.employee_token(organization, it, ALL_SCOPES)));
        });
        std::array::from_fn(|place| self.client.with_token(&tokens[place]))
    }

    /// Adds an employee and returns the identifier.
    pub(crate) async fn employ(&self, name: &str, gis_id: Option<Uuid>, department: Option<&str>) -> String {
        let body = json!({ "name": name, "gis_id": gis_id, "department_id": department });
        let employee = self.client.post("/v1/employees", &body).await.ok(201);
        employee["id"].as_str().unwrap().to_owned()
    }

    /// Makes a department and returns the identifier.
    pub(crate) async fn department(&self, name: &str, responsible: &str, houses: &[Uuid]) -> String {
        let body = json!({ "name": name, "responsible_id": responsible, "houses": houses });
        let department = self.client.post("/v1/departments", &body).await.ok(201);
        department["id"].as_str().unwrap().to_owned()
    }

    /// A new debt request of ours in GIS about a house, read from there; its identifier.
    pub(crate) async fn asked_about(&self, fields: Fields) -> String {
        let new = NewSubrequests { organization: Some(PPA), fields, ..NewSubrequests::default() };
        let id = self.gis().create(&new).unwrap()[0].guid.to_string();
        self.client.post("/v1/sync-runs", &json!({})).await.ok(202);
        self.until("/v1/sync-runs", |runs| runs["items"][0]["finished_at"].is_string()).await;
        self.client.get(&format!("/v1/debt-requests/{id}")).await.ok(200);
        id
    }

    /// The token of `client`.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// What happens in GIS.
    pub(crate) fn gis(&self) -> &Control {
        self.sim.control()
    }

    /// What GIS holds.
    pub(crate) fn held(&self, request: &str) -> SubrequestReport {
        self.gis().subrequest(request.parse().unwrap()).unwrap()
    }

    pub(crate) fn fault(&self, operation: Target, when: When, kind: Kind) {
        self.gis().add_fault(Rule { operation, organization: None, subrequest: None, when, kind }).unwrap();
    }

    /// The next call that is about this debt request goes wrong.
    pub(crate) fn fault_once(&self, operation: Target, request: &str, kind: Kind) -> u64 {
        let subrequest = Some(request.parse().unwrap());
        let rule = Rule { operation, organization: None, subrequest, when: When::Next(1), kind };
        self.gis().add_fault(rule).unwrap()
    }

    /// New debt requests of ours in GIS.
    pub(crate) fn create(&self, count: u32) {
        self.gis()
            .create(&NewSubrequests { organization: Some(PPA), count, ..NewSubrequests::default() })
            .unwrap();
    }

    /// Time passes on both sides, then the jobs do what they can.
    pub(crate) async fn pass(&self, seconds: u64) {
        self.pass_without_jobs(seconds).await;
        self.start_jobs().await.unwrap();
    }

    /// Time passes on both sides, and nothing else happens.
    pub(crate) async fn pass_without_jobs(&self, seconds: u64) {
        self.gis().advance(Duration::from_secs(seconds)).unwrap();
        step(&self.internal(), &json!({ "advance_seconds": seconds, "jobs": false })).await;
    }

    /// The jobs do what they can while the story goes on.
    pub(crate) fn start_jobs(&self) -> JoinHandle<()> {
        let internal = self.internal();
        tokio::spawn(async move { step(&internal, &json!({})).await })
    }

    /// Time passes at once until a moment.
    pub(crate) async fn pass_until(&self, moment: DateTime<Utc>) {
        self.pass(u64::try_from((moment - self.gis().now()).num_seconds()).unwrap()).await;
    }

    /// The internal port; a new client would read the machine's certificates for every step.
    fn internal(&self) -> Client {
        self.client.at(&self.gateway.internal).without_token()
    }

    /// Posts an answer and returns its identifier.
    pub(crate) async fn answer(&self, request: &str, body: &Value) -> String {
        let reply = self.client.post(&format!("/v1/debt-requests/{request}/answers"), body).await;
        assert!(matches!(reply.status.as_u16(), 201 | 202), "{:#}", reply.body);
        reply.body["id"].as_str().unwrap().to_owned()
    }

    /// Sends a file as a form does.
    pub(crate) async fn upload(&self, name: &str, description: &str, content: &[u8]) -> Value {
        let boundary = "a-boundary-of-the-test";
        let mut form = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\n{description}\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        form.extend_from_slice(content);
        form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let call = self.client.call(Method::POST, "/v1/attachments");
        call.body(&format!("multipart/form-data; boundary={boundary}"), form).send().await.ok(201)
    }

    /// Time passes in steps of ten seconds, later of a minute, until something is true of what `path` shows.
    pub(crate) async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        for step in 0..MOST_STEPS {
            self.pass(if step < SHORT_STEPS { 10 } else { 60 }).await;
            let shown = self.client.get(path).await.ok(200);
            if holds(&shown) {
                return shown;
            }
        }
        panic!("{path} does not come to it: {:#}", self.client.get(path).await.body);
    }

    /// Time passes until the answer is in a state.
    pub(crate) async fn until_state(&self, answer: &str, state: &str) -> Value {
        self.until(&format!("/v1/answers/{answer}"), |answer| answer["state"] == state).await
    }

    /// The first reading of GIS, to its end.
    pub(crate) async fn read_gis(&self) {
        self.until("/v1/sync-runs", |runs| runs["items"][0]["finished_at"].is_string()).await;
    }

    /// Identifiers of our debt requests, in the usual order.
    pub(crate) async fn request_ids(&self) -> Vec<String> {
        ids(&self.client.walk("/v1/debt-requests?limit=200").await)
    }
}

async fn step(internal: &Client, step: &Value) {
    internal.post("/testing/step", step).await.ok(200);
}

/// The ids of items.
pub(crate) fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}
