-- Submissions of which it was told that they are late, by the reason.
CREATE TABLE delay_notices (
    submission_id uuid NOT NULL,
    reason text COLLATE "C" NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (submission_id, reason)
);
CREATE INDEX delay_notices_by_told_at ON delay_notices (told_at);

-- Tokens and certificates of which organisations were told that their end is near, by the days before it.
CREATE TABLE expiry_notices (
    organization_id uuid NOT NULL,
    subject text COLLATE "C" NOT NULL,
    days bigint NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, subject, days)
);
CREATE INDEX expiry_notices_by_told_at ON expiry_notices (told_at);
