-- Employees come and go.
ALTER TABLE employees ADD COLUMN active boolean NOT NULL DEFAULT true;
ALTER TABLE employees ADD COLUMN version bigint NOT NULL DEFAULT 1;
ALTER TABLE employees ADD COLUMN updated_at timestamptz NOT NULL DEFAULT 'epoch';
UPDATE employees SET updated_at = created_at;

-- Departments of suppliers.
CREATE TABLE departments (
    id uuid PRIMARY KEY NOT NULL,
    organization_id uuid NOT NULL REFERENCES organizations,
    name text COLLATE "C" NOT NULL,
    responsible_id uuid NOT NULL REFERENCES employees,
    house_count bigint NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX departments_by_organization_id_id ON departments (organization_id, id);

-- Their houses: each belongs to one department at most.
CREATE TABLE department_houses (
    organization_id uuid NOT NULL REFERENCES organizations,
    fias_house_id uuid NOT NULL,
    department_id uuid NOT NULL REFERENCES departments,
    PRIMARY KEY (organization_id, fias_house_id)
);
CREATE INDEX department_houses_by_department_id_fias_house_id ON department_houses (department_id, fias_house_id);

-- Suppliers whose unanswered debt requests are to be given out anew, and how far that is in the order of their deadlines.
CREATE TABLE assignments (
    organization_id uuid PRIMARY KEY NOT NULL REFERENCES organizations,
    due_key date NOT NULL,
    debt_request_id uuid NOT NULL
);
INSERT INTO assignments SELECT id, '0001-01-01', '00000000-0000-0000-0000-000000000000' FROM organizations;

-- What was given by hand so far stays.
ALTER TABLE debt_requests ADD COLUMN assigned_by_hand boolean NOT NULL DEFAULT false;
UPDATE debt_requests SET assigned_by_hand = true WHERE executor_id IS NOT NULL;
CREATE INDEX debt_requests_by_organization_id_department_id_due_key_id ON debt_requests (organization_id, department_id, due_key, id);
