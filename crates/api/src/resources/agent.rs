//! The people of the business.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, set};
use crate::error::Problem;
use crate::types::{Agent, ProblemDocument};
use axum::extract::State;
use axum::routing::{get, patch};
use axum::{Json, Router};
use desk::people::{AgentChange, agent};
use model::{AgentId, Role, TeamId};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(list, change), components(schemas(AgentList, AgentPatch)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/agents", get(list)).route("/agents/{id}", patch(change))
}

/// Every agent.
#[derive(Serialize, ToSchema)]
pub struct AgentList {
    /// Archived ones too: entries of the past carry their names.
    pub items: Vec<Agent>,
}

/// Every agent, oldest first.
#[utoipa::path(get, path = "/agents", tag = "agent", responses((status = 200, body = AgentList)))]
async fn list(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<AgentList>, Problem> {
    let items = agent::list(&front.desk, &who).await?.into_iter().map(Agent::from).collect();
    Ok(Json(AgentList { items }))
}

/// Changes to an agent; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentPatch {
    /// Rights. Only an owner makes or removes owners.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub role: Option<Role>,
    /// True ends every login session and keeps the agent out.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub archived: Option<bool>,
    /// The teams, all of them.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub team_ids: Option<Vec<TeamId>>,
}

/// Changes role, access or teams. For admins. Codes: `last_owner`.
#[utoipa::path(patch, path = "/agents/{id}", tag = "agent", params(("id" = AgentId, Path)), request_body = AgentPatch,
    responses((status = 200, body = Agent), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn change(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<AgentId>,
    JsonBody(patch): JsonBody<AgentPatch>,
) -> Result<Json<Agent>, Problem> {
    let change = AgentChange { role: patch.role, archived: patch.archived, team_ids: patch.team_ids };
    Ok(Json(agent::change(&front.desk, &who, id, change).await?.into()))
}
