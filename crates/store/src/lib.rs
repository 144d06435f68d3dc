//! The store: the only SQL of the product. `Db` runs plain closures inside transactions on SQLite or PostgreSQL, writers
//! commit in groups, and there is one file per noun. docs/STORE.md tells why; what a row means and who may change it is
//! not known here. Every finder demands the workspace.

pub mod agent;
pub mod attachment;
pub mod business_hours;
pub mod call;
pub mod conn;
pub mod contact;
pub mod contact_merge;
pub mod contact_point;
pub mod conversation;
pub mod counter;
pub mod db;
pub mod dialect;
pub mod draft;
pub mod entry;
pub mod error;
pub mod event_log;
pub mod fault;
pub mod inbox;
pub mod invitation;
pub mod job;
pub mod lease;
pub mod loader;
pub mod lockfile;
pub mod login_session;
mod many;
pub mod migrate;
pub mod node;
pub mod outbox;
mod postgres;
pub mod provider_event;
pub mod pull;
mod queue;
pub mod row;
pub mod search;
pub mod secret;
mod session;
pub mod setting;
mod shared;
mod sqlite;
pub mod tag;
pub mod tape;
pub mod team;
mod tx;
pub mod value;
pub mod view;
mod worker;
pub mod workspace;

pub use conn::{Committed, Conn, Counter, Engine, Event, Route, Wake};
pub use db::{Access, Db, DbSettings};
pub use dialect::interned;
pub use error::StoreError;
pub use fault::{Fault, FaultPlan};
pub use row::Row;
pub use value::Value;
