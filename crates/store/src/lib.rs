//! The store: the only SQL of the product. `Db` runs plain closures inside transactions on SQLite or PostgreSQL, writers
//! commit in groups, and there is one file per noun. docs/STORE.md tells why; what a row means and who may change it is
//! not known here. Every finder demands the workspace.

pub mod agent;
pub mod attachment;
pub mod business_hours;
pub mod conn;
pub mod contact;
pub mod contact_merge;
pub mod contact_point;
pub mod conversation;
pub mod dialect;
pub mod draft;
pub mod entry;
pub mod error;
pub mod inbox;
pub mod invitation;
pub mod job;
pub mod login_session;
mod many;
pub mod outbox;
pub mod provider_event;
pub mod row;
pub mod secret;
pub mod setting;
pub mod tag;
pub mod team;
pub mod value;
pub mod view;
pub mod workspace;

pub use conn::{Committed, Conn, Counter, Engine, Event, Route, Wake};
pub use dialect::interned;
pub use error::StoreError;
pub use row::Row;
pub use value::Value;
