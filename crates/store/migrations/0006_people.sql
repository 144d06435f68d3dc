-- People: companies, fields, consent, imports, erasure, possible duplicates.

CREATE TABLE company (@ID, name TEXT NOT NULL, name_key TEXT NOT NULL, domain TEXT, notes TEXT, created_at BIGINT NOT NULL, version BIGINT NOT NULL);
CREATE UNIQUE INDEX company_name ON company(workspace_id, name_key);
ALTER TABLE contact ADD COLUMN company_id BIGINT;            -- the firm behind contact.company
CREATE INDEX contact_company ON contact(workspace_id, company_id, id) WHERE company_id IS NOT NULL;
ALTER TABLE contact ADD COLUMN erased_at BIGINT;             -- a tombstone: nothing but ids and times is left in the row
CREATE TABLE contact_field (             -- fields that the business made itself
  @ID,
  name TEXT NOT NULL, name_key TEXT NOT NULL, kind TEXT NOT NULL,     -- text, number, date, yes_no, choice
  choices TEXT NOT NULL,                 -- JSON list of words
  position BIGINT NOT NULL, archived_at BIGINT, version BIGINT NOT NULL
);
CREATE UNIQUE INDEX contact_field_name ON contact_field(workspace_id, name_key) WHERE archived_at IS NULL;
CREATE TABLE contact_field_value (
  workspace_id BIGINT NOT NULL, contact_id BIGINT NOT NULL, field_id BIGINT NOT NULL,
  value TEXT NOT NULL, value_key TEXT NOT NULL,              -- folded, and sortable for numbers
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, contact_id, field_id)
);
CREATE INDEX contact_field_value_key ON contact_field_value(workspace_id, field_id, value_key, contact_id);
CREATE TABLE consent (                   -- statements, never changed: the last one of a contact about a purpose and way counts
  @ID,
  contact_id BIGINT NOT NULL, purpose TEXT NOT NULL,
  channel TEXT NOT NULL,                 -- '' = on every channel
  contact_point_id BIGINT,               -- NULL = at every address
  state TEXT NOT NULL, source TEXT NOT NULL, evidence TEXT NOT NULL,
  at BIGINT NOT NULL, recorded_at BIGINT NOT NULL, recorded_by TEXT NOT NULL, import_id BIGINT
);
CREATE INDEX consent_contact ON consent(workspace_id, contact_id, id);
CREATE TABLE segment (                   -- saved filters over contacts
  @ID,
  agent_id BIGINT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, shared BOOLEAN NOT NULL, version BIGINT NOT NULL
);
CREATE TABLE import (                    -- a file of people: looked at, taken in, perhaps taken back
  @ID,
  file_name TEXT NOT NULL, blob_key TEXT NOT NULL,           -- '' once the file is not needed any more
  encoding TEXT NOT NULL, separator TEXT NOT NULL, row_count BIGINT NOT NULL,
  mapping TEXT NOT NULL,                 -- JSON: meaning of each column, country, source and date of consent
  state TEXT NOT NULL,                   -- ready, running, done, failed, undone
  next_row BIGINT NOT NULL, counts TEXT NOT NULL,
  created_by TEXT NOT NULL, created_at BIGINT NOT NULL, done_at BIGINT, undone_at BIGINT, reason TEXT
);
CREATE INDEX import_created ON import(workspace_id, created_at, id);
CREATE TABLE import_row (                -- what one line did, so that it can be taken back
  workspace_id BIGINT NOT NULL, import_id BIGINT NOT NULL, line BIGINT NOT NULL,
  outcome TEXT NOT NULL,                 -- new, updated, unchanged, conflict, refused, erased
  reason TEXT, contact_id BIGINT,
  before TEXT, after_version BIGINT,     -- JSON of what was there; the contact's version afterwards
  PRIMARY KEY (workspace_id, import_id, line)
);
CREATE INDEX import_row_contact ON import_row(workspace_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE TABLE tombstone (                 -- somebody was erased: nothing here names them
  @ID,
  contact_id BIGINT NOT NULL, erased_by TEXT NOT NULL, erased_at BIGINT NOT NULL,
  counts TEXT NOT NULL                   -- JSON: entries, files ..
);
CREATE INDEX tombstone_contact ON tombstone(workspace_id, contact_id, id);
CREATE TABLE tombstone_key (             -- keyed hashes of what they were reached by, so that an import leaves them out
  workspace_id BIGINT NOT NULL, key_hash TEXT NOT NULL, erased_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, key_hash)
);
CREATE TABLE contact_key (               -- who may be the same as whom: contacts that share one of these are compared
  workspace_id BIGINT NOT NULL, match_key BIGINT NOT NULL, contact_id BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, match_key, contact_id)
);
CREATE UNIQUE INDEX contact_key_contact ON contact_key(workspace_id, contact_id, match_key);
CREATE INDEX contact_suggestion_best ON contact_suggestion(workspace_id, bits, id) WHERE state = 'open';
CREATE INDEX provider_event_entry ON provider_event(workspace_id, entry_id) WHERE entry_id IS NOT NULL;
-- What erasing asks: who else uses these bytes, and what waits beside a conversation.
CREATE INDEX provider_event_blob ON provider_event(workspace_id, blob_id) WHERE blob_id IS NOT NULL;
CREATE INDEX attachment_blob ON attachment(workspace_id, blob_id);
CREATE INDEX attachment_waiting ON attachment(workspace_id, conversation_id) WHERE entry_id IS NULL AND conversation_id IS NOT NULL;
