//! Inboxes: one configured account on a channel, and who may see it.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::setting::{changed_one, json, word};
use crate::values;
use model::{AgentId, Channel, InboxId, InboxState, TeamId, Timestamp, WorkspaceId};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// One way in.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbox {
    /// Its id.
    pub id: InboxId,
    /// Whose it is.
    pub workspace: WorkspaceId,
    /// The channel that reads its settings.
    pub channel: Channel,
    /// Its name.
    pub name: String,
    /// Whether it takes and sends.
    pub enabled: bool,
    /// Public slug, on channels that have one.
    pub site: Option<String>,
    /// Where its conversations start.
    pub team_id: Option<TeamId>,
    /// Settings of the adapter.
    pub settings: Json,
    /// How it fares.
    pub state: InboxState,
    /// When something last came in, to the minute.
    pub last_in_at: Option<Timestamp>,
    /// When something last went out, to the minute.
    pub last_out_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with each change of what is set.
    pub version: i64,
    /// Who may see it; empty: everybody.
    pub agent_ids: Vec<AgentId>,
}

/// What a new inbox begins with.
#[derive(Debug, Clone)]
pub struct NewInbox<'a> {
    /// Its channel.
    pub channel: Channel,
    /// Its name.
    pub name: &'a str,
    /// Public slug.
    pub site: Option<&'a str>,
    /// Settings of the adapter.
    pub settings: &'a Json,
}

/// `last_in_at` and `last_out_at` are for people: written once a minute at most, or the row would be the hottest of all.
const TOUCH_EVERY_MS: i64 = 60_000;

const FIND: &str = "SELECT workspace_id, id, channel, name, enabled, site, team_id, settings, state, last_in_at, last_out_at, \
     created_at, version FROM inbox WHERE workspace_id = $1 AND id = $2";
const FIND_ANYWHERE: &str = "SELECT workspace_id, id, channel, name, enabled, site, team_id, settings, state, last_in_at, \
     last_out_at, created_at, version FROM inbox WHERE id = $1";
const FIND_BY_SITE: &str = "SELECT workspace_id, id, channel, name, enabled, site, team_id, settings, state, last_in_at, \
     last_out_at, created_at, version FROM inbox WHERE site = $1";
const LIST: &str = "SELECT workspace_id, id, channel, name, enabled, site, team_id, settings, state, last_in_at, last_out_at, \
     created_at, version FROM inbox WHERE workspace_id = $1 ORDER BY id";
const ADD: &str = "INSERT INTO inbox (workspace_id, id, channel, name, enabled, site, team_id, settings, state, last_in_at, \
     last_out_at, created_at, version) VALUES ($1, $2, $3, $4, TRUE, $5, NULL, $6, 'ok', NULL, NULL, $7, 1)";
const CHANGE: &str = "UPDATE inbox SET name = $4, enabled = $5, team_id = $6, settings = $7, state = $8, site = $9, \
     version = version + 1 WHERE workspace_id = $1 AND id = $2 AND version = $3";
const SET_STATE: &str = "UPDATE inbox SET state = $3, version = version + 1 WHERE workspace_id = $1 AND id = $2 AND state <> $3";
const TOUCH_IN: &str = "UPDATE inbox SET last_in_at = $3 \
     WHERE workspace_id = $1 AND id = $2 AND (last_in_at IS NULL OR last_in_at < $4)";
const TOUCH_OUT: &str = "UPDATE inbox SET last_out_at = $3 \
     WHERE workspace_id = $1 AND id = $2 AND (last_out_at IS NULL OR last_out_at < $4)";
const AGENTS: &str = "SELECT inbox_id, agent_id FROM inbox_agent WHERE workspace_id = $1 ORDER BY inbox_id, agent_id";
const AGENTS_OF: &str = "SELECT agent_id FROM inbox_agent WHERE workspace_id = $1 AND inbox_id = $2 ORDER BY agent_id";
const REMOVE_AGENTS: &str = "DELETE FROM inbox_agent WHERE workspace_id = $1 AND inbox_id = $2";
const ADD_AGENT: &str = "INSERT INTO inbox_agent (workspace_id, inbox_id, agent_id) VALUES ($1, $2, $3) \
     ON CONFLICT (workspace_id, inbox_id, agent_id) DO NOTHING";

fn of_row(row: &Row) -> Result<Inbox, StoreError> {
    Ok(Inbox {
        workspace: row.id(0),
        id: row.id(1),
        channel: word(Channel::parse(row.str(2)), "inbox.channel")?,
        name: row.text(3),
        enabled: row.bool(4),
        site: row.opt_text(5),
        team_id: row.opt_id(6),
        settings: json(row.str(7)),
        state: word(InboxState::parse(row.str(8)), "inbox.state")?,
        last_in_at: row.opt_at(9),
        last_out_at: row.opt_at(10),
        created_at: row.at(11),
        version: row.int(12),
        agent_ids: Vec::new(),
    })
}

fn with_agents(tx: &mut dyn Conn, row: &Row) -> Result<Inbox, StoreError> {
    let mut inbox = of_row(row)?;
    inbox.agent_ids = tx.rows(AGENTS_OF, values![inbox.workspace, inbox.id])?.iter().map(|row| row.id(0)).collect();
    Ok(inbox)
}

/// The inbox of an id.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: InboxId) -> Result<Option<Inbox>, StoreError> {
    let row = tx.one(FIND, values![workspace, id])?;
    row.map(|row| with_agents(tx, &row)).transpose()
}

/// The inbox of an id, in whatever workspace: how a program that shows only its key finds the tenant.
pub fn find_anywhere(tx: &mut dyn Conn, id: InboxId) -> Result<Option<Inbox>, StoreError> {
    let row = tx.one(FIND_ANYWHERE, values![id])?;
    row.map(|row| with_agents(tx, &row)).transpose()
}

/// The inbox, which must exist.
pub fn get(tx: &mut dyn Conn, workspace: WorkspaceId, id: InboxId) -> Result<Inbox, StoreError> {
    find(tx, workspace, id)?.ok_or(StoreError::NotFound)
}

/// The inbox of a public slug, in whatever workspace: how a visitor, who knows nothing else, finds the tenant.
pub fn find_by_site(tx: &mut dyn Conn, site: &str) -> Result<Option<Inbox>, StoreError> {
    let row = tx.one(FIND_BY_SITE, values![site])?;
    row.map(|row| with_agents(tx, &row)).transpose()
}

/// Every inbox, oldest first.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<Inbox>, StoreError> {
    let mut agents: BTreeMap<InboxId, Vec<AgentId>> = BTreeMap::new();
    for row in tx.rows(AGENTS, values![workspace])? {
        agents.entry(row.id(0)).or_default().push(row.id(1));
    }
    let mut inboxes: Vec<Inbox> = tx.rows(LIST, values![workspace])?.iter().map(of_row).collect::<Result<_, _>>()?;
    for inbox in &mut inboxes {
        inbox.agent_ids = agents.remove(&inbox.id).unwrap_or_default();
    }
    Ok(inboxes)
}

/// Adds an enabled inbox that everybody sees. `Conflict` when the slug is taken.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, new: &NewInbox<'_>, now: Timestamp) -> Result<InboxId, StoreError> {
    let id = InboxId(tx.id());
    let channel = new.channel.word();
    tx.exec(ADD, values![workspace, id, channel, new.name, new.site, new.settings.to_string(), now])?;
    Ok(id)
}

/// Stores an inbox that was read before; `Busy` when somebody else was faster. Its agents are stored by [`set_agents`].
pub fn change(tx: &mut dyn Conn, i: &Inbox) -> Result<(), StoreError> {
    let n = tx.exec(
        CHANGE,
        values![
            i.workspace,
            i.id,
            i.version,
            &i.name,
            i.enabled,
            i.team_id,
            i.settings.to_string(),
            i.state.word(),
            i.site.as_deref()
        ],
    )?;
    changed_one(n)
}

/// Sets the state that the channel found; true when it was another.
pub fn set_state(tx: &mut dyn Conn, workspace: WorkspaceId, id: InboxId, state: InboxState) -> Result<bool, StoreError> {
    Ok(tx.exec(SET_STATE, values![workspace, id, state.word()])? == 1)
}

/// Makes exactly these agents those who may see it; none: everybody.
pub fn set_agents(tx: &mut dyn Conn, workspace: WorkspaceId, id: InboxId, agents: &[AgentId]) -> Result<(), StoreError> {
    tx.exec(REMOVE_AGENTS, values![workspace, id])?;
    for agent in agents {
        tx.exec(ADD_AGENT, values![workspace, id, *agent])?;
    }
    Ok(())
}

/// Notes that something came in, once a minute at most.
pub fn touch_in(tx: &mut dyn Conn, workspace: WorkspaceId, id: InboxId, now: Timestamp) -> Result<(), StoreError> {
    tx.exec(TOUCH_IN, values![workspace, id, now, now.plus_ms(-TOUCH_EVERY_MS)])?;
    Ok(())
}

/// Notes that something went out, once a minute at most.
pub fn touch_out(tx: &mut dyn Conn, workspace: WorkspaceId, id: InboxId, now: Timestamp) -> Result<(), StoreError> {
    tx.exec(TOUCH_OUT, values![workspace, id, now, now.plus_ms(-TOUCH_EVERY_MS)])?;
    Ok(())
}
