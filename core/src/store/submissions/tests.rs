use chrono::{NaiveDate, TimeDelta};

use super::*;
use crate::clock::Clock;
use crate::domain::answer::Answer;
use crate::domain::attachment::{Attachment, FileState};
use crate::domain::submission::Action;
use crate::ids::OrganizationId;
use crate::store::test_db::{for_both, for_postgres_url, open as open_db};
use crate::store::test_rows::{
    answer, at, day, halt, last_error, message, organization, queued, request, stored_file, submission,
};
use crate::store::{answers, attachments, messages};

fn ids(submissions: &[Submission]) -> Vec<SubmissionId> {
    submissions.iter().map(|submission| submission.id).collect()
}

/// What may go on the fifth, sixty seconds after the start.
async fn claimed(conn: &mut Conn, organization: OrganizationId, limit: i64) -> Vec<SubmissionId> {
    ids(&claim(conn, organization, false, at(60), day(5), limit).await.unwrap())
}

/// Stores a queued submission with other values.
async fn with(
    conn: &mut Conn,
    organization: OrganizationId,
    change: impl FnOnce(&mut Submission),
) -> SubmissionId {
    let (_, mut submission) = queued(conn, organization).await;
    change(&mut submission);
    update(conn, &submission).await.unwrap();
    submission.id
}

#[test]
fn a_submission_comes_back_as_it_went() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let (answer, bare) = queued(&mut tx, organization).await;
        assert_eq!(find(&mut tx, &[bare.id]).await.unwrap(), std::slice::from_ref(&bare));
        let full = Submission {
            state: SubmissionState::Uncertain,
            action: Action::Revoke,
            attempts: 3,
            due: NaiveDate::MAX.min(NaiveDate::from_ymd_opt(9999, 12, 31).unwrap()),
            began_at: Some(at(1)),
            uncertain_since: Some(at(2)),
            looked_at: Some(at(3)),
            repairs: 1,
            error: Some(last_error()),
            not_before: at(4),
            updated_at: at(5),
            ..bare.clone()
        };
        update(&mut tx, &full).await.unwrap();
        assert_eq!(of_answer(&mut tx, answer.id).await.unwrap(), std::slice::from_ref(&full));
        update(&mut tx, &bare).await.unwrap();
        assert_eq!(open(&mut tx, answer.debt_request).await.unwrap(), std::slice::from_ref(&bare));
        for state in FINAL {
            update(&mut tx, &Submission { state, ..bare.clone() }).await.unwrap();
            assert_eq!(open(&mut tx, answer.debt_request).await.unwrap(), []);
        }
        let unknown = Submission { id: SubmissionId::generate(), ..bare };
        assert!(matches!(update(&mut tx, &unknown).await, Err(StoreError::Database(DieselError::NotFound))));
    });
}

#[test]
fn one_submission_of_a_request_is_live() {
    for (first, second) in [
        (SubmissionState::Sending, SubmissionState::Uncertain),
        (SubmissionState::Uncertain, SubmissionState::Accepted),
    ] {
        for_both(async |db| {
            let mut tx = db.begin().await.unwrap();
            let organization = organization(&mut tx).await;
            let (answer, submission) = queued(&mut tx, organization).await;
            update(&mut tx, &Submission { state: first, ..submission.clone() }).await.unwrap();
            let rival = Submission {
                id: SubmissionId::generate(),
                transport: crate::ids::TransportId::generate(),
                ..submission
            };
            insert(&mut tx, &rival).await.unwrap();
            assert_eq!(open(&mut tx, answer.debt_request).await.unwrap().len(), 2);
            let refused = update(&mut tx, &Submission { state: second, ..rival }).await;
            assert!(refused.unwrap_err().is_unique());
        });
    }
}

#[test]
fn whatever_is_due_today_goes_first_then_the_oldest() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let mut expected = Vec::new();
        for (place, due, created) in [(3, 6, 1), (1, 5, 9), (0, 4, 8), (4, 6, 7), (2, 9, 0)] {
            let id = with(&mut tx, organization, |submission| {
                submission.due = day(due);
                submission.created_at = at(created);
            })
            .await;
            expected.push((place, id));
        }
        expected.sort_unstable();
        let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
        assert_eq!(claimed(&mut tx, organization, 10).await, expected);
        assert_eq!(claimed(&mut tx, organization, 2).await, expected[..2]);
    });
}

/// Something that keeps a submission from going.
type Obstacle = for<'a> fn(&'a mut Conn, Answer, Submission) -> futures_util::future::BoxFuture<'a, ()>;

const OBSTACLES: [(&str, Obstacle); 7] = [
    ("not yet due", |conn, _, submission| {
        Box::pin(async move {
            update(conn, &Submission { not_before: at(61), ..submission }).await.unwrap();
        })
    }),
    ("waiting", |conn, _, submission| {
        Box::pin(async move {
            update(conn, &Submission { state: SubmissionState::Waiting, ..submission }).await.unwrap();
        })
    }),
    ("debt", |conn, _, submission| {
        Box::pin(async move {
            update(conn, &Submission { has_debt: true, ..submission }).await.unwrap();
        })
    }),
    ("halted", |conn, answer, _| Box::pin(halt(conn, answer.organization))),
    ("blocked", |conn, answer, _| {
        Box::pin(async move {
            let blocked_by = Some(AnswerId::generate());
            answers::update(conn, &Answer { blocked_by, version: 2, ..answer }).await.unwrap();
        })
    }),
    ("file missing", |conn, answer, _| {
        Box::pin(async move {
            let there = stored_file(conn, answer.organization).await;
            let there = Attachment { gis_state: FileState::Uploaded, ..there };
            attachments::update(conn, &there, at(0), 0).await.unwrap();
            let missing = stored_file(conn, answer.organization).await;
            answers::set_files(conn, answer.id, &[there.id, missing.id], at(90)).await.unwrap();
        })
    }),
    ("rival", |conn, answer, submission| {
        Box::pin(async move {
            let rival = Submission {
                id: SubmissionId::generate(),
                transport: crate::ids::TransportId::generate(),
                state: SubmissionState::Accepted,
                ..submission
            };
            assert_eq!(rival.answer, answer.id);
            insert(conn, &rival).await.unwrap();
        })
    }),
];

#[test]
fn obstacles_hold_a_submission_back() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        for (name, obstacle) in OBSTACLES {
            let organization = organization(&mut tx).await;
            let (answer, submission) = queued(&mut tx, organization).await;
            let due =
                |all: Vec<(OrganizationId, _, i64)>| all.into_iter().find(|(id, ..)| *id == organization);
            assert_eq!(claimed(&mut tx, organization, 10).await, [submission.id], "{name}");
            let before = due(organizations_due(&mut tx, at(60)).await.unwrap());
            assert_eq!(before, Some((organization, at(0), 1)), "{name}");
            obstacle(&mut tx, answer, submission).await;
            assert_eq!(claimed(&mut tx, organization, 10).await, [], "{name}");
            if name != "debt" {
                assert_eq!(due(organizations_due(&mut tx, at(60)).await.unwrap()), None, "{name}");
            }
        }
    });
}

#[test]
fn uploaded_files_do_not_hold_back() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let (answer, submission) = queued(&mut tx, organization).await;
        let file = stored_file(&mut tx, organization).await;
        answers::set_files(&mut tx, answer.id, &[file.id], at(90)).await.unwrap();
        assert_eq!(next_due(&mut tx).await.unwrap(), None);
        for gis_state in [FileState::Uploading, FileState::Refused] {
            attachments::update(&mut tx, &Attachment { gis_state, ..file.clone() }, at(0), 0).await.unwrap();
            assert_eq!(claimed(&mut tx, organization, 10).await, []);
        }
        let there = Attachment { gis_state: FileState::Uploaded, ..file };
        attachments::update(&mut tx, &there, at(0), 0).await.unwrap();
        assert_eq!(claimed(&mut tx, organization, 10).await, [submission.id]);
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(0)));
    });
}

#[test]
fn organisations_are_named_with_their_oldest() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (young, old) = (organization(&mut tx).await, organization(&mut tx).await);
        for (organization, created) in [(young, 7), (young, 5), (old, 9), (old, 1), (old, 3)] {
            with(&mut tx, organization, |submission| submission.created_at = at(created)).await;
        }
        let due = organizations_due(&mut tx, at(60)).await.unwrap();
        assert_eq!(due, [(old, at(1), 3), (young, at(5), 2)]);
        assert_eq!(organizations_due(&mut tx, at(-1)).await.unwrap(), []);
    });
}

#[test]
fn uncertain_ones_are_looked_at_in_time() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let mut all = Vec::new();
        for seconds in [30, 10, 61] {
            let uncertain = with(&mut tx, organization, |submission| {
                submission.state = SubmissionState::Uncertain;
                submission.look_first = true;
                submission.not_before = at(seconds);
            });
            all.push(uncertain.await);
        }
        assert_eq!(ids(&claim_looks(&mut tx, at(60), 10).await.unwrap()), [all[1], all[0]]);
        assert_eq!(ids(&claim_looks(&mut tx, at(60), 1).await.unwrap()), [all[1]]);
        assert_eq!(claimed(&mut tx, organization, 10).await, []);
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(10)));
        with(&mut tx, organization, |submission| submission.not_before = at(9)).await;
        assert_eq!(next_due(&mut tx).await.unwrap(), Some(at(9)));
    });
}

#[test]
fn attempts_are_told_in_their_order() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let request = request(&mut tx, organization).await;
        let answer = answer(organization, request);
        answers::insert(&mut tx, &answer).await.unwrap();
        let sent = Submission { attempts: 2, state: SubmissionState::Done, ..submission(&answer) };
        let revoke = Submission {
            action: Action::Revoke,
            created_at: sent.created_at + TimeDelta::seconds(1),
            ..submission(&answer)
        };
        insert(&mut tx, &revoke).await.unwrap();
        insert(&mut tx, &sent).await.unwrap();
        let (second, first) = (message(organization), message(organization));
        messages::insert(&mut tx, &second, &[(sent.id, 2)]).await.unwrap();
        messages::insert(&mut tx, &first, &[(sent.id, 1)]).await.unwrap();
        let error = last_error();
        messages::set_outcome(&mut tx, first.id, sent.id, Outcome::Unknown, Some(&error)).await.unwrap();
        let told = attempts(&mut tx, answer.id).await.unwrap();
        let attempt = |submission: &Submission, number, message: Option<&Message>| Attempt {
            submission: submission.clone(),
            number,
            message: message.cloned(),
            outcome: None,
            error: None,
        };
        let expected = [
            Attempt {
                outcome: Some(Outcome::Unknown),
                error: Some(error),
                ..attempt(&sent, Some(1), Some(&first))
            },
            attempt(&sent, Some(2), Some(&second)),
            attempt(&revoke, None, None),
        ];
        assert_eq!(told, expected);
    });
}

#[test]
fn two_workers_never_get_the_same() {
    for_postgres_url(async |url| {
        let db = open_db(url).await;
        db.migrate(&Clock::System).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let mut all = Vec::new();
        for _ in 0..6 {
            all.push(queued(&mut tx, organization).await.1.id);
        }
        tx.commit().await.unwrap();
        all.sort_unstable();

        let (mut one, mut two) = (db.begin().await.unwrap(), db.begin().await.unwrap());
        let (first, second) =
            tokio::join!(claimed(&mut one, organization, 4), claimed(&mut two, organization, 4));
        // Whoever is second may find fewer than there are, but never one that the other holds.
        let mut both = [first, second].concat();
        both.extend(
            claimed(&mut two, organization, 4)
                .await
                .iter()
                .filter(|id| !both.contains(id))
                .copied()
                .collect::<Vec<_>>(),
        );
        both.sort_unstable();
        assert_eq!(both, all);
    });
}

#[test]
fn a_request_that_somebody_holds_is_passed_over() {
    for_postgres_url(async |url| {
        let db = open_db(url).await;
        db.migrate(&Clock::System).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let (held, held_submission) = queued(&mut tx, organization).await;
        let (_, free) = queued(&mut tx, organization).await;
        let import = message(organization);
        messages::insert(&mut tx, &import, &[(held_submission.id, 1)]).await.unwrap();
        tx.commit().await.unwrap();

        let mut holder = db.begin().await.unwrap();
        messages::carried(&mut holder, import.id).await.unwrap();
        let mut worker = db.begin().await.unwrap();
        assert_eq!(claimed(&mut worker, organization, 10).await, [free.id]);
        assert_eq!(held.debt_request, held_submission.debt_request);
    });
}
