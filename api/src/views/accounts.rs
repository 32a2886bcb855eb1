//! The book of accounts as the API takes and shows it.

use bytes::Bytes;
use debt_core::accounts as core;
use debt_core::domain::account as domain;
use debt_core::error::Mistake;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer_input::{decode, not_base64};

/// Лицевой счёт помещения.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountRow {
    /// Дом в ФИАС.
    pub fias_house_id: Uuid,
    /// Квартира, комната или блок, как записано; `null` — дом без помещений.
    #[schema(max_length = 255, example = "кв. 12")]
    pub premises: Option<String>,
    /// Единый лицевой счёт (ЕЛС).
    #[schema(max_length = 30, example = "70НН906761")]
    pub unified_account: Option<String>,
    /// Лицевой счёт (ЛС).
    #[schema(max_length = 30, example = "0033036150")]
    pub account: Option<String>,
}

/// Новый справочник лицевых счетов: `accounts` или `content_base64`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceAccounts {
    /// Счета; пустой список очищает справочник. У помещения может быть несколько счетов, каждый — отдельной записью.
    #[schema(max_items = 10000)]
    pub accounts: Option<Vec<AccountInput>>,
    /// Книга Excel (xlsx) в base64, до 100 000 строк и, если администратор шлюза не задал иного, до 20 МБ; переводы строк
    /// допускаются.
    #[schema(content_encoding = "base64", max_length = 30000000)]
    pub content_base64: Option<String>,
}

/// Лицевой счёт помещения; нужен хотя бы один из двух.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountInput {
    /// Дом в ФИАС.
    pub fias_house_id: Uuid,
    /// Квартира, комната или блок; опускается у дома без помещений.
    #[schema(max_length = 255, example = "кв. 12")]
    pub premises: Option<String>,
    /// Единый лицевой счёт (ЕЛС).
    #[schema(max_length = 30, example = "70НН906761")]
    pub unified_account: Option<String>,
    /// Лицевой счёт (ЛС).
    #[schema(max_length = 30, example = "0033036150")]
    pub account: Option<String>,
}

/// Справочник лицевых счетов в форме `multipart/form-data`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountsForm {
    /// Книга Excel (xlsx), до 100 000 строк и, если администратор шлюза не задал иного, до 20 МБ.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

/// Чем стал справочник.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountBook {
    /// Сколько в нём записей.
    #[schema(example = 1200)]
    pub accounts: usize,
    /// Заголовки столбцов книги, которые не прочитаны: среди них может быть опечатка.
    #[schema(max_items = 50, value_type = Vec<ColumnHeader>)]
    pub ignored_columns: Vec<String>,
}

/// Заголовок столбца.
#[derive(Deserialize, ToSchema)]
#[schema(max_length = 60, example = "ФИО")]
pub struct ColumnHeader(pub String);

impl ReplaceAccounts {
    /// The book, which comes in one of the two ways.
    pub(crate) fn book(self) -> Result<core::NewBook, Mistake> {
        match (self.accounts, self.content_base64) {
            (Some(rows), None) => Ok(core::NewBook::Rows(rows.into_iter().map(Into::into).collect())),
            (None, Some(text)) => {
                let content: Option<Bytes> = decode(&text);
                let pointer = "/content_base64";
                let content = content.ok_or_else(|| not_base64(pointer.to_owned()))?;
                Ok(core::NewBook::Workbook { content, pointer })
            }
            (Some(_), Some(_)) | (None, None) => {
                Err(Mistake::at("", "book_source", "нужно либо accounts, либо content_base64"))
            }
        }
    }
}

impl From<AccountInput> for core::NewAccount {
    fn from(input: AccountInput) -> Self {
        let AccountInput { fias_house_id, premises, unified_account, account } = input;
        Self { fias_house_id, premises, unified_account, account }
    }
}

impl From<domain::Account> for AccountRow {
    fn from(account: domain::Account) -> Self {
        Self {
            fias_house_id: account.fias_house_id,
            premises: account.premises,
            unified_account: account.unified_account,
            account: account.account,
        }
    }
}

impl From<core::ReplacedBook> for AccountBook {
    fn from(book: core::ReplacedBook) -> Self {
        Self { accounts: book.accounts, ignored_columns: book.ignored_columns }
    }
}
