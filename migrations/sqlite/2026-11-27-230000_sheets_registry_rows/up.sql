-- When the rows of a registry that answers no more were deleted: what it was stays, but it cannot be activated.
ALTER TABLE court_debt_registries ADD COLUMN rows_deleted_at integer;
