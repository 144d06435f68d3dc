//! Inboxes as adapters want them: settings, opened secrets and the adapter itself, kept in memory for two seconds so that a
//! message costs no look-up. A change of settings on this node forgets at once; another node notices within the two seconds.

use crate::context::Desk;
use crate::settings::rules::{self, Rules};
use channel::{Channel, InboxSettings, NoSecrets, OwnAddress};
use model::{InboxId, Timestamp, WorkspaceId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use store::StoreError;
use store::inbox::Inbox;

const FRESH_MS: i64 = 2_000;

/// One inbox, ready for its adapter.
pub struct OpenInbox {
    /// The row.
    pub inbox: Inbox,
    /// What the adapter is told.
    pub settings: Arc<InboxSettings>,
    /// The adapter.
    pub channel: Arc<dyn Channel>,
    /// Windows and thresholds of the workspace.
    pub rules: Arc<Rules>,
    /// The addresses of all inboxes of the workspace.
    pub own: Arc<Vec<OwnAddress>>,
}

/// Why an inbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// There is none with this id.
    #[error("there is no such inbox")]
    NotFound,
    /// No adapter for its channel in this build.
    #[error("this build has no adapter for the channel {0}")]
    NoAdapter(model::Channel),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Kept = HashMap<(WorkspaceId, InboxId), (Timestamp, Arc<OpenInbox>)>;

/// The inboxes in memory.
#[derive(Clone, Default)]
pub struct Directory(Arc<RwLock<Kept>>);

impl Directory {
    /// The inbox of an id.
    pub async fn open(&self, desk: &Desk, workspace: WorkspaceId, id: InboxId) -> Result<Arc<OpenInbox>, DirectoryError> {
        let now = desk.now();
        if let Some((at, open)) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&(workspace, id))
            && (0..FRESH_MS).contains(&now.since(*at))
        {
            return Ok(Arc::clone(open));
        }
        let keys = Arc::clone(&desk.keys);
        let found = desk
            .db
            .read(move |tx| -> Result<_, StoreError> {
                let Some(inbox) = store::inbox::find(tx, workspace, id)? else { return Ok(None) };
                let secrets = crate::settings::open_secrets(tx, &keys, workspace, id, now)?;
                let (rules, inboxes) = (rules::find(tx, workspace)?, store::inbox::list(tx, workspace)?);
                Ok(Some((inbox, secrets, rules, inboxes)))
            })
            .await?;
        let (inbox, secrets, rules, inboxes) = found.ok_or(DirectoryError::NotFound)?;
        let channel = desk.channels.get(inbox.channel).cloned().ok_or(DirectoryError::NoAdapter(inbox.channel))?;
        let settings = InboxSettings {
            id: inbox.id,
            channel: inbox.channel,
            name: inbox.name.clone(),
            settings: inbox.settings.clone(),
            secrets: secrets.bind(desk, workspace, inbox.id),
        };
        let (rules, own) = (Arc::new(Rules::new(rules)), Arc::new(own_addresses(desk, &inboxes)));
        let open = Arc::new(OpenInbox { inbox, settings: Arc::new(settings), channel, rules, own });
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert((workspace, id), (now, Arc::clone(&open)));
        Ok(open)
    }

    /// Forgets everything: the next use reads again. Called by whoever changes an inbox or its secrets.
    pub fn forget(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn own_addresses(desk: &Desk, inboxes: &[Inbox]) -> Vec<OwnAddress> {
    let settings = |inbox: &Inbox| InboxSettings {
        id: inbox.id,
        channel: inbox.channel,
        name: inbox.name.clone(),
        settings: inbox.settings.clone(),
        secrets: Arc::new(NoSecrets),
    };
    inboxes.iter().filter_map(|inbox| desk.channels.get(inbox.channel)?.own_address(&settings(inbox))).collect()
}
