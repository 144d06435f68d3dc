//! Tasks that run for ever beside the jobs: one keeps the search index up to date, one does the housekeeping. On several
//! nodes a lease row lets one of them do it; a node that dies loses its lease, and losing a round costs nothing.

use crate::Stop;
use desk::Desk;
use model::WorkspaceId;
use std::time::Duration;
use store::{Route, StoreError};

/// The index is looked after at least this often, and at once when the bus tells of a change.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);
/// Changes are gathered this long, so that a burst is one step.
const GATHER: Duration = Duration::from_millis(200);
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(600);
const FOLLOW_LEASE_MS: i64 = 30_000;
const HOUSEKEEPING_LEASE_MS: i64 = 900_000;

#[expect(clippy::disallowed_methods, reason = "the worker is where real time passes")]
async fn pause(wait: Duration) {
    tokio::time::sleep(wait).await;
}

async fn workspaces(desk: &Desk) -> Result<Vec<WorkspaceId>, StoreError> {
    Ok(desk.db.read(store::workspace::list).await?.into_iter().map(|w| w.id).collect())
}

/// True when this node may do `name` now.
async fn may(desk: &Desk, name: String, ttl_ms: i64) -> Result<bool, StoreError> {
    let (holder, now) = (desk.db.holder().to_owned(), desk.now());
    let token = desk.db.write(Route::Any, move |tx| store::lease::take(tx, &name, &holder, now, ttl_ms)).await?;
    Ok(token.is_some())
}

/// Follows the event log of every workspace with the search index.
pub async fn follow_search(desk: Desk, stop: Stop) {
    let mut changes = desk.bus.listen(None);
    // An idle server writes nothing: the lease is only taken when there is something to do.
    while !stop.is_stopping() {
        if let Err(error) = follow_once(&desk).await {
            tracing::warn!(%error, "the search index could not be brought up to date; it is tried again");
        }
        tokio::select! {
            () = stop.stopped() => return,
            () = pause(FOLLOW_EVERY) => {}
            _ = changes.next() => pause(GATHER).await,
        }
    }
}

/// One look at every workspace.
pub async fn follow_once(desk: &Desk) -> Result<(), StoreError> {
    for workspace in workspaces(desk).await? {
        let head = desk.db.read(move |tx| store::event_log::head(tx, workspace)).await?;
        if desk.search.position(workspace).await? == Some(head)
            || !may(desk, format!("search {workspace}"), FOLLOW_LEASE_MS).await?
        {
            continue;
        }
        desk.search.catch_up(&desk.db, workspace).await?;
    }
    Ok(())
}

/// Does the housekeeping of every workspace, every ten minutes.
pub async fn keep_house(desk: Desk, stop: Stop) {
    while !stop.is_stopping() {
        if let Err(error) = keep_house_once(&desk).await {
            tracing::warn!(%error, "housekeeping did not end; it is tried again");
        }
        tokio::select! {
            () = stop.stopped() => return,
            () = pause(HOUSEKEEPING_EVERY) => {}
        }
    }
}

async fn keep_house_once(desk: &Desk) -> Result<(), StoreError> {
    if !may(desk, "housekeeping".to_owned(), HOUSEKEEPING_LEASE_MS).await? {
        return Ok(());
    }
    for workspace in workspaces(desk).await? {
        let done = desk::housekeeping::run(desk, workspace).await?;
        if done != desk::housekeeping::Done::default() {
            tracing::info!(%workspace, closed = done.closed, parked_dropped = done.parked_dropped, "housekeeping is done");
        }
    }
    Ok(())
}
