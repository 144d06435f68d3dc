//! Recorded merges of contacts: who, when, why, what moved, so that each can be taken back.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{ContactId, ContactMergeId, Timestamp, WorkspaceId};

/// One merge of `other` into `keep`.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactMerge {
    /// Its id.
    pub id: ContactMergeId,
    /// The contact that stays live.
    pub keep_id: ContactId,
    /// The contact whose pointer was set.
    pub other_id: ContactId,
    /// Actor text.
    pub merged_by: String,
    /// Why, in a word: agent, visitor_signed_in ..
    pub reason: String,
    /// What spoke for it.
    pub evidence: String,
    /// JSON: `{"live": [ids whose live_id moved], "keep": fields before, "other": fields before}`.
    pub moved: serde_json::Value,
    /// When.
    pub merged_at: Timestamp,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
}

fn read(row: &Row) -> ContactMerge {
    ContactMerge {
        id: row.id(0),
        keep_id: row.id(1),
        other_id: row.id(2),
        merged_by: row.text(3),
        reason: row.text(4),
        evidence: row.text(5),
        moved: serde_json::from_str(row.str(6)).unwrap_or_default(),
        merged_at: row.at(7),
        undone_at: row.opt_at(8),
    }
}

const INSERT: &str = "INSERT INTO contact_merge (workspace_id, id, keep_id, other_id, merged_by, reason, evidence, moved, merged_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
/// Writes a merge.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, merge: &ContactMerge) -> Result<(), StoreError> {
    let m = merge;
    tx.exec(
        INSERT,
        values![workspace, m.id, m.keep_id, m.other_id, &m.merged_by, &m.reason, &m.evidence, m.moved.to_string(), m.merged_at],
    )?;
    Ok(())
}

const FIND: &str = "SELECT id, keep_id, other_id, merged_by, reason, evidence, moved, merged_at, undone_at FROM contact_merge WHERE workspace_id = $1 AND id = $2";
/// One merge.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactMergeId) -> Result<Option<ContactMerge>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

const OF_OTHER: &str = "SELECT id, keep_id, other_id, merged_by, reason, evidence, moved, merged_at, undone_at FROM contact_merge WHERE workspace_id = $1 AND other_id = $2 AND undone_at IS NULL ORDER BY id DESC LIMIT 1";
/// The standing merge that took this contact away.
pub fn standing_of(tx: &mut dyn Conn, workspace: WorkspaceId, other: ContactId) -> Result<Option<ContactMerge>, StoreError> {
    Ok(tx.one(OF_OTHER, values![workspace, other])?.as_ref().map(read))
}

const UNDONE: &str =
    "UPDATE contact_merge SET undone_at = $3, undone_by = $4 WHERE workspace_id = $1 AND id = $2 AND undone_at IS NULL";
/// Marks a merge as taken back; false when somebody was faster.
pub fn set_undone(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ContactMergeId,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(UNDONE, values![workspace, id, now, by])? == 1)
}
