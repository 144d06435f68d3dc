//! The store on both engines: each story runs on SQLite and on PostgreSQL (`testkit::db_test!`).
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test says by panicking, and its tasks end with it")]

// The kit's databases, but not the kit: it builds the whole product, and the store's tests should not wait for that.
extern crate self as testkit;
#[path = "../../../testkit/src/db.rs"]
pub mod db;
#[path = "../../../testkit/src/pg.rs"]
pub mod pg;

mod faults;
mod groups;
mod jobs;
mod lanes;
mod leases;
mod migrations;
mod numbers;
mod opening;
mod plans;
mod schema;
mod search;
mod sql_texts;
mod statements;

/// What the stories share.
mod story {
    use model::{Actor, Timestamp, WorkspaceId};
    use store::{Conn, Counter, Event, StoreError, values};

    pub const ACME: WorkspaceId = WorkspaceId(1);
    pub const BYTE_BAKERY: WorkspaceId = WorkspaceId(2);

    pub const INSERT_SETTING: &str = "INSERT INTO setting(workspace_id, name, value) VALUES ($1, $2, $3)";
    pub const COUNT_SETTINGS: &str = "SELECT count(*) FROM setting WHERE workspace_id = $1";

    /// A fact without a stream.
    pub fn fact(workspace: WorkspaceId, n: i64) -> Event {
        Event {
            workspace,
            stream_id: None,
            seq: None,
            kind: "test.happened",
            at: Timestamp(n),
            actor: Actor::System,
            cause_id: None,
            payload: serde_json::json!({ "n": n }),
        }
    }

    pub fn counter(workspace: WorkspaceId, subject_id: i64) -> Counter {
        Counter { workspace, kind: "test.open", subject_id }
    }

    pub fn insert_setting(tx: &mut dyn Conn, workspace: WorkspaceId, name: &str) -> Result<u64, StoreError> {
        tx.exec(INSERT_SETTING, values![workspace, name, "{}"])
    }

    pub async fn setting_count(db: &store::Db, workspace: WorkspaceId) -> i64 {
        let count = db.read(move |tx| tx.one(COUNT_SETTINGS, values![workspace])).await.expect("settings are counted");
        count.expect("a count is one row").int(0)
    }
}
