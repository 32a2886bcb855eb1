//! Tables as diesel sees them; `migrations/` makes them, and a test compares the two.

mod audit;
mod automation;
mod book;
mod matching;
mod notices;
mod people;
mod registry;
mod spreadsheets;
mod webhooks;
mod work;

pub(crate) use audit::audit_log;
pub(crate) use automation::{auto_answer_runs, deadline_notices, matches_due, organization_settings};
pub(crate) use book::accounts;
pub(crate) use matching::{match_items, match_rounds, match_runs};
pub(crate) use notices::{delay_notices, expiry_notices};
pub(crate) use people::{assignments, department_houses, departments};
pub(crate) use registry::{court_debt_files, court_debt_registries, court_debts};
pub(crate) use spreadsheets::{exports, import_rows, imports};
pub(crate) use webhooks::{webhook_deliveries, webhook_endpoints};
pub(crate) use work::{operation_items, operations};

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Random keys that every instance shares: cursors and the like.
    keys (name) {
        name -> Text,
        secret -> Binary,
        created_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Suppliers served here. Two of them never have one orgPPAGUID: a subrequest would have two owners.
    organizations (id) {
        id -> Uid,
        name -> Text,
        ogrn -> Text,
        ppa_guid -> Uid,
        signer -> Text,
        time_zone -> Text,
        default_executor_id -> Nullable<Uid>,
        content_key -> Binary,
        halted -> Nullable<Doc>,
        version -> BigInt,
        created_at -> Tstz,
        updated_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// People who answer; gis_guid is the executorGUID of the personal cabinet.
    employees (id) {
        id -> Uid,
        organization_id -> Uid,
        full_name -> Text,
        gis_guid -> Nullable<Uid>,
        department_id -> Nullable<Uid>,
        active -> Bool,
        version -> BigInt,
        created_at -> Tstz,
        updated_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Tokens that were issued; the token itself is not kept.
    tokens (jti) {
        jti -> Uid,
        name -> Text,
        scopes -> Text,
        organizations -> Doc,
        employee_id -> Nullable<Uid>,
        created_by -> Text,
        created_at -> Tstz,
        expires_at -> Tstz,
        last_used_at -> Nullable<Tstz>,
        revoked_at -> Nullable<Tstz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// The mirror of GIS subrequests, with a summary of the current answer for the list.
    debt_requests (id) {
        id -> Uid,
        organization_id -> Uid,
        request_id -> Nullable<Uid>,
        request_number -> Text,
        requester_id -> Nullable<Uid>,
        requester_name -> Nullable<Text>,
        requester_folded -> Text,
        requester_phone -> Nullable<Text>,
        requester_employee -> Nullable<Text>,
        address -> Nullable<Text>,
        address_folded -> Text,
        premises -> Nullable<Text>,
        object_type -> Nullable<Text>,
        fias_house_id -> Nullable<Uid>,
        gis_house_id -> Nullable<Uid>,
        gis_object_id -> Nullable<Uid>,
        period_from -> Nullable<Date>,
        period_to -> Nullable<Date>,
        sent_on -> Nullable<Date>,
        due_on -> Nullable<Date>,
        sent_key -> Date,
        due_key -> Date,
        request_status -> Text,
        response_status -> Text,
        gis_has_debt -> Nullable<Bool>,
        gis_content_hash -> Nullable<Text>,
        viewed_at -> Nullable<Tstz>,
        synced_at -> Tstz,
        stage -> Text,
        answered -> Bool,
        department_id -> Nullable<Uid>,
        responsible_id -> Nullable<Uid>,
        executor_id -> Nullable<Uid>,
        assigned_by_hand -> Bool,
        note -> Nullable<Text>,
        match_result -> Nullable<Text>,
        match_registry_id -> Nullable<Uid>,
        match_checked_at -> Nullable<Tstz>,
        answer_id -> Nullable<Uid>,
        answer_state -> Nullable<Text>,
        answer_has_debt -> Nullable<Bool>,
        answer_updated_at -> Nullable<Tstz>,
        draft_id -> Nullable<Uid>,
        alarm -> Nullable<Text>,
        version -> BigInt,
        created_at -> Tstz,
        updated_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Revisions of answers. content holds personal data.
    answers (id) {
        id -> Uid,
        organization_id -> Uid,
        debt_request_id -> Uid,
        external_id -> Nullable<Text>,
        revision -> BigInt,
        state -> Text,
        has_debt -> Bool,
        content -> Doc,
        executor_id -> Nullable<Uid>,
        source -> Text,
        author -> Text,
        content_hash -> Text,
        warnings -> Doc,
        last_error -> Nullable<Doc>,
        blocked_by_id -> Nullable<Uid>,
        superseded_by_id -> Nullable<Uid>,
        confirm -> Doc,
        reason -> Nullable<Text>,
        return_comment -> Nullable<Text>,
        maybe_sent -> Bool,
        confirmed_in_gis -> Bool,
        gis_updated_at -> Nullable<Tstz>,
        next_check_at -> Nullable<Tstz>,
        trace -> Nullable<Text>,
        version -> BigInt,
        created_at -> Tstz,
        updated_at -> Tstz,
        submitted_at -> Nullable<Tstz>,
        settled_at -> Nullable<Tstz>,
        delivered_at -> Nullable<Tstz>,
        personal_data_erased_at -> Nullable<Tstz>,
        waits_for_files -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Every name that clients gave to answers, aliases too.
    external_ids (organization_id, external_id) {
        organization_id -> Uid,
        external_id -> Text,
        answer_id -> Uid,
        created_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// What is to be done in GIS for a revision: one row an action, with its fixed TransportGUID.
    submissions (id) {
        id -> Uid,
        organization_id -> Uid,
        debt_request_id -> Uid,
        answer_id -> Uid,
        action -> Text,
        transport_guid -> Uid,
        state -> Text,
        attempts -> BigInt,
        has_debt -> Bool,
        due_key -> Date,
        not_before -> Tstz,
        look_first -> Bool,
        pack_limit -> Nullable<BigInt>,
        began_at -> Nullable<Tstz>,
        uncertain_since -> Nullable<Tstz>,
        looked_at -> Nullable<Tstz>,
        repairs -> BigInt,
        error -> Nullable<Doc>,
        created_at -> Tstz,
        updated_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Asynchronous calls of GIS. A row is committed before its call, with a lease that bounds the call.
    messages (id) {
        id -> Uid,
        organization_id -> Uid,
        kind -> Text,
        state -> Text,
        purpose -> Doc,
        worker -> Nullable<Uid>,
        lease_until -> Nullable<Tstz>,
        gis_guid -> Nullable<Uid>,
        sent_at -> Tstz,
        acknowledged_at -> Nullable<Tstz>,
        polls -> BigInt,
        next_poll_at -> Nullable<Tstz>,
        failures -> BigInt,
        error -> Nullable<Doc>,
        trace -> Nullable<Text>,
        created_at -> Tstz,
        finished_at -> Nullable<Tstz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Which submissions a message carries, and what became of each.
    attempts (message_id, submission_id) {
        message_id -> Uid,
        submission_id -> Uid,
        number -> BigInt,
        outcome -> Nullable<Text>,
        error -> Nullable<Doc>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Files of answers; the content lies in the file store.
    attachments (id) {
        id -> Uid,
        organization_id -> Uid,
        owner -> Text,
        file_name -> Text,
        description -> Text,
        extension -> Text,
        media_type -> Text,
        size -> BigInt,
        sha256 -> Binary,
        gost_hash -> Binary,
        created_at -> Tstz,
        expires_at -> Nullable<Tstz>,
        used_by_answer_id -> Nullable<Uid>,
        gis_state -> Text,
        gis_guid -> Nullable<Uid>,
        gis_error -> Nullable<Doc>,
        not_before -> Tstz,
        failures -> BigInt,
        lease_until -> Nullable<Tstz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Which attachments an answer uses.
    answer_files (answer_id, attachment_id) {
        answer_id -> Uid,
        attachment_id -> Uid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// What happened, in commit order. No personal data.
    events (sequence) {
        sequence -> BigInt,
        id -> Uid,
        organization_id -> Uid,
        kind -> Text,
        debt_request_id -> Nullable<Uid>,
        answer_id -> Nullable<Uid>,
        data -> Doc,
        occurred_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Replies to requests with an Idempotency-Key, written with their effect.
    receipts (scope) {
        scope -> Binary,
        fingerprint -> Binary,
        status -> BigInt,
        headers -> Doc,
        body -> Binary,
        created_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// Readings of GIS.
    sync_runs (id) {
        id -> Uid,
        organization_id -> Uid,
        started_by -> Text,
        state -> Text,
        window_from -> Date,
        window_to -> Date,
        found -> BigInt,
        added -> BigInt,
        changed -> BigInt,
        pages -> BigInt,
        error -> Nullable<Doc>,
        started_at -> Tstz,
        finished_at -> Nullable<Tstz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// How each operation of GIS has behaved lately: the circuit, shared by all instances.
    gis_operations (operation) {
        operation -> Text,
        circuit -> Doc,
        since -> Tstz,
        last_success_at -> Nullable<Tstz>,
        last_error -> Nullable<Doc>,
        updated_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Doc, Tstz, Uid};

    /// The last activation of each job.
    jobs (name) {
        name -> Text,
        activated_at -> Tstz,
        report -> Doc,
        next_at -> Nullable<Tstz>,
        worker -> Nullable<Uid>,
        lease_until -> Nullable<Tstz>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Tstz, Uid};

    /// Debt requests for which GIS was called more than once.
    watches (debt_request_id) {
        debt_request_id -> Uid,
        organization_id -> Uid,
        last_call_at -> Tstz,
        next_look_at -> Tstz,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::{Tstz, Uid};

    /// The archive of what went over the wire; the bytes lie in the file store.
    evidence (message_id, part) {
        message_id -> Uid,
        part -> Text,
        content_id -> Uid,
        http_status -> Nullable<BigInt>,
        size -> BigInt,
        sha256 -> Binary,
        keep_from -> Date,
        recorded_at -> Tstz,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    keys,
    organizations,
    employees,
    tokens,
    debt_requests,
    answers,
    external_ids,
    submissions,
    messages,
    attempts,
    attachments,
    answer_files,
    events,
    receipts,
    sync_runs,
    gis_operations,
    jobs,
    watches,
    evidence,
    operations,
    operation_items,
    exports,
    imports,
    import_rows,
    court_debt_registries,
    court_debts,
    court_debt_files,
    accounts,
    match_runs,
    match_items,
    match_rounds,
    departments,
    department_houses,
    assignments,
    organization_settings,
    matches_due,
    auto_answer_runs,
    deadline_notices,
    delay_notices,
    expiry_notices,
    webhook_endpoints,
    webhook_deliveries
);

diesel::joinable!(attempts -> messages (message_id));
diesel::joinable!(attempts -> submissions (submission_id));
diesel::joinable!(submissions -> debt_requests (debt_request_id));
diesel::joinable!(submissions -> answers (answer_id));
diesel::joinable!(answers -> debt_requests (debt_request_id));
diesel::joinable!(answer_files -> attachments (attachment_id));
diesel::joinable!(answer_files -> answers (answer_id));
diesel::joinable!(external_ids -> answers (answer_id));
diesel::joinable!(court_debts -> court_debt_registries (registry_id));
diesel::joinable!(departments -> employees (responsible_id));

diesel::allow_columns_to_appear_in_same_group_by_clause!(operation_items::intake, answers::state);
diesel::allow_columns_to_appear_in_same_group_by_clause!(operation_items::operation_id, answers::state);
diesel::allow_columns_to_appear_in_same_group_by_clause!(import_rows::intake, answers::state);
diesel::allow_columns_to_appear_in_same_group_by_clause!(import_rows::import_id, answers::state);
