-- Whether an answer was handed in by a spreadsheet before its files were there. Until now what it says told it.
ALTER TABLE answers ADD COLUMN waits_for_files boolean NOT NULL DEFAULT false;
UPDATE answers SET waits_for_files = true
    WHERE state = 'prepared' AND source = 'xlsx' AND has_debt
    AND NOT EXISTS (SELECT 1 FROM answer_files WHERE answer_files.answer_id = answers.id);

-- Who has uploaded a spreadsheet, whoever applies it. Of one that was applied before, who did that is all that is known.
ALTER TABLE imports ADD COLUMN uploaded_by text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN uploader_id uuid;
UPDATE imports SET uploaded_by = started_by, uploader_id = employee_id;
