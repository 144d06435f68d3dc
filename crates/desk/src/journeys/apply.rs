//! Applies one understood event inside the transaction of its job: who, where, what, and the follow-ups.

use super::{enclosed, phone_call};
use crate::conversation::Locked;
use crate::conversation::add::{NewEntry, add_entry, add_event, preview_of, refs};
use crate::conversation::change::{set_spam, set_status};
use crate::directory::OpenInbox;
use crate::identity::normal::Spelling;
use crate::identity::{self, Resolved, resolve};
use crate::automatic::{self, burst};
use crate::outbox::{self, receipt};
use crate::reply::typed;
use crate::placement::{Action, Candidate, Facts, Placement, Windows, place};
use channel::{Automatic, ClaimEvent, ContactPointClaim, InboundEvent, InboundMessage, OptScope, UpTo, WatermarkKind};
use model::parts::Part as BodyPart;
use model::{
    Actor, AttachmentId, Audience, Body, Channel, ContactPointKind, ConversationId, DeliveryState, Direction, EntryId, Health,
    Outcome, ParticipantRole, Priority, Status, Timestamp, WorkspaceId,
};
use serde_json::json;
use store::attachment::{self, Attachment};
use store::contact::Contact;
use store::conversation::{self, Conversation};
use store::entry::{self, Entry};
use store::{Conn, Event, StoreError, contact, contact_point};

const TEXT_CHARS_MAX: usize = 200_000;
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
    fn dropped(reason: &str) -> Self {
        Self { outcome: Outcome::Dropped, reason: Some(reason.to_owned()), ..Self::nothing() }
    }
    pub(super) fn blocked() -> Self {
        let reason = Some("T0-blocked: the sender is blocked".to_owned());
        Self { outcome: Outcome::Quarantined, reason, ..Self::nothing() }
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

/// The time of an entry: the sender's, as far as it is not in the future; arrival where the channel gives none.
fn time_of(context: &Context<'_>, message: &InboundMessage) -> Timestamp {
    message.sent_at.map_or(context.received_at, |at| at.min(context.received_at))
}

fn message_in(tx: &mut dyn Conn, context: &Context<'_>, message: &InboundMessage) -> Result<Applied, StoreError> {
    let workspace = context.workspace;
    let external_key = (!message.provider_id.is_empty()).then(|| receipt::provider_key(&message.provider_id));
    if let Some(key) = &external_key
        && entry::by_external_key(tx, workspace, context.inbox.inbox.id, key)?.is_some()
    {
        return Ok(Applied::dropped("T0-duplicate"));
    }
    // What a server reports about a mail of ours is told at that mail.
    if let Some(report) = message.mail.as_ref().and_then(|mail| mail.report.as_ref())
        && let Some(entry) = outbox::report::apply(tx, context.keys, workspace, context.inbox.inbox.id, report, context.now)?
    {
        return Ok(Applied { entry: Some(entry), ..Applied::nothing() });
    }
    // Automatic events never create a contact: they are placed by what they answer, or not at all.
    let answers = answered(tx, context, message)?;
    if let Some((id, ..)) = answers {
        typed::prove(tx, workspace, id, &message.from, context.now)?;
    }
    let let_in = context.let_in || is_allowed(tx, context, message)?;
    let automatic = message.automatic != Automatic::No && message.automatic != Automatic::Bulk && !let_in;
    if automatic && answers.is_none() {
        return Ok(Applied::dropped("T0-auto"));
    }
    let resolved = match answers {
        Some((id, ..)) if automatic && !message.from.iter().any(|c| c.disproved) => machine(tx, workspace, id)?,
        _ => resolve(tx, workspace, &message.from, context.spelling(), context.now)?,
    };
    if resolved.blocked && !context.let_in {
        return Ok(Applied::blocked());
    }
    let channel = message.channel.unwrap_or(context.inbox.inbox.channel);
    let facts = Facts {
        channel,
        at: arrived(context, message),
        disproved: resolved.disproved,
        new_contact: resolved.is_new,
        answers,
        closing: false,
        automatic,
    };
    let windows = Windows::default();
    let candidates = candidates(tx, workspace, &resolved.contact)?;
    let placement = place(&facts, &candidates, &windows);
    let is_mail = context.inbox.channel.own_address(&context.inbox.settings).is_some();
    let (placement, burst) = if is_mail && !message.history {
        let guarded = burst::guard(tx, workspace, resolved.contact.id, placement, &candidates, context.now)?;
        (guarded.placement, guarded.opened)
    } else {
        (placement, false)
    };
    let (mut locked, silent, used_number) = match enter(tx, context, &placement, &resolved.contact, channel)? {
        Some(entered) => entered,
        None => return Ok(Applied::dropped(placement.rule)),
    };
    let silent = silent || message.history;
    if message.history && used_number {
        begin_history(&mut locked, time_of(context, message));
    }
    let trace = json!({"placement": placement.trace(&facts, &windows), "identity": resolved.trace});
    let added =
        write_entry(tx, context, &mut locked, message, &resolved, channel, external_key, silent, (placement.rule, trace))?;
    if message.history {
        go_on_with_history(&mut locked, &added);
    } else if message.junk && used_number {
        set_spam(tx, &mut locked, true, Actor::System, "", context.now)?;
    }
    if burst {
        burst::tell(tx, &mut locked, context.now)?;
    }
    super::learn::learn(tx, &mut locked, message, &resolved, &added, context.now)?;
    let conversation = locked.save(tx)?.id;
    for claim in typed::with_message(&message.from) {
        typed::remember(tx, workspace, conversation, &claim.value, context.now)?;
    }
    if candidates.is_empty() && used_number {
        typed_before(tx, workspace, &resolved.contact, conversation, context.now)?;
    }
    if !silent {
        automatic::after_inbound(tx, workspace, context.inbox, &added, message, used_number, context.now)?;
    }
    Ok(Applied::entry(added.id, used_number))
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

/// When a message came in, as placement counts: for what was imported, when it came in there.
fn arrived(context: &Context<'_>, message: &InboundMessage) -> Timestamp {
    if message.history { time_of(context, message) } else { context.received_at }
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

/// Did somebody let this sender's automatic mail in for good?
fn is_allowed(tx: &mut dyn Conn, context: &Context<'_>, message: &InboundMessage) -> Result<bool, StoreError> {
    let key = message
        .from
        .iter()
        .filter(|_| message.automatic != Automatic::No)
        .find_map(|claim| identity::normal::key_of(claim, context.spelling()));
    key.map_or(Ok(false), |key| store::pull::is_allowed(tx, context.workspace, &key.match_key))
}

/// A machine that answers one of our messages stands in for the customer of that conversation: it makes no contact, holds
/// no keys and takes no part.
fn machine(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Resolved, StoreError> {
    let row = conversation::find(tx, workspace, id)?.ok_or(StoreError::NotFound)?;
    Ok(Resolved {
        contact: contact::get_live(tx, workspace, row.contact_id)?,
        point: None,
        proof_level: 0,
        is_new: false,
        blocked: false,
        disproved: false,
        flags: vec!["automatic".to_owned()],
        trace: json!({"automatic": true}),
    })
}

/// The conversation of one of our entries that the message answers, or that its widget token names.
fn answered(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    message: &InboundMessage,
) -> Result<Option<(ConversationId, Status, Option<Timestamp>)>, StoreError> {
    for id in &message.reply_to {
        let key = receipt::provider_key(id);
        if let Some(found) = entry::by_external_key(tx, context.workspace, context.inbox.inbox.id, &key)? {
            return live_conversation(tx, context.workspace, found.conversation_id);
        }
    }
    Ok(None)
}

fn live_conversation(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
) -> Result<Option<(ConversationId, Status, Option<Timestamp>)>, StoreError> {
    let mut at = id;
    for _ in 0..64 {
        match conversation::find(tx, workspace, at)? {
            Some(row) => match row.merged_into {
                Some(into) => at = into,
                None => return Ok(Some((row.id, row.status, row.resolved_at))),
            },
            None => return Ok(None),
        }
    }
    Ok(None)
}

pub(super) fn candidates(tx: &mut dyn Conn, workspace: WorkspaceId, contact: &Contact) -> Result<Vec<Candidate>, StoreError> {
    let set = contact::merged_set(tx, workspace, contact.id)?;
    let rows = conversation::of_contacts(tx, workspace, &set, 50)?;
    Ok(rows
        .into_iter()
        .filter(|c| c.merged_into.is_none() && !c.spam)
        .map(|c| Candidate {
            id: c.id,
            status: c.status,
            channels: vec![c.channel, c.first_channel],
            active_at: c.last_activity_at,
            resolved_at: c.resolved_at,
        })
        .collect())
}

/// Opens the door that placement chose: `(conversation, silent, took the number)`; `None` = suppressed.
pub(super) fn enter(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    placement: &Placement,
    contact: &Contact,
    channel: Channel,
) -> Result<Option<(Locked, bool, bool)>, StoreError> {
    Ok(match placement.action {
        Action::Suppress => None,
        Action::Append(id) => Some((Locked::lock_live(tx, context.workspace, id)?, false, false)),
        Action::AppendSilently(id) => Some((Locked::lock_live(tx, context.workspace, id)?, true, false)),
        Action::New { follow_up_of } => Some((open_conversation(tx, context, contact, channel, follow_up_of)?, false, true)),
    })
}

fn open_conversation(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    contact: &Contact,
    channel: Channel,
    follow_up_of: Option<ConversationId>,
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
        related: vec![],
    };
    let mut locked = Locked::create(tx, context.workspace, row)?;
    let payload = json!({"contact": contact.id, "inbox": inbox.id, "channel": channel, "number": number, "follow_up_of": follow_up_of, "started_by": "contact"});
    locked.log(tx, "conversation.created", context.now, Actor::Contact(contact.id), payload);
    Ok(locked)
}

#[expect(clippy::too_many_arguments, reason = "one entry and everything it is made of")]
fn write_entry(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    locked: &mut Locked,
    message: &InboundMessage,
    resolved: &Resolved,
    channel: Channel,
    external_key: Option<String>,
    silent: bool,
    decision: (&'static str, serde_json::Value),
) -> Result<Entry, StoreError> {
    let workspace = context.workspace;
    let name = identity::display_name(&resolved.contact);
    let actor = Actor::Contact(resolved.contact.id);
    if !silent && locked.row.seq > 1 && locked.row.channel != channel {
        let args = json!({"from": locked.row.channel, "to": channel});
        add_event(tx, locked, "conversation.channel_switched", "channel_switched", args, actor, &name, context.now)?;
    }
    if let Some(point) = resolved.point {
        // Somebody else who answers one of our messages has it from the customer: they read along, they are not the contact.
        let is_customer = locked.row.contact_id == resolved.contact.id
            || contact::get_live(tx, workspace, locked.row.contact_id)?.id == resolved.contact.id;
        let role = if is_customer { ParticipantRole::Customer } else { ParticipantRole::Copied };
        if conversation::join(tx, workspace, locked.row.id, resolved.contact.id, point, role, context.now)? {
            let payload = json!({"contact_point": point, "role": role});
            locked.log(tx, "conversation.participant_added", context.now, actor, payload);
        }
    }
    let mut files = uploaded(tx, workspace, context.inbox.inbox.id, message)?;
    let enclosed = enclosed::attach(tx, workspace, context.files, message, &actor.to_string(), context.now)?;
    files.extend(enclosed.iter().map(|(row, _)| row.clone()));
    let mut body = body_of(message, &files);
    body.html = message.html.as_deref().map(|html| enclosed::with_pictures(html, &enclosed));
    // New entries carry the contact that owns their contact point, not the live end of its pointers: unmerge then gives
    // them back to their owner (domain.md 6.3).
    let owner = match resolved.point {
        Some(point) => contact_point::owners(tx, workspace, point)?
            .into_iter()
            .find(|o| o.live_id == resolved.contact.id)
            .map_or(resolved.contact.id, |o| o.contact_id),
        None => resolved.contact.id,
    };
    let new = NewEntry {
        contact_point_id: resolved.point,
        silent,
        proof_level: Some(resolved.proof_level),
        flags: flags_of(&resolved.flags, message),
        imported: message.history,
        external_key,
        // The sender's own name for it, so that their screen finds what it has sent.
        client_id: (!message.provider_id.is_empty()).then(|| model::fold::truncate(&message.provider_id, 200).to_owned()),
        decision: Some((decision.0.to_owned(), decision.1)),
        ..NewEntry::inbound(owner, channel, context.inbox.inbox.id, time_of(context, message), name, body)
    };
    let added = add_entry(tx, locked, new, context.now)?;
    for file in &files {
        attachment::attach(tx, workspace, file.id, added.id, added.conversation_id)?;
    }
    Ok(added)
}

/// What identity noticed, and what the channel says about it.
fn flags_of(found: &[String], message: &InboundMessage) -> Vec<String> {
    let mut flags = found.to_vec();
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
fn echo(tx: &mut dyn Conn, context: &Context<'_>, message: &InboundMessage) -> Result<Applied, StoreError> {
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
    let resolved = resolve(tx, workspace, &message.to, context.spelling(), context.now)?;
    if resolved.blocked && resolved.is_new {
        return Ok(Applied::blocked());
    }
    let channel = message.channel.unwrap_or(context.inbox.inbox.channel);
    let answers = answered(tx, context, message)?;
    let facts = Facts {
        channel,
        at: arrived(context, message),
        disproved: false,
        new_contact: resolved.is_new,
        answers,
        closing: true,
        automatic: false,
    };
    let windows = Windows::default();
    let placement = place(&facts, &candidates(tx, workspace, &resolved.contact)?, &windows);
    let Some((mut locked, _, used_number)) = enter(tx, context, &placement, &resolved.contact, channel)? else {
        return Ok(Applied::dropped(placement.rule));
    };
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
        ..NewEntry::inbound(
            resolved.contact.id,
            channel,
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
    Ok(live_conversation(tx, workspace, id)?.map(|(id, ..)| id))
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
    let resolved = resolve(tx, workspace, &claim.from, context.spelling(), context.now)?;
    if resolved.blocked {
        return Ok(Applied::dropped("T0-blocked"));
    }
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
