//! HTTP: one file per noun under `resources/` (routes, types, handlers, documents), pages that need no bundle under
//! `pages/`, the embedded web parts, and the layers around all of them. A handler translates HTTP to one desk call and
//! back; no rule, no SQL and no provider's format lives here.

pub mod assets;
pub mod auth;
pub mod body;
pub mod error;
pub mod front;
pub mod listen;
pub mod live;
pub mod openapi;
pub mod pages;
pub mod resources;
pub mod surround;
pub mod types;
pub mod widget;

pub use front::{Config, Front};
pub use openapi::openapi;

use axum::Router;
use axum::middleware::from_fn_with_state;
use error::Problem;

/// Everything that this server answers.
pub fn router(front: Front) -> Router {
    let checked = Router::new()
        .nest("/api/v1", resources::router())
        .merge(pages::router())
        .layer(from_fn_with_state(front.clone(), auth::check_origin));
    Router::new()
        .merge(checked)
        .merge(widget::router())
        .merge(assets::router())
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn_with_state(front.clone(), surround::surround))
        .with_state(front)
}
