//! `/v1/audit-log`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use debt_core::domain::audit::{ActorKind, AuditFilter, Whom};

use crate::caller::Authenticated;
use crate::page::Position;
use crate::paging::Ask;
use crate::problem::Failure;
use crate::query::Query;
use crate::routes::filters::PageParameters;
use crate::state::AppState;
use crate::views::lists::AuditPage;

/// Журнал действий
///
/// Кто, когда и что изменил, от новых записей к старым. Запись появляется вместе с изменением: каждый выполненный запрос,
/// который может что-то изменить, и каждая команда администратора оставляют ровно одну, отклонённый запрос и повтор с тем
/// же `Idempotency-Key` — ни одной. Записи не изменяются; хранятся по умолчанию три года (`[retention] audit`). Персональных данных в
/// журнале нет: вместо них хэши. Читает из базы шлюза, ГИС ЖКХ не спрашивает.
#[utoipa::path(
    get, path = "/v1/audit-log", tag = "reports", operation_id = "list_audit_log",
    params(
        ("target" = Option<String>, Query, description = "Только действия с этим объектом: путь без `/v1/`.", max_length = 255),
        ("actor" = Option<String>, Query, description = "Только действия этого токена или сотрудника (GUID) либо вида: `client`, `cli`, `auto`.", max_length = 64, example = "cli"),
        ("action" = Option<String>, Query, description = "Только эти действия: `operationId`.", max_length = 64, example = "issue_token"),
        ("from" = Option<DateTime<Utc>>, Query, description = "С этого момента включительно."),
        ("to" = Option<DateTime<Utc>>, Query, description = "До этого момента, не включая его."),
        PageParameters,
    ),
    security(("bearer" = ["audit:read"])),
    responses((status = 200, description = "Страница журнала.", body = AuditPage)),
)]
pub(crate) async fn list_audit_log(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let known = ["target", "actor", "action", "from", "to", "limit", "cursor"];
    let mut query = Query::of(request.query_string(), &known)?;
    let filter = AuditFilter {
        target: query.text("target", 255),
        action: query.text("action", 64),
        actor: query.one_with("actor", whom),
        from: query.one("from"),
        to: query.one("to"),
    };
    let ask = Ask::read(&mut query, "audit log", &state)?;
    query.finish()?;
    let after = match &ask.after {
        None => None,
        Some(position) => Some((position.moment()?, position.id.into())),
    };
    let rows = state.service.list_audit_log(&caller, &filter, after, ask.rows()).await?;
    ask.respond::<AuditPage, _>(&request, &state, rows, |row| Position {
        key: row.at.timestamp_micros().to_string(),
        id: row.id.as_uuid(),
    })
}

fn whom(text: &str) -> Result<Whom, String> {
    let kind = text.parse::<ActorKind>().map(Whom::Kind).ok();
    let named = || text.parse().map(Whom::Named).ok();
    kind.or_else(named).ok_or_else(|| "нужен GUID токена или сотрудника либо client, cli, auto".to_owned())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_actor_is_named_or_of_a_kind() {
        assert_eq!(whom("cli"), Ok(Whom::Kind(ActorKind::Cli)));
        let id = "019A4C00-0000-7000-8000-00000000000A";
        assert_eq!(whom(id), Ok(Whom::Named(Uuid::try_parse(id).unwrap())));
        assert!(whom("somebody").is_err());
    }
}
