//! The audit log as the API shows it (`api.md` §14).

use chrono::{DateTime, Utc};
use debt_core::domain::audit as domain;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::{AuditActorKind, ConfirmWord};

/// Запись журнала действий. Персональных данных в ней нет: то, что изменили, представлено хэшем.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Идентификатор.
    pub id: Uuid,
    /// Когда сделано.
    pub at: DateTime<Utc>,
    /// Кто сделал.
    pub actor: AuditActor,
    /// Что сделано: `operationId` метода; в командной строке — `add_organization`, `resume_organization`,
    /// `remove_organization`, `set_default_executor`, `issue_token`, `revoke_token`. Шлюз сам:
    /// `auto_answer` — операция автоответа, `stop_auto_answer` — автоответ остановлен и не ответил никому, `start_match_run` —
    /// сопоставление с реестром после получения запросов, `create_answer` — ответ автоответа или такого сопоставления. Возможны
    /// новые значения.
    #[schema(max_length = 64, example = "submit_answer")]
    pub action: String,
    /// С чем: путь объекта без `/v1/`.
    #[schema(max_length = 255, example = "answers/019a4c00-0000-7000-8000-000000000001")]
    pub target: String,
    /// HMAC-SHA-256 представления объекта до изменения, ключ свой у каждой организации. Есть, когда изменён или удалён
    /// черновик ответа, строка реестра, назначение запроса; иначе `null`.
    #[schema(
        max_length = 69,
        example = "hmac:5b1f0c6e0d6f4a7f8e2f3c1b9a7d5e3f1c2b4a6d8e0f9c7b5a3d1e2f4c6b8a0d"
    )]
    pub before_hash: Option<String>,
    /// HMAC-SHA-256 тела ответа шлюза, то есть представления объекта после изменения; `null`, если тела не было. Одинаковые
    /// представления дают одинаковые хэши.
    #[schema(
        max_length = 69,
        example = "hmac:0d8a6c4f2e1d3a5b7c9f0e8d6a4b2c1f3e5d7a9b1c3f2e8f7a4f6d0e6c0f1b5b"
    )]
    pub after_hash: Option<String>,
    /// Какие опасные действия подтвердил вызывающий; у массовых ответов — все коды вместе.
    #[schema(max_items = 10)]
    pub confirm: Vec<ConfirmWord>,
    /// Причина словами вызывающего: не пишите в неё персональных данных. У массовых ответов она у каждого ответа своя, и
    /// здесь `null`.
    #[schema(max_length = 1000, example = "Ответ дан по ошибке")]
    pub reason: Option<String>,
    /// `Request-Id` запроса; `null` у командной строки и у шлюза.
    #[schema(max_length = 64, example = "019a4c00-0000-7000-8000-0000000000f1")]
    pub request_id: Option<String>,
}

/// Кто действовал.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditActor {
    /// Вид.
    pub kind: AuditActorKind,
    /// Токен; `null`, если действовал не клиент API.
    pub token_id: Option<Uuid>,
    /// Имя токена.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub token_name: Option<String>,
    /// Сотрудник, от чьего имени действовал токен.
    pub employee_id: Option<Uuid>,
    /// Адрес, с которого пришёл запрос; за прокси — адрес прокси.
    #[schema(max_length = 45, example = "192.0.2.10")]
    pub ip: Option<String>,
}

impl From<domain::AuditEntry> for AuditEntry {
    fn from(entry: domain::AuditEntry) -> Self {
        Self {
            id: entry.id.as_uuid(),
            at: entry.at,
            actor: entry.actor.into(),
            action: entry.action,
            target: entry.target,
            before_hash: entry.before_hash,
            after_hash: entry.after_hash,
            confirm: entry.confirm.into_iter().map(Into::into).collect(),
            reason: entry.reason,
            request_id: entry.request_id,
        }
    }
}

impl From<domain::Actor> for AuditActor {
    fn from(actor: domain::Actor) -> Self {
        let kind = actor.kind().into();
        match actor {
            domain::Actor::Client { token, name, employee, ip } => Self {
                kind,
                token_id: Some(token.as_uuid()),
                token_name: Some(name),
                employee_id: employee.map(|id| id.as_uuid()),
                ip: ip.map(|ip| ip.to_string()),
            },
            domain::Actor::Cli | domain::Actor::Auto => {
                Self { kind, token_id: None, token_name: None, employee_id: None, ip: None }
            }
        }
    }
}
