use super::*;
use crate::domain::message::Message;
use crate::ids::{DebtRequestId, OrganizationId};
use crate::store::messages;
use crate::store::test_db::for_both;
use crate::store::test_rows::{at, day, message, organization, queued};

/// A stored message with two answers, and one of them.
async fn carried(conn: &mut Conn, organization: OrganizationId) -> (Message, AnswerId) {
    let ((answer, first), (other, second)) =
        (queued(conn, organization).await, queued(conn, organization).await);
    due(conn, answer.debt_request, 9).await;
    due(conn, other.debt_request, 12).await;
    let message = message(organization);
    messages::insert(conn, &message, &[(first.id, 1), (second.id, 1)]).await.unwrap();
    (message, answer.id)
}

async fn due(conn: &mut Conn, request: DebtRequestId, number: u32) {
    both!(conn, c => {
        diesel::update(debt_requests::table.find(request))
            .set(debt_requests::due_on.eq(day(number)))
            .execute(c)
            .await
    })
    .unwrap();
}

fn entry(message: &Message, part: Part, keep_from: u32) -> Entry {
    Entry {
        message: message.id,
        part,
        content: ContentId::generate(),
        http_status: (part != Part::Request).then_some(200),
        size: 70_000,
        sha256: [7; 32],
        keep_from: day(keep_from),
        recorded_at: at(1),
    }
}

#[test]
fn an_entry_comes_back_as_it_went_and_the_first_one_stays() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let (message, answer) = carried(&mut tx, organization).await;
        let (_, stranger) = carried(&mut tx, organization).await;
        let all = [entry(&message, Part::Request, 12), entry(&message, Part::Acknowledgement, 12)];
        for entry in &all {
            assert!(insert(&mut tx, entry).await.unwrap());
        }
        assert!(!insert(&mut tx, &entry(&message, Part::Request, 13)).await.unwrap());
        let mut found = of_answer(&mut tx, answer).await.unwrap();
        found.sort_by_key(|entry| entry.part);
        assert_eq!(found, all);
        assert_eq!(of_answer(&mut tx, stranger).await.unwrap(), []);
        let [first, second] = &all;
        let known = existing(&mut tx, &[first.content, second.content, ContentId::generate()]).await.unwrap();
        assert_eq!(known, BTreeSet::from([first.content, second.content]));
    });
}

#[test]
fn the_last_deadline_counts() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let (carrying, _) = carried(&mut tx, organization).await;
        assert_eq!(last_deadline(&mut tx, carrying.id).await.unwrap(), Some(day(12)));
        let empty = message(organization);
        messages::insert(&mut tx, &empty, &[]).await.unwrap();
        assert_eq!(last_deadline(&mut tx, empty.id).await.unwrap(), None);
    });
}

#[test]
fn what_is_over_is_deleted_the_oldest_first() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let (message, answer) = carried(&mut tx, organization).await;
        let all = [
            entry(&message, Part::Request, 10),
            entry(&message, Part::Acknowledgement, 9),
            entry(&message, Part::Result, 11),
        ];
        for entry in &all {
            insert(&mut tx, entry).await.unwrap();
        }
        let [request, acknowledgement, result] = &all;
        assert_eq!(delete_before(&mut tx, day(11), 1).await.unwrap(), [acknowledgement.content]);
        assert_eq!(delete_before(&mut tx, day(11), 9).await.unwrap(), [request.content]);
        assert_eq!(delete_before(&mut tx, day(11), 9).await.unwrap(), []);
        assert_eq!(of_answer(&mut tx, answer).await.unwrap(), std::slice::from_ref(result));
    });
}
