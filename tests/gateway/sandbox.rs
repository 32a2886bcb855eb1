//! Debt requests on demand: only where there is a simulator in the same process. That they come where there is one,
//! `walk_demo` shows.

use serde_json::json;

use crate::harness::for_both;

const PATH: &str = "/v1/sandbox/debt-requests";

#[test]
fn a_gateway_of_gis_invents_nothing() {
    for_both(1, async |stand| {
        let before = stand.gis().state();
        for body in [json!({}), json!({ "count": 5, "ending": "01" })] {
            stand.client.post(PATH, &body).await.problem(404, "sandbox_only");
        }
        stand.client.post(PATH, &json!({ "count": 101 })).await.problem(422, "validation_failed");
        stand.client.post(PATH, &json!({ "ending": "07" })).await.problem(422, "validation_failed");
        let page = stand.client.get("/problems/sandbox_only").await;
        assert!(String::from_utf8(page.bytes).unwrap().contains("debtgate demo"));
        assert_eq!(stand.gis().state().subrequests.total, before.subrequests.total);
    });
}
