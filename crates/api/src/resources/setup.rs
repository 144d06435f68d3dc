//! The first owner.

use crate::Front;
use crate::auth;
use crate::body::JsonBody;
use crate::error::Problem;
use crate::front::Caller;
use crate::types::{Me, ProblemDocument};
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use desk::people::{NewOwner, agent, setup};
use http::header::SET_COOKIE;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(state, owner), components(schemas(SetupState, SetupOwner)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/setup", get(state)).route("/setup/owner", post(owner))
}

/// Whether there is anything left to set up.
#[derive(Serialize, ToSchema)]
pub struct SetupState {
    /// True until there is an owner.
    pub needed: bool,
    /// Time zone of the server, for a first guess.
    pub time_zone: String,
}

/// Is set-up needed?
#[utoipa::path(get, path = "/setup", tag = "setup", security(()), responses((status = 200, body = SetupState)))]
async fn state(State(front): State<Front>) -> Result<Json<SetupState>, Problem> {
    let needed = setup::needed(&front.desk).await?;
    Ok(Json(SetupState { needed, time_zone: front.config.time_zone.clone() }))
}

/// What the first owner types.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetupOwner {
    /// The one-time code that the server printed.
    pub code: String,
    /// Own name.
    pub name: String,
    /// Address for sign-in.
    pub email: String,
    /// Password, at least 10 characters.
    #[schema(min_length = 10, max_length = 256)]
    pub password: String,
    /// Name of the business, if already known.
    #[serde(default)]
    pub business_name: Option<String>,
    /// IANA time zone; the server's when left out.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// Makes the owner and signs in. Codes: `setup_done`, `wrong_code` (`args.left`), `setup_locked`, `invalid`.
#[utoipa::path(post, path = "/setup/owner", tag = "setup", security(()), request_body = SetupOwner,
    responses((status = 200, body = Me), (status = 403, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn owner(
    State(front): State<Front>,
    caller: Caller,
    JsonBody(new): JsonBody<SetupOwner>,
) -> Result<impl IntoResponse, Problem> {
    front.desk.gate.try_open_door(&caller.address, front.desk.now()).map_err(Problem::rate_limited)?;
    let new = NewOwner {
        code: new.code,
        name: new.name,
        email: new.email,
        password: new.password,
        business_name: new.business_name,
        time_zone: new.time_zone.unwrap_or_else(|| front.config.time_zone.clone()),
    };
    let login = setup::create_owner(&front.desk, new, &caller.device).await?;
    let me = agent::me(&front.desk, &login.signed_in.who).await?;
    Ok(([(SET_COOKIE, auth::cookie(&login.token, &caller))], Json(Me::from(me))))
}
