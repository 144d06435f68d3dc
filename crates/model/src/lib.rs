//! The nouns of the product as plain types: typed ids, times, words of state, entry bodies, and the three things that
//! are never taken from the surroundings (clock, ids, randomness). No I/O, no async, no SQL, no HTTP.

pub mod clock;
pub mod fold;
pub mod hours;
pub mod id;
pub mod parts;
pub mod preferences;
pub mod time;
pub mod words;

pub use clock::{Clock, FakeClock, FakeRandom, OsRandom, Random, SystemClock};
pub use id::{IdError, IdSource, *};
pub use parts::{AttachmentRef, Body, Mail, MailAddress, MailSignature};
pub use time::Timestamp;
pub use words::*;
