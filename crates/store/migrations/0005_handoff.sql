-- Hand-over between channels, the API channel, facts of a conversation.
CREATE INDEX delivery_inbox ON delivery(workspace_id, inbox_id, id);   -- the last deliveries of an inbox
CREATE UNIQUE INDEX inbox_anywhere ON inbox(id); -- only: postgres
CREATE INDEX conversation_merged ON conversation(workspace_id, merged_into, id) WHERE merged_into IS NOT NULL;
CREATE TABLE proof (                     -- who a customer has shown to be, in one conversation, for a while
  @ID,
  conversation_id BIGINT NOT NULL, contact_id BIGINT NOT NULL,
  contact_point_id BIGINT,               -- the address that proved it
  level BIGINT NOT NULL,
  token_id BIGINT,                       -- the link or code behind it
  from_at BIGINT NOT NULL, until_at BIGINT NOT NULL,
  ended_at BIGINT, ended_by TEXT
);
CREATE INDEX proof_conversation ON proof(workspace_id, conversation_id, id);
CREATE TABLE fact (                      -- what we know about the matter of a conversation, each value with its source
  @ID,
  conversation_id BIGINT NOT NULL,
  name TEXT NOT NULL, value TEXT NOT NULL, value_key TEXT NOT NULL,
  source TEXT NOT NULL,                  -- agent, form, text, program, system
  entry_id BIGINT,                       -- where it was said
  set_by TEXT NOT NULL, set_at BIGINT NOT NULL,
  replaced_at BIGINT                     -- NULL = counts now
);
CREATE UNIQUE INDEX fact_now ON fact(workspace_id, conversation_id, name, value_key) WHERE replaced_at IS NULL;
CREATE INDEX fact_conversation ON fact(workspace_id, conversation_id, id);
