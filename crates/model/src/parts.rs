//! What an entry holds: its text and parts, as JSON in `entry.body`. Every part is tagged with `kind`; an unknown kind
//! is kept as it came, so that a newer row never breaks an older reader.

use crate::{AttachmentId, CallId, EntryId};
use serde::{Deserialize, Serialize};

/// The content of an entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// Plain text; empty when the parts say it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// Sanitised HTML where the channel is rich.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Subject, on channels that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Files in the order of the message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentRef>,
    /// Locations, contact cards, buttons and whatever else a channel knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// What happened, on entries of kind event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventBody>,
    /// The call, on entries of kind call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallBody>,
    /// Answers of the widget's pre-chat form and the page the visitor was on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Value>,
    /// Other inboxes of ours that the same mail came to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_sent_to: Vec<crate::InboxId>,
    /// Senders, receivers and ids, where the entry is a mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Box<Mail>>,
}

/// The mail side of an entry. Ids without angle brackets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mail {
    /// Who it says to be from (incoming).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<MailAddress>,
    /// Where the sender wants answers (incoming). Never an identity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reply_to: Vec<MailAddress>,
    /// Receivers, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<MailAddress>,
    /// In copy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<MailAddress>,
    /// In copy, seen by nobody (outgoing); for the team's eyes only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bcc: Vec<MailAddress>,
    /// Its Message-ID (incoming; ours follows from the outbox row).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The mail that it answers (outgoing).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// The chain that it continues, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// What an agent chose: reply, reply_all, forward, new; `chat`: messages of a chat that go on by mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Entries that are repeated under the text, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotes: Vec<EntryId>,
    /// Words under the text, as they were when it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<MailSignature>,
    /// Why a machine wrote it: replied or generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic: Option<String>,
}

/// An address of a mail as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MailAddress {
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

/// Words under a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailSignature {
    /// Plain text.
    pub text: String,
    /// The same as clean HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

/// A file of an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttachmentRef {
    /// Row that holds name, type, size and blob.
    pub id: AttachmentId,
    /// Name as shown.
    pub name: String,
    /// Sniffed media type.
    pub mime: String,
    /// Size in bytes.
    pub bytes: i64,
}

/// A piece of a message that is neither text nor file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
        /// The machine value behind it.
        value: String,
    },
    /// Something the channel could not read; the agent sees its kind.
    Unsupported {
        /// The provider's word for it.
        what: String,
    },
}

/// What an event entry tells (codes in docs/API-DESIGN.md).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventBody {
    /// Stable code such as `status_changed`.
    pub code: String,
    /// Values for the sentence.
    #[serde(default)]
    pub args: serde_json::Value,
}

/// The closing facts of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallBody {
    /// Row with the legs.
    pub id: CallId,
    /// ringing, answered, missed, voicemail, ended.
    pub state: String,
    /// Talking time.
    pub duration_ms: i64,
    /// Time in the queue.
    pub wait_ms: i64,
}
