//! Teams and who is in them.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::setting::changed_one;
use crate::values;
use model::{AgentId, TeamId, WorkspaceId};
use std::collections::BTreeMap;

/// A group of agents.
#[derive(Debug, Clone, PartialEq)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Who is in it, ascending.
    pub agent_ids: Vec<AgentId>,
    /// Grows with each change of the name.
    pub version: i64,
}

const FIND: &str = "SELECT id, name, version FROM team WHERE workspace_id = $1 AND id = $2";
const LIST: &str = "SELECT id, name, version FROM team WHERE workspace_id = $1 ORDER BY name_key, id";
const ADD: &str = "INSERT INTO team (workspace_id, id, name, name_key, version) VALUES ($1, $2, $3, $4, 1)";
const RENAME: &str =
    "UPDATE team SET name = $4, name_key = $5, version = version + 1 WHERE workspace_id = $1 AND id = $2 AND version = $3";
const DELETE: &str = "DELETE FROM team WHERE workspace_id = $1 AND id = $2";
const MEMBERS: &str = "SELECT team_id, agent_id FROM team_agent WHERE workspace_id = $1 ORDER BY team_id, agent_id";
const MEMBERS_OF: &str = "SELECT agent_id FROM team_agent WHERE workspace_id = $1 AND team_id = $2 ORDER BY agent_id";
const TEAMS_OF: &str = "SELECT team_id FROM team_agent WHERE workspace_id = $1 AND agent_id = $2 ORDER BY team_id";
const ADD_MEMBER: &str = "INSERT INTO team_agent (workspace_id, team_id, agent_id) VALUES ($1, $2, $3) \
     ON CONFLICT (workspace_id, team_id, agent_id) DO NOTHING";
const REMOVE_MEMBER: &str = "DELETE FROM team_agent WHERE workspace_id = $1 AND team_id = $2 AND agent_id = $3";
const REMOVE_MEMBERS: &str = "DELETE FROM team_agent WHERE workspace_id = $1 AND team_id = $2";
const LEAVE_ALL: &str = "DELETE FROM team_agent WHERE workspace_id = $1 AND agent_id = $2";

/// The team with its members.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, team: TeamId) -> Result<Option<Team>, StoreError> {
    let Some(row) = tx.one(FIND, values![workspace, team])? else { return Ok(None) };
    let agent_ids = tx.rows(MEMBERS_OF, values![workspace, team])?.iter().map(|row| row.id(0)).collect();
    Ok(Some(Team { id: row.id(0), name: row.text(1), agent_ids, version: row.int(2) }))
}

/// Every team, by name.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<Team>, StoreError> {
    let mut members: BTreeMap<TeamId, Vec<AgentId>> = BTreeMap::new();
    for row in tx.rows(MEMBERS, values![workspace])? {
        members.entry(row.id(0)).or_default().push(row.id(1));
    }
    let teams = tx.rows(LIST, values![workspace])?;
    Ok(teams
        .iter()
        .map(|row| {
            let id = row.id(0);
            Team { id, name: row.text(1), agent_ids: members.remove(&id).unwrap_or_default(), version: row.int(2) }
        })
        .collect())
}

/// The teams of one agent, ascending.
pub fn list_of_agent(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<Vec<TeamId>, StoreError> {
    Ok(tx.rows(TEAMS_OF, values![workspace, agent])?.iter().map(|row| row.id(0)).collect())
}

/// Adds an empty team. `Conflict` when the name is taken.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, name: &str, name_key: &str) -> Result<TeamId, StoreError> {
    let id = TeamId(tx.id());
    tx.exec(ADD, values![workspace, id, name, name_key])?;
    Ok(id)
}

/// Gives a team that was read before another name. `Conflict` when it is taken, `Busy` when somebody else was faster.
pub fn rename(tx: &mut dyn Conn, workspace: WorkspaceId, team: &Team, name: &str, name_key: &str) -> Result<(), StoreError> {
    changed_one(tx.exec(RENAME, values![workspace, team.id, team.version, name, name_key])?)
}

/// Deletes a team and its memberships; true when there was one. Conversations keep the id of a team that is gone.
pub fn delete(tx: &mut dyn Conn, workspace: WorkspaceId, team: TeamId) -> Result<bool, StoreError> {
    tx.exec(REMOVE_MEMBERS, values![workspace, team])?;
    Ok(tx.exec(DELETE, values![workspace, team])? > 0)
}

/// Makes exactly these agents the members.
pub fn set_members(tx: &mut dyn Conn, workspace: WorkspaceId, team: TeamId, agents: &[AgentId]) -> Result<(), StoreError> {
    tx.exec(REMOVE_MEMBERS, values![workspace, team])?;
    for agent in agents {
        tx.exec(ADD_MEMBER, values![workspace, team, *agent])?;
    }
    Ok(())
}

/// Adds one member.
pub fn add_member(tx: &mut dyn Conn, workspace: WorkspaceId, team: TeamId, agent: AgentId) -> Result<(), StoreError> {
    tx.exec(ADD_MEMBER, values![workspace, team, agent])?;
    Ok(())
}

/// Removes one member; true when it was one.
pub fn remove_member(tx: &mut dyn Conn, workspace: WorkspaceId, team: TeamId, agent: AgentId) -> Result<bool, StoreError> {
    Ok(tx.exec(REMOVE_MEMBER, values![workspace, team, agent])? > 0)
}

/// Takes an agent out of every team.
pub fn leave_all(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<u64, StoreError> {
    tx.exec(LEAVE_ALL, values![workspace, agent])
}
