//! The few places where the engines differ, and SQL that is built at run time. Everything else is one text for both.

use crate::conn::{Conn, Engine};
use crate::error::StoreError;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Filters of views make few shapes; more than this many is a bug that would eat memory.
const SHAPE_COUNT_MAX: usize = 4_096;

static SHAPES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

/// Keeps one copy of a text built from fixed fragments (never from input), so that it can be used as a statement.
pub fn interned(sql: String) -> Result<&'static str, StoreError> {
    let mut shapes = SHAPES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = shapes.get(sql.as_str()) {
        return Ok(known);
    }
    if shapes.len() >= SHAPE_COUNT_MAX {
        tracing::error!(shapes = SHAPE_COUNT_MAX, "too many shapes of SQL were built at run time; this is a bug");
        return Err(StoreError::broken("too many shapes of SQL"));
    }
    let kept: &'static str = Box::leak(sql.into_boxed_str());
    shapes.insert(kept);
    Ok(kept)
}

/// What ends the locking sub-select of a claim: two claimers on PostgreSQL then each take rows of their own. SQLite has one
/// writer and needs nothing.
pub fn claim_suffix(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE SKIP LOCKED",
    }
}

/// A walk over a table in the order of its ids. On PostgreSQL the key is (workspace_id, id); on SQLite it is the id alone, and
/// the plus keeps it from taking another index that begins with the workspace, and sorting all of it for each page.
pub(crate) fn in_order_of_ids(engine: Engine, text: &'static str) -> Result<&'static str, StoreError> {
    match engine {
        Engine::Sqlite => interned(text.replace("workspace_id = $1", "+workspace_id = $1")),
        Engine::Postgres => Ok(text),
    }
}

// A plan for any words at all would not use the index of words: each search is planned for its own.
const PLAN_PROBE: &str = "SELECT set_config('plan_cache_mode', 'force_custom_plan', TRUE),
    set_config('enable_seqscan', 'off', TRUE), set_config('enable_indexscan', 'off', TRUE)";
const PLAN_WALK: &str = "SELECT set_config('enable_indexscan', 'on', TRUE), set_config('enable_bitmapscan', 'off', TRUE),
    set_config('enable_sort', 'off', TRUE)";
const PLAN_AS_USUAL: &str = "SELECT set_config('plan_cache_mode', 'auto', TRUE), set_config('enable_seqscan', 'on', TRUE), set_config('enable_indexscan', 'on', TRUE),
    set_config('enable_bitmapscan', 'on', TRUE), set_config('enable_sort', 'on', TRUE)";

/// PostgreSQL, for the rest of the transaction: look words up in their own index, in no order.
pub(crate) fn plan_search_probe(tx: &mut dyn Conn) -> Result<(), StoreError> {
    tx.one(PLAN_PROBE, &[]).map(drop)
}
/// PostgreSQL, after a probe: walk the key downwards and look at each row's words.
pub(crate) fn plan_search_walk(tx: &mut dyn Conn) -> Result<(), StoreError> {
    tx.one(PLAN_WALK, &[]).map(drop)
}
/// PostgreSQL: plan as usual again.
pub(crate) fn plan_as_usual(tx: &mut dyn Conn) -> Result<(), StoreError> {
    tx.one(PLAN_AS_USUAL, &[]).map(drop)
}

/// The text as SQLite must see it: `$n` becomes `?n`. SQLite takes `$2` for a *name* and numbers names by their first
/// appearance, so `SET x = $2 WHERE id = $1` would swap the values, touch no row and report nothing.
pub(crate) fn for_sqlite(sql: &str) -> Cow<'_, str> {
    if !sql.contains('$') {
        return Cow::Borrowed(sql);
    }
    let mut out = String::with_capacity(sql.len());
    let mut in_text = false;
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        in_text ^= c == '\'';
        let placeholder = c == '$' && !in_text && chars.peek().is_some_and(char::is_ascii_digit);
        out.push(if placeholder { '?' } else { c });
    }
    Cow::Owned(out)
}

/// SQLite names the columns of a broken unique index, PostgreSQL names the index: this maps the one to the other.
#[derive(Debug, Default)]
pub(crate) struct UniqueNames(HashMap<String, String>);

impl UniqueNames {
    /// Reads the names of all unique indexes.
    pub fn load(connection: &rusqlite::Connection) -> rusqlite::Result<Self> {
        let mut names = HashMap::new();
        let mut indexes = connection.prepare(
            "SELECT t.name, i.name, i.origin, c.name FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c \
             WHERE t.type = 'table' AND i.\"unique\" ORDER BY t.name, i.name, c.seqno",
        )?;
        let mut columns: Vec<(String, String, String)> = Vec::new();
        let mut rows = indexes.query([])?;
        while let Some(row) = rows.next()? {
            let (table, index, origin): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let column = format!("{table}.{}", row.get::<_, Option<String>>(3)?.unwrap_or_default());
            let name = if origin == "pk" { format!("{table}_pkey") } else { index };
            match columns.last_mut() {
                Some((_, known, list)) if *known == name => *list = format!("{list}, {column}"),
                _ => columns.push((table, name, column)),
            }
        }
        names.extend(columns.into_iter().map(|(_, name, list)| (list, name)));
        Ok(Self(names))
    }
    /// The name of the index of "UNIQUE constraint failed: job.workspace_id, job.dedupe_key".
    pub fn name_of(&self, message: &str) -> String {
        let what = message.rsplit_once(": ").map_or(message, |(_, what)| what);
        if let Some(name) = self.0.get(what) {
            return name.clone();
        }
        if let Some(index) = what.strip_prefix("index '") {
            return index.trim_end_matches('\'').to_owned();
        }
        // The key of a table whose key is the row's own number has no index.
        match what.split_once('.') {
            Some((table, column)) if !column.contains(',') => format!("{table}_pkey"),
            _ => what.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_rewritten_outside_text_literals() {
        assert_eq!(for_sqlite("SELECT 1"), "SELECT 1");
        assert_eq!(for_sqlite("UPDATE t SET x = $2 WHERE id = $11"), "UPDATE t SET x = ?2 WHERE id = ?11");
        assert_eq!(for_sqlite("SELECT '$1', 'it''s $2', $1"), "SELECT '$1', 'it''s $2', ?1");
    }

    #[test]
    fn one_shape_is_kept_once() {
        let first = interned("SELECT 'shape'".to_owned()).unwrap();
        assert!(std::ptr::eq(first, interned(format!("SELECT '{}'", "shape")).unwrap()));
    }
}
