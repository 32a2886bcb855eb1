//! The tables of matches with the registry.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Tstz, Uid};

    /// Matches of many debt requests.
    match_runs (id) {
        id -> Uid,
        organization_id -> Uid,
        department_id -> Nullable<Uid>,
        registry_id -> Uid,
        mode -> Text,
        only_debts -> Bool,
        status -> Text,
        total -> BigInt,
        started_by -> Text,
        automatic -> Bool,
        employee_id -> Nullable<Uid>,
        created_at -> Tstz,
        finished_at -> Nullable<Tstz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::Uid;

    /// Rounds of matches that have begun by themselves.
    match_rounds (organization_id) {
        organization_id -> Uid,
        last_run_id -> Uid,
        department_id -> Uid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Uid};

    /// What each came to.
    match_items (run_id, place) {
        run_id -> Uid,
        place -> BigInt,
        debt_request_id -> Uid,
        deed -> Text,
        result -> Nullable<Text>,
        explanation -> Nullable<Doc>,
        answer_id -> Nullable<Uid>,
        error -> Nullable<Text>,
    }
}
