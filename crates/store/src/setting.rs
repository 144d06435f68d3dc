//! Small named values of a workspace, and what the other settings tables share.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::values;
use model::WorkspaceId;
use serde_json::Value as Json;

const FIND: &str = "SELECT value FROM setting WHERE workspace_id = $1 AND name = $2";
const PUT: &str = "INSERT INTO setting (workspace_id, name, value) VALUES ($1, $2, $3) \
     ON CONFLICT (workspace_id, name) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM setting WHERE workspace_id = $1 AND name = $2";

/// The value of a name, if it was ever set.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, name: &str) -> Result<Option<Json>, StoreError> {
    Ok(tx.one(FIND, values![workspace, name])?.map(|row| json(row.str(0))))
}

/// Sets a value.
pub fn put(tx: &mut dyn Conn, workspace: WorkspaceId, name: &str, value: &Json) -> Result<(), StoreError> {
    tx.exec(PUT, values![workspace, name, value.to_string()])?;
    Ok(())
}

/// Forgets a value; true when there was one.
pub fn delete(tx: &mut dyn Conn, workspace: WorkspaceId, name: &str) -> Result<bool, StoreError> {
    Ok(tx.exec(DELETE, values![workspace, name])? > 0)
}

/// JSON of a column. A text that is none reads as null: the reader's defaults then apply, and the row stays usable.
pub(crate) fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or(Json::Null)
}

/// What a `WHERE version = $n` update means when it touched no row: somebody else was faster. Reading again will do.
pub(crate) fn changed_one(rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Busy) }
}

/// A word of a closed list that stands in a column; anything else is a row that this version did not write.
pub(crate) fn word<T>(parsed: Option<T>, column: &'static str) -> Result<T, StoreError> {
    parsed.ok_or_else(|| StoreError::broken(format!("{column} holds a word that is not known")))
}
