-- Identity and placement: what matching and the decision table need.

-- What placement asks of a conversation, on the row itself: one look-up gives everything.
ALTER TABLE conversation ADD COLUMN channels TEXT NOT NULL DEFAULT '';   -- words of all channels so far, parted by blanks; empty = channel and first_channel
ALTER TABLE conversation ADD COLUMN orders TEXT NOT NULL DEFAULT '';     -- order numbers named in it, folded, parted by blanks

-- A mail id counts in all inboxes, the id of any other channel in its own.
CREATE INDEX entry_external_mail ON entry(workspace_id, external_key) WHERE external_key IS NOT NULL AND channel = 'email';

-- An address without its +tag: not a match, but a hint for the agent.
ALTER TABLE contact_point ADD COLUMN loose_key TEXT;
CREATE INDEX contact_point_loose ON contact_point(workspace_id, kind, loose_key) WHERE loose_key IS NOT NULL;

CREATE TABLE handoff_token (             -- leads a customer from one channel to another, once
  @ID,
  token_hash TEXT NOT NULL,              -- SHA-256 of the text, hex
  mode TEXT NOT NULL,                    -- link, code
  conversation_id BIGINT NOT NULL, contact_id BIGINT NOT NULL,
  delivered_point_id BIGINT,             -- the address that it went to; NULL = nowhere that proves anything
  level BIGINT NOT NULL,                 -- the most that it may prove
  target_channel TEXT, target_inbox_id BIGINT,
  entry_id BIGINT,                       -- the message that carried it
  made_by TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  used_at BIGINT, used_by BIGINT, used_point_id BIGINT,
  attempts BIGINT NOT NULL               -- wrong codes typed
);
CREATE UNIQUE INDEX handoff_token_hash ON handoff_token(workspace_id, token_hash);
CREATE INDEX handoff_token_conversation ON handoff_token(workspace_id, conversation_id, id);

CREATE TABLE contact_suggestion (        -- two contacts that may be one person; one row per pair, lower id first
  @ID,
  a_id BIGINT NOT NULL, b_id BIGINT NOT NULL,
  source TEXT NOT NULL,                  -- arrival, model
  bits BIGINT,                           -- weight in thousandths of a bit, where the model gave one
  level BIGINT NOT NULL,                 -- strongest proof behind the evidence
  evidence TEXT NOT NULL,                -- JSON
  state TEXT NOT NULL,                   -- open, not_same, merged
  made_at BIGINT NOT NULL, decided_by TEXT, decided_at BIGINT
);
CREATE UNIQUE INDEX contact_suggestion_pair ON contact_suggestion(workspace_id, a_id, b_id);
CREATE INDEX contact_suggestion_b ON contact_suggestion(workspace_id, b_id, a_id);
CREATE INDEX contact_suggestion_open ON contact_suggestion(workspace_id, made_at, id) WHERE state = 'open';

-- What an agent said when asked; entry_id is the raw event where no entry came of it.
ALTER TABLE decision ADD COLUMN answer TEXT;
ALTER TABLE decision ADD COLUMN answered_by TEXT;
ALTER TABLE decision ADD COLUMN answered_at BIGINT;
