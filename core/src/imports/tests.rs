//! A spreadsheet that comes again.

use chrono::TimeDelta;
use gis_client::debt_requests::AtLeastOne;
use gis_client::text::PersonName;

use super::*;
use crate::answers::{ContentDraft, CreateAnswer, DebtorDraft, FileDraft, FileSource};
use crate::domain::answer::{Source, State};
use crate::domain::attachment::Attachment;
use crate::domain::content::{Content, Debtor};
use crate::domain::operation::Intake;
use crate::ids::{AnswerId, AttachmentId, DebtRequestId, ImportId};
use crate::spreadsheets::SheetAnswer;
use crate::store::test_db::for_both;
use crate::store::{attachments, test_rows};
use crate::test_service::{Bench, stored_import};

/// An answer that a person has prepared, with a file and an insurance number.
async fn prepared(bench: &Bench, request: DebtRequestId) -> (AnswerId, AttachmentId) {
    let (service, caller) = (&bench.service, &bench.caller);
    let mut tx = service.db.begin().await.unwrap();
    let file = Attachment { expires_at: None, ..test_rows::file(caller.organization) };
    attachments::insert(&mut tx, &file).await.unwrap();
    let debtor = DebtorDraft {
        last_name: "Вымышленный".to_owned(),
        first_name: "Пётр".to_owned(),
        snils: Some("11223344595".to_owned()),
        ..DebtorDraft::default()
    };
    let attachment = FileDraft { type_code: None, description: None, source: FileSource::Stored(file.id) };
    let content =
        ContentDraft { has_debt: true, comment: None, debtors: vec![debtor], attachments: vec![attachment] };
    let command = draft(request, content);
    let id = service.create_answer(&mut tx, caller, command).await.unwrap().answer.answer.id;
    service.complete_answer(&mut tx, caller, id, None).await.unwrap();
    tx.commit().await.unwrap();
    // A person needs time between this and whatever comes next.
    service.clock.advance(TimeDelta::seconds(1));
    (id, file.id)
}

fn draft(debt_request: DebtRequestId, content: ContentDraft) -> CreateAnswer {
    CreateAnswer {
        debt_request,
        external_id: None,
        submit: false,
        content,
        executor: None,
        confirm: Vec::new(),
        reason: None,
        source: Source::Api,
        trace: None,
    }
}

/// The same answer as a spreadsheet says it.
fn sheet_answer(debt_request: DebtRequestId) -> SheetAnswer {
    let debtor = Debtor {
        last_name: PersonName::parse("Вымышленный").unwrap(),
        first_name: PersonName::parse("Пётр").unwrap(),
        middle_name: None,
        snils: None,
        identity_document: None,
        documents: Vec::new(),
    };
    SheetAnswer {
        debt_request,
        request_number: None,
        content: Content::Debt { comment: None, debtors: AtLeastOne::from(debtor), files: Vec::new() },
        waits_for_files: false,
        rows: AtLeastOne::from(2),
    }
}

/// Brings it to its debt request, and sends what comes of it.
async fn take(tx: &mut Tx, bench: &Bench, said: &SheetAnswer) -> ImportRow {
    let said = std::slice::from_ref(said);
    let [row] = bench.service.take_sheet(tx, &bench.caller, said, true).await.unwrap().try_into().unwrap();
    assert_eq!(row.intake, Intake::Queued);
    row
}

async fn taken(bench: &Bench, said: &SheetAnswer) -> AnswerId {
    let mut tx = bench.service.db.begin().await.unwrap();
    let row = take(&mut tx, bench, said).await;
    tx.commit().await.unwrap();
    row.answer.unwrap()
}

/// An import that has queued this.
async fn import_of(bench: &Bench, said: &SheetAnswer) -> (ImportId, AnswerId) {
    let (service, caller) = (&bench.service, &bench.caller);
    let id = stored_import(service, caller, ImportMode::Apply).await;
    let mut tx = service.db.begin().await.unwrap();
    let row = take(&mut tx, bench, said).await;
    let answer = row.answer.unwrap();
    imports::insert_rows(&mut tx, id, vec![row]).await.unwrap();
    tx.commit().await.unwrap();
    (id, answer)
}

async fn stop(bench: &Bench, import: ImportId) {
    let mut tx = bench.service.db.begin().await.unwrap();
    bench.service.cancel_operation(&mut tx, &bench.caller, import.as_uuid()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(bench.take_back().await, 1);
    // Whoever submits it again does so later.
    bench.service.clock.advance(TimeDelta::seconds(1));
}

#[test]
fn what_a_stopped_import_has_sent_is_prepared_again_with_its_files() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let (service, caller) = (&bench.service, &bench.caller);
        let request = bench.answerable_request().await;
        let (answer, file) = prepared(&bench, request).await;
        let said = sheet_answer(request);
        let (import, _) = import_of(&bench, &said).await;
        stop(&bench, import).await;
        let details = service.get_answer(caller, answer).await.unwrap();
        assert_eq!((details.answer.state, details.answer.submitted_at), (State::Prepared, None));

        // The same sheet sends it as it was prepared, and what was stopped before has no part in that.
        assert_eq!(taken(&bench, &said).await, answer);
        assert_eq!(bench.take_back().await, 0);
        let details = service.get_answer(caller, answer).await.unwrap();
        assert_eq!((details.answer.revision, details.answer.state), (1, State::Queued));
        assert_eq!(details.answer.content.files(), [file]);
        let [debtor] = details.answer.content.debtors() else { panic!("one debtor") };
        assert!(debtor.snils.is_some());

        // What somebody takes back himself may have a wrong file: the sheet says it anew.
        let mut tx = service.db.begin().await.unwrap();
        service.cancel_answer(&mut tx, caller, answer, None).await.unwrap();
        tx.commit().await.unwrap();
        let anew = taken(&bench, &said).await;
        let details = service.get_answer(caller, anew).await.unwrap();
        assert_eq!((details.answer.revision, details.answer.content), (2, said.content));
    });
}

#[test]
fn what_a_stopped_import_has_made_is_cancelled_and_so_is_what_has_a_newer_draft() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let (service, caller) = (&bench.service, &bench.caller);
        let (made, replaced) = (bench.answerable_request().await, bench.answerable_request().await);
        let (answer, _) = prepared(&bench, replaced).await;
        for request in [made, replaced] {
            let said = sheet_answer(request);
            let (import, sent) = import_of(&bench, &said).await;
            if request == replaced {
                let mut tx = service.db.begin().await.unwrap();
                let newer = draft(request, ContentDraft { has_debt: false, ..ContentDraft::default() });
                service.create_answer(&mut tx, caller, newer).await.unwrap();
                tx.commit().await.unwrap();
            }
            stop(&bench, import).await;
            assert_eq!(service.get_answer(caller, sent).await.unwrap().answer.state, State::Cancelled);
            assert_eq!(sent == answer, request == replaced);
        }
    });
}

#[test]
fn what_is_prepared_again_can_be_deleted() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let (service, caller) = (&bench.service, &bench.caller);
        let request = bench.answerable_request().await;
        let (answer, _) = prepared(&bench, request).await;
        let (import, _) = import_of(&bench, &sheet_answer(request)).await;
        stop(&bench, import).await;
        let mut tx = service.db.begin().await.unwrap();
        service.delete_answer(&mut tx, caller, answer, None).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(service.get_answer(caller, answer).await, Err(Error::NotFound)));
    });
}
