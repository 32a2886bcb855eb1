-- Matches of many debt requests with a registry of court debts.
CREATE TABLE match_runs (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    department_id blob,
    registry_id blob NOT NULL REFERENCES court_debt_registries,
    mode text NOT NULL,
    only_debts integer NOT NULL,
    status text NOT NULL,
    total integer NOT NULL,
    started_by text NOT NULL,
    employee_id blob,
    created_at integer NOT NULL,
    finished_at integer
) STRICT;
CREATE INDEX match_runs_by_organization_id_created_at ON match_runs (organization_id, created_at);
CREATE INDEX match_runs_by_finished_at ON match_runs (finished_at);
-- One at a time for an organisation.
CREATE UNIQUE INDEX match_runs_running ON match_runs (organization_id) WHERE finished_at IS NULL;

-- What each came to. No personal data.
CREATE TABLE match_items (
    run_id blob NOT NULL REFERENCES match_runs,
    place integer NOT NULL,
    debt_request_id blob NOT NULL,
    deed text NOT NULL,
    result text,
    explanation text,
    answer_id blob,
    error text,
    PRIMARY KEY (run_id, place)
) STRICT;
CREATE INDEX match_items_pending ON match_items (run_id, place) WHERE deed = 'pending';
