-- Registries of court debts: one file, or the rows that clients add one by one. A department may have its own.
CREATE TABLE court_debt_registries (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    department_id uuid,
    file_name text COLLATE "C",
    origin text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    row_count bigint NOT NULL,
    refused_count bigint NOT NULL,
    error_count bigint NOT NULL,
    warning_count bigint NOT NULL,
    problems jsonb NOT NULL,
    created_by text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    activated_at timestamptz
);
CREATE INDEX court_debt_registries_by_organization_id_created_at ON court_debt_registries (organization_id, created_at);
-- One at a time answers for an organisation, or for a department of it.
CREATE UNIQUE INDEX court_debt_registries_active
    ON court_debt_registries (organization_id, coalesce(department_id, organization_id)) WHERE status = 'active';

-- Their rows. content holds personal data.
CREATE TABLE court_debts (
    id uuid PRIMARY KEY NOT NULL,
    registry_id uuid NOT NULL REFERENCES court_debt_registries,
    organization_id uuid NOT NULL,
    row_number bigint,
    fias_house_id uuid NOT NULL,
    gis_house_id uuid,
    address text COLLATE "C",
    premises text COLLATE "C" NOT NULL,
    premises_key text COLLATE "C" NOT NULL,
    in_force_from date NOT NULL,
    repaid_on date,
    origin text COLLATE "C" NOT NULL,
    content jsonb NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX court_debts_by_registry_id_id ON court_debts (registry_id, id);
CREATE INDEX court_debts_by_registry_id_fias_house_id ON court_debts (registry_id, fias_house_id);
CREATE INDEX court_debts_by_registry_id_gis_house_id ON court_debts (registry_id, gis_house_id);
