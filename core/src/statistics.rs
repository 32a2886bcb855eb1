//! Figures on the debt requests that were sent in a period: all together, and by day, department, executor or requester
//! (`api.md` §14). They are counted day by day: SQLite sorts in memory, and
//! a year shall take no more of it than a day.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{Days, NaiveDate};
use uuid::Uuid;

use crate::Service;
use crate::domain::caller::{Caller, Scope};
use crate::domain::days::{check_period, offsets};
use crate::domain::statistics::{Figures, GroupBy};
use crate::error::{Error, Result};
use crate::ids::{DepartmentId, EmployeeId, OrganizationId};
use crate::store::names::Names;
use crate::store::statistics::{Question, Since, durations, standings};
use crate::store::{Conn, organizations};

/// Most groups of one report, as many as it can have days.
const MOST_GROUPS: usize = 366;
/// No debt request is due later after it was sent.
const LONGEST: Days = Days::new(366);

/// Figures on the debt requests of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// All of them.
    pub total: Figures,
    /// In groups: days in their order, others from the most requests to the fewest.
    pub groups: Vec<Group>,
    /// What is in none of the groups, when there are too many.
    pub rest: Option<Figures>,
}

/// Debt requests that have something in common.
#[derive(Clone, PartialEq, Eq)]
pub struct Group {
    /// What they have in common.
    pub key: Key,
    /// Its name: of a department or an employee as long as they are here, of a requester where the requests tell one.
    pub name: Option<String>,
    /// Their figures.
    pub figures: Figures,
}

impl fmt::Debug for Group {
    /// The name may be that of a person.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Group");
        shown.field("key", &self.key).field("figures", &self.figures).finish_non_exhaustive()
    }
}

/// What debt requests have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// The day on which they were sent.
    Day(NaiveDate),
    /// A department, an employee or an organisation; `None` where there is none.
    Object(Option<Uuid>),
}

impl Key {
    /// The department, employee or organisation, where there is one.
    const fn object(self) -> Option<Uuid> {
        match self {
            Self::Day(_) => None,
            Self::Object(id) => id,
        }
    }
}

/// Groups while they are counted.
type Counted = BTreeMap<Key, (Option<String>, Figures)>;

impl Service {
    /// The figures of the debt requests that were sent from one day to another, both included.
    ///
    /// # Errors
    /// The days are in the wrong order, or more than 366; the scope `stats:read` is missing.
    pub async fn statistics(
        &self,
        caller: &Caller,
        (from, to): (NaiveDate, NaiveDate),
        group_by: GroupBy,
    ) -> Result<Statistics> {
        caller.need(Scope::StatsRead)?;
        check_period(from, to)?;
        let mut conn = self.db.scan().await?;
        let organization = caller.organization;
        let today = self.today(&mut conn, organization).await?;
        let zone = organizations::get(&mut conn, organization).await?.ok_or(Error::NotFound)?.time_zone;
        let last_due = to.checked_add_days(LONGEST).unwrap_or(to);
        let offsets = offsets(zone, from.iter_days().take_while(|day| *day <= last_due));
        let mut counted = Counted::new();
        for day in from.iter_days().take_while(|day| *day <= to) {
            let question = Question { organization, day, group_by, today, offsets: &offsets };
            count(&mut conn, &question, &mut counted).await?;
        }
        let mut report = report(counted, group_by);
        name(&mut conn, organization, group_by, &mut report.groups).await?;
        Ok(report)
    }
}

/// Counts the debt requests of a day.
async fn count(conn: &mut Conn, question: &Question<'_>, counted: &mut Counted) -> Result<()> {
    let key = |id| match question.group_by {
        GroupBy::Day => Key::Day(question.day),
        GroupBy::Department | GroupBy::Executor | GroupBy::Requester => Key::Object(id),
    };
    let found = standings(conn, question).await?;
    // Most organisations have nothing to do on most Sundays.
    if found.is_empty() {
        return Ok(());
    }
    for (id, name, standing, count) in found {
        let (known, figures) = counted.entry(key(id)).or_default();
        *known = name.or_else(|| known.take());
        figures.add(standing, count);
    }
    for since in [Since::Arrival, Since::Submission] {
        for (id, seconds, count) in durations(conn, question, since).await? {
            let (_, figures) = counted.entry(key(id)).or_default();
            match since {
                Since::Arrival => figures.to_answer.add(seconds, count),
                Since::Submission => figures.delivery.add(seconds, count),
            }
        }
    }
    Ok(())
}

/// Names departments and employees; what requesters are called, the debt requests have told.
async fn name(
    conn: &mut Conn,
    organization: OrganizationId,
    group_by: GroupBy,
    groups: &mut [Group],
) -> Result<()> {
    let ids = || groups.iter().filter_map(|group| group.key.object());
    let (departments, employees) = match group_by {
        GroupBy::Day | GroupBy::Requester => return Ok(()),
        GroupBy::Department => (ids().map(DepartmentId::from).collect(), BTreeSet::new()),
        GroupBy::Executor => (BTreeSet::new(), ids().map(EmployeeId::from).collect()),
    };
    let names = Names::of(conn, organization, departments, employees).await?;
    for group in groups {
        let id = group.key.object();
        // Only one of the tables was asked.
        group.name = names.department(id.map(Into::into)).or_else(|| names.employee(id.map(Into::into)));
    }
    Ok(())
}

fn report(counted: Counted, group_by: GroupBy) -> Statistics {
    let mut total = Figures::default();
    counted.values().for_each(|(_, figures)| total.merge(figures));
    let mut groups: Vec<_> =
        counted.into_iter().map(|(key, (name, figures))| Group { key, name, figures }).collect();
    match group_by {
        GroupBy::Day => {}
        GroupBy::Department | GroupBy::Executor | GroupBy::Requester => {
            groups.sort_by_key(|group| (Reverse(group.figures.received), group.key));
        }
    }
    let others = groups.split_off(groups.len().min(MOST_GROUPS));
    let rest = (!others.is_empty()).then(|| {
        let mut rest = Figures::default();
        others.iter().for_each(|group| rest.merge(&group.figures));
        rest
    });
    Statistics { total, groups, rest }
}

#[cfg(test)]
mod tests;
