//! The table of what was done on whose request.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// What was done on whose request. No personal data. An entry outlives its organisation, so it refers to none.
    audit_log (id) {
        id -> Uid,
        organization_id -> Uid,
        at -> Tstz,
        actor -> Text,
        token_id -> Nullable<Uid>,
        token_name -> Nullable<Text>,
        employee_id -> Nullable<Uid>,
        ip -> Nullable<Text>,
        action -> Text,
        target -> Text,
        before_hash -> Nullable<Text>,
        after_hash -> Nullable<Text>,
        confirm -> Doc,
        reason -> Nullable<Text>,
        request_id -> Nullable<Text>,
    }
}
