//! The contract between the desk and every way of reaching a customer.
//!
//! In: raw events and requests as a provider (or our own widget) sent them, outbound entries as the desk wrote them.
//! Out: what happened, as `InboundEvent`; what goes over the wire, as `WireRequest`; how that went, as `Accepted` or
//! `SendError`. An adapter knows no store, no contact, no conversation, no other adapter and no retry policy: it
//! reports, the desk decides. How to write one: docs/adding-a-channel.md.

mod capabilities;
pub mod conformance;
mod contract;
mod event;
pub mod fake;
mod inbound;
mod inbox;
mod mail;
mod outbound;
pub mod proof;
mod registry;
mod set_up;
mod source;
pub mod state;
pub mod window;

pub use capabilities::{
    AttachRule, Capabilities, CostModel, MediaClass, Rate, Rich, SendIdempotency, SendLimits, TextMax, encoded_bytes,
    encoded_file_bytes, segments_of,
};
pub use contract::{
    Blob, Channel, CheckResult, CheckState, Cursor, Door, Enclosures, Evidence, FetchError, Fut, Listen, Media, OwnAddress, Pull,
    PullError, RawSink, Reconcile, Reconciled, SettingsRefused, Signal, Signals, SinkError, Template, Templates, Webhook,
};
pub use event::{Answer, CameBy, DecodeError, Quarantine, RawEvent, RawRequest, Rejected, Verified, content_key};
pub use inbound::{
    Automatic, CallEvent, CallFact, ClaimEvent, ClaimSource, ContactPointClaim, Cost, InboundEvent, InboundMessage, MediaRef,
    OptScope, PageSeen, Part, UpTo, WatermarkKind,
};
pub use inbox::{InboxSettings, NoSecrets, SecretError, SecretText, Secrets};
pub use mail::{
    CalendarCard, EnclosedFile, MailFacts, MailReport, ReportKind, ReportedRecipient, Seal, SenderTrust, SpanKind, TextSpan,
    TrustEvidence, Warning,
};
pub use model::words::{BlockReason, ContactPointKind, DeliveryState, FailureClass};
pub use outbound::{
    Accepted, AutomaticMail, Blocked, Contents, Fix, Outbound, OutboundFile, OutboundMail, Quote, Recipient, SendContext,
    SendError, Signature, TemplateUse, WireRequest,
};
pub use registry::Registry;
pub use set_up::{
    AuthorizeRequest, CheckStep, DeviceCode, DevicePoll, Discovered, Preset, SetUp, SignInError, StepReport, Tokens,
};
pub use source::{FOLDER, FOLDER_ROLE, FolderRole, HISTORY, SourceNews, Stock, StockFolder, StockItem};
pub use state::{Combined, PartState};
pub use window::{AfterWindow, WindowRule, WindowState};
