//! An agent's answer or note becomes an entry and, when it leaves, an outbox row, in one transaction. The ways to reach the
//! customer are offered and refused by the same function.

pub mod by_mail;
pub mod compose;
pub mod hold;
pub mod mail;
pub mod markup;
pub mod options;
pub mod send;
pub mod typed;
pub mod words;

pub use compose::{NewConversation, compose};
pub use hold::{HoldError, cancel_hold, check, retry, send_now};
pub use mail::{MailChoice, MailMode, Plan};
pub use options::{ReplyOption, WayState, options};
pub use send::{NewReply, SendError, Then, plan, send};
