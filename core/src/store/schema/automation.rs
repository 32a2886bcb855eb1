//! The tables of what is done by itself.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// What organisations have set for themselves.
    organization_settings (organization_id, subject) {
        organization_id -> Uid,
        subject -> Text,
        content -> Doc,
        version -> BigInt,
        updated_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Tstz, Uid};

    /// Organisations whose debt requests wait to be matched.
    matches_due (organization_id) {
        organization_id -> Uid,
        since -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Automatic answers, one run a day.
    auto_answer_runs (organization_id, run_on) {
        organization_id -> Uid,
        run_on -> Date,
        began_at -> Tstz,
        asked_at -> Nullable<Tstz>,
        looks -> Doc,
        finished_at -> Nullable<Tstz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Tstz, Uid};

    /// Debt requests of which it was told that their deadline is near.
    deadline_notices (debt_request_id) {
        debt_request_id -> Uid,
        told_at -> Tstz,
    }
}
