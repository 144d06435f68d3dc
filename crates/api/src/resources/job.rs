//! Work that was given up, for the administrator.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::Path;
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::people::rights;
use http::StatusCode;
use model::{JobId, Timestamp};
use serde::Serialize;
use store::{Route, job};
use utoipa::{OpenApi, ToSchema};

const LIMIT: usize = 100;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(given_up, retry), components(schemas(GivenUpJob, GivenUpJobList)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/jobs/given_up", get(given_up)).route("/jobs/{id}/retry", post(retry))
}

/// A job that was given up.
#[derive(Serialize, ToSchema)]
pub struct GivenUpJob {
    /// Which.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
    /// When.
    pub gave_up_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
}

/// All of them.
#[derive(Serialize, ToSchema)]
pub struct GivenUpJobList {
    /// Latest first, at most 100.
    pub items: Vec<GivenUpJob>,
}

/// Work that was given up.
#[utoipa::path(get, path = "/jobs/given_up", tag = "job", responses((status = 200, body = GivenUpJobList), (status = 403, body = ProblemDocument)))]
async fn given_up(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<GivenUpJobList>, Problem> {
    if !rights::may_see_health(who.role) {
        return Err(Problem::not_allowed());
    }
    let all = front.desk.db.read(move |tx| job::list_given_up(tx, who.workspace, None, LIMIT)).await?;
    let items = all.into_iter().map(|job| GivenUpJob {
        id: job.id,
        name: job.name,
        reason: job.reason,
        gave_up_at: job.gave_up_at,
        attempts: job.attempts,
    });
    Ok(Json(GivenUpJobList { items: items.collect() }))
}

/// Starts a job again.
#[utoipa::path(post, path = "/jobs/{id}/retry", tag = "job", params(("id" = JobId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn retry(State(front): State<Front>, SignedIn { who, .. }: SignedIn, Path(id): Path<JobId>) -> Result<StatusCode, Problem> {
    if !rights::may_see_health(who.role) {
        return Err(Problem::not_allowed());
    }
    let now = front.desk.now();
    let done = front.desk.db.write(Route::Any, move |tx| job::put_back(tx, who.workspace, id, now)).await?;
    if done.is_some() { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}
