use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::store::test_db::for_both;
use crate::sync_runs::new_run;
use crate::test_service::Bench;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn percentiles_are_values_that_occur() {
    assert_eq!(Percentiles::of(vec![]), None);
    assert_eq!(Percentiles::of(vec![7]), Some(Percentiles { p50: 7, p95: 7 }));
    assert_eq!(Percentiles::of(vec![40, 10, 30, 20]), Some(Percentiles { p50: 20, p95: 40 }));
    assert_eq!(Percentiles::of((1..=100).rev().collect()), Some(Percentiles { p50: 50, p95: 95 }));
}

proptest! {
    #[test]
    fn so_many_are_not_longer(values in proptest::collection::vec(0_i64..1000, 1..200)) {
        let found = Percentiles::of(values.clone()).unwrap();
        let share = |limit| values.iter().filter(|value| **value <= limit).count() * 100 / values.len();
        prop_assert!(share(found.p50) >= 50 && share(found.p95) >= 95);
        prop_assert!(values.contains(&found.p50) && values.contains(&found.p95));
    }
}

#[test]
fn the_next_reading_is_the_sooner_of_the_two() {
    let now = at("2026-11-02T00:00:00Z");
    let daily = at("2026-11-02T01:15:00Z");
    let mut settings = SyncSettings::default();
    let run =
        new_run(OrganizationId::generate(), "schedule".to_owned(), &settings, at("2026-11-01T22:00:00Z"));
    assert_eq!(next_sync(&settings, Some(&run), now).unwrap(), daily);
    for (hours, next) in
        [(1, "2026-11-02T00:00:00Z"), (3, "2026-11-02T01:00:00Z"), (4, "2026-11-02T01:15:00Z")]
    {
        settings.every = Some(Duration::from_secs(hours * 3600));
        assert_eq!(next_sync(&settings, Some(&run), now).unwrap(), at(next), "every {hours} h");
    }
    assert_eq!(next_sync(&settings, None, now).unwrap(), now);
}

#[test]
fn before_the_first_call_all_is_quiet() {
    for_both(async |db| {
        let bench = Bench::new(db).await;
        let status = bench.service.gis_status(&bench.caller).await.unwrap();
        assert_eq!(status.health.state, GisState::Ok);
        assert_eq!(status.queue, Queue::default());
        assert_eq!((status.typical_delivery_seconds, status.last_sync), (None, None));
        assert_eq!(status.next_sync_at, bench.service.clock.now());
    });
}
