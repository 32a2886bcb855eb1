//! Days and moments of the views with many of them. Their own way into serde writes each character for itself, a third
//! of the time that a page takes to be written; what comes out is the same.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::Serializer;

/// RFC 3339 in UTC, as chrono writes it.
pub(super) fn moment<S: Serializer>(moment: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// `2026-11-05`, or null.
#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
pub(super) fn day<S: Serializer>(day: &Option<NaiveDate>, serializer: S) -> Result<S::Ok, S::Error> {
    match day {
        Some(day) => serializer.serialize_str(&day.to_string()),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::*;

    #[derive(Serialize)]
    struct Ours {
        #[serde(serialize_with = "moment")]
        moment: DateTime<Utc>,
        #[serde(serialize_with = "day")]
        day: Option<NaiveDate>,
    }

    #[derive(Serialize)]
    struct Theirs {
        moment: DateTime<Utc>,
        day: Option<NaiveDate>,
    }

    proptest! {
        #[test]
        fn they_are_written_as_chrono_writes_them(micros in 0_i64..253_402_300_800_000_000, whole: bool, day: bool) {
            let micros = if whole { micros / 1_000_000 * 1_000_000 } else { micros };
            let moment = DateTime::from_timestamp_micros(micros).unwrap();
            let day = day.then(|| moment.date_naive());
            let ours = serde_json::to_string(&Ours { moment, day }).unwrap();
            prop_assert_eq!(ours, serde_json::to_string(&Theirs { moment, day }).unwrap());
        }
    }
}
