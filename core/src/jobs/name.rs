//! Names of the jobs.

crate::domain::words::words! {
    /// A job.
    JobName {
        /// Reads debt requests from GIS.
        Sync = "sync" "выгрузка запросов",
        /// Uploads files of answers.
        Files = "files" "загрузка файлов",
        /// Sends answers.
        Outbox = "outbox" "отправка ответов",
        /// Asks GIS for results.
        Polling = "polling" "получение результатов",
        /// Finds out what became of uncertain answers and confirms delivered ones.
        Settle = "settle" "сверка ответов",
        /// Writes lists into spreadsheets.
        Exports = "exports" "выгрузка в файлы Excel",
        /// Reads answers from spreadsheets.
        Imports = "imports" "ответы из файлов Excel",
        /// Ends operations whose items have come to their ends.
        Operations = "operations" "завершение операций",
        /// Deletes what is no longer needed.
        Retention = "retention" "удаление устаревшего",
    }
}
