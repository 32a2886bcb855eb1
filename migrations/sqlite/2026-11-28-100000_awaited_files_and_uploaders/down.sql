ALTER TABLE imports DROP COLUMN uploader_id;
ALTER TABLE imports DROP COLUMN uploaded_by;
ALTER TABLE answers DROP COLUMN waits_for_files;
