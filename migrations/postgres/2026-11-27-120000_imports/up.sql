-- Spreadsheets with answers that came in; the workbooks lie in the file store.
CREATE TABLE imports (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    mode text COLLATE "C" NOT NULL,
    answer_column text COLLATE "C" NOT NULL,
    submit boolean NOT NULL,
    status text COLLATE "C" NOT NULL,
    started_by text COLLATE "C" NOT NULL,
    token_id uuid NOT NULL,
    employee_id uuid,
    file_name text COLLATE "C" NOT NULL,
    file_size bigint NOT NULL,
    content_id uuid NOT NULL,
    counts jsonb,
    taken bigint NOT NULL,
    marked_id uuid,
    error jsonb,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    expires_at timestamptz,
    tries bigint NOT NULL,
    worker uuid,
    lease_until timestamptz
);
CREATE INDEX imports_by_organization_id_created_at ON imports (organization_id, created_at);
CREATE INDEX imports_unfinished ON imports (created_at) WHERE finished_at IS NULL;
CREATE INDEX imports_by_expires_at ON imports (expires_at);
CREATE INDEX imports_by_content_id ON imports (content_id);
CREATE INDEX imports_by_marked_id ON imports (marked_id);

-- What became of each answer, or of a row that is none, by the first row. An answer that is deleted stays named here.
CREATE TABLE import_rows (
    import_id uuid NOT NULL REFERENCES imports,
    row_number bigint NOT NULL,
    debt_request_id uuid,
    has_debt boolean,
    waits_for_files boolean NOT NULL,
    intake text COLLATE "C" NOT NULL,
    answer_id uuid,
    errors jsonb NOT NULL,
    PRIMARY KEY (import_id, row_number)
);
