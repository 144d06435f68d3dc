//! A message in, as far as it becomes an entry: weighed by `arrival`, then written with everything that follows, or kept as
//! a raw event with the reason why no entry came of it.

use super::apply::{Applied, Context};
use super::arrival::{Arrival, Weighed, weigh};
use super::enclosed;
use crate::automatic::{self, burst};
use crate::conversation::Locked;
use crate::conversation::add::{NewEntry, add_entry, add_event, preview_of, refs};
use crate::conversation::change::{set_spam, set_status};
use crate::identity::resolve::settle;
use crate::identity::{self, Resolved};
use crate::outbox::{self, receipt};
use crate::placement::Action;
use crate::reply::typed;
use channel::{Automatic, ContactPointClaim, InboundMessage};
use model::parts::Part as BodyPart;
use model::{
    Actor, AttachmentId, Audience, Body, Channel, ContactPointKind, ConversationId, DecisionId, DeliveryState, Direction,
    EntryId, ParticipantRole, Priority, Status, Timestamp, WorkspaceId,
};
use serde_json::json;
use store::attachment::{self, Attachment};
use store::contact::Contact;
use store::conversation::{self, Conversation};
use store::entry::{self, Entry};
use store::{Conn, StoreError, contact, handoff_token};

const TEXT_CHARS_MAX: usize = 200_000;
/// Order numbers that a conversation remembers.
const ORDER_COUNT_MAX: usize = 50;

/// The time of an entry: the sender's, as far as it is not in the future; arrival where the channel gives none.
fn time_of(context: &Context<'_>, message: &InboundMessage) -> Timestamp {
    message.sent_at.map_or(context.received_at, |at| at.min(context.received_at))
}

impl Context<'_> {
    /// When a message came in, as placement counts: for what was imported, when it came in there.
    pub fn arrived(&self, message: &InboundMessage) -> Timestamp {
        if message.history { time_of(self, message) } else { self.received_at }
    }
}

/// Takes a message of a customer.
pub(super) fn message_in(tx: &mut dyn Conn, context: &Context<'_>, message: &InboundMessage) -> Result<Applied, StoreError> {
    let workspace = context.workspace;
    // What a server reports about a mail of ours is told at that mail.
    if let Some(report) = message.mail.as_ref().and_then(|mail| mail.report.as_ref())
        && let Some(entry) = outbox::report::apply(tx, context.keys, workspace, context.inbox.inbox.id, report, context.now)?
    {
        return Ok(Applied { entry: Some(entry), ..Applied::nothing() });
    }
    let let_in = context.let_in || is_allowed(tx, context, message)?;
    let arrival = Arrival::of_message(context, message, let_in);
    let mut weighed = weigh(tx, context, &arrival, true)?;
    let external_key = (!message.provider_id.is_empty()).then(|| receipt::provider_key(&message.provider_id));
    if let Some(key) = &external_key
        && let Some(repeat) = repeated(tx, context, message, &weighed, key)?
    {
        return Ok(repeat);
    }
    if let Some(ended) = without_entry(tx, context, &weighed)? {
        return Ok(ended);
    }
    let resolved = match arrival.automatic {
        true => machine(tx, context.workspace, &weighed)?,
        false => settle(tx, context.workspace, &arrival.claims, &weighed.sender, context.now)?,
    };
    use_handoff(tx, context, &weighed, &resolved)?;
    let burst = collect(tx, context, message, &resolved, &mut weighed)?;
    let (mut locked, silent, used_number) = enter(tx, context, &weighed, &resolved.contact)?;
    let silent = silent || message.history;
    if message.history && used_number {
        begin_history(&mut locked, time_of(context, message));
    }
    let added = write_entry(tx, context, &mut locked, message, &arrival, &weighed, &resolved, external_key, silent)?;
    if !silent {
        remember_orders(&mut locked, &arrival.orders);
    }
    if message.history {
        go_on_with_history(&mut locked, &added);
    } else if message.junk && used_number {
        set_spam(tx, &mut locked, true, Actor::System, "", context.now)?;
    }
    if burst {
        burst::tell(tx, &mut locked, context.now)?;
    }
    super::learn::learn(tx, &mut locked, message, &resolved, &added, weighed.handoff.as_ref(), context.now)?;
    let conversation = locked.save(tx)?.id;
    for claim in typed::with_message(&message.from) {
        typed::remember(tx, workspace, conversation, &claim.value, context.now)?;
    }
    if used_number && weighed.candidates.is_empty() {
        typed_before(tx, workspace, &resolved.contact, conversation, context.now)?;
    }
    if !silent {
        automatic::after_inbound(tx, workspace, context.inbox, &added, message, used_number, context.now)?;
    }
    Ok(Applied::entry(added.id, used_number))
}

/// Counts the mails of a sender; whoever writes faster than any person is collected in one conversation. True when that has
/// just begun.
fn collect(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    message: &InboundMessage,
    resolved: &Resolved,
    weighed: &mut Weighed<'_>,
) -> Result<bool, StoreError> {
    if message.history || context.inbox.channel.own_address(&context.inbox.settings).is_none() {
        return Ok(false);
    }
    if weighed.candidates.is_empty() && !resolved.is_new {
        weighed.candidates = super::arrival::candidates(tx, context.workspace, resolved.contact.id)?.1;
    }
    let placement = weighed.placement.clone();
    let guarded = burst::guard(tx, context.workspace, resolved.contact.id, placement, &weighed.candidates, context.now)?;
    weighed.placement = guarded.placement;
    Ok(guarded.opened)
}

/// An address that was left before the first message is for the answers to that one.
fn typed_before(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: &Contact,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let address = contact.claimed.get("email").and_then(|v| v.as_str()).unwrap_or_default();
    if contact.claimed.get("may_mail").and_then(serde_json::Value::as_bool) == Some(true) && !address.is_empty() {
        typed::remember(tx, workspace, conversation, address, now)?;
    }
    Ok(())
}

/// Suppressed and blocked events end here. Their decision is kept under the raw event, so that "why?" has an answer.
pub(super) fn without_entry(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    weighed: &Weighed<'_>,
) -> Result<Option<Applied>, StoreError> {
    let said = weighed.placement.steps.last().map(|step| step.said.as_str()).unwrap_or_default();
    let rule = weighed.placement.rule;
    let ended = match weighed.placement.action {
        Action::Quarantine => Applied::quarantined(&format!("{rule}: {said}")),
        Action::Suppress => Applied::dropped(rule),
        _ => return Ok(None),
    };
    let id = DecisionId(tx.id());
    entry::insert_decision(tx, context.workspace, id, EntryId(context.event.0), rule, &weighed.trace, context.now)?;
    Ok(Some(ended))
}

/// The same message again. On most channels its id says so. A Message-ID alone says nothing, since anybody may repeat it: the
/// same mail is one from the same sender with the same words; through another inbox of ours it is shown on the entry.
fn repeated(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    message: &InboundMessage,
    weighed: &Weighed<'_>,
    key: &str,
) -> Result<Option<Applied>, StoreError> {
    let (workspace, inbox) = (context.workspace, context.inbox.inbox.id);
    if weighed.channel != Channel::Email {
        let known = entry::by_external_key(tx, workspace, inbox, key)?.is_some();
        return Ok(known.then(|| Applied::dropped("T0-duplicate")));
    }
    for known in entry::mails_by_external_key(tx, workspace, key)? {
        if known.direction != Direction::In || !is_same_mail(context, message, weighed, &known) {
            continue;
        }
        if known.inbox_id == Some(inbox) || known.body.also_sent_to.contains(&inbox) {
            return Ok(Some(Applied::dropped("T0-duplicate")));
        }
        let (mut locked, mut shown) = Locked::of_entry(tx, workspace, known.id)?;
        locked.log(tx, "entry.also_sent", context.now, Actor::System, json!({"entry": shown.id, "inbox": inbox}));
        shown.seq = locked.row.seq;
        shown.body.also_sent_to.push(inbox);
        entry::set_body(tx, workspace, &shown)?;
        locked.save(tx)?;
        return Ok(Some(Applied::dropped("copy")));
    }
    Ok(None)
}

fn is_same_mail(context: &Context<'_>, message: &InboundMessage, weighed: &Weighed<'_>, known: &Entry) -> bool {
    let body = body_of(message, &[]);
    let key = |claim: &ContactPointClaim| identity::normal::key_of(claim, context.spelling()).map(|k| k.match_key);
    let sender = message.from.iter().find(|c| c.kind == ContactPointKind::Email).and_then(key);
    let before = known.body.mail.as_ref().and_then(|m| m.from.as_ref()).and_then(|a| identity::normal::email(&a.address));
    let files = |parts: &[channel::Part]| parts.iter().filter(|p| matches!(p, channel::Part::Enclosed(_))).count();
    let same_sender = match before {
        Some(before) => Some(before) == sender,
        None => weighed.sender.contact.as_ref().is_some_and(|c| c.id == known.contact_id),
    };
    same_sender
        && known.body.text == body.text
        && known.body.subject == body.subject
        && known.body.attachments.len() >= files(&message.parts).min(1)
}

/// Did somebody let this sender's automatic mail in for good?
fn is_allowed(tx: &mut dyn Conn, context: &Context<'_>, message: &InboundMessage) -> Result<bool, StoreError> {
    let key = message
        .from
        .iter()
        .filter(|_| message.automatic != Automatic::No)
        .find_map(|claim| identity::normal::key_of(claim, context.spelling()));
    key.map_or(Ok(false), |key| store::pull::is_allowed(tx, context.workspace, &key.match_key))
}

/// A machine that answers one of our messages makes no contact, holds no keys and takes no part: it stands on the timeline of
/// whoever it writes for, as far as they are known, else of the customer of that conversation.
fn machine(tx: &mut dyn Conn, workspace: WorkspaceId, weighed: &Weighed<'_>) -> Result<Resolved, StoreError> {
    let contact = match (&weighed.sender.contact, weighed.placement.action.conversation()) {
        (Some(known), _) => known.clone(),
        (None, Some(id)) => {
            let row = conversation::find(tx, workspace, id)?.ok_or(StoreError::NotFound)?;
            contact::get_live(tx, workspace, row.contact_id)?
        }
        (None, None) => return Err(StoreError::NotFound),
    };
    let mut flags: Vec<String> = weighed.sender.matched.flags.iter().map(|f| (*f).to_owned()).collect();
    flags.push("automatic".to_owned());
    Ok(Resolved {
        owner: contact.id,
        contact,
        point: None,
        proof_level: weighed.sender.matched.proof_level,
        is_new: false,
        blocked: false,
        flags,
        trace: weighed.sender.trace(),
    })
}

/// Uses the link or code up. Whoever was faster by a moment has it: then this event is weighed anew, without it.
pub(super) fn use_handoff(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    weighed: &Weighed<'_>,
    resolved: &Resolved,
) -> Result<(), StoreError> {
    let Some(token) = &weighed.handoff else { return Ok(()) };
    match handoff_token::use_once(tx, context.workspace, token.id, weighed.facts.at, resolved.contact.id, resolved.point)? {
        true => Ok(()),
        false => Err(StoreError::Busy),
    }
}

pub(super) fn remember_orders(locked: &mut Locked, orders: &[String]) {
    for order in orders {
        if locked.row.orders.len() < ORDER_COUNT_MAX && !locked.row.orders.contains(order) {
            locked.row.orders.push(order.clone());
        }
    }
}

/// Opens the door that placement chose: conversation, silent, took the number.
pub(super) fn enter(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    weighed: &Weighed<'_>,
    contact: &Contact,
) -> Result<(Locked, bool, bool), StoreError> {
    let follow_up_of = match weighed.placement.action {
        Action::Append(id) | Action::Reopen(id) => {
            let locked = Locked::lock_live(tx, context.workspace, id)?;
            // Locked for good since it was weighed: weigh anew.
            return if locked.row.status == Status::Closed { Err(StoreError::Busy) } else { Ok((locked, false, false)) };
        }
        Action::AppendSilently(id) => return Ok((Locked::lock_live(tx, context.workspace, id)?, true, false)),
        Action::New { follow_up_of } => follow_up_of,
        Action::Suppress | Action::Quarantine => return Err(StoreError::broken("an event that becomes no entry was let in")),
    };
    let related = weighed.placement.related.clone();
    Ok((open_conversation(tx, context, contact, weighed.channel, follow_up_of, related)?, false, true))
}

/// A conversation of what was there before us is over from the beginning: no clock runs, nobody is called.
fn begin_history(locked: &mut Locked, at: Timestamp) {
    let row = &mut locked.row;
    (row.imported, row.status, row.resolved_at) = (true, Status::Resolved, Some(at));
    (row.created_at, row.last_activity_at) = (at, at);
}

/// An imported conversation ends with its last entry. One that lives already only gets the entry.
fn go_on_with_history(locked: &mut Locked, added: &Entry) {
    let row = &mut locked.row;
    if !row.imported || row.status != Status::Resolved {
        return;
    }
    if row.preview.is_none() || added.at >= row.last_activity_at {
        row.preview = Some(preview_of(added));
        row.last_activity_at = added.at;
    }
    if row.subject.is_none() {
        row.subject.clone_from(&added.body.subject);
    }
    if added.direction == Direction::In {
        row.customer_at = row.customer_at.max(Some(added.at));
    }
    row.created_at = row.created_at.min(added.at);
    row.resolved_at = Some(row.last_activity_at);
    row.public_seq = row.public_seq.max(added.seq);
}

fn open_conversation(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    contact: &Contact,
    channel: Channel,
    follow_up_of: Option<ConversationId>,
    related: Vec<ConversationId>,
) -> Result<Locked, StoreError> {
    let id = ConversationId(tx.id());
    let number = context.number.ok_or_else(|| StoreError::broken("no conversation number was reserved for this event"))?;
    let inbox = &context.inbox.inbox;
    let row = Conversation {
        id,
        number,
        contact_id: contact.id,
        inbox_id: inbox.id,
        channel,
        first_channel: channel,
        agent_id: None,
        team_id: inbox.team_id,
        status: Status::Open,
        status_before_spam: None,
        spam: false,
        imported: false,
        priority: Priority::Normal,
        subject: None,
        snoozed_until: None,
        resolved_at: None,
        waiting_since: None,
        seq: 0,
        customer_seq: 0,
        public_seq: 0,
        unread_count: 0,
        preview: None,
        merged_into: None,
        follow_up_of,
        created_at: context.now,
        last_activity_at: context.received_at,
        customer_at: None,
        next_due_at: None,
        version: 1,
        channels: vec![],
        orders: vec![],
        related: related.clone(),
    };
    let mut locked = Locked::create(tx, context.workspace, row)?;
    let payload = json!({"contact": contact.id, "inbox": inbox.id, "channel": channel, "number": number, "follow_up_of": follow_up_of, "related": related, "started_by": "contact"});
    locked.log(tx, "conversation.created", context.now, Actor::Contact(contact.id), payload);
    Ok(locked)
}

#[expect(clippy::too_many_arguments, reason = "one entry and everything it is made of")]
fn write_entry(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    locked: &mut Locked,
    message: &InboundMessage,
    arrival: &Arrival,
    weighed: &Weighed<'_>,
    resolved: &Resolved,
    external_key: Option<String>,
    silent: bool,
) -> Result<Entry, StoreError> {
    let (workspace, channel) = (context.workspace, weighed.channel);
    let name = identity::display_name(&resolved.contact);
    let actor = Actor::Contact(resolved.contact.id);
    if !silent && locked.row.seq > 1 && locked.row.channel != channel {
        let args = json!({"from": locked.row.channel, "to": channel});
        add_event(tx, locked, "conversation.channel_switched", "channel_switched", args, actor, &name, context.now)?;
    }
    let outside = match arrival.automatic {
        true => false,
        false => take_part(tx, context, locked, weighed, resolved)?,
    };
    let mut files = uploaded(tx, workspace, context.inbox.inbox.id, message)?;
    let enclosed = enclosed::attach(tx, workspace, context.files, message, &actor.to_string(), context.now)?;
    files.extend(enclosed.iter().map(|(row, _)| row.clone()));
    let mut body = body_of(message, &files);
    body.html = message.html.as_deref().map(|html| enclosed::with_pictures(html, &enclosed));
    let mut trace = weighed.trace.clone();
    trace["identity"] = resolved.trace.clone();
    let new = NewEntry {
        contact_point_id: resolved.point,
        silent,
        proof_level: Some(resolved.proof_level),
        closing: arrival.closing,
        audience: if outside { Audience::Outside } else { Audience::Customer },
        flags: flags_of(resolved, weighed, message),
        imported: message.history,
        external_key,
        // The sender's own name for it, so that their screen finds what it has sent.
        client_id: (!message.provider_id.is_empty()).then(|| model::fold::truncate(&message.provider_id, 200).to_owned()),
        decision: Some((weighed.placement.rule.to_owned(), trace)),
        // Of the contact that owns the contact point, not the live end of its pointers: unmerge then gives the entry back to
        // its owner (domain.md 6.3).
        ..NewEntry::inbound(resolved.owner, channel, context.inbox.inbox.id, time_of(context, message), name, body)
    };
    let added = add_entry(tx, locked, new, context.now)?;
    for file in &files {
        attachment::attach(tx, workspace, file.id, added.id, added.conversation_id)?;
    }
    Ok(added)
}

/// Notes that the sender takes part; answers whether they stand outside (a supplier whom an agent has written to). Somebody
/// else who answers one of our messages has it from the customer: they read along, they are not the contact.
pub(super) fn take_part(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    locked: &mut Locked,
    weighed: &Weighed<'_>,
    resolved: &Resolved,
) -> Result<bool, StoreError> {
    let (workspace, id) = (context.workspace, locked.row.id);
    let is_customer = locked.row.contact_id == resolved.contact.id
        || contact::get_live(tx, workspace, locked.row.contact_id)?.id == resolved.contact.id;
    let mut role = ParticipantRole::Customer;
    if !is_customer {
        let roles = conversation::roles_of(tx, workspace, id, resolved.contact.id)?;
        let is_outside = !roles.is_empty() && roles.iter().all(|r| *r == ParticipantRole::Outside);
        role = if is_outside { ParticipantRole::Outside } else { ParticipantRole::Copied };
    }
    if let Some(point) = resolved.point
        && conversation::join(tx, workspace, id, resolved.contact.id, point, role, context.now)?
    {
        let payload = json!({"contact_point": point, "role": role});
        locked.log(tx, "conversation.participant_added", context.now, Actor::Contact(resolved.contact.id), payload);
    }
    debug_assert!(weighed.placement.action != Action::Suppress, "what is suppressed takes no part");
    Ok(role == ParticipantRole::Outside)
}

/// What identity and placement noticed, and what the channel says about it.
fn flags_of(resolved: &Resolved, weighed: &Weighed<'_>, message: &InboundMessage) -> Vec<String> {
    let mut flags = resolved.flags.clone();
    flags.extend(weighed.flags.iter().map(|f| (*f).to_owned()));
    if message.junk {
        flags.push("junk".to_owned());
    }
    flags
}

/// Files that the sender has uploaded before. One that is not theirs, or was sent already, is left out: the text still comes.
fn uploaded(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: model::InboxId,
    message: &InboundMessage,
) -> Result<Vec<Attachment>, StoreError> {
    let ids: Vec<AttachmentId> = message
        .parts
        .iter()
        .filter_map(|part| match part {
            channel::Part::Uploaded { id } => Some(*id),
            _ => None,
        })
        .collect();
    let visitor = message.from.iter().find(|c| c.kind == ContactPointKind::Visitor).map(|c| format!("visitor:{}", c.value));
    let mut files = attachment::list(tx, workspace, &ids)?;
    let program = format!("inbox:{inbox}");
    files.retain(|f| f.entry_id.is_none() && (f.uploader == program || Some(&f.uploader) == visitor.as_ref()));
    files.sort_by_key(|f| ids.iter().position(|id| *id == f.id));
    Ok(files)
}

fn body_of(message: &InboundMessage, files: &[Attachment]) -> Body {
    let text = model::fold::clean(&message.text);
    let parts = message.parts.iter().filter_map(part_of).collect();
    Body {
        text: model::fold::truncate(&text, TEXT_CHARS_MAX).to_owned(),
        subject: message.subject.as_deref().map(model::fold::clean),
        attachments: refs(files),
        parts,
        context: message.context.clone(),
        mail: crate::conversation::mail::of_message(message),
        ..Body::default()
    }
}

fn part_of(part: &channel::Part) -> Option<BodyPart> {
    Some(match part {
        channel::Part::Uploaded { .. } => return None,
        channel::Part::Location { latitude, longitude, name } => {
            BodyPart::Location { latitude: *latitude, longitude: *longitude, name: name.clone() }
        }
        channel::Part::Choice { label, value } => BodyPart::Choice { label: label.clone(), value: value.clone() },
        channel::Part::Media(media) => BodyPart::Unsupported { what: media.name.clone().unwrap_or_else(|| "file".to_owned()) },
        // It stands among the attachments; one that could not be cut out is in the original.
        channel::Part::Enclosed(_) => return None,
        channel::Part::ContactCard { name, .. } => BodyPart::Unsupported { what: format!("contact card of {name}") },
        channel::Part::Unsupported { what } => BodyPart::Unsupported { what: what.clone() },
    })
}

/// Written by us (then it is known) or in the provider's own app (then it is shown as ours, and never sent again).
pub(super) fn echo(tx: &mut dyn Conn, context: &Context<'_>, message: &InboundMessage) -> Result<Applied, StoreError> {
    let (workspace, inbox) = (context.workspace, context.inbox.inbox.id);
    let key = receipt::provider_key(&message.provider_id);
    if entry::by_external_key(tx, workspace, inbox, &key)?.is_some() {
        receipt::report(tx, workspace, inbox, &message.provider_id, DeliveryState::Sent, None, context.now)?;
        return Ok(Applied::nothing());
    }
    // Ours, although nobody has told us yet that it was taken: the copy in the folder of sent mail can be faster than the answer.
    if let Some(id) = crate::placement::token::read_message_id(context.keys, workspace, &message.provider_id)
        && store::outbox::find(tx, workspace, id)?.is_some()
    {
        receipt::report(tx, workspace, inbox, &message.provider_id, DeliveryState::Sent, None, context.now)?;
        return Ok(Applied { reason: Some("own_mail".to_owned()), ..Applied::nothing() });
    }
    // The other side of an echo is the customer.
    let arrival = Arrival::of_echo(context, message);
    let weighed = weigh(tx, context, &arrival, true)?;
    if weighed.sender.matched.blocked && weighed.sender.contact.is_none() {
        return Ok(Applied::quarantined("T0-blocked: the receiver is blocked"));
    }
    let resolved = settle(tx, workspace, &arrival.claims, &weighed.sender, context.now)?;
    let (mut locked, _, used_number) = enter(tx, context, &weighed, &resolved.contact)?;
    if message.history && used_number {
        begin_history(&mut locked, time_of(context, message));
    }
    let enclosed = enclosed::attach(tx, workspace, context.files, message, &Actor::System.to_string(), context.now)?;
    let files: Vec<Attachment> = enclosed.iter().map(|(row, _)| row.clone()).collect();
    let mut body = body_of(message, &files);
    body.html = message.html.as_deref().map(|html| enclosed::with_pictures(html, &enclosed));
    let new = NewEntry {
        contact_point_id: resolved.point,
        silent: message.history,
        imported: message.history,
        direction: Direction::Out,
        audience: Audience::Customer,
        delivery: Some(DeliveryState::Sent),
        author: Actor::System,
        flags: vec!["from_the_app".to_owned()],
        external_key: Some(key),
        decision: Some((weighed.placement.rule.to_owned(), weighed.trace.clone())),
        ..NewEntry::inbound(
            resolved.owner,
            weighed.channel,
            inbox,
            time_of(context, message),
            context.inbox.inbox.name.clone(),
            body,
        )
    };
    let added = add_entry(tx, &mut locked, new, context.now)?;
    for file in &files {
        attachment::attach(tx, workspace, file.id, added.id, added.conversation_id)?;
    }
    if message.history {
        go_on_with_history(&mut locked, &added);
    } else {
        answered_elsewhere(tx, &mut locked, &added, used_number, context.now)?;
    }
    locked.save(tx)?;
    Ok(Applied::entry(added.id, used_number))
}

/// What was written in the provider's own app ends the customer's wait, unless they wrote again after it.
fn answered_elsewhere(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    added: &Entry,
    is_new: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    if locked.row.waiting_since.is_some_and(|since| since <= added.at) && locked.row.customer_at.is_none_or(|at| at <= added.at) {
        locked.row.waiting_since = None;
    }
    // A conversation that we began there waits for the customer.
    if is_new {
        set_status(tx, locked, Status::Pending, None, Actor::System, now)?;
    }
    Ok(())
}
