//! The tables of what was told once.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Tstz, Uid};

    /// Submissions of which it was told that they are late.
    delay_notices (submission_id, reason) {
        submission_id -> Uid,
        reason -> Text,
        told_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Tstz, Uid};

    /// Tokens and certificates of which it was told that their end is near.
    expiry_notices (organization_id, subject, days) {
        organization_id -> Uid,
        subject -> Text,
        days -> BigInt,
        told_at -> Tstz,
    }
}
