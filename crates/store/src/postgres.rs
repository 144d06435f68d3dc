//! PostgreSQL: how a connection is opened (always on a worker thread of our own, never on a tokio thread, because the driver
//! runs a runtime of its own), statements on it, and reconnecting.

use crate::error::StoreError;
use crate::row::Row;
use crate::session::{Cause, Fail};
use crate::value::Value;
use bytes::BytesMut;
use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A database that is away is asked again after this long, doubled up to the most.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MOST: Duration = Duration::from_secs(5);
const STATEMENT_COUNT_MAX: usize = 1_024;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Write,
    Read,
    /// Migrations: no limit on how long a statement takes.
    Migrate,
}

impl Role {
    /// A long transaction anywhere keeps vacuum from the job table, hence the limits.
    fn settings(self) -> &'static str {
        match self {
            Self::Write => {
                "SET jit = off; SET statement_timeout = '10s'; SET lock_timeout = '3s'; \
                 SET idle_in_transaction_session_timeout = '15s'; SET default_transaction_isolation = 'read committed'"
            }
            Self::Read => {
                "SET jit = off; SET statement_timeout = '30s'; SET lock_timeout = '3s'; \
                 SET idle_in_transaction_session_timeout = '15s'; SET default_transaction_isolation = 'repeatable read'; \
                 SET default_transaction_read_only = on"
            }
            Self::Migrate => "SET jit = off; SET lock_timeout = '30s'",
        }
    }
}

/// Where the server is and how to speak to it.
#[derive(Clone)]
pub(crate) struct Server {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl Server {
    /// Reads the URL. Plain text only on loopback and Unix sockets, everything else by TLS with a checked certificate.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let mut config: Config =
            url.parse().map_err(|error| StoreError::Broken(format!("the PostgreSQL URL cannot be read: {error}")))?;
        config.application_name("continuo").connect_timeout(Duration::from_secs(5));
        config.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(30));
        if is_local(&config) {
            return Ok(Self { config, tls: None });
        }
        if config.get_ssl_mode() == SslMode::Disable {
            return Err(StoreError::broken(
                "PostgreSQL on another computer is used over TLS only; take sslmode=disable out of the URL",
            ));
        }
        config.ssl_mode(SslMode::Require);
        Ok(Self { config, tls: Some(tls()?) })
    }

    fn connect(&self, role: Role) -> Result<Client, postgres::Error> {
        let mut client = match &self.tls {
            Some(tls) => self.config.connect(tls.clone())?,
            None => self.config.connect(NoTls)?,
        };
        client.batch_execute(role.settings())?;
        Ok(client)
    }

    /// Connects and looks at the server; the text says what to change.
    pub fn check(&self) -> Result<(), StoreError> {
        let mut client = self
            .connect(Role::Migrate)
            .map_err(|error| StoreError::Broken(format!("cannot reach PostgreSQL: {}", describe(&error))))?;
        let row = client
            .query_one(
                "SELECT current_setting('server_version_num')::int4, pg_encoding_to_char(encoding), datcollate \
                 FROM pg_database WHERE datname = current_database()",
                &[],
            )
            .map_err(|error| StoreError::Broken(describe(&error)))?;
        let (version, encoding, collate): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
        if version < 130_000 {
            return Err(StoreError::Broken(format!("PostgreSQL 13 or newer is needed, the server says {version}")));
        }
        if encoding != "UTF8" {
            return Err(StoreError::Broken(format!("the database must be made with ENCODING 'UTF8', it has {encoding}")));
        }
        if !matches!(collate.as_str(), "C" | "POSIX" | "C.UTF-8" | "C.utf8") {
            tracing::warn!(collate, "the database should be made with LC_COLLATE 'C': lists of names sort differently now");
        }
        Ok(())
    }
}

fn is_local(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }) && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback)
}

fn tls() -> Result<MakeRustlsConnect, StoreError> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(StoreError::broken(
            "no root certificates were found for TLS to PostgreSQL; install ca-certificates or set SSL_CERT_FILE",
        ));
    }
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Broken(format!("TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// A connection that opens itself again when it was lost.
pub(crate) struct PgSession {
    server: Server,
    role: Role,
    client: Option<Client>,
    statements: HashMap<(usize, usize), Statement>,
    in_transaction: bool,
    retry_at: Option<Instant>,
    retry_after: Duration,
}

impl PgSession {
    pub fn new(server: Server, role: Role) -> Self {
        Self {
            server,
            role,
            client: None,
            statements: HashMap::new(),
            in_transaction: false,
            retry_at: None,
            retry_after: RETRY_FIRST,
        }
    }

    pub fn begin(&mut self) -> Result<(), Fail> {
        let was_open = self.client.is_some();
        let begun = match self.batch("BEGIN") {
            // The connection broke while nobody used it, or the server was started anew: nothing is lost yet.
            Err(Fail { cause: Cause::Gone, .. }) if was_open => self.batch("BEGIN"),
            other => other,
        };
        begun?;
        self.in_transaction = true;
        Ok(())
    }
    pub fn commit(&mut self) -> Result<(), Fail> {
        let answer = self.batch("COMMIT");
        self.in_transaction = false;
        answer
    }
    pub fn rollback(&mut self) {
        self.in_transaction = false;
        if self.client.is_some() && self.batch("ROLLBACK").is_err() {
            self.forget();
        }
    }
    pub fn batch(&mut self, sql: &str) -> Result<(), Fail> {
        let answer = self.client()?.batch_execute(sql);
        answer.map_err(|error| self.failed(&error))
    }
    pub fn check(&mut self, sql: &'static str) -> Result<(), Fail> {
        let answer = self.client()?.prepare(sql).map(drop);
        answer.map_err(|error| self.failed(&error))
    }
    pub fn exec(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, Fail> {
        self.run(sql, values, |client, statement, values| client.execute(statement, values))
    }
    pub fn rows(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, Fail> {
        self.run(sql, values, |client, statement, values| client.query(statement, values))?.iter().map(owned).collect()
    }
    pub fn one(&mut self, sql: &'static str, values: &[Value]) -> Result<Option<Row>, Fail> {
        self.run(sql, values, |client, statement, values| client.query(statement, values))?.first().map(owned).transpose()
    }

    fn run<T>(
        &mut self,
        sql: &'static str,
        values: &[Value],
        run: impl FnOnce(&mut Client, &Statement, &[&(dyn ToSql + Sync)]) -> Result<T, postgres::Error>,
    ) -> Result<T, Fail> {
        let key = (sql.as_ptr() as usize, sql.len());
        if !self.statements.contains_key(&key) {
            let prepared = self.client()?.prepare(sql);
            let prepared = prepared.map_err(|error| self.failed(&error))?;
            if self.statements.len() >= STATEMENT_COUNT_MAX {
                self.statements.clear();
            }
            self.statements.insert(key, prepared);
        }
        let (Some(client), Some(statement)) = (self.client.as_mut(), self.statements.get(&key)) else {
            return Err(Fail::gone());
        };
        if statement.params().len() != values.len() {
            let wanted = statement.params().len();
            return Err(Fail::broken(format!("the statement takes {wanted} values, {} were given", values.len())));
        }
        let bound: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let answer = run(client, statement, &bound);
        answer.map_err(|error| self.failed(&error))
    }

    /// The open client. A lost one is replaced, but never inside a transaction: the rest of it would run on its own.
    #[expect(clippy::disallowed_methods, reason = "backing off from a server that is away is about real time")]
    fn client(&mut self) -> Result<&mut Client, Fail> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.forget();
            if self.in_transaction || self.retry_at.is_some_and(|at| Instant::now() < at) {
                return Err(Fail::gone());
            }
            match self.server.connect(self.role) {
                Ok(client) => {
                    self.client = Some(client);
                    self.retry_at = None;
                    self.retry_after = RETRY_FIRST;
                }
                Err(error) => {
                    tracing::warn!(error = %describe(&error), retry_after_ms = self.retry_after.as_millis() as u64, "PostgreSQL cannot be reached");
                    self.retry_at = Some(Instant::now() + self.retry_after);
                    self.retry_after = (self.retry_after * 2).min(RETRY_MOST);
                }
            }
        }
        self.client.as_mut().ok_or_else(Fail::gone)
    }

    fn forget(&mut self) {
        self.client = None;
        self.statements.clear();
    }

    fn failed(&mut self, error: &postgres::Error) -> Fail {
        let fail = fail(error);
        if fail.cause == Cause::Gone || self.client.as_ref().is_none_or(Client::is_closed) {
            self.forget();
            return Fail::gone();
        }
        fail
    }
}

/// The error as the store knows it.
fn fail(error: &postgres::Error) -> Fail {
    let Some(db) = error.as_db_error() else {
        // Without an answer from the server: a closed connection, or a value that does not fit its column.
        let ours = error.is_closed() || std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>());
        return if ours { Fail::gone() } else { Fail::broken(describe(error)) };
    };
    let code = db.code();
    let conflict = || {
        let name = db.constraint().or(db.table()).unwrap_or("constraint").to_owned();
        Fail { error: StoreError::Conflict(name), cause: Cause::Final }
    };
    match code {
        c if *c == SqlState::UNIQUE_VIOLATION || *c == SqlState::FOREIGN_KEY_VIOLATION => conflict(),
        c if *c == SqlState::T_R_SERIALIZATION_FAILURE
            || *c == SqlState::T_R_DEADLOCK_DETECTED
            || *c == SqlState::LOCK_NOT_AVAILABLE =>
        {
            Fail::again()
        }
        // A statement that was prepared before somebody migrated, or that a pooler has thrown away.
        c if *c == SqlState::INVALID_SQL_STATEMENT_NAME => Fail::gone(),
        c if *c == SqlState::FEATURE_NOT_SUPPORTED && db.message().contains("cached plan") => Fail::gone(),
        c if *c == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Fail::gone(),
        c if c.code().starts_with("08") || c.code().starts_with("57P") => Fail::gone(),
        c if *c == SqlState::DISK_FULL => {
            Fail::broken("the disk of the PostgreSQL server is full; free some space, nothing that was acknowledged is lost")
        }
        _ => Fail::broken(describe(error)),
    }
}

/// The server's words without the values of the row (those stand in `detail`).
fn describe(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("PostgreSQL {}: {}", db.code().code(), db.message()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

fn owned(row: &postgres::Row) -> Result<Row, Fail> {
    let value = |at: usize, kind: &Type| -> Result<Value, postgres::Error> {
        Ok(match *kind {
            Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map_or(Value::Null, Value::Int),
            Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map_or(Value::Null, |v| Value::Int(v.into())),
            Type::INT2 => row.try_get::<_, Option<i16>>(at)?.map_or(Value::Null, |v| Value::Int(v.into())),
            Type::FLOAT8 => row.try_get::<_, Option<f64>>(at)?.map_or(Value::Null, Value::Float),
            Type::FLOAT4 => row.try_get::<_, Option<f32>>(at)?.map_or(Value::Null, |v| Value::Float(v.into())),
            Type::BOOL => row.try_get::<_, Option<bool>>(at)?.map_or(Value::Null, Value::Bool),
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map_or(Value::Null, Value::Bytes),
            _ => row.try_get::<_, Option<String>>(at)?.map_or(Value::Null, Value::Text),
        })
    };
    let mut values = Vec::with_capacity(row.len());
    for (at, column) in row.columns().iter().enumerate() {
        let read = value(at, column.type_());
        values
            .push(read.map_err(|_| Fail::broken(format!("column {at} has the type {}; CAST it in the query", column.type_())))?);
    }
    Ok(Row::new(values))
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, kind) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(v), &Type::INT8) => v.to_sql(kind, out),
            (Self::Int(v), &Type::INT4) => i32::try_from(*v)?.to_sql(kind, out),
            (Self::Int(v), &Type::INT2) => i16::try_from(*v)?.to_sql(kind, out),
            (Self::Float(v), &Type::FLOAT8) => v.to_sql(kind, out),
            (Self::Bool(v), &Type::BOOL) => v.to_sql(kind, out),
            (Self::Text(v), &Type::TEXT | &Type::VARCHAR | &Type::NAME | &Type::BPCHAR | &Type::UNKNOWN) => v.to_sql(kind, out),
            (Self::Bytes(v), &Type::BYTEA) => v.to_sql(kind, out),
            (value, kind) => Err(format!("{} was given where {kind} is wanted", value.kind()).into()),
        }
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_sockets_are_spoken_to_in_plain_text() {
        for near in [
            "postgres://a@127.0.0.1/x",
            "postgres://a@localhost:5433/x",
            "postgres://a@[::1]/x",
            "postgres://a@/x?host=/run/postgresql",
        ] {
            assert!(Server::parse(near).unwrap_or_else(|error| panic!("{near}: {error}")).tls.is_none(), "{near}");
        }
        for far in ["postgres://a@10.0.0.5/x", "postgres://a@db.example.com/x", "postgres://a@localhost,db.example.com/x"] {
            match Server::parse(far) {
                Ok(server) => assert!(server.tls.is_some() && server.config.get_ssl_mode() == SslMode::Require, "{far}"),
                // A machine without any root certificate: refused rather than open.
                Err(error) => assert!(error.to_string().contains("root certificates"), "{far}: {error}"),
            }
        }
    }
}
