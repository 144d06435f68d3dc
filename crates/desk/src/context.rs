//! What every desk function is given: the store, the blobs, the adapters, the clock, randomness and keys; and who asks.

use crate::directory::Directory;
use crate::numbers::Numbers;
use model::{AgentId, Clock, Random, Role, Timestamp, WorkspaceId};
use std::sync::Arc;

/// Everything that a desk function may use. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    /// The truth.
    pub db: store::Db,
    /// Attachments and large raw events.
    pub blobs: blob::Blobs,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, also for secrets.
    pub random: Arc<dyn Random>,
    /// Keys for tokens, secrets and signed addresses.
    pub keys: Arc<keys::Keys>,
    /// The adapters.
    pub channels: channel::Registry,
    /// Wakes browsers and workers.
    pub bus: bus::Bus,
    /// What stands before set-up and sign-in.
    pub gate: crate::people::Gate,
    /// Finds entries and contacts by words.
    pub search: store::search::Search,
    /// Inboxes as adapters want them, kept in memory.
    pub directory: Directory,
    /// How fast each inbox may send.
    pub pace: crate::outbox::pace::Pace,
    /// Numbers for new conversations, reserved in blocks.
    pub numbers: Numbers,
    /// Which visitors have the widget open.
    pub visitors: crate::presence::Visitors,
    /// Says how alike topics are.
    pub topics: Arc<dyn crate::placement::topic::Topics>,
}

impl Desk {
    /// The time now: read once per request or job and passed on.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// An agent who asks for something, as the sign-in proved it.
#[derive(Clone, Debug, PartialEq)]
pub struct Who {
    /// The workspace of the login session.
    pub workspace: WorkspaceId,
    /// The agent.
    pub agent: AgentId,
    /// Their name now.
    pub name: String,
    /// Their rights.
    pub role: Role,
}

/// How a job ended; the wiring in `server` turns it into what the queue does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// Done; the queue removes the job.
    Done,
    /// Done; the job removed its own row in the transaction of its work.
    DoneInTx,
    /// May work later, by the usual schedule.
    Retry(String),
    /// Run again at this time.
    RetryAt(Timestamp),
    /// Will never work; an admin sees the reason.
    GiveUp(String),
}

impl From<store::StoreError> for JobEnd {
    fn from(error: store::StoreError) -> Self {
        Self::Retry(error.to_string())
    }
}
