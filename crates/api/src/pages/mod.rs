//! Pages that the server renders itself: sign-in, invitation, new password, and the two that say what is missing. They
//! need no bundle and no script; light and dark follow the system.

mod form;
mod invite;
mod login;
mod proceed;
pub(crate) mod oauth;
mod reset;
pub(crate) mod shell;

use crate::Front;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use shell::{Page, escape};

/// Routes of all pages.
pub fn router() -> Router<Front> {
    Router::new()
        .merge(login::router())
        .merge(invite::router())
        .merge(reset::router())
        .merge(proceed::router())
        .merge(oauth::router())
        .route("/page.css", get(|| async { fixed("text/css; charset=utf-8", shell::CSS) }))
        .route("/page.js", get(|| async { fixed("text/javascript; charset=utf-8", shell::JS) }))
}

fn fixed(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=3600")], text).into_response()
}

/// A path that leads nowhere.
pub fn not_found() -> Response {
    let body = "<h1>There is no such page</h1><p>The address may be cut or out of date.</p>\
        <p><a class=\"button\" href=\"/\">To the inbox</a></p>";
    Page { status: StatusCode::NOT_FOUND, title: "No such page", body }.into_response()
}

/// The web part was not built into this program.
pub fn not_built() -> Response {
    let body = "<h1>The server runs, its screens are missing</h1>\
        <p>This program was built without the web part. In the source folder, run</p>\
        <pre>make run</pre>\
        <p>or, to build only the screens and then the program again,</p>\
        <pre>make web\ncargo build --release --bin continuo</pre>\
        <p>The interface for programs works meanwhile, under <code>/api/v1</code>.</p>";
    Page { status: StatusCode::SERVICE_UNAVAILABLE, title: "Screens are missing", body }.into_response()
}

/// A refusal as a box at the top of a form.
fn alert(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<p class=\"alert\" role=\"alert\" id=\"problem\">{}</p>", escape(text)) }
}
