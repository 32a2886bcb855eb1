-- The book of accounts: which accounts belong to which premises. place_key names house and premises in the form in which
-- they are compared. Personal data.
CREATE TABLE accounts (
    organization_id blob NOT NULL REFERENCES organizations,
    place integer NOT NULL,
    fias_house_id blob NOT NULL,
    premises text,
    place_key text NOT NULL,
    unified_account text,
    account text,
    PRIMARY KEY (organization_id, place)
) STRICT;
CREATE INDEX accounts_by_organization_id_fias_house_id ON accounts (organization_id, fias_house_id, place);
CREATE INDEX accounts_by_organization_id_place_key ON accounts (organization_id, place_key);

-- Only debt requests for which the book has an account, or has none.
ALTER TABLE exports ADD COLUMN account_found integer;
