-- What organisations have set for themselves. Without a row the defaults hold.
CREATE TABLE organization_settings (
    organization_id blob NOT NULL REFERENCES organizations,
    subject text NOT NULL,
    content text NOT NULL,
    version integer NOT NULL,
    updated_at integer NOT NULL,
    PRIMARY KEY (organization_id, subject)
) STRICT;

-- Organisations whose debt requests were read from GIS and wait to be matched with the registry.
CREATE TABLE matches_due (
    organization_id blob PRIMARY KEY NOT NULL REFERENCES organizations,
    since integer NOT NULL
) STRICT;

-- Automatic answers: at most one run a day.
CREATE TABLE auto_answer_runs (
    organization_id blob NOT NULL REFERENCES organizations,
    run_on text NOT NULL,
    began_at integer NOT NULL,
    asked_at integer,
    looks text NOT NULL,
    finished_at integer,
    PRIMARY KEY (organization_id, run_on)
) STRICT;
CREATE INDEX auto_answer_runs_unfinished ON auto_answer_runs (began_at) WHERE finished_at IS NULL;
CREATE INDEX auto_answer_runs_by_finished_at ON auto_answer_runs (finished_at);

-- Debt requests of which it was told that their deadline is near.
CREATE TABLE deadline_notices (
    debt_request_id blob PRIMARY KEY NOT NULL,
    told_at integer NOT NULL
) STRICT;
CREATE INDEX deadline_notices_by_told_at ON deadline_notices (told_at);
