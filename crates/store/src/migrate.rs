//! Migrations: one numbered sequence for both engines. A file is text with two tokens (`@ID`, `@REF`) and line filters
//! (`-- only: sqlite`, `-- only: postgres`); each runs in one transaction under the lease `migrate`. An applied file never
//! changes again: its checksum is kept, and a difference is refused.

use crate::conn::Engine;
use crate::error::StoreError;
use crate::lease;
use crate::session::{Fail, Session};
use crate::shared::Shared;
use crate::values;
use model::Timestamp;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A numbered file.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The file's name without `.sql`: four digits, an underscore, words.
    pub name: &'static str,
    /// The text as it stands in the file.
    pub text: &'static str,
}

macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        &[$(Migration { name: $name, text: include_str!(concat!("../migrations/", $name, ".sql")) }),+]
    };
}

/// All migrations in order. A new file is added at the end and never changed after it was released.
pub const MIGRATIONS: &[Migration] =
    migrations!["0001_spine", "0002_search", "0003_mail", "0004_identity", "0005_handoff", "0006_people"];

impl Migration {
    /// The number at the start of the name.
    pub fn number(&self) -> i64 {
        self.name.split('_').next().and_then(|digits| digits.parse().ok()).expect("a migration's name begins with its number")
    }
    /// SHA-256 of the text, whatever the line ends.
    pub fn checksum(&self) -> String {
        Sha256::digest(self.text.replace("\r\n", "\n")).iter().map(|byte| format!("{byte:02x}")).collect()
    }
    /// The SQL for one engine.
    pub fn sql(&self, engine: Engine) -> Result<String, StoreError> {
        render(self.text, engine).map_err(|error| StoreError::Broken(format!("migration {}: {error}", self.name)))
    }
}

/// Replaces the tokens and drops the other engine's lines.
fn render(text: &str, engine: Engine) -> Result<String, String> {
    let id = match engine {
        Engine::Sqlite => "workspace_id BIGINT NOT NULL, id INTEGER PRIMARY KEY",
        Engine::Postgres => "workspace_id BIGINT NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (workspace_id, id)",
    };
    let other = match engine {
        Engine::Sqlite => "-- only: postgres",
        Engine::Postgres => "-- only: sqlite",
    };
    let mut out = String::with_capacity(text.len() * 2);
    for line in text.lines().filter(|line| !line.trim_end().ends_with(other)) {
        let mut line = line.replace("@ID", id);
        while let Some(start) = line.find("@REF(") {
            let length = line[start..].find(')').ok_or("@REF( without its end")?;
            let inside = &line[start + "@REF(".len()..start + length];
            let (table, column) = inside.split_once(", ").ok_or("@REF takes a table and a column")?;
            let reference = match engine {
                Engine::Sqlite => format!("REFERENCES {table}(id)"),
                Engine::Postgres => format!(", FOREIGN KEY (workspace_id, {column}) REFERENCES {table}(workspace_id, id)"),
            };
            line.replace_range(start..=start + length, &reference);
        }
        out.push_str(&line);
        out.push('\n');
    }
    Ok(out)
}

const CONTROL: &str = "CREATE TABLE IF NOT EXISTS lease \
       (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, until BIGINT NOT NULL, token BIGINT NOT NULL); \
     CREATE TABLE IF NOT EXISTS schema_migration \
       (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL);";
const APPLIED: &str = "SELECT number, name, checksum FROM schema_migration ORDER BY number";
const RECORD: &str = "INSERT INTO schema_migration(number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";
const LEASE: &str = "migrate";
const LEASE_MS: i64 = 120_000;
static STARTS: AtomicU32 = AtomicU32::new(0);
/// How often another node's migration is waited for, half a second each.
const WAIT_COUNT_MAX: u32 = 360;

/// Where copies of the file go before a migration; `None` on PostgreSQL, whose operator has tools for that.
pub(crate) type BackUp<'b> = Option<&'b dyn Fn(&Migration, Timestamp) -> Result<(), StoreError>>;

/// Brings the database to the newest schema. Another node that does the same is waited for.
pub(crate) fn migrate(
    shared: &Shared,
    session: &mut Session<'_>,
    all: &[Migration],
    back_up: BackUp<'_>,
) -> Result<(), StoreError> {
    make_control_tables(session)?;
    let open = open_migrations(shared, session, all)?;
    if open.is_empty() {
        return Ok(());
    }
    // A file that is still empty needs no copy.
    let back_up = back_up.filter(|_| open.len() < all.len());
    // Nodes on several computers may have the same process number, stores within one process the same node name (in tests).
    let holder = format!("{}-{}-{}", shared.node.holder(), std::process::id(), STARTS.fetch_add(1, Ordering::Relaxed));
    if session.engine() == Engine::Sqlite {
        // The lock file proves that nobody else lives, whatever a lease of a crashed process says.
        shared.alone(session, lease::clear)?;
    }
    let mut waited = 0;
    while shared.alone(session, |tx| lease::take(tx, LEASE, &holder, shared.clock.now(), LEASE_MS))?.is_none() {
        waited += 1;
        if waited > WAIT_COUNT_MAX {
            return Err(StoreError::broken(
                "another process has been migrating this database for minutes; look at it, then start again",
            ));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    let result = open_migrations(shared, session, all)
        .and_then(|open| open.iter().try_for_each(|migration| apply(shared, session, migration, back_up)));
    shared.alone(session, |tx| lease::release(tx, LEASE, &holder))?;
    result
}

/// Refuses a database whose schema is not exactly what this program knows: for those who may not migrate.
pub(crate) fn check(shared: &Shared, session: &mut Session<'_>, all: &[Migration]) -> Result<(), StoreError> {
    if session.check(APPLIED).is_err() {
        return Err(StoreError::broken("the database holds no tables of Continuo yet; start the server first"));
    }
    let open = open_migrations(shared, session, all)?;
    match open.first() {
        None => Ok(()),
        Some(first) => Err(StoreError::Broken(format!(
            "the database lacks {} and later changes of its tables; run `continuo migrate` or start the server first",
            first.name
        ))),
    }
}

/// Two nodes that start on an empty PostgreSQL at once may both make the tables; one of them hears of a broken unique key in
/// the catalogue, or of a type that is there already, depending on the moment, and looks again.
fn make_control_tables(session: &mut Session<'_>) -> Result<(), StoreError> {
    let mut last = Ok(());
    for _ in 0..5 {
        last = session.batch(CONTROL).map_err(|fail| fail.error);
        if last.is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    last
}

/// What is not yet applied, after looking that what is applied is what we know.
fn open_migrations(shared: &Shared, session: &mut Session<'_>, all: &[Migration]) -> Result<Vec<Migration>, StoreError> {
    let applied = shared.alone(session, |tx| tx.rows(APPLIED, &[]))?;
    for row in &applied {
        let (number, name, checksum) = (row.int(0), row.str(1), row.str(2));
        let Some(known) = all.iter().find(|migration| migration.number() == number) else {
            return Err(StoreError::Broken(format!(
                "this database was changed by a newer version of Continuo (it has {name}, this program knows up to {}). \
                 Start that version, or restore the backup that was made before.",
                all.last().map_or("nothing", |last| last.name)
            )));
        };
        if known.checksum() != checksum {
            return Err(StoreError::Broken(format!(
                "migration {name} is not the one that was applied to this database; the program and the database do not belong together"
            )));
        }
    }
    let is_open = |migration: &&Migration| applied.iter().all(|row| row.int(0) != migration.number());
    Ok(all.iter().filter(is_open).copied().collect())
}

fn apply(shared: &Shared, session: &mut Session<'_>, migration: &Migration, back_up: BackUp<'_>) -> Result<(), StoreError> {
    let now = shared.clock.now();
    if let Some(back_up) = back_up {
        back_up(migration, now)?;
    }
    let sql = migration.sql(session.engine())?;
    let sqlite = session.engine() == Engine::Sqlite;
    if sqlite {
        // A table that is copied and renamed would take its references along; checked below instead.
        session.batch("PRAGMA foreign_keys = OFF")?;
    }
    let result = in_transaction(shared, session, migration, &sql);
    if sqlite {
        session.batch("PRAGMA foreign_keys = ON")?;
    }
    result.map_err(|error| StoreError::Broken(format!("migration {} failed: {error}", migration.name)))?;
    tracing::info!(migration = migration.name, "the database was migrated");
    Ok(())
}

fn in_transaction(shared: &Shared, session: &mut Session<'_>, migration: &Migration, sql: &str) -> Result<(), StoreError> {
    session.begin()?;
    let now = shared.clock.now();
    // The record comes first: a second node waits here until we are done, and then fails.
    let done = session
        .exec(RECORD, values![migration.number(), migration.name, migration.checksum(), now])
        .and_then(|_| session.batch(sql))
        .map_err(StoreError::from)
        .and_then(|()| check_references(session))
        .and_then(|()| session.commit().map_err(StoreError::from));
    if done.is_err() {
        session.rollback();
    }
    done
}

fn check_references(session: &mut Session<'_>) -> Result<(), StoreError> {
    if session.engine() == Engine::Postgres {
        return Ok(());
    }
    match session.one("PRAGMA foreign_key_check", &[])? {
        None => Ok(()),
        Some(row) => Err(StoreError::Broken(format!("rows of {} refer to rows that are not there", row.text(0)))),
    }
}

/// The newest `keep` copies stay.
pub(crate) fn prune(folder: &Path, keep: usize) -> std::io::Result<()> {
    let mut copies: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("before-")))
        .collect();
    copies.sort();
    let over = copies.len().saturating_sub(keep);
    copies.iter().take(over).try_for_each(std::fs::remove_file)
}

/// For `Fail` in places that speak `StoreError`.
impl From<Fail> for StoreError {
    fn from(fail: Fail) -> Self {
        fail.error
    }
}
