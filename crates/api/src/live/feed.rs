//! Reads the change feed: what was touched since a change number, each touched row once, and what of it one agent may see.
//! In: a transaction and a position. Out: pieces of news that are written out once and shared by all who see the same.

use crate::types::conversation::ConversationRow;
use crate::types::entry::{Entry, own_key};
use crate::types::file::Files;
use crate::types::live::LiveItem;
use desk::view::rows::{Mine, Own, Shared};
use desk::view::timeline::{self, EntryView};
use desk::view::{Sight, visitor};
use model::{AgentId, Channel, ContactId, ContactPointKind, ConversationId, Direction, DraftMode, InboxId, WorkspaceId};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use store::conversation::Conversation;
use store::event_log::LoggedEvent;
use store::{Conn, StoreError};

/// Events read in one query.
pub const EVENTS_MAX: i64 = 500;
/// Clients further behind than this read everything again.
pub const BEHIND_MAX: i64 = 5_000;
/// Entries of one conversation in one read. A merge may touch more: then whoever looks at it reads it again.
const ENTRIES_MAX: i64 = 500;
/// Conversations whose rows are sent again when the name of their customer changed.
const ROWS_OF_CONTACT_MAX: i64 = 20;

/// What some events touched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Touched {
    /// Conversations, each with the lowest number of its changes, if it has one.
    pub conversations: BTreeMap<ConversationId, Option<i64>>,
    /// Conversations that an agent has looked at.
    pub seen: BTreeSet<ConversationId>,
    /// Conversations that somebody may no longer see.
    pub moved: BTreeSet<ConversationId>,
    /// Contacts.
    pub contacts: BTreeSet<ContactId>,
    /// Drafts: whose, where, which.
    pub drafts: BTreeSet<(AgentId, ConversationId, DraftMode)>,
    /// People, teams.
    pub agents: bool,
    /// Inboxes.
    pub inboxes: bool,
    /// Tags.
    pub tags: bool,
    /// Workspace, opening hours.
    pub workspace: bool,
    /// Numbers beside views may have changed.
    pub counts: bool,
}

impl Touched {
    /// Reads it off the log.
    pub fn of(events: &[LoggedEvent]) -> Self {
        let mut touched = Self::default();
        for event in events {
            touched.take(event);
        }
        touched
    }

    fn take(&mut self, event: &LoggedEvent) {
        let (noun, verb) = event.kind.split_once('.').unwrap_or((&event.kind, ""));
        let text = |name: &str| event.payload.get(name).and_then(|value| value.as_str());
        match noun {
            "conversation" | "entry" => {
                self.counts = true;
                match event.stream_id {
                    Some(id) => {
                        let first = self.conversations.entry(id.into()).or_insert(event.seq);
                        *first = [*first, event.seq].into_iter().flatten().min();
                        if verb == "seen" {
                            self.seen.insert(id.into());
                        }
                        if matches!(verb, "assigned" | "merged" | "added" | "contact_changed") {
                            self.moved.insert(id.into());
                        }
                    }
                    None => {
                        if let Some(id) = text("conversation").and_then(|id| ConversationId::parse(id).ok()) {
                            self.conversations.entry(id).or_insert(None);
                        }
                    }
                }
            }
            "contact" => {
                self.contacts.extend(event.stream_id.map(ContactId));
            }
            "draft" => {
                let agent = text("agent_id").and_then(|id| AgentId::parse(id).ok());
                let conversation = text("conversation_id").and_then(|id| ConversationId::parse(id).ok());
                let mode = text("mode").and_then(DraftMode::parse);
                if let (Some(agent), Some(conversation), Some(mode)) = (agent, conversation, mode) {
                    self.drafts.insert((agent, conversation, mode));
                }
            }
            "agent" | "team" | "invitation" => self.agents = true,
            "inbox" => self.inboxes = true,
            "tag" => self.tags = true,
            "workspace" | "business_hours" => self.workspace = true,
            "view" => self.counts = true,
            _ => {}
        }
    }
}

/// A read of the feed: rows as they are at one moment.
pub struct Batch {
    /// Before these changes.
    pub prev: i64,
    /// After them.
    pub upto: i64,
    /// The head of the log at that moment.
    pub head: i64,
    /// What was touched.
    pub touched: Touched,
    /// Touched conversations.
    pub conversations: Vec<Conversation>,
    shared: Shared,
    /// Entries of them that changed, in order of their numbers.
    pub entries: Vec<EntryView>,
    /// Conversations of which more changed than was read.
    pub cut: HashSet<ConversationId>,
    /// Visitors who wrote.
    pub visitors: Vec<Wrote>,
    /// The customer's last entry of conversations that an agent has looked at.
    pub read_marks: Vec<store::entry::Entry>,
}

/// A visitor who wrote, and where it ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrote {
    /// Through which inbox.
    pub inbox: InboxId,
    /// The visitor's id, or the account that a signed token proved.
    pub who: String,
    /// The conversation.
    pub conversation: ConversationId,
}

/// Under which name the sockets of a signed-in customer are found, whatever device they are on.
pub fn account_key(account: &str) -> String {
    format!("account:{account}")
}

/// Reads on from a position.
pub fn read(tx: &mut dyn Conn, workspace: WorkspaceId, since: i64) -> Result<Batch, StoreError> {
    let events = store::event_log::list_since(tx, workspace, since, EVENTS_MAX)?;
    let head = store::event_log::head(tx, workspace)?;
    let upto = events.last().map_or(since.min(head), |event| event.change_seq);
    let mut touched = Touched::of(&events);
    for contact in touched.contacts.clone() {
        let Ok(live) = store::contact::get_live(tx, workspace, contact) else { continue };
        let set = store::contact::merged_set(tx, workspace, live.id)?;
        for conversation in store::conversation::of_contacts(tx, workspace, &set, ROWS_OF_CONTACT_MAX)? {
            touched.conversations.entry(conversation.id).or_insert(None);
        }
    }
    let ids: Vec<ConversationId> = touched.conversations.keys().copied().collect();
    let conversations = store::conversation::list_of(tx, workspace, &ids)?;
    let shared = Shared::load(tx, workspace, &conversations)?;
    let mut changed = Vec::new();
    let mut cut = HashSet::new();
    for (id, first) in &touched.conversations {
        let Some(first) = first else { continue };
        let found = store::entry::changed_since(tx, workspace, *id, first - 1, ENTRIES_MAX)?;
        if found.len() as i64 >= ENTRIES_MAX {
            cut.insert(*id);
        }
        changed.extend(found);
    }
    let visitors = visitors_of(tx, workspace, &changed)?;
    let mut read_marks = Vec::new();
    for id in &touched.seen {
        let is_read = conversations.iter().any(|c| c.id == *id && c.unread_count == 0);
        let last = if is_read { store::entry::latest_inbound(tx, workspace, *id)? } else { None };
        read_marks.extend(last.filter(|entry| visitor::shows(entry) && !changed.iter().any(|known| known.id == entry.id)));
    }
    let entries = timeline::views(tx, workspace, changed)?;
    Ok(Batch { prev: since, upto, head, touched, conversations, shared, entries, cut, visitors, read_marks })
}

// Who wrote through the widget, so that their sockets learn which conversation is theirs.
fn visitors_of(tx: &mut dyn Conn, workspace: WorkspaceId, entries: &[store::entry::Entry]) -> Result<Vec<Wrote>, StoreError> {
    let wrote: HashMap<_, (InboxId, ConversationId)> = entries
        .iter()
        .filter(|entry| entry.direction == Direction::In && entry.channel == Channel::Webchat)
        .filter_map(|entry| Some((entry.contact_point_id?, (entry.inbox_id?, entry.conversation_id))))
        .collect();
    let ids: Vec<_> = wrote.keys().copied().collect();
    let points = store::contact_point::list(tx, workspace, &ids)?;
    Ok(points
        .into_iter()
        .filter_map(|point| {
            let (inbox, conversation) = *wrote.get(&point.id)?;
            let who = match point.key.kind {
                ContactPointKind::Visitor => point.key.match_key,
                ContactPointKind::Account => account_key(&point.key.match_key),
                _ => return None,
            };
            Some(Wrote { inbox, who, conversation })
        })
        .collect())
}

/// What one agent may see, and what they have seen, of a batch.
pub struct Eye {
    /// The agent.
    pub agent: AgentId,
    sees: HashMap<ConversationId, Mine>,
}

impl Eye {
    /// Looks at a batch.
    pub fn load(tx: &mut dyn Conn, workspace: WorkspaceId, sight: &Sight, batch: &Batch) -> Result<Self, StoreError> {
        let own = Own::load(tx, workspace, sight.agent, &batch.conversations)?;
        let sees = batch
            .conversations
            .iter()
            .map(|conversation| (conversation, own.of(conversation)))
            .filter(|(conversation, mine)| sight.sees(conversation, mine.mentioned))
            .map(|(conversation, mine)| (conversation.id, mine))
            .collect();
        Ok(Self { agent: sight.agent, sees })
    }
}

/// A piece of news, small enough to be a key: what it says is in the batch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// A conversation with what one agent sees of it.
    Conversation(usize, Mine),
    /// No longer visible.
    Gone(ConversationId),
    /// An entry; with the author's own key.
    Entry(usize, bool),
    /// A contact.
    Contact(ContactId),
    /// A draft.
    Draft(ConversationId, DraftMode),
    /// People.
    Agents,
    /// Inboxes.
    Inboxes,
    /// Tags.
    Tags,
    /// The workspace.
    Workspace,
}

impl Batch {
    /// What of it an agent gets, in the order in which it is to be applied.
    pub fn pieces(&self, eye: &Eye) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (at, conversation) in self.conversations.iter().enumerate() {
            match eye.sees.get(&conversation.id) {
                Some(mine) => pieces.push(Piece::Conversation(at, *mine)),
                // Only those who may have seen it before need to hear that it is gone.
                None if self.touched.moved.contains(&conversation.id) => pieces.push(Piece::Gone(conversation.id)),
                None => {}
            }
        }
        for (at, view) in self.entries.iter().enumerate() {
            if eye.sees.contains_key(&view.entry.conversation_id) {
                pieces.push(Piece::Entry(at, own_key(view, eye.agent).is_some()));
            }
        }
        pieces.extend(self.touched.contacts.iter().map(|id| Piece::Contact(*id)));
        let mine = self.touched.drafts.iter().filter(|(agent, ..)| *agent == eye.agent);
        pieces.extend(mine.map(|(_, conversation, mode)| Piece::Draft(*conversation, *mode)));
        let switches = [
            (self.touched.agents, Piece::Agents),
            (self.touched.inboxes, Piece::Inboxes),
            (self.touched.tags, Piece::Tags),
            (self.touched.workspace, Piece::Workspace),
        ];
        pieces.extend(switches.into_iter().filter(|(on, _)| *on).map(|(_, piece)| piece));
        pieces
    }

    /// A piece as it goes out.
    pub fn item(&self, piece: &Piece, files: &Files) -> LiveItem {
        match piece {
            Piece::Conversation(at, mine) => {
                LiveItem::Conversation { conversation: ConversationRow::from(&self.shared.row(&self.conversations[*at], *mine)) }
            }
            Piece::Gone(id) => LiveItem::Gone { conversation_id: *id },
            Piece::Entry(at, own) => {
                let view = &self.entries[*at];
                let mut entry = Entry::of(view, files);
                if *own {
                    entry.client_id.clone_from(&view.entry.client_id);
                }
                LiveItem::Entry { entry }
            }
            Piece::Contact(id) => LiveItem::Contact { contact_id: *id },
            Piece::Draft(conversation_id, mode) => LiveItem::Draft { conversation_id: *conversation_id, mode: *mode },
            Piece::Agents => LiveItem::Agents,
            Piece::Inboxes => LiveItem::Inboxes,
            Piece::Tags => LiveItem::Tags,
            Piece::Workspace => LiveItem::Workspace,
        }
    }

    /// The row of a conversation of this batch.
    pub fn conversation(&self, id: ConversationId) -> Option<&Conversation> {
        self.conversations.iter().find(|conversation| conversation.id == id)
    }

    /// Entries of a conversation that its visitor may see.
    pub fn shown_to_visitor(&self, id: ConversationId) -> impl Iterator<Item = &store::entry::Entry> {
        self.entries.iter().map(|view| &view.entry).filter(move |entry| entry.conversation_id == id && visitor::shows(entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Actor, EventId, Timestamp};
    use serde_json::json;

    fn event(kind: &str, stream: Option<(i64, i64)>, payload: serde_json::Value) -> LoggedEvent {
        LoggedEvent {
            id: EventId(1),
            change_seq: 1,
            stream_id: stream.map(|(id, _)| id),
            seq: stream.map(|(_, seq)| seq),
            kind: kind.to_owned(),
            at: Timestamp(0),
            recorded_at: Timestamp(0),
            actor: Actor::System,
            cause_id: None,
            payload,
        }
    }

    #[test]
    fn events_tell_what_was_touched_and_the_lowest_number_of_each_conversation() {
        let (conversation, agent) = (ConversationId(8), AgentId(4));
        let touched = Touched::of(&[
            event("entry.added", Some((7, 5)), json!({})),
            event("conversation.status_changed", Some((7, 4)), json!({})),
            event("conversation.seen_by", None, json!({ "conversation": conversation, "seq": 3 })),
            event("contact.changed", Some((3, 1)), json!({})),
            event("draft.changed", None, json!({ "agent_id": agent, "conversation_id": conversation, "mode": "reply" })),
            event("inbox.changed", None, json!({})),
            event("something.new", Some((99, 1)), json!({})),
        ]);
        assert_eq!(touched.conversations, BTreeMap::from([(ConversationId(7), Some(4)), (conversation, None)]));
        assert_eq!(touched.contacts, BTreeSet::from([ContactId(3)]));
        assert_eq!(touched.drafts, BTreeSet::from([(agent, conversation, DraftMode::Reply)]));
        assert!(touched.inboxes && touched.counts && !touched.agents && !touched.tags);
    }
}
