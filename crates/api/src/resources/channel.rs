//! The door of the open API channel: programs bring events and files with the key of an inbox (docs/API-CHANNEL.md). Nobody
//! is signed in here; the key or the signature is the right.

use crate::Front;
use crate::body::{Path, Query};
use crate::error::Problem;
use crate::front::Caller;
use crate::resources::attachment::{Upload, receive};
use crate::types::ProblemDocument;
use crate::types::file::{Attachment, Files};
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use channel::{CameBy, Capabilities, InboundEvent, RawEvent, RawRequest, Rejected, Verified};
use channel_api::wire::{
    ApiAnswer, ApiChanged, ApiDelivery, ApiEdit, ApiEvent, ApiFile, ApiMessage, ApiOpt, ApiOut, ApiOutFile, ApiPoint,
    ApiReaction, ApiRead, ApiReceiver, ApiRef, ApiRefusal, ApiSender, ApiTemplate, ApiTyping, ApiWebhook,
};
use channel_api::{ApiSettings, BODY_BYTES_MAX, EVENT_COUNT_MAX};
use desk::directory::OpenInbox;
use desk::ingest::{self, IngestError};
use desk::journeys::message_in;
use http::{HeaderMap, StatusCode, Uri};
use model::{AttachmentId, Channel, InboxId, ProviderEventId, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use store::{StoreError, attachment, outbox};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(look, events, upload, download),
    components(schemas(
        ApiAnswer,
        ApiChanged,
        ApiDelivery,
        ApiEdit,
        ApiEvent,
        ApiFile,
        ApiMessage,
        ApiOpt,
        ApiOut,
        ApiOutFile,
        ApiPoint,
        ApiReaction,
        ApiRead,
        ApiReceiver,
        ApiRef,
        ApiRefusal,
        ApiSender,
        ApiTemplate,
        ApiTyping,
        ApiWebhook,
        ChannelDoor,
        EventsTaken,
        EventTaken
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/channel/{inbox}", get(look))
        .route("/channel/{inbox}/events", post(events))
        .route("/channel/{inbox}/files", post(upload))
        .route("/channel/{inbox}/files/{id}", get(download))
        .layer(DefaultBodyLimit::disable())
}

/// One inbox of the API channel, open.
struct Door {
    workspace: WorkspaceId,
    open: Arc<OpenInbox>,
}

async fn find(front: &Front, id: InboxId, from: &Caller) -> Result<Door, Problem> {
    let now = front.desk.now();
    // Wrong keys cost a guesser what every request costs; a key has 192 random bits.
    front.live.doors().request(&from.address, now).map_err(|wait_ms| Problem::rate_limited(seconds(wait_ms)))?;
    let row = front.desk.db.read(move |tx| store::inbox::find_anywhere(tx, id)).await?;
    let row = row.filter(|row| row.channel == Channel::Api).ok_or_else(Problem::not_found)?;
    let open = front.desk.directory.open(&front.desk, row.workspace, id).await.map_err(|error| {
        tracing::warn!(inbox.id = %id, %error, "an inbox of the API channel does not open");
        Problem::busy()
    })?;
    Ok(Door { workspace: row.workspace, open })
}

fn seconds(wait_ms: i64) -> i64 {
    (wait_ms + 999) / 1_000
}

impl Door {
    fn settings(&self) -> ApiSettings {
        ApiSettings::of(&self.open.settings)
    }

    fn verify(&self, front: &Front, path: &Uri, headers: &HeaderMap, body: Vec<u8>) -> Result<Verified, Problem> {
        let now = front.desk.now();
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            value.to_str().ok().map(|value| (name.as_str().to_owned(), value.to_owned()))
        };
        let request = RawRequest {
            came_by: CameBy::Http,
            method: "POST".to_owned(),
            path_and_query: path.to_string(),
            headers: headers.iter().filter_map(text).collect(),
            body,
            received_at: now,
        };
        let webhook = self.open.channel.webhook().ok_or_else(Problem::not_found)?;
        let verified = webhook.verify(&self.open.settings, &request, now).map_err(problem)?;
        // Said only to who has the key: a stranger learns nothing about inboxes.
        if !self.open.inbox.enabled {
            return Err(Problem::forbidden("inbox_off", "This inbox is switched off."));
        }
        Ok(verified)
    }
}

fn problem(rejected: Rejected) -> Problem {
    match rejected {
        Rejected::BadSignature => {
            Problem::unauthorized("wrong_key", "The key or the signature of this inbox is missing or not right.")
        }
        Rejected::Stale { .. } => {
            Problem::unauthorized("stale_signature", "The request was signed too long ago or in the future; check the clock.")
                .detail(rejected.to_string())
        }
        Rejected::Malformed(text) => Problem::bad_json(text),
        Rejected::TooLarge { bytes_max } => Problem::too_large(bytes_max),
    }
}

/// What a program sees of its inbox.
#[derive(Serialize, ToSchema)]
pub struct ChannelDoor {
    /// The inbox.
    pub id: InboxId,
    /// Its name.
    pub name: String,
    /// The server's time, for signatures.
    pub now: Timestamp,
    /// How much is believed of what is stated about senders.
    pub claim_ceiling: u8,
    /// What the inbox can do.
    #[schema(value_type = Object)]
    pub capabilities: Capabilities,
}

/// Is the key right? For set-up: says what the inbox can do, and changes nothing.
#[utoipa::path(get, path = "/channel/{inbox}", tag = "channel", security(("channel_key" = [])), params(("inbox" = InboxId, Path)),
    responses((status = 200, body = ChannelDoor), (status = 401, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn look(
    State(front): State<Front>,
    Path(id): Path<InboxId>,
    from: Caller,
    path: Uri,
    headers: HeaderMap,
) -> Result<Json<ChannelDoor>, Problem> {
    let door = find(&front, id, &from).await?;
    door.verify(&front, &path, &headers, vec![])?;
    let capabilities = door.open.channel.capabilities(&door.open.settings);
    Ok(Json(ChannelDoor {
        id,
        name: door.open.inbox.name.clone(),
        now: front.desk.now(),
        claim_ceiling: capabilities.claim_ceiling,
        capabilities,
    }))
}

/// What became of a request with events.
#[derive(Serialize, ToSchema)]
pub struct EventsTaken {
    /// In the order of the request.
    pub events: Vec<EventTaken>,
}

/// One event that was taken.
#[derive(Serialize, ToSchema)]
pub struct EventTaken {
    /// Your id of it.
    pub event_id: String,
    /// Ours; of the first one, when this is a repeat. Null for what is never stored (typing).
    pub id: Option<ProviderEventId>,
    /// The same event was taken before: nothing happens again.
    pub repeat: bool,
}

/// Takes events: one object, or `{"events": [..]}` with up to 100. Answered after the commit; nothing of a request is taken
/// when one of its events cannot be read.
#[utoipa::path(post, path = "/channel/{inbox}/events", tag = "channel", security(("channel_key" = [])), params(("inbox" = InboxId, Path)),
    request_body = ApiEvent,
    responses((status = 202, body = EventsTaken), (status = 400, body = ProblemDocument), (status = 401, body = ProblemDocument),
        (status = 413, body = ProblemDocument), (status = 422, body = ProblemDocument), (status = 429, body = ProblemDocument)))]
async fn events(
    State(front): State<Front>,
    Path(id): Path<InboxId>,
    from: Caller,
    path: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<EventsTaken>), Problem> {
    let door = find(&front, id, &from).await?;
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| Problem::too_large(BODY_BYTES_MAX))?;
    let verified = door.verify(&front, &path, &headers, body.to_vec())?;
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&verified.body) {
        return Err(Problem::bad_json(error.to_string()));
    }
    let webhook = door.open.channel.webhook().ok_or_else(Problem::not_found)?;
    let raw = webhook.split(&verified);
    let now = front.desk.now();
    let per_minute = door.settings().events_per_minute;
    let count_max = EVENT_COUNT_MAX.min(per_minute as usize);
    if raw.len() > count_max {
        return Err(Problem::invalid("events", format!("at most {count_max} in one request")));
    }
    for _ in &raw {
        front.live.doors().event(id, per_minute, now).map_err(|wait_ms| Problem::rate_limited(seconds(wait_ms)))?;
    }
    let understood = understand(&door, &raw).await?;
    let mut kept = vec![];
    let mut taken = vec![];
    for (raw, events) in raw.into_iter().zip(understood) {
        let event_id = raw.dedupe_key.clone();
        if let [InboundEvent::Typing { external_conversation, on }] = &events[..] {
            typing(&front, &door, external_conversation, *on).await;
            taken.push(EventTaken { event_id, id: None, repeat: false });
            continue;
        }
        taken.push(EventTaken { event_id, id: Some(ProviderEventId(0)), repeat: false });
        kept.push(raw);
    }
    let stored = ingest::accept(&front.desk, door.workspace, &door.open, kept).await.map_err(|error| match error {
        IngestError::Busy => Problem::busy(),
        IngestError::Broken(error) => {
            tracing::error!(inbox.id = %id, error, "events of the API channel could not be stored: {error}");
            Problem::busy()
        }
    })?;
    for (place, stored) in taken.iter_mut().filter(|one| one.id.is_some()).zip(stored) {
        (place.id, place.repeat) = (Some(stored.id), !stored.fresh);
    }
    Ok((StatusCode::ACCEPTED, Json(EventsTaken { events: taken })))
}

// The sender still has its event: a clear answer now is worth more to it than our quarantine later.
async fn understand(door: &Door, raw: &[RawEvent]) -> Result<Vec<Vec<InboundEvent>>, Problem> {
    let mut understood = vec![];
    let mut faults = vec![];
    for (at, event) in raw.iter().enumerate() {
        match message_in::parse(Arc::clone(&door.open), event.clone()).await {
            Ok(events) => understood.push(events),
            Err(fault) => faults.push(json!({ "index": at, "reason": fault.reason, "detail": fault.detail })),
        }
    }
    if faults.is_empty() {
        return Ok(understood);
    }
    let detail = faults[0]["detail"].as_str().unwrap_or_default().to_owned();
    let title = "An event cannot be read. None of this request was taken.";
    Err(Problem { code: "invalid_events", title, ..Problem::invalid("events", detail) }.args(json!({ "events": faults })))
}

// Never stored: it goes to whoever looks at the conversation now.
async fn typing(front: &Front, door: &Door, external: &str, on: bool) {
    let (workspace, inbox, external) = (door.workspace, door.open.inbox.id, external.to_owned());
    let found = front.desk.db.read(move |tx| desk::view::external::conversation(tx, workspace, inbox, &external)).await;
    if let Ok(Some(conversation)) = found {
        front.live.customer(workspace, &conversation, if on { bus::Doing::TypingReply } else { bus::Doing::Viewing });
    }
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    name: String,
}

/// Who uploaded a file, as the row says it.
fn uploader(inbox: InboxId) -> String {
    format!("inbox:{inbox}")
}

/// Takes a file that a message will carry: the body as it is with `?name=`, or the first file of a form. A signature, where
/// the inbox wants one, is made over an empty body.
#[utoipa::path(post, path = "/channel/{inbox}/files", tag = "channel", security(("channel_key" = [])),
    params(("inbox" = InboxId, Path), ("name" = Option<String>, Query)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Attachment), (status = 401, body = ProblemDocument), (status = 413, body = ProblemDocument),
        (status = 422, body = ProblemDocument)))]
async fn upload(
    State(front): State<Front>,
    Path(id): Path<InboxId>,
    Query(asked): Query<Asked>,
    from: Caller,
    request: Request,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    let (path, headers) = (request.uri().clone(), request.headers().clone());
    let door = find(&front, id, &from).await?;
    door.verify(&front, &path, &headers, vec![])?;
    let (settings, now) = (door.settings(), front.desk.now());
    front.live.doors().event(id, settings.events_per_minute, now).map_err(|wait_ms| Problem::rate_limited(seconds(wait_ms)))?;
    if !settings.files.enabled {
        return Err(Problem::forbidden("attachments_off", "This inbox takes no files."));
    }
    let bytes_max = settings.files.bytes_max;
    let is_form =
        headers.get("content-type").and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.starts_with("multipart/"));
    let (name, headers, body) =
        if is_form { first_file(request, bytes_max).await? } else { (asked.name, headers, request.into_body()) };
    let upload = Upload { workspace: door.workspace, uploader: uploader(id), conversation_id: None, name: &name, bytes_max };
    let rule = door.open.channel.capabilities(&door.open.settings);
    let row = receive(&front, upload, &headers, body, |mime| rule.attach.iter().any(|rule| rule.takes(mime))).await?;
    Ok((StatusCode::CREATED, Json(Files::new(&front.desk, door.workspace).of(&row))))
}

async fn first_file(request: Request, bytes_max: u64) -> Result<(String, HeaderMap, Body), Problem> {
    let broken = |error: axum::extract::multipart::MultipartError| Problem::bad_json(format!("the form cannot be read: {error}"));
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| Problem::bad_json(error.to_string()))?;
    while let Some(mut field) = form.next_field().await.map_err(broken)? {
        let Some(name) = field.file_name().map(str::to_owned) else { continue };
        let mut headers = HeaderMap::new();
        if let Some(kind) = field.content_type().and_then(|kind| kind.parse().ok()) {
            headers.insert("content-type", kind);
        }
        let mut bytes = vec![];
        while let Some(chunk) = field.chunk().await.map_err(broken)? {
            if (bytes.len() + chunk.len()) as u64 > bytes_max {
                return Err(Problem::too_large(usize::try_from(bytes_max).unwrap_or(usize::MAX)));
            }
            bytes.extend_from_slice(&chunk);
        }
        return Ok((name, headers, Body::from(bytes)));
    }
    Err(Problem::invalid("file", "a form with a file in it"))
}

/// A file of a message of ours: leads to an address that works for a while. Only files that went out through this inbox.
#[utoipa::path(get, path = "/channel/{inbox}/files/{id}", tag = "channel", security(("channel_key" = [])),
    params(("inbox" = InboxId, Path), ("id" = AttachmentId, Path)),
    responses((status = 307), (status = 401, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn download(
    State(front): State<Front>,
    Path((id, file)): Path<(InboxId, AttachmentId)>,
    from: Caller,
    path: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let door = find(&front, id, &from).await?;
    door.verify(&front, &path, &headers, vec![])?;
    let workspace = door.workspace;
    let found = front.desk.db.read(move |tx| -> Result<_, StoreError> {
        let Some(row) = attachment::find(tx, workspace, file)? else { return Ok(None) };
        let Some(entry) = row.entry_id else { return Ok(None) };
        let went_here = outbox::of_entry(tx, workspace, entry)?.iter().any(|way| way.inbox_id == id);
        Ok(went_here.then_some(row))
    });
    let row = found.await?.ok_or_else(Problem::not_found)?;
    Ok(Redirect::temporary(&Files::new(&front.desk, workspace).url(row.id, &row.name)).into_response())
}
