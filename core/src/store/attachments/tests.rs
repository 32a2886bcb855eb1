use uuid::Uuid;

use super::*;
use crate::domain::answer::{Answer, State};
use crate::store::answers;
use crate::store::test_db::for_both;
use crate::store::test_rows::{answer, at, file, last_error, organization, queued, request, stored_file};

#[test]
fn a_file_comes_back_as_it_went() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (own, other) = (organization(&mut tx).await, organization(&mut tx).await);
        let bare = stored_file(&mut tx, own).await;
        assert_eq!(get(&mut tx, own, bare.id).await.unwrap(), Some(bare.clone()));
        assert_eq!(get(&mut tx, other, bare.id).await.unwrap(), None);
        let full = Attachment {
            gis_state: FileState::Refused,
            gis_id: Some(Uuid::now_v7()),
            gis_error: Some(last_error()),
            ..bare
        };
        update(&mut tx, &full, at(1), 2).await.unwrap();
        assert_eq!(find(&mut tx, own, &[full.id]).await.unwrap(), std::slice::from_ref(&full));
        assert_eq!(find(&mut tx, other, &[full.id]).await.unwrap(), []);
        assert!(!delete(&mut tx, other, full.id).await.unwrap());
        assert!(delete(&mut tx, own, full.id).await.unwrap());
        assert!(!delete(&mut tx, own, full.id).await.unwrap());
    });
}

#[test]
fn the_same_content_is_found_while_it_lives() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (own, other) = (organization(&mut tx).await, organization(&mut tx).await);
        let known = stored_file(&mut tx, own).await;
        let id = async |conn: &mut Conn, organization, owner, sha256, now| {
            same(conn, organization, owner, &sha256, now).await.unwrap().map(|file| file.id)
        };
        assert_eq!(id(&mut tx, own, "token", [1; 32], at(99)).await, Some(known.id));
        assert_eq!(id(&mut tx, own, "token", [1; 32], at(100)).await, None);
        assert_eq!(id(&mut tx, own, "token", [3; 32], at(0)).await, None);
        assert_eq!(id(&mut tx, own, "other", [1; 32], at(0)).await, None);
        assert_eq!(id(&mut tx, other, "token", [1; 32], at(0)).await, None);
        prolong(&mut tx, known.id, at(200)).await.unwrap();
        assert_eq!(id(&mut tx, own, "token", [1; 32], at(199)).await, Some(known.id));
        let (answer, _) = queued(&mut tx, own).await;
        answers::set_files(&mut tx, answer.id, &[known.id], at(0)).await.unwrap();
        assert_eq!(id(&mut tx, own, "token", [1; 32], at(999)).await, Some(known.id));
        let refused = Attachment { gis_state: FileState::Refused, ..known };
        update(&mut tx, &refused, at(0), 0).await.unwrap();
        assert_eq!(id(&mut tx, own, "token", [1; 32], at(0)).await, None);
    });
}

#[test]
fn unused_files_die_and_used_ones_stay() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let mut unused = Vec::new();
        for seconds in [30, 10, 20, 61] {
            let file = Attachment { expires_at: Some(at(seconds)), ..file(organization) };
            insert(&mut tx, &file).await.unwrap();
            unused.push(file.id);
        }
        let used = stored_file(&mut tx, organization).await.id;
        let (answer, _) = queued(&mut tx, organization).await;
        answers::set_files(&mut tx, answer.id, &[used], at(0)).await.unwrap();
        prolong(&mut tx, used, at(0)).await.unwrap();
        assert!(!delete(&mut tx, organization, used).await.unwrap());

        let mut deleted = delete_expired(&mut tx, at(60), 2).await.unwrap();
        deleted.sort_unstable();
        assert_eq!(deleted, [unused[1], unused[2]]);
        assert_eq!(delete_expired(&mut tx, at(60), 9).await.unwrap(), [unused[0]]);
        assert_eq!(delete_expired(&mut tx, at(60), 9).await.unwrap(), []);
        let left: Vec<_> = find(&mut tx, organization, &[unused[3], used]).await.unwrap();
        assert_eq!(left.iter().map(|file| file.id).collect::<Vec<_>>(), [unused[3], used]);
    });
}

#[test]
fn files_of_queued_answers_are_uploaded() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let later = stored_file(&mut tx, organization).await;
        let due = stored_file(&mut tx, organization).await;
        let there = stored_file(&mut tx, organization).await;
        let of_draft = stored_file(&mut tx, organization).await;
        stored_file(&mut tx, organization).await;
        update(&mut tx, &Attachment { gis_state: FileState::Uploaded, ..there.clone() }, at(0), 0)
            .await
            .unwrap();
        update(&mut tx, &Attachment { gis_state: FileState::Uploading, ..due.clone() }, at(50), 3)
            .await
            .unwrap();
        update(&mut tx, &later, at(61), 0).await.unwrap();
        assert_eq!(next_due(&mut tx).await.unwrap(), None);
        // Two answers use one file: it is uploaded once.
        for _ in 0..2 {
            let (answer, _) = queued(&mut tx, organization).await;
            answers::set_files(&mut tx, answer.id, &[due.id, later.id, there.id], at(0)).await.unwrap();
        }
        let draft = answer(organization, request(&mut tx, organization).await);
        let draft = Answer { state: State::Draft, ..draft };
        answers::insert(&mut tx, vec![(draft.clone(), Vec::new())]).await.unwrap();
        answers::set_files(&mut tx, draft.id, &[of_draft.id], at(0)).await.unwrap();

        let claimed = async |conn: &mut Conn, now, until| -> Vec<(AttachmentId, i64)> {
            let files = claim_uploads(conn, at(now), at(until), 9).await.unwrap();
            files.into_iter().map(|(file, failures)| (file.id, failures)).collect()
        };
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(50)));
        assert_eq!(claimed(&mut tx, 49, 90).await, []);
        assert_eq!(claimed(&mut tx, 60, 90).await, [(due.id, 3)]);
        assert_eq!(claimed(&mut tx, 60, 90).await, []);
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(61)));
        assert_eq!(claimed(&mut tx, 61, 91).await, [(later.id, 0)]);
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(90)));
        // The worker is gone, the next one comes.
        assert_eq!(claimed(&mut tx, 90, 99).await, [(due.id, 3)]);
        // A failure is told, and the lease is over.
        update(&mut tx, &due, at(95), 4).await.unwrap();
        assert_eq!(claimed(&mut tx, 95, 99).await, [(later.id, 0), (due.id, 4)]);
    });
}
