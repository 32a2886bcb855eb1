//! Invented rows for tests: the least that the tables accept, and values that use every field.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use diesel::ExpressionMethods;
use diesel_async::RunQueryDsl;
use gis_client::debt_requests::AtLeastOne;
use gis_client::text::{Comment, DocumentNumber, NsiCode, PersonName, Snils};
use serde_json::json;
use uuid::Uuid;

use super::db::both;
use super::schema::{debt_requests, organizations};
use super::types::{Guid, Json, Ts};
use super::{Conn, answers, attachments, submissions};
use crate::domain::answer::{Answer, GisWords, LastError, Source, State};
use crate::domain::attachment::{Attachment, FileState};
use crate::domain::content::{Content, ContentHash, DebtDocument, Debtor, IdentityDocument};
use crate::domain::message::{Message, MessageState, Purpose};
use crate::domain::submission::{Action, Submission, SubmissionState};
use crate::ids::{
    AnswerId, AttachmentId, DebtRequestId, MessageId, OrganizationId, SubmissionId, TransportId,
};

/// So many seconds after an hour in November 2026.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_793_612_345_000_001).unwrap() + TimeDelta::seconds(seconds)
}

/// A day in November 2026.
pub(crate) fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, number).unwrap()
}

/// A stored organisation.
pub(crate) async fn organization(conn: &mut Conn) -> OrganizationId {
    let id = OrganizationId::generate();
    let row = (
        organizations::id.eq(id),
        organizations::name.eq("ООО «Тепло»"),
        organizations::ogrn.eq("1026605606620"),
        organizations::ppa_guid.eq(Guid(Uuid::now_v7())),
        organizations::signer.eq("main"),
        organizations::time_zone.eq("Asia/Yekaterinburg"),
        organizations::content_key.eq(vec![7_u8; 32]),
        organizations::version.eq(1_i64),
        organizations::created_at.eq(Ts(at(0))),
        organizations::updated_at.eq(Ts(at(0))),
    );
    both!(conn, c => diesel::insert_into(organizations::table).values(row).execute(c).await).unwrap();
    id
}

/// Halts an organisation.
pub(crate) async fn halt(conn: &mut Conn, id: OrganizationId) {
    let halt = Json(json!({"code": "AUT011003", "detail": "нет прав", "since": at(0)}));
    both!(conn, c => {
        diesel::update(organizations::table).filter(organizations::id.eq(id))
            .set(organizations::halted.eq(halt)).execute(c).await
    })
    .unwrap();
}

/// A stored debt request.
pub(crate) async fn request(conn: &mut Conn, organization: OrganizationId) -> DebtRequestId {
    let id = DebtRequestId::generate();
    let row = (
        debt_requests::id.eq(id),
        debt_requests::organization_id.eq(organization),
        debt_requests::request_number.eq("62026110433"),
        debt_requests::requester_folded.eq(""),
        debt_requests::address_folded.eq(""),
        debt_requests::sent_key.eq(day(2)),
        debt_requests::due_key.eq(day(10)),
        debt_requests::request_status.eq("sent"),
        debt_requests::response_status.eq("not_sent"),
        debt_requests::synced_at.eq(Ts(at(0))),
        debt_requests::stage.eq("new"),
        debt_requests::answered.eq(false),
        debt_requests::version.eq(1_i64),
        debt_requests::created_at.eq(Ts(at(0))),
        debt_requests::updated_at.eq(Ts(at(0))),
    );
    both!(conn, c => diesel::insert_into(debt_requests::table).values(row).execute(c).await).unwrap();
    id
}

/// A queued answer "no debt".
pub(crate) fn answer(organization: OrganizationId, debt_request: DebtRequestId) -> Answer {
    Answer {
        id: AnswerId::generate(),
        organization,
        debt_request,
        external_id: None,
        revision: 1,
        state: State::Queued,
        content: Content::NoDebt { comment: None },
        content_hash: ContentHash::stored("hmac:00".to_owned()),
        executor: None,
        source: Source::Api,
        author: "token".to_owned(),
        warnings: Vec::new(),
        last_error: None,
        blocked_by: None,
        superseded_by: None,
        confirm: Vec::new(),
        reason: None,
        return_comment: None,
        waits_for_files: false,
        maybe_sent: false,
        confirmed_in_gis: false,
        gis_updated_at: None,
        next_check_at: None,
        trace: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
        submitted_at: Some(at(0)),
        settled_at: None,
        delivered_at: None,
        personal_data_erased_at: None,
    }
}

/// Writes something into the row of an answer where its content stands.
pub(crate) async fn set_content(conn: &mut Conn, id: AnswerId, content: serde_json::Value) {
    use super::schema::answers;

    let content = Json(content);
    both!(conn, c => {
        diesel::update(answers::table).filter(answers::id.eq(id))
            .set(answers::content.eq(content)).execute(c).await
    })
    .unwrap();
}

/// A content with everything.
pub(crate) fn debt(document: AttachmentId, file: AttachmentId) -> Content {
    let debtor = Debtor {
        last_name: PersonName::parse("Выдуманный").unwrap(),
        first_name: PersonName::parse("Пётр").unwrap(),
        middle_name: None,
        snils: Some(Snils::parse("11223344595").unwrap()),
        identity_document: Some(IdentityDocument {
            type_code: NsiCode::parse("21").unwrap(),
            series: None,
            number: DocumentNumber::parse("000001").unwrap(),
        }),
        documents: vec![DebtDocument { type_code: NsiCode::parse("1").unwrap(), attachment: document }],
    };
    Content::Debt {
        comment: Some(Comment::parse("Решение «вступило»\nв силу").unwrap()),
        debtors: AtLeastOne::new(vec![debtor]).unwrap(),
        files: vec![file],
    }
}

/// An error with everything.
pub(crate) fn last_error() -> LastError {
    LastError {
        origin: "gis".to_owned(),
        code: "gis_rejected".to_owned(),
        detail: "ГИС ЖКХ отклонила ответ".to_owned(),
        pointer: Some("/debtors/0".to_owned()),
        gis: Some(GisWords {
            code: "INT016001".to_owned(),
            description: "Ошибка".to_owned(),
            message_guid: Some(Uuid::now_v7()),
            at: at(3),
        }),
    }
}

/// A queued submission of an answer.
pub(crate) fn submission(answer: &Answer) -> Submission {
    Submission {
        id: SubmissionId::generate(),
        organization: answer.organization,
        debt_request: answer.debt_request,
        answer: answer.id,
        action: Action::Send,
        transport: TransportId::generate(),
        state: SubmissionState::Queued,
        attempts: 0,
        has_debt: answer.content.has_debt(),
        due: day(10),
        not_before: at(0),
        began_at: None,
        uncertain_since: None,
        looked_at: None,
        look_first: false,
        pack_limit: None,
        repairs: 0,
        error: None,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// A stored queued answer to a new debt request, with its stored submission.
pub(crate) async fn queued(conn: &mut Conn, organization: OrganizationId) -> (Answer, Submission) {
    let request = request(conn, organization).await;
    let answer = answer(organization, request);
    answers::insert(conn, vec![(answer.clone(), Vec::new())]).await.unwrap();
    let submission = submission(&answer);
    submissions::save(conn, vec![submission.clone()]).await.unwrap();
    (answer, submission)
}

/// An import that is being sent.
pub(crate) fn message(organization: OrganizationId) -> Message {
    Message {
        id: MessageId::generate(),
        organization,
        purpose: Purpose::Import,
        state: MessageState::Sending,
        worker: None,
        lease_until: None,
        gis_guid: None,
        sent_at: at(0),
        acknowledged_at: None,
        polls: 0,
        next_poll_at: None,
        failures: 0,
        error: None,
        trace: None,
        finished_at: None,
    }
}

/// A file that no answer uses yet.
pub(crate) fn file(organization: OrganizationId) -> Attachment {
    Attachment {
        id: AttachmentId::generate(),
        organization,
        owner: "token".to_owned(),
        file_name: "решение.pdf".to_owned(),
        description: "Решение суда".to_owned(),
        extension: "pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        size: 184_211,
        sha256: [1; 32],
        gost_hash: [2; 32],
        created_at: at(0),
        expires_at: Some(at(100)),
        used_by: None,
        gis_state: FileState::NotUploaded,
        gis_id: None,
        gis_error: None,
    }
}

/// A stored file.
pub(crate) async fn stored_file(conn: &mut Conn, organization: OrganizationId) -> Attachment {
    let file = file(organization);
    attachments::insert(conn, &file).await.unwrap();
    file
}
