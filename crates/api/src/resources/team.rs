//! Teams.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, set};
use crate::error::Problem;
use crate::types::{ProblemDocument, Team};
use axum::extract::State;
use axum::routing::{get, patch};
use axum::{Json, Router};
use desk::people::team;
use http::StatusCode;
use model::{AgentId, TeamId};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(list, add, change, remove), components(schemas(Team, TeamList, NewTeam, TeamPatch)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/teams", get(list).post(add)).route("/teams/{id}", patch(change).delete(remove))
}

/// Every team.
#[derive(Serialize, ToSchema)]
pub struct TeamList {
    /// By name.
    pub items: Vec<Team>,
}

/// Every team, by name.
#[utoipa::path(get, path = "/teams", tag = "team", responses((status = 200, body = TeamList)))]
async fn list(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<TeamList>, Problem> {
    let items = team::list(&front.desk, &who).await?.into_iter().map(Team::from).collect();
    Ok(Json(TeamList { items }))
}

/// A team to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTeam {
    /// Its name, which no other team has.
    pub name: String,
    /// Who is in it.
    #[serde(default)]
    pub agent_ids: Vec<AgentId>,
}

/// Makes a team. For admins.
#[utoipa::path(post, path = "/teams", tag = "team", request_body = NewTeam,
    responses((status = 201, body = Team), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn add(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<NewTeam>,
) -> Result<(StatusCode, Json<Team>), Problem> {
    let team = team::add(&front.desk, &who, &new.name, new.agent_ids).await?;
    Ok((StatusCode::CREATED, Json(team.into())))
}

/// Changes to a team; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamPatch {
    /// Its name.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Who is in it, all of them.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub agent_ids: Option<Vec<AgentId>>,
}

/// Changes a team. For admins.
#[utoipa::path(patch, path = "/teams/{id}", tag = "team", params(("id" = TeamId, Path)), request_body = TeamPatch,
    responses((status = 200, body = Team), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn change(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<TeamId>,
    JsonBody(patch): JsonBody<TeamPatch>,
) -> Result<Json<Team>, Problem> {
    Ok(Json(team::change(&front.desk, &who, id, patch.name.as_deref(), patch.agent_ids).await?.into()))
}

/// Removes a team. For admins.
#[utoipa::path(delete, path = "/teams/{id}", tag = "team", params(("id" = TeamId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn remove(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<TeamId>,
) -> Result<StatusCode, Problem> {
    team::remove(&front.desk, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
