//! What agents write: answers and notes, and what can still be done with them.

use super::conversation::{closed_for_good, must_see, must_see_entry};
use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, three};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::entry::{Author, Entry, EntryBody, EntryCall, EntryEvent, EntryPlaced, EntryStatus, EntryVia, Part};
use crate::types::file::Files;
use crate::types::mail::{MailWish, MailWishMode};
use axum::extract::State;
use axum::routing::{delete, post};
use axum::{Json, Router};
use desk::Who;
use desk::reply::{self, HoldError, NewReply, SendError, Then};
use desk::view::timeline;
use http::{HeaderMap, StatusCode};
use model::{AgentId, AttachmentId, ContactPointId, ConversationId, EntryId, EntryKind, InboxId, Status, Timestamp};
use serde::Deserialize;
use serde_json::json;
use utoipa::{OpenApi, ToSchema};

const KEY_CHARS_MAX: usize = 128;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(send, cancel_hold, send_now, retry, check),
    components(schemas(
        Entry,
        Author,
        EntryBody,
        EntryCall,
        EntryEvent,
        EntryPlaced,
        EntryStatus,
        EntryVia,
        Part,
        SendEntry,
        SendKind,
        SendThen,
        MailWish,
        MailWishMode,
        model::MailAddress,
        RetryEntry
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/conversations/{id}/entries", post(send))
        .route("/holds/{id}", delete(cancel_hold))
        .route("/holds/{id}/send_now", post(send_now))
        .route("/entries/{id}/retry", post(retry))
        .route("/entries/{id}/check", post(check))
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotFound => Self::not_found(),
            SendError::ClosedForGood => closed_for_good(),
            SendError::NewerEntries { count } => {
                Self::conflict("newer_entries", "Something new arrived while you were writing.").args(json!({ "count": count }))
            }
            SendError::Blocked { reason } => {
                Self::conflict("blocked", "This way to the customer is closed now.").args(json!({ "reason": reason }))
            }
            SendError::Invalid { field, text } => Self::invalid(field, text),
            SendError::Store(error) => error.into(),
        }
    }
}

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::NotFound => Self::not_found(),
            HoldError::AlreadySent => Self::conflict("already_sent", "It is on its way already."),
            HoldError::Uncertain => {
                Self::conflict("uncertain", "It may have been sent. Sending again may reach the customer twice.")
            }
            HoldError::NotFailed => Self::conflict("not_failed", "It was not refused, so there is nothing to try again."),
            HoldError::Store(error) => error.into(),
        }
    }
}

/// What is written.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SendKind {
    /// To the customer.
    Message,
    /// For the team.
    Note,
}

/// What else happens with the conversation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendThen {
    /// New status.
    #[serde(default)]
    pub status: Option<Status>,
    /// End of a snooze.
    #[serde(default)]
    pub snoozed_until: Option<Timestamp>,
    /// New assignee.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<AgentId>)]
    pub agent_id: Option<Option<AgentId>>,
}

/// What an agent wrote.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendEntry {
    /// Message or note.
    pub kind: SendKind,
    /// The text.
    pub text: String,
    /// The same as HTML, for channels that take it; cleaned before it is stored.
    #[serde(default)]
    pub html: Option<String>,
    /// Receivers, subject and the rest, where the answer goes by mail.
    #[serde(default)]
    pub mail: Option<MailWish>,
    /// Uploaded before.
    #[serde(default)]
    pub attachment_ids: Vec<AttachmentId>,
    /// Agents named in a note.
    #[serde(default)]
    pub mention_ids: Vec<AgentId>,
    /// The chosen way.
    #[serde(default)]
    pub inbox_id: Option<InboxId>,
    /// The chosen address.
    #[serde(default)]
    pub contact_point_id: Option<ContactPointId>,
    /// The conversation's number that the agent has seen.
    pub base_seq: i64,
    /// Undo time; without it, the agent's own setting.
    #[serde(default)]
    pub hold_seconds: Option<i64>,
    /// Send at this time.
    #[serde(default)]
    pub send_at: Option<Timestamp>,
    /// What else happens.
    #[serde(default)]
    pub then: Option<SendThen>,
    /// Send although something new arrived.
    #[serde(default)]
    pub force: bool,
}

/// Sends an answer or writes a note. A repeat with the same `Idempotency-Key` gives the first entry.
#[utoipa::path(post, path = "/conversations/{id}/entries", tag = "entry",
    params(("id" = ConversationId, Path), ("Idempotency-Key" = String, Header)), request_body = SendEntry,
    responses((status = 201, body = Entry), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn send(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
    headers: HeaderMap,
    JsonBody(new): JsonBody<SendEntry>,
) -> Result<(StatusCode, Json<Entry>), Problem> {
    must_see(&front, &who, id).await?;
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if key.is_empty() || key.chars().count() > KEY_CHARS_MAX {
        return Err(Problem::invalid("Idempotency-Key", "a header of 1 to 128 characters"));
    }
    let hold_seconds = match new.hold_seconds {
        Some(seconds) => seconds,
        None => undo_seconds(&front, &who).await?,
    };
    let reply = NewReply {
        kind: match new.kind {
            SendKind::Message => EntryKind::Message,
            SendKind::Note => EntryKind::Note,
        },
        text: new.text,
        html: new.html,
        mail: new.mail.map(Into::into).unwrap_or_default(),
        attachment_ids: new.attachment_ids,
        mention_ids: new.mention_ids,
        inbox_id: new.inbox_id,
        contact_point_id: new.contact_point_id,
        base_seq: new.base_seq,
        hold_seconds,
        send_at: new.send_at,
        then: new.then.map(|then| Then { status: then.status, snoozed_until: then.snoozed_until, agent_id: then.agent_id }),
        force: new.force,
        idempotency_key: key.to_owned(),
    };
    let entry = reply::send(&front.desk, &who, id, reply).await?;
    Ok((StatusCode::CREATED, shown(&front, &who, entry).await?))
}

pub(super) async fn undo_seconds(front: &Front, who: &Who) -> Result<i64, Problem> {
    let (workspace, agent) = (who.workspace, who.agent);
    let found = front.desk.db.read(move |tx| store::agent::get(tx, workspace, agent)).await?;
    let preferences: model::preferences::Preferences = serde_json::from_value(found.preferences).unwrap_or_default();
    Ok(i64::from(preferences.undo_seconds))
}

pub(super) async fn shown(front: &Front, who: &Who, entry: store::entry::Entry) -> Result<Json<Entry>, Problem> {
    let (workspace, me) = (who.workspace, who.agent);
    let views = front.desk.db.read(move |tx| timeline::views(tx, workspace, vec![entry.clone()])).await?;
    let view = views.first().ok_or_else(Problem::not_found)?;
    Ok(Json(Entry::seen_by(view, &Files::new(&front.desk, workspace), me)))
}

/// Takes a held answer back.
#[utoipa::path(delete, path = "/holds/{id}", tag = "entry", params(("id" = EntryId, Path)),
    responses((status = 200, body = Entry), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn cancel_hold(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<EntryId>,
) -> Result<Json<Entry>, Problem> {
    must_see_entry(&front, &who, id).await?;
    let entry = reply::cancel_hold(&front.desk, &who, id).await?;
    shown(&front, &who, entry).await
}

/// Ends a hold at once.
#[utoipa::path(post, path = "/holds/{id}/send_now", tag = "entry", params(("id" = EntryId, Path)),
    responses((status = 200, body = Entry), (status = 404, body = ProblemDocument)))]
async fn send_now(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<EntryId>,
) -> Result<Json<Entry>, Problem> {
    must_see_entry(&front, &who, id).await?;
    let entry = reply::send_now(&front.desk, &who, id).await?;
    shown(&front, &who, entry).await
}

/// Trying again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryEntry {
    /// Also when it may have been sent.
    #[serde(default)]
    pub force: bool,
}

/// Tries a refused answer again.
#[utoipa::path(post, path = "/entries/{id}/retry", tag = "entry", params(("id" = EntryId, Path)), request_body = RetryEntry,
    responses((status = 200, body = Entry), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn retry(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<EntryId>,
    JsonBody(again): JsonBody<RetryEntry>,
) -> Result<Json<Entry>, Problem> {
    must_see_entry(&front, &who, id).await?;
    let entry = reply::retry(&front.desk, &who, id, again.force).await?;
    shown(&front, &who, entry).await
}

/// Asks the channel whether an uncertain answer arrived.
#[utoipa::path(post, path = "/entries/{id}/check", tag = "entry", params(("id" = EntryId, Path)),
    responses((status = 200, body = Entry), (status = 404, body = ProblemDocument)))]
async fn check(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<EntryId>,
) -> Result<Json<Entry>, Problem> {
    must_see_entry(&front, &who, id).await?;
    let entry = reply::check(&front.desk, &who, id).await?;
    shown(&front, &who, entry).await
}
