//! Events that could not be understood: why, the raw bytes, try again, or put out of sight.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{Path, Query};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::cursor;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::journeys::quarantine;
use desk::people::rights;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use model::{InboxId, ProviderEventId, Timestamp};
use serde::{Deserialize, Serialize};
use store::provider_event::{self, ProviderEvent};
use utoipa::{OpenApi, ToSchema};

const RAW_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(list, raw, retry, dismiss), components(schemas(QuarantineItem, QuarantinePage)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/quarantine", get(list))
        .route("/quarantine/{id}/raw", get(raw))
        .route("/quarantine/{id}/retry", post(retry))
        .route("/quarantine/{id}/dismiss", post(dismiss))
}

/// One event that was put aside.
#[derive(Serialize, ToSchema)]
pub struct QuarantineItem {
    /// Its id.
    pub id: ProviderEventId,
    /// Where it came in.
    pub inbox_id: InboxId,
    /// When.
    pub received_at: Timestamp,
    /// Stable word.
    pub reason: String,
    /// In words.
    pub detail: String,
    /// Size of the raw bytes; 0 when they stand in a file.
    pub bytes: usize,
    /// The external conversation, as far as it was readable.
    pub from: Option<String>,
}

impl From<ProviderEvent> for QuarantineItem {
    fn from(event: ProviderEvent) -> Self {
        let reason = event.reason.unwrap_or_default();
        let (word, detail) = reason.split_once(": ").map_or((reason.as_str(), ""), |(word, detail)| (word, detail));
        Self {
            id: event.id,
            inbox_id: event.inbox_id,
            received_at: event.received_at,
            reason: word.to_owned(),
            detail: detail.to_owned(),
            bytes: event.raw.as_ref().map_or(0, Vec::len),
            from: Some(event.lane_name).filter(|name| !name.is_empty()),
        }
    }
}

/// A page of them.
#[derive(Serialize, ToSchema)]
pub struct QuarantinePage {
    /// Newest first.
    pub items: Vec<QuarantineItem>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// How many there are, counted up to 1,000.
    pub total: i64,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

/// What was put aside, newest first.
#[utoipa::path(get, path = "/quarantine", tag = "quarantine", params(("cursor" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = QuarantinePage), (status = 403, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<QuarantinePage>, Problem> {
    if !rights::may_see_quarantine(who.role) {
        return Err(Problem::not_allowed());
    }
    let below = cursor::of_query(asked.cursor.as_deref())?.unwrap_or((i64::MAX, i64::MAX));
    let limit = i64::try_from(cursor::limit(asked.limit)?).unwrap_or(50);
    let read = front.desk.db.read(move |tx| -> Result<_, store::StoreError> {
        Ok((provider_event::quarantine(tx, who.workspace, below, limit)?, provider_event::quarantine_count(tx, who.workspace)?))
    });
    let (events, total) = read.await?;
    let next_cursor =
        if events.len() as i64 == limit { events.last().map(|e| cursor::write((e.received_at.0, e.id.0))) } else { None };
    Ok(Json(QuarantinePage { items: events.into_iter().map(QuarantineItem::from).collect(), next_cursor, total }))
}

/// The raw bytes, as a download.
#[utoipa::path(get, path = "/quarantine/{id}/raw", tag = "quarantine", params(("id" = ProviderEventId, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn raw(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ProviderEventId>,
) -> Result<Response, Problem> {
    if !rights::may_download_raw(who.role) {
        return Err(Problem::not_allowed());
    }
    let workspace = who.workspace;
    let event = front.desk.db.read(move |tx| provider_event::find(tx, workspace, id)).await?.ok_or_else(Problem::not_found)?;
    let bytes = match (event.raw, event.blob_id) {
        (Some(bytes), _) => bytes,
        (None, Some(blob_id)) => {
            let found = front.desk.db.read(move |tx| store::attachment::find_blob(tx, workspace, blob_id)).await?;
            let (sha256, _) = found.ok_or_else(Problem::not_found)?;
            front.desk.blobs.get(workspace, &sha256, RAW_BYTES_MAX).await.map_err(|_| Problem::not_found())?
        }
        (None, None) => return Err(Problem::not_found()),
    };
    let mut response = bytes.into_response();
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{id}.bin\"")) {
        out.insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// Takes an event out and works it off again.
#[utoipa::path(post, path = "/quarantine/{id}/retry", tag = "quarantine", params(("id" = ProviderEventId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn retry(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ProviderEventId>,
) -> Result<StatusCode, Problem> {
    if !rights::may_see_quarantine(who.role) {
        return Err(Problem::not_allowed());
    }
    if quarantine::retry(&front.desk, &who, id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}

/// Puts an event out of sight; the raw bytes stay.
#[utoipa::path(post, path = "/quarantine/{id}/dismiss", tag = "quarantine", params(("id" = ProviderEventId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn dismiss(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ProviderEventId>,
) -> Result<StatusCode, Problem> {
    if !rights::may_see_quarantine(who.role) {
        return Err(Problem::not_allowed());
    }
    if quarantine::dismiss(&front.desk, &who, id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}
