//! What clients may know of themselves, of GIS and of the dictionaries.

use chrono::{DateTime, Utc};
use debt_core::Service;
use debt_core::access::{Me as CoreMe, OwnOrganization};
use debt_core::dictionaries::DictionaryEntry as CoreEntry;
use debt_core::domain::event_guide as events;
use debt_core::domain::organization as organizations;
use debt_core::gis_status::{GisState, GisStatus as CoreStatus, OperationState};
use debt_core::store::gis_operations::Operation;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::employees::Employee;
use super::sync_runs::SyncRun;
use super::texts::ScopeName;
use super::words::{GisStateWord, OperationStateWord, Severity};

/// Кто вы для шлюза.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// Имя клиента из токена.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub name: String,
    /// Идентификатор токена (`jti`).
    pub token_id: Uuid,
    /// Права токена.
    #[schema(max_items = 50, value_type = Vec<ScopeName>, example = json!(["requests:read", "answers:read"]))]
    pub scopes: Vec<&'static str>,
    /// До какого времени действует токен.
    pub expires_at: DateTime<Utc>,
    /// Организации, от имени которых можно действовать.
    #[schema(max_items = 1000)]
    pub organizations: Vec<Organization>,
    /// Сотрудник, от имени которого действует токен.
    pub employee: Option<Employee>,
}

/// Организация.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organization {
    /// Идентификатор.
    pub id: Uuid,
    /// Наименование.
    #[schema(max_length = 1000, example = "УК «Пример»")]
    pub name: String,
    /// ОГРН.
    #[schema(pattern = "^([0-9]{13}|[0-9]{15})$", example = "1027700132195")]
    pub ogrn: String,
    /// Часовой пояс, в котором считаются сроки.
    #[schema(max_length = 64, example = "Europe/Moscow")]
    pub time_zone: String,
    /// Исполнитель по умолчанию: ему достаются запросы о домах, которые не закреплены ни за одним подразделением. Назначается
    /// методом `PATCH /v1/organizations/{id}` или командой `debtgate org executor`.
    pub default_executor_id: Option<Uuid>,
    /// Фамилия, имя, отчество исполнителя по умолчанию; только для токена с правом `requests:read` или `settings:read`.
    #[schema(max_length = 255, example = "Образцова Анна Сергеевна")]
    pub default_executor_name: Option<String>,
    /// Почему отправка остановлена; `null`, если не остановлена.
    pub halted: Option<Halt>,
}

/// Почему отправка ответов организации остановлена.
#[derive(Debug, Serialize, ToSchema)]
pub struct Halt {
    /// Код ГИС ЖКХ.
    #[schema(max_length = 64, example = "AUT011003")]
    pub code: String,
    /// Пояснение.
    #[schema(max_length = 4000)]
    pub detail: String,
    /// С какого времени.
    pub since: DateTime<Utc>,
}

/// Справочник.
#[derive(Debug, Serialize, ToSchema)]
pub struct Dictionary {
    /// Имя справочника.
    #[schema(max_length = 64, example = "document_types")]
    pub name: String,
    /// Наименование справочника.
    #[schema(max_length = 255, example = "Виды документов о задолженности (НСИ 358)")]
    pub title: String,
    /// Записи.
    #[schema(max_items = 10000)]
    pub items: Vec<DictionaryEntry>,
}

/// Запись справочника.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct DictionaryEntry {
    /// Код.
    #[schema(max_length = 64, example = "1")]
    pub code: String,
    /// Наименование.
    #[schema(max_length = 1200, example = "Судебный акт")]
    pub name: Option<String>,
    /// GUID записи в НСИ этого стенда ГИС ЖКХ.
    pub guid: Option<Uuid>,
    /// Насколько состояние должно беспокоить человека; только у состояний.
    pub severity: Option<Severity>,
    /// Окончательно ли состояние; только у состояний.
    pub is_final: Option<bool>,
    /// Пояснение; только у видов событий.
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    /// Что бывает в `data` события; только у видов событий.
    #[schema(max_items = 100)]
    pub data: Option<Vec<EventDataKey>>,
    /// Причина; только у кодов ошибок.
    #[schema(max_length = 4000)]
    pub cause: Option<String>,
    /// Что делать; только у кодов ошибок.
    #[schema(max_length = 4000)]
    pub cure: Option<String>,
}

/// Ключ в `data` события.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventDataKey {
    /// Ключ.
    #[schema(max_length = 64, example = "answer_state")]
    pub name: &'static str,
    /// Что в нём.
    #[schema(max_length = 1000, example = "состояние ответа, если он есть")]
    pub description: &'static str,
}

/// Как работает ГИС ЖКХ и сколько ответов её ждёт.
#[derive(Debug, Serialize, ToSchema)]
pub struct GisStatus {
    /// В целом.
    pub state: GisStateWord,
    /// По-русски.
    #[schema(max_length = 100, example = "ГИС ЖКХ отвечает")]
    pub state_label: &'static str,
    /// С какого времени.
    pub since: Option<DateTime<Utc>>,
    /// Когда ГИС ЖКХ последний раз ответила.
    pub last_success_at: Option<DateTime<Utc>>,
    /// Когда будет следующая проба, если вызовы приостановлены.
    pub next_probe_at: Option<DateTime<Utc>>,
    /// По операциям.
    pub operations: GisOperations,
    /// Почему отправка ответов организации остановлена; `null`, если не остановлена.
    pub halted: Option<Halt>,
    /// Очередь ответов организации.
    pub queue: GisQueue,
    /// Сколько секунд обычно проходит от отправки до размещения.
    pub typical_delivery_seconds: Option<DeliverySeconds>,
    /// Последнее получение запросов.
    pub last_sync: Option<SyncRun>,
    /// Когда начнётся следующее получение запросов.
    pub next_sync_at: Option<DateTime<Utc>>,
}

/// Операции ГИС ЖКХ.
#[derive(Debug, Serialize, ToSchema)]
pub struct GisOperations {
    /// Размещение ответов.
    pub import_responses: OperationStateWord,
    /// Получение запросов.
    pub export: OperationStateWord,
    /// Получение результатов.
    pub get_state: OperationStateWord,
    /// Файловое хранилище.
    pub files: OperationStateWord,
}

/// Очередь ответов организации.
#[derive(Debug, Serialize, ToSchema)]
pub struct GisQueue {
    /// Ожидают отправки.
    #[schema(example = 148)]
    pub queued: i64,
    /// Отправляются.
    #[schema(example = 20)]
    pub sending: i64,
    /// Приняты ГИС ЖКХ.
    #[schema(example = 310)]
    pub accepted: i64,
    /// Исход выясняется.
    #[schema(example = 0)]
    pub uncertain: i64,
    /// С какого времени ждёт самый старый.
    pub oldest_queued_at: Option<DateTime<Utc>>,
    /// Запросов без размещённого ответа со сроком сегодня.
    #[schema(example = 3)]
    pub due_today: i64,
}

/// Секунды от отправки до размещения.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliverySeconds {
    /// У половины ответов не больше.
    #[schema(example = 40)]
    pub p50: i64,
    /// У 95 % ответов не больше.
    #[schema(example = 5400)]
    pub p95: i64,
}

/// Состояние процесса.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok` или `unavailable`.
    #[schema(max_length = 16, example = "ok")]
    pub status: &'static str,
    /// Что не в порядке.
    #[schema(max_length = 1000)]
    pub detail: Option<String>,
}

impl From<CoreMe> for Me {
    fn from(me: CoreMe) -> Self {
        Self {
            name: me.token.name,
            token_id: me.token.id.as_uuid(),
            scopes: me.token.scopes.iter().map(|scope| scope.as_str()).collect(),
            expires_at: me.token.expires_at,
            organizations: me.organizations.into_iter().map(Into::into).collect(),
            employee: me.employee.map(Into::into),
        }
    }
}

impl From<OwnOrganization> for Organization {
    fn from(own: OwnOrganization) -> Self {
        let OwnOrganization { organization, default_executor } = own;
        Self {
            id: organization.id.as_uuid(),
            name: organization.name,
            ogrn: organization.ogrn.as_str().to_owned(),
            time_zone: organization.time_zone.name().to_owned(),
            default_executor_id: organization.default_executor.map(|id| id.as_uuid()),
            default_executor_name: default_executor.map(|employee| employee.full_name),
            halted: organization.halted.map(Into::into),
        }
    }
}

impl From<organizations::Halt> for Halt {
    fn from(halt: organizations::Halt) -> Self {
        Self { code: halt.code, detail: halt.detail, since: halt.since }
    }
}

impl From<CoreEntry> for DictionaryEntry {
    fn from(entry: CoreEntry) -> Self {
        Self {
            code: entry.code,
            name: entry.name,
            guid: entry.guid,
            severity: entry.severity.map(Into::into),
            is_final: entry.is_final,
            description: entry.description,
            data: entry.data.map(|keys| keys.into_iter().map(Into::into).collect()),
            cause: entry.cause,
            cure: entry.cure,
        }
    }
}

impl From<events::DataKey> for EventDataKey {
    fn from(key: events::DataKey) -> Self {
        Self { name: key.name, description: key.meaning }
    }
}

impl GisStatus {
    /// How GIS behaves now.
    pub(crate) fn of(service: &Service, status: CoreStatus) -> Self {
        let operation = |name: Operation| {
            OperationStateWord(status.health.operations.get(&name).copied().unwrap_or(OperationState::Ok))
        };
        let operations = GisOperations {
            import_responses: operation(Operation::ImportResponses),
            export: operation(Operation::Export),
            get_state: operation(Operation::GetState),
            files: operation(Operation::Files),
        };
        let queue = status.queue;
        let health = &status.health;
        let state: GisState = health.state;
        Self {
            state: GisStateWord(state),
            state_label: state.label(),
            since: health.since,
            last_success_at: health.last_success_at,
            next_probe_at: health.next_probe_at,
            operations,
            halted: status.halted.map(Into::into),
            queue: GisQueue {
                queued: queue.queued,
                sending: queue.sending,
                accepted: queue.accepted,
                uncertain: queue.uncertain,
                oldest_queued_at: queue.oldest_queued_at,
                due_today: queue.due_today,
            },
            typical_delivery_seconds: status
                .typical_delivery_seconds
                .map(|seconds| DeliverySeconds { p50: seconds.p50, p95: seconds.p95 }),
            last_sync: status.last_sync.map(|run| SyncRun::of(service, run)),
            next_sync_at: Some(status.next_sync_at),
        }
    }
}
