//! The tables of webhooks.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Addresses that events are sent to, how far the log was looked at for them, and who sends just now.
    webhook_endpoints (id) {
        id -> Uid,
        organization_id -> Uid,
        url -> Text,
        description -> Nullable<Text>,
        masks -> Doc,
        secret -> Binary,
        previous_secrets -> Doc,
        enabled -> Bool,
        disabled_reason -> Nullable<Text>,
        failing_since -> Nullable<Tstz>,
        last_sequence -> BigInt,
        rest_until -> Nullable<Tstz>,
        worker -> Nullable<Uid>,
        lease_until -> Nullable<Tstz>,
        version -> BigInt,
        created_at -> Tstz,
        updated_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Tstz, Uid};

    /// Events on their way to an address, and those that have arrived.
    webhook_deliveries (endpoint_id, sequence) {
        endpoint_id -> Uid,
        sequence -> BigInt,
        status -> Text,
        attempts -> BigInt,
        last_attempt_at -> Nullable<Tstz>,
        response_status -> Nullable<BigInt>,
        failure -> Nullable<Text>,
        next_attempt_at -> Nullable<Tstz>,
    }
}
