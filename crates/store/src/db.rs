//! The database: opens it, runs closures on its worker threads, closes it.

use crate::Engine;
use crate::conn::{Committed, Conn, Route};
use crate::dialect::UniqueNames;
use crate::error::StoreError;
use crate::fault::{FaultPlan, Faults};
use crate::lockfile::{self, LockFile};
use crate::migrate::{self, MIGRATIONS, Migration};
use crate::node::NodeIds;
use crate::postgres::{PgSession, Role, Server};
use crate::queue::{Check, Queue, task_of};
use crate::session::Session;
use crate::shared::Shared;
use crate::sqlite::{self, Purpose, SqliteSession};
use crate::worker::{Reader, Writer};
use model::{Clock, IdSource, Random, Timestamp};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

const GROUP_COUNT_SQLITE: usize = 256;
const GROUP_COUNT_POSTGRES: usize = 32;
const READ_CACHE_KIB: i64 = 8 * 1024;
const BACKUP_COUNT_MAX: usize = 3;

/// What may be opened how.
#[derive(Debug, Clone)]
pub struct DbSettings {
    /// `sqlite:PATH` or `postgres://..`.
    pub url: String,
    /// Writer threads on PostgreSQL; SQLite has one.
    pub writer_count: usize,
    /// Reader threads.
    pub reader_count: usize,
    /// False: `synchronous = NORMAL` on SQLite. A power cut may then lose the last commits, never damage the file.
    pub full_sync: bool,
    /// In tests: each write closure runs, is rolled back and runs again.
    pub test_run_twice: bool,
}

impl DbSettings {
    /// The usual settings for a URL.
    pub fn new(url: impl Into<String>) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let url = url.into();
        let reader_count = if url.starts_with("sqlite:") { cores.clamp(2, 8) } else { 8 };
        Self { url, writer_count: 8, reader_count, full_sync: true, test_run_twice: false }
    }
}

/// How this process uses the database.
#[derive(Clone)]
pub enum Access {
    /// Serves it: takes the lock of a SQLite file, migrates, leases a node number, writes.
    Serve {
        /// For the name of this process in leases.
        random: Arc<dyn Random>,
        /// Where other nodes reach this one.
        address: Option<String>,
    },
    /// A test: the same, but ids come from node 0, which is never leased, so that they repeat.
    Test,
    /// Looks only, also beside a server: no lock, no migration, writes are refused.
    Look,
}

#[derive(Debug, Clone)]
enum Place {
    Sqlite(PathBuf),
    Postgres(String),
}

fn place(url: &str) -> Result<Place, StoreError> {
    const ACCEPTED: &str = "a database URL is either sqlite:PATH (such as sqlite:/var/lib/continuo/continuo.db) or postgres://ROLE:PASSWORD@HOST/DATABASE";
    if let Some(path) = url.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.starts_with(':') {
            return Err(StoreError::Broken(format!("{ACCEPTED}; this one names no file")));
        }
        return Ok(Place::Sqlite(path.into()));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Place::Postgres(url.to_owned()));
    }
    let scheme = url.split(':').next().unwrap_or_default();
    // The rest of an unknown URL may hold a password.
    Err(StoreError::Broken(format!("{ACCEPTED}; this one begins with {scheme:?}")))
}

/// The open database. Clones share it; the last one to go waits for the worker threads, which finish what was accepted.
#[derive(Clone)]
pub struct Db {
    open: Arc<Open>,
}

struct Open {
    shared: Arc<Shared>,
    engine: Engine,
    place: Place,
    writers: Vec<Arc<Queue>>,
    readers: Arc<Queue>,
    next_writer: AtomicUsize,
    threads: Mutex<Vec<JoinHandle<()>>>,
    keeper: Mutex<Option<JoinHandle<()>>>,
    // Given back last.
    lock: Mutex<Option<LockFile>>,
}

impl Db {
    /// Opens and migrates the database and starts the worker threads. Blocks: call it at start, not inside a request.
    pub fn open(settings: &DbSettings, clock: Arc<dyn Clock>, access: Access) -> Result<Self, StoreError> {
        Self::open_with(settings, clock, access, MIGRATIONS)
    }

    /// The same with migrations of one's own: for tests of migrating.
    pub fn open_with(
        settings: &DbSettings,
        clock: Arc<dyn Clock>,
        access: Access,
        migrations: &[Migration],
    ) -> Result<Self, StoreError> {
        let place = place(&settings.url)?;
        let node = match &access {
            Access::Serve { random, address } => NodeIds::leased(clock.clone(), random.clone(), address.clone()),
            Access::Test | Access::Look => NodeIds::fixed(clock.clone(), 0),
        };
        let shared = Arc::new(Shared {
            clock,
            node,
            faults: Faults::default(),
            run_twice: settings.test_run_twice,
            receiver: RwLock::new(None),
        });
        match &place {
            Place::Sqlite(path) => open_sqlite(settings, shared, path, &access, migrations),
            Place::Postgres(url) => open_postgres(settings, shared, url, &access, migrations),
        }
    }

    /// Which database is underneath.
    pub fn engine(&self) -> Engine {
        self.open.engine
    }
    /// The SQLite file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.open.place {
            Place::Sqlite(path) => Some(path),
            Place::Postgres(_) => None,
        }
    }
    /// The clock of this process.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.open.shared.clock
    }
    /// The present source of ids: for those that are needed outside of transactions.
    pub fn ids(&self) -> Arc<IdSource> {
        self.open.shared.node.ids()
    }
    /// The name of this process in leases.
    pub fn holder(&self) -> &str {
        self.open.shared.node.holder()
    }
    /// Who hears of commits. Called on the worker threads: hand on and return.
    pub fn on_commit(&self, receiver: impl Fn(Committed) + Send + Sync + 'static) {
        *self.open.shared.receiver.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(receiver));
    }
    /// Lets calls fail from now on, or stops that. Counting begins anew.
    pub fn set_fault(&self, plan: Option<FaultPlan>) {
        self.open.shared.faults.set(plan);
    }
    /// How many calls were made since the plan was set.
    pub fn fault_calls(&self) -> u64 {
        self.open.shared.faults.calls()
    }
    /// How many closures wait for a writer and for a reader.
    pub fn waiting(&self) -> (usize, usize) {
        (self.open.writers.iter().map(|queue| queue.len()).sum(), self.open.readers.len())
    }

    /// Runs a closure in a transaction that commits together with its neighbours. It may run twice: it touches nothing but
    /// `tx` and what it owns. A refusal is a value; `Err` rolls back.
    pub async fn write<T, E>(&self, route: Route, run: impl FnMut(&mut dyn Conn) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_by(route, run, false).await
    }

    /// The same for campaigns, imports and retention: only a few of these go into one group, so that nobody waits for them.
    pub async fn write_bulk<T, E>(
        &self,
        route: Route,
        run: impl FnMut(&mut dyn Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.write_by(route, run, true).await
    }

    async fn write_by<T, E>(
        &self,
        route: Route,
        run: impl FnMut(&mut dyn Conn) -> Result<T, E> + Send + 'static,
        bulk: bool,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let Some(queue) = self.open.writer_for(route) else {
            return Err(StoreError::broken("the database was opened for looking only").into());
        };
        let (task, answer) = task_of(run);
        queue.push(task, bulk)?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Busy.into()))
    }

    /// Runs a closure that only reads, in a transaction that sees one moment.
    pub async fn read<T, E>(&self, run: impl FnMut(&mut dyn Conn) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (task, answer) = task_of(run);
        self.open.readers.push(task, false)?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Busy.into()))
    }

    /// Looks whether the engine understands a statement, without running it: for the test that looks at every text.
    pub async fn check_statement(&self, sql: &'static str) -> Result<(), StoreError> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        self.open.readers.push(Box::new(Check { sql, kept: Ok(()), reply }), false)?;
        answer.await.unwrap_or(Err(StoreError::Busy))
    }

    /// Writes a copy of a SQLite database as it is at this moment; writers go on meanwhile. Blocks until it is done.
    pub fn backup_to(&self, target: &Path) -> Result<(), StoreError> {
        let Place::Sqlite(path) = &self.open.place else {
            return Err(StoreError::broken(
                "a PostgreSQL database is backed up by the tools of its server (pg_dump, base backups)",
            ));
        };
        if target.exists() {
            return Err(StoreError::Broken(format!("{} is already there; name a new file", target.display())));
        }
        let connection = sqlite::open(path, Purpose::Copy)?;
        sqlite::copy(&connection, target)
    }

    /// SQLite: moves everything from the write-ahead log into the file and empties the log, so that erased text is gone from
    /// both. PostgreSQL has nothing to do here. Blocks until readers have let go of old pages; `Busy` when they do not.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let Place::Sqlite(path) = &self.open.place else { return Ok(()) };
        let connection = sqlite::open(path, Purpose::Write { full_sync: true })?;
        let blocked = connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
            .map_err(|error| StoreError::Broken(format!("the checkpoint failed: {error}")))?;
        if blocked == 0 { Ok(()) } else { Err(StoreError::Busy) }
    }

    /// Takes no more closures, finishes those that were accepted, gives the node number and the lock back. Blocks.
    pub fn close(&self) {
        self.open.close();
    }
}

impl Open {
    fn writer_for(&self, route: Route) -> Option<&Arc<Queue>> {
        if self.writers.len() < 2 {
            return self.writers.first();
        }
        let number = match route {
            Route::Conversation(id) => id.0,
            Route::Contact(id) => id.0,
            Route::Lane(lane) => lane,
            Route::Any => self.next_writer.fetch_add(1, Ordering::Relaxed) as i64,
        };
        // Ids that follow each other differ in their low bits only; the product spreads them over the high ones.
        let spread = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        self.writers.get(spread as usize % self.writers.len())
    }

    /// The first writer keeps the node number and goes last, when nobody makes ids any more.
    fn close(&self) {
        self.readers.close();
        self.writers.iter().skip(1).for_each(|queue| queue.close());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        threads.into_iter().for_each(join);
        self.writers.iter().for_each(|queue| queue.close());
        if let Some(keeper) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() {
            join(keeper);
        }
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// A closure must not own a `Db`; should one do so all the same, its thread must not wait for itself.
fn join(thread: JoinHandle<()>) {
    if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
        tracing::error!("a store thread ended by a panic");
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name)
        .spawn(run)
        .map_err(|error| StoreError::Broken(format!("cannot start a thread: {error}")))
}

fn open_sqlite(
    settings: &DbSettings,
    shared: Arc<Shared>,
    path: &Path,
    access: &Access,
    migrations: &[Migration],
) -> Result<Db, StoreError> {
    let looks = matches!(access, Access::Look);
    if looks && !path.exists() {
        return Err(StoreError::Broken(format!("there is no database {}", path.display())));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .map_err(|error| StoreError::Broken(format!("the folder {} cannot be made: {error}", folder.display())))?;
    refuse_network(folder)?;
    let lock = if looks { None } else { Some(LockFile::take(&LockFile::path_for(path))?) };
    if !looks {
        make_private(path)?;
    }
    let purpose =
        if looks { Purpose::Read { cache_kib: READ_CACHE_KIB } } else { Purpose::Write { full_sync: settings.full_sync } };
    let connection = sqlite::open(path, purpose)?;
    let names = {
        let mut session = Session::Sqlite(SqliteSession::new(&connection, !looks, Arc::default()));
        if looks {
            migrate::check(&shared, &mut session, migrations)?;
        } else {
            let back_up = |migration: &Migration, now: Timestamp| back_up(&connection, folder, migration, now);
            migrate::migrate(&shared, &mut session, migrations, Some(&back_up))?;
            let taken = shared.alone(&mut session, |tx| {
                // The lock file proves that nobody else lives.
                crate::lease::clear(tx)?;
                // Files beside the main one have no jobs.
                if migrations.first().is_some_and(|first| MIGRATIONS.first().is_some_and(|own| own.name == first.name)) {
                    crate::job::free_all(tx)?;
                }
                shared.node.take(tx)
            })?;
            shared.node.adopt(taken);
        }
        let names = UniqueNames::load(&connection);
        Arc::new(names.map_err(|error| StoreError::Broken(format!("the schema cannot be read: {error}")))?)
    };

    let readers = Arc::new(Queue::default());
    let mut threads = Vec::new();
    let reader_count = settings.reader_count.max(1);
    for number in 0..reader_count {
        let cache_kib = (READ_CACHE_KIB / reader_count as i64).max(512);
        let connection = sqlite::open(path, Purpose::Read { cache_kib })?;
        let (shared, queue, names) = (shared.clone(), readers.clone(), names.clone());
        threads.push(spawn(format!("store-read-{number}"), move || {
            let session = Session::Sqlite(SqliteSession::new(&connection, false, names));
            Reader { shared: &shared, session }.run(&queue);
        })?);
    }
    let mut writers = Vec::new();
    let mut keeper = None;
    if !looks {
        let queue = Arc::new(Queue::default());
        writers.push(queue.clone());
        let shared = shared.clone();
        keeper = Some(spawn("store-write".to_owned(), move || {
            let session = Session::Sqlite(SqliteSession::new(&connection, true, names));
            Writer { shared: &shared, session, group_count_max: GROUP_COUNT_SQLITE, keeps_node: true }.run(&queue);
        })?);
    }
    Ok(Db {
        open: Arc::new(Open {
            shared,
            engine: Engine::Sqlite,
            place: Place::Sqlite(path.to_owned()),
            writers,
            readers,
            next_writer: AtomicUsize::new(0),
            threads: Mutex::new(threads),
            keeper: Mutex::new(keeper),
            lock: Mutex::new(lock),
        }),
    })
}

fn open_postgres(
    settings: &DbSettings,
    shared: Arc<Shared>,
    url: &str,
    access: &Access,
    migrations: &[Migration],
) -> Result<Db, StoreError> {
    let server = Server::parse(url)?;
    let looks = matches!(access, Access::Look);
    // The driver must not run on a thread of tokio's.
    std::thread::scope(|scope| {
        let start = scope.spawn(|| {
            server.check()?;
            let mut session = Session::Postgres(Box::new(PgSession::new(server.clone(), Role::Migrate)));
            if looks {
                return migrate::check(&shared, &mut session, migrations);
            }
            migrate::migrate(&shared, &mut session, migrations, None)?;
            let taken = shared.alone(&mut session, |tx| shared.node.take(tx))?;
            shared.node.adopt(taken);
            Ok(())
        });
        start.join().unwrap_or_else(|_| Err(StoreError::broken("opening PostgreSQL ended by a panic")))
    })?;

    let readers = Arc::new(Queue::default());
    let mut threads = Vec::new();
    for number in 0..settings.reader_count.max(1) {
        let (shared, queue, server) = (shared.clone(), readers.clone(), server.clone());
        threads.push(spawn(format!("store-read-{number}"), move || {
            let session = Session::Postgres(Box::new(PgSession::new(server, Role::Read)));
            Reader { shared: &shared, session }.run(&queue);
        })?);
    }
    let mut writers = Vec::new();
    let mut keeper = None;
    for number in 0..if looks { 0 } else { settings.writer_count.max(1) } {
        let queue = Arc::new(Queue::default());
        writers.push(queue.clone());
        let (shared, server) = (shared.clone(), server.clone());
        let thread = spawn(format!("store-write-{number}"), move || {
            let session = Session::Postgres(Box::new(PgSession::new(server, Role::Write)));
            let keeps_node = number == 0;
            Writer { shared: &shared, session, group_count_max: GROUP_COUNT_POSTGRES, keeps_node }.run(&queue);
        })?;
        if number == 0 {
            keeper = Some(thread);
        } else {
            threads.push(thread);
        }
    }
    Ok(Db {
        open: Arc::new(Open {
            shared,
            engine: Engine::Postgres,
            place: Place::Postgres(url.to_owned()),
            writers,
            readers,
            next_writer: AtomicUsize::new(0),
            threads: Mutex::new(threads),
            keeper: Mutex::new(keeper),
            lock: Mutex::new(None),
        }),
    })
}

/// Locks of a network file system do not hold what they promise; two servers on one file would destroy it.
fn refuse_network(folder: &Path) -> Result<(), StoreError> {
    let Ok(mounts) = std::fs::read_to_string("/proc/mounts") else { return Ok(()) };
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    match lockfile::network_file_system(&mounts, &folder) {
        None => Ok(()),
        Some(kind) => Err(StoreError::Broken(format!(
            "{} lies on a network file system ({kind}), where SQLite would lose data; use a local disk, or PostgreSQL",
            folder.display()
        ))),
    }
}

/// A new file is made so that only this account can read it: it holds what customers wrote.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(StoreError::Broken(format!("the database {} cannot be made: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// A copy of the file before a migration changes it.
fn back_up(connection: &Connection, folder: &Path, migration: &Migration, now: Timestamp) -> Result<(), StoreError> {
    let broken = |error: &dyn std::fmt::Display| StoreError::Broken(format!("the backup before a migration failed: {error}"));
    let backups = folder.join("backups");
    std::fs::create_dir_all(&backups).map_err(|error| broken(&error))?;
    let time = now.to_string().replace([':', '.'], "-");
    let target = backups.join(format!("before-{:04}-{time}.db", migration.number()));
    sqlite::copy(connection, &target)?;
    tracing::info!(file = %target.display(), "a copy of the database was made before it is migrated");
    migrate::prune(&backups, BACKUP_COUNT_MAX).map_err(|error| broken(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_url_is_refused_and_told_what_is_accepted() {
        for wrong in ["mysql://root:secret@db/x", "", "continuo.db", "sqlite:", "sqlite::memory:"] {
            let StoreError::Broken(text) = place(wrong).unwrap_err() else { panic!("{wrong}") };
            assert!(text.contains("sqlite:PATH") && text.contains("postgres://") && !text.contains("secret"), "{text}");
        }
        assert!(matches!(place("sqlite:///var/x.db").unwrap(), Place::Sqlite(path) if path == Path::new("/var/x.db")));
        assert!(matches!(place("sqlite:x.db").unwrap(), Place::Sqlite(path) if path == Path::new("x.db")));
    }
}
