//! The door of listeners that all inboxes of a kind share: which inbox an address belongs to, and in with the event.

use crate::context::Desk;
use crate::ingest::{self, IngestError};
use channel::{Channel, Door, Fut, InboxSettings, NoSecrets, RawEvent, SinkError};
use model::{InboxId, WorkspaceId};
use std::sync::Arc;
use store::StoreError;
use store::inbox::Inbox;

/// The door of one kind of channel.
pub struct ListenDoor {
    desk: Desk,
    kind: model::Channel,
    adapter: Arc<dyn Channel>,
}

impl ListenDoor {
    /// The door for a kind; `None` when this build has no adapter that listens for it.
    pub fn new(desk: &Desk, kind: model::Channel) -> Option<Self> {
        let adapter = desk.channels.get(kind).filter(|adapter| adapter.listen().is_some())?;
        Some(Self { desk: desk.clone(), kind, adapter: Arc::clone(adapter) })
    }
    /// The adapter behind it.
    pub fn adapter(&self) -> &Arc<dyn Channel> {
        &self.adapter
    }

    async fn inboxes(&self) -> Result<Vec<Inbox>, StoreError> {
        let kind = self.kind;
        self.desk
            .db
            .read(move |tx| {
                let mut all = Vec::new();
                for workspace in store::workspace::list(tx)? {
                    all.extend(store::inbox::list(tx, workspace.id)?);
                }
                all.retain(|inbox: &Inbox| inbox.channel == kind && inbox.enabled);
                Ok::<_, StoreError>(all)
            })
            .await
    }

    fn takes(&self, inbox: &Inbox, address: &str) -> bool {
        let settings = settings_of(inbox);
        // A listener of ours is told every form of the address, whatever the outer server makes of plus signs.
        let own = self.adapter.own_address(&settings);
        own.is_some_and(|own| channel::OwnAddress { plus_addressing: true, ..own }.is(address))
    }

    async fn workspace_of(&self, id: InboxId) -> Result<Option<WorkspaceId>, StoreError> {
        Ok(self.inboxes().await?.into_iter().find(|inbox| inbox.id == id).map(|inbox| inbox.workspace))
    }
}

/// Settings as an adapter's pure functions want them: no secret is needed.
pub(crate) fn settings_of(inbox: &Inbox) -> InboxSettings {
    InboxSettings {
        id: inbox.id,
        channel: inbox.channel,
        name: inbox.name.clone(),
        settings: inbox.settings.clone(),
        secrets: Arc::new(NoSecrets),
    }
}

impl Door for ListenDoor {
    fn inbox_of<'a>(&'a self, address: &'a str) -> Fut<'a, Result<Option<InboxId>, SinkError>> {
        Box::pin(async move {
            let inboxes = self.inboxes().await.map_err(|error| SinkError::Closed(error.to_string()))?;
            Ok(inboxes.into_iter().find(|inbox| self.takes(inbox, address)).map(|inbox| inbox.id))
        })
    }
    fn accept<'a>(&'a self, inbox: InboxId, events: Vec<RawEvent>) -> Fut<'a, Result<(), SinkError>> {
        Box::pin(async move {
            let closed = |error: &dyn std::fmt::Display| SinkError::Closed(error.to_string());
            let workspace = self.workspace_of(inbox).await.map_err(|error| closed(&error))?;
            let workspace = workspace.ok_or_else(|| SinkError::Closed("the inbox is gone or switched off".to_owned()))?;
            let open = self.desk.directory.open(&self.desk, workspace, inbox).await.map_err(|error| closed(&error))?;
            match ingest::accept(&self.desk, workspace, &open, events).await {
                Ok(_) => Ok(()),
                Err(IngestError::Busy) => Err(SinkError::Busy),
                Err(IngestError::Broken(text)) => Err(SinkError::Closed(text)),
            }
        })
    }
}
