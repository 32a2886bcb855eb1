-- Spreadsheets with answers that came in; the workbooks lie in the file store.
CREATE TABLE imports (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    mode text NOT NULL,
    answer_column text NOT NULL,
    submit integer NOT NULL,
    status text NOT NULL,
    started_by text NOT NULL,
    token_id blob NOT NULL,
    employee_id blob,
    file_name text NOT NULL,
    file_size integer NOT NULL,
    content_id blob NOT NULL,
    counts text,
    taken integer NOT NULL,
    marked_id blob,
    error text,
    created_at integer NOT NULL,
    finished_at integer,
    expires_at integer,
    tries integer NOT NULL,
    worker blob,
    lease_until integer
) STRICT;
CREATE INDEX imports_by_organization_id_created_at ON imports (organization_id, created_at);
CREATE INDEX imports_unfinished ON imports (created_at) WHERE finished_at IS NULL;
CREATE INDEX imports_by_expires_at ON imports (expires_at);
CREATE INDEX imports_by_content_id ON imports (content_id);
CREATE INDEX imports_by_marked_id ON imports (marked_id);

-- What became of each answer, or of a row that is none, by the first row. An answer that is deleted stays named here.
CREATE TABLE import_rows (
    import_id blob NOT NULL REFERENCES imports,
    row_number integer NOT NULL,
    debt_request_id blob,
    has_debt integer,
    waits_for_files integer NOT NULL,
    intake text NOT NULL,
    answer_id blob,
    errors text NOT NULL,
    PRIMARY KEY (import_id, row_number)
) STRICT;
