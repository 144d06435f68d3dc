//! Agents: what they change about themselves, and what admins change about them.

use super::check::{self, Invalid};
use super::login::SignedIn;
use super::rights::{may_give, may_manage_agents};
use crate::settings::news;
use crate::{Desk, Who};
use model::preferences::Preferences;
use model::{Actor, AgentId, Availability, Role, TeamId, Timestamp, WorkspaceId};
use serde_json::json;
use std::collections::BTreeMap;
use store::agent::Agent;
use store::workspace::Workspace;
use store::{Conn, Route, StoreError, agent, login_session, team, workspace};

/// Why a change of people or settings was refused.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The role has not this right.
    #[error("this needs more rights")]
    NotAllowed,
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// A field.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// A workspace needs an owner who can sign in.
    #[error("this is the last owner")]
    LastOwner,
    /// The present password is not right.
    #[error("the present password is not right")]
    WrongPassword,
    /// Too many tries.
    #[error("too many tries, come back in {retry_after_s} s")]
    RateLimited {
        /// Seconds to wait.
        retry_after_s: i64,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An agent as colleagues see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// The row.
    pub agent: Agent,
    /// Its teams, ascending.
    pub team_ids: Vec<TeamId>,
}

/// What an agent sees of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Me {
    /// Itself.
    pub card: Card,
    /// Where it works.
    pub workspace: Workspace,
}

/// What an agent changes about itself; `None` leaves.
#[derive(Debug, Clone, Default)]
pub struct MeChange {
    /// Name.
    pub name: Option<String>,
    /// Whether work is taken.
    pub availability: Option<Availability>,
    /// Some of the preferences, as an object.
    pub preferences: Option<serde_json::Map<String, serde_json::Value>>,
}

/// What an admin changes about an agent; `None` leaves.
#[derive(Debug, Clone, Default)]
pub struct AgentChange {
    /// Rights.
    pub role: Option<Role>,
    /// Whether the agent may sign in.
    pub archived: Option<bool>,
    /// The teams, all of them.
    pub team_ids: Option<Vec<TeamId>>,
}

type Outcome<T> = Result<Result<T, ChangeError>, StoreError>;

/// Itself and where it works.
pub async fn me(desk: &Desk, who: &Who) -> Result<Me, StoreError> {
    let (workspace, id) = (who.workspace, who.agent);
    desk.db.read(move |tx| me_in(tx, workspace, id)).await
}

fn me_in(tx: &mut dyn Conn, workspace: WorkspaceId, id: AgentId) -> Result<Me, StoreError> {
    Ok(Me { card: card(tx, workspace, id)?, workspace: workspace::get(tx, workspace)? })
}

fn card(tx: &mut dyn Conn, workspace: WorkspaceId, id: AgentId) -> Result<Card, StoreError> {
    Ok(Card { agent: agent::get(tx, workspace, id)?, team_ids: team::list_of_agent(tx, workspace, id)? })
}

/// Every agent, archived ones too: entries of the past carry their names.
pub async fn list(desk: &Desk, who: &Who) -> Result<Vec<Card>, StoreError> {
    let workspace = who.workspace;
    desk.db
        .read(move |tx| {
            let mut teams: BTreeMap<AgentId, Vec<TeamId>> = BTreeMap::new();
            for team in team::list(tx, workspace)? {
                for agent in team.agent_ids {
                    teams.entry(agent).or_default().push(team.id);
                }
            }
            let cards = agent::list(tx, workspace)?.into_iter().map(|agent| {
                let mut team_ids = teams.remove(&agent.id).unwrap_or_default();
                team_ids.sort_unstable();
                Card { agent, team_ids }
            });
            Ok(cards.collect())
        })
        .await
}

/// Changes name, availability or preferences of the one who asks.
pub async fn change_me(desk: &Desk, who: &Who, change: MeChange) -> Result<Me, ChangeError> {
    let now = desk.now();
    let name = change.name.as_deref().map(|name| check::name("name", name)).transpose()?;
    let (workspace, id) = (who.workspace, who.agent);
    desk.db.write(Route::Any, move |tx| change_me_in(tx, workspace, id, name.as_deref(), &change, now)).await?
}

fn change_me_in(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: AgentId,
    name: Option<&str>,
    change: &MeChange,
    now: Timestamp,
) -> Outcome<Me> {
    let before = agent::get(tx, workspace, id)?;
    let mut after = before.clone();
    if let Some(name) = name {
        after.name = name.to_owned();
    }
    if let Some(availability) = change.availability {
        after.availability = availability;
    }
    if let Some(wanted) = &change.preferences {
        match merged_preferences(&before.preferences, wanted) {
            Ok(preferences) => after.preferences = preferences,
            Err(invalid) => return Ok(Err(invalid.into())),
        }
    }
    if after != before {
        agent::change(tx, workspace, &after)?;
        tell_change(tx, workspace, Actor::Agent(id), &before, &after, now)?;
    }
    me_in(tx, workspace, id).map(Ok)
}

fn merged_preferences(
    stored: &serde_json::Value,
    wanted: &serde_json::Map<String, serde_json::Value>,
) -> Result<serde_json::Value, Invalid> {
    let unreadable = |name: &str| Invalid::new(format!("preferences.{name}"), "a value that this preference can have");
    let mut all = serde_json::to_value(Preferences::of_json(stored)).unwrap_or_default();
    let defaults = serde_json::to_value(Preferences::default()).unwrap_or_default();
    for (name, value) in wanted {
        let default = defaults.get(name).ok_or_else(|| unreadable(name))?;
        all[name.as_str()] = if value.is_null() { default.clone() } else { value.clone() };
        serde_json::from_value::<Preferences>(all.clone()).map_err(|_| unreadable(name))?;
    }
    let preferences: Preferences = serde_json::from_value(all.clone()).map_err(|_| unreadable(""))?;
    preferences.check().map_err(|(field, text)| Invalid::new(field, text))?;
    Ok(all)
}

// The log keeps what routing, audit and live updates need; names and preferences only as "changed".
fn tell_change(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    actor: Actor,
    before: &Agent,
    after: &Agent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = after.id;
    if before.availability != after.availability {
        agent::begin_span(tx, workspace, id, after.availability, now)?;
        let payload = json!({ "agent_id": id, "from": before.availability, "to": after.availability });
        tx.log(news(workspace, "agent.availability_changed", actor, now, payload));
    }
    let mut changed = serde_json::Map::new();
    if before.role != after.role {
        changed.insert("role".into(), json!({ "from": before.role, "to": after.role }));
    }
    if before.archived_at != after.archived_at {
        changed.insert("archived".into(), json!({ "from": before.archived_at.is_some(), "to": after.archived_at.is_some() }));
    }
    if before.name != after.name {
        changed.insert("name".into(), json!(true));
    }
    if !changed.is_empty() {
        tx.log(news(workspace, "agent.changed", actor, now, json!({ "agent_id": id, "changed": changed })));
    }
    Ok(())
}

/// Changes role, teams or access of an agent. Taking access away ends the login sessions at once.
pub async fn change(desk: &Desk, who: &Who, id: AgentId, change: AgentChange) -> Result<Card, ChangeError> {
    if !may_manage_agents(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (now, who) = (desk.now(), who.clone());
    desk.db.write(Route::Any, move |tx| change_in(tx, &who, id, &change, now)).await?
}

fn change_in(tx: &mut dyn Conn, who: &Who, id: AgentId, change: &AgentChange, now: Timestamp) -> Outcome<Card> {
    let workspace = who.workspace;
    let Some(before) = agent::find(tx, workspace, id)? else { return Ok(Err(ChangeError::NotFound)) };
    let mut after = before.clone();
    if let Some(role) = change.role {
        after.role = role;
    }
    match change.archived {
        Some(true) if before.archived_at.is_none() => {
            after.archived_at = Some(now);
            after.availability = Availability::Offline;
        }
        Some(false) => after.archived_at = None,
        _ => {}
    }
    let touches_rights = before.role != after.role || before.archived_at != after.archived_at;
    if touches_rights && !(may_give(who.role, before.role) && may_give(who.role, after.role)) {
        return Ok(Err(ChangeError::NotAllowed));
    }
    let was_owner = before.role == Role::Owner && before.archived_at.is_none();
    let is_owner = after.role == Role::Owner && after.archived_at.is_none();
    if was_owner && !is_owner && agent::count_owners(tx, workspace)? < 2 {
        return Ok(Err(ChangeError::LastOwner));
    }
    let known = team::list(tx, workspace)?;
    let wanted = change.team_ids.as_deref();
    if wanted.is_some_and(|wanted| wanted.iter().any(|id| !known.iter().any(|team| team.id == *id))) {
        return Ok(Err(Invalid::new("team_ids", "teams that exist").into()));
    }
    if after != before {
        agent::change(tx, workspace, &after)?;
        tell_change(tx, workspace, Actor::Agent(who.agent), &before, &after, now)?;
    }
    if after.archived_at.is_some() && before.archived_at.is_none() {
        login_session::end_others(tx, workspace, id, None, now)?;
    }
    if let Some(wanted) = wanted {
        team::leave_all(tx, workspace, id)?;
        for team in wanted {
            team::add_member(tx, workspace, *team, id)?;
        }
        let payload = json!({ "agent_id": id, "team_ids": wanted });
        tx.log(news(workspace, "agent.teams_changed", Actor::Agent(who.agent), now, payload));
    }
    card(tx, workspace, id).map(Ok)
}

/// Sets another password and ends every other login session of the agent.
pub async fn change_password(
    desk: &Desk,
    signed_in: &SignedIn,
    current: &str,
    new: &str,
    address: &str,
) -> Result<(), ChangeError> {
    let (workspace, id, session, now) = (signed_in.who.workspace, signed_in.who.agent, signed_in.session, desk.now());
    let account = format!("password {id}");
    desk.gate.try_sign_in(address, &account, now).map_err(|retry_after_s| ChangeError::RateLimited { retry_after_s })?;
    let (row, hash) = desk
        .db
        .read(move |tx| Ok::<_, StoreError>((agent::get(tx, workspace, id)?, agent::password(tx, workspace, id)?)))
        .await?;
    let crowded = |_| ChangeError::RateLimited { retry_after_s: 2 };
    if !desk.gate.passwords.verify(current, hash).await.map_err(crowded)? {
        return Err(ChangeError::WrongPassword);
    }
    desk.gate.signed_in(address, &account);
    check::password("new", new, &row.email)?;
    let hash = desk.gate.passwords.hash(new, &desk.random).await.map_err(crowded)?;
    desk.db
        .write(Route::Any, move |tx| {
            agent::set_password(tx, workspace, id, &hash)?;
            login_session::end_others(tx, workspace, id, Some(session), now)?;
            tx.log(news(workspace, "agent.password_changed", Actor::Agent(id), now, json!({ "agent_id": id })));
            Ok::<_, StoreError>(())
        })
        .await?;
    Ok(())
}
