-- What was erased stays erased; an older program cannot read it.
DROP INDEX answers_with_personal_data;
ALTER TABLE answers DROP COLUMN personal_data_erased_at;
