//! What only mail needs: what an answer would be, a chat that goes out by mail now, conversations that an agent begins, and
//! their drafts.

use super::entry::{shown, undo_seconds};
use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::types::ProblemDocument;
use crate::types::entry::Entry;
use crate::types::file::{Attachment, Files};
use crate::types::mail::{MailPlan, PlanMail};
use axum::extract::State;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use desk::reply;
use desk::reply::by_mail::{self, NotByMail};
use desk::reply::compose::{self, ComposeDraftError, NewConversation};
use http::{HeaderMap, StatusCode};
use model::{
    AttachmentId, BlockReason, ComposeDraftId, ContactId, ConversationId, EntryId, InboxId, MailAddress, Status, Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{OpenApi, ToSchema};

const KEY_CHARS_MAX: usize = 128;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(plan, send_by_mail, begin, receivers, drafts, add_draft, keep_draft, remove_draft),
    components(schemas(
        PlanMail,
        MailPlan,
        SentByMail,
        Compose,
        Composed,
        AskReceivers,
        ReceiverList,
        ComposeReceiver,
        OpenConversation,
        ComposeDraft,
        ComposeDraftList,
        ComposeDraftInput
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/conversations/{id}/mail_plan", post(plan))
        .route("/conversations/{id}/send_by_mail", post(send_by_mail))
        .route("/compose", post(begin))
        .route("/compose/receivers", post(receivers))
        .route("/compose/drafts", get(drafts).post(add_draft))
        .route("/compose/drafts/{id}", put(keep_draft).delete(remove_draft))
}

/// What an answer by mail would be: receivers, subject, what is repeated below. Nothing is written. 404 also where there is
/// no way by mail.
#[utoipa::path(post, path = "/conversations/{id}/mail_plan", tag = "entry", params(("id" = ConversationId, Path)),
    request_body = PlanMail,
    responses((status = 200, body = MailPlan), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn plan(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
    JsonBody(asked): JsonBody<PlanMail>,
) -> Result<Json<MailPlan>, Problem> {
    let choice = asked.mail.map(Into::into).unwrap_or_default();
    let planned = reply::plan(&front.desk, &who, id, asked.inbox_id, asked.contact_point_id, choice).await?;
    let (way, plan) = planned.ok_or_else(Problem::not_found)?;
    Ok(Json(MailPlan::of(&way, plan)))
}

/// The line that says that it went.
#[derive(Serialize, ToSchema)]
pub struct SentByMail {
    /// The line in the conversation, with its delivery.
    pub entry_id: EntryId,
}

/// Sends what the visitor has not read in the chat by mail, now. Codes: `nothing_unread`, `no_address`.
#[utoipa::path(post, path = "/conversations/{id}/send_by_mail", tag = "entry", params(("id" = ConversationId, Path)),
    responses((status = 201, body = SentByMail), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument)))]
async fn send_by_mail(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ConversationId>,
) -> Result<(StatusCode, Json<SentByMail>), Problem> {
    match by_mail::send_now(&front.desk, &who, id).await? {
        Ok(entry_id) => Ok((StatusCode::CREATED, Json(SentByMail { entry_id }))),
        Err(NotByMail::NotFound) => Err(Problem::not_found()),
        Err(NotByMail::NothingUnread) => {
            Err(Problem::conflict("nothing_unread", "There is nothing that the visitor has not read."))
        }
        Err(NotByMail::NoAddress) => Err(Problem::conflict("no_address", "There is no address that it could go to.")),
    }
}

/// A conversation that an agent begins by mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Compose {
    /// Through which inbox; else the first that writes mail.
    #[serde(default)]
    pub inbox_id: Option<InboxId>,
    /// Receivers. Who is not known yet becomes a customer.
    pub to: Vec<MailAddress>,
    /// In copy.
    #[serde(default)]
    pub cc: Vec<MailAddress>,
    /// In copy, seen by nobody.
    #[serde(default)]
    pub bcc: Vec<MailAddress>,
    /// One conversation for each receiver, who then do not see each other.
    #[serde(default)]
    pub each: bool,
    /// Subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML; cleaned before it is stored.
    #[serde(default)]
    pub html: Option<String>,
    /// Uploaded before.
    #[serde(default)]
    pub attachment_ids: Vec<AttachmentId>,
    /// With signature; else yes.
    #[serde(default)]
    pub signature: Option<bool>,
    /// Undo time; without it, the agent's own setting.
    #[serde(default)]
    pub hold_seconds: Option<i64>,
    /// Send at this time.
    #[serde(default)]
    pub send_at: Option<Timestamp>,
    /// Where it stands afterwards: open, pending (the default) or resolved.
    #[serde(default)]
    pub status: Option<Status>,
    /// The draft that this was.
    #[serde(default)]
    pub draft_id: Option<ComposeDraftId>,
}

/// What was begun.
#[derive(Serialize, ToSchema)]
pub struct Composed {
    /// The first entry of each conversation.
    pub items: Vec<Entry>,
}

/// Begins a conversation by mail, or one for each receiver. A repeat with the same `Idempotency-Key` gives the first ones.
#[utoipa::path(post, path = "/compose", tag = "entry", params(("Idempotency-Key" = String, Header)), request_body = Compose,
    responses((status = 201, body = Composed), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn begin(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    headers: HeaderMap,
    JsonBody(new): JsonBody<Compose>,
) -> Result<(StatusCode, Json<Composed>), Problem> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if key.is_empty() || key.chars().count() > KEY_CHARS_MAX {
        return Err(Problem::invalid("Idempotency-Key", "a header of 1 to 128 characters"));
    }
    let hold_seconds = match new.hold_seconds {
        Some(seconds) => seconds,
        None => undo_seconds(&front, &who).await?,
    };
    let new = NewConversation {
        inbox_id: new.inbox_id,
        to: new.to,
        cc: new.cc,
        bcc: new.bcc,
        each: new.each,
        subject: new.subject,
        text: new.text,
        html: new.html,
        attachment_ids: new.attachment_ids,
        no_signature: new.signature == Some(false),
        hold_seconds,
        send_at: new.send_at,
        status: new.status,
        draft_id: new.draft_id,
        idempotency_key: key.to_owned(),
    };
    let mut items = Vec::new();
    for entry in compose::compose(&front.desk, &who, new).await? {
        items.push(shown(&front, &who, entry).await?.0);
    }
    Ok((StatusCode::CREATED, Json(Composed { items })))
}

/// Addresses that somebody is about to write to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskReceivers {
    /// At most 50.
    pub addresses: Vec<String>,
}

/// An open conversation.
#[derive(Serialize, ToSchema)]
pub struct OpenConversation {
    /// Its id.
    pub id: ConversationId,
    /// Its number.
    pub number: i64,
    /// Its subject.
    pub subject: Option<String>,
}

/// What is known of an address.
#[derive(Serialize, ToSchema)]
pub struct ComposeReceiver {
    /// As asked.
    pub address: String,
    /// It can be an address at all.
    pub valid: bool,
    /// The customer who has it; none: a new one when it is sent.
    pub contact_id: Option<ContactId>,
    /// Their name.
    pub name: Option<String>,
    /// Why nothing may go there now.
    pub reason: Option<BlockReason>,
    /// What is open with them, latest first.
    pub open: Vec<OpenConversation>,
}

/// What is known of receivers.
#[derive(Serialize, ToSchema)]
pub struct ReceiverList {
    /// In the order asked.
    pub items: Vec<ComposeReceiver>,
}

/// Who the receivers are, and what is open with them. Nothing is written.
#[utoipa::path(post, path = "/compose/receivers", tag = "entry", request_body = AskReceivers,
    responses((status = 200, body = ReceiverList)))]
async fn receivers(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(asked): JsonBody<AskReceivers>,
) -> Result<Json<ReceiverList>, Problem> {
    let found = compose::receivers(&front.desk, &who, asked.addresses).await?;
    let items = found
        .into_iter()
        .map(|r| ComposeReceiver {
            address: r.address,
            valid: r.valid,
            contact_id: r.contact.as_ref().map(|(id, _)| *id),
            name: r.contact.and_then(|(_, name)| name),
            reason: r.reason,
            open: r.open.into_iter().map(|(id, number, subject)| OpenConversation { id, number, subject }).collect(),
        })
        .collect();
    Ok(Json(ReceiverList { items }))
}

/// A conversation that is not begun yet.
#[derive(Serialize, ToSchema)]
pub struct ComposeDraft {
    /// Its id.
    pub id: ComposeDraftId,
    /// What the composer gave: receivers, subject, texts.
    #[schema(value_type = Object)]
    pub content: serde_json::Value,
    /// Files that wait with it.
    pub attachments: Vec<Attachment>,
    /// Grows with each save.
    pub version: i64,
    /// When it was saved.
    pub updated_at: Timestamp,
}

/// The agent's drafts.
#[derive(Serialize, ToSchema)]
pub struct ComposeDraftList {
    /// Newest first.
    pub items: Vec<ComposeDraft>,
}

/// A draft to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComposeDraftInput {
    /// What the composer needs: kept as it is.
    #[schema(value_type = Object)]
    pub content: serde_json::Value,
    /// Uploaded files that wait with it.
    #[serde(default)]
    pub attachment_ids: Vec<AttachmentId>,
    /// The version last seen; 0 for a new one.
    #[serde(default)]
    pub version: i64,
}

impl From<ComposeDraftError> for Problem {
    fn from(error: ComposeDraftError) -> Self {
        match error {
            ComposeDraftError::NotFound => Self::not_found(),
            ComposeDraftError::Invalid(error) => Self::invalid(&error.field, &error.text),
            ComposeDraftError::Conflict(other) => {
                Self::conflict("draft_conflict", "Another window changed this draft.").args(json!({ "version": other.version }))
            }
            ComposeDraftError::Store(error) => error.into(),
        }
    }
}

async fn drafts_shown(
    front: &Front,
    who: &desk::Who,
    rows: Vec<store::compose_draft::ComposeDraft>,
) -> Result<Vec<ComposeDraft>, Problem> {
    let (workspace, ids) = (who.workspace, rows.iter().flat_map(|row| row.attachment_ids.clone()).collect::<Vec<_>>());
    let found = front.desk.db.read(move |tx| store::attachment::list(tx, workspace, &ids)).await?;
    let files = Files::new(&front.desk, who.workspace);
    let of = |ids: &[AttachmentId]| {
        ids.iter().filter_map(|id| found.iter().find(|row| row.id == *id)).map(|row| files.of(row)).collect()
    };
    Ok(rows
        .into_iter()
        .map(|row| ComposeDraft {
            id: row.id,
            attachments: of(&row.attachment_ids),
            content: row.content,
            version: row.version,
            updated_at: row.updated_at,
        })
        .collect())
}

/// The agent's drafts of conversations that are not begun.
#[utoipa::path(get, path = "/compose/drafts", tag = "draft", responses((status = 200, body = ComposeDraftList)))]
async fn drafts(State(front): State<Front>, SignedIn { who, .. }: SignedIn) -> Result<Json<ComposeDraftList>, Problem> {
    let rows = compose::drafts(&front.desk, &who).await?;
    Ok(Json(ComposeDraftList { items: drafts_shown(&front, &who, rows).await? }))
}

/// Keeps a new draft.
#[utoipa::path(post, path = "/compose/drafts", tag = "draft", request_body = ComposeDraftInput,
    responses((status = 201, body = ComposeDraft), (status = 422, body = ProblemDocument)))]
async fn add_draft(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    JsonBody(new): JsonBody<ComposeDraftInput>,
) -> Result<(StatusCode, Json<ComposeDraft>), Problem> {
    let row = compose::keep_draft(&front.desk, &who, None, new.content, new.attachment_ids).await?;
    Ok((StatusCode::CREATED, Json(drafts_shown(&front, &who, vec![row]).await?.remove(0))))
}

/// Saves a draft over the version that was seen. Code: `draft_conflict` (`args.version` is what stands there now).
#[utoipa::path(put, path = "/compose/drafts/{id}", tag = "draft", params(("id" = ComposeDraftId, Path)),
    request_body = ComposeDraftInput,
    responses((status = 200, body = ComposeDraft), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn keep_draft(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ComposeDraftId>,
    JsonBody(new): JsonBody<ComposeDraftInput>,
) -> Result<Json<ComposeDraft>, Problem> {
    let known = Some((id, new.version));
    let row = compose::keep_draft(&front.desk, &who, known, new.content, new.attachment_ids).await?;
    Ok(Json(drafts_shown(&front, &who, vec![row]).await?.remove(0)))
}

/// Throws a draft away; nothing happens when there is none.
#[utoipa::path(delete, path = "/compose/drafts/{id}", tag = "draft", params(("id" = ComposeDraftId, Path)),
    responses((status = 204)))]
async fn remove_draft(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ComposeDraftId>,
) -> Result<StatusCode, Problem> {
    compose::remove_draft(&front.desk, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
