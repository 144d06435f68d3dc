//! Tasks that run for ever beside the jobs: one keeps the search index up to date, one does the housekeeping. On several
//! nodes a lease row lets one of them do it; a node that dies loses its lease, and losing a round costs nothing.

use crate::attempt::pause;
use crate::{SearchFollower, Stop};
use desk::Desk;
use model::WorkspaceId;
use std::time::Duration;
use store::{Route, StoreError};

const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(600);
const HOUSEKEEPING_LEASE_MS: i64 = 900_000;

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
    let follower = SearchFollower::new(desk.db.clone(), desk.search.clone());
    let (waker, mut changes) = (follower.waker(), desk.bus.listen(None));
    let hears = async {
        while changes.next().await.is_some() {
            waker.wake();
        }
        // Without a bus the follower still looks once a second.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = follower.run(stop) => {}
        () = hears => {}
    }
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
        if let Some(pass) = desk::contacts::duplicates::pass_when_due(desk, workspace).await? {
            tracing::info!(%workspace, contacts = pass.contacts, suggested = pass.suggested, "contacts were compared");
        }
    }
    Ok(())
}
