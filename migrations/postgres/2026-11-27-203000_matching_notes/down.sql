ALTER TABLE match_runs DROP COLUMN automatic;
ALTER TABLE court_debts DROP COLUMN noted;
