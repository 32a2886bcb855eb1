//! `/v1/events`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::DateTime;
use debt_core::Error;
use debt_core::domain::event::EventKind;
use debt_core::events::Mark;
use uuid::Uuid;

use crate::caller::Authenticated;
use crate::page::{FilterHash, Position};
use crate::problem::Failure;
use crate::query::Query;
use crate::state::AppState;
use crate::views::events::EventFeed;
use crate::views::texts::EventTypeMask;
use crate::waiting::{read_wait, wait_for};

/// What is wrong with a word that names no kind.
pub(super) const NO_SUCH_TYPE: &str = "такого вида событий нет; начало вида пишется со звёздочкой: answer.*";

/// Журнал событий
///
/// События организации в порядке их записи: ни одно не пропускается и не повторяется. Первый раз вызывайте без `after`,
/// затем передавайте `next` из прошлого ответа — он есть всегда, и в пустом ответе тоже. `wait` держит запрос до 25
/// секунд и отвечает раньше, если появятся события. События хранятся 30 дней (настройка); с более старым курсором — 410
/// `cursor_expired`: обойдите запросы и ответы с `updated_since` и начните журнал заново. Персональных данных в событиях
/// нет. Читает из базы шлюза, работает и тогда, когда ГИС ЖКХ недоступна.
#[utoipa::path(
    get, path = "/v1/events", tag = "events", operation_id = "list_events",
    params(
        ("after" = Option<String>, Query, description = "Курсор: `next` из прошлого ответа.", min_length = 1, max_length = 2048),
        ("type" = Option<Vec<EventTypeMask>>, Query, description = "Вид события или его начало со звёздочкой: `answer.*`; можно повторять.", style = Form, explode, max_items = 100),
        ("limit" = Option<u64>, Query, description = "Сколько событий в ответе, 1–200; большее число читается как 200.", minimum = 1, example = 50),
        ("wait" = Option<u8>, Query, description = "Сколько секунд ждать событий, 0–25.", minimum = 0, maximum = 25, example = 0),
    ),
    security(("bearer" = ["events:read"])),
    responses((status = 200, description = "События после курсора.", body = EventFeed)),
)]
pub(crate) async fn list_events(
    request: HttpRequest,
    state: Data<AppState>,
    Authenticated(caller): Authenticated,
) -> Result<HttpResponse, Failure> {
    let mut query = Query::of(request.query_string(), &["after", "type", "limit", "wait"])?;
    let kinds = read_kinds(&mut query);
    let limit = usize::try_from(query.limit().get()).unwrap_or(usize::MAX);
    let wait = read_wait(&mut query);
    // Other types may be asked for with the same cursor: it is a place in the whole log.
    let filters = FilterHash::of("events", []);
    let cursor = query.one::<String>("after");
    query.finish()?;
    let position = cursor.map(|cursor| state.cursors.read(&cursor, &filters)).transpose()?;
    let after = position.as_ref().map(mark).transpose()?;
    let look = async || state.service.list_events(&caller, after, &kinds, limit).await;
    let feed = wait_for(wait, look, |feed| !feed.events.is_empty()).await?;
    let next = state.cursors.make(&place(feed.next), &filters);
    let has_more = feed.has_more;
    let items = feed.events.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok().json(EventFeed { items, next, has_more }))
}

/// The kinds that are asked for. A word that fits none is a mistake: the log would be empty for ever.
fn read_kinds(query: &mut Query) -> Vec<EventKind> {
    let mut kinds = Vec::new();
    for word in query.many::<String>("type") {
        let before = kinds.len();
        kinds.extend(EventKind::matching(&word));
        if kinds.len() == before {
            query.wrong("type", "format", NO_SUCH_TYPE);
        }
    }
    kinds
}

/// How a mark stands in a cursor: number and time.
fn place(mark: Mark) -> Position {
    Position { key: format!("{}@{}", mark.sequence, mark.made_at.timestamp_micros()), id: Uuid::nil() }
}

fn mark(position: &Position) -> Result<Mark, Error> {
    let parts = position.key.split_once('@').and_then(|(sequence, time)| {
        let made_at = DateTime::from_timestamp_micros(time.parse().ok()?)?;
        Some(Mark { sequence: sequence.parse().ok()?, made_at })
    });
    parts.ok_or_else(Position::outdated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_from_its_cursor() {
        let at =
            Mark { sequence: 7, made_at: DateTime::from_timestamp_micros(1_800_000_000_000_001).unwrap() };
        assert_eq!(mark(&place(at)).unwrap(), at);
        for key in ["", "7", "7@", "@7", "7@tea"] {
            assert!(mark(&Position { key: key.to_owned(), id: Uuid::nil() }).is_err(), "{key}");
        }
    }
}
