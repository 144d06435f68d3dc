//! One file per noun: its routes, its shapes, its handlers and their documents. `router()` and `Doc` of each file are
//! collected here and in `openapi.rs`; nothing else has to be told of a new file.

pub mod agent;
pub mod attachment;
pub mod automatic;
pub mod business_hours;
pub mod changes;
pub mod channel;
pub mod channel_inbox;
pub mod compose;
pub mod company;
pub mod consent;
pub mod contact;
pub mod contact_field;
pub mod contact_import;
pub mod conversation;
pub mod draft;
pub mod duplicate;
pub mod entry;
pub mod handoff;
pub mod health;
pub mod inbox;
pub mod invitation;
pub mod job;
pub mod login_session;
pub mod mail_words;
pub mod mailbox;
pub mod me;
pub mod placement;
pub mod privacy;
pub mod quarantine;
pub mod search;
pub mod segment;
pub mod setup;
pub mod tag;
pub mod team;
pub mod timeline;
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
        .merge(attachment::router())
        .merge(automatic::router())
        .merge(business_hours::router())
        .merge(changes::router())
        .merge(channel::router())
        .merge(channel_inbox::router())
        .merge(compose::router())
        .merge(company::router())
        .merge(consent::router())
        .merge(contact::router())
        .merge(contact_field::router())
        .merge(contact_import::router())
        .merge(conversation::router())
        .merge(draft::router())
        .merge(duplicate::router())
        .merge(entry::router())
        .merge(handoff::router())
        .merge(health::router())
        .merge(inbox::router())
        .merge(invitation::router())
        .merge(job::router())
        .merge(login_session::router())
        .merge(mail_words::router())
        .merge(mailbox::router())
        .merge(me::router())
        .merge(placement::router())
        .merge(privacy::router())
        .merge(quarantine::router())
        .merge(search::router())
        .merge(segment::router())
        .merge(setup::router())
        .merge(tag::router())
        .merge(team::router())
        .merge(timeline::router())
        .merge(view::router())
        .merge(workspace::router())
        .merge(crate::live::router())
        .fallback(|| async { Problem::not_found() })
}

/// The documents of all of them.
pub fn documents() -> Vec<OpenApi> {
    use utoipa::OpenApi;
    vec![
        agent::Doc::openapi(),
        attachment::Doc::openapi(),
        automatic::Doc::openapi(),
        business_hours::Doc::openapi(),
        changes::Doc::openapi(),
        channel::Doc::openapi(),
        channel_inbox::Doc::openapi(),
        compose::Doc::openapi(),
        company::Doc::openapi(),
        consent::Doc::openapi(),
        contact::Doc::openapi(),
        contact_field::Doc::openapi(),
        contact_import::Doc::openapi(),
        conversation::Doc::openapi(),
        draft::Doc::openapi(),
        duplicate::Doc::openapi(),
        entry::Doc::openapi(),
        handoff::Doc::openapi(),
        health::Doc::openapi(),
        inbox::Doc::openapi(),
        invitation::Doc::openapi(),
        job::Doc::openapi(),
        login_session::Doc::openapi(),
        mail_words::Doc::openapi(),
        mailbox::Doc::openapi(),
        me::Doc::openapi(),
        placement::Doc::openapi(),
        privacy::Doc::openapi(),
        quarantine::Doc::openapi(),
        search::Doc::openapi(),
        segment::Doc::openapi(),
        setup::Doc::openapi(),
        tag::Doc::openapi(),
        team::Doc::openapi(),
        timeline::Doc::openapi(),
        view::Doc::openapi(),
        workspace::Doc::openapi(),
    ]
}
