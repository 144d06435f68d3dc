//! Entries as the visitor sees them.

use crate::types::file::Files;
use channel_webchat::frames::{ItemFrom, ItemState, WidgetEvent};
use channel_webchat::{WidgetFile, WidgetItem};
use desk::view::visitor::{self, Tells};
use model::{AuthorKind, DeliveryState, Direction, EntryKind};
use store::conversation::Conversation;
use store::entry::Entry;

/// Who looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// Agents are shown by name.
    pub names: bool,
}

/// Entries that a visitor may see, as items in the same order.
pub fn items_of(entries: &[Entry], row: &Conversation, files: &Files, viewer: Viewer) -> Vec<WidgetItem> {
    // The last `unread_count` of the customer's entries have not been looked at by anybody.
    let mut own: Vec<&Entry> = entries.iter().filter(|entry| is_own(entry) && entry.conversation_id == row.id).collect();
    own.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.id)));
    let unread: Vec<_> = own.iter().take(usize::try_from(row.unread_count).unwrap_or(0)).map(|entry| entry.id).collect();
    entries.iter().map(|entry| item_of(entry, row, files, viewer, unread.contains(&entry.id))).collect()
}

fn is_own(entry: &Entry) -> bool {
    entry.direction == Direction::In
}

fn item_of(entry: &Entry, row: &Conversation, files: &Files, viewer: Viewer, unread: bool) -> WidgetItem {
    let removed = entry.redacted_at.is_some();
    let own = is_own(entry);
    let is_read = own && !unread;
    let from = match entry.author_kind {
        _ if own => ItemFrom::Me,
        _ if entry.kind == EntryKind::Event => ItemFrom::System,
        AuthorKind::Agent => ItemFrom::Agent,
        AuthorKind::Bot => ItemFrom::Bot,
        AuthorKind::Contact | AuthorKind::System => ItemFrom::System,
    };
    let file = |a: &model::AttachmentRef| WidgetFile {
        id: a.id,
        name: a.name.clone(),
        mime: a.mime.clone(),
        bytes: a.bytes,
        url: files.url(a.id, &a.name),
    };
    WidgetItem {
        id: entry.id,
        // That an agent has read it is no change of the entry: the conversation's own number makes the item newer.
        seq: if is_read && entry.conversation_id == row.id { row.seq } else { entry.seq },
        from,
        name: (from == ItemFrom::Agent && viewer.names).then(|| entry.author_name.clone()),
        channel: entry.channel,
        text: if removed { String::new() } else { entry.body.text.clone() },
        files: if removed { Vec::new() } else { entry.body.attachments.iter().map(file).collect() },
        at: entry.at,
        client_msg_id: entry.client_id.as_deref().filter(|_| own).and_then(client_msg_id),
        state: own.then_some(if is_read { ItemState::Read } else { ItemState::Sent }),
        event: event_of(entry, viewer),
        removed,
    }
}

// Only what the visitor's own words need, never the values that agents see.
fn event_of(entry: &Entry, viewer: Viewer) -> Option<WidgetEvent> {
    let (code, args) = match visitor::tells(entry)? {
        Tells::Closed { to } => ("status_changed", serde_json::json!({ "to": to })),
        Tells::Taken { name } if viewer.names => ("assigned", serde_json::json!({ "name": name })),
        Tells::Taken { .. } => ("assigned", serde_json::json!({})),
    };
    Some(WidgetEvent { code: code.to_owned(), args })
}

// The adapter puts the visitor's id before it, since clients only promise that theirs are unique per visitor.
fn client_msg_id(client_id: &str) -> Option<String> {
    client_id.rsplit(':').next().filter(|id| channel_webchat::frames::is_client_msg_id(id)).map(str::to_owned)
}

/// Answers among these that the visitor has not read.
pub fn unread_of(entries: &[Entry]) -> u32 {
    let unread = entries.iter().filter(|entry| entry.direction == Direction::Out && entry.delivery != Some(DeliveryState::Read));
    u32::try_from(unread.count()).unwrap_or(u32::MAX)
}
