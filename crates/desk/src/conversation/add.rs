//! Adds entries to a locked conversation and draws the consequences: preview, unread count, who waits since when, status.

use super::Locked;
use model::{
    Actor, AttachmentRef, Audience, AuthorKind, Body, Channel, ContactId, ContactPointId, DecisionId, DeliveryState, Direction,
    EntryId, EntryKind, InboxId, Status, Timestamp,
};
use serde_json::json;
use store::conversation::Preview;
use store::entry::{self, Entry};
use store::{Conn, StoreError};

const PREVIEW_CHARS_MAX: usize = 200;

/// What an entry is made of, before it has a number.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Timeline that it belongs to.
    pub contact_id: ContactId,
    /// Inbox that it came or goes through.
    pub inbox_id: Option<InboxId>,
    /// The customer's address of it.
    pub contact_point_id: Option<ContactPointId>,
    /// Message, call, note, event.
    pub kind: EntryKind,
    /// How it came or goes.
    pub channel: Channel,
    /// In, out, internal.
    pub direction: Direction,
    /// Who may see it.
    pub audience: Audience,
    /// First delivery word of an outgoing entry.
    pub delivery: Option<DeliveryState>,
    /// Who wrote it.
    pub author: Actor,
    /// Under which name.
    pub author_name: String,
    /// A confirmation or survey: never an answer.
    pub notification: bool,
    /// "Thanks, done".
    pub closing: bool,
    /// Appended without status, clock or notification (machine mail).
    pub silent: bool,
    /// Older than the inbox, and imported.
    pub imported: bool,
    /// Proof of the sender in this event.
    pub proof_level: Option<i64>,
    /// Flags of identity and placement.
    pub flags: Vec<String>,
    /// The entry that it answers.
    pub reply_to: Option<EntryId>,
    /// SHA-256 of the provider's id.
    pub external_key: Option<String>,
    /// SHA-256 of author and idempotency key.
    pub client_key: Option<String>,
    /// The idempotency key as sent.
    pub client_id: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// Text and parts.
    pub body: Body,
    /// Why it stands here: rule and trace.
    pub decision: Option<(String, serde_json::Value)>,
}

impl NewEntry {
    /// A message of a contact.
    pub fn inbound(
        contact_id: ContactId,
        channel: Channel,
        inbox_id: InboxId,
        at: Timestamp,
        author_name: String,
        body: Body,
    ) -> Self {
        Self {
            contact_id,
            inbox_id: Some(inbox_id),
            contact_point_id: None,
            kind: EntryKind::Message,
            channel,
            direction: Direction::In,
            audience: Audience::Customer,
            delivery: None,
            author: Actor::Contact(contact_id),
            author_name,
            notification: false,
            closing: false,
            silent: false,
            imported: false,
            proof_level: None,
            flags: vec![],
            reply_to: None,
            external_key: None,
            client_key: None,
            client_id: None,
            at,
            body,
            decision: None,
        }
    }

    /// Words for the team only.
    pub fn note(contact_id: ContactId, author: Actor, author_name: String, at: Timestamp, body: Body) -> Self {
        Self {
            inbox_id: None,
            kind: EntryKind::Note,
            channel: Channel::Internal,
            direction: Direction::Internal,
            audience: Audience::Team,
            author,
            ..Self::inbound(contact_id, Channel::Internal, InboxId(0), at, author_name, body)
        }
    }
}

fn author_of(actor: Actor) -> (AuthorKind, Option<i64>) {
    match actor {
        Actor::Agent(id) => (AuthorKind::Agent, Some(id.0)),
        Actor::Contact(id) => (AuthorKind::Contact, Some(id.0)),
        Actor::Bot => (AuthorKind::Bot, None),
        Actor::System => (AuthorKind::System, None),
    }
}

/// Adds one entry. The event log tells everything about it that figures and clocks need later, but none of its content.
pub fn add_entry(tx: &mut dyn Conn, locked: &mut Locked, new: NewEntry, now: Timestamp) -> Result<Entry, StoreError> {
    let id = EntryId(tx.id());
    let (author_kind, author_id) = author_of(new.author);
    let payload = json!({
        "entry": id, "kind": new.kind, "channel": new.channel, "direction": new.direction, "audience": new.audience,
        "author_kind": author_kind, "inbox": new.inbox_id, "contact": new.contact_id, "notification": new.notification,
        "closing": new.closing, "silent": new.silent,
    });
    locked.log(tx, "entry.added", new.at, new.author, payload);
    let decision_id = new.decision.as_ref().map(|_| DecisionId(tx.id()));
    let added = Entry {
        id,
        contact_id: new.contact_id,
        conversation_id: locked.row.id,
        inbox_id: new.inbox_id,
        contact_point_id: new.contact_point_id,
        kind: new.kind,
        channel: new.channel,
        direction: new.direction,
        audience: new.audience,
        delivery: new.delivery,
        delivery_reason: None,
        uncertain: false,
        author_kind,
        author_id,
        author_name: new.author_name,
        notification: new.notification,
        closing: new.closing,
        imported: locked.row.imported || new.imported,
        proof_level: new.proof_level,
        flags: new.flags,
        decision_id,
        reply_to: new.reply_to,
        external_key: new.external_key,
        client_key: new.client_key,
        client_id: new.client_id,
        seq: locked.row.seq,
        at: new.at,
        edited_at: None,
        redacted_at: None,
        body: new.body,
    };
    entry::insert(tx, locked.workspace(), &added)?;
    note_way(locked, &added);
    if let (Some(decision), Some((rule, trace))) = (decision_id, &new.decision) {
        entry::insert_decision(tx, locked.workspace(), decision, id, rule, trace, now)?;
    }
    if !new.silent {
        consequences(tx, locked, &added, now)?;
    }
    Ok(added)
}

/// A conversation knows every channel that it has used: placement asks.
fn note_way(locked: &mut Locked, added: &Entry) {
    let way = crate::placement::way(added.channel, added.inbox_id);
    if added.channel != Channel::Internal && !locked.row.channels.contains(&way) {
        locked.row.channels.push(way);
    }
}

fn consequences(tx: &mut dyn Conn, locked: &mut Locked, added: &Entry, now: Timestamp) -> Result<(), StoreError> {
    let row = &mut locked.row;
    if added.audience == Audience::Customer {
        row.public_seq = added.seq;
    }
    if added.kind == EntryKind::Event {
        return Ok(());
    }
    row.preview = Some(preview_of(added));
    row.last_activity_at = row.last_activity_at.max(added.at);
    if row.subject.is_none() {
        row.subject.clone_from(&added.body.subject);
    }
    if added.direction == Direction::In && added.audience == Audience::Outside {
        // A third party has answered: somebody should look, but it is not the customer who waits.
        row.unread_count += 1;
        if !added.closing {
            reopen(tx, locked, now)?;
        }
    } else if added.direction == Direction::In {
        row.customer_seq = added.seq;
        row.customer_at = Some(added.at);
        row.unread_count += 1;
        row.channel = added.channel;
        row.inbox_id = added.inbox_id.unwrap_or(row.inbox_id);
        if !added.closing {
            row.waiting_since.get_or_insert(added.at);
            reopen(tx, locked, now)?;
        }
    } else if answers_the_customer(added) {
        row.waiting_since = None;
    }
    Ok(())
}

/// A public entry of a person that is no notification: what clocks and figures call a human response.
fn answers_the_customer(entry: &Entry) -> bool {
    entry.direction == Direction::Out
        && entry.audience == Audience::Customer
        && entry.author_kind == AuthorKind::Agent
        && !entry.notification
}

/// The same looking back: also what was written in the provider's own app, but nothing that was taken back.
pub(super) fn ends_the_wait(entry: &Entry) -> bool {
    let from_the_app = entry.author_kind == AuthorKind::System && entry.flags.iter().any(|f| f == "from_the_app");
    entry.delivery != Some(DeliveryState::Cancelled)
        && (answers_the_customer(entry) || (from_the_app && entry.direction == Direction::Out))
}

/// A customer's entry opens what waits, sleeps or is resolved.
fn reopen(tx: &mut dyn Conn, locked: &mut Locked, now: Timestamp) -> Result<(), StoreError> {
    if locked.row.status == Status::Open || locked.row.status == Status::Closed {
        return Ok(());
    }
    super::change::set_status(tx, locked, Status::Open, None, Actor::System, now)
}

/// Adds an event entry (`status_changed`, `assigned` ..): one number, one row of the log under `kind`, one line on screen.
#[expect(clippy::too_many_arguments, reason = "one event entry, each of its fields once")]
pub fn add_event(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    kind: &'static str,
    code: &str,
    args: serde_json::Value,
    actor: Actor,
    actor_name: &str,
    now: Timestamp,
) -> Result<model::EventId, StoreError> {
    let id = EntryId(tx.id());
    let mut payload = args.clone();
    if let Some(object) = payload.as_object_mut() {
        object.insert("entry".to_owned(), json!(id));
    }
    let event = locked.log(tx, kind, now, actor, payload);
    let mut args = args;
    if let Some(object) = args.as_object_mut() {
        object.insert("event".to_owned(), json!(event));
    }
    let (author_kind, author_id) = author_of(actor);
    let row = &locked.row;
    let shown = Entry {
        id,
        contact_id: row.contact_id,
        conversation_id: row.id,
        inbox_id: None,
        contact_point_id: None,
        kind: EntryKind::Event,
        channel: Channel::Internal,
        direction: Direction::Internal,
        audience: Audience::Team,
        delivery: None,
        delivery_reason: None,
        uncertain: false,
        author_kind,
        author_id,
        author_name: actor_name.to_owned(),
        notification: false,
        closing: false,
        imported: row.imported,
        proof_level: None,
        flags: vec![],
        decision_id: None,
        reply_to: None,
        external_key: None,
        client_key: None,
        client_id: None,
        seq: row.seq,
        at: now,
        edited_at: None,
        redacted_at: None,
        body: Body { event: Some(model::parts::EventBody { code: code.to_owned(), args }), ..Body::default() },
    };
    entry::insert(tx, locked.workspace(), &shown)?;
    Ok(event)
}

/// The last entry in short, for lists.
pub fn preview_of(entry: &Entry) -> Preview {
    let line = entry.body.text.split_whitespace().collect::<Vec<_>>().join(" ");
    Preview {
        entry_id: Some(entry.id),
        kind: entry.kind.word().to_owned(),
        direction: entry.direction.word().to_owned(),
        author_kind: entry.author_kind.word().to_owned(),
        author_name: entry.author_name.clone(),
        text: model::fold::truncate(&line, PREVIEW_CHARS_MAX).to_owned(),
        attachments: i64::try_from(entry.body.attachments.len()).unwrap_or(0),
    }
}

/// The files of an entry as its body names them.
pub fn refs(attachments: &[store::attachment::Attachment]) -> Vec<AttachmentRef> {
    attachments.iter().map(|a| AttachmentRef { id: a.id, name: a.name.clone(), mime: a.mime.clone(), bytes: a.bytes }).collect()
}
