//! Keeps the search index of every workspace up to date: woken by commits, looks at the heads once a second besides. Ingest
//! never waits for it. With several nodes one of them leads per workspace.

use crate::attempt::pause;
use crate::leader::lead;
use crate::runner::Waker;
use crate::supervisor::Stop;
use model::WorkspaceId;
use std::collections::HashMap;
use std::time::Duration;
use store::search::Search;
use store::{Db, Engine, StoreError, event_log};

/// Commits of this long are taken in together.
const GATHER: Duration = Duration::from_millis(150);
const POLL: Duration = Duration::from_secs(1);
const POLL_AFTER_ERROR: Duration = Duration::from_secs(5);

/// Follows the event log for search.
#[derive(Clone)]
pub struct SearchFollower {
    db: Db,
    search: Search,
    waker: Waker,
}

impl SearchFollower {
    /// For this store and its index.
    pub fn new(db: Db, search: Search) -> Self {
        Self { db, search, waker: Waker::default() }
    }
    /// What `server` calls after a commit that changed a workspace.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Follows until the process stops.
    pub async fn run(&self, stop: Stop) {
        let mut known = HashMap::new();
        while !stop.is_stopping() {
            let woken = self.waker.listen();
            tokio::pin!(woken);
            woken.as_mut().enable();
            // A rebuild may take minutes; it begins anew after a restart.
            let round = tokio::select! {
                round = self.round(&mut known) => round,
                () = stop.stopped() => return,
            };
            let poll = match round {
                Ok(()) => POLL,
                Err(error) => {
                    tracing::warn!(%error, "the search index could not be brought up to date");
                    POLL_AFTER_ERROR
                }
            };
            tokio::select! {
                () = woken => pause(GATHER).await,
                () = pause(poll) => {}
                () = stop.stopped() => {}
            }
        }
    }

    /// Brings every workspace up to date that has changed since `known`.
    pub async fn round(&self, known: &mut HashMap<WorkspaceId, i64>) -> Result<(), StoreError> {
        for (workspace, head) in self.db.read(event_log::all_heads).await? {
            if known.get(&workspace).is_some_and(|position| *position >= head) {
                continue;
            }
            let catch_up = self.search.catch_up(&self.db, workspace);
            // One process serves a SQLite file: nobody else could lead.
            let position = match self.db.engine() {
                Engine::Sqlite => Some(catch_up.await?),
                Engine::Postgres => lead(&self.db, &format!("search.{workspace}"), catch_up).await?.transpose()?,
            };
            known.extend(position.map(|position| (workspace, position)));
        }
        Ok(())
    }
}
