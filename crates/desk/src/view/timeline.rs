//! The timeline of a contact: entries of all its conversations and of the contacts merged into it, as one stream that
//! opens at one conversation. Entries of conversations that the agent may not see become one line each.

use crate::context::Who;
use crate::view::Sight;
use model::{ContactId, ConversationId, DecisionId, DeliveryState, EntryId, EntryKind, Timestamp};
use std::collections::{HashMap, HashSet};
use store::conversation::Conversation;
use store::entry::Entry;
use store::outbox::{Delivery, Outbox};
use store::{Conn, StoreError};

/// A place in a timeline: `(at, id)` of an entry.
pub type Position = (i64, i64);

const END: Position = (i64::MAX, i64::MAX);

/// Which part of the timeline is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Around the first entry of the customer that the agent has not seen; at the end when there is none.
    FirstUnread,
    /// The end.
    End,
    /// Around an entry.
    Entry(EntryId),
    /// What stands before a place.
    Before(Position),
    /// What stands after a place.
    After(Position),
}

/// An entry with what an agent needs beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryView {
    /// The entry.
    pub entry: Entry,
    /// How its delivery stands; only on outgoing entries.
    pub status: Option<DeliveryView>,
    /// The rule that put it where it stands.
    pub placed: Option<(String, DecisionId)>,
    /// It stands for this many entries that the agent may not see; its own content must not be shown.
    pub hidden: Option<usize>,
}

/// How the delivery of an entry stands.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryView {
    /// The combined word.
    pub state: DeliveryState,
    /// Why, in words for the agent.
    pub reason: Option<String>,
    /// It may have been sent, and nobody knows.
    pub uncertain: bool,
    /// End of the undo time.
    pub hold_until: Option<Timestamp>,
    /// The time that the agent chose.
    pub send_at: Option<Timestamp>,
    /// Parts that the provider took.
    pub parts_sent: i64,
    /// Parts in all; 0 until the first attempt.
    pub parts_total: i64,
    /// Last change.
    pub at: Timestamp,
}

/// One page.
#[derive(Clone, Debug)]
pub struct TimelinePage {
    /// Oldest first.
    pub entries: Vec<EntryView>,
    /// More stands before this place.
    pub before: Option<Position>,
    /// More stands after this place.
    pub after: Option<Position>,
    /// The first entry that the agent has not seen.
    pub first_unread: Option<EntryId>,
    /// Conversations that the entries belong to, as far as they may be seen.
    pub conversations: Vec<Conversation>,
    /// The asked conversation's number of changes.
    pub seq: i64,
    /// The state that this page shows.
    pub change_seq: i64,
}

/// A page of the timeline around a conversation.
pub fn page(
    tx: &mut dyn Conn,
    who: &Who,
    conversation: &Conversation,
    anchor: Anchor,
    limit: i64,
) -> Result<TimelinePage, StoreError> {
    let contacts = merged_set(tx, who, conversation.contact_id)?;
    let seen =
        store::conversation::seen::of(tx, who.workspace, who.agent, &[conversation.id])?.first().map_or(0, |(_, seq)| *seq);
    let unread = store::entry::first_unread(tx, who.workspace, conversation.id, seen)?;
    let around = |at: Timestamp, id: EntryId| Some((at.0, id.0));
    let place = match anchor {
        Anchor::FirstUnread => unread.and_then(|(id, at)| around(at, id)),
        Anchor::Entry(id) => store::entry::find(tx, who.workspace, id)?.and_then(|entry| around(entry.at, entry.id)),
        Anchor::End | Anchor::Before(_) | Anchor::After(_) => None,
    };
    let (found, before, after) = match (anchor, place) {
        (Anchor::After(place), _) => {
            let (found, after) = from(tx, who, &contacts, (place.0, place.1 + 1), limit)?;
            let before = found.first().map(position);
            (found, before, after)
        }
        (Anchor::Before(place), _) => {
            let (found, before) = upto(tx, who, &contacts, place, limit)?;
            let after = found.last().map(position);
            (found, before, after)
        }
        (_, Some(place)) => {
            let above = (limit / 4).max(1);
            let (mut found, before) = upto(tx, who, &contacts, place, above)?;
            let (rest, after) = from(tx, who, &contacts, place, limit - above)?;
            found.extend(rest);
            (found, before, after)
        }
        (_, None) => {
            let (found, before) = upto(tx, who, &contacts, END, limit)?;
            (found, before, None)
        }
    };
    let mut ids: Vec<ConversationId> = found.iter().map(|entry| entry.conversation_id).collect();
    ids.push(conversation.id);
    let known = store::conversation::list_of(tx, who.workspace, &crate::view::rows::unique(ids.into_iter()))?;
    let hidden = hidden_of(tx, who, &known)?;
    let entries = fold_hidden(views(tx, who.workspace, found)?, &hidden);
    Ok(TimelinePage {
        entries,
        before,
        after,
        first_unread: unread.map(|(id, _)| id),
        conversations: known.into_iter().filter(|c| !hidden.contains(&c.id)).collect(),
        seq: conversation.seq,
        change_seq: store::event_log::head(tx, who.workspace)?,
    })
}

/// The live contact behind an id and everybody merged into it.
pub fn merged_set(tx: &mut dyn Conn, who: &Who, contact: ContactId) -> Result<Vec<ContactId>, StoreError> {
    let live = store::contact::get_live(tx, who.workspace, contact)?.id;
    store::contact::merged_set(tx, who.workspace, live)
}

fn position(entry: &Entry) -> Position {
    (entry.at.0, entry.id.0)
}

// One more than asked for tells whether there is more.
fn upto(
    tx: &mut dyn Conn,
    who: &Who,
    contacts: &[ContactId],
    place: Position,
    limit: i64,
) -> Result<(Vec<Entry>, Option<Position>), StoreError> {
    let mut found = store::entry::timeline_before(tx, who.workspace, contacts, place, limit + 1)?;
    let more = found.len() as i64 > limit;
    if more {
        found.remove(0);
    }
    let before = if more { found.first().map(position) } else { None };
    Ok((found, before))
}

fn from(
    tx: &mut dyn Conn,
    who: &Who,
    contacts: &[ContactId],
    place: Position,
    limit: i64,
) -> Result<(Vec<Entry>, Option<Position>), StoreError> {
    let mut found = store::entry::timeline_from(tx, who.workspace, contacts, place, limit + 1)?;
    let more = found.len() as i64 > limit;
    if more {
        found.pop();
    }
    let after = if more { found.last().map(position) } else { None };
    Ok((found, after))
}

fn hidden_of(tx: &mut dyn Conn, who: &Who, known: &[Conversation]) -> Result<HashSet<ConversationId>, StoreError> {
    let sight = Sight::load(tx, who)?;
    let mut hidden = HashSet::new();
    for conversation in known {
        if !sight.may_see(tx, who.workspace, conversation)? {
            hidden.insert(conversation.id);
        }
    }
    Ok(hidden)
}

// Runs of entries of one hidden conversation become one line without content.
fn fold_hidden(entries: Vec<EntryView>, hidden: &HashSet<ConversationId>) -> Vec<EntryView> {
    let mut folded: Vec<EntryView> = Vec::with_capacity(entries.len());
    for mut view in entries {
        if !hidden.contains(&view.entry.conversation_id) {
            folded.push(view);
            continue;
        }
        match folded.last_mut() {
            Some(last) if last.hidden.is_some() && last.entry.conversation_id == view.entry.conversation_id => {
                last.hidden = last.hidden.map(|n| n + 1);
            }
            _ => {
                view.entry.body = model::Body::default();
                view.entry.kind = EntryKind::Event;
                view.entry.author_name.clear();
                view.entry.author_id = None;
                view.entry.contact_point_id = None;
                view.entry.flags.clear();
                view.status = None;
                view.placed = None;
                view.hidden = Some(1);
                folded.push(view);
            }
        }
    }
    folded
}

/// Puts status and placement beside entries; the order stays.
pub fn views(tx: &mut dyn Conn, workspace: model::WorkspaceId, entries: Vec<Entry>) -> Result<Vec<EntryView>, StoreError> {
    let outgoing: Vec<EntryId> = entries.iter().filter(|e| e.delivery.is_some()).map(|e| e.id).collect();
    let boxes = store::outbox::of_entries(tx, workspace, &outgoing)?;
    let box_ids: Vec<model::OutboxId> = boxes.iter().map(|o| o.id).collect();
    let deliveries = store::outbox::deliveries_of(tx, workspace, &box_ids)?;
    let placed: Vec<EntryId> = entries.iter().filter(|e| e.decision_id.is_some()).map(|e| e.id).collect();
    let mut rules: HashMap<DecisionId, String> =
        store::entry::decisions_of(tx, workspace, &placed)?.into_iter().map(|(_, id, rule, _)| (id, rule)).collect();
    Ok(entries
        .into_iter()
        .map(|entry| {
            let status = status_of(&entry, &boxes, &deliveries);
            let placed = entry.decision_id.and_then(|id| rules.remove(&id).map(|rule| (rule, id)));
            EntryView { entry, status, placed, hidden: None }
        })
        .collect())
}

fn status_of(entry: &Entry, boxes: &[Outbox], deliveries: &[Delivery]) -> Option<DeliveryView> {
    let state = entry.delivery?;
    let of_entry: Vec<&Outbox> = boxes.iter().filter(|o| o.entry_id == entry.id).collect();
    let held = of_entry.iter().find(|o| o.state == model::OutboxState::Held);
    let newest = of_entry.iter().max_by_key(|o| o.id);
    let mut taken: HashMap<i64, bool> = HashMap::new();
    let mut parts_total = 0;
    let mut at = entry.at;
    for delivery in deliveries.iter().filter(|d| newest.is_some_and(|o| o.id == d.outbox_id && o.round == d.round)) {
        parts_total = parts_total.max(delivery.parts);
        at = at.max(delivery.changed_at);
        let failed = DeliveryState::of_rank(delivery.rank) == DeliveryState::Failed;
        *taken.entry(delivery.part).or_default() |= delivery.rank >= 1 && !failed;
    }
    Some(DeliveryView {
        state,
        reason: entry.delivery_reason.clone(),
        uncertain: entry.uncertain,
        hold_until: held.and_then(|o| o.hold_until),
        send_at: held.and_then(|o| o.send_at),
        parts_sent: taken.values().filter(|taken| **taken).count() as i64,
        parts_total,
        at,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use model::{Audience, AuthorKind, Body, Channel, Direction, InboxId, OutboxId, OutboxState};

    /// A message with plain values.
    pub(crate) fn entry(id: i64, conversation: i64) -> Entry {
        Entry {
            id: EntryId(id),
            contact_id: ContactId(1),
            conversation_id: ConversationId(conversation),
            inbox_id: Some(InboxId(1)),
            contact_point_id: None,
            kind: EntryKind::Message,
            channel: Channel::Webchat,
            direction: Direction::Out,
            audience: Audience::Customer,
            delivery: Some(DeliveryState::Queued),
            delivery_reason: None,
            uncertain: false,
            author_kind: AuthorKind::Agent,
            author_id: Some(2),
            author_name: "Lea".into(),
            notification: false,
            closing: false,
            imported: false,
            proof_level: None,
            flags: vec![],
            decision_id: None,
            reply_to: None,
            external_key: None,
            client_key: None,
            client_id: None,
            seq: id,
            at: Timestamp(id),
            edited_at: None,
            redacted_at: None,
            body: Body { text: format!("text {id}"), ..Body::default() },
        }
    }
    fn outbox(id: i64, state: OutboxState, round: i64) -> Outbox {
        Outbox {
            id: OutboxId(id),
            entry_id: EntryId(1),
            conversation_id: ConversationId(1),
            inbox_id: InboxId(1),
            contact_point_id: None,
            state,
            reason: None,
            hold_until: Some(Timestamp(99)),
            send_at: None,
            round,
            version: 1,
        }
    }
    fn delivery(part: i64, round: i64, attempt: i64, rank: i64) -> Delivery {
        Delivery {
            id: model::DeliveryId(part * 10 + attempt),
            outbox_id: OutboxId(4),
            inbox_id: InboxId(1),
            round,
            part,
            attempt,
            parts: 3,
            rank,
            open: false,
            uncertain: false,
            provider_id: None,
            provider_key: None,
            class: None,
            code: None,
            reason: None,
            changed_at: Timestamp(50 + attempt),
        }
    }

    #[test]
    fn a_hold_is_shown_only_while_it_lasts() {
        let held = status_of(&entry(1, 1), &[outbox(4, OutboxState::Held, 1)], &[]).unwrap();
        assert_eq!((held.hold_until, held.parts_total), (Some(Timestamp(99)), 0));
        let gone = status_of(&entry(1, 1), &[outbox(4, OutboxState::Done, 1)], &[]).unwrap();
        assert_eq!(gone.hold_until, None);
        let note = Entry { delivery: None, ..entry(1, 1) };
        assert_eq!(status_of(&note, &[], &[]), None);
    }

    #[test]
    fn parts_are_counted_in_the_last_round_and_each_once() {
        let all = [delivery(0, 1, 1, 1), delivery(0, 2, 1, 3), delivery(0, 2, 2, 1), delivery(1, 2, 1, 3), delivery(2, 2, 1, 4)];
        let status = status_of(&entry(1, 1), &[outbox(4, OutboxState::Done, 2)], &all).unwrap();
        assert_eq!((status.parts_sent, status.parts_total, status.at), (2, 3, Timestamp(52)));
    }

    #[test]
    fn entries_of_hidden_conversations_are_one_line_without_content() {
        let view = |id, conversation| EntryView { entry: entry(id, conversation), status: None, placed: None, hidden: None };
        let all = vec![view(1, 1), view(2, 7), view(3, 7), view(4, 1), view(5, 7), view(6, 8), view(7, 8)];
        let folded = fold_hidden(all, &HashSet::from([ConversationId(7), ConversationId(8)]));
        let shown: Vec<_> = folded.iter().map(|v| (v.entry.id.0, v.hidden, v.entry.body.text.as_str())).collect();
        assert_eq!(shown, [(1, None, "text 1"), (2, Some(2), ""), (4, None, "text 4"), (5, Some(1), ""), (6, Some(2), "")]);
        assert!(
            folded
                .iter()
                .filter(|v| v.hidden.is_some())
                .all(|v| v.entry.author_name.is_empty() && v.entry.kind == EntryKind::Event)
        );
    }
}
