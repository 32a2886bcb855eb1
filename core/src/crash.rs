//! Marked points at which a test lets the process die as a power failure would. What must stay true: whatever is known at
//! such a point and nowhere else may be lost, and exactly what was posted takes effect all the same.

use crate::domain::words::words;

words! {
    /// Where the process may be told to die, in the order in which an answer meets them.
    Point {
        /// A client's request has been done, its transaction is not committed.
        BeforeCommit = "before_commit" "перед фиксацией запроса клиента",
        /// It is committed, the client has no reply.
        AfterCommit = "after_commit" "после фиксации, до ответа клиенту",
        /// The file store of GIS has a file, nothing says so here.
        FileUploaded = "file_uploaded" "файл загружен в ГИС ЖКХ, это не записано",
        /// That is recorded, the answer that names the file is not sent.
        FileRecorded = "file_recorded" "загрузка файла записана, ответ не отправлен",
        /// A package stands as being sent, GIS has not been called.
        AttemptWritten = "attempt_written" "попытка записана, вызова не было",
        /// The signed message is in the archive too; next comes the connection.
        MessageArchived = "message_archived" "сообщение в архиве, вызова не было",
        /// GIS has acknowledged the package, nothing says so here.
        Acknowledged = "acknowledged" "квитанция получена, не записана",
        /// That is recorded, the result has not been asked for.
        AcknowledgementRecorded = "acknowledgement_recorded" "квитанция записана",
        /// GIS has said that it is still at work, and will be asked again.
        BetweenPolls = "between_polls" "между опросами результата",
        /// The result of a package has come, nothing says so here.
        ResultReceived = "result_received" "результат получен, не записан",
        /// What GIS shows of single debt requests has come, nothing says so here.
        LookReceived = "look_received" "запросы по номерам получены, не записаны",
        /// A page of a sync has come, nothing says so here.
        PageReceived = "page_received" "страница запросов получена, не записана",
    }
}

/// Where this process dies, if anywhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CrashAt(pub Option<Point>);

impl CrashAt {
    /// Marks a point: the process ends here when it was told so.
    pub(crate) fn reach(self, point: Point) {
        if self.0 == Some(point) {
            die(point);
        }
    }
}

/// Ends the process with SIGKILL: nothing is unwound, flushed or told to anybody.
fn die(point: Point) -> ! {
    tracing::warn!(%point, "the process dies, as testing.crash_at asks");
    #[cfg(unix)]
    if let Err(error) =
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
    {
        tracing::error!(%error, "no SIGKILL");
    }
    // Where there is no such signal, the next harshest end.
    std::process::abort()
}
