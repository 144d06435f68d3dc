//! Opening hours by name.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::setting::changed_one;
use crate::values;
use model::hours::Hours;
use model::{BusinessHoursId, WorkspaceId};

/// Named opening hours.
#[derive(Debug, Clone, PartialEq)]
pub struct BusinessHours {
    /// Its id.
    pub id: BusinessHoursId,
    /// What they are called.
    pub name: String,
    /// The week.
    pub hours: Hours,
    /// Grows with each change.
    pub version: i64,
}

const FIND: &str = "SELECT id, name, hours, version FROM business_hours WHERE workspace_id = $1 AND id = $2";
const LIST: &str = "SELECT id, name, hours, version FROM business_hours WHERE workspace_id = $1 ORDER BY id";
const ADD: &str = "INSERT INTO business_hours (workspace_id, id, name, hours, version) VALUES ($1, $2, $3, $4, 1)";
const CHANGE: &str = "UPDATE business_hours SET name = $4, hours = $5, version = version + 1 \
     WHERE workspace_id = $1 AND id = $2 AND version = $3";

fn of_row(row: &Row) -> Result<BusinessHours, StoreError> {
    let hours = serde_json::from_str(row.str(2)).map_err(|_| StoreError::broken("business_hours.hours cannot be read"))?;
    Ok(BusinessHours { id: row.id(0), name: row.text(1), hours, version: row.int(3) })
}

fn text(hours: &Hours) -> Result<String, StoreError> {
    serde_json::to_string(hours).map_err(|_| StoreError::broken("opening hours cannot be written"))
}

/// The hours of an id.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: BusinessHoursId) -> Result<Option<BusinessHours>, StoreError> {
    tx.one(FIND, values![workspace, id])?.map(|row| of_row(&row)).transpose()
}

/// All of them, oldest first.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<BusinessHours>, StoreError> {
    tx.rows(LIST, values![workspace])?.iter().map(of_row).collect()
}

/// Adds hours.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, name: &str, hours: &Hours) -> Result<BusinessHoursId, StoreError> {
    let id = BusinessHoursId(tx.id());
    tx.exec(ADD, values![workspace, id, name, text(hours)?])?;
    Ok(id)
}

/// Stores hours that were read before; `Busy` when somebody else was faster.
pub fn change(tx: &mut dyn Conn, workspace: WorkspaceId, b: &BusinessHours) -> Result<(), StoreError> {
    changed_one(tx.exec(CHANGE, values![workspace, b.id, b.version, &b.name, text(&b.hours)?])?)
}
