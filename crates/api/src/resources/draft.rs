//! Unsent texts. Each save names the version that it has seen, so that two windows do not overwrite each other.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::entry::Draft;
use crate::types::file::Files;
use axum::extract::State;
use axum::routing::{get, put};
use axum::{Json, Router};
use desk::Who;
use desk::settings::draft::{self, DraftError, NewDraft};
use http::StatusCode;
use model::{AttachmentId, ConversationId, DraftMode, InboxId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(list, keep, remove), components(schemas(Draft, DraftList, DraftInput)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/drafts", get(list)).route("/conversations/{id}/drafts/{mode}", put(keep).delete(remove))
}

/// The agent's unsent texts.
#[derive(Serialize, ToSchema)]
pub struct DraftList {
    /// Newest first.
    pub items: Vec<Draft>,
}

/// The agent's unsent texts, newest first.
#[utoipa::path(get, path = "/drafts", tag = "draft", responses((status = 200, body = DraftList)))]
async fn list(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<DraftList>, Problem> {
    let rows = draft::list(&front.desk, &who).await?;
    Ok(Json(DraftList { items: shown(&front, &who, &rows).await? }))
}

async fn shown(front: &Front, who: &Who, rows: &[store::draft::Draft]) -> Result<Vec<Draft>, Problem> {
    let files = Files::new(&front.desk, who.workspace);
    let attachments = draft::files(&front.desk, who, rows).await?;
    Ok(rows.iter().map(|row| Draft::of(row, &attachments, &files)).collect())
}

/// A text to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftInput {
    /// The text.
    pub text: String,
    /// Uploaded files that wait with it.
    #[serde(default)]
    pub attachment_ids: Vec<AttachmentId>,
    /// The inbox that was chosen to send from.
    #[serde(default)]
    pub inbox_id: Option<InboxId>,
    /// What the composer needs of a mail: receivers, subject, HTML. Kept as it is.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub mail: Option<serde_json::Value>,
    /// The version last seen, 0 for none.
    pub version: i64,
}

/// Keeps a text. Codes: `draft_conflict` (`args.draft` is what stands there now, null when it was sent or thrown away).
#[utoipa::path(put, path = "/conversations/{id}/drafts/{mode}", tag = "draft",
    params(("id" = ConversationId, Path), ("mode" = DraftMode, Path)), request_body = DraftInput,
    responses((status = 200, body = Draft), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn keep(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path((conversation, mode)): Path<(ConversationId, DraftMode)>,
    JsonBody(new): JsonBody<DraftInput>,
) -> Result<Json<Draft>, Problem> {
    let new = NewDraft {
        conversation,
        mode,
        text: new.text,
        attachment_ids: new.attachment_ids,
        inbox_id: new.inbox_id,
        mail: new.mail,
        version: new.version,
    };
    match draft::put(&front.desk, &who, new).await {
        Ok(row) => Ok(Json(shown(&front, &who, &[row]).await?.remove(0))),
        Err(DraftError::Conflict(other)) => {
            let other = match other {
                Some(other) => shown(&front, &who, &[*other]).await?.pop(),
                None => None,
            };
            Err(Problem::from(DraftError::Conflict(None)).args(json!({ "draft": other })))
        }
        Err(error) => Err(error.into()),
    }
}

/// Throws a text away; nothing happens when there is none.
#[utoipa::path(delete, path = "/conversations/{id}/drafts/{mode}", tag = "draft",
    params(("id" = ConversationId, Path), ("mode" = DraftMode, Path)), responses((status = 204)))]
async fn remove(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path((conversation, mode)): Path<(ConversationId, DraftMode)>,
) -> Result<StatusCode, Problem> {
    draft::remove(&front.desk, &who, conversation, mode).await?;
    Ok(StatusCode::NO_CONTENT)
}
