//! Sealed secrets: bytes that only the desk can open, with the key that is not in the database.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::values;
use model::{SecretId, Timestamp, WorkspaceId};

/// A sealed secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Sealed {
    /// Which root key sealed it.
    pub key_number: i64,
    /// Nonce and cipher text.
    pub sealed: Vec<u8>,
    /// Grows with each change.
    pub version: i64,
    /// When it was last set.
    pub changed_at: Timestamp,
}

const FIND: &str =
    "SELECT key_number, sealed, version, changed_at FROM secret WHERE workspace_id = $1 AND owner_id = $2 AND name = $3";
const LIST: &str = "SELECT name, key_number, sealed, version, changed_at FROM secret \
     WHERE workspace_id = $1 AND owner_id = $2 ORDER BY name";
const PUT: &str = "INSERT INTO secret (workspace_id, id, owner_id, name, key_number, sealed, version, changed_at) \
     VALUES ($1, $2, $3, $4, $5, $6, 1, $7) ON CONFLICT (workspace_id, owner_id, name) DO UPDATE \
     SET key_number = excluded.key_number, sealed = excluded.sealed, version = secret.version + 1, changed_at = excluded.changed_at";
const DELETE: &str = "DELETE FROM secret WHERE workspace_id = $1 AND owner_id = $2 AND name = $3";

/// The secret of an owner (an inbox, say) by name.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, owner_id: i64, name: &str) -> Result<Option<Sealed>, StoreError> {
    let row = tx.one(FIND, values![workspace, owner_id, name])?;
    Ok(row.map(|row| Sealed { key_number: row.int(0), sealed: row.bytes(1), version: row.int(2), changed_at: row.at(3) }))
}

/// All secrets of an owner, by name.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, owner_id: i64) -> Result<Vec<(String, Sealed)>, StoreError> {
    let rows = tx.rows(LIST, values![workspace, owner_id])?;
    Ok(rows
        .iter()
        .map(|row| {
            let sealed = Sealed { key_number: row.int(1), sealed: row.bytes(2), version: row.int(3), changed_at: row.at(4) };
            (row.text(0), sealed)
        })
        .collect())
}

/// Sets a secret.
pub fn put(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    owner_id: i64,
    name: &str,
    key_number: i64,
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = SecretId(tx.id());
    tx.exec(PUT, values![workspace, id, owner_id, name, key_number, sealed, now])?;
    Ok(())
}

/// Forgets a secret; true when there was one.
pub fn delete(tx: &mut dyn Conn, workspace: WorkspaceId, owner_id: i64, name: &str) -> Result<bool, StoreError> {
    Ok(tx.exec(DELETE, values![workspace, owner_id, name])? == 1)
}
