//! Fields of contacts that a business made itself, and their values.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::many;
use crate::row::Row;
use crate::setting::{json, word};
use crate::values;
use model::{ContactFieldId, ContactId, FieldKind, Timestamp, WorkspaceId};

/// What a field is.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactField {
    /// Its id.
    pub id: ContactFieldId,
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    /// The words of a choice.
    pub choices: Vec<String>,
    /// Where it stands among the others.
    pub position: i64,
    /// Since when it is not offered any more.
    pub archived_at: Option<Timestamp>,
    /// Number of its last change.
    pub version: i64,
}

fn read(row: &Row) -> Result<ContactField, StoreError> {
    Ok(ContactField {
        id: row.id(0),
        name: row.text(1),
        kind: word(FieldKind::parse(row.str(2)), "kind")?,
        choices: serde_json::from_value(json(row.str(3))).unwrap_or_default(),
        position: row.int(4),
        archived_at: row.opt_at(5),
        version: row.int(6),
    })
}

const LIST: &str =
    "SELECT id, name, kind, choices, position, archived_at, version FROM contact_field WHERE workspace_id = $1 LIMIT 500";
/// All fields in their order, archived ones too.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<ContactField>, StoreError> {
    let mut all = tx.rows(LIST, values![workspace])?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|field| (field.position, field.id));
    Ok(all)
}

const ADD: &str = "INSERT INTO contact_field (workspace_id, id, name, name_key, kind, choices, position, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 1)";
/// Adds a field; the id inside is not looked at.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, field: &ContactField) -> Result<ContactFieldId, StoreError> {
    let (id, choices) = (ContactFieldId(tx.id()), serde_json::json!(field.choices).to_string());
    tx.exec(
        ADD,
        values![workspace, id, &field.name, model::fold::fold(&field.name), field.kind.word(), choices, field.position],
    )?;
    Ok(id)
}

const SAVE: &str = "UPDATE contact_field SET name = $3, name_key = $4, choices = $5, position = $6, archived_at = $7, version = version + 1 WHERE workspace_id = $1 AND id = $2";
/// Stores a field. Its kind never changes.
pub fn save(tx: &mut dyn Conn, workspace: WorkspaceId, field: &ContactField) -> Result<(), StoreError> {
    let (key, choices) = (model::fold::fold(&field.name), serde_json::json!(field.choices).to_string());
    match tx.exec(SAVE, values![workspace, field.id, &field.name, key, choices, field.position, field.archived_at])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldValue {
    /// Whose, as it was written.
    pub contact_id: ContactId,
    /// Which field.
    pub field_id: ContactFieldId,
    /// As it is shown.
    pub value: String,
    /// Since when.
    pub changed_at: Timestamp,
}

const VALUES_OF: &str =
    "SELECT contact_id, field_id, value, changed_at FROM contact_field_value WHERE workspace_id = $1 AND contact_id";
/// The values of these contacts, in no order.
pub fn values_of(tx: &mut dyn Conn, workspace: WorkspaceId, contacts: &[ContactId]) -> Result<Vec<FieldValue>, StoreError> {
    let ids: Vec<i64> = contacts.iter().map(|id| id.0).collect();
    let rows = many::rows_in(tx, VALUES_OF, "", workspace, &ids, &[])?;
    let read = |row: &Row| FieldValue { contact_id: row.id(0), field_id: row.id(1), value: row.text(2), changed_at: row.at(3) };
    Ok(rows.iter().map(read).collect())
}

const PUT: &str = "INSERT INTO contact_field_value (workspace_id, contact_id, field_id, value, value_key, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
 ON CONFLICT (workspace_id, contact_id, field_id) DO UPDATE SET value = excluded.value, value_key = excluded.value_key, changed_at = excluded.changed_at";
/// Sets a value; `key` is what filters compare.
pub fn put(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: ContactId,
    field: ContactFieldId,
    value: &str,
    key: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(PUT, values![workspace, contact, field, value, key, now])?;
    Ok(())
}

const CLEAR: &str = "DELETE FROM contact_field_value WHERE workspace_id = $1 AND contact_id = $2 AND field_id = $3";
/// Forgets a value.
pub fn clear(tx: &mut dyn Conn, workspace: WorkspaceId, contact: ContactId, field: ContactFieldId) -> Result<(), StoreError> {
    tx.exec(CLEAR, values![workspace, contact, field])?;
    Ok(())
}

const WITH_VALUE: &str = "SELECT contact_id FROM contact_field_value WHERE workspace_id = $1 AND field_id = $2 AND value_key >= $3 AND value_key < $4 ORDER BY value_key, contact_id LIMIT $5";
/// Contacts (as written) whose value begins with a folded text.
pub fn contacts_with(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    field: ContactFieldId,
    prefix: &str,
    limit: i64,
) -> Result<Vec<ContactId>, StoreError> {
    let upto = format!("{prefix}\u{10FFFF}");
    Ok(tx.rows(WITH_VALUE, values![workspace, field, prefix, upto, limit])?.iter().map(|row| row.id(0)).collect())
}
