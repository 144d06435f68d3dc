//! What the product answers by itself, and what keeps two machines from answering each other without end: never to automatic
//! mail, once per conversation, once per sender and inbox in a day, and a breaker for senders that write in bursts.

pub mod answer;
pub mod burst;

pub use answer::{AnswerBySelf, after_inbound};
