//! Keeps the index up to date: reads the event log by `change_seq`, loads what it names, makes documents, applies them
//! together with the position. One follower per workspace (a leader lease). Runs as often as one likes: what is already in
//! the index is simply written again.

use super::door::BATCH_COUNT;
use super::{DocKind, Scope, Search, SearchDoc, SubjectRef};
use crate::conn::Conn;
use crate::db::Db;
use crate::entry::Entry;
use crate::error::StoreError;
use crate::event_log::{self, LoggedEvent};
use crate::{contact, contact_point, conversation, entry, values};
use model::parts::Part;
use model::{Audience, ContactId, ConversationId, EntryId, EntryKind, InboxId, WorkspaceId};
use std::collections::{BTreeMap, BTreeSet};

/// Events of one step.
const EVENT_COUNT: i64 = 500;
/// A merge of more entries than this refuses itself (docs/STORE.md).
const CONVERSATION_ENTRY_COUNT_MAX: i64 = 10_000;

/// Events that name an entry and change no word of it: there are several for each reply.
const WITHOUT_TEXT: [&str; 2] = ["entry.delivery_changed", "entry.reacted"];

/// Which rows events have touched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Touched {
    /// Entries named by an event.
    pub entries: BTreeSet<EntryId>,
    /// Contacts named by an event.
    pub contacts: BTreeSet<ContactId>,
    /// Conversations all of whose entries may have changed their place.
    pub conversations: BTreeSet<ConversationId>,
}

impl Touched {
    /// What these events name, wherever in the payload the ids stand: an event that says too much costs a little work, one
    /// that is not understood would leave a text unfound.
    pub fn by(events: &[LoggedEvent]) -> Self {
        let mut touched = Self::default();
        for event in events.iter().filter(|event| !WITHOUT_TEXT.contains(&event.kind.as_str())) {
            let relabels = event.kind.contains("merge") || event.kind.contains("split");
            touched.collect(&event.payload, relabels);
            if relabels && event.kind.starts_with("conversation.") {
                touched.conversations.extend(event.stream_id.map(ConversationId));
            }
            if event.kind.starts_with("contact.") {
                touched.contacts.extend(event.stream_id.map(ContactId));
            }
        }
        touched
    }
    fn collect(&mut self, value: &serde_json::Value, relabels: bool) {
        match value {
            serde_json::Value::String(text) => {
                if let Ok(id) = EntryId::parse(text) {
                    self.entries.insert(id);
                } else if let Ok(id) = ContactId::parse(text) {
                    self.contacts.insert(id);
                } else if let Some(id) = ConversationId::parse(text).ok().filter(|_| relabels) {
                    self.conversations.insert(id);
                }
            }
            serde_json::Value::Array(values) => values.iter().for_each(|value| self.collect(value, relabels)),
            serde_json::Value::Object(values) => values.values().for_each(|value| self.collect(value, relabels)),
            _ => {}
        }
    }
}

/// Documents to write and subjects to take out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Documents.
    pub docs: Vec<SearchDoc>,
    /// Rows that are gone, emptied, or never had a text.
    pub removed: Vec<SubjectRef>,
}

/// Loads the rows and makes their documents. A contact's merged set is loaded as one: its live contact is the document.
pub fn changes(tx: &mut dyn Conn, workspace: WorkspaceId, touched: &Touched) -> Result<Changes, StoreError> {
    let mut changes = Changes::default();
    let mut entries = touched.entries.clone();
    for id in &touched.conversations {
        entries.extend(entry::ids_of_conversation(tx, workspace, *id, CONVERSATION_ENTRY_COUNT_MAX)?);
    }
    let ids: Vec<EntryId> = entries.iter().copied().collect();
    let rows = entry::list_of(tx, workspace, &ids)?;
    entry_docs(tx, workspace, &rows, &mut changes)?;
    let found: BTreeSet<EntryId> = rows.iter().map(|row| row.id).collect();
    changes.removed.extend(entries.difference(&found).map(|id| SubjectRef { kind: DocKind::Entry, id: id.0 }));
    contact_docs(tx, workspace, &touched.contacts, &mut changes)?;
    Ok(changes)
}

fn entry_docs(tx: &mut dyn Conn, workspace: WorkspaceId, rows: &[Entry], changes: &mut Changes) -> Result<(), StoreError> {
    // Notes have no inbox of their own: they are seen by those who see the conversation.
    let homeless: Vec<ConversationId> = rows.iter().filter(|row| row.inbox_id.is_none()).map(|row| row.conversation_id).collect();
    let homes: BTreeMap<ConversationId, InboxId> =
        conversation::list_of(tx, workspace, &homeless)?.into_iter().map(|c| (c.id, c.inbox_id)).collect();
    for row in rows {
        let subject = SubjectRef { kind: DocKind::Entry, id: row.id.0 };
        let text = entry_text(row);
        let title = row.body.subject.clone().unwrap_or_default();
        if row.redacted_at.is_some() || row.kind == EntryKind::Event || (title.is_empty() && text.is_empty()) {
            changes.removed.push(subject);
            continue;
        }
        let mut scopes =
            vec![Scope::Channel(row.channel), Scope::Contact(row.contact_id), Scope::Conversation(row.conversation_id)];
        scopes.extend(row.inbox_id.or_else(|| homes.get(&row.conversation_id).copied()).map(Scope::Inbox));
        if !row.body.attachments.is_empty() {
            scopes.push(Scope::HasAttachment);
        }
        if row.audience != Audience::Customer {
            scopes.push(Scope::Internal);
        }
        changes.docs.push(SearchDoc { workspace, subject, at: row.at, scopes, title, body: text });
    }
    Ok(())
}

/// The words that a person would look for: text, names of files, places and choices.
fn entry_text(row: &Entry) -> String {
    let body = &row.body;
    let mut pieces = vec![body.text.as_str()];
    pieces.extend(body.attachments.iter().map(|file| file.name.as_str()));
    pieces.extend(body.parts.iter().filter_map(|part| match part {
        Part::Location { name, .. } => name.as_deref(),
        Part::Choice { label, .. } => Some(label.as_str()),
        Part::Unsupported { .. } => None,
    }));
    pieces.retain(|piece| !piece.is_empty());
    pieces.join("\n")
}

fn contact_docs(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    touched: &BTreeSet<ContactId>,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let removed = |id: &ContactId| SubjectRef { kind: DocKind::Contact, id: id.0 };
    let touched: Vec<ContactId> = touched.iter().copied().collect();
    let rows = contact::list(tx, workspace, &touched)?;
    changes.removed.extend(touched.iter().filter(|id| rows.iter().all(|row| row.id != **id)).map(removed));
    changes.removed.extend(rows.iter().filter(|row| row.live_id != row.id).map(|row| removed(&row.id)));
    let live: Vec<ContactId> = rows.iter().map(|row| row.live_id).collect::<BTreeSet<_>>().into_iter().collect();
    for row in contact::list(tx, workspace, &live)? {
        let set = contact::merged_set(tx, workspace, row.id)?;
        let names = contact::list(tx, workspace, &set)?;
        let points: Vec<_> = contact_point::owned_by(tx, workspace, row.id)?.iter().map(|owner| owner.contact_point_id).collect();
        let points = contact_point::list(tx, workspace, &points)?;
        let mut body: Vec<String> =
            names.iter().filter(|other| other.id != row.id).filter_map(|other| other.name.clone()).collect();
        body.extend(row.company.clone());
        // The key holds a phone number without its spaces; visitor ids mean nothing to people.
        let addresses = points.iter().filter(|point| point.key.kind != model::ContactPointKind::Visitor);
        body.extend(addresses.flat_map(|point| [point.raw.clone(), point.key.match_key.clone()]));
        let subject = SubjectRef { kind: DocKind::Contact, id: row.id.0 };
        let title = row.name.clone().unwrap_or_default();
        if title.is_empty() && body.is_empty() {
            changes.removed.push(subject);
            continue;
        }
        let scopes = set.iter().map(|id| Scope::Contact(*id)).collect();
        changes.docs.push(SearchDoc { workspace, subject, at: row.first_seen_at, scopes, title, body: body.join("\n") });
    }
    Ok(())
}

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Followed {
    /// The last change that is in the index now.
    pub upto: i64,
    /// True when nothing newer was there.
    pub at_head: bool,
}

const ENTRY_IDS: &str = "SELECT id FROM entry WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3";
const CONTACT_IDS: &str = "SELECT id FROM contact WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3";

impl Search {
    /// Takes in what has happened since the last step, at most 500 events. Builds the index first when there is none, or when
    /// it knows more than the database does (which was restored from a backup).
    pub async fn follow(&self, main: &Db, workspace: WorkspaceId) -> Result<Followed, StoreError> {
        let head = main.read(move |tx| event_log::head(tx, workspace)).await?;
        let from = match self.position(workspace).await? {
            Some(position) if position <= head => position,
            _ => return self.rebuild(main, workspace).await,
        };
        if from == head {
            return Ok(Followed { upto: head, at_head: true });
        }
        let step = main.read(move |tx| -> Result<_, StoreError> {
            let events = event_log::list_since(tx, workspace, from, EVENT_COUNT)?;
            let upto = events.last().map_or(head, |event| event.change_seq);
            Ok((changes(tx, workspace, &Touched::by(&events))?, upto))
        });
        let (changes, upto) = step.await?;
        self.take_in(workspace, changes, upto).await?;
        Ok(Followed { upto, at_head: upto >= head })
    }

    /// Follows until nothing newer is there.
    pub async fn catch_up(&self, main: &Db, workspace: WorkspaceId) -> Result<i64, StoreError> {
        loop {
            let followed = self.follow(main, workspace).await?;
            if followed.at_head {
                return Ok(followed.upto);
            }
        }
    }

    /// Throws the workspace's documents away and makes them again from its rows.
    pub async fn rebuild(&self, main: &Db, workspace: WorkspaceId) -> Result<Followed, StoreError> {
        self.clear(workspace).await?;
        // What happens meanwhile is taken in again by the next step.
        let head = main.read(move |tx| event_log::head(tx, workspace)).await?;
        for ids in [ENTRY_IDS, CONTACT_IDS] {
            let mut after = i64::MIN;
            loop {
                let batch = main.read(move |tx| -> Result<_, StoreError> {
                    let walk = crate::dialect::in_order_of_ids(tx.engine(), ids)?;
                    let rows = tx.rows(walk, values![workspace, after, BATCH_COUNT as i64])?;
                    let found: Vec<i64> = rows.iter().map(|row| row.int(0)).collect();
                    let mut touched = Touched::default();
                    if ids == ENTRY_IDS {
                        touched.entries = found.iter().copied().map(EntryId).collect();
                    } else {
                        touched.contacts = found.iter().copied().map(ContactId).collect();
                    }
                    Ok((found, changes(tx, workspace, &touched)?))
                });
                let (found, changes) = batch.await?;
                let Some(last) = found.last() else { break };
                after = *last;
                self.apply(workspace, changes.docs, Vec::new(), None).await?;
            }
        }
        self.apply(workspace, Vec::new(), Vec::new(), Some(head)).await?;
        Ok(Followed { upto: head, at_head: true })
    }

    /// In transactions of limited size; the position goes with the last one.
    async fn take_in(&self, workspace: WorkspaceId, changes: Changes, upto: i64) -> Result<(), StoreError> {
        let Changes { mut docs, removed } = changes;
        while docs.len() > BATCH_COUNT {
            let rest = docs.split_off(BATCH_COUNT);
            self.apply(workspace, std::mem::replace(&mut docs, rest), Vec::new(), None).await?;
        }
        self.apply(workspace, docs, removed, Some(upto)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Actor, EventId, Timestamp};
    use serde_json::json;

    fn event(kind: &str, stream: i64, payload: serde_json::Value) -> LoggedEvent {
        let (id, at) = (EventId(1), Timestamp(0));
        let kind = kind.to_owned();
        LoggedEvent {
            id,
            change_seq: 1,
            stream_id: Some(stream),
            seq: None,
            kind,
            at,
            recorded_at: at,
            actor: Actor::System,
            cause_id: None,
            payload,
        }
    }

    #[test]
    fn every_id_of_a_payload_is_touched() {
        let events = [
            event("entry.added", 5, json!({"entry": EntryId(1), "conversation": ConversationId(5)})),
            event("conversation.merged", 6, json!({"into": ConversationId(7), "entries": [EntryId(2), {"id": EntryId(3)}]})),
            event("contact.changed", 8, json!({"old": {"name": "ctc_not an id"}, "n": 4})),
            event("contact.merged", 9, json!({"into": ContactId(10)})),
            event("agent.changed", 11, json!(null)),
        ];
        let touched = Touched::by(&events);
        assert_eq!(touched.entries, [1, 2, 3].map(EntryId).into());
        assert_eq!(touched.contacts, [8, 9, 10].map(ContactId).into());
        assert_eq!(touched.conversations, [6, 7].map(ConversationId).into());
    }
}
