//! Conversations that agents are about to begin: unsent texts without a conversation yet.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{AgentId, AttachmentId, ComposeDraftId, Timestamp, WorkspaceId};
use serde_json::Value as Json;

/// One such draft.
#[derive(Debug, Clone, PartialEq)]
pub struct ComposeDraft {
    /// Its id.
    pub id: ComposeDraftId,
    /// Who writes.
    pub agent_id: AgentId,
    /// Receivers, subject, texts.
    pub content: Json,
    /// Uploaded files that wait with it.
    pub attachment_ids: Vec<AttachmentId>,
    /// Grows with each save; 1 is the first.
    pub version: i64,
    /// When it was last saved.
    pub updated_at: Timestamp,
}

fn of_row(row: &Row) -> ComposeDraft {
    ComposeDraft {
        id: row.id(0),
        agent_id: row.id(1),
        content: crate::setting::json(row.str(2)),
        attachment_ids: serde_json::from_str(row.str(3)).unwrap_or_default(),
        version: row.int(4),
        updated_at: row.at(5),
    }
}

const LIST: &str = "SELECT id, agent_id, content, attachments, version, updated_at FROM compose_draft WHERE workspace_id = $1 AND agent_id = $2 ORDER BY updated_at DESC, id DESC LIMIT 200";
/// The drafts of an agent, newest first.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<Vec<ComposeDraft>, StoreError> {
    Ok(tx.rows(LIST, values![workspace, agent])?.iter().map(of_row).collect())
}

const FIND: &str =
    "SELECT id, agent_id, content, attachments, version, updated_at FROM compose_draft WHERE workspace_id = $1 AND id = $2";
/// One draft.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: ComposeDraftId) -> Result<Option<ComposeDraft>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(of_row))
}

const ADD: &str = "INSERT INTO compose_draft (workspace_id, id, agent_id, content, attachments, version, updated_at) VALUES ($1, $2, $3, $4, $5, 1, $6)";
/// Keeps a new draft; its id is drawn here.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, draft: &ComposeDraft) -> Result<ComposeDraftId, StoreError> {
    let id = ComposeDraftId(tx.id());
    let attachments = serde_json::to_string(&draft.attachment_ids).unwrap_or_else(|_| "[]".to_owned());
    tx.exec(ADD, values![workspace, id, draft.agent_id, draft.content.to_string(), attachments, draft.updated_at])?;
    Ok(id)
}

const CHANGE: &str = "UPDATE compose_draft SET content = $4, attachments = $5, version = version + 1, updated_at = $6 WHERE workspace_id = $1 AND id = $2 AND version = $3";
/// Saves over the version that was read; false when somebody was faster.
pub fn change(tx: &mut dyn Conn, workspace: WorkspaceId, draft: &ComposeDraft) -> Result<bool, StoreError> {
    let attachments = serde_json::to_string(&draft.attachment_ids).unwrap_or_else(|_| "[]".to_owned());
    let values = values![workspace, draft.id, draft.version, draft.content.to_string(), attachments, draft.updated_at];
    Ok(tx.exec(CHANGE, values)? == 1)
}

const DELETE: &str = "DELETE FROM compose_draft WHERE workspace_id = $1 AND id = $2 AND agent_id = $3";
/// Throws one away; false when there was none.
pub fn delete(tx: &mut dyn Conn, workspace: WorkspaceId, id: ComposeDraftId, agent: AgentId) -> Result<bool, StoreError> {
    Ok(tx.exec(DELETE, values![workspace, id, agent])? == 1)
}
