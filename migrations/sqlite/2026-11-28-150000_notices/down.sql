DROP TABLE expiry_notices;
DROP TABLE delay_notices;
