//! The tables of the registry of court debts.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Files, or the rows that clients add one by one.
    court_debt_registries (id) {
        id -> Uid,
        organization_id -> Uid,
        department_id -> Nullable<Uid>,
        file_name -> Nullable<Text>,
        origin -> Text,
        status -> Text,
        row_count -> BigInt,
        refused_count -> BigInt,
        error_count -> BigInt,
        warning_count -> BigInt,
        problems -> Doc,
        created_by -> Text,
        created_at -> Tstz,
        activated_at -> Nullable<Tstz>,
        rows_deleted_at -> Nullable<Tstz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Their rows. content holds personal data.
    court_debts (id) {
        id -> Uid,
        registry_id -> Uid,
        organization_id -> Uid,
        row_number -> Nullable<BigInt>,
        fias_house_id -> Uid,
        gis_house_id -> Nullable<Uid>,
        address -> Nullable<Text>,
        premises -> Text,
        premises_key -> Text,
        in_force_from -> Date,
        repaid_on -> Nullable<Date>,
        noted -> Bool,
        origin -> Text,
        content -> Doc,
        version -> BigInt,
        created_at -> Tstz,
        updated_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::Uid;

    /// Which files they name.
    court_debt_files (court_debt_id, attachment_id) {
        court_debt_id -> Uid,
        attachment_id -> Uid,
    }
}
