//! Facts of a conversation: name, order number, topic, what was done so far. A value that is replaced stays as a row, so
//! that "who said that?" has an answer.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{ConversationId, EntryId, FactId, Timestamp, WorkspaceId};

/// One fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Its row.
    pub id: FactId,
    /// Of which conversation.
    pub conversation_id: ConversationId,
    /// What it is about, such as `order_number`.
    pub name: String,
    /// What is known.
    pub value: String,
    /// Folded, so that the same value is not kept twice.
    pub value_key: String,
    /// agent, form, text, program, system.
    pub source: String,
    /// The entry in which it was said.
    pub entry_id: Option<EntryId>,
    /// Text of the actor who set it.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
}

fn read(row: &Row) -> Fact {
    Fact {
        id: row.id(0),
        conversation_id: row.id(1),
        name: row.text(2),
        value: row.text(3),
        value_key: row.text(4),
        source: row.text(5),
        entry_id: row.opt_id(6),
        set_by: row.text(7),
        set_at: row.at(8),
    }
}

/// Statements that list; the plans test holds them to their indexes.
pub const WALKS: [&str; 1] = [PRESENT];

const PRESENT: &str = "SELECT id, conversation_id, name, value, value_key, source, entry_id, set_by, set_at FROM fact \
     WHERE workspace_id = $1 AND conversation_id = $2 AND replaced_at IS NULL ORDER BY name, value_key LIMIT 200";
/// What counts now, by name.
pub fn of_conversation(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Vec<Fact>, StoreError> {
    Ok(tx.rows(PRESENT, values![workspace, id])?.iter().map(read).collect())
}

const INSERT: &str = "INSERT INTO fact (workspace_id, id, conversation_id, name, value, value_key, source, entry_id, set_by, set_at, replaced_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL) \
     ON CONFLICT (workspace_id, conversation_id, name, value_key) WHERE replaced_at IS NULL DO NOTHING";
/// Keeps a fact; false when exactly this is known already. Its id is drawn here.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, fact: &Fact) -> Result<bool, StoreError> {
    let (f, id) = (fact, FactId(tx.id()));
    let values =
        values![workspace, id, f.conversation_id, &f.name, &f.value, &f.value_key, &f.source, f.entry_id, &f.set_by, f.set_at];
    Ok(tx.exec(INSERT, values)? == 1)
}

const REPLACE: &str = "UPDATE fact SET replaced_at = $4 WHERE workspace_id = $1 AND conversation_id = $2 AND name = $3 \
     AND value_key <> $5 AND replaced_at IS NULL";
/// Ends the other values of a name.
pub fn replace(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    name: &str,
    value_key: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    tx.exec(REPLACE, values![workspace, id, name, now, value_key])
}

const END: &str =
    "UPDATE fact SET replaced_at = $4 WHERE workspace_id = $1 AND conversation_id = $2 AND id = $3 AND replaced_at IS NULL";
/// Ends one value; false when it did not count any more.
pub fn end(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    fact: FactId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(END, values![workspace, id, fact, now])? == 1)
}
