-- Addresses that events are sent to, how far the log was looked at for them, and who sends just now.
CREATE TABLE webhook_endpoints (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    url text COLLATE "C" NOT NULL,
    description text COLLATE "C",
    masks jsonb NOT NULL,
    secret bytea NOT NULL,
    previous_secrets jsonb NOT NULL,
    enabled boolean NOT NULL,
    disabled_reason text COLLATE "C",
    failing_since timestamptz,
    last_sequence bigint NOT NULL,
    rest_until timestamptz,
    worker uuid,
    lease_until timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX webhook_endpoints_by_organization_id_id ON webhook_endpoints (organization_id, id);

-- Events on their way to an address, and those that have arrived.
CREATE TABLE webhook_deliveries (
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    sequence bigint NOT NULL REFERENCES events ON DELETE CASCADE,
    status text COLLATE "C" NOT NULL,
    attempts bigint NOT NULL,
    last_attempt_at timestamptz,
    response_status bigint,
    failure text COLLATE "C",
    next_attempt_at timestamptz,
    PRIMARY KEY (endpoint_id, sequence)
);
CREATE INDEX webhook_deliveries_by_sequence ON webhook_deliveries (sequence);
CREATE INDEX webhook_deliveries_by_endpoint_id_status_next_attempt_at ON webhook_deliveries (endpoint_id, status, next_attempt_at);
