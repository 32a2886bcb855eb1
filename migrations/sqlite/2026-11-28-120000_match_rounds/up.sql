-- Rounds of matches that begin by themselves: the runs of branches, one after the other, before that of the head office.
CREATE TABLE match_rounds (
    organization_id blob PRIMARY KEY NOT NULL REFERENCES organizations,
    last_run_id blob NOT NULL,
    department_id blob NOT NULL
) STRICT;
