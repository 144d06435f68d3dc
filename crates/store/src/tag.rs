//! Tags: words that agents put on conversations. Which conversation carries which is kept with the conversation.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{TagId, WorkspaceId};

/// A word for conversations.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// Its id.
    pub id: TagId,
    /// As it is shown.
    pub name: String,
    /// `#rrggbb`.
    pub colour: String,
}

const LIST: &str = "SELECT id, name, colour FROM tag WHERE workspace_id = $1 ORDER BY name_key, id";
const FIND: &str = "SELECT id, name, colour FROM tag WHERE workspace_id = $1 AND id = $2";
const FIND_BY_KEY: &str = "SELECT id, name, colour FROM tag WHERE workspace_id = $1 AND name_key = $2";
const ADD: &str = "INSERT INTO tag (workspace_id, id, name, name_key, colour) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (workspace_id, name_key) DO NOTHING";

fn of_row(row: &Row) -> Tag {
    Tag { id: row.id(0), name: row.text(1), colour: row.text(2) }
}

/// Every tag, by name.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<Tag>, StoreError> {
    Ok(tx.rows(LIST, values![workspace])?.iter().map(of_row).collect())
}

/// The tag of an id.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: TagId) -> Result<Option<Tag>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.map(|row| of_row(&row)))
}

/// The tag of a folded name.
pub fn find_by_key(tx: &mut dyn Conn, workspace: WorkspaceId, name_key: &str) -> Result<Option<Tag>, StoreError> {
    Ok(tx.one(FIND_BY_KEY, values![workspace, name_key])?.map(|row| of_row(&row)))
}

/// Adds a tag; false when the name was there, which is then what [`find_by_key`] gives.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, name: &str, name_key: &str, colour: &str) -> Result<bool, StoreError> {
    let id = TagId(tx.id());
    Ok(tx.exec(ADD, values![workspace, id, name, name_key, colour])? == 1)
}
