//! Addresses for the answers of one conversation: typed by a visitor, proven by nobody, owned by no contact (domain.md 5.1).

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{ContactPointId, ConversationId, DeliveryAddressId, Timestamp, WorkspaceId};

/// One such address.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryAddress {
    /// Its id.
    pub id: DeliveryAddressId,
    /// For the answers of this conversation.
    pub conversation_id: ConversationId,
    /// The address; usually without owner.
    pub contact_point_id: ContactPointId,
    /// When it was typed.
    pub added_at: Timestamp,
}

fn of_row(row: &Row) -> DeliveryAddress {
    DeliveryAddress { id: row.id(0), conversation_id: row.id(1), contact_point_id: row.id(2), added_at: row.at(3) }
}

const ADD: &str = "INSERT INTO delivery_address (workspace_id, id, conversation_id, contact_point_id, added_at) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (workspace_id, conversation_id, contact_point_id) DO UPDATE SET added_at = excluded.added_at";
/// Adds one, or moves a known one to the end.
pub fn add(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    conversation: ConversationId,
    point: ContactPointId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = tx.id();
    tx.exec(ADD, values![workspace, id, conversation, point, now])?;
    Ok(())
}

const OF_CONVERSATION: &str = "SELECT id, conversation_id, contact_point_id, added_at FROM delivery_address WHERE workspace_id = $1 AND conversation_id = $2 ORDER BY contact_point_id";
/// The addresses of a conversation, the last typed one first.
pub fn of_conversation(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    conversation: ConversationId,
) -> Result<Vec<DeliveryAddress>, StoreError> {
    let mut all: Vec<DeliveryAddress> = tx.rows(OF_CONVERSATION, values![workspace, conversation])?.iter().map(of_row).collect();
    all.sort_by_key(|address| std::cmp::Reverse((address.added_at, address.id)));
    Ok(all)
}

const FIND: &str = "SELECT id, conversation_id, contact_point_id, added_at FROM delivery_address WHERE workspace_id = $1 AND conversation_id = $2 AND contact_point_id = $3";
/// Is this address one of that conversation?
pub fn find(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    conversation: ConversationId,
    point: ContactPointId,
) -> Result<Option<DeliveryAddress>, StoreError> {
    Ok(tx.one(FIND, values![workspace, conversation, point])?.as_ref().map(of_row))
}
