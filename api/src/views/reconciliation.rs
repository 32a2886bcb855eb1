//! The daily report as the API shows it (`api.md` §7).

use debt_core::reconciliation as core;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Сверка: где находятся запросы за период. Каждый запрос входит ровно в одно из чисел.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reconciliation {
    /// Всего запросов, направленных за период.
    #[schema(example = 412)]
    pub requests: i64,
    /// Ответ отправлен отсюда и ГИС ЖКХ его показала.
    #[schema(example = 389)]
    pub answered_confirmed: i64,
    /// ГИС ЖКХ сообщила, что ответ размещён, но ещё не показала его: статусы отстают на два-три дня.
    #[schema(example = 9)]
    pub delivered_unconfirmed: i64,
    /// В пути: в очереди, отправляется, принят ГИС ЖКХ, отзывается.
    #[schema(example = 7)]
    pub in_flight: i64,
    /// Исход отправки выясняется.
    #[schema(example = 1)]
    pub uncertain: i64,
    /// Нужен человек: ответ отклонён или в ГИС ЖКХ другой ответ.
    #[schema(example = 1)]
    pub needs_attention: i64,
    /// Без ответа.
    #[schema(example = 3)]
    pub unanswered: i64,
    /// ГИС ЖКХ сформировала ответ автоматически.
    #[schema(example = 0)]
    pub auto_generated: i64,
    /// Ответ дан в кабинете ГИС ЖКХ или другой программой.
    #[schema(example = 2)]
    pub answered_elsewhere: i64,
    /// ГИС ЖКХ больше не показывает запрос.
    #[schema(example = 0)]
    pub gone: i64,
    /// Где в ГИС ЖКХ не то, что отправлено отсюда; не более 1000, все — в `GET /v1/reconciliation/items`.
    #[schema(max_items = 1000)]
    pub mismatches: Vec<Mismatch>,
}

/// Запрос, ответ на который в ГИС ЖКХ не тот, что отправлен отсюда.
#[derive(Debug, Serialize, ToSchema)]
pub struct Mismatch {
    /// GUID подзапроса.
    pub debt_request_id: Uuid,
    /// В чём различие; возможны новые значения.
    #[schema(max_length = 64, example = "content_differs")]
    pub kind: &'static str,
    /// Что ответили отсюда: `has_debt` или `no_debt`.
    #[schema(max_length = 16, example = "has_debt")]
    pub ours: Option<&'static str>,
    /// Что показывает ГИС ЖКХ: `has_debt` или `no_debt`.
    #[schema(max_length = 16, example = "no_debt")]
    pub gis: Option<&'static str>,
}

impl From<core::Reconciliation> for Reconciliation {
    fn from(report: core::Reconciliation) -> Self {
        Self {
            requests: report.requests,
            answered_confirmed: report.answered_confirmed,
            delivered_unconfirmed: report.delivered_unconfirmed,
            in_flight: report.in_flight,
            uncertain: report.uncertain,
            needs_attention: report.needs_attention,
            unanswered: report.unanswered,
            auto_generated: report.auto_generated,
            answered_elsewhere: report.answered_elsewhere,
            gone: report.gone,
            mismatches: report.differences.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<core::Difference> for Mismatch {
    fn from(difference: core::Difference) -> Self {
        let word = |has_debt: bool| if has_debt { "has_debt" } else { "no_debt" };
        Self {
            debt_request_id: difference.debt_request.as_uuid(),
            kind: "content_differs",
            ours: difference.ours.map(word),
            gis: difference.gis.map(word),
        }
    }
}
