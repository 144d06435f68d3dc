//! `/oauth/callback`: the browser comes back from a provider's sign-in page. Whoever began the sign-in is still signed in here.

use super::shell::{Page, escape};
use crate::Front;
use crate::auth::SignedIn;
use crate::body::Query;
use crate::error::Problem;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use desk::mailbox::sign_in::{self, SignInFailed};
use http::StatusCode;
use serde::Deserialize;

/// Where providers send the browser back.
pub const PATH: &str = "/oauth/callback";

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route(PATH, get(come_back))
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

async fn come_back(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    if !back.error.is_empty() {
        let said = if back.error_description.is_empty() { &back.error } else { &back.error_description };
        return Ok(refused(StatusCode::BAD_REQUEST, &format!("The provider says: {said}")));
    }
    Ok(match sign_in::finish(&front.desk, &who, &back.state, &back.code).await {
        Ok(id) => Redirect::to(&format!("/settings/channels/{id}?signed_in=1")).into_response(),
        Err(SignInFailed::Expired) => {
            refused(StatusCode::GONE, "This way back works once, for a quarter of an hour. Please begin the sign-in again.")
        }
        Err(SignInFailed::Refused(text)) => refused(StatusCode::BAD_REQUEST, &text),
        Err(SignInFailed::Unreachable(text)) => refused(StatusCode::BAD_GATEWAY, &text),
        Err(SignInFailed::Change(error)) => return Err(error.into()),
    })
}

fn refused(status: StatusCode, text: &str) -> Response {
    let text = model::fold::truncate(&model::fold::clean(text), 500).to_owned();
    let body = format!(
        "<h1>The sign-in did not work</h1><p>{}</p><p><a class=\"button\" href=\"/settings/channels\">Back to the settings</a></p>",
        escape(&text)
    );
    Page { status, title: "Sign-in", body: &body }.into_response()
}
