-- Which attachments a row of a registry names: scans of court acts and the like.
CREATE TABLE court_debt_files (
    court_debt_id uuid NOT NULL REFERENCES court_debts,
    attachment_id uuid NOT NULL REFERENCES attachments,
    PRIMARY KEY (court_debt_id, attachment_id)
);
CREATE INDEX court_debt_files_by_attachment_id ON court_debt_files (attachment_id);
