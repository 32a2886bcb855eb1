//! The tables of spreadsheets.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Lists that are written into spreadsheets; the files lie in the file store.
    exports (id) {
        id -> Uid,
        organization_id -> Uid,
        kind -> Text,
        filter -> Doc,
        with_answers -> Bool,
        status -> Text,
        started_by -> Text,
        requests -> BigInt,
        content_id -> Nullable<Uid>,
        file_size -> Nullable<BigInt>,
        error -> Nullable<Doc>,
        created_at -> Tstz,
        finished_at -> Nullable<Tstz>,
        expires_at -> Nullable<Tstz>,
        tries -> BigInt,
        worker -> Nullable<Uid>,
        lease_until -> Nullable<Tstz>,
        account_found -> Nullable<Bool>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Spreadsheets with answers that came in; the workbooks lie in the file store.
    imports (id) {
        id -> Uid,
        organization_id -> Uid,
        mode -> Text,
        answer_column -> Text,
        submit -> Bool,
        status -> Text,
        started_by -> Text,
        token_id -> Uid,
        employee_id -> Nullable<Uid>,
        file_name -> Text,
        file_size -> BigInt,
        content_id -> Uid,
        counts -> Nullable<Doc>,
        taken -> BigInt,
        marked_id -> Nullable<Uid>,
        error -> Nullable<Doc>,
        created_at -> Tstz,
        finished_at -> Nullable<Tstz>,
        expires_at -> Nullable<Tstz>,
        tries -> BigInt,
        worker -> Nullable<Uid>,
        lease_until -> Nullable<Tstz>,
        uploaded_by -> Text,
        uploader_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Uid};

    /// What became of each answer, or of a row that is none, by the first row.
    import_rows (import_id, row_number) {
        import_id -> Uid,
        row_number -> BigInt,
        debt_request_id -> Nullable<Uid>,
        has_debt -> Nullable<Bool>,
        waits_for_files -> Bool,
        intake -> Text,
        answer_id -> Nullable<Uid>,
        errors -> Doc,
    }
}
