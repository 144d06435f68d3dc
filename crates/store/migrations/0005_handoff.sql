-- Hand-over between channels, the API channel, facts of a conversation.
CREATE INDEX delivery_inbox ON delivery(workspace_id, inbox_id, id);   -- the last deliveries of an inbox
CREATE UNIQUE INDEX inbox_anywhere ON inbox(id); -- only: postgres
