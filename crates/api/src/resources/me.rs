//! The one who is signed in.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, set};
use crate::error::Problem;
use crate::front::Caller;
use crate::types::{Agent, Checklist, Me, ProblemDocument, Workspace};
use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use desk::people::{MeChange, agent};
use http::StatusCode;
use model::Availability;
use model::preferences::{Density, Preferences, Theme};
use serde::Deserialize;
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(me, change, password),
    components(schemas(
        Me,
        Agent,
        Workspace,
        Checklist,
        Preferences,
        Theme,
        Density,
        MePatch,
        PreferencesPatch,
        PasswordChange
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/me", get(me).patch(change)).route("/me/password", put(password))
}

/// Who am I, and where?
#[utoipa::path(get, path = "/me", tag = "me", responses((status = 200, body = Me), (status = 401, body = ProblemDocument)))]
async fn me(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<Me>, Problem> {
    Ok(Json(agent::me(&front.desk, &who).await?.into()))
}

/// Changes to oneself; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MePatch {
    /// Name.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Whether new work is taken.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub availability: Option<Availability>,
    /// Some of the preferences; null goes back to the default.
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = Option<PreferencesPatch>, nullable = false)]
    pub preferences: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Some of the preferences.
#[derive(Deserialize, ToSchema)]
pub struct PreferencesPatch {
    /// Light or dark.
    pub theme: Option<Theme>,
    /// How much air lists have.
    pub density: Option<Density>,
    /// 0 to 30.
    pub undo_seconds: Option<u32>,
    /// 240 to 640.
    pub list_width: Option<u32>,
    /// 240 to 640.
    pub context_width: Option<u32>,
    /// Whether single letters are shortcuts.
    pub single_keys: Option<bool>,
    /// Language of the screens.
    pub locale: Option<String>,
}

/// Changes name, availability or preferences.
#[utoipa::path(patch, path = "/me", tag = "me", request_body = MePatch,
    responses((status = 200, body = Me), (status = 422, body = ProblemDocument)))]
async fn change(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(patch): JsonBody<MePatch>,
) -> Result<Json<Me>, Problem> {
    let change = MeChange { name: patch.name, availability: patch.availability, preferences: patch.preferences };
    Ok(Json(agent::change_me(&front.desk, &who, change).await?.into()))
}

/// The present password and another one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present one.
    pub current: String,
    /// The other one, at least 10 characters.
    #[schema(min_length = 10, max_length = 256)]
    pub new: String,
}

/// Sets another password and ends every other login session. Codes: `wrong_password`, `invalid`, `rate_limited`.
#[utoipa::path(put, path = "/me/password", tag = "me", request_body = PasswordChange,
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn password(
    State(front): State<Front>,
    signed_in: SignedIn,
    caller: Caller,
    JsonBody(change): JsonBody<PasswordChange>,
) -> Result<StatusCode, Problem> {
    agent::change_password(&front.desk, &signed_in.login(), &change.current, &change.new, &caller.address).await?;
    Ok(StatusCode::NO_CONTENT)
}
