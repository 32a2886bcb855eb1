-- What was done on whose request. No personal data. An entry outlives its organisation, so it refers to none.
CREATE TABLE audit_log (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL,
    at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    token_id uuid,
    token_name text COLLATE "C",
    employee_id uuid,
    ip text COLLATE "C",
    action text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    before_hash text COLLATE "C",
    after_hash text COLLATE "C",
    confirm jsonb NOT NULL,
    reason text COLLATE "C",
    request_id text COLLATE "C"
);
CREATE INDEX audit_log_by_organization_id_at_id ON audit_log (organization_id, at, id);
CREATE INDEX audit_log_by_organization_id_target_at_id ON audit_log (organization_id, target, at, id);

-- Entries are only added; retention deletes the old ones.
CREATE FUNCTION audit_log_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only';
END
$$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_append_only();
