//! What can happen, and how it is drawn at random. A failing case is printed as the list of these.

use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;
use proptest::prelude::*;

use crate::answers::{ContentDraft, DebtorDraft};
use crate::jobs::JobName;

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Words {
    /// No debt.
    A,
    /// No debt, in other words.
    B,
    /// A debt: such answers go in packages of their own, before the others.
    Debt,
    /// What a person wrote in the personal cabinet.
    Foreign,
}

impl Words {
    const ALL: [Self; 4] = [Self::A, Self::B, Self::Debt, Self::Foreign];

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::A => "первый",
            Self::B => "второй",
            Self::Debt => "долг",
            Self::Foreign => "из кабинета",
        }
    }

    pub(super) fn of_text(text: &str) -> Self {
        Self::ALL.into_iter().find(|words| words.text() == text).unwrap()
    }

    pub(super) const fn has_debt(self) -> bool {
        matches!(self, Self::Debt)
    }

    /// As a client posts it.
    pub(super) fn draft(self) -> ContentDraft {
        let debtor = DebtorDraft {
            last_name: "Вымышленный".to_owned(),
            first_name: "Пётр".to_owned(),
            ..DebtorDraft::default()
        };
        ContentDraft {
            has_debt: self.has_debt(),
            comment: Some(self.text().to_owned()),
            debtors: if self.has_debt() { vec![debtor] } else { Vec::new() },
            attachments: Vec::new(),
        }
    }
}

/// A length of time, in seconds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(u64);

impl Span {
    pub(super) const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    pub(super) const fn minutes(minutes: u64) -> Self {
        Self(minutes * 60)
    }

    pub(super) const fn hours(hours: u64) -> Self {
        Self(hours * 3600)
    }

    pub(super) fn time(self) -> TimeDelta {
        TimeDelta::from_std(self.duration()).unwrap()
    }

    pub(super) const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes, seconds) = (self.0 / 3600, self.0 / 60 % 60, self.0 % 60);
        write!(formatter, "{hours}:{minutes:02}:{seconds:02}")
    }
}

/// What befalls a call of `importResponses`. A delay is at most `max_delay`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImportFate {
    /// Done and acknowledged.
    Good,
    /// Done, but the acknowledgement is lost.
    AckLost,
    /// The connection breaks and GIS got nothing.
    Vanishes,
    /// No connection comes about.
    Unreachable,
    /// HTTP 503.
    Busy,
    /// EXP001000, whether it was done or not.
    Fault { performed: bool },
    /// The package is refused for its form.
    RefusesContent,
    /// The sender is refused.
    RefusesSender,
    /// The connection breaks; the package is done later.
    Late(Span),
    /// The acknowledgement is lost; the package is done at once and once more later.
    LostGhost(Span),
    /// Done and acknowledged, and done once more later.
    Ghost(Span),
    /// Acknowledged at once, done later.
    Slow(Span),
    /// Acknowledged, then it ends with EXP001000, whether it was done or not.
    FailsWhole { performed: bool },
    /// Acknowledged, then refused for its form.
    RefusesWhole,
    /// Something befalls the first item; the others of the package fare well.
    Item(ItemFate),
}

/// What befalls one item of an acknowledged package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemFate {
    /// It is refused.
    Error,
    /// It is refused: "already answered".
    AlreadyAnswered,
    /// It ends with EXP001000.
    Fault { performed: bool },
    /// Its result is missing.
    Missing { performed: bool },
}

/// What befalls an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExportFate {
    /// It shows what was held so long before; at most `view_lag`.
    Shows(Span),
    /// It shows statuses without answers.
    Unclear,
    /// The connection breaks.
    Lost,
    /// No connection comes about.
    Unreachable,
}

/// What befalls a question for a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PollFate {
    /// GIS answers.
    Good,
    /// GIS says that it is still at it.
    Pending,
    /// The connection breaks.
    Lost,
    /// GIS does not know the message any more.
    Forgets,
}

/// Where a worker is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// In the harmless GET before a call, when nothing was written down yet.
    Probe,
    /// Before the first byte of a call leaves.
    Before,
    /// When GIS has done what it does, and nobody has heard of it.
    After,
}

/// Who works.
pub(super) type Seat = usize;
/// Which of the debt requests.
pub(super) type Nth = usize;

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// A client posts an answer; `confirmed`: over whatever can be confirmed.
    Post(Nth, Words, Confirmed),
    /// A client withdraws the newest answer that is in force.
    Revoke(Nth),
    /// A client takes back the newest answer that is queued.
    Cancel(Nth),
    /// A client asks for news of the newest answer.
    Refresh(Nth),
    /// A worker does all that there is to do now.
    Work(Seat),
    /// A worker does one activation of a job.
    Step(Seat, JobName),
    /// A worker begins one activation of a job and stops in the middle of a call of GIS.
    Stop(Seat, JobName, Point),
    /// A worker that was stopped goes on, a zombie perhaps.
    GoOn(Seat),
    /// A worker dies, wherever it was stopped; another one takes its seat.
    Die(Seat),
    /// A worker begins one activation of a job and dies after so many waits for the database or for GIS.
    DieIn(Seat, JobName, u32),
    /// What befalls the next call of `importResponses`.
    Import(ImportFate),
    /// What befalls the next export.
    Export(ExportFate),
    /// What befalls the next question for a result.
    Poll(PollFate),
    /// Time passes.
    Pass(Span),
    /// A person answers in the personal cabinet.
    PersonAnswers(Nth),
    /// A person withdraws what is there.
    PersonRevokes(Nth),
    /// GIS answers by itself, where there is no answer.
    AnswersItself(Nth),
    /// Who asked withdraws the request.
    Disappears(Nth),
    /// A copy of the database is made.
    Backup,
    /// The copy takes the place of the database.
    Restore,
}

/// Whether the client confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirmed {
    /// Nothing.
    No,
    /// Whatever can be confirmed.
    All,
}

/// How many debt requests there are.
pub(super) const REQUESTS: usize = 2;

fn nth() -> impl Strategy<Value = Nth> {
    prop_oneof![4 => Just(0_usize), 1 => Just(1_usize)]
}

fn seat() -> impl Strategy<Value = Seat> {
    prop_oneof![2 => Just(0_usize), 1 => Just(1_usize)]
}

fn job() -> impl Strategy<Value = JobName> {
    prop_oneof![
        4 => Just(JobName::Outbox),
        3 => Just(JobName::Polling),
        3 => Just(JobName::Settle),
        1 => Just(JobName::Sync),
    ]
}

fn delay() -> impl Strategy<Value = Span> {
    proptest::sample::select(vec![
        Span::minutes(5),
        Span::hours(5),
        Span::hours(24),
        Span::hours(48),
        Span::hours(72),
    ])
}

fn pause() -> impl Strategy<Value = Span> {
    proptest::sample::select(vec![
        Span::seconds(15),
        Span::seconds(15),
        Span::minutes(4),
        Span::minutes(31),
        Span::minutes(31),
        Span::hours(6),
        Span::hours(25),
        Span::hours(73),
    ])
}

fn words() -> impl Strategy<Value = Words> {
    prop_oneof![3 => Just(Words::A), 3 => Just(Words::B), 1 => Just(Words::Debt)]
}

fn import_fate() -> impl Strategy<Value = ImportFate> {
    use ImportFate::{
        AckLost, Busy, FailsWhole, Fault, Ghost, Item, Late, LostGhost, RefusesContent, RefusesSender,
        RefusesWhole, Slow, Unreachable, Vanishes,
    };
    let flip = any::<bool>();
    prop_oneof![
        3 => Just(AckLost),
        3 => Just(Vanishes),
        1 => Just(Unreachable),
        1 => Just(Busy),
        1 => flip.prop_map(|performed| Fault { performed }),
        1 => Just(RefusesContent),
        1 => Just(RefusesSender),
        5 => delay().prop_map(Late),
        3 => delay().prop_map(LostGhost),
        5 => delay().prop_map(Ghost),
        3 => delay().prop_map(Slow),
        1 => flip.prop_map(|performed| FailsWhole { performed }),
        1 => Just(RefusesWhole),
        3 => Just(Item(ItemFate::Error)),
        2 => Just(Item(ItemFate::AlreadyAnswered)),
        1 => flip.prop_map(|performed| Item(ItemFate::Fault { performed })),
        1 => flip.prop_map(|performed| Item(ItemFate::Missing { performed })),
    ]
}

fn export_fate() -> impl Strategy<Value = ExportFate> {
    prop_oneof![
        6 => delay().prop_map(ExportFate::Shows),
        1 => Just(ExportFate::Unclear),
        1 => Just(ExportFate::Lost),
        1 => Just(ExportFate::Unreachable),
    ]
}

fn poll_fate() -> impl Strategy<Value = PollFate> {
    prop_oneof![Just(PollFate::Pending), Just(PollFate::Lost), Just(PollFate::Forgets)]
}

fn point() -> impl Strategy<Value = Point> {
    prop_oneof![1 => Just(Point::Probe), 2 => Just(Point::Before), 2 => Just(Point::After)]
}

fn confirmed() -> impl Strategy<Value = Confirmed> {
    prop_oneof![1 => Just(Confirmed::No), 3 => Just(Confirmed::All)]
}

/// One thing that clients, workers, the network or GIS do.
fn single() -> impl Strategy<Value = Action> {
    prop_oneof![
        10 => (nth(), words(), confirmed()).prop_map(|(nth, words, how)| Action::Post(nth, words, how)),
        3 => nth().prop_map(Action::Revoke),
        1 => nth().prop_map(Action::Cancel),
        1 => nth().prop_map(Action::Refresh),
        16 => seat().prop_map(Action::Work),
        5 => (seat(), job()).prop_map(|(seat, job)| Action::Step(seat, job)),
        4 => (seat(), job(), point()).prop_map(|(seat, job, point)| Action::Stop(seat, job, point)),
        3 => seat().prop_map(Action::GoOn),
        2 => seat().prop_map(Action::Die),
        3 => (seat(), job(), 1..30_u32).prop_map(|(seat, job, waits)| Action::DieIn(seat, job, waits)),
        10 => import_fate().prop_map(Action::Import),
        5 => export_fate().prop_map(Action::Export),
        3 => poll_fate().prop_map(Action::Poll),
        14 => pause().prop_map(Action::Pass),
    ]
}

/// A worker works until GIS has had the time for an answer, a look and the call that follows from it.
fn work(seat: Seat) -> [Action; 5] {
    let soon = Action::Pass(Span::seconds(15));
    [Action::Work(seat), soon, Action::Work(seat), soon, Action::Work(seat)]
}

/// What befalls the next call, if anything does.
fn perhaps<F: Strategy>(fate: F, action: fn(F::Value) -> Action) -> impl Strategy<Value = Vec<Action>> {
    proptest::option::weighted(0.7, fate.prop_map(action)).prop_map(|fate| fate.into_iter().collect())
}

/// Things that lead to something only one after the other: a client wants something and a worker does it; a worker looks
/// when a wait is over; a worker takes over from another, which goes on afterwards.
fn phrase() -> impl Strategy<Value = Vec<Action>> {
    let wish = prop_oneof![
        3 => (nth(), words()).prop_map(|(nth, words)| Action::Post(nth, words, Confirmed::All)),
        1 => nth().prop_map(Action::Revoke),
    ];
    let wished = (perhaps(import_fate(), Action::Import), wish, seat())
        .prop_map(|(fate, wish, seat)| [fate.as_slice(), &[wish], &work(seat)].concat());
    let looked = (
        perhaps(export_fate(), Action::Export),
        perhaps(import_fate(), Action::Import),
        proptest::sample::select(vec![Span::minutes(31), Span::hours(25), Span::hours(73)]),
    )
        .prop_map(|(shown, fate, wait)| [&[Action::Pass(wait)], shown.as_slice(), &fate, &work(0)].concat());
    let taken_over = (
        perhaps(import_fate(), Action::Import),
        nth(),
        words(),
        point(),
        perhaps(export_fate(), Action::Export),
    )
        .prop_map(|(fate, nth, words, point, shown)| {
            let post = Action::Post(nth, words, Confirmed::All);
            let stop =
                [Action::Stop(0, JobName::Outbox, point), Action::Pass(Span::minutes(4)), Action::Work(1)];
            let wait = [Action::Pass(Span::minutes(31))];
            [fate.as_slice(), &[post], &stop, &wait, &shown, &work(1), &[Action::GoOn(0)]].concat()
        });
    prop_oneof![4 => wished, 3 => looked, 1 => taken_over]
}

/// What clients, workers, the network and GIS do.
pub(super) fn usual() -> impl Strategy<Value = Vec<Action>> {
    prop_oneof![single().prop_map(|action| vec![action]), phrase()]
}

/// The same with people who act in GIS, and with backups.
pub(super) fn unusual() -> impl Strategy<Value = Vec<Action>> {
    let rare = prop_oneof![
        1 => nth().prop_map(Action::PersonAnswers),
        1 => nth().prop_map(Action::PersonRevokes),
        1 => nth().prop_map(Action::AnswersItself),
        1 => nth().prop_map(Action::Disappears),
        2 => Just(Action::Backup),
        2 => Just(Action::Restore),
    ];
    prop_oneof![3 => usual(), 1 => rare.prop_map(|action| vec![action])]
}
