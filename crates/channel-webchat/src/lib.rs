//! The grammar of our own widget. There is no provider behind web chat, so our server plays it: the api crate ends the
//! sockets, checks token, origin and limits, and hands each frame in as a `WidgetRequest`; this crate knows what a
//! frame means, what a site may set, who a visitor is, and holds no socket, no store and no key.
//!
//! In: frames, settings, tokens. Out: raw events, inbound events, refusals with a stable code.

mod capabilities;
pub mod frames;
pub mod identity;
pub mod origin;
mod parse;
pub mod rate;
mod render;
pub mod settings;
mod submit;
mod verify;

pub use frames::{Begin, Begun, ClientFrame, FrameError, ServerFrame, WidgetConfig, WidgetFile, WidgetItem};
pub use identity::{IdentityError, IdentitySecrets, JwtAlgorithm, TokenError, VerifiedIdentity, VisitorKey, VisitorToken};
pub use origin::Origin;
pub use parse::claims_of_identity;
pub use rate::{Limit, Limiter, TokenBucket};
pub use settings::{SettingsError, WebchatPatch, WebchatSettings};
pub use submit::WebChat;
pub use verify::{MESSAGE_BYTES_MAX, VERIFIED_HEADER, VISITOR_HEADER, WidgetRequest};
