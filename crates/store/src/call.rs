//! Calls: the closing facts of a telephone call. The entry of kind call shows them; legs, recordings and transcripts hang on it.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{CallId, ContactPointId, ConversationId, EntryId, Timestamp, WorkspaceId};

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// The conversation when it began.
    pub conversation_id: ConversationId,
    /// Its entry.
    pub entry_id: Option<EntryId>,
    /// The customer's number.
    pub contact_point_id: Option<ContactPointId>,
    /// in or out.
    pub direction: String,
    /// ringing, answered, ended, missed.
    pub state: String,
    /// SHA-256 of the provider's id.
    pub external_id: Option<String>,
    /// First ring.
    pub started_at: Timestamp,
    /// When somebody answered.
    pub answered_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

fn read(row: &Row) -> Call {
    Call {
        id: row.id(0),
        conversation_id: row.id(1),
        entry_id: row.opt_id(2),
        contact_point_id: row.opt_id(3),
        direction: row.text(4),
        state: row.text(5),
        external_id: row.opt_text(6),
        started_at: row.at(7),
        answered_at: row.opt_at(8),
        ended_at: row.opt_at(9),
    }
}

impl Call {
    /// From the first ring to the answer, or to the end when nobody answered.
    pub fn wait_ms(&self) -> i64 {
        self.answered_at.or(self.ended_at).map_or(0, |at| at.since(self.started_at).max(0))
    }
    /// From the answer to the end.
    pub fn duration_ms(&self) -> i64 {
        self.answered_at.zip(self.ended_at).map_or(0, |(from, to)| to.since(from).max(0))
    }
}

const INSERT: &str = "INSERT INTO call (workspace_id, id, conversation_id, entry_id, contact_point_id, direction, state, external_id, started_at, answered_at, ended_at, wait_ms, duration_ms, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 1)";
/// Writes a new call.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, call: &Call) -> Result<(), StoreError> {
    let c = call;
    tx.exec(
        INSERT,
        values![
            workspace,
            c.id,
            c.conversation_id,
            c.entry_id,
            c.contact_point_id,
            &c.direction,
            &c.state,
            c.external_id.clone(),
            c.started_at,
            c.answered_at,
            c.ended_at,
            c.wait_ms(),
            c.duration_ms()
        ],
    )?;
    Ok(())
}

const SAVE: &str = "UPDATE call SET state = $3, answered_at = $4, ended_at = $5, wait_ms = $6, duration_ms = $7, version = version + 1 WHERE workspace_id = $1 AND id = $2";
/// Stores state and times.
pub fn save(tx: &mut dyn Conn, workspace: WorkspaceId, call: &Call) -> Result<(), StoreError> {
    let c = call;
    match tx.exec(SAVE, values![workspace, c.id, &c.state, c.answered_at, c.ended_at, c.wait_ms(), c.duration_ms()])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const BY_EXTERNAL: &str = "SELECT id, conversation_id, entry_id, contact_point_id, direction, state, external_id, started_at, answered_at, ended_at FROM call WHERE workspace_id = $1 AND external_id = $2 AND external_id IS NOT NULL ORDER BY id LIMIT 1";
/// The call that a provider knows by this id (its SHA-256).
pub fn by_external(tx: &mut dyn Conn, workspace: WorkspaceId, external_id: &str) -> Result<Option<Call>, StoreError> {
    Ok(tx.one(BY_EXTERNAL, values![workspace, external_id])?.as_ref().map(read))
}
