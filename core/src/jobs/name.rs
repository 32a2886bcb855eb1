//! Names of the jobs.

crate::domain::words::words! {
    /// A job.
    JobName {
        /// Reads debt requests from GIS.
        Sync = "sync" "получение запросов",
        /// Gives debt requests out anew after departments have changed.
        Assignment = "assignment" "назначение запросов",
        /// Uploads files of answers.
        Files = "files" "загрузка файлов",
        /// Sends answers.
        Outbox = "outbox" "отправка ответов",
        /// Asks GIS for results.
        Polling = "polling" "получение результатов",
        /// Finds out what became of uncertain answers and confirms delivered ones.
        Settle = "settle" "выяснение исхода ответов",
        /// Writes lists into spreadsheets.
        Exports = "exports" "выгрузка в Excel",
        /// Reads answers from spreadsheets.
        Imports = "imports" "ответы из файлов Excel",
        /// Compares debt requests with the registry of court debts.
        Matching = "matching" "сопоставление с реестром",
        /// Answers «no debt» by itself shortly before the deadline.
        AutoAnswer = "auto_answer" "автоответ",
        /// Tells of deadlines that are near, of answers that are late, and of what will soon be good no more.
        Deadlines = "deadlines" "напоминания о сроках",
        /// Ends operations whose items have come to their ends.
        Operations = "operations" "завершение операций",
        /// Sends events to the addresses of clients.
        Webhooks = "webhooks" "отправка событий",
        /// Deletes what is no longer needed.
        Retention = "retention" "удаление устаревшего",
    }
}
