//! Takes one frame of a visitor: what is stored goes through the adapter and the one way in, and is acknowledged after the
//! commit; the rest is gone when it has been passed on.

use super::site::{self, Known, Site};
use crate::Front;
use crate::body::Path;
use crate::error::Problem;
use crate::front::Caller;
use crate::live::Live;
use axum::Json;
use axum::extract::State;
use bytes::Bytes;
use channel::RawRequest;
use channel_webchat::frames::{FRAME_BYTES_MAX, RefusedCode, parse_post};
use channel_webchat::{ClientFrame, FrameError, ServerFrame, WidgetRequest};
use desk::ingest::{self, IngestError};
use desk::view::visitor;
use http::HeaderMap;
use model::AttachmentId;
use serde::Serialize;
use store::StoreError;

/// Seconds after which a message that met a busy store is sent again.
const BUSY_SECONDS: u32 = 2;

/// The answer to frames that came by POST.
#[derive(Serialize)]
pub struct Answer {
    frames: Vec<ServerFrame>,
}

/// `POST /w/:site/frames`.
pub async fn post(
    State(front): State<Front>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    from: Caller,
    body: axum::body::Body,
) -> Result<Json<Answer>, Problem> {
    let site = site::find(&front, &slug).await?;
    site::check(&front, &site, &headers, &from)?;
    let known = site::of_request(&front, &site, &headers, None, front.desk.now())?;
    let mut frames = Vec::new();
    for read in parse_post(&self::body(body).await?).map_err(problem)? {
        match read {
            Ok(ClientFrame::Hello { .. }) => {}
            Ok(frame) => frames.extend(take(&front, &site, &known, frame).await),
            Err(error) => frames.push(error.into_frame()),
        }
    }
    Ok(Json(Answer { frames }))
}

/// Reads a body of at most one frame's size.
pub async fn body(body: axum::body::Body) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, FRAME_BYTES_MAX).await.map_err(|_| Problem::too_large(FRAME_BYTES_MAX))
}

/// A body that is no frame, as a problem.
pub fn problem(error: FrameError) -> Problem {
    Problem::bad_json(error.detail)
}

/// Takes one frame (never a hello) and says what to answer.
pub async fn take(front: &Front, site: &Site, known: &Known, frame: ClientFrame) -> Option<ServerFrame> {
    let now = front.desk.now();
    let (inbox, visitor) = (site.inbox(), known.token.visitor_id.as_str());
    let doors = front.live.doors();
    let id = frame.client_msg_id().map(str::to_owned);
    let rate = match &frame {
        ClientFrame::Message(_) => doors.message(inbox, visitor, site.settings.rates.messages_per_minute, now),
        ClientFrame::Ping => Ok(()),
        _ => doors.signal(inbox, visitor, now),
    };
    if let Err(wait_ms) = rate {
        return Some(FrameError::rate_limited(wait_ms).of(id).into_frame());
    }
    match frame {
        ClientFrame::Ping => Some(ServerFrame::Pong),
        ClientFrame::Hello { .. } | ClientFrame::Page { .. } => None,
        ClientFrame::Typing { on } => {
            typing(&front.live, site, known, on).await;
            None
        }
        ClientFrame::Message(_) => match message(front, site, known, &frame).await {
            Ok(()) => id.map(|client_msg_id| ServerFrame::Ack { client_msg_id }),
            Err(error) => Some(error.of(id).into_frame()),
        },
        ClientFrame::Read { .. } | ClientFrame::Delivered { .. } | ClientFrame::Claim { .. } | ClientFrame::Email { .. } => {
            store(front, site, known, &frame).await.err().map(FrameError::into_frame)
        }
    }
}

async fn message(front: &Front, site: &Site, known: &Known, frame: &ClientFrame) -> Result<(), FrameError> {
    frame.check(&site.settings)?;
    if site.settings.identity.required && known.verified(front.desk.now()).is_none() {
        return Err(FrameError::bad("this site takes messages of signed-in customers only"));
    }
    if let ClientFrame::Message(message) = frame
        && let Some(ids) = &message.file_ids
    {
        own_files(front, site, known, ids).await?;
    }
    store(front, site, known, frame).await
}

// Files must be this visitor's own. One that belongs to a message already is no matter: the message may be a repeat.
async fn own_files(front: &Front, site: &Site, known: &Known, ids: &[AttachmentId]) -> Result<(), FrameError> {
    let (workspace, wanted) = (site.workspace, ids.to_vec());
    let found = front.desk.db.read(move |tx| store::attachment::list(tx, workspace, &wanted)).await.map_err(busy)?;
    let uploader = super::files::uploader(&known.token.visitor_id);
    let is_own = |id: &AttachmentId| found.iter().any(|file| file.id == *id && file.uploader == uploader);
    if ids.iter().all(is_own) {
        Ok(())
    } else {
        Err(FrameError::new(RefusedCode::UnknownFile, "a file that is not there any more"))
    }
}

fn busy(_: StoreError) -> FrameError {
    FrameError { retry_after: Some(BUSY_SECONDS), ..FrameError::new(RefusedCode::Busy, "the server is busy") }
}

/// Stores a frame: when this returns, it is committed and will be worked off.
pub async fn store(front: &Front, site: &Site, known: &Known, frame: &ClientFrame) -> Result<(), FrameError> {
    let now = front.desk.now();
    let request: RawRequest =
        WidgetRequest { visitor_id: &known.token.visitor_id, verified: known.verified(now), frame, received_at: now }.into_raw();
    let webhook = site.open.channel.webhook().ok_or_else(|| FrameError::bad("this inbox takes no frames"))?;
    let verified = webhook.verify(&site.open.settings, &request, now).map_err(|error| FrameError::bad(error.to_string()))?;
    let events = webhook.split(&verified);
    match ingest::accept(&front.desk, site.workspace, &site.open, events).await {
        Ok(_) => Ok(()),
        Err(IngestError::Busy) => Err(busy(StoreError::Busy)),
        Err(IngestError::Broken(error)) => {
            tracing::error!(inbox.id = %site.inbox(), error, "a frame of the widget could not be stored: {error}");
            Err(busy(StoreError::Busy))
        }
    }
}

// Typing is never stored: it goes to whoever looks at the conversation now.
async fn typing(live: &Live, site: &Site, known: &Known, on: bool) {
    let (workspace, who) = (site.workspace, known.visitor(site.inbox(), live.desk().now()));
    let found = live.desk().db.read(move |tx| visitor::chat(tx, workspace, &who)).await;
    if let Ok(Some(conversation)) = found.map(|chat| chat.conversation) {
        live.customer(workspace, &conversation, if on { bus::Doing::TypingReply } else { bus::Doing::Viewing });
    }
}
