//! The conditions and orders of the list of debt requests (`api.md` §4.3), written once for both databases.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::rows::{due_key, sent_key};
use crate::domain::answer::State;
use crate::domain::debt_request::{DebtRequest, MatchResult, RequestStatus, ResponseStatus, Stage, fold};
use crate::ids::{DebtRequestId, DepartmentId, EmployeeId};
use crate::store::StoreError;
use crate::store::types::Ts;

/// Conditions that must all hold (`api.md` §4.3); an empty list is no condition.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Filter {
    /// The department.
    pub department: Option<DepartmentFilter>,
    /// Whoever is responsible.
    pub responsible: Option<ExecutorFilter>,
    /// The executor.
    pub executor: Option<ExecutorFilter>,
    /// One of these stages.
    pub stages: Vec<Stage>,
    /// One of these statuses of the answer in GIS.
    pub response_statuses: Vec<ResponseStatus>,
    /// One of these statuses of the request in GIS.
    pub request_statuses: Vec<RequestStatus>,
    /// One of these states of the current answer.
    pub answer_states: Vec<State>,
    /// One of these numbers.
    pub numbers: Vec<String>,
    /// How the number begins.
    pub number_prefix: Option<String>,
    /// Who asks, by GUID.
    pub requester: Option<Uuid>,
    /// Part of the requester's name, in any case.
    pub requester_name: Option<String>,
    /// Whether it counts as answered.
    pub answered: Option<bool>,
    /// First last day to answer; requests without one are left out.
    pub due_from: Option<NaiveDate>,
    /// Last one.
    pub due_to: Option<NaiveDate>,
    /// First day of sending; requests without one are left out.
    pub sent_from: Option<NaiveDate>,
    /// Last one.
    pub sent_to: Option<NaiveDate>,
    /// Changed at this time or later.
    pub updated_since: Option<DateTime<Utc>>,
    /// One of these results of the match with the registry.
    pub match_results: Vec<MatchResult>,
    /// The house in FIAS.
    pub fias_house: Option<Uuid>,
    /// Words of the address in any case and order; all must occur, also as parts of words.
    pub address_words: Option<String>,
    /// Whether there is a draft or prepared answer.
    pub has_draft: Option<bool>,
}

impl Filter {
    /// Whether an index gives what it leaves one after the other, so that a page is read without looking at anything else:
    /// everything, or what is answered or not. Clients ask for these all the time.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self { answered: self.answered, ..Self::default() }
    }
}

/// By department.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DepartmentFilter {
    /// In none.
    Nowhere,
    /// In this one. Filters that are stored name it without more ado: once there was no other choice.
    #[serde(untagged)]
    Is(DepartmentId),
}

/// By executor, or by who is responsible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ExecutorFilter {
    /// This employee.
    Is(EmployeeId),
    /// Nobody.
    Nobody,
}

/// By what a list is sorted, with the identifier as tie-break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// By the last day to answer; those without one come last.
    DueOn,
    /// By the day of sending; those without one come first.
    SentOn,
    /// By the last change.
    UpdatedAt,
}

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub by: SortBy,
    /// The greatest first.
    pub descending: bool,
}

/// Where a page starts: after the row with this sort key and identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// In an order of days.
    Day(NaiveDate, DebtRequestId),
    /// In the order of changes.
    Moment(DateTime<Utc>, DebtRequestId),
}

impl fmt::Debug for Filter {
    /// Names and addresses that people look for are not shown.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Filter").finish_non_exhaustive()
    }
}

impl After {
    /// The place of a request in an order: what the cursor to the next page keeps of the last row.
    #[must_use]
    pub fn of(request: &DebtRequest, by: SortBy) -> Self {
        match by {
            SortBy::DueOn => Self::Day(due_key(request), request.id),
            SortBy::SentOn => Self::Day(sent_key(request), request.id),
            SortBy::UpdatedAt => Self::Moment(request.updated_at, request.id),
        }
    }

    fn day(&self) -> Result<(NaiveDate, DebtRequestId), StoreError> {
        match self {
            Self::Day(day, id) => Ok((*day, *id)),
            Self::Moment(..) => Err(StoreError::corrupt("a place in another order")),
        }
    }

    fn moment(&self) -> Result<(Ts, DebtRequestId), StoreError> {
        match self {
            Self::Moment(time, id) => Ok((Ts(*time), *id)),
            Self::Day(..) => Err(StoreError::corrupt("a place in another order")),
        }
    }
}

/// After which row a page begins, in the type of the column that it is ordered by.
#[derive(Clone, Copy)]
pub(super) enum Start {
    Due(Option<(NaiveDate, DebtRequestId)>),
    Sent(Option<(NaiveDate, DebtRequestId)>),
    Updated(Option<(Ts, DebtRequestId)>),
}

impl Start {
    pub(super) fn of(by: SortBy, after: Option<&After>) -> Result<Self, StoreError> {
        Ok(match by {
            SortBy::DueOn => Self::Due(after.map(After::day).transpose()?),
            SortBy::SentOn => Self::Sent(after.map(After::day).transpose()?),
            SortBy::UpdatedAt => Self::Updated(after.map(After::moment).transpose()?),
        })
    }
}

/// The escape character of the patterns of [`containing`].
pub(super) const ESCAPE: char = '!';

/// Patterns for LIKE that find each word anywhere.
pub(super) fn containing_words(text: &str) -> Vec<String> {
    fold(text).split(' ').filter(|word| !word.is_empty()).map(containing).collect()
}

/// A pattern for LIKE that finds a folded text anywhere.
pub(super) fn containing(folded: &str) -> String {
    let special = [ESCAPE, '%', '_'];
    let mut pattern = "%".to_owned();
    for character in folded.chars() {
        if special.contains(&character) {
            pattern.push(ESCAPE);
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// The greatest text with a prefix, for all that people write: unlike LIKE, a range uses the index on both databases.
pub(super) fn last_with_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// Narrows a boxed query to some values of a column. A single one is compared as such: only then does PostgreSQL take the
/// order of the index behind that column.
macro_rules! one_of {
    ($query:expr, $column:expr, $values:expr) => {
        match $values.as_slice() {
            [] => $query,
            [one] => $query.filter($column.eq(one.clone())),
            several => $query.filter($column.eq_any(several.to_vec())),
        }
    };
}

/// Narrows a boxed query to a filter; expands once per database.
macro_rules! narrowed {
    ($query:expr, $filter:expr) => {{
        use $crate::domain::debt_request::fold;
        use $crate::store::debt_requests::filter::{
            DepartmentFilter, ESCAPE, ExecutorFilter, containing, containing_words, last_with_prefix, one_of,
        };
        use $crate::store::schema::debt_requests as t;
        use $crate::store::types::{Guid, Ts};

        let (mut query, filter): (_, &$crate::store::debt_requests::Filter) = ($query, $filter);
        query = match filter.department {
            None => query,
            Some(DepartmentFilter::Is(department)) => query.filter(t::department_id.eq(department)),
            Some(DepartmentFilter::Nowhere) => query.filter(t::department_id.is_null()),
        };
        query = match filter.responsible {
            None => query,
            Some(ExecutorFilter::Is(responsible)) => query.filter(t::responsible_id.eq(responsible)),
            Some(ExecutorFilter::Nobody) => query.filter(t::responsible_id.is_null()),
        };
        query = match filter.executor {
            None => query,
            Some(ExecutorFilter::Is(executor)) => query.filter(t::executor_id.eq(executor)),
            Some(ExecutorFilter::Nobody) => query.filter(t::executor_id.is_null()),
        };
        query = one_of!(query, t::stage, filter.stages);
        query = one_of!(query, t::response_status, filter.response_statuses);
        query = one_of!(query, t::request_status, filter.request_statuses);
        query = one_of!(query, t::answer_state, filter.answer_states);
        query = one_of!(query, t::request_number, filter.numbers);
        if let Some(prefix) = &filter.number_prefix {
            query = query.filter(t::request_number.between(prefix.clone(), last_with_prefix(prefix)));
        }
        if let Some(requester) = filter.requester {
            query = query.filter(t::requester_id.eq(Guid(requester)));
        }
        if let Some(name) = &filter.requester_name {
            query = query.filter(t::requester_folded.like(containing(&fold(name))).escape(ESCAPE));
        }
        if let Some(answered) = filter.answered {
            query = query.filter(t::answered.eq(answered));
        }
        if let Some(day) = filter.due_from {
            query = query.filter(t::due_key.ge(day)).filter(t::due_on.is_not_null());
        }
        if let Some(day) = filter.due_to {
            query = query.filter(t::due_key.le(day)).filter(t::due_on.is_not_null());
        }
        if let Some(day) = filter.sent_from {
            query = query.filter(t::sent_key.ge(day)).filter(t::sent_on.is_not_null());
        }
        if let Some(day) = filter.sent_to {
            query = query.filter(t::sent_key.le(day)).filter(t::sent_on.is_not_null());
        }
        if let Some(time) = filter.updated_since {
            query = query.filter(t::updated_at.ge(Ts(time)));
        }
        query = one_of!(query, t::match_result, filter.match_results);
        if let Some(house) = filter.fias_house {
            query = query.filter(t::fias_house_id.eq(Guid(house)));
        }
        for pattern in filter.address_words.as_deref().map(containing_words).unwrap_or_default() {
            query = query.filter(t::address_folded.like(pattern).escape(ESCAPE));
        }
        match filter.has_draft {
            None => query,
            Some(true) => query.filter(t::draft_id.is_not_null()),
            Some(false) => query.filter(t::draft_id.is_null()),
        }
    }};
}

/// Orders a boxed query by a column with the identifier as tie-break, and starts it after a key. The bound on the column
/// alone says nothing new, but unlike the alternative it lets both databases begin in the middle of the index.
macro_rules! ordered {
    ($query:expr, $column:expr, $descending:expr, $after:expr) => {{
        use $crate::store::schema::debt_requests as t;

        let mut query = $query;
        if let Some((key, id)) = $after {
            let same = $column.eq(key);
            query = if $descending {
                query.filter($column.le(key)).filter($column.lt(key).or(same.and(t::id.lt(id))))
            } else {
                query.filter($column.ge(key)).filter($column.gt(key).or(same.and(t::id.gt(id))))
            };
        }
        if $descending {
            query.order(($column.desc(), t::id.desc()))
        } else {
            query.order(($column.asc(), t::id.asc()))
        }
    }};
}

/// The list of an organisation from a place on; expands once per database.
macro_rules! listed {
    ($organization:expr, $filter:expr, $sort:expr, $start:expr) => {{
        use $crate::store::debt_requests::filter::ordered;
        use $crate::store::schema::debt_requests as t;

        let query = t::table
            .filter(t::organization_id.eq($organization))
            .select(DebtRequestRow::as_select())
            .into_boxed();
        let query = narrowed!(query, $filter);
        match $start {
            Start::Due(after) => ordered!(query, t::due_key, $sort.descending, after),
            Start::Sent(after) => ordered!(query, t::sent_key, $sort.descending, after),
            Start::Updated(after) => ordered!(query, t::updated_at, $sort.descending, after),
        }
    }};
}

pub(super) use {listed, narrowed, one_of, ordered};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_were_stored_are_read_still() {
        let department = DepartmentId::generate();
        let now = |department| Filter { department: Some(department), ..Filter::default() };
        for filter in [now(DepartmentFilter::Is(department)), now(DepartmentFilter::Nowhere)] {
            let text = serde_json::to_string(&filter).unwrap();
            assert!(serde_json::from_str::<Filter>(&text).unwrap() == filter, "{text}");
        }
        let mut stored = serde_json::to_value(now(DepartmentFilter::Is(department))).unwrap();
        assert_eq!(stored["department"], serde_json::json!(department));
        stored.as_object_mut().unwrap().remove("responsible");
        let read: Filter = serde_json::from_value(stored).unwrap();
        assert!(read == now(DepartmentFilter::Is(department)));
    }
}
