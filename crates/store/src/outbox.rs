//! The way out: one outbox row per entry and receiver, one delivery row per part and attempt. A delivery row is committed
//! before the channel is called, so that a crash leaves a trace: an open row without answer is what "uncertain" means.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::many::word;
use crate::row::Row;
use crate::values;
use model::{
    ContactPointId, ConversationId, DeliveryId, EntryId, FailureClass, InboxId, OutboxId, OutboxState, Timestamp, WorkspaceId,
};

/// One outbox row.
#[derive(Clone, Debug, PartialEq)]
pub struct Outbox {
    /// Its id.
    pub id: OutboxId,
    /// What goes out.
    pub entry_id: EntryId,
    /// The conversation when it was written.
    pub conversation_id: ConversationId,
    /// Through which inbox.
    pub inbox_id: InboxId,
    /// To which address.
    pub contact_point_id: Option<ContactPointId>,
    /// Where it stands.
    pub state: OutboxState,
    /// Why, when blocked or expired.
    pub reason: Option<String>,
    /// End of the undo time.
    pub hold_until: Option<Timestamp>,
    /// The time that the agent chose.
    pub send_at: Option<Timestamp>,
    /// Grows with each manual retry.
    pub round: i64,
    /// Compare-and-set number.
    pub version: i64,
}

fn read(row: &Row) -> Outbox {
    Outbox {
        id: row.id(0),
        entry_id: row.id(1),
        conversation_id: row.id(2),
        inbox_id: row.id(3),
        contact_point_id: row.opt_id(4),
        state: word(row, 5, OutboxState::parse),
        reason: row.opt_text(6),
        hold_until: row.opt_at(7),
        send_at: row.opt_at(8),
        round: row.int(9),
        version: row.int(10),
    }
}

const INSERT: &str = "INSERT INTO outbox (workspace_id, id, entry_id, conversation_id, inbox_id, contact_point_id, state, reason, hold_until, send_at, round, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, 1)";
/// Writes a new row.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, outbox: &Outbox) -> Result<(), StoreError> {
    let o = outbox;
    tx.exec(
        INSERT,
        values![
            workspace,
            o.id,
            o.entry_id,
            o.conversation_id,
            o.inbox_id,
            o.contact_point_id,
            o.state.word(),
            o.reason.clone(),
            o.hold_until,
            o.send_at
        ],
    )?;
    Ok(())
}

const FIND: &str = "SELECT id, entry_id, conversation_id, inbox_id, contact_point_id, state, reason, hold_until, send_at, round, version FROM outbox WHERE workspace_id = $1 AND id = $2";
/// One row.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: OutboxId) -> Result<Option<Outbox>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

const OF_ENTRY: &str = "SELECT id, entry_id, conversation_id, inbox_id, contact_point_id, state, reason, hold_until, send_at, round, version FROM outbox WHERE workspace_id = $1 AND entry_id = $2 ORDER BY id";
/// The rows of an entry.
pub fn of_entry(tx: &mut dyn Conn, workspace: WorkspaceId, entry: EntryId) -> Result<Vec<Outbox>, StoreError> {
    Ok(tx.rows(OF_ENTRY, values![workspace, entry])?.iter().map(read).collect())
}

const OF_ENTRIES: &str = "SELECT id, entry_id, conversation_id, inbox_id, contact_point_id, state, reason, hold_until, send_at, round, version FROM outbox WHERE workspace_id = $1 AND entry_id";
/// The rows of these entries.
pub fn of_entries(tx: &mut dyn Conn, workspace: WorkspaceId, entries: &[EntryId]) -> Result<Vec<Outbox>, StoreError> {
    let ids: Vec<i64> = entries.iter().map(|id| id.0).collect();
    Ok(crate::many::rows_in(tx, OF_ENTRIES, " ORDER BY id", workspace, &ids, &[])?.iter().map(read).collect())
}

const SAVE: &str = "UPDATE outbox SET state = $4, reason = $5, hold_until = $6, send_at = $7, round = $8, version = version + 1 WHERE workspace_id = $1 AND id = $2 AND version = $3";
/// Stores state, reason, times and round. False when somebody else changed the row since it was read.
pub fn save(tx: &mut dyn Conn, workspace: WorkspaceId, outbox: &Outbox) -> Result<bool, StoreError> {
    let o = outbox;
    Ok(tx.exec(SAVE, values![workspace, o.id, o.version, o.state.word(), o.reason.clone(), o.hold_until, o.send_at, o.round])?
        == 1)
}

/// One attempt of one part.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Of which outbox row.
    pub outbox_id: OutboxId,
    /// Through which inbox.
    pub inbox_id: InboxId,
    /// The outbox row's round at that time.
    pub round: i64,
    /// Part, from 0.
    pub part: i64,
    /// Attempt of this part in this round, from 1.
    pub attempt: i64,
    /// How many parts the entry has.
    pub parts: i64,
    /// Rank in the lattice (channels.md 6).
    pub rank: i64,
    /// Submitted; the answer is not stored yet.
    pub open: bool,
    /// The answer never came.
    pub uncertain: bool,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// Its SHA-256.
    pub provider_key: Option<String>,
    /// Why it failed.
    pub class: Option<FailureClass>,
    /// The provider's code.
    pub code: Option<String>,
    /// In words for the agent.
    pub reason: Option<String>,
    /// Last change.
    pub changed_at: Timestamp,
}

macro_rules! delivery_columns {
    () => {
        "id, outbox_id, inbox_id, round, part, attempt, parts, rank, open, uncertain, provider_id, provider_key, class, code, reason, changed_at"
    };
}

fn read_delivery(row: &Row) -> Delivery {
    Delivery {
        id: row.id(0),
        outbox_id: row.id(1),
        inbox_id: row.id(2),
        round: row.int(3),
        part: row.int(4),
        attempt: row.int(5),
        parts: row.int(6),
        rank: row.int(7),
        open: row.bool(8),
        uncertain: row.bool(9),
        provider_id: row.opt_text(10),
        provider_key: row.opt_text(11),
        class: row.opt_str(12).and_then(FailureClass::parse),
        code: row.opt_text(13),
        reason: row.opt_text(14),
        changed_at: row.at(15),
    }
}

const INSERT_DELIVERY: &str = "INSERT INTO delivery (workspace_id, id, outbox_id, inbox_id, round, part, attempt, parts, rank, open, uncertain, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
/// Writes the trace of an attempt before it is made.
pub fn insert_delivery(tx: &mut dyn Conn, workspace: WorkspaceId, delivery: &Delivery) -> Result<(), StoreError> {
    let d = delivery;
    tx.exec(
        INSERT_DELIVERY,
        values![
            workspace,
            d.id,
            d.outbox_id,
            d.inbox_id,
            d.round,
            d.part,
            d.attempt,
            d.parts,
            d.rank,
            d.open,
            d.uncertain,
            d.changed_at
        ],
    )?;
    Ok(())
}

const SAVE_DELIVERY: &str = "UPDATE delivery SET rank = $3, open = $4, uncertain = $5, provider_id = $6, provider_key = $7, class = $8, code = $9, reason = $10, changed_at = $11 WHERE workspace_id = $1 AND id = $2 AND rank <= $3";
/// Stores what became of an attempt. Ranks only grow: false when the row stands higher already.
pub fn save_delivery(tx: &mut dyn Conn, workspace: WorkspaceId, delivery: &Delivery) -> Result<bool, StoreError> {
    let d = delivery;
    let class = d.class.map(FailureClass::word);
    let done = tx.exec(
        SAVE_DELIVERY,
        values![
            workspace,
            d.id,
            d.rank,
            d.open,
            d.uncertain,
            d.provider_id.clone(),
            d.provider_key.clone(),
            class,
            d.code.clone(),
            d.reason.clone(),
            d.changed_at
        ],
    )?;
    Ok(done == 1)
}

const OF_OUTBOX: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM delivery WHERE workspace_id = $1 AND outbox_id = $2 ORDER BY round, part, attempt"
);
/// Every attempt of an outbox row, oldest round first.
pub fn deliveries(tx: &mut dyn Conn, workspace: WorkspaceId, outbox: OutboxId) -> Result<Vec<Delivery>, StoreError> {
    Ok(tx.rows(OF_OUTBOX, values![workspace, outbox])?.iter().map(read_delivery).collect())
}

const OF_OUTBOXES: &str = concat!("SELECT ", delivery_columns!(), " FROM delivery WHERE workspace_id = $1 AND outbox_id");
/// Every attempt of these outbox rows.
pub fn deliveries_of(tx: &mut dyn Conn, workspace: WorkspaceId, outboxes: &[OutboxId]) -> Result<Vec<Delivery>, StoreError> {
    let ids: Vec<i64> = outboxes.iter().map(|id| id.0).collect();
    Ok(crate::many::rows_in(tx, OF_OUTBOXES, " ORDER BY round, part, attempt", workspace, &ids, &[])?
        .iter()
        .map(read_delivery)
        .collect())
}

const BY_PROVIDER: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM delivery WHERE workspace_id = $1 AND inbox_id = $2 AND provider_key = $3 AND provider_key IS NOT NULL ORDER BY id LIMIT 1"
);
/// The attempt that a provider knows by this id (its SHA-256), anywhere in the inbox.
pub fn by_provider_key(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    key: &str,
) -> Result<Option<Delivery>, StoreError> {
    Ok(tx.one(BY_PROVIDER, values![workspace, inbox, key])?.as_ref().map(read_delivery))
}

const PARK: &str =
    "INSERT INTO parked_state (workspace_id, id, inbox_id, provider_key, rank, code, at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
/// Keeps a state whose provider id nobody knows yet: the callback may come before our own answer is stored.
pub fn park(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    key: &str,
    rank: i64,
    code: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let id = tx.id();
    tx.exec(PARK, values![workspace, id, inbox, key, rank, code, at])?;
    Ok(())
}

const UNPARK: &str =
    "DELETE FROM parked_state WHERE workspace_id = $1 AND inbox_id = $2 AND provider_key = $3 RETURNING rank, code, at";
/// Takes the parked states of an id that became known: `(rank, code, at)`.
pub fn unpark(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    key: &str,
) -> Result<Vec<(i64, Option<String>, Timestamp)>, StoreError> {
    Ok(tx.rows(UNPARK, values![workspace, inbox, key])?.iter().map(|r| (r.int(0), r.opt_text(1), r.at(2))).collect())
}

const FORGET_PARKED: &str = "DELETE FROM parked_state WHERE workspace_id = $1 AND at < $2";
/// Drops parked states older than `before`.
pub fn forget_parked(tx: &mut dyn Conn, workspace: WorkspaceId, before: Timestamp) -> Result<u64, StoreError> {
    tx.exec(FORGET_PARKED, values![workspace, before])
}

const SCHEDULED: &str = "SELECT DISTINCT conversation_id FROM outbox WHERE workspace_id = $1 AND state = 'held' AND send_at IS NOT NULL ORDER BY conversation_id DESC LIMIT $2";
/// Conversations with something that is sent later.
pub fn scheduled_conversations(tx: &mut dyn Conn, workspace: WorkspaceId, limit: i64) -> Result<Vec<ConversationId>, StoreError> {
    Ok(tx.rows(SCHEDULED, values![workspace, limit])?.iter().map(|r| r.id(0)).collect())
}

/// Statements that list; the plans test holds them to their indexes.
pub const WALKS: [&str; 1] = [RECENT];

const RECENT: &str =
    concat!("SELECT ", delivery_columns!(), " FROM delivery WHERE workspace_id = $1 AND inbox_id = $2 ORDER BY id DESC LIMIT $3");
/// The newest attempts of an inbox.
pub fn recent_of_inbox(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    limit: i64,
) -> Result<Vec<Delivery>, StoreError> {
    Ok(tx.rows(RECENT, values![workspace, inbox, limit])?.iter().map(read_delivery).collect())
}

const LIST: &str = "SELECT id, entry_id, conversation_id, inbox_id, contact_point_id, state, reason, hold_until, send_at, round, version FROM outbox WHERE workspace_id = $1 AND id";
/// These rows.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, ids: &[OutboxId]) -> Result<Vec<Outbox>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    Ok(crate::many::rows_in(tx, LIST, " ORDER BY id", workspace, &ids, &[])?.iter().map(read).collect())
}
