//! Views: the standard ones, those of teams and the saved ones, each with its numbers.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::conversation::ViewCount;
use axum::extract::State;
use axum::routing::{delete, get};
use axum::{Json, Router};
use desk::settings::view;
use desk::view::counts;
use http::StatusCode;
use model::ViewId;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(list, add, remove), components(schemas(View, NewView, ViewList, ViewCount)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/views", get(list).post(add)).route("/views/{id}", delete(remove))
}

/// Every view that the agent sees.
#[derive(Serialize, ToSchema)]
pub struct ViewList {
    /// In the order of the rail.
    pub items: Vec<ViewCount>,
}

/// Every view that the agent sees, with its numbers.
#[utoipa::path(get, path = "/views", tag = "view", responses((status = 200, body = ViewList)))]
async fn list(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<ViewList>, Problem> {
    let now = front.desk.now();
    let counts = front.desk.db.read(move |tx| counts::all(tx, &who, now)).await?;
    Ok(Json(ViewList { items: counts.into_iter().map(ViewCount::from).collect() }))
}

/// A saved query.
#[derive(Serialize, ToSchema)]
pub struct View {
    /// Its id.
    pub id: ViewId,
    /// What it is called.
    pub name: String,
    /// The query as text.
    pub query: String,
    /// Whether everybody sees it.
    pub shared: bool,
    /// Whether it stands in the rail.
    pub pinned: bool,
}

/// A query to be saved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewView {
    /// What it is called.
    pub name: String,
    /// The query as text.
    pub query: String,
    /// Whether everybody sees it; for supervisors.
    #[serde(default)]
    pub shared: bool,
    /// Whether it stands in the rail.
    #[serde(default)]
    pub pinned: bool,
}

/// Saves a query under a name.
#[utoipa::path(post, path = "/views", tag = "view", request_body = NewView,
    responses((status = 201, body = View), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn add(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<NewView>,
) -> Result<(StatusCode, Json<View>), Problem> {
    let made = view::add(&front.desk, &who, &new.name, &new.query, new.shared, new.pinned).await?;
    let view = View { id: made.id, name: made.name, query: made.query, shared: made.shared, pinned: made.pinned };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Deletes an own view, or as an admin a shared one.
#[utoipa::path(delete, path = "/views/{id}", tag = "view", params(("id" = ViewId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn remove(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ViewId>,
) -> Result<StatusCode, Problem> {
    view::remove(&front.desk, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
