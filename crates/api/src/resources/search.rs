//! The search over messages, notes and customers.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::Query;
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::contact::ContactRow;
use crate::types::conversation::{ConversationRow, QueryProblem};
use crate::types::search::{SearchHit, SearchPage, Snippet};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::view::search;
use serde::Deserialize;
use utoipa::OpenApi;

const LIMIT: usize = 20;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(find), components(schemas(SearchPage, SearchHit, Snippet, ContactRow)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/search", get(find))
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    cursor: Option<String>,
}

/// Finds messages, notes and customers, newest first.
#[utoipa::path(get, path = "/search", tag = "search", params(("q" = String, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = SearchPage), (status = 422, body = ProblemDocument)))]
async fn find(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<SearchPage>, Problem> {
    let after = match asked.cursor.as_deref() {
        None | Some("") => None,
        Some(text) => Some(text.parse::<i64>().map_err(|_| Problem::invalid("cursor", "a cursor that came with a page"))?),
    };
    let found = search::find(&front.desk, &front.desk.search, &who, &asked.q, after, LIMIT).await?;
    let contacts = found.contacts.into_iter().map(|row| SearchHit::Contact { contact: row.into() });
    let entries = found.entries.into_iter().map(|hit| SearchHit::Entry {
        entry_id: hit.entry_id,
        conversation: ConversationRow::from(&hit.row),
        at: hit.at,
        snippet: hit.snippet.into_iter().map(|(text, hit)| Snippet { text, hit }).collect(),
    });
    Ok(Json(SearchPage {
        hits: contacts.chain(entries).collect(),
        next_cursor: found.next.map(|place| place.to_string()),
        problems: found.problems.into_iter().map(QueryProblem::from).collect(),
        looked_back_to: found.looked_back_to,
        lag_ms: found.lag_ms,
    }))
}
