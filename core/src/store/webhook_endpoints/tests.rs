use chrono::TimeDelta;

use super::*;
use crate::domain::event::EventKind;
use crate::domain::webhook_delivery::{Attempt, DeliveryFailure, DeliveryStatus, WebhookDelivery};
use crate::domain::webhook_endpoint::DisabledReason;
use crate::store::samples::{at, stored_organization, trial, webhook_endpoint};
use crate::store::test_db::for_both;
use crate::store::{Tx, events, webhook_deliveries};

async fn stored(tx: &mut Tx, organization: OrganizationId) -> WebhookEndpoint {
    let endpoint = webhook_endpoint(organization);
    insert(tx, &endpoint).await.unwrap();
    endpoint
}

/// Deliveries of `count` events.
async fn deliveries(tx: &mut Tx, endpoint: &WebhookEndpoint, count: usize) -> Vec<WebhookDelivery> {
    let news = vec![trial(endpoint).event; count];
    let before = events::head(tx).await.unwrap();
    events::append(tx, &news, at(0)).await.unwrap();
    let head = events::head(tx).await.unwrap();
    let made: Vec<_> =
        (before + 1..=head).map(|sequence| WebhookDelivery::due(endpoint.id, sequence, at(5))).collect();
    webhook_deliveries::save(tx, &made).await.unwrap();
    made
}

#[test]
fn an_endpoint_is_its_owners() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (ours, theirs) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let (first, second) = (stored(&mut tx, ours).await, stored(&mut tx, ours).await);
        assert_eq!(get(&mut tx, ours, first.id).await.unwrap(), Some(first.clone()));
        assert_eq!(get(&mut tx, theirs, first.id).await.unwrap(), None);
        assert_eq!(page(&mut tx, ours, None, 9).await.unwrap(), [first.clone(), second.clone()]);
        assert_eq!(page(&mut tx, ours, Some(first.id), 9).await.unwrap(), [second]);
        assert_eq!((count(&mut tx, ours).await.unwrap(), count(&mut tx, theirs).await.unwrap()), (2, 0));
        let changed = WebhookEndpoint {
            url: "https://erp.example.ru/other".to_owned(),
            description: Some("1С".to_owned()),
            masks: vec!["answer.*".to_owned()],
            secrets: first.secrets.clone().rotated(at(7)).rotated(at(8)),
            enabled: false,
            disabled_reason: Some(DisabledReason::Failing),
            failing_since: Some(at(1)),
            last_sequence: 8,
            rest_until: Some(at(2)),
            version: 2,
            updated_at: at(9),
            ..first
        };
        update(&mut tx, &changed).await.unwrap();
        assert_eq!(get(&mut tx, ours, changed.id).await.unwrap(), Some(changed.clone()));
        delete(&mut tx, changed.id).await.unwrap();
        assert_eq!(get(&mut tx, ours, changed.id).await.unwrap(), None);
    });
}

#[test]
fn one_worker_at_a_time_serves_what_has_something_to_do() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let (organization, quiet) = (stored_organization(&mut tx).await, stored_organization(&mut tx).await);
        let news = stored(&mut tx, organization).await;
        let without_news = stored(&mut tx, quiet).await;
        deliveries(&mut tx, &news, 1).await;
        let head = events::head(&mut tx).await.unwrap();
        let known = || WebhookEndpoint { last_sequence: head, ..webhook_endpoint(organization) };
        let (due, later, up_to_date) = (known(), known(), known());
        let failing = |rest_until| WebhookEndpoint {
            failing_since: Some(at(0)),
            rest_until,
            ..webhook_endpoint(organization)
        };
        let (resting, rested, exhausted) = (failing(Some(at(6))), failing(Some(at(5))), failing(None));
        let off = WebhookEndpoint { enabled: false, ..webhook_endpoint(organization) };
        for endpoint in [&due, &later, &up_to_date, &resting, &rested, &exhausted, &off] {
            insert(&mut tx, endpoint).await.unwrap();
        }
        let waits = |endpoint: &WebhookEndpoint, time| WebhookDelivery::due(endpoint.id, head, time);
        let all = [waits(&due, at(5)), waits(&later, at(8)), waits(&resting, at(1)), waits(&off, at(0))];
        webhook_deliveries::save(&mut tx, &all).await.unwrap();
        assert!(any(&mut tx).await.unwrap());
        assert_eq!(next_due(&mut tx, at(4)).await.unwrap(), Some(at(5)));
        let (one, two) = (WorkerId::generate(), WorkerId::generate());
        let taken = claim(&mut tx, (one, at(5), at(50)), 9).await.unwrap();
        assert_eq!(taken, [news.clone(), due.clone(), rested, exhausted]);
        assert_eq!(claim(&mut tx, (two, at(5), at(50)), 9).await.unwrap(), []);
        assert_eq!(next_due(&mut tx, at(5)).await.unwrap(), Some(at(6)), "not before its rest is over");
        assert_eq!(hold(&mut tx, due.id, Some(one)).await.unwrap(), Some(due.clone()));
        assert_eq!(hold(&mut tx, due.id, Some(two)).await.unwrap(), None);
        assert_eq!(hold(&mut tx, due.id, None).await.unwrap(), Some(due.clone()));
        release(&mut tx, news.id, two, at(6)).await.unwrap();
        assert_eq!(claim(&mut tx, (two, at(5), at(50)), 9).await.unwrap(), [], "not his to let go");
        release(&mut tx, news.id, one, at(6)).await.unwrap();
        // Whoever was never served comes before whoever was.
        assert_eq!(claim(&mut tx, (two, at(7), at(70)), 1).await.unwrap(), [resting]);
        assert_eq!(claim(&mut tx, (two, at(7), at(70)), 9).await.unwrap(), [news]);
        // The lease of the other one is over.
        assert!(claim(&mut tx, (two, at(50), at(99)), 9).await.unwrap().contains(&due));
        assert_eq!(get(&mut tx, quiet, without_news.id).await.unwrap(), Some(without_news));
    });
}

#[test]
fn the_place_in_the_log_is_moved_by_who_serves() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = stored_organization(&mut tx).await;
        let endpoint = stored(&mut tx, organization).await;
        deliveries(&mut tx, &endpoint, 1).await;
        let (one, two) = (WorkerId::generate(), WorkerId::generate());
        claim(&mut tx, (one, at(5), at(50)), 9).await.unwrap();
        assert!(!advance(&mut tx, (endpoint.id, two), (0, 5)).await.unwrap());
        assert!(advance(&mut tx, (endpoint.id, one), (0, 5)).await.unwrap());
        assert!(!advance(&mut tx, (endpoint.id, one), (0, 9)).await.unwrap());
        let moved = get(&mut tx, organization, endpoint.id).await.unwrap().unwrap();
        assert_eq!(moved.last_sequence, 5);
        switch(&mut tx, &WebhookEndpoint { enabled: false, ..moved }).await.unwrap();
        assert!(!advance(&mut tx, (endpoint.id, one), (5, 9)).await.unwrap());
        assert!(!any(&mut tx).await.unwrap());
    });
}

#[test]
fn deliveries_are_due_in_their_order_and_end() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = stored_organization(&mut tx).await;
        let (ours, other) = (stored(&mut tx, organization).await, stored(&mut tx, organization).await);
        let made = deliveries(&mut tx, &ours, 3).await;
        assert_eq!(webhook_deliveries::due(&mut tx, ours.id, at(4), 9).await.unwrap(), []);
        assert_eq!(webhook_deliveries::due(&mut tx, ours.id, at(5), 2).await.unwrap(), made[..2]);
        assert_eq!(webhook_deliveries::due(&mut tx, other.id, at(5), 2).await.unwrap(), []);
        let taken = made[0].clone().tried(Attempt::answered(204), at(6));
        let refused = made[1].clone().tried(Attempt::answered(500), at(6));
        webhook_deliveries::save(&mut tx, &[taken.clone(), refused.clone()]).await.unwrap();
        assert!(webhook_deliveries::is_crowded(&mut tx, ours.id, 2).await.unwrap());
        assert!(!webhook_deliveries::is_crowded(&mut tx, ours.id, 3).await.unwrap());
        assert_eq!(webhook_deliveries::oldest_waiting(&mut tx).await.unwrap(), Some(at(0)));
        let listed = webhook_deliveries::page(&mut tx, ours.id, None, None, 9).await.unwrap();
        let all: Vec<_> = listed.iter().map(|details| details.delivery.clone()).collect();
        assert_eq!(all, [made[2].clone(), refused.clone(), taken.clone()]);
        assert!(listed.iter().all(|details| details.kind == EventKind::WebhookTest));
        let before = Some(refused.sequence);
        let older = webhook_deliveries::page(&mut tx, ours.id, None, before, 9).await.unwrap();
        assert_eq!(older.len(), 1);
        let status = Some(DeliveryStatus::Pending);
        assert_eq!(webhook_deliveries::page(&mut tx, ours.id, status, None, 9).await.unwrap().len(), 2);

        webhook_deliveries::hasten(&mut tx, ours.id, at(5), at(7)).await.unwrap();
        assert_eq!(webhook_deliveries::due(&mut tx, ours.id, at(7), 9).await.unwrap(), made[2..]);
        webhook_deliveries::hasten(&mut tx, ours.id, at(6), at(7)).await.unwrap();
        let due = webhook_deliveries::due(&mut tx, ours.id, at(7), 9).await.unwrap();
        assert_eq!(
            due.iter().map(|delivery| delivery.sequence).collect::<Vec<_>>(),
            [made[2].sequence, refused.sequence]
        );

        webhook_deliveries::give_up(&mut tx, ours.id).await.unwrap();
        assert!(!webhook_deliveries::is_crowded(&mut tx, ours.id, 1).await.unwrap());
        assert_eq!(webhook_deliveries::oldest_waiting(&mut tx).await.unwrap(), None);
        let failed = Some(DeliveryStatus::Failed);
        let failed = webhook_deliveries::page(&mut tx, ours.id, failed, None, 9).await.unwrap();
        assert_eq!(failed.len(), 2);
        assert!(failed.iter().all(|it| it.delivery.failure == Some(DeliveryFailure::EndpointDisabled)));
    });
}

#[test]
fn deliveries_go_with_their_events_and_with_their_endpoint() {
    for_both(async |db| {
        let mut tx = db.begin().await.unwrap();
        let organization = stored_organization(&mut tx).await;
        let (one, two) = (stored(&mut tx, organization).await, stored(&mut tx, organization).await);
        deliveries(&mut tx, &one, 2).await;
        deliveries(&mut tx, &two, 1).await;
        delete(&mut tx, one.id).await.unwrap();
        assert_eq!(webhook_deliveries::page(&mut tx, one.id, None, None, 9).await.unwrap(), []);
        assert_eq!(webhook_deliveries::page(&mut tx, two.id, None, None, 9).await.unwrap().len(), 1);
        events::delete_before(&mut tx, at(0) + TimeDelta::days(1), 9).await.unwrap();
        assert_eq!(webhook_deliveries::page(&mut tx, two.id, None, None, 9).await.unwrap(), []);
    });
}
