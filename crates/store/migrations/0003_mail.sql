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
