//! Proof for a while: which address proved who a customer is, in one conversation, until when.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{ContactId, ContactPointId, ConversationId, ProofId, Timestamp, WorkspaceId};

/// One proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// Its row.
    pub id: ProofId,
    /// Where it is valid.
    pub conversation_id: ConversationId,
    /// Of whom.
    pub contact_id: ContactId,
    /// The address that proved it.
    pub contact_point_id: Option<ContactPointId>,
    /// 2 or 3.
    pub level: i64,
    /// The link or code behind it.
    pub token_id: Option<i64>,
    /// Since when.
    pub from_at: Timestamp,
    /// Until when.
    pub until_at: Timestamp,
    /// When somebody ended it before.
    pub ended_at: Option<Timestamp>,
    /// Text of the actor who did.
    pub ended_by: Option<String>,
}

fn read(row: &Row) -> Proof {
    Proof {
        id: row.id(0),
        conversation_id: row.id(1),
        contact_id: row.id(2),
        contact_point_id: row.opt_id(3),
        level: row.int(4),
        token_id: row.opt_int(5),
        from_at: row.at(6),
        until_at: row.at(7),
        ended_at: row.opt_at(8),
        ended_by: row.opt_text(9),
    }
}

/// Statements that list; the plans test holds them to their indexes.
pub const WALKS: [&str; 1] = [OF_CONVERSATION];

const INSERT: &str = "INSERT INTO proof (workspace_id, id, conversation_id, contact_id, contact_point_id, level, token_id, from_at, until_at, ended_at, ended_by) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, NULL)";
/// Keeps a proof; its id is drawn here.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, proof: &Proof) -> Result<ProofId, StoreError> {
    let (p, id) = (proof, ProofId(tx.id()));
    let values =
        values![workspace, id, p.conversation_id, p.contact_id, p.contact_point_id, p.level, p.token_id, p.from_at, p.until_at];
    tx.exec(INSERT, values)?;
    Ok(id)
}

const OF_CONVERSATION: &str = "SELECT id, conversation_id, contact_id, contact_point_id, level, token_id, from_at, until_at, ended_at, ended_by \
     FROM proof WHERE workspace_id = $1 AND conversation_id = $2 ORDER BY id DESC LIMIT 50";
/// The last proofs of a conversation, newest first.
pub fn of_conversation(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Vec<Proof>, StoreError> {
    Ok(tx.rows(OF_CONVERSATION, values![workspace, id])?.iter().map(read).collect())
}

/// The strongest proof that counts now.
pub fn live(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId, now: Timestamp) -> Result<Option<Proof>, StoreError> {
    let all = of_conversation(tx, workspace, id)?;
    let counts = all.into_iter().filter(|proof| proof.ended_at.is_none() && proof.until_at > now);
    Ok(counts.max_by_key(|proof| (proof.level, proof.until_at)))
}

const END: &str = "UPDATE proof SET ended_at = $3, ended_by = $4 WHERE workspace_id = $1 AND conversation_id = $2 AND ended_at IS NULL AND until_at > $3";
/// Ends what counts in a conversation; how many there were.
pub fn end(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId, now: Timestamp, by: &str) -> Result<u64, StoreError> {
    tx.exec(END, values![workspace, id, now, by])
}
