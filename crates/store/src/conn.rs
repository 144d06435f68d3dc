//! What a transaction offers to the functions that know SQL. Every `fn(tx: &mut dyn Conn, ..)` runs inside a transaction
//! that somebody else opened and will close, may run twice, and touches nothing but `tx` and its arguments.

use crate::error::StoreError;
use crate::row::Row;
use crate::value::Value;
use model::{Actor, ContactId, ConversationId, EventId, Timestamp, WorkspaceId};

/// Which database is underneath. Read by `dialect.rs` and the engine only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// The embedded database in a file.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

/// An open transaction.
pub trait Conn {
    /// Which database is underneath.
    fn engine(&self) -> Engine;
    /// Runs a statement and tells how many rows it changed. Look at the number: a silent 0 is a lost race or a slip.
    fn exec(&mut self, sql: &'static str, values: &[Value]) -> Result<u64, StoreError>;
    /// All rows of a query (or of RETURNING).
    fn rows(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>, StoreError>;
    /// The first row, if any.
    fn one(&mut self, sql: &'static str, values: &[Value]) -> Result<Option<Row>, StoreError>;
    /// The next id of this node. A closure that runs again draws others and wastes these.
    fn id(&mut self) -> i64;
    /// Writes a row of the event log, numbered just before COMMIT. Gives back its id, for rows that refer to it.
    fn log(&mut self, event: Event) -> EventId;
    /// Adds to a counter, applied just before COMMIT.
    fn count(&mut self, counter: Counter, by: i64);
    /// Wakes somebody after COMMIT. Nothing is lost when this does not arrive; it only takes longer.
    fn wake(&mut self, wake: Wake);
}

/// A fact for the event log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Whose log.
    pub workspace: WorkspaceId,
    /// The conversation, contact, call or agent whose version this is; `None` for facts without a version.
    pub stream_id: Option<i64>,
    /// The version within the stream, gap-free.
    pub seq: Option<i64>,
    /// What happened, such as `conversation.status_changed`.
    pub kind: &'static str,
    /// When it happened (not when it was written down).
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The event that led to this one.
    pub cause_id: Option<EventId>,
    /// Ids and old and new values, never copies of content.
    pub payload: serde_json::Value,
}

/// The name of a counter: what is counted, and of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter {
    /// Whose counter.
    pub workspace: WorkspaceId,
    /// What is counted, such as `inbox.open`.
    pub kind: &'static str,
    /// The inbox, team, agent or queue; 0 for the whole workspace.
    pub subject_id: i64,
}

/// Who shall look again after a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wake {
    /// The workers of this priority class.
    Jobs {
        /// 0 now, 1 normal, 2 bulk.
        priority: i64,
    },
}

/// Which writer takes a write. Closures that touch the same conversation should say so: they then never wait for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// Work on one conversation.
    Conversation(ConversationId),
    /// Work on one contact, its conversation not yet known.
    Contact(ContactId),
    /// Work in one lane of jobs.
    Lane(i64),
    /// Anything else.
    Any,
}

/// What a commit did, handed to the receiver that `Db::on_commit` was given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Committed {
    /// The new head (highest `change_seq`) of each workspace that was changed, ascending by workspace.
    pub changes: Vec<(WorkspaceId, i64)>,
    /// Who shall look again, each once.
    pub wakes: Vec<Wake>,
}
