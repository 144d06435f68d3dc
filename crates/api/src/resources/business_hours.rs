//! Opening hours.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use desk::settings::business_hours;
use http::StatusCode;
use model::hours::{Holiday, Hours, Span};
use model::{BusinessHoursId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, add, change),
    components(schemas(BusinessHours, BusinessHoursList, BusinessHoursInput, Hours, Span, Holiday))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/business_hours", get(list).post(add)).route("/business_hours/{id}", put(change))
}

/// Named opening hours, and how they stand now.
#[derive(Serialize, ToSchema)]
pub struct BusinessHours {
    /// Their id.
    pub id: BusinessHoursId,
    /// What they are called.
    pub name: String,
    /// The week.
    pub hours: Hours,
    /// Whether it is open now.
    pub open_now: bool,
    /// When it opens next, within a year.
    pub next_open_at: Option<Timestamp>,
}

impl BusinessHours {
    fn of(row: store::business_hours::BusinessHours, now: Timestamp) -> Self {
        let (open_now, next_open_at) = (row.hours.is_open(now), row.hours.next_open(now));
        Self { id: row.id, name: row.name, hours: row.hours, open_now, next_open_at }
    }
}

/// All opening hours.
#[derive(Serialize, ToSchema)]
pub struct BusinessHoursList {
    /// Oldest first.
    pub items: Vec<BusinessHours>,
}

/// Opening hours as they shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessHoursInput {
    /// What they are called.
    pub name: String,
    /// The week.
    pub hours: Hours,
}

/// All opening hours.
#[utoipa::path(get, path = "/business_hours", tag = "business_hours", responses((status = 200, body = BusinessHoursList)))]
async fn list(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<BusinessHoursList>, Problem> {
    let now = front.desk.now();
    let rows = business_hours::list(&front.desk, &who).await?;
    Ok(Json(BusinessHoursList { items: rows.into_iter().map(|row| BusinessHours::of(row, now)).collect() }))
}

/// Adds opening hours. For admins.
#[utoipa::path(post, path = "/business_hours", tag = "business_hours", request_body = BusinessHoursInput,
    responses((status = 201, body = BusinessHours), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn add(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<BusinessHoursInput>,
) -> Result<(StatusCode, Json<BusinessHours>), Problem> {
    let row = business_hours::add(&front.desk, &who, &new.name, new.hours).await?;
    Ok((StatusCode::CREATED, Json(BusinessHours::of(row, front.desk.now()))))
}

/// Replaces opening hours. For admins.
#[utoipa::path(put, path = "/business_hours/{id}", tag = "business_hours", params(("id" = BusinessHoursId, Path)),
    request_body = BusinessHoursInput,
    responses((status = 200, body = BusinessHours), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn change(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<BusinessHoursId>,
    JsonBody(new): JsonBody<BusinessHoursInput>,
) -> Result<Json<BusinessHours>, Problem> {
    let row = business_hours::change(&front.desk, &who, id, &new.name, new.hours).await?;
    Ok(Json(BusinessHours::of(row, front.desk.now())))
}
