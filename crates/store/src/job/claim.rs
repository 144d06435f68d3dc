//! Claiming jobs that need no order, keeping claims alive, and putting back what a dead worker held.

use super::{JobClass, JobRef, LaneClaim};
use crate::conn::{Conn, Engine, Wake};
use crate::dialect::{claim_suffix, interned};
use crate::error::StoreError;
use crate::values;
use model::{JobId, Timestamp, WorkspaceId};
use std::sync::OnceLock;

/// A job that this worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Which attempt of which job.
    pub job: JobRef,
    /// Name under which the registry knows it.
    pub name: String,
    /// Ids, as JSON.
    pub payload: String,
}

/// A statement that differs by the claim suffix only.
pub(super) struct PerEngine([OnceLock<&'static str>; 2]);

impl PerEngine {
    pub(super) const fn new() -> Self {
        Self([OnceLock::new(), OnceLock::new()])
    }
    pub(super) fn get(&self, engine: Engine, text: &'static str) -> Result<&'static str, StoreError> {
        let slot = &self.0[usize::from(engine == Engine::Postgres)];
        if let Some(known) = slot.get() {
            return Ok(known);
        }
        let made = interned(text.replace("/* suffix */", claim_suffix(engine)))?;
        Ok(slot.get_or_init(|| made))
    }
}

// The whole predicate stands outside again, *and* the suffix stands inside. Without the repeat two workers on PostgreSQL take
// the same job; without the suffix they queue behind each other. "Ready" is part of the partial index, and the order agrees
// with the index to the last column: otherwise each claim walks over every running job.
// A claimed job gives its dedupe key back, see `Job::dedupe_key`.
pub(super) const CLAIM_READY: &str = "WITH due AS (
      SELECT workspace_id, id FROM job
       WHERE priority = $3 AND lane IS NULL AND locked_until IS NULL AND gave_up_at IS NULL AND run_at <= $2
       ORDER BY run_at, id LIMIT $4/* suffix */)
    UPDATE job SET locked_until = $1, attempts = job.attempts + 1, dedupe_key = NULL
      FROM due
     WHERE job.workspace_id = due.workspace_id AND job.id = due.id
       AND job.locked_until IS NULL AND job.gave_up_at IS NULL AND job.run_at <= $2
    RETURNING job.workspace_id, job.id, job.name, job.payload, job.attempts, job.run_at";
static CLAIM_READY_SQL: PerEngine = PerEngine::new();

/// Takes up to `limit` jobs of a class that are due and need no order, oldest first. They are held until `until`.
pub fn claim_ready(
    tx: &mut dyn Conn,
    class: JobClass,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Claimed>, StoreError> {
    let sql = CLAIM_READY_SQL.get(tx.engine(), CLAIM_READY)?;
    let mut rows = tx.rows(sql, values![until, now, class.priority(), as_limit(limit)])?;
    rows.sort_by_key(|row| (row.int(5), row.int(1)));
    Ok(rows
        .iter()
        .map(|row| Claimed {
            job: JobRef { workspace: WorkspaceId(row.int(0)), id: JobId(row.int(1)), attempts: row.int(4) },
            name: row.text(2),
            payload: row.text(3),
        })
        .collect())
}

pub(super) fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

const RENEW: &str = "UPDATE job SET locked_until = $4
    WHERE workspace_id = $1 AND id = $2 AND attempts = $3 AND locked_until IS NOT NULL";

/// Holds a job longer. False: the lease has run out and the job may belong to somebody else.
pub fn renew(tx: &mut dyn Conn, job: JobRef, until: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(RENEW, values![job.workspace, job.id, job.attempts, until])? == 1)
}

const RENEW_LANE: &str = "UPDATE job_lane SET locked_until = $4
    WHERE workspace_id = $1 AND lane = $2 AND token = $3 AND locked_until IS NOT NULL";

/// Holds a lane longer. False: the lease has run out.
pub fn renew_lane(tx: &mut dyn Conn, claim: LaneClaim, until: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(RENEW_LANE, values![claim.workspace, claim.lane, claim.token, until])? == 1)
}

const REAP_JOBS: &str =
    "UPDATE job SET locked_until = NULL WHERE locked_until IS NOT NULL AND locked_until <= $1 RETURNING priority";
const REAP_LANES: &str =
    "UPDATE job_lane SET locked_until = NULL WHERE locked_until IS NOT NULL AND locked_until <= $1 RETURNING priority";

const FREE_JOBS: &str = "UPDATE job SET locked_until = NULL WHERE locked_until IS NOT NULL";
const FREE_LANES: &str = "UPDATE job_lane SET locked_until = NULL WHERE locked_until IS NOT NULL";

/// Puts back everything that is held, for a process that knows itself to be alone: after a crash nobody waits for the end of
/// a dead worker's claims.
pub(crate) fn free_all(tx: &mut dyn Conn) -> Result<(), StoreError> {
    tx.exec(FREE_JOBS, &[])?;
    tx.exec(FREE_LANES, &[])?;
    Ok(())
}

/// Puts back the jobs and lanes whose lease has run out, and tells how many. Jobs first: a lane that is free again while its
/// head still counts as running would be claimed for nothing.
pub fn reap(tx: &mut dyn Conn, now: Timestamp) -> Result<usize, StoreError> {
    let mut rows = tx.rows(REAP_JOBS, values![now])?;
    rows.extend(tx.rows(REAP_LANES, values![now])?);
    for row in &rows {
        tx.wake(Wake::Jobs { priority: row.int(0) });
    }
    Ok(rows.len())
}
