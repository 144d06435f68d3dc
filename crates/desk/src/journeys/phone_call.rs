//! A phone call, as far as it is an entry of the timeline: ringing places it and writes the entry, answer and end fill in
//! the facts. Legs, flows, recording and transfer come with the voice adapter; the row and the entry are theirs to extend.

use super::apply::{Applied, Context};
use super::arrival::{Arrival, weigh};
use super::message::{enter, remember_orders, take_part, use_handoff, without_entry};
use crate::conversation::Locked;
use crate::conversation::add::{NewEntry, add_entry};
use crate::identity;
use crate::identity::resolve::settle;
use crate::outbox::receipt;
use channel::{CallEvent, CallFact};
use model::parts::CallBody;
use model::{Actor, Body, CallId, Channel, EntryKind};
use serde_json::json;
use store::call::{self, Call};
use store::{Conn, StoreError, entry};

/// Applies one fact of a call.
pub fn apply(tx: &mut dyn Conn, context: &Context<'_>, event: &CallEvent) -> Result<Applied, StoreError> {
    let external_id = receipt::provider_key(&format!("{} {}", context.inbox.inbox.id, event.call));
    let known = call::by_external(tx, context.workspace, &external_id)?;
    match (known, event.fact) {
        (None, CallFact::Ringing) => ring(tx, context, event, external_id),
        (Some(found), fact) => go_on(tx, context, event, found, fact),
        // Answer or end of a call whose ring never reached us: it was a call all the same.
        (None, fact) => {
            let first = ring(tx, context, event, external_id.clone())?;
            match call::by_external(tx, context.workspace, &external_id)? {
                Some(found) => Ok(first.and(go_on(tx, context, event, found, fact)?)),
                None => Ok(first),
            }
        }
    }
}

fn ring(tx: &mut dyn Conn, context: &Context<'_>, event: &CallEvent, external_id: String) -> Result<Applied, StoreError> {
    let workspace = context.workspace;
    let arrival = Arrival::of_call(event);
    let weighed = weigh(tx, context, &arrival, true)?;
    if let Some(ended) = without_entry(tx, context, &weighed)? {
        return Ok(ended);
    }
    let resolved = settle(tx, workspace, &arrival.claims, &weighed.sender, context.now)?;
    use_handoff(tx, context, &weighed, &resolved)?;
    let (mut locked, silent, used_number) = enter(tx, context, &weighed, &resolved.contact)?;
    take_part(tx, context, &mut locked, &weighed, &resolved)?;
    let id = CallId(tx.id());
    let mut row = Call {
        id,
        conversation_id: locked.row.id,
        entry_id: None,
        contact_point_id: resolved.point,
        direction: "in".to_owned(),
        state: "ringing".to_owned(),
        external_id: Some(external_id),
        started_at: event.at,
        answered_at: None,
        ended_at: None,
    };
    let name = identity::display_name(&resolved.contact);
    let mut trace = weighed.trace.clone();
    trace["identity"] = resolved.trace.clone();
    let mut flags = resolved.flags.clone();
    flags.extend(weighed.flags.iter().map(|f| (*f).to_owned()));
    let new = NewEntry {
        kind: EntryKind::Call,
        contact_point_id: resolved.point,
        proof_level: Some(resolved.proof_level),
        silent,
        flags,
        decision: Some((weighed.placement.rule.to_owned(), trace)),
        ..NewEntry::inbound(resolved.owner, Channel::Voice, context.inbox.inbox.id, event.at, name, body(&row))
    };
    let added = add_entry(tx, &mut locked, new, context.now)?;
    remember_orders(&mut locked, &arrival.orders);
    row.entry_id = Some(added.id);
    call::insert(tx, workspace, &row)?;
    locked.save(tx)?;
    Ok(Applied::entry(added.id, used_number))
}

fn body(call: &Call) -> Body {
    let call = CallBody { id: call.id, state: call.state.clone(), duration_ms: call.duration_ms(), wait_ms: call.wait_ms() };
    Body { call: Some(call), ..Body::default() }
}

fn go_on(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    event: &CallEvent,
    mut found: Call,
    fact: CallFact,
) -> Result<Applied, StoreError> {
    match fact {
        CallFact::Ringing => return Ok(Applied { reason: Some("repeat".to_owned()), ..Applied::nothing() }),
        CallFact::Answered if found.answered_at.is_some() || found.ended_at.is_some() => return Ok(Applied::nothing()),
        CallFact::Ended if found.ended_at.is_some() => return Ok(Applied::nothing()),
        CallFact::Answered => {
            found.answered_at = Some(event.at);
            found.state = "answered".to_owned();
        }
        CallFact::Ended => {
            found.ended_at = Some(event.at);
            found.state = if found.answered_at.is_some() { "ended" } else { "missed" }.to_owned();
        }
    }
    call::save(tx, context.workspace, &found)?;
    let Some(id) = found.entry_id else { return Ok(Applied::nothing()) };
    let (mut locked, mut shown) = Locked::of_entry(tx, context.workspace, id)?;
    let kind = if fact == CallFact::Answered { "call.answered" } else { "call.ended" };
    locked.log(tx, kind, event.at, Actor::System, json!({"entry": id, "call": found.id, "state": found.state}));
    shown.seq = locked.row.seq;
    shown.body = body(&found);
    entry::set_body(tx, context.workspace, &shown)?;
    locked.row.public_seq = shown.seq;
    if found.answered_at.is_some() {
        // An answered call is a human response.
        locked.row.waiting_since = None;
    }
    locked.save(tx)?;
    Ok(Applied { entry: Some(id), ..Applied::nothing() })
}
