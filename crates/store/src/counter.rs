//! Counts shown in lists and the rail: kept in the transactions that change them, never found by `count(*)` over big lists.
//! Ordinary changes go through `Conn::count`, which applies them just before COMMIT.

use crate::conn::{Conn, Counter};
use crate::error::StoreError;
use crate::session::{Fail, Session};
use crate::values;
use model::WorkspaceId;
use std::collections::BTreeMap;

const FIND: &str = "SELECT n FROM counter WHERE workspace_id = $1 AND kind = $2 AND subject_id = $3";
const LIST: &str = "SELECT subject_id, n FROM counter WHERE workspace_id = $1 AND kind = $2 ORDER BY subject_id";
const ADD: &str = "INSERT INTO counter(workspace_id, kind, subject_id, n) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (workspace_id, kind, subject_id) DO UPDATE SET n = counter.n + excluded.n RETURNING n";

/// How many there are; 0 when nothing was ever counted.
pub fn get(tx: &mut dyn Conn, counter: Counter) -> Result<i64, StoreError> {
    let row = tx.one(FIND, values![counter.workspace, counter.kind, counter.subject_id])?;
    Ok(row.map_or(0, |row| row.int(0)))
}

/// All counters of one kind as (subject, count).
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, kind: &str) -> Result<Vec<(i64, i64)>, StoreError> {
    Ok(tx.rows(LIST, values![workspace, kind])?.iter().map(|row| (row.int(0), row.int(1))).collect())
}

/// Adds at once and gives the new value: for numbers that are handed out, such as a block of conversation numbers. The row
/// stays locked until COMMIT, so this belongs into a small transaction of its own.
pub fn reserve(tx: &mut dyn Conn, counter: Counter, by: i64) -> Result<i64, StoreError> {
    let row = tx.one(ADD, values![counter.workspace, counter.kind, counter.subject_id, by])?;
    row.map(|row| row.int(0)).ok_or(StoreError::NotFound)
}

/// Sums the deltas of a transaction and applies them in ascending order, so that two commits never wait for each other in a
/// circle.
pub(crate) fn write(session: &mut Session<'_>, deltas: &[(Counter, i64)]) -> Result<(), Fail> {
    let mut sums: BTreeMap<Counter, i64> = BTreeMap::new();
    for (counter, by) in deltas {
        *sums.entry(*counter).or_default() += by;
    }
    for (counter, by) in sums.into_iter().filter(|(_, by)| *by != 0) {
        session.exec(ADD, values![counter.workspace, counter.kind, counter.subject_id, by])?;
    }
    Ok(())
}
