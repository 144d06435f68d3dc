//! What screens read: lists, timelines, counts and search, cut to what the agent who asks may see. Nothing here writes.
//! In: `Who` and a question. Out: store rows with what a row needs beside them; the JSON is made in the api crate.

pub mod contact;
pub mod counts;
pub mod external;
pub mod filter;
pub mod list;
pub mod rows;

pub mod search;
pub mod timeline;
pub mod visitor;

pub use crate::conversation::sight;
pub use filter::{Filter, Problem};
pub use list::{Asked, ListPage, Sort, ViewKey};
pub use rows::{Row, rows};
pub use sight::Sight;
pub use timeline::{Anchor, EntryView, TimelinePage};
