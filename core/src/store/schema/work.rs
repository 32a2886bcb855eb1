//! The tables of work on many things at once.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Tstz, Uid};

    /// Work that takes longer than a request.
    operations (id) {
        id -> Uid,
        organization_id -> Uid,
        kind -> Text,
        status -> Text,
        started_by -> Text,
        total -> BigInt,
        created_at -> Tstz,
        finished_at -> Nullable<Tstz>,
        author -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Uid};

    /// What became of each thing.
    operation_items (operation_id, place) {
        operation_id -> Uid,
        place -> BigInt,
        debt_request_id -> Nullable<Uid>,
        external_id -> Nullable<Text>,
        intake -> Text,
        answer_id -> Nullable<Uid>,
        errors -> Doc,
    }
}
