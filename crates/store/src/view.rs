//! Saved views: a query with a name, for one agent or for all.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{AgentId, ViewId, WorkspaceId};

/// A saved query.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Its id.
    pub id: ViewId,
    /// Who saved it.
    pub agent_id: AgentId,
    /// What it is called.
    pub name: String,
    /// The query as text.
    pub query: String,
    /// Whether all agents see it.
    pub shared: bool,
    /// Whether it stands in the rail.
    pub pinned: bool,
}

const FIND: &str = "SELECT id, agent_id, name, query, shared, pinned FROM view WHERE workspace_id = $1 AND id = $2";
const LIST: &str = "SELECT id, agent_id, name, query, shared, pinned FROM view \
     WHERE workspace_id = $1 AND (agent_id = $2 OR shared) ORDER BY id LIMIT 200";
const COUNT: &str = "SELECT CAST(count(*) AS BIGINT) FROM view WHERE workspace_id = $1 AND agent_id = $2";
const ADD: &str =
    "INSERT INTO view (workspace_id, id, agent_id, name, query, shared, pinned) VALUES ($1, $2, $3, $4, $5, $6, $7)";
const DELETE: &str = "DELETE FROM view WHERE workspace_id = $1 AND id = $2";

fn of_row(row: &Row) -> View {
    View { id: row.id(0), agent_id: row.id(1), name: row.text(2), query: row.text(3), shared: row.bool(4), pinned: row.bool(5) }
}

/// The view of an id, whosever.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: ViewId) -> Result<Option<View>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.map(|row| of_row(&row)))
}

/// What an agent sees: own views and shared ones, oldest first.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<Vec<View>, StoreError> {
    Ok(tx.rows(LIST, values![workspace, agent])?.iter().map(of_row).collect())
}

/// How many views an agent has saved.
pub fn count(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<i64, StoreError> {
    Ok(tx.one(COUNT, values![workspace, agent])?.map_or(0, |row| row.int(0)))
}

/// Adds a view; the id inside `view` is not looked at.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, view: &View) -> Result<ViewId, StoreError> {
    let id = ViewId(tx.id());
    tx.exec(ADD, values![workspace, id, view.agent_id, &view.name, &view.query, view.shared, view.pinned])?;
    Ok(id)
}

/// Deletes a view; true when there was one.
pub fn delete(tx: &mut dyn Conn, workspace: WorkspaceId, id: ViewId) -> Result<bool, StoreError> {
    Ok(tx.exec(DELETE, values![workspace, id])? == 1)
}
