//! The walkthroughs: they compose the steps and decide nothing themselves.

pub mod apply;
pub mod arrival;
pub mod enclosed;
pub mod fetch_file;
pub mod learn;
mod message;
pub mod message_in;
pub mod phone_call;
pub mod quarantine;
pub mod why;
