//! Takes a merge of contacts apart again, with what has happened since: entries go with the contact point they came from or
//! were sent to, notes and events with their conversation, and a conversation that then holds entries of both is split along
//! the contact. Nothing is sent, no clock starts, nobody's assignment changes.

use crate::context::{Desk, Who};
use crate::conversation::Locked;
use crate::conversation::label::{self, PartTo};
use crate::identity::merge::{self, MergeError, ONE_PRESS_MS, Standing};
use model::{Actor, ContactId, ContactMergeId, ConversationId, Direction, EntryId, EntryKind, Timestamp, WorkspaceId};
use serde_json::json;
use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap};
use store::contact::Contact;
use store::conversation::{self, Conversation};
use store::entry::{self, Entry};
use store::{Conn, Route, StoreError, contact_merge, contact_point, event_log};

/// Larger timelines are parted as far as this reaches; the rest stays by its contact and can be moved by hand.
const ENTRY_COUNT_MAX: i64 = 10_000;
const CONVERSATION_COUNT_MAX: i64 = 1_000;

/// A conversation that holds entries of both.
#[derive(Clone, Debug, PartialEq)]
pub struct Parted {
    /// The conversation.
    pub id: ConversationId,
    /// Its number.
    pub number: i64,
    /// How many entries leave it; all: it changes hands as a whole.
    pub entries: usize,
    /// Where they are afterwards; `None` in a preview when it will be a new conversation.
    pub to: Option<ConversationId>,
    /// Whose they are.
    pub contact_id: ContactId,
}

/// What a separation does, or would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Separation {
    /// The merge.
    pub merge_id: ContactMergeId,
    /// When it was made.
    pub merged_at: Timestamp,
    /// The contact that stayed.
    pub keep: Contact,
    /// The contact that comes free.
    pub other: Contact,
    /// Conversations and entries of the one that stays.
    pub keep_conversations: usize,
    /// Entries of the one that stays, counted up to 10,000 for both together.
    pub keep_entries: usize,
    /// Conversations of the other.
    pub conversations: usize,
    /// Entries of the other.
    pub entries: usize,
    /// Written since the merge: entry, and whose it will be. What an agent should look at.
    pub since: Vec<(EntryId, ContactId)>,
    /// Conversations that hold entries of both.
    pub parted: Vec<Parted>,
    /// Fields that go back to what they were.
    pub returned: Vec<String>,
    /// Fields that were edited since and stay.
    pub edited: Vec<String>,
    /// More than 30 days old: to be confirmed after a look at this.
    pub needs_confirming: bool,
}

type Answer<T> = Result<Result<T, MergeError>, StoreError>;

/// Whose everything is once the two are apart.
struct Sides {
    /// Entries that leave their conversation, by conversation, with the contact they belong to.
    foreign: BTreeMap<ConversationId, Vec<(EntryId, ContactId)>>,
    /// Conversations whose every message is the other side's.
    wholly: BTreeMap<ConversationId, ContactId>,
    /// Entries whose contact was the survivor's although they belong to the other.
    rewritten: Vec<(EntryId, ContactId)>,
    since: Vec<(EntryId, ContactId)>,
    keep_entries: usize,
    other_entries: usize,
}

/// Takes a merge back (or says what that would do). `confirmed`: somebody has looked at the preview.
pub async fn separate(
    desk: &Desk,
    who: &Who,
    id: ContactMergeId,
    confirmed: bool,
    dry_run: bool,
) -> Result<Separation, MergeError> {
    let (now, who, workspace) = (desk.now(), who.clone(), who.workspace);
    let found = desk.db.read(move |tx| contact_merge::find(tx, workspace, id)).await?;
    let Some(found) = found else { return Err(MergeError::NotFound) };
    let preview = run(desk, &who, &found, vec![], true, confirmed, now).await?;
    if dry_run {
        return Ok(preview);
    }
    if preview.needs_confirming && !confirmed {
        return Err(MergeError::NeedsPreview);
    }
    // Numbers are taken outside the transaction; one that is not needed goes back.
    let mut numbers = Vec::new();
    for _ in preview.parted.iter().filter(|p| p.to.is_none()) {
        numbers.push(desk.numbers.take(&desk.db, workspace).await?);
    }
    let done = run(desk, &who, &found, numbers.clone(), false, confirmed, now).await;
    let used = done.as_ref().map_or(0, |d| d.parted.iter().filter(|p| p.to.is_some_and(|to| to != p.id)).count());
    if done.is_err() || used < numbers.len() {
        let spare = if done.is_err() { 0 } else { used.min(numbers.len()) };
        for number in numbers.drain(spare..) {
            desk.numbers.give_back(workspace, number);
        }
    }
    done
}

async fn run(
    desk: &Desk,
    who: &Who,
    found: &contact_merge::ContactMerge,
    numbers: Vec<i64>,
    dry_run: bool,
    confirmed: bool,
    now: Timestamp,
) -> Result<Separation, MergeError> {
    let (who, id) = (who.clone(), found.id);
    desk.db
        .write(Route::Contact(found.keep_id), move |tx| -> Answer<Separation> {
            let workspace = who.workspace;
            let standing = match merge::standing(tx, workspace, id)? {
                Ok(standing) => standing,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let all: Vec<ContactId> = standing.rest.iter().chain(&standing.moved).copied().collect();
            let conversations = conversation::of_contacts(tx, workspace, &all, CONVERSATION_COUNT_MAX)?;
            let sides = sides(tx, workspace, &standing, &conversations)?;
            let mut preview = preview(tx, workspace, &standing, &conversations, &sides, now)?;
            if dry_run {
                return Ok(Ok(preview));
            }
            if preview.needs_confirming && !confirmed {
                return Ok(Err(MergeError::NeedsPreview));
            }
            let actor = Actor::Agent(who.agent);
            merge::part(tx, workspace, &standing, actor, now)?;
            for (entry, contact) in &sides.rewritten {
                entry::set_contact(tx, workspace, *entry, *contact)?;
            }
            let mut numbers = numbers.iter().copied();
            for parted in &mut preview.parted {
                if let Some(contact) = sides.wholly.get(&parted.id) {
                    change_hands(tx, &who, parted.id, *contact, &standing, now)?;
                    parted.to = Some(parted.id);
                    continue;
                }
                let leaving: Vec<EntryId> = sides.foreign.get(&parted.id).into_iter().flatten().map(|(e, _)| *e).collect();
                let mut left = leaving;
                for back in merged_in(tx, workspace, parted.id, parted.contact_id, &conversations, &standing)? {
                    let theirs = entries_of_merge(tx, workspace, parted.id, back)?;
                    let (mine, others): (Vec<EntryId>, Vec<EntryId>) = left.iter().partition(|e| theirs.contains(e));
                    if !mine.is_empty() {
                        parted.to = Some(label::part(tx, &who, parted.id, &mine, PartTo::Back(back), now)?);
                    }
                    left = others;
                }
                if left.is_empty() {
                    continue;
                }
                let Some(number) = numbers.next() else {
                    // Somebody wrote between the two looks; the caller tries again.
                    return Err(StoreError::Busy);
                };
                let target = PartTo::New { number, contact: parted.contact_id };
                parted.to = Some(label::part(tx, &who, parted.id, &left, target, now)?);
            }
            Ok(Ok(preview))
        })
        .await?
}

/// Decides for every entry and conversation of both whose it is.
fn sides(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    standing: &Standing,
    conversations: &[Conversation],
) -> Result<Sides, StoreError> {
    let is_moved = |id: ContactId| standing.moved.contains(&id);
    let all: Vec<ContactId> = standing.rest.iter().chain(&standing.moved).copied().collect();
    let entries = entry::timeline_before(tx, workspace, &all, (i64::MAX, i64::MAX), ENTRY_COUNT_MAX)?;
    let of: HashMap<ConversationId, &Conversation> = conversations.iter().map(|c| (c.id, c)).collect();
    let mut owners: HashMap<model::ContactPointId, Vec<ContactId>> = HashMap::new();
    let mut sides = Sides {
        foreign: BTreeMap::new(),
        wholly: BTreeMap::new(),
        rewritten: vec![],
        since: vec![],
        keep_entries: 0,
        other_entries: 0,
    };
    let mut messages: BTreeMap<ConversationId, Vec<(&Entry, ContactId)>> = BTreeMap::new();
    for one in &entries {
        // By the time of its making, not its own time: imported history and late mail are older than they are here.
        let since = model::id::made_at(one.id.0) >= standing.record.merged_at;
        let mut contact = one.contact_id;
        if since
            && one.direction == Direction::Out
            && let Some(point) = one.contact_point_id
        {
            let held = match owners.entry(point) {
                Slot::Occupied(known) => known.into_mut(),
                Slot::Vacant(free) => {
                    let found = contact_point::owners(tx, workspace, point)?;
                    free.insert(found.into_iter().map(|o| o.contact_id).filter(|id| all.contains(id)).collect())
                }
            };
            // Held by both: it stays where it was written.
            if let Some(owner) = held.first()
                && held.iter().all(|id| is_moved(*id) == is_moved(*owner))
            {
                contact = *owner;
            }
        }
        if is_moved(contact) != is_moved(one.contact_id) {
            sides.rewritten.push((one.id, contact));
        }
        if since && one.kind != EntryKind::Event {
            sides.since.push((one.id, if is_moved(contact) { standing.other.id } else { standing.keep.id }));
        }
        *(if is_moved(contact) { &mut sides.other_entries } else { &mut sides.keep_entries }) += 1;
        messages.entry(one.conversation_id).or_default().push((one, contact));
    }
    for (id, held) in messages {
        let Some(conversation) = of.get(&id) else { continue };
        let home = is_moved(conversation.contact_id);
        let said: Vec<&(&Entry, ContactId)> =
            held.iter().filter(|(e, _)| e.kind == EntryKind::Message || e.kind == EntryKind::Call).collect();
        let away = |side: ContactId| is_moved(side) != home;
        let leaves: Vec<(EntryId, ContactId)> = held.iter().filter(|(_, c)| away(*c)).map(|(e, c)| (e.id, *c)).collect();
        if leaves.is_empty() {
            continue;
        }
        let began_since = model::id::made_at(id.0) >= standing.record.merged_at;
        if began_since && !said.is_empty() && said.iter().all(|(_, c)| away(*c)) {
            // Begun after the merge, by the other alone: the label was the survivor's only by the pointer.
            let owner = leaves[0].1;
            sides.rewritten.extend(held.iter().filter(|(_, c)| !away(*c)).map(|(e, _)| (e.id, owner)));
            sides.wholly.insert(id, owner);
        }
        sides.foreign.insert(id, leaves);
    }
    Ok(sides)
}

fn preview(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    standing: &Standing,
    conversations: &[Conversation],
    sides: &Sides,
    now: Timestamp,
) -> Result<Separation, StoreError> {
    let mut parted = Vec::new();
    for (id, leaves) in &sides.foreign {
        let Some(conversation) = conversations.iter().find(|c| c.id == *id) else { continue };
        let contact = leaves[0].1;
        let mut left: Vec<EntryId> = leaves.iter().map(|(e, _)| *e).collect();
        let mut back_to = sides.wholly.contains_key(id).then_some(*id);
        if back_to.is_none() {
            for back in merged_in(tx, workspace, *id, contact, conversations, standing)? {
                let theirs = entries_of_merge(tx, workspace, *id, back)?;
                left.retain(|e| !theirs.contains(e));
                back_to = back_to.or(Some(back));
            }
            back_to = back_to.filter(|_| left.is_empty());
        }
        parted.push(Parted { id: *id, number: conversation.number, entries: leaves.len(), to: back_to, contact_id: contact });
    }
    let of_other = conversations.iter().filter(|c| standing.moved.contains(&c.contact_id)).count();
    Ok(Separation {
        merge_id: standing.record.id,
        merged_at: standing.record.merged_at,
        keep: standing.keep.clone(),
        other: standing.other.clone(),
        keep_conversations: conversations.len() - of_other,
        keep_entries: sides.keep_entries,
        conversations: of_other,
        entries: sides.other_entries,
        since: sides.since.clone(),
        parted,
        returned: standing.returned.clone(),
        edited: standing.edited.clone(),
        needs_confirming: now.since(standing.record.merged_at) > ONE_PRESS_MS,
    })
}

/// Conversations of the same side that were merged into this one.
fn merged_in(
    _tx: &mut dyn Conn,
    _workspace: WorkspaceId,
    id: ConversationId,
    contact: ContactId,
    conversations: &[Conversation],
    standing: &Standing,
) -> Result<Vec<ConversationId>, StoreError> {
    let side = standing.moved.contains(&contact);
    let theirs = |c: &&Conversation| c.merged_into == Some(id) && standing.moved.contains(&c.contact_id) == side;
    Ok(conversations.iter().filter(theirs).map(|c| c.id).collect())
}

/// The entries that came with a conversation when it was merged into another one, by the log of that merge.
fn entries_of_merge(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    into: ConversationId,
    from: ConversationId,
) -> Result<Vec<EntryId>, StoreError> {
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let page = event_log::list_stream(tx, workspace, into.0, after, 500)?;
        let Some(last) = page.last() else { return Ok(found) };
        after = last.seq.unwrap_or(i64::MAX);
        for event in page.iter().filter(|e| e.kind == "conversation.merged" && e.payload.get("from") == Some(&json!(from))) {
            if let Some(entries) = event.payload.get("entries") {
                found = serde_json::from_value(entries.clone()).unwrap_or_default();
            }
        }
    }
}

/// A conversation that is the other's alone becomes theirs.
fn change_hands(
    tx: &mut dyn Conn,
    who: &Who,
    id: ConversationId,
    contact: ContactId,
    standing: &Standing,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut locked = Locked::lock(tx, who.workspace, id)?;
    locked.row.contact_id = contact;
    let payload = json!({"from": standing.keep.id, "to": contact, "merge": standing.record.id});
    locked.log(tx, "conversation.changed_hands", now, Actor::Agent(who.agent), payload);
    locked.save(tx)?;
    Ok(())
}
