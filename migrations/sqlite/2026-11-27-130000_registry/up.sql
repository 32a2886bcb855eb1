-- Registries of court debts: one file, or the rows that clients add one by one. A department may have its own.
CREATE TABLE court_debt_registries (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    department_id blob,
    file_name text,
    origin text NOT NULL,
    status text NOT NULL,
    row_count integer NOT NULL,
    refused_count integer NOT NULL,
    error_count integer NOT NULL,
    warning_count integer NOT NULL,
    problems text NOT NULL,
    created_by text NOT NULL,
    created_at integer NOT NULL,
    activated_at integer
) STRICT;
CREATE INDEX court_debt_registries_by_organization_id_created_at ON court_debt_registries (organization_id, created_at);
-- One at a time answers for an organisation, or for a department of it.
CREATE UNIQUE INDEX court_debt_registries_active
    ON court_debt_registries (organization_id, coalesce(department_id, organization_id)) WHERE status = 'active';

-- Their rows. content holds personal data.
CREATE TABLE court_debts (
    id blob PRIMARY KEY NOT NULL,
    registry_id blob NOT NULL REFERENCES court_debt_registries,
    organization_id blob NOT NULL,
    row_number integer,
    fias_house_id blob NOT NULL,
    gis_house_id blob,
    address text,
    premises text NOT NULL,
    premises_key text NOT NULL,
    in_force_from text NOT NULL,
    repaid_on text,
    origin text NOT NULL,
    content text NOT NULL,
    version integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL
) STRICT;
CREATE INDEX court_debts_by_registry_id_id ON court_debts (registry_id, id);
CREATE INDEX court_debts_by_registry_id_fias_house_id ON court_debts (registry_id, fias_house_id);
CREATE INDEX court_debts_by_registry_id_gis_house_id ON court_debts (registry_id, gis_house_id);
