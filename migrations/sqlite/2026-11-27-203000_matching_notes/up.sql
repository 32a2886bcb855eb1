-- Whether «Дополнительная информация» of a row says anything: further decisions may stand there.
ALTER TABLE court_debts ADD COLUMN noted integer NOT NULL DEFAULT 0;
UPDATE court_debts SET noted = 1 WHERE json_extract(content, '$.note') IS NOT NULL;

-- Runs that begin by themselves. Until now the name of their author told them, which a client may have too: of those that
-- are under way it is believed.
ALTER TABLE match_runs ADD COLUMN automatic integer NOT NULL DEFAULT 0;
UPDATE match_runs SET automatic = 1 WHERE started_by = 'sync' AND employee_id IS NULL AND finished_at IS NULL;
