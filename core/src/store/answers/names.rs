//! The names that clients give to answers: the first is the answer's own, any other is an alias (`api.md` §4.4).

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, Insertable, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::rows::{AnswerRow, answers_of};
use crate::domain::answer::{Answer, ExternalId};
use crate::ids::{AnswerId, DebtRequestId, OrganizationId};
use crate::store::db::{both, insert_batch};
use crate::store::schema::{answers, external_ids};
use crate::store::types::Ts;
use crate::store::{Conn, StoreError};

/// By id or by any external id, aliases too; with the external id that found it. An answer that is found by several
/// comes several times.
pub(crate) async fn find(
    conn: &mut Conn,
    organization: OrganizationId,
    ids: &[AnswerId],
    external: &[ExternalId],
) -> Result<Vec<(Option<ExternalId>, Answer)>, StoreError> {
    let by_id = both!(conn, c => {
        answers::table
            .filter(answers::organization_id.eq(organization))
            .filter(answers::id.eq_any(ids))
            .order(answers::id)
            .select(AnswerRow::as_select())
            .load(c)
            .await
    })?;
    let by_name: Vec<(ExternalId, AnswerRow)> = both!(conn, c => {
        external_ids::table
            .inner_join(answers::table)
            .filter(external_ids::organization_id.eq(organization))
            .filter(external_ids::external_id.eq_any(external))
            .order(external_ids::external_id)
            .select((external_ids::external_id, AnswerRow::as_select()))
            .load(c)
            .await
    })?;
    let by_id = answers_of(by_id).into_iter().map(|answer| (None, answer));
    let by_name = by_name.into_iter().map(|(name, row)| (Some(name), Answer::from(row)));
    Ok(by_id.chain(by_name).collect())
}

#[derive(Insertable)]
#[diesel(table_name = external_ids, treat_none_as_default_value = false)]
struct NameRow {
    organization_id: OrganizationId,
    external_id: ExternalId,
    answer_id: AnswerId,
    created_at: Ts,
}

/// Gives new answers the names that they come with, in one statement where all of them are new.
pub(super) async fn name_all<'a>(
    conn: &mut Conn,
    answers: impl Iterator<Item = &'a Answer>,
) -> Result<(), StoreError> {
    let named: Vec<_> =
        answers.filter_map(|answer| answer.external_id.as_ref().map(|name| (name, answer))).collect();
    let rows: Vec<_> = named
        .iter()
        .map(|(name, answer)| NameRow {
            organization_id: answer.organization,
            external_id: (*name).clone(),
            answer_id: answer.id,
            created_at: Ts(answer.created_at),
        })
        .collect();
    let written = insert_batch!(conn, rows, |batch| diesel::insert_into(external_ids::table)
        .values(batch)
        .on_conflict_do_nothing())?;
    if written == named.len() {
        return Ok(());
    }
    for (external_id, answer) in named {
        name(conn, answer.organization, external_id, answer.id, answer.created_at).await?;
    }
    Ok(())
}

/// Gives an answer a name, or moves the name to it from another answer of the same debt request. A name that an answer to
/// another debt request has was taken since the use case looked: a [`StoreError::Stale`], which the client may repeat.
pub(crate) async fn name(
    conn: &mut Conn,
    organization: OrganizationId,
    external_id: &ExternalId,
    answer: AnswerId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let row = (
        external_ids::organization_id.eq(organization),
        external_ids::external_id.eq(external_id),
        external_ids::answer_id.eq(answer),
        external_ids::created_at.eq(Ts(now)),
    );
    let given = both!(conn, c => {
        diesel::insert_into(external_ids::table).values(row).on_conflict_do_nothing().execute(c).await
    })?;
    let written = if given == 0 { rename(conn, organization, external_id, answer).await? } else { given };
    StoreError::unless_hit(written)
}

/// Moves a name within a debt request.
async fn rename(
    conn: &mut Conn,
    organization: OrganizationId,
    external_id: &ExternalId,
    answer: AnswerId,
) -> Result<usize, StoreError> {
    let request: DebtRequestId = both!(conn, c => {
        answers::table.find(answer).select(answers::debt_request_id).first(c).await
    })?;
    let written = both!(conn, c => {
        let kin = answers::table.filter(answers::debt_request_id.eq(request)).select(answers::id);
        diesel::update(
            external_ids::table
                .find((organization, external_id))
                .filter(external_ids::answer_id.eq_any(kin)),
        )
        .set(external_ids::answer_id.eq(answer))
        .execute(c)
        .await
    })?;
    Ok(written)
}

/// Who has names: the answer and its debt request.
pub(crate) async fn holders(
    conn: &mut Conn,
    organization: OrganizationId,
    names: &[ExternalId],
) -> Result<Vec<(ExternalId, AnswerId, DebtRequestId)>, StoreError> {
    Ok(both!(conn, c => {
        external_ids::table
            .inner_join(answers::table)
            .filter(external_ids::organization_id.eq(organization))
            .filter(external_ids::external_id.eq_any(names))
            .select((external_ids::external_id, answers::id, answers::debt_request_id))
            .load(c)
            .await
    })?)
}
