//! What only mail knows of a message, beside what every channel has: its headers as evidence for placement, how far its
//! sender is to be believed, what in its text is old, and what machines said in it. Plain data; the desk decides.

use crate::inbound::ContactPointClaim;
use model::Timestamp;
use model::words::DeliveryState;
use serde::{Deserialize, Serialize};

/// The mail behind a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailFacts {
    /// Message-ID without angle brackets. `None`: missing, empty or without `@`, so it matches nothing.
    pub message_id: Option<String>,
    /// Ids of In-Reply-To that can match, in order.
    pub in_reply_to: Vec<String>,
    /// Ids of References that can match, oldest first.
    pub references: Vec<String>,
    /// Outlook's Thread-Index: the first 22 bytes in hex. A hint only.
    pub thread_index: Option<String>,
    /// Subject without Re:, Fwd:, AW: and the like, white space and case evened out; for comparing, never for showing.
    pub topic: String,
    /// Where answers shall go. Never an identity.
    pub reply_to: Vec<ContactPointClaim>,
    /// The Sender field, when it names somebody else than From.
    pub sent_by: Option<ContactPointClaim>,
    /// Addresses through which it reached us (Delivered-To, X-Original-To), topmost first.
    pub delivered_to: Vec<String>,
    /// Id of the mailing list.
    pub list_id: Option<String>,
    /// How far the sender is to be believed.
    pub trust: SenderTrust,
    /// Why, in the order in which it was weighed.
    pub evidence: Vec<TrustEvidence>,
    /// Must not be answered automatically, although it is no automatic mail (a list, no-reply): the mark that says so.
    pub quiet: Option<String>,
    /// What made it automatic, when it is.
    pub automatic_mark: Option<String>,
    /// What a mail server or mail program reports in it.
    pub report: Option<MailReport>,
    /// Invitations and answers to them.
    pub calendar: Vec<CalendarCard>,
    /// Signatures and encryption of parts, not checked here.
    pub seals: Vec<Seal>,
    /// When it was forwarded: the sender of the original, for an agent to accept.
    pub forwarded_from: Option<ContactPointClaim>,
}

/// How far the sender of a mail is to be believed (email.md 10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderTrust {
    /// The domain of From vouches for it (DMARC-aligned): proof level 2.
    Controlled,
    /// Nothing usable was found: proof level 1.
    #[default]
    Unverified,
    /// Proven false, or several senders: proof level 0.
    Failed,
}

impl SenderTrust {
    /// The proof level of a claim with this trust.
    pub fn proof_level(self) -> u8 {
        match self {
            Self::Controlled => 2,
            Self::Unverified => 1,
            Self::Failed => 0,
        }
    }
}

/// One thing that was weighed to judge the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrustEvidence {
    /// What was looked at: `dmarc`, `dkim`, `spf`, `arc`, `from`, `authentication_results`.
    pub method: String,
    /// What it said: `pass`, `fail`, `none`, `several`, ..
    pub result: String,
    /// The domain it is about.
    pub domain: Option<String>,
    /// More, in words.
    pub detail: Option<String>,
}

/// A stretch of the text that is not new. Bytes of `InboundMessage::text`; spans are in order and do not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextSpan {
    /// First byte.
    pub from: usize,
    /// Behind the last byte.
    pub to: usize,
    /// What it is.
    pub kind: SpanKind,
}

/// What a stretch of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// Quoted history.
    Quote,
    /// A mail that is passed on.
    Forward,
    /// Signature, disclaimer, "Sent from my ..".
    Signature,
}

/// Something that an agent should know about how a message was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Stable word such as `several_senders` or `unknown_charset`.
    pub code: String,
    /// In words.
    pub text: String,
}

impl Warning {
    /// A warning with its words.
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), text: text.into() }
    }
}

/// A file that lies inside the raw event: `Enclosures::open` cuts it out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnclosedFile {
    /// Where; only the adapter understands it.
    pub reference: String,
    /// Name as shown; never empty.
    pub name: String,
    /// Media type that the sender gave: a hint, never believed.
    pub mime: String,
    /// Size once opened.
    pub bytes: u64,
    /// Shown inside the HTML, which refers to it as `cid:` and this id. `None`: listed under the message.
    pub content_id: Option<String>,
}

/// What a server or a mail program reports about a mail of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailReport {
    /// What kind of report.
    pub kind: ReportKind,
    /// Message-ID of the mail that it is about, without angle brackets.
    pub original_id: Option<String>,
    /// Other ids of that mail (References, our own headers), in order.
    pub original_references: Vec<String>,
    /// Our `X-Continuo-Correlation` header (or whatever the sender of ours set) in the returned part.
    pub original_correlation: Option<String>,
    /// Whom it did not reach, or whom it is about.
    pub recipients: Vec<ReportedRecipient>,
}

/// What kind of report a mail is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// Delivery failed, is delayed or succeeded: each recipient says which.
    #[default]
    Delivery,
    /// A mail program says that it was displayed or deleted.
    Read,
    /// A complaint (ARF).
    Abuse,
}

/// One recipient in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedRecipient {
    /// The address.
    pub address: String,
    /// `Failed` for 5.x.x, `Queued` for delayed, `Delivered` or `Read`.
    pub state: DeliveryState,
    /// The enhanced status such as `5.1.1`.
    #[serde(default)]
    pub status: Option<String>,
    /// What the server said, for an agent.
    #[serde(default)]
    pub text: Option<String>,
}

/// An invitation in a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CalendarCard {
    /// REQUEST, REPLY, CANCEL, PUBLISH, ..
    pub method: Option<String>,
    /// Identity of the appointment.
    pub uid: Option<String>,
    /// What.
    pub summary: Option<String>,
    /// Where.
    pub location: Option<String>,
    /// Who invites: an address.
    pub organizer: Option<String>,
    /// From when, when its zone is known to us.
    pub starts_at: Option<Timestamp>,
    /// As written, with its zone: `20260301T100000 Europe/Zurich`.
    pub starts: Option<String>,
    /// As written.
    pub ends: Option<String>,
    /// The answer of the one who sends it (ACCEPTED, DECLINED, TENTATIVE), in a REPLY.
    pub answer: Option<String>,
}

/// A signed or encrypted part, kept as it came and not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seal {
    /// S/MIME signature.
    SmimeSigned,
    /// S/MIME encryption: we cannot read it.
    SmimeEncrypted,
    /// PGP signature.
    PgpSigned,
    /// PGP encryption: we cannot read it.
    PgpEncrypted,
}
