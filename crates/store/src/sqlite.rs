//! SQLite: how a connection is opened (the one place that sets PRAGMAs), and statements on it.

use crate::dialect::{self, UniqueNames};
use crate::error::StoreError;
use crate::row::Row;
use crate::session::{Cause, Fail};
use crate::value::Value;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Only other processes (commands of the same program) ever make us wait.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// More statements than the product has constants; above it (shapes of views) the cache starts anew.
const STATEMENT_COUNT_MAX: usize = 1_024;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write {
        full_sync: bool,
    },
    Read {
        cache_kib: i64,
    },
    /// Reads all of it once, into another file.
    Copy,
}

/// Opens the file (the writer makes it when it is missing) and sets every PRAGMA.
pub(crate) fn open(path: &Path, purpose: Purpose) -> Result<Connection, StoreError> {
    let flags = match purpose {
        Purpose::Write { .. } => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Purpose::Read { .. } | Purpose::Copy => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .and_then(|connection| set_up(&connection, purpose).map(|()| connection))
        .map_err(|error| StoreError::Broken(explain(&error).unwrap_or_else(|| format!("cannot open: {error}"))))
        .map_err(|error| match error {
            StoreError::Broken(text) => StoreError::Broken(format!("database {}: {text}", path.display())),
            other => other,
        })?;
    Ok(connection)
}

fn set_up(connection: &Connection, purpose: Purpose) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let (full_sync, cache_kib) = match purpose {
        Purpose::Write { full_sync } => (full_sync, 8 * 1024),
        Purpose::Read { cache_kib } => (true, cache_kib),
        Purpose::Copy => (true, 1024),
    };
    // Page size and vacuum mode count only before the first table of a new file; later they are without effect. A commit
    // writes whole pages, most of them of indexes: 4 KiB cost a quarter less CPU per message than 8 KiB, and half the bytes.
    connection.execute_batch("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL;")?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(mode, "the database file does not take the write-ahead log");
    }
    connection.execute_batch(&format!(
        "PRAGMA synchronous = {}; PRAGMA foreign_keys = ON; PRAGMA cache_size = -{cache_kib}; PRAGMA secure_delete = FAST; \
         PRAGMA journal_size_limit = 67108864; PRAGMA wal_autocheckpoint = 8000; PRAGMA temp_store = MEMORY; PRAGMA query_only = {};",
        if full_sync { "FULL" } else { "NORMAL" },
        if matches!(purpose, Purpose::Read { .. }) { "ON" } else { "OFF" },
    ))
}

/// A connection with its prepared statements, which are found by the address of their text.
pub(crate) struct SqliteSession<'c> {
    connection: &'c Connection,
    statements: HashMap<(usize, usize), Statement<'c>>,
    begin: &'static str,
    names: Arc<UniqueNames>,
}

impl<'c> SqliteSession<'c> {
    pub fn new(connection: &'c Connection, writes: bool, names: Arc<UniqueNames>) -> Self {
        let begin = if writes { "BEGIN IMMEDIATE" } else { "BEGIN DEFERRED" };
        Self { connection, statements: HashMap::new(), begin, names }
    }
    pub fn begin(&mut self) -> Result<(), Fail> {
        self.exec(self.begin, &[]).map(drop)
    }
    pub fn commit(&mut self) -> Result<(), Fail> {
        self.exec("COMMIT", &[]).map(drop)
    }
    pub fn rollback(&mut self) {
        // A full disk and some other errors have already rolled back by themselves.
        if !self.connection.is_autocommit()
            && let Err(fail) = self.exec("ROLLBACK", &[])
        {
            tracing::error!(error = %fail.error, "a transaction could not be rolled back");
        }
    }
    pub fn batch(&mut self, sql: &str) -> Result<(), Fail> {
        self.connection.execute_batch(sql).map_err(|error| fail(&error, &self.names))
    }
    pub fn check(&mut self, sql: &'static str) -> Result<(), Fail> {
        self.connection.prepare(&dialect::for_sqlite(sql)).map(drop).map_err(|error| fail(&error, &self.names))
    }
    pub fn exec(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, Fail> {
        let mut changed = 0;
        self.bound(sql, values, |statement| {
            if statement.column_count() == 0 {
                changed = statement.raw_execute()? as u64;
            } else {
                let mut rows = statement.raw_query();
                while rows.next()?.is_some() {
                    changed += 1;
                }
            }
            Ok(())
        })?;
        Ok(changed)
    }
    pub fn rows(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Fail> {
        self.read(sql, values, usize::MAX)
    }
    pub fn one(&mut self, sql: &'static str, values: &[Value]) -> Result<Option<Row>, Fail> {
        Ok(self.read(sql, values, 1)?.pop())
    }

    fn read(&mut self, sql: &'static str, values: &[Value], limit: usize) -> Result<Vec<Row>, Fail> {
        let mut found = Vec::new();
        self.bound(sql, values, |statement| {
            let columns = statement.column_count();
            let mut rows = statement.raw_query();
            while found.len() < limit
                && let Some(row) = rows.next()?
            {
                found.push(Row::new((0..columns).map(|at| row.get_ref(at).map(owned)).collect::<Result<_, _>>()?));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// Finds or prepares the statement, binds the values, runs `run`.
    fn bound(
        &mut self,
        sql: &'static str,
        values: &[Value],
        run: impl FnOnce(&mut Statement<'c>) -> rusqlite::Result<()>,
    ) -> Result<(), Fail> {
        let key = (sql.as_ptr() as usize, sql.len());
        if self.statements.len() >= STATEMENT_COUNT_MAX && !self.statements.contains_key(&key) {
            self.statements.clear();
        }
        let statement = match self.statements.entry(key) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                let prepared = self.connection.prepare(&dialect::for_sqlite(sql)).map_err(|error| fail(&error, &self.names))?;
                place.insert(prepared)
            }
        };
        // SQLite takes a missing value for NULL in silence.
        if statement.parameter_count() != values.len() {
            let wanted = statement.parameter_count();
            return Err(Fail::broken(format!("the statement takes {wanted} values, {} were given", values.len())));
        }
        let bind = |statement: &mut Statement<'c>| {
            for (at, value) in values.iter().enumerate() {
                match value {
                    Value::Null => statement.raw_bind_parameter(at + 1, rusqlite::types::Null)?,
                    Value::Int(v) => statement.raw_bind_parameter(at + 1, v)?,
                    Value::Float(v) => statement.raw_bind_parameter(at + 1, v)?,
                    Value::Bool(v) => statement.raw_bind_parameter(at + 1, v)?,
                    Value::Text(v) => statement.raw_bind_parameter(at + 1, v)?,
                    Value::Bytes(v) => statement.raw_bind_parameter(at + 1, v)?,
                }
            }
            run(statement)
        };
        bind(statement).map_err(|error| fail(&error, &self.names))
    }
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::Int(v),
        ValueRef::Real(v) => Value::Float(v),
        ValueRef::Text(v) => Value::Text(String::from_utf8_lossy(v).into_owned()),
        ValueRef::Blob(v) => Value::Bytes(v.to_vec()),
    }
}

/// The error as the store knows it.
pub(crate) fn fail(error: &rusqlite::Error, names: &UniqueNames) -> Fail {
    use rusqlite::ffi;
    let (code, text) = match error {
        rusqlite::Error::SqliteFailure(code, text) => (code, text.as_deref().unwrap_or_default()),
        other => return Fail::broken(other.to_string()),
    };
    match (code.code, code.extended_code) {
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Fail::again(),
        (ErrorCode::ConstraintViolation, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => {
            Fail { error: StoreError::Conflict(names.name_of(text)), cause: Cause::Final }
        }
        (ErrorCode::ConstraintViolation, ffi::SQLITE_CONSTRAINT_ROWID) => {
            Fail { error: StoreError::Conflict(names.name_of(text)), cause: Cause::Final }
        }
        (ErrorCode::ConstraintViolation, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => {
            Fail { error: StoreError::Conflict("foreign key".to_owned()), cause: Cause::Final }
        }
        _ => Fail::broken(explain(error).unwrap_or_else(|| error.to_string())),
    }
}

/// A sentence for the administrator about trouble with the file, the disk or the rights.
fn explain(error: &rusqlite::Error) -> Option<String> {
    let text = match error.sqlite_error_code()? {
        ErrorCode::DiskFull => "the disk is full; free some space, nothing that was acknowledged is lost",
        ErrorCode::ReadOnly => "the file or its folder may not be written; give this program's account the right to write there",
        ErrorCode::CannotOpen => "the file cannot be opened or made; look at the folder's path and rights",
        ErrorCode::PermissionDenied => "this program's account may not use the file; look at its rights",
        ErrorCode::NotADatabase => "the file is not a SQLite database",
        ErrorCode::DatabaseCorrupt => "the file is damaged; restore the last backup",
        ErrorCode::SystemIoFailure => "the disk or file system gave an error while reading or writing",
        _ => return None,
    };
    Some(format!("{text} ({error})"))
}

/// Writes a copy as it is at this moment. `VACUUM INTO` reads one snapshot, so it neither stops the writer nor starts over
/// when somebody writes; free pages, which may hold erased text, are left out.
pub(crate) fn copy(connection: &Connection, target: &Path) -> Result<(), StoreError> {
    let broken = |error: &dyn std::fmt::Display| StoreError::Broken(format!("the copy {} failed: {error}", target.display()));
    let name = target.to_str().ok_or_else(|| broken(&"its name is not UTF-8"))?;
    let mut partial = target.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    let _ = std::fs::remove_file(partial);
    let result = connection
        .execute("VACUUM INTO ?1", [format!("{name}.partial")])
        .map_err(|error| broken(&explain(&error).unwrap_or_else(|| error.to_string())))
        .and_then(|_| std::fs::File::open(partial).and_then(|file| file.sync_all()).map_err(|error| broken(&error)))
        .and_then(|()| make_private(partial).map_err(|error| broken(&error)))
        .and_then(|()| std::fs::rename(partial, target).map_err(|error| broken(&error)));
    if result.is_err() {
        let _ = std::fs::remove_file(partial);
    }
    result
}

#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
}
#[cfg(not(unix))]
fn make_private(_: &Path) -> std::io::Result<()> {
    Ok(())
}
