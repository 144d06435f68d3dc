//! Saved filters over contacts.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{AgentId, SegmentId, WorkspaceId};

/// One segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// Who saved it.
    pub agent_id: AgentId,
    /// What it is called.
    pub name: String,
    /// The filter, as it is typed.
    pub query: String,
    /// Everybody sees it.
    pub shared: bool,
    /// Number of its last change.
    pub version: i64,
}

fn read(row: &Row) -> Segment {
    Segment {
        id: row.id(0),
        agent_id: row.id(1),
        name: row.text(2),
        query: row.text(3),
        shared: row.bool(4),
        version: row.int(5),
    }
}

const LIST: &str = "SELECT id, agent_id, name, query, shared, version FROM segment WHERE workspace_id = $1 AND (agent_id = $2 OR shared) LIMIT 500";
/// What an agent sees: own ones and shared ones, oldest first.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<Vec<Segment>, StoreError> {
    let mut all: Vec<Segment> = tx.rows(LIST, values![workspace, agent])?.iter().map(read).collect();
    all.sort_by_key(|segment| segment.id);
    Ok(all)
}

const FIND: &str = "SELECT id, agent_id, name, query, shared, version FROM segment WHERE workspace_id = $1 AND id = $2";
/// One segment.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: SegmentId) -> Result<Option<Segment>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

const ADD: &str =
    "INSERT INTO segment (workspace_id, id, agent_id, name, query, shared, version) VALUES ($1, $2, $3, $4, $5, $6, 1)";
/// Adds a segment; the id inside is not looked at.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, segment: &Segment) -> Result<SegmentId, StoreError> {
    let id = SegmentId(tx.id());
    tx.exec(ADD, values![workspace, id, segment.agent_id, &segment.name, &segment.query, segment.shared])?;
    Ok(id)
}

const SAVE: &str =
    "UPDATE segment SET name = $3, query = $4, shared = $5, version = version + 1 WHERE workspace_id = $1 AND id = $2";
/// Stores a segment.
pub fn save(tx: &mut dyn Conn, workspace: WorkspaceId, segment: &Segment) -> Result<(), StoreError> {
    match tx.exec(SAVE, values![workspace, segment.id, &segment.name, &segment.query, segment.shared])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const DELETE: &str = "DELETE FROM segment WHERE workspace_id = $1 AND id = $2";
/// Deletes a segment; true when there was one.
pub fn delete(tx: &mut dyn Conn, workspace: WorkspaceId, id: SegmentId) -> Result<bool, StoreError> {
    Ok(tx.exec(DELETE, values![workspace, id])? == 1)
}
