-- Made by the migrations on SQLite; written by a test, never by hand.
CREATE TABLE agent (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  name TEXT NOT NULL, email TEXT NOT NULL, email_key TEXT NOT NULL,
  password TEXT,                         -- argon2id in PHC form; none until an invitation is accepted
  role TEXT NOT NULL, availability TEXT NOT NULL,
  preferences TEXT NOT NULL,             -- JSON
  created_at BIGINT NOT NULL, archived_at BIGINT, version BIGINT NOT NULL
);
CREATE UNIQUE INDEX agent_email ON agent(workspace_id, email_key);
CREATE TABLE allowed_sender (            -- automatic mail of these makes conversations all the same
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  match_key TEXT NOT NULL, added_by TEXT NOT NULL, added_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX allowed_sender_key ON allowed_sender(workspace_id, match_key);
CREATE TABLE attachment (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  entry_id BIGINT, conversation_id BIGINT,             -- no entry yet: uploaded, waiting for a send or a draft
  uploader TEXT NOT NULL,                               -- actor text: agent:.. or visitor contact point id
  blob_id BIGINT NOT NULL REFERENCES blob(id), name TEXT NOT NULL, mime TEXT NOT NULL, bytes BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX attachment_blob ON attachment(workspace_id, blob_id);
CREATE INDEX attachment_entry ON attachment(workspace_id, entry_id, id) WHERE entry_id IS NOT NULL;
CREATE INDEX attachment_loose ON attachment(workspace_id, created_at, id) WHERE entry_id IS NULL;
CREATE INDEX attachment_waiting ON attachment(workspace_id, conversation_id) WHERE entry_id IS NULL AND conversation_id IS NOT NULL;
CREATE TABLE automatic_answer (          -- what an inbox answers by itself
  workspace_id BIGINT NOT NULL, inbox_id BIGINT NOT NULL, kind TEXT NOT NULL,   -- acknowledge, off_hours
  enabled BOOLEAN NOT NULL, subject TEXT, text TEXT NOT NULL, html TEXT, article_url TEXT,
  reply_within_minutes BIGINT, business_hours_id BIGINT, version BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, inbox_id, kind)
);
CREATE TABLE automatic_sent (            -- which were sent, so that none is sent twice; kind unsubscribed: none any more
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  inbox_id BIGINT NOT NULL, address_key TEXT NOT NULL, kind TEXT NOT NULL,
  conversation_id BIGINT NOT NULL, at BIGINT NOT NULL
);
CREATE INDEX automatic_sent_address ON automatic_sent(workspace_id, inbox_id, address_key, at, id);
CREATE INDEX automatic_sent_conversation ON automatic_sent(workspace_id, conversation_id, id);
CREATE TABLE blob (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  sha256 TEXT NOT NULL, bytes BIGINT NOT NULL, mime TEXT NOT NULL, data_key TEXT,
  created_at BIGINT NOT NULL, deleted_at BIGINT
);
CREATE UNIQUE INDEX blob_content ON blob(workspace_id, sha256) WHERE deleted_at IS NULL;
CREATE TABLE business_hours (workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY, name TEXT NOT NULL, hours TEXT NOT NULL, version BIGINT NOT NULL);
CREATE TABLE call (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  conversation_id BIGINT NOT NULL REFERENCES conversation(id), entry_id BIGINT, contact_point_id BIGINT,
  direction TEXT NOT NULL, state TEXT NOT NULL, external_id TEXT,
  started_at BIGINT NOT NULL, answered_at BIGINT, ended_at BIGINT, wait_ms BIGINT NOT NULL, duration_ms BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX call_conversation ON call(workspace_id, conversation_id, id);
CREATE INDEX call_external ON call(workspace_id, external_id) WHERE external_id IS NOT NULL;
CREATE TABLE company (workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL, domain TEXT, notes TEXT, created_at BIGINT NOT NULL, version BIGINT NOT NULL);
CREATE UNIQUE INDEX company_name ON company(workspace_id, name_key);
CREATE TABLE compose_draft (             -- a conversation that an agent is about to begin
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  agent_id BIGINT NOT NULL, content TEXT NOT NULL, attachments TEXT NOT NULL, version BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE INDEX compose_draft_agent ON compose_draft(workspace_id, agent_id, updated_at, id);
CREATE TABLE consent (                   -- statements, never changed: the last one of a contact about a purpose and way counts
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  contact_id BIGINT NOT NULL, purpose TEXT NOT NULL,
  channel TEXT NOT NULL,                 -- '' = on every channel
  contact_point_id BIGINT,               -- NULL = at every address
  state TEXT NOT NULL, source TEXT NOT NULL, evidence TEXT NOT NULL,
  at BIGINT NOT NULL, recorded_at BIGINT NOT NULL, recorded_by TEXT NOT NULL, import_id BIGINT
);
CREATE INDEX consent_contact ON consent(workspace_id, contact_id, id);
CREATE TABLE contact (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  merged_into BIGINT,                    -- pointer; no row elsewhere is rewritten by a merge
  live_id BIGINT NOT NULL,               -- end of the pointers (itself when live), kept by merge and unmerge
  name TEXT, name_key TEXT, company TEXT, locale TEXT, time_zone TEXT, notes TEXT,
  claimed TEXT NOT NULL,                 -- JSON: what the page said, unproven, shown as claimed
  blocked_at BIGINT, blocked_by TEXT,
  first_seen_at BIGINT NOT NULL, last_seen_at BIGINT NOT NULL,
  version BIGINT NOT NULL
, company_id BIGINT, erased_at BIGINT);
CREATE INDEX contact_company ON contact(workspace_id, company_id, id) WHERE company_id IS NOT NULL;
CREATE INDEX contact_live ON contact(workspace_id, live_id, id);
CREATE INDEX contact_name ON contact(workspace_id, name_key, id) WHERE merged_into IS NULL;
CREATE INDEX contact_seen ON contact(workspace_id, last_seen_at, id) WHERE merged_into IS NULL;
CREATE TABLE contact_field (             -- fields that the business made itself
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
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
CREATE TABLE contact_key (               -- who may be the same as whom: contacts that share one of these are compared
  workspace_id BIGINT NOT NULL, match_key BIGINT NOT NULL, contact_id BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, match_key, contact_id)
);
CREATE UNIQUE INDEX contact_key_contact ON contact_key(workspace_id, contact_id, match_key);
CREATE TABLE contact_merge (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  keep_id BIGINT NOT NULL, other_id BIGINT NOT NULL,
  merged_by TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL,
  moved TEXT NOT NULL,                   -- JSON: ids whose live_id moved, and the fields of both before
  merged_at BIGINT NOT NULL, undone_at BIGINT, undone_by TEXT
);
CREATE INDEX contact_merge_keep ON contact_merge(workspace_id, keep_id, id);
CREATE INDEX contact_merge_other ON contact_merge(workspace_id, other_id, id);
CREATE TABLE contact_point (             -- one row per key; upserted first in ingest, so that the unique index settles races
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL, scope TEXT NOT NULL, match_key TEXT NOT NULL, raw TEXT NOT NULL,   -- scope '' where there is none: NULLs are never equal
  shared BOOLEAN NOT NULL, health TEXT NOT NULL, blocked_at BIGINT, seen_at BIGINT NOT NULL
, loose_key TEXT);
CREATE UNIQUE INDEX contact_point_key ON contact_point(workspace_id, kind, scope, match_key);
CREATE INDEX contact_point_loose ON contact_point(workspace_id, kind, loose_key) WHERE loose_key IS NOT NULL;
CREATE TABLE contact_point_owner (       -- two live owners = ambiguous
  workspace_id BIGINT NOT NULL, contact_point_id BIGINT NOT NULL, contact_id BIGINT NOT NULL,
  proof_level BIGINT NOT NULL, evidence TEXT NOT NULL, source TEXT NOT NULL,
  first_seen_at BIGINT NOT NULL, last_seen_at BIGINT NOT NULL, verified_at BIGINT,
  PRIMARY KEY (workspace_id, contact_point_id, contact_id)
);
CREATE INDEX contact_point_owner_contact ON contact_point_owner(workspace_id, contact_id);
CREATE TABLE contact_suggestion (        -- two contacts that may be one person; one row per pair, lower id first
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  a_id BIGINT NOT NULL, b_id BIGINT NOT NULL,
  source TEXT NOT NULL,                  -- arrival, model
  bits BIGINT,                           -- weight in thousandths of a bit, where the model gave one
  level BIGINT NOT NULL,                 -- strongest proof behind the evidence
  evidence TEXT NOT NULL,                -- JSON
  state TEXT NOT NULL,                   -- open, not_same, merged
  made_at BIGINT NOT NULL, decided_by TEXT, decided_at BIGINT
);
CREATE INDEX contact_suggestion_b ON contact_suggestion(workspace_id, b_id, a_id);
CREATE INDEX contact_suggestion_best ON contact_suggestion(workspace_id, bits, id) WHERE state = 'open';
CREATE INDEX contact_suggestion_open ON contact_suggestion(workspace_id, made_at, id) WHERE state = 'open';
CREATE UNIQUE INDEX contact_suggestion_pair ON contact_suggestion(workspace_id, a_id, b_id);
CREATE TABLE conversation (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  number BIGINT NOT NULL,
  contact_id BIGINT NOT NULL,
  inbox_id BIGINT NOT NULL,              -- of the last customer entry: decides list and permission
  channel TEXT NOT NULL, first_channel TEXT NOT NULL,
  agent_id BIGINT, team_id BIGINT,
  status TEXT NOT NULL, status_before_spam TEXT,
  folder TEXT NOT NULL,                  -- open, waiting, snoozed, closed, spam, merged: made from the columns above, what lists are cut by
  spam BOOLEAN NOT NULL, imported BOOLEAN NOT NULL,
  priority TEXT NOT NULL, subject TEXT, issue_key TEXT,
  snoozed_until BIGINT, resolved_at BIGINT,
  waiting_since BIGINT,                  -- oldest unanswered customer entry
  seq BIGINT NOT NULL,                   -- last seq given out
  customer_seq BIGINT NOT NULL,          -- seq of the last customer entry: unread for an agent when seen_seq < customer_seq
  public_seq BIGINT NOT NULL,            -- seq of the last entry the customer may see
  unread_count BIGINT NOT NULL,          -- customer entries since an agent last looked
  preview TEXT NOT NULL,                 -- JSON of the last entry, so that the list needs one table
  merged_into BIGINT, follow_up_of BIGINT, related TEXT,
  created_at BIGINT NOT NULL, last_activity_at BIGINT NOT NULL, customer_at BIGINT, next_due_at BIGINT,
  version BIGINT NOT NULL
, channels TEXT NOT NULL DEFAULT '', orders TEXT NOT NULL DEFAULT '');
CREATE INDEX conversation_agent      ON conversation(workspace_id, agent_id, folder, last_activity_at, id) WHERE agent_id IS NOT NULL;
CREATE INDEX conversation_all        ON conversation(workspace_id, folder, last_activity_at, id);
CREATE INDEX conversation_contact    ON conversation(workspace_id, contact_id, last_activity_at, id);
CREATE INDEX conversation_due        ON conversation(workspace_id, folder, next_due_at, id) WHERE next_due_at IS NOT NULL;
CREATE INDEX conversation_inbox      ON conversation(workspace_id, inbox_id, folder, last_activity_at, id);
CREATE INDEX conversation_merged ON conversation(workspace_id, merged_into, id) WHERE merged_into IS NOT NULL;
CREATE UNIQUE INDEX conversation_number ON conversation(workspace_id, number);
CREATE INDEX conversation_resolved   ON conversation(workspace_id, resolved_at, id) WHERE status = 'resolved';
CREATE INDEX conversation_team       ON conversation(workspace_id, team_id, folder, last_activity_at, id) WHERE team_id IS NOT NULL;
CREATE INDEX conversation_unassigned ON conversation(workspace_id, folder, last_activity_at, id) WHERE agent_id IS NULL;
CREATE TABLE conversation_seen (
  workspace_id BIGINT NOT NULL, agent_id BIGINT NOT NULL, conversation_id BIGINT NOT NULL, seen_seq BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, agent_id, conversation_id)
);
CREATE TABLE conversation_tag (
  workspace_id BIGINT NOT NULL, conversation_id BIGINT NOT NULL, tag_id BIGINT NOT NULL, tagged_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, conversation_id, tag_id)
);
CREATE INDEX conversation_tag_tag ON conversation_tag(workspace_id, tag_id, conversation_id);
CREATE TABLE counter (
  workspace_id BIGINT NOT NULL, kind TEXT NOT NULL, subject_id BIGINT NOT NULL, n BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, kind, subject_id)
);
CREATE TABLE decision (                  -- why an entry stands where it stands: what "why?" shows
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  entry_id BIGINT NOT NULL, rule TEXT NOT NULL, trace TEXT NOT NULL, made_at BIGINT NOT NULL
, answer TEXT, answered_by TEXT, answered_at BIGINT);
CREATE INDEX decision_entry ON decision(workspace_id, entry_id, id);
CREATE TABLE delivery (                  -- one per part and attempt, committed before the channel is called
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  outbox_id BIGINT NOT NULL REFERENCES outbox(id), inbox_id BIGINT NOT NULL, round BIGINT NOT NULL, part BIGINT NOT NULL, attempt BIGINT NOT NULL,
  parts BIGINT NOT NULL,                 -- how many parts the entry has
  rank BIGINT NOT NULL, open BOOLEAN NOT NULL,          -- open: submitted, answer not yet stored
  uncertain BOOLEAN NOT NULL, provider_id TEXT, provider_key TEXT, class TEXT, code TEXT, reason TEXT, request TEXT,
  changed_at BIGINT NOT NULL
);
CREATE INDEX delivery_inbox ON delivery(workspace_id, inbox_id, id);
CREATE UNIQUE INDEX delivery_part ON delivery(workspace_id, outbox_id, round, part, attempt);
CREATE INDEX delivery_provider ON delivery(workspace_id, inbox_id, provider_key) WHERE provider_key IS NOT NULL;
CREATE TABLE delivery_address (          -- typed by a visitor: where the answers of one conversation may go, and nothing else
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  conversation_id BIGINT NOT NULL REFERENCES conversation(id), contact_point_id BIGINT NOT NULL, added_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX delivery_address_one ON delivery_address(workspace_id, conversation_id, contact_point_id);
CREATE TABLE draft (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  conversation_id BIGINT NOT NULL, agent_id BIGINT NOT NULL, mode TEXT NOT NULL,
  inbox_id BIGINT, text TEXT NOT NULL, attachments TEXT NOT NULL, version BIGINT NOT NULL, updated_at BIGINT NOT NULL
, mail TEXT);
CREATE UNIQUE INDEX draft_one ON draft(workspace_id, agent_id, conversation_id, mode);
CREATE TABLE entry (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  contact_id BIGINT NOT NULL,            -- the timeline it belongs to
  conversation_id BIGINT NOT NULL REFERENCES conversation(id),   -- a label: merge, split, move edit it
  inbox_id BIGINT, contact_point_id BIGINT,
  kind TEXT NOT NULL, channel TEXT NOT NULL, direction TEXT NOT NULL, audience TEXT NOT NULL,
  delivery TEXT, delivery_reason TEXT, uncertain BOOLEAN NOT NULL,       -- outgoing only
  author_kind TEXT NOT NULL, author_id BIGINT, author_name TEXT NOT NULL,
  notification BOOLEAN NOT NULL, closing BOOLEAN NOT NULL, imported BOOLEAN NOT NULL,    -- what figures and clocks leave out (domain.md 2.1)
  proof_level BIGINT, flags TEXT NOT NULL, decision_id BIGINT, reply_to BIGINT,
  external_key TEXT,                     -- SHA-256 of the provider's id: reply look-up, echo; of a Message-ID not unique
  client_key TEXT,                       -- SHA-256 of author and idempotency key or client_msg_id
  client_id TEXT,                        -- the key as the author sent it, to match the optimistic row
  seq BIGINT NOT NULL,                   -- seq of its last change in its conversation
  at BIGINT NOT NULL, edited_at BIGINT, redacted_at BIGINT,
  body TEXT NOT NULL                     -- JSON parts
);
CREATE UNIQUE INDEX entry_client ON entry(workspace_id, client_key) WHERE client_key IS NOT NULL;
CREATE INDEX entry_conversation ON entry(workspace_id, conversation_id, at, id);
CREATE INDEX entry_external     ON entry(workspace_id, inbox_id, external_key) WHERE external_key IS NOT NULL;
CREATE INDEX entry_external_mail ON entry(workspace_id, external_key) WHERE external_key IS NOT NULL AND channel = 'email';
CREATE INDEX entry_seq          ON entry(workspace_id, conversation_id, seq, id);
CREATE INDEX entry_timeline     ON entry(workspace_id, contact_id, at, id);
CREATE TABLE event_log (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  change_seq BIGINT NOT NULL,            -- per workspace, gap-free, commit order
  stream_id BIGINT, seq BIGINT,          -- conversation (or contact, call, agent): version within it, gap-free
  kind TEXT NOT NULL,
  at BIGINT NOT NULL, recorded_at BIGINT NOT NULL,
  actor TEXT NOT NULL, cause_id BIGINT,
  payload TEXT NOT NULL                  -- ids and old/new values, not copies of content
);
CREATE UNIQUE INDEX event_log_change ON event_log(workspace_id, change_seq);
CREATE UNIQUE INDEX event_log_stream ON event_log(workspace_id, stream_id, seq) WHERE stream_id IS NOT NULL;
CREATE TABLE fact (                      -- what we know about the matter of a conversation, each value with its source
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  conversation_id BIGINT NOT NULL,
  name TEXT NOT NULL, value TEXT NOT NULL, value_key TEXT NOT NULL,
  source TEXT NOT NULL,                  -- agent, form, text, program, system
  entry_id BIGINT,                       -- where it was said
  set_by TEXT NOT NULL, set_at BIGINT NOT NULL,
  replaced_at BIGINT                     -- NULL = counts now
);
CREATE INDEX fact_conversation ON fact(workspace_id, conversation_id, id);
CREATE UNIQUE INDEX fact_now ON fact(workspace_id, conversation_id, name, value_key) WHERE replaced_at IS NULL;
CREATE TABLE handoff_token (             -- leads a customer from one channel to another, once
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
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
CREATE INDEX handoff_token_conversation ON handoff_token(workspace_id, conversation_id, id);
CREATE UNIQUE INDEX handoff_token_hash ON handoff_token(workspace_id, token_hash);
CREATE TABLE import (                    -- a file of people: looked at, taken in, perhaps taken back
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
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
CREATE TABLE inbox (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  channel TEXT NOT NULL, name TEXT NOT NULL, enabled BOOLEAN NOT NULL,
  site TEXT,                             -- public slug of a webchat inbox
  team_id BIGINT,                        -- conversations start there
  settings TEXT NOT NULL,                -- JSON of the adapter
  state TEXT NOT NULL,                   -- ok, needs_sign_in, off
  last_in_at BIGINT, last_out_at BIGINT,
  created_at BIGINT NOT NULL, version BIGINT NOT NULL
);
CREATE UNIQUE INDEX inbox_site ON inbox(site) WHERE site IS NOT NULL;
CREATE TABLE inbox_agent (               -- no row for an inbox: every agent may see it
  workspace_id BIGINT NOT NULL, inbox_id BIGINT NOT NULL, agent_id BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, inbox_id, agent_id)
);
CREATE TABLE inbox_check (               -- the last check of an inbox, step by step
  workspace_id BIGINT NOT NULL, inbox_id BIGINT NOT NULL,
  run TEXT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT,
  steps TEXT NOT NULL,                   -- JSON
  PRIMARY KEY (workspace_id, inbox_id)
);
CREATE TABLE invitation (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  email TEXT NOT NULL, name TEXT, role TEXT NOT NULL, token_hash TEXT NOT NULL, invited_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, accepted_at BIGINT, revoked_at BIGINT
);
CREATE UNIQUE INDEX invitation_token ON invitation(workspace_id, token_hash);
CREATE TABLE job (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  priority BIGINT NOT NULL,              -- 0 now, 1 normal, 2 bulk
  name TEXT NOT NULL, payload TEXT NOT NULL,
  lane BIGINT,                           -- NULL: no order needed
  dedupe_key TEXT,
  run_at BIGINT NOT NULL,
  locked_until BIGINT,
  attempts BIGINT NOT NULL DEFAULT 0,
  gave_up_at BIGINT, reason TEXT
);
CREATE UNIQUE INDEX job_dedupe ON job(workspace_id, dedupe_key) WHERE dedupe_key IS NOT NULL AND gave_up_at IS NULL;
CREATE INDEX job_given_up ON job(workspace_id, gave_up_at, id) WHERE gave_up_at IS NOT NULL;
CREATE INDEX job_in_lane ON job(workspace_id, lane, id) WHERE lane IS NOT NULL AND gave_up_at IS NULL;
CREATE INDEX job_locked ON job(locked_until) WHERE locked_until IS NOT NULL;
CREATE UNIQUE INDEX job_one_per_lane ON job(workspace_id, lane) WHERE lane IS NOT NULL AND locked_until IS NOT NULL;
CREATE INDEX job_ready  ON job(priority, run_at, id) WHERE lane IS NULL AND locked_until IS NULL AND gave_up_at IS NULL;
CREATE TABLE job_lane (
  workspace_id BIGINT NOT NULL, lane BIGINT NOT NULL, priority BIGINT NOT NULL,
  next_at BIGINT NOT NULL, locked_until BIGINT, token BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (workspace_id, lane)
);
CREATE INDEX job_lane_locked ON job_lane(locked_until) WHERE locked_until IS NOT NULL;
CREATE INDEX job_lane_ready  ON job_lane(priority, next_at, workspace_id, lane) WHERE locked_until IS NULL;
CREATE TABLE lease (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, until BIGINT NOT NULL, token BIGINT NOT NULL);
CREATE TABLE leg (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  call_id BIGINT NOT NULL REFERENCES call(id), party TEXT NOT NULL, agent_id BIGINT, state TEXT NOT NULL,
  started_at BIGINT NOT NULL, ended_at BIGINT
);
CREATE INDEX leg_call ON leg(workspace_id, call_id, id);
CREATE TABLE login_session (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  agent_id BIGINT NOT NULL, token_hash TEXT NOT NULL, device TEXT NOT NULL,
  created_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, ended_at BIGINT
);
CREATE INDEX login_session_agent ON login_session(workspace_id, agent_id, id);
CREATE UNIQUE INDEX login_session_token ON login_session(workspace_id, token_hash);
CREATE TABLE mention (                   -- an agent was named in a note; open until done
  workspace_id BIGINT NOT NULL, agent_id BIGINT NOT NULL, conversation_id BIGINT NOT NULL, entry_id BIGINT NOT NULL,
  at BIGINT NOT NULL, done_at BIGINT,
  PRIMARY KEY (workspace_id, agent_id, conversation_id, entry_id)
);
CREATE INDEX mention_open ON mention(workspace_id, agent_id, at, conversation_id) WHERE done_at IS NULL;
CREATE TABLE node (number BIGINT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, address TEXT, until BIGINT NOT NULL, ids_up_to BIGINT NOT NULL);
CREATE TABLE outbox (                    -- one per entry and receiver
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  entry_id BIGINT NOT NULL REFERENCES entry(id), conversation_id BIGINT NOT NULL, inbox_id BIGINT NOT NULL, contact_point_id BIGINT,
  state TEXT NOT NULL, reason TEXT,      -- held, queued, blocked, sending, done, cancelled, expired
  hold_until BIGINT, send_at BIGINT,     -- hold: undo time; send_at: "send later" by the agent
  round BIGINT NOT NULL,                 -- grows with each manual retry; attempts of older rounds no longer count
  version BIGINT NOT NULL
);
CREATE INDEX outbox_entry ON outbox(workspace_id, entry_id, id);
CREATE INDEX outbox_later ON outbox(workspace_id, conversation_id, send_at) WHERE state = 'held' AND send_at IS NOT NULL;
CREATE TABLE parked_state (              -- a delivery state that came before its provider id was known; 24 h
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  inbox_id BIGINT NOT NULL, provider_key TEXT NOT NULL, rank BIGINT NOT NULL, code TEXT, at BIGINT NOT NULL
);
CREATE INDEX parked_state_key ON parked_state(workspace_id, inbox_id, provider_key, id);
CREATE TABLE participant (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  conversation_id BIGINT NOT NULL REFERENCES conversation(id), contact_id BIGINT, contact_point_id BIGINT,
  role TEXT NOT NULL, joined_at BIGINT NOT NULL
);
CREATE INDEX participant_conversation ON participant(workspace_id, conversation_id, id);
CREATE TABLE presence_span (             -- availability over time: routing and occupancy read it later
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  agent_id BIGINT NOT NULL, availability TEXT NOT NULL, started_at BIGINT NOT NULL, ended_at BIGINT
);
CREATE INDEX presence_span_agent ON presence_span(workspace_id, agent_id, started_at, id);
CREATE TABLE proof (                     -- who a customer has shown to be, in one conversation, for a while
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  conversation_id BIGINT NOT NULL, contact_id BIGINT NOT NULL,
  contact_point_id BIGINT,               -- the address that proved it
  level BIGINT NOT NULL,
  token_id BIGINT,                       -- the link or code behind it
  from_at BIGINT NOT NULL, until_at BIGINT NOT NULL,
  ended_at BIGINT, ended_by TEXT
);
CREATE INDEX proof_conversation ON proof(workspace_id, conversation_id, id);
CREATE TABLE provider_event (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  inbox_id BIGINT NOT NULL, dedupe_key TEXT NOT NULL, content_key TEXT NOT NULL,   -- SHA-256 of the raw bytes
  raw BYTEA, blob_id BIGINT,             -- up to 64 KiB inline, above in the blob store (object first)
  headers TEXT NOT NULL, evidence BYTEA, lane BIGINT, lane_name TEXT NOT NULL,
  received_at BIGINT NOT NULL, processed_at BIGINT, outcome TEXT, reason TEXT, entry_id BIGINT,   -- outcome: entry, state, dropped, quarantined
  dismissed_at BIGINT
, folder_id BIGINT, same_as BIGINT, summary TEXT);
CREATE INDEX provider_event_automatic ON provider_event(workspace_id, received_at, id) WHERE outcome = 'dropped' AND summary IS NOT NULL;
CREATE INDEX provider_event_blob ON provider_event(workspace_id, blob_id) WHERE blob_id IS NOT NULL;
CREATE INDEX provider_event_content ON provider_event(workspace_id, inbox_id, content_key);
CREATE INDEX provider_event_entry ON provider_event(workspace_id, entry_id) WHERE entry_id IS NOT NULL;
CREATE INDEX provider_event_folder ON provider_event(workspace_id, folder_id, id) WHERE folder_id IS NOT NULL;
CREATE UNIQUE INDEX provider_event_once ON provider_event(workspace_id, inbox_id, dedupe_key);
CREATE INDEX provider_event_open ON provider_event(workspace_id, received_at, id) WHERE processed_at IS NULL;
CREATE INDEX provider_event_quarantine ON provider_event(workspace_id, received_at, id) WHERE outcome = 'quarantined' AND dismissed_at IS NULL;
CREATE TABLE pull_folder (               -- the ledger, one row per folder
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  inbox_id BIGINT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, generation TEXT NOT NULL,
  figures TEXT NOT NULL,                 -- JSON of the last count
  checked_at BIGINT
);
CREATE UNIQUE INDEX pull_folder_name ON pull_folder(workspace_id, inbox_id, name);
CREATE TABLE pull_import (               -- what was there before, taken in as history
  workspace_id BIGINT NOT NULL, inbox_id BIGINT NOT NULL,
  state TEXT NOT NULL,                   -- waiting, running, done, stopped, failed
  since BIGINT,                          -- NULL: everything
  total BIGINT NOT NULL, done BIGINT NOT NULL, reason TEXT,
  started_at BIGINT NOT NULL, ended_at BIGINT,
  PRIMARY KEY (workspace_id, inbox_id)
);
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
CREATE TABLE pull_trouble (              -- what happened to an inbox, for people: no connection, renumbered, mail missing
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  inbox_id BIGINT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL, began_at BIGINT NOT NULL, ended_at BIGINT
);
CREATE INDEX pull_trouble_inbox ON pull_trouble(workspace_id, inbox_id, id);
CREATE TABLE schema_migration (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL);
CREATE TABLE secret (
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  owner_id BIGINT NOT NULL, name TEXT NOT NULL, key_number BIGINT NOT NULL, sealed BYTEA NOT NULL, version BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX secret_name ON secret(workspace_id, owner_id, name);
CREATE TABLE segment (                   -- saved filters over contacts
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  agent_id BIGINT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, shared BOOLEAN NOT NULL, version BIGINT NOT NULL
);
CREATE TABLE sender_burst (              -- how fast somebody writes: a loop is cut here
  workspace_id BIGINT NOT NULL, contact_id BIGINT NOT NULL,
  began_at BIGINT NOT NULL, messages BIGINT NOT NULL, conversations BIGINT NOT NULL, open BOOLEAN NOT NULL,
  PRIMARY KEY (workspace_id, contact_id)
);
CREATE TABLE setting (workspace_id BIGINT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (workspace_id, name));
CREATE TABLE signature (                 -- words under mails; 0: of every inbox, of every agent
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  inbox_id BIGINT NOT NULL, agent_id BIGINT NOT NULL, text TEXT NOT NULL, html TEXT, version BIGINT NOT NULL
);
CREATE UNIQUE INDEX signature_of ON signature(workspace_id, inbox_id, agent_id);
CREATE TABLE tag (workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL, colour TEXT NOT NULL);
CREATE UNIQUE INDEX tag_name ON tag(workspace_id, name_key);
CREATE TABLE team (workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY, name TEXT NOT NULL, name_key TEXT NOT NULL, version BIGINT NOT NULL);
CREATE UNIQUE INDEX team_name ON team(workspace_id, name_key);
CREATE TABLE team_agent (
  workspace_id BIGINT NOT NULL, team_id BIGINT NOT NULL, agent_id BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, team_id, agent_id)
);
CREATE INDEX team_agent_agent ON team_agent(workspace_id, agent_id, team_id);
CREATE TABLE template (                  -- prepared texts
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  name TEXT NOT NULL, name_key TEXT NOT NULL,
  agent_id BIGINT,                       -- whose own; none: everybody's
  inbox_id BIGINT,                       -- offered in this inbox only
  subject TEXT, text TEXT NOT NULL, html TEXT, version BIGINT NOT NULL, updated_at BIGINT NOT NULL
);
CREATE INDEX template_name ON template(workspace_id, name_key, id);
CREATE TABLE tombstone (                 -- somebody was erased: nothing here names them
  workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY,
  contact_id BIGINT NOT NULL, erased_by TEXT NOT NULL, erased_at BIGINT NOT NULL,
  counts TEXT NOT NULL                   -- JSON: entries, files ..
);
CREATE INDEX tombstone_contact ON tombstone(workspace_id, contact_id, id);
CREATE TABLE tombstone_key (             -- keyed hashes of what they were reached by, so that an import leaves them out
  workspace_id BIGINT NOT NULL, key_hash TEXT NOT NULL, erased_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, key_hash)
);
CREATE TABLE view (workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY, agent_id BIGINT NOT NULL, name TEXT NOT NULL, query TEXT NOT NULL, shared BOOLEAN NOT NULL, pinned BOOLEAN NOT NULL);
CREATE TABLE workspace (
  id BIGINT NOT NULL PRIMARY KEY,        -- the tenant itself: a handful of rows
  name TEXT NOT NULL, colour TEXT NOT NULL, time_zone TEXT NOT NULL,
  settings TEXT NOT NULL,                -- JSON: checklist, sample data mark, thresholds
  created_at BIGINT NOT NULL, version BIGINT NOT NULL
);
CREATE TABLE workspace_head (workspace_id BIGINT NOT NULL PRIMARY KEY, change_seq BIGINT NOT NULL);
