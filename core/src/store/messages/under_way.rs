//! Messages under way, for those who ask when something comes of them.

use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;

use super::rows::MessageRow;
use crate::domain::message::{Kind, Message, MessageState};
use crate::ids::{OrganizationId, SubmissionId};
use crate::store::db::{both, load_where};
use crate::store::schema::{attempts, messages};
use crate::store::{Conn, StoreError};

const UNDER_WAY: [MessageState; 2] = [MessageState::Sending, MessageState::Accepted];

/// The messages under way that carry some submissions, oldest first: of a submission the last one counts.
pub(crate) async fn carrying(
    conn: &mut Conn,
    submissions: &[SubmissionId],
) -> Result<Vec<(SubmissionId, Message)>, StoreError> {
    let rows: Vec<(SubmissionId, MessageRow)> =
        load_where!(conn, attempts::submission_id, submissions, |named| attempts::table
            .inner_join(messages::table)
            .filter(named)
            .filter(messages::state.eq_any(UNDER_WAY))
            .order((messages::sent_at, messages::id))
            .select((attempts::submission_id, MessageRow::as_select())))?;
    Ok(rows.into_iter().map(|(submission, row)| (submission, Message::from(row))).collect())
}

/// The readings of single debt requests of an organisation that are under way.
pub(crate) async fn open_looks(
    conn: &mut Conn,
    organization: OrganizationId,
) -> Result<Vec<Message>, StoreError> {
    let rows: Vec<MessageRow> = both!(conn, c => {
        messages::table
            .filter(messages::organization_id.eq(organization))
            .filter(messages::kind.eq(Kind::Look))
            .filter(messages::state.eq_any(UNDER_WAY))
            .order(messages::id)
            .select(MessageRow::as_select())
            .load(c)
            .await
    })?;
    Ok(rows.into_iter().map(Message::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::Purpose;
    use crate::ids::DebtRequestId;
    use crate::store::messages::insert;
    use crate::store::test_db::for_both;
    use crate::store::test_rows::{at, message, organization, queued};

    #[test]
    fn what_is_over_is_not_under_way() {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let ours = organization(&mut tx).await;
            let (_, submission) = queued(&mut tx, ours).await;
            let (_, other) = queued(&mut tx, ours).await;
            let lost = Message { state: MessageState::Lost, ..message(ours) };
            let sent = Message { sent_at: at(5), ..message(ours) };
            insert(&mut tx, &lost, &[(submission.id, 1)]).await.unwrap();
            insert(&mut tx, &sent, &[(submission.id, 2)]).await.unwrap();
            insert(&mut tx, &message(ours), &[(other.id, 1)]).await.unwrap();
            let found = carrying(&mut tx, &[submission.id]).await.unwrap();
            assert_eq!(found, [(submission.id, sent)]);
            assert_eq!(carrying(&mut tx, &[submission.id, other.id]).await.unwrap().len(), 2);

            let look = |state, organization| Message {
                purpose: Purpose::Look { ids: vec![DebtRequestId::generate()] },
                state,
                ..message(organization)
            };
            let theirs = organization(&mut tx).await;
            let asked = look(MessageState::Accepted, ours);
            for look in [&asked, &look(MessageState::Done, ours), &look(MessageState::Accepted, theirs)] {
                insert(&mut tx, look, &[]).await.unwrap();
            }
            assert_eq!(open_looks(&mut tx, ours).await.unwrap(), [asked]);
        });
    }
}
