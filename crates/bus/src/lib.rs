//! Wakes workers and browsers: in one process for now. Carries ids and numbers only, never content, and is never the
//! truth: losing every message may only cost seconds, because workers poll and browsers compare numbers.
//!
//! In: what somebody committed or is doing right now. Out: the same to whoever listens, or "read again" when a
//! listener was too slow. Another back end (NATS, for several nodes) is another variant of `Back`.

use model::{AgentId, ContactId, ConversationId, InboxId, WorkspaceId};
use std::sync::Arc;
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};

/// How many messages a slow listener may be behind before it has to read again.
const BEHIND_MAX: usize = 1_024;

/// Something was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// Where.
    pub workspace: WorkspaceId,
    /// In which inbox, when it was in one.
    pub inbox: Option<InboxId>,
    /// The highest `change_seq` of the commit.
    pub change_seq: i64,
}

/// Jobs became ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobsReady {
    /// Their priority, as in the job row.
    pub priority: i64,
}

/// Who is somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// An agent in the workspace.
    Agent(AgentId),
    /// A customer in the widget.
    Contact(ContactId),
}

/// What somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Doing {
    /// Has it open; for a customer: the widget is connected.
    Viewing,
    /// Writes to the other side.
    TypingReply,
    /// Writes a note.
    TypingNote,
    /// Nothing any more.
    Gone,
}

/// Somebody began or stopped doing something. Lives in memory only; the listener forgets it after its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Presence {
    /// Where.
    pub workspace: WorkspaceId,
    /// In which conversation; `None`: in the workspace as a whole.
    pub conversation: Option<ConversationId>,
    /// Who.
    pub who: Who,
    /// What.
    pub doing: Doing,
}

/// What a listener hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<T> {
    /// News.
    News(T),
    /// Some news were lost: read the truth again. Comes before whatever is still there.
    ReadAgain,
}

/// The bus. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Bus {
    back: Back,
}

#[derive(Clone, Debug)]
enum Back {
    Local(Arc<Local>),
}

#[derive(Debug)]
struct Local {
    changes: broadcast::Sender<Change>,
    jobs: broadcast::Sender<JobsReady>,
    presence: broadcast::Sender<Presence>,
}

impl Default for Bus {
    fn default() -> Self {
        Self::local()
    }
}

impl Bus {
    /// A bus inside this process.
    pub fn local() -> Self {
        Self::local_with(BEHIND_MAX)
    }

    fn local_with(behind_max: usize) -> Self {
        let local = Local {
            changes: broadcast::channel(behind_max).0,
            jobs: broadcast::channel(behind_max).0,
            presence: broadcast::channel(behind_max).0,
        };
        Self { back: Back::Local(Arc::new(local)) }
    }

    /// Says what was committed. Call it after the commit; nobody listening is normal.
    pub fn announce(&self, change: Change) {
        let Back::Local(local) = &self.back;
        let _ = local.changes.send(change);
    }

    /// Says that jobs became ready, after the commit that made them.
    pub fn announce_jobs(&self, ready: JobsReady) {
        let Back::Local(local) = &self.back;
        let _ = local.jobs.send(ready);
    }

    /// Says who is doing what right now.
    pub fn gossip(&self, presence: Presence) {
        let Back::Local(local) = &self.back;
        let _ = local.presence.send(presence);
    }

    /// Hears changes of one workspace, or of all (`None`). Listen first, then read the state, or news get lost between.
    pub fn listen(&self, workspace: Option<WorkspaceId>) -> Listener<Change> {
        let Back::Local(local) = &self.back;
        Listener { from: local.changes.subscribe(), workspace }
    }

    /// Hears that jobs became ready.
    pub fn listen_jobs(&self) -> Listener<JobsReady> {
        let Back::Local(local) = &self.back;
        Listener { from: local.jobs.subscribe(), workspace: None }
    }

    /// Hears who does what in one workspace, or in all (`None`).
    pub fn listen_presence(&self, workspace: Option<WorkspaceId>) -> Listener<Presence> {
        let Back::Local(local) = &self.back;
        Listener { from: local.presence.subscribe(), workspace }
    }
}

/// News that may belong to a workspace.
pub trait Scoped: Copy {
    /// The workspace it belongs to; `None`: everybody's.
    fn workspace(&self) -> Option<WorkspaceId>;
}
impl Scoped for Change {
    fn workspace(&self) -> Option<WorkspaceId> {
        Some(self.workspace)
    }
}
impl Scoped for Presence {
    fn workspace(&self) -> Option<WorkspaceId> {
        Some(self.workspace)
    }
}
impl Scoped for JobsReady {
    fn workspace(&self) -> Option<WorkspaceId> {
        None
    }
}

/// One who listens. Dropping it stops listening.
#[derive(Debug)]
pub struct Listener<T> {
    from: broadcast::Receiver<T>,
    workspace: Option<WorkspaceId>,
}

impl<T: Scoped> Listener<T> {
    /// Waits for the next news; `None` when the bus is gone. May be dropped while waiting without losing any.
    pub async fn next(&mut self) -> Option<Heard<T>> {
        loop {
            match self.from.recv().await {
                Ok(news) if self.wants(&news) => return Some(Heard::News(news)),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Some(Heard::ReadAgain),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// What is there already, without waiting: a reader that was woken once takes the rest along.
    pub fn try_next(&mut self) -> Option<Heard<T>> {
        loop {
            match self.from.try_recv() {
                Ok(news) if self.wants(&news) => return Some(Heard::News(news)),
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => return Some(Heard::ReadAgain),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
            }
        }
    }

    fn wants(&self, news: &T) -> bool {
        match (self.workspace, news.workspace()) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(workspace: i64, change_seq: i64) -> Change {
        Change { workspace: WorkspaceId(workspace), inbox: None, change_seq }
    }

    #[tokio::test]
    async fn a_listener_hears_its_own_workspace_only() {
        let bus = Bus::local();
        let mut one = bus.listen(Some(WorkspaceId(1)));
        let mut all = bus.listen(None);
        bus.announce(change(2, 7));
        bus.announce(change(1, 8));
        assert_eq!(one.next().await, Some(Heard::News(change(1, 8))));
        assert_eq!(all.next().await, Some(Heard::News(change(2, 7))));
        assert_eq!(all.next().await, Some(Heard::News(change(1, 8))));
        assert_eq!(one.try_next(), None);
    }

    #[tokio::test]
    async fn a_slow_listener_is_told_to_read_again_and_then_goes_on() {
        let bus = Bus::local_with(4);
        let mut slow = bus.listen(None);
        for seq in 1..=10 {
            bus.announce(change(1, seq));
        }
        assert_eq!(slow.next().await, Some(Heard::ReadAgain));
        assert_eq!(slow.next().await, Some(Heard::News(change(1, 7))), "the newest are still there");
        bus.announce(change(1, 11));
        let mut last = None;
        while let Some(heard) = slow.try_next() {
            last = Some(heard);
        }
        assert_eq!(last, Some(Heard::News(change(1, 11))));
    }

    #[tokio::test]
    async fn jobs_and_presence_have_lines_of_their_own() {
        let bus = Bus::local();
        let (mut jobs, mut presence) = (bus.listen_jobs(), bus.listen_presence(Some(WorkspaceId(1))));
        let here = Presence { workspace: WorkspaceId(1), conversation: None, who: Who::Agent(AgentId(3)), doing: Doing::Viewing };
        bus.gossip(Presence { workspace: WorkspaceId(2), ..here });
        bus.gossip(here);
        bus.announce_jobs(JobsReady { priority: 10 });
        assert_eq!(presence.next().await, Some(Heard::News(here)));
        assert_eq!(jobs.next().await, Some(Heard::News(JobsReady { priority: 10 })));
    }

    #[tokio::test]
    async fn nobody_listening_is_normal_and_a_dropped_bus_ends_the_wait() {
        let bus = Bus::local();
        bus.announce(change(1, 1));
        let mut listener = bus.clone().listen(None);
        assert_eq!(listener.try_next(), None, "what was said before is not heard");
        drop(bus);
        assert_eq!(listener.next().await, None);
    }
}
