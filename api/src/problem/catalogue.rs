//! The only table from a problem code to its status, title, cause and cure. The texts are Russian: they are read by the
//! people who integrate billing systems. Shown in problems, on the pages `/problems/{code}` and in the dictionary
//! `problem_codes`.

use actix_web::http::StatusCode;
use debt_core::Code;
use serde::Serialize;
use utoipa::ToSchema;

/// Чья ошибка: запроса, сервиса или ГИС ЖКХ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The client's.
    Request,
    /// Ours.
    Service,
    /// GIS's; never an HTTP status of ours, see `last_error` of an answer.
    Gis,
}

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The HTTP status.
    pub status: StatusCode,
    /// Whose mistake.
    pub origin: Origin,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// What happened.
    pub title: &'static str,
    /// Why.
    pub cause: &'static str,
    /// What to do.
    pub cure: &'static str,
}

macro_rules! table {
    ($($code:ident: $status:ident, $origin:ident, $repeat:literal, $title:literal, $cause:literal, $cure:literal;)+) => {
        /// What a code means.
        #[must_use]
        pub const fn entry(code: Code) -> Entry {
            match code {
                $(Code::$code => Entry {
                    status: StatusCode::$status,
                    origin: Origin::$origin,
                    retryable: $repeat,
                    title: $title,
                    cause: $cause,
                    cure: $cure,
                },)+
            }
        }
    };
}

table! {
    MalformedJson: BAD_REQUEST, Request, false,
        "Тело запроса — не JSON",
        "Тело запроса нельзя разобрать: нарушен синтаксис JSON, имя поля повторяется или вложенность слишком велика.",
        "Проверьте тело запроса в указанном месте. Кодировка — UTF-8.";
    UnknownParameter: BAD_REQUEST, Request, false,
        "Неизвестный параметр",
        "В строке запроса есть параметр, которого у операции нет. Опечатка в фильтре иначе молча вернула бы все записи.",
        "Исправьте имя параметра; список параметров есть в описании операции.";
    InvalidCursor: BAD_REQUEST, Request, false,
        "Неверный курсор",
        "Курсор повреждён или получен с другими фильтрами либо сортировкой.",
        "Передавайте значение поля next без изменений и с теми же фильтрами; при их смене начните с первой страницы.";
    OrganizationRequired: BAD_REQUEST, Request, false,
        "Не указана организация",
        "Токен действует для нескольких организаций, а запрос не говорит, для какой.",
        "Передайте заголовок Organization-Id с идентификатором одной из организаций токена.";
    IdempotencyKeyInvalid: BAD_REQUEST, Request, false,
        "Неверный Idempotency-Key",
        "Ключ пуст, длиннее 255 знаков или содержит непечатные знаки.",
        "Передайте от 1 до 255 печатных знаков ASCII.";
    TokenMissing: UNAUTHORIZED, Request, false,
        "Нет токена",
        "Запрос пришёл без заголовка Authorization.",
        "Передайте заголовок Authorization: Bearer и токен. Токен в адресе не принимается: адреса остаются в журналах.";
    TokenInvalid: UNAUTHORIZED, Request, false,
        "Токен не принят",
        "Токен повреждён, выпущен другим сервисом или подписан неизвестным ключом.",
        "Проверьте, что токен передан целиком, или выпустите новый.";
    TokenExpired: UNAUTHORIZED, Request, false,
        "Срок токена истёк",
        "Срок действия токена закончился.",
        "Выпустите новый токен. О близком окончании срока сообщает событие token.expiring.";
    TokenRevoked: UNAUTHORIZED, Request, false,
        "Токен отозван",
        "Токен отозван администратором.",
        "Получите у администратора новый токен.";
    ScopeMissing: FORBIDDEN, Request, false,
        "Недостаточно прав",
        "У токена нет права, которое нужно операции.",
        "Выпустите токен с правом, названным в поле detail.";
    EmployeeCannotSubmit: FORBIDDEN, Request, false,
        "Сотрудник не может отправлять ответы",
        "Отправляет только ответственный за запрос сотрудник, у которого указан идентификатор ГИС ЖКХ, и только от своего имени.",
        "Завершите работу над ответом; отправит его ответственный сотрудник.";
    NotResponsible: FORBIDDEN, Request, false,
        "Нужен ответственный сотрудник",
        "Токен действует от имени сотрудника, который не отвечает за этот запрос.",
        "Действие выполнит ответственный за запрос сотрудник; его показывает поле responsible_id.";
    RightsExceeded: FORBIDDEN, Request, false,
        "Больше прав, чем у вашего токена",
        "Токен даёт другим и отзывает у них только то, что есть у него самого: права и организации. Токен сотрудника не управляет ни токенами, ни организациями.",
        "Уберите из запроса лишнее, названное в поле detail, или возьмите токен, у которого оно есть; администратор шлюза выпускает любые токены командой debtgate token issue.";
    NotFound: NOT_FOUND, Request, false,
        "Не найдено",
        "Объекта нет, он удалён или принадлежит другой организации.",
        "Проверьте идентификатор и организацию токена.";
    SandboxOnly: NOT_FOUND, Request, false,
        "Только в демонстрации",
        "Этот шлюз работает не с имитатором ГИС ЖКХ внутри себя: запросы здесь создают только те, кто обращается в ГИС ЖКХ.",
        "Попробуйте в debtgate demo. У отдельного имитатора gis-sim запросы создаёт его собственный адрес /control.";
    MethodNotAllowed: METHOD_NOT_ALLOWED, Request, false,
        "Метод не поддерживается",
        "По этому адресу нет такого метода HTTP.",
        "Используйте метод из заголовка Allow.";
    StateConflict: CONFLICT, Request, false,
        "Действие невозможно в этом состоянии",
        "Текущее состояние объекта не допускает действия; оно названо в поле state.",
        "Прочитайте объект и выберите действие, допустимое в этом состоянии.";
    DraftExists: CONFLICT, Request, false,
        "Есть черновик другого автора",
        "Другой сотрудник или программа уже готовит ответ на этот запрос.",
        "Согласуйте ответ с автором или подтвердите замену: confirm со значением draft_exists.";
    AlreadyAnswered: CONFLICT, Request, false,
        "Ответ уже дан",
        "На запрос уже действует ответ с другим содержанием.",
        "Если ответ надо исправить, передайте confirm со значением already_answered и причину в reason.";
    AutoGeneratedByGis: CONFLICT, Request, false,
        "ГИС ЖКХ ответила автоматически",
        "Срок прошёл, и ГИС ЖКХ сформировала ответ об отсутствии задолженности.",
        "Если ответ всё же нужен, передайте confirm со значением auto_generated_by_gis; ГИС ЖКХ может его отклонить.";
    RegistryDisagrees: CONFLICT, Request, false,
        "Реестр говорит другое",
        "Ответ сообщает об отсутствии задолженности, а в реестре судебных решений она найдена.",
        "Проверьте реестр. Если ответ верен, передайте confirm со значением registry_disagrees.";
    CorrectionTooLate: CONFLICT, Request, false,
        "Исправлять ответ поздно",
        "До окончания срока меньше суток: между отзывом и новой отправкой ГИС ЖКХ может ответить сама.",
        "Если исправление необходимо, передайте confirm со значением correction_too_late.";
    CorrectionInProgress: CONFLICT, Request, true,
        "Исправление уже идёт",
        "Ответ на этот запрос уже исправляется.",
        "Дождитесь окончания исправления и повторите запрос.";
    RunInProgress: CONFLICT, Request, true,
        "Такая работа уже идёт",
        "Предыдущий запуск ещё не закончился.",
        "Дождитесь его окончания.";
    EmployeeInUse: CONFLICT, Request, false,
        "У сотрудника есть обязанности",
        "Сотрудник отвечает за подразделение или за запросы без ответа либо замещает остальных.",
        "Передайте его обязанности другому. Чтобы ему ничего больше не поручалось, передайте active со значением false.";
    SigningKeyMissing: CONFLICT, Request, false,
        "Нет ключа для подписи токенов",
        "В настройках шлюза ([auth] keys) есть только открытые ключи: такие токены шлюз проверяет, но выпустить не может.",
        "Выпустите токен там, где лежит закрытый ключ, или попросите администратора добавить ключ с private_key или secret.";
    IdempotencyInProgress: CONFLICT, Request, true,
        "Такой же запрос ещё выполняется",
        "Запрос с этим Idempotency-Key принят и ещё не закончен.",
        "Повторите запрос через время из заголовка Retry-After.";
    RequestGone: CONFLICT, Request, false,
        "Запроса больше нет в ГИС ЖКХ",
        "ГИС ЖКХ больше не показывает этот запрос: вероятно, он отозван отправителем.",
        "Отвечать не нужно.";
    CursorExpired: GONE, Request, false,
        "Курсор устарел",
        "События, на которые указывает курсор, уже удалены.",
        "Пройдите списки с фильтром updated_since и начните чтение событий заново.";
    AttachmentExpired: GONE, Request, false,
        "Файл удалён",
        "Файл не был использован вовремя и удалён.",
        "Загрузите файл снова.";
    EvidenceExpired: GONE, Request, false,
        "Сообщения удалены",
        "Срок хранения сообщений, отправленных по этому ответу, истёк, и они удалены.",
        "Срок хранения задаёт администратор шлюза; сохраняйте доказательства, пока он не истёк.";
    VersionMismatch: PRECONDITION_FAILED, Request, false,
        "Объект изменился",
        "Версия в If-Match не совпадает с текущей.",
        "Прочитайте объект снова, проверьте изменения и повторите действие с новой версией.";
    BodyTooLarge: PAYLOAD_TOO_LARGE, Request, false,
        "Тело запроса слишком велико",
        "Размер тела больше допустимого.",
        "Загрузите файлы отдельно через /v1/attachments или разделите запрос.";
    FileTooLarge: PAYLOAD_TOO_LARGE, Request, false,
        "Файл слишком велик",
        "ГИС ЖКХ не принимает файлы такого размера.",
        "Уменьшите файл или разделите его на части.";
    MediaTypeUnsupported: UNSUPPORTED_MEDIA_TYPE, Request, false,
        "Тип содержимого не поддерживается",
        "Операция не читает тело с таким Content-Type.",
        "Передайте Content-Type: application/json, а для загрузки файлов multipart/form-data.";
    FileTypeNotAllowed: UNSUPPORTED_MEDIA_TYPE, Request, false,
        "Такие файлы не принимаются",
        "Файлы с таким расширением не принимает ГИС ЖКХ или этот шлюз, либо содержимое не соответствует расширению.",
        "Сохраните файл в одном из допустимых форматов; если дело в расширении, они названы в detail.";
    ValidationFailed: UNPROCESSABLE_ENTITY, Request, false,
        "Запрос содержит ошибки",
        "Поля или параметры заполнены неверно; каждая ошибка названа в errors.",
        "Исправьте все перечисленные ошибки и повторите запрос. Ничего не сохранено.";
    UnknownField: UNPROCESSABLE_ENTITY, Request, false,
        "Неизвестное поле",
        "В теле есть поле, которого у операции нет. Опечатка иначе молча потеряла бы данные.",
        "Исправьте имя поля; похожее имя названо в detail.";
    DictionaryUnknown: UNPROCESSABLE_ENTITY, Request, false,
        "Кода нет в справочнике",
        "Код отсутствует в справочнике НСИ этого стенда.",
        "Возьмите код из /v1/dictionaries.";
    CharacterNotAllowed: UNPROCESSABLE_ENTITY, Request, false,
        "Недопустимый знак",
        "Текст содержит знак, который нельзя передать в ГИС ЖКХ (управляющий знак).",
        "Удалите управляющие знаки из названных полей.";
    IdempotencyKeyReused: UNPROCESSABLE_ENTITY, Request, false,
        "Ключ уже использован",
        "С этим Idempotency-Key уже приходил другой запрос.",
        "Для нового запроса возьмите новый ключ.";
    ExecutorWithoutGisId: UNPROCESSABLE_ENTITY, Request, false,
        "У исполнителя нет идентификатора ГИС ЖКХ",
        "ГИС ЖКХ требует исполнителя, а у сотрудника нет её идентификатора.",
        "Укажите идентификатор сотрудника в ГИС ЖКХ или исполнителя организации по умолчанию.";
    RegistryWrongOrganization: UNPROCESSABLE_ENTITY, Request, false,
        "Реестр другой организации",
        "В реестре указана другая организация.",
        "Загрузите реестр своей организации.";
    RateLimited: TOO_MANY_REQUESTS, Request, true,
        "Слишком много запросов",
        "Токен превысил число запросов в минуту.",
        "Повторите запрос через время из заголовка Retry-After.";
    TooManyUploads: TOO_MANY_REQUESTS, Request, true,
        "Слишком много загрузок сразу",
        "Организация уже загружает столько файлов одновременно, сколько ей разрешено: файлы ответов, книги Excel и реестры считаются вместе.",
        "Загружайте файлы по очереди; повторите запрос через время из заголовка Retry-After.";
    RefreshTooEarly: TOO_MANY_REQUESTS, Request, true,
        "Спрашивать ГИС ЖКХ рано",
        "ГИС ЖКХ только что спрашивали; она просит делать паузы.",
        "Повторите запрос через время из заголовка Retry-After.";
    SyncTooEarly: TOO_MANY_REQUESTS, Request, true,
        "Обновлять запросы рано",
        "Запросы из ГИС ЖКХ только что обновлялись.",
        "Повторите запрос через время из заголовка Retry-After.";
    Internal: INTERNAL_SERVER_ERROR, Service, true,
        "Внутренняя ошибка",
        "Ошибка в сервисе. Ничего не сохранено.",
        "Повторите запрос; если ошибка остаётся, сообщите request_id в поддержку.";
    Unavailable: SERVICE_UNAVAILABLE, Service, true,
        "Сервис временно недоступен",
        "База данных или хранилище файлов не отвечает. Ничего не сохранено.",
        "Повторите запрос через время из заголовка Retry-After.";
}

/// The code of a name, for its page.
#[must_use]
pub fn code_named(name: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|code| code.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained() {
        for code in Code::ALL.iter().copied() {
            let Entry { status, origin, retryable, title, cause, cure } = entry(code);
            assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
            assert_eq!(origin == Origin::Service, status.is_server_error(), "{code:?}");
            assert!(retryable || !status.is_server_error(), "{code:?}");
            assert!(!title.ends_with('.') && cause.ends_with('.') && cure.ends_with('.'), "{code:?}");
            assert_eq!(code_named(code.as_str()), Some(code));
        }
        assert_eq!(code_named("nothing"), None);
    }
}
