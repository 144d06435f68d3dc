//! Signatures: words under mails, of an inbox, of an agent, of both or of everybody. `None` stands as 0 in the table, so that
//! one unique index keeps them apart.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{AgentId, InboxId, SignatureId, WorkspaceId};

/// One signature, its variables not filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// Its id.
    pub id: SignatureId,
    /// Of this inbox; `None`: of every inbox.
    pub inbox_id: Option<InboxId>,
    /// Of this agent; `None`: of every agent.
    pub agent_id: Option<AgentId>,
    /// Plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// Grows with each change.
    pub version: i64,
}

const LIST: &str =
    "SELECT id, inbox_id, agent_id, text, html, version FROM signature WHERE workspace_id = $1 ORDER BY inbox_id, agent_id";
const FIND: &str = "SELECT id, inbox_id, agent_id, text, html, version FROM signature WHERE workspace_id = $1 AND inbox_id = $2 AND agent_id = $3";
const PUT: &str = "INSERT INTO signature (workspace_id, id, inbox_id, agent_id, text, html, version) VALUES ($1, $2, $3, $4, $5, $6, 1) \
     ON CONFLICT (workspace_id, inbox_id, agent_id) DO UPDATE SET text = excluded.text, html = excluded.html, version = signature.version + 1";
const DELETE: &str = "DELETE FROM signature WHERE workspace_id = $1 AND inbox_id = $2 AND agent_id = $3";

fn of_row(row: &Row) -> Signature {
    let some = |id: i64| (id != 0).then_some(id);
    Signature {
        id: row.id(0),
        inbox_id: some(row.int(1)).map(InboxId),
        agent_id: some(row.int(2)).map(AgentId),
        text: row.text(3),
        html: row.opt_text(4),
        version: row.int(5),
    }
}

fn key(inbox: Option<InboxId>, agent: Option<AgentId>) -> (i64, i64) {
    (inbox.map_or(0, |id| id.0), agent.map_or(0, |id| id.0))
}

/// Every signature.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<Signature>, StoreError> {
    Ok(tx.rows(LIST, values![workspace])?.iter().map(of_row).collect())
}

/// The signature of exactly this inbox and agent.
pub fn find(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: Option<InboxId>,
    agent: Option<AgentId>,
) -> Result<Option<Signature>, StoreError> {
    let (inbox, agent) = key(inbox, agent);
    Ok(tx.one(FIND, values![workspace, inbox, agent])?.as_ref().map(of_row))
}

/// The one that stands under an agent's mail through an inbox: the closest of those that there are.
pub fn closest(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    agent: AgentId,
) -> Result<Option<Signature>, StoreError> {
    for (inbox, agent) in [(Some(inbox), Some(agent)), (None, Some(agent)), (Some(inbox), None), (None, None)] {
        if let Some(found) = find(tx, workspace, inbox, agent)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Sets a signature.
pub fn put(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: Option<InboxId>,
    agent: Option<AgentId>,
    text: &str,
    html: Option<&str>,
) -> Result<(), StoreError> {
    let id = tx.id();
    let (inbox, agent) = key(inbox, agent);
    tx.exec(PUT, values![workspace, id, inbox, agent, text, html])?;
    Ok(())
}

/// Removes a signature; false when there was none.
pub fn delete(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: Option<InboxId>,
    agent: Option<AgentId>,
) -> Result<bool, StoreError> {
    let (inbox, agent) = key(inbox, agent);
    Ok(tx.exec(DELETE, values![workspace, inbox, agent])? == 1)
}
