//! A database for one test, on either engine, with a fake clock. `db_test!` runs one story on both.

use crate::pg::{self, MONDAY, PgDatabase};
use model::FakeClock;
use std::sync::Arc;
use store::{Access, Db, DbSettings, Engine};

/// An open database that goes away with this value.
pub struct TestDb {
    /// The store.
    pub db: Db,
    /// Its clock.
    pub clock: Arc<FakeClock>,
    /// How it was opened: for opening it again.
    pub settings: DbSettings,
    // After the store, which must be closed first.
    _folder: Option<tempfile::TempDir>,
    _postgres: Option<PgDatabase>,
}

impl TestDb {
    /// A migrated database; `None` when there is no PostgreSQL and tests on it shall be left out.
    pub fn open(engine: Engine) -> Option<Self> {
        Self::open_with(engine, |_| {})
    }

    /// The same with other settings: races want more writers.
    pub fn open_with(engine: Engine, change: impl FnOnce(&mut DbSettings)) -> Option<Self> {
        let (url, folder, postgres) = match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder for the test");
                (format!("sqlite:{}", folder.path().join("continuo.db").display()), Some(folder), None)
            }
            Engine::Postgres => {
                let database = pg::database()?;
                (database.url.clone(), None, Some(database))
            }
        };
        // Two writers and one reader are enough for a story, and hundreds of tests share one server's connections.
        let mut settings =
            DbSettings { writer_count: 2, reader_count: 1, full_sync: false, test_run_twice: true, ..DbSettings::new(url) };
        change(&mut settings);
        let clock = Arc::new(FakeClock::new(MONDAY));
        let db = Db::open(&settings, clock.clone(), Access::Test).unwrap_or_else(|error| panic!("the test's database: {error}"));
        Some(Self { db, clock, settings, _folder: folder, _postgres: postgres })
    }

    /// Closes the store and opens it again, as after a restart.
    pub fn reopen(&mut self) {
        self.db.close();
        self.db = Db::open(&self.settings, self.clock.clone(), Access::Test).expect("it opens again");
    }
}

impl std::ops::Deref for TestDb {
    type Target = Db;
    fn deref(&self) -> &Db {
        &self.db
    }
}

/// Runs a story on both engines: `db_test! { async fn what_happens(db: TestDb) { .. } }` becomes two tests,
/// `what_happens::sqlite` and `what_happens::postgres`.
#[macro_export]
macro_rules! db_test {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: TestDb) $body:block)+) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            #[allow(unused_mut)]
            async fn story(mut $db: $crate::db::TestDb) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn sqlite() {
                if let Some(db) = $crate::db::TestDb::open(store::Engine::Sqlite) {
                    story(db).await;
                }
            }
            #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
            async fn postgres() {
                if let Some(db) = $crate::db::TestDb::open(store::Engine::Postgres) {
                    story(db).await;
                }
            }
        }
    )+};
}
