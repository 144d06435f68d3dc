//! One file per noun: its routes, its shapes, its handlers and their documents. `router()` and `Doc` of each file are
//! collected here and in `openapi.rs`; nothing else has to be told of a new file.

pub mod agent;
pub mod business_hours;
pub mod draft;
pub mod inbox;
pub mod invitation;
pub mod login_session;
pub mod me;
pub mod setup;
pub mod tag;
pub mod team;
pub mod view;
pub mod workspace;

use crate::Front;
use crate::error::Problem;
use axum::Router;
use utoipa::openapi::OpenApi;

/// Everything under `/api/v1`.
pub fn router() -> Router<Front> {
    Router::new()
        .merge(agent::router())
        .merge(business_hours::router())
        .merge(draft::router())
        .merge(inbox::router())
        .merge(invitation::router())
        .merge(login_session::router())
        .merge(me::router())
        .merge(setup::router())
        .merge(tag::router())
        .merge(team::router())
        .merge(view::router())
        .merge(workspace::router())
        .fallback(|| async { Problem::not_found() })
}

/// The documents of all of them.
pub fn documents() -> Vec<OpenApi> {
    use utoipa::OpenApi;
    vec![
        agent::Doc::openapi(),
        business_hours::Doc::openapi(),
        draft::Doc::openapi(),
        inbox::Doc::openapi(),
        invitation::Doc::openapi(),
        login_session::Doc::openapi(),
        me::Doc::openapi(),
        setup::Doc::openapi(),
        tag::Doc::openapi(),
        team::Doc::openapi(),
        view::Doc::openapi(),
        workspace::Doc::openapi(),
    ]
}
