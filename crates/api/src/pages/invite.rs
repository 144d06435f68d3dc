//! `/invite/:token`: an invited person becomes an agent.

use super::alert;
use super::form::Form;
use super::shell::{Page, escape};
use crate::Front;
use crate::auth;
use crate::body::Path;
use crate::error::Problem;
use crate::front::Caller;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use desk::people::check::PASSWORD_CHARS_MIN;
use desk::people::invitation::{self, Opened};
use desk::people::{AcceptError, Invalid};
use http::StatusCode;
use http::header::SET_COOKIE;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/invite/{token}", get(show).post(accept))
}

async fn show(State(front): State<Front>, Path(token): Path<String>) -> Result<Response, Problem> {
    match invitation::open(&front.desk, &token).await {
        Ok(opened) => {
            let name = opened.invitation.name.clone().unwrap_or_default();
            Ok(page(StatusCode::OK, &opened, &name, None))
        }
        Err(refused) => closed(refused),
    }
}

fn page(status: StatusCode, opened: &Opened, name: &str, invalid: Option<&Invalid>) -> Response {
    let mark = |field: &str| match invalid {
        Some(invalid) if invalid.field == field => " aria-invalid=\"true\" aria-describedby=\"problem\"",
        _ => "",
    };
    let problem = invalid.map_or_else(String::new, |invalid| {
        let field = if invalid.field == "password" { "Password" } else { "Name" };
        format!("{field}: {}.", invalid.text)
    });
    let body = format!(
        "<h1>Join {}</h1><p>You are invited to answer customers together with your team.</p>{}\
         <form method=\"post\">\
         <div class=\"field\"><label for=\"email\">Email</label>\
         <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" readonly value=\"{}\"></div>\
         <div class=\"field\"><label for=\"name\">Your name</label>\
         <input id=\"name\" name=\"name\" autocomplete=\"name\" required maxlength=\"100\" autofocus value=\"{}\"{}></div>\
         <div class=\"field\"><label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"new-password\" required minlength=\"{PASSWORD_CHARS_MIN}\" maxlength=\"256\" aria-describedby=\"password-hint\"{}>\
         <p class=\"hint\" id=\"password-hint\">At least {PASSWORD_CHARS_MIN} characters. A few words are good.</p></div>\
         <button class=\"button\" type=\"submit\">Join</button></form>",
        escape(&opened.business),
        alert(&problem),
        escape(&opened.invitation.email),
        escape(name),
        mark("name"),
        mark("password"),
    );
    Page { status, title: "Invitation", body: &body }.into_response()
}

fn closed(refused: AcceptError) -> Result<Response, Problem> {
    let (status, title, text) = match refused {
        AcceptError::NotFound => (
            StatusCode::NOT_FOUND,
            "This invitation does not open",
            "The link may be cut, or the invitation was taken back. Ask for a new one.",
        ),
        AcceptError::Expired => (StatusCode::GONE, "This invitation is too old", "Links work for seven days. Ask for a new one."),
        AcceptError::Used => {
            (StatusCode::CONFLICT, "This invitation was used", "A link works once. If it was you, please sign in.")
        }
        AcceptError::RateLimited { .. } => {
            (StatusCode::TOO_MANY_REQUESTS, "Please wait a little", "There were too many tries from your network.")
        }
        other => return Err(other.into()),
    };
    let body = format!("<h1>{title}</h1><p>{text}</p><p><a class=\"button\" href=\"/login\">Sign in</a></p>");
    Ok(Page { status, title, body: &body }.into_response())
}

async fn accept(State(front): State<Front>, Path(token): Path<String>, caller: Caller, form: Form) -> Result<Response, Problem> {
    let (name, password) = (form.get("name"), form.get("password"));
    match invitation::accept(&front.desk, &token, name, password, &caller.address, &caller.device).await {
        Ok(login) => Ok(([(SET_COOKIE, auth::cookie(&login.token, &caller))], Redirect::to("/")).into_response()),
        Err(AcceptError::Invalid(invalid)) => match invitation::open(&front.desk, &token).await {
            Ok(opened) => Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &opened, name, Some(&invalid))),
            Err(refused) => closed(refused),
        },
        Err(refused) => closed(refused),
    }
}
