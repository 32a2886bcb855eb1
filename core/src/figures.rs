//! How much waits for GIS, and for clients, and how old it is, over all organisations together: for the operator's metrics. Counts and ages
//! alone; whom they are about is nobody's business there.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::Service;
use crate::domain::answer::State;
use crate::domain::organization::Organization;
use crate::error::Result;
use crate::gis_status::WAITING;
use crate::store::{Conn, answers, debt_requests, organizations, sync_runs, webhook_deliveries};

/// What waits in all organisations together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Answers that wait for GIS, by each state in which they do.
    pub waiting: BTreeMap<State, Waiting>,
    /// Debt requests whose last day is today and whose answer is not final.
    pub due_today: i64,
    /// Since the last reading that succeeded, of the organisation where it is longest ago.
    pub sync_age: Duration,
    /// Organisations that send nothing until a person has acted.
    pub halted: i64,
    /// How old the oldest event is that waits for an address of a client; zero while there is none.
    pub webhook_lag: Duration,
}

/// Answers in one state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub count: i64,
    /// How long ago the oldest was submitted; zero while there is none.
    pub oldest: Duration,
}

impl Service {
    /// What waits in all organisations together.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn figures(&self) -> Result<Figures> {
        let now = self.clock.now();
        let mut conn = self.db.scan().await?;
        let mut figures = Figures {
            waiting: WAITING.iter().map(|state| (*state, Waiting::default())).collect(),
            ..Figures::default()
        };
        for organization in organizations::list(&mut conn).await? {
            figures.add(&mut conn, &organization, now).await?;
        }
        let oldest = webhook_deliveries::oldest_waiting(&mut conn).await?;
        figures.webhook_lag = oldest.map_or(Duration::ZERO, |time| since(time, now));
        Ok(figures)
    }
}

impl Figures {
    async fn add(&mut self, conn: &mut Conn, organization: &Organization, now: DateTime<Utc>) -> Result<()> {
        for (state, count, submitted_at) in answers::by_these_states(conn, organization.id, &WAITING).await? {
            let waiting = self.waiting.entry(state).or_default();
            waiting.count += count;
            waiting.oldest = waiting.oldest.max(submitted_at.map_or(Duration::ZERO, |time| since(time, now)));
        }
        let today = now.with_timezone(&organization.time_zone).date_naive();
        let due_today = debt_requests::Filter {
            answer_states: State::ALL.iter().copied().filter(|state| !state.is_final()).collect(),
            due_from: Some(today),
            due_to: Some(today),
            ..debt_requests::Filter::default()
        };
        self.due_today += debt_requests::count(conn, organization.id, &due_today, today).await?.total;
        // One that was never read is as old as the organisation: it must not look fresh.
        let read_at = sync_runs::last_success(conn, organization.id).await?;
        self.sync_age = self.sync_age.max(since(read_at.unwrap_or(organization.created_at), now));
        self.halted += i64::from(organization.halted.is_some());
        Ok(())
    }
}

/// Never less than nothing: the clocks of two machines may differ.
fn since(time: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (now - time).to_std().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::organization::Halt;
    use crate::store::samples::organization;
    use crate::store::test_db::for_both;
    use crate::test_service::Bench;

    #[test]
    fn every_state_of_the_queue_has_a_figure_and_what_was_never_read_grows_old() {
        for_both(async |db| {
            let bench = Bench::new(db).await;
            let quiet = bench.service.figures().await.unwrap();
            assert_eq!(quiet.waiting.keys().copied().collect::<Vec<_>>(), WAITING);
            assert!(quiet.waiting.values().all(|waiting| *waiting == Waiting::default()));
            assert_eq!((quiet.due_today, quiet.halted), (0, 0));
            bench.service.clock.advance(TimeDelta::seconds(90));
            let later = bench.service.figures().await.unwrap();
            assert_eq!(later.sync_age, quiet.sync_age + Duration::from_secs(90));
            // A younger organisation does not hide the older one.
            let created_at = bench.service.clock.now();
            let halt =
                Halt {
                    code: "AUT011009".to_owned(), detail: "нет доступа".to_owned(), since: created_at
                };
            let younger = Organization { halted: Some(halt), created_at, ..organization() };
            let mut tx = bench.service.db.begin().await.unwrap();
            organizations::insert(&mut tx, &younger).await.unwrap();
            tx.commit().await.unwrap();
            let both = bench.service.figures().await.unwrap();
            assert_eq!((both.sync_age, both.halted), (later.sync_age, 1));
        });
    }

    #[test]
    fn an_age_is_never_less_than_nothing() {
        let now = crate::test_service::start();
        assert_eq!(since(now - TimeDelta::seconds(5), now), Duration::from_secs(5));
        assert_eq!(since(now + TimeDelta::seconds(5), now), Duration::ZERO);
    }
}
