//! The JSON that the other side sends, and what we send it. These types are the documentation: docs/API-CHANNEL.md and
//! openapi.json say the same.

use model::{AttachmentId, Channel, ContactPointKind, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// One event. `event_id` makes it exactly-once: the same id again is answered with the first result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = ChannelEvent)]
pub enum ApiEvent {
    /// The customer wrote.
    Message(ApiMessage),
    /// Somebody of the firm answered the customer in another system: shown as ours, never sent again.
    Echo(ApiMessage),
    /// The customer changed a message.
    Edit(ApiEdit),
    /// The customer took a message back.
    Delete(ApiRef),
    /// What became of a message of ours.
    Delivery(ApiDelivery),
    /// The customer has read (or was given) everything up to a time.
    Read(ApiRead),
    /// The customer is writing. Never stored.
    Typing(ApiTyping),
    /// The customer reacted to a message.
    Reaction(ApiReaction),
    /// The customer wants nothing more from us under this address.
    OptOut(ApiOpt),
    /// The customer wants to hear from us again.
    OptIn(ApiOpt),
    /// The same customer has another address now.
    ContactPointChanged(ApiChanged),
}

/// The kinds that are understood; any other is stored and shown as "not supported".
pub const KINDS: [&str; 11] =
    ["message", "echo", "edit", "delete", "delivery", "read", "typing", "reaction", "opt_out", "opt_in", "contact_point_changed"];

/// Who writes. At least one of `id`, `points` and the event's `external_conversation` must name somebody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ChannelSender)]
pub struct ApiSender {
    /// Your own id of this customer. Level 2 inside this inbox, whatever the ceiling: it joins nobody else's history.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Addresses that you know of them, with how sure you are.
    pub points: Vec<ApiPoint>,
}

/// One address of a sender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelPoint)]
pub struct ApiPoint {
    /// What kind: phone, email, account, crm, a platform's id, or ext for an id of yours. Not visitor.
    pub kind: ContactPointKind,
    /// The address. Telephone numbers best with country code.
    pub value: String,
    /// For ids of platforms: the page, bot or account inside which the id is unique.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// How sure you are: 0 only stated, 1 unverified, 2 confirmed, 3 signed in. Above the inbox's ceiling it counts as the
    /// ceiling, and agents see what was stated.
    #[serde(default = "one")]
    #[schema(minimum = 0, maximum = 3, default = 1)]
    pub level: u8,
}

fn one() -> u8 {
    1
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ChannelMessage)]
pub struct ApiMessage {
    /// Your id of this event, 1 to 200 characters.
    #[schema(required = true, min_length = 1, max_length = 200)]
    pub event_id: String,
    /// Your id of the message, when it is another one: what edits, reactions and replies name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Your name of the thread; answers carry it back. Events of one thread are taken in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_conversation: Option<String>,
    /// The channel that it came by on your side, when you bridge one; else `api`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Who wrote it (of an echo: whom it was written to).
    #[schema(required = true)]
    pub from: ApiSender,
    /// When, by your clock; else on arrival.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// Subject, for inboxes that have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// Files: uploaded before (`id`), or to be fetched from you (`url`).
    pub files: Vec<ApiFile>,
    /// Ids of the messages that it answers, newest first: yours, or the `message_id` of ours.
    pub reply_to: Vec<String>,
    /// Tokens of ours that you found in a link, footer or address. Checked here.
    pub tokens: Vec<String>,
    /// Order numbers that it is about.
    pub order_numbers: Vec<String>,
    /// Numbers of our conversations that it is about.
    pub conversation_numbers: Vec<String>,
    /// What else your system knows about the matter (topic, plan, steps tried): shown first to the agent, as stated by you.
    #[schema(value_type = Object)]
    pub facts: Map<String, Value>,
    /// Written by a machine.
    pub automatic: bool,
    /// Messages with the same key belong together, like the pictures of an album.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_key: Option<String>,
}

/// A file of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ChannelFile)]
pub struct ApiFile {
    /// From `POST .../files`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<AttachmentId>,
    /// Where we may fetch it; https, no private networks unless the inbox allows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its name, with `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A changed message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelEdit)]
pub struct ApiEdit {
    /// Your id of this event.
    pub event_id: String,
    /// Which message.
    pub message_id: String,
    /// Its thread, as in the message: keeps the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_conversation: Option<String>,
    /// How it reads now.
    pub text: String,
}

/// A message taken back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelDelete)]
pub struct ApiRef {
    /// Your id of this event.
    pub event_id: String,
    /// Which message.
    pub message_id: String,
    /// Its thread, as in the message: keeps the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_conversation: Option<String>,
}

/// What became of a message of ours. Any order and any number of repeats end the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelDelivery)]
pub struct ApiDelivery {
    /// Your id of this event.
    pub event_id: String,
    /// The id that you answered to the webhook, or its `webhook-id` when you gave none.
    pub message_id: String,
    /// `accepted`, `sent`, `delivered`, `read` or `failed`; an unknown word means pending.
    pub state: String,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Your code, for failures: agents see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Everything up to a time was read or delivered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelRead)]
pub struct ApiRead {
    /// Your id of this event.
    pub event_id: String,
    /// By whom: your id of the customer, or the thread when you gave no id.
    pub from: String,
    /// Up to when; else now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Timestamp>,
    /// Only delivered, not read.
    #[serde(default)]
    pub only_delivered: bool,
}

/// The customer is writing, or stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelTyping)]
pub struct ApiTyping {
    /// Your id of this event.
    pub event_id: String,
    /// Who: your id of the customer, or the thread when you gave no id.
    pub from: String,
    /// Writing, or stopped.
    #[serde(default = "yes")]
    pub on: bool,
}

fn yes() -> bool {
    true
}

/// A reaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelReaction)]
pub struct ApiReaction {
    /// Your id of this event.
    pub event_id: String,
    /// The message reacted to.
    pub message_id: String,
    /// Its thread, as in the message: keeps the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_conversation: Option<String>,
    /// Who.
    pub from: ApiSender,
    /// The emoji; null takes it back.
    #[serde(default)]
    pub emoji: Option<String>,
}

/// An opt-out or opt-in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelOpt)]
pub struct ApiOpt {
    /// Your id of this event.
    pub event_id: String,
    /// Who; the first address counts.
    pub from: ApiSender,
    /// Marketing only; else everything.
    #[serde(default)]
    pub only_marketing: bool,
}

/// A new address of the same customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChannelPointChanged)]
pub struct ApiChanged {
    /// Your id of this event.
    pub event_id: String,
    /// Before.
    pub old: ApiPoint,
    /// Now.
    pub new: ApiPoint,
}

/// What we send: one webhook. `webhook-id` in the headers is the same for every repeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ChannelWebhook)]
pub struct ApiWebhook {
    /// `message.created`, `typing.changed`, `message.read`, `message.edited`, `message.deleted`, `reaction.changed` or `test`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened here.
    pub timestamp: Timestamp,
    /// What it is about; for `message.created` a `ChannelWebhookMessage`.
    pub data: Value,
}

/// A message of ours, to be given to the customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ChannelWebhookMessage)]
pub struct ApiOut {
    /// The inbox that sends.
    pub inbox_id: String,
    /// Our conversation.
    pub conversation_id: String,
    /// The entry: the same for all receivers of one message.
    pub entry_id: String,
    /// Who gets it.
    pub to: ApiReceiver,
    /// Your name of the thread: the customer's id when you gave none.
    pub external_conversation: Option<String>,
    /// Who wrote it: `agent`, `bot` or `system`.
    pub author: String,
    /// Name that the customer may see.
    pub author_name: Option<String>,
    /// Subject, for inboxes that have one.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// The same as clean HTML, when there is any.
    pub html: Option<String>,
    /// Files: fetch them with the key of the inbox.
    pub files: Vec<ApiOutFile>,
    /// Messages that it answers, newest first: your ids.
    pub reply_to: Vec<String>,
    /// An approved template instead of free text.
    pub template: Option<ApiTemplate>,
}

/// A receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ChannelReceiver)]
pub struct ApiReceiver {
    /// What kind of address.
    pub kind: ContactPointKind,
    /// Inside what it is unique.
    pub scope: String,
    /// The address, as you gave it.
    pub value: String,
    /// Name.
    pub name: Option<String>,
}

/// A file of ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ChannelWebhookFile)]
pub struct ApiOutFile {
    /// Its id.
    pub id: AttachmentId,
    /// Its name.
    pub name: String,
    /// Its type, as found in the bytes.
    pub mime: String,
    /// Its size.
    pub bytes: u64,
    /// Where to get it, on the address of this server, with `Authorization: Bearer` and the key of the inbox.
    pub path: String,
}

/// A template with its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ChannelTemplate)]
pub struct ApiTemplate {
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// Values for its places, in order.
    pub values: Vec<String>,
}

/// What may be answered to a webhook; an empty body is fine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ChannelWebhookAnswer)]
pub struct ApiAnswer {
    /// Your id of the message: what later reports name.
    pub message_id: Option<String>,
    /// `accepted` (default), `sent` or `delivered`.
    pub state: Option<String>,
    /// With a status of 4xx: why it will not be taken.
    pub error: Option<ApiRefusal>,
}

/// Why a webhook is refused for good.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = ChannelRefusal)]
pub struct ApiRefusal {
    /// `permanent` (default), `address` (nobody is reached there any more) or `policy`.
    pub class: Option<String>,
    /// Your code.
    pub code: String,
    /// Words for the agent.
    pub text: String,
}
