DROP INDEX messages_by_end;
DROP INDEX messages_by_sending;
