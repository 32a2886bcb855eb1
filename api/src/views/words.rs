//! Words of the domain as the API shows them: strings that may get new values inside v1, so the document names them in
//! `x-extensible-enum` and not in `enum`, and generated clients do not break.

use serde::{Serialize, Serializer};
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use debt_core::domain::answer as answers;
use debt_core::domain::attachment as attachments;
use debt_core::domain::audit as audits;
use debt_core::domain::auto_answer as automatic;
use debt_core::domain::court_debt as debts;
use debt_core::domain::debt_request as requests;
use debt_core::domain::export as exports;
use debt_core::domain::import as imports;
use debt_core::domain::long_work as works;
use debt_core::domain::match_run as matches;
use debt_core::domain::matching::rules;
use debt_core::domain::registry as registries;
use debt_core::domain::statistics as figures;
use debt_core::domain::submission as submissions;
use debt_core::domain::sync_run as runs;
use debt_core::gis_status as gis;

macro_rules! words {
    ($($name:ident = $domain:ty, $about:literal;)+) => {$(
        #[doc = $about]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub $domain);

        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                Self(word)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.as_str())
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words = <$domain>::ALL.iter().map(|word| (word.as_str(), word.label()));
                extensible($about, &words.collect::<Vec<_>>())
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

words! {
    Stage = requests::Stage, "Состояние работы с запросом.";
    GisRequestStatus = requests::RequestStatus, "Статус запроса в ГИС ЖКХ.";
    GisResponseStatus = requests::ResponseStatus,
        "Статус ответа в ГИС ЖКХ. ГИС ЖКХ обновляет его с опозданием, иногда на два-три дня.";
    MatchResult = requests::MatchResult, "Итог сопоставления с реестром задолженности.";
    AnswerState = answers::State, "Состояние ответа.";
    Severity = answers::Severity, "Насколько состояние должно беспокоить человека.";
    AnswerSource = answers::Source, "Откуда взялся ответ.";
    FileState = attachments::FileState, "Состояние файла в файловом хранилище ГИС ЖКХ.";
    SubmissionAction = submissions::Action, "Действие в ГИС ЖКХ.";
    SubmissionState = submissions::SubmissionState, "Состояние отправки.";
    AttemptOutcome = submissions::Outcome, "Исход одной попытки.";
    OperationKind = works::WorkKind, "Что делает операция.";
    OperationStatus = works::WorkStatus, "Состояние операции.";
    ExportKind = exports::ExportKind, "Что выгружается в файл.";
    ExportStatus = exports::ExportStatus, "Состояние выгрузки в Excel.";
    ImportMode = imports::ImportMode, "Проверить файл или применить.";
    AnswerColumnMode = imports::AnswerColumnMode, "Как читается столбец «Наличие задолженности».";
    ImportStatus = imports::ImportStatus, "Состояние загрузки файла.";
    RegistryStatus = registries::RegistryStatus, "Состояние реестра задолженностей.";
    RegistryProblemKind = registries::ProblemKind, "Насколько серьёзно то, что не так в строке.";
    CourtDebtOrigin = debts::Origin, "Как появились строки реестра.";
    MatchRunMode = matches::MatchMode, "Что делается с итогами сопоставления.";
    MatchRunStatus = matches::MatchRunStatus, "Состояние сопоставления с реестром.";
    MatchDeed = matches::Deed, "Что сделано по итогу сопоставления.";
    MatchBasis = rules::Basis, "На чём основан итог сопоставления.";
    MatchReason = rules::Reason, "Почему ответа не следует.";
    HouseRule = rules::HouseRule, "Как узнан дом.";
    PremisesRule = rules::PremisesRule, "Как сравнилось помещение.";
    AddressRule = rules::AddressRule, "Как сравнился адрес.";
    DatesRule = rules::DatesRule, "Что говорят даты.";
    ConfirmWord = answers::Confirm, "Опасное действие, которое подтвердил вызывающий.";
    AuditActorKind = audits::ActorKind, "Кто действовал.";
    StatisticsGroupBy = figures::GroupBy, "По чему сгруппирована статистика.";
    AutoAnswerSkipReason = automatic::SkipReason, "Почему автоответ оставил бы запрос сотрудникам.";
    SyncRunState = runs::RunState, "Состояние получения запросов из ГИС ЖКХ.";
    GisStateWord = gis::GisState, "Состояние ГИС ЖКХ.";
    OperationStateWord = gis::OperationState, "Состояние операции ГИС ЖКХ.";
}

/// A string with its present values and what they mean.
pub(super) fn extensible(about: &str, words: &[(&str, &str)]) -> RefOr<Schema> {
    let list: Vec<_> = words.iter().map(|(word, label)| format!("`{word}` — {label}")).collect();
    let values: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    let description = format!("{about} Возможны новые значения. Сейчас: {}.", list.join("; "));
    let object = ObjectBuilder::new()
        .schema_type(Type::String)
        .max_length(Some(64))
        .description(Some(description))
        .examples(values.first().map(|word| serde_json::Value::from(*word)))
        .extensions(Some(ExtensionsBuilder::new().add("x-extensible-enum", values).build()));
    object.build().into()
}
