CREATE INDEX messages_by_sending ON messages (organization_id, kind, sent_at);
CREATE INDEX messages_by_end ON messages (organization_id, kind, state, finished_at);
