use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::*;
use crate::domain::message::Purpose;
use crate::ids::DebtRequestId;
use crate::ids::SyncRunId;
use crate::store::test_db::for_both;
use crate::store::test_rows::{at, day, last_error, message, organization, queued};

fn page(organization: OrganizationId, run: SyncRunId, state: MessageState) -> Message {
    let after = Some(DebtRequestId::generate());
    let purpose = Purpose::Page { run, from: day(1), to: day(2), after, found: 7, lost: 1 };
    Message { purpose, state, ..message(organization) }
}

fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}

async fn stored(conn: &mut Conn, message: Message) -> Message {
    insert(conn, &message, &[]).await.unwrap();
    message
}

#[test]
fn a_message_comes_back_as_it_went() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let look = Purpose::Look { ids: vec![DebtRequestId::generate(), DebtRequestId::generate()] };
        stored(&mut tx, Message { purpose: look, ..message(organization) }).await;
        stored(&mut tx, page(organization, SyncRunId::generate(), MessageState::Accepted)).await;
        let bare = stored(&mut tx, message(organization)).await;
        let full = Message {
            state: MessageState::Accepted,
            worker: Some(WorkerId::generate()),
            lease_until: Some(at(1)),
            gis_guid: Some(Uuid::now_v7()),
            acknowledged_at: Some(at(2)),
            polls: 3,
            next_poll_at: Some(at(4)),
            failures: 5,
            error: Some(last_error()),
            trace: Some("00-1-2-01".to_owned()),
            finished_at: Some(at(6)),
            ..bare.clone()
        };
        assert!(update(&mut tx, &full, None).await.unwrap());
        assert_eq!(get(&mut tx, full.id).await.unwrap(), Some(full.clone()));
        assert!(update(&mut tx, &bare, full.worker).await.unwrap());
        assert_eq!(get(&mut tx, bare.id).await.unwrap(), Some(bare));
        assert_eq!(get(&mut tx, MessageId::generate()).await.unwrap(), None);
    });
}

#[test]
fn only_the_holder_writes() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let (holder, stranger) = (WorkerId::generate(), WorkerId::generate());
        let held = stored(&mut tx, Message { worker: Some(holder), ..message(organization) }).await;
        let changed = Message { polls: 9, worker: None, ..held.clone() };
        for wrong in [None, Some(stranger)] {
            assert!(!update(&mut tx, &changed, wrong).await.unwrap(), "{wrong:?}");
        }
        assert_eq!(get(&mut tx, held.id).await.unwrap(), Some(held));
        assert!(update(&mut tx, &changed, Some(holder)).await.unwrap());
        for wrong in [Some(holder), Some(stranger)] {
            assert!(!update(&mut tx, &changed, wrong).await.unwrap(), "{wrong:?}");
        }
        let done = Message { state: MessageState::Done, ..changed.clone() };
        assert!(update(&mut tx, &done, None).await.unwrap());
        assert!(!update(&mut tx, &changed, None).await.unwrap());
        assert_eq!(get(&mut tx, done.id).await.unwrap(), Some(done));
    });
}

#[test]
fn a_message_knows_what_it_carries() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let (_, one) = queued(&mut tx, organization).await;
        let (_, two) = queued(&mut tx, organization).await;
        queued(&mut tx, organization).await;
        let import = message(organization);
        insert(&mut tx, &import, &[(two.id, 1), (one.id, 2)]).await.unwrap();
        assert_eq!(carried(&mut tx, import.id).await.unwrap(), [one.clone(), two]);
        assert_eq!(carried(&mut tx, MessageId::generate()).await.unwrap(), []);
        let twice = insert(&mut tx, &import, &[(one.id, 3)]).await;
        assert!(twice.unwrap_err().is_unique());
    });
}

/// Messages with a time in one of their fields; `None` where it has none.
async fn with_times(conn: &mut Conn, times: &[(MessageState, Option<i64>, Option<i64>)]) -> Vec<MessageId> {
    let organization = organization(conn).await;
    let time = |seconds: Option<i64>| -> Option<DateTime<Utc>> { seconds.map(at) };
    let mut all = Vec::new();
    for (state, poll, lease) in times {
        let message = Message {
            state: *state,
            next_poll_at: time(*poll),
            lease_until: time(*lease),
            worker: lease.map(|_| WorkerId::generate()),
            ..message(organization)
        };
        all.push(stored(conn, message).await.id);
    }
    all
}

#[test]
fn polls_are_claimed_when_due() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let all = with_times(
            &mut tx,
            &[
                (MessageState::Accepted, Some(50), None),
                (MessageState::Accepted, Some(10), None),
                (MessageState::Accepted, Some(61), None),
                (MessageState::Accepted, Some(20), Some(60)),
                (MessageState::Accepted, Some(20), Some(70)),
                (MessageState::Accepted, None, None),
                (MessageState::Sending, Some(10), Some(99)),
                (MessageState::Done, Some(10), None),
            ],
        )
        .await;
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(10)));
        let worker = WorkerId::generate();
        let first = claim_polls(&mut tx, worker, at(60), at(90), 2).await.unwrap();
        assert_eq!(ids(&first), [all[1], all[3]]);
        for message in first {
            assert_eq!((message.worker, message.lease_until), (Some(worker), Some(at(90))));
            assert_eq!(get(&mut tx, message.id).await.unwrap(), Some(message));
        }
        assert_eq!(ids(&claim_polls(&mut tx, worker, at(60), at(90), 9).await.unwrap()), [all[0]]);
        assert_eq!(claim_polls(&mut tx, worker, at(60), at(90), 9).await.unwrap(), []);
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(61)));
        let later = claim_polls(&mut tx, worker, at(90), at(99), 9).await.unwrap();
        assert_eq!(ids(&later), [all[1], all[3], all[4], all[0], all[2]]);
    });
}

#[test]
fn abandoned_messages_find_a_new_worker() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let all = with_times(
            &mut tx,
            &[
                (MessageState::Sending, None, Some(60)),
                (MessageState::Sending, None, Some(30)),
                (MessageState::Sending, None, Some(61)),
                (MessageState::Accepted, Some(10), Some(10)),
                (MessageState::Lost, None, Some(10)),
            ],
        )
        .await;
        let worker = WorkerId::generate();
        let found = claim_abandoned(&mut tx, worker, at(60), at(80), 9).await.unwrap();
        assert_eq!(ids(&found), [all[1], all[0]]);
        assert!(found.iter().all(|message| message.worker == Some(worker)));
        assert_eq!(claim_abandoned(&mut tx, worker, at(60), at(80), 9).await.unwrap(), []);
        let [taken, ..] = found.as_slice() else { panic!("nothing found") };
        let lost = Message { state: MessageState::Lost, worker: None, lease_until: None, ..taken.clone() };
        assert!(update(&mut tx, &lost, Some(worker)).await.unwrap());
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(10)));
    });
}

#[test]
fn pages_of_a_run() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        assert_eq!(open_pages(&mut tx, organization).await.unwrap(), []);
        let run = SyncRunId::generate();
        stored(&mut tx, page(organization, run, MessageState::Done)).await;
        stored(&mut tx, page(organization, run, MessageState::Lost)).await;
        let sending = stored(&mut tx, page(organization, run, MessageState::Sending)).await;
        let accepted = stored(&mut tx, page(organization, run, MessageState::Accepted)).await;
        let failed = Message { next_poll_at: Some(at(5)), ..page(organization, run, MessageState::Failed) };
        let failed = stored(&mut tx, failed).await;
        stored(&mut tx, message(organization)).await;
        let mut open = [sending.clone(), accepted.clone(), failed];
        open.sort_by_key(|message| message.id);
        assert_eq!(open_pages(&mut tx, organization).await.unwrap(), open);
        let all: Vec<_> = open.iter().map(|message| message.id).collect();
        close_pages(&mut tx, &all).await.unwrap();
        let mut open = [sending, accepted];
        open.sort_by_key(|message| message.id);
        assert_eq!(open_pages(&mut tx, organization).await.unwrap(), open);
    });
}

#[test]
fn what_was_sent_before_says_nothing_of_what_is_taken_since() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let sent = |minute, state| Message { sent_at: at(minute), state, ..message(organization) };
        let late = Message { finished_at: Some(at(9)), ..sent(1, MessageState::Done) };
        let package = stored(&mut tx, sent(2, MessageState::Failed)).await;
        for message in
            [late, sent(3, MessageState::Lost), page(organization, SyncRunId::generate(), MessageState::Done)]
        {
            stored(&mut tx, message).await;
        }
        let others = packages_since(&mut tx, organization, package.sent_at, package.id).await.unwrap();
        assert_eq!(others, [MessageState::Lost]);
    });
}

#[test]
fn looks_that_have_failed_since() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (own, other) = (organization(&mut tx).await, organization(&mut tx).await);
        let failed = |organization, seconds| Message {
            purpose: Purpose::Look { ids: vec![DebtRequestId::generate()] },
            state: MessageState::Failed,
            finished_at: Some(at(seconds)),
            ..message(organization)
        };
        let late = stored(&mut tx, failed(own, 9)).await;
        let early = stored(&mut tx, failed(own, 5)).await;
        stored(&mut tx, failed(own, 4)).await;
        stored(&mut tx, failed(other, 9)).await;
        stored(&mut tx, Message { state: MessageState::Done, ..failed(own, 9) }).await;
        stored(&mut tx, Message { state: MessageState::Lost, ..failed(own, 9) }).await;
        stored(&mut tx, Message { purpose: Purpose::Import, ..failed(own, 9) }).await;
        assert_eq!(failed_looks(&mut tx, own, at(5)).await.unwrap(), [early, late]);
    });
}
