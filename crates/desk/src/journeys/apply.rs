//! Applies one understood event inside the transaction of its job: who, where, what, and the follow-ups.

use super::arrival::live_row;
use super::message::{echo, message_in};
use super::{enclosed, phone_call};
use crate::conversation::Locked;
use crate::conversation::add::add_event;
use crate::directory::OpenInbox;
use crate::identity::normal::Spelling;
use crate::identity::{self, resolve};
use crate::outbox::receipt;
use crate::placement::topic::Topics;
use crate::reply::typed;
use channel::{ClaimEvent, ContactPointClaim, InboundEvent, InboundMessage, OptScope, UpTo, WatermarkKind};
use model::{
    Actor, Audience, Body, ContactPointKind, ConversationId, DeliveryState, EntryId, Health, Outcome, ProviderEventId, Timestamp,
    WorkspaceId,
};
use serde_json::json;
use store::{Conn, Event, StoreError, contact, contact_point, conversation, entry};

const CLAIMED_COUNT_MAX: usize = 50;

/// What every step of one event is told.
pub struct Context<'a> {
    /// Whose event.
    pub workspace: WorkspaceId,
    /// Where it came in.
    pub inbox: &'a OpenInbox,
    /// When it came in.
    pub received_at: Timestamp,
    /// The time now.
    pub now: Timestamp,
    /// A number for a new conversation, reserved before the transaction.
    pub number: Option<i64>,
    /// Somebody let it in although a rule had kept it out.
    pub let_in: bool,
    /// Files that lay inside the raw event.
    pub files: &'a enclosed::Files,
    /// Keys that check signed ids of ours.
    pub keys: &'a keys::Keys,
    /// Says how alike topics are.
    pub topics: &'a dyn Topics,
    /// The stored raw event.
    pub event: ProviderEventId,
}

impl Context<'_> {
    /// How numbers are spelt where the event came in.
    pub fn spelling(&self) -> Spelling {
        Spelling::of_country(self.inbox.rules.country(self.inbox.inbox.id)).on(self.inbox.inbox.channel)
    }
}

/// How an event ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Entry, state, dropped or quarantined.
    pub outcome: Outcome,
    /// The rule, when nothing came of it.
    pub reason: Option<String>,
    /// What came of it.
    pub entry: Option<EntryId>,
    /// A new conversation took the reserved number.
    pub used_number: bool,
}

impl Applied {
    /// An event without any consequence.
    pub fn nothing() -> Self {
        Self { outcome: Outcome::State, reason: None, entry: None, used_number: false }
    }
    pub(super) fn dropped(reason: &str) -> Self {
        Self { outcome: Outcome::Dropped, reason: Some(reason.to_owned()), ..Self::nothing() }
    }
    pub(super) fn quarantined(reason: &str) -> Self {
        Self { outcome: Outcome::Quarantined, reason: Some(reason.to_owned()), ..Self::nothing() }
    }
    pub(super) fn entry(id: EntryId, used_number: bool) -> Self {
        Self { outcome: Outcome::Entry, entry: Some(id), used_number, reason: None }
    }
    /// One raw event may hold several: an entry outranks the rest, a quarantine outranks a drop.
    pub fn and(self, other: Self) -> Self {
        let rank = |o: Outcome| match o {
            Outcome::State => 0,
            Outcome::Dropped => 1,
            Outcome::Quarantined => 2,
            Outcome::Entry => 3,
        };
        let used_number = self.used_number || other.used_number;
        let more = if rank(other.outcome) > rank(self.outcome) { other } else { self };
        Self { used_number, ..more }
    }
}

/// True for events that may need a conversation number.
pub fn may_open_a_conversation(event: &InboundEvent) -> bool {
    matches!(event, InboundEvent::Message(_) | InboundEvent::Echo(_) | InboundEvent::Call(_) | InboundEvent::Unsupported { .. })
}

/// Applies one event.
pub fn apply(tx: &mut dyn Conn, context: &Context<'_>, event: &InboundEvent) -> Result<Applied, StoreError> {
    let (workspace, inbox) = (context.workspace, context.inbox.inbox.id);
    match event {
        InboundEvent::Message(message) => message_in(tx, context, message),
        InboundEvent::Echo(message) => echo(tx, context, message),
        InboundEvent::Delivery { provider_id, state, at: _, code, cost: _ } => {
            let known = receipt::report(tx, workspace, inbox, provider_id, *state, code.clone(), context.now)?;
            Ok(Applied { reason: (!known).then(|| "parked".to_owned()), ..Applied::nothing() })
        }
        InboundEvent::Watermark { kind, external_conversation, up_to } => {
            watermark(tx, context, *kind, external_conversation, *up_to)
        }
        InboundEvent::Edit { provider_id, message } => edit(tx, context, provider_id, Some(&message.text)),
        InboundEvent::Delete { provider_id } => edit(tx, context, provider_id, None),
        InboundEvent::Reaction { provider_id, from, emoji } => reaction(tx, context, provider_id, from, emoji.as_deref()),
        InboundEvent::OptOut { from, scope } => opt(tx, context, from, *scope, Health::OptedOut),
        InboundEvent::OptIn { from, scope } => opt(tx, context, from, *scope, Health::Ok),
        InboundEvent::ContactPointChanged { old, new } => point_changed(tx, context, old, new),
        InboundEvent::Claim(claim) => claimed(tx, context, claim),
        InboundEvent::Account { code, text } => {
            log_inbox(tx, context, "inbox.account", json!({"inbox": inbox, "code": code, "text": text}));
            Ok(Applied::nothing())
        }
        InboundEvent::Template { name, state } => {
            log_inbox(tx, context, "inbox.template", json!({"inbox": inbox, "name": name, "state": state}));
            Ok(Applied::nothing())
        }
        InboundEvent::Call(call) => phone_call::apply(tx, context, call),
        // Typing never enters the database; whoever sends it here still gets an end for the raw event.
        InboundEvent::Typing { .. } => Ok(Applied::nothing()),
        InboundEvent::Unsupported { kind, from, external_conversation } if !from.is_empty() => {
            message_in(tx, context, &unsupported(context, kind, from, external_conversation.as_deref()))
        }
        InboundEvent::Unsupported { kind, .. } => {
            Ok(Applied { reason: Some(format!("unsupported: {kind}")), ..Applied::nothing() })
        }
    }
}

fn log_inbox(tx: &mut dyn Conn, context: &Context<'_>, kind: &'static str, payload: serde_json::Value) {
    tx.log(Event {
        workspace: context.workspace,
        stream_id: None,
        seq: None,
        kind,
        at: context.now,
        actor: Actor::System,
        cause_id: None,
        payload,
    });
}

/// Something we cannot read, from somebody we can name: the agent sees that it came.
fn unsupported(context: &Context<'_>, kind: &str, from: &[ContactPointClaim], conversation: Option<&str>) -> InboundMessage {
    InboundMessage {
        provider_id: String::new(),
        external_conversation: conversation.unwrap_or_default().to_owned(),
        from: from.to_vec(),
        sent_at: Some(context.received_at),
        parts: vec![channel::Part::Unsupported { what: kind.to_owned() }],
        ..InboundMessage::default()
    }
}

/// Applies a watermark to every live conversation in which this customer is on this channel.
fn watermark(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    kind: WatermarkKind,
    external: &str,
    up_to: UpTo,
) -> Result<Applied, StoreError> {
    let workspace = context.workspace;
    let state = match kind {
        WatermarkKind::Delivered => DeliveryState::Delivered,
        WatermarkKind::Read => DeliveryState::Read,
    };
    let channel = context.inbox.inbox.channel;
    let conversations = match up_to {
        UpTo::Time(_) => conversations_of(tx, context, external)?,
        // A seq belongs to one conversation: the one that the widget shows.
        UpTo::Seq(_) => shown_conversation(tx, context, external)?.into_iter().collect(),
    };
    let mut reached = 0;
    for id in conversations {
        reached += receipt::watermark(tx, workspace, id, channel, up_to, state, context.now)?;
    }
    Ok(Applied { reason: (reached == 0).then(|| "nothing_new".to_owned()), ..Applied::nothing() })
}

/// The conversation with the newest entry of this external conversation's contact point: what a visitor's widget shows.
fn shown_conversation(tx: &mut dyn Conn, context: &Context<'_>, external: &str) -> Result<Option<ConversationId>, StoreError> {
    let workspace = context.workspace;
    let Some(point) = point_of_external(tx, context, external)? else { return Ok(None) };
    let mut newest = None;
    for owner in contact_point::owners(tx, workspace, point)? {
        for id in contact::merged_set(tx, workspace, owner.live_id)? {
            let latest = entry::latest_of_point(tx, workspace, id, point)?;
            newest = [newest, latest].into_iter().flatten().max_by_key(|(_, at)| *at);
        }
    }
    let Some((id, _)) = newest else { return Ok(None) };
    Ok(live_row(tx, workspace, id)?.map(|row| row.id))
}

/// The live conversations of the contact behind an external conversation, latest first.
fn conversations_of(tx: &mut dyn Conn, context: &Context<'_>, external: &str) -> Result<Vec<ConversationId>, StoreError> {
    let workspace = context.workspace;
    let Some(point) = point_of_external(tx, context, external)? else { return Ok(vec![]) };
    let Some(owner) = contact_point::owners(tx, workspace, point)?.into_iter().next() else { return Ok(vec![]) };
    let set = contact::merged_set(tx, workspace, owner.live_id)?;
    let rows = conversation::of_contacts(tx, workspace, &set, 20)?;
    Ok(rows.into_iter().filter(|c| c.merged_into.is_none()).map(|c| c.id).collect())
}

/// The contact point that an adapter names as an external conversation: the visitor, chat or page-scoped id of this inbox.
fn point_of_external(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    external: &str,
) -> Result<Option<model::ContactPointId>, StoreError> {
    let scopes = [context.inbox.inbox.id.to_string(), String::new()];
    for kind in ContactPointKind::ALL {
        for scope in &scopes {
            let key = contact_point::PointKey { kind: *kind, scope: scope.clone(), match_key: external.to_owned() };
            if let Some(point) = contact_point::find_key(tx, context.workspace, &key)? {
                return Ok(Some(point.id));
            }
        }
    }
    Ok(None)
}

/// An edit by its author, or (without text) a message taken back: then its content is removed.
fn edit(tx: &mut dyn Conn, context: &Context<'_>, provider_id: &str, text: Option<&str>) -> Result<Applied, StoreError> {
    let key = receipt::provider_key(provider_id);
    let Some(found) = entry::by_external_key(tx, context.workspace, context.inbox.inbox.id, &key)? else {
        return Ok(Applied { reason: Some("unknown_message".to_owned()), ..Applied::nothing() });
    };
    let (mut locked, mut found) = Locked::of_entry(tx, context.workspace, found.id)?;
    let kind = if text.is_some() { "entry.edited" } else { "entry.removed" };
    locked.log(tx, kind, context.now, Actor::Contact(found.contact_id), json!({"entry": found.id}));
    found.seq = locked.row.seq;
    match text {
        Some(text) => {
            found.body.text = model::fold::clean(text);
            found.edited_at = Some(context.now);
        }
        None => {
            found.body = Body::default();
            found.redacted_at = Some(context.now);
        }
    }
    entry::set_body(tx, context.workspace, &found)?;
    if found.audience == Audience::Customer {
        locked.row.public_seq = found.seq;
    }
    locked.save(tx)?;
    Ok(Applied { entry: Some(found.id), ..Applied::nothing() })
}

fn reaction(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    provider_id: &str,
    from: &ContactPointClaim,
    emoji: Option<&str>,
) -> Result<Applied, StoreError> {
    let key = receipt::provider_key(provider_id);
    let Some(found) = entry::by_external_key(tx, context.workspace, context.inbox.inbox.id, &key)? else {
        return Ok(Applied { reason: Some("unknown_message".to_owned()), ..Applied::nothing() });
    };
    let mut locked = Locked::lock_live(tx, context.workspace, found.conversation_id)?;
    let name = from.name.clone().unwrap_or_default();
    let args = json!({"to": found.id, "emoji": emoji});
    add_event(tx, &mut locked, "entry.reacted", "reacted", args, Actor::Contact(found.contact_id), &name, context.now)?;
    locked.save(tx)?;
    Ok(Applied::nothing())
}

/// Stop words work at once, as a state of the contact point: also for what is queued already.
fn opt(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    from: &ContactPointClaim,
    scope: OptScope,
    health: Health,
) -> Result<Applied, StoreError> {
    let Some(key) = identity::normal::key_of(from, context.spelling()) else { return Ok(Applied::dropped("no_address")) };
    let point = contact_point::upsert(tx, context.workspace, &key, &from.value, context.now)?;
    if scope == OptScope::All {
        contact_point::set_health(tx, context.workspace, point.id, health)?;
    }
    let kind = if health == Health::OptedOut { "contact_point.opted_out" } else { "contact_point.opted_in" };
    log_inbox(tx, context, kind, json!({"contact_point": point.id, "scope": scope}));
    Ok(Applied::nothing())
}

/// The same person under a new address: both belong to the same contact from now on.
fn point_changed(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    old: &ContactPointClaim,
    new: &ContactPointClaim,
) -> Result<Applied, StoreError> {
    let (Some(old_key), Some(new_key)) =
        (identity::normal::key_of(old, context.spelling()), identity::normal::key_of(new, context.spelling()))
    else {
        return Ok(Applied::dropped("no_address"));
    };
    let Some(before) = contact_point::find_key(tx, context.workspace, &old_key)? else {
        return Ok(Applied::dropped("unknown_contact_point"));
    };
    let after = contact_point::upsert(tx, context.workspace, &new_key, &new.value, context.now)?;
    for owner in contact_point::owners(tx, context.workspace, before.id)? {
        contact_point::own(
            tx,
            context.workspace,
            after.id,
            owner.contact_id,
            i64::from(new.proof_level),
            "changed",
            "sender",
            context.now,
        )?;
    }
    log_inbox(tx, context, "contact_point.changed", json!({"old": before.id, "new": after.id}));
    Ok(Applied::nothing())
}

/// What somebody says about themselves: kept on the contact as claimed, never used to join people. An address left for the
/// answer is shown in the conversation.
fn claimed(tx: &mut dyn Conn, context: &Context<'_>, claim: &ClaimEvent) -> Result<Applied, StoreError> {
    let workspace = context.workspace;
    let days = context.inbox.rules.stored.stale_days;
    let Some(resolved) = resolve(tx, workspace, &claim.from, context.spelling(), days, context.now)? else {
        return Ok(Applied::dropped("T0-blocked"));
    };
    contact::lock(tx, workspace, resolved.contact.id)?;
    let mut after = contact::get_live(tx, workspace, resolved.contact.id)?;
    let before = after.claimed.clone();
    for (name, value) in claim.values.iter().take(CLAIMED_COUNT_MAX) {
        let fits = after.claimed.len() < CLAIMED_COUNT_MAX || after.claimed.contains_key(name);
        if fits {
            after.claimed.insert(model::fold::clean(name), json!(model::fold::truncate(&model::fold::clean(value), 500)));
        }
    }
    if let Some(address) = &claim.address {
        after.claimed.insert("email".to_owned(), json!(address.value));
        after.claimed.insert("may_mail".to_owned(), json!(claim.may_mail));
    }
    if let Some(page) = &claim.page {
        after.claimed.insert("page".to_owned(), json!({"url": page.url, "title": page.title}));
    }
    if after.claimed == before {
        return Ok(Applied::nothing());
    }
    after.version = contact::save(tx, workspace, &after)?;
    tx.log(Event {
        workspace,
        stream_id: Some(after.id.0),
        seq: Some(after.version),
        kind: "contact.claimed",
        at: context.now,
        actor: Actor::Contact(after.id),
        cause_id: None,
        payload: json!({"contact": after.id, "names": claim.values.keys().collect::<Vec<_>>()}),
    });
    if let Some(address) = &claim.address
        && let Some(id) = conversations_of(tx, context, &claim.external_conversation)?.first()
    {
        let mut locked = Locked::lock_live(tx, workspace, *id)?;
        if claim.may_mail {
            typed::remember(tx, workspace, locked.row.id, &address.value, context.now)?;
        }
        let args = json!({"address": address.value, "may_mail": claim.may_mail});
        let name = identity::display_name(&after);
        add_event(
            tx,
            &mut locked,
            "conversation.address_left",
            "customer_left_address",
            args,
            Actor::Contact(after.id),
            &name,
            context.now,
        )?;
        locked.save(tx)?;
    }
    Ok(Applied::nothing())
}
