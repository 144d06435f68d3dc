//! What a channel says happened. Plain data: adapters make it, the desk acts on it.
//!
//! The serde form (tagged with `kind`) is what fixtures, snapshots and FakeChannel speak; it is not stored.

use crate::mail::{EnclosedFile, MailFacts, TextSpan, Warning};
use model::words::{ContactPointKind, DeliveryState};
use model::{AttachmentId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that happened on a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InboundEvent {
    /// The customer wrote.
    Message(InboundMessage),
    /// Written by us or in the provider's own app.
    Echo(InboundMessage),
    /// News about a message of ours. An unknown status is reported as `Queued` (pending), never as failed.
    Delivery {
        /// The provider's id of our message.
        provider_id: String,
        /// What it says.
        state: DeliveryState,
        /// When.
        at: Timestamp,
        /// The provider's code, for failures.
        #[serde(default)]
        code: Option<String>,
        /// What it cost.
        #[serde(default)]
        cost: Option<Cost>,
    },
    /// All our messages up to a point were delivered or read.
    Watermark {
        /// Delivered or read. (Not called `kind` in JSON, which tags the event.)
        #[serde(rename = "mark")]
        kind: WatermarkKind,
        /// Where.
        external_conversation: String,
        /// Up to which message.
        up_to: UpTo,
    },
    /// The customer changed a message.
    Edit {
        /// The provider's id of the changed message.
        provider_id: String,
        /// How it reads now.
        message: InboundMessage,
    },
    /// The customer took a message back.
    Delete {
        /// The provider's id.
        provider_id: String,
    },
    /// The customer reacted to a message.
    Reaction {
        /// The provider's id of the message reacted to.
        provider_id: String,
        /// Who.
        from: ContactPointClaim,
        /// The emoji; `None` takes it back.
        emoji: Option<String>,
    },
    /// The customer is writing. Never stored.
    Typing {
        /// Where.
        external_conversation: String,
        /// Writing, or stopped.
        #[serde(default = "yes")]
        on: bool,
    },
    /// The customer wants nothing more from us.
    OptOut {
        /// Who.
        from: ContactPointClaim,
        /// From what.
        scope: OptScope,
    },
    /// The customer wants to hear from us again.
    OptIn {
        /// Who.
        from: ContactPointClaim,
        /// What.
        scope: OptScope,
    },
    /// The same customer has a new address.
    ContactPointChanged {
        /// Before.
        old: ContactPointClaim,
        /// Now.
        new: ContactPointClaim,
    },
    /// Somebody said something about themselves, beside any message: values a page set, an address left in the widget.
    Claim(ClaimEvent),
    /// A template changed its state.
    Template {
        /// Its name.
        name: String,
        /// The provider's word.
        state: String,
    },
    /// Permission lost, number flagged, quota changed.
    Account {
        /// The provider's code.
        code: String,
        /// In words.
        text: String,
    },
    /// Something on a call.
    Call(CallEvent),
    /// We do not know this kind. It is stored and shown, never dropped.
    Unsupported {
        /// The provider's word for it. (`kind` is the tag in JSON.)
        #[serde(rename = "what")]
        kind: String,
        /// Who sent it, when the adapter can tell: the agent then sees it in that person's timeline.
        #[serde(default)]
        from: Vec<ContactPointClaim>,
        /// Where.
        #[serde(default)]
        external_conversation: Option<String>,
    },
}

fn yes() -> bool {
    true
}

impl InboundEvent {
    /// The words of `word`, in the order of the variants.
    pub const WORDS: [&'static str; 16] = [
        "message",
        "echo",
        "delivery",
        "watermark",
        "edit",
        "delete",
        "reaction",
        "typing",
        "opt_out",
        "opt_in",
        "contact_point_changed",
        "claim",
        "template",
        "account",
        "call",
        "unsupported",
    ];

    /// A stable word for logs and metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Echo(_) => "echo",
            Self::Delivery { .. } => "delivery",
            Self::Watermark { .. } => "watermark",
            Self::Edit { .. } => "edit",
            Self::Delete { .. } => "delete",
            Self::Reaction { .. } => "reaction",
            Self::Typing { .. } => "typing",
            Self::OptOut { .. } => "opt_out",
            Self::OptIn { .. } => "opt_in",
            Self::ContactPointChanged { .. } => "contact_point_changed",
            Self::Claim(_) => "claim",
            Self::Template { .. } => "template",
            Self::Account { .. } => "account",
            Self::Call(_) => "call",
            Self::Unsupported { .. } => "unsupported",
        }
    }
}

/// A message as the channel gave it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InboundMessage {
    /// The provider's id.
    pub provider_id: String,
    /// Chat id, PSID, our number + theirs, visitor id.
    pub external_conversation: String,
    /// What the message declares itself to be, on channels that carry others (API channel); `None` = the inbox's kind.
    pub channel: Option<model::Channel>,
    /// Who says to have written it, strongest proof first.
    pub from: Vec<ContactPointClaim>,
    /// To whom.
    pub to: Vec<ContactPointClaim>,
    /// Who else has it, in copy.
    pub cc: Vec<ContactPointClaim>,
    /// When, by the sender's clock.
    pub sent_at: Option<Timestamp>,
    /// Provider ids that it answers, newest first.
    pub reply_to: Vec<String>,
    /// Signed tokens of ours found in address, link, footer or widget; unchecked.
    pub tokens: Vec<String>,
    /// Messages with the same key are one entry (album).
    pub group_key: Option<String>,
    /// Subject, on channels that have one.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// HTML as it came, not yet sanitised. An adapter of a rich channel may give it sanitised already.
    pub html: Option<String>,
    /// Stretches of `text` that are not new (quotes, signatures). Folded on screen, never removed.
    pub spans: Vec<TextSpan>,
    /// Everything that is not text.
    pub parts: Vec<Part>,
    /// Was it written by a machine?
    pub automatic: Automatic,
    /// Older than the inbox and imported: kept on the timeline, answered by nobody, no clock, no notification.
    pub history: bool,
    /// The provider takes it for spam (its junk folder).
    pub junk: bool,
    /// Pre-chat answers, the page the visitor was on: shown to agents, never used to join people.
    pub context: Option<serde_json::Value>,
    /// Order numbers that the sender's own system names, beside whatever the text says.
    pub order_numbers: Vec<String>,
    /// Numbers of our conversations that the sender's own system names; unchecked, like one in the text.
    pub conversation_numbers: Vec<String>,
    /// What an agent should know about how it was read.
    pub warnings: Vec<Warning>,
    /// What only mail knows.
    pub mail: Option<Box<MailFacts>>,
}

/// An address that somebody claims, with what proves it in **this** event.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContactPointClaim {
    /// What kind of address. (`point` in JSON, since `kind` tags events.)
    #[serde(rename = "point")]
    pub kind: ContactPointKind,
    /// Inside what the value is unique: page, bot, inbox; empty for phone, email and account.
    #[serde(default)]
    pub scope: String,
    /// The address as it came; the desk normalises it.
    pub value: String,
    /// Display name beside it.
    #[serde(default)]
    pub name: Option<String>,
    /// 3 authenticated, 2 controlled, 1 spoofable, 0 claimed.
    pub proof_level: u8,
    /// Where it was found.
    pub source: ClaimSource,
    /// Proven false (DMARC fail): never a match, only a flag.
    #[serde(default)]
    pub disproved: bool,
    /// The level that the sender stated, where that was more than it may vouch for; `proof_level` is then what counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_level: Option<u8>,
}

impl ContactPointClaim {
    /// A claim without name; add one with `named`.
    pub fn new(
        kind: ContactPointKind,
        scope: impl Into<String>,
        value: impl Into<String>,
        proof_level: u8,
        source: ClaimSource,
    ) -> Self {
        let (scope, value) = (scope.into(), value.into());
        Self { kind, scope, value, name: None, proof_level, source, disproved: false, stated_level: None }
    }
    /// The same claim with a display name.
    pub fn named(mut self, name: Option<String>) -> Self {
        self.name = name;
        self
    }
}

/// Where a claimed address was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimSource {
    /// The provider's sender field.
    Sender,
    /// A receiver field.
    Receiver,
    /// A token signed by the business (JWT).
    Signed,
    /// A keyed hash of the id by the business: it never expires.
    Hashed,
    /// The visitor token of our own widget.
    VisitorToken,
    /// Typed into a form or the chat.
    Typed,
    /// Said by the embedding page without signature.
    Page,
}

/// Something said about oneself, beside any message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimEvent {
    /// Who says it: what is known of the sender, strongest first.
    pub from: Vec<ContactPointClaim>,
    /// Where.
    pub external_conversation: String,
    /// An address left for the answer (level 0): a delivery address of this conversation, it joins nobody.
    pub address: Option<ContactPointClaim>,
    /// May the answer go there?
    pub may_mail: bool,
    /// Unproven values such as a name or a plan, shown as claimed.
    pub values: BTreeMap<String, String>,
    /// The page the visitor is on.
    pub page: Option<PageSeen>,
}

/// A page of the business's site.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSeen {
    /// Its address.
    pub url: String,
    /// Its title.
    #[serde(default)]
    pub title: String,
}

/// A piece of a message that is not text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// A file that the `Media` trait of this channel can fetch.
    Media(MediaRef),
    /// A file that lies inside the raw event; `Enclosures` cuts it out.
    Enclosed(EnclosedFile),
    /// A file that is already ours (uploaded through the widget or the API); the desk checks that it belongs here.
    Uploaded {
        /// Its id.
        id: AttachmentId,
    },
    /// A point on the map.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// What the place is called.
        #[serde(default)]
        name: Option<String>,
    },
    /// A contact card.
    ContactCard {
        /// Whose.
        name: String,
        /// Telephone numbers as written.
        #[serde(default)]
        phones: Vec<String>,
        /// Mail addresses as written.
        #[serde(default)]
        emails: Vec<String>,
    },
    /// A pressed button or chosen row.
    Choice {
        /// What it said.
        label: String,
        /// The machine value behind it.
        value: String,
    },
    /// A piece we do not know; the agent sees its kind.
    Unsupported {
        /// The provider's word for it.
        what: String,
    },
}

/// A file that only the provider has so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaRef {
    /// The provider's id or address of it; only the adapter understands it.
    pub reference: String,
    /// Name, when given.
    #[serde(default)]
    pub name: Option<String>,
    /// Media type, when given: a hint.
    #[serde(default)]
    pub mime: Option<String>,
    /// Size, when given.
    #[serde(default)]
    pub bytes: Option<u64>,
}

/// Was a message written by a machine?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Automatic {
    /// By a person, as far as we can tell.
    #[default]
    No,
    /// An automatic answer such as a vacation note.
    Reply,
    /// A report that a message came back.
    Bounce,
    /// A list or bulk message.
    Bulk,
}

/// Delivered or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatermarkKind {
    /// It reached the device.
    Delivered,
    /// It was read.
    Read,
}

/// Up to which message a watermark reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpTo {
    /// Everything sent up to this time (Messenger).
    Time(Timestamp),
    /// Everything up to this `seq` of our conversation (our own widget).
    Seq(i64),
}

/// How far an opt-out or opt-in reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptScope {
    /// Everything.
    All,
    /// Marketing only.
    Marketing,
}

/// What a message cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// In millionths of the currency's unit.
    pub micros: i64,
    /// ISO 4217.
    pub currency: String,
}

/// Something on a call. The voice adapter extends this list; only facts that change a decision cross the border.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CallEvent {
    /// The provider's id of the call.
    pub call: String,
    /// What happened.
    pub fact: CallFact,
    /// Who calls, as far as the network says.
    #[serde(default)]
    pub from: Vec<ContactPointClaim>,
    /// When.
    pub at: Timestamp,
    /// Tokens of ours that came with it: a call-back link, a checked one-time code.
    #[serde(default)]
    pub tokens: Vec<String>,
    /// Numbers of our conversations typed into the menu; unchecked.
    #[serde(default)]
    pub conversation_numbers: Vec<String>,
    /// Order numbers typed into the menu.
    #[serde(default)]
    pub order_numbers: Vec<String>,
}

/// A fact of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallFact {
    /// It rings.
    #[default]
    Ringing,
    /// Somebody answered.
    Answered,
    /// It is over.
    Ended,
}
