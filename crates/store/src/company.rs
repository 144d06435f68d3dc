//! Firms that contacts belong to.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::many;
use crate::row::Row;
use crate::values;
use model::{CompanyId, ContactId, Timestamp, WorkspaceId};

/// One firm.
#[derive(Clone, Debug, PartialEq)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// What it is called.
    pub name: String,
    /// The part of its mail addresses after the @.
    pub domain: Option<String>,
    /// What agents know.
    pub notes: Option<String>,
    /// Since when it is here.
    pub created_at: Timestamp,
    /// Number of its last change.
    pub version: i64,
}

fn read(row: &Row) -> Company {
    Company {
        id: row.id(0),
        name: row.text(1),
        domain: row.opt_text(2),
        notes: row.opt_text(3),
        created_at: row.at(4),
        version: row.int(5),
    }
}

const FIND: &str = "SELECT id, name, domain, notes, created_at, version FROM company WHERE workspace_id = $1 AND id = $2";
/// One firm.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: CompanyId) -> Result<Option<Company>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

const LIST_OF: &str = "SELECT id, name, domain, notes, created_at, version FROM company WHERE workspace_id = $1 AND id";
/// The firms of these ids, in no order.
pub fn list_of(tx: &mut dyn Conn, workspace: WorkspaceId, ids: &[CompanyId]) -> Result<Vec<Company>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    Ok(many::rows_in(tx, LIST_OF, "", workspace, &ids, &[])?.iter().map(read).collect())
}

const PAGE: &str = "SELECT id, name, domain, notes, created_at, version FROM company WHERE workspace_id = $1 AND name_key > $2 AND name_key >= $3 AND name_key < $4 ORDER BY name_key LIMIT $5";
/// Firms by name, after a folded name, whose folded name begins so.
pub fn page(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    after: &str,
    prefix: &str,
    limit: i64,
) -> Result<Vec<Company>, StoreError> {
    let from = model::fold::fold(prefix);
    let upto = format!("{from}\u{10FFFF}");
    Ok(tx.rows(PAGE, values![workspace, after, from, upto, limit])?.iter().map(read).collect())
}

const PUT: &str = "INSERT INTO company (workspace_id, id, name, name_key, created_at, version) VALUES ($1, $2, $3, $4, $5, 1)
 ON CONFLICT (workspace_id, name_key) DO UPDATE SET name = company.name RETURNING id";
/// The firm of this name, found or made.
pub fn of_name(tx: &mut dyn Conn, workspace: WorkspaceId, name: &str, now: Timestamp) -> Result<CompanyId, StoreError> {
    let id = tx.id();
    let row = tx.one(PUT, values![workspace, id, name, model::fold::fold(name), now])?;
    Ok(row.ok_or(StoreError::NotFound)?.id(0))
}

const BY_NAME: &str = "SELECT id FROM company WHERE workspace_id = $1 AND name_key = $2";
/// The firm of exactly this name, if there is one.
pub fn by_name(tx: &mut dyn Conn, workspace: WorkspaceId, name: &str) -> Result<Option<CompanyId>, StoreError> {
    Ok(tx.one(BY_NAME, values![workspace, model::fold::fold(name)])?.map(|row| row.id(0)))
}

const SAVE: &str = "UPDATE company SET name = $3, name_key = $4, domain = $5, notes = $6, version = version + 1 WHERE workspace_id = $1 AND id = $2 RETURNING version";
/// Stores a firm; answers with its new version.
pub fn save(tx: &mut dyn Conn, workspace: WorkspaceId, company: &Company) -> Result<i64, StoreError> {
    let c = company;
    let row = tx.one(SAVE, values![workspace, c.id, &c.name, model::fold::fold(&c.name), c.domain.clone(), c.notes.clone()])?;
    Ok(row.ok_or(StoreError::NotFound)?.int(0))
}

const DELETE: &str = "DELETE FROM company WHERE workspace_id = $1 AND id = $2";
/// Deletes a firm that nobody belongs to any more.
pub fn delete(tx: &mut dyn Conn, workspace: WorkspaceId, id: CompanyId) -> Result<bool, StoreError> {
    Ok(tx.exec(DELETE, values![workspace, id])? == 1)
}

const SET_OF: &str = "UPDATE contact SET company_id = $3 WHERE workspace_id = $1 AND id = $2";
/// Says which firm a contact belongs to.
pub fn set_of(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: ContactId,
    company: Option<CompanyId>,
) -> Result<(), StoreError> {
    match tx.exec(SET_OF, values![workspace, contact, company])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const OF_CONTACT: &str = "SELECT company_id FROM contact WHERE workspace_id = $1 AND id = $2";
/// The firm of a contact.
pub fn of_contact(tx: &mut dyn Conn, workspace: WorkspaceId, contact: ContactId) -> Result<Option<CompanyId>, StoreError> {
    Ok(tx.one(OF_CONTACT, values![workspace, contact])?.and_then(|row| row.opt_id(0)))
}

const CONTACTS: &str = "SELECT id FROM contact WHERE workspace_id = $1 AND company_id = $2 AND id < $3 AND merged_into IS NULL ORDER BY id DESC LIMIT $4";
/// Live contacts of a firm, newest first, below an id.
pub fn contacts(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: CompanyId,
    below: i64,
    limit: i64,
) -> Result<Vec<ContactId>, StoreError> {
    Ok(tx.rows(CONTACTS, values![workspace, id, below, limit])?.iter().map(|row| row.id(0)).collect())
}
