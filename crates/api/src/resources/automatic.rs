//! The view "Automatic": mail of machines of which no conversation was made. Nothing of it is lost; each can be let in.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, Query};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::cursor;
use axum::extract::State;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use desk::journeys::quarantine::{self, Summary};
use desk::people::rights;
use http::StatusCode;
use model::{AllowedSenderId, InboxId, ProviderEventId, Timestamp};
use serde::{Deserialize, Serialize};
use store::provider_event::{self, ProviderEvent};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, let_in, allowed, disallow),
    components(schemas(AutomaticItem, AutomaticPage, LetIn, AllowedSender, AllowedSenders))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/automatic", get(list))
        .route("/automatic/{id}/let_in", post(let_in))
        .route("/allowed_senders", get(allowed))
        .route("/allowed_senders/{id}", delete(disallow))
}

/// A message that a rule kept out.
#[derive(Serialize, ToSchema)]
pub struct AutomaticItem {
    /// Its id.
    pub id: ProviderEventId,
    /// Where it came in.
    pub inbox_id: InboxId,
    /// When.
    pub received_at: Timestamp,
    /// The rule.
    pub rule: String,
    /// The sender's address as written.
    pub from: Option<String>,
    /// The sender's name.
    pub name: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The first words.
    pub text: String,
}

impl From<ProviderEvent> for AutomaticItem {
    fn from(event: ProviderEvent) -> Self {
        let Summary { from, name, subject, text } = Summary::of(&event).unwrap_or_default();
        Self {
            id: event.id,
            inbox_id: event.inbox_id,
            received_at: event.received_at,
            rule: event.reason.unwrap_or_default(),
            from,
            name,
            subject,
            text,
        }
    }
}

/// A page of them.
#[derive(Serialize, ToSchema)]
pub struct AutomaticPage {
    /// Newest first.
    pub items: Vec<AutomaticItem>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

/// Mail of machines of which no conversation was made, newest first.
#[utoipa::path(get, path = "/automatic", tag = "mailbox", params(("cursor" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = AutomaticPage), (status = 403, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Json<AutomaticPage>, Problem> {
    if !rights::may_see_quarantine(who.role) {
        return Err(Problem::not_allowed());
    }
    let below = cursor::of_query(asked.cursor.as_deref())?.unwrap_or((i64::MAX, i64::MAX));
    let limit = i64::try_from(cursor::limit(asked.limit)?).unwrap_or(50);
    let events = front.desk.db.read(move |tx| provider_event::automatic(tx, who.workspace, below, limit)).await?;
    let next_cursor =
        if events.len() as i64 == limit { events.last().map(|e| cursor::write((e.received_at.0, e.id.0))) } else { None };
    Ok(Json(AutomaticPage { items: events.into_iter().map(AutomaticItem::from).collect(), next_cursor }))
}

/// How to let something in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LetIn {
    /// Also everything else that this sender's machines will write.
    #[serde(default)]
    pub always: bool,
}

/// Makes a conversation of what a rule or the quarantine kept out.
#[utoipa::path(post, path = "/automatic/{id}/let_in", tag = "mailbox", params(("id" = ProviderEventId, Path)), request_body = LetIn,
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn let_in(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ProviderEventId>,
    JsonBody(how): JsonBody<LetIn>,
) -> Result<StatusCode, Problem> {
    if !rights::may_see_quarantine(who.role) {
        return Err(Problem::not_allowed());
    }
    if quarantine::let_in(&front.desk, &who, id, how.always).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found())
    }
}

/// A sender whose automatic mail makes conversations.
#[derive(Serialize, ToSchema)]
pub struct AllowedSender {
    /// Its id.
    pub id: AllowedSenderId,
    /// The address.
    pub address: String,
    /// Since when.
    pub added_at: Timestamp,
}

/// All of them.
#[derive(Serialize, ToSchema)]
pub struct AllowedSenders {
    /// By address.
    pub items: Vec<AllowedSender>,
}

/// Senders whose automatic mail makes conversations.
#[utoipa::path(get, path = "/allowed_senders", tag = "mailbox",
    responses((status = 200, body = AllowedSenders), (status = 403, body = ProblemDocument)))]
async fn allowed(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<AllowedSenders>, Problem> {
    if !rights::may_see_quarantine(who.role) {
        return Err(Problem::not_allowed());
    }
    let rows = quarantine::allowed_senders(&front.desk, &who).await?;
    let items = rows.into_iter().map(|row| AllowedSender { id: row.id, address: row.match_key, added_at: row.added_at });
    Ok(Json(AllowedSenders { items: items.collect() }))
}

/// Keeps the automatic mail of a sender out again.
#[utoipa::path(delete, path = "/allowed_senders/{id}", tag = "mailbox", params(("id" = AllowedSenderId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn disallow(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<AllowedSenderId>,
) -> Result<StatusCode, Problem> {
    if !rights::may_see_quarantine(who.role) {
        return Err(Problem::not_allowed());
    }
    if quarantine::disallow_sender(&front.desk, &who, id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}
