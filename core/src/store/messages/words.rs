//! The words of GIS about what was sent, which may quote it: they are forgotten with the personal data of the answers.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;

use crate::domain::answer::LastError;
use crate::ids::{MessageId, SubmissionId};
use crate::store::db::both;
use crate::store::json::AsJson;
use crate::store::schema::{attempts, messages};
use crate::store::{Conn, StoreError};

/// Forgets the words about submissions, and those about the messages that carried them; the codes of GIS stay.
pub(crate) async fn forget_words(conn: &mut Conn, submissions: &[SubmissionId]) -> Result<(), StoreError> {
    if submissions.is_empty() {
        return Ok(());
    }
    of_attempts(conn, submissions).await?;
    of_messages(conn, submissions).await
}

async fn of_attempts(conn: &mut Conn, submissions: &[SubmissionId]) -> Result<(), StoreError> {
    let told: Vec<(MessageId, SubmissionId, Option<AsJson<LastError>>)> = both!(conn, c => {
        attempts::table
            .filter(attempts::submission_id.eq_any(submissions.to_vec()))
            .filter(attempts::error.is_not_null())
            .select((attempts::message_id, attempts::submission_id, attempts::error))
            .load(c)
            .await
    })?;
    for (message, submission, error) in told {
        let error = without_words(error);
        both!(conn, c => {
            diesel::update(attempts::table.find((message, submission)))
                .set(attempts::error.eq(error))
                .execute(c)
                .await
        })?;
    }
    Ok(())
}

async fn of_messages(conn: &mut Conn, submissions: &[SubmissionId]) -> Result<(), StoreError> {
    let told: Vec<(MessageId, Option<AsJson<LastError>>)> = both!(conn, c => {
        let carriers = attempts::table
            .filter(attempts::submission_id.eq_any(submissions.to_vec()))
            .select(attempts::message_id);
        messages::table
            .filter(messages::id.eq_any(carriers))
            .filter(messages::error.is_not_null())
            .order(messages::id)
            .select((messages::id, messages::error))
            .load(c)
            .await
    })?;
    for (message, error) in told {
        let error = without_words(error);
        both!(conn, c => {
            diesel::update(messages::table.find(message)).set(messages::error.eq(error)).execute(c).await
        })?;
    }
    Ok(())
}

fn without_words(error: Option<AsJson<LastError>>) -> Option<AsJson<LastError>> {
    error.map(|AsJson(error)| AsJson(error.without_words()))
}
