//! The ends of an attempt. Each statement names the attempt: when the lease ran out and somebody else took the job, it
//! changes nothing and says so.

use super::{JobRef, REASON_CHARS_MAX};
use crate::conn::{Conn, Wake};
use crate::error::StoreError;
use crate::values;
use model::Timestamp;

const FINISH: &str = "DELETE FROM job WHERE workspace_id = $1 AND id = $2 AND attempts = $3 AND gave_up_at IS NULL";

/// The job is done: its row goes. False when this attempt does not hold the job any more.
pub fn finish(tx: &mut dyn Conn, job: JobRef) -> Result<bool, StoreError> {
    Ok(tx.exec(FINISH, values![job.workspace, job.id, job.attempts])? == 1)
}

/// The same inside the closure that does the job's work: fails the closure when the job is not held any more, so that the
/// work happens exactly once.
pub fn finish_in_tx(tx: &mut dyn Conn, job: JobRef) -> Result<(), StoreError> {
    if finish(tx, job)? { Ok(()) } else { Err(StoreError::Conflict("job_attempt".to_owned())) }
}

const RETRY: &str = "UPDATE job SET run_at = $4, locked_until = NULL, reason = $5
    WHERE workspace_id = $1 AND id = $2 AND attempts = $3 AND gave_up_at IS NULL RETURNING priority";

/// The job shall run again at `at`. Its lane waits for it.
pub fn retry_at(tx: &mut dyn Conn, job: JobRef, at: Timestamp, reason: Option<&str>) -> Result<bool, StoreError> {
    let row = tx.one(RETRY, values![job.workspace, job.id, job.attempts, at, reason.map(short)])?;
    if let Some(row) = &row {
        tx.wake(Wake::Jobs { priority: row.int(0) });
    }
    Ok(row.is_some())
}

const GIVE_BACK: &str = "UPDATE job SET locked_until = NULL
    WHERE workspace_id = $1 AND id = $2 AND attempts = $3 AND gave_up_at IS NULL RETURNING priority";

/// Gives back a job that a stopping worker could not end; it may run again at once.
pub fn give_back(tx: &mut dyn Conn, job: JobRef) -> Result<bool, StoreError> {
    let row = tx.one(GIVE_BACK, values![job.workspace, job.id, job.attempts])?;
    if let Some(row) = &row {
        tx.wake(Wake::Jobs { priority: row.int(0) });
    }
    Ok(row.is_some())
}

const GIVE_UP: &str = "UPDATE job SET gave_up_at = $4, reason = $5, locked_until = NULL, dedupe_key = NULL
    WHERE workspace_id = $1 AND id = $2 AND attempts = $3 AND gave_up_at IS NULL";

/// The job will not run again unless an administrator puts it back. Its lane goes on without it.
pub fn give_up(tx: &mut dyn Conn, job: JobRef, reason: &str, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(GIVE_UP, values![job.workspace, job.id, job.attempts, now, short(reason)])? == 1)
}

fn short(reason: &str) -> String {
    model::fold::clean(model::fold::truncate(reason, REASON_CHARS_MAX))
}
