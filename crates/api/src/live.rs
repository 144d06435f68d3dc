//! Live updates: one task per node reads the change feed of every workspace with sockets, once per change, and hands each
//! socket what its agent or visitor may see. Wake-ups come from the bus; a sweep every two seconds catches what was missed.
//! Frames carry `prev` and `upto`, so a client notices a gap by itself and reads `GET /changes`.

pub mod feed;
pub mod hub;
pub mod presence;
pub mod socket;
mod visitors;

pub(crate) use visitors::frames_of;

use crate::Front;
use crate::types::conversation::ViewCount;
use crate::types::file::Files;
use crate::types::live::{ChangesPage, Doing, LiveItem, LiveServerFrame, Presence};
use crate::widget::Doors;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use axum::routing::get;
use desk::view::{Sight, counts};
use desk::{Desk, Who};
use feed::{Batch, Eye, Piece};
use hub::{AgentSocket, Hub};
use model::{AgentId, ConversationId, WorkspaceId};
use presence::Presences;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{Conn, StoreError};
use tokio::sync::watch;
use tokio::time::Instant;

/// Heads are compared this often.
const SWEEP_EVERY: Duration = Duration::from_secs(2);
/// Presence is tidied and counts go out this often.
const TICK_EVERY: Duration = Duration::from_millis(500);
/// Reads closer together than this are gathered.
const GATHER: Duration = Duration::from_millis(20);
/// A frame is cut near this size: browsers and proxies like small ones.
const FRAME_BYTES: usize = 48 * 1024;
/// A client that takes longer to read one frame is gone.
const SEND_WITHIN: Duration = Duration::from_secs(20);

/// The live side of this node. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    desk: Desk,
    hub: Mutex<Hub>,
    presences: Mutex<Presences>,
    doors: Doors,
    closing: watch::Sender<bool>,
}

/// Route of the agents' socket.
pub fn router() -> Router<Front> {
    Router::new().route("/live", get(socket::open))
}

impl Live {
    /// Nobody is connected yet.
    pub fn new(desk: &Desk) -> Self {
        Self(Arc::new(Inner {
            desk: desk.clone(),
            hub: Mutex::default(),
            presences: Mutex::default(),
            doors: Doors::default(),
            closing: watch::Sender::new(false),
        }))
    }

    /// The desk that it reads from.
    pub fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// What stands before the widget: rates and caches.
    pub(crate) fn doors(&self) -> &Doors {
        &self.0.doors
    }

    pub(crate) fn hub(&self) -> MutexGuard<'_, Hub> {
        self.0.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn presences(&self) -> MutexGuard<'_, Presences> {
        self.0.presences.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends every socket: before the HTTP server stops, which waits for them.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.0.closing.subscribe()
    }

    /// How many sockets of agents and of visitors are open.
    pub fn count(&self) -> (usize, usize) {
        self.hub().count()
    }

    /// Reads the feed and hands news out until `stopped`.
    pub async fn run(&self, stopped: impl Future<Output = ()>) {
        let mut changes = self.0.desk.bus.listen(None);
        let mut presence = self.0.desk.bus.listen_presence(None);
        let mut sweep = tokio::time::interval(SWEEP_EVERY);
        let mut tick = tokio::time::interval(TICK_EVERY);
        let mut due: BTreeSet<WorkspaceId> = BTreeSet::new();
        let mut read_at = Instant::now();
        let mut stopped = std::pin::pin!(stopped);
        loop {
            tokio::select! {
                () = &mut stopped => return,
                heard = changes.next() => match heard {
                    Some(bus::Heard::News(change)) => {
                        if self.hub().feeds.get(&change.workspace).is_some_and(|feed| feed.last < change.change_seq) {
                            due.insert(change.workspace);
                        }
                    }
                    Some(bus::Heard::ReadAgain) => due.extend(self.hub().feeds.keys()),
                    None => return,
                },
                heard = presence.next() => match heard {
                    Some(bus::Heard::News(news)) => self.heard_of(news).await,
                    Some(bus::Heard::ReadAgain) => {}
                    None => return,
                },
                () = tokio::time::sleep_until(read_at + GATHER), if !due.is_empty() => {
                    for workspace in std::mem::take(&mut due) {
                        self.pump(workspace).await;
                    }
                    read_at = Instant::now();
                }
                _ = sweep.tick() => due.extend(self.behind().await),
                _ = tick.tick() => self.tick().await,
            }
        }
    }

    /// Workspaces whose feed has not been read to the end.
    async fn behind(&self) -> Vec<WorkspaceId> {
        if self.hub().feeds.is_empty() {
            return Vec::new();
        }
        let heads = match self.0.desk.db.read(store::event_log::all_heads).await {
            Ok(heads) => heads,
            Err(error) => {
                tracing::warn!(%error, "the heads of the feed cannot be read; trying again");
                return Vec::new();
            }
        };
        let hub = self.hub();
        heads
            .into_iter()
            .filter(|(workspace, head)| hub.feeds.get(workspace).is_some_and(|feed| feed.last < *head))
            .map(|(workspace, _)| workspace)
            .collect()
    }

    async fn pump(&self, workspace: WorkspaceId) {
        loop {
            match self.read_on(workspace).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    // The sweep comes back to it.
                    tracing::warn!(%error, "the change feed cannot be read; trying again");
                    return;
                }
            }
        }
    }

    // Reads one batch and hands it out; true when there is more.
    async fn read_on(&self, workspace: WorkspaceId) -> Result<bool, StoreError> {
        let (since, known) = {
            let hub = self.hub();
            let Some(feed) = hub.feeds.get(&workspace) else { return Ok(false) };
            let known: HashMap<AgentId, Option<Sight>> =
                hub.agents_connected(workspace).into_iter().map(|agent| (agent, feed.sights.get(&agent).cloned())).collect();
            (feed.last, known)
        };
        let (batch, eyes, sights) = self
            .0
            .desk
            .db
            .read(move |tx| -> Result<_, StoreError> {
                let batch = feed::read(tx, workspace, since)?;
                let mut sights = HashMap::new();
                let mut eyes = Vec::new();
                for (agent, sight) in &known {
                    let fresh = batch.touched.agents || batch.touched.inboxes;
                    let sight = match sight.as_ref().filter(|_| !fresh) {
                        Some(sight) => Some(sight.clone()),
                        None => sight_of(tx, workspace, *agent)?,
                    };
                    let Some(sight) = sight else { continue };
                    eyes.push(Eye::load(tx, workspace, &sight, &batch)?);
                    sights.insert(*agent, sight);
                }
                Ok((batch, eyes, sights))
            })
            .await?;
        if batch.head - batch.prev > feed::BEHIND_MAX {
            self.resync_all(workspace, batch.head);
            return Ok(false);
        }
        self.hand_out(workspace, &batch, &eyes);
        self.hand_out_to_visitors(workspace, &batch);
        let mut hub = self.hub();
        if let Some(feed) = hub.feeds.get_mut(&workspace) {
            feed.last = batch.upto;
            feed.sights = sights;
            feed.counts_due |= batch.touched.counts;
            feed.availability_due |= batch.touched.agents || batch.touched.inboxes || batch.touched.workspace;
        }
        Ok(batch.upto < batch.head)
    }

    fn hand_out(&self, workspace: WorkspaceId, batch: &Batch, eyes: &[Eye]) {
        let files = Files::new(&self.0.desk, workspace);
        let mut writer = Writer { batch, files: &files, written: HashMap::new(), frames: HashMap::new() };
        let frames: HashMap<AgentId, Vec<Utf8Bytes>> = eyes.iter().map(|eye| (eye.agent, writer.frames(eye))).collect();
        let hub = self.hub();
        for socket in hub.agents.get(&workspace).into_iter().flat_map(HashMap::values) {
            match frames.get(&socket.agent) {
                Some(frames) => frames.iter().for_each(|frame| socket.queue.push(frame.clone())),
                // Came while this was read, or may no longer sign in: an empty frame from here makes it ask for the rest.
                None => socket.queue.push(frame_text(batch.upto, batch.upto, "")),
            }
        }
    }

    fn resync_all(&self, workspace: WorkspaceId, head: i64) {
        let mut hub = self.hub();
        if let Some(feed) = hub.feeds.get_mut(&workspace) {
            feed.last = head;
            feed.sights.clear();
            feed.counts_due = true;
        }
        let (to_agents, to_visitors) = (text(&LiveServerFrame::Resync), text(&channel_webchat::ServerFrame::Resync));
        hub.agents.get(&workspace).into_iter().flat_map(HashMap::values).for_each(|socket| socket.queue.push(to_agents.clone()));
        hub.visitors
            .get(&workspace)
            .into_iter()
            .for_each(|all| all.all().for_each(|socket| socket.queue.push(to_visitors.clone())));
    }

    /// What an agent missed since a position, as frames; a resync when that is too much.
    pub(crate) async fn missed(&self, who: &Who, since: i64) -> Vec<Utf8Bytes> {
        let mut frames = Vec::new();
        let mut at = since;
        loop {
            match self.changes(who, at).await {
                Ok(Some(page)) => {
                    at = page.upto;
                    let more = page.more;
                    frames.push(text(&LiveServerFrame::Frame { prev: page.prev, upto: page.upto, items: page.items }));
                    if !more {
                        return frames;
                    }
                }
                Ok(None) | Err(_) => return vec![text(&LiveServerFrame::Resync)],
            }
        }
    }

    /// Changes after a position as one agent sees them; `None`: too far behind, or from another life of the database.
    pub async fn changes(&self, who: &Who, since: i64) -> Result<Option<ChangesPage>, StoreError> {
        let files = Files::new(&self.0.desk, who.workspace);
        let who = who.clone();
        self.0
            .desk
            .db
            .read(move |tx| -> Result<Option<ChangesPage>, StoreError> {
                let head = store::event_log::head(tx, who.workspace)?;
                if since < 0 || since > head || head - since > feed::BEHIND_MAX {
                    return Ok(None);
                }
                let batch = feed::read(tx, who.workspace, since)?;
                let sight = Sight::load(tx, &who)?;
                let eye = Eye::load(tx, who.workspace, &sight, &batch)?;
                let mut items: Vec<LiveItem> = batch.pieces(&eye).iter().map(|piece| batch.item(piece, &files)).collect();
                if batch.touched.counts {
                    items.push(LiveItem::Views { items: view_counts(tx, &who, &sight)? });
                }
                Ok(Some(ChangesPage { prev: batch.prev, upto: batch.upto, items, more: batch.upto < batch.head }))
            })
            .await
    }

    async fn tick(&self) {
        let changed = self.presences().expire(self.0.desk.now());
        for (workspace, conversation) in changed {
            self.tell_presence(workspace, conversation).await;
        }
        let due: Vec<(WorkspaceId, HashSet<AgentId>)> = {
            let mut hub = self.hub();
            let due: Vec<WorkspaceId> =
                hub.feeds.iter_mut().filter_map(|(id, feed)| std::mem::take(&mut feed.counts_due).then_some(*id)).collect();
            due.into_iter().map(|workspace| (workspace, hub.agents_connected(workspace))).collect()
        };
        for (workspace, agents) in due {
            if let Err(error) = self.tell_counts(workspace, agents).await {
                tracing::warn!(%error, "the numbers of the views cannot be read; the next change brings them");
            }
        }
        self.tell_availability().await;
    }

    async fn tell_counts(&self, workspace: WorkspaceId, agents: HashSet<AgentId>) -> Result<(), StoreError> {
        let all = self
            .0
            .desk
            .db
            .read(move |tx| -> Result<Vec<(AgentId, Vec<ViewCount>)>, StoreError> {
                let mut all = Vec::new();
                for agent in &agents {
                    if let (Some(who), Some(sight)) = (who_is(tx, workspace, *agent)?, sight_of(tx, workspace, *agent)?) {
                        all.push((*agent, view_counts(tx, &who, &sight)?));
                    }
                }
                Ok(all)
            })
            .await?;
        let mut hub = self.hub();
        let Hub { agents, feeds, .. } = &mut *hub;
        let Some(feed) = feeds.get_mut(&workspace) else { return Ok(()) };
        for (agent, items) in all {
            let item = json_text(&LiveItem::Views { items });
            if feed.counts.get(&agent) == Some(&item) {
                continue;
            }
            let frame = frame_text(feed.last, feed.last, &item);
            feed.counts.insert(agent, item);
            let sockets = agents.get(&workspace).into_iter().flat_map(HashMap::values).filter(|socket| socket.agent == agent);
            sockets.for_each(|socket| socket.queue.push(frame.clone()));
        }
        Ok(())
    }

    /// Registers an agent's socket; gives its number and the head of the log, read after that.
    pub(crate) async fn add_agent(&self, who: &Who, socket: AgentSocket) -> Result<(u64, i64), StoreError> {
        let workspace = who.workspace;
        let begin = self.0.desk.db.read(move |tx| store::event_log::head(tx, workspace)).await?;
        let number = self.hub().add_agent(workspace, socket, begin);
        match self.0.desk.db.read(move |tx| store::event_log::head(tx, workspace)).await {
            Ok(head) => Ok((number, head)),
            Err(error) => {
                self.remove_agent(who, number);
                Err(error)
            }
        }
    }

    pub(crate) fn remove_agent(&self, who: &Who, number: u64) {
        self.hub().remove_agent(who.workspace, number, self.0.desk.now());
    }

    /// May the agent see this conversation? A store that is busy says no.
    pub(crate) async fn may_see(&self, who: &Who, id: ConversationId) -> bool {
        let who = who.clone();
        let answer = self.0.desk.db.read(move |tx| -> Result<bool, StoreError> {
            let Some(conversation) = store::conversation::find(tx, who.workspace, id)? else { return Ok(false) };
            Sight::load(tx, &who)?.may_see(tx, who.workspace, &conversation)
        });
        answer.await.unwrap_or(false)
    }

    /// An agent does something in a conversation, or left it.
    pub(crate) fn beat(&self, who: &Who, id: ConversationId, doing: Option<Doing>) {
        let doing = match doing {
            Some(Doing::Viewing) => bus::Doing::Viewing,
            Some(Doing::TypingReply) => bus::Doing::TypingReply,
            Some(Doing::TypingNote) => bus::Doing::TypingNote,
            None => bus::Doing::Gone,
        };
        let news = bus::Presence { workspace: who.workspace, conversation: Some(id), who: bus::Who::Agent(who.agent), doing };
        self.0.desk.bus.gossip(news);
    }

    async fn heard_of(&self, news: bus::Presence) {
        let Some(conversation) = news.conversation else { return };
        let place = (news.workspace, conversation);
        let now = self.0.desk.now();
        let changed = match (news.who, news.doing) {
            (bus::Who::Agent(agent), doing) => {
                let doing = match doing {
                    bus::Doing::Viewing => Some(Doing::Viewing),
                    bus::Doing::TypingReply => Some(Doing::TypingReply),
                    bus::Doing::TypingNote => Some(Doing::TypingNote),
                    bus::Doing::Gone => None,
                };
                self.presences().agent(place, agent, doing, now)
            }
            (bus::Who::Contact(_), bus::Doing::TypingReply) => self.presences().typing(place, true, now),
            // Viewing: a widget is open and nobody writes in it. Gone: the last one was closed.
            (bus::Who::Contact(_), doing) => {
                self.desk().visitors.note(news.workspace, conversation, doing != bus::Doing::Gone, now);
                let mut presences = self.presences();
                let stopped = presences.typing(place, false, now);
                presences.online(place, doing != bus::Doing::Gone) || stopped
            }
        };
        if changed {
            self.tell_presence(news.workspace, conversation).await;
        }
    }

    async fn tell_presence(&self, workspace: WorkspaceId, id: ConversationId) {
        let here = self.presences().at((workspace, id));
        self.tell_typing(workspace, id).await;
        let seen_by = self.who_sees(workspace, id).await;
        let frame = presence_text(id, here);
        let hub = self.hub();
        for socket in hub.agents.get(&workspace).into_iter().flat_map(HashMap::values) {
            if seen_by.contains(&socket.agent) {
                socket.queue.push(frame.clone());
            }
        }
    }

    async fn who_sees(&self, workspace: WorkspaceId, id: ConversationId) -> HashSet<AgentId> {
        let (connected, known) = {
            let hub = self.hub();
            let known = hub.feeds.get(&workspace).map(|feed| feed.sights.clone()).unwrap_or_default();
            (hub.agents_connected(workspace), known)
        };
        if connected.is_empty() {
            return connected;
        }
        if connected.iter().all(|agent| known.get(agent).is_some_and(|sight| sight.everything)) {
            return connected;
        }
        let read = self.0.desk.db.read(move |tx| -> Result<HashSet<AgentId>, StoreError> {
            let mut seen_by = HashSet::new();
            let Some(conversation) = store::conversation::find(tx, workspace, id)? else { return Ok(seen_by) };
            for agent in &connected {
                if let Some(sight) = sight_of(tx, workspace, *agent)?
                    && sight.may_see(tx, workspace, &conversation)?
                {
                    seen_by.insert(*agent);
                }
            }
            Ok(seen_by)
        });
        read.await.unwrap_or_default()
    }

    /// The last widget that showed this conversation was closed.
    pub(crate) fn customer_left(&self, workspace: WorkspaceId, id: ConversationId) {
        let who = bus::Who::Contact(model::ContactId(0));
        self.0.desk.bus.gossip(bus::Presence { workspace, conversation: Some(id), who, doing: bus::Doing::Gone });
    }

    /// Presence of one conversation.
    pub fn presence_at(&self, workspace: WorkspaceId, id: ConversationId) -> Presence {
        self.presences().at((workspace, id))
    }

    /// Addresses of a customer at which a widget is open now.
    pub fn online_points(
        &self,
        workspace: WorkspaceId,
        view: &desk::view::contact::ContactView,
    ) -> HashSet<model::ContactPointId> {
        let hub = self.hub();
        let Some(visitors) = hub.visitors.get(&workspace) else { return HashSet::new() };
        let points = view.points.iter().filter(|shown| shown.point.key.kind == model::ContactPointKind::Visitor);
        points
            .filter(|shown| {
                let inbox = model::InboxId::parse(&shown.point.key.scope).ok();
                inbox.is_some_and(|inbox| !visitors.of(inbox, &shown.point.key.match_key).is_empty())
            })
            .map(|shown| shown.point.id)
            .collect()
    }

    /// Everything that a new socket has to know about presence.
    pub(crate) async fn presence_of(&self, who: &Who) -> Vec<Utf8Bytes> {
        let all = self.presences().all(who.workspace);
        let mut frames = Vec::new();
        for (id, here) in all.into_iter().take(500) {
            if self.may_see(who, id).await {
                frames.push(presence_text(id, here));
            }
        }
        frames
    }
}

// Writes each piece once and each list of pieces once.
struct Writer<'a> {
    batch: &'a Batch,
    files: &'a Files,
    written: HashMap<Piece, String>,
    frames: HashMap<Vec<Piece>, Vec<Utf8Bytes>>,
}

impl Writer<'_> {
    fn frames(&mut self, eye: &Eye) -> Vec<Utf8Bytes> {
        let pieces = self.batch.pieces(eye);
        if let Some(frames) = self.frames.get(&pieces) {
            return frames.clone();
        }
        let mut frames = Vec::new();
        let mut items = String::new();
        for piece in &pieces {
            let item = self.written.entry(piece.clone()).or_insert_with(|| json_text(&self.batch.item(piece, self.files)));
            if !items.is_empty() && items.len() + item.len() > FRAME_BYTES {
                // All but the last frame leave the position where it was, so that a cut between them is noticed.
                frames.push(frame_text(self.batch.prev, self.batch.prev, &items));
                items.clear();
            }
            if !items.is_empty() {
                items.push(',');
            }
            items.push_str(item);
        }
        frames.push(frame_text(self.batch.prev, self.batch.upto, &items));
        self.frames.insert(pieces, frames.clone());
        frames
    }
}

fn frame_text(prev: i64, upto: i64, items: &str) -> Utf8Bytes {
    Utf8Bytes::from(format!("{{\"kind\":\"frame\",\"prev\":{prev},\"upto\":{upto},\"items\":[{items}]}}"))
}

fn presence_text(id: ConversationId, here: Presence) -> Utf8Bytes {
    text(&LiveServerFrame::Presence { conversation_id: id, agents: here.agents, customer: here.customer })
}

pub(crate) fn json_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("frames are plain JSON")
}

pub(crate) fn text(value: &impl Serialize) -> Utf8Bytes {
    Utf8Bytes::from(json_text(value))
}

pub(crate) async fn send(socket: &mut WebSocket, frame: Utf8Bytes) -> Result<(), ()> {
    match tokio::time::timeout(SEND_WITHIN, socket.send(Message::Text(frame))).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(()),
    }
}

/// Returns when the server stops.
pub(crate) async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the end as well.
    let _gone = closing.wait_for(|closing| *closing).await;
}

fn view_counts(tx: &mut dyn Conn, who: &Who, sight: &Sight) -> Result<Vec<ViewCount>, StoreError> {
    Ok(counts::built_in(tx, who, sight)?.into_iter().map(ViewCount::from).collect())
}

fn who_is(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<Option<Who>, StoreError> {
    let found = store::agent::find(tx, workspace, agent)?.filter(|agent| agent.archived_at.is_none());
    Ok(found.map(|found| Who { workspace, agent, name: found.name, role: found.role }))
}

fn sight_of(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<Option<Sight>, StoreError> {
    match who_is(tx, workspace, agent)? {
        Some(who) => Sight::load(tx, &who).map(Some),
        None => Ok(None),
    }
}
