//! Addresses that a visitor typed to get the answer there: delivery addresses of one conversation (domain.md 5.1). They name
//! nobody and join nobody, until somebody answers from there with our mail in hands and a proven sender.

use super::mail::point_of;
use channel::{ClaimSource, ContactPointClaim};
use model::{ContactPointKind, ConversationId, MailAddress, Timestamp, WorkspaceId};
use store::{Conn, StoreError, contact_point, delivery_address};

/// Keeps an address for the answers of a conversation. False when mail cannot go there.
pub fn remember(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    conversation: ConversationId,
    address: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let address = MailAddress { name: None, address: address.trim().to_owned() };
    let Some(point) = point_of(tx, workspace, &address, now)? else { return Ok(false) };
    delivery_address::add(tx, workspace, conversation, point.id, now)?;
    Ok(true)
}

/// The addresses that were typed with a message, such as in the form before a chat.
pub fn with_message(claims: &[ContactPointClaim]) -> impl Iterator<Item = &ContactPointClaim> {
    claims
        .iter()
        .filter(|c| c.kind == ContactPointKind::Email && c.proof_level == 0 && c.source == ClaimSource::Typed && !c.disproved)
}

/// Somebody answers a mail of ours from an address that was typed into this conversation, and the sender check passed: now
/// it is the contact's own, unless somebody else has it. Called before the sender is looked up.
pub fn prove(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    conversation: ConversationId,
    from: &[ContactPointClaim],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(claim) = from.first().filter(|c| c.kind == ContactPointKind::Email && c.proof_level >= 2 && !c.disproved) else {
        return Ok(false);
    };
    let address = MailAddress { name: None, address: claim.value.clone() };
    let Some(point) = point_of(tx, workspace, &address, now)? else { return Ok(false) };
    if delivery_address::find(tx, workspace, conversation, point.id)?.is_none()
        || !contact_point::owners(tx, workspace, point.id)?.is_empty()
    {
        return Ok(false);
    }
    let Some(row) = store::conversation::find(tx, workspace, conversation)? else { return Ok(false) };
    let level = i64::from(claim.proof_level);
    contact_point::own(tx, workspace, point.id, row.contact_id, level, "reply_token", "sender", now)?;
    Ok(true)
}
