//! What clients send about rows of the registry of court debts.

use chrono::NaiveDate;
use debt_core::answers::{DebtorDraft, FileDraft, FileSource, IdentityDocumentDraft};
use debt_core::registries::CourtDebtDraft;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer_input::IdentityDocumentInput;
use super::registries::{CourtDebtDocument, CourtDebtFile};

/// Строка реестра: помещение, решение суда, должники.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CourtDebtInput {
    /// Подразделение, в реестр которого входит строка; без него — реестр всей организации.
    pub department_id: Option<Uuid>,
    /// Дом в ФИАС.
    pub fias_house_id: Uuid,
    /// Дом в реестре адресных объектов ГИС ЖКХ.
    pub gis_house_id: Option<Uuid>,
    /// Адрес дома без квартиры; сравнивается с адресом запроса.
    #[schema(min_length = 1, max_length = 1000, example = "г Примерск, ул Ткацкая, д. 1")]
    pub address: Option<String>,
    /// Квартира, комната или блок.
    #[schema(min_length = 1, max_length = 255, example = "кв. 12")]
    pub premises: String,
    /// Когда решение вступило в силу.
    pub in_force_from: NaiveDate,
    /// Когда долг погашен.
    pub repaid_on: Option<NaiveDate>,
    /// Должники.
    #[schema(min_items = 1, max_items = 100)]
    pub debtors: Vec<CourtDebtorInput>,
    /// Файлы, не относящиеся к одному должнику; войдут в ответ.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub attachments: Vec<CourtDebtFile>,
    /// Дополнительная информация; войдёт в ответ.
    #[schema(max_length = 1000, example = "Решение вступило в силу 12.03.2025")]
    pub comment: Option<String>,
}

/// Должник по решению суда.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CourtDebtorInput {
    /// Фамилия.
    #[schema(min_length = 1, max_length = 255, example = "Вымышленный")]
    pub last_name: String,
    /// Имя.
    #[schema(min_length = 1, max_length = 255, example = "Пётр")]
    pub first_name: String,
    /// Отчество; если его нет, поле опускается.
    #[schema(min_length = 1, max_length = 255, example = "Иванович")]
    pub middle_name: Option<String>,
    /// СНИЛС, 11 цифр без пробелов и дефисов.
    #[schema(pattern = r"^[0-9]{11}$", example = "11223344595", extensions(("x-code" = json!("snils_format"))))]
    pub snils: Option<String>,
    /// Документ, удостоверяющий личность.
    pub identity_document: Option<IdentityDocumentInput>,
    /// Документы, подтверждающие долг: судебный акт и другие; войдут в ответ.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub documents: Vec<CourtDebtDocument>,
}

impl From<CourtDebtInput> for CourtDebtDraft {
    fn from(input: CourtDebtInput) -> Self {
        Self {
            department: input.department_id.map(Into::into),
            fias_house_id: input.fias_house_id,
            gis_house_id: input.gis_house_id,
            address: input.address,
            premises: input.premises,
            in_force_from: input.in_force_from,
            repaid_on: input.repaid_on,
            debtors: input.debtors.into_iter().map(DebtorDraft::from).collect(),
            attachments: input.attachments.into_iter().map(FileDraft::from).collect(),
            comment: input.comment,
        }
    }
}

impl From<CourtDebtorInput> for DebtorDraft {
    fn from(debtor: CourtDebtorInput) -> Self {
        Self {
            last_name: debtor.last_name,
            first_name: debtor.first_name,
            middle_name: debtor.middle_name,
            snils: debtor.snils,
            identity_document: debtor.identity_document.map(|document| IdentityDocumentDraft {
                type_code: document.type_code,
                series: document.series,
                number: document.number,
            }),
            documents: debtor.documents.into_iter().map(FileDraft::from).collect(),
        }
    }
}

impl From<CourtDebtFile> for FileDraft {
    fn from(file: CourtDebtFile) -> Self {
        let source = FileSource::Stored(file.attachment_id.into());
        Self { type_code: None, description: None, source }
    }
}

impl From<CourtDebtDocument> for FileDraft {
    fn from(document: CourtDebtDocument) -> Self {
        let source = FileSource::Stored(document.attachment_id.into());
        Self { type_code: Some(document.type_code), description: None, source }
    }
}
