//! Puts an entry on its way: an outbox row and the job that sends it, in the transaction that writes the entry. A hold or
//! a chosen time is a timer outside the lane, so that it never blocks what comes after it.

use super::deliver::DeliverOutbox;
use crate::context::{Desk, JobEnd};
use model::{ContactPointId, InboxId, OutboxId, OutboxState, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::entry::Entry;
use store::job::{self, Job, JobClass, JobRef};
use store::outbox::{self, Outbox};
use store::{Conn, Route, StoreError};

/// End a hold when its time has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReleaseHold {
    /// Which row.
    pub outbox: OutboxId,
}
impl Job for ReleaseHold {
    const NAME: &'static str = "release_hold";
    const CLASS: JobClass = JobClass::Now;
}

/// The receiver and the time of an entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// Through which inbox.
    pub inbox: InboxId,
    /// To which address.
    pub contact_point: Option<ContactPointId>,
    /// End of the undo time.
    pub hold_until: Option<Timestamp>,
    /// The time that the agent chose.
    pub send_at: Option<Timestamp>,
}

/// Writes the outbox row of an entry and its job.
pub fn put(tx: &mut dyn Conn, workspace: WorkspaceId, entry: &Entry, way: Way, now: Timestamp) -> Result<Outbox, StoreError> {
    let due = [way.hold_until, way.send_at].into_iter().flatten().max().filter(|at| *at > now);
    let row = Outbox {
        id: OutboxId(tx.id()),
        entry_id: entry.id,
        conversation_id: entry.conversation_id,
        inbox_id: way.inbox,
        contact_point_id: way.contact_point,
        state: if due.is_some() { OutboxState::Held } else { OutboxState::Queued },
        reason: None,
        hold_until: way.hold_until,
        send_at: way.send_at,
        round: 1,
        version: 1,
    };
    outbox::insert(tx, workspace, &row)?;
    match due {
        Some(at) => job::enqueue(tx, workspace, &ReleaseHold { outbox: row.id }, at)?,
        None => job::enqueue(tx, workspace, &DeliverOutbox::of(&row), now)?,
    };
    Ok(row)
}

/// Sets a held row free and puts it into its lane. False when it is no longer held.
pub fn release(tx: &mut dyn Conn, workspace: WorkspaceId, id: OutboxId, now: Timestamp) -> Result<bool, StoreError> {
    let Some(mut row) = outbox::find(tx, workspace, id)? else { return Ok(false) };
    if row.state != OutboxState::Held {
        return Ok(false);
    }
    row.state = OutboxState::Queued;
    row.hold_until = None;
    row.send_at = None;
    if !outbox::save(tx, workspace, &row)? {
        return Err(StoreError::Busy);
    }
    job::enqueue(tx, workspace, &DeliverOutbox::of(&row), now)?;
    Ok(true)
}

/// What the timer does. The lane-free job only enqueues; the lane keeps the order.
pub async fn run(desk: &Desk, job: JobRef, hold: ReleaseHold) -> JobEnd {
    let now = desk.now();
    let done = desk
        .db
        .write(Route::Any, move |tx| -> Result<Option<Timestamp>, StoreError> {
            if let Some(row) = outbox::find(tx, job.workspace, hold.outbox)?
                && row.state == OutboxState::Held
            {
                // A clock that was set back since: the row still waits, so its timer does.
                if let Some(due) = [row.hold_until, row.send_at].into_iter().flatten().max().filter(|at| *at > now) {
                    return Ok(Some(due));
                }
                release(tx, job.workspace, hold.outbox, now)?;
            }
            job::finish_in_tx(tx, job)?;
            Ok(None)
        })
        .await;
    match done {
        Ok(None) => JobEnd::DoneInTx,
        Ok(Some(due)) => JobEnd::RetryAt(due),
        Err(error) => error.into(),
    }
}
