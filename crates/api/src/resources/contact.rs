//! Customers: who they are, and whether two of them are one.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, Query, set, three};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::contact::{Contact, ContactPage, ContactPoint, ContactPointHealth, ContactRow, FilterProblem, MergedContact};
use crate::types::cursor;
use crate::types::merge::{ConsentPair, EntrySince, FieldPair, MergePreview, OpenConversation, PartedConversation};
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::contacts;
use desk::identity::{self, Choices, ContactError, MergeError};
use desk::view::contact;
use desk::{Who, people::rights};
use model::{ContactId, ContactMergeId, SegmentId};
use serde::Deserialize;
use store::StoreError;
use store::contact::Contact as Live;
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, get_one, patch, merge, unmerge),
    components(schemas(
        Contact,
        ContactPage,
        FilterProblem,
        ContactPoint,
        ContactPointHealth,
        ContactRow,
        MergedContact,
        MergePreview,
        FieldPair,
        ConsentPair,
        OpenConversation,
        PartedConversation,
        EntrySince,
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
            MergeError::UnknownField(_) => Self::invalid("from_other", "fields of the comparison"),
            MergeError::NeedsPreview => {
                Self::conflict("needs_preview", "This merge is more than 30 days old: look at the preview, then confirm.")
            }
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
    filter: Option<String>,
    #[serde(default)]
    segment: Option<SegmentId>,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

/// Customers, latest seen first; with a text those whose name or address begins so; with a filter (`company:acme
/// consent:marketing -is:blocked after:2026-10`) or a segment those that pass it. A page of a filter may be short although
/// there is more: go on while there is a cursor.
#[utoipa::path(get, path = "/contacts", tag = "contact",
    params(("q" = Option<String>, Query), ("filter" = Option<String>, Query), ("segment" = Option<SegmentId>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = ContactPage), (status = 422, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<Json<ContactPage>, Problem> {
    let below = cursor::of_query(query.cursor.as_deref())?;
    let limit = i64::try_from(cursor::limit(query.limit)?).unwrap_or(50);
    let filter = match query.segment {
        Some(id) => {
            let (workspace, agent) = (who.workspace, who.agent);
            let found = front.desk.db.read(move |tx| store::segment::find(tx, workspace, id)).await?;
            let found = found.filter(|s| s.shared || s.agent_id == agent).ok_or_else(Problem::not_found)?;
            Some(format!("{} {}", found.query, query.filter.unwrap_or_default()))
        }
        None => query.filter,
    };
    if let Some(filter) = filter.filter(|text| !text.trim().is_empty()) {
        let (now, limit) = (front.desk.now(), usize::try_from(limit).unwrap_or(50));
        let page = front.desk.db.read(move |tx| contacts::segment::page(tx, &who, &filter, below, limit, now)).await?;
        return Ok(Json(ContactPage {
            items: page.rows.into_iter().map(ContactRow::from).collect(),
            next_cursor: page.next.map(cursor::write),
            problems: page.problems.into_iter().map(|p| FilterProblem { token: p.token, text: p.text }).collect(),
        }));
    }
    let text = query.q.unwrap_or_default();
    let (rows, next) = front.desk.db.read(move |tx| contact::page(tx, &who, &text, below, limit)).await?;
    Ok(Json(ContactPage {
        items: rows.into_iter().map(ContactRow::from).collect(),
        next_cursor: next.map(cursor::write),
        problems: vec![],
    }))
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
    /// Blocked or not, where only one of them is; absent: blocked.
    #[serde(default, deserialize_with = "set")]
    pub blocked: Option<bool>,
    /// Fields of the comparison whose value of the other one is taken.
    #[serde(default)]
    pub from_other: Vec<String>,
}

#[derive(Deserialize)]
struct DryRun {
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    confirmed: bool,
}

async fn both(front: &Front, who: &Who, keep: Live, other: Live) -> Result<(ContactRow, ContactRow), Problem> {
    let workspace = who.workspace;
    let rows = front.desk.db.read(move |tx| -> Result<_, StoreError> {
        let keep = store::contact::find(tx, workspace, keep.id)?.unwrap_or_else(|| keep.clone());
        Ok((contact::row(tx, workspace, &keep)?, contact::row(tx, workspace, &other)?))
    });
    let (keep, other) = rows.await?;
    Ok((keep.into(), other.into()))
}

/// Makes two customers one.
#[utoipa::path(post, path = "/contacts/{id}/merge", tag = "contact", params(("id" = ContactId, Path), ("dry_run" = Option<bool>, Query)),
    request_body = ContactMerge, responses((status = 200, body = MergePreview), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn merge(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
    Query(DryRun { dry_run, .. }): Query<DryRun>,
    JsonBody(other): JsonBody<ContactMerge>,
) -> Result<Json<MergePreview>, Problem> {
    if !rights::may_edit_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    let choices = Choices { force: other.force, blocked: other.blocked, from_other: other.from_other };
    let merge = identity::merge(&front.desk, &who, id, other.other_id, choices, dry_run).await?;
    let (keep, other) = both(&front, &who, merge.keep.clone(), merge.other.clone()).await?;
    Ok(Json(MergePreview::of(&merge, keep, other)))
}

/// Takes a merge of customers back. What came since goes with its contact point; a conversation that holds entries of both
/// is split. After 30 days only with `confirmed`, that is after somebody has looked at the dry run.
#[utoipa::path(post, path = "/contact_merges/{id}/undo", tag = "contact", params(("id" = ContactMergeId, Path), ("dry_run" = Option<bool>, Query), ("confirmed" = Option<bool>, Query)),
    responses((status = 200, body = MergePreview), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn unmerge(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactMergeId>,
    Query(DryRun { dry_run, confirmed }): Query<DryRun>,
) -> Result<Json<MergePreview>, Problem> {
    if !rights::may_edit_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    let parted = contacts::separate(&front.desk, &who, id, confirmed, dry_run).await?;
    let (keep, other) = both(&front, &who, parted.keep.clone(), parted.other.clone()).await?;
    Ok(Json(MergePreview::of_separation(&parted, keep, other)))
}
