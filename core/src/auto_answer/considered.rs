//! The debt requests that a run is about, each with what would become of it.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use crate::domain::answer::Answer;
use crate::domain::auto_answer::{Facts, Opinion, Verdict, decide, window};
use crate::domain::calendar::Calendar;
use crate::domain::debt_request::{DebtRequest, Stage};
use crate::domain::organization::Organization;
use crate::domain::settings::AutoAnswerSettings;
use crate::error::Result;
use crate::ids::DebtRequestId;
use crate::registries::opinions;
use crate::store::debt_requests::{After, Filter, Sort, SortBy};
use crate::store::{Conn, answers, debt_requests, submissions};

/// Requests looked at together.
const PAGE: i64 = 500;
/// Requests that one run is about; the nearest deadlines come first, and the next day has the others.
const MOST: usize = 20_000;

/// A request and what would become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// The request.
    pub request: DebtRequest,
    /// What would become of it.
    pub verdict: Verdict,
}

/// The requests of an organisation whose time has come, the nearest deadline first.
pub(crate) async fn consider(
    conn: &mut Conn,
    calendar: &Calendar,
    organization: &Organization,
    settings: &AutoAnswerSettings,
    now: DateTime<Utc>,
) -> Result<Vec<Considered>> {
    let today = now.with_timezone(&organization.time_zone).date_naive();
    let (due_from, due_to) = window(calendar, settings, today);
    let filter = Filter {
        answered: Some(false),
        stages: Stage::ALL.iter().copied().filter(|stage| *stage != Stage::Gone).collect(),
        due_from: Some(due_from),
        due_to: Some(due_to),
        ..Filter::default()
    };
    let sort = Sort { by: SortBy::DueOn, descending: false };
    let concerned = |request: &DebtRequest| match &settings.departments {
        None => true,
        Some(departments) => request.department.is_some_and(|department| departments.contains(&department)),
    };
    let mut considered = Vec::new();
    let mut after = None;
    while considered.len() < MOST {
        let page = debt_requests::page(conn, organization.id, &filter, sort, after.as_ref(), PAGE).await?;
        after = page.last().map(|last| After::of(last, sort.by));
        if after.is_none() {
            break;
        }
        let page: Vec<_> = page.into_iter().filter(concerned).collect();
        let refs: Vec<_> = page.iter().collect();
        let opinions = opinions(conn, organization.id, &refs, today).await?;
        let history = History::load(conn, &refs).await?;
        considered.extend(page.into_iter().map(|request| {
            let opinion = opinions.get(&request.id).copied().unwrap_or_default();
            let verdict = decide(&history.facts(&request, opinion), settings, now);
            Considered { request, verdict }
        }));
    }
    Ok(considered)
}

/// What was done about some requests.
struct History {
    answers: HashMap<DebtRequestId, Vec<Answer>>,
    in_flight: BTreeSet<DebtRequestId>,
}

impl History {
    async fn load(conn: &mut Conn, requests: &[&DebtRequest]) -> Result<Self> {
        let ids: Vec<_> = requests.iter().map(|request| request.id).collect();
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        for answer in answers::of_requests(conn, &ids).await? {
            all.entry(answer.debt_request).or_default().push(answer);
        }
        let open = submissions::of_requests(conn, &ids).await?;
        let open = open.into_iter().filter(|submission| !submission.state.is_final());
        Ok(Self { answers: all, in_flight: open.map(|submission| submission.debt_request).collect() })
    }

    fn facts(&self, request: &DebtRequest, opinion: Opinion) -> Facts {
        let answers = self.answers.get(&request.id).map_or(&[][..], Vec::as_slice);
        let shown = (request.gis.response_status, request.stage);
        Facts::of(shown, answers, self.in_flight.contains(&request.id), opinion)
    }
}
