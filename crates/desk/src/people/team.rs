//! Teams: made, named and filled by admins.

use super::agent::ChangeError;
use super::check::{self, Invalid};
use super::rights::may_manage_agents;
use crate::settings::news;
use crate::{Desk, Who};
use model::fold::fold;
use model::{Actor, AgentId, TeamId, Timestamp};
use serde_json::json;
use store::team::Team;
use store::{Conn, Route, StoreError, agent, team};

type Outcome<T> = Result<Result<T, ChangeError>, StoreError>;

/// Every team, by name.
pub async fn list(desk: &Desk, who: &Who) -> Result<Vec<Team>, StoreError> {
    let workspace = who.workspace;
    desk.db.read(move |tx| team::list(tx, workspace)).await
}

/// Makes a team.
pub async fn add(desk: &Desk, who: &Who, name: &str, agent_ids: Vec<AgentId>) -> Result<Team, ChangeError> {
    may(who)?;
    let name = check::name("name", name)?;
    let (now, who) = (desk.now(), who.clone());
    desk.db.write(Route::Any, move |tx| add_in(tx, &who, &name, &agent_ids, now)).await?
}

fn add_in(tx: &mut dyn Conn, who: &Who, name: &str, agent_ids: &[AgentId], now: Timestamp) -> Outcome<Team> {
    if let Some(refused) = refuse(tx, who, None, Some(name), Some(agent_ids))? {
        return Ok(Err(refused.into()));
    }
    let id = team::add(tx, who.workspace, name, &fold(name))?;
    team::set_members(tx, who.workspace, id, agent_ids)?;
    tell(tx, who, "team.added", id, now);
    team::find(tx, who.workspace, id)?.ok_or(StoreError::NotFound).map(Ok)
}

/// Changes name or members.
pub async fn change(
    desk: &Desk,
    who: &Who,
    id: TeamId,
    name: Option<&str>,
    agent_ids: Option<Vec<AgentId>>,
) -> Result<Team, ChangeError> {
    may(who)?;
    let name = name.map(|name| check::name("name", name)).transpose()?;
    let (now, who) = (desk.now(), who.clone());
    desk.db.write(Route::Any, move |tx| change_in(tx, &who, id, name.as_deref(), agent_ids.as_deref(), now)).await?
}

fn change_in(
    tx: &mut dyn Conn,
    who: &Who,
    id: TeamId,
    name: Option<&str>,
    agent_ids: Option<&[AgentId]>,
    now: Timestamp,
) -> Outcome<Team> {
    let workspace = who.workspace;
    let Some(before) = team::find(tx, workspace, id)? else { return Ok(Err(ChangeError::NotFound)) };
    if let Some(refused) = refuse(tx, who, Some(id), name, agent_ids)? {
        return Ok(Err(refused.into()));
    }
    if let Some(name) = name {
        team::rename(tx, workspace, &before, name, &fold(name))?;
    }
    if let Some(agent_ids) = agent_ids {
        team::set_members(tx, workspace, id, agent_ids)?;
    }
    tell(tx, who, "team.changed", id, now);
    team::find(tx, workspace, id)?.ok_or(StoreError::NotFound).map(Ok)
}

/// Removes a team. Its conversations keep the label and show as "no team".
pub async fn remove(desk: &Desk, who: &Who, id: TeamId) -> Result<(), ChangeError> {
    may(who)?;
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            if !team::delete(tx, who.workspace, id)? {
                return Ok::<_, StoreError>(Err(ChangeError::NotFound));
            }
            tell(tx, &who, "team.removed", id, now);
            Ok(Ok(()))
        })
        .await?
}

fn may(who: &Who) -> Result<(), ChangeError> {
    if may_manage_agents(who.role) { Ok(()) } else { Err(ChangeError::NotAllowed) }
}

fn refuse(
    tx: &mut dyn Conn,
    who: &Who,
    own: Option<TeamId>,
    name: Option<&str>,
    agent_ids: Option<&[AgentId]>,
) -> Result<Option<Invalid>, StoreError> {
    if let Some(name) = name {
        let key = fold(name);
        let taken = team::list(tx, who.workspace)?.iter().any(|team| Some(team.id) != own && fold(&team.name) == key);
        if taken {
            return Ok(Some(Invalid::new("name", "a name that no other team has")));
        }
    }
    for id in agent_ids.unwrap_or_default() {
        if agent::find(tx, who.workspace, *id)?.is_none() {
            return Ok(Some(Invalid::new("agent_ids", "agents that exist")));
        }
    }
    Ok(None)
}

fn tell(tx: &mut dyn Conn, who: &Who, kind: &'static str, id: TeamId, now: Timestamp) {
    tx.log(news(who.workspace, kind, Actor::Agent(who.agent), now, json!({ "team_id": id })));
}
