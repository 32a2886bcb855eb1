-- Addresses that events are sent to, how far the log was looked at for them, and who sends just now.
CREATE TABLE webhook_endpoints (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    url text NOT NULL,
    description text,
    masks text NOT NULL,
    secret blob NOT NULL,
    previous_secrets text NOT NULL,
    enabled integer NOT NULL,
    disabled_reason text,
    failing_since integer,
    last_sequence integer NOT NULL,
    rest_until integer,
    worker blob,
    lease_until integer,
    version integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL
) STRICT;
CREATE INDEX webhook_endpoints_by_organization_id_id ON webhook_endpoints (organization_id, id);

-- Events on their way to an address, and those that have arrived.
CREATE TABLE webhook_deliveries (
    endpoint_id blob NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    sequence integer NOT NULL REFERENCES events ON DELETE CASCADE,
    status text NOT NULL,
    attempts integer NOT NULL,
    last_attempt_at integer,
    response_status integer,
    failure text,
    next_attempt_at integer,
    PRIMARY KEY (endpoint_id, sequence)
) STRICT;
CREATE INDEX webhook_deliveries_by_sequence ON webhook_deliveries (sequence);
CREATE INDEX webhook_deliveries_by_endpoint_id_status_next_attempt_at ON webhook_deliveries (endpoint_id, status, next_attempt_at);
