//! The business.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, set};
use crate::error::Problem;
use crate::types::{ProblemDocument, Workspace};
use axum::extract::State;
use axum::routing::patch;
use axum::{Json, Router};
use desk::settings::workspace::{self, WorkspaceChange};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(change), components(schemas(Workspace, WorkspacePatch)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/workspace", patch(change))
}

/// Changes to the workspace; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkspacePatch {
    /// Name of the business.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Accent, `#rrggbb`.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub colour: Option<String>,
    /// IANA time zone.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub time_zone: Option<String>,
    /// Steps of the checklist that are done, all of them.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub checklist_done: Option<Vec<String>>,
}

/// Changes name, colour, time zone or checklist. For admins.
#[utoipa::path(patch, path = "/workspace", tag = "workspace", request_body = WorkspacePatch,
    responses((status = 200, body = Workspace), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn change(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(patch): JsonBody<WorkspacePatch>,
) -> Result<Json<Workspace>, Problem> {
    let change = WorkspaceChange {
        name: patch.name,
        colour: patch.colour,
        time_zone: patch.time_zone,
        checklist_done: patch.checklist_done,
    };
    Ok(Json(workspace::change(&front.desk, &who, change).await?.into()))
}
