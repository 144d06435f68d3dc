//! Proofs: what a customer has shown, in one conversation, until when. An agent may end it at will.

use super::settings;
use crate::context::{Desk, Who};
use crate::conversation::{Locked, add_event};
use model::{Actor, ContactPointId, ConversationId, ProofId, Timestamp, WorkspaceId};
use serde_json::json;
use store::handoff_token::HandoffToken;
use store::proof::{self, Proof};
use store::{Conn, Route, StoreError};

/// Writes the proof that a used token gives, and the event entry that shows it.
pub(super) fn give(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    token: &HandoffToken,
    actor: Actor,
    name: &str,
    now: Timestamp,
) -> Result<Proof, StoreError> {
    let workspace = locked.workspace();
    let minutes = settings::find(tx, workspace)?.proof_minutes;
    let given = Proof {
        id: ProofId(0),
        conversation_id: locked.row.id,
        contact_id: token.contact_id,
        contact_point_id: token.delivered_point_id,
        level: token.level,
        token_id: Some(token.id),
        from_at: now,
        until_at: now.plus_ms(minutes * 60_000),
        ended_at: None,
        ended_by: None,
    };
    let id = proof::insert(tx, workspace, &given)?;
    let args = json!({
        "proof": id, "level": given.level, "until": given.until_at, "contact_point": given.contact_point_id, "mode": token.mode,
    });
    add_event(tx, locked, "conversation.proof_given", "proof_given", args, actor, name, now)?;
    Ok(Proof { id, ..given })
}

/// The proof that counts now.
pub async fn live_proof(desk: &Desk, workspace: WorkspaceId, id: ConversationId) -> Result<Option<Proof>, StoreError> {
    let now = desk.now();
    desk.db.read(move |tx| proof::live(tx, workspace, id, now)).await
}

/// How sure we are of the customer in a conversation now: the last entry's own level, raised by a live proof.
pub fn level_now(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    now: Timestamp,
) -> Result<(i64, Option<ContactPointId>), StoreError> {
    let last = store::entry::latest_inbound(tx, workspace, id)?;
    let said = last.as_ref().and_then(|entry| entry.proof_level).unwrap_or(0);
    let shown = proof::live(tx, workspace, id, now)?;
    Ok(match shown {
        Some(proof) if proof.level > said => (proof.level, proof.contact_point_id),
        _ => (said, last.and_then(|entry| entry.contact_point_id)),
    })
}

/// Ends what counts in a conversation; false when nothing did.
pub async fn end_proof(desk: &Desk, who: &Who, id: ConversationId) -> Result<bool, StoreError> {
    let (who, now) = (who.clone(), desk.now());
    desk.db
        .write(Route::Conversation(id), move |tx| -> Result<bool, StoreError> {
            let mut locked = Locked::lock_live(tx, who.workspace, id)?;
            let actor = Actor::Agent(who.agent);
            let ended = proof::end(tx, who.workspace, locked.row.id, now, &actor.to_string())?;
            if ended > 0 {
                add_event(tx, &mut locked, "conversation.proof_ended", "proof_ended", json!({}), actor, &who.name, now)?;
                locked.save(tx)?;
            }
            Ok(ended > 0)
        })
        .await
}
