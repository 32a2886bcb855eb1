ALTER TABLE exports DROP COLUMN account_found;
DROP TABLE accounts;
