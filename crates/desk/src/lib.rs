//! What the product does. One folder per step, in the order in which a message lives through it; **use only what is
//! above you in this list**. Pure decision functions, thin database functions. No HTTP, no SQL text, no provider names.

pub mod context;
pub mod numbers;
pub mod presence;

// Who works here and how it is set up.
pub mod people;
pub mod settings;
pub mod directory;

// A message in, a message out.
pub mod ingest;
pub mod mailbox;
pub mod consent;
pub mod identity;
pub mod placement;
pub mod conversation;
pub mod facts;
pub mod outbox;
pub mod reply;
pub mod handoff;
pub mod automatic;
pub mod journeys;

// What the product does by itself, at night and between.
pub mod housekeeping;

// What screens read.
pub mod view;

// The contacts as a whole: files in and out, companies, fields, segments.
pub mod contacts;
pub mod privacy;

// An invented business, for trying and for tests of scale.
pub mod demo;

pub use context::{Desk, JobEnd, Who};
