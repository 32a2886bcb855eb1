//! The archive of what went over the wire: the proof, for a dispute with GIS or before a court, of what was sent, when,
//! signed by whom, and what GIS said.

use chrono::{DateTime, NaiveDate, Utc};

use super::words::words;
use crate::ids::{ContentId, MessageId};

words! {
    /// What was taken down of a message.
    Part {
        /// The signed message as it was sent.
        Request = "request" "Запрос",
        /// What came back at once: the acknowledgement, a fault, or whatever it was.
        Acknowledgement = "acknowledgement" "Ответ на отправку",
        /// The reply to the question that brought the result.
        Result = "result" "Результат обработки",
    }
}

/// An entry of the archive. The bytes themselves lie in the file store, packed and, with a key, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The message.
    pub message: MessageId,
    /// Which part of it.
    pub part: Part,
    /// Where the bytes lie.
    pub content: ContentId,
    /// The HTTP status that the bytes came with; a request has none.
    pub http_status: Option<u16>,
    /// How many bytes there were on the wire.
    pub size: u64,
    /// SHA-256 of the bytes on the wire.
    pub sha256: [u8; 32],
    /// The time of keeping is counted from this day: the last deadline of its answers, or the day of recording if that is
    /// later.
    pub keep_from: NaiveDate,
    /// When it was taken down.
    pub recorded_at: DateTime<Utc>,
}
