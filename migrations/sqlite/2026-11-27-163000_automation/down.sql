DROP TABLE deadline_notices;
DROP TABLE auto_answer_runs;
DROP TABLE matches_due;
DROP TABLE organization_settings;
