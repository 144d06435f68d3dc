//! What an erasure takes away, table by table. Ids, times and counts stay; words, addresses and raw events go. On SQLite
//! freed bytes are overwritten: `begin` first, and a checkpoint of the database after the commit.

use crate::conn::{Conn, Engine};
use crate::error::StoreError;
use crate::many;
use crate::values;
use model::{AgentId, BlobId, ContactId, ContactPointId, ConversationId, EntryId, Timestamp, WorkspaceId};

/// From now on the engine overwrites what it frees (SQLite; PostgreSQL does so at its next vacuum).
pub fn begin(tx: &mut dyn Conn) -> Result<(), StoreError> {
    match tx.engine() {
        Engine::Sqlite => tx.rows("PRAGMA secure_delete = ON", &[]).map(drop),
        Engine::Postgres => Ok(()),
    }
}

/// Gives free pages back, which may hold old copies of rows (SQLite).
pub fn end(tx: &mut dyn Conn) -> Result<(), StoreError> {
    match tx.engine() {
        Engine::Sqlite => tx.rows("PRAGMA incremental_vacuum", &[]).map(drop),
        Engine::Postgres => Ok(()),
    }
}

/// What raw events and files kept bytes elsewhere: keys of the blob store, once nothing else refers to them.
const FILES: &str = "SELECT id, blob_id FROM attachment WHERE workspace_id = $1 AND entry_id = $2 AND entry_id IS NOT NULL";
const LOOSE_FILES: &str = "SELECT id, blob_id FROM attachment WHERE workspace_id = $1 AND conversation_id";
const DELETE_FILE: &str = "DELETE FROM attachment WHERE workspace_id = $1 AND id = $2";
const RAW: &str = "SELECT id, blob_id FROM provider_event WHERE workspace_id = $1 AND entry_id = $2 AND entry_id IS NOT NULL";
const CLEAR_RAW: &str = "UPDATE provider_event SET raw = NULL, blob_id = NULL, headers = '{}', evidence = NULL, summary = NULL, lane_name = '', reason = NULL WHERE workspace_id = $1 AND id = $2";
const CLEAR_ENTRY: &str = "UPDATE entry SET author_name = CASE WHEN author_kind = 'contact' THEN '' ELSE author_name END, external_key = NULL, client_key = NULL, client_id = NULL, delivery_reason = NULL, contact_point_id = NULL WHERE workspace_id = $1 AND id = $2";
const CLEAR_DECISION: &str = "UPDATE decision SET trace = '{}' WHERE workspace_id = $1 AND entry_id = $2";
const SENT: &str = "SELECT id FROM outbox WHERE workspace_id = $1 AND entry_id = $2";
const CLEAR_SENT: &str = "UPDATE outbox SET reason = NULL, contact_point_id = NULL WHERE workspace_id = $1 AND id = $2";
const CLEAR_DELIVERY: &str = "UPDATE delivery SET request = NULL, reason = NULL, provider_id = NULL, provider_key = NULL WHERE workspace_id = $1 AND outbox_id = $2";

/// Takes everything of one entry but its row: files, raw events, traces, what was sent. Gives the blobs that it used.
pub fn entry(tx: &mut dyn Conn, workspace: WorkspaceId, id: EntryId) -> Result<Vec<BlobId>, StoreError> {
    let mut blobs = Vec::new();
    for row in tx.rows(FILES, values![workspace, id])? {
        blobs.push(row.id(1));
        tx.exec(DELETE_FILE, values![workspace, row.int(0)])?;
    }
    for row in tx.rows(RAW, values![workspace, id])? {
        blobs.extend(row.opt_id::<BlobId>(1));
        tx.exec(CLEAR_RAW, values![workspace, row.int(0)])?;
    }
    for row in tx.rows(SENT, values![workspace, id])? {
        tx.exec(CLEAR_SENT, values![workspace, row.int(0)])?;
        tx.exec(CLEAR_DELIVERY, values![workspace, row.int(0)])?;
    }
    tx.exec(CLEAR_DECISION, values![workspace, id])?;
    tx.exec(CLEAR_ENTRY, values![workspace, id])?;
    Ok(blobs)
}

const DRAFT: &str = "DELETE FROM draft WHERE workspace_id = $1 AND agent_id = $2 AND conversation_id = $3";
const DELIVERY_ADDRESS: &str = "DELETE FROM delivery_address WHERE workspace_id = $1 AND conversation_id = $2";
const FACTS: &str = "DELETE FROM fact WHERE workspace_id = $1 AND conversation_id = $2";
const PROOFS: &str = "DELETE FROM proof WHERE workspace_id = $1 AND conversation_id = $2";
const TOKENS: &str = "DELETE FROM handoff_token WHERE workspace_id = $1 AND conversation_id = $2";
const PARTICIPANT: &str =
    "UPDATE participant SET contact_point_id = NULL WHERE workspace_id = $1 AND conversation_id = $2 AND contact_id = $3";
/// Takes what hangs on a conversation: files that wait, drafts of these agents, addresses for its answers, facts, proofs,
/// links and codes.
pub fn conversation(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    contacts: &[ContactId],
    agents: &[AgentId],
) -> Result<Vec<BlobId>, StoreError> {
    let mut blobs = Vec::new();
    for row in many::rows_in(tx, LOOSE_FILES, " AND entry_id IS NULL", workspace, &[id.0], &[])? {
        blobs.push(row.id(1));
        tx.exec(DELETE_FILE, values![workspace, row.int(0)])?;
    }
    for agent in agents {
        tx.exec(DRAFT, values![workspace, *agent, id])?;
    }
    for contact in contacts {
        tx.exec(PARTICIPANT, values![workspace, id, *contact])?;
    }
    for text in [DELIVERY_ADDRESS, FACTS, PROOFS, TOKENS] {
        tx.exec(text, values![workspace, id])?;
    }
    Ok(blobs)
}

const USED_BY_FILE: &str = "SELECT id FROM attachment WHERE workspace_id = $1 AND blob_id = $2 LIMIT 1";
const USED_BY_RAW: &str =
    "SELECT id FROM provider_event WHERE workspace_id = $1 AND blob_id = $2 AND blob_id IS NOT NULL LIMIT 1";
const BLOB: &str = "SELECT sha256 FROM blob WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL";
const GONE: &str = "UPDATE blob SET deleted_at = $3 WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL";
/// Marks blobs that nothing uses any more as gone; gives their keys in the blob store.
pub fn blobs(tx: &mut dyn Conn, workspace: WorkspaceId, ids: &[BlobId], now: Timestamp) -> Result<Vec<String>, StoreError> {
    let mut keys = Vec::new();
    for id in ids {
        let used =
            tx.one(USED_BY_FILE, values![workspace, *id])?.is_some() || tx.one(USED_BY_RAW, values![workspace, *id])?.is_some();
        if let (false, Some(row)) = (used, tx.one(BLOB, values![workspace, *id])?) {
            tx.exec(GONE, values![workspace, *id, now])?;
            keys.push(row.text(0));
        }
    }
    Ok(keys)
}

const OWNER: &str = "DELETE FROM contact_point_owner WHERE workspace_id = $1 AND contact_point_id = $2 AND contact_id = $3";
const CLEAR_POINT: &str =
    "UPDATE contact_point SET scope = '', match_key = $3, raw = '', loose_key = NULL WHERE workspace_id = $1 AND id = $2";
/// Takes a contact point from a contact; with nobody else left, its address goes and an empty row stays for what refers
/// to it.
pub fn point(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactPointId, contact: ContactId) -> Result<(), StoreError> {
    tx.exec(OWNER, values![workspace, id, contact])?;
    if crate::contact_point::owners(tx, workspace, id)?.is_empty() {
        tx.exec(CLEAR_POINT, values![workspace, id, format!("erased:{id}")])?;
    }
    Ok(())
}

const FIELD_VALUES: &str = "DELETE FROM contact_field_value WHERE workspace_id = $1 AND contact_id = $2";
const CONSENTS: &str = "DELETE FROM consent WHERE workspace_id = $1 AND contact_id = $2";
const KEYS: &str = "DELETE FROM contact_key WHERE workspace_id = $1 AND contact_id = $2";
const PAIRS_A: &str = "DELETE FROM contact_suggestion WHERE workspace_id = $1 AND a_id = $2";
const PAIRS_B: &str = "DELETE FROM contact_suggestion WHERE workspace_id = $1 AND b_id = $2";
const MERGES_KEEP: &str =
    "UPDATE contact_merge SET moved = '{}', evidence = '', undone_by = NULL WHERE workspace_id = $1 AND keep_id = $2";
const MERGES_OTHER: &str =
    "UPDATE contact_merge SET moved = '{}', evidence = '', undone_by = NULL WHERE workspace_id = $1 AND other_id = $2";
const IMPORTED: &str =
    "UPDATE import_row SET before = NULL, reason = NULL WHERE workspace_id = $1 AND contact_id = $2 AND contact_id IS NOT NULL";
const CLEAR: &str = "UPDATE contact SET name = NULL, name_key = NULL, company = NULL, company_id = NULL, locale = NULL, time_zone = NULL, notes = NULL, claimed = '{}', erased_at = $3, version = version + 1 WHERE workspace_id = $1 AND id = $2 RETURNING version";
/// Empties one contact and what hangs on it; gives its new version.
pub fn contact(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId, now: Timestamp) -> Result<i64, StoreError> {
    for sql in [FIELD_VALUES, CONSENTS, KEYS, PAIRS_A, PAIRS_B, MERGES_KEEP, MERGES_OTHER, IMPORTED] {
        tx.exec(sql, values![workspace, id])?;
    }
    Ok(tx.one(CLEAR, values![workspace, id, now])?.ok_or(StoreError::NotFound)?.int(0))
}

const ERASED_AT: &str = "SELECT erased_at FROM contact WHERE workspace_id = $1 AND id = $2";
/// When a contact was erased, if it was.
pub fn erased_at(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.one(ERASED_AT, values![workspace, id])?.and_then(|row| row.opt_at(0)))
}

const TOMBSTONE: &str =
    "INSERT INTO tombstone (workspace_id, id, contact_id, erased_by, erased_at, counts) VALUES ($1, $2, $3, $4, $5, $6)";
const TOMBSTONE_KEY: &str = "INSERT INTO tombstone_key (workspace_id, key_hash, erased_at) VALUES ($1, $2, $3) ON CONFLICT (workspace_id, key_hash) DO NOTHING";
/// Notes that a contact was erased, with keyed hashes of what it was reached by.
pub fn bury(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: ContactId,
    by: &str,
    counts: &serde_json::Value,
    hashes: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = tx.id();
    tx.exec(TOMBSTONE, values![workspace, id, contact, by, now, counts.to_string()])?;
    for hash in hashes {
        tx.exec(TOMBSTONE_KEY, values![workspace, hash, now])?;
    }
    Ok(())
}

const IS_BURIED: &str = "SELECT erased_at FROM tombstone_key WHERE workspace_id = $1 AND key_hash = $2";
/// When somebody with this key was erased.
pub fn buried_at(tx: &mut dyn Conn, workspace: WorkspaceId, hash: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(tx.one(IS_BURIED, values![workspace, hash])?.map(|row| row.at(0)))
}

const OF_CONTACT: &str =
    "SELECT erased_by, erased_at, counts FROM tombstone WHERE workspace_id = $1 AND contact_id = $2 ORDER BY id DESC LIMIT 1";
/// Who erased a contact, when, and what went.
pub fn tombstone_of(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: ContactId,
) -> Result<Option<(String, Timestamp, serde_json::Value)>, StoreError> {
    Ok(tx.one(OF_CONTACT, values![workspace, contact])?.map(|row| (row.text(0), row.at(1), crate::setting::json(row.str(2)))))
}
