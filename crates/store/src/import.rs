//! Files of people that were taken in, and what each of their lines did.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::setting::json;
use crate::values;
use model::{ContactId, ImportId, Timestamp, WorkspaceId};

/// One file.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// What the file was called.
    pub file_name: String,
    /// Where its bytes are; empty once they are not needed any more.
    pub blob_key: String,
    /// How it was written.
    pub encoding: String,
    /// What parts its cells.
    pub separator: String,
    /// How many rows it has.
    pub row_count: i64,
    /// What its columns mean.
    pub mapping: serde_json::Value,
    /// `ready`, `running`, `done`, `failed`, `undone`.
    pub state: String,
    /// Rows that were done.
    pub next_row: i64,
    /// How many lines did what.
    pub counts: serde_json::Value,
    /// Actor text.
    pub created_by: String,
    /// When it was brought.
    pub created_at: Timestamp,
    /// When its last row was done.
    pub done_at: Option<Timestamp>,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
    /// Why it failed.
    pub reason: Option<String>,
}

fn read(row: &Row) -> Import {
    Import {
        id: row.id(0),
        file_name: row.text(1),
        blob_key: row.text(2),
        encoding: row.text(3),
        separator: row.text(4),
        row_count: row.int(5),
        mapping: json(row.str(6)),
        state: row.text(7),
        next_row: row.int(8),
        counts: json(row.str(9)),
        created_by: row.text(10),
        created_at: row.at(11),
        done_at: row.opt_at(12),
        undone_at: row.opt_at(13),
        reason: row.opt_text(14),
    }
}

const INSERT: &str = "INSERT INTO import (workspace_id, id, file_name, blob_key, encoding, separator, row_count, mapping, state, next_row, counts, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
/// Writes a new file.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, import: &Import) -> Result<(), StoreError> {
    let i = import;
    tx.exec(
        INSERT,
        values![
            workspace,
            i.id,
            &i.file_name,
            &i.blob_key,
            &i.encoding,
            &i.separator,
            i.row_count,
            i.mapping.to_string(),
            &i.state,
            i.next_row,
            i.counts.to_string(),
            &i.created_by,
            i.created_at
        ],
    )?;
    Ok(())
}

const FIND: &str = "SELECT id, file_name, blob_key, encoding, separator, row_count, mapping, state, next_row, counts, created_by, created_at, done_at, undone_at, reason FROM import WHERE workspace_id = $1 AND id = $2";
/// One file.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: ImportId) -> Result<Option<Import>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

const LIST: &str = "SELECT id, file_name, blob_key, encoding, separator, row_count, mapping, state, next_row, counts, created_by, created_at, done_at, undone_at, reason FROM import WHERE workspace_id = $1 AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4";
/// Files, newest first, below the position `(created_at, id)`.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, below: (i64, i64), limit: i64) -> Result<Vec<Import>, StoreError> {
    Ok(tx.rows(LIST, values![workspace, below.0, below.1, limit])?.iter().map(read).collect())
}

const SAVE: &str = "UPDATE import SET blob_key = $4, mapping = $5, state = $6, next_row = $7, counts = $8, done_at = $9, undone_at = $10, reason = $11 WHERE workspace_id = $1 AND id = $2 AND state = $3";
/// Stores how far a file has come; false when it was not in the state that the caller read.
pub fn save(tx: &mut dyn Conn, workspace: WorkspaceId, before: &str, import: &Import) -> Result<bool, StoreError> {
    let i = import;
    let changed = tx.exec(
        SAVE,
        values![
            workspace,
            i.id,
            before,
            &i.blob_key,
            i.mapping.to_string(),
            &i.state,
            i.next_row,
            i.counts.to_string(),
            i.done_at,
            i.undone_at,
            i.reason.clone()
        ],
    )?;
    Ok(changed == 1)
}

/// What one line did.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportRow {
    /// Line of the file.
    pub line: i64,
    /// `new`, `updated`, `unchanged`, `conflict`, `refused`, `erased`.
    pub outcome: String,
    /// Why, when it did nothing.
    pub reason: Option<String>,
    /// Whom it concerned.
    pub contact_id: Option<ContactId>,
    /// What was there before.
    pub before: Option<serde_json::Value>,
    /// The contact's version afterwards.
    pub after_version: Option<i64>,
}

const ADD_ROW: &str = "INSERT INTO import_row (workspace_id, import_id, line, outcome, reason, contact_id, before, after_version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
 ON CONFLICT (workspace_id, import_id, line) DO NOTHING";
/// Notes what a line did.
pub fn add_row(tx: &mut dyn Conn, workspace: WorkspaceId, id: ImportId, row: &ImportRow) -> Result<(), StoreError> {
    let before = row.before.as_ref().map(ToString::to_string);
    tx.exec(
        ADD_ROW,
        values![workspace, id, row.line, &row.outcome, row.reason.clone(), row.contact_id, before, row.after_version],
    )?;
    Ok(())
}

const ROWS: &str = "SELECT line, outcome, reason, contact_id, before, after_version FROM import_row WHERE workspace_id = $1 AND import_id = $2 AND line > $3 ORDER BY line LIMIT $4";
/// Lines of a file after a line, in order.
pub fn rows(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ImportId,
    after: i64,
    limit: i64,
) -> Result<Vec<ImportRow>, StoreError> {
    let read = |row: &Row| ImportRow {
        line: row.int(0),
        outcome: row.text(1),
        reason: row.opt_text(2),
        contact_id: row.opt_id(3),
        before: row.opt_text(4).map(|text| json(&text)),
        after_version: row.opt_int(5),
    };
    Ok(tx.rows(ROWS, values![workspace, id, after, limit])?.iter().map(read).collect())
}
