//! Login sessions: one signed-in browser of an agent. Only the hash of its token is kept.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::values;
use model::{AgentId, LoginSessionId, Timestamp, WorkspaceId};

/// A login session that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct LoginSession {
    /// Its id.
    pub id: LoginSessionId,
    /// Whose.
    pub agent_id: AgentId,
    /// When it was last used, to the hour.
    pub seen_at: Timestamp,
    /// Until when it works unless it is used again.
    pub expires_at: Timestamp,
}

const FIND: &str = "SELECT id, agent_id, seen_at, expires_at FROM login_session \
     WHERE workspace_id = $1 AND token_hash = $2 AND ended_at IS NULL AND expires_at > $3";
const ADD: &str = "INSERT INTO login_session (workspace_id, id, agent_id, token_hash, device, created_at, seen_at, expires_at, \
     ended_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, NULL)";
const SEEN: &str = "UPDATE login_session SET seen_at = $3, expires_at = $4 \
     WHERE workspace_id = $1 AND id = $2 AND ended_at IS NULL AND expires_at > $3";
const END: &str = "UPDATE login_session SET ended_at = $3 WHERE workspace_id = $1 AND id = $2 AND ended_at IS NULL";
const DELETE_OLD: &str = "DELETE FROM login_session WHERE workspace_id = $1 AND (ended_at < $2 OR expires_at < $2)";
const END_OTHERS: &str = "UPDATE login_session SET ended_at = $4 \
     WHERE workspace_id = $1 AND agent_id = $2 AND id <> $3 AND ended_at IS NULL";

/// Deletes those that ended or ran out before a time.
pub fn delete_old(tx: &mut dyn Conn, workspace: WorkspaceId, before: Timestamp) -> Result<u64, StoreError> {
    tx.exec(DELETE_OLD, values![workspace, before])
}

/// The login session of a token's hash, unless it ended or is over.
pub fn find(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    token_hash: &str,
    now: Timestamp,
) -> Result<Option<LoginSession>, StoreError> {
    let row = tx.one(FIND, values![workspace, token_hash, now])?;
    Ok(row.map(|row| LoginSession { id: row.id(0), agent_id: row.id(1), seen_at: row.at(2), expires_at: row.at(3) }))
}

/// Begins one. `device` is what the browser says it is, shortened by the caller.
pub fn add(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    token_hash: &str,
    device: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<LoginSessionId, StoreError> {
    let id = LoginSessionId(tx.id());
    tx.exec(ADD, values![workspace, id, agent, token_hash, device, now, expires_at])?;
    Ok(id)
}

/// Notes that it was used and moves its end; false when it is over.
pub fn seen(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: LoginSessionId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(SEEN, values![workspace, id, now, expires_at])? == 1)
}

/// Ends one; false when it had ended.
pub fn end(tx: &mut dyn Conn, workspace: WorkspaceId, id: LoginSessionId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(END, values![workspace, id, now])? == 1)
}

/// Ends every login session of an agent but one (`None`: all of them).
pub fn end_others(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    keep: Option<LoginSessionId>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.exec(END_OTHERS, values![workspace, agent, keep.unwrap_or(LoginSessionId(0)), now])
}
