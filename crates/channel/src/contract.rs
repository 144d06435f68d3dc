//! The traits that an adapter implements. The mandatory part is small; everything else is an optional trait, and an
//! absent capability is an absent trait, never a stub.

use crate::{
    Accepted, Blocked, Capabilities, CheckStep, InboundEvent, InboxSettings, MediaRef, Outbound, Quarantine, RawEvent,
    RawRequest, Rejected, SendContext, SendError, SetUp, SourceNews, StepReport, Stock, Verified, WireRequest,
};
use model::{InboxId, Timestamp};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

/// What an async method of a contract trait gives back: boxed, since adapters are held as `Arc<dyn Channel>`.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One adapter for one kind of channel, held as `Arc<dyn Channel>`; one value serves all inboxes of its kind.
/// It knows no store, no contact, no conversation, no other adapter and no retry policy.
pub trait Channel: Send + Sync {
    /// What this inbox can do now. No I/O. May change at run time, for example when a permission was lost.
    fn capabilities(&self, inbox: &InboxSettings) -> Capabilities;
    /// What happened? Pure, fuzzed, golden-tested. An unknown kind is `InboundEvent::Unsupported`, not an error.
    fn parse(&self, inbox: &InboxSettings, event: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine>;
    /// Limits, window, splitting, markup: one outbound entry becomes its wire requests. Pure.
    fn render(&self, outbound: &Outbound, context: &SendContext) -> Result<Vec<WireRequest>, Blocked>;
    /// Sends once. Never retries by itself and never hides a lost answer.
    fn submit<'a>(&'a self, inbox: &'a InboxSettings, request: &'a WireRequest) -> Fut<'a, Result<Accepted, SendError>>;
    /// Tries credentials and the provider's view of our settings. For set-up and `continuo doctor`.
    fn check<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Vec<CheckResult>>;

    /// `check`, told step by step while it runs; steps may teach settings. An adapter whose check takes long does this itself.
    fn check_steps<'a>(&'a self, inbox: &'a InboxSettings, report: StepReport<'a>) -> Fut<'a, ()> {
        Box::pin(async move {
            for result in self.check(inbox).await {
                report(CheckStep { result, learned: None });
            }
        })
    }

    /// Reads the settings of an inbox as an admin gave them, fills in what is missing and gives them back as they are
    /// to be stored. Called before an inbox is stored, never at run time. Pure. An adapter without settings takes any.
    fn validate_settings(&self, settings: &serde_json::Value) -> Result<serde_json::Value, SettingsRefused> {
        Ok(settings.clone())
    }

    /// The address under which this inbox writes and is written to, on channels where both sides have one of the same kind.
    /// Pure.
    fn own_address(&self, _inbox: &InboxSettings) -> Option<OwnAddress> {
        None
    }

    /// Comes in by HTTP or as frames of our widget.
    fn webhook(&self) -> Option<&dyn Webhook> {
        None
    }
    /// Is asked by us: IMAP, long poll, SMPP.
    fn pull(&self) -> Option<&dyn Pull> {
        None
    }
    /// Needs a port of ours: LMTP, SMTP, SIP.
    fn listen(&self) -> Option<&dyn Listen> {
        None
    }
    /// Needs network look-ups before `parse`.
    fn evidence(&self) -> Option<&dyn Evidence> {
        None
    }
    /// Can be asked later whether it took a message.
    fn reconcile(&self) -> Option<&dyn Reconcile> {
        None
    }
    /// Gives files by reference.
    fn media(&self) -> Option<&dyn Media> {
        None
    }
    /// Its raw events hold files.
    fn enclosures(&self) -> Option<&dyn Enclosures> {
        None
    }
    /// Has approved templates.
    fn templates(&self) -> Option<&dyn Templates> {
        None
    }
    /// Keeps what it delivered: can be compared, asked again, read backwards.
    fn stock(&self) -> Option<&dyn Stock> {
        None
    }
    /// Can help with connecting.
    fn set_up(&self) -> Option<&dyn SetUp> {
        None
    }
    /// Takes typing, read marks, edits, deletions or reactions.
    fn signals(&self) -> Option<&dyn Signals> {
        None
    }
}

/// The address of an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAddress {
    /// The address itself.
    pub address: String,
    /// More addresses that end here.
    pub aliases: Vec<String>,
    /// `name+anything@domain` ends here too, so that an answer can carry a token.
    pub plus_addressing: bool,
}

impl OwnAddress {
    /// Is this one of ours, with or without something behind a plus sign?
    pub fn is(&self, address: &str) -> bool {
        let plain = without_tag(address);
        std::iter::once(&self.address).chain(&self.aliases).any(|own| {
            own.eq_ignore_ascii_case(address.trim()) || (self.plus_addressing && without_tag(own).eq_ignore_ascii_case(&plain))
        })
    }
    /// The part behind the `@`.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
    /// The address with a token behind a plus sign, where the inbox allows it and the local part stays within 64 octets.
    pub fn with_token(&self, token: &str) -> Option<String> {
        let (local, domain) = self.address.rsplit_once('@')?;
        let local = format!("{local}+{token}");
        (self.plus_addressing && local.len() <= 64).then(|| format!("{local}@{domain}"))
    }
}

fn without_tag(address: &str) -> String {
    let address = address.trim();
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or(local)),
        None => address.to_owned(),
    }
}

/// Settings that an inbox cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {text}")]
pub struct SettingsRefused {
    /// Path of the field, such as `allowed_origins` or `rates.messages_per_minute`.
    pub field: String,
    /// What is wrong and what is accepted, in words for an admin.
    pub text: String,
}

/// Whatever comes to us by HTTP, and widget frames.
pub trait Webhook: Send + Sync {
    /// Does this request come from the provider? Pure: raw bytes, constant-time compare, replay window by `now`.
    fn verify(&self, inbox: &InboxSettings, request: &RawRequest, now: Timestamp) -> Result<Verified, Rejected>;
    /// Cuts a verified body into events with a dedupe key and a lane each; understands nothing else. Pure.
    /// A body that cannot be cut becomes one event whose key is the hash of the body.
    fn split(&self, verified: &Verified) -> Vec<RawEvent>;
}

/// IMAP, getUpdates, SMPP. The sink commits raw event and cursor together, then the loop goes on until it is dropped
/// or fails.
pub trait Pull: Send + Sync {
    /// Whether this inbox is asked at all: some are only written to (mail that is forwarded to us). Pure.
    fn is_wanted(&self, _inbox: &InboxSettings) -> bool {
        true
    }
    /// Runs from `from` on; gives the last committed cursor when the source ends by itself.
    fn pull<'a>(&'a self, inbox: &'a InboxSettings, from: Cursor, sink: &'a dyn RawSink) -> Fut<'a, Result<Cursor, PullError>>;
}

/// Where pulled and heard events go.
pub trait RawSink: Send + Sync {
    /// Stores the events and the cursor in one transaction. `Busy`: wait and give them again.
    fn accept<'a>(&'a self, events: Vec<RawEvent>, cursor: Option<Cursor>) -> Fut<'a, Result<(), SinkError>>;
    /// Hears how the source fares.
    fn news(&self, _news: SourceNews) {}
}

/// One port of ours that all inboxes of a kind share (LMTP, SMTP, SIP).
pub trait Listen: Send + Sync {
    /// Serves until dropped or failed. `door` knows which inbox an address belongs to.
    fn listen<'a>(&'a self, bind: SocketAddr, door: &'a dyn Door) -> Fut<'a, Result<(), PullError>>;
}

/// Finds the inbox behind an address that a listener hears.
pub trait Door: Send + Sync {
    /// The inbox of an address; `None` = surely not ours, which bounces the mail. Whoever cannot tell now says so by the error.
    fn inbox_of<'a>(&'a self, address: &'a str) -> Fut<'a, Result<Option<InboxId>, SinkError>>;
    /// Hands events of that inbox over.
    fn accept<'a>(&'a self, inbox: InboxId, events: Vec<RawEvent>) -> Fut<'a, Result<(), SinkError>>;
}

/// Network look-ups that `parse` needs (DNS for DKIM and DMARC). Runs once in the job before `parse`; the answer is
/// kept with the raw event (`RawEvent::evidence`), so that parsing again gives the same.
pub trait Evidence: Send + Sync {
    /// Looks up what `parse` will need.
    fn gather<'a>(&'a self, inbox: &'a InboxSettings, event: &'a RawEvent) -> Fut<'a, Vec<u8>>;
}

/// After `SendError::Uncertain`: did the provider take it?
pub trait Reconcile: Send + Sync {
    /// `None` = cannot tell yet.
    fn find<'a>(&'a self, inbox: &'a InboxSettings, request: &'a WireRequest) -> Fut<'a, Option<Reconciled>>;
}

/// Fetches files that a message only refers to, with the inbox's credentials.
pub trait Media: Send + Sync {
    /// Fetches one file; called in a job of its own.
    fn fetch<'a>(&'a self, inbox: &'a InboxSettings, media: &'a MediaRef) -> Fut<'a, Result<Blob, FetchError>>;
}

/// Files that lie inside a raw event: `parse` names them (`Part::Enclosed`), this cuts one out, so that no event holds
/// all its files in memory twice. Pure; costs about the size of the file.
pub trait Enclosures: Send + Sync {
    /// The bytes of one file of this event; `None`: the reference does not fit the event.
    fn open(&self, event: &RawEvent, reference: &str) -> Option<Vec<u8>>;
}

/// Approved templates of the provider.
pub trait Templates: Send + Sync {
    /// All templates with their state.
    fn list<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Result<Vec<Template>, SendError>>;
}

/// Typing, read marks, edits, deletions, reactions: what is offered stands in `Capabilities`.
pub trait Signals: Send + Sync {
    /// Sends one signal; losing it costs nothing, so nobody retries it.
    fn signal<'a>(&'a self, inbox: &'a InboxSettings, signal: &'a Signal) -> Fut<'a, Result<(), SendError>>;
}

/// Where a pulling adapter goes on: only the adapter understands it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor(pub String);

/// Why pulling or listening stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PullError {
    /// Credentials no longer work; the circuit of this inbox opens.
    #[error("the account has to be signed in again")]
    SignInAgain,
    /// Connection lost or provider unwell: start again with backoff.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// Settings that can never work, in words for an admin.
    #[error("{0}")]
    Settings(String),
}

/// Why events were not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// The store is busy: wait, or answer 451.
    #[error("the store is busy")]
    Busy,
    /// The store is broken, or we are stopping.
    #[error("the store takes nothing now: {0}")]
    Closed(String),
}

/// A fetched file.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    /// Name that the provider gave.
    pub name: Option<String>,
    /// Media type that the provider gave: a hint, never believed.
    pub mime: Option<String>,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Blob {
    // Content never enters a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({:?}, {} bytes)", self.mime, self.bytes.len())
    }
}

/// Why a file was not fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not now.
    #[error("the provider asks to come back at {0}")]
    RetryAt(Timestamp),
    /// It no longer exists, or never did.
    #[error("the file no longer exists at the provider")]
    Gone,
    /// Larger than the limit of the inbox.
    #[error("the file is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// Credentials no longer work.
    #[error("the account has to be signed in again")]
    SignInAgain,
}

/// What a provider says about an uncertain request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconciled {
    /// It took the message.
    Taken(Accepted),
    /// It surely did not take it: sending again is safe.
    NotTaken,
}

/// One finding of `Channel::check`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Stable code of what was looked at, such as `credentials`.
    pub code: String,
    /// How it is.
    pub state: CheckState,
    /// One sentence for an admin: what was found and what to do.
    pub text: String,
}

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Fine.
    Ok,
    /// Works, but should be looked at.
    Warn,
    /// Does not work.
    Failed,
}

/// A template as the provider knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// The provider's name of it.
    pub name: String,
    /// BCP 47 language.
    pub language: String,
    /// The provider's word for its state; only `approved` may be sent.
    pub state: String,
    /// Text with `{{1}}` places.
    pub text: String,
}

/// Something small that goes to the provider beside messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// We are writing (or stopped).
    Typing {
        /// Where.
        external_conversation: String,
        /// Writing or not.
        on: bool,
    },
    /// We have read up to this message.
    Read {
        /// Where.
        external_conversation: String,
        /// The provider's id of the last message read.
        provider_id: String,
    },
    /// Our message now reads like this.
    Edit {
        /// The provider's id of our message.
        provider_id: String,
        /// The new text.
        text: String,
    },
    /// Our message is taken back.
    Delete {
        /// The provider's id of our message.
        provider_id: String,
    },
    /// We react with an emoji, or take the reaction back.
    Reaction {
        /// The provider's id of the message reacted to.
        provider_id: String,
        /// The emoji; `None` takes it back.
        emoji: Option<String>,
    },
}
