//! The only writer of conversation state. Every change of a conversation takes its row lock, gives the change the next
//! `seq`, writes one row of the event log with that number, and saves: so the numbers are gap-free and in lock order.

pub mod add;
pub mod change;
pub mod label;
pub mod mail;
pub mod sight;

pub use add::{NewEntry, add_entry, add_event};
pub use change::{ChangeError, Patch};

use model::{Actor, ConversationId, EntryId, EventId, Timestamp, WorkspaceId};
use store::conversation::{self, Conversation};
use store::entry::{self, Entry};
use store::{Conn, Event, StoreError};

/// A conversation whose row lock this transaction holds, being changed.
pub struct Locked {
    workspace: WorkspaceId,
    before: Conversation,
    /// The row as it will be saved.
    pub row: Conversation,
}

impl Locked {
    /// Takes the lock of an existing conversation.
    pub fn lock(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Self, StoreError> {
        let row = conversation::lock(tx, workspace, id)?;
        Ok(Self { workspace, before: row.clone(), row })
    }

    /// Takes the lock of a conversation, or of the one that it was merged into.
    pub fn lock_live(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Self, StoreError> {
        let mut locked = Self::lock(tx, workspace, id)?;
        // Merges of conversations are undone from the log, so pointers may chain; the bound only guards against a loop.
        for _ in 0..64 {
            match locked.row.merged_into {
                Some(into) => locked = Self::lock(tx, workspace, into)?,
                None => return Ok(locked),
            }
        }
        Err(StoreError::broken("a chain of merged conversations does not end"))
    }

    /// Takes the lock of the conversation in which an entry stands, and reads the entry under it: a merge or a move that
    /// was faster has taken it elsewhere.
    pub fn of_entry(tx: &mut dyn Conn, workspace: WorkspaceId, id: EntryId) -> Result<(Self, Entry), StoreError> {
        for _ in 0..8 {
            let before = entry::find(tx, workspace, id)?.ok_or(StoreError::NotFound)?;
            let locked = Self::lock(tx, workspace, before.conversation_id)?;
            let now = entry::find(tx, workspace, id)?.ok_or(StoreError::NotFound)?;
            if now.conversation_id == locked.row.id {
                return Ok((locked, now));
            }
        }
        Err(StoreError::Busy)
    }

    /// Writes a new conversation; its row is this transaction's until COMMIT.
    pub fn create(tx: &mut dyn Conn, workspace: WorkspaceId, row: Conversation) -> Result<Self, StoreError> {
        conversation::insert(tx, workspace, &row)?;
        Ok(Self { workspace, before: row.clone(), row })
    }

    /// The row as it was when the lock was taken.
    pub fn before(&self) -> &Conversation {
        &self.before
    }

    /// Whose conversation it is.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Numbers one change and writes it to the event log.
    pub fn log(
        &mut self,
        tx: &mut dyn Conn,
        kind: &'static str,
        at: Timestamp,
        actor: Actor,
        payload: serde_json::Value,
    ) -> EventId {
        self.log_because(tx, kind, at, actor, None, payload)
    }

    /// The same for a change that follows from another event.
    pub fn log_because(
        &mut self,
        tx: &mut dyn Conn,
        kind: &'static str,
        at: Timestamp,
        actor: Actor,
        cause_id: Option<EventId>,
        payload: serde_json::Value,
    ) -> EventId {
        self.row.seq += 1;
        tx.log(Event {
            workspace: self.workspace,
            stream_id: Some(self.row.id.0),
            seq: Some(self.row.seq),
            kind,
            at,
            actor,
            cause_id,
            payload,
        })
    }

    /// Stores the row and moves the counters.
    pub fn save(self, tx: &mut dyn Conn) -> Result<Conversation, StoreError> {
        conversation::save(tx, self.workspace, &self.before, &self.row)?;
        Ok(self.row)
    }
}
