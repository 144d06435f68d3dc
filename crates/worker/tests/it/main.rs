//! Tests of the worker: everything by a real store.
#![allow(clippy::unwrap_used, reason = "a test may fail by a panic, in its helpers too")]

mod follower;
mod mail_out;
mod mailboxes;
mod race;
mod runner;
mod supervisor;

use model::{Clock, FakeClock, FakeRandom, SystemClock, Timestamp, WorkspaceId};
use std::sync::Arc;
use store::job::{self, JobHealth, NewJob};
use store::{Access, Db, DbSettings, Route, StoreError};
use tempfile::TempDir;
use worker::{Registry, Runner, RunnerSettings};

pub(crate) const WORKSPACE: WorkspaceId = WorkspaceId(1);

/// A database of its own in a folder that goes with it.
pub(crate) struct Place {
    pub(crate) db: Db,
    pub(crate) clock: Arc<FakeClock>,
    _folder: TempDir,
}

impl Place {
    /// With a clock that the test moves; each write closure runs twice.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(FakeClock::new(Timestamp::parse("2026-10-01T12:00:00Z").unwrap()));
        Self::open(clock.clone(), clock, true)
    }
    /// With the real clock, for the loop that waits.
    pub(crate) fn real() -> (Self, Arc<SystemClock>) {
        let clock = Arc::new(SystemClock);
        (Self::open(clock.clone(), Arc::new(FakeClock::new(Timestamp(0))), false), clock)
    }
    fn open(of_db: Arc<dyn Clock>, clock: Arc<FakeClock>, run_twice: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = DbSettings::new(format!("sqlite:{}", folder.path().join("test.db").display()));
        settings.test_run_twice = run_twice;
        settings.full_sync = false;
        let db = Db::open(&settings, of_db, Access::Test).unwrap();
        Self { db, clock, _folder: folder }
    }
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
    pub(crate) fn runner(&self, registry: Registry) -> Runner {
        let random = Arc::new(FakeRandom::new(7));
        Runner::new(self.db.clone(), self.clock.clone(), random, registry, RunnerSettings::default())
    }
    pub(crate) async fn add(&self, job: NewJob) {
        self.db.write(Route::Any, move |tx| job::add(tx, WORKSPACE, &job)).await.unwrap().unwrap();
    }
    pub(crate) async fn health(&self) -> JobHealth {
        let now = self.now();
        self.db.read(move |tx| job::health(tx, now)).await.unwrap()
    }
    /// How many jobs and lanes are left.
    pub(crate) async fn left(&self) -> (i64, i64) {
        left(&self.db).await
    }
}

pub(crate) async fn left(db: &Db) -> (i64, i64) {
    const COUNT: &str = "SELECT (SELECT count(*) FROM job), (SELECT count(*) FROM job_lane)";
    let row = db.read(|tx| tx.one(COUNT, &[])).await.unwrap();
    row.map_or_else(|| panic!("{}", StoreError::NotFound), |row| (row.int(0), row.int(1)))
}

/// A job without lane.
pub(crate) fn plain(name: &'static str, payload: serde_json::Value, run_at: Timestamp) -> NewJob {
    NewJob::new(name, payload, run_at)
}
