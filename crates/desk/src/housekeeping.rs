//! What the product does by itself from time to time: locks what was resolved long ago, drops what was only kept for a
//! while, and says when something has no end that should have one. Each step is idempotent and works in small chunks.

use crate::context::Desk;
use crate::conversation::Locked;
use crate::conversation::add::add_event;
use model::{Actor, ConversationId, Status, Timestamp, WorkspaceId};
use serde_json::json;
use store::{Route, StoreError, automatic_answer, conversation, login_session, outbox, provider_event};

const DAY_MS: i64 = 86_400_000;
/// Resolved conversations are locked after this time (domain.md 13); never shorter than the reopen window.
pub const CLOSE_AFTER_MS: i64 = 30 * DAY_MS;
const PARKED_MS: i64 = DAY_MS;
/// Counts of senders that are over.
const BURST_MS: i64 = DAY_MS;
const UNFINISHED_UPLOAD_MS: i64 = DAY_MS;
/// Login sessions are kept this long after their end, for those who look into a break-in.
const ENDED_LOGIN_MS: i64 = 90 * DAY_MS;
/// An event without an end after this time is a fault.
const EVENT_END_MS: i64 = DAY_MS;
const CHUNK: i64 = 100;

/// What one round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Conversations locked.
    pub closed: usize,
    /// Parked delivery states dropped.
    pub parked_dropped: u64,
    /// Raw events older than a day without an end.
    pub events_without_end: i64,
}

/// One round over one workspace.
pub async fn run(desk: &Desk, workspace: WorkspaceId) -> Result<Done, StoreError> {
    let now = desk.now();
    let mut done = Done::default();
    loop {
        let before = now.plus_ms(-CLOSE_AFTER_MS);
        let ids = desk.db.read(move |tx| conversation::list::resolved_before(tx, workspace, before, CHUNK)).await?;
        if ids.is_empty() {
            break;
        }
        for id in ids {
            close(desk, workspace, id, before, now).await?;
            done.closed += 1;
        }
    }
    done.parked_dropped =
        desk.db.write(Route::Any, move |tx| outbox::forget_parked(tx, workspace, now.plus_ms(-PARKED_MS))).await?;
    desk.db.write(Route::Any, move |tx| automatic_answer::forget_bursts(tx, workspace, now.plus_ms(-BURST_MS))).await?;
    desk.db.write(Route::Any, move |tx| login_session::delete_old(tx, workspace, now.plus_ms(-ENDED_LOGIN_MS))).await?;
    done.events_without_end =
        desk.db.read(move |tx| provider_event::open_count(tx, workspace, now.plus_ms(-EVENT_END_MS))).await?;
    if done.events_without_end > 0 {
        tracing::error!(%workspace, count = done.events_without_end, "raw events have had no end for a day; see the jobs that were given up");
    }
    if let Err(error) = desk.blobs.sweep_unfinished(now.plus_ms(-UNFINISHED_UPLOAD_MS)).await {
        tracing::warn!(%error, "unfinished uploads could not be removed");
    }
    Ok(done)
}

/// Locks one conversation: from now on a new message makes a follow-up.
async fn close(
    desk: &Desk,
    workspace: WorkspaceId,
    id: ConversationId,
    before: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    desk.db
        .write(Route::Conversation(id), move |tx| -> Result<(), StoreError> {
            let mut locked = Locked::lock(tx, workspace, id)?;
            if locked.row.status == Status::Resolved && locked.row.resolved_at.is_some_and(|at| at < before) {
                locked.row.status = Status::Closed;
                let args = json!({"from": Status::Resolved, "to": Status::Closed});
                add_event(tx, &mut locked, "conversation.status_changed", "status_changed", args, Actor::System, "", now)?;
            }
            locked.save(tx)?;
            Ok(())
        })
        .await
}
