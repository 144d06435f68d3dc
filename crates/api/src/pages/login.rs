//! `/login`: address and password, without any script.

use super::alert;
use super::form::{Form, decoded};
use super::shell::{Page, escape};
use crate::Front;
use crate::auth;
use crate::error::Problem;
use crate::front::Caller;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use desk::people::{SignInError, login, setup};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode, Uri};

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/login", get(show).post(sign_in))
}

/// Where to go afterwards: only a path of ours. Two slashes or a backslash would be another host to a browser.
fn next_path(wanted: &str) -> &str {
    let ours = wanted.starts_with('/')
        && !wanted[1..].starts_with(['/', '\\'])
        && wanted.len() <= 1_000
        && wanted.chars().all(|c| c.is_ascii_graphic());
    if ours { wanted } else { "/" }
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query().unwrap_or_default().split('&');
    pairs
        .filter_map(|pair| pair.split_once('=').or(Some((pair, ""))))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decoded(value))
}

async fn show(State(front): State<Front>, uri: Uri, headers: HeaderMap) -> Result<Response, Problem> {
    if setup::needed(&front.desk).await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    let next = parameter(&uri, "next").unwrap_or_default();
    let next = next_path(&next);
    if auth::find(&front, &headers).await?.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    let note = match () {
        () if parameter(&uri, "signed_out").is_some() => "You are signed out. Drafts of this browser were removed from it.",
        () if parameter(&uri, "expired").is_some() => {
            "Your login session has ended. Sign in again; nothing that you saved is lost."
        }
        () if parameter(&uri, "new_password").is_some() => "Your password is set. Sign in with it.",
        () => "",
    };
    Ok(page(StatusCode::OK, "", note, next, ""))
}

fn page(status: StatusCode, problem: &str, note: &str, next: &str, email: &str) -> Response {
    let note = if note.is_empty() { String::new() } else { format!("<p class=\"done\" role=\"status\">{}</p>", escape(note)) };
    let invalid = if status == StatusCode::UNAUTHORIZED { " aria-invalid=\"true\" aria-describedby=\"problem\"" } else { "" };
    let body = format!(
        "<h1>Sign in</h1>{}{note}\
         <form method=\"post\" action=\"/login\"><input type=\"hidden\" name=\"next\" value=\"{}\">\
         <div class=\"field\"><label for=\"email\">Email</label>\
         <input id=\"email\" name=\"email\" type=\"email\" autocomplete=\"username\" required maxlength=\"254\" value=\"{}\"{}{invalid}></div>\
         <div class=\"field\"><label for=\"password\">Password</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required maxlength=\"256\"{}{invalid}></div>\
         <button class=\"button\" type=\"submit\">Sign in</button></form>\
         <details><summary>Forgot your password?</summary>\
         <p>Whoever runs the server can make a link that sets another one. It works once. On the server:</p>\
         <pre>continuo reset-password you@example.com</pre></details>",
        alert(problem),
        escape(next),
        escape(email),
        if email.is_empty() { " autofocus" } else { "" },
        if email.is_empty() { "" } else { " autofocus" },
    );
    Page { status, title: "Sign in", body: &body }.into_response()
}

async fn sign_in(State(front): State<Front>, caller: Caller, form: Form) -> Result<Response, Problem> {
    let (email, next) = (form.get("email"), next_path(form.get("next")));
    match login::sign_in(&front.desk, email, form.get("password"), &caller.address, &caller.device).await {
        Ok(login) => Ok(([(SET_COOKIE, auth::cookie(&login.token, &caller))], Redirect::to(next)).into_response()),
        Err(SignInError::WrongPair) => Ok(page(StatusCode::UNAUTHORIZED, "Email or password is not right.", "", next, email)),
        Err(SignInError::RateLimited { retry_after_s }) => {
            let text = format!("Too many tries. Please wait {retry_after_s} seconds and try again.");
            Ok(page(StatusCode::TOO_MANY_REQUESTS, &text, "", next, email))
        }
        Err(SignInError::Store(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_sign_in_nobody_is_sent_elsewhere() {
        assert_eq!(next_path("/inbox/mine?q=is%3Aopen"), "/inbox/mine?q=is%3Aopen");
        for wrong in ["", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\r\nb", "/ü"] {
            assert_eq!(next_path(wrong), "/", "{wrong:?}");
        }
    }

    #[test]
    fn parameters_are_found_with_and_without_value() {
        let uri: Uri = "/login?signed_out&next=%2Finbox%3Fa%3Db".parse().unwrap();
        assert_eq!(parameter(&uri, "signed_out").as_deref(), Some(""));
        assert_eq!(parameter(&uri, "next").as_deref(), Some("/inbox?a=b"));
        assert_eq!(parameter(&uri, "expired"), None);
    }
}
