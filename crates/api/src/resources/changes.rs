//! What happened since a change number: how a client heals a gap.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::Query;
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::live::{ChangesPage, LiveClientFrame, LiveItem, LiveServerFrame};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use utoipa::OpenApi;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(since), components(schemas(ChangesPage, LiveItem, LiveServerFrame, LiveClientFrame)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/changes", get(since))
}

#[derive(Deserialize)]
struct Asked {
    since: i64,
}

/// Changes after a position, at most 500 rows of the log; 410 `resync` when the client is too far behind.
#[utoipa::path(get, path = "/changes", tag = "live", params(("since" = i64, Query)),
    responses((status = 200, body = ChangesPage), (status = 410, body = ProblemDocument)))]
async fn since(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<ChangesPage>, Problem> {
    let page = front.live.changes(&who, asked.since).await?;
    page.map(Json).ok_or_else(|| Problem::gone("resync", "Too much has happened since. Read everything again."))
}
