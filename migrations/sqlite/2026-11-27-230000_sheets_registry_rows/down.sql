ALTER TABLE court_debt_registries DROP COLUMN rows_deleted_at;
