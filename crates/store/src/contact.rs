//! Contacts: one row per person as it was first met. A merge is a pointer (`merged_into`); `live_id` is its end, so that
//! reads need one step. Every function that changes a contact numbers the change by the contact's own `version`.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::many;
use crate::row::Row;
use crate::value::Value;
use crate::values;
use model::{ContactId, Timestamp, WorkspaceId};

/// One contact row.
#[derive(Clone, Debug, PartialEq)]
pub struct Contact {
    /// Its id; stays valid for ever, also after a merge.
    pub id: ContactId,
    /// The contact that it was merged into.
    pub merged_into: Option<ContactId>,
    /// The end of the pointers: itself when live.
    pub live_id: ContactId,
    /// Name, once known.
    pub name: Option<String>,
    /// Firm, as free text until companies exist.
    pub company: Option<String>,
    /// BCP 47 tag.
    pub locale: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// What agents wrote about the person.
    pub notes: Option<String>,
    /// What a page said about the person, unproven.
    pub claimed: serde_json::Map<String, serde_json::Value>,
    /// Since when nothing of theirs comes in.
    pub blocked_at: Option<Timestamp>,
    /// First contact.
    pub first_seen_at: Timestamp,
    /// Latest contact.
    pub last_seen_at: Timestamp,
    /// Number of its last change, gap-free: its stream in the event log.
    pub version: i64,
}

const COLUMNS_OF: &str = "SELECT id, merged_into, live_id, name, company, locale, time_zone, notes, claimed, blocked_at, first_seen_at, last_seen_at, version FROM contact WHERE workspace_id = $1 AND id";

fn read(row: &Row) -> Contact {
    Contact {
        id: row.id(0),
        merged_into: row.opt_id(1),
        live_id: row.id(2),
        name: row.opt_text(3),
        company: row.opt_text(4),
        locale: row.opt_text(5),
        time_zone: row.opt_text(6),
        notes: row.opt_text(7),
        claimed: serde_json::from_str(row.str(8)).unwrap_or_default(),
        blocked_at: row.opt_at(9),
        first_seen_at: row.at(10),
        last_seen_at: row.at(11),
        version: row.int(12),
    }
}

pub(crate) const INSERT: &str = "INSERT INTO contact (workspace_id, id, live_id, name, name_key, company, locale, time_zone, notes, claimed, first_seen_at, last_seen_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)";
/// Writes a new, live contact with version 1.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, contact: &Contact) -> Result<(), StoreError> {
    tx.exec(INSERT, &row_values(workspace, contact))?;
    Ok(())
}

/// The values of INSERT.
pub(crate) fn row_values(workspace: WorkspaceId, c: &Contact) -> Vec<Value> {
    vec![
        workspace.into(),
        c.id.into(),
        c.id.into(),
        c.name.clone().into(),
        key(&c.name).into(),
        c.company.clone().into(),
        c.locale.clone().into(),
        c.time_zone.clone().into(),
        c.notes.clone().into(),
        json(&c.claimed).into(),
        c.first_seen_at.into(),
        c.last_seen_at.into(),
    ]
}

fn key(name: &Option<String>) -> Option<String> {
    name.as_deref().map(model::fold::fold)
}

fn json(map: &serde_json::Map<String, serde_json::Value>) -> String {
    serde_json::to_string(map).unwrap_or_else(|_| "{}".to_owned())
}

const FIND: &str = "SELECT id, merged_into, live_id, name, company, locale, time_zone, notes, claimed, blocked_at, first_seen_at, last_seen_at, version FROM contact WHERE workspace_id = $1 AND id = $2";
/// The contact of exactly this id, live or merged away.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId) -> Result<Option<Contact>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

/// The live contact behind an id.
pub fn get_live(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId) -> Result<Contact, StoreError> {
    let found = find(tx, workspace, id)?.ok_or(StoreError::NotFound)?;
    if found.live_id == found.id {
        return Ok(found);
    }
    find(tx, workspace, found.live_id)?.ok_or(StoreError::NotFound)
}

/// The contacts of these ids, in no order.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, ids: &[ContactId]) -> Result<Vec<Contact>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    Ok(many::rows_in(tx, COLUMNS_OF, "", workspace, &ids, &[])?.iter().map(read).collect())
}

const LOCK: &str = "UPDATE contact SET version = version WHERE workspace_id = $1 AND id = $2";
/// Takes the row lock of a contact, so that two first messages cannot both find "no open conversation". Changes nothing.
pub fn lock(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId) -> Result<(), StoreError> {
    match tx.exec(LOCK, values![workspace, id])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const HOLD: &str = "UPDATE contact SET last_seen_at = CASE WHEN last_seen_at < $3 THEN $3 ELSE last_seen_at END WHERE workspace_id = $1 AND id = $2 RETURNING id, merged_into, live_id, name, company, locale, time_zone, notes, claimed, blocked_at, first_seen_at, last_seen_at, version";
/// Takes the row lock of a contact who is here at `at`, and reads it under the lock.
pub fn hold(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId, at: Timestamp) -> Result<Contact, StoreError> {
    tx.one(HOLD, values![workspace, id, at])?.as_ref().map(read).ok_or(StoreError::NotFound)
}

const SEEN: &str = "UPDATE contact SET last_seen_at = $3 WHERE workspace_id = $1 AND id = $2 AND last_seen_at < $3";
/// Notes that the person was here at `at`.
pub fn seen(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId, at: Timestamp) -> Result<(), StoreError> {
    tx.exec(SEEN, values![workspace, id, at])?;
    Ok(())
}

const SAVE: &str = "UPDATE contact SET name = $3, name_key = $4, company = $5, locale = $6, time_zone = $7, notes = $8, claimed = $9, blocked_at = $10, version = version + 1 WHERE workspace_id = $1 AND id = $2 RETURNING version";
/// Stores the fields of a contact and answers with its new version, for the event log.
pub fn save(tx: &mut dyn Conn, workspace: WorkspaceId, contact: &Contact) -> Result<i64, StoreError> {
    let c = contact;
    let row = tx.one(
        SAVE,
        values![
            workspace,
            c.id,
            c.name.clone(),
            key(&c.name),
            c.company.clone(),
            c.locale.clone(),
            c.time_zone.clone(),
            c.notes.clone(),
            json(&c.claimed),
            c.blocked_at
        ],
    )?;
    Ok(row.ok_or(StoreError::NotFound)?.int(0))
}

const MERGED_SET: &str = "SELECT id FROM contact WHERE workspace_id = $1 AND live_id = $2 ORDER BY id";
/// The live contact and every contact whose pointers end at it.
pub fn merged_set(tx: &mut dyn Conn, workspace: WorkspaceId, live: ContactId) -> Result<Vec<ContactId>, StoreError> {
    Ok(tx.rows(MERGED_SET, values![workspace, live])?.iter().map(|r| r.id(0)).collect())
}

const POINT: &str =
    "UPDATE contact SET merged_into = $3, version = version + 1 WHERE workspace_id = $1 AND id = $2 RETURNING version";
/// Sets or clears the merge pointer of one contact; answers with its new version.
pub fn point_to(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId, into: Option<ContactId>) -> Result<i64, StoreError> {
    Ok(tx.one(POINT, values![workspace, id, into])?.ok_or(StoreError::NotFound)?.int(0))
}

const SET_LIVE: &str = "UPDATE contact SET live_id = $3 WHERE workspace_id = $1 AND id = $2";
/// Sets the end of the pointers of one contact.
pub fn set_live(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId, live: ContactId) -> Result<(), StoreError> {
    match tx.exec(SET_LIVE, values![workspace, id, live])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const PAGE: &str = "SELECT id, merged_into, live_id, name, company, locale, time_zone, notes, claimed, blocked_at, first_seen_at, last_seen_at, version FROM contact WHERE workspace_id = $1 AND merged_into IS NULL AND (last_seen_at, id) < ($2, $3) ORDER BY last_seen_at DESC, id DESC LIMIT $4";
/// Live contacts, latest seen first, below the position `(last_seen_at, id)`.
pub fn page(tx: &mut dyn Conn, workspace: WorkspaceId, below: (i64, i64), limit: i64) -> Result<Vec<Contact>, StoreError> {
    Ok(tx.rows(PAGE, values![workspace, below.0, below.1, limit])?.iter().map(read).collect())
}

const BY_NAME: &str = "SELECT live_id FROM contact WHERE workspace_id = $1 AND merged_into IS NULL AND name_key >= $2 AND name_key < $3 ORDER BY name_key, id LIMIT $4";
/// Live contacts whose folded name begins with `prefix`.
pub fn by_name_prefix(tx: &mut dyn Conn, workspace: WorkspaceId, prefix: &str, limit: i64) -> Result<Vec<ContactId>, StoreError> {
    let from = model::fold::fold(prefix);
    let upto = format!("{from}\u{10FFFF}");
    Ok(tx
        .rows(BY_NAME, &[Value::from(workspace), Value::from(from), Value::from(upto), Value::from(limit)])?
        .iter()
        .map(|r| r.id(0))
        .collect())
}

const REMOVE: &str = "DELETE FROM contact WHERE workspace_id = $1 AND id = $2";
/// Takes a contact away that holds nothing and never wrote: what an import made, when the import is taken back.
pub fn remove(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId) -> Result<(), StoreError> {
    match tx.exec(REMOVE, values![workspace, id])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}
