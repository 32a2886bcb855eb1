use super::*;
use crate::domain::answer::{Confirm, ExternalId, Source, Warning};
use crate::ids::EmployeeId;
use crate::store::attachments;
use crate::store::test_db::for_both;
use crate::store::test_rows::{answer, at, debt, last_error, organization, request, stored_file};

fn external(text: &str) -> ExternalId {
    text.parse().unwrap()
}

fn ids(answers: &[Answer]) -> Vec<AnswerId> {
    answers.iter().map(|answer| answer.id).collect()
}

/// A stored answer to a new debt request.
async fn stored(conn: &mut Conn, organization: OrganizationId, change: impl FnOnce(&mut Answer)) -> Answer {
    let mut answer = answer(organization, request(conn, organization).await);
    change(&mut answer);
    insert(conn, vec![(answer.clone(), Vec::new())]).await.unwrap();
    answer
}

#[test]
fn an_answer_comes_back_as_it_went() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let files =
            [stored_file(&mut tx, organization).await.id, stored_file(&mut tx, organization).await.id];
        let bare = stored(&mut tx, organization, |_| ()).await;
        assert_eq!(get(&mut tx, organization, bare.id).await.unwrap(), Some(bare.clone()));
        let full = Answer {
            external_id: Some(external("1С-000123")),
            state: State::Rejected,
            content: debt(files[0], files[1]),
            executor: Some(EmployeeId::generate()),
            source: Source::Xlsx,
            warnings: vec![Warning { code: "a".to_owned(), pointer: None, detail: "б".to_owned() }],
            last_error: Some(last_error()),
            blocked_by: Some(AnswerId::generate()),
            superseded_by: Some(AnswerId::generate()),
            confirm: vec![Confirm::AlreadyAnswered],
            reason: Some("причина".to_owned()),
            return_comment: Some("доработать".to_owned()),
            waits_for_files: true,
            maybe_sent: true,
            confirmed_in_gis: true,
            gis_updated_at: Some(at(1)),
            next_check_at: Some(at(2)),
            trace: Some("00-1-2-01".to_owned()),
            version: 2,
            updated_at: at(4),
            settled_at: Some(at(4)),
            delivered_at: Some(at(3)),
            personal_data_erased_at: Some(at(4)),
            ..bare.clone()
        };
        save(&mut tx, vec![full.clone()]).await.unwrap();
        assert_eq!(get(&mut tx, organization, full.id).await.unwrap(), Some(full));
        // And back: what is gone is gone in the row too.
        let bare = Answer { version: 3, ..bare };
        save(&mut tx, vec![bare.clone()]).await.unwrap();
        assert_eq!(get(&mut tx, organization, bare.id).await.unwrap(), Some(bare));
    });
}

#[test]
fn revisions_of_a_request() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let first = stored(&mut tx, organization, |answer| answer.state = State::Delivered).await;
        let revision = |revision, state| Answer {
            revision,
            state,
            blocked_by: Some(first.id),
            ..answer(organization, first.debt_request)
        };
        let (second, third) = (revision(2, State::Queued), revision(3, State::Superseded));
        insert(&mut tx, vec![(second.clone(), Vec::new())]).await.unwrap();
        insert(&mut tx, vec![(third.clone(), Vec::new())]).await.unwrap();
        let other = stored(&mut tx, organization, |_| ()).await;
        let all = of_requests(&mut tx, &[first.debt_request]).await.unwrap();
        assert_eq!(ids(&all), [third.id, second.id, first.id]);
        let of_both = of_requests(&mut tx, &[other.debt_request, first.debt_request]).await.unwrap();
        assert_eq!(of_both.len(), 4);
        let mut found = find_any(&mut tx, &[third.id, AnswerId::generate(), first.id]).await.unwrap();
        found.sort_unstable_by_key(|answer| answer.id);
        assert_eq!(ids(&found), [first.id, third.id]);
        assert_eq!(find_any(&mut tx, &[]).await.unwrap(), []);
        let twin = Answer { id: AnswerId::generate(), ..third };
        assert!(insert(&mut tx, vec![(twin.clone(), Vec::new())]).await.unwrap_err().is_unique());
    });
}

#[test]
fn nothing_is_shown_to_another_organisation() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (own, other) = (organization(&mut tx).await, organization(&mut tx).await);
        let answer = stored(&mut tx, own, |answer| answer.external_id = Some(external("A"))).await;
        assert_eq!(get(&mut tx, other, answer.id).await.unwrap(), None);
        assert_eq!(find(&mut tx, other, &[answer.id], &[external("A")]).await.unwrap(), []);
        assert_eq!(holder(&mut tx, other, "A").await, None);
        assert_eq!(page(&mut tx, other, &Filter::default(), None, 10).await.unwrap(), []);
        let by_name = Filter { external_id: Some("A".to_owned()), ..Filter::default() };
        assert_eq!(page(&mut tx, other, &by_name, None, 10).await.unwrap(), []);
        assert_eq!(by_state(&mut tx, Some(other)).await.unwrap(), []);
        // The same name is free there.
        stored(&mut tx, other, |answer| answer.external_id = Some(external("A"))).await;
        assert_eq!(holder(&mut tx, own, "A").await, Some(answer.id));
    });
}

async fn holder(conn: &mut Conn, organization: OrganizationId, name: &str) -> Option<AnswerId> {
    let found = holders(conn, organization, &[external(name)]).await.unwrap();
    found.into_iter().next().map(|(_, answer, _)| answer)
}

#[test]
fn names_and_aliases() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let first = stored(&mut tx, organization, |answer| answer.external_id = Some(external("A"))).await;
        name(&mut tx, organization, &external("alias"), first.id, at(1)).await.unwrap();
        name(&mut tx, organization, &external("alias"), first.id, at(2)).await.unwrap();
        let found =
            find(&mut tx, organization, &[first.id], &[external("alias"), external("none"), external("A")])
                .await
                .unwrap();
        let by = |name: &str| (Some(external(name)), first.clone());
        assert_eq!(found, [(None, first.clone()), by("A"), by("alias")]);

        // The next revision takes the name over.
        let second = Answer {
            revision: 2,
            external_id: Some(external("A")),
            ..answer(organization, first.debt_request)
        };
        insert(&mut tx, vec![(second.clone(), Vec::new())]).await.unwrap();
        assert_eq!(holder(&mut tx, organization, "A").await, Some(second.id));
        assert_eq!(holder(&mut tx, organization, "alias").await, Some(first.id));

        // An answer to another request does not.
        let stranger = stored(&mut tx, organization, |_| ()).await;
        let refused = name(&mut tx, organization, &external("A"), stranger.id, at(3)).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "it may be repeated");
        let twin = Answer { external_id: Some(external("A")), ..answer(organization, stranger.debt_request) };
        let twin = Answer { revision: 2, ..twin };
        assert!(matches!(insert(&mut tx, vec![(twin, Vec::new())]).await, Err(StoreError::Stale)));
    });
}

#[test]
fn pages_lose_nothing_and_repeat_nothing() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let mut expected = Vec::new();
        for seconds in [5, 1, 3, 3, 3, 1, 9] {
            let answer = stored(&mut tx, organization, |answer| answer.updated_at = at(seconds)).await;
            expected.push((answer.updated_at, answer.id));
        }
        expected.sort_unstable();
        for limit in [1, 2, 3, 7, 8] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let rows = page(&mut tx, organization, &Filter::default(), after, limit).await.unwrap();
                let Some(last) = rows.last() else { break };
                after = Some((last.updated_at, last.id));
                seen.extend(rows.iter().map(|answer| (answer.updated_at, answer.id)));
            }
            assert_eq!(seen, expected, "{limit}");
        }
    });
}

#[test]
fn conditions_of_a_page_hold_together() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let file = stored_file(&mut tx, organization).await.id;
        let draft = stored(&mut tx, organization, |answer| {
            answer.state = State::Draft;
            answer.content = debt(file, file);
            answer.source = Source::Xlsx;
        })
        .await;
        let done = stored(&mut tx, organization, |answer| {
            answer.state = State::Delivered;
            answer.confirmed_in_gis = true;
            answer.updated_at = at(1);
            answer.external_id = Some(external("A"));
        })
        .await;
        name(&mut tx, organization, &external("B"), done.id, at(0)).await.unwrap();
        let (draft, done) = (vec![draft.id], vec![done.id]);
        let both = [draft.clone(), done.clone()].concat();
        let filter = Filter::default;
        let cases = [
            (filter(), &both),
            (Filter { is_final: Some(true), ..filter() }, &done),
            (Filter { is_final: Some(false), ..filter() }, &draft),
            (Filter { states: vec![State::Draft, State::Queued], ..filter() }, &draft),
            (Filter { states: vec![State::Draft], is_final: Some(true), ..filter() }, &Vec::new()),
            (Filter { has_debt: Some(true), ..filter() }, &draft),
            (Filter { sources: vec![Source::Xlsx, Source::Auto], ..filter() }, &draft),
            (Filter { confirmed_in_gis: Some(true), ..filter() }, &done),
            (Filter { updated_since: Some(at(1)), ..filter() }, &done),
            (Filter { updated_since: Some(at(0)), ..filter() }, &both),
            (Filter { external_id: Some("A".to_owned()), ..filter() }, &done),
            (Filter { external_id: Some("B".to_owned()), ..filter() }, &done),
            (Filter { external_id: Some("C".to_owned()), ..filter() }, &Vec::new()),
            (Filter { has_debt: Some(false), is_final: Some(false), ..filter() }, &Vec::new()),
        ];
        for (filter, expected) in cases {
            let found = page(&mut tx, organization, &filter, None, 10).await.unwrap();
            assert_eq!(ids(&found), *expected, "{filter:?}");
        }
        let request = get(&mut tx, organization, done[0]).await.unwrap().unwrap().debt_request;
        let of_request = Filter { debt_request: Some(request), ..filter() };
        assert_eq!(ids(&page(&mut tx, organization, &of_request, None, 10).await.unwrap()), done);
    });
}

#[test]
fn a_draft_goes_with_its_names_and_links() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let file = stored_file(&mut tx, organization).await;
        let draft = stored(&mut tx, organization, |answer| {
            answer.state = State::Draft;
            answer.external_id = Some(external("A"));
        })
        .await;
        name(&mut tx, organization, &external("B"), draft.id, at(0)).await.unwrap();
        set_files(&mut tx, draft.id, &[file.id], at(50)).await.unwrap();
        delete(&mut tx, draft.id, at(50)).await.unwrap();
        assert_eq!(get(&mut tx, organization, draft.id).await.unwrap(), None);
        assert_eq!(
            find(&mut tx, organization, &[draft.id], &[external("A"), external("B")]).await.unwrap(),
            []
        );
        let left = attachments::get(&mut tx, organization, file.id).await.unwrap().unwrap();
        assert_eq!((left.expires_at, left.used_by), (Some(at(50)), None));
    });
}

#[test]
fn files_live_while_an_answer_uses_them() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = organization(&mut tx).await;
        let one = stored(&mut tx, organization, |_| ()).await.id;
        let two = stored(&mut tx, organization, |_| ()).await.id;
        let shared = stored_file(&mut tx, organization).await.id;
        let own = stored_file(&mut tx, organization).await.id;
        set_files(&mut tx, one, &[shared, own, shared], at(50)).await.unwrap();
        set_files(&mut tx, two, &[shared], at(50)).await.unwrap();
        let links: Vec<_> = files(&mut tx, &[one, two])
            .await
            .unwrap()
            .into_iter()
            .map(|(answer, file)| (answer, file.id))
            .collect();
        assert_eq!(links, [(one, shared), (one, own), (two, shared)]);

        set_files(&mut tx, one, &[], at(60)).await.unwrap();
        let found = attachments::find(&mut tx, organization, &[shared, own]).await.unwrap();
        let life: Vec<_> = found.iter().map(|file| (file.expires_at, file.used_by)).collect();
        assert_eq!(life, [(None, Some(two)), (Some(at(60)), None)]);

        assert!(attachments::delete(&mut tx, organization, own).await.unwrap());
        assert!(matches!(set_files(&mut tx, one, &[own], at(60)).await, Err(StoreError::Stale)));
    });
}

#[test]
fn numbers_for_status_and_confirmation() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (own, other) = (organization(&mut tx).await, organization(&mut tx).await);
        let mut delivered = Vec::new();
        for seconds in [30, 10, 20] {
            let answer = stored(&mut tx, own, |answer| {
                answer.state = State::Delivered;
                answer.delivered_at = Some(at(seconds));
                // It was put right since, or GIS did not withdraw it.
                answer.settled_at = Some(at(99));
                answer.updated_at = at(seconds);
                answer.next_check_at = Some(at(seconds));
            })
            .await;
            delivered.push(answer.debt_request);
        }
        stored(&mut tx, own, |answer| {
            answer.state = State::Delivered;
            answer.confirmed_in_gis = true;
            answer.next_check_at = Some(at(1));
            answer.submitted_at = None;
        })
        .await;
        stored(&mut tx, other, |answer| answer.submitted_at = Some(at(-5))).await;
        let take = async |tx: &mut Conn, now, limit| {
            take_unconfirmed(tx, own, at(now), at(40), limit).await.unwrap()
        };
        assert_eq!(next_unconfirmed(&mut tx, own).await.unwrap(), Some(at(10)));
        assert_eq!(next_unconfirmed(&mut tx, other).await.unwrap(), None);
        assert_eq!(take(&mut tx, 29, 1).await, [delivered[1]]);
        assert_eq!(take(&mut tx, 29, 10).await, [delivered[2]]);
        assert_eq!(take(&mut tx, 39, 10).await, [delivered[0]]);
        assert_eq!(take(&mut tx, 39, 10).await, []);
        check_earlier(&mut tx, &delivered[..1], at(35)).await.unwrap();
        assert_eq!(take(&mut tx, 39, 10).await, [delivered[0]]);
        assert_eq!(take(&mut tx, 40, 10).await.len(), 3, "again, at their time");
        assert_eq!(delivery_seconds(&mut tx, own).await.unwrap(), [30, 20, 10]);
        assert_eq!(by_state(&mut tx, Some(own)).await.unwrap(), [(State::Delivered, 4, Some(at(0)))]);
        let all = [(State::Delivered, 4, Some(at(0))), (State::Queued, 1, Some(at(-5)))];
        assert_eq!(by_state(&mut tx, None).await.unwrap(), all);
        let queued = by_these_states(&mut tx, other, &[State::Queued, State::Sending]).await.unwrap();
        assert_eq!(queued, [(State::Queued, 1, Some(at(-5)))]);
        assert_eq!(by_these_states(&mut tx, own, &[State::Queued]).await.unwrap(), []);
    });
}
