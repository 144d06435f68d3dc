//! Jobs: work that follows a change, written as a row in the transaction that causes it, so that the job exists exactly when
//! the change does. In: who enqueues, and the worker that claims, runs and closes. Out: rows of `job` and `job_lane`.
//! What a job *does* is not known here. docs/STORE.md, "Jobs and lanes", tells the rules and the traps.
//!
//! * [`enqueue`] adds a job; a job with a *lane* runs after all earlier jobs of that lane, one at a time.
//! * [`claim_ready`] takes jobs without lane, [`claim_lanes`] takes lanes, [`next_in_lane`] starts the head of a held lane.
//! * [`finish`], [`retry_at`], [`give_up`] close an attempt. Each is fenced by the number of the attempt: a worker whose lease
//!   ran out changes nothing.

mod claim;
mod close;
mod lane;
mod look;
mod retry;

pub(crate) use claim::free_all;
pub use claim::{Claimed, claim_ready, reap, renew, renew_lane};
pub use close::{finish, finish_in_tx, give_back, give_up, retry_at};
pub use lane::{LaneClaim, NextInLane, claim_lanes, lane_of, next_in_lane, next_or_release, release_lane, start_lanes};
pub use look::{ClassDue, ClassHealth, Due, GivenUp, JobHealth, expired, health, list_given_up, look};
pub use retry::{ATTEMPT_COUNT_MAX, retry_after};

use crate::conn::{Conn, Wake};
use crate::error::StoreError;
use crate::values;
use model::{JobId, Timestamp, WorkspaceId};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// How long a claim holds unless it is renewed.
pub const LEASE_MS: i64 = 60_000;
/// Longer keys are hashed: an index entry of PostgreSQL ends at about 2,700 bytes.
const DEDUPE_KEY_BYTES_MAX: usize = 200;
/// A reason is for the administrator's list, not a log file.
const REASON_CHARS_MAX: usize = 1_000;

/// Priority class: which jobs go first. Workers keep slots for each class, so bulk work never takes the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobClass {
    /// Somebody waits on the other side.
    Now,
    /// The usual.
    Normal,
    /// Imports, campaigns, retention.
    Bulk,
}

impl JobClass {
    /// All classes, first things first.
    pub const ALL: [Self; 3] = [Self::Now, Self::Normal, Self::Bulk];
    /// The number in the column `priority`.
    pub fn priority(self) -> i64 {
        match self {
            Self::Now => 0,
            Self::Normal => 1,
            Self::Bulk => 2,
        }
    }
    /// The class of a number; what is unknown counts as bulk.
    pub fn of(priority: i64) -> Self {
        match priority {
            0 => Self::Now,
            1 => Self::Normal,
            _ => Self::Bulk,
        }
    }
    /// The word for logs and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Normal => "normal",
            Self::Bulk => "bulk",
        }
    }
}

/// A job as a small struct of ids, named by a verb (`SendEntry { outbox }`). Idempotent: it may run more than once.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// The name in the table; never changes its meaning once it is released.
    const NAME: &'static str;
    /// Its class.
    const CLASS: JobClass = JobClass::Normal;
    /// The lane whose order it keeps (see [`lane_of`]), or none.
    fn lane(&self) -> Option<i64> {
        None
    }
    /// While a job with this key *waits* in the workspace, a second one is not added. A running one does not count: it may
    /// have read the state before the change that asks for the new one.
    fn dedupe_key(&self) -> Option<String> {
        None
    }
}

/// Which attempt of which job: what a closing statement must name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JobRef {
    /// Whose job.
    pub workspace: WorkspaceId,
    /// Which job.
    pub id: JobId,
    /// The number of this attempt, from 1: the fence against a worker whose lease ran out.
    pub attempts: i64,
}

/// A job before it is written, for callers without a [`Job`] type.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Name under which the worker knows it.
    pub name: &'static str,
    /// Ids, as JSON.
    pub payload: serde_json::Value,
    /// Its class.
    pub class: JobClass,
    /// The lane whose order it keeps.
    pub lane: Option<i64>,
    /// Only one waiting job per key.
    pub dedupe_key: Option<String>,
    /// Not before this time.
    pub run_at: Timestamp,
}

impl NewJob {
    /// A job of class normal without lane and key.
    pub fn new(name: &'static str, payload: serde_json::Value, run_at: Timestamp) -> Self {
        Self { name, payload, class: JobClass::Normal, lane: None, dedupe_key: None, run_at }
    }
}

/// Adds a job, to run at `run_at` or soon after. `None` when one with the same key waits already.
pub fn enqueue<J: Job>(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    job: &J,
    run_at: Timestamp,
) -> Result<Option<JobId>, StoreError> {
    let payload = serde_json::to_string(job).map_err(|e| StoreError::broken(format!("payload of job {}: {e}", J::NAME)))?;
    let row =
        JobRow { class: J::CLASS, name: J::NAME, payload: &payload, lane: job.lane(), dedupe_key: job.dedupe_key(), run_at };
    insert(tx, workspace, row)
}

/// The same for a job without a type of its own.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, job: &NewJob) -> Result<Option<JobId>, StoreError> {
    let payload = job.payload.to_string();
    let NewJob { name, class, lane, run_at, .. } = *job;
    insert(tx, workspace, JobRow { class, name, payload: &payload, lane, dedupe_key: job.dedupe_key.clone(), run_at })
}

struct JobRow<'a> {
    class: JobClass,
    name: &'a str,
    payload: &'a str,
    lane: Option<i64>,
    dedupe_key: Option<String>,
    run_at: Timestamp,
}

// DO UPDATE although it changes next to nothing: it takes the row lock. With DO NOTHING an enqueuer would meet a lane that is
// just being deleted, and its job would lie there for ever. The class of a lane is the most urgent one of its jobs.
const ENTER_LANE: &str = "INSERT INTO job_lane(workspace_id, lane, priority, next_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (workspace_id, lane) DO UPDATE SET next_at = job_lane.next_at,
      priority = CASE WHEN excluded.priority < job_lane.priority THEN excluded.priority ELSE job_lane.priority END";
const INSERT: &str = "INSERT INTO job(workspace_id, id, priority, name, payload, lane, dedupe_key, run_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (workspace_id, dedupe_key) WHERE dedupe_key IS NOT NULL AND gave_up_at IS NULL DO NOTHING";

fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, job: JobRow<'_>) -> Result<Option<JobId>, StoreError> {
    let priority = job.class.priority();
    // Lane first, id second: whoever holds the lane's row draws the next id, so that the order of ids in a lane is the order
    // of commits and a worker never meets an older job after a newer one.
    if let Some(lane) = job.lane {
        tx.exec(ENTER_LANE, values![workspace, lane, priority, job.run_at])?;
    }
    let id = JobId(tx.id());
    let dedupe_key = job.dedupe_key.map(short_key);
    let added = tx.exec(INSERT, values![workspace, id, priority, job.name, job.payload, job.lane, dedupe_key, job.run_at])?;
    if added == 0 {
        return Ok(None);
    }
    tx.wake(Wake::Jobs { priority });
    Ok(Some(id))
}

fn short_key(key: String) -> String {
    if key.len() <= DEDUPE_KEY_BYTES_MAX && !key.contains('\0') {
        return key;
    }
    Sha256::digest(key.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

const CANCEL: &str = "DELETE FROM job WHERE workspace_id = $1 AND dedupe_key = $2 AND dedupe_key IS NOT NULL
    AND gave_up_at IS NULL AND locked_until IS NULL";

/// Takes back the waiting job with this key; false when none waits (any more). A running job is not stopped.
pub fn cancel(tx: &mut dyn Conn, workspace: WorkspaceId, dedupe_key: &str) -> Result<bool, StoreError> {
    // The lane of a cancelled job may stay behind empty; whoever claims it next finds that and removes it.
    Ok(tx.exec(CANCEL, values![workspace, short_key(dedupe_key.to_owned())])? == 1)
}

const TAKE_GIVEN_UP: &str = "DELETE FROM job WHERE workspace_id = $1 AND id = $2 AND gave_up_at IS NOT NULL
    RETURNING priority, name, payload, lane";

/// Puts a given-up job back to work: as a new row at the end of its lane, with attempts from 0, so that neither the order of
/// the lane nor the fence of an old attempt is disturbed. `None` when it is not there (any more).
pub fn put_back(tx: &mut dyn Conn, workspace: WorkspaceId, id: JobId, now: Timestamp) -> Result<Option<JobId>, StoreError> {
    let Some(row) = tx.one(TAKE_GIVEN_UP, values![workspace, id])? else { return Ok(None) };
    let class = JobClass::of(row.int(0));
    insert(
        tx,
        workspace,
        JobRow { class, name: row.str(1), payload: row.str(2), lane: row.opt_int(3), dedupe_key: None, run_at: now },
    )
}

/// Removes a given-up job for good; false when it is not there (any more).
pub fn dismiss(tx: &mut dyn Conn, workspace: WorkspaceId, id: JobId) -> Result<bool, StoreError> {
    Ok(tx.one(TAKE_GIVEN_UP, values![workspace, id])?.is_some())
}
