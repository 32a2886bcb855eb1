//! The table of the book of accounts.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::Uid;

    /// Accounts of premises.
    accounts (organization_id, place) {
        organization_id -> Uid,
        place -> BigInt,
        fias_house_id -> Uid,
        premises -> Nullable<Text>,
        place_key -> Text,
        unified_account -> Nullable<Text>,
        account -> Nullable<Text>,
    }
}
