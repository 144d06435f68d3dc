//! Inboxes that we ask ourselves: fetching for ever, counting what lies there against what we have, taking in what was there
//! before, checking and signing in. In: an inbox of a channel that can be pulled. Out: stored raw events, and how that fares.
//! Must not know: any provider, when it runs (the worker does), what the events mean.

pub mod check;
pub mod door;
pub mod fetch;
pub mod history;
pub mod ledger;
pub mod sign_in;

use crate::context::Desk;
use crate::directory::OpenInbox;
use crate::ingest::{self, IngestError};
use channel::{Cursor, Fut, RawEvent, RawSink, SinkError, SourceNews};
use model::{InboxId, InboxState, WorkspaceId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use store::StoreError;
use tokio::sync::mpsc::UnboundedSender;

/// An inbox that should be fetched now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Whose.
    pub workspace: WorkspaceId,
    /// Which.
    pub inbox: InboxId,
    /// A fetcher of an older version has old settings.
    pub version: i64,
}

/// Every inbox that should be fetched, in all workspaces.
pub async fn wanted(desk: &Desk) -> Result<Vec<Wanted>, StoreError> {
    let inboxes = desk
        .db
        .read(|tx| {
            let mut all = Vec::new();
            for workspace in store::workspace::list(tx)? {
                all.extend(store::inbox::list(tx, workspace.id)?);
            }
            Ok::<_, StoreError>(all)
        })
        .await?;
    let pulled = |inbox: &store::inbox::Inbox| {
        let source = desk.channels.get(inbox.channel).and_then(|adapter| adapter.pull());
        source.is_some_and(|source| source.is_wanted(&door::settings_of(inbox)))
    };
    Ok(inboxes
        .into_iter()
        .filter(|inbox| inbox.enabled && inbox.state == InboxState::Ok && pulled(inbox))
        .map(|inbox| Wanted { workspace: inbox.workspace, inbox: inbox.id, version: inbox.version })
        .collect())
}

/// Where fetched events go: into the store, with the cursor, in one commit.
struct StoreSink {
    desk: Desk,
    workspace: WorkspaceId,
    open: Arc<OpenInbox>,
    news: Option<UnboundedSender<SourceNews>>,
    /// How many were new.
    fresh: AtomicI64,
    /// Something was stored: the source gives.
    gave: AtomicBool,
}

impl StoreSink {
    fn new(desk: &Desk, workspace: WorkspaceId, open: &Arc<OpenInbox>, news: Option<UnboundedSender<SourceNews>>) -> Self {
        Self {
            desk: desk.clone(),
            workspace,
            open: Arc::clone(open),
            news,
            fresh: AtomicI64::new(0),
            gave: AtomicBool::new(false),
        }
    }
}

impl RawSink for StoreSink {
    fn accept<'a>(&'a self, events: Vec<RawEvent>, cursor: Option<Cursor>) -> Fut<'a, Result<(), SinkError>> {
        Box::pin(async move {
            match ingest::accept_pulled(&self.desk, self.workspace, &self.open, events, cursor).await {
                Ok(stored) => {
                    let fresh = stored.iter().filter(|one| one.fresh).count();
                    self.gave.store(true, Ordering::SeqCst);
                    self.fresh.fetch_add(i64::try_from(fresh).unwrap_or(i64::MAX), Ordering::SeqCst);
                    Ok(())
                }
                Err(IngestError::Busy) => Err(SinkError::Busy),
                Err(IngestError::Broken(text)) => Err(SinkError::Closed(text)),
            }
        })
    }
    fn news(&self, news: SourceNews) {
        if let Some(listener) = &self.news {
            // Nobody listens any more: the fetcher is ending.
            let _ended = listener.send(news);
        }
    }
}
