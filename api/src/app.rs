//! The application that actix serves: paths, middleware, Swagger UI.
//!
//! Every path is one resource with its methods, so a method that a path does not have is answered with 405 and `Allow`,
//! and everything else with 404, both as problems.

use actix_cors::Cors;
use actix_web::body::MessageBody;
use actix_web::dev::{HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpMessage, HttpResponse, Resource, ResponseError, Route};
use debt_core::Code;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::problem::Failure;
use crate::rate::Allowance;
use crate::routes::{
    accounts, answer_actions, answers, attachments, audit, auto_answer, court_debts, debt_requests,
    departments, employees, events, evidence, exports, imports, match_runs, matching_settings, operations,
    organizations, reconciliation, registries, sandbox, statistics, sync_runs, system, templates, tokens,
    webhook_deliveries, webhook_endpoints,
};

/// The paths of the public port.
pub fn public(docs: bool) -> impl Fn(&mut ServiceConfig) + Clone {
    move |config| {
        for resource in resources() {
            config.service(resource);
        }
        health(config);
        config
            .service(at("/openapi.json", vec![(Method::GET, web::to(system::get_openapi))]))
            .service(at("/problems/{code}", vec![(Method::GET, web::to(system::get_problem_page))]))
            .default_service(web::to(not_found));
        if docs {
            config.service(swagger_ui());
        }
    }
}

/// The paths of the internal port.
pub fn internal(config: &mut ServiceConfig) {
    health(config);
    config
        .service(at("/metrics", vec![(Method::GET, web::to(system::get_metrics))]))
        .default_service(web::to(not_found));
}

fn health(config: &mut ServiceConfig) {
    config
        .service(at("/health/live", vec![(Method::GET, web::to(system::get_liveness))]))
        .service(at("/health/ready", vec![(Method::GET, web::to(system::get_readiness))]));
}

/// Every path of the API. A fixed path stands before the one with a parameter in its place.
fn resources() -> Vec<Resource> {
    use Method as M;
    vec![
        at("/v1/debt-requests", vec![(M::GET, web::to(debt_requests::list_debt_requests))]),
        at("/v1/debt-requests/count", vec![(M::GET, web::to(debt_requests::count_debt_requests))]),
        at("/v1/debt-requests/lookup", vec![(M::POST, web::to(debt_requests::lookup_debt_requests))]),
        at(
            "/v1/debt-requests/{id}",
            vec![
                (M::GET, web::to(debt_requests::get_debt_request)),
                (M::PATCH, web::to(debt_requests::assign_debt_request)),
            ],
        ),
        at(
            "/v1/debt-requests/{id}/history",
            vec![(M::GET, web::to(debt_requests::list_debt_request_history))],
        ),
        at("/v1/debt-requests/{id}/answers", vec![(M::POST, web::to(answers::create_answer))]),
        at("/v1/answers", vec![(M::GET, web::to(answers::list_answers))]),
        at("/v1/answers/bulk", vec![(M::POST, web::to(operations::create_answers_bulk))]),
        at("/v1/answers/lookup", vec![(M::POST, web::to(answers::lookup_answers))]),
        at(
            "/v1/answers/{id}",
            vec![
                (M::GET, web::to(answers::get_answer)),
                (M::PATCH, web::to(answers::edit_answer)),
                (M::DELETE, web::to(answers::delete_answer)),
            ],
        ),
        at("/v1/answers/{id}/complete", vec![(M::POST, web::to(answer_actions::complete_answer))]),
        at("/v1/answers/{id}/return", vec![(M::POST, web::to(answer_actions::return_answer))]),
        at("/v1/answers/{id}/submit", vec![(M::POST, web::to(answer_actions::submit_answer))]),
        at("/v1/answers/{id}/cancel", vec![(M::POST, web::to(answer_actions::cancel_answer))]),
        at("/v1/answers/{id}/revoke", vec![(M::POST, web::to(answer_actions::revoke_answer))]),
        at("/v1/answers/{id}/refresh", vec![(M::POST, web::to(answer_actions::refresh_answer))]),
        at("/v1/answers/{id}/submissions", vec![(M::GET, web::to(answer_actions::list_submissions))]),
        at("/v1/answers/{id}/evidence", vec![(M::GET, web::to(evidence::get_answer_evidence))]),
        at("/v1/attachments", vec![(M::POST, web::to(attachments::upload_attachment))]),
        at(
            "/v1/attachments/{id}",
            vec![
                (M::GET, web::to(attachments::get_attachment)),
                (M::DELETE, web::to(attachments::delete_attachment)),
            ],
        ),
        at("/v1/attachments/{id}/content", vec![(M::GET, web::to(attachments::get_attachment_content))]),
        at(
            "/v1/sync-runs",
            vec![(M::GET, web::to(sync_runs::list_sync_runs)), (M::POST, web::to(sync_runs::start_sync))],
        ),
        at("/v1/sync-runs/{id}", vec![(M::GET, web::to(sync_runs::get_sync_run))]),
        at("/v1/operations", vec![(M::GET, web::to(operations::list_operations))]),
        at("/v1/operations/{id}", vec![(M::GET, web::to(operations::get_operation))]),
        at("/v1/operations/{id}/items", vec![(M::GET, web::to(operations::list_operation_items))]),
        at("/v1/operations/{id}/cancel", vec![(M::POST, web::to(operations::cancel_operation))]),
        at(
            "/v1/exports",
            vec![(M::GET, web::to(exports::list_exports)), (M::POST, web::to(exports::create_export))],
        ),
        at("/v1/exports/{id}", vec![(M::GET, web::to(exports::get_export))]),
        at("/v1/exports/{id}/content", vec![(M::GET, web::to(exports::get_export_content))]),
        at(
            "/v1/imports",
            vec![(M::GET, web::to(imports::list_imports)), (M::POST, web::to(imports::create_import))],
        ),
        at("/v1/imports/{id}", vec![(M::GET, web::to(imports::get_import))]),
        at("/v1/imports/{id}/rows", vec![(M::GET, web::to(imports::list_import_rows))]),
        at("/v1/imports/{id}/marked", vec![(M::GET, web::to(imports::get_marked_import))]),
        at("/v1/imports/{id}/apply", vec![(M::POST, web::to(imports::apply_import))]),
        at(
            "/v1/court-debt-registries",
            vec![
                (M::GET, web::to(registries::list_registries)),
                (M::POST, web::to(registries::upload_registry)),
            ],
        ),
        at("/v1/court-debt-registries/{id}", vec![(M::GET, web::to(registries::get_registry))]),
        at(
            "/v1/court-debt-registries/{id}/problems",
            vec![(M::GET, web::to(registries::list_registry_problems))],
        ),
        at("/v1/court-debt-registries/{id}/rows", vec![(M::GET, web::to(registries::list_registry_rows))]),
        at(
            "/v1/court-debt-registries/{id}/activate",
            vec![(M::POST, web::to(registries::activate_registry))],
        ),
        at(
            "/v1/court-debts",
            vec![
                (M::GET, web::to(court_debts::list_court_debts)),
                (M::POST, web::to(court_debts::add_court_debt)),
            ],
        ),
        at(
            "/v1/court-debts/{id}",
            vec![
                (M::GET, web::to(court_debts::get_court_debt)),
                (M::PUT, web::to(court_debts::replace_court_debt)),
                (M::DELETE, web::to(court_debts::delete_court_debt)),
            ],
        ),
        at(
            "/v1/accounts",
            vec![(M::GET, web::to(accounts::list_accounts)), (M::PUT, web::to(accounts::replace_accounts))],
        ),
        at(
            "/v1/match-runs",
            vec![
                (M::GET, web::to(match_runs::list_match_runs)),
                (M::POST, web::to(match_runs::start_match_run)),
            ],
        ),
        at("/v1/match-runs/{id}", vec![(M::GET, web::to(match_runs::get_match_run))]),
        at("/v1/match-runs/{id}/items", vec![(M::GET, web::to(match_runs::list_match_run_items))]),
        at("/v1/match-runs/{id}/content", vec![(M::GET, web::to(match_runs::get_match_run_content))]),
        at(
            "/v1/departments",
            vec![
                (M::GET, web::to(departments::list_departments)),
                (M::POST, web::to(departments::create_department)),
            ],
        ),
        at(
            "/v1/departments/{id}",
            vec![
                (M::GET, web::to(departments::get_department)),
                (M::PATCH, web::to(departments::edit_department)),
                (M::DELETE, web::to(departments::delete_department)),
            ],
        ),
        at("/v1/departments/{id}/houses", vec![(M::GET, web::to(departments::list_department_houses))]),
        at(
            "/v1/employees",
            vec![
                (M::GET, web::to(employees::list_employees)),
                (M::POST, web::to(employees::create_employee)),
            ],
        ),
        at(
            "/v1/employees/{id}",
            vec![
                (M::GET, web::to(employees::get_employee)),
                (M::PATCH, web::to(employees::edit_employee)),
                (M::DELETE, web::to(employees::delete_employee)),
            ],
        ),
        at(
            "/v1/settings/matching",
            vec![
                (M::GET, web::to(matching_settings::get_matching_settings)),
                (M::PUT, web::to(matching_settings::set_matching_settings)),
            ],
        ),
        at(
            "/v1/settings/auto-answer",
            vec![
                (M::GET, web::to(auto_answer::get_auto_answer_settings)),
                (M::PUT, web::to(auto_answer::set_auto_answer_settings)),
            ],
        ),
        at("/v1/settings/auto-answer/preview", vec![(M::POST, web::to(auto_answer::preview_auto_answer))]),
        at("/v1/reconciliation", vec![(M::GET, web::to(reconciliation::get_reconciliation))]),
        at("/v1/reconciliation/items", vec![(M::GET, web::to(reconciliation::list_reconciliation_items))]),
        at("/v1/statistics", vec![(M::GET, web::to(statistics::get_statistics))]),
        at("/v1/audit-log", vec![(M::GET, web::to(audit::list_audit_log))]),
        at(
            "/v1/webhook-endpoints",
            vec![
                (M::GET, web::to(webhook_endpoints::list_webhook_endpoints)),
                (M::POST, web::to(webhook_endpoints::create_webhook_endpoint)),
            ],
        ),
        at(
            "/v1/webhook-endpoints/{id}",
            vec![
                (M::GET, web::to(webhook_endpoints::get_webhook_endpoint)),
                (M::PATCH, web::to(webhook_endpoints::edit_webhook_endpoint)),
                (M::DELETE, web::to(webhook_endpoints::delete_webhook_endpoint)),
            ],
        ),
        at(
            "/v1/webhook-endpoints/{id}/deliveries",
            vec![(M::GET, web::to(webhook_deliveries::list_webhook_deliveries))],
        ),
        at(
            "/v1/webhook-endpoints/{id}/test",
            vec![(M::POST, web::to(webhook_deliveries::test_webhook_endpoint))],
        ),
        at(
            "/v1/webhook-endpoints/{id}/replay",
            vec![(M::POST, web::to(webhook_deliveries::replay_webhooks))],
        ),
        at(
            "/v1/webhook-endpoints/{id}/rotate-secret",
            vec![(M::POST, web::to(webhook_deliveries::rotate_webhook_secret))],
        ),
        at("/v1/events", vec![(M::GET, web::to(events::list_events))]),
        at("/v1/me", vec![(M::GET, web::to(system::get_me))]),
        at(
            "/v1/tokens",
            vec![(M::GET, web::to(tokens::list_tokens)), (M::POST, web::to(tokens::issue_token))],
        ),
        at(
            "/v1/tokens/{id}",
            vec![(M::GET, web::to(tokens::get_token)), (M::DELETE, web::to(tokens::revoke_token))],
        ),
        at(
            "/v1/organizations",
            vec![
                (M::GET, web::to(organizations::list_organizations)),
                (M::POST, web::to(organizations::add_organization)),
            ],
        ),
        at(
            "/v1/organizations/{id}",
            vec![
                (M::GET, web::to(organizations::get_organization)),
                (M::PATCH, web::to(organizations::edit_organization)),
                (M::DELETE, web::to(organizations::remove_organization)),
            ],
        ),
        at("/v1/sandbox/debt-requests", vec![(M::POST, web::to(sandbox::create_sandbox_requests))]),
        at("/v1/gis/status", vec![(M::GET, web::to(system::get_gis_status))]),
        at("/v1/dictionaries/{name}", vec![(M::GET, web::to(system::get_dictionary))]),
        at("/v1/templates/{name}", vec![(M::GET, web::to(templates::get_template))]),
    ]
}

fn at(path: &str, routes: Vec<(Method, Route)>) -> Resource {
    let methods: Vec<_> = routes.iter().map(|(method, _)| method.as_str()).collect();
    let allow = methods.join(", ");
    let resource = web::resource(path.to_owned());
    let resource =
        routes.into_iter().fold(resource, |resource, (method, route)| resource.route(route.method(method)));
    resource.default_service(web::to(move || {
        let response = method_not_allowed(&allow);
        async move { response }
    }))
}

fn method_not_allowed(allow: &str) -> HttpResponse {
    let detail = format!("этот путь принимает: {allow}");
    let mut response = Failure::new(Code::MethodNotAllowed, detail).error_response();
    if let Ok(value) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

async fn not_found() -> Result<HttpResponse, Failure> {
    Err(Failure::new(Code::NotFound, "такого пути нет"))
}

/// Swagger UI on the document of this very server. It may load nothing from elsewhere and send nothing elsewhere.
fn swagger_ui() -> impl HttpServiceFactory {
    let config = Config::new(["/openapi.json"])
        .persist_authorization(true)
        .try_it_out_enabled(true)
        // Every click draws all that is open anew: with a hundred operations and as many schemas that takes seconds.
        .doc_expansion("none")
        .default_models_expand_depth(0)
        // The page asks nobody else what he thinks of our document.
        .validator_url("none");
    web::scope("/docs")
        .wrap(actix_web::middleware::DefaultHeaders::new().add((CONTENT_SECURITY_POLICY, DOCS_POLICY)))
        .service(SwaggerUi::new("/{_:.*}").config(config))
}

const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The middleware that tells the caller how much it may still ask, and browsers to guess nothing.
///
/// # Errors
/// Those of the layers below.
pub async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    const NOSNIFF: (HeaderName, HeaderValue) =
        (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    let mut response = match next.call(request).await {
        Ok(response) => response.map_into_boxed_body(),
        Err(error) => return Err(error),
    };
    let allowance = response.request().extensions().get::<Allowance>().cloned();
    if let Some(allowance) = allowance {
        allowance.write(response.headers_mut());
    }
    response.headers_mut().insert(NOSNIFF.0, NOSNIFF.1);
    Ok(response)
}

/// Which pages of other sites may call us from a browser: none, unless the configuration names them.
pub fn cors(origins: &[String]) -> Cors {
    let cors = origins.iter().fold(Cors::default(), |cors, origin| cors.allowed_origin(origin));
    cors.allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(["authorization", "content-type", "if-match", "idempotency-key", "organization-id"])
        .expose_headers([
            "data-as-of",
            "etag",
            "idempotency-replayed",
            "link",
            "location",
            "ratelimit",
            "ratelimit-policy",
            "request-id",
            "retry-after",
        ])
        .max_age(3600)
}
