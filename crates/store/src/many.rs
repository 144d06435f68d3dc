//! Statements over a list of ids: texts with 1, 8, 64 or 500 placeholders, padded by repeating the last id, so that a
//! handful of shapes serves every length.

use crate::conn::Conn;
use crate::dialect::interned;
use crate::error::StoreError;
use crate::row::Row;
use crate::value::Value;
use model::WorkspaceId;

const SIZES: [usize; 4] = [1, 8, 64, 500];

/// Runs `head IN ($2, $3, ..) tail` with the workspace as `$1`, in chunks of at most 500; `more` are bound after the ids,
/// their placeholders written `@1`, `@2` in `head` and `tail`. An empty list asks nothing.
pub(crate) fn rows_in(
    tx: &mut dyn Conn,
    head: &'static str,
    tail: &'static str,
    workspace: WorkspaceId,
    ids: &[i64],
    more: &[Value],
) -> Result<Vec<Row>, StoreError> {
    let mut found = Vec::new();
    for chunk in ids.chunks(500) {
        let size = SIZES.into_iter().find(|s| *s >= chunk.len()).unwrap_or(500);
        let sql = shape(head, tail, size, more.len())?;
        let mut values = Vec::with_capacity(1 + size + more.len());
        values.push(Value::from(workspace));
        values.extend(chunk.iter().map(|id| Value::Int(*id)));
        values.resize(1 + size, Value::Int(chunk[chunk.len() - 1]));
        values.extend_from_slice(more);
        found.extend(tx.rows(sql, &values)?);
    }
    Ok(found)
}

fn shape(head: &str, tail: &str, size: usize, more: usize) -> Result<&'static str, StoreError> {
    let list = (0..size).map(|n| format!("${}", n + 2)).collect::<Vec<_>>().join(", ");
    let mut sql = format!("{head} IN ({list}){tail}");
    for n in 1..=more {
        sql = sql.replace(&format!("@{n}"), &format!("${}", 1 + size + n));
    }
    interned(sql)
}

/// Reads a word of a closed list; a word that this version does not know is a programming or upgrade error.
#[track_caller]
pub(crate) fn word<T>(row: &Row, column: usize, parse: fn(&str) -> Option<T>) -> T {
    let text = row.str(column);
    parse(text).unwrap_or_else(|| panic!("column {column} holds the unknown word {text:?}"))
}
