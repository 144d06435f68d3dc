//! Entries of the timeline.

use super::file::{Attachment, Files};
use super::mail::EntryMail;
use desk::view::timeline::{DeliveryView, EntryView, TimelinePage as Page};
use model::{
    AgentId, Audience, AuthorKind, CallId, Channel, ContactId, ContactPointId, ConversationId, DecisionId, DeliveryState,
    Direction, DraftId, DraftMode, EntryId, EntryKind, EventId, InboxId, Status, Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who wrote an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Author {
    /// What kind of author.
    pub kind: AuthorKind,
    /// The agent's or contact's id.
    pub id: Option<String>,
    /// The name at that time.
    pub name: String,
}

/// The words of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryBody {
    /// Plain text.
    pub text: String,
    /// Sanitised HTML, where the channel is rich.
    pub html_safe: Option<String>,
    /// Subject, where the channel has one.
    pub subject: Option<String>,
    /// Senders and receivers, where it is a mail.
    pub mail: Option<EntryMail>,
}

/// A piece that is neither text nor file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    /// A point on the map.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// What the place is called.
        name: Option<String>,
    },
    /// A pressed button or chosen row.
    Choice {
        /// What it said.
        label: String,
        /// The value behind it.
        value: String,
    },
    /// Something the channel could not read.
    Unsupported {
        /// The provider's word for it.
        what: String,
    },
}

impl From<model::parts::Part> for Part {
    fn from(part: model::parts::Part) -> Self {
        match part {
            model::parts::Part::Location { latitude, longitude, name } => Self::Location { latitude, longitude, name },
            model::parts::Part::Choice { label, value } => Self::Choice { label, value },
            model::parts::Part::Unsupported { what } => Self::Unsupported { what },
        }
    }
}

/// How the delivery of an outgoing entry stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryStatus {
    /// The combined word.
    pub code: DeliveryState,
    /// Why.
    pub reason: Option<String>,
    /// It may have been sent, and nobody knows.
    pub uncertain: bool,
    /// End of the undo time.
    pub hold_until: Option<Timestamp>,
    /// The time that the agent chose.
    pub send_at: Option<Timestamp>,
    /// Parts that the provider took.
    pub parts_sent: i64,
    /// Parts in all.
    pub parts_total: i64,
    /// Last change.
    pub at: Timestamp,
}

impl From<&DeliveryView> for EntryStatus {
    fn from(view: &DeliveryView) -> Self {
        Self {
            code: view.state,
            reason: view.reason.clone(),
            uncertain: view.uncertain,
            hold_until: view.hold_until,
            send_at: view.send_at,
            parts_sent: view.parts_sent,
            parts_total: view.parts_total,
            at: view.at,
        }
    }
}

/// What an event entry tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EntryEvent {
    /// Stable code.
    pub code: String,
    /// Values for the sentence.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Object>>)]
    pub args: Option<serde_json::Value>,
    /// What takes it back, where it can be.
    pub undo_id: Option<EventId>,
}

/// The facts of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryCall {
    /// The call.
    pub id: CallId,
    /// ringing, answered, missed, voicemail, ended.
    pub state: String,
    /// Talking time.
    pub duration_ms: i64,
    /// Time in the queue.
    pub wait_ms: i64,
}

/// How well the sender is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryVia {
    /// 0 claimed to 3 authenticated.
    pub proof_level: i64,
    /// Flags of identity and placement.
    pub flags: Vec<String>,
}

/// Why an entry stands where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryPlaced {
    /// The rule.
    pub rule: String,
    /// The recorded decision.
    pub decision_id: DecisionId,
}

/// One thing on the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// What it is.
    pub kind: EntryKind,
    /// The label.
    pub conversation_id: ConversationId,
    /// The contact that it was written with.
    pub contact_id: ContactId,
    /// How it came or goes.
    pub channel: Channel,
    /// Through which inbox.
    pub inbox_id: Option<InboxId>,
    /// The customer's address of it.
    pub contact_point_id: Option<ContactPointId>,
    /// Which way.
    pub direction: Direction,
    /// Who wrote it.
    pub author: Author,
    /// When.
    pub at: Timestamp,
    /// Who may see it.
    pub audience: Audience,
    /// Its words.
    pub body: EntryBody,
    /// Files in order.
    pub attachments: Vec<Attachment>,
    /// Pieces that are neither text nor file.
    pub parts: Vec<Part>,
    /// Outgoing only.
    pub status: Option<EntryStatus>,
    /// On entries of kind event.
    pub event: Option<EntryEvent>,
    /// On entries of kind call.
    pub call: Option<EntryCall>,
    /// On entries of the customer.
    pub via: Option<EntryVia>,
    /// Why it stands here.
    pub placed: Option<EntryPlaced>,
    /// Pre-chat answers and the page the visitor was on.
    #[schema(value_type = Option<std::collections::BTreeMap<String, Object>>)]
    pub context: Option<serde_json::Value>,
    /// Number of its last change.
    pub seq: i64,
    /// My own Idempotency-Key.
    pub client_id: Option<String>,
    /// Last edit.
    pub edited_at: Option<Timestamp>,
    /// Its content was removed.
    pub redacted: bool,
    /// History from elsewhere.
    pub imported: bool,
}

/// Pictures inside the HTML name the attachment that they are; here it gets its address.
fn with_pictures(html: &str, attachments: &[model::AttachmentRef], files: &Files) -> String {
    if !html.contains("\"attachment:") {
        return html.to_owned();
    }
    attachments.iter().fold(html.to_owned(), |html, one| {
        let url = files.url(one.id, &one.name).replace('&', "&amp;");
        html.replace(&format!("\"attachment:{}\"", one.id), &format!("\"{url}\""))
    })
}

impl Entry {
    /// An entry as everybody sees it; `client_id` is added for its author only.
    pub fn of(view: &EntryView, files: &Files) -> Self {
        let e = &view.entry;
        let redacted = e.redacted_at.is_some();
        let author_id = e.author_id.and_then(|id| match e.author_kind {
            AuthorKind::Agent => Some(AgentId(id).to_string()),
            AuthorKind::Contact => Some(ContactId(id).to_string()),
            AuthorKind::Bot | AuthorKind::System => None,
        });
        let via = (e.direction == Direction::In)
            .then(|| e.proof_level.map(|proof_level| EntryVia { proof_level, flags: e.flags.clone() }))
            .flatten();
        Self {
            id: e.id,
            kind: e.kind,
            conversation_id: e.conversation_id,
            contact_id: e.contact_id,
            channel: e.channel,
            inbox_id: e.inbox_id,
            contact_point_id: e.contact_point_id,
            direction: e.direction,
            author: Author { kind: e.author_kind, id: author_id, name: e.author_name.clone() },
            at: e.at,
            audience: e.audience,
            body: EntryBody {
                text: e.body.text.clone(),
                html_safe: e.body.html.as_deref().map(|html| with_pictures(html, &e.body.attachments, files)),
                subject: e.body.subject.clone(),
                mail: e.body.mail.as_deref().map(EntryMail::from),
            },
            attachments: e.body.attachments.iter().map(|a| files.attachment(a.id, &a.name, &a.mime, a.bytes)).collect(),
            parts: e.body.parts.iter().cloned().map(Part::from).collect(),
            status: view.status.as_ref().map(EntryStatus::from),
            event: event_of(view),
            call: e.body.call.as_ref().map(|call| EntryCall {
                id: call.id,
                state: call.state.clone(),
                duration_ms: call.duration_ms,
                wait_ms: call.wait_ms,
            }),
            via,
            placed: view.placed.as_ref().map(|(rule, id)| EntryPlaced { rule: rule.clone(), decision_id: *id }),
            context: e.body.context.clone().filter(serde_json::Value::is_object),
            seq: e.seq,
            client_id: None,
            edited_at: e.edited_at,
            redacted,
            imported: e.imported,
        }
    }

    /// The same as one agent sees it: with the key that this agent sent.
    pub fn seen_by(view: &EntryView, files: &Files, me: AgentId) -> Self {
        let mut entry = Self::of(view, files);
        entry.client_id = own_key(view, me).map(str::to_owned);
        entry
    }
}

/// The idempotency key of an entry, if this agent wrote it.
pub fn own_key(view: &EntryView, me: AgentId) -> Option<&str> {
    let mine = view.entry.author_kind == AuthorKind::Agent && view.entry.author_id == Some(me.0) && view.hidden.is_none();
    view.entry.client_id.as_deref().filter(|_| mine)
}

/// Codes of events that `POST /undo/:id` takes back.
const UNDOABLE: [&str; 3] = ["conversation_merged", "conversation_split", "entry_moved"];

fn event_of(view: &EntryView) -> Option<EntryEvent> {
    if let Some(count) = view.hidden {
        return Some(EntryEvent { code: "hidden".to_owned(), args: Some(serde_json::json!({ "count": count })), undo_id: None });
    }
    let event = view.entry.body.event.as_ref()?;
    // The desk keeps the event's own id among the values; for the screen it is a thing of its own.
    let own = event.args.get("event").and_then(|id| id.as_str()).and_then(|id| EventId::parse(id).ok());
    let mut args = event.args.clone();
    if let Some(args) = args.as_object_mut() {
        args.remove("event");
    }
    let undo_id = own.filter(|_| UNDOABLE.contains(&event.code.as_str()));
    Some(EntryEvent { code: event.code.clone(), args: Some(args).filter(serde_json::Value::is_object), undo_id })
}

/// A conversation that entries of a timeline belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelineConversation {
    /// Its id.
    pub id: ConversationId,
    /// Its number.
    pub number: i64,
    /// Where it stands.
    pub status: Status,
    /// Its subject.
    pub subject: Option<String>,
    /// The one that took its entries.
    pub merged_into: Option<ConversationId>,
}

/// A page of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelinePage {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// More stands before.
    pub before: Option<String>,
    /// More stands after.
    pub after: Option<String>,
    /// The first that I have not seen.
    pub first_unread_id: Option<EntryId>,
    /// What the entries belong to.
    pub conversations: Vec<TimelineConversation>,
    /// The asked conversation's number.
    pub seq: i64,
    /// The state that this page shows.
    pub change_seq: i64,
}

impl TimelinePage {
    /// The page as one agent sees it.
    pub fn of(page: &Page, files: &Files, me: AgentId) -> Self {
        Self {
            entries: page.entries.iter().map(|view| Entry::seen_by(view, files, me)).collect(),
            before: page.before.map(super::cursor::write),
            after: page.after.map(super::cursor::write),
            first_unread_id: page.first_unread,
            conversations: page
                .conversations
                .iter()
                .map(|c| TimelineConversation {
                    id: c.id,
                    number: c.number,
                    status: c.status,
                    subject: c.subject.clone(),
                    merged_into: c.merged_into,
                })
                .collect(),
            seq: page.seq,
            change_seq: page.change_seq,
        }
    }
}

/// An unsent text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Draft {
    /// Its id.
    pub id: DraftId,
    /// Where it will go.
    pub conversation_id: ConversationId,
    /// Reply or note.
    pub mode: DraftMode,
    /// The text.
    pub text: String,
    /// Files that wait with it.
    pub attachments: Vec<Attachment>,
    /// The inbox that was chosen.
    pub inbox_id: Option<InboxId>,
    /// What the composer needs of a mail: receivers, subject, HTML.
    #[schema(value_type = Option<Object>)]
    pub mail: Option<serde_json::Value>,
    /// Grows with each save.
    pub version: i64,
    /// When it was saved.
    pub updated_at: Timestamp,
}

impl Draft {
    /// A draft with the rows of its files; files that are gone are left out.
    pub fn of(draft: &store::draft::Draft, rows: &[store::attachment::Attachment], files: &Files) -> Self {
        let attachments =
            draft.attachment_ids.iter().filter_map(|id| rows.iter().find(|row| row.id == *id)).map(|row| files.of(row)).collect();
        Self {
            id: draft.id,
            conversation_id: draft.conversation_id,
            mode: draft.mode,
            text: draft.text.clone(),
            attachments,
            inbox_id: draft.inbox_id,
            mail: draft.mail.clone(),
            version: draft.version,
            updated_at: draft.updated_at,
        }
    }
}
