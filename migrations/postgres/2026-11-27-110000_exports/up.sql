-- Lists that are written into spreadsheets; the files lie in the file store.
CREATE TABLE exports (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    kind text COLLATE "C" NOT NULL,
    filter jsonb NOT NULL,
    with_answers boolean NOT NULL,
    status text COLLATE "C" NOT NULL,
    started_by text COLLATE "C" NOT NULL,
    requests bigint NOT NULL,
    content_id uuid,
    file_size bigint,
    error jsonb,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    expires_at timestamptz,
    tries bigint NOT NULL,
    worker uuid,
    lease_until timestamptz
);
CREATE INDEX exports_by_organization_id_created_at ON exports (organization_id, created_at);
CREATE INDEX exports_unfinished ON exports (created_at) WHERE finished_at IS NULL;
CREATE INDEX exports_by_expires_at ON exports (expires_at);
CREATE INDEX exports_by_content_id ON exports (content_id);
