-- The first step. The same in both dialects; times in SQLite are microseconds since 1970, identifiers 16 bytes.

-- Random keys that every instance shares: cursors and the like.
CREATE TABLE keys (
    name text PRIMARY KEY NOT NULL,
    secret blob NOT NULL,
    created_at integer NOT NULL
) STRICT;

-- Suppliers served here. Two of them never have one orgPPAGUID: a subrequest would have two owners.
CREATE TABLE organizations (
    id blob PRIMARY KEY NOT NULL,
    name text NOT NULL,
    ogrn text NOT NULL,
    ppa_guid blob NOT NULL UNIQUE,
    signer text NOT NULL,
    time_zone text NOT NULL,
    default_executor_id blob,
    content_key blob NOT NULL,
    halted text,
    version integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL
) STRICT;

-- People who answer; gis_guid is the executorGUID of the personal cabinet.
CREATE TABLE employees (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    full_name text NOT NULL,
    gis_guid blob,
    department_id blob,
    created_at integer NOT NULL
) STRICT;
CREATE INDEX employees_by_organization_id ON employees (organization_id);

-- Tokens that were issued; the token itself is not kept.
CREATE TABLE tokens (
    jti blob PRIMARY KEY NOT NULL,
    name text NOT NULL,
    scopes text NOT NULL,
    organizations text NOT NULL,
    employee_id blob,
    created_by text NOT NULL,
    created_at integer NOT NULL,
    expires_at integer NOT NULL,
    last_used_at integer,
    revoked_at integer
) STRICT;

-- The mirror of GIS subrequests, with a summary of the current answer for the list.
CREATE TABLE debt_requests (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    request_id blob,
    request_number text NOT NULL,
    requester_id blob,
    requester_name text,
    requester_folded text NOT NULL,
    requester_phone text,
    requester_employee text,
    address text,
    address_folded text NOT NULL,
    premises text,
    object_type text,
    fias_house_id blob,
    gis_house_id blob,
    gis_object_id blob,
    period_from text,
    period_to text,
    sent_on text,
    due_on text,
    sent_key text NOT NULL,
    due_key text NOT NULL,
    request_status text NOT NULL,
    response_status text NOT NULL,
    gis_has_debt integer,
    gis_content_hash text,
    viewed_at integer,
    synced_at integer NOT NULL,
    stage text NOT NULL,
    answered integer NOT NULL,
    department_id blob,
    responsible_id blob,
    executor_id blob,
    note text,
    match_result text,
    match_registry_id blob,
    match_checked_at integer,
    answer_id blob,
    answer_state text,
    answer_has_debt integer,
    answer_updated_at integer,
    draft_id blob,
    alarm text,
    version integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL
) STRICT;
-- Each filter of the list has its index in the usual order; what is counted stands in the index beside the key.
CREATE INDEX debt_requests_by_organization_id_due_key_id ON debt_requests (organization_id, due_key, id);
CREATE INDEX debt_requests_by_organization_id_answered_due_key_id ON debt_requests (organization_id, answered, due_key, id, stage);
CREATE INDEX debt_requests_by_organization_id_stage_due_key_id ON debt_requests (organization_id, stage, due_key, id, answered);
CREATE INDEX debt_requests_by_organization_id_executor_id_due_key_id ON debt_requests (organization_id, executor_id, due_key, id);
CREATE INDEX debt_requests_by_organization_id_sent_key_id ON debt_requests (organization_id, sent_key, id);
CREATE INDEX debt_requests_by_organization_id_updated_at_id ON debt_requests (organization_id, updated_at, id);
CREATE INDEX debt_requests_by_organization_id_request_number ON debt_requests (organization_id, request_number, due_key, id);
CREATE INDEX debt_requests_by_organization_id_requester_id ON debt_requests (organization_id, requester_id, due_key, id);
CREATE INDEX debt_requests_by_organization_id_fias_house_id ON debt_requests (organization_id, fias_house_id, due_key, id);
CREATE INDEX debt_requests_by_organization_id_answer_state ON debt_requests (organization_id, answer_state, due_key, id);
CREATE INDEX debt_requests_with_draft ON debt_requests (organization_id, due_key, id) WHERE draft_id IS NOT NULL;
CREATE INDEX debt_requests_matched ON debt_requests (organization_id, match_result, due_key, id) WHERE match_result IS NOT NULL;

-- Revisions of answers. content holds personal data.
CREATE TABLE answers (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    debt_request_id blob NOT NULL REFERENCES debt_requests,
    external_id text,
    revision integer NOT NULL,
    state text NOT NULL,
    has_debt integer NOT NULL,
    content text NOT NULL,
    executor_id blob,
    source text NOT NULL,
    author text NOT NULL,
    content_hash text NOT NULL,
    warnings text NOT NULL,
    last_error text,
    blocked_by_id blob,
    superseded_by_id blob,
    confirm text NOT NULL,
    reason text,
    return_comment text,
    maybe_sent integer NOT NULL,
    confirmed_in_gis integer NOT NULL,
    gis_updated_at integer,
    next_check_at integer,
    trace text,
    version integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL,
    submitted_at integer,
    settled_at integer,
    UNIQUE (debt_request_id, revision)
) STRICT;
CREATE INDEX answers_by_organization_id_updated_at_id ON answers (organization_id, updated_at, id);
CREATE INDEX answers_by_organization_id_state_updated_at_id ON answers (organization_id, state, updated_at, id);
CREATE INDEX answers_by_organization_id_state_confirmed_in_gis_next_check_at
    ON answers (organization_id, state, confirmed_in_gis, next_check_at);
CREATE INDEX answers_by_blocked_by_id ON answers (blocked_by_id);

-- Every name that clients gave to answers, aliases too.
CREATE TABLE external_ids (
    organization_id blob NOT NULL REFERENCES organizations,
    external_id text NOT NULL,
    answer_id blob NOT NULL REFERENCES answers,
    created_at integer NOT NULL,
    PRIMARY KEY (organization_id, external_id)
) STRICT;
CREATE INDEX external_ids_by_answer_id ON external_ids (answer_id);

-- What is to be done in GIS for a revision: one row an action, with its fixed TransportGUID.
CREATE TABLE submissions (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    debt_request_id blob NOT NULL REFERENCES debt_requests,
    answer_id blob NOT NULL REFERENCES answers,
    action text NOT NULL,
    transport_guid blob NOT NULL UNIQUE,
    state text NOT NULL,
    attempts integer NOT NULL,
    has_debt integer NOT NULL,
    due_key text NOT NULL,
    not_before integer NOT NULL,
    look_first integer NOT NULL,
    pack_limit integer,
    began_at integer,
    uncertain_since integer,
    looked_at integer,
    repairs integer NOT NULL,
    error text,
    created_at integer NOT NULL,
    updated_at integer NOT NULL
) STRICT;
CREATE INDEX submissions_by_state_not_before ON submissions (state, not_before);
CREATE INDEX submissions_in_order
    ON submissions (organization_id, has_debt, state, created_at, id, due_key);
CREATE INDEX submissions_by_answer_id ON submissions (answer_id);
CREATE INDEX submissions_by_debt_request_id ON submissions (debt_request_id);
-- Never two submissions live for one subrequest, whichever organisation or answer they belong to.
CREATE UNIQUE INDEX submissions_one_live ON submissions (debt_request_id) WHERE state IN ('sending', 'accepted', 'uncertain');

-- Debt requests for which GIS was called more than once: looked at until no late copy of a call can be out any more.
CREATE TABLE watches (
    debt_request_id blob PRIMARY KEY NOT NULL REFERENCES debt_requests,
    organization_id blob NOT NULL REFERENCES organizations,
    last_call_at integer NOT NULL,
    next_look_at integer NOT NULL
) STRICT;
CREATE INDEX watches_by_next_look_at ON watches (next_look_at);

-- Asynchronous calls of GIS. A row is committed before its call, with a lease that bounds the call.
CREATE TABLE messages (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    kind text NOT NULL,
    state text NOT NULL,
    purpose text NOT NULL,
    worker blob,
    lease_until integer,
    gis_guid blob,
    sent_at integer NOT NULL,
    acknowledged_at integer,
    polls integer NOT NULL,
    next_poll_at integer,
    failures integer NOT NULL,
    error text,
    trace text,
    created_at integer NOT NULL,
    finished_at integer
) STRICT;
CREATE INDEX messages_by_state_next_poll_at ON messages (state, next_poll_at);
CREATE INDEX messages_by_state_lease_until ON messages (state, lease_until);
CREATE INDEX messages_by_organization_id_kind_state ON messages (organization_id, kind, state);

-- Which submissions a message carries, and what became of each.
CREATE TABLE attempts (
    message_id blob NOT NULL REFERENCES messages,
    submission_id blob NOT NULL REFERENCES submissions,
    number integer NOT NULL,
    outcome text,
    error text,
    PRIMARY KEY (message_id, submission_id)
) STRICT;
CREATE INDEX attempts_by_submission_id ON attempts (submission_id);

-- The archive of what went over the wire: signed messages with answers, and what came back; the bytes lie in the file store.
CREATE TABLE evidence (
    message_id blob NOT NULL REFERENCES messages,
    part text NOT NULL,
    content_id blob NOT NULL UNIQUE,
    http_status integer,
    size integer NOT NULL,
    sha256 blob NOT NULL,
    keep_from text NOT NULL,
    recorded_at integer NOT NULL,
    PRIMARY KEY (message_id, part)
) STRICT;
CREATE INDEX evidence_by_keep_from ON evidence (keep_from);

-- Files of answers; the content lies in the file store.
CREATE TABLE attachments (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    owner text NOT NULL,
    file_name text NOT NULL,
    description text NOT NULL,
    extension text NOT NULL,
    media_type text NOT NULL,
    size integer NOT NULL,
    sha256 blob NOT NULL,
    gost_hash blob NOT NULL,
    created_at integer NOT NULL,
    expires_at integer,
    used_by_answer_id blob,
    gis_state text NOT NULL,
    gis_guid blob,
    gis_error text,
    not_before integer NOT NULL,
    failures integer NOT NULL,
    lease_until integer
) STRICT;
CREATE INDEX attachments_by_organization_id_owner_sha256 ON attachments (organization_id, owner, sha256);
CREATE INDEX attachments_by_gis_state_not_before ON attachments (gis_state, not_before);
CREATE INDEX attachments_by_expires_at ON attachments (expires_at);

-- Which attachments an answer uses.
CREATE TABLE answer_files (
    answer_id blob NOT NULL REFERENCES answers,
    attachment_id blob NOT NULL REFERENCES attachments,
    PRIMARY KEY (answer_id, attachment_id)
) STRICT;
CREATE INDEX answer_files_by_attachment_id ON answer_files (attachment_id);

-- What happened, in commit order. No personal data.
CREATE TABLE events (
    sequence integer PRIMARY KEY AUTOINCREMENT,
    id blob NOT NULL UNIQUE,
    organization_id blob NOT NULL REFERENCES organizations,
    kind text NOT NULL,
    debt_request_id blob,
    answer_id blob,
    data text NOT NULL,
    occurred_at integer NOT NULL
) STRICT;
CREATE INDEX events_by_organization_id_sequence ON events (organization_id, sequence);
CREATE INDEX events_by_debt_request_id_sequence ON events (debt_request_id, sequence);

-- Replies to requests with an Idempotency-Key, written with their effect.
CREATE TABLE receipts (
    scope blob PRIMARY KEY NOT NULL,
    fingerprint blob NOT NULL,
    status integer NOT NULL,
    headers text NOT NULL,
    body blob NOT NULL,
    created_at integer NOT NULL
) STRICT;
CREATE INDEX receipts_by_created_at ON receipts (created_at);

-- Readings of GIS.
CREATE TABLE sync_runs (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    started_by text NOT NULL,
    state text NOT NULL,
    window_from text NOT NULL,
    window_to text NOT NULL,
    found integer NOT NULL,
    added integer NOT NULL,
    changed integer NOT NULL,
    pages integer NOT NULL,
    error text,
    started_at integer NOT NULL,
    finished_at integer
) STRICT;
CREATE INDEX sync_runs_by_organization_id_started_at ON sync_runs (organization_id, started_at);
CREATE UNIQUE INDEX sync_runs_running ON sync_runs (organization_id) WHERE state = 'running';

-- How each operation of GIS has behaved lately: the circuit, shared by all instances.
CREATE TABLE gis_operations (
    operation text PRIMARY KEY NOT NULL,
    circuit text NOT NULL,
    since integer NOT NULL,
    last_success_at integer,
    last_error text,
    updated_at integer NOT NULL
) STRICT;

-- The last activation of each job.
CREATE TABLE jobs (
    name text PRIMARY KEY NOT NULL,
    activated_at integer NOT NULL,
    report text NOT NULL,
    next_at integer,
    worker blob,
    lease_until integer
) STRICT;
