DROP INDEX debt_requests_by_organization_id_responsible_id_due_key_id;
ALTER TABLE operations DROP COLUMN author;
ALTER TABLE answers DROP COLUMN delivered_at;
