//! What an entry holds: its text and parts, as JSON in `entry.body`. Every part is tagged with `kind`; an unknown kind
//! is kept as it came, so that a newer row never breaks an older reader.

use crate::{AttachmentId, CallId};
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
