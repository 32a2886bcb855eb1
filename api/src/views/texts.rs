//! Texts that stand in lists: the document can give a limit to an item only through a type of its own.

use serde::Deserialize;
use utoipa::ToSchema;

/// Ваш собственный идентификатор ответа.
#[derive(Deserialize, ToSchema)]
#[schema(min_length = 1, max_length = 255, example = "1C-000123")]
pub struct ExternalId(pub String);

/// Номер запроса в ГИС ЖКХ.
#[derive(Deserialize, ToSchema)]
#[schema(min_length = 1, max_length = 30, example = "62026110433")]
pub struct RequestNumber(pub String);

/// Вид события или его начало со звёздочкой.
#[derive(Deserialize, ToSchema)]
#[schema(pattern = "^[a-z_.]*[*]?$", min_length = 1, max_length = 64, example = "answer.*")]
pub struct EventTypeMask(pub String);

/// Право токена.
#[derive(Deserialize, ToSchema)]
#[schema(pattern = "^[a-z]+(:[a-z]+)?$", max_length = 32, example = "requests:read")]
pub struct ScopeName(pub String);
