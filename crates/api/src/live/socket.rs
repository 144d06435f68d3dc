//! The socket of an agent: one task, no timers of its own but the ping, nothing kept beyond a small read buffer.

use super::hub::{AgentSocket, Next, queue};
use super::{Live, send};
use crate::Front;
use crate::auth::{self, SignedIn};
use crate::error::Problem;
use crate::types::live::{Doing, LiveClientFrame, LiveServerFrame};
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use desk::Who;
use http::HeaderMap;
use model::ConversationId;
use std::time::Duration;
use tokio::time::Instant;

/// A ping goes out this often.
pub const PING_EVERY: Duration = Duration::from_secs(25);
/// Who says nothing for so long is gone.
pub const GONE_AFTER: Duration = Duration::from_secs(60);
/// A socket that says nothing at first is a mistake.
pub const HELLO_WITHIN: Duration = Duration::from_secs(15);
/// Largest frame of a client. A larger one closes with 1009.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// A frame larger than this is not even read: the connection just ends.
const READ_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;
/// Frames that are none, until the socket closes.
pub const BAD_FRAMES_MAX: u32 = 20;

/// The settings of every socket. The library's own would take 131 KiB for a read buffer and let a slow reader take any
/// amount of memory.
pub fn settings(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .read_buffer_size(1_024)
        .write_buffer_size(0)
        // A frame must fit in whole; the queue bounds how many there are.
        .max_write_buffer_size(2 * 1_024 * 1_024)
        // Read whole and then refused by name: an answer to a frame that is still coming in would be lost on the way.
        .max_message_size(READ_BYTES_MAX)
        .max_frame_size(READ_BYTES_MAX)
}

/// Says why, and closes.
pub async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
    let _gone = send_message(socket, Message::Close(Some(frame))).await;
}

/// Too large for a frame? Then it closes.
pub async fn is_too_large(socket: &mut WebSocket, message: &Message) -> bool {
    let bytes = match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) => bytes.len(),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => 0,
    };
    if bytes > FRAME_BYTES_MAX {
        close(socket, 1009, "the frame is larger than 64 KiB").await;
    }
    bytes > FRAME_BYTES_MAX
}

/// `GET /api/v1/live`.
pub async fn open(
    State(front): State<Front>,
    signed_in: SignedIn,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    // A browser lets any page open a socket to us, with our cookie.
    if !auth::is_ours(&headers, &front.config) {
        return Err(Problem::wrong_origin());
    }
    let live = front.live.clone();
    Ok(settings(upgrade).on_upgrade(move |socket| async move {
        let mut agent = AgentTask { front, live, who: signed_in.who, headers, at: None, bad: 0 };
        agent.run(socket).await;
    }))
}

struct AgentTask {
    front: Front,
    live: Live,
    who: Who,
    headers: HeaderMap,
    at: Option<(ConversationId, Doing)>,
    bad: u32,
}

impl AgentTask {
    async fn run(&mut self, mut socket: WebSocket) {
        let Some(position) = hello(&mut socket).await else { return };
        let (sender, mut waiting) = queue();
        let registered = self.live.add_agent(&self.who, AgentSocket { agent: self.who.agent, queue: sender }).await;
        let Ok((number, head)) = registered else { return };
        if Box::pin(self.begin(&mut socket, position, head)).await.is_ok() {
            self.serve(&mut socket, &mut waiting).await;
        }
        self.leave();
        self.live.remove_agent(&self.who, number);
    }

    async fn begin(&self, socket: &mut WebSocket, position: Option<i64>, head: i64) -> Result<(), ()> {
        let welcome = LiveServerFrame::Welcome {
            change_seq: head,
            agent_id: self.who.agent,
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        send(socket, super::text(&welcome)).await?;
        // What happened while this client was away, so that it is not stale until the next change.
        if let Some(position) = position.filter(|position| *position < head) {
            for frame in self.live.missed(&self.who, position).await {
                send(socket, frame).await?;
            }
        }
        for frame in self.live.presence_of(&self.who).await {
            send(socket, frame).await?;
        }
        Ok(())
    }

    async fn serve(&mut self, socket: &mut WebSocket, waiting: &mut super::hub::Waiting) {
        let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut closing = self.live.closing();
        let mut heard = Instant::now();
        loop {
            let done = tokio::select! {
                next = waiting.next() => match next {
                    Some(Next::Frame(frame)) => send(socket, frame).await,
                    Some(Next::Lost) => send(socket, super::text(&LiveServerFrame::Resync)).await,
                    None => Err(()),
                },
                message = socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(message)) if is_too_large(socket, &message).await => Err(()),
                        Some(Ok(Message::Text(text))) => Box::pin(self.take(socket, &text)).await,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                        Some(Ok(Message::Binary(_))) => self.bad(socket).await,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(()),
                    }
                }
                _ = ping.tick() => {
                    if heard.elapsed() > GONE_AFTER || !Box::pin(self.is_signed_in()).await {
                        Err(())
                    } else {
                        send_message(socket, Message::Ping(bytes::Bytes::new())).await
                    }
                }
                () = super::closed(&mut closing) => {
                    close(socket, 1012, "the server stops").await;
                    Err(())
                }
            };
            if done.is_err() {
                return;
            }
        }
    }

    // Signing out elsewhere, or leaving the business, ends the socket too, though not at once.
    async fn is_signed_in(&self) -> bool {
        match auth::find(&self.front, &self.headers).await {
            Ok(found) => found.is_some_and(|found| found.who.agent == self.who.agent),
            // The store is busy: that is no reason to throw anybody out.
            Err(problem) => problem.status == 503,
        }
    }

    async fn take(&mut self, socket: &mut WebSocket, text: &str) -> Result<(), ()> {
        let Ok(frame) = serde_json::from_str::<LiveClientFrame>(text) else { return self.bad(socket).await };
        match frame {
            LiveClientFrame::Hello { .. } => Ok(()),
            LiveClientFrame::Ping => send(socket, super::text(&LiveServerFrame::Pong)).await,
            LiveClientFrame::Beat { conversation_id, doing } => {
                self.beat(conversation_id.zip(doing)).await;
                Ok(())
            }
        }
    }

    async fn beat(&mut self, at: Option<(ConversationId, Doing)>) {
        let moved = self.at.map(|(id, _)| id) != at.map(|(id, _)| id);
        if moved {
            self.leave();
            if let Some((id, _)) = at
                && !self.live.may_see(&self.who, id).await
            {
                return;
            }
        }
        self.at = at;
        if let Some((id, doing)) = at {
            self.live.beat(&self.who, id, Some(doing));
        }
    }

    fn leave(&mut self) {
        if let Some((id, _)) = self.at.take() {
            self.live.beat(&self.who, id, None);
        }
    }

    async fn bad(&mut self, socket: &mut WebSocket) -> Result<(), ()> {
        self.bad += 1;
        if self.bad < BAD_FRAMES_MAX {
            return Ok(());
        }
        close(socket, 1008, "too many frames that are none").await;
        Err(())
    }
}

// The first frame must be a hello. The inner option is the client's position.
async fn hello(socket: &mut WebSocket) -> Option<Option<i64>> {
    let first = tokio::time::timeout(HELLO_WITHIN, socket.recv()).await.ok()??.ok()?;
    let Message::Text(text) = first else { return None };
    match serde_json::from_str(&text) {
        Ok(LiveClientFrame::Hello { change_seq }) => Some(change_seq),
        _ => None,
    }
}

async fn send_message(socket: &mut WebSocket, message: Message) -> Result<(), ()> {
    match tokio::time::timeout(super::SEND_WITHIN, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(()),
    }
}
