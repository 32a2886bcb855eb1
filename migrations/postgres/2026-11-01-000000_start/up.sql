-- The first step. The same in both dialects; times in SQLite are microseconds since 1970, identifiers 16 bytes.

-- Random keys that every instance shares: cursors and the like.
CREATE TABLE keys (
    name text COLLATE "C" PRIMARY KEY NOT NULL,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL
);

-- Suppliers served here. Two of them never have one orgPPAGUID: a subrequest would have two owners.
CREATE TABLE organizations (
    id uuid PRIMARY KEY NOT NULL,
    name text COLLATE "C" NOT NULL,
    ogrn text COLLATE "C" NOT NULL,
    ppa_guid uuid NOT NULL UNIQUE,
    signer text COLLATE "C" NOT NULL,
    time_zone text COLLATE "C" NOT NULL,
    default_executor_id uuid,
    content_key bytea NOT NULL,
    halted jsonb,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- People who answer; gis_guid is the executorGUID of the personal cabinet.
CREATE TABLE employees (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    full_name text COLLATE "C" NOT NULL,
    gis_guid uuid,
    department_id uuid,
    created_at timestamptz NOT NULL
);
CREATE INDEX employees_by_organization_id ON employees (organization_id);

-- Tokens that were issued; the token itself is not kept.
CREATE TABLE tokens (
    jti uuid PRIMARY KEY NOT NULL,
    name text COLLATE "C" NOT NULL,
    scopes text COLLATE "C" NOT NULL,
    organizations jsonb NOT NULL,
    employee_id uuid,
    created_by text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz
);

-- The mirror of GIS subrequests, with a summary of the current answer for the list.
CREATE TABLE debt_requests (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    request_id uuid,
    request_number text COLLATE "C" NOT NULL,
    requester_id uuid,
    requester_name text COLLATE "C",
    requester_folded text COLLATE "C" NOT NULL,
    requester_phone text COLLATE "C",
    requester_employee text COLLATE "C",
    address text COLLATE "C",
    address_folded text COLLATE "C" NOT NULL,
    premises text COLLATE "C",
    object_type text COLLATE "C",
    fias_house_id uuid,
    gis_house_id uuid,
    gis_object_id uuid,
    period_from date,
    period_to date,
    sent_on date,
    due_on date,
    sent_key date NOT NULL,
    due_key date NOT NULL,
    request_status text COLLATE "C" NOT NULL,
    response_status text COLLATE "C" NOT NULL,
    gis_has_debt boolean,
    gis_content_hash text COLLATE "C",
    viewed_at timestamptz,
    synced_at timestamptz NOT NULL,
    stage text COLLATE "C" NOT NULL,
    answered boolean NOT NULL,
    department_id uuid,
    responsible_id uuid,
    executor_id uuid,
    note text COLLATE "C",
    match_result text COLLATE "C",
    match_registry_id uuid,
    match_checked_at timestamptz,
    answer_id uuid,
    answer_state text COLLATE "C",
    answer_has_debt boolean,
    answer_updated_at timestamptz,
    draft_id uuid,
    alarm text COLLATE "C",
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
-- Each filter of the list has its index in the usual order; what is counted stands in the index beside the key.
CREATE INDEX debt_requests_by_organization_id_due_key_id ON debt_requests (organization_id, due_key, id);
CREATE INDEX debt_requests_by_organization_id_answered_due_key_id ON debt_requests (organization_id, answered, due_key, id) INCLUDE (stage);
CREATE INDEX debt_requests_by_organization_id_stage_due_key_id ON debt_requests (organization_id, stage, due_key, id) INCLUDE (answered);
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
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    debt_request_id uuid NOT NULL REFERENCES debt_requests,
    external_id text COLLATE "C",
    revision bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    has_debt boolean NOT NULL,
    content jsonb NOT NULL,
    executor_id uuid,
    source text COLLATE "C" NOT NULL,
    author text COLLATE "C" NOT NULL,
    content_hash text COLLATE "C" NOT NULL,
    warnings jsonb NOT NULL,
    last_error jsonb,
    blocked_by_id uuid,
    superseded_by_id uuid,
    confirm jsonb NOT NULL,
    reason text COLLATE "C",
    return_comment text COLLATE "C",
    maybe_sent boolean NOT NULL,
    confirmed_in_gis boolean NOT NULL,
    gis_updated_at timestamptz,
    next_check_at timestamptz,
    trace text COLLATE "C",
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    submitted_at timestamptz,
    settled_at timestamptz,
    UNIQUE (debt_request_id, revision)
);
CREATE INDEX answers_by_organization_id_updated_at_id ON answers (organization_id, updated_at, id);
CREATE INDEX answers_by_organization_id_state_updated_at_id ON answers (organization_id, state, updated_at, id);
CREATE INDEX answers_by_organization_id_state_confirmed_in_gis_next_check_at
    ON answers (organization_id, state, confirmed_in_gis, next_check_at);
CREATE INDEX answers_by_blocked_by_id ON answers (blocked_by_id);

-- Every name that clients gave to answers, aliases too.
CREATE TABLE external_ids (
    organization_id uuid NOT NULL REFERENCES organizations,
    external_id text COLLATE "C" NOT NULL,
    answer_id uuid NOT NULL REFERENCES answers,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, external_id)
);
CREATE INDEX external_ids_by_answer_id ON external_ids (answer_id);

-- What is to be done in GIS for a revision: one row an action, with its fixed TransportGUID.
CREATE TABLE submissions (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    debt_request_id uuid NOT NULL REFERENCES debt_requests,
    answer_id uuid NOT NULL REFERENCES answers,
    action text COLLATE "C" NOT NULL,
    transport_guid uuid NOT NULL UNIQUE,
    state text COLLATE "C" NOT NULL,
    attempts bigint NOT NULL,
    has_debt boolean NOT NULL,
    due_key date NOT NULL,
    not_before timestamptz NOT NULL,
    look_first boolean NOT NULL,
    pack_limit bigint,
    began_at timestamptz,
    uncertain_since timestamptz,
    looked_at timestamptz,
    repairs bigint NOT NULL,
    error jsonb,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX submissions_by_state_not_before ON submissions (state, not_before);
CREATE INDEX submissions_in_order
    ON submissions (organization_id, has_debt, state, created_at, id, due_key);
CREATE INDEX submissions_by_answer_id ON submissions (answer_id);
CREATE INDEX submissions_by_debt_request_id ON submissions (debt_request_id);
-- Never two submissions live for one subrequest, whichever organisation or answer they belong to.
CREATE UNIQUE INDEX submissions_one_live ON submissions (debt_request_id) WHERE state IN ('sending', 'accepted', 'uncertain');

-- Debt requests for which GIS was called more than once: looked at until no late copy of a call can be out any more.
CREATE TABLE watches (
    debt_request_id uuid PRIMARY KEY NOT NULL REFERENCES debt_requests,
    organization_id uuid NOT NULL REFERENCES organizations,
    last_call_at timestamptz NOT NULL,
    next_look_at timestamptz NOT NULL
);
CREATE INDEX watches_by_next_look_at ON watches (next_look_at);

-- Asynchronous calls of GIS. A row is committed before its call, with a lease that bounds the call.
CREATE TABLE messages (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    kind text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    purpose jsonb NOT NULL,
    worker uuid,
    lease_until timestamptz,
    gis_guid uuid,
    sent_at timestamptz NOT NULL,
    acknowledged_at timestamptz,
    polls bigint NOT NULL,
    next_poll_at timestamptz,
    failures bigint NOT NULL,
    error jsonb,
    trace text COLLATE "C",
    created_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX messages_by_state_next_poll_at ON messages (state, next_poll_at);
CREATE INDEX messages_by_state_lease_until ON messages (state, lease_until);
CREATE INDEX messages_by_organization_id_kind_state ON messages (organization_id, kind, state);

-- Which submissions a message carries, and what became of each.
CREATE TABLE attempts (
    message_id uuid NOT NULL REFERENCES messages,
    submission_id uuid NOT NULL REFERENCES submissions,
    number bigint NOT NULL,
    outcome text COLLATE "C",
    error jsonb,
    PRIMARY KEY (message_id, submission_id)
);
CREATE INDEX attempts_by_submission_id ON attempts (submission_id);

-- The archive of what went over the wire: signed messages with answers, and what came back; the bytes lie in the file store.
CREATE TABLE evidence (
    message_id uuid NOT NULL REFERENCES messages,
    part text COLLATE "C" NOT NULL,
    content_id uuid NOT NULL UNIQUE,
    http_status bigint,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    keep_from date NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (message_id, part)
);
CREATE INDEX evidence_by_keep_from ON evidence (keep_from);

-- Files of answers; the content lies in the file store.
CREATE TABLE attachments (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    owner text COLLATE "C" NOT NULL,
    file_name text COLLATE "C" NOT NULL,
    description text COLLATE "C" NOT NULL,
    extension text COLLATE "C" NOT NULL,
    media_type text COLLATE "C" NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    gost_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    used_by_answer_id uuid,
    gis_state text COLLATE "C" NOT NULL,
    gis_guid uuid,
    gis_error jsonb,
    not_before timestamptz NOT NULL,
    failures bigint NOT NULL,
    lease_until timestamptz
);
CREATE INDEX attachments_by_organization_id_owner_sha256 ON attachments (organization_id, owner, sha256);
CREATE INDEX attachments_by_gis_state_not_before ON attachments (gis_state, not_before);
CREATE INDEX attachments_by_expires_at ON attachments (expires_at);

-- Which attachments an answer uses.
CREATE TABLE answer_files (
    answer_id uuid NOT NULL REFERENCES answers,
    attachment_id uuid NOT NULL REFERENCES attachments,
    PRIMARY KEY (answer_id, attachment_id)
);
CREATE INDEX answer_files_by_attachment_id ON answer_files (attachment_id);

-- What happened, in commit order. No personal data.
CREATE TABLE events (
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    organization_id uuid NOT NULL REFERENCES organizations,
    kind text COLLATE "C" NOT NULL,
    debt_request_id uuid,
    answer_id uuid,
    data jsonb NOT NULL,
    occurred_at timestamptz NOT NULL
);
CREATE INDEX events_by_organization_id_sequence ON events (organization_id, sequence);
CREATE INDEX events_by_debt_request_id_sequence ON events (debt_request_id, sequence);

-- Replies to requests with an Idempotency-Key, written with their effect.
CREATE TABLE receipts (
    scope bytea PRIMARY KEY NOT NULL,
    fingerprint bytea NOT NULL,
    status bigint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX receipts_by_created_at ON receipts (created_at);

-- Readings of GIS.
CREATE TABLE sync_runs (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    started_by text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    window_from date NOT NULL,
    window_to date NOT NULL,
    found bigint NOT NULL,
    added bigint NOT NULL,
    changed bigint NOT NULL,
    pages bigint NOT NULL,
    error jsonb,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX sync_runs_by_organization_id_started_at ON sync_runs (organization_id, started_at);
CREATE UNIQUE INDEX sync_runs_running ON sync_runs (organization_id) WHERE state = 'running';

-- How each operation of GIS has behaved lately: the circuit, shared by all instances.
CREATE TABLE gis_operations (
    operation text COLLATE "C" PRIMARY KEY NOT NULL,
    circuit jsonb NOT NULL,
    since timestamptz NOT NULL,
    last_success_at timestamptz,
    last_error jsonb,
    updated_at timestamptz NOT NULL
);

-- The last activation of each job.
CREATE TABLE jobs (
    name text COLLATE "C" PRIMARY KEY NOT NULL,
    activated_at timestamptz NOT NULL,
    report jsonb NOT NULL,
    next_at timestamptz,
    worker uuid,
    lease_until timestamptz
);
