-- Work on many things at once that takes longer than a request: bulk answers.
CREATE TABLE operations (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    kind text NOT NULL,
    status text NOT NULL,
    started_by text NOT NULL,
    total integer NOT NULL,
    created_at integer NOT NULL,
    finished_at integer
) STRICT;
CREATE INDEX operations_by_organization_id_created_at ON operations (organization_id, created_at);
CREATE INDEX operations_unfinished ON operations (created_at) WHERE finished_at IS NULL;
CREATE INDEX operations_by_finished_at ON operations (finished_at);

-- What became of each thing. An answer that is deleted stays named here.
CREATE TABLE operation_items (
    operation_id blob NOT NULL REFERENCES operations,
    place integer NOT NULL,
    debt_request_id blob,
    external_id text,
    intake text NOT NULL,
    answer_id blob,
    errors text NOT NULL,
    PRIMARY KEY (operation_id, place)
) STRICT;
