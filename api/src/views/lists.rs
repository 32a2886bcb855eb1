//! Lists: pages by cursor, and what a lookup gives.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::accounts::AccountRow;
use super::answers::Answer;
use super::audit::AuditEntry;
use super::debt_requests::DebtRequest;
use super::departments::{Department, DepartmentHouse};
use super::employees::Employee;
use super::events::Event;
use super::exports::Export;
use super::imports::{Import, ImportRow};
use super::match_runs::{MatchRun, MatchRunItem};
use super::operations::{Operation, OperationItem};
use super::organizations::ServedOrganization;
use super::reconciliation::Mismatch;
use super::registries::{CourtDebt, CourtDebtRegistry, RegistryProblem};
use super::sync_runs::SyncRun;
use super::texts::{ExternalId, RequestNumber};
use super::tokens::Token;
use super::webhook_endpoints::{WebhookDelivery, WebhookEndpoint};

macro_rules! pages {
    ($($(#[$doc:meta])* $name:ident of $item:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Serialize, ToSchema)]
        pub struct $name {
            /// Записи страницы.
            #[schema(max_items = 200)]
            pub items: Vec<$item>,
            /// Курсор следующей страницы; `null` на последней.
            #[schema(max_length = 2048)]
            pub next: Option<String>,
        }

        impl crate::paging::Paged for $name {
            type Item = $item;

            fn new(items: Vec<$item>, next: Option<String>) -> Self {
                Self { items, next }
            }
        }
    )+};
}

pages! {
    /// Страница лицевых счетов.
    AccountPage of AccountRow;
    /// Страница запросов.
    DebtRequestPage of DebtRequest;
    /// Страница ответов.
    AnswerPage of Answer;
    /// Страница подразделений.
    DepartmentPage of Department;
    /// Страница домов.
    DepartmentHousePage of DepartmentHouse;
    /// Страница сотрудников.
    EmployeePage of Employee;
    /// Страница журнала действий.
    AuditPage of AuditEntry;
    /// Страница событий.
    EventPage of Event;
    /// Страница приёмников событий.
    WebhookEndpointPage of WebhookEndpoint;
    /// Страница отправок на приёмник.
    WebhookDeliveryPage of WebhookDelivery;
    /// Страница выгрузок в Excel.
    ExportPage of Export;
    /// Страница загрузок файлов.
    ImportPage of Import;
    /// Страница строк файла.
    ImportRowPage of ImportRow;
    /// Страница операций.
    OperationPage of Operation;
    /// Страница записей операции.
    OperationItemPage of OperationItem;
    /// Страница организаций.
    OrganizationPage of ServedOrganization;
    /// Страница различий с ГИС ЖКХ.
    MismatchPage of Mismatch;
    /// Страница реестров задолженностей.
    CourtDebtRegistryPage of CourtDebtRegistry;
    /// Страница ошибок и предупреждений реестра.
    RegistryProblemPage of RegistryProblem;
    /// Страница строк реестра.
    CourtDebtPage of CourtDebt;
    /// Страница сопоставлений с реестром.
    MatchRunPage of MatchRun;
    /// Страница итогов сопоставления.
    MatchRunItemPage of MatchRunItem;
    /// Страница получений запросов из ГИС ЖКХ.
    SyncRunPage of SyncRun;
    /// Страница токенов.
    TokenPage of Token;
}

/// Найденные запросы.
#[derive(Debug, Serialize, ToSchema)]
pub struct DebtRequestLookupResult {
    /// Найденные запросы; если их больше 10 000 — ошибка 422 `too_many_found`.
    #[schema(max_items = 10000)]
    pub items: Vec<DebtRequest>,
    /// Чего у организации нет.
    pub not_found: DebtRequestsNotFound,
}

/// Запросы, которых у организации нет.
#[derive(Debug, Serialize, ToSchema)]
pub struct DebtRequestsNotFound {
    /// Идентификаторы.
    #[schema(max_items = 1000)]
    pub ids: Vec<Uuid>,
    /// Номера.
    #[schema(max_items = 1000, value_type = Vec<RequestNumber>)]
    pub request_numbers: Vec<String>,
}

/// Найденные ответы.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerLookupResult {
    /// Найденные ответы.
    #[schema(max_items = 1000)]
    pub items: Vec<FoundAnswer>,
    /// Чего у организации нет: такой ответ можно безопасно отправить ещё раз с тем же ключом.
    pub not_found: AnswersNotFound,
}

/// Найденный ответ.
#[derive(Debug, Serialize, ToSchema)]
pub struct FoundAnswer {
    /// По какому вашему идентификатору найден; `null`, если по идентификатору шлюза.
    #[schema(max_length = 255, example = "1C-000123")]
    pub found_by: Option<String>,
    /// Ответ.
    pub answer: Answer,
}

/// Ответы, которых у организации нет.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswersNotFound {
    /// Идентификаторы.
    #[schema(max_items = 1000)]
    pub ids: Vec<Uuid>,
    /// Ваши собственные идентификаторы.
    #[schema(max_items = 1000, value_type = Vec<ExternalId>)]
    pub external_ids: Vec<String>,
}
