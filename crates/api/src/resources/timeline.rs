//! The timeline of a customer, opened at one conversation.

use super::conversation::find;
use crate::Front;
use crate::auth::SignedIn;
use crate::body::{Path, Query};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::cursor;
use crate::types::entry::{TimelineConversation, TimelinePage};
use crate::types::file::Files;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::view::timeline::{self, Anchor};
use model::{ConversationId, EntryId};
use serde::Deserialize;
use store::StoreError;
use utoipa::OpenApi;

const LIMIT: i64 = 60;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(page), components(schemas(TimelinePage, TimelineConversation)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/conversations/{id}/timeline", get(page))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    anchor: Option<String>,
    #[serde(default)]
    before: Option<String>,
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

impl Asked {
    fn anchor(&self) -> Result<Anchor, Problem> {
        if let Some(place) = cursor::of_query(self.before.as_deref())? {
            return Ok(Anchor::Before(place));
        }
        if let Some(place) = cursor::of_query(self.after.as_deref())? {
            return Ok(Anchor::After(place));
        }
        match self.anchor.as_deref() {
            None | Some("" | "first_unread") => Ok(Anchor::FirstUnread),
            Some("end") => Ok(Anchor::End),
            Some(id) => EntryId::parse(id)
                .map(Anchor::Entry)
                .map_err(|_| Problem::invalid("anchor", "first_unread, end or the id of an entry")),
        }
    }
}

/// A page of the timeline.
#[utoipa::path(get, path = "/conversations/{id}/timeline", tag = "conversation",
    params(("id" = ConversationId, Path), ("anchor" = Option<String>, Query), ("before" = Option<String>, Query), ("after" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = TimelinePage), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn page(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
    Query(asked): Query<Asked>,
) -> Result<Json<TimelinePage>, Problem> {
    let anchor = asked.anchor()?;
    let limit = match asked.limit {
        None => LIMIT,
        Some(n @ 1..=200) => n,
        Some(_) => return Err(Problem::invalid("limit", "between 1 and 200")),
    };
    let me = who.agent;
    let files = Files::new(&front.desk, who.workspace);
    let page = front.desk.db.read(move |tx| -> Result<_, StoreError> {
        match find(tx, &who, id)? {
            Some(found) => timeline::page(tx, &who, &found, anchor, limit).map(Some),
            None => Ok(None),
        }
    });
    let page = page.await?.ok_or_else(Problem::not_found)?;
    Ok(Json(TimelinePage::of(&page, &files, me)))
}
