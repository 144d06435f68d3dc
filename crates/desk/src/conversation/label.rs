//! Moves labels: merge two conversations, split entries out, move one entry; and takes each back. Entries never change
//! their contact, their time or their content here, so the multiset of entries is the same before and after. Everything
//! that undo needs stands in the event log.

use super::Locked;
use super::add::{add_event, preview_of};
use super::change::{self, undo_patch};
use crate::context::{Desk, Who};
use model::{Actor, Channel, ConversationId, Direction, EntryId, EntryKind, EventId, Status, Timestamp, WorkspaceId};
use serde_json::json;
use store::conversation::{self, Conversation};
use store::entry::{self, Entry};
use store::{Conn, Route, StoreError, event_log};

/// Larger conversations are linked, not merged: one transaction must stay short (store.md 2.4).
pub const MERGE_ENTRY_COUNT_MAX: usize = 5_000;

/// What a move of labels does, or would do.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelChange {
    /// What takes it back; `None` for a dry run.
    pub undo_id: Option<EventId>,
    /// Where the entries are afterwards (for a dry run of a split: where they are now).
    pub conversation_id: ConversationId,
    /// How many entries move.
    pub entries: usize,
    /// What an agent should know before.
    pub warnings: Vec<&'static str>,
}

/// Which rule said no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LabelError {
    /// No such conversation or entry.
    #[error("there is no such conversation or entry")]
    NotFound,
    /// Source and target are one.
    #[error("a conversation cannot be merged with itself")]
    Same,
    /// Other people's conversations never mix by a move of labels.
    #[error("these conversations belong to different customers; merge the customers first")]
    OtherContact,
    /// Merged away already.
    #[error("this conversation was merged into another one")]
    MergedAway,
    /// Nothing, or everything, would be split out.
    #[error("choose some of the entries, not none and not all")]
    NothingOrAll,
    /// Too many entries for one transaction.
    #[error("this conversation has more than 5,000 entries and can only be linked")]
    TooLarge,
    /// Nothing that can be taken back.
    #[error("there is nothing to undo")]
    NothingToUndo,
    /// The entries have moved on since.
    #[error("it was changed again since and cannot be undone")]
    TooLate,
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Answer<T> = Result<Result<T, LabelError>, StoreError>;

macro_rules! refuse {
    ($error:expr) => {
        return Ok(Err($error))
    };
}

/// Locks two conversations in ascending order of their ids, as every transaction that needs two must.
fn lock_two(tx: &mut dyn Conn, workspace: WorkspaceId, a: ConversationId, b: ConversationId) -> Answer<(Locked, Locked)> {
    let (low, high) = (a.min(b), a.max(b));
    let pair = Locked::lock(tx, workspace, low).and_then(|l| Locked::lock(tx, workspace, high).map(|h| (l, h)));
    match pair {
        Ok((l, h)) => Ok(Ok(if a == low { (l, h) } else { (h, l) })),
        Err(StoreError::NotFound) => Ok(Err(LabelError::NotFound)),
        Err(other) => Err(other),
    }
}

fn same_person(tx: &mut dyn Conn, workspace: WorkspaceId, a: &Conversation, b: &Conversation) -> Result<bool, StoreError> {
    let live = |tx: &mut dyn Conn, c: &Conversation| store::contact::get_live(tx, workspace, c.contact_id).map(|c| c.id);
    Ok(live(tx, a)? == live(tx, b)?)
}

fn warnings(from: &Conversation, to: &Conversation) -> Vec<&'static str> {
    let mut warnings = Vec::new();
    if from.agent_id.is_some() && to.agent_id.is_some() && from.agent_id != to.agent_id {
        warnings.push("different_agents");
    }
    if !to.status.is_open() && from.status.is_open() {
        warnings.push("target_is_closed");
    }
    warnings
}

/// Recomputes what the row shows of its entries after labels moved.
fn refresh(tx: &mut dyn Conn, locked: &mut Locked) -> Result<(), StoreError> {
    let (workspace, id) = (locked.workspace(), locked.row.id);
    let latest = entry::latest(tx, workspace, id)?;
    locked.row.preview = latest.as_ref().map(preview_of);
    if let Some(latest) = &latest {
        locked.row.last_activity_at = latest.at;
    }
    if let Some(inbound) = entry::latest_inbound(tx, workspace, id)? {
        let row = &mut locked.row;
        row.customer_seq = inbound.seq;
        row.customer_at = Some(inbound.at);
        row.channel = inbound.channel;
        row.inbox_id = inbound.inbox_id.unwrap_or(row.inbox_id);
    } else {
        let row = &mut locked.row;
        (row.unread_count, row.customer_at) = (0, None);
    }
    locked.row.waiting_since = waiting_since(tx, locked)?;
    Ok(())
}

/// The oldest customer entry since the last answer and the last resolve, from the entries themselves. Looks at the last
/// 200 of them; of a longer silence it keeps what the row says.
pub(crate) fn waiting_since(tx: &mut dyn Conn, locked: &Locked) -> Result<Option<Timestamp>, StoreError> {
    const LOOK_BACK: i64 = 200;
    let row = &locked.row;
    if !row.status.is_open() {
        return Ok(None);
    }
    let entries = entry::conversation_before(tx, locked.workspace(), row.id, (i64::MAX, i64::MAX), LOOK_BACK)?;
    let full = entries.len() as i64 == LOOK_BACK;
    let mut oldest = None;
    for entry in entries.iter().rev() {
        if super::add::ends_the_wait(entry) || row.resolved_at.is_some_and(|at| entry.at <= at) {
            return Ok(oldest);
        }
        if entry.direction == Direction::In && !entry.closing {
            oldest = Some(entry.at);
        }
    }
    Ok(if full { row.waiting_since.or(oldest) } else { oldest })
}

/// Gives entries another label, as one change in each of the two conversations.
fn relabel(tx: &mut dyn Conn, ids: &[EntryId], from: &mut Locked, to: &mut Locked) -> Result<usize, StoreError> {
    let mut moved = 0;
    for id in ids {
        if entry::relabel(tx, to.workspace(), *id, from.row.id, to.row.id, to.row.seq)? {
            moved += 1;
        }
    }
    for agent in store::agent::list(tx, to.workspace())? {
        conversation::seen::move_mentions(tx, to.workspace(), agent.id, from.row.id, to.row.id, ids)?;
    }
    // What the customer may see of either side has moved, so both public positions have.
    to.row.public_seq = to.row.seq;
    from.row.public_seq = from.row.seq;
    refresh(tx, to)?;
    refresh(tx, from)?;
    Ok(moved)
}

/// Merges a conversation into another of the same person. The first one stays as a pointer and can be taken out again.
pub async fn merge(
    desk: &Desk,
    who: &Who,
    id: ConversationId,
    into: ConversationId,
    dry_run: bool,
) -> Result<LabelChange, LabelError> {
    let (now, who) = (desk.now(), who.clone());
    if id == into {
        return Err(LabelError::Same);
    }
    desk.db
        .write(Route::Conversation(into), move |tx| -> Answer<LabelChange> {
            let (mut from, mut to) = match lock_two(tx, who.workspace, id, into)? {
                Ok(pair) => pair,
                Err(refusal) => refuse!(refusal),
            };
            if from.row.merged_into.is_some() || to.row.merged_into.is_some() {
                refuse!(LabelError::MergedAway);
            }
            if !same_person(tx, who.workspace, &from.row, &to.row)? {
                refuse!(LabelError::OtherContact);
            }
            let ids = entry::ids_of_conversation(tx, who.workspace, id, MERGE_ENTRY_COUNT_MAX as i64 + 1)?;
            if ids.len() > MERGE_ENTRY_COUNT_MAX {
                refuse!(LabelError::TooLarge);
            }
            let warnings = warnings(&from.row, &to.row);
            if dry_run {
                return Ok(Ok(LabelChange { undo_id: None, conversation_id: into, entries: ids.len(), warnings }));
            }
            let actor = Actor::Agent(who.agent);
            let args = json!({"from": id, "into": into, "from_number": from.row.number, "into_number": to.row.number});
            from.log(tx, "conversation.merged_away", now, actor, json!({"into": into}));
            let event = add_event(
                tx,
                &mut to,
                "conversation.merged",
                "conversation_merged",
                args_with(args, "entries", json!(ids)),
                actor,
                &who.name,
                now,
            )?;
            let unread = from.row.unread_count;
            let waiting = [from.row.waiting_since, to.row.waiting_since].into_iter().flatten().min();
            let entries = relabel(tx, &ids, &mut from, &mut to)?;
            // Both histories are kept; the survivor has waited as long as the longer of the two (domain.md 3.2).
            if to.row.status.is_open() {
                to.row.waiting_since = to.row.waiting_since.and(waiting);
            }
            to.row.unread_count += unread;
            to.row.created_at = to.row.created_at.min(from.row.created_at);
            for agent in store::agent::list(tx, who.workspace)? {
                store::draft::follow(tx, who.workspace, agent.id, id, into)?;
            }
            for one in conversation::participants(tx, who.workspace, id)? {
                if let (Some(contact), Some(point)) = (one.contact_id, one.contact_point_id) {
                    conversation::join(tx, who.workspace, into, contact, point, one.role, now)?;
                }
            }
            from.row.merged_into = Some(into);
            from.save(tx)?;
            to.save(tx)?;
            Ok(Ok(LabelChange { undo_id: Some(event), conversation_id: into, entries, warnings }))
        })
        .await?
}

fn args_with(mut args: serde_json::Value, name: &str, value: serde_json::Value) -> serde_json::Value {
    if let Some(object) = args.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
    args
}

/// Splits entries out into a new conversation of the same contact.
pub async fn split(
    desk: &Desk,
    who: &Who,
    id: ConversationId,
    entries: Vec<EntryId>,
    dry_run: bool,
) -> Result<LabelChange, LabelError> {
    let (now, who, workspace) = (desk.now(), who.clone(), who.workspace);
    if entries.is_empty() || entries.len() > MERGE_ENTRY_COUNT_MAX {
        return Err(LabelError::NothingOrAll);
    }
    let number = desk.numbers.take(&desk.db, workspace).await?;
    let done = desk
        .db
        .write(Route::Conversation(id), move |tx| -> Answer<LabelChange> {
            let mut from = match Locked::lock(tx, workspace, id) {
                Ok(locked) => locked,
                Err(StoreError::NotFound) => refuse!(LabelError::NotFound),
                Err(other) => return Err(other),
            };
            if from.row.merged_into.is_some() {
                refuse!(LabelError::MergedAway);
            }
            let chosen = entry::list_of(tx, workspace, &entries)?;
            if chosen.len() != entries.len() || chosen.iter().any(|e| e.conversation_id != id) {
                refuse!(LabelError::NotFound);
            }
            let all = entry::ids_of_conversation(tx, workspace, id, MERGE_ENTRY_COUNT_MAX as i64 + 1)?;
            let rest: Vec<Entry> =
                entry::list_of(tx, workspace, &all.into_iter().filter(|e| !entries.contains(e)).collect::<Vec<_>>())?;
            if rest.iter().all(|e| e.kind == EntryKind::Event) || chosen.iter().all(|e| e.kind == EntryKind::Event) {
                refuse!(LabelError::NothingOrAll);
            }
            if dry_run {
                return Ok(Ok(LabelChange { undo_id: None, conversation_id: id, entries: entries.len(), warnings: vec![] }));
            }
            let new = ConversationId(tx.id());
            let mut to = Locked::create(tx, workspace, split_row(&from.row, new, number, &chosen, now))?;
            let actor = Actor::Agent(who.agent);
            let args = json!({"from": id, "to": new, "from_number": from.row.number, "to_number": number});
            to.log(tx, "conversation.created", now, actor, json!({"contact": from.row.contact_id, "split_from": id}));
            let event = add_event(
                tx,
                &mut from,
                "conversation.split",
                "conversation_split",
                args_with(args.clone(), "entries", json!(entries)),
                actor,
                &who.name,
                now,
            )?;
            add_event(tx, &mut to, "conversation.split_here", "conversation_split", args, actor, &who.name, now)?;
            let moved = relabel(tx, &entries, &mut from, &mut to)?;
            from.save(tx)?;
            to.save(tx)?;
            Ok(Ok(LabelChange { undo_id: Some(event), conversation_id: new, entries: moved, warnings: vec![] }))
        })
        .await?;
    if dry_run || done.is_err() {
        desk.numbers.give_back(workspace, number);
    }
    done
}

fn split_row(from: &Conversation, id: ConversationId, number: i64, chosen: &[Entry], now: Timestamp) -> Conversation {
    let first = chosen.iter().map(|e| e.at).min().unwrap_or(now);
    let last_in = chosen.iter().filter(|e| e.direction == Direction::In).max_by_key(|e| (e.at, e.id));
    let contact = chosen.iter().find(|e| e.kind != EntryKind::Event).map_or(from.contact_id, |e| e.contact_id);
    let mut channels: Vec<String> =
        chosen.iter().filter(|e| e.channel != Channel::Internal).map(|e| crate::placement::way(e.channel, e.inbox_id)).collect();
    channels.sort();
    channels.dedup();
    Conversation {
        id,
        number,
        channels,
        related: vec![from.id],
        contact_id: contact,
        inbox_id: last_in.and_then(|e| e.inbox_id).unwrap_or(from.inbox_id),
        channel: last_in.map_or(from.channel, |e| e.channel),
        first_channel: chosen.iter().find(|e| e.direction == Direction::In).map_or(from.first_channel, |e| e.channel),
        status: if from.status.is_open() { Status::Open } else { from.status },
        snoozed_until: None,
        seq: 0,
        customer_seq: 0,
        public_seq: 0,
        unread_count: 0,
        preview: None,
        merged_into: None,
        follow_up_of: None,
        created_at: first,
        last_activity_at: now,
        version: 1,
        ..from.clone()
    }
}

/// Where entries go that leave a conversation because two contacts part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartTo {
    /// A conversation that was merged into this one and comes free again.
    Back(ConversationId),
    /// A new one with this number, of this contact.
    New {
        /// Its number.
        number: i64,
        /// Whose it is.
        contact: model::ContactId,
    },
}

/// Takes entries of another contact out of a conversation when two contacts part; both parts are related afterwards. Starts
/// no clock, changes no assignee and tells the customer nothing. Gives the conversation that holds them now.
pub fn part(
    tx: &mut dyn Conn,
    who: &Who,
    id: ConversationId,
    entries: &[EntryId],
    target: PartTo,
    now: Timestamp,
) -> Result<ConversationId, StoreError> {
    let workspace = who.workspace;
    let actor = Actor::Agent(who.agent);
    let (mut from, mut to) = match target {
        PartTo::Back(back) => match lock_two(tx, workspace, id, back)? {
            Ok((from, mut to)) => {
                to.row.merged_into = None;
                (from, to)
            }
            Err(_) => return Err(StoreError::NotFound),
        },
        PartTo::New { number, contact } => {
            let from = Locked::lock(tx, workspace, id)?;
            let chosen = entry::list_of(tx, workspace, entries)?;
            let row = split_row(&from.row, ConversationId(tx.id()), number, &chosen, now);
            let mut to = Locked::create(tx, workspace, Conversation { contact_id: contact, ..row })?;
            to.log(tx, "conversation.created", now, actor, json!({"contact": contact, "split_from": id}));
            (from, to)
        }
    };
    for (one, other) in [(&mut from.row.related, to.row.id), (&mut to.row.related, id)] {
        if !one.contains(&other) {
            one.push(other);
        }
    }
    let args = json!({"from": id, "to": to.row.id, "from_number": from.row.number, "to_number": to.row.number});
    let with = args_with(args.clone(), "entries", json!(entries));
    add_event(tx, &mut from, "conversation.parted", "conversation_split", with, actor, &who.name, now)?;
    add_event(tx, &mut to, "conversation.parted_here", "conversation_split", args, actor, &who.name, now)?;
    relabel(tx, entries, &mut from, &mut to)?;
    let to_id = to.row.id;
    from.save(tx)?;
    to.save(tx)?;
    Ok(to_id)
}

/// Moves one entry to another conversation of the same person.
pub async fn move_entry(
    desk: &Desk,
    who: &Who,
    id: EntryId,
    to: ConversationId,
    dry_run: bool,
) -> Result<LabelChange, LabelError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Conversation(to), move |tx| -> Answer<LabelChange> {
            let Some(found) = entry::find(tx, who.workspace, id)? else { refuse!(LabelError::NotFound) };
            if found.conversation_id == to {
                refuse!(LabelError::Same);
            }
            let (mut from, mut target) = match lock_two(tx, who.workspace, found.conversation_id, to)? {
                Ok(pair) => pair,
                Err(refusal) => refuse!(refusal),
            };
            if target.row.merged_into.is_some() {
                refuse!(LabelError::MergedAway);
            }
            // Somebody else has moved it while we waited for the locks.
            if entry::find(tx, who.workspace, id)?.is_none_or(|e| e.conversation_id != from.row.id) {
                refuse!(LabelError::TooLate);
            }
            if !same_person(tx, who.workspace, &from.row, &target.row)? {
                refuse!(LabelError::OtherContact);
            }
            let warnings = warnings(&from.row, &target.row);
            if dry_run {
                return Ok(Ok(LabelChange { undo_id: None, conversation_id: to, entries: 1, warnings }));
            }
            let actor = Actor::Agent(who.agent);
            let args = json!({"from": from.row.id, "to": to, "from_number": from.row.number, "to_number": target.row.number});
            let event = add_event(
                tx,
                &mut target,
                "conversation.entry_moved",
                "entry_moved",
                args_with(args.clone(), "entries", json!([id])),
                actor,
                &who.name,
                now,
            )?;
            add_event(tx, &mut from, "conversation.entry_moved_away", "entry_moved", args, actor, &who.name, now)?;
            let entries = relabel(tx, &[id], &mut from, &mut target)?;
            from.save(tx)?;
            target.save(tx)?;
            Ok(Ok(LabelChange { undo_id: Some(event), conversation_id: to, entries, warnings }))
        })
        .await?
}

/// Takes a merge, a split, a move or a bulk change back, by the event that recorded it.
pub async fn undo(desk: &Desk, who: &Who, event: EventId) -> Result<(), LabelError> {
    let workspace = who.workspace;
    let found = desk.db.read(move |tx| event_log::find(tx, workspace, event)).await?;
    let Some(found) = found else { return Err(LabelError::NothingToUndo) };
    match found.kind.as_str() {
        "conversation.merged" => undo_move(desk, who, event, &found.payload, "into", "from", "conversation.merge_undone").await,
        "conversation.split" => undo_move(desk, who, event, &found.payload, "to", "from", "conversation.split_undone").await,
        "conversation.entry_moved" => undo_move(desk, who, event, &found.payload, "to", "from", "conversation.move_undone").await,
        "conversation.bulk_changed" => undo_bulk(desk, who, &found.payload).await,
        _ => Err(LabelError::NothingToUndo),
    }
}

/// Moves the named entries back. What was written since stays where it was written.
async fn undo_move(
    desk: &Desk,
    who: &Who,
    event: EventId,
    payload: &serde_json::Value,
    now_in: &str,
    back_to: &str,
    kind: &'static str,
) -> Result<(), LabelError> {
    let field = |name: &str| payload.get(name).and_then(|v| serde_json::from_value::<ConversationId>(v.clone()).ok());
    let (Some(here), Some(there)) = (field(now_in), field(back_to)) else { return Err(LabelError::NothingToUndo) };
    let entries: Vec<EntryId> =
        payload.get("entries").and_then(|v| serde_json::from_value(v.clone()).ok()).ok_or(LabelError::NothingToUndo)?;
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Conversation(here), move |tx| -> Answer<()> {
            let (mut from, mut to) = match lock_two(tx, who.workspace, here, there)? {
                Ok(pair) => pair,
                Err(refusal) => refuse!(refusal),
            };
            let still_here: Vec<EntryId> = entry::list_of(tx, who.workspace, &entries)?
                .into_iter()
                .filter(|e| e.conversation_id == here)
                .map(|e| e.id)
                .collect();
            if still_here.is_empty() || from.row.merged_into.is_some() {
                refuse!(LabelError::TooLate);
            }
            let was_merged = to.row.merged_into == Some(here);
            if to.row.merged_into.is_some() && !was_merged {
                refuse!(LabelError::TooLate);
            }
            to.row.merged_into = None;
            let actor = Actor::Agent(who.agent);
            let args = json!({"event": event, "from": here, "to": there});
            add_event(tx, &mut from, kind, "undone", args.clone(), actor, &who.name, now)?;
            add_event(tx, &mut to, "conversation.undone_here", "undone", args, actor, &who.name, now)?;
            relabel(tx, &still_here, &mut from, &mut to)?;
            // A split that is taken back leaves nothing but events behind: the empty label points home.
            if kind == "conversation.split_undone" && entry::latest(tx, who.workspace, here)?.is_none() {
                from.row.merged_into = Some(there);
            }
            from.save(tx)?;
            to.save(tx)?;
            Ok(Ok(()))
        })
        .await?
}

async fn undo_bulk(desk: &Desk, who: &Who, payload: &serde_json::Value) -> Result<(), LabelError> {
    let now = desk.now();
    let before = payload.get("before").and_then(|v| v.as_array()).ok_or(LabelError::NothingToUndo)?;
    for (id, patch) in before.iter().filter_map(|b| undo_patch(b, now)) {
        let who = who.clone();
        desk.db
            .write(Route::Conversation(id), move |tx| -> Result<(), StoreError> {
                // One that was locked or merged since keeps its new state; the others go back.
                change::apply(tx, &who, id, &patch, now)?.map_or(Ok(()), |_| Ok(()))
            })
            .await?;
    }
    Ok(())
}
