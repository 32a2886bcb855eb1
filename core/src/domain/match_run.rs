//! A match of many debt requests with a registry of court debts, and what each of them came to.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::debt_request::MatchResult;
use super::matching::rules::{AddressRule, Basis, DatesRule, HouseRule, PremisesRule, Reason};
use super::matching::{self, Candidate};
use super::words::words;
use crate::ids::{
    AnswerId, CourtDebtId, DebtRequestId, DepartmentId, EmployeeId, MatchRunId, OrganizationId, RegistryId,
};

words! {
    /// What is done with the results.
    MatchMode {
        /// Nothing.
        Preview = "preview" "Только сопоставление",
        /// Drafts are made.
        Prepare = "prepare" "Черновики ответов",
        /// Answers are sent.
        Submit = "submit" "Отправка ответов",
    }
}

words! {
    /// Where a run stands.
    MatchRunStatus {
        /// Some requests are still to be matched.
        Running = "running" "Выполняется",
        /// All were matched.
        Succeeded = "succeeded" "Выполнено",
        /// A person has stopped it.
        Cancelled = "cancelled" "Отменено",
        /// Its registry does not answer any more, so what was left is neither matched nor answered.
        Replaced = "registry_replaced" "Остановлено: реестр заменён",
    }
}

words! {
    /// What was done about a request.
    Deed {
        /// It is still to be matched.
        Pending = "pending" "Ещё не сопоставлен",
        /// It was matched, and there is no answer to make of it.
        Matched = "matched" "Сопоставлен, ответ не создавался",
        /// It has an answer already, somebody works on one, or a person has stopped one.
        Skipped = "skipped" "На запрос уже ответили, он в работе или ответ остановлен сотрудником",
        /// A draft was made.
        Drafted = "draft" "Создан черновик",
        /// An answer goes to GIS.
        Queued = "queued" "Ответ принят к отправке",
        /// Something is in the way of its answer.
        Refused = "refused" "Ответ не принят",
        /// It is no longer there.
        Gone = "gone" "Запроса больше нет",
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchRun {
    /// Its identifier.
    pub id: MatchRunId,
    /// For whom.
    pub organization: OrganizationId,
    /// The department whose registry it is.
    pub department: Option<DepartmentId>,
    /// The registry that answered when it began.
    pub registry: RegistryId,
    /// What is done with the results.
    pub mode: MatchMode,
    /// Whether «no debt» is left to somebody else.
    pub only_debts: bool,
    /// Where it stands.
    pub status: MatchRunStatus,
    /// How many requests it is about.
    pub total: i64,
    /// The client's name.
    pub started_by: String,
    /// Whether it began by itself; a client may have any name.
    pub automatic: bool,
    /// The employee who began it.
    pub employee: Option<EmployeeId>,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A round of runs that begin by themselves, one for each registry that answers: those of the branches first, then that of
/// the head office. Each is about what the one before it has left without a debt, so the head office says «no debt» of nothing
/// that a branch was not asked about, or that a branch knows a debt of and could not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatchRound {
    /// The last run of it that has begun.
    pub last_run: MatchRunId,
    /// The department whose run that is.
    pub department: DepartmentId,
}

/// One of its requests.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchItem {
    /// Its place, from 0.
    pub place: i64,
    /// The request.
    pub debt_request: DebtRequestId,
    /// What was done.
    pub deed: Deed,
    /// What the match gave.
    pub result: Option<MatchResult>,
    /// Why.
    pub explanation: Option<Explanation>,
    /// The answer made of it.
    pub answer: Option<AnswerId>,
    /// The problem code of what is in the way of its answer.
    pub error: Option<String>,
}

impl MatchItem {
    /// The rows that were weighed, the closest first.
    pub fn rows(&self) -> impl Iterator<Item = CourtDebtId> + '_ {
        self.explanation.iter().flat_map(|explanation| &explanation.candidates).map(|row| row.id)
    }
}

/// What a result rests on; no personal data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// What the result rests on.
    pub basis: Basis,
    /// Why no answer follows.
    pub reasons: Vec<Reason>,
    /// The rows that were weighed, the closest first.
    pub candidates: Vec<WeighedRow>,
    /// How many more there were.
    pub more_candidates: usize,
}

/// A row that was weighed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeighedRow {
    /// The row.
    pub id: CourtDebtId,
    /// How its house was recognised.
    pub house: HouseRule,
    /// How its premises compare.
    pub premises: PremisesRule,
    /// How its address text compares.
    pub address: AddressRule,
    /// What its dates say.
    pub dates: DatesRule,
    /// Whether it is a debt of the place asked about.
    pub counts: bool,
    /// How close it is, from 0 to 1.
    pub score: f64,
}

impl From<&Candidate> for WeighedRow {
    fn from(candidate: &Candidate) -> Self {
        Self {
            id: candidate.id,
            house: candidate.house,
            premises: candidate.premises,
            address: candidate.address,
            dates: candidate.dates,
            counts: candidate.counts,
            score: candidate.score(),
        }
    }
}

impl From<&matching::Decision> for Explanation {
    fn from(decision: &matching::Decision) -> Self {
        Self {
            basis: decision.basis,
            reasons: decision.reasons.clone(),
            candidates: decision.candidates.iter().map(WeighedRow::from).collect(),
            more_candidates: decision.more_candidates,
        }
    }
}

/// An item with what the rows say that were weighed.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchItemDetails {
    /// The item.
    pub item: MatchItem,
    /// Where each candidate is, in their order; `None` for a row that is no longer there.
    pub places: Vec<Option<RowPlace>>,
}

/// Where a row of a registry is, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlace {
    /// «Адрес дома».
    pub address: Option<String>,
    /// «Номер квартиры, комнаты, блока жилого дома».
    pub premises: String,
}

/// How many requests of a run came to what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatchTally(pub Vec<(Deed, Option<MatchResult>, i64)>);

impl MatchTally {
    /// How many the match gave this.
    #[must_use]
    pub fn of_result(&self, result: MatchResult) -> i64 {
        self.0.iter().filter(|(_, it, _)| *it == Some(result)).map(|(_, _, count)| count).sum()
    }

    /// About how many this was done.
    #[must_use]
    pub fn of_deed(&self, deed: Deed) -> i64 {
        self.0.iter().filter(|(it, _, _)| *it == deed).map(|(_, _, count)| count).sum()
    }
}
