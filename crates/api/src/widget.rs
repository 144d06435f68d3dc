//! The chat widget's side of the server, under `/w/`: loader, panel, test page, and the doors for visitors (begin, socket,
//! event stream, frames, files, history). Here stand origin, token and rates; what a frame means is known by the adapter, and
//! a message is acknowledged only when it is committed.

pub mod availability;
mod begin;
mod config;
mod doors;
mod events;
mod files;
mod history;
pub mod items;
mod page;
pub(crate) mod site;
mod socket;
mod take;

pub use doors::Doors;

use crate::Front;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

/// Routes of the widget. They check origins themselves: the allow-list of the site decides, not our own address.
pub fn router() -> Router<Front> {
    let of_a_site = Router::new()
        .route("/config", get(config::get))
        .route("/test", get(page::test))
        .route("/visitors", post(begin::begin))
        .route("/frames", post(take::post))
        .route("/events", get(events::open))
        .route("/socket", get(socket::open))
        .route("/files", post(files::upload))
        .route("/history", get(history::page));
    Router::new()
        .route("/w/assets/{name}", get(page::asset))
        // `SITE.js` is the loader, `SITE` the panel: one pattern, since a path cannot end a parameter with a word.
        .route("/w/{site}", get(page::loader_or_panel))
        .nest("/w/{site}", of_a_site)
        .layer(DefaultBodyLimit::disable())
}
