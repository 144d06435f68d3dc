//! Lanes: jobs that must run one after the other. A worker claims the *lane*, never a job of it. "No other job of this lane
//! runs" as a condition on jobs does not hold: claims that skip locked rows are blind to each other's uncommitted work.

use super::claim::{Claimed, PerEngine, as_limit};
use super::{JobClass, JobRef};
use crate::conn::Conn;
use crate::error::StoreError;
use crate::values;
use model::{JobId, Timestamp, WorkspaceId};
use sha2::{Digest, Sha256};

/// The lane of these words, such as `["in", inbox, external conversation]`: a 63-bit hash that stays the same over releases.
/// A collision only makes two lanes share.
pub fn lane_of(words: &[&str]) -> i64 {
    let mut hash = Sha256::new();
    for word in words {
        // The length keeps ["ab", "c"] apart from ["a", "bc"].
        hash.update((word.len() as u64).to_le_bytes());
        hash.update(word.as_bytes());
    }
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_le_bytes(first) & i64::MAX
}

/// A lane that this worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LaneClaim {
    /// Whose lane.
    pub workspace: WorkspaceId,
    /// Which lane.
    pub lane: i64,
    /// Number of this claim: the fence against a worker whose lease ran out.
    pub token: i64,
}

pub(super) const CLAIM_LANES: &str = "WITH due AS (
      SELECT workspace_id, lane FROM job_lane
       WHERE priority = $3 AND locked_until IS NULL AND next_at <= $2
       ORDER BY next_at, workspace_id, lane LIMIT $4/* suffix */)
    UPDATE job_lane SET locked_until = $1, token = job_lane.token + 1
      FROM due
     WHERE job_lane.workspace_id = due.workspace_id AND job_lane.lane = due.lane
       AND job_lane.locked_until IS NULL AND job_lane.next_at <= $2
    RETURNING job_lane.workspace_id, job_lane.lane, job_lane.token, job_lane.next_at";
static CLAIM_LANES_SQL: PerEngine = PerEngine::new();

/// Takes up to `limit` lanes of a class whose head is due, oldest first. They are held until `until`.
pub fn claim_lanes(
    tx: &mut dyn Conn,
    class: JobClass,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<LaneClaim>, StoreError> {
    let sql = CLAIM_LANES_SQL.get(tx.engine(), CLAIM_LANES)?;
    let mut rows = tx.rows(sql, values![until, now, class.priority(), as_limit(limit)])?;
    rows.sort_by_key(|row| (row.int(3), row.int(0), row.int(1)));
    Ok(rows.iter().map(|row| LaneClaim { workspace: WorkspaceId(row.int(0)), lane: row.int(1), token: row.int(2) }).collect())
}

/// What comes next in a held lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextInLane {
    /// This job has been started.
    Job(Claimed),
    /// The head waits for a later time, or for the end of an attempt whose lease has not run out yet.
    Later,
    /// Nothing is left.
    Empty,
    /// The lane is not held any more: stop.
    Lost,
}

pub(super) const HEAD: &str = "SELECT id, name, payload, run_at, attempts, locked_until FROM job
    WHERE workspace_id = $1 AND lane = $2 AND lane IS NOT NULL AND gave_up_at IS NULL ORDER BY id LIMIT 1";
const START: &str = "UPDATE job SET locked_until = $4, attempts = job.attempts + 1, dedupe_key = NULL
    WHERE workspace_id = $1 AND id = $2 AND attempts = $3 AND locked_until IS NULL AND gave_up_at IS NULL
      AND EXISTS (SELECT 1 FROM job_lane WHERE job_lane.workspace_id = $1 AND job_lane.lane = $5
                     AND job_lane.token = $6 AND job_lane.locked_until IS NOT NULL)";

/// Starts the head of a held lane when it is due.
pub fn next_in_lane(tx: &mut dyn Conn, claim: LaneClaim, now: Timestamp, until: Timestamp) -> Result<NextInLane, StoreError> {
    let Some(head) = tx.one(HEAD, values![claim.workspace, claim.lane])? else { return Ok(NextInLane::Empty) };
    let (id, attempts) = (JobId(head.int(0)), head.int(4));
    if head.at(3) > now || head.opt_at(5).is_some() {
        return Ok(NextInLane::Later);
    }
    let started = tx.exec(START, values![claim.workspace, id, attempts, until, claim.lane, claim.token])?;
    if started == 0 {
        return Ok(NextInLane::Lost);
    }
    let job = JobRef { workspace: claim.workspace, id, attempts: attempts + 1 };
    Ok(NextInLane::Job(Claimed { job, name: head.text(1), payload: head.text(2) }))
}

const UNLOCK: &str = "UPDATE job_lane SET locked_until = NULL WHERE workspace_id = $1 AND lane = $2 AND token = $3";
const DROP_EMPTY: &str = "DELETE FROM job_lane WHERE workspace_id = $1 AND lane = $2 AND token = $3
    AND NOT EXISTS (SELECT 1 FROM job WHERE job.workspace_id = $1 AND job.lane = $2 AND job.lane IS NOT NULL AND job.gave_up_at IS NULL)";
// When the head still counts as running, the lane waits for the end of that lease instead of being claimed again and again.
const SET_NEXT: &str = "UPDATE job_lane SET next_at = coalesce((
      SELECT CASE WHEN job.locked_until > job.run_at THEN job.locked_until ELSE job.run_at END FROM job
       WHERE job.workspace_id = $1 AND job.lane = $2 AND job.lane IS NOT NULL AND job.gave_up_at IS NULL
       ORDER BY job.id LIMIT 1), job_lane.next_at)
    WHERE workspace_id = $1 AND lane = $2 AND token = $3";

/// Gives a lane back; false when it was not held any more. Three statements, in this order: the first takes the row lock, and
/// only the *next* statement gets a snapshot that shows what a waiting enqueuer has committed. One combined DELETE would lose
/// wake-ups and leave jobs behind for ever.
pub fn release_lane(tx: &mut dyn Conn, claim: LaneClaim) -> Result<bool, StoreError> {
    let LaneClaim { workspace, lane, token } = claim;
    if tx.exec(UNLOCK, values![workspace, lane, token])? == 0 {
        return Ok(false);
    }
    tx.exec(DROP_EMPTY, values![workspace, lane, token])?;
    tx.exec(SET_NEXT, values![workspace, lane, token])?;
    Ok(true)
}

/// Starts the head of a held lane, or gives the lane back when nothing is due: one transaction instead of two.
pub fn next_or_release(tx: &mut dyn Conn, claim: LaneClaim, now: Timestamp, until: Timestamp) -> Result<NextInLane, StoreError> {
    let next = next_in_lane(tx, claim, now, until)?;
    if matches!(next, NextInLane::Later | NextInLane::Empty) && !release_lane(tx, claim)? {
        return Ok(NextInLane::Lost);
    }
    Ok(next)
}

/// Takes up to `limit` lanes as [`claim_lanes`] does and starts their heads in the same transaction. A lane whose head is not
/// due after all goes back at once.
pub fn start_lanes(
    tx: &mut dyn Conn,
    class: JobClass,
    now: Timestamp,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<(LaneClaim, Claimed)>, StoreError> {
    let mut started = Vec::new();
    for lane in claim_lanes(tx, class, now, until, limit)? {
        if let NextInLane::Job(head) = next_or_release(tx, lane, now, until)? {
            started.push((lane, head));
        }
    }
    Ok(started)
}

#[cfg(test)]
mod tests {
    use super::lane_of;

    #[test]
    fn lanes_are_stable_and_know_their_borders() {
        assert_eq!(lane_of(&["in", "ibx_1", "chat"]), lane_of(&["in", "ibx_1", "chat"]));
        assert_ne!(lane_of(&["ab", "c"]), lane_of(&["a", "bc"]));
        assert!(lane_of(&["x"]) >= 0 && lane_of(&[]) >= 0);
        // Jobs of one release wait in the table while the next one starts.
        assert_eq!(lane_of(&["in", "1"]), LANE_IN_1);
    }
    const LANE_IN_1: i64 = 2_583_902_874_265_637_857;
}
