//! The tables of departments and of who gets which debt request.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Tstz, Uid};

    /// Departments of suppliers.
    departments (id) {
        id -> Uid,
        organization_id -> Uid,
        name -> Text,
        responsible_id -> Uid,
        house_count -> BigInt,
        version -> BigInt,
        created_at -> Tstz,
        updated_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::Uid;

    /// Their houses: each belongs to one department at most.
    department_houses (organization_id, fias_house_id) {
        organization_id -> Uid,
        fias_house_id -> Uid,
        department_id -> Uid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::Uid;

    /// Suppliers whose unanswered debt requests are to be given out anew, and how far that is.
    assignments (organization_id) {
        organization_id -> Uid,
        due_key -> Date,
        debt_request_id -> Uid,
    }
}
