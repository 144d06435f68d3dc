//! Agents, the people of the business, and the spans of their availability.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::setting::{changed_one, json, word};
use crate::values;
use model::{AgentId, Availability, Role, Timestamp, WorkspaceId};
use serde_json::Value as Json;

/// One person who answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// Name as customers and colleagues see it.
    pub name: String,
    /// Address for sign-in, as it was typed.
    pub email: String,
    /// What may be done.
    pub role: Role,
    /// Whether new work is taken.
    pub availability: Availability,
    /// Own choices; the desk reads them.
    pub preferences: Json,
    /// When the agent came.
    pub created_at: Timestamp,
    /// When the agent left; an archived agent cannot sign in.
    pub archived_at: Option<Timestamp>,
    /// Grows with each change.
    pub version: i64,
}

/// What a new agent begins with.
#[derive(Debug, Clone)]
pub struct NewAgent<'a> {
    /// Name.
    pub name: &'a str,
    /// Address as typed.
    pub email: &'a str,
    /// Folded address: unique in the workspace.
    pub email_key: &'a str,
    /// Password hash in PHC form.
    pub password: &'a str,
    /// Rights.
    pub role: Role,
}

/// A stretch of time with one availability.
#[derive(Debug, Clone, PartialEq)]
pub struct PresenceSpan {
    /// Which.
    pub availability: Availability,
    /// From.
    pub started_at: Timestamp,
    /// Until; none while it lasts.
    pub ended_at: Option<Timestamp>,
}

const FIND: &str = "SELECT id, name, email, role, availability, preferences, created_at, archived_at, version FROM agent \
     WHERE workspace_id = $1 AND id = $2";
const FIND_BY_EMAIL: &str = "SELECT id, name, email, role, availability, preferences, created_at, archived_at, version FROM agent \
     WHERE workspace_id = $1 AND email_key = $2";
const LIST: &str = "SELECT id, name, email, role, availability, preferences, created_at, archived_at, version FROM agent \
     WHERE workspace_id = $1 ORDER BY id";
const COUNT_OWNERS: &str =
    "SELECT CAST(count(*) AS BIGINT) FROM agent WHERE workspace_id = $1 AND role = 'owner' AND archived_at IS NULL";
const ADD: &str = "INSERT INTO agent (workspace_id, id, name, email, email_key, password, role, availability, preferences, \
     created_at, archived_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '{}', $9, NULL, 1)";
const CHANGE: &str = "UPDATE agent SET name = $4, role = $5, availability = $6, preferences = $7, archived_at = $8, \
     version = version + 1 WHERE workspace_id = $1 AND id = $2 AND version = $3";
const PASSWORD: &str = "SELECT password FROM agent WHERE workspace_id = $1 AND id = $2";
const SET_PASSWORD: &str = "UPDATE agent SET password = $3, version = version + 1 WHERE workspace_id = $1 AND id = $2";
const END_SPAN: &str = "UPDATE presence_span SET ended_at = $3 WHERE workspace_id = $1 AND agent_id = $2 AND ended_at IS NULL";
const ADD_SPAN: &str = "INSERT INTO presence_span (workspace_id, id, agent_id, availability, started_at, ended_at) VALUES ($1, $2, $3, $4, $5, NULL)";
const SPANS: &str = "SELECT availability, started_at, ended_at FROM presence_span WHERE workspace_id = $1 AND agent_id = $2 \
     AND (ended_at IS NULL OR ended_at > $3) ORDER BY started_at, id LIMIT $4";

fn of_row(row: &Row) -> Result<Agent, StoreError> {
    Ok(Agent {
        id: row.id(0),
        name: row.text(1),
        email: row.text(2),
        role: word(Role::parse(row.str(3)), "agent.role")?,
        availability: word(Availability::parse(row.str(4)), "agent.availability")?,
        preferences: json(row.str(5)),
        created_at: row.at(6),
        archived_at: row.opt_at(7),
        version: row.int(8),
    })
}

/// The agent, archived or not.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<Option<Agent>, StoreError> {
    tx.one(FIND, values![workspace, agent])?.map(|row| of_row(&row)).transpose()
}

/// The agent, which must exist.
pub fn get(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<Agent, StoreError> {
    find(tx, workspace, agent)?.ok_or(StoreError::NotFound)
}

/// The agent of a folded address, archived or not.
pub fn find_by_email(tx: &mut dyn Conn, workspace: WorkspaceId, email_key: &str) -> Result<Option<Agent>, StoreError> {
    tx.one(FIND_BY_EMAIL, values![workspace, email_key])?.map(|row| of_row(&row)).transpose()
}

/// Every agent, archived ones too, oldest first.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<Agent>, StoreError> {
    tx.rows(LIST, values![workspace])?.iter().map(of_row).collect()
}

/// How many owners can sign in.
pub fn count_owners(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<i64, StoreError> {
    Ok(tx.one(COUNT_OWNERS, values![workspace])?.map_or(0, |row| row.int(0)))
}

/// Adds an agent, offline at first. `Conflict` when the address is taken.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, new: &NewAgent<'_>, now: Timestamp) -> Result<AgentId, StoreError> {
    let id = AgentId(tx.id());
    let offline = Availability::Offline.word();
    tx.exec(ADD, values![workspace, id, new.name, new.email, new.email_key, new.password, new.role.word(), offline, now])?;
    Ok(id)
}

/// Stores an agent that was read before; `Busy` when somebody else changed it in between. The address stays.
pub fn change(tx: &mut dyn Conn, workspace: WorkspaceId, a: &Agent) -> Result<(), StoreError> {
    let n = tx.exec(
        CHANGE,
        values![
            workspace,
            a.id,
            a.version,
            &a.name,
            a.role.word(),
            a.availability.word(),
            a.preferences.to_string(),
            a.archived_at
        ],
    )?;
    changed_one(n)
}

/// The password hash.
pub fn password(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<Option<String>, StoreError> {
    Ok(tx.one(PASSWORD, values![workspace, agent])?.and_then(|row| row.opt_text(0)))
}

/// Sets the password hash.
pub fn set_password(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId, hash: &str) -> Result<(), StoreError> {
    match tx.exec(SET_PASSWORD, values![workspace, agent, hash])? {
        1 => Ok(()),
        _ => Err(StoreError::NotFound),
    }
}

/// Ends the running span of availability and begins the next.
pub fn begin_span(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    availability: Availability,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(END_SPAN, values![workspace, agent, now])?;
    let id = tx.id();
    tx.exec(ADD_SPAN, values![workspace, id, agent, availability.word(), now])?;
    Ok(())
}

/// The spans of an agent that had not ended at `since`, at most `count_max`.
pub fn list_spans(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    since: Timestamp,
    count_max: i64,
) -> Result<Vec<PresenceSpan>, StoreError> {
    tx.rows(SPANS, values![workspace, agent, since, count_max])?
        .iter()
        .map(|row| {
            Ok(PresenceSpan {
                availability: word(Availability::parse(row.str(0)), "presence_span.availability")?,
                started_at: row.at(1),
                ended_at: row.opt_at(2),
            })
        })
        .collect()
}
