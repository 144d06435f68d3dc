//! What the product does. One folder per step, in the order in which a message lives through it; **use only what is
//! above you in this list**. Pure decision functions, thin database functions. No HTTP, no SQL text, no provider names.

pub mod context;
pub mod error;

// Who works here and how it is set up.
pub mod people;
pub mod settings;

// A message in, a message out.
pub mod ingest;
pub mod identity;
pub mod placement;
pub mod conversation;
pub mod consent;
pub mod reply;
pub mod outbox;
pub mod knowledge;
pub mod search;
pub mod journeys;

pub use context::Desk;
