//! One open connection of either engine, owned by one worker thread.

use crate::conn::Engine;
use crate::error::StoreError;
use crate::postgres::PgSession;
use crate::row::Row;
use crate::sqlite::SqliteSession;
use crate::value::Value;

/// What the worker may do about a failed statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The same would happen again.
    Final,
    /// Another transaction was in the way: roll back and run again.
    Again,
    /// The connection is gone: reconnect, then run again.
    Gone,
}

/// A failed statement: what the closure is told, and what the worker does.
#[derive(Debug, Clone)]
pub(crate) struct Fail {
    pub error: StoreError,
    pub cause: Cause,
}

impl Fail {
    pub fn broken(text: impl Into<String>) -> Self {
        Self { error: StoreError::Broken(text.into()), cause: Cause::Final }
    }
    pub fn again() -> Self {
        Self { error: StoreError::Busy, cause: Cause::Again }
    }
    pub fn gone() -> Self {
        Self { error: StoreError::Busy, cause: Cause::Gone }
    }
}

/// One connection. `'c` is the life of the SQLite connection, whose prepared statements borrow it.
pub(crate) enum Session<'c> {
    Sqlite(SqliteSession<'c>),
    Postgres(Box<PgSession>),
}

macro_rules! each {
    ($self:ident, $session:ident => $do:expr) => {
        match $self {
            Self::Sqlite($session) => $do,
            Self::Postgres($session) => $do,
        }
    };
}

impl Session<'_> {
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }
    /// Opens a transaction; a lost connection is opened again first.
    pub fn begin(&mut self) -> Result<(), Fail> {
        each!(self, s => s.begin())
    }
    pub fn commit(&mut self) -> Result<(), Fail> {
        each!(self, s => s.commit())
    }
    /// Ends the transaction without a trace. Whatever goes wrong here ends the connection, and the transaction with it.
    pub fn rollback(&mut self) {
        each!(self, s => s.rollback())
    }
    pub fn exec(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, Fail> {
        crate::tape::note(sql, values);
        each!(self, s => s.exec(sql, values))
    }
    pub fn rows(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Fail> {
        crate::tape::note(sql, values);
        each!(self, s => s.rows(sql, values))
    }
    pub fn one(&mut self, sql: &'static str, values: &[Value]) -> Result<Option<Row>, Fail> {
        crate::tape::note(sql, values);
        each!(self, s => s.one(sql, values))
    }
    /// Runs several statements without values: migrations and the marks of a transaction.
    pub fn batch(&mut self, sql: &str) -> Result<(), Fail> {
        each!(self, s => s.batch(sql))
    }
    /// Prepares a statement without running it.
    pub fn check(&mut self, sql: &'static str) -> Result<(), Fail> {
        each!(self, s => s.check(sql))
    }
}
