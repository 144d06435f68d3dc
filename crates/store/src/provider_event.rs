//! Raw events as a channel gave them to us: stored once under a unique key before anything is understood.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{BlobId, EntryId, InboxId, Outcome, ProviderEventId, PullFolderId, Timestamp, WorkspaceId};

/// One stored raw event.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderEvent {
    /// Its id.
    pub id: ProviderEventId,
    /// The inbox that it came to.
    pub inbox_id: InboxId,
    /// Unique per inbox: the same event again has the same key.
    pub dedupe_key: String,
    /// SHA-256 of the raw bytes, hex.
    pub content_key: String,
    /// The bytes, when small enough to stand here.
    pub raw: Option<Vec<u8>>,
    /// Else the blob that holds them.
    pub blob_id: Option<BlobId>,
    /// JSON of header pairs.
    pub headers: String,
    /// What was looked up for it before parsing.
    pub evidence: Option<Vec<u8>>,
    /// Hash of the external conversation: events of one lane are processed in order.
    pub lane: Option<i64>,
    /// The external conversation as the adapter named it.
    pub lane_name: String,
    /// When it came.
    pub received_at: Timestamp,
    /// When it was understood or put aside.
    pub processed_at: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// The rule or the error.
    pub reason: Option<String>,
    /// The entry that came of it.
    pub entry_id: Option<EntryId>,
    /// The folder of the provider that it lay in.
    pub folder_id: Option<PullFolderId>,
    /// The event of which this is a copy, byte by byte.
    pub same_as: Option<ProviderEventId>,
    /// JSON: sender, subject, first words, when no entry came of it.
    pub summary: Option<String>,
}

fn read(row: &Row) -> ProviderEvent {
    ProviderEvent {
        id: row.id(0),
        inbox_id: row.id(1),
        dedupe_key: row.text(2),
        content_key: row.text(3),
        raw: row.opt_bytes(4),
        blob_id: row.opt_id(5),
        headers: row.text(6),
        evidence: row.opt_bytes(7),
        lane: row.opt_int(8),
        lane_name: row.text(9),
        received_at: row.at(10),
        processed_at: row.opt_at(11),
        outcome: row.opt_str(12).and_then(Outcome::parse),
        reason: row.opt_text(13),
        entry_id: row.opt_id(14),
        folder_id: row.opt_id(15),
        same_as: row.opt_id(16),
        summary: row.opt_text(17),
    }
}

const INSERT: &str = "INSERT INTO provider_event (workspace_id, id, inbox_id, dedupe_key, content_key, raw, blob_id, headers, lane, lane_name, received_at, folder_id, same_as) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
 ON CONFLICT (workspace_id, inbox_id, dedupe_key) DO NOTHING";
/// Stores an event; false when the key is known already (a repeat).
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, event: &ProviderEvent) -> Result<bool, StoreError> {
    let e = event;
    let done = tx.exec(
        INSERT,
        values![
            workspace,
            e.id,
            e.inbox_id,
            &e.dedupe_key,
            &e.content_key,
            e.raw.clone(),
            e.blob_id,
            &e.headers,
            e.lane,
            &e.lane_name,
            e.received_at,
            e.folder_id,
            e.same_as
        ],
    )?;
    Ok(done == 1)
}

const FIND: &str = "SELECT id, inbox_id, dedupe_key, content_key, raw, blob_id, headers, evidence, lane, lane_name, received_at, processed_at, outcome, reason, entry_id, folder_id, same_as, summary FROM provider_event WHERE workspace_id = $1 AND id = $2";
/// One event.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: ProviderEventId) -> Result<Option<ProviderEvent>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

const END: &str = "UPDATE provider_event SET processed_at = $3, outcome = $4, reason = $5, entry_id = $6 WHERE workspace_id = $1 AND id = $2 AND (processed_at IS NULL OR outcome = 'quarantined')";
/// Writes how an event ended. False when it had ended already: somebody else was faster, or the job ran twice.
pub fn end(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ProviderEventId,
    outcome: Outcome,
    reason: Option<&str>,
    entry: Option<EntryId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(END, values![workspace, id, now, outcome.word(), reason, entry])? == 1)
}

const REOPEN: &str = "UPDATE provider_event SET processed_at = NULL, outcome = NULL, reason = NULL WHERE workspace_id = $1 AND id = $2 AND outcome = 'quarantined' AND dismissed_at IS NULL";
/// Takes an event out of quarantine, to be processed again. False when it was not there.
pub fn reopen(tx: &mut dyn Conn, workspace: WorkspaceId, id: ProviderEventId) -> Result<bool, StoreError> {
    Ok(tx.exec(REOPEN, values![workspace, id])? == 1)
}

const DISMISS: &str = "UPDATE provider_event SET dismissed_at = $3 WHERE workspace_id = $1 AND id = $2 AND outcome = 'quarantined' AND dismissed_at IS NULL";
/// Puts a quarantined event out of sight; the raw bytes stay.
pub fn dismiss(tx: &mut dyn Conn, workspace: WorkspaceId, id: ProviderEventId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(DISMISS, values![workspace, id, now])? == 1)
}

const QUARANTINE: &str = "SELECT id, inbox_id, dedupe_key, content_key, raw, blob_id, headers, evidence, lane, lane_name, received_at, processed_at, outcome, reason, entry_id, folder_id, same_as, summary FROM provider_event
 WHERE workspace_id = $1 AND outcome = 'quarantined' AND dismissed_at IS NULL AND (received_at, id) < ($2, $3) ORDER BY received_at DESC, id DESC LIMIT $4";
/// Quarantined events, newest first, below the position `(received_at, id)`.
pub fn quarantine(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    below: (i64, i64),
    limit: i64,
) -> Result<Vec<ProviderEvent>, StoreError> {
    Ok(tx.rows(QUARANTINE, values![workspace, below.0, below.1, limit])?.iter().map(read).collect())
}

const QUARANTINE_COUNT: &str = "SELECT count(*) FROM (SELECT 1 AS one FROM provider_event WHERE workspace_id = $1 AND outcome = 'quarantined' AND dismissed_at IS NULL LIMIT 1000) AS t";
/// How many are quarantined, counted up to 1,000.
pub fn quarantine_count(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<i64, StoreError> {
    Ok(tx.one(QUARANTINE_COUNT, values![workspace])?.map_or(0, |r| r.int(0)))
}

const OPEN_COUNT: &str = "SELECT count(*) FROM (SELECT 1 AS one FROM provider_event WHERE workspace_id = $1 AND processed_at IS NULL AND received_at < $2 LIMIT 1000) AS t";
/// Events older than `before` that have no end yet: the daily check, and the tests' last question.
pub fn open_count(tx: &mut dyn Conn, workspace: WorkspaceId, before: Timestamp) -> Result<i64, StoreError> {
    Ok(tx.one(OPEN_COUNT, values![workspace, before])?.map_or(0, |r| r.int(0)))
}

const FIND_ONCE: &str = "SELECT id FROM provider_event WHERE workspace_id = $1 AND inbox_id = $2 AND dedupe_key = $3";
/// The id under which a dedupe key is stored.
pub fn find_key(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    dedupe_key: &str,
) -> Result<Option<ProviderEventId>, StoreError> {
    Ok(tx.one(FIND_ONCE, values![workspace, inbox, dedupe_key])?.map(|r| r.id(0)))
}

const SET_EVIDENCE: &str = "UPDATE provider_event SET evidence = $3 WHERE workspace_id = $1 AND id = $2 AND evidence IS NULL";
/// Keeps what was looked up for an event, so that parsing it again gives the same.
pub fn set_evidence(tx: &mut dyn Conn, workspace: WorkspaceId, id: ProviderEventId, evidence: &[u8]) -> Result<(), StoreError> {
    tx.exec(SET_EVIDENCE, values![workspace, id, evidence])?;
    Ok(())
}

const SET_SUMMARY: &str = "UPDATE provider_event SET summary = $3 WHERE workspace_id = $1 AND id = $2";
/// Keeps in a few words what an event was about of which no entry came.
pub fn set_summary(tx: &mut dyn Conn, workspace: WorkspaceId, id: ProviderEventId, summary: &str) -> Result<(), StoreError> {
    tx.exec(SET_SUMMARY, values![workspace, id, summary])?;
    Ok(())
}

const SAME: &str = "SELECT id FROM provider_event WHERE workspace_id = $1 AND inbox_id = $2 AND content_key = $3 AND same_as IS NULL ORDER BY id LIMIT 1";
/// The first event of an inbox with exactly this content.
pub fn find_content(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    content_key: &str,
) -> Result<Option<ProviderEventId>, StoreError> {
    Ok(tx.one(SAME, values![workspace, inbox, content_key])?.map(|r| r.id(0)))
}

const SET_PLACE: &str = "UPDATE provider_event SET folder_id = $3 WHERE workspace_id = $1 AND id = $2 AND folder_id IS NULL";
/// Notes the folder of an event that came in by another way first.
pub fn set_folder(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ProviderEventId,
    folder: PullFolderId,
) -> Result<(), StoreError> {
    tx.exec(SET_PLACE, values![workspace, id, folder])?;
    Ok(())
}

const AUTOMATIC: &str = "SELECT id, inbox_id, dedupe_key, content_key, CAST(NULL AS BYTEA), CAST(NULL AS BIGINT), headers, CAST(NULL AS BYTEA), lane, lane_name, received_at, processed_at, outcome, reason, entry_id, folder_id, same_as, summary FROM provider_event
 WHERE workspace_id = $1 AND outcome = 'dropped' AND summary IS NOT NULL AND (received_at, id) < ($2, $3) ORDER BY received_at DESC, id DESC LIMIT $4";
/// Events that a rule kept out and of which a summary was kept (mail of machines), newest first, below the position
/// `(received_at, id)`, without their bytes.
pub fn automatic(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    below: (i64, i64),
    limit: i64,
) -> Result<Vec<ProviderEvent>, StoreError> {
    Ok(tx.rows(AUTOMATIC, values![workspace, below.0, below.1, limit])?.iter().map(read).collect())
}

const LET_IN: &str = "UPDATE provider_event SET processed_at = NULL, outcome = NULL, reason = NULL, summary = NULL WHERE workspace_id = $1 AND id = $2 AND outcome IN ('dropped', 'quarantined') AND same_as IS NULL AND dismissed_at IS NULL";
/// Takes back how an event ended that a rule kept out, so that it is processed again. False when there is nothing to take back.
pub fn let_in(tx: &mut dyn Conn, workspace: WorkspaceId, id: ProviderEventId) -> Result<bool, StoreError> {
    Ok(tx.exec(LET_IN, values![workspace, id])? == 1)
}

/// The lists of this file, for the test of their plans.
pub const WALKS: [&str; 2] = [QUARANTINE, AUTOMATIC];
