//! Rows of lists: the conversation and what one agent needs beside it, read in batches and never row by row.

use crate::identity::display_name;
use model::{AgentId, ContactId, ConversationId, TagId, WorkspaceId};
use std::collections::{HashMap, HashSet};
use store::conversation::Conversation;
use store::{Conn, StoreError};

/// A conversation as a list shows it to one agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The conversation.
    pub conversation: Conversation,
    /// The live contact.
    pub contact_id: ContactId,
    /// What the contact is called.
    pub contact_name: String,
    /// Tags in the order they were put on.
    pub tag_ids: Vec<TagId>,
    /// What depends on the agent who looks.
    pub mine: Mine,
}

/// What depends on the agent who looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mine {
    /// The customer wrote something that this agent has not seen.
    pub unread: bool,
    /// The agent was named and has not answered to it.
    pub mentioned: bool,
    /// The agent has an unsent text here.
    pub draft: bool,
}

/// Decorates conversations for one agent; the order stays.
pub fn rows(tx: &mut dyn Conn, workspace: WorkspaceId, me: AgentId, found: &[Conversation]) -> Result<Vec<Row>, StoreError> {
    let shared = Shared::load(tx, workspace, found)?;
    let mine = Own::load(tx, workspace, me, found)?;
    Ok(found.iter().map(|conversation| shared.row(conversation, mine.of(conversation))).collect())
}

/// What all agents see alike of some conversations.
pub struct Shared {
    names: HashMap<ContactId, (ContactId, String)>,
    tags: HashMap<ConversationId, Vec<TagId>>,
}

impl Shared {
    /// Reads names and tags.
    pub fn load(tx: &mut dyn Conn, workspace: WorkspaceId, found: &[Conversation]) -> Result<Self, StoreError> {
        let contacts: Vec<ContactId> = unique(found.iter().map(|c| c.contact_id));
        let names = live_names(tx, workspace, &contacts)?;
        let ids: Vec<ConversationId> = found.iter().map(|c| c.id).collect();
        let mut tags: HashMap<ConversationId, Vec<TagId>> = HashMap::new();
        for (id, tag) in store::conversation::tags_of(tx, workspace, &ids)? {
            tags.entry(id).or_default().push(tag);
        }
        Ok(Self { names, tags })
    }

    /// One row.
    pub fn row(&self, conversation: &Conversation, mine: Mine) -> Row {
        let (contact_id, contact_name) = match self.names.get(&conversation.contact_id) {
            Some((id, name)) => (*id, name.clone()),
            None => (conversation.contact_id, String::new()),
        };
        Row {
            conversation: conversation.clone(),
            contact_id,
            contact_name,
            tag_ids: self.tags.get(&conversation.id).cloned().unwrap_or_default(),
            mine,
        }
    }
}

/// What one agent sees of some conversations.
pub struct Own {
    seen: HashMap<ConversationId, i64>,
    mentioned: HashSet<ConversationId>,
    drafts: HashSet<ConversationId>,
}

impl Own {
    /// Reads seen marks, mentions and drafts of one agent.
    pub fn load(tx: &mut dyn Conn, workspace: WorkspaceId, me: AgentId, found: &[Conversation]) -> Result<Self, StoreError> {
        let ids: Vec<ConversationId> = found.iter().map(|c| c.id).collect();
        Ok(Self {
            seen: store::conversation::seen::of(tx, workspace, me, &ids)?.into_iter().collect(),
            mentioned: store::conversation::seen::mentioned_of(tx, workspace, me, &ids)?.into_iter().collect(),
            drafts: store::draft::in_conversations(tx, workspace, me, &ids)?.into_iter().collect(),
        })
    }

    /// What the agent sees of one of them.
    pub fn of(&self, conversation: &Conversation) -> Mine {
        let seen = self.seen.get(&conversation.id).copied().unwrap_or(0);
        Mine {
            unread: conversation.customer_seq > seen,
            mentioned: self.mentioned.contains(&conversation.id),
            draft: self.drafts.contains(&conversation.id),
        }
    }
}

/// Live id and shown name of contacts, by the id that was asked for.
pub fn live_names(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    ids: &[ContactId],
) -> Result<HashMap<ContactId, (ContactId, String)>, StoreError> {
    let asked = store::contact::list(tx, workspace, ids)?;
    let merged: Vec<ContactId> = unique(asked.iter().filter(|c| c.live_id != c.id).map(|c| c.live_id));
    let live: HashMap<ContactId, store::contact::Contact> =
        store::contact::list(tx, workspace, &merged)?.into_iter().map(|c| (c.id, c)).collect();
    Ok(asked
        .iter()
        .map(|contact| {
            let shown = live.get(&contact.live_id).unwrap_or(contact);
            (contact.id, (contact.live_id, display_name(shown)))
        })
        .collect())
}

pub(crate) fn unique<T: Copy + Eq + std::hash::Hash>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut known = HashSet::new();
    all.filter(|one| known.insert(*one)).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use model::{Channel, InboxId, Priority, Status, Timestamp};

    /// An open conversation with plain values.
    pub(crate) fn conversation(id: i64) -> Conversation {
        Conversation {
            id: ConversationId(id),
            number: id,
            contact_id: ContactId(1),
            inbox_id: InboxId(1),
            channel: Channel::Webchat,
            first_channel: Channel::Webchat,
            agent_id: None,
            team_id: None,
            status: Status::Open,
            status_before_spam: None,
            spam: false,
            imported: false,
            priority: Priority::Normal,
            subject: None,
            snoozed_until: None,
            resolved_at: None,
            waiting_since: None,
            seq: 5,
            customer_seq: 3,
            public_seq: 3,
            unread_count: 0,
            preview: None,
            merged_into: None,
            follow_up_of: None,
            created_at: Timestamp(0),
            last_activity_at: Timestamp(0),
            customer_at: None,
            next_due_at: None,
            version: 1,
            channels: vec![],
            orders: vec![],
            related: vec![],
        }
    }

    #[test]
    fn unread_means_that_the_customer_wrote_after_the_agent_looked() {
        let mut own = Own { seen: HashMap::new(), mentioned: HashSet::new(), drafts: HashSet::new() };
        let there = conversation(7);
        assert!(own.of(&there).unread);
        own.seen.insert(there.id, 3);
        assert!(!own.of(&there).unread);
        own.mentioned.insert(there.id);
        own.drafts.insert(there.id);
        assert_eq!(own.of(&there), Mine { unread: false, mentioned: true, draft: true });
    }

    #[test]
    fn a_row_shows_the_live_contact_behind_a_merged_one() {
        let names = HashMap::from([(ContactId(1), (ContactId(2), "Ada".to_owned()))]);
        let shared = Shared { names, tags: HashMap::from([(ConversationId(7), vec![TagId(3)])]) };
        let row = shared.row(&conversation(7), Mine::default());
        assert_eq!((row.contact_id, row.contact_name.as_str(), row.tag_ids.as_slice()), (ContactId(2), "Ada", &[TagId(3)][..]));
    }
}
