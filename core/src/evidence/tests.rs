use super::*;
use crate::ids::OrganizationId;
use crate::store::test_db::for_both;
use crate::store::test_rows::{message, queued};
use crate::store::{Db, messages};
use crate::test_service::{Bench, caller, start};

/// Twenty kilobytes that are not all alike.
fn letter() -> Bytes {
    (0..20_000_u32).map(|number| u8::try_from(number * number % 251).unwrap()).collect::<Vec<_>>().into()
}

/// An answer whose message is about to be sent.
async fn sending(db: &Db, organization: OrganizationId) -> (AnswerId, MessageId) {
    let mut tx = db.begin().await.unwrap();
    let (answer, submission) = queued(&mut tx, organization).await;
    let message = Message { sent_at: start(), ..message(organization) };
    messages::insert(&mut tx, &message, &[(submission.id, 1)]).await.unwrap();
    tx.commit().await.unwrap();
    (answer.id, message.id)
}

#[test]
fn what_is_kept_comes_back_byte_for_byte_and_is_kept_once() {
    for_both(async |db| {
        let bench = Bench::new(db.clone()).await;
        let service = &bench.service;
        let (answer, message) = sending(&db, bench.caller.organization).await;
        service.keep_evidence(message, Part::Request, None, letter()).await.unwrap();
        service.keep_evidence(message, Part::Acknowledgement, Some(502), Bytes::new()).await.unwrap();
        // The result is brought twice when a worker dies between the archive and the row of the message.
        for text in ["first", "second"] {
            service.keep_evidence(message, Part::Result, Some(200), text.into()).await.unwrap();
        }
        assert_eq!(bench.stored_files(), 3);

        let evidence = service.get_evidence(&bench.caller, answer).await.unwrap();
        let [sent] = evidence.sent.as_slice() else { panic!("one attempt") };
        let [request, acknowledgement, result] = sent.entries.as_slice() else { panic!("three parts") };
        assert_eq!(
            [request, acknowledgement, result].map(|entry| (entry.part, entry.http_status)),
            [(Part::Request, None), (Part::Acknowledgement, Some(502)), (Part::Result, Some(200))]
        );
        assert_eq!(service.evidence_content(request).await.unwrap(), letter());
        assert_eq!(service.evidence_content(acknowledgement).await.unwrap(), "");
        assert_eq!(service.evidence_content(result).await.unwrap(), "first");
    });
}

#[test]
fn what_was_altered_is_not_passed_off_as_evidence() {
    for_both(async |db| {
        let bench = Bench::new(db.clone()).await;
        let service = &bench.service;
        let (answer, message) = sending(&db, bench.caller.organization).await;
        service.keep_evidence(message, Part::Request, None, letter()).await.unwrap();
        let evidence = service.get_evidence(&bench.caller, answer).await.unwrap();
        let entry = &evidence.sent[0].entries[0];
        let (_, forged) = pack(b"a forged letter");
        // Of another text, not packed at all, and far longer than it says.
        let (_, bomb) = pack(&vec![b' '; 10_000_000]);
        for content in [forged.unwrap(), Bytes::from_static(b"text"), bomb.unwrap()] {
            service.files.put(entry.content, content).await.unwrap();
            assert!(matches!(service.evidence_content(entry).await, Err(Error::Internal(_))));
        }
    });
}

#[test]
fn there_is_no_evidence_of_what_was_not_sent() {
    for_both(async |db| {
        let bench = Bench::new(db.clone()).await;
        let service = &bench.service;
        let (answer, message) = sending(&db, bench.caller.organization).await;
        let refused = service.get_evidence(&bench.caller, answer).await.err().unwrap();
        let Error::Conflict(conflict) = refused else { panic!("{refused:?}") };
        assert_eq!(
            (conflict.code, conflict.state),
            (Code::StateConflict, Some(crate::domain::answer::State::Queued))
        );

        service.keep_evidence(message, Part::Request, None, letter()).await.unwrap();
        let stranger = {
            let mut tx = db.begin().await.unwrap();
            let other = crate::store::samples::stored_organization(&mut tx).await;
            tx.commit().await.unwrap();
            caller(other)
        };
        let refused = service.get_evidence(&stranger, answer).await.err().unwrap();
        assert!(matches!(refused, Error::NotFound), "{refused:?}");
    });
}
