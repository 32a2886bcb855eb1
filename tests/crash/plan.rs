//! What is posted and when the program dies, all of it from one seed.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// Debt requests that nobody answers: nothing may be held for them.
pub(crate) const UNANSWERED: usize = 20;
/// One answer in so many tells of a debt, with a debtor and a file.
const WITH_DEBT: u32 = 5;
/// One answer in so many is corrected afterwards.
const CORRECTED: u32 = 6;
/// One life of the program in so many ends when it has hardly begun.
const SHORT_LIVES: u32 = 4;
/// Before one kill in so many all connections to the database are cut.
const CUTS: u32 = 4;

/// How much is done.
pub(crate) struct Extent {
    pub(crate) seed: u64,
    pub(crate) answers: usize,
    pub(crate) kills: usize,
    /// Instances of the program on one database.
    pub(crate) instances: usize,
}

impl Extent {
    /// What the environment asks for. Without optimisation the program settles some ten to thirty answers a second on
    /// two busy cores, and this is a test of every day: the thousands are for `just crash`.
    pub(crate) fn wanted(instances: usize) -> Self {
        let answers = if instances == 1 { 400 } else { 200 };
        Self {
            seed: number("DEBTGATE_CRASH_SEED").unwrap_or_else(rand::random),
            answers: number("DEBTGATE_CRASH_ANSWERS").unwrap_or(answers),
            kills: number("DEBTGATE_CRASH_KILLS").unwrap_or(20),
            instances,
        }
    }
}

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Shares of the work, one for each life of the program.
pub(crate) struct Plan {
    pub(crate) shares: Vec<Share>,
}

/// What is posted while something happens to the program.
#[derive(Default)]
pub(crate) struct Share {
    pub(crate) posts: Vec<Post>,
    pub(crate) strike: Option<Strike>,
}

/// One post of a client.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// The number of the debt request.
    pub(crate) request: usize,
    /// 1, or 2 for a correction.
    pub(crate) version: u32,
    pub(crate) content: Content,
}

/// What an answer says; no two say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) comment: String,
    pub(crate) debt: Option<Debt>,
}

/// An invented debtor with an invented paper.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Debt {
    pub(crate) last_name: String,
    pub(crate) paper: Vec<u8>,
}

impl fmt::Debug for Debt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes", self.last_name, self.paper.len())
    }
}

/// A death of the program.
pub(crate) struct Strike {
    /// How long it works before.
    pub(crate) after: Duration,
    /// Whether all connections to the database are cut first, and how long before.
    pub(crate) cut_before: Option<Duration>,
    /// Which instance dies.
    pub(crate) victim: usize,
    /// How long the others are alone.
    pub(crate) dead_for: Duration,
}

impl Plan {
    pub(crate) fn new(extent: &Extent) -> Self {
        let mut dice = StdRng::seed_from_u64(extent.seed);
        let mut shares: Vec<Share> = Vec::new();
        for _ in 0..extent.kills {
            shares
                .push(Share { posts: Vec::new(), strike: Some(Strike::invent(&mut dice, extent.instances)) });
        }
        // What is posted last meets no further kill.
        shares.push(Share::default());
        let lives = shares.len();
        for request in 0..extent.answers {
            let share = request * lives / extent.answers;
            shares[share].posts.push(Post::invent(&mut dice, request, 1));
            if share + 1 < lives && dice.random_ratio(1, CORRECTED) {
                // Soon, while the first answer is on its way, or when it has long arrived.
                let soon = dice.random();
                let later = if soon { share + 1 } else { dice.random_range(share + 1..lives) };
                shares[later].posts.push(Post::invent(&mut dice, request, 2));
            }
        }
        Self { shares }
    }
}

impl Post {
    fn invent(dice: &mut StdRng, request: usize, version: u32) -> Self {
        let paper = dice.random_ratio(1, WITH_DEBT).then(|| dice.random_range(1..2000));
        Self::new(request, version, paper)
    }

    /// One that tells of a debt when there is a paper of so many bytes and some.
    pub(crate) fn new(request: usize, version: u32, paper: Option<usize>) -> Self {
        let debt = paper.map(|length| {
            let text = format!("вымышленный приказ {request}, версия {version} ");
            let paper = text.bytes().cycle().take(text.len() + length).collect();
            Debt { last_name: format!("Вымышленный-{}", letters(request)), paper }
        });
        let comment = format!("ответ {request}, версия {version}");
        Self { request, version, content: Content { comment, debt } }
    }

    /// The body of the post.
    pub(crate) fn body(&self) -> Value {
        let debtors: Vec<Value> = self.content.debt.iter().map(Debt::body).collect();
        let mut body = json!({
            "submit": true, "has_debt": self.content.debt.is_some(), "comment": self.content.comment, "debtors": debtors,
        });
        if self.version > 1 {
            body["confirm"] = json!(["already_answered", "correction_too_late"]);
            body["reason"] = json!("опечатка");
        }
        body
    }
}

impl Debt {
    fn body(&self) -> Value {
        json!({
            "last_name": self.last_name, "first_name": "Пётр", "snils": "11223344595",
            "documents": [{
                "type_code": "1", "file_name": "приказ.txt", "content_base64": STANDARD.encode(&self.paper),
            }],
        })
    }
}

/// A number in letters: a name has no digits.
fn letters(number: usize) -> String {
    let letters = ["а", "б", "в", "г", "д", "е", "ж", "з", "и", "к"];
    number.to_string().bytes().map(|digit| letters[usize::from(digit - b'0')]).collect()
}

impl Strike {
    fn invent(dice: &mut StdRng, instances: usize) -> Self {
        let longest = if dice.random_ratio(1, SHORT_LIVES) { 150 } else { 2000 };
        let cut = dice.random_ratio(1, CUTS);
        let cut_before = milliseconds(dice, 300);
        let dead_for = milliseconds(dice, 1500);
        Self {
            after: milliseconds(dice, longest),
            cut_before: cut.then_some(cut_before),
            victim: dice.random_range(0..instances),
            dead_for: if instances > 1 { dead_for } else { Duration::ZERO },
        }
    }
}

fn milliseconds(dice: &mut StdRng, most: u64) -> Duration {
    Duration::from_millis(dice.random_range(0..=most))
}
