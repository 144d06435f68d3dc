//! The sockets of this node: who is connected, what each waits for, and how news get into their queues. A queue never makes
//! anybody wait: when one is full it is marked, and its socket drops what is in it and tells the client to read again.

use axum::extract::ws::Utf8Bytes;
use desk::view::Sight;
use model::{AgentId, ConversationId, InboxId, Timestamp, WorkspaceId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

/// Frames that wait for a slow socket.
pub const QUEUE_MAX: usize = 64;
/// An agent counts as here for so long after the last socket closed: a reload is no absence.
pub const AGENT_GRACE_MS: i64 = 30_000;

/// The sending half of a socket's queue.
#[derive(Clone)]
pub struct Queue {
    frames: mpsc::Sender<Utf8Bytes>,
    lost: Arc<AtomicBool>,
}

/// The receiving half.
pub struct Waiting {
    frames: mpsc::Receiver<Utf8Bytes>,
    lost: Arc<AtomicBool>,
}

/// What comes out of a queue.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// A frame.
    Frame(Utf8Bytes),
    /// Some were lost, and the rest was thrown away.
    Lost,
}

/// A new queue.
pub fn queue() -> (Queue, Waiting) {
    let (sender, frames) = mpsc::channel(QUEUE_MAX);
    let lost = Arc::new(AtomicBool::new(false));
    (Queue { frames: sender, lost: Arc::clone(&lost) }, Waiting { frames, lost })
}

impl Queue {
    /// Puts a frame in; a full queue loses everything.
    pub fn push(&self, frame: Utf8Bytes) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.frames.try_send(frame) {
            self.lost.store(true, Ordering::Release);
        }
    }
}

impl Waiting {
    /// Waits for the next frame; `None` when nobody can send any more. May be dropped while waiting.
    pub async fn next(&mut self) -> Option<Next> {
        let frame = self.frames.recv().await?;
        if self.lost.swap(false, Ordering::AcqRel) {
            while self.frames.try_recv().is_ok() {}
            return Some(Next::Lost);
        }
        Some(Next::Frame(frame))
    }
}

/// A socket of an agent.
pub struct AgentSocket {
    /// Whose.
    pub agent: AgentId,
    /// Where news go.
    pub queue: Queue,
}

/// A socket (or event stream) of a visitor.
pub struct VisitorSocket {
    /// Inbox of the site.
    pub inbox: InboxId,
    /// Id in the visitor's token.
    pub visitor: Box<str>,
    /// The account that a signed token proved, in the form of `feed::account_key`.
    pub account: Option<Box<str>>,
    /// The conversation that it shows.
    pub chat: Option<ConversationId>,
    /// Whether agents are shown by name.
    pub names: bool,
    /// Where news go.
    pub queue: Queue,
}

impl VisitorSocket {
    fn keys(&self) -> impl Iterator<Item = (InboxId, Box<str>)> + '_ {
        std::iter::once(&self.visitor).chain(&self.account).map(|who| (self.inbox, who.clone()))
    }
}

/// The visitors of one workspace, findable by conversation and by who they are.
#[derive(Default)]
pub struct Visitors {
    sockets: HashMap<u64, VisitorSocket>,
    by_chat: HashMap<ConversationId, HashSet<u64>>,
    by_visitor: HashMap<(InboxId, Box<str>), HashSet<u64>>,
}

impl Visitors {
    /// Sockets that show this conversation.
    pub fn in_chat(&self, id: ConversationId) -> impl Iterator<Item = &VisitorSocket> {
        self.by_chat.get(&id).into_iter().flatten().filter_map(|socket| self.sockets.get(socket))
    }
    /// Everybody.
    pub fn all(&self) -> impl Iterator<Item = &VisitorSocket> {
        self.sockets.values()
    }
    /// Numbers of the sockets of a visitor.
    pub fn of(&self, inbox: InboxId, visitor: &str) -> Vec<u64> {
        self.by_visitor.get(&(inbox, visitor.into())).into_iter().flatten().copied().collect()
    }
    /// One socket.
    pub fn get(&self, socket: u64) -> Option<&VisitorSocket> {
        self.sockets.get(&socket)
    }
    fn add(&mut self, number: u64, socket: VisitorSocket) {
        for key in socket.keys() {
            self.by_visitor.entry(key).or_default().insert(number);
        }
        if let Some(chat) = socket.chat {
            self.by_chat.entry(chat).or_default().insert(number);
        }
        self.sockets.insert(number, socket);
    }
    fn remove(&mut self, number: u64) -> Option<VisitorSocket> {
        let socket = self.sockets.remove(&number)?;
        for key in socket.keys() {
            take_out(&mut self.by_visitor, &key, number);
        }
        if let Some(chat) = socket.chat {
            take_out(&mut self.by_chat, &chat, number);
        }
        Some(socket)
    }
    /// Another conversation is shown from now on. Gives the one before.
    pub fn set_chat(&mut self, number: u64, chat: Option<ConversationId>) -> Option<ConversationId> {
        let socket = self.sockets.get_mut(&number)?;
        let before = std::mem::replace(&mut socket.chat, chat);
        if let Some(before) = before {
            take_out(&mut self.by_chat, &before, number);
        }
        if let Some(chat) = chat {
            self.by_chat.entry(chat).or_default().insert(number);
        }
        before
    }
}

fn take_out<K: std::hash::Hash + Eq>(index: &mut HashMap<K, HashSet<u64>>, key: &K, number: u64) {
    if let Some(set) = index.get_mut(key) {
        set.remove(&number);
        if set.is_empty() {
            index.remove(key);
        }
    }
}

/// How far the feed of a workspace has been read, and what is kept between reads.
#[derive(Default)]
pub struct Feed {
    /// Everything up to here was handed out.
    pub last: i64,
    /// What the connected agents may see; read again when people or inboxes change.
    pub sights: HashMap<AgentId, Sight>,
    /// Numbers beside views may have changed since they were sent.
    pub counts_due: bool,
    /// The numbers that each agent was sent last.
    pub counts: HashMap<AgentId, String>,
    /// Somebody came, left or changed availability.
    pub availability_due: bool,
}

/// Everybody who is connected to this node.
#[derive(Default)]
pub struct Hub {
    next: u64,
    /// Sockets of agents.
    pub agents: HashMap<WorkspaceId, HashMap<u64, AgentSocket>>,
    /// Sockets of visitors.
    pub visitors: HashMap<WorkspaceId, Visitors>,
    /// Feeds of workspaces with sockets.
    pub feeds: HashMap<WorkspaceId, Feed>,
    left_at: HashMap<(WorkspaceId, AgentId), Timestamp>,
    told_typing: HashMap<(WorkspaceId, ConversationId), AgentId>,
}

impl Hub {
    /// Registers an agent's socket; `head` is where the feed begins if this is the first socket of the workspace.
    pub fn add_agent(&mut self, workspace: WorkspaceId, socket: AgentSocket, head: i64) -> u64 {
        let number = self.number();
        let feed = self.feeds.entry(workspace).or_insert_with(|| Feed { last: head, ..Feed::default() });
        feed.counts_due = true;
        feed.availability_due = true;
        feed.counts.remove(&socket.agent);
        self.agents.entry(workspace).or_default().insert(number, socket);
        number
    }

    /// Registers a visitor's socket.
    pub fn add_visitor(&mut self, workspace: WorkspaceId, socket: VisitorSocket, head: i64) -> u64 {
        let number = self.number();
        self.feeds.entry(workspace).or_insert_with(|| Feed { last: head, ..Feed::default() });
        self.visitors.entry(workspace).or_default().add(number, socket);
        number
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Forgets an agent's socket.
    pub fn remove_agent(&mut self, workspace: WorkspaceId, number: u64, now: Timestamp) {
        if let Some(socket) = self.agents.get_mut(&workspace).and_then(|all| all.remove(&number)) {
            self.left_at.insert((workspace, socket.agent), now);
            if let Some(feed) = self.feeds.get_mut(&workspace) {
                feed.availability_due = true;
            }
        }
        self.left_at.retain(|_, at| now.since(*at) <= AGENT_GRACE_MS);
        self.tidy(workspace);
    }

    /// Forgets a visitor's socket. Gives the conversation that it was the last to show.
    pub fn remove_visitor(&mut self, workspace: WorkspaceId, number: u64) -> Option<ConversationId> {
        let visitors = self.visitors.get_mut(&workspace)?;
        let chat = visitors.remove(number)?.chat;
        let left = chat.filter(|chat| !visitors.by_chat.contains_key(chat));
        self.tidy(workspace);
        left
    }

    fn tidy(&mut self, workspace: WorkspaceId) {
        self.agents.retain(|_, all| !all.is_empty());
        self.visitors.retain(|_, all| !all.sockets.is_empty());
        if !self.agents.contains_key(&workspace) && !self.visitors.contains_key(&workspace) {
            self.feeds.remove(&workspace);
        }
    }

    /// Agents with a socket, or who had one a moment ago.
    pub fn agents_here(&self, workspace: WorkspaceId, now: Timestamp) -> HashSet<AgentId> {
        let connected = self.agents.get(&workspace).into_iter().flat_map(|all| all.values().map(|socket| socket.agent));
        let just_left = self.left_at.iter().filter(|((at, _), left)| *at == workspace && now.since(**left) <= AGENT_GRACE_MS);
        connected.chain(just_left.map(|((_, agent), _)| *agent)).collect()
    }

    /// Agents with a socket now.
    pub fn agents_connected(&self, workspace: WorkspaceId) -> HashSet<AgentId> {
        self.agents.get(&workspace).into_iter().flat_map(|all| all.values().map(|socket| socket.agent)).collect()
    }

    /// Is a widget open that shows this conversation?
    pub fn shows(&self, workspace: WorkspaceId, chat: ConversationId) -> bool {
        self.visitors.get(&workspace).is_some_and(|visitors| visitors.by_chat.contains_key(&chat))
    }

    /// The agent whom the visitor was told to be writing.
    pub fn told_typing(&self, place: (WorkspaceId, ConversationId)) -> Option<AgentId> {
        self.told_typing.get(&place).copied()
    }

    /// Notes what the visitor was told.
    pub fn set_told_typing(&mut self, place: (WorkspaceId, ConversationId), writer: Option<AgentId>) {
        match writer {
            Some(agent) => self.told_typing.insert(place, agent),
            None => self.told_typing.remove(&place),
        };
    }

    /// How many sockets of agents and of visitors there are.
    pub fn count(&self) -> (usize, usize) {
        let agents = self.agents.values().map(HashMap::len).sum();
        (agents, self.visitors.values().map(|visitors| visitors.sockets.len()).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: WorkspaceId = WorkspaceId(1);

    fn visitor(chat: Option<i64>) -> VisitorSocket {
        let account = Some("account:7".into());
        VisitorSocket {
            inbox: InboxId(5),
            visitor: "vis_a".into(),
            account,
            chat: chat.map(ConversationId),
            names: true,
            queue: queue().0,
        }
    }

    #[tokio::test]
    async fn a_full_queue_loses_everything_and_says_so_once() {
        let (sender, mut waiting) = queue();
        for n in 0..QUEUE_MAX + 3 {
            sender.push(Utf8Bytes::from(n.to_string()));
        }
        assert_eq!(waiting.next().await, Some(Next::Lost));
        sender.push(Utf8Bytes::from_static("after"));
        assert_eq!(waiting.next().await, Some(Next::Frame(Utf8Bytes::from_static("after"))));
        drop(sender);
        assert_eq!(waiting.next().await, None);
    }

    #[test]
    fn visitors_are_found_by_conversation_and_by_who_they_are() {
        let mut hub = Hub::default();
        let (a, b) = (hub.add_visitor(HOME, visitor(None), 3), hub.add_visitor(HOME, visitor(Some(7)), 9));
        assert_eq!(hub.feeds[&HOME].last, 3, "the first socket begins the feed");
        let visitors = hub.visitors.get_mut(&HOME).unwrap();
        let mut both = visitors.of(InboxId(5), "vis_a");
        both.sort_unstable();
        assert_eq!(both, [a, b]);
        assert!(visitors.of(InboxId(6), "vis_a").is_empty());
        assert_eq!(visitors.of(InboxId(5), "account:7").len(), 2);
        assert_eq!(visitors.set_chat(a, Some(ConversationId(7))), None);
        assert_eq!(visitors.in_chat(ConversationId(7)).count(), 2);
        assert_eq!(hub.remove_visitor(HOME, a), None, "another one still shows it");
        assert_eq!(hub.remove_visitor(HOME, b), Some(ConversationId(7)));
        assert!(hub.feeds.is_empty() && hub.visitors.is_empty());
        assert_eq!(hub.remove_visitor(HOME, b), None);
    }

    #[test]
    fn an_agent_who_reloads_is_still_here() {
        let mut hub = Hub::default();
        let now = Timestamp(1_000_000);
        let number = hub.add_agent(HOME, AgentSocket { agent: AgentId(2), queue: queue().0 }, 0);
        hub.remove_agent(HOME, number, now);
        assert!(hub.agents_connected(HOME).is_empty());
        assert!(hub.agents_here(HOME, now.plus_ms(AGENT_GRACE_MS)).contains(&AgentId(2)));
        assert!(hub.agents_here(HOME, now.plus_ms(AGENT_GRACE_MS + 1)).is_empty());
    }
}
