//! What customers may ask of us about their own data: all of it in a file, or gone.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, Query};
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::identity::display_name;
use desk::people::rights;
use desk::privacy::{erase, export};
use http::header;
use model::ContactId;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(export_one, export_list, erase_one), components(schemas(EraseRequest, EraseReport)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/contacts/{id}/export", get(export_one))
        .route("/contacts/export", get(export_list))
        .route("/contacts/{id}/erase", post(erase_one))
}

/// Everything kept of one customer, as a document that machines read; for supervisors. It is in the audit trail.
#[utoipa::path(get, path = "/contacts/{id}/export", tag = "privacy", params(("id" = ContactId, Path)),
    responses((status = 200, content_type = "application/json", body = String), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn export_one(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
) -> Result<Response, Problem> {
    if !rights::may_export(who.role) {
        return Err(Problem::not_allowed());
    }
    let document = export::export_one(&front.desk, &who, id).await?;
    let head = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, super::attachment::disposition(&format!("{id}.json"), false)),
    ];
    Ok((head, document.to_string()).into_response())
}

#[derive(Deserialize)]
struct Filter {
    #[serde(default)]
    filter: String,
}

/// Customers that a filter names, as a table for a spreadsheet; for supervisors. Cells that a spreadsheet would calculate
/// have an apostrophe before them. It is in the audit trail.
#[utoipa::path(get, path = "/contacts/export", tag = "privacy", params(("filter" = Option<String>, Query)),
    responses((status = 200, content_type = "text/csv", body = String), (status = 403, body = ProblemDocument)))]
async fn export_list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(query): Query<Filter>,
) -> Result<Response, Problem> {
    if !rights::may_export(who.role) {
        return Err(Problem::not_allowed());
    }
    let table = export::export_list(&front.desk, &who, &query.filter).await?;
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, super::attachment::disposition("customers.csv", false)),
    ];
    Ok((head, table).into_response())
}

/// Who asks for an erasure says whom.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseRequest {
    /// The customer's name as it is shown, typed by the person who erases. Not looked at in a dry run.
    #[serde(default)]
    pub name: String,
}

/// What goes.
#[derive(Serialize, ToSchema)]
pub struct EraseReport {
    /// Entries whose content goes.
    pub entries: i64,
    /// Files.
    pub files: i64,
    /// Conversations that they stand in; the frames of these stay.
    pub conversations: i64,
    /// Addresses.
    pub contact_points: i64,
    /// Records that were merged into this one and go with it.
    pub merged: i64,
    /// Done; false: a dry run.
    pub done: bool,
}

#[derive(Deserialize)]
struct DryRun {
    #[serde(default)]
    dry_run: bool,
}

/// Erases a customer for ever: content, files, addresses, raw events, search. Counts and a mark without name stay. For
/// admins; the name must be typed. It cannot be undone.
#[utoipa::path(post, path = "/contacts/{id}/erase", tag = "privacy", params(("id" = ContactId, Path), ("dry_run" = Option<bool>, Query)),
    request_body = EraseRequest,
    responses((status = 200, body = EraseReport), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn erase_one(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
    Query(DryRun { dry_run }): Query<DryRun>,
    JsonBody(request): JsonBody<EraseRequest>,
) -> Result<Json<EraseReport>, Problem> {
    if !rights::may_erase(who.role) {
        return Err(Problem::not_allowed());
    }
    let workspace = who.workspace;
    let live = front.desk.db.read(move |tx| store::contact::get_live(tx, workspace, id)).await?;
    if !dry_run && model::fold::fold(request.name.trim()) != model::fold::fold(&display_name(&live)) {
        return Err(Problem::invalid("name", "the customer's name, as it is shown"));
    }
    let done = erase::erase(&front.desk, &who, id, dry_run).await?;
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Ok(Json(EraseReport {
        entries: count(done.entries),
        files: count(done.files),
        conversations: count(done.conversations),
        contact_points: count(done.contact_points),
        merged: count(done.merged),
        done: done.done,
    }))
}
