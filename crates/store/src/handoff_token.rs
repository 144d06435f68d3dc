//! Hand-off tokens: links and codes that lead a customer from one channel to another, each used once. Only the hash of the
//! text is here; what a token may prove is decided by the desk.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{Channel, ContactId, ContactPointId, ConversationId, EntryId, InboxId, Timestamp, WorkspaceId};

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub struct HandoffToken {
    /// Its row; 0 before it is stored.
    pub id: i64,
    /// SHA-256 of the text, hex.
    pub token_hash: String,
    /// `link` or `code`.
    pub mode: String,
    /// The conversation that it continues.
    pub conversation_id: ConversationId,
    /// Its customer.
    pub contact_id: ContactId,
    /// The address that it was sent to.
    pub delivered_point_id: Option<ContactPointId>,
    /// The most that it may prove, 0 to 3.
    pub level: i64,
    /// Where it is meant to lead.
    pub target_channel: Option<Channel>,
    /// To which inbox there.
    pub target_inbox_id: Option<InboxId>,
    /// The message that carried it.
    pub entry_id: Option<EntryId>,
    /// Text of the actor who made it.
    pub made_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Good until then, inclusive.
    pub expires_at: Timestamp,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// By whom.
    pub used_by: Option<ContactId>,
    /// From which address.
    pub used_point_id: Option<ContactPointId>,
    /// Wrong codes typed so far.
    pub attempts: i64,
}

fn read(row: &Row) -> HandoffToken {
    HandoffToken {
        id: row.int(0),
        token_hash: row.text(1),
        mode: row.text(2),
        conversation_id: row.id(3),
        contact_id: row.id(4),
        delivered_point_id: row.opt_id(5),
        level: row.int(6),
        target_channel: row.opt_str(7).and_then(Channel::parse),
        target_inbox_id: row.opt_id(8),
        entry_id: row.opt_id(9),
        made_by: row.text(10),
        created_at: row.at(11),
        expires_at: row.at(12),
        used_at: row.opt_at(13),
        used_by: row.opt_id(14),
        used_point_id: row.opt_id(15),
        attempts: row.int(16),
    }
}

const INSERT: &str = "INSERT INTO handoff_token (workspace_id, id, token_hash, mode, conversation_id, contact_id, delivered_point_id, level, target_channel, target_inbox_id, entry_id, made_by, created_at, expires_at, used_at, attempts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0)";
/// Stores a token and answers with its row id.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, token: &HandoffToken) -> Result<i64, StoreError> {
    let (t, id) = (token, tx.id());
    tx.exec(
        INSERT,
        values![
            workspace,
            id,
            &t.token_hash,
            &t.mode,
            t.conversation_id,
            t.contact_id,
            t.delivered_point_id,
            t.level,
            t.target_channel.map(Channel::word),
            t.target_inbox_id,
            t.entry_id,
            &t.made_by,
            t.created_at,
            t.expires_at,
            t.used_at
        ],
    )?;
    Ok(id)
}

const BY_HASH: &str = "SELECT id, token_hash, mode, conversation_id, contact_id, delivered_point_id, level, target_channel, target_inbox_id, entry_id, made_by, created_at, expires_at, used_at, used_by, used_point_id, attempts FROM handoff_token WHERE workspace_id = $1 AND token_hash = $2";
/// The token of a hash, used or not.
pub fn find_hash(tx: &mut dyn Conn, workspace: WorkspaceId, token_hash: &str) -> Result<Option<HandoffToken>, StoreError> {
    Ok(tx.one(BY_HASH, values![workspace, token_hash])?.as_ref().map(read))
}

const FIND: &str = "SELECT id, token_hash, mode, conversation_id, contact_id, delivered_point_id, level, target_channel, target_inbox_id, entry_id, made_by, created_at, expires_at, used_at, used_by, used_point_id, attempts FROM handoff_token WHERE workspace_id = $1 AND id = $2";
/// The token of a row.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: i64) -> Result<Option<HandoffToken>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

const OF_CONVERSATION: &str = "SELECT id, token_hash, mode, conversation_id, contact_id, delivered_point_id, level, target_channel, target_inbox_id, entry_id, made_by, created_at, expires_at, used_at, used_by, used_point_id, attempts FROM handoff_token WHERE workspace_id = $1 AND conversation_id = $2 ORDER BY id DESC LIMIT $3";
/// Texts of this file that list, for the test that looks at their query plans.
pub const WALKS: [&str; 1] = [OF_CONVERSATION];

/// The tokens of a conversation, newest first.
pub fn of_conversation(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    limit: i64,
) -> Result<Vec<HandoffToken>, StoreError> {
    Ok(tx.rows(OF_CONVERSATION, values![workspace, id, limit])?.iter().map(read).collect())
}

const USE_ONCE: &str = "UPDATE handoff_token SET used_at = $3, used_by = $4, used_point_id = $5 WHERE workspace_id = $1 AND id = $2 AND used_at IS NULL AND expires_at >= $3";
/// Uses a token up; false when somebody was faster or its time is over.
pub fn use_once(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: i64,
    now: Timestamp,
    contact: ContactId,
    point: Option<ContactPointId>,
) -> Result<bool, StoreError> {
    Ok(tx.exec(USE_ONCE, values![workspace, id, now, contact, point])? == 1)
}

const NOTE_ENTRY: &str = "UPDATE handoff_token SET entry_id = $3 WHERE workspace_id = $1 AND id = $2";
/// Notes the message that carries a token.
pub fn note_entry(tx: &mut dyn Conn, workspace: WorkspaceId, id: i64, entry: EntryId) -> Result<(), StoreError> {
    match tx.exec(NOTE_ENTRY, values![workspace, id, entry])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const ADD_ATTEMPT: &str =
    "UPDATE handoff_token SET attempts = attempts + 1 WHERE workspace_id = $1 AND id = $2 RETURNING attempts";
/// Counts a wrong code; answers with how many there were.
pub fn add_attempt(tx: &mut dyn Conn, workspace: WorkspaceId, id: i64) -> Result<i64, StoreError> {
    Ok(tx.one(ADD_ATTEMPT, values![workspace, id])?.ok_or(StoreError::NotFound)?.int(0))
}

const OPEN_CODES: &str = "SELECT id, token_hash, mode, conversation_id, contact_id, delivered_point_id, level, target_channel, target_inbox_id, entry_id, made_by, created_at, expires_at, used_at, used_by, used_point_id, attempts FROM handoff_token WHERE workspace_id = $1 AND conversation_id = $2 AND mode = 'code' AND used_at IS NULL AND expires_at >= $3 ORDER BY id DESC LIMIT 5";
/// The codes of a conversation that can still be said, newest first.
pub fn open_codes(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    now: Timestamp,
) -> Result<Vec<HandoffToken>, StoreError> {
    Ok(tx.rows(OPEN_CODES, values![workspace, id, now])?.iter().map(read).collect())
}

const END: &str =
    "UPDATE handoff_token SET expires_at = $3 WHERE workspace_id = $1 AND id = $2 AND used_at IS NULL AND expires_at >= $3";
/// Takes a token back; false when it was used or over.
pub fn end(tx: &mut dyn Conn, workspace: WorkspaceId, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    // Good until then, inclusive: so its end lies a moment before now.
    Ok(tx.exec(END, values![workspace, id, now.plus_ms(-1)])? == 1)
}
