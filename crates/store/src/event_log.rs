//! The event log: change feed, audit trail and source of the reports in one. Rows are written by `Conn::log` and numbered
//! just before COMMIT: `change_seq` is gap-free per workspace and in commit order, because the head row stays locked until
//! COMMIT. Hence "everything above the last number I saw" is a safe way to follow it; following by id is not.

use crate::conn::{Conn, Event};
use crate::dialect::interned;
use crate::error::StoreError;
use crate::row::Row;
use crate::session::{Fail, Session};
use crate::value::Value;
use crate::values;
use model::{Actor, EventId, Timestamp, WorkspaceId};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A row of the event log.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// Its id.
    pub id: EventId,
    /// Its place in the order of commits of the workspace.
    pub change_seq: i64,
    /// The conversation, contact, call or agent.
    pub stream_id: Option<i64>,
    /// The version within the stream.
    pub seq: Option<i64>,
    /// What happened.
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The event that led to this one.
    pub cause_id: Option<EventId>,
    /// Ids and old and new values.
    pub payload: serde_json::Value,
}

const LIST_SINCE: &str = "SELECT id, change_seq, stream_id, seq, kind, at, recorded_at, actor, cause_id, payload FROM event_log \
     WHERE workspace_id = $1 AND change_seq > $2 ORDER BY change_seq LIMIT $3";
const LIST_STREAM: &str = "SELECT id, change_seq, stream_id, seq, kind, at, recorded_at, actor, cause_id, payload FROM event_log \
     WHERE workspace_id = $1 AND stream_id = $2 AND stream_id IS NOT NULL AND seq > $3 ORDER BY seq LIMIT $4";
const FIND: &str = "SELECT id, change_seq, stream_id, seq, kind, at, recorded_at, actor, cause_id, payload FROM event_log \
     WHERE workspace_id = $1 AND id = $2";
const HEAD: &str = "SELECT change_seq FROM workspace_head WHERE workspace_id = $1";
const ALL_HEADS: &str = "SELECT workspace_id, change_seq FROM workspace_head ORDER BY workspace_id";

/// The changes after `change_seq`, in commit order, at most `limit`.
pub fn list_since(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    change_seq: i64,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    tx.rows(LIST_SINCE, values![workspace, change_seq, limit])?.iter().map(event).collect()
}

/// The changes of one stream after its version `seq`, at most `limit`.
pub fn list_stream(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    stream_id: i64,
    seq: i64,
    limit: i64,
) -> Result<Vec<LoggedEvent>, StoreError> {
    tx.rows(LIST_STREAM, values![workspace, stream_id, seq, limit])?.iter().map(event).collect()
}

/// One row, if there is one.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: EventId) -> Result<Option<LoggedEvent>, StoreError> {
    tx.one(FIND, values![workspace, id])?.as_ref().map(event).transpose()
}

/// One row, which must be there.
pub fn get(tx: &mut dyn Conn, workspace: WorkspaceId, id: EventId) -> Result<LoggedEvent, StoreError> {
    find(tx, workspace, id)?.ok_or(StoreError::NotFound)
}

/// The highest `change_seq` of the workspace; 0 before its first change.
pub fn head(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<i64, StoreError> {
    Ok(tx.one(HEAD, values![workspace])?.map_or(0, |row| row.int(0)))
}

/// The heads of all workspaces: for the sweeper, which looks whether a wake-up was missed.
pub fn all_heads(tx: &mut dyn Conn) -> Result<Vec<(WorkspaceId, i64)>, StoreError> {
    Ok(tx.rows(ALL_HEADS, &[])?.iter().map(|row| (row.id(0), row.int(1))).collect())
}

fn event(row: &Row) -> Result<LoggedEvent, StoreError> {
    let id: EventId = row.id(0);
    let broken = |what: &str| StoreError::Broken(format!("{id} in the event log has {what} that cannot be read"));
    Ok(LoggedEvent {
        id,
        change_seq: row.int(1),
        stream_id: row.opt_int(2),
        seq: row.opt_int(3),
        kind: row.text(4),
        at: row.at(5),
        recorded_at: row.at(6),
        actor: Actor::parse(row.str(7)).ok_or_else(|| broken("an actor"))?,
        cause_id: row.opt_id(8),
        payload: serde_json::from_str(row.str(9)).map_err(|_| broken("a payload"))?,
    })
}

const TAKE_NUMBERS: &str = "INSERT INTO workspace_head(workspace_id, change_seq) VALUES ($1, $2) \
     ON CONFLICT (workspace_id) DO UPDATE SET change_seq = workspace_head.change_seq + excluded.change_seq RETURNING change_seq";
const INSERT: &str = "INSERT INTO event_log(workspace_id, id, change_seq, stream_id, seq, kind, at, recorded_at, actor, cause_id, payload) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const COLUMN_COUNT: usize = 11;
/// A row per statement costs a round trip each on PostgreSQL.
const ROW_COUNT_MANY: usize = 16;
static INSERT_MANY: LazyLock<&'static str> = LazyLock::new(|| {
    let row =
        |at: usize| (1..=COLUMN_COUNT).map(|column| format!("${}", at * COLUMN_COUNT + column)).collect::<Vec<_>>().join(", ");
    let (head, _) = INSERT.split_once("($1").expect("INSERT has a list of values");
    let rows: Vec<_> = (0..ROW_COUNT_MANY).map(|at| format!("({})", row(at))).collect();
    interned(format!("{head}{}", rows.join(", "))).unwrap_or(INSERT)
});

/// Numbers and inserts what a transaction has logged; gives the new heads, ascending by workspace. The heads are locked from
/// here to COMMIT, so this comes last.
pub(crate) fn write(
    session: &mut Session<'_>,
    events: &[(i64, Event)],
    recorded_at: Timestamp,
) -> Result<Vec<(WorkspaceId, i64)>, Fail> {
    let mut by_workspace: BTreeMap<WorkspaceId, Vec<&(i64, Event)>> = BTreeMap::new();
    for logged in events {
        by_workspace.entry(logged.1.workspace).or_default().push(logged);
    }
    let mut heads = Vec::with_capacity(by_workspace.len());
    for (workspace, logged) in &by_workspace {
        let count = logged.len() as i64;
        let row = session.one(TAKE_NUMBERS, values![*workspace, count])?;
        let head = row.ok_or_else(|| Fail::broken("the head of the event log gave no number"))?.int(0);
        heads.push((*workspace, head - count));
    }
    for ((workspace, before), logged) in heads.iter().zip(by_workspace.values()) {
        let mut change_seq = *before;
        let many = if session.engine() == crate::Engine::Postgres { ROW_COUNT_MANY } else { 1 };
        for chunk in logged.chunks(many) {
            let mut values = Vec::with_capacity(chunk.len() * COLUMN_COUNT);
            for (id, event) in chunk {
                change_seq += 1;
                values.extend(row_values(*workspace, *id, change_seq, event, recorded_at));
            }
            if chunk.len() == ROW_COUNT_MANY {
                session.exec(*INSERT_MANY, &values)?;
            } else {
                for row in values.chunks(COLUMN_COUNT) {
                    session.exec(INSERT, row)?;
                }
            }
        }
    }
    for ((_, head), logged) in heads.iter_mut().zip(by_workspace.values()) {
        *head += logged.len() as i64;
    }
    Ok(heads)
}

fn row_values(workspace: WorkspaceId, id: i64, change_seq: i64, event: &Event, recorded_at: Timestamp) -> [Value; COLUMN_COUNT] {
    [
        workspace.into(),
        id.into(),
        change_seq.into(),
        event.stream_id.into(),
        event.seq.into(),
        event.kind.into(),
        event.at.into(),
        recorded_at.into(),
        event.actor.to_string().into(),
        event.cause_id.into(),
        event.payload.to_string().into(),
    ]
}

const TOUCH_HEAD: &str = "INSERT INTO workspace_head(workspace_id, change_seq) VALUES ($1, 0) \
     ON CONFLICT (workspace_id) DO UPDATE SET change_seq = workspace_head.change_seq";
const IS_THERE: &str = "SELECT 1 FROM event_log WHERE workspace_id = $1 AND id = $2";

/// Did the transaction that logged this event commit? For a COMMIT whose answer was lost. Taking the head's lock waits until
/// the old connection's transaction has ended one way or the other.
pub(crate) fn was_committed(session: &mut Session<'_>, workspace: WorkspaceId, id: i64) -> Result<bool, Fail> {
    session.begin()?;
    let found = session
        .exec(TOUCH_HEAD, values![workspace])
        .and_then(|_| session.one(IS_THERE, values![workspace, id]))
        .map(|row| row.is_some());
    session.rollback();
    found
}
