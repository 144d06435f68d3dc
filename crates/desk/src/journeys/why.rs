//! "Why is this here?", "Is this about #4812?", and what would become of an event that has not happened.

use super::apply::Context;
use super::arrival::{Arrival, weigh};
use super::enclosed;
use crate::context::{Desk, Who};
use crate::conversation::label::{self, LabelError};
use crate::people::rights::may_set_up_workspace;
use crate::placement::Placement;
use channel::InboundMessage;
use model::{Actor, ContactId, ConversationId, DecisionId, EntryId, InboxId, ProviderEventId, Timestamp};
use serde_json::json;
use std::sync::Arc;
use store::entry::{self, Decision};
use store::{Conn, Event, Route, StoreError, provider_event};

/// The decision behind an entry; none for what agents wrote.
pub async fn why(desk: &Desk, who: &Who, id: EntryId) -> Result<Option<Decision>, StoreError> {
    let workspace = who.workspace;
    desk.db.read(move |tx| entry::decision_of(tx, workspace, id.0)).await
}

/// The decision that kept an event from becoming an entry.
pub async fn why_not(desk: &Desk, who: &Who, id: ProviderEventId) -> Result<Option<Decision>, StoreError> {
    let workspace = who.workspace;
    desk.db.read(move |tx| entry::decision_of(tx, workspace, id.0)).await
}

/// The conversations that an agent may choose between: those that fitted as well, and for a provisional call its own.
pub fn choices(decision: &Decision) -> Vec<ConversationId> {
    let placement = &decision.trace["placement"];
    let ids = |list: &serde_json::Value| -> Vec<ConversationId> {
        list.as_array().into_iter().flatten().filter_map(|id| ConversationId::parse(id.as_str()?).ok()).collect()
    };
    let mut all = ids(&placement["candidates"]);
    if placement["provisional"] == json!(true) {
        all.extend(placement["action"]["append"].as_str().and_then(|id| ConversationId::parse(id).ok()));
    }
    all
}

/// What an agent says to "Is this about #4812?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Yes, it belongs there.
    There(ConversationId),
    /// It is something new.
    New,
}

/// Which rule said no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChoiceError {
    /// No such entry, or nothing was asked about it.
    #[error("nothing was asked about this entry")]
    NotAsked,
    /// It was answered before.
    #[error("this was answered before")]
    Answered,
    /// Not one of those that were offered.
    #[error("choose one of the conversations that were offered")]
    NotOffered,
    /// The move itself was refused.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts an entry where the agent says it belongs, by labels, so that it can be undone; answers with its conversation.
pub async fn choose(desk: &Desk, who: &Who, id: EntryId, choice: Choice) -> Result<ConversationId, ChoiceError> {
    let workspace = who.workspace;
    let (found, decision) = desk
        .db
        .read(move |tx| -> Result<_, StoreError> {
            Ok((entry::find(tx, workspace, id)?, entry::decision_of(tx, workspace, id.0)?))
        })
        .await?;
    let (Some(found), Some(decision)) = (found, decision) else { return Err(ChoiceError::NotAsked) };
    let offered = choices(&decision);
    if offered.is_empty() {
        return Err(ChoiceError::NotAsked);
    }
    if decision.answer.is_some() {
        return Err(ChoiceError::Answered);
    }
    let here = found.conversation_id;
    let provisional = decision.trace["placement"]["provisional"] == json!(true);
    let to = match choice {
        Choice::There(to) if !offered.contains(&to) => return Err(ChoiceError::NotOffered),
        Choice::There(to) if to == here => here,
        // It began a conversation of its own: all of it goes along.
        Choice::There(to) if !provisional => label::merge(desk, who, here, to, false).await?.conversation_id,
        Choice::There(to) => label::move_entry(desk, who, id, to, false).await?.conversation_id,
        Choice::New if provisional => label::split(desk, who, here, vec![id], false).await?.conversation_id,
        Choice::New => here,
    };
    note(desk, who, decision.id, id, here, to).await?;
    Ok(to)
}

async fn note(
    desk: &Desk,
    who: &Who,
    decision: DecisionId,
    id: EntryId,
    from: ConversationId,
    to: ConversationId,
) -> Result<(), ChoiceError> {
    let (now, who) = (desk.now(), who.clone());
    let noted = desk
        .db
        .write(Route::Conversation(to), move |tx| -> Result<bool, StoreError> {
            let actor = Actor::Agent(who.agent);
            let first = entry::answer_decision(tx, who.workspace, decision, &to.to_string(), &actor.to_string(), now)?;
            if first {
                // What was right and what was wrong is what thresholds are tuned by.
                tx.log(Event {
                    workspace: who.workspace,
                    stream_id: None,
                    seq: None,
                    kind: "placement.answered",
                    at: now,
                    actor,
                    cause_id: None,
                    payload: json!({"entry": id, "from": from, "to": to}),
                });
            }
            Ok(first)
        })
        .await?;
    if noted { Ok(()) } else { Err(ChoiceError::Answered) }
}

/// What would become of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsed {
    /// The contact, or none: a new one.
    pub contact: Option<ContactId>,
    /// How sure, 0 to 3.
    pub proof_level: i64,
    /// The decision.
    pub placement: Placement,
    /// Contacts that may be the same person.
    pub suggest: Vec<ContactId>,
    /// Anonymous contacts that would join.
    pub joins: Vec<ContactId>,
    /// Flags of both.
    pub flags: Vec<String>,
    /// The whole trace.
    pub trace: serde_json::Value,
    /// The same event was taken in before: nothing at all would happen.
    pub duplicate: bool,
}

/// Why a rehearsal was refused.
#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    /// The role has not this right.
    #[error("this needs more rights")]
    NotAllowed,
    /// No such inbox, or none that works.
    #[error("there is no such inbox")]
    NoInbox,
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Answers what would become of a message, with the same functions and on the live rows. It only reads.
pub async fn rehearse(
    desk: &Desk,
    who: &Who,
    inbox: InboxId,
    message: InboundMessage,
    at: Timestamp,
) -> Result<Rehearsed, RehearsalError> {
    if !may_set_up_workspace(who.role) {
        return Err(RehearsalError::NotAllowed);
    }
    let open = desk.directory.open(desk, who.workspace, inbox).await.map_err(|error| match error {
        crate::directory::DirectoryError::Store(error) => RehearsalError::Store(error),
        _ => RehearsalError::NoInbox,
    })?;
    let (workspace, keys, topics) = (who.workspace, Arc::clone(&desk.keys), Arc::clone(&desk.topics));
    let done = desk.db.read(move |tx: &mut dyn Conn| -> Result<Rehearsed, StoreError> {
        let context = Context {
            workspace,
            inbox: &open,
            received_at: at,
            now: at,
            number: None,
            let_in: false,
            files: &enclosed::Files::default(),
            keys: &keys,
            topics: &*topics,
            event: ProviderEventId(0),
        };
        let arrival = Arrival::of_message(&context, &message, false);
        let weighed = weigh(tx, &context, &arrival, false)?;
        let duplicate =
            !message.provider_id.is_empty() && provider_event::find_key(tx, workspace, inbox, &message.provider_id)?.is_some();
        let matched = &weighed.sender.matched;
        let mut flags: Vec<String> = matched.flags.iter().chain(&weighed.flags).map(|f| (*f).to_owned()).collect();
        flags.dedup();
        Ok(Rehearsed {
            contact: matched.contact,
            proof_level: matched.proof_level,
            suggest: matched.suggest.clone(),
            joins: matched.joins.clone(),
            flags,
            trace: weighed.trace,
            placement: weighed.placement,
            duplicate,
        })
    });
    Ok(done.await?)
}
