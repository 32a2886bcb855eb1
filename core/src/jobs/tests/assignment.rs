//! Debt requests are given out anew in bounded steps, and it comes to rest.

use super::bench::Bench;
use crate::domain::debt_request::DebtRequest;
use crate::error::{Code, Error};
use crate::jobs::JobName;
use crate::store::debt_requests::{self, Filter};
use crate::store::test_db::for_both;
use crate::store::{employees, samples};

#[test]
fn requests_are_given_to_a_new_fallback_some_at_a_time() {
    for_both(async |db| {
        let bench = Bench::new(db, 0).await;
        let (service, organization) = (&bench.worker.service, bench.organization);
        let (nameless, head) = (samples::employee(organization), samples::employee(organization));
        let mut tx = service.db.begin().await.unwrap();
        employees::insert(&mut tx, &head).await.unwrap();
        employees::insert(&mut tx, &crate::domain::employee::Employee { gis_guid: None, ..nameless.clone() })
            .await
            .unwrap();
        let requests: Vec<DebtRequest> = (0..1200)
            .map(|number| DebtRequest { answered: number % 12 == 0, ..samples::request(organization) })
            .collect();
        debt_requests::save(&mut tx, &requests).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            bench.worker.step(JobName::Assignment).await.unwrap().done,
            0,
            "nobody has changed anything"
        );

        let refused = service.set_default_executor(organization, nameless.id).await;
        assert!(matches!(refused, Err(Error::Refused { code: Code::ExecutorWithoutGisId, .. })));
        service.set_default_executor(organization, head.id).await.unwrap();
        let mut steps = Vec::new();
        loop {
            let report = bench.worker.step(JobName::Assignment).await.unwrap();
            if report.done == 0 {
                break;
            }
            steps.push((report.done, report.detail["given"].clone()));
        }
        // The last one finds nothing left.
        assert_eq!(steps, [(500, 500.into()), (500, 500.into()), (100, 100.into()), (1, 0.into())]);
        let his = Filter { executor: Some(debt_requests::ExecutorFilter::Is(head.id)), ..Filter::default() };
        let mut conn = service.db.read().await.unwrap();
        let counts = debt_requests::count(&mut conn, organization, &his, samples::day(1)).await.unwrap();
        assert_eq!((counts.total, counts.unanswered), (1100, 1100));
    });
}
