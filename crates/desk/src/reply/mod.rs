//! An agent's answer or note becomes an entry and, when it leaves, an outbox row, in one transaction. The ways to reach the
//! customer are offered and refused by the same function.

pub mod hold;
pub mod options;
pub mod send;

pub use hold::{HoldError, cancel_hold, check, retry, send_now};
pub use options::{ReplyOption, WayState, options};
pub use send::{NewReply, SendError, Then, send};
