//! The visitor's socket: one task, a small buffer, nothing of the visitor's text kept.

use super::items::{Viewer, items_of};
use super::site::{self, Known, Site};
use super::take;
use crate::Front;
use crate::body::Path;
use crate::error::Problem;
use crate::front::Caller;
use crate::live::hub::{Next, VisitorSocket, Waiting, queue};
use crate::live::socket::{BAD_FRAMES_MAX, GONE_AFTER, HELLO_WITHIN, PING_EVERY, close, is_too_large, settings};
use crate::live::{feed, send, text};
use crate::types::file::Files;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use channel_webchat::frames::ByeCode;
use channel_webchat::{ClientFrame, ServerFrame};
use desk::view::visitor;
use http::HeaderMap;
use model::{ConversationId, InboxId, WorkspaceId};
use store::StoreError;
use store::conversation::Conversation;
use tokio::time::Instant;

/// Entries of one read of a resume; more are read after that.
const RESUME_COUNT: i64 = 200;
/// More reads than this and the client begins again instead.
const RESUME_READS_MAX: usize = 100;

/// `GET /w/:site/socket`.
pub async fn open(
    State(front): State<Front>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    from: Caller,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    let site = site::find(&front, &slug).await?;
    site::check(&front, &site, &headers, &from)?;
    let (workspace, inbox) = (site.workspace, site.inbox());
    drop(site);
    Ok(settings(upgrade).on_upgrade(move |socket| async move {
        let mut task = SocketTask { front, workspace, inbox, bad: 0 };
        task.run(socket).await;
    }))
}

/// A visitor who is connected, by whatever transport.
pub struct Visit {
    workspace: WorkspaceId,
    inbox: InboxId,
    /// Who.
    pub known: Known,
    names: bool,
    number: u64,
}

impl Visit {
    /// Registers the visitor; news gather in the queue from now on.
    pub async fn begin(front: &Front, site: Site, known: Known) -> Result<(Self, Waiting), Problem> {
        let workspace = site.workspace;
        let head = front.desk.db.read(move |tx| store::event_log::head(tx, workspace)).await?;
        let (sender, waiting) = queue();
        let account = known.account(front.desk.now()).map(|id| feed::account_key(&id).into_boxed_str());
        let socket = VisitorSocket {
            inbox: site.inbox(),
            visitor: known.token.visitor_id.as_str().into(),
            account,
            chat: None,
            names: site.settings.show_agents,
            queue: sender,
        };
        let number = front.live.hub().add_visitor(workspace, socket, head);
        let names = site.settings.show_agents;
        Ok((Self { workspace, inbox: site.inbox(), known, names, number }, waiting))
    }

    /// Forgets the visitor.
    pub fn end(&self, front: &Front) {
        let left = front.live.hub().remove_visitor(self.workspace, self.number);
        if let Some(conversation) = left {
            front.live.customer_left(self.workspace, conversation);
        }
    }
}

/// The answer to a hello: a welcome, and everything after `since` of the conversation that the client knows; of another one,
/// everything.
pub async fn first_frames(
    front: &Front,
    visit: &mut Visit,
    conversation: Option<ConversationId>,
    since: i64,
) -> Result<Vec<Utf8Bytes>, Problem> {
    let now = front.desk.now();
    let (workspace, who) = (visit.workspace, visit.known.visitor(visit.inbox, now));
    let chat = front.desk.db.read(move |tx| visitor::chat(tx, workspace, &who)).await?.conversation;
    let id = chat.as_ref().map(|chat| chat.id);
    // Registered before the state is read, so that nothing falls between the two.
    if let Some(visitors) = front.live.hub().visitors.get_mut(&workspace) {
        visitors.set_chat(visit.number, id);
    }
    let chat = match id {
        Some(id) => front.desk.db.read(move |tx| store::conversation::find(tx, workspace, id)).await?,
        None => None,
    };
    let welcome = ServerFrame::Welcome {
        conversation: id,
        seq: chat.as_ref().map_or(0, |chat| chat.seq),
        server_time: now,
        online: front.live.doors().known_online(visit.inbox),
    };
    let mut frames = vec![text(&welcome)];
    let Some(chat) = chat else { return Ok(frames) };
    front.live.customer(workspace, &chat, bus::Doing::Viewing);
    let since = if conversation == Some(chat.id) || conversation.is_none() { since } else { 0 };
    frames.extend(resume(front, visit, chat.id, since).await?);
    Ok(frames)
}

// Reads in steps, each of one moment; what changes between two of them is in the later one.
async fn resume(front: &Front, visit: &Visit, id: ConversationId, since: i64) -> Result<Vec<Utf8Bytes>, Problem> {
    let workspace = visit.workspace;
    let files = Files::new(&front.desk, workspace);
    let mut frames = Vec::new();
    let mut at = since;
    for _ in 0..RESUME_READS_MAX {
        let read = front
            .desk
            .db
            .read(move |tx| -> Result<Option<(Conversation, Vec<store::entry::Entry>, i64)>, StoreError> {
                let Some(row) = store::conversation::find(tx, workspace, id)? else { return Ok(None) };
                if at >= row.seq {
                    return Ok(None);
                }
                let (mut entries, upto) = visitor::since(tx, workspace, &row, at, RESUME_COUNT)?;
                if upto >= row.seq && row.unread_count == 0 {
                    // The customer's last entry may have been read meanwhile without having changed itself.
                    let last = store::entry::latest_inbound(tx, workspace, id)?;
                    entries.extend(last.filter(|last| visitor::shows(last) && !entries.iter().any(|known| known.id == last.id)));
                }
                Ok(Some((row, entries, upto)))
            })
            .await?;
        let Some((row, entries, upto)) = read else { return Ok(frames) };
        let items = items_of(&entries, &row, &files, Viewer { names: visit.names });
        frames.extend(crate::live::frames_of(&Conversation { seq: upto, ..row.clone() }, at, &entries, items));
        at = upto;
        if at >= row.seq {
            return Ok(frames);
        }
    }
    Ok(vec![text(&ServerFrame::Resync)])
}

struct SocketTask {
    front: Front,
    workspace: WorkspaceId,
    inbox: InboxId,
    bad: u32,
}

impl SocketTask {
    async fn run(&mut self, mut socket: WebSocket) {
        let Some((known, conversation, since)) = Box::pin(self.hello(&mut socket)).await else { return };
        let Ok((mut visit, mut waiting)) = Box::pin(self.register(known)).await else { return };
        if Box::pin(self.greet(&mut socket, &mut visit, conversation, since)).await.is_ok() {
            self.serve(&mut socket, &mut visit, &mut waiting).await;
        }
        visit.end(&self.front);
    }

    async fn register(&self, known: Known) -> Result<(Visit, Waiting), Problem> {
        let site = site::of_inbox(&self.front, self.workspace, self.inbox).await?;
        Visit::begin(&self.front, site, known).await
    }

    async fn greet(
        &self,
        socket: &mut WebSocket,
        visit: &mut Visit,
        conversation: Option<ConversationId>,
        since: i64,
    ) -> Result<(), ()> {
        for frame in first_frames(&self.front, visit, conversation, since).await.map_err(drop)? {
            send(socket, frame).await?;
        }
        Ok(())
    }

    async fn hello(&mut self, socket: &mut WebSocket) -> Option<(Known, Option<ConversationId>, i64)> {
        let until = Instant::now() + HELLO_WITHIN;
        loop {
            let message = tokio::time::timeout_at(until, socket.recv()).await.ok()??.ok()?;
            if is_too_large(socket, &message).await {
                return None;
            }
            let bytes = match &message {
                Message::Text(text) => text.as_bytes(),
                Message::Binary(bytes) => bytes,
                Message::Ping(_) | Message::Pong(_) => continue,
                Message::Close(_) => return None,
            };
            match ClientFrame::parse(bytes) {
                Ok(ClientFrame::Hello { token, conversation, since_seq }) => {
                    let site = site::of_inbox(&self.front, self.workspace, self.inbox).await.ok()?;
                    match site::read_token(&self.front, &site, &token, self.front.desk.now()) {
                        Ok(known) => return Some((known, conversation, since_seq)),
                        Err(_) => {
                            let _ = send(socket, text(&ServerFrame::Bye { code: ByeCode::BadToken })).await;
                            return None;
                        }
                    }
                }
                Ok(_) => self.refuse(socket, &channel_webchat::FrameError::bad("say hello first")).await.ok()?,
                Err(error) => self.refuse(socket, &error).await.ok()?,
            }
        }
    }

    async fn serve(&mut self, socket: &mut WebSocket, visit: &mut Visit, waiting: &mut Waiting) {
        let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let mut closing = self.front.live.closing();
        let mut heard = Instant::now();
        loop {
            let done = tokio::select! {
                next = waiting.next() => match next {
                    Some(Next::Frame(frame)) => send(socket, frame).await,
                    Some(Next::Lost) => send(socket, text(&ServerFrame::Resync)).await,
                    None => Err(()),
                },
                message = socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(message)) if is_too_large(socket, &message).await => Err(()),
                        Some(Ok(Message::Text(frame))) => Box::pin(self.take(socket, visit, frame.as_bytes())).await,
                        Some(Ok(Message::Binary(frame))) => Box::pin(self.take(socket, visit, &frame)).await,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(()),
                    }
                }
                _ = ping.tick() => {
                    if heard.elapsed() > GONE_AFTER {
                        Err(())
                    } else {
                        socket.send(Message::Ping(bytes::Bytes::new())).await.map_err(drop)
                    }
                }
                () = crate::live::closed(&mut closing) => {
                    let _ = send(socket, text(&ServerFrame::Bye { code: ByeCode::Shutdown })).await;
                    Err(())
                }
            };
            if done.is_err() {
                return;
            }
        }
    }

    async fn take(&mut self, socket: &mut WebSocket, visit: &mut Visit, bytes: &[u8]) -> Result<(), ()> {
        let frame = match ClientFrame::parse(bytes) {
            Ok(ClientFrame::Hello { token, conversation, since_seq }) => {
                return self.hello_again(socket, visit, &token, conversation, since_seq).await;
            }
            Ok(frame) => frame,
            Err(error) => return self.refuse(socket, &error).await,
        };
        let site = match site::of_inbox(&self.front, self.workspace, self.inbox).await {
            Ok(site) => site,
            // The inbox was switched off: begin again says so in words.
            Err(problem) if problem.status == 404 => return send(socket, text(&ServerFrame::Resync)).await,
            Err(_) => return self.busy(socket, &frame).await,
        };
        match take::take(&self.front, &site, &visit.known, frame).await {
            Some(answer) => send(socket, text(&answer)).await,
            None => Ok(()),
        }
    }

    async fn busy(&self, socket: &mut WebSocket, frame: &ClientFrame) -> Result<(), ()> {
        let error = channel_webchat::FrameError::new(channel_webchat::frames::RefusedCode::Busy, "the server is busy");
        send(socket, text(&error.of(frame.client_msg_id().map(str::to_owned)).into_frame())).await
    }

    // A gap was noticed, or the page was signed in or out: the same as a new socket, without its cost.
    async fn hello_again(
        &mut self,
        socket: &mut WebSocket,
        visit: &mut Visit,
        token: &str,
        conversation: Option<ConversationId>,
        since: i64,
    ) -> Result<(), ()> {
        let site = site::of_inbox(&self.front, self.workspace, self.inbox).await.map_err(drop)?;
        let known = site::read_token(&self.front, &site, token, self.front.desk.now());
        match known {
            Ok(known) if known.token.visitor_id == visit.known.token.visitor_id => {
                visit.known = known;
                self.greet(socket, visit, conversation, since).await
            }
            // Another visitor belongs on another socket, so that no frame of one reaches the other.
            _ => {
                let _ = send(socket, text(&ServerFrame::Bye { code: ByeCode::BadToken })).await;
                Err(())
            }
        }
    }

    async fn refuse(&mut self, socket: &mut WebSocket, error: &channel_webchat::FrameError) -> Result<(), ()> {
        send(socket, text(&error.clone().into_frame())).await?;
        self.bad += 1;
        if self.bad < BAD_FRAMES_MAX {
            return Ok(());
        }
        close(socket, 1008, "too many frames that are none").await;
        Err(())
    }
}
