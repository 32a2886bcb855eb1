//! The OpenAPI 3.1 document: utoipa gathers operations and shapes from the code, and what holds for all of them is added
//! here once (`api.md` §15): the problems that every operation can answer, headers, examples, the nullable fields that
//! are always present.

mod common;
mod event_table;
mod sample;

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::Method;
use serde::Deserialize;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, openapi};

use crate::problem::Problem;
use crate::routes;
use crate::views::texts::EventTypeMask;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "debtgate",
        description = "Шлюз REST/JSON к запросам о задолженности, подтверждённой судом, в ГИС ЖКХ.\n\n\
            Запросы читаются из базы шлюза, ответы принимаются всегда, даже когда ГИС ЖКХ недоступна, и вступают в силу \
            в ГИС ЖКХ ровно один раз. Ни один метод не ждёт ГИС ЖКХ, и её недоступность не даёт ошибок 5xx.\n\n\
            Поставщику не сообщается, кто из граждан обратился за поддержкой: есть только адрес и период.\n\n\
            Файлы, книги Excel и реестры организация загружает по нескольку сразу, сколько именно — задаёт администратор шлюза \
            (обычно 5). Лишняя загрузка получает 429 `too_many_uploads`: повторите её через время из `Retry-After`.\n\n\
            Списки значений в ответах могут пополняться: незнакомое значение — не ошибка.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(name = "debtgate", url = "https://github.com/debtgate/debtgate"),
    ),
    servers((url = "/", description = "Этот сервер.")),
    tags(
        (name = "debt-requests", description = "Запросы о задолженности, полученные из ГИС ЖКХ."),
        (name = "answers", description = "Ответы: создание, отправка, состояние."),
        (name = "operations", description = "Много ответов сразу и всё, что длится дольше запроса: ход, исход, остановка."),
        (name = "exports", description = "Выгрузка запросов в Excel."),
        (name = "imports", description = "Ответы из файлов Excel."),
        (name = "registry", description = "Реестры судебных задолженностей."),
        (name = "people", description = "Подразделения и сотрудники: кому достаются запросы."),
        (name = "settings", description = "Что шлюз делает сам: сопоставление с реестром, автоответ."),
        (name = "attachments", description = "Файлы ответов."),
        (name = "sync", description = "Получение запросов из ГИС ЖКХ."),
        (name = "reports", description = "Статистика и журнал действий."),
        (name = "events", description = "Журнал событий."),
        (name = "access", description = "Организации шлюза и токены программ."),
        (name = "sandbox", description = "Имитатор ГИС ЖКХ: только в демонстрации."),
        (name = "system", description = "Токен, справочники, состояние ГИС ЖКХ."),
        (name = "health", description = "Состояние процесса."),
    ),
    paths(
        routes::debt_requests::list_debt_requests,
        routes::debt_requests::count_debt_requests,
        routes::debt_requests::lookup_debt_requests,
        routes::debt_requests::get_debt_request,
        routes::debt_requests::assign_debt_request,
        routes::debt_requests::list_debt_request_history,
        routes::answers::create_answer,
        routes::answers::list_answers,
        routes::answers::lookup_answers,
        routes::answers::get_answer,
        routes::answers::edit_answer,
        routes::answers::delete_answer,
        routes::answer_actions::complete_answer,
        routes::answer_actions::return_answer,
        routes::answer_actions::submit_answer,
        routes::answer_actions::cancel_answer,
        routes::answer_actions::revoke_answer,
        routes::answer_actions::refresh_answer,
        routes::answer_actions::list_submissions,
        routes::evidence::get_answer_evidence,
        routes::operations::create_answers_bulk,
        routes::operations::list_operations,
        routes::operations::get_operation,
        routes::operations::list_operation_items,
        routes::operations::cancel_operation,
        routes::exports::create_export,
        routes::exports::list_exports,
        routes::exports::get_export,
        routes::exports::get_export_content,
        routes::imports::create_import,
        routes::imports::list_imports,
        routes::imports::get_import,
        routes::imports::list_import_rows,
        routes::imports::get_marked_import,
        routes::imports::apply_import,
        routes::registries::upload_registry,
        routes::registries::list_registries,
        routes::registries::get_registry,
        routes::registries::list_registry_problems,
        routes::registries::list_registry_rows,
        routes::registries::activate_registry,
        routes::court_debts::list_court_debts,
        routes::court_debts::get_court_debt,
        routes::court_debts::add_court_debt,
        routes::court_debts::replace_court_debt,
        routes::court_debts::delete_court_debt,
        routes::accounts::list_accounts,
        routes::accounts::replace_accounts,
        routes::match_runs::start_match_run,
        routes::match_runs::list_match_runs,
        routes::match_runs::get_match_run,
        routes::match_runs::list_match_run_items,
        routes::match_runs::get_match_run_content,
        routes::departments::list_departments,
        routes::departments::get_department,
        routes::departments::list_department_houses,
        routes::departments::create_department,
        routes::departments::edit_department,
        routes::departments::delete_department,
        routes::employees::list_employees,
        routes::employees::get_employee,
        routes::employees::create_employee,
        routes::employees::edit_employee,
        routes::employees::delete_employee,
        routes::matching_settings::get_matching_settings,
        routes::matching_settings::set_matching_settings,
        routes::auto_answer::get_auto_answer_settings,
        routes::auto_answer::set_auto_answer_settings,
        routes::auto_answer::preview_auto_answer,
        routes::attachments::upload_attachment,
        routes::attachments::get_attachment,
        routes::attachments::get_attachment_content,
        routes::attachments::delete_attachment,
        routes::reconciliation::get_reconciliation,
        routes::reconciliation::list_reconciliation_items,
        routes::statistics::get_statistics,
        routes::audit::list_audit_log,
        routes::events::list_events,
        routes::webhook_endpoints::list_webhook_endpoints,
        routes::webhook_endpoints::get_webhook_endpoint,
        routes::webhook_endpoints::create_webhook_endpoint,
        routes::webhook_endpoints::edit_webhook_endpoint,
        routes::webhook_endpoints::delete_webhook_endpoint,
        routes::webhook_deliveries::list_webhook_deliveries,
        routes::webhook_deliveries::test_webhook_endpoint,
        routes::webhook_deliveries::replay_webhooks,
        routes::webhook_deliveries::rotate_webhook_secret,
        routes::sync_runs::start_sync,
        routes::sync_runs::list_sync_runs,
        routes::sync_runs::get_sync_run,
        routes::tokens::list_tokens,
        routes::tokens::get_token,
        routes::tokens::issue_token,
        routes::tokens::revoke_token,
        routes::organizations::list_organizations,
        routes::organizations::get_organization,
        routes::organizations::add_organization,
        routes::organizations::edit_organization,
        routes::organizations::remove_organization,
        routes::sandbox::create_sandbox_requests,
        routes::system::get_me,
        routes::system::get_gis_status,
        routes::system::get_dictionary,
        routes::templates::get_template,
        routes::system::get_liveness,
        routes::system::get_readiness,
    ),
    components(schemas(Problem, EventTypeMask)),
    modifiers(&Bearer),
)]
struct Gathered;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "Токен, выпущенный командой `debtgate token issue` или методом `POST /v1/tokens`. В адресе запроса токен не принимается.",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The document as it is checked in, and as the program serves it: building it anew at each start would touch the code of
/// every shape, for a text that is known. A test says that it is what the code says.
pub const CHECKED_IN: &str = include_str!("../../openapi/openapi.json");

/// Of the document, what is needed to name an operation.
#[derive(Deserialize)]
struct Named {
    paths: HashMap<String, HashMap<String, NamedOperation>>,
}

#[derive(Deserialize)]
struct NamedOperation {
    #[serde(rename = "operationId")]
    id: String,
}

/// The operations by method and path.
static OPERATIONS: LazyLock<HashMap<(Method, String), String>> = LazyLock::new(|| {
    let of_path = |(path, operations): (String, HashMap<String, NamedOperation>)| {
        operations.into_iter().filter_map(move |(method, operation)| {
            let method = method.to_uppercase().parse().ok()?;
            Some(((method, path.clone()), operation.id))
        })
    };
    // A document that cannot be read names nothing: the tests would say so.
    let named = serde_json::from_str::<Named>(CHECKED_IN).map(|named| named.paths).unwrap_or_default();
    named.into_iter().flat_map(of_path).collect()
});

/// The operationId of what a route does.
pub(crate) fn operation_id(method: &Method, pattern: &str) -> Option<&'static str> {
    OPERATIONS.get(&(method.clone(), pattern.to_owned())).map(String::as_str)
}

/// The document as the code says it.
///
/// # Errors
/// Never in a build whose tests pass: the document is made of constants.
pub fn document() -> Result<Value, serde_json::Error> {
    let mut document = serde_json::to_value(Gathered::openapi())?;
    common::lift_descriptions(&mut document);
    common::add_organization(&mut document);
    common::require_all(&mut document);
    common::add_responses(&mut document);
    common::add_headers(&mut document);
    event_table::add(&mut document);
    sample::add_examples(&mut document);
    Ok(document)
}

/// The document as text, with a line end.
///
/// # Errors
/// Never in a build whose tests pass.
pub fn text() -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&document()?)? + "\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn operations(document: &Value) -> Vec<(String, Value)> {
        let paths = document["paths"].as_object().unwrap();
        let all = paths.iter().flat_map(|(path, operations)| {
            let operations = operations.as_object().unwrap();
            operations.iter().map(move |(method, operation)| (format!("{method} {path}"), operation.clone()))
        });
        all.collect()
    }

    #[test]
    fn the_checked_in_document_is_what_the_code_says() {
        assert!(
            text().unwrap() == CHECKED_IN,
            "run: cargo run -p debtgate -- openapi > openapi/openapi.json"
        );
    }

    #[test]
    fn an_operation_is_found_by_its_route() {
        assert_eq!(operation_id(&Method::POST, "/v1/answers/{id}/submit"), Some("submit_answer"));
        assert_eq!(operation_id(&Method::GET, "/v1/answers/{id}/submit"), None);
        for (place, operation) in operations(&document().unwrap()) {
            let (method, path) = place.split_once(' ').unwrap();
            let method = method.to_uppercase().parse().unwrap();
            assert_eq!(operation_id(&method, path), operation["operationId"].as_str(), "{place}");
        }
    }

    #[test]
    fn every_operation_is_named_described_and_secured() {
        let document = document().unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let mut names = BTreeSet::new();
        for (place, operation) in operations(&document) {
            let name = operation["operationId"].as_str().unwrap().to_owned();
            assert!(name.contains('_'), "{place}: {name} is verb_noun");
            assert!(names.insert(name), "{place}: the operationId is not unique");
            assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{place}");
            assert!(!operation["summary"].as_str().unwrap().contains('\n'), "{place}");
            assert!(operation["description"].as_str().unwrap().len() > 40, "{place}");
            assert!(operation["security"].is_array(), "{place}");
        }
    }

    #[test]
    fn every_response_is_described_and_successes_have_examples() {
        for (place, operation) in operations(&document().unwrap()) {
            for (status, response) in operation["responses"].as_object().unwrap() {
                if response.get("$ref").is_some() {
                    continue;
                }
                assert!(!response["description"].as_str().unwrap().is_empty(), "{place} {status}");
                if let Some(content) = response.pointer("/content/application~1json") {
                    assert!(content.get("example").is_some(), "{place} {status}");
                }
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document().unwrap();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[test]
    fn every_field_is_described() {
        let document = document().unwrap();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                let described = property.get("description").is_some()
                    || property.get("$ref").is_some()
                    || property.get("oneOf").is_some();
                assert!(described, "{name}.{field}");
            }
        }
    }
}
