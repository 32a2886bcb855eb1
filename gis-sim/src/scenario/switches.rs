//! The sections of a scenario: one type each, one field a switch, with its unit and default.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// XSD 16.3.0.0 exportSubrequestGUID: blocks of 100.
pub(super) const PAGE_SIZE: usize = 100;

/// When things happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// From the acknowledgement to the result (Q2); the state is 1 for the first half, then 2.
    #[serde(with = "humantime_serde")]
    pub poll_ready: Duration,
    /// Up to this much more, by the seed.
    #[serde(with = "humantime_serde")]
    pub poll_ready_spread: Duration,
    /// Whether polls earlier than `poll_after` are punished (Q1).
    pub strict_polling: StrictPolling,
    /// The least waits before the first, second, … `getState` of a message; the last one repeats (Q1).
    #[serde(with = "durations")]
    pub poll_after: Vec<Duration>,
    /// Every SOAP call takes this long in real time (Q4); at most an hour.
    #[serde(with = "humantime_serde")]
    pub slow: Duration,
    /// Exports show the answers of this long ago (Q5).
    #[serde(with = "humantime_serde")]
    pub view_lag: Duration,
    /// An action reported as done takes effect this much later.
    #[serde(with = "humantime_serde")]
    pub effect_delay: Duration,
    /// Up to this much later still, by the seed, so that effects overtake each other.
    #[serde(with = "humantime_serde")]
    pub effect_spread: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            poll_ready: Duration::from_secs(2),
            poll_ready_spread: Duration::ZERO,
            strict_polling: StrictPolling::Off,
            poll_after: [10, 60, 300, 900, 1800].map(Duration::from_secs).to_vec(),
            slow: Duration::ZERO,
            view_lag: Duration::ZERO,
            effect_delay: Duration::ZERO,
            effect_spread: Duration::ZERO,
        }
    }
}

/// What an early poll gets (Q1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StrictPolling {
    /// The truth: nobody was seen to be punished.
    Off,
    /// A SOAP Fault EXP001000.
    Exp001000,
    /// HTTP 503 with Retry-After.
    Http503,
}

/// How answers are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Import {
    /// A Send for an answered subrequest: the schema's text says it changes the answer.
    pub over_existing: Permission,
    /// A Send or Revoke after the system has answered by itself.
    pub over_auto_generated: Permission,
    /// Whether the system answers "no debt" by itself once the deadline is past.
    pub auto_generate: bool,
    /// What one bad value spoils (Q16).
    pub bad_value: BadValue,
    /// After EXP001000 the same MessageGUID or the same bytes get EXP001000 for ever (Q8).
    pub same_bytes_loop: bool,
    /// Results in another order than the actions (Q17).
    pub shuffle_results: bool,
    /// One subrequest in this many is refused with AUT011003 or INT002000 although exports list it (Q14); 0: none.
    pub denied_one_in: u64,
    /// The code for a withdrawn request (Q29); the real one was never seen.
    pub withdrawn_code: String,
    /// The text for a withdrawn request (Q29).
    pub withdrawn_text: String,
    /// Whether the last two digits of a request number choose a behaviour: 01 ok, 02 rejected, 03 an hour slow,
    /// 04 acknowledgement lost but delivered, 05 whole package refused, 06 answered by the system.
    pub sandbox_endings: bool,
}

impl Default for Import {
    fn default() -> Self {
        Self {
            over_existing: Permission::Allowed,
            over_auto_generated: Permission::Refused,
            auto_generate: true,
            bad_value: BadValue::Package,
            same_bytes_loop: true,
            shuffle_results: false,
            denied_one_in: 0,
            withdrawn_code: "INT002000".to_owned(),
            withdrawn_text: "Значение в поле subrequestGUID отсутствует в реестре".to_owned(),
            sandbox_endings: false,
        }
    }
}

/// Whether something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// It is done.
    Allowed,
    /// It is an item error.
    Refused,
}

/// What one bad value of a package spoils (Q16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BadValue {
    /// The whole package: no answer of it is accepted.
    Package,
    /// Only its own item.
    Item,
}

/// How subrequests are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Export {
    /// Subrequests in a block, 1 to 100.
    pub page_size: usize,
    /// A full last block is followed by one with no subrequest (Q19).
    pub empty_last_page: bool,
    /// Each following block fails this many times with "Content not found" before it comes (Q20).
    pub page_lost_times: u32,
    /// How the last block is marked (Q21).
    pub last_page: LastPage,
}

impl Default for Export {
    fn default() -> Self {
        Self { page_size: PAGE_SIZE, empty_last_page: false, page_lost_times: 0, last_page: LastPage::Marked }
    }
}

/// The `pagedOutput` of the last block (Q21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LastPage {
    /// `lastPage` is true.
    Marked,
    /// No `pagedOutput`.
    Absent,
    /// An empty `pagedOutput`.
    Empty,
}

/// What invented subrequests look like; counts only for those made after a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Requests {
    /// One house in this many has no FIAS id (Q22); 0: every house has one.
    pub without_fias_one_in: u64,
    /// How flat numbers are written (Q24).
    pub premises: Variety,
    /// How towns and streets are written (Q25).
    pub spelling: Variety,
}

impl Default for Requests {
    fn default() -> Self {
        Self { without_fias_one_in: 7, premises: Variety::Mixed, spelling: Variety::Mixed }
    }
}

/// One way of writing, or many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variety {
    /// Always the same.
    Plain,
    /// As in the wild.
    Mixed,
}

/// The dress of replies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Replies {
    /// Namespace prefixes (Q27).
    pub prefixes: Prefixes,
    /// Whether `ResultHeader/MessageGUID` of a result repeats the first request's id (Q18), or that of the poll.
    pub original_message: bool,
    /// Dates with a zone, `2023-07-01+03:00`, or without (Q26).
    pub zoned_dates: bool,
    /// `UpdateDate` cut to ten characters (Q26), which the schema forbids.
    pub short_update_dates: bool,
    /// Java stack traces in errors (Q9).
    pub stack_traces: bool,
    /// Faults that say only "Unknown fault occured" (Q9).
    pub unknown_fault: bool,
    /// The header of faults (Q9).
    pub fault_header: FaultHeader,
    /// Whether finished results are signed (Q38).
    pub signed: bool,
    /// What a breach of the schema gets (Q10).
    pub schema_violation: SchemaViolation,
}

impl Default for Replies {
    fn default() -> Self {
        Self {
            prefixes: Prefixes::Random,
            original_message: true,
            zoned_dates: true,
            short_update_dates: false,
            stack_traces: false,
            unknown_fault: false,
            fault_header: FaultHeader::Empty,
            signed: true,
            schema_violation: SchemaViolation::Http400,
        }
    }
}

/// Namespace prefixes of replies (Q27).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prefixes {
    /// Those of the recorded replies.
    Stable,
    /// Others in every reply, and unused ones beside them.
    Random,
}

/// The header of faults (Q9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultHeader {
    /// No header at all.
    None,
    /// An empty header.
    Empty,
    /// An empty header and the prefix `s`, whatever the other prefixes.
    Odd,
}

/// What a request that breaks the schema gets (Q10); one that is no XML always gets the Fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemaViolation {
    /// HTTP 400 without details.
    Http400,
    /// A SOAP Fault FMT001300 that names the place.
    Fault,
}

/// The check of the client's signature (Q38).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signature {
    /// How strict.
    pub check: SignatureCheck,
}

impl Default for Signature {
    fn default() -> Self {
        Self { check: SignatureCheck::Strict }
    }
}

/// How the client's signature is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureCheck {
    /// It must verify.
    Strict,
    /// It must be there.
    Present,
    /// It may be absent.
    Off,
}

/// The file store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// For this long after the upload a file answers FileVirusNotCheckedException (Q35).
    #[serde(with = "humantime_serde")]
    pub virus_check: Duration,
    /// The hash is taken over the first 5 MiB only, as from December 2024 to January 2025 (Q35).
    pub hash_first_part_only: bool,
    /// Whether a file that no answer names can be downloaded.
    pub download_unused: bool,
}

impl Default for Files {
    fn default() -> Self {
        Self { virus_check: Duration::ZERO, hash_first_part_only: false, download_unused: false }
    }
}

/// Connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transport {
    /// Calls of GIS at once above which the rest are turned away (Q41); 0: no bound.
    pub max_parallel: usize,
    /// How they are turned away.
    pub over_parallel: OverParallel,
}

impl Default for Transport {
    fn default() -> Self {
        Self { max_parallel: 0, over_parallel: OverParallel::Reset }
    }
}

/// What a call too many gets (Q41).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OverParallel {
    /// The connection is cut.
    Reset,
    /// HTTP 503.
    Http503,
}

/// A list of durations written as `"10s"`.
mod durations {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(list: &[Duration], serializer: S) -> Result<S::Ok, S::Error> {
        let list: Vec<_> = list.iter().copied().map(humantime_serde::Serde::from).collect();
        list.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Duration>, D::Error> {
        let list = Vec::<humantime_serde::Serde<Duration>>::deserialize(deserializer)?;
        Ok(list.into_iter().map(humantime_serde::Serde::into_inner).collect())
    }
}
