-- Employees come and go.
ALTER TABLE employees ADD COLUMN active integer NOT NULL DEFAULT 1;
ALTER TABLE employees ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE employees ADD COLUMN updated_at integer NOT NULL DEFAULT 0;
UPDATE employees SET updated_at = created_at;

-- Departments of suppliers.
CREATE TABLE departments (
    id blob PRIMARY KEY NOT NULL,
    organization_id blob NOT NULL REFERENCES organizations,
    name text NOT NULL,
    responsible_id blob NOT NULL REFERENCES employees,
    house_count integer NOT NULL,
    version integer NOT NULL,
    created_at integer NOT NULL,
    updated_at integer NOT NULL
) STRICT;
CREATE INDEX departments_by_organization_id_id ON departments (organization_id, id);

-- Their houses: each belongs to one department at most.
CREATE TABLE department_houses (
    organization_id blob NOT NULL REFERENCES organizations,
    fias_house_id blob NOT NULL,
    department_id blob NOT NULL REFERENCES departments,
    PRIMARY KEY (organization_id, fias_house_id)
) STRICT;
CREATE INDEX department_houses_by_department_id_fias_house_id ON department_houses (department_id, fias_house_id);

-- Suppliers whose unanswered debt requests are to be given out anew, and how far that is in the order of their deadlines.
CREATE TABLE assignments (
    organization_id blob PRIMARY KEY NOT NULL REFERENCES organizations,
    due_key text NOT NULL,
    debt_request_id blob NOT NULL
) STRICT;
INSERT INTO assignments SELECT id, '0001-01-01', zeroblob(16) FROM organizations;

-- What was given by hand so far stays.
ALTER TABLE debt_requests ADD COLUMN assigned_by_hand integer NOT NULL DEFAULT 0;
UPDATE debt_requests SET assigned_by_hand = 1 WHERE executor_id IS NOT NULL;
CREATE INDEX debt_requests_by_organization_id_department_id_due_key_id ON debt_requests (organization_id, department_id, due_key, id);
