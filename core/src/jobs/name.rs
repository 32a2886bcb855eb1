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
        /// Compares debt requests with the registry of court debts.
        Matching = "matching" "сверка с реестром",
        /// Ends operations whose items have come to their ends.
        Operations = "operations" "завершение операций",
        /// Deletes what is no longer needed.
        Retention = "retention" "удаление устаревшего",
    }
}
