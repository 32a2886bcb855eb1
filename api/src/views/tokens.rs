//! Tokens: what is known of each. The text of a token is shown once and kept nowhere.

use chrono::{DateTime, Utc};
use debt_core::domain::caller::{Scope, Scopes};
use debt_core::error::Mistake;
use debt_core::tokens::{GrantToken, SeenToken};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::texts::ScopeName;

/// Выпущенный токен: всё, кроме него самого.
#[derive(Debug, Serialize, ToSchema)]
pub struct Token {
    /// Идентификатор (`jti`).
    pub id: Uuid,
    /// Имя программы.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub name: String,
    /// Права.
    #[schema(max_items = 50, value_type = Vec<ScopeName>, example = json!(["requests:read", "answers:read"]))]
    pub scopes: Vec<&'static str>,
    /// Организации токена из тех, что есть и у вашего.
    #[schema(max_items = 1000)]
    pub organizations: Vec<Uuid>,
    /// Есть ли у токена другие организации; такой токен вы не отзовёте.
    #[schema(example = false)]
    pub has_other_organizations: bool,
    /// Сотрудник, от имени которого действует токен.
    pub employee_id: Option<Uuid>,
    /// Кто выпустил: имя программы или `cli` — командная строка.
    #[schema(max_length = 255, example = "cli")]
    pub created_by: String,
    /// Когда выпущен.
    pub created_at: DateTime<Utc>,
    /// До какого времени действует.
    pub expires_at: DateTime<Utc>,
    /// Когда последний раз использован, с точностью до минуты; `null` — ещё ни разу.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Когда отозван; `null` — не отозван.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Только что выпущенный токен.
#[derive(Serialize, ToSchema)]
pub struct IssuedToken {
    /// Что известно о токене.
    #[serde(flatten)]
    pub known: Token,
    /// Сам токен для заголовка `Authorization`. Показывается один раз и нигде не хранится: в повторе по `Idempotency-Key` здесь
    /// `null`.
    #[schema(
        max_length = 8192,
        example = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSIsImtpZCI6IjIwMjYifQ.e30.AA"
    )]
    pub token: Option<String>,
}

/// Какой токен выпустить.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueToken {
    /// Имя программы, которая будет им пользоваться.
    #[schema(min_length = 1, max_length = 255, example = "1С Биллинг")]
    pub name: String,
    /// Права; только те, что есть у вашего токена.
    #[schema(min_items = 1, max_items = 50, value_type = Vec<ScopeName>, example = json!(["requests:read", "answers:read"]))]
    pub scopes: Vec<String>,
    /// Организации; только те, что есть у вашего токена. Пустой список или его отсутствие — организация этого запроса.
    #[serde(default)]
    #[schema(max_items = 100, example = json!([]))]
    pub organizations: Vec<Uuid>,
    /// Сотрудник, от имени которого будет действовать токен; организация тогда одна — та, где он работает.
    pub employee_id: Option<Uuid>,
    /// Сколько дней действует.
    #[serde(default = "days")]
    #[schema(minimum = 1, maximum = 366, default = 180, example = 180)]
    pub days: u16,
}

const fn days() -> u16 {
    180
}

impl IssueToken {
    /// The command, or every scope that there is not.
    pub(crate) fn command(self) -> Result<GrantToken, Vec<Mistake>> {
        Ok(GrantToken {
            name: self.name,
            scopes: read_scopes(&self.scopes)?,
            organizations: self.organizations.into_iter().map(Into::into).collect(),
            employee: self.employee_id.map(Into::into),
            days: self.days,
        })
    }
}

fn read_scopes(names: &[String]) -> Result<Scopes, Vec<Mistake>> {
    let (mut scopes, mut mistakes) = (Vec::new(), Vec::new());
    for (place, name) in names.iter().enumerate() {
        match name.parse::<Scope>() {
            Ok(scope) => scopes.push(scope),
            Err(_unknown) => mistakes.push(unknown_scope(place)),
        }
    }
    if mistakes.is_empty() { Ok(scopes.into_iter().collect()) } else { Err(mistakes) }
}

fn unknown_scope(place: usize) -> Mistake {
    let known: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    Mistake::at(format!("/scopes/{place}"), "enum", format!("такого права нет; есть: {}", known.join(", ")))
}

impl From<SeenToken> for Token {
    fn from(seen: SeenToken) -> Self {
        let SeenToken { token, reaches_others } = seen;
        Self {
            id: token.id.as_uuid(),
            name: token.name,
            scopes: token.scopes.iter().map(|scope| scope.as_str()).collect(),
            organizations: token.organizations.iter().map(|id| id.as_uuid()).collect(),
            has_other_organizations: reaches_others,
            employee_id: token.employee.map(|id| id.as_uuid()),
            created_by: token.created_by,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
        }
    }
}
