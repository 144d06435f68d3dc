//! Statements over a list of ids: texts with 1, 8, 64 or 500 placeholders, padded by repeating the last id, so that a
//! handful of shapes serves every length.

use crate::conn::{Conn, Engine};
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
        let sql = shape(tx.engine(), head, tail, size, more.len())?;
        let mut values = Vec::with_capacity(1 + size + more.len());
        values.push(Value::from(workspace));
        values.extend(chunk.iter().map(|id| Value::Int(*id)));
        values.resize(1 + size, Value::Int(chunk[chunk.len() - 1]));
        values.extend_from_slice(more);
        found.extend(tx.rows(sql, &values)?);
    }
    Ok(found)
}

fn shape(engine: Engine, head: &str, tail: &str, size: usize, more: usize) -> Result<&'static str, StoreError> {
    let head = by_own_key(engine, head);
    let list = (0..size).map(|n| format!("${}", n + 2)).collect::<Vec<_>>().join(", ");
    let mut sql = format!("{head} IN ({list}){tail}");
    for n in 1..=more {
        sql = sql.replace(&format!("@{n}"), &format!("${}", 1 + size + n));
    }
    interned(sql)
}

/// Rows by their own ids. SQLite knows nothing of how many rows a workspace has, and from some 50 ids on it would rather walk
/// an index that begins with the workspace, which is all of it; the plus leaves it nothing but the ids.
fn by_own_key(engine: Engine, head: &str) -> String {
    let own = head.ends_with(" AND id") || head.ends_with(".id");
    match head.rsplit_once("WHERE ") {
        Some((before, after)) if own && engine == Engine::Sqlite && after.contains("workspace_id = $1") => {
            format!("{before}WHERE +{after}")
        }
        _ => head.to_owned(),
    }
}

/// Reads a word of a closed list; a word that this version does not know is a programming or upgrade error.
#[track_caller]
pub(crate) fn word<T>(row: &Row, column: usize, parse: fn(&str) -> Option<T>) -> T {
    let text = row.str(column);
    parse(text).unwrap_or_else(|| panic!("column {column} holds the unknown word {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::{by_own_key, shape};
    use crate::conn::Engine::{Postgres, Sqlite};

    #[test]
    fn only_lists_of_own_ids_hide_the_workspace_from_sqlite() {
        let own = "SELECT id FROM t WHERE workspace_id = $1 AND id";
        assert_eq!(by_own_key(Sqlite, own), "SELECT id FROM t WHERE +workspace_id = $1 AND id");
        assert_eq!(by_own_key(Postgres, own), own);
        let joined = "SELECT a.id FROM a JOIN b ON b.id = a.b WHERE a.workspace_id = $1 AND a.id";
        assert!(by_own_key(Sqlite, joined).ends_with("WHERE +a.workspace_id = $1 AND a.id"));
        let other = "SELECT id FROM t WHERE workspace_id = $1 AND entry_id";
        assert_eq!(by_own_key(Sqlite, other), other);
        assert_eq!(
            shape(Sqlite, own, " LIMIT @1", 1, 1).unwrap(),
            "SELECT id FROM t WHERE +workspace_id = $1 AND id IN ($2) LIMIT $3"
        );
    }

    #[test]
    fn sqlite_walks_no_index_of_the_workspace_for_a_list_of_ids() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (workspace_id BIGINT, id INTEGER PRIMARY KEY, x BIGINT); CREATE INDEX t_x ON t(workspace_id, x);",
            )
            .unwrap();
        for size in super::SIZES {
            let text = shape(Sqlite, "SELECT id, x FROM t WHERE workspace_id = $1 AND id", "", size, 0).unwrap();
            let explained = format!("EXPLAIN QUERY PLAN {}", crate::dialect::for_sqlite(text));
            let mut statement = connection.prepare(&explained).unwrap();
            let steps: Vec<String> = statement.raw_query().mapped(|row| row.get(3)).collect::<Result<_, _>>().unwrap();
            assert_eq!(steps, ["SEARCH t USING INTEGER PRIMARY KEY (rowid=?)"], "{size} ids");
        }
    }
}
