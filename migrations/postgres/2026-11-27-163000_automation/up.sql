-- What organisations have set for themselves. Without a row the defaults hold.
CREATE TABLE organization_settings (
    organization_id uuid NOT NULL REFERENCES organizations,
    subject text COLLATE "C" NOT NULL,
    content jsonb NOT NULL,
    version bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, subject)
);

-- Organisations whose debt requests were read from GIS and wait to be matched with the registry.
CREATE TABLE matches_due (
    organization_id uuid PRIMARY KEY NOT NULL REFERENCES organizations,
    since timestamptz NOT NULL
);

-- Automatic answers: at most one run a day.
CREATE TABLE auto_answer_runs (
    organization_id uuid NOT NULL REFERENCES organizations,
    run_on date NOT NULL,
    began_at timestamptz NOT NULL,
    asked_at timestamptz,
    looks jsonb NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (organization_id, run_on)
);
CREATE INDEX auto_answer_runs_unfinished ON auto_answer_runs (began_at) WHERE finished_at IS NULL;
CREATE INDEX auto_answer_runs_by_finished_at ON auto_answer_runs (finished_at);

-- Debt requests of which it was told that their deadline is near.
CREATE TABLE deadline_notices (
    debt_request_id uuid PRIMARY KEY NOT NULL,
    told_at timestamptz NOT NULL
);
CREATE INDEX deadline_notices_by_told_at ON deadline_notices (told_at);
