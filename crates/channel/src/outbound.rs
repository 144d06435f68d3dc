//! What leaves: the entry as the desk wrote it, the wire requests it becomes, and how sending them went.

use crate::{InboxSettings, inbound::Cost};
use model::words::{AuthorKind, BlockReason, ContactPointKind, DeliveryState, FailureClass};
use model::{AttachmentId, ConversationId, EntryId, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An outgoing entry, ready to be put into a channel's form.
#[derive(Clone, Debug, PartialEq)]
pub struct Outbound {
    /// The entry.
    pub entry: EntryId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// Who gets it.
    pub to: Recipient,
    /// Who else is in copy, on channels that have copies.
    pub cc: Vec<Recipient>,
    /// The provider's name of the conversation, when it has begun.
    pub external_conversation: Option<String>,
    /// Who wrote it: some windows are open for persons only.
    pub author: AuthorKind,
    /// Name that the customer sees.
    pub author_name: Option<String>,
    /// Subject, on channels that have one.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// HTML of the same text.
    pub html: Option<String>,
    /// Files in order.
    pub files: Vec<OutboundFile>,
    /// Provider ids that it answers, newest first.
    pub reply_to: Vec<String>,
    /// A template instead of free text.
    pub template: Option<TemplateUse>,
    /// What only mail has.
    pub mail: OutboundMail,
}

/// What an outgoing mail has beside the text. Empty for every other channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutboundMail {
    /// More receivers beside `Outbound::to`, who see each other.
    pub also_to: Vec<Recipient>,
    /// Receivers whom nobody sees.
    pub bcc: Vec<Recipient>,
    /// The mail that it answers, without angle brackets.
    pub in_reply_to: Option<String>,
    /// The chain that it continues, oldest first, without angle brackets.
    pub references: Vec<String>,
    /// Stands under the text.
    pub signature: Option<Signature>,
    /// Earlier messages under the signature, newest first.
    pub quotes: Vec<Quote>,
    /// Written by no person.
    pub automatic: Option<AutomaticMail>,
    /// A page or address by which the receiver gets no more of this kind (`https:` or `mailto:`).
    pub unsubscribe: Option<String>,
}

/// Words under a text, with their variables filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signature {
    /// Plain text, without the `-- ` line.
    pub text: String,
    /// The same as clean HTML.
    pub html: Option<String>,
}

/// An earlier message, repeated under an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// Who wrote it.
    pub author: String,
    /// When.
    pub at: Timestamp,
    /// Its plain text.
    pub text: String,
    /// Its clean HTML.
    pub html: Option<String>,
    /// Shown as a message of a conversation (a chat that goes on by mail), not as the `>` of an answer.
    pub as_chat: bool,
}

/// Why a machine writes (RFC 3834).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutomaticMail {
    /// It answers a mail.
    Replied,
    /// It was made by an event of ours.
    Generated,
}

/// Bytes of files, by attachment: what an adapter needs whose messages carry their files inside.
#[derive(Clone, Default)]
pub struct Contents(pub std::collections::BTreeMap<AttachmentId, Arc<[u8]>>);

impl std::fmt::Debug for Contents {
    // Content never enters a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Contents({} files)", self.0.len())
    }
}

/// One receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// What kind of address.
    pub kind: ContactPointKind,
    /// Inside what the address is unique.
    pub scope: String,
    /// The address as the provider wants it.
    pub value: String,
    /// Display name.
    pub name: Option<String>,
}

/// A file that goes out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundFile {
    /// The attachment.
    pub id: AttachmentId,
    /// Its name.
    pub name: String,
    /// Its sniffed media type.
    pub mime: String,
    /// Its size.
    pub bytes: u64,
    /// A signed public URL, for providers that fetch files from us.
    pub url: Option<String>,
}

/// A template with its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateUse {
    /// The provider's name of it.
    pub name: String,
    /// Its language.
    pub language: String,
    /// Values for its places, in order.
    pub values: Vec<String>,
}

/// What `render` may know beside the entry. Tokens and ids of ours come ready-made: adapters hold no keys.
#[derive(Clone, Debug)]
pub struct SendContext {
    /// The inbox that sends.
    pub inbox: Arc<InboxSettings>,
    /// The time that counts for windows.
    pub now: Timestamp,
    /// When the customer last wrote to this inbox.
    pub last_inbound_at: Option<Timestamp>,
    /// Our id of this sending: comes back from the provider where it can carry one, and is the idempotency key.
    pub correlation: String,
    /// Our Message-ID, for mail.
    pub message_id: Option<String>,
    /// Our reply address with its token, for mail.
    pub reply_address: Option<String>,
    /// Our token for text footers and links.
    pub token: Option<String>,
    /// The bytes of the entry's files; filled when `Capabilities::file_bytes` asks for them.
    pub contents: Contents,
}

/// One request as it goes over the wire. Serialisable, so that goldens and the simulator can compare it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireRequest {
    /// Which part of the entry, from 0.
    pub part: u32,
    /// How many parts the entry has.
    pub parts: u32,
    /// Our id of this part: `SendContext::correlation` and the part.
    pub correlation: String,
    /// Key that makes a repeat harmless, where `send_idempotency` is `Key`.
    pub idempotency_key: Option<String>,
    /// HTTP method, or the protocol's verb.
    pub method: String,
    /// URL without credentials, or the protocol's address.
    pub url: String,
    /// Headers without credentials; `submit` adds those.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Files that `submit` streams in.
    pub files: Vec<OutboundFile>,
}

/// The provider took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its id for the message; `None` where it gives none.
    pub provider_id: Option<String>,
    /// How far it is: `Accepted`, or `Sent` where the provider says so at once.
    pub state: DeliveryState,
    /// What it cost, when it says so.
    pub cost: Option<Cost>,
}

impl Accepted {
    /// Taken under this id.
    pub fn by_id(provider_id: impl Into<String>) -> Self {
        Self { provider_id: Some(provider_id.into()), state: DeliveryState::Accepted, cost: None }
    }
}

/// Why a request was not (surely) taken. Each variant is what the outbox does next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// 429 with Retry-After, 5xx, not connected: nothing was taken. Try at this time.
    #[error("not taken; try again at {0}")]
    RetryAt(Timestamp),
    /// It will not be taken.
    #[error("refused ({class}, {code}): {text}")]
    Refused {
        /// What kind of refusal. Never `Auth`: that is `SignInAgain`.
        class: FailureClass,
        /// The provider's code.
        code: String,
        /// In words an agent can read.
        text: String,
    },
    /// Credentials no longer work: the circuit of this inbox opens.
    #[error("the account has to be signed in again")]
    SignInAgain,
    /// Request sent, answer never came: reconcile, never resend blindly.
    #[error("it may have been sent; the answer never came")]
    Uncertain,
}

/// Why an entry may not go out as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// One of the closed list.
    pub reason: BlockReason,
    /// Until when, where that is known.
    pub until: Option<Timestamp>,
    /// The way out, where there is one.
    pub fix: Option<Fix>,
}

impl Blocked {
    /// Blocked without end and without a way out that we know.
    pub fn because(reason: BlockReason) -> Self {
        Self { reason, until: None, fix: None }
    }
    /// With a way out.
    pub fn fixed_by(self, fix: Fix) -> Self {
        Self { fix: Some(fix), ..self }
    }
}

/// A way out of a block that a screen can offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fix {
    /// Choose an approved template.
    UseTemplate,
    /// Make the text shorter.
    Shorten,
    /// Remove or replace a file.
    ChangeFiles,
    /// Answer on another channel.
    SwitchChannel,
    /// An admin signs the account in again.
    SignIn,
    /// What is not read in the chat goes out by mail now.
    SendByMail,
    /// An address on this channel has to be asked for.
    AddAddress,
}
