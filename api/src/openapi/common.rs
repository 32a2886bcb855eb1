//! What holds for every operation.

use std::collections::BTreeSet;

use debt_core::Code;
use serde_json::{Map, Value, json};

use crate::problem::MEDIA_TYPE;
use crate::problem::catalogue::entry;

/// Methods that can change something.
const WRITING: [&str; 4] = ["post", "patch", "put", "delete"];
/// Statuses that every operation behind a token can answer.
const ALWAYS: [u16; 8] = [400, 401, 403, 404, 422, 429, 500, 503];
/// Statuses of those that can change something.
const ON_WRITING: [u16; 5] = [409, 410, 412, 413, 415];
/// Statuses of single operations that change nothing.
const ON_READING: [(&str, &[u16]); 5] = [
    ("get_answer_evidence", &[409, 410]),
    ("get_export_content", &[409]),
    ("get_marked_import", &[409]),
    ("get_match_run_content", &[409]),
    ("list_events", &[410]),
];

/// Calls `visit` with method and operation of every path.
pub(super) fn each_operation(document: &mut Value, mut visit: impl FnMut(&str, &mut Map<String, Value>)) {
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for path in paths.values_mut().filter_map(Value::as_object_mut) {
        for (method, operation) in path.iter_mut() {
            if let Some(operation) = operation.as_object_mut() {
                visit(method, operation);
            }
        }
    }
}

/// Fields of responses are always present, those without a value as `null`: 1C gets stable keys. utoipa takes an `Option`
/// for a field that may be absent, which is true of requests alone.
pub(super) fn require_all(document: &mut Value) {
    let mut answered = BTreeSet::new();
    each_operation(document, |_, operation| {
        if let Some(responses) = operation.get("responses") {
            references(responses, &mut answered);
        }
    });
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else {
        return;
    };
    loop {
        let mut more = answered.clone();
        for name in &answered {
            schemas.get(name).into_iter().for_each(|schema| references(schema, &mut more));
        }
        if more.len() == answered.len() {
            break;
        }
        answered = more;
    }
    answered.insert("Problem".to_owned());
    answered.insert("FieldProblem".to_owned());
    for schema in answered
        .iter()
        .filter_map(|name| schemas.get_mut(name).cloned().map(|schema| (name.clone(), schema)))
        .collect::<Vec<_>>()
    {
        let (name, mut schema) = schema;
        require(&mut schema);
        schemas.insert(name, schema);
    }
}

fn require(schema: &mut Value) {
    if let Some(parts) = schema.get_mut("allOf").and_then(Value::as_array_mut) {
        parts.iter_mut().for_each(require);
    }
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let names: Vec<_> = properties.keys().cloned().collect();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("required".to_owned(), json!(names));
    }
}

/// Names of the schemas that a value refers to.
fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(name) = object.get("$ref").and_then(Value::as_str) {
                names.extend(name.strip_prefix("#/components/schemas/").map(ToOwned::to_owned));
            }
            object.values().for_each(|value| references(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds the problems that an operation can answer, as references to shared responses.
pub(super) fn add_responses(document: &mut Value) {
    let mut used = BTreeSet::new();
    each_operation(document, |method, operation| {
        if operation.get("security").and_then(Value::as_array).is_some_and(|list| list == &[json!({})]) {
            return;
        }
        let id = operation.get("operationId").and_then(Value::as_str);
        let of_one = ON_READING.iter().find(|(name, _)| Some(*name) == id).map(|(_, statuses)| *statuses);
        let more: &[u16] = match of_one {
            Some(statuses) => statuses,
            None if WRITING.contains(&method) => &ON_WRITING,
            None => &[],
        };
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
        for status in ALWAYS.iter().chain(more) {
            used.insert(*status);
            let reference = json!({"$ref": format!("#/components/responses/Problem{status}")});
            responses.entry(status.to_string()).or_insert(reference);
        }
    });
    let shared: Map<String, Value> =
        used.iter().map(|status| (format!("Problem{status}"), problem_response(*status))).collect();
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("responses".to_owned(), Value::Object(shared));
    }
}

fn problem_response(status: u16) -> Value {
    let codes: Vec<_> =
        Code::ALL.iter().copied().filter(|code| entry(*code).status.as_u16() == status).collect();
    let lines: Vec<_> =
        codes.iter().map(|code| format!("`{}` — {}", code.as_str(), entry(*code).title)).collect();
    let first = codes.first().map(|code| {
        let entry = entry(*code);
        json!({
            "type": format!("https://debtgate.example.ru/problems/{}", code.as_str()),
            "title": entry.title,
            "status": status,
            "detail": entry.cause,
            "instance": "/v1/debt-requests",
            "code": code.as_str(),
            "request_id": "019a4d3e-7c1b-7d52-9f3a-3f1d2b4c5d6e",
            "retryable": entry.retryable,
            "origin": if status >= 500 { "service" } else { "request" },
            "errors": [],
            "confirmable": [],
            "state": null,
            "current_version": null
        })
    });
    let mut headers = Map::new();
    headers.insert("Request-Id".to_owned(), header("Идентификатор запроса."));
    if matches!(status, 409 | 429 | 500 | 503) {
        let about = if status == 409 {
            "Через сколько секунд повторить; только у `idempotency_in_progress`."
        } else {
            "Через сколько секунд повторить."
        };
        headers.insert("Retry-After".to_owned(), header(about));
    }
    if status == 401 {
        headers.insert("WWW-Authenticate".to_owned(), header("Схема Bearer."));
    }
    json!({
        "description": format!("Коды: {}.", lines.join("; ")),
        "headers": headers,
        "content": { MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": first} }
    })
}

fn header(description: &str) -> Value {
    json!({"description": description, "schema": {"type": "string", "maxLength": 1000}})
}

/// Representations with a version.
const VERSIONED: [&str; 10] = [
    "Answer",
    "AutoAnswerSettings",
    "CourtDebt",
    "DebtRequest",
    "Department",
    "Employee",
    "MatchingSettings",
    "ServedOrganization",
    "WebhookEndpoint",
    "WebhookEndpointWithSecret",
];
/// Work that is worth asking for again while it goes on.
const WATCHED: [&str; 5] = ["Export", "Import", "MatchRun", "Operation", "SyncRun"];
/// What is a change to its method alone: nothing of it is replayed.
const ONLY_READING: [&str; 3] = ["lookup_answers", "lookup_debt_requests", "preview_auto_answer"];

/// Declares the headers of successful responses, beside those that an operation declares itself.
pub(super) fn add_headers(document: &mut Value) {
    each_operation(document, |method, operation| {
        let is_open =
            operation.get("security").and_then(Value::as_array).is_some_and(|list| list == &[json!({})]);
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
        let is_written = WRITING.contains(&method) && !ONLY_READING.contains(&id);
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
        for (status, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
            let mut names = BTreeSet::new();
            references(response, &mut names);
            let mut all = successful(method, status, &names);
            if is_written {
                all.push((
                    "Idempotency-Replayed",
                    "`true`, если это повтор прежнего ответа по Idempotency-Key.",
                ));
            }
            if !is_open {
                all.push(("RateLimit", "Сколько запросов осталось и через сколько секунд лимит обновится."));
                all.push(("RateLimit-Policy", "Лимит запросов токена."));
            }
            let Some(response) = response.as_object_mut() else { continue };
            let declared = response.entry("headers").or_insert_with(|| json!({}));
            if let Some(declared) = declared.as_object_mut() {
                for (name, about) in all {
                    declared.entry(name).or_insert_with(|| header(about));
                }
            }
        }
    });
}

/// The headers of a successful response with these schemas.
fn successful(method: &str, status: &str, names: &BTreeSet<String>) -> Vec<(&'static str, &'static str)> {
    let has = |all: &[&str]| names.iter().any(|name| all.contains(&name.as_str()));
    let mut headers = vec![("Request-Id", "Идентификатор запроса.")];
    if has(&VERSIONED) {
        headers.push(("ETag", "Версия объекта, для If-Match."));
    }
    if has(&["Answer"]) || has(&WATCHED) && (method == "get" || status == "202") {
        headers.push((
            "Retry-After",
            "Через сколько секунд спросить снова; нет, если состояние само не изменится.",
        ));
    }
    if method == "post" && matches!(status, "201" | "202") || has(&["Answer"]) && method != "get" {
        headers.push(("Location", "Путь объекта."));
    }
    if names.iter().any(|name| name.ends_with("Page")) {
        headers.push(("Link", "Адрес следующей страницы, rel=\"next\"."));
    }
    if has(&["DebtRequestPage", "DebtRequestCounts"]) {
        let about = "Когда запросы в последний раз успешно получены из ГИС ЖКХ; нет до первого раза.";
        headers.push(("Data-As-Of", about));
    }
    headers
}

/// utoipa puts the description of a nullable reference inside its `oneOf`, where generated clients lose it.
pub(super) fn lift_descriptions(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let parts = object.get_mut("oneOf").and_then(Value::as_array_mut);
            let lifted = parts.and_then(|parts| {
                let part = parts.iter_mut().find(|part| part.get("$ref").is_some())?;
                part.as_object_mut()?.remove("description")
            });
            if let Some(description) = lifted {
                object.entry("description").or_insert(description);
            }
            object.values_mut().for_each(lift_descriptions);
        }
        Value::Array(items) => items.iter_mut().for_each(lift_descriptions),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Every operation behind a token takes the organisation that it is about, but for the one that tells which there are.
pub(super) fn add_organization(document: &mut Value) {
    let parameter = json!({
        "name": "Organization-Id",
        "in": "header",
        "required": false,
        "description": "Организация, от имени которой выполняется запрос; обязателен, если токен выпущен для нескольких.",
        "schema": {"type": "string", "format": "uuid"}
    });
    each_operation(document, |_, operation| {
        let secured =
            operation.get("security").and_then(Value::as_array).is_some_and(|list| list != &[json!({})]);
        let about_one = operation.get("operationId").and_then(Value::as_str) != Some("get_me");
        if secured
            && about_one
            && let Some(list) = operation.entry("parameters").or_insert_with(|| json!([])).as_array_mut()
        {
            list.push(parameter.clone());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_declared_where_they_come_and_those_of_an_operation_stay() {
        let success = |schema: &str| {
            let content = json!({"schema": {"$ref": format!("#/components/schemas/{schema}")}});
            json!({"content": {"application/json": content}, "headers": {"ETag": {"description": "own"}}})
        };
        let operation = |id: &str, status: &str, schema: &str, security: Value| json!({"operationId": id, "security": [security], "responses": {status: success(schema)}});
        let ours = || json!({"bearer": []});
        let mut document = json!({"paths": {"/a": {
            "get": operation("get_sync_run", "200", "SyncRun", ours()),
            "put": operation("replace_accounts", "200", "AccountBook", ours()),
            "post": operation("lookup_answers", "200", "AnswerLookupResult", ours()),
            "patch": operation("edit_employee", "200", "Employee", ours()),
            "head": operation("get_liveness", "200", "Health", json!({})),
        }, "/b": {
            "post": operation("upload_registry", "202", "CourtDebtRegistry", ours()),
        }}});
        add_headers(&mut document);
        let has = |path: &str, method: &str, name: &str| {
            let responses = &document["paths"][path][method]["responses"];
            let mut responses = responses.as_object().unwrap().values();
            responses.next().unwrap()["headers"].get(name).is_some()
        };
        assert!(has("/a", "get", "Retry-After") && has("/a", "get", "RateLimit"));
        assert!(has("/a", "put", "Idempotency-Replayed") && !has("/a", "put", "Retry-After"));
        assert!(!has("/a", "post", "Idempotency-Replayed") && has("/a", "patch", "Idempotency-Replayed"));
        assert!(!has("/a", "head", "RateLimit") && has("/a", "head", "Request-Id"));
        assert!(!has("/b", "post", "Retry-After") && has("/b", "post", "Location"));
        let own = document.pointer("/paths/~1a/patch/responses/200/headers/ETag/description").unwrap();
        assert_eq!(own, "own");
    }
}
