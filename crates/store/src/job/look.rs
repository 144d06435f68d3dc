//! Looking without taking: what is due and when, what an administrator and the health page want to know. All of it runs on a
//! reader, so that an idle server does not write once a second.

use super::JobClass;
use super::claim::as_limit;
use crate::conn::Conn;
use crate::error::StoreError;
use crate::values;
use model::{JobId, Timestamp, WorkspaceId};

/// When the first waiting thing of a class is due; `None` when nothing waits. May lie in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClassDue {
    /// First job without lane.
    pub job_at: Option<Timestamp>,
    /// First lane that nobody holds.
    pub lane_at: Option<Timestamp>,
}

/// When the first waiting things are due, for each class in the order of [`JobClass::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due(pub [ClassDue; 3]);

impl Due {
    /// The next time at which something is due: how long a worker may sleep.
    pub fn next_run_at(&self) -> Option<Timestamp> {
        self.0.iter().flat_map(|class| [class.job_at, class.lane_at]).flatten().min()
    }
    /// True when something could be claimed now.
    pub fn is_ready(&self, now: Timestamp) -> bool {
        self.next_run_at().is_some_and(|at| at <= now)
    }
}

// One round trip. Every sub-select is the first row of a partial index.
const LOOK: &str = "SELECT
    (SELECT run_at FROM job WHERE priority = 0 AND lane IS NULL AND locked_until IS NULL AND gave_up_at IS NULL ORDER BY run_at, id LIMIT 1),
    (SELECT next_at FROM job_lane WHERE priority = 0 AND locked_until IS NULL ORDER BY next_at, workspace_id, lane LIMIT 1),
    (SELECT run_at FROM job WHERE priority = 1 AND lane IS NULL AND locked_until IS NULL AND gave_up_at IS NULL ORDER BY run_at, id LIMIT 1),
    (SELECT next_at FROM job_lane WHERE priority = 1 AND locked_until IS NULL ORDER BY next_at, workspace_id, lane LIMIT 1),
    (SELECT run_at FROM job WHERE priority = 2 AND lane IS NULL AND locked_until IS NULL AND gave_up_at IS NULL ORDER BY run_at, id LIMIT 1),
    (SELECT next_at FROM job_lane WHERE priority = 2 AND locked_until IS NULL ORDER BY next_at, workspace_id, lane LIMIT 1)";

/// When the first waiting jobs and lanes are due.
pub fn look(tx: &mut dyn Conn) -> Result<Due, StoreError> {
    let row = tx.one(LOOK, &[])?.ok_or(StoreError::NotFound)?;
    let class = |at: usize| ClassDue { job_at: row.opt_at(at), lane_at: row.opt_at(at + 1) };
    Ok(Due([class(0), class(2), class(4)]))
}

const EXPIRED: &str = "SELECT
    EXISTS (SELECT 1 FROM job WHERE locked_until IS NOT NULL AND locked_until <= $1)
    OR EXISTS (SELECT 1 FROM job_lane WHERE locked_until IS NOT NULL AND locked_until <= $1)";

/// True when [`super::reap`] has something to do.
pub fn expired(tx: &mut dyn Conn, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.one(EXPIRED, values![now])?.is_some_and(|row| row.bool(0)))
}

/// A job that was given up, for the administrator's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Which job.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Its ids, as JSON.
    pub payload: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was given up.
    pub gave_up_at: Timestamp,
    /// Why.
    pub reason: String,
}

const LIST_GIVEN_UP: &str = "SELECT id, name, payload, attempts, gave_up_at, reason FROM job
    WHERE workspace_id = $1 AND gave_up_at IS NOT NULL AND (gave_up_at, id) < ($2, $3) ORDER BY gave_up_at DESC, id DESC LIMIT $4";

/// Given-up jobs of a workspace, the latest first. The next page begins after the last row of this one: `(gave_up_at, id)`.
pub fn list_given_up(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    after: Option<(Timestamp, JobId)>,
    limit: usize,
) -> Result<Vec<GivenUp>, StoreError> {
    let (at, id) = after.unwrap_or((Timestamp(i64::MAX), JobId(i64::MAX)));
    let rows = tx.rows(LIST_GIVEN_UP, values![workspace, at, id, as_limit(limit)])?;
    Ok(rows
        .iter()
        .map(|row| GivenUp {
            id: row.id(0),
            name: row.text(1),
            payload: row.text(2),
            attempts: row.int(3),
            gave_up_at: row.at(4),
            reason: row.opt_text(5).unwrap_or_default(),
        })
        .collect())
}

/// How a class is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassHealth {
    /// Which class.
    pub class: JobClass,
    /// Since when its oldest ready job or lane waits; `None` when nothing is ready. Older than 60 s is an alarm.
    pub oldest_ready_at: Option<Timestamp>,
}

/// How the jobs are doing, over all workspaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobHealth {
    /// Each class.
    pub classes: [ClassHealth; 3],
    /// Jobs that run now.
    pub running: i64,
    /// Jobs that were given up and wait for a person.
    pub given_up: i64,
}

const COUNTS: &str = "SELECT (SELECT count(*) FROM job WHERE locked_until IS NOT NULL),
    (SELECT count(*) FROM job WHERE gave_up_at IS NOT NULL)";

/// Figures for the health page and the metrics.
pub fn health(tx: &mut dyn Conn, now: Timestamp) -> Result<JobHealth, StoreError> {
    let due = look(tx)?;
    let counts = tx.one(COUNTS, &[])?.ok_or(StoreError::NotFound)?;
    let mut classes = JobClass::ALL.map(|class| ClassHealth { class, oldest_ready_at: None });
    for (class, due) in classes.iter_mut().zip(due.0) {
        class.oldest_ready_at = [due.job_at, due.lane_at].into_iter().flatten().min().filter(|at| *at <= now);
    }
    Ok(JobHealth { classes, running: counts.int(0), given_up: counts.int(1) })
}
