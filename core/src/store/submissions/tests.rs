use chrono::{NaiveDate, TimeDelta};

use super::*;
use crate::clock::Clock;
use crate::domain::answer::Answer;
use crate::domain::attachment::{Attachment, FileState};
use crate::domain::submission::{Action, SubmissionState};
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
async fn claimed(conn: &mut Conn, organization: OrganizationId, limit: usize) -> Vec<SubmissionId> {
    ids(&claim(conn, organization, false, at(60), day(5), limit).await.unwrap())
}

/// Stores a queued submission with other values.
async fn with(
    conn: &mut Conn,
    organization: OrganizationId,
    change: impl FnOnce(&mut Submission),
) -> SubmissionId {
    let request = request(conn, organization).await;
    let answer = answer(organization, request);
    answers::insert(conn, vec![(answer.clone(), Vec::new())]).await.unwrap();
    let mut submission = submission(&answer);
    change(&mut submission);
    save(conn, vec![submission.clone()]).await.unwrap();
    submission.id
}

#[test]
fn a_submission_comes_back_as_it_went() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let (answer, bare) = queued(&mut tx, organization).await;
        assert_eq!(of_requests(&mut tx, &[bare.debt_request]).await.unwrap(), std::slice::from_ref(&bare));
        let full = Submission {
            state: SubmissionState::Uncertain,
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
        save(&mut tx, vec![full.clone()]).await.unwrap();
        assert_eq!(of_answer(&mut tx, answer.id).await.unwrap(), std::slice::from_ref(&full));
        save(&mut tx, vec![bare.clone()]).await.unwrap();
        let withdrawal = Submission {
            id: SubmissionId::generate(),
            transport: crate::ids::TransportId::generate(),
            action: Action::Revoke,
            created_at: at(7),
            ..full
        };
        save(&mut tx, vec![withdrawal.clone()]).await.unwrap();
        assert_eq!(of_requests(&mut tx, &[bare.debt_request]).await.unwrap(), [bare, withdrawal]);
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
            save(&mut tx, vec![Submission { state: first, ..submission.clone() }]).await.unwrap();
            let rival = Submission {
                id: SubmissionId::generate(),
                transport: crate::ids::TransportId::generate(),
                ..submission
            };
            save(&mut tx, vec![rival.clone()]).await.unwrap();
            assert_eq!(of_requests(&mut tx, &[answer.debt_request]).await.unwrap().len(), 2);
            let refused = save(&mut tx, vec![Submission { state: second, ..rival }]).await;
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
            save(conn, vec![Submission { not_before: at(61), ..submission }]).await.unwrap();
        })
    }),
    ("waiting", |conn, _, submission| {
        Box::pin(async move {
            save(conn, vec![Submission { state: SubmissionState::Waiting, ..submission }]).await.unwrap();
        })
    }),
    ("debt", |conn, _, submission| {
        Box::pin(async move {
            save(conn, vec![Submission { has_debt: true, ..submission }]).await.unwrap();
        })
    }),
    ("halted", |conn, answer, _| Box::pin(halt(conn, answer.organization))),
    ("blocked", |conn, answer, _| {
        Box::pin(async move {
            let blocked_by = Some(AnswerId::generate());
            answers::save(conn, vec![Answer { blocked_by, version: 2, ..answer }]).await.unwrap();
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
            save(conn, vec![rival.clone()]).await.unwrap();
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
            assert_eq!(claimed(&mut tx, organization, 10).await, [submission.id], "{name}");
            assert!(is_due(&mut tx, organization, at(60)).await.unwrap(), "{name}");
            obstacle(&mut tx, answer, submission).await;
            assert_eq!(claimed(&mut tx, organization, 10).await, [], "{name}");
            if name != "debt" {
                assert!(!is_due(&mut tx, organization, at(60)).await.unwrap(), "{name}");
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
        let uploading = Attachment { gis_state: FileState::Uploading, ..file.clone() };
        attachments::update(&mut tx, &uploading, at(0), 0).await.unwrap();
        assert_eq!(claimed(&mut tx, organization, 10).await, []);
        let there = Attachment { gis_state: FileState::Uploaded, ..file };
        attachments::update(&mut tx, &there, at(0), 0).await.unwrap();
        assert_eq!(claimed(&mut tx, organization, 10).await, [submission.id]);
    });
}

/// Else an answer that names it, and was not at hand when GIS refused it, would wait for ever.
#[test]
fn nobody_waits_for_a_file_that_gis_has_refused() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let (answer, submission) = queued(&mut tx, organization).await;
        let file = stored_file(&mut tx, organization).await;
        answers::set_files(&mut tx, answer.id, &[file.id], at(90)).await.unwrap();
        let refused = Attachment { gis_state: FileState::Refused, ..file };
        attachments::update(&mut tx, &refused, at(0), 0).await.unwrap();
        assert_eq!(claimed(&mut tx, organization, 10).await, [submission.id]);
    });
}

#[test]
fn whatever_is_to_be_sent_needs_its_files() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let file = stored_file(&mut tx, organization).await;
        let other = stored_file(&mut tx, organization).await;
        let mut expected = Vec::new();
        for (action, state, file, needs) in [
            (Action::Send, SubmissionState::Waiting, file.id, true),
            (Action::Send, SubmissionState::Queued, file.id, true),
            (Action::Send, SubmissionState::Uncertain, file.id, true),
            (Action::Send, SubmissionState::Accepted, file.id, false),
            (Action::Send, SubmissionState::Done, file.id, false),
            (Action::Send, SubmissionState::Queued, other.id, false),
            (Action::Revoke, SubmissionState::Queued, file.id, false),
        ] {
            let id = with(&mut tx, organization, |submission| {
                submission.action = action;
                submission.state = state;
            })
            .await;
            let answer = answer_of(&mut tx, id).await;
            answers::set_files(&mut tx, answer, &[file], at(0)).await.unwrap();
            expected.extend(needs.then_some(id));
        }
        let mut found = ids(&in_need_of(&mut tx, file.id).await.unwrap());
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    });
}

async fn answer_of(conn: &mut Conn, id: SubmissionId) -> AnswerId {
    both!(conn, c => {
        submissions::table.find(id).select(submissions::answer_id).first(c).await
    })
    .unwrap()
}

#[test]
fn a_withdrawal_needs_no_files() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let withdrawal = with(&mut tx, organization, |submission| submission.action = Action::Revoke).await;
        let answer = answer_of(&mut tx, withdrawal).await;
        let missing = stored_file(&mut tx, organization).await;
        answers::set_files(&mut tx, answer, &[missing.id], at(90)).await.unwrap();
        assert_eq!(claimed(&mut tx, organization, 10).await, [withdrawal]);
    });
}

#[test]
fn organisations_with_something_due_are_named() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (busy, later) = (organization(&mut tx).await, organization(&mut tx).await);
        with(&mut tx, busy, |submission| submission.not_before = at(5)).await;
        with(&mut tx, later, |submission| submission.not_before = at(50)).await;
        organization(&mut tx).await;
        assert_eq!(organizations_due(&mut tx, at(4)).await.unwrap(), []);
        assert_eq!(organizations_due(&mut tx, at(5)).await.unwrap(), [busy]);
        let mut both = [busy, later];
        both.sort_unstable();
        assert_eq!(organizations_due(&mut tx, at(50)).await.unwrap(), both);
        assert_eq!(next_due(&mut tx, at(4)).await.unwrap(), Some(at(5)));
        assert_eq!(next_due(&mut tx, at(5)).await.unwrap(), Some(at(50)));
        assert_eq!(next_due(&mut tx, at(50)).await.unwrap(), None);
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
        assert_eq!(next_due(&mut tx, at(0)).await.unwrap(), Some(at(10)));
        with(&mut tx, organization, |submission| submission.not_before = at(9)).await;
        assert_eq!(next_due(&mut tx, at(0)).await.unwrap(), Some(at(9)));
    });
}

#[test]
fn attempts_are_told_in_their_order() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let request = request(&mut tx, organization).await;
        let answer = answer(organization, request);
        answers::save(&mut tx, vec![answer.clone()]).await.unwrap();
        let sent = Submission { attempts: 2, state: SubmissionState::Done, ..submission(&answer) };
        let revoke = Submission {
            action: Action::Revoke,
            created_at: sent.created_at + TimeDelta::seconds(1),
            ..submission(&answer)
        };
        save(&mut tx, vec![revoke.clone()]).await.unwrap();
        save(&mut tx, vec![sent.clone()]).await.unwrap();
        let (second, first) = (message(organization), message(organization));
        messages::insert(&mut tx, &second, &[(sent.id, 2)]).await.unwrap();
        messages::insert(&mut tx, &first, &[(sent.id, 1)]).await.unwrap();
        let error = last_error();
        messages::set_outcome(&mut tx, first.id, &[sent.id], Outcome::Unknown, Some(&error)).await.unwrap();
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

#[test]
fn a_look_from_before_the_sleep_does_not_count() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        for state in [SubmissionState::Queued, SubmissionState::Uncertain] {
            with(&mut tx, organization, |submission| {
                submission.state = state;
                submission.looked_at = Some(at(1));
                submission.not_before = at(90);
            })
            .await;
        }
        let accepted = with(&mut tx, organization, |it| it.state = SubmissionState::Accepted).await;
        assert_eq!(look_first(&mut tx, at(60)).await.unwrap(), 2);
        let looks = claim_looks(&mut tx, at(60), 10).await.unwrap();
        assert_eq!(looks.len(), 2);
        assert!(looks.iter().all(|look| look.looked_at.is_none() && look.id != accepted));
        assert_eq!(claimed(&mut tx, organization, 10).await, []);
    });
}
