//! Work that at most one node does at a time: under a lease row that is renewed while the work runs. Who loses the lease stops
//! before another may begin.

use crate::attempt::pause;
use std::future::Future;
use std::time::Duration;
use store::{Db, Route, StoreError, lease};

const LEASE_MS: i64 = 30_000;
const RENEW: Duration = Duration::from_secs(10);
/// After so many failed renewals in a row the lease counts as lost: two thirds of its time are over.
const RENEW_TRIES: u32 = 2;

/// Does the work while this node holds the lease; `None` when somebody else holds it, or when it was lost on the way. The work
/// may end at any of its awaits: it must be safe to repeat.
pub async fn lead<T>(db: &Db, name: &str, work: impl Future<Output = T>) -> Result<Option<T>, StoreError> {
    if !take(db, name).await? {
        return Ok(None);
    }
    let done = tokio::select! {
        done = work => Some(done),
        () = renewing(db, name) => {
            tracing::warn!(lease = name, "lost the lease {name}; its work stops here");
            None
        }
    };
    let (name, holder) = (name.to_owned(), db.holder().to_owned());
    // One that cannot be given back runs out.
    let _runs_out = db.write(Route::Any, move |tx| lease::release(tx, &name, &holder)).await;
    Ok(done)
}

async fn take(db: &Db, name: &str) -> Result<bool, StoreError> {
    let (name, holder, now) = (name.to_owned(), db.holder().to_owned(), db.clock().now());
    let token = db.write(Route::Any, move |tx| lease::take(tx, &name, &holder, now, LEASE_MS)).await?;
    Ok(token.is_some())
}

/// Returns when the lease is lost.
async fn renewing(db: &Db, name: &str) {
    let mut failed = 0;
    loop {
        pause(RENEW).await;
        match take(db, name).await {
            Ok(true) => failed = 0,
            Ok(false) => return,
            Err(error) => {
                failed += 1;
                tracing::warn!(lease = name, %error, "the lease {name} could not be renewed");
                if failed >= RENEW_TRIES {
                    return;
                }
            }
        }
    }
}
