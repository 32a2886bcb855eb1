//! The simulator of GIS with its faults, the program with short times, and the ways to hurt and to question both.

use std::time::Duration;

use chrono::Utc;
use gis_sim::faults::{Kind, Rule, Target, When};
use gis_sim::{Config, Control, Sim, SimHandle};
use serde_json::Value;
use test_support::postgres::cut_connections;
use tokio::time::Instant;
use uuid::{Uuid, uuid};

use crate::clients::{Accepted, Clients};
use crate::fleet::Fleet;
use crate::harness::{Client, Workshop};
use crate::plan::{Extent, Post, Strike, UNANSWERED};
use crate::verdict::{Judge, Verdict};

/// Our supplier in GIS.
const PPA: Uuid = uuid!("d0b70000-5100-4000-8000-0000000000a1");
const SCOPES: &str = "requests:read,answers:read,answers:submit,attachments:write,events:read";
/// Whatever is waited for comes within this time, or never.
const PATIENCE: Duration = Duration::from_secs(600);
/// A watch looks every six seconds here, and what it finds needs a call and its result; faults strike both.
const REPAIRED_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at what is waited for.
const PAUSE: Duration = Duration::from_millis(250);

/// How far exports lag behind the truth in the simulator; the program is told of more.
const VIEW_LAG: Duration = Duration::from_millis(400);
/// A copy that lands when the program has just looked in vain, and before its next attempt can have been corrected.
const AFTER_THE_LOOK: Duration = Duration::from_millis(3100);
/// A copy that lands when what it carries has perhaps been corrected.
const COPY: Duration = Duration::from_millis(2500);
/// The shortest times that the program takes: `settle_time` must be longer than twice the timeout and a second.
const TIMES: &str = r#"
poll_after = ["50ms", "100ms", "200ms", "500ms"]
package_size = 20
package_linger = "50ms"
timeout = "1s"
settle_time = "3001ms"
resend_after_fault = "300ms"
max_delay = "5s"
view_lag = "500ms"
"#;
/// A client may ask for a reading whenever it likes.
const SYNC: &str = "[sync]\nleast_pause = \"1ms\"";

pub(crate) struct World {
    url: String,
    sim: SimHandle,
    pub(crate) fleet: Fleet,
    pub(crate) clients: Clients,
    reader: Client,
    pub(crate) requests: Vec<String>,
}

impl World {
    /// Starts everything, lets the program read its debt requests in peace, and only then lets GIS misbehave.
    pub(crate) async fn start(url: &str, extent: &Extent) -> Self {
        let world = Self::furnish(url, extent, "").await;
        misbehave(world.gis());
        world
    }

    /// The same with a GIS that does as it should, and one call of it at a time.
    pub(crate) async fn calm(url: &str, extent: &Extent) -> Self {
        Self::furnish(url, extent, "\nparallel = 1").await
    }

    async fn furnish(url: &str, extent: &Extent, manners: &str) -> Self {
        let count = extent.answers + UNANSWERED;
        let mut config = Config {
            seed: extent.seed,
            requests: u64::try_from(count).unwrap(),
            organizations: vec![PPA],
            ..Config::default()
        };
        config.scenario.timing.poll_ready = Duration::from_millis(20);
        config.scenario.timing.poll_ready_spread = Duration::from_millis(60);
        config.scenario.timing.view_lag = VIEW_LAG;
        config.scenario.import.auto_generate = false;
        let sim = Sim::start(config).unwrap();
        let gis = format!("base_url = \"{}\"{TIMES}{manners}", sim.base_url());
        let workshop = Workshop::furnish(url, &gis, Utc::now(), SYNC);
        let executor = format!("Образцова Анна Сергеевна={}", Uuid::now_v7());
        let (organization, _) = workshop.organization("УК «Пример»", "1027700132195", PPA, &executor);
        let token = workshop.token(&[organization], SCOPES, "30");
        let fleet = Fleet::start(workshop, extent.instances).await;
        let addresses = fleet.addresses();
        let first = addresses.borrow()[0].clone();
        let reader = Client::new(&first, &token);
        read(&reader).await;
        let requests = reader.walk("/v1/debt-requests?limit=200").await;
        let requests: Vec<String> =
            requests.iter().map(|request| request["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(requests.len(), count, "every debt request is read");
        let clients = Clients::new(reader.clone(), addresses, requests.clone());
        Self { url: url.to_owned(), sim, fleet, clients, reader, requests }
    }

    /// Clients post while the program dies and comes back; how many connections were cut besides.
    pub(crate) async fn post_and_strike(
        &mut self,
        posts: Vec<Post>,
        strike: Option<&Strike>,
    ) -> (Vec<Accepted>, usize) {
        let Self { url, fleet, clients, .. } = self;
        let strike = async {
            match strike {
                Some(strike) => hit(url, fleet, strike).await,
                None => 0,
            }
        };
        tokio::join!(clients.post(posts), strike)
    }

    pub(crate) fn repeats(&self) -> usize {
        self.clients.repeats()
    }

    /// Until the last reading of GIS has come to its end, which must be a good one.
    pub(crate) async fn read(&self) {
        read(&self.living()).await;
    }

    /// Until every answer is final and GIS has nothing left to do, no copy to place either.
    pub(crate) async fn rest(&self) {
        let open = "/v1/answers?is_final=false&limit=200";
        let calm = until(async || {
            let page = self.living().get(open).await;
            let gis = self.gis().state();
            page.status.is_success()
                && page.body["items"].as_array().unwrap().is_empty()
                && gis.unfinished_messages == 0
                // Deadlines pass at midnight in Moscow; whatever else is to come is a copy.
                && gis.due_later == gis.deadlines_later
        })
        .await;
        if !calm {
            let page = self.living().get(open).await.ok(200);
            let items = page["items"].as_array().unwrap();
            let mut shown = format!("{} answers or more are not final:\n", items.len());
            for answer in items.iter().take(3) {
                shown += &self.tell(answer["id"].as_str().unwrap()).await;
            }
            panic!("{shown}\n{}", self.fleet.logs());
        }
    }

    /// Compares what was accepted with what the program says and what GIS holds. What a late copy has undone last is put
    /// right by the watch, which takes its time.
    pub(crate) async fn judge(&self, accepted: Vec<Accepted>) -> Verdict {
        let deadline = Instant::now() + REPAIRED_WITHIN;
        let mut verdict = loop {
            let answers = self.living().walk("/v1/answers?limit=200").await;
            let verdict = Judge::new(self.gis(), &self.requests, answers).judge(&accepted);
            if verdict.lost.is_empty() || Instant::now() > deadline {
                break verdict;
            }
            tokio::time::sleep(PAUSE).await;
        };
        for finding in verdict.lost.iter_mut().chain(&mut verdict.doubled).take(5) {
            for answer in accepted.iter().filter(|accepted| accepted.request == finding.request) {
                finding.words += &self.tell(&answer.answer).await;
            }
        }
        verdict
    }

    /// Everything the program knows of an answer, for whoever must understand a failure.
    async fn tell(&self, answer: &str) -> String {
        let path = format!("/v1/answers/{answer}");
        let shown: Value = self.living().get(&path).await.body;
        let submissions = self.living().get(&format!("{path}/submissions")).await.body;
        format!("\n{answer}: {shown:#}\n{submissions:#}")
    }

    pub(crate) fn gis(&self) -> &Control {
        self.sim.control()
    }

    /// A client of one that lives.
    pub(crate) fn living(&self) -> Client {
        let addresses = self.fleet.addresses();
        let address = addresses.borrow()[0].clone();
        self.reader.at(&address)
    }
}

/// One death.
async fn hit(url: &str, fleet: &mut Fleet, strike: &Strike) -> usize {
    // The moments are the experiment itself: nothing is waited for here.
    tokio::time::sleep(strike.after).await;
    let mut cut = 0;
    if let Some(before) = strike.cut_before.filter(|_| url.starts_with("postgres")) {
        cut = cut_connections(url).await;
        tokio::time::sleep(before).await;
    }
    fleet.kill(strike.victim);
    tokio::time::sleep(strike.dead_for).await;
    fleet.start_again(strike.victim).await;
    cut
}

/// What goes wrong with calls of GIS: each rule strikes a call with its probability, by the seed of the simulator.
fn misbehave(gis: &Control) {
    let overloaded = || "EXP001000".to_owned();
    let late = Duration::from_millis(100);
    let rules = [
        // The acknowledgement is lost.
        (Target::ImportResponses, 0.06, Kind::ResetAfter { late: Duration::ZERO }),
        (Target::ImportResponses, 0.04, Kind::ResetAfter { late: AFTER_THE_LOOK }),
        (Target::ImportResponses, 0.03, Kind::Garbage { late: Some(late) }),
        (Target::ImportResponses, 0.02, Kind::ResetBefore),
        // "Try later", which says nothing of whether the package was taken.
        (Target::ImportResponses, 0.03, Kind::SoapFault { code: overloaded(), text: None, late: None }),
        (Target::ImportResponses, 0.03, Kind::SoapFault { code: overloaded(), text: None, late: Some(late) }),
        (Target::ImportResponses, 0.03, Kind::StateError { code: overloaded(), text: None }),
        // A second copy under way.
        (Target::ImportResponses, 0.30, Kind::Ghost { after: COPY }),
        // Results that come late, in part, or never.
        (Target::ImportResponses, 0.05, Kind::Late { by: Duration::from_millis(700) }),
        (Target::ImportResponses, 0.03, Kind::WrongCount { missing: 2 }),
        (Target::ImportResponses, 0.10, Kind::Shuffle),
        (Target::ImportResponses, 0.02, Kind::LostState { after: Duration::ZERO }),
        // Questions and files.
        (Target::GetState, 0.02, Kind::ResetBefore),
        (Target::GetState, 0.02, Kind::StateError { code: overloaded(), text: None }),
        (Target::ExportDebtSubrequests, 0.05, Kind::SoapFault { code: overloaded(), text: None, late: None }),
        (Target::UploadFile, 0.02, Kind::ResetBefore),
    ];
    for (operation, chance, kind) in rules {
        let when = When::Chance(chance);
        gis.add_fault(Rule { operation, organization: None, subrequest: None, when, kind }).unwrap();
    }
}

async fn read(reader: &Client) {
    let last = async || reader.get("/v1/sync-runs").await.ok(200)["items"][0].clone();
    let finished = until(async || last().await["finished_at"].is_string()).await;
    let last = last().await;
    assert!(finished && last["state"] == "succeeded", "{last:#}");
}

/// Whether something becomes true.
async fn until(condition: impl AsyncFn() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if condition().await {
            return true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    false
}
