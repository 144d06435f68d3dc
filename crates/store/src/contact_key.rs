//! Keys that contacts who may be one person share, so that the few worth comparing are found among many.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::values;
use model::{ContactId, WorkspaceId};

const OF: &str = "SELECT match_key FROM contact_key WHERE workspace_id = $1 AND contact_id = $2";
const ADD: &str = "INSERT INTO contact_key (workspace_id, match_key, contact_id) VALUES ($1, $2, $3) ON CONFLICT (workspace_id, match_key, contact_id) DO NOTHING";
const REMOVE: &str = "DELETE FROM contact_key WHERE workspace_id = $1 AND match_key = $2 AND contact_id = $3";
/// Makes these the keys of a contact.
pub fn set(tx: &mut dyn Conn, workspace: WorkspaceId, contact: ContactId, keys: &[i64]) -> Result<(), StoreError> {
    let had: Vec<i64> = tx.rows(OF, values![workspace, contact])?.iter().map(|row| row.int(0)).collect();
    for key in had.iter().filter(|key| !keys.contains(key)) {
        tx.exec(REMOVE, values![workspace, *key, contact])?;
    }
    for key in keys.iter().filter(|key| !had.contains(key)) {
        tx.exec(ADD, values![workspace, *key, contact])?;
    }
    Ok(())
}

const SHARING: &str =
    "SELECT contact_id FROM contact_key WHERE workspace_id = $1 AND match_key = $2 ORDER BY contact_id DESC LIMIT $3";
/// Contacts that have a key, newest first.
pub fn sharing(tx: &mut dyn Conn, workspace: WorkspaceId, key: i64, limit: i64) -> Result<Vec<ContactId>, StoreError> {
    Ok(tx.rows(SHARING, values![workspace, key, limit])?.iter().map(|row| row.id(0)).collect())
}
