-- When the personal data of an answer were erased. Whatever was written to it since then is looked at anew.
ALTER TABLE answers ADD COLUMN personal_data_erased_at integer;
CREATE INDEX answers_with_personal_data ON answers (updated_at)
    WHERE personal_data_erased_at IS NULL OR personal_data_erased_at < updated_at;
