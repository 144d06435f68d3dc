//! Segments: saved filters over customers.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::{delete, get};
use axum::{Json, Router};
use desk::contacts::segment;
use http::StatusCode;
use model::SegmentId;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(list, add, remove), components(schemas(Segment, SegmentList, NewSegment)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/segments", get(list).post(add)).route("/segments/{id}", delete(remove))
}

/// A saved filter. Its people are `GET /contacts?filter=` with its query.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Segment {
    /// Its id.
    pub id: SegmentId,
    /// What it is called.
    pub name: String,
    /// The filter, as it is typed.
    pub query: String,
    /// Whether everybody sees it.
    pub shared: bool,
}

impl From<store::segment::Segment> for Segment {
    fn from(s: store::segment::Segment) -> Self {
        Self { id: s.id, name: s.name, query: s.query, shared: s.shared }
    }
}

/// Every segment that the agent sees.
#[derive(Serialize, ToSchema)]
pub struct SegmentList {
    /// Oldest first.
    pub items: Vec<Segment>,
}

/// Own segments and shared ones.
#[utoipa::path(get, path = "/segments", tag = "segment", responses((status = 200, body = SegmentList)))]
async fn list(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<SegmentList>, Problem> {
    let found = segment::list(&front.desk, &who).await?;
    Ok(Json(SegmentList { items: found.into_iter().map(Segment::from).collect() }))
}

/// A filter to be saved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSegment {
    /// What it is called.
    pub name: String,
    /// The filter.
    pub query: String,
    /// Whether everybody sees it; for supervisors.
    #[serde(default)]
    pub shared: bool,
}

/// Saves a filter under a name.
#[utoipa::path(post, path = "/segments", tag = "segment", request_body = NewSegment,
    responses((status = 201, body = Segment), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn add(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<NewSegment>,
) -> Result<(StatusCode, Json<Segment>), Problem> {
    let made = segment::add(&front.desk, &who, &new.name, &new.query, new.shared).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Deletes an own segment, or as an admin a shared one.
#[utoipa::path(delete, path = "/segments/{id}", tag = "segment", params(("id" = SegmentId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn remove(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<SegmentId>,
) -> Result<StatusCode, Problem> {
    segment::remove(&front.desk, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
