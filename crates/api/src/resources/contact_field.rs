//! Fields of customers that the business makes itself.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, set};
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::{get, patch as patch_route, put};
use axum::{Json, Router};
use desk::contacts::field;
use desk::people::rights;
use http::StatusCode;
use model::{ContactFieldId, ContactId, FieldKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, add, patch, values, set_values),
    components(schemas(ContactField, ContactFieldList, NewContactField, ContactFieldPatch, FieldValues, FieldKind))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/contact_fields", get(list).post(add))
        .route("/contact_fields/{id}", patch_route(patch))
        .route("/contacts/{id}/fields", put(set_values).get(values))
}

/// A field.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ContactField {
    /// Its id.
    pub id: ContactFieldId,
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    /// The words of a choice.
    pub choices: Vec<String>,
    /// Where it stands among the others.
    pub position: i64,
    /// Not offered any more; its values stay.
    pub archived: bool,
}

impl From<store::contact_field::ContactField> for ContactField {
    fn from(f: store::contact_field::ContactField) -> Self {
        Self { id: f.id, name: f.name, kind: f.kind, choices: f.choices, position: f.position, archived: f.archived_at.is_some() }
    }
}

/// All fields.
#[derive(Serialize, ToSchema)]
pub struct ContactFieldList {
    /// In their order.
    pub items: Vec<ContactField>,
}

/// All fields, in their order.
#[utoipa::path(get, path = "/contact_fields", tag = "contact_field", responses((status = 200, body = ContactFieldList)))]
async fn list(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<ContactFieldList>, Problem> {
    let found = front.desk.db.read(move |tx| store::contact_field::list(tx, who.workspace)).await?;
    Ok(Json(ContactFieldList { items: found.into_iter().map(ContactField::from).collect() }))
}

/// A field to be added. Its kind stays for ever.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContactField {
    /// What it is called.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    /// The words of a choice.
    #[serde(default)]
    pub choices: Vec<String>,
}

/// Adds a field; for admins.
#[utoipa::path(post, path = "/contact_fields", tag = "contact_field", request_body = NewContactField,
    responses((status = 201, body = ContactField), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn add(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<NewContactField>,
) -> Result<(StatusCode, Json<ContactField>), Problem> {
    if !rights::may_set_up_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    let made = field::add(&front.desk, &who, &new.name, new.kind, new.choices).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// What changes on a field.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactFieldPatch {
    /// What it is called.
    #[serde(default, deserialize_with = "set")]
    pub name: Option<String>,
    /// The words of a choice.
    #[serde(default, deserialize_with = "set")]
    pub choices: Option<Vec<String>>,
    /// Where it stands among the others.
    #[serde(default, deserialize_with = "set")]
    pub position: Option<i64>,
    /// Not offered any more.
    #[serde(default, deserialize_with = "set")]
    pub archived: Option<bool>,
}

/// Changes a field; for admins.
#[utoipa::path(patch, path = "/contact_fields/{id}", tag = "contact_field", params(("id" = ContactFieldId, Path)), request_body = ContactFieldPatch,
    responses((status = 200, body = ContactField), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn patch(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactFieldId>,
    JsonBody(patch): JsonBody<ContactFieldPatch>,
) -> Result<Json<ContactField>, Problem> {
    if !rights::may_set_up_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    let patch =
        field::FieldPatch { name: patch.name, choices: patch.choices, position: patch.position, archived: patch.archived };
    Ok(Json(field::change(&front.desk, &who, id, patch).await?.into()))
}

/// Values of a customer by the ids of their fields. In a request null clears one, and fields that are not named stay.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldValues {
    /// By the id of the field.
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    pub values: BTreeMap<ContactFieldId, Option<String>>,
}

async fn shown(front: &Front, who: desk::Who, id: ContactId) -> Result<Json<FieldValues>, Problem> {
    let found = front
        .desk
        .db
        .read(move |tx| {
            let live = store::contact::get_live(tx, who.workspace, id)?;
            let set = store::contact::merged_set(tx, who.workspace, live.id)?;
            desk::identity::merge::own_values(tx, who.workspace, live.id, &set)
        })
        .await?;
    Ok(Json(FieldValues { values: found.into_iter().map(|(id, value)| (id, Some(value))).collect() }))
}

/// The values of a customer.
#[utoipa::path(get, path = "/contacts/{id}/fields", tag = "contact_field", params(("id" = ContactId, Path)),
    responses((status = 200, body = FieldValues), (status = 404, body = ProblemDocument)))]
async fn values(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
) -> Result<Json<FieldValues>, Problem> {
    shown(&front, who, id).await
}

/// Sets values of a customer.
#[utoipa::path(put, path = "/contacts/{id}/fields", tag = "contact_field", params(("id" = ContactId, Path)), request_body = FieldValues,
    responses((status = 200, body = FieldValues), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn set_values(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
    JsonBody(new): JsonBody<FieldValues>,
) -> Result<Json<FieldValues>, Problem> {
    if !rights::may_edit_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    field::set_values(&front.desk, &who, id, new.values.into_iter().collect()).await?;
    shown(&front, who, id).await
}
