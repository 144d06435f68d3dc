//! Firms that customers belong to.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, Query, set, three};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::contact::ContactRow;
use crate::types::cursor;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::contacts::company;
use desk::people::rights;
use desk::view::contact;
use http::StatusCode;
use model::{CompanyId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, add, get_one, patch, remove),
    components(schemas(Company, CompanyPage, CompanyDetail, NewCompany, CompanyPatch))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/companies", get(list).post(add)).route("/companies/{id}", get(get_one).patch(patch).delete(remove))
}

/// A firm.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Company {
    /// Its id.
    pub id: CompanyId,
    /// What it is called.
    pub name: String,
    /// The part of its mail addresses after the @.
    pub domain: Option<String>,
    /// What agents know.
    pub notes: Option<String>,
    /// Since when it is here.
    pub created_at: Timestamp,
}

impl From<store::company::Company> for Company {
    fn from(c: store::company::Company) -> Self {
        Self { id: c.id, name: c.name, domain: c.domain, notes: c.notes, created_at: c.created_at }
    }
}

/// A page of firms.
#[derive(Serialize, ToSchema)]
pub struct CompanyPage {
    /// By name.
    pub items: Vec<Company>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

/// A firm with its people.
#[derive(Serialize, ToSchema)]
pub struct CompanyDetail {
    /// The firm.
    pub company: Company,
    /// Its people, newest first.
    pub contacts: Vec<ContactRow>,
    /// Where the next page of people begins.
    pub next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

/// Firms by name; with a text those whose name begins so.
#[utoipa::path(get, path = "/companies", tag = "company",
    params(("q" = Option<String>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = CompanyPage), (status = 422, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<Json<CompanyPage>, Problem> {
    let limit = i64::try_from(cursor::limit(query.limit)?).unwrap_or(50);
    let after = query.cursor.unwrap_or_default();
    let found = front.desk.db.read(move |tx| store::company::page(tx, who.workspace, &after, &query.q, limit)).await?;
    let next_cursor = if found.len() as i64 == limit { found.last().map(|c| model::fold::fold(&c.name)) } else { None };
    Ok(Json(CompanyPage { items: found.into_iter().map(Company::from).collect(), next_cursor }))
}

/// A firm to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCompany {
    /// What it is called.
    pub name: String,
}

/// Adds a firm; a name that is there already gives that firm.
#[utoipa::path(post, path = "/companies", tag = "company", request_body = NewCompany,
    responses((status = 201, body = Company), (status = 422, body = ProblemDocument)))]
async fn add(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<NewCompany>,
) -> Result<(StatusCode, Json<Company>), Problem> {
    if !rights::may_edit_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    let made = company::add(&front.desk, &who, &new.name).await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

#[derive(Deserialize)]
struct PeopleQuery {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

/// A firm with its people.
#[utoipa::path(get, path = "/companies/{id}", tag = "company",
    params(("id" = CompanyId, Path), ("cursor" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = CompanyDetail), (status = 404, body = ProblemDocument)))]
async fn get_one(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<CompanyId>,
    Query(query): Query<PeopleQuery>,
) -> Result<Json<CompanyDetail>, Problem> {
    let below = cursor::of_query(query.cursor.as_deref())?.map_or(i64::MAX, |(_, id)| id);
    let limit = i64::try_from(cursor::limit(query.limit)?).unwrap_or(50);
    let found = front
        .desk
        .db
        .read(move |tx| -> Result<_, store::StoreError> {
            let Some(company) = store::company::find(tx, who.workspace, id)? else { return Ok(None) };
            let ids = store::company::contacts(tx, who.workspace, id, below, limit)?;
            let next = if ids.len() as i64 == limit { ids.last().map(|id| (0, id.0)) } else { None };
            Ok(Some((company, contact::rows(tx, who.workspace, &ids)?, next)))
        })
        .await?;
    let (company, rows, next) = found.ok_or_else(Problem::not_found)?;
    Ok(Json(CompanyDetail {
        company: company.into(),
        contacts: rows.into_iter().map(ContactRow::from).collect(),
        next_cursor: next.map(cursor::write),
    }))
}

/// What changes on a firm. Absent: stays; null: cleared.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompanyPatch {
    /// What it is called.
    #[serde(default, deserialize_with = "set")]
    pub name: Option<String>,
    /// The part of its mail addresses after the @.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<String>)]
    pub domain: Option<Option<String>>,
    /// What agents know.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<String>)]
    pub notes: Option<Option<String>>,
}

/// Changes a firm.
#[utoipa::path(patch, path = "/companies/{id}", tag = "company", params(("id" = CompanyId, Path)), request_body = CompanyPatch,
    responses((status = 200, body = Company), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn patch(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<CompanyId>,
    JsonBody(patch): JsonBody<CompanyPatch>,
) -> Result<Json<Company>, Problem> {
    if !rights::may_edit_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    let patch = company::CompanyPatch { name: patch.name, domain: patch.domain, notes: patch.notes };
    Ok(Json(company::change(&front.desk, &who, id, patch).await?.into()))
}

/// Deletes a firm that nobody belongs to.
#[utoipa::path(delete, path = "/companies/{id}", tag = "company", params(("id" = CompanyId, Path)),
    responses((status = 204), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn remove(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<CompanyId>,
) -> Result<StatusCode, Problem> {
    if !rights::may_edit_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    company::remove(&front.desk, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
