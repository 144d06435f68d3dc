//! Customers: who they are, and whether two of them are one.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, Query, set, three};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::contact::{Contact, ContactPage, ContactPoint, ContactPointHealth, ContactRow, MergePreview, MergedContact};
use crate::types::cursor;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::identity::{self, ContactError, MergeError};
use desk::view::contact;
use desk::{Who, people::rights};
use model::{ContactId, ContactMergeId};
use serde::Deserialize;
use store::StoreError;
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, get_one, patch, merge, unmerge),
    components(schemas(
        Contact,
        ContactPage,
        ContactPoint,
        ContactPointHealth,
        ContactRow,
        MergedContact,
        MergePreview,
        ContactPatch,
        ContactMerge
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/contacts", get(list))
        .route("/contacts/{id}", get(get_one).patch(patch))
        .route("/contacts/{id}/merge", post(merge))
        .route("/contact_merges/{id}/undo", post(unmerge))
}

impl From<ContactError> for Problem {
    fn from(error: ContactError) -> Self {
        match error {
            ContactError::NotFound => Self::not_found(),
            ContactError::Invalid { field, text } => Self::invalid(field, text),
            ContactError::Store(error) => error.into(),
        }
    }
}

impl From<MergeError> for Problem {
    fn from(error: MergeError) -> Self {
        match error {
            MergeError::NotFound => Self::not_found(),
            MergeError::Same => Self::conflict("same", "That is the same customer."),
            MergeError::TwoAccounts => Self::conflict("two_accounts", "Both are signed-in customers with accounts of their own."),
            MergeError::TooLate(text) => Self::conflict("too_late", "This can no longer be taken back.").detail(text),
            MergeError::Store(error) => error.into(),
        }
    }
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    q: Option<String>,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

/// Customers, latest seen first; with a text those whose name or address begins so.
#[utoipa::path(get, path = "/contacts", tag = "contact",
    params(("q" = Option<String>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = ContactPage), (status = 422, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<Json<ContactPage>, Problem> {
    let below = cursor::of_query(query.cursor.as_deref())?;
    let limit = i64::try_from(cursor::limit(query.limit)?).unwrap_or(50);
    let text = query.q.unwrap_or_default();
    let (rows, next) = front.desk.db.read(move |tx| contact::page(tx, &who, &text, below, limit)).await?;
    Ok(Json(ContactPage { items: rows.into_iter().map(ContactRow::from).collect(), next_cursor: next.map(cursor::write) }))
}

/// One customer. An id that was merged away gives the customer that took it.
#[utoipa::path(get, path = "/contacts/{id}", tag = "contact", params(("id" = ContactId, Path)),
    responses((status = 200, body = Contact), (status = 404, body = ProblemDocument)))]
async fn get_one(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
) -> Result<Json<Contact>, Problem> {
    shown(&front, &who, id).await
}

async fn shown(front: &Front, who: &Who, id: ContactId) -> Result<Json<Contact>, Problem> {
    let workspace = who.workspace;
    let view = front.desk.db.read(move |tx| contact::get(tx, workspace, id)).await?;
    let online = front.live.online_points(workspace, &view);
    Ok(Json(Contact::of(view, |point| online.contains(&point))))
}

/// What changes on a customer. Absent: stays; null: cleared.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactPatch {
    /// Name.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<String>)]
    pub name: Option<Option<String>>,
    /// Firm.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<String>)]
    pub company: Option<Option<String>>,
    /// Language.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<String>)]
    pub locale: Option<Option<String>>,
    /// IANA zone.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<String>)]
    pub time_zone: Option<Option<String>>,
    /// Nothing of theirs comes in.
    #[serde(default, deserialize_with = "set")]
    pub blocked: Option<bool>,
    /// What agents know.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<String>)]
    pub notes: Option<Option<String>>,
}

/// Changes a customer.
#[utoipa::path(patch, path = "/contacts/{id}", tag = "contact", params(("id" = ContactId, Path)), request_body = ContactPatch,
    responses((status = 200, body = Contact), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn patch(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
    JsonBody(patch): JsonBody<ContactPatch>,
) -> Result<Json<Contact>, Problem> {
    if !rights::may_edit_contacts(who.role) || (patch.blocked.is_some() && !rights::may_block(who.role)) {
        return Err(Problem::not_allowed());
    }
    let patch = identity::ContactPatch {
        name: patch.name,
        company: patch.company,
        locale: patch.locale,
        time_zone: patch.time_zone,
        notes: patch.notes,
        blocked: patch.blocked,
    };
    let changed = identity::change_contact(&front.desk, &who, id, patch).await?;
    shown(&front, &who, changed.id).await
}

/// The customer that becomes part of this one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactMerge {
    /// Which.
    pub other_id: ContactId,
    /// Although both have accounts of their own; for admins.
    #[serde(default)]
    pub force: bool,
}

#[derive(Deserialize)]
struct DryRun {
    #[serde(default)]
    dry_run: bool,
}

async fn preview(front: &Front, who: &Who, merge: identity::MergePreview) -> Result<Json<MergePreview>, Problem> {
    let workspace = who.workspace;
    let (keep, other) = (merge.keep.clone(), merge.other.clone());
    let rows = front.desk.db.read(move |tx| -> Result<_, StoreError> {
        let keep = store::contact::find(tx, workspace, keep.id)?.unwrap_or_else(|| keep.clone());
        Ok((contact::row(tx, workspace, &keep)?, contact::row(tx, workspace, &other)?))
    });
    let (keep, other) = rows.await?;
    Ok(Json(MergePreview::of(&merge, keep, other)))
}

/// Makes two customers one.
#[utoipa::path(post, path = "/contacts/{id}/merge", tag = "contact", params(("id" = ContactId, Path), ("dry_run" = Option<bool>, Query)),
    request_body = ContactMerge, responses((status = 200, body = MergePreview), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn merge(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
    Query(DryRun { dry_run }): Query<DryRun>,
    JsonBody(other): JsonBody<ContactMerge>,
) -> Result<Json<MergePreview>, Problem> {
    if !rights::may_edit_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    let merge = identity::merge(&front.desk, &who, id, other.other_id, other.force, dry_run).await?;
    preview(&front, &who, merge).await
}

/// Takes a merge of customers back.
#[utoipa::path(post, path = "/contact_merges/{id}/undo", tag = "contact", params(("id" = ContactMergeId, Path), ("dry_run" = Option<bool>, Query)),
    responses((status = 200, body = MergePreview), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn unmerge(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactMergeId>,
    Query(DryRun { dry_run }): Query<DryRun>,
) -> Result<Json<MergePreview>, Problem> {
    if !rights::may_edit_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    let merge = identity::unmerge(&front.desk, &who, id, dry_run).await?;
    preview(&front, &who, merge).await
}
