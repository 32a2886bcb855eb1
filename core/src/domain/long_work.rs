//! What all long work has in common (`api.md` §12.1): many answers at once, exports, imports, matches with a registry and
//! readings of GIS. Each is an object of its own with words of its own; here is what they come to.

use super::export::ExportStatus;
use super::import::ImportStatus;
use super::match_run::MatchRunStatus;
use super::operation::{OperationKind, OperationStatus};
use super::sync_run::RunState;
use super::words::words;

words! {
    /// What long work does.
    WorkKind {
        /// It takes many answers.
        AnswersBulk = "answers_bulk" "Массовые ответы",
        /// It answers «no debt» by itself.
        AutoAnswer = "auto_answer" "Автоответ",
        /// It writes a list into a spreadsheet.
        Export = "export" "Выгрузка в Excel",
        /// It reads a spreadsheet with answers.
        Import = "import" "Загрузка файла",
        /// It compares debt requests with a registry.
        MatchRun = "match_run" "Сопоставление с реестром",
        /// It reads GIS.
        Sync = "sync" "Получение запросов из ГИС ЖКХ",
    }
}

words! {
    /// Where long work stands, whatever it is.
    WorkStatus {
        /// Nobody has taken it yet.
        Pending = "pending" "Ждёт очереди",
        /// It goes on.
        Running = "running" "Выполняется",
        /// It has come to a good end.
        Succeeded = "succeeded" "Выполнена",
        /// It has come to its end, and something was refused.
        CompletedWithErrors = "completed_with_errors" "Выполнена с ошибками",
        /// It could not be carried out.
        Failed = "failed" "Не выполнена",
        /// It was stopped before its end.
        Cancelled = "cancelled" "Отменена",
    }
}

impl WorkKind {
    /// The kind of the operation, where that is what it is.
    #[must_use]
    pub const fn of_answers(self) -> Option<OperationKind> {
        match self {
            Self::AnswersBulk => Some(OperationKind::AnswersBulk),
            Self::AutoAnswer => Some(OperationKind::AutoAnswer),
            Self::Export | Self::Import | Self::MatchRun | Self::Sync => None,
        }
    }
}

impl From<OperationKind> for WorkKind {
    fn from(kind: OperationKind) -> Self {
        match kind {
            OperationKind::AnswersBulk => Self::AnswersBulk,
            OperationKind::AutoAnswer => Self::AutoAnswer,
        }
    }
}

impl From<OperationStatus> for WorkStatus {
    fn from(status: OperationStatus) -> Self {
        match status {
            OperationStatus::Running => Self::Running,
            OperationStatus::Succeeded => Self::Succeeded,
            OperationStatus::CompletedWithErrors => Self::CompletedWithErrors,
            OperationStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl From<ExportStatus> for WorkStatus {
    fn from(status: ExportStatus) -> Self {
        match status {
            ExportStatus::Pending => Self::Pending,
            ExportStatus::Running => Self::Running,
            ExportStatus::Succeeded => Self::Succeeded,
            ExportStatus::Failed => Self::Failed,
            ExportStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl From<ImportStatus> for WorkStatus {
    fn from(status: ImportStatus) -> Self {
        match status {
            ImportStatus::Pending => Self::Pending,
            ImportStatus::Running => Self::Running,
            ImportStatus::Checked | ImportStatus::Succeeded => Self::Succeeded,
            ImportStatus::CompletedWithErrors => Self::CompletedWithErrors,
            ImportStatus::Failed => Self::Failed,
            ImportStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl From<MatchRunStatus> for WorkStatus {
    fn from(status: MatchRunStatus) -> Self {
        match status {
            MatchRunStatus::Running => Self::Running,
            MatchRunStatus::Succeeded => Self::Succeeded,
            MatchRunStatus::Cancelled | MatchRunStatus::Replaced => Self::Cancelled,
        }
    }
}

impl From<RunState> for WorkStatus {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Running => Self::Running,
            RunState::Succeeded => Self::Succeeded,
            RunState::Failed => Self::Failed,
            RunState::Cancelled => Self::Cancelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_of_the_kinds_that_have_their_names() {
        for kind in OperationKind::ALL {
            assert_eq!(WorkKind::from(*kind).of_answers(), Some(*kind));
            assert_eq!(WorkKind::from(*kind).as_str(), kind.as_str());
        }
        assert_eq!(
            WorkKind::ALL.iter().filter_map(|kind| kind.of_answers()).count(),
            OperationKind::ALL.len()
        );
    }
}
