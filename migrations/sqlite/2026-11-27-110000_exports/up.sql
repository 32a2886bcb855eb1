-- Lists that are written into spreadsheets; the files lie in the file store.
CREATE TABLE exports (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    kind text NOT NULL,
    filter text NOT NULL,
    with_answers integer NOT NULL,
    status text NOT NULL,
    started_by text NOT NULL,
    requests integer NOT NULL,
    content_id blob,
    file_size integer,
    error text,
    created_at integer NOT NULL,
    finished_at integer,
    expires_at integer,
    tries integer NOT NULL,
    worker blob,
    lease_until integer
) STRICT;
CREATE INDEX exports_by_organization_id_created_at ON exports (organization_id, created_at);
CREATE INDEX exports_unfinished ON exports (created_at) WHERE finished_at IS NULL;
CREATE INDEX exports_by_expires_at ON exports (expires_at);
CREATE INDEX exports_by_content_id ON exports (content_id);
