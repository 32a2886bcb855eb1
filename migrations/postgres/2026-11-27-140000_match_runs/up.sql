-- Matches of many debt requests with a registry of court debts.
CREATE TABLE match_runs (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    department_id uuid,
    registry_id uuid NOT NULL REFERENCES court_debt_registries,
    mode text COLLATE "C" NOT NULL,
    only_debts boolean NOT NULL,
    status text COLLATE "C" NOT NULL,
    total bigint NOT NULL,
    started_by text COLLATE "C" NOT NULL,
    employee_id uuid,
    created_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX match_runs_by_organization_id_created_at ON match_runs (organization_id, created_at);
CREATE INDEX match_runs_by_finished_at ON match_runs (finished_at);
-- One at a time for an organisation.
CREATE UNIQUE INDEX match_runs_running ON match_runs (organization_id) WHERE finished_at IS NULL;

-- What each came to. No personal data.
CREATE TABLE match_items (
    run_id uuid NOT NULL REFERENCES match_runs,
    place bigint NOT NULL,
    debt_request_id uuid NOT NULL,
    deed text COLLATE "C" NOT NULL,
    result text COLLATE "C",
    explanation jsonb,
    answer_id uuid,
    error text COLLATE "C",
    PRIMARY KEY (run_id, place)
);
CREATE INDEX match_items_pending ON match_items (run_id, place) WHERE deed = 'pending';
