//! Erases a person on request: content, files, addresses, raw events and the search index, to the byte. What stays is the
//! frame: ids, times, counts, and a tombstone without name. Done in small pieces, each of which may be repeated.

use crate::contacts::tombstone::Hasher;
use crate::context::{Desk, Who};
use crate::conversation::Locked;
use model::{Actor, BlobId, Body, ContactId, ConversationId, EntryId, EntryKind, Timestamp, WorkspaceId};
use serde_json::json;
use store::entry::Entry;
use store::search::{DocKind, SubjectRef};
use store::{Conn, Event, Route, StoreError, contact, contact_point, conversation, entry};

const CONVERSATION_COUNT_MAX: i64 = 10_000;
const ENTRIES_PER_TX: usize = 50;

/// What went, or would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Entries whose content goes.
    pub entries: usize,
    /// Files.
    pub files: usize,
    /// Conversations that they stood in.
    pub conversations: usize,
    /// Addresses.
    pub contact_points: usize,
    /// Contacts that were merged into this one and go with it.
    pub merged: usize,
    /// Anything done (false for a dry run).
    pub done: bool,
}

/// Erases a contact and everything merged into it (or says what that would take).
pub async fn erase(desk: &Desk, who: &Who, id: ContactId, dry_run: bool) -> Result<Erased, StoreError> {
    let (workspace, now) = (who.workspace, desk.now());
    let (set, conversations, points) = desk
        .db
        .read(move |tx| -> Result<_, StoreError> {
            let live = contact::get_live(tx, workspace, id)?;
            let set = contact::merged_set(tx, workspace, live.id)?;
            let conversations = conversation::of_contacts(tx, workspace, &set, CONVERSATION_COUNT_MAX)?;
            let points = contact_point::owned_by(tx, workspace, live.id)?;
            Ok((set, conversations.iter().map(|c| c.id).collect::<Vec<_>>(), points))
        })
        .await?;
    let mut erased =
        Erased { conversations: conversations.len(), contact_points: points.len(), merged: set.len() - 1, ..Erased::default() };
    let entries = entries_of(desk, workspace, &set, &conversations).await?;
    erased.entries = entries.iter().filter(|e| e.kind != EntryKind::Event).count();
    erased.files = entries.iter().map(|e| e.body.attachments.len()).sum();
    if dry_run {
        return Ok(erased);
    }
    let mut blobs: Vec<BlobId> = Vec::new();
    let mut by_conversation: std::collections::BTreeMap<ConversationId, Vec<EntryId>> = std::collections::BTreeMap::new();
    for one in &entries {
        by_conversation.entry(one.conversation_id).or_default().push(one.id);
    }
    for id in &conversations {
        by_conversation.entry(*id).or_default();
    }
    for (conversation, ids) in by_conversation {
        let theirs = conversations.contains(&conversation);
        let chunks: Vec<Vec<EntryId>> =
            if ids.is_empty() { vec![vec![]] } else { ids.chunks(ENTRIES_PER_TX).map(<[EntryId]>::to_vec).collect() };
        for chunk in chunks {
            let (who, set) = (who.clone(), set.clone());
            blobs.extend(
                desk.db
                    .write(Route::Conversation(conversation), move |tx| {
                        erase_entries(tx, &who, conversation, &chunk, theirs.then_some(set.as_slice()), now)
                    })
                    .await?,
            );
        }
    }
    let hashes = hashes(desk, workspace, &points).await?;
    let (who2, set2, counts) = (who.clone(), set.clone(), json!({"entries": erased.entries, "files": erased.files}));
    let keys = desk
        .db
        .write(Route::Contact(id), move |tx| -> Result<Vec<String>, StoreError> {
            store::erase::begin(tx)?;
            let actor = Actor::Agent(who2.agent);
            for owner in &points {
                store::erase::point(tx, who2.workspace, owner.contact_point_id, owner.contact_id)?;
            }
            let keys = store::erase::blobs(tx, who2.workspace, &blobs, now)?;
            for one in &set2 {
                let version = store::erase::contact(tx, who2.workspace, *one, now)?;
                store::erase::bury(tx, who2.workspace, *one, &actor.to_string(), &counts, &hashes, now)?;
                tx.log(Event {
                    workspace: who2.workspace,
                    stream_id: Some(one.0),
                    seq: Some(version),
                    kind: "contact.erased",
                    at: now,
                    actor,
                    cause_id: None,
                    payload: json!({"contact": one, "counts": counts}),
                });
            }
            store::erase::end(tx)?;
            Ok(keys)
        })
        .await?;
    for key in &keys {
        desk.blobs
            .delete(workspace, key)
            .await
            .map_err(|error| StoreError::broken(format!("a file could not be erased: {error}")))?;
    }
    let subjects = entries
        .iter()
        .map(|e| SubjectRef { kind: DocKind::Entry, id: e.id.0 })
        .chain(set.iter().map(|c| SubjectRef { kind: DocKind::Contact, id: c.0 }))
        .collect();
    desk.search.erase(workspace, subjects).await?;
    let db = desk.db.clone();
    tokio::task::spawn_blocking(move || db.checkpoint())
        .await
        .map_err(|_| StoreError::broken("the checkpoint after an erasure ended by a panic"))??;
    Ok(Erased { done: true, ..erased })
}

/// Everything on the timelines of these contacts, and everything in their conversations.
async fn entries_of(
    desk: &Desk,
    workspace: WorkspaceId,
    set: &[ContactId],
    conversations: &[ConversationId],
) -> Result<Vec<Entry>, StoreError> {
    let mut all = std::collections::BTreeMap::new();
    for contact in set.iter().copied() {
        let mut below = (i64::MAX, i64::MAX);
        loop {
            let page = desk.db.read(move |tx| entry::timeline_before(tx, workspace, &[contact], below, 500)).await?;
            let Some(first) = page.first() else { break };
            below = (first.at.0, first.id.0);
            all.extend(page.into_iter().map(|e| (e.id, e)));
        }
    }
    for id in conversations.iter().copied() {
        let mut below = (i64::MAX, i64::MAX);
        loop {
            let page = desk.db.read(move |tx| entry::conversation_before(tx, workspace, id, below, 500)).await?;
            let Some(first) = page.first() else { break };
            below = (first.at.0, first.id.0);
            all.extend(page.into_iter().map(|e| (e.id, e)));
        }
    }
    Ok(all.into_values().collect())
}

/// Empties entries of one conversation; with `contacts`, the conversation itself as well.
fn erase_entries(
    tx: &mut dyn Conn,
    who: &Who,
    id: ConversationId,
    ids: &[EntryId],
    contacts: Option<&[ContactId]>,
    now: Timestamp,
) -> Result<Vec<BlobId>, StoreError> {
    let workspace = who.workspace;
    store::erase::begin(tx)?;
    let mut locked = Locked::lock(tx, workspace, id)?;
    let payload = json!({"entries": ids.len()});
    locked.log(tx, "conversation.erased", now, Actor::Agent(who.agent), payload);
    let mut blobs = Vec::new();
    for mut one in entry::list_of(tx, workspace, ids)? {
        if one.kind != EntryKind::Event {
            one.body = Body::default();
            one.redacted_at = Some(now);
            one.seq = locked.row.seq;
            entry::set_body(tx, workspace, &one)?;
        }
        blobs.extend(store::erase::entry(tx, workspace, one.id)?);
    }
    if let Some(contacts) = contacts {
        let agents: Vec<_> = store::agent::list(tx, workspace)?.iter().map(|a| a.id).collect();
        blobs.extend(store::erase::conversation(tx, workspace, id, contacts, &agents)?);
        locked.row.subject = None;
        locked.row.orders.clear();
    }
    if let Some(preview) = &mut locked.row.preview
        && (contacts.is_some() || preview.entry_id.is_some_and(|shown| ids.contains(&shown)))
    {
        preview.text.clear();
        if preview.author_kind == "contact" {
            preview.author_name.clear();
        }
    }
    locked.row.public_seq = locked.row.seq;
    locked.save(tx)?;
    Ok(blobs)
}

/// Hashes of what the person was reached by. A shared address is somebody else's too and says nothing.
async fn hashes(desk: &Desk, workspace: WorkspaceId, owners: &[contact_point::Owner]) -> Result<Vec<String>, StoreError> {
    let ids: Vec<_> = owners.iter().map(|o| o.contact_point_id).collect();
    let points = desk.db.read(move |tx| contact_point::list(tx, workspace, &ids)).await?;
    let hasher = Hasher::of(desk);
    Ok(points.iter().filter(|p| !p.shared).map(|p| hasher.newest(workspace, &p.key)).collect())
}
