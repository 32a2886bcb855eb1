//! Error codes of GIS that the simulator answers with by itself, and the texts that go with known codes.
//!
//! Codes and meanings were seen in public clients. Where none was ever seen (e.g. for a Revoke of what is not sent) the
//! code is this simulator's choice and says so here. Codes of broken rules are in [`crate::rules`].

use crate::wire::model::GisError;

/// Nothing to export; the normal empty list (Q11).
pub const NOTHING: &str = "INT002012";
/// A value is not in the registry.
pub const NOT_IN_REGISTRY: &str = "INT002000";
/// `getState`: no such request.
pub const UNKNOWN_MESSAGE: &str = "INT002013";
/// The object is not in a state for this; for conflicts of status it is this simulator's choice.
pub const WRONG_STATUS: &str = "INT002034";
/// Maintenance.
pub const MAINTENANCE: &str = "INT002029";
/// The organisation is not known here.
pub const UNKNOWN_ORGANIZATION: &str = "AUT011002";
/// The data supplier has no right to this.
pub const ACCESS_DENIED: &str = "AUT011003";
/// The signature is absent or does not hold.
pub const BAD_SIGNATURE: &str = "AUT011005";
/// An internal error of transfer: send it anew.
pub const TRANSFER_ERROR: &str = "EXP001000";
/// A block of an export that GIS cannot find although it named it (Q20); the code is this simulator's choice.
pub const PAGE_LOST: &str = "EXP002001";

/// What clients look for in a refused Revoke (Q15).
pub const NOT_SENT: &str = "Ответ не может быть отозван (не имеет статус \"Ответ отправлен\")";

/// The text that GIS gives with a code, or a general one.
#[must_use]
pub fn text_of(code: &str) -> &'static str {
    match code {
        NOTHING => "Нет объектов для экспорта",
        NOT_IN_REGISTRY => "Значение в поле subrequestGUID отсутствует в реестре",
        UNKNOWN_MESSAGE => "Запрос не найден",
        WRONG_STATUS => "Объект не является актуальным",
        MAINTENANCE => "Сервис недоступен: проводятся регламентные работы",
        UNKNOWN_ORGANIZATION => "Организация не найдена",
        ACCESS_DENIED => "Доступ запрещен для поставщика данных",
        BAD_SIGNATURE => "Ошибка формата подписи запроса",
        TRANSFER_ERROR => {
            "Произошла ошибка при передаче данных. Попробуйте осуществить передачу данных повторно."
        }
        "AUT011009" => "Отсутствуют права доступа для информационной системы",
        "FMT001300" => "Некорректный XML",
        "INT002031" => "Идентификатор дома изменен",
        _ => "Ошибка обработки запроса",
    }
}

/// An error of a result; without a text the known one of the code.
#[must_use]
pub fn gis_error(code: &str, text: Option<&str>) -> GisError {
    GisError {
        code: code.to_owned(),
        description: text.unwrap_or_else(|| text_of(code)).to_owned(),
        stack_trace: None,
    }
}
