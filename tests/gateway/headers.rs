//! The headers that the document declares, and those that come.

use serde_json::Value;

use crate::harness::{Reply, for_both};
use crate::walk::{identifiers, operations};

/// Headers that tell something of a success.
const TELLING: [&str; 8] = [
    "Data-As-Of",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
];

fn declared<'d>(document: &'d Value, path: &str, method: &str, reply: &Reply) -> &'d Value {
    let response = &document["paths"][path][method]["responses"][reply.status.as_str()];
    assert!(response.is_object(), "{method} {path}: {}", reply.status);
    &response["headers"]
}

#[test]
fn what_comes_with_a_success_is_declared() {
    for_both(1, async |stand| {
        let document = stand.client.get("/openapi.json").await.ok(200);
        let identifiers = identifiers(&stand).await;
        let (mut succeeded, mut told) = (0, 0);
        for operation in operations(&stand.client).await {
            let reply = operation.call(&stand.client, &operation.address(&identifiers)).await;
            if !reply.status.is_success() {
                continue;
            }
            succeeded += 1;
            let method = operation.method.as_str().to_lowercase();
            let declared = declared(&document, &operation.path, &method, &reply);
            for name in TELLING {
                if reply.headers.contains_key(name) {
                    told += 1;
                    assert!(declared[name].is_object(), "{}: {name} is not declared", operation.id);
                }
            }
            for name in ["RateLimit", "RateLimit-Policy"] {
                assert_eq!(
                    declared[name].is_object(),
                    reply.headers.contains_key(name),
                    "{}: {name}",
                    operation.id
                );
            }
        }
        assert!(succeeded >= 30 && told > 2 * succeeded, "{succeeded} {told}");
    });
}
