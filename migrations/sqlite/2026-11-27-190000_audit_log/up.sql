-- What was done on whose request. No personal data. An entry outlives its organisation, so it refers to none.
CREATE TABLE audit_log (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL,
    at integer NOT NULL,
    actor text NOT NULL,
    token_id blob,
    token_name text,
    employee_id blob,
    ip text,
    action text NOT NULL,
    target text NOT NULL,
    before_hash text,
    after_hash text,
    confirm text NOT NULL,
    reason text,
    request_id text
) STRICT;
CREATE INDEX audit_log_by_organization_id_at_id ON audit_log (organization_id, at, id);
CREATE INDEX audit_log_by_organization_id_target_at_id ON audit_log (organization_id, target, at, id);

-- Entries are only added; retention deletes the old ones.
CREATE TRIGGER audit_log_append_only BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
