//! Registries of court debts and their rows as the API shows them (`api.md` §12.3).

use chrono::{DateTime, NaiveDate, Utc};
use debt_core::domain::content;
use debt_core::domain::registry as domain;
use gis_client::text::{Comment, PersonName, Snils};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::IdentityDocument;
use super::words::{CourtDebtOrigin, RegistryProblemKind, RegistryStatus};

/// Реестр судебных задолженностей.
///
/// Ответы делаются по действующему реестру: одному у организации и по одному у её подразделений.
#[derive(Debug, Serialize, ToSchema)]
pub struct CourtDebtRegistry {
    /// Идентификатор.
    pub id: Uuid,
    /// Подразделение, чей это реестр; `null` — реестр всей организации.
    pub department_id: Option<Uuid>,
    /// Имя файла; `null`, если строки добавлены отдельными записями.
    #[schema(max_length = 255, example = "Реестр 1027700132195.xlsx")]
    pub file_name: Option<String>,
    /// Как появились строки.
    pub origin: CourtDebtOrigin,
    /// Состояние.
    pub status: RegistryStatus,
    /// Состояние по-русски.
    #[schema(max_length = 100, example = "Проверен")]
    pub status_label: &'static str,
    /// Сколько строк в реестре. У реестра с ошибками не сохранена ни одна; у того, что давно не действует, они удалены, а число
    /// осталось.
    #[schema(example = 1200)]
    pub rows: i64,
    /// Сколько строк файла с ошибками.
    #[schema(example = 0)]
    pub refused_rows: i64,
    /// Сколько всего ошибок.
    #[schema(example = 0)]
    pub errors: i64,
    /// Сколько всего предупреждений.
    #[schema(example = 1)]
    pub warnings: i64,
    /// Где прочитать ошибки и предупреждения по строкам.
    #[schema(
        max_length = 200,
        example = "/v1/court-debt-registries/019a4c00-0000-7000-8000-000000000011/problems"
    )]
    pub problems_url: String,
    /// Кто загрузил: имя клиента.
    #[schema(max_length = 255, example = "1С Биллинг")]
    pub created_by: String,
    /// Когда загружен.
    pub created_at: DateTime<Utc>,
    /// Когда последний раз введён в действие.
    pub activated_at: Option<DateTime<Utc>>,
}

/// Ошибка или предупреждение в строке реестра.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegistryProblem {
    /// Ошибка или предупреждение.
    pub kind: RegistryProblemKind,
    /// Строка файла, как её нумерует Excel; `null` — дело не в одной строке.
    #[schema(example = 17)]
    pub row: Option<u32>,
    /// Заголовок столбца; `null` — дело не в одном столбце.
    #[schema(max_length = 255, example = "СНИЛС")]
    pub column: Option<String>,
    /// Код.
    #[schema(max_length = 64, example = "snils_format")]
    pub code: String,
    /// Пояснение.
    #[schema(max_length = 1000, example = "СНИЛС: ровно 11 цифр")]
    pub detail: String,
}

/// Строка реестра: помещение, решение суда, должники.
#[derive(Debug, Serialize, ToSchema)]
pub struct CourtDebt {
    /// Идентификатор.
    pub id: Uuid,
    /// Реестр.
    pub registry_id: Uuid,
    /// Строка файла, как её нумерует Excel; `null`, если добавлена отдельной записью.
    #[schema(example = 2)]
    pub row: Option<i64>,
    /// Как появилась строка.
    pub origin: CourtDebtOrigin,
    /// Дом в ФИАС.
    pub fias_house_id: Uuid,
    /// Дом в реестре адресных объектов ГИС ЖКХ.
    pub gis_house_id: Option<Uuid>,
    /// Адрес дома.
    #[schema(max_length = 1000, example = "г Примерск, ул Ткацкая, д. 1")]
    pub address: Option<String>,
    /// Квартира, комната или блок, как записано; пустая строка — дом целиком.
    #[schema(max_length = 255, example = "кв. 12")]
    pub premises: String,
    /// Когда решение вступило в силу.
    pub in_force_from: NaiveDate,
    /// Когда долг погашен.
    pub repaid_on: Option<NaiveDate>,
    /// Должники.
    #[schema(max_items = 100)]
    pub debtors: Vec<CourtDebtor>,
    /// Файлы, не относящиеся к одному должнику; войдут в ответ.
    #[schema(max_items = 100)]
    pub attachments: Vec<CourtDebtFile>,
    /// Дополнительная информация; войдёт в ответ.
    #[schema(max_length = 1000, example = "Второй должник: Вымышленная А. П.")]
    pub comment: Option<String>,
    /// Растёт с каждым изменением; то же число в `ETag`.
    #[schema(example = 1)]
    pub version: i64,
    /// Когда создана.
    pub created_at: DateTime<Utc>,
    /// Когда изменена.
    pub updated_at: DateTime<Utc>,
}

/// Должник по решению суда.
#[derive(Debug, Serialize, ToSchema)]
pub struct CourtDebtor {
    /// Фамилия.
    #[schema(max_length = 255, example = "Вымышленный")]
    pub last_name: String,
    /// Имя.
    #[schema(max_length = 255, example = "Пётр")]
    pub first_name: String,
    /// Отчество.
    #[schema(max_length = 255)]
    pub middle_name: Option<String>,
    /// СНИЛС, 11 цифр.
    #[schema(pattern = r"^[0-9]{11}$", example = "11223344595")]
    pub snils: Option<String>,
    /// Документ, удостоверяющий личность.
    pub identity_document: Option<IdentityDocument>,
    /// Документы, подтверждающие долг: судебный акт и другие; войдут в ответ.
    #[schema(max_items = 100)]
    pub documents: Vec<CourtDebtDocument>,
}

/// Файл: `GET /v1/attachments/{id}`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CourtDebtFile {
    /// Файл, загруженный раньше.
    pub attachment_id: Uuid,
}

/// Документ, подтверждающий долг.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CourtDebtDocument {
    /// Код вида документа, НСИ 358: `GET /v1/dictionaries/document_types`.
    #[schema(min_length = 1, max_length = 20, example = "1")]
    pub type_code: String,
    /// Файл, загруженный раньше.
    pub attachment_id: Uuid,
}

/// Реестр в форме `multipart/form-data`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistryForm {
    /// Книга Excel (xlsx), до 100 000 строк и, если администратор шлюза не задал иного, до 20 МБ; имя файла берётся из
    /// заголовка части.
    #[schema(value_type = String, format = Binary)]
    pub registry: Vec<u8>,
    /// Архив zip со сканами, названными в строках, до 100 МБ и 5 000 файлов.
    #[schema(value_type = Option<String>, format = Binary)]
    pub files: Option<Vec<u8>>,
    /// ОГРН организации, чьи это долги; обязателен, если его нет в имени файла.
    #[schema(pattern = "^([0-9]{13}|[0-9]{15})$", example = "1027700132195")]
    pub ogrn: Option<String>,
    /// Подразделение, чей это реестр; без него — реестр всей организации.
    #[schema(example = "019a4c00-0000-7000-8000-000000000032")]
    pub department_id: Option<Uuid>,
}

impl From<domain::Registry> for CourtDebtRegistry {
    fn from(registry: domain::Registry) -> Self {
        Self {
            id: registry.id.as_uuid(),
            department_id: registry.department.map(|id| id.as_uuid()),
            file_name: registry.file_name,
            origin: registry.origin.into(),
            status: registry.status.into(),
            status_label: registry.status.label(),
            rows: registry.rows,
            refused_rows: registry.refused_rows,
            errors: registry.errors,
            warnings: registry.warnings,
            problems_url: format!("/v1/court-debt-registries/{}/problems", registry.id),
            created_by: registry.created_by,
            created_at: registry.created_at,
            activated_at: registry.activated_at,
        }
    }
}

impl From<(usize, domain::RowProblem)> for RegistryProblem {
    fn from((_, problem): (usize, domain::RowProblem)) -> Self {
        let domain::RowProblem { kind, row, column, code, detail } = problem;
        Self { kind: kind.into(), row, column, code, detail }
    }
}

impl From<domain::KeptDebt> for CourtDebt {
    fn from(kept: domain::KeptDebt) -> Self {
        let (debt, entry) = (&kept.debt, &kept.debt.entry);
        Self {
            id: entry.id.as_uuid(),
            registry_id: kept.registry.as_uuid(),
            row: kept.row,
            origin: entry.origin.into(),
            fias_house_id: entry.fias_house_id,
            gis_house_id: entry.gis_house_id,
            address: entry.address.as_deref().map(ToOwned::to_owned),
            premises: debt.premises_text.clone(),
            in_force_from: entry.in_force_from,
            repaid_on: entry.repaid_on,
            debtors: debt.debtors.iter().map(CourtDebtor::from).collect(),
            attachments: debt.files.iter().map(|id| CourtDebtFile { attachment_id: id.as_uuid() }).collect(),
            comment: debt.note.as_ref().map(Comment::as_str).map(ToOwned::to_owned),
            version: kept.version,
            created_at: kept.created_at,
            updated_at: kept.updated_at,
        }
    }
}

impl From<&content::Debtor> for CourtDebtor {
    fn from(debtor: &content::Debtor) -> Self {
        Self {
            last_name: debtor.last_name.as_str().to_owned(),
            first_name: debtor.first_name.as_str().to_owned(),
            middle_name: debtor.middle_name.as_ref().map(PersonName::as_str).map(ToOwned::to_owned),
            snils: debtor.snils.as_ref().map(Snils::as_str).map(ToOwned::to_owned),
            identity_document: debtor.identity_document.as_ref().map(IdentityDocument::from),
            documents: debtor.documents.iter().map(CourtDebtDocument::from).collect(),
        }
    }
}

impl From<&content::DebtDocument> for CourtDebtDocument {
    fn from(document: &content::DebtDocument) -> Self {
        Self {
            type_code: document.type_code.as_str().to_owned(),
            attachment_id: document.attachment.as_uuid(),
        }
    }
}
