//! How the server is doing, for the administrator.

use crate::Front;
use crate::auth::SignedIn;
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::people::rights;
use serde::Serialize;
use store::{Engine, StoreError, event_log, job, provider_event};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(health), components(schemas(Health, DatabaseKind)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/health", get(health))
}

/// Which database is underneath.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseKind {
    /// The embedded one.
    Sqlite,
    /// A server.
    Postgres,
}

/// How the server is doing.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// Which database.
    pub database: DatabaseKind,
    /// Of this build.
    pub version: String,
    /// Changes that the search does not know yet.
    pub search_lag: i64,
    /// Age of the oldest job that could run.
    pub oldest_ready_job_ms: Option<i64>,
    /// Jobs that were given up.
    pub given_up_jobs: i64,
    /// Events that were put aside, counted up to 1,000.
    pub quarantined: i64,
    /// Room on the disk of the attachments, where it is known; on the embedded default the database stands on the same disk.
    pub disk_free_bytes: Option<u64>,
}

/// How the server is doing.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = Health), (status = 403, body = ProblemDocument)))]
async fn health(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<Health>, Problem> {
    if !rights::may_see_health(who.role) {
        return Err(Problem::not_allowed());
    }
    let (now, workspace) = (front.desk.now(), who.workspace);
    let position = front.desk.search.position(workspace).await?.unwrap_or(0);
    let read = front.desk.db.read(move |tx| -> Result<_, StoreError> {
        Ok((job::health(tx, now)?, provider_event::quarantine_count(tx, workspace)?, event_log::head(tx, workspace)?))
    });
    let (jobs, quarantined, head) = read.await?;
    let oldest = jobs.classes.iter().filter_map(|class| class.oldest_ready_at).min();
    Ok(Json(Health {
        database: match front.desk.db.engine() {
            Engine::Sqlite => DatabaseKind::Sqlite,
            Engine::Postgres => DatabaseKind::Postgres,
        },
        version: env!("CARGO_PKG_VERSION").to_owned(),
        search_lag: (head - position).max(0),
        oldest_ready_job_ms: oldest.map(|at| now.since(at).max(0)),
        given_up_jobs: jobs.given_up,
        quarantined,
        disk_free_bytes: front.desk.blobs.bytes_free(),
    }))
}
