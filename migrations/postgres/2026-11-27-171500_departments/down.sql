DROP INDEX debt_requests_by_organization_id_department_id_due_key_id;
ALTER TABLE debt_requests DROP COLUMN assigned_by_hand;
DROP TABLE assignments;
DROP TABLE department_houses;
DROP TABLE departments;
ALTER TABLE employees DROP COLUMN updated_at;
ALTER TABLE employees DROP COLUMN version;
ALTER TABLE employees DROP COLUMN active;
