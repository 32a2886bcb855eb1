-- Work on many things at once that takes longer than a request: bulk answers.
CREATE TABLE operations (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    kind text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    started_by text COLLATE "C" NOT NULL,
    total bigint NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX operations_by_organization_id_created_at ON operations (organization_id, created_at);
CREATE INDEX operations_unfinished ON operations (created_at) WHERE finished_at IS NULL;
CREATE INDEX operations_by_finished_at ON operations (finished_at);

-- What became of each thing. An answer that is deleted stays named here.
CREATE TABLE operation_items (
    operation_id uuid NOT NULL REFERENCES operations,
    place bigint NOT NULL,
    debt_request_id uuid,
    external_id text COLLATE "C",
    intake text COLLATE "C" NOT NULL,
    answer_id uuid,
    errors jsonb NOT NULL,
    PRIMARY KEY (operation_id, place)
);
