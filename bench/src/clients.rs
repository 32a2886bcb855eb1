//! Clients as integrators write them: one hears of new debt requests by the events, several post the answers, those
//! without a debt many at once.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bench::Failure;
use bench::http::{Client, Connection};
use futures_util::future::try_join_all;
use hyper::StatusCode;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

/// Posts at once.
const POSTING: usize = 16;
/// Most answers in one bulk request, as many as a page of events has.
const BULK: usize = 200;
/// One answer in so many tells of a debt, with a debtor and a court act.
const DEBT_ONE_IN: u32 = 10;
/// Events come within this time, or something is stuck.
const PATIENCE: Duration = Duration::from_secs(300);
/// A correction comes so long after what it corrects.
const CORRECTED_AFTER: Duration = Duration::from_secs(5);
/// While there is nothing to post.
const PAUSE: Duration = Duration::from_millis(5);

/// What was posted.
#[derive(Debug, Clone)]
pub(crate) struct Posted {
    /// No two answers have the same.
    pub(crate) comment: String,
    pub(crate) has_debt: bool,
    pub(crate) answer: Uuid,
}

/// A debt request to be answered, perhaps not for the first time.
struct Task {
    request: Uuid,
    not_before: Instant,
}

/// An answer that is about to be posted.
struct NewAnswer {
    request: Uuid,
    number: u32,
}

impl NewAnswer {
    const fn has_debt(&self) -> bool {
        self.number.is_multiple_of(DEBT_ONE_IN)
    }

    fn comment(&self) -> String {
        format!("ответ {}", self.number)
    }

    fn body(&self) -> Map<String, Value> {
        let debtors = if self.has_debt() { json!([debtor(self.number)]) } else { json!([]) };
        let fields =
            [("has_debt", json!(self.has_debt())), ("comment", json!(self.comment())), ("debtors", debtors)];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// As one of many.
    fn item(&self) -> Value {
        let mut item = self.body();
        item.insert("debt_request_id".to_owned(), json!(self.request));
        item.into()
    }
}

pub(crate) struct Clients {
    client: Client,
    /// One answer in so many is corrected later.
    corrected_one_in: Option<u32>,
    expected: Cell<usize>,
    closed: Cell<bool>,
    heard: Cell<usize>,
    tasks: RefCell<VecDeque<Task>>,
    corrections: RefCell<VecDeque<Task>>,
    /// By debt request, the newest last.
    posted: RefCell<HashMap<Uuid, Vec<Posted>>>,
    begun: Cell<u32>,
}

impl Clients {
    pub(crate) fn new(client: Client, corrected_one_in: Option<u32>) -> Self {
        Self {
            client,
            corrected_one_in,
            expected: Cell::new(0),
            closed: Cell::new(false),
            heard: Cell::new(0),
            tasks: RefCell::default(),
            corrections: RefCell::default(),
            posted: RefCell::default(),
            begun: Cell::new(0),
        }
    }

    /// So many more debt requests will come.
    pub(crate) fn expect(&self, requests: usize) {
        self.expected.set(self.expected.get() + requests);
    }

    /// No more than those will come.
    pub(crate) fn close(&self) {
        self.closed.set(true);
    }

    /// Has debt requests read; when they are being read already, that will do.
    pub(crate) async fn start_reading(&self) -> Result<(), Failure> {
        let status = self.connect().await?.send(self.client.post("/v1/sync-runs", "")?).await?;
        if status.is_success() || status == StatusCode::CONFLICT {
            return Ok(());
        }
        Err(format!("POST /v1/sync-runs: {status}").into())
    }

    /// Hears of every debt request and posts an answer to each.
    pub(crate) async fn answer_everything(&self) -> Result<(), Failure> {
        let posting = (0..POSTING).map(|_| self.post_all());
        tokio::try_join!(self.hear_all(), try_join_all(posting)).map(drop)
    }

    pub(crate) fn has_heard_everything(&self) -> bool {
        self.closed.get() && self.heard.get() >= self.expected.get()
    }

    async fn hear_all(&self) -> Result<(), Failure> {
        let mut connection = self.connect().await?;
        let (mut after, mut deadline) = (String::new(), Instant::now() + PATIENCE);
        while !self.has_heard_everything() {
            if Instant::now() > deadline {
                return Err(format!("only {} debt requests came", self.heard.get()).into());
            }
            let path = format!("/v1/events?type=debt_request.received&limit=200&wait=5{after}");
            let feed = connection.json(self.client.get(&path)?).await?;
            for event in array(&feed) {
                let request = guid(event, "debt_request_id")?;
                self.tasks.borrow_mut().push_back(Task { request, not_before: Instant::now() });
                self.heard.set(self.heard.get() + 1);
                deadline = Instant::now() + PATIENCE;
            }
            after = format!("&after={}", text(&feed, "next")?);
        }
        Ok(())
    }

    async fn post_all(&self) -> Result<(), Failure> {
        let mut connection = self.connect().await?;
        loop {
            if let Some(task) = self.next_correction() {
                self.post(&mut connection, &self.new_answer(task.request)).await?;
                continue;
            }
            let answers = self.next_answers();
            if answers.is_empty() {
                if self.is_done() {
                    return Ok(());
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let (debts, others): (Vec<_>, Vec<_>) = answers.into_iter().partition(NewAnswer::has_debt);
            self.post_together(&mut connection, &others).await?;
            for answer in debts {
                self.post(&mut connection, &answer).await?;
            }
        }
    }

    fn next_correction(&self) -> Option<Task> {
        let mut corrections = self.corrections.borrow_mut();
        let due = corrections.front().is_some_and(|task| task.not_before <= Instant::now());
        if due { corrections.pop_front() } else { None }
    }

    /// What is answered for the first time.
    fn next_answers(&self) -> Vec<NewAnswer> {
        let mut tasks = self.tasks.borrow_mut();
        let few = tasks.len().min(BULK);
        tasks.drain(..few).map(|task| self.new_answer(task.request)).collect()
    }

    fn new_answer(&self, request: Uuid) -> NewAnswer {
        let number = self.begun.get();
        self.begun.set(number + 1);
        NewAnswer { request, number }
    }

    fn is_done(&self) -> bool {
        self.has_heard_everything() && self.tasks.borrow().is_empty() && self.corrections.borrow().is_empty()
    }

    async fn post(&self, connection: &mut Connection, new: &NewAnswer) -> Result<(), Failure> {
        let mut body = new.body();
        body.insert("submit".to_owned(), json!(true));
        if self.posted.borrow().contains_key(&new.request) {
            body.insert("confirm".to_owned(), json!(["already_answered", "correction_too_late"]));
            body.insert("reason".to_owned(), json!("опечатка"));
        }
        let path = format!("/v1/debt-requests/{}/answers", new.request);
        let answer = connection.json(self.client.post(&path, &Value::from(body).to_string())?).await?;
        self.note(new, guid(&answer, "id")?);
        Ok(())
    }

    async fn post_together(&self, connection: &mut Connection, all: &[NewAnswer]) -> Result<(), Failure> {
        if all.is_empty() {
            return Ok(());
        }
        let body = json!({ "submit": true, "items": all.iter().map(NewAnswer::item).collect::<Vec<_>>() });
        let operation = connection.json(self.client.post("/v1/answers/bulk", &body.to_string())?).await?;
        let path = format!("{}?limit={BULK}", text(&operation, "items_url")?);
        let items = connection.json(self.client.get(&path)?).await?;
        for (new, item) in all.iter().zip(array(&items)) {
            if guid(item, "debt_request_id")? != new.request {
                return Err("items in another order".into());
            }
            self.note(new, guid(item, "answer_id")?);
        }
        Ok(())
    }

    fn note(&self, new: &NewAnswer, answer: Uuid) {
        let posted = Posted { comment: new.comment(), has_debt: new.has_debt(), answer };
        let mut all = self.posted.borrow_mut();
        let of_request = all.entry(new.request).or_default();
        let is_first = of_request.is_empty();
        of_request.push(posted);
        if is_first && self.corrected_one_in.is_some_and(|one_in| new.number.is_multiple_of(one_in)) {
            let not_before = Instant::now() + CORRECTED_AFTER;
            self.corrections.borrow_mut().push_back(Task { request: new.request, not_before });
        }
    }

    /// Whether any answer fits.
    pub(crate) async fn any_answer(&self, conditions: &str) -> Result<bool, Failure> {
        let page = self.get(&format!("/v1/answers?{conditions}&limit=1")).await?;
        Ok(array(&page).next().is_some())
    }

    /// The state of every answer.
    pub(crate) async fn states(&self) -> Result<HashMap<Uuid, String>, Failure> {
        let mut connection = self.connect().await?;
        let (mut states, mut cursor) = (HashMap::new(), String::new());
        loop {
            let page = connection.json(self.client.get(&format!("/v1/answers?limit=200{cursor}"))?).await?;
            for answer in array(&page) {
                states.insert(guid(answer, "id")?, text(answer, "state")?.to_owned());
            }
            match page.get("next").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(states),
            }
        }
    }

    /// What was posted, by debt request, the newest last.
    pub(crate) fn posted(&self) -> HashMap<Uuid, Vec<Posted>> {
        self.posted.borrow().clone()
    }

    /// What waits to be sent or is on its way, by the status page.
    pub(crate) async fn queue(&self) -> Result<Value, Failure> {
        let status = self.get("/v1/gis/status").await?;
        Ok(status.get("queue").cloned().unwrap_or_default())
    }

    /// Reads something.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.connect().await?.json(self.client.get(path)?).await
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        Connection::open(self.client.address).await
    }
}

/// An invented debtor with an invented court act.
fn debtor(number: u32) -> Value {
    let paper = STANDARD.encode(format!("вымышленный приказ {number} ").repeat(40));
    json!({
        "last_name": "Вымышленный", "first_name": "Пример", "snils": "11223344595",
        "documents": [{ "type_code": "1", "file_name": "приказ.txt", "content_base64": paper }],
    })
}

fn array(page: &Value) -> impl Iterator<Item = &Value> {
    page.get("items").and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, Failure> {
    value.get(name).and_then(Value::as_str).ok_or_else(|| format!("a reply without {name}").into())
}

fn guid(value: &Value, name: &str) -> Result<Uuid, Failure> {
    Ok(text(value, name)?.parse()?)
}
