//! Workspaces, the tenants. A handful of rows; the only table that is listed without saying whose.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{Timestamp, WorkspaceId};
use serde_json::Value as Json;

/// One business.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Name of the business.
    pub name: String,
    /// Accent of public surfaces, `#rrggbb`.
    pub colour: String,
    /// IANA time zone in which days are cut.
    pub time_zone: String,
    /// Checklist, sample data mark, thresholds; the desk reads it.
    pub settings: Json,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

const COLUMNS_OF_ALL: &str = "SELECT id, name, colour, time_zone, settings, created_at, version FROM workspace ORDER BY id";
const FIND: &str = "SELECT id, name, colour, time_zone, settings, created_at, version FROM workspace WHERE id = $1";
const ADD: &str =
    "INSERT INTO workspace (id, name, colour, time_zone, settings, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, 1)";
const ADD_HEAD: &str =
    "INSERT INTO workspace_head (workspace_id, change_seq) VALUES ($1, 0) ON CONFLICT (workspace_id) DO NOTHING";
const CHANGE: &str = "UPDATE workspace SET name = $3, colour = $4, time_zone = $5, settings = $6, version = version + 1 WHERE id = $1 AND version = $2";

fn of_row(row: &Row) -> Workspace {
    Workspace {
        id: row.id(0),
        name: row.text(1),
        colour: row.text(2),
        time_zone: row.text(3),
        settings: crate::setting::json(row.str(4)),
        created_at: row.at(5),
        version: row.int(6),
    }
}

/// Every workspace, oldest first. For sign-in, workers and listeners; nothing else may look across tenants.
pub fn list(tx: &mut dyn Conn) -> Result<Vec<Workspace>, StoreError> {
    Ok(tx.rows(COLUMNS_OF_ALL, values![])?.iter().map(of_row).collect())
}

/// The workspace, which must exist.
pub fn get(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Workspace, StoreError> {
    tx.one(FIND, values![workspace])?.map(|row| of_row(&row)).ok_or(StoreError::NotFound)
}

/// Makes a workspace; its version is 1.
pub fn add(
    tx: &mut dyn Conn,
    name: &str,
    colour: &str,
    time_zone: &str,
    settings: &Json,
    now: Timestamp,
) -> Result<WorkspaceId, StoreError> {
    let id = WorkspaceId(tx.id());
    tx.exec(ADD, values![id, name, colour, time_zone, settings.to_string(), now])?;
    tx.exec(ADD_HEAD, values![id])?;
    Ok(id)
}

/// Stores a workspace that was read before; `Busy` when somebody else changed it in between.
pub fn change(tx: &mut dyn Conn, w: &Workspace) -> Result<(), StoreError> {
    let n = tx.exec(CHANGE, values![w.id, w.version, &w.name, &w.colour, &w.time_zone, w.settings.to_string()])?;
    crate::setting::changed_one(n)
}
