//! One row of a table: an answer that meets a fault, and what must be true of it afterwards.

use chrono::{DateTime, Utc};
use gis_sim::faults::{Kind, Target};
use gis_sim::state::{Cause, Change};
use gis_sim::wire::model::ResponseStatus;
use serde_json::{Value, json};

use crate::harness::Stand;

/// Waits between looks at an answer that is not final and does not say when it will be looked after; the last one repeats.
const WAITS: [u64; 4] = [12, 60, 300, 1800];
/// The shortest wait: GIS wants as much between an acknowledgement and the question for its result.
const LEAST_WAIT: u64 = 12;
/// Waits after which a story has certainly gone wrong: two days.
const MOST_WAITS: usize = 100;
/// The debtors' family name; nobody's.
const NAME: &str = "Вымышленный";

/// What goes wrong with one call, and what must come of it.
pub(super) struct Row {
    pub(super) kind: Kind,
    /// What the gateway made of the call that went wrong: the outcome of its attempt.
    pub(super) outcome: &'static str,
    /// The events of the answer, in order.
    pub(super) story: &'static str,
    /// What happened to the debt request in GIS, in order.
    pub(super) effects: &'static str,
}

impl Row {
    pub(super) const fn new(
        kind: Kind,
        outcome: &'static str,
        story: &'static str,
        effects: &'static str,
    ) -> Self {
        Self { kind, outcome, story, effects }
    }
}

/// An answer that was posted, by its debt request.
pub(super) struct Posted {
    pub(super) request: String,
    pub(super) answer: String,
    pub(super) comment: String,
}

/// A debt of an invented person; the comment makes each the only one of its kind.
pub(super) fn debt(comment: &str) -> Value {
    json!({
        "submit": true, "has_debt": true, "comment": comment,
        "debtors": [{ "last_name": NAME, "first_name": "Пётр", "middle_name": "Иванович", "snils": "11223344595" }],
    })
}

impl Posted {
    pub(super) async fn new(stand: &Stand, request: &str, comment: &str) -> Self {
        let answer = stand.answer(request, &debt(comment)).await;
        Self { request: request.to_owned(), answer, comment: comment.to_owned() }
    }

    pub(super) async fn shown(&self, stand: &Stand) -> Value {
        stand.client.get(&format!("/v1/answers/{}", self.answer)).await.ok(200)
    }

    /// Time passes until the answer is final, at once to the moment at which the gateway means to look after it.
    pub(super) async fn until_final(&self, stand: &Stand) -> Value {
        let mut silent = WAITS.into_iter().chain(std::iter::repeat(1800));
        for _ in 0..MOST_WAITS {
            let shown = self.shown(stand).await;
            if shown["is_final"] == true {
                return shown;
            }
            let now = stand.gis().now();
            let next = shown["next_check_at"].as_str().map(|time| time.parse::<DateTime<Utc>>().unwrap());
            let wait = match next.map(|next| (next - now).num_seconds() + 1) {
                Some(wait) if wait > 0 => u64::try_from(wait).unwrap().max(LEAST_WAIT),
                Some(_) | None => silent.next().unwrap(),
            };
            stand.pass(wait).await;
        }
        panic!("it does not end: {:#}", self.shown(stand).await);
    }

    /// The answer meets a fault and comes to its end; the fault must have struck.
    pub(super) async fn meet(&self, stand: &Stand, operation: Target, kind: &Kind) -> Value {
        let fault = stand.fault_once(operation, &self.request, kind.clone());
        let shown = self.until_final(stand).await;
        let struck = stand.gis().faults().into_iter().find(|rule| rule.id == fault).unwrap().struck;
        assert_eq!(struck, 1, "the fault did not strike: {kind:?}");
        stand.gis().remove_fault(fault).unwrap();
        shown
    }

    /// The events of the answer, in order, without the word that all of them have. That it is late moves it nowhere.
    pub(super) async fn story(&self, stand: &Stand) -> String {
        let history = stand.client.walk(&format!("/v1/debt-requests/{}/history", self.request)).await;
        let text = json!(history).to_string();
        assert!(!text.contains(NAME) && !text.contains(&self.comment) && !text.contains("11223344595"));
        let order =
            |event: &Value| (event["sequence"].as_i64(), event["occurred_at"].as_str().map(str::to_owned));
        assert!(history.iter().map(order).is_sorted(), "{text}");
        let own = history.iter().filter(|event| event["answer_id"] == *self.answer);
        let own = own.filter(|event| event["type"] != "answer.delayed");
        let kinds: Vec<_> =
            own.map(|event| event["type"].as_str().unwrap().trim_start_matches("answer.")).collect();
        kinds.join(" ")
    }

    /// The outcome of each attempt of an action.
    pub(super) async fn outcomes(&self, stand: &Stand, action: &str) -> Vec<String> {
        let path = format!("/v1/answers/{}/submissions", self.answer);
        let attempts = stand.client.get(&path).await.ok(200);
        let attempts = attempts["items"].as_array().unwrap().iter();
        let own = attempts.filter(|attempt| attempt["action"] == action && attempt["attempt"].is_number());
        own.map(|attempt| attempt["outcome"].as_str().unwrap_or("none").to_owned()).collect()
    }

    /// GIS holds this answer, as it was posted.
    pub(super) fn is_held(&self, stand: &Stand) {
        let held = stand.held(&self.request).held;
        assert_eq!(held.status, ResponseStatus::Sent, "{}", self.comment);
        let answer = held.answer.unwrap();
        assert_eq!((answer.has_debt, answer.description.as_deref()), (true, Some(self.comment.as_str())));
        assert_eq!(answer.executor, stand.executor);
        let [debtor] = answer.debtors.as_slice() else { panic!("one debtor") };
        assert_eq!(
            (debtor.person.last.as_str(), debtor.person.snils.as_deref()),
            (NAME, Some("11223344595"))
        );
    }
}

/// What took effect in GIS on a debt request, in order.
pub(super) fn effects(stand: &Stand, request: &str) -> String {
    let held = stand.held(request);
    assert_eq!(held.forgotten, 0);
    let words: Vec<_> = held
        .history
        .iter()
        .map(|effect| match (&effect.change, &effect.cause) {
            (Change::Sent(_), Cause::Call { ghost: true, .. }) => "copy",
            (Change::Sent(_), Cause::Call { ghost: false, .. }) => "sent",
            (Change::Revoked, Cause::Call { .. }) => "revoked",
            (Change::AutoGenerated, _) => "automatic",
            (Change::Sent(_) | Change::Revoked, Cause::Cabinet | Cause::System) => "foreign",
        })
        .collect();
    words.join(" ")
}

/// Everything late lands, and an export confirms what is in force.
pub(super) async fn afterwards(stand: &Stand) {
    for wait in [4 * 3600, 12, 12] {
        stand.pass(wait).await;
    }
}

/// Tells the rows one after another, each on a debt request of its own, and then looks at what has become of all of them.
/// `prepare` is what must have gone wrong before.
pub(super) async fn tell(stand: &Stand, operation: Target, rows: Vec<Row>, prepare: impl Fn(&str)) {
    let mut requests = stand.request_ids().await.into_iter();
    let mut told = Vec::new();
    for (number, row) in rows.into_iter().enumerate() {
        let request = requests.next().unwrap();
        prepare(&request);
        let posted = Posted::new(stand, &request, &format!("решение {number}")).await;
        let shown = posted.meet(stand, operation, &row.kind).await;
        // What was refused is posted again, when the fault is over, and goes through.
        let again = if shown["state"] == "rejected" {
            assert_eq!(effects(stand, &request), "", "refused, so nothing took effect: {:?}", row.kind);
            assert_eq!(shown["last_error"]["origin"], "gis", "{shown:#}");
            let again = Posted::new(stand, &request, &format!("исправленное решение {number}")).await;
            again.until_final(stand).await;
            Some(again)
        } else {
            None
        };
        told.push((row, posted, again));
    }
    afterwards(stand).await;
    let mut verdict = Verdict::default();
    for (row, posted, again) in &told {
        let kind = &row.kind;
        verdict.compare(stand, row, posted, "send").await;
        let last = again.as_ref().unwrap_or(posted);
        last.is_held(stand);
        let shown = last.shown(stand).await;
        assert_eq!(
            (&shown["state"], &shown["confirmed_in_gis"], &shown["last_error"]),
            (&json!("delivered"), &json!(true), &Value::Null),
            "{kind:?}"
        );
    }
    verdict.deliver();
}

/// Collects the rows that came out otherwise, so that a failure shows all of them.
#[derive(Default)]
pub(super) struct Verdict {
    differences: Vec<String>,
}

impl Verdict {
    /// Compares what became of a row; `action` is the one whose call went wrong.
    pub(super) async fn compare(&mut self, stand: &Stand, row: &Row, posted: &Posted, action: &str) {
        let story = posted.story(stand).await;
        let outcomes = posted.outcomes(stand, action).await;
        let came =
            (outcomes.first().map_or("", String::as_str), story.as_str(), &*effects(stand, &posted.request));
        if came != (row.outcome, row.story, row.effects) {
            let expected = (row.outcome, row.story, row.effects);
            self.differences.push(format!("{:?}\n  came     {came:?}\n  expected {expected:?}", row.kind));
        }
    }

    #[track_caller]
    pub(super) fn deliver(self) {
        assert!(self.differences.is_empty(), "{}", self.differences.join("\n"));
    }
}
