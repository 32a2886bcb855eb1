//! Reading answers: one, many, by the client's own names, and what was sent of one.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::desk::details;
use super::outlook::foresee;
use super::{AnswerDetails, Lookup};
use crate::Service;
use crate::domain::answer::{Answer, ExternalId};
use crate::domain::caller::{Caller, Scope};
use crate::domain::submission::Attempt;
use crate::error::{Error, Mistake, Result};
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};
use crate::store::answers::Filter;
use crate::store::{Conn, answers, debt_requests, submissions};

/// Most names in one lookup (`api.md` §4.1).
const LOOKUP: usize = 1000;

impl Service {
    /// One answer as it is stored.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn get_answer(&self, caller: &Caller, id: AnswerId) -> Result<AnswerDetails> {
        caller.need(Scope::AnswersRead)?;
        let mut conn = self.db.read().await?;
        one(&mut conn, caller, id).await
    }

    /// One answer, with when it is worth looking after it as things stand now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn foresee_answer(&self, caller: &Caller, id: AnswerId) -> Result<AnswerDetails> {
        caller.need(Scope::AnswersRead)?;
        let mut conn = self.db.read().await?;
        let mut details = one(&mut conn, caller, id).await?;
        foresee(&mut conn, &mut details, self.clock.now()).await?;
        Ok(details)
    }

    /// Answers by their last change, oldest first.
    ///
    /// # Errors
    /// Only those of every use case.
    pub async fn list_answers(
        &self,
        caller: &Caller,
        filter: &Filter,
        after: Option<(DateTime<Utc>, AnswerId)>,
        limit: i64,
    ) -> Result<Vec<AnswerDetails>> {
        caller.need(Scope::AnswersRead)?;
        let mut conn = self.db.scan().await?;
        let found = answers::page(&mut conn, caller.organization, filter, after, limit).await?;
        many(&mut conn, caller.organization, found).await
    }

    /// Answers by identifiers and external ids, at most 1000 of both together.
    ///
    /// # Errors
    /// A mistake when there are more.
    pub async fn lookup_answers(
        &self,
        caller: &Caller,
        ids: &[AnswerId],
        external_ids: &[String],
    ) -> Result<Lookup> {
        caller.need(Scope::AnswersRead)?;
        if ids.len() + external_ids.len() > LOOKUP {
            let mistake = Mistake::at("", "too_many", format!("не более {LOOKUP} имён за один раз"));
            return Err(Error::Invalid(vec![mistake.with_max(1000)]));
        }
        // What is no external id is nobody's name.
        let names: Vec<ExternalId> = external_ids.iter().filter_map(|text| text.parse().ok()).collect();
        let mut conn = self.db.scan().await?;
        let found = answers::find(&mut conn, caller.organization, ids, &names).await?;
        let (names, found): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let found = many(&mut conn, caller.organization, found).await?;
        Ok(sort_out(ids, external_ids, names.into_iter().zip(found).collect()))
    }

    /// What was sent of an answer, oldest first: the evidence.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn list_submissions(&self, caller: &Caller, id: AnswerId) -> Result<Vec<Attempt>> {
        caller.need(Scope::AnswersRead)?;
        let mut conn = self.db.read().await?;
        answers::get(&mut conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
        Ok(submissions::attempts(&mut conn, id).await?)
    }
}

async fn one(conn: &mut Conn, caller: &Caller, id: AnswerId) -> Result<AnswerDetails> {
    let answer = answers::get(conn, caller.organization, id).await?.ok_or(Error::NotFound)?;
    let request = debt_requests::get(conn, caller.organization, answer.debt_request).await?;
    details(conn, answer, request.and_then(|request| request.gis.due_on)).await
}

fn sort_out(
    ids: &[AnswerId],
    external_ids: &[String],
    found: Vec<(Option<ExternalId>, AnswerDetails)>,
) -> Lookup {
    let by_id = |id: &AnswerId| found.iter().any(|(name, found)| name.is_none() && found.answer.id == *id);
    let by_name = |text: &str| found.iter().filter_map(|(name, _)| name.as_ref()).any(|n| n.as_str() == text);
    Lookup {
        ids_not_found: ids.iter().copied().filter(|id| !by_id(id)).collect(),
        external_ids_not_found: external_ids.iter().filter(|text| !by_name(text)).cloned().collect(),
        found,
    }
}

/// Answers with what stands beside them, in two queries for all.
async fn many(
    conn: &mut Conn,
    organization: OrganizationId,
    found: Vec<Answer>,
) -> Result<Vec<AnswerDetails>> {
    let ids: Vec<_> = found.iter().map(|answer| answer.id).collect();
    let mut requests: Vec<_> = found.iter().map(|answer| answer.debt_request).collect();
    requests.sort_unstable();
    requests.dedup();
    let requests = debt_requests::find(conn, organization, &requests, &[]).await?;
    let days: BTreeMap<DebtRequestId, Option<NaiveDate>> =
        requests.into_iter().map(|request| (request.id, request.gis.due_on)).collect();
    let mut files: BTreeMap<AnswerId, Vec<_>> = BTreeMap::new();
    for (answer, file) in answers::files(conn, &ids).await? {
        files.entry(answer).or_default().push(file);
    }
    let details = found.into_iter().map(|answer| AnswerDetails {
        due_on: days.get(&answer.debt_request).copied().flatten(),
        // Looked up under two names, an answer comes twice.
        files: files.get(&answer.id).cloned().unwrap_or_default(),
        answer,
    });
    Ok(details.collect())
}
