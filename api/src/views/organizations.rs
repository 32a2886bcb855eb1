//! Organisations served here, as whoever keeps them sees them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use debt_core::access::NewOrganization;
use debt_core::domain::organization as domain;
use debt_core::domain::organization::Ogrn;
use debt_core::error::Mistake;
use debt_core::organizations::EditOrganization as EditCommand;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::system::Halt;

/// Организация, от имени которой шлюз отвечает.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServedOrganization {
    /// Идентификатор.
    pub id: Uuid,
    /// Наименование.
    #[schema(max_length = 255, example = "УК «Пример»")]
    pub name: String,
    /// ОГРН.
    #[schema(pattern = "^([0-9]{13}|[0-9]{15})$", example = "1027700132195")]
    pub ogrn: String,
    /// Идентификатор поставщика информации в ГИС ЖКХ (orgPPAGUID).
    pub ppa_guid: Uuid,
    /// Кто подписывает сообщения в ГИС ЖКХ: имя раздела `[signers.ИМЯ]` настроек шлюза.
    #[schema(max_length = 255, example = "main")]
    pub signer: String,
    /// Часовой пояс, в котором считаются сроки.
    #[schema(max_length = 64, example = "Europe/Moscow")]
    pub time_zone: String,
    /// Исполнитель по умолчанию: ему достаются запросы, за которые больше никто не отвечает.
    pub default_executor_id: Option<Uuid>,
    /// Почему отправка остановлена; `null`, если не остановлена. Снова разрешает её команда `debtgate org resume`.
    pub halted: Option<Halt>,
    /// Версия; растёт с каждым изменением.
    #[schema(example = 1)]
    pub version: i64,
    /// Когда добавлена.
    pub created_at: DateTime<Utc>,
}

/// Новая организация.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddOrganization {
    /// Наименование.
    #[schema(min_length = 1, max_length = 255, example = "УК «Пример»")]
    pub name: String,
    /// ОГРН: 13 цифр, у предпринимателя 15.
    #[schema(pattern = "^([0-9]{13}|[0-9]{15})$", example = "1026605606620")]
    pub ogrn: String,
    /// Идентификатор поставщика информации в ГИС ЖКХ (orgPPAGUID); у каждой организации шлюза свой.
    pub ppa_guid: Uuid,
    /// Кто подписывает сообщения в ГИС ЖКХ: имя раздела `[signers.ИМЯ]` настроек шлюза.
    #[schema(min_length = 1, max_length = 255, example = "main")]
    pub signer: String,
    /// Часовой пояс, в котором считаются сроки.
    #[serde(default = "moscow")]
    #[schema(max_length = 64, default = "Europe/Moscow", example = "Europe/Moscow")]
    pub time_zone: String,
    /// Сотрудники, от имени которых отправляются ответы; первый — исполнитель по умолчанию.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub executors: Vec<NewExecutor>,
}

/// Сотрудник новой организации.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewExecutor {
    /// Фамилия, имя, отчество.
    #[schema(min_length = 1, max_length = 255, example = "Образцова Анна Сергеевна")]
    pub name: String,
    /// Идентификатор сотрудника в личном кабинете ГИС ЖКХ (executorGUID).
    pub gis_id: Uuid,
}

/// Изменение организации: переданные поля заменяются.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditOrganization {
    /// Наименование.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 255, example = "УК «Пример»")]
    pub name: Option<String>,
    /// Кто подписывает сообщения в ГИС ЖКХ: имя раздела `[signers.ИМЯ]` настроек шлюза.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 255, example = "main")]
    pub signer: Option<String>,
    /// Часовой пояс, в котором считаются сроки.
    #[schema(value_type = String, required = false, max_length = 64, example = "Europe/Moscow")]
    pub time_zone: Option<String>,
    /// Исполнитель по умолчанию: работающий сотрудник этой организации с идентификатором ГИС ЖКХ.
    #[schema(value_type = Uuid, required = false)]
    pub default_executor_id: Option<Uuid>,
}

fn moscow() -> String {
    Tz::Europe__Moscow.name().to_owned()
}

impl AddOrganization {
    /// The command, or what cannot be read.
    pub(crate) fn command(self) -> Result<NewOrganization, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        let ogrn = noted(self.ogrn.parse::<Ogrn>().map_err(|error| wrong("/ogrn", error)), &mut mistakes);
        let time_zone = noted(time_zone(&self.time_zone), &mut mistakes);
        let (Some(ogrn), Some(time_zone)) = (ogrn, time_zone) else { return Err(mistakes) };
        Ok(NewOrganization {
            id: None,
            name: self.name,
            ogrn,
            ppa_guid: self.ppa_guid,
            signer: self.signer,
            time_zone,
            executors: self.executors.into_iter().map(|executor| (executor.name, executor.gis_id)).collect(),
        })
    }
}

impl EditOrganization {
    /// The command, or what cannot be read.
    pub(crate) fn command(self) -> Result<EditCommand, Vec<Mistake>> {
        let time_zone = self.time_zone.as_deref().map(time_zone).transpose();
        Ok(EditCommand {
            name: self.name,
            signer: self.signer,
            time_zone: time_zone.map_err(|mistake| vec![mistake])?,
            default_executor: self.default_executor_id.map(Into::into),
        })
    }
}

/// What was read; a mistake is put to the others.
fn noted<T>(read: Result<T, Mistake>, mistakes: &mut Vec<Mistake>) -> Option<T> {
    read.map_err(|mistake| mistakes.push(mistake)).ok()
}

fn time_zone(text: &str) -> Result<Tz, Mistake> {
    text.parse()
        .or(Err(wrong("/time_zone", "такого часового пояса нет; нужно имя из базы IANA, например Asia/Omsk")))
}

fn wrong(at: &str, detail: impl ToString) -> Mistake {
    Mistake::at(at, "format", detail.to_string())
}

impl From<domain::Organization> for ServedOrganization {
    fn from(organization: domain::Organization) -> Self {
        Self {
            id: organization.id.as_uuid(),
            name: organization.name,
            ogrn: organization.ogrn.as_str().to_owned(),
            ppa_guid: organization.ppa_guid,
            signer: organization.signer,
            time_zone: organization.time_zone.name().to_owned(),
            default_executor_id: organization.default_executor.map(|id| id.as_uuid()),
            halted: organization.halted.map(Into::into),
            version: organization.version,
            created_at: organization.created_at,
        }
    }
}
