//! `/reset/:token`: another password, by a link that the server's command line made.

use super::alert;
use super::form::Form;
use super::shell::{Page, escape};
use crate::Front;
use crate::body::Path;
use crate::error::Problem;
use crate::front::Caller;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use desk::people::check::PASSWORD_CHARS_MIN;
use desk::people::{ResetError, reset};
use http::StatusCode;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/reset/{token}", get(show).post(finish))
}

async fn show(State(front): State<Front>, Path(token): Path<String>) -> Result<Response, Problem> {
    match reset::open(&front.desk, &token).await {
        Ok(email) => Ok(page(StatusCode::OK, &email, "")),
        Err(refused) => closed(refused),
    }
}

fn page(status: StatusCode, email: &str, problem: &str) -> Response {
    let invalid = if problem.is_empty() { "" } else { " aria-invalid=\"true\"" };
    let body = format!(
        "<h1>Set another password</h1><p>Everywhere else you will be signed out.</p>{}\
         <form method=\"post\">\
         <div class=\"field\"><label for=\"email\">Email</label>\
         <input id=\"email\" type=\"email\" autocomplete=\"username\" readonly value=\"{}\"></div>\
         <div class=\"field\"><label for=\"password\">New password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" required autofocus minlength=\"{PASSWORD_CHARS_MIN}\" maxlength=\"256\" aria-describedby=\"password-hint\"{invalid}>\
         <p class=\"hint\" id=\"password-hint\">At least {PASSWORD_CHARS_MIN} characters. A few words are good.</p></div>\
         <button class=\"button\" type=\"submit\">Set password</button></form>",
        alert(problem),
        escape(email),
    );
    Page { status, title: "New password", body: &body }.into_response()
}

fn closed(refused: ResetError) -> Result<Response, Problem> {
    let (status, title, text) = match refused {
        ResetError::NotFound => (
            StatusCode::NOT_FOUND,
            "This link does not work any more",
            "Links work once, for a day. Ask whoever runs the server for a new one.",
        ),
        ResetError::RateLimited { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "Please wait a little", "There were too many tries from your network.")
        }
        other => return Err(other.into()),
    };
    let body = format!("<h1>{title}</h1><p>{text}</p><p><a class=\"button\" href=\"/login\">Sign in</a></p>");
    Ok(Page { status, title, body: &body }.into_response())
}

async fn finish(State(front): State<Front>, Path(token): Path<String>, caller: Caller, form: Form) -> Result<Response, Problem> {
    match reset::finish(&front.desk, &token, form.get("password"), &caller.address).await {
        Ok(()) => Ok(Redirect::to("/login?new_password").into_response()),
        Err(ResetError::Invalid(invalid)) => match reset::open(&front.desk, &token).await {
            Ok(email) => Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &email, &format!("Password: {}.", invalid.text))),
            Err(refused) => closed(refused),
        },
        Err(refused) => closed(refused),
    }
}
