-- Mail: mailboxes, cursors, the ledger, automatic answers.

-- The way in by our own asking (IMAP): one row per inbox that is pulled.
CREATE TABLE pull_state (
  workspace_id BIGINT NOT NULL, inbox_id BIGINT NOT NULL,
  cursor TEXT NOT NULL,                  -- only the adapter understands it; moves in the commit of the event
  state TEXT NOT NULL,                   -- starting, ok, trouble, needs_sign_in, wrong_settings
  push BOOLEAN NOT NULL,                 -- the server tells us of news by itself
  alive_at BIGINT,                       -- when the server last answered, to the minute
  trouble_since BIGINT, reason TEXT, announced BOOLEAN NOT NULL,
  refused_count BIGINT NOT NULL,         -- sign-ins refused in a row
  checked_at BIGINT, balanced BOOLEAN NOT NULL,
  PRIMARY KEY (workspace_id, inbox_id)
);
CREATE TABLE pull_folder (               -- the ledger, one row per folder
  @ID,
  inbox_id BIGINT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, generation TEXT NOT NULL,
  figures TEXT NOT NULL,                 -- JSON of the last count
  checked_at BIGINT
);
CREATE UNIQUE INDEX pull_folder_name ON pull_folder(workspace_id, inbox_id, name);
CREATE TABLE pull_trouble (              -- what happened to an inbox, for people: no connection, renumbered, mail missing
  @ID,
  inbox_id BIGINT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL, began_at BIGINT NOT NULL, ended_at BIGINT
);
CREATE INDEX pull_trouble_inbox ON pull_trouble(workspace_id, inbox_id, id);
CREATE TABLE pull_import (               -- what was there before, taken in as history
  workspace_id BIGINT NOT NULL, inbox_id BIGINT NOT NULL,
  state TEXT NOT NULL,                   -- waiting, running, done, stopped, failed
  since BIGINT,                          -- NULL: everything
  total BIGINT NOT NULL, done BIGINT NOT NULL, reason TEXT,
  started_at BIGINT NOT NULL, ended_at BIGINT,
  PRIMARY KEY (workspace_id, inbox_id)
);
CREATE TABLE inbox_check (               -- the last check of an inbox, step by step
  workspace_id BIGINT NOT NULL, inbox_id BIGINT NOT NULL,
  run TEXT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT,
  steps TEXT NOT NULL,                   -- JSON
  PRIMARY KEY (workspace_id, inbox_id)
);
CREATE TABLE allowed_sender (            -- automatic mail of these makes conversations all the same
  @ID,
  match_key TEXT NOT NULL, added_by TEXT NOT NULL, added_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX allowed_sender_key ON allowed_sender(workspace_id, match_key);
ALTER TABLE provider_event ADD COLUMN folder_id BIGINT;
ALTER TABLE provider_event ADD COLUMN same_as BIGINT;     -- the event of which this is a copy, byte by byte
ALTER TABLE provider_event ADD COLUMN summary TEXT;       -- JSON: sender, subject, first words, when no entry came of it
CREATE INDEX provider_event_folder ON provider_event(workspace_id, folder_id, id) WHERE folder_id IS NOT NULL;
CREATE INDEX provider_event_automatic ON provider_event(workspace_id, received_at, id) WHERE outcome = 'dropped' AND summary IS NOT NULL;

-- The way out by mail.
CREATE TABLE signature (                 -- words under mails; 0: of every inbox, of every agent
  @ID,
  inbox_id BIGINT NOT NULL, agent_id BIGINT NOT NULL, text TEXT NOT NULL, html TEXT, version BIGINT NOT NULL
);
CREATE UNIQUE INDEX signature_of ON signature(workspace_id, inbox_id, agent_id);
CREATE TABLE template (                  -- prepared texts
  @ID,
  name TEXT NOT NULL, name_key TEXT NOT NULL,
  agent_id BIGINT,                       -- whose own; none: everybody's
  inbox_id BIGINT,                       -- offered in this inbox only
  subject TEXT, text TEXT NOT NULL, html TEXT, version BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE INDEX template_name ON template(workspace_id, name_key, id);
CREATE TABLE automatic_answer (          -- what an inbox answers by itself
  workspace_id BIGINT NOT NULL, inbox_id BIGINT NOT NULL, kind TEXT NOT NULL,   -- acknowledge, off_hours
  enabled BOOLEAN NOT NULL, subject TEXT, text TEXT NOT NULL, html TEXT, article_url TEXT,
  reply_within_minutes BIGINT, business_hours_id BIGINT, version BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, inbox_id, kind)
);
CREATE TABLE automatic_sent (            -- which were sent, so that none is sent twice; kind unsubscribed: none any more
  @ID,
  inbox_id BIGINT NOT NULL, address_key TEXT NOT NULL, kind TEXT NOT NULL,
  conversation_id BIGINT NOT NULL, at BIGINT NOT NULL
);
CREATE INDEX automatic_sent_address ON automatic_sent(workspace_id, inbox_id, address_key, at, id);
CREATE INDEX automatic_sent_conversation ON automatic_sent(workspace_id, conversation_id, id);
CREATE TABLE sender_burst (              -- how fast somebody writes: a loop is cut here
  workspace_id BIGINT NOT NULL, contact_id BIGINT NOT NULL,
  began_at BIGINT NOT NULL, messages BIGINT NOT NULL, conversations BIGINT NOT NULL, open BOOLEAN NOT NULL,
  PRIMARY KEY (workspace_id, contact_id)
);
CREATE TABLE delivery_address (          -- typed by a visitor: where the answers of one conversation may go, and nothing else
  @ID,
  conversation_id BIGINT NOT NULL @REF(conversation, conversation_id), contact_point_id BIGINT NOT NULL, added_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX delivery_address_one ON delivery_address(workspace_id, conversation_id, contact_point_id);
CREATE TABLE compose_draft (             -- a conversation that an agent is about to begin
  @ID,
  agent_id BIGINT NOT NULL, content TEXT NOT NULL, attachments TEXT NOT NULL, version BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE INDEX compose_draft_agent ON compose_draft(workspace_id, agent_id, updated_at, id);
ALTER TABLE draft ADD COLUMN mail TEXT;  -- JSON: receivers, subject and HTML of a reply by mail
