-- Submissions of which it was told that they are late, by the reason.
CREATE TABLE delay_notices (
    submission_id blob NOT NULL,
    reason text NOT NULL,
    told_at integer NOT NULL,
    PRIMARY KEY (submission_id, reason)
) STRICT;
CREATE INDEX delay_notices_by_told_at ON delay_notices (told_at);

-- Tokens and certificates of which organisations were told that their end is near, by the days before it.
CREATE TABLE expiry_notices (
    organization_id blob NOT NULL,
    subject text NOT NULL,
    days integer NOT NULL,
    told_at integer NOT NULL,
    PRIMARY KEY (organization_id, subject, days)
) STRICT;
CREATE INDEX expiry_notices_by_told_at ON expiry_notices (told_at);
