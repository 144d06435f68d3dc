//! The open API channel: for a firm's own app, or a system that nobody here knows. In: signed or keyed HTTP with JSON
//! events. Out: what happened on that side as `InboundEvent`s, and our answers by signed webhook. The other side is not a
//! provider but a program that reads docs/API-CHANNEL.md; what the inbox can do stands in its settings.

mod address;
mod capabilities;
mod http;
mod parse;
mod render;
pub mod settings;
pub mod sign;
mod submit;
mod verify;
pub mod wire;

pub use address::{AddressRefused, may_connect};
pub use settings::{ApiFiles, ApiSettings};
pub use submit::ApiChannel;
pub use verify::{BODY_BYTES_MAX, EVENT_COUNT_MAX};

/// Secret of an inbox: what the other side shows or signs with when it brings events.
pub const KEY: &str = "channel_key";
/// The key before the last rotation; it still opens for a day.
pub const KEY_PREVIOUS: &str = "channel_key_previous";
/// Secret of an inbox: what our webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "webhook_secret";
/// The webhook secret before the last rotation; for a day webhooks carry both signatures.
pub const WEBHOOK_SECRET_PREVIOUS: &str = "webhook_secret_previous";
