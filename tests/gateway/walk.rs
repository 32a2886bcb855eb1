//! Every operation of the document: who may call it, and that it is there.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Client, Stand, for_both};
use crate::{imports, registry};

/// One operation of the document.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The scopes it asks for; `None` for those that need no token.
    pub(crate) scopes: Option<Vec<String>>,
    body: Option<Value>,
}

pub(crate) async fn operations(client: &Client) -> Vec<Operation> {
    let document = client.get("/openapi.json").await.ok(200);
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scopes = operation["security"].as_array().and_then(|security| security.first());
            let scopes = scopes
                .and_then(|entry| entry["bearer"].as_array())
                .map(|scopes| scopes.iter().map(|scope| scope.as_str().unwrap().to_owned()).collect());
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                scopes,
                body: body_example(operation),
            });
        }
    }
    operations
}

/// The example of a JSON body, the first where there are several.
fn body_example(operation: &Value) -> Option<Value> {
    let content = operation.pointer("/requestBody/content/application~1json")?;
    let several = content["examples"].as_object().and_then(|examples| examples.values().next());
    content.get("example").or(several.and_then(|example| example.get("value"))).cloned()
}

/// Ours, by the part of the path in front of them.
pub(crate) async fn identifiers(stand: &Stand) -> BTreeMap<&'static str, String> {
    let [request] = stand.request_ids().await.try_into().unwrap();
    let answer = stand.answer(&request, &json!({ "submit": true, "has_debt": false })).await;
    let file = json!({ "file_name": "a.txt", "content_base64": "0LTQsA==" });
    let file = stand.client.post("/v1/attachments", &file).await.ok(201)["id"].as_str().unwrap().to_owned();
    let run = stand.client.get("/v1/sync-runs").await.ok(200)["items"][0]["id"].as_str().unwrap().to_owned();
    let operation = json!({ "items": [{ "debt_request_id": request, "has_debt": false }] });
    let operation = stand.client.post("/v1/answers/bulk", &operation).await.ok(202);
    let operation = operation["id"].as_str().unwrap().to_owned();
    let export = json!({ "kind": "debt_requests" });
    let export = stand.client.post("/v1/exports", &export).await.ok(202)["id"].as_str().unwrap().to_owned();
    let import = imports::unanswered(std::slice::from_ref(&request));
    let import = stand.client.post("/v1/imports", &import).await.ok(202)["id"].as_str().unwrap().to_owned();
    let registry = registry::upload(&stand.client, &[]).await.ok(202)["id"].as_str().unwrap().to_owned();
    let debt = registry::add(stand, &registry::debt("кв. 1")).await;
    let debt = debt["id"].as_str().unwrap().to_owned();
    let everything = json!({ "scope": { "filter": {} }, "mode": "preview" });
    let matched =
        stand.client.post("/v1/match-runs", &everything).await.ok(202)["id"].as_str().unwrap().to_owned();
    let employee = json!({ "name": "Новикова Н. Н." });
    let employee =
        stand.client.post("/v1/employees", &employee).await.ok(201)["id"].as_str().unwrap().to_owned();
    let department = json!({ "name": "Север", "responsible_id": stand.employee });
    let department = stand.client.post("/v1/departments", &department).await.ok(201);
    let department = department["id"].as_str().unwrap().to_owned();
    let endpoint = json!({ "url": "https://erp.example/" });
    let endpoint = stand.client.post("/v1/webhook-endpoints", &endpoint).await.ok(201);
    let endpoint = endpoint["id"].as_str().unwrap().to_owned();
    let token = json!({ "name": "Биллинг", "scopes": ["requests:read"] });
    let token = stand.client.post("/v1/tokens", &token).await.ok(201)["id"].as_str().unwrap().to_owned();
    [
        ("tokens", token),
        ("organizations", stand.organization.to_string()),
        ("webhook-endpoints", endpoint),
        ("departments", department),
        ("employees", employee),
        ("debt-requests", request),
        ("answers", answer),
        ("attachments", file),
        ("sync-runs", run),
        ("operations", operation),
        ("exports", export),
        ("imports", import),
        ("court-debt-registries", registry),
        ("court-debts", debt),
        ("match-runs", matched),
    ]
    .into()
}

impl Operation {
    pub(crate) fn address(&self, identifiers: &BTreeMap<&'static str, String>) -> String {
        let kind = self.path.split('/').nth(2).unwrap_or_default();
        let id = identifiers.get(kind).map_or("", String::as_str);
        let name = if kind == "templates" { "answers" } else { "states" };
        self.path.replace("{id}", id).replace("{name}", name)
    }

    pub(crate) async fn call(&self, client: &Client, path: &str) -> crate::harness::Reply {
        let call = client.call(self.method.clone(), path);
        match &self.body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }
}

#[test]
fn no_operation_is_open_to_strangers() {
    for_both(1, async |stand| {
        let identifiers = identifiers(&stand).await;
        let operations = operations(&stand.client).await;
        let auditor = json!({ "name": "Аудитор", "scopes": ["audit:read"] });
        let auditor = stand.client.post("/v1/tokens", &auditor).await.ok(201);
        let auditor = stand.client.with_token(auditor["token"].as_str().unwrap());
        let (mut guarded, mut scoped, mut owned) = (0, 0, 0);
        for operation in &operations {
            let path = operation.address(&identifiers);
            let Some(scopes) = &operation.scopes else { continue };
            guarded += 1;
            operation.call(&stand.client.without_token(), &path).await.problem(401, "token_missing");
            if !scopes.is_empty() {
                scoped += 1;
                // Each of the two may do something, and nobody may do what the other one may.
                let about_webhooks = scopes.iter().any(|scope| scope == "webhooks:manage");
                let powerless = if about_webhooks { &auditor } else { &stand.powerless };
                let problem = operation.call(powerless, &path).await.problem(403, "scope_missing");
                // Whoever may submit may write; the example of a new answer asks to submit.
                let told = |scope: &str| problem["detail"].as_str().unwrap().contains(scope);
                let named = scopes
                    .iter()
                    .any(|scope| told(scope) || scope == "answers:write" && told("answers:submit"));
                assert!(named, "{}: {problem:#}", operation.id);
            }
            if operation.path.contains("{id}") {
                owned += 1;
                operation.call(&stand.foreigner, &path).await.problem(404, "not_found");
            }
        }
        assert!(guarded >= 30 && scoped >= 26 && owned >= 19, "{guarded} {scoped} {owned}");
        let answers = stand.client.walk("/v1/answers").await;
        assert_eq!((answers.len(), &answers[0]["version"]), (1, &json!(1)), "nobody has touched it");
    });
}

#[test]
fn each_path_knows_its_methods_and_names_them() {
    for_both(1, async |stand| {
        let identifiers = identifiers(&stand).await;
        let mut paths: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for operation in operations(&stand.client).await {
            paths.entry(operation.address(&identifiers)).or_default().push(operation.method.to_string());
        }
        for (path, mut methods) in paths {
            let unknown =
                [Method::PUT, Method::PATCH].into_iter().find(|it| !methods.contains(&it.to_string()));
            let reply = stand.client.call(unknown.unwrap(), &path).send().await;
            let mut allowed: Vec<_> = reply.header("allow").split(", ").map(str::to_owned).collect();
            allowed.retain(|method| method != "HEAD" && method != "OPTIONS");
            allowed.sort_unstable();
            methods.sort_unstable();
            assert_eq!(allowed, methods, "{path}");
            reply.problem(405, "method_not_allowed");
        }
    });
}

#[test]
fn every_documented_parameter_takes_its_own_example() {
    for_both(1, async |stand| {
        let document = stand.client.get("/openapi.json").await.ok(200);
        let mut tried = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            let Some(parameters) = methods["get"]["parameters"].as_array() else { continue };
            if path.contains('{') {
                continue;
            }
            for parameter in parameters
                .iter()
                .filter(|parameter| parameter["in"] == "query")
                // What a gateway has made up itself has no example.
                .filter(|parameter| parameter["name"] != "cursor" && parameter["name"] != "after")
            {
                let (name, example) =
                    (parameter["name"].as_str().unwrap(), parameter_example(&document, parameter));
                let query =
                    url::form_urlencoded::Serializer::new(String::new()).append_pair(name, &example).finish();
                stand.client.get(&format!("{path}?{query}")).await.ok(200);
                tried += 1;
            }
            stand.client.get(&format!("{path}?nobody_knows=1")).await.problem(400, "unknown_parameter");
        }
        assert!(tried >= 50, "{tried}");
    });
}

/// The example of a parameter as it stands in an address, or a value of its kind.
fn parameter_example(document: &Value, parameter: &Value) -> String {
    let schema = resolved(document, &parameter["schema"]);
    let items = resolved(document, &schema["items"]);
    let example =
        [&parameter["example"], &schema["example"], &items["example"], &schema["enum"][0], &items["enum"][0]]
            .into_iter()
            .find(|example| !example.is_null());
    match example {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => items[0].as_str().unwrap().to_owned(),
        Some(other) => other.to_string(),
        None => match (schema["type"].as_str(), schema["format"].as_str()) {
            (_, Some("uuid")) => "00000000-0000-4000-8000-000000000000".to_owned(),
            (_, Some("date")) => "2026-11-10".to_owned(),
            (_, Some("date-time")) => "2026-11-04T01:15:40Z".to_owned(),
            (Some("boolean"), _) => "true".to_owned(),
            (Some("string"), None) if parameter["name"].as_str().is_some_and(|it| it.ends_with("_id")) => {
                "none".to_owned()
            }
            (Some("string"), None) => "1".to_owned(),
            other => panic!("no example: {other:?} {parameter}"),
        },
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}
