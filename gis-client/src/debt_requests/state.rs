//! Acknowledgements and `getStateResult`: what GIS says of a message.
//!
//! [`crate::reply`] opens the SOAP envelope and calls the readers here. They are lenient: an absent or unknown
//! optional part is `None`, and only what the exchange cannot go on without is an error.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};

use super::result::{GisError, ImportResult, read_error, read_import_result};
use super::subrequest::{SubrequestPage, read_page};
use crate::ids::{GisMessageId, MessageId};
use crate::xml::Namespace::{Base, Drs};
use crate::xml::{Problem, ProblemKind, Reader};

/// The most characters that are kept of a word that is not known.
const LONGEST_WORD: usize = 64;

/// Header of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResultHeader {
    /// When GIS sent the reply, by its clock.
    pub sent_at: Option<DateTime<FixedOffset>>,
    /// Our MessageGUID of the original message, also in replies to `getState` and even if polled long after.
    pub message: Option<MessageId>,
}

/// GIS has taken a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The id to ask `getState` about.
    pub message: GisMessageId,
    /// Our MessageGUID as GIS repeats it.
    pub requester_message: Option<MessageId>,
    /// Header of the reply.
    pub header: ResultHeader,
}

/// How far GIS is with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// 1: received.
    Received,
    /// 2: in work.
    Processing,
    /// 3: done, successfully or not.
    Done,
    /// Something else, as GIS wrote it, at most 64 characters.
    Unknown(String),
}

impl From<&str> for Progress {
    fn from(text: &str) -> Self {
        match text {
            "1" => Self::Received,
            "2" => Self::Processing,
            "3" => Self::Done,
            other => Self::Unknown(other.chars().take(LONGEST_WORD).collect()),
        }
    }
}

/// What `getState` told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// How far GIS is.
    pub progress: Progress,
    /// The message asked about, as GIS repeats it.
    pub message: Option<GisMessageId>,
    /// The result, once there is one.
    pub outcome: Option<Outcome>,
    /// Header of the reply.
    pub header: ResultHeader,
}

/// The result of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Of `importResponses`: one result for each action, if GIS forgot none.
    Import(Vec<ImportResult>),
    /// Of `exportDebtSubrequests`.
    Subrequests(SubrequestPage),
    /// Of a requester's export, which a supplier never asks for: recognised, not read.
    RequesterResult,
    /// The message failed as a whole. INT002012 is such an error: there is nothing to export.
    Error(GisError),
}

/// Reads `AckRequest` after its start.
pub(crate) fn read_acknowledgement(
    reader: &mut Reader<'_>,
    header: ResultHeader,
) -> Result<Acknowledgement, Problem> {
    let mut message = None;
    let mut requester_message = None;
    reader.children(|reader, element| match element.name() {
        (Some(Base), "Ack") => reader.children(|reader, element| {
            match element.name() {
                (Some(Base), "MessageGUID") => message = parsed(&reader.text()?),
                (Some(Base), "RequesterMessageGUID") => requester_message = parsed(&reader.text()?),
                _ => {}
            }
            Ok(())
        }),
        _ => Ok(()),
    })?;
    let message =
        message.ok_or_else(|| reader.problem(ProblemKind::Needed("a MessageGUID in the acknowledgement")))?;
    Ok(Acknowledgement { message, requester_message, header })
}

/// Reads `getStateResult` after its start.
pub(crate) fn read_state(reader: &mut Reader<'_>, header: ResultHeader) -> Result<State, Problem> {
    let mut progress = None;
    let mut message = None;
    let mut results = Vec::new();
    let mut outcome = None;
    reader.children(|reader, element| {
        match element.name() {
            (Some(Base), "RequestState") => progress = Some(Progress::from(reader.text()?.trim())),
            (Some(Base), "MessageGUID") => message = parsed(&reader.text()?),
            (Some(Drs), "importResult") => results.push(read_import_result(reader)?),
            (Some(Drs), "exportDSRsResult") => outcome = Some(Outcome::Subrequests(read_page(reader)?)),
            (Some(Drs), "exportDRsResult") => outcome = Some(Outcome::RequesterResult),
            (Some(Base), "ErrorMessage") => outcome = Some(Outcome::Error(read_error(reader)?)),
            _ => {}
        }
        Ok(())
    })?;
    let progress = progress.ok_or_else(|| reader.problem(ProblemKind::Needed("a RequestState")))?;
    // The schema has either results or an error. Should both come, the results say more: each item is settled.
    let outcome = if results.is_empty() { outcome } else { Some(Outcome::Import(results)) };
    Ok(State { progress, message, outcome, header })
}

/// Reads `ResultHeader` after its start.
pub(crate) fn read_header(reader: &mut Reader<'_>) -> Result<ResultHeader, Problem> {
    let mut header = ResultHeader::default();
    reader.children(|reader, element| {
        match element.name() {
            (Some(Base), "Date") => header.sent_at = read_moment(&reader.text()?),
            (Some(Base), "MessageGUID") => header.message = parsed(&reader.text()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(header)
}

/// A value that is allowed to be absent or broken.
pub(super) fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

/// Reads xs:dateTime and, because GIS does so, a bare date. Without an offset it is Moscow time. 1900-01-01 and the
/// year 5000 stand for "none" in GIS.
pub(super) fn read_moment(text: &str) -> Option<DateTime<FixedOffset>> {
    let text = text.trim();
    let moment = DateTime::parse_from_rfc3339(text).ok().or_else(|| in_moscow(text))?;
    is_real_date(moment.date_naive()).then_some(moment)
}

fn in_moscow(text: &str) -> Option<DateTime<FixedOffset>> {
    const MOSCOW: i32 = 3 * 60 * 60;
    let local = match text.parse::<NaiveDateTime>() {
        Ok(local) => local,
        Err(_) => read_date(text)?.and_time(NaiveTime::MIN),
    };
    local.and_local_timezone(FixedOffset::east_opt(MOSCOW)?).single()
}

/// Reads xs:date: ten characters, then nothing, an offset, or (GIS does so) a time. The offset only says where the
/// day is meant, so the day is taken as written.
pub(super) fn read_date(text: &str) -> Option<NaiveDate> {
    let (date, rest) = text.trim().split_at_checked(10)?;
    let mut parts = date.splitn(3, '-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let rest_is_known = rest.is_empty() || rest.starts_with(['+', '-', 'Z', 'T']);
    if rest_is_known { NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day) } else { None }
}

fn number(digits: &str) -> Option<u32> {
    // Without a sign, which the parser of numbers would take.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Whether a date is more than the filler of a missing one: 1900-01-01 or year 5000.
pub(super) fn is_real_date(date: NaiveDate) -> bool {
    use chrono::Datelike;
    date.year() < 5000 && !(date.year() == 1900 && date.ordinal() == 1)
}

/// Whether a text says that there is no time: it is empty or begins with a filler date.
pub(super) fn is_filler(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.get(..10).and_then(read_date).is_some_and(|date| !is_real_date(date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_with_and_without_offset() {
        let day = NaiveDate::from_ymd_opt(2023, 7, 1);
        for text in [
            "2023-07-01",
            "2023-07-01+03:00",
            "2023-07-01Z",
            " 2023-07-01-11:00\n",
            "2023-07-01T00:00:00+03:00",
        ] {
            assert_eq!(read_date(text), day, "{text:?}");
        }
        for text in ["", "2023-07", "01.07.2023", "2023-13-01", "2023-07-011", "2023-07-0Ё", "ЁЁЁЁЁЁ"]
        {
            assert_eq!(read_date(text), None, "{text:?}");
        }
    }

    #[test]
    fn moments_come_in_many_forms() {
        for (text, expected) in [
            ("2026-03-17T09:00:40.574+03:00", Some("2026-03-17T09:00:40.574+03:00")),
            ("2026-03-17T09:00:40.5740001+03:00", Some("2026-03-17T09:00:40.574000100+03:00")),
            ("2026-03-17T06:00:40Z", Some("2026-03-17T06:00:40+00:00")),
            ("2026-03-17T09:00:40.574", Some("2026-03-17T09:00:40.574+03:00")),
            ("2026-03-17", Some("2026-03-17T00:00:00+03:00")),
            ("2026-03-17+05:00", Some("2026-03-17T00:00:00+03:00")),
            ("1900-01-01T00:00:00+03:00", None),
            ("5000-01-01", None),
            ("soon", None),
        ] {
            assert_eq!(read_moment(text).map(|moment| moment.to_rfc3339()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn fillers_say_that_there_is_no_time() {
        for text in ["", " \n", "1900-01-01", "1900-01-01T00:00:00+03:00", "1900-01-01 00:00", "5000-12-31Z"]
        {
            assert!(is_filler(text), "{text:?}");
        }
        for text in ["2026-03-17", "1900-01-02", "17.03.2026", "soon", "ЁЁЁЁЁЁ"] {
            assert!(!is_filler(text), "{text:?}");
        }
    }

    #[test]
    fn unknown_progress_is_kept() {
        assert_eq!(Progress::from("3"), Progress::Done);
        assert_eq!(Progress::from("4"), Progress::Unknown("4".to_owned()));
        assert_eq!(Progress::from("ж".repeat(65).as_str()), Progress::Unknown("ж".repeat(64)));
    }
}
