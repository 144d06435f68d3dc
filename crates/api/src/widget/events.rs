//! The fall-back for networks that break sockets: server-sent events one way, POST the other.

use super::site;
use super::socket::{Visit, first_frames};
use crate::Front;
use crate::body::{Path, Query};
use crate::error::Problem;
use crate::front::Caller;
use crate::live::hub::{Next, Waiting};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::Utf8Bytes;
use axum::response::Response;
use channel_webchat::ServerFrame;
use futures_util::stream;
use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;

/// A comment goes out this often, so that nobody on the way thinks the stream is dead.
const COMMENT_EVERY: Duration = Duration::from_secs(20);

/// Where the client stands.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    since: i64,
    #[serde(default)]
    conversation: Option<model::ConversationId>,
    #[serde(default)]
    token: Option<String>,
}

struct Stream {
    front: Front,
    visit: Visit,
    waiting: Waiting,
    ready: VecDeque<Utf8Bytes>,
    closing: watch::Receiver<bool>,
    ended: bool,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.visit.end(&self.front);
    }
}

/// `GET /w/:site/events`.
pub async fn open(
    State(front): State<Front>,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    from: Caller,
) -> Result<Response, Problem> {
    let site = site::find(&front, &slug).await?;
    site::check(&front, &site, &headers, &from)?;
    let known = site::of_request(&front, &site, &headers, asked.token.as_deref(), front.desk.now())?;
    // A browser that reconnects by itself says how far it got.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let since = last.unwrap_or(asked.since).max(0);
    let (mut visit, waiting) = Visit::begin(&front, site, known).await?;
    let ready = first_frames(&front, &mut visit, asked.conversation, since).await?;
    let closing = front.live.closing();
    let start = Stream { front, visit, waiting, ready: ready.into(), closing, ended: false };
    let body = Body::from_stream(stream::unfold(start, |mut stream| async move {
        let chunk = stream.next().await?;
        Some((Ok::<_, Infallible>(chunk), stream))
    }));
    let mut response = Response::new(body);
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would gather the stream otherwise.
    out.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

impl Stream {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(frame) = self.ready.pop_front() {
            return Some(event(&frame));
        }
        if self.ended {
            return None;
        }
        tokio::select! {
            next = self.waiting.next() => match next {
                Some(Next::Frame(frame)) => Some(event(&frame)),
                Some(Next::Lost) => Some(event(&crate::live::text(&ServerFrame::Resync))),
                None => None,
            },
            () = crate::live::closed(&mut self.closing) => {
                self.ended = true;
                let bye = ServerFrame::Bye { code: channel_webchat::frames::ByeCode::Shutdown };
                Some(event(&crate::live::text(&bye)))
            }
            () = tokio::time::sleep_until(tokio::time::Instant::now() + COMMENT_EVERY) => Some(Bytes::from_static(b": here\n\n")),
        }
    }
}

// `id:` is how far the stream got, for browsers that reconnect by themselves. Frames are one line of JSON.
fn event(frame: &str) -> Bytes {
    match upto(frame) {
        Some(upto) => Bytes::from(format!("id: {upto}\ndata: {frame}\n\n")),
        None => Bytes::from(format!("data: {frame}\n\n")),
    }
}

fn upto(frame: &str) -> Option<i64> {
    let head = frame.strip_prefix("{\"kind\":\"frame\"")?;
    // Stands before the items, in which a text might look like it.
    let (head, _) = head.split_once("\"items\":")?;
    head.split_once("\"upto\":")?.1.split(',').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_frames_with_a_position_move_the_stream() {
        let frame = r#"{"kind":"frame","conversation":"cnv_1","prev":3,"upto":17,"items":[{"text":"\"upto\":99,"}]}"#;
        assert_eq!(upto(frame), Some(17));
        assert_eq!(upto(r#"{"kind":"typing","on":true}"#), None);
        assert!(event("{}").starts_with(b"data: {}"));
        assert!(event(frame).starts_with(b"id: 17\n"));
    }
}
