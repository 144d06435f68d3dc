//! Sign-in and sign-out.

use crate::Front;
use crate::auth::{self, SignedIn};
use crate::body::JsonBody;
use crate::error::Problem;
use crate::front::Caller;
use crate::types::{Me, ProblemDocument};
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{delete, post};
use axum::{Json, Router};
use desk::people::{agent, login};
use http::header::{HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(sign_in, sign_out), components(schemas(SignIn)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/login_sessions", post(sign_in)).route("/login_sessions/current", delete(sign_out))
}

/// An address and its password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Address.
    pub email: String,
    /// Password.
    pub password: String,
}

/// Begins a login session. Codes: `wrong_pair`, `rate_limited`.
#[utoipa::path(post, path = "/login_sessions", tag = "login_session", security(()), request_body = SignIn,
    responses((status = 200, body = Me), (status = 401, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
async fn sign_in(
    State(front): State<Front>,
    caller: Caller,
    JsonBody(pair): JsonBody<SignIn>,
) -> Result<impl IntoResponse, Problem> {
    let login = login::sign_in(&front.desk, &pair.email, &pair.password, &caller.address, &caller.device).await?;
    let me = agent::me(&front.desk, &login.signed_in.who).await?;
    Ok(([(SET_COOKIE, auth::cookie(&login.token, &caller))], Json(Me::from(me))))
}

/// Ends the login session. Without one nothing happens. The browser forgets what this site kept (drafts of the screen).
#[utoipa::path(delete, path = "/login_sessions/current", tag = "login_session", responses((status = 204)))]
async fn sign_out(State(front): State<Front>, caller: Caller, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    if let Some(SignedIn { who, session }) = auth::find(&front, &headers).await? {
        login::sign_out(&front.desk, &desk::people::SignedIn { who, session }).await?;
    }
    let forget = (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"storage\""));
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, auth::no_cookie(&caller)), forget]))
}
