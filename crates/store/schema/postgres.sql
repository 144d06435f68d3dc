-- Made by the migrations on PostgreSQL; written by a test, never by hand.
CREATE TABLE agent (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  email text NOT NULL,
  email_key text NOT NULL,
  password text,
  role text NOT NULL,
  availability text NOT NULL,
  preferences text NOT NULL,
  created_at bigint NOT NULL,
  archived_at bigint,
  version bigint NOT NULL,
  CONSTRAINT agent_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX agent_email ON agent USING btree (workspace_id, email_key);
CREATE TABLE allowed_sender (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  match_key text NOT NULL,
  added_by text NOT NULL,
  added_at bigint NOT NULL,
  CONSTRAINT allowed_sender_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX allowed_sender_key ON allowed_sender USING btree (workspace_id, match_key);
CREATE TABLE attachment (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  entry_id bigint,
  conversation_id bigint,
  uploader text NOT NULL,
  blob_id bigint NOT NULL,
  name text NOT NULL,
  mime text NOT NULL,
  bytes bigint NOT NULL,
  created_at bigint NOT NULL,
  CONSTRAINT attachment_pkey PRIMARY KEY (workspace_id, id),
  CONSTRAINT attachment_workspace_id_blob_id_fkey FOREIGN KEY (workspace_id, blob_id) REFERENCES blob(workspace_id, id)
);
CREATE INDEX attachment_blob ON attachment USING btree (workspace_id, blob_id);
CREATE INDEX attachment_entry ON attachment USING btree (workspace_id, entry_id, id) WHERE (entry_id IS NOT NULL);
CREATE INDEX attachment_loose ON attachment USING btree (workspace_id, created_at, id) WHERE (entry_id IS NULL);
CREATE INDEX attachment_waiting ON attachment USING btree (workspace_id, conversation_id) WHERE ((entry_id IS NULL) AND (conversation_id IS NOT NULL));
CREATE TABLE automatic_answer (
  workspace_id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  kind text NOT NULL,
  enabled boolean NOT NULL,
  subject text,
  text text NOT NULL,
  html text,
  article_url text,
  reply_within_minutes bigint,
  business_hours_id bigint,
  version bigint NOT NULL,
  CONSTRAINT automatic_answer_pkey PRIMARY KEY (workspace_id, inbox_id, kind)
);
CREATE TABLE automatic_sent (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  address_key text NOT NULL,
  kind text NOT NULL,
  conversation_id bigint NOT NULL,
  at bigint NOT NULL,
  CONSTRAINT automatic_sent_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX automatic_sent_address ON automatic_sent USING btree (workspace_id, inbox_id, address_key, at, id);
CREATE INDEX automatic_sent_conversation ON automatic_sent USING btree (workspace_id, conversation_id, id);
CREATE TABLE blob (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  sha256 text NOT NULL,
  bytes bigint NOT NULL,
  mime text NOT NULL,
  data_key text,
  created_at bigint NOT NULL,
  deleted_at bigint,
  CONSTRAINT blob_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX blob_content ON blob USING btree (workspace_id, sha256) WHERE (deleted_at IS NULL);
CREATE TABLE business_hours (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  hours text NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT business_hours_pkey PRIMARY KEY (workspace_id, id)
);
CREATE TABLE call (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  entry_id bigint,
  contact_point_id bigint,
  direction text NOT NULL,
  state text NOT NULL,
  external_id text,
  started_at bigint NOT NULL,
  answered_at bigint,
  ended_at bigint,
  wait_ms bigint NOT NULL,
  duration_ms bigint NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT call_pkey PRIMARY KEY (workspace_id, id),
  CONSTRAINT call_workspace_id_conversation_id_fkey FOREIGN KEY (workspace_id, conversation_id) REFERENCES conversation(workspace_id, id)
);
CREATE INDEX call_conversation ON call USING btree (workspace_id, conversation_id, id);
CREATE INDEX call_external ON call USING btree (workspace_id, external_id) WHERE (external_id IS NOT NULL);
CREATE TABLE company (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  name_key text NOT NULL,
  domain text,
  notes text,
  created_at bigint NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT company_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX company_name ON company USING btree (workspace_id, name_key);
CREATE TABLE compose_draft (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  agent_id bigint NOT NULL,
  content text NOT NULL,
  attachments text NOT NULL,
  version bigint NOT NULL,
  updated_at bigint NOT NULL,
  CONSTRAINT compose_draft_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX compose_draft_agent ON compose_draft USING btree (workspace_id, agent_id, updated_at, id);
CREATE TABLE consent (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  contact_id bigint NOT NULL,
  purpose text NOT NULL,
  channel text NOT NULL,
  contact_point_id bigint,
  state text NOT NULL,
  source text NOT NULL,
  evidence text NOT NULL,
  at bigint NOT NULL,
  recorded_at bigint NOT NULL,
  recorded_by text NOT NULL,
  import_id bigint,
  CONSTRAINT consent_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX consent_contact ON consent USING btree (workspace_id, contact_id, id);
CREATE TABLE contact (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  merged_into bigint,
  live_id bigint NOT NULL,
  name text,
  name_key text,
  company text,
  locale text,
  time_zone text,
  notes text,
  claimed text NOT NULL,
  blocked_at bigint,
  blocked_by text,
  first_seen_at bigint NOT NULL,
  last_seen_at bigint NOT NULL,
  version bigint NOT NULL,
  company_id bigint,
  erased_at bigint,
  CONSTRAINT contact_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX contact_company ON contact USING btree (workspace_id, company_id, id) WHERE (company_id IS NOT NULL);
CREATE INDEX contact_live ON contact USING btree (workspace_id, live_id, id);
CREATE INDEX contact_name ON contact USING btree (workspace_id, name_key, id) WHERE (merged_into IS NULL);
CREATE INDEX contact_seen ON contact USING btree (workspace_id, last_seen_at, id) WHERE (merged_into IS NULL);
CREATE TABLE contact_field (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  name_key text NOT NULL,
  kind text NOT NULL,
  choices text NOT NULL,
  position bigint NOT NULL,
  archived_at bigint,
  version bigint NOT NULL,
  CONSTRAINT contact_field_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX contact_field_name ON contact_field USING btree (workspace_id, name_key) WHERE (archived_at IS NULL);
CREATE TABLE contact_field_value (
  workspace_id bigint NOT NULL,
  contact_id bigint NOT NULL,
  field_id bigint NOT NULL,
  value text NOT NULL,
  value_key text NOT NULL,
  changed_at bigint NOT NULL,
  CONSTRAINT contact_field_value_pkey PRIMARY KEY (workspace_id, contact_id, field_id)
);
CREATE INDEX contact_field_value_key ON contact_field_value USING btree (workspace_id, field_id, value_key, contact_id);
CREATE TABLE contact_key (
  workspace_id bigint NOT NULL,
  match_key bigint NOT NULL,
  contact_id bigint NOT NULL,
  CONSTRAINT contact_key_pkey PRIMARY KEY (workspace_id, match_key, contact_id)
);
CREATE UNIQUE INDEX contact_key_contact ON contact_key USING btree (workspace_id, contact_id, match_key);
CREATE TABLE contact_merge (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  keep_id bigint NOT NULL,
  other_id bigint NOT NULL,
  merged_by text NOT NULL,
  reason text NOT NULL,
  evidence text NOT NULL,
  moved text NOT NULL,
  merged_at bigint NOT NULL,
  undone_at bigint,
  undone_by text,
  CONSTRAINT contact_merge_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX contact_merge_keep ON contact_merge USING btree (workspace_id, keep_id, id);
CREATE INDEX contact_merge_other ON contact_merge USING btree (workspace_id, other_id, id);
CREATE TABLE contact_point (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  kind text NOT NULL,
  scope text NOT NULL,
  match_key text NOT NULL,
  raw text NOT NULL,
  shared boolean NOT NULL,
  health text NOT NULL,
  blocked_at bigint,
  seen_at bigint NOT NULL,
  loose_key text,
  CONSTRAINT contact_point_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX contact_point_key ON contact_point USING btree (workspace_id, kind, scope, match_key);
CREATE INDEX contact_point_loose ON contact_point USING btree (workspace_id, kind, loose_key) WHERE (loose_key IS NOT NULL);
CREATE TABLE contact_point_owner (
  workspace_id bigint NOT NULL,
  contact_point_id bigint NOT NULL,
  contact_id bigint NOT NULL,
  proof_level bigint NOT NULL,
  evidence text NOT NULL,
  source text NOT NULL,
  first_seen_at bigint NOT NULL,
  last_seen_at bigint NOT NULL,
  verified_at bigint,
  CONSTRAINT contact_point_owner_pkey PRIMARY KEY (workspace_id, contact_point_id, contact_id)
);
CREATE INDEX contact_point_owner_contact ON contact_point_owner USING btree (workspace_id, contact_id);
CREATE TABLE contact_suggestion (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  a_id bigint NOT NULL,
  b_id bigint NOT NULL,
  source text NOT NULL,
  bits bigint,
  level bigint NOT NULL,
  evidence text NOT NULL,
  state text NOT NULL,
  made_at bigint NOT NULL,
  decided_by text,
  decided_at bigint,
  CONSTRAINT contact_suggestion_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX contact_suggestion_b ON contact_suggestion USING btree (workspace_id, b_id, a_id);
CREATE INDEX contact_suggestion_best ON contact_suggestion USING btree (workspace_id, bits, id) WHERE (state = 'open'::text);
CREATE INDEX contact_suggestion_open ON contact_suggestion USING btree (workspace_id, made_at, id) WHERE (state = 'open'::text);
CREATE UNIQUE INDEX contact_suggestion_pair ON contact_suggestion USING btree (workspace_id, a_id, b_id);
CREATE TABLE conversation (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  number bigint NOT NULL,
  contact_id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  channel text NOT NULL,
  first_channel text NOT NULL,
  agent_id bigint,
  team_id bigint,
  status text NOT NULL,
  status_before_spam text,
  folder text NOT NULL,
  spam boolean NOT NULL,
  imported boolean NOT NULL,
  priority text NOT NULL,
  subject text,
  issue_key text,
  snoozed_until bigint,
  resolved_at bigint,
  waiting_since bigint,
  seq bigint NOT NULL,
  customer_seq bigint NOT NULL,
  public_seq bigint NOT NULL,
  unread_count bigint NOT NULL,
  preview text NOT NULL,
  merged_into bigint,
  follow_up_of bigint,
  related text,
  created_at bigint NOT NULL,
  last_activity_at bigint NOT NULL,
  customer_at bigint,
  next_due_at bigint,
  version bigint NOT NULL,
  channels text NOT NULL DEFAULT ''::text,
  orders text NOT NULL DEFAULT ''::text,
  CONSTRAINT conversation_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX conversation_agent ON conversation USING btree (workspace_id, agent_id, folder, last_activity_at, id) WHERE (agent_id IS NOT NULL);
CREATE INDEX conversation_all ON conversation USING btree (workspace_id, folder, last_activity_at, id);
CREATE INDEX conversation_contact ON conversation USING btree (workspace_id, contact_id, last_activity_at, id);
CREATE INDEX conversation_due ON conversation USING btree (workspace_id, folder, next_due_at, id) WHERE (next_due_at IS NOT NULL);
CREATE INDEX conversation_inbox ON conversation USING btree (workspace_id, inbox_id, folder, last_activity_at, id);
CREATE INDEX conversation_merged ON conversation USING btree (workspace_id, merged_into, id) WHERE (merged_into IS NOT NULL);
CREATE UNIQUE INDEX conversation_number ON conversation USING btree (workspace_id, number);
CREATE INDEX conversation_resolved ON conversation USING btree (workspace_id, resolved_at, id) WHERE (status = 'resolved'::text);
CREATE INDEX conversation_team ON conversation USING btree (workspace_id, team_id, folder, last_activity_at, id) WHERE (team_id IS NOT NULL);
CREATE INDEX conversation_unassigned ON conversation USING btree (workspace_id, folder, last_activity_at, id) WHERE (agent_id IS NULL);
CREATE TABLE conversation_seen (
  workspace_id bigint NOT NULL,
  agent_id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  seen_seq bigint NOT NULL,
  CONSTRAINT conversation_seen_pkey PRIMARY KEY (workspace_id, agent_id, conversation_id)
);
CREATE TABLE conversation_tag (
  workspace_id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  tag_id bigint NOT NULL,
  tagged_at bigint NOT NULL,
  CONSTRAINT conversation_tag_pkey PRIMARY KEY (workspace_id, conversation_id, tag_id)
);
CREATE INDEX conversation_tag_tag ON conversation_tag USING btree (workspace_id, tag_id, conversation_id);
CREATE TABLE counter (
  workspace_id bigint NOT NULL,
  kind text NOT NULL,
  subject_id bigint NOT NULL,
  n bigint NOT NULL,
  CONSTRAINT counter_pkey PRIMARY KEY (workspace_id, kind, subject_id)
) WITH (fillfactor=50, autovacuum_vacuum_threshold=1000, autovacuum_vacuum_scale_factor=0);
CREATE TABLE decision (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  entry_id bigint NOT NULL,
  rule text NOT NULL,
  trace text NOT NULL,
  made_at bigint NOT NULL,
  answer text,
  answered_by text,
  answered_at bigint,
  CONSTRAINT decision_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX decision_entry ON decision USING btree (workspace_id, entry_id, id);
CREATE TABLE delivery (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  outbox_id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  round bigint NOT NULL,
  part bigint NOT NULL,
  attempt bigint NOT NULL,
  parts bigint NOT NULL,
  rank bigint NOT NULL,
  open boolean NOT NULL,
  uncertain boolean NOT NULL,
  provider_id text,
  provider_key text,
  class text,
  code text,
  reason text,
  request text,
  changed_at bigint NOT NULL,
  CONSTRAINT delivery_pkey PRIMARY KEY (workspace_id, id),
  CONSTRAINT delivery_workspace_id_outbox_id_fkey FOREIGN KEY (workspace_id, outbox_id) REFERENCES outbox(workspace_id, id)
);
CREATE INDEX delivery_inbox ON delivery USING btree (workspace_id, inbox_id, id);
CREATE UNIQUE INDEX delivery_part ON delivery USING btree (workspace_id, outbox_id, round, part, attempt);
CREATE INDEX delivery_provider ON delivery USING btree (workspace_id, inbox_id, provider_key) WHERE (provider_key IS NOT NULL);
CREATE TABLE delivery_address (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  contact_point_id bigint NOT NULL,
  added_at bigint NOT NULL,
  CONSTRAINT delivery_address_pkey PRIMARY KEY (workspace_id, id),
  CONSTRAINT delivery_address_workspace_id_conversation_id_fkey FOREIGN KEY (workspace_id, conversation_id) REFERENCES conversation(workspace_id, id)
);
CREATE UNIQUE INDEX delivery_address_one ON delivery_address USING btree (workspace_id, conversation_id, contact_point_id);
CREATE TABLE draft (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  agent_id bigint NOT NULL,
  mode text NOT NULL,
  inbox_id bigint,
  text text NOT NULL,
  attachments text NOT NULL,
  version bigint NOT NULL,
  updated_at bigint NOT NULL,
  mail text,
  CONSTRAINT draft_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX draft_one ON draft USING btree (workspace_id, agent_id, conversation_id, mode);
CREATE TABLE entry (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  contact_id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  inbox_id bigint,
  contact_point_id bigint,
  kind text NOT NULL,
  channel text NOT NULL,
  direction text NOT NULL,
  audience text NOT NULL,
  delivery text,
  delivery_reason text,
  uncertain boolean NOT NULL,
  author_kind text NOT NULL,
  author_id bigint,
  author_name text NOT NULL,
  notification boolean NOT NULL,
  closing boolean NOT NULL,
  imported boolean NOT NULL,
  proof_level bigint,
  flags text NOT NULL,
  decision_id bigint,
  reply_to bigint,
  external_key text,
  client_key text,
  client_id text,
  seq bigint NOT NULL,
  at bigint NOT NULL,
  edited_at bigint,
  redacted_at bigint,
  body text NOT NULL,
  CONSTRAINT entry_pkey PRIMARY KEY (workspace_id, id),
  CONSTRAINT entry_workspace_id_conversation_id_fkey FOREIGN KEY (workspace_id, conversation_id) REFERENCES conversation(workspace_id, id)
);
CREATE UNIQUE INDEX entry_client ON entry USING btree (workspace_id, client_key) WHERE (client_key IS NOT NULL);
CREATE INDEX entry_conversation ON entry USING btree (workspace_id, conversation_id, at, id);
CREATE INDEX entry_external ON entry USING btree (workspace_id, inbox_id, external_key) WHERE (external_key IS NOT NULL);
CREATE INDEX entry_external_mail ON entry USING btree (workspace_id, external_key) WHERE ((external_key IS NOT NULL) AND (channel = 'email'::text));
CREATE INDEX entry_seq ON entry USING btree (workspace_id, conversation_id, seq, id);
CREATE INDEX entry_timeline ON entry USING btree (workspace_id, contact_id, at, id);
CREATE TABLE event_log (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  change_seq bigint NOT NULL,
  stream_id bigint,
  seq bigint,
  kind text NOT NULL,
  at bigint NOT NULL,
  recorded_at bigint NOT NULL,
  actor text NOT NULL,
  cause_id bigint,
  payload text NOT NULL,
  CONSTRAINT event_log_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX event_log_change ON event_log USING btree (workspace_id, change_seq);
CREATE UNIQUE INDEX event_log_stream ON event_log USING btree (workspace_id, stream_id, seq) WHERE (stream_id IS NOT NULL);
CREATE TABLE fact (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  name text NOT NULL,
  value text NOT NULL,
  value_key text NOT NULL,
  source text NOT NULL,
  entry_id bigint,
  set_by text NOT NULL,
  set_at bigint NOT NULL,
  replaced_at bigint,
  CONSTRAINT fact_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX fact_conversation ON fact USING btree (workspace_id, conversation_id, id);
CREATE UNIQUE INDEX fact_now ON fact USING btree (workspace_id, conversation_id, name, value_key) WHERE (replaced_at IS NULL);
CREATE TABLE handoff_token (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  token_hash text NOT NULL,
  mode text NOT NULL,
  conversation_id bigint NOT NULL,
  contact_id bigint NOT NULL,
  delivered_point_id bigint,
  level bigint NOT NULL,
  target_channel text,
  target_inbox_id bigint,
  entry_id bigint,
  made_by text NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  used_at bigint,
  used_by bigint,
  used_point_id bigint,
  attempts bigint NOT NULL,
  CONSTRAINT handoff_token_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX handoff_token_conversation ON handoff_token USING btree (workspace_id, conversation_id, id);
CREATE UNIQUE INDEX handoff_token_hash ON handoff_token USING btree (workspace_id, token_hash);
CREATE TABLE import (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  file_name text NOT NULL,
  blob_key text NOT NULL,
  encoding text NOT NULL,
  separator text NOT NULL,
  row_count bigint NOT NULL,
  mapping text NOT NULL,
  state text NOT NULL,
  next_row bigint NOT NULL,
  counts text NOT NULL,
  created_by text NOT NULL,
  created_at bigint NOT NULL,
  done_at bigint,
  undone_at bigint,
  reason text,
  CONSTRAINT import_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX import_created ON import USING btree (workspace_id, created_at, id);
CREATE TABLE import_row (
  workspace_id bigint NOT NULL,
  import_id bigint NOT NULL,
  line bigint NOT NULL,
  outcome text NOT NULL,
  reason text,
  contact_id bigint,
  before text,
  after_version bigint,
  CONSTRAINT import_row_pkey PRIMARY KEY (workspace_id, import_id, line)
);
CREATE INDEX import_row_contact ON import_row USING btree (workspace_id, contact_id) WHERE (contact_id IS NOT NULL);
CREATE TABLE inbox (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  channel text NOT NULL,
  name text NOT NULL,
  enabled boolean NOT NULL,
  site text,
  team_id bigint,
  settings text NOT NULL,
  state text NOT NULL,
  last_in_at bigint,
  last_out_at bigint,
  created_at bigint NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT inbox_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX inbox_anywhere ON inbox USING btree (id);
CREATE UNIQUE INDEX inbox_site ON inbox USING btree (site) WHERE (site IS NOT NULL);
CREATE TABLE inbox_agent (
  workspace_id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  agent_id bigint NOT NULL,
  CONSTRAINT inbox_agent_pkey PRIMARY KEY (workspace_id, inbox_id, agent_id)
);
CREATE TABLE inbox_check (
  workspace_id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  run text NOT NULL,
  started_at bigint NOT NULL,
  ended_at bigint,
  steps text NOT NULL,
  CONSTRAINT inbox_check_pkey PRIMARY KEY (workspace_id, inbox_id)
);
CREATE TABLE invitation (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  email text NOT NULL,
  name text,
  role text NOT NULL,
  token_hash text NOT NULL,
  invited_by bigint NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  accepted_at bigint,
  revoked_at bigint,
  CONSTRAINT invitation_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX invitation_token ON invitation USING btree (workspace_id, token_hash);
CREATE TABLE job (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  priority bigint NOT NULL,
  name text NOT NULL,
  payload text NOT NULL,
  lane bigint,
  dedupe_key text,
  run_at bigint NOT NULL,
  locked_until bigint,
  attempts bigint NOT NULL DEFAULT 0,
  gave_up_at bigint,
  reason text,
  CONSTRAINT job_pkey PRIMARY KEY (workspace_id, id)
) WITH (fillfactor=50, autovacuum_vacuum_threshold=1000, autovacuum_vacuum_scale_factor=0);
CREATE UNIQUE INDEX job_dedupe ON job USING btree (workspace_id, dedupe_key) WHERE ((dedupe_key IS NOT NULL) AND (gave_up_at IS NULL));
CREATE INDEX job_given_up ON job USING btree (workspace_id, gave_up_at, id) WHERE (gave_up_at IS NOT NULL);
CREATE INDEX job_in_lane ON job USING btree (workspace_id, lane, id) WHERE ((lane IS NOT NULL) AND (gave_up_at IS NULL));
CREATE INDEX job_locked ON job USING btree (locked_until) WHERE (locked_until IS NOT NULL);
CREATE UNIQUE INDEX job_one_per_lane ON job USING btree (workspace_id, lane) WHERE ((lane IS NOT NULL) AND (locked_until IS NOT NULL));
CREATE INDEX job_ready ON job USING btree (priority, run_at, id) WHERE ((lane IS NULL) AND (locked_until IS NULL) AND (gave_up_at IS NULL));
CREATE TABLE job_lane (
  workspace_id bigint NOT NULL,
  lane bigint NOT NULL,
  priority bigint NOT NULL,
  next_at bigint NOT NULL,
  locked_until bigint,
  token bigint NOT NULL DEFAULT 0,
  CONSTRAINT job_lane_pkey PRIMARY KEY (workspace_id, lane)
) WITH (fillfactor=50, autovacuum_vacuum_threshold=1000, autovacuum_vacuum_scale_factor=0);
CREATE INDEX job_lane_locked ON job_lane USING btree (locked_until) WHERE (locked_until IS NOT NULL);
CREATE INDEX job_lane_ready ON job_lane USING btree (priority, next_at, workspace_id, lane) WHERE (locked_until IS NULL);
CREATE TABLE lease (
  name text NOT NULL,
  holder text NOT NULL,
  until bigint NOT NULL,
  token bigint NOT NULL,
  CONSTRAINT lease_pkey PRIMARY KEY (name)
);
CREATE TABLE leg (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  call_id bigint NOT NULL,
  party text NOT NULL,
  agent_id bigint,
  state text NOT NULL,
  started_at bigint NOT NULL,
  ended_at bigint,
  CONSTRAINT leg_pkey PRIMARY KEY (workspace_id, id),
  CONSTRAINT leg_workspace_id_call_id_fkey FOREIGN KEY (workspace_id, call_id) REFERENCES call(workspace_id, id)
);
CREATE INDEX leg_call ON leg USING btree (workspace_id, call_id, id);
CREATE TABLE login_session (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  agent_id bigint NOT NULL,
  token_hash text NOT NULL,
  device text NOT NULL,
  created_at bigint NOT NULL,
  seen_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ended_at bigint,
  CONSTRAINT login_session_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX login_session_agent ON login_session USING btree (workspace_id, agent_id, id);
CREATE UNIQUE INDEX login_session_token ON login_session USING btree (workspace_id, token_hash);
CREATE TABLE mention (
  workspace_id bigint NOT NULL,
  agent_id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  entry_id bigint NOT NULL,
  at bigint NOT NULL,
  done_at bigint,
  CONSTRAINT mention_pkey PRIMARY KEY (workspace_id, agent_id, conversation_id, entry_id)
);
CREATE INDEX mention_open ON mention USING btree (workspace_id, agent_id, at, conversation_id) WHERE (done_at IS NULL);
CREATE TABLE node (
  number bigint NOT NULL,
  holder text NOT NULL,
  address text,
  until bigint NOT NULL,
  ids_up_to bigint NOT NULL,
  CONSTRAINT node_pkey PRIMARY KEY (number)
) WITH (fillfactor=50, autovacuum_vacuum_threshold=1000, autovacuum_vacuum_scale_factor=0);
CREATE TABLE outbox (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  entry_id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  contact_point_id bigint,
  state text NOT NULL,
  reason text,
  hold_until bigint,
  send_at bigint,
  round bigint NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT outbox_pkey PRIMARY KEY (workspace_id, id),
  CONSTRAINT outbox_workspace_id_entry_id_fkey FOREIGN KEY (workspace_id, entry_id) REFERENCES entry(workspace_id, id)
);
CREATE INDEX outbox_entry ON outbox USING btree (workspace_id, entry_id, id);
CREATE INDEX outbox_later ON outbox USING btree (workspace_id, conversation_id, send_at) WHERE ((state = 'held'::text) AND (send_at IS NOT NULL));
CREATE TABLE parked_state (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  provider_key text NOT NULL,
  rank bigint NOT NULL,
  code text,
  at bigint NOT NULL,
  CONSTRAINT parked_state_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX parked_state_key ON parked_state USING btree (workspace_id, inbox_id, provider_key, id);
CREATE TABLE participant (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  contact_id bigint,
  contact_point_id bigint,
  role text NOT NULL,
  joined_at bigint NOT NULL,
  CONSTRAINT participant_pkey PRIMARY KEY (workspace_id, id),
  CONSTRAINT participant_workspace_id_conversation_id_fkey FOREIGN KEY (workspace_id, conversation_id) REFERENCES conversation(workspace_id, id)
);
CREATE INDEX participant_conversation ON participant USING btree (workspace_id, conversation_id, id);
CREATE TABLE presence_span (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  agent_id bigint NOT NULL,
  availability text NOT NULL,
  started_at bigint NOT NULL,
  ended_at bigint,
  CONSTRAINT presence_span_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX presence_span_agent ON presence_span USING btree (workspace_id, agent_id, started_at, id);
CREATE TABLE proof (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  conversation_id bigint NOT NULL,
  contact_id bigint NOT NULL,
  contact_point_id bigint,
  level bigint NOT NULL,
  token_id bigint,
  from_at bigint NOT NULL,
  until_at bigint NOT NULL,
  ended_at bigint,
  ended_by text,
  CONSTRAINT proof_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX proof_conversation ON proof USING btree (workspace_id, conversation_id, id);
CREATE TABLE provider_event (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  dedupe_key text NOT NULL,
  content_key text NOT NULL,
  raw bytea,
  blob_id bigint,
  headers text NOT NULL,
  evidence bytea,
  lane bigint,
  lane_name text NOT NULL,
  received_at bigint NOT NULL,
  processed_at bigint,
  outcome text,
  reason text,
  entry_id bigint,
  dismissed_at bigint,
  folder_id bigint,
  same_as bigint,
  summary text,
  CONSTRAINT provider_event_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX provider_event_automatic ON provider_event USING btree (workspace_id, received_at, id) WHERE ((outcome = 'dropped'::text) AND (summary IS NOT NULL));
CREATE INDEX provider_event_blob ON provider_event USING btree (workspace_id, blob_id) WHERE (blob_id IS NOT NULL);
CREATE INDEX provider_event_content ON provider_event USING btree (workspace_id, inbox_id, content_key);
CREATE INDEX provider_event_entry ON provider_event USING btree (workspace_id, entry_id) WHERE (entry_id IS NOT NULL);
CREATE INDEX provider_event_folder ON provider_event USING btree (workspace_id, folder_id, id) WHERE (folder_id IS NOT NULL);
CREATE UNIQUE INDEX provider_event_once ON provider_event USING btree (workspace_id, inbox_id, dedupe_key);
CREATE INDEX provider_event_open ON provider_event USING btree (workspace_id, received_at, id) WHERE (processed_at IS NULL);
CREATE INDEX provider_event_quarantine ON provider_event USING btree (workspace_id, received_at, id) WHERE ((outcome = 'quarantined'::text) AND (dismissed_at IS NULL));
CREATE TABLE pull_folder (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  name text NOT NULL,
  role text NOT NULL,
  generation text NOT NULL,
  figures text NOT NULL,
  checked_at bigint,
  CONSTRAINT pull_folder_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX pull_folder_name ON pull_folder USING btree (workspace_id, inbox_id, name);
CREATE TABLE pull_import (
  workspace_id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  state text NOT NULL,
  since bigint,
  total bigint NOT NULL,
  done bigint NOT NULL,
  reason text,
  started_at bigint NOT NULL,
  ended_at bigint,
  CONSTRAINT pull_import_pkey PRIMARY KEY (workspace_id, inbox_id)
);
CREATE TABLE pull_state (
  workspace_id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  cursor text NOT NULL,
  state text NOT NULL,
  push boolean NOT NULL,
  alive_at bigint,
  trouble_since bigint,
  reason text,
  announced boolean NOT NULL,
  refused_count bigint NOT NULL,
  checked_at bigint,
  balanced boolean NOT NULL,
  CONSTRAINT pull_state_pkey PRIMARY KEY (workspace_id, inbox_id)
);
CREATE TABLE pull_trouble (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  kind text NOT NULL,
  detail text NOT NULL,
  began_at bigint NOT NULL,
  ended_at bigint,
  CONSTRAINT pull_trouble_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX pull_trouble_inbox ON pull_trouble USING btree (workspace_id, inbox_id, id);
CREATE TABLE schema_migration (
  number bigint NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at bigint NOT NULL,
  CONSTRAINT schema_migration_pkey PRIMARY KEY (number)
);
CREATE TABLE search_doc (
  workspace_id bigint NOT NULL,
  doc_id bigint NOT NULL,
  kind text NOT NULL,
  subject_id bigint NOT NULL,
  words tsvector NOT NULL,
  CONSTRAINT search_doc_pkey PRIMARY KEY (workspace_id, doc_id)
);
CREATE UNIQUE INDEX search_doc_subject ON search_doc USING btree (workspace_id, kind, subject_id);
CREATE INDEX search_doc_words ON search_doc USING gin (words);
CREATE TABLE search_position (
  workspace_id bigint NOT NULL,
  change_seq bigint NOT NULL,
  CONSTRAINT search_position_pkey PRIMARY KEY (workspace_id)
);
CREATE TABLE secret (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  owner_id bigint NOT NULL,
  name text NOT NULL,
  key_number bigint NOT NULL,
  sealed bytea NOT NULL,
  version bigint NOT NULL,
  changed_at bigint NOT NULL,
  CONSTRAINT secret_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX secret_name ON secret USING btree (workspace_id, owner_id, name);
CREATE TABLE segment (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  agent_id bigint NOT NULL,
  name text NOT NULL,
  query text NOT NULL,
  shared boolean NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT segment_pkey PRIMARY KEY (workspace_id, id)
);
CREATE TABLE sender_burst (
  workspace_id bigint NOT NULL,
  contact_id bigint NOT NULL,
  began_at bigint NOT NULL,
  messages bigint NOT NULL,
  conversations bigint NOT NULL,
  open boolean NOT NULL,
  CONSTRAINT sender_burst_pkey PRIMARY KEY (workspace_id, contact_id)
);
CREATE TABLE setting (
  workspace_id bigint NOT NULL,
  name text NOT NULL,
  value text NOT NULL,
  CONSTRAINT setting_pkey PRIMARY KEY (workspace_id, name)
);
CREATE TABLE signature (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  inbox_id bigint NOT NULL,
  agent_id bigint NOT NULL,
  text text NOT NULL,
  html text,
  version bigint NOT NULL,
  CONSTRAINT signature_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX signature_of ON signature USING btree (workspace_id, inbox_id, agent_id);
CREATE TABLE tag (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  name_key text NOT NULL,
  colour text NOT NULL,
  CONSTRAINT tag_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX tag_name ON tag USING btree (workspace_id, name_key);
CREATE TABLE team (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  name_key text NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT team_pkey PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX team_name ON team USING btree (workspace_id, name_key);
CREATE TABLE team_agent (
  workspace_id bigint NOT NULL,
  team_id bigint NOT NULL,
  agent_id bigint NOT NULL,
  CONSTRAINT team_agent_pkey PRIMARY KEY (workspace_id, team_id, agent_id)
);
CREATE INDEX team_agent_agent ON team_agent USING btree (workspace_id, agent_id, team_id);
CREATE TABLE template (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  name text NOT NULL,
  name_key text NOT NULL,
  agent_id bigint,
  inbox_id bigint,
  subject text,
  text text NOT NULL,
  html text,
  version bigint NOT NULL,
  updated_at bigint NOT NULL,
  CONSTRAINT template_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX template_name ON template USING btree (workspace_id, name_key, id);
CREATE TABLE tombstone (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  contact_id bigint NOT NULL,
  erased_by text NOT NULL,
  erased_at bigint NOT NULL,
  counts text NOT NULL,
  CONSTRAINT tombstone_pkey PRIMARY KEY (workspace_id, id)
);
CREATE INDEX tombstone_contact ON tombstone USING btree (workspace_id, contact_id, id);
CREATE TABLE tombstone_key (
  workspace_id bigint NOT NULL,
  key_hash text NOT NULL,
  erased_at bigint NOT NULL,
  CONSTRAINT tombstone_key_pkey PRIMARY KEY (workspace_id, key_hash)
);
CREATE TABLE view (
  workspace_id bigint NOT NULL,
  id bigint NOT NULL,
  agent_id bigint NOT NULL,
  name text NOT NULL,
  query text NOT NULL,
  shared boolean NOT NULL,
  pinned boolean NOT NULL,
  CONSTRAINT view_pkey PRIMARY KEY (workspace_id, id)
);
CREATE TABLE workspace (
  id bigint NOT NULL,
  name text NOT NULL,
  colour text NOT NULL,
  time_zone text NOT NULL,
  settings text NOT NULL,
  created_at bigint NOT NULL,
  version bigint NOT NULL,
  CONSTRAINT workspace_pkey PRIMARY KEY (id)
);
CREATE TABLE workspace_head (
  workspace_id bigint NOT NULL,
  change_seq bigint NOT NULL,
  CONSTRAINT workspace_head_pkey PRIMARY KEY (workspace_id)
) WITH (fillfactor=50, autovacuum_vacuum_threshold=1000, autovacuum_vacuum_scale_factor=0);
