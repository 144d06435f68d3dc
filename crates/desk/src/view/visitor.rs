//! What a visitor of the widget sees: one conversation, namely the newest that holds something from this browser, and of it
//! only what was meant for the customer. Somebody who signed in by a signed token sees their newest one from any device.

use crate::identity::normal;
use crate::view::timeline::Position;
use channel::{ClaimSource, ContactPointClaim};
use model::{
    AgentId, Audience, AuthorKind, ContactId, ContactPointId, ContactPointKind, ConversationId, DeliveryState, Direction,
    EntryKind, InboxId, Timestamp, WorkspaceId,
};
use store::contact_point::{self, PointKey};
use store::conversation::Conversation;
use store::entry::Entry;
use store::{Conn, StoreError};

/// Conversations of a signed-in customer that are looked at to find the newest.
const CONVERSATIONS_MAX: i64 = 20;
/// A chain of merged conversations longer than this is broken.
const MERGED_MAX: usize = 64;

/// Who asks, as the visitor token says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Visitor {
    /// The inbox of the site.
    pub inbox: InboxId,
    /// The id inside the token.
    pub id: String,
    /// The customer's own id at the site, when a signed token (level 3) proved it.
    pub account: Option<String>,
}

/// What a visitor sees now.
#[derive(Clone, Debug, PartialEq)]
pub struct Chat {
    /// The visitor's address; none until the first message was taken in.
    pub point: Option<ContactPointId>,
    /// The live contact behind it.
    pub contact: Option<ContactId>,
    /// The conversation that goes on.
    pub conversation: Option<Conversation>,
}

/// The key of a visitor's contact point.
pub fn point_key(visitor: &Visitor) -> Option<PointKey> {
    key(ContactPointKind::Visitor, &visitor.inbox.to_string(), &visitor.id, ClaimSource::VisitorToken)
}

fn key(kind: ContactPointKind, scope: &str, value: &str, source: ClaimSource) -> Option<PointKey> {
    normal::key_of(&ContactPointClaim::new(kind, scope, value, 2, source), normal::Spelling::default())
}

/// Finds what the visitor sees.
pub fn chat(tx: &mut dyn Conn, workspace: WorkspaceId, visitor: &Visitor) -> Result<Chat, StoreError> {
    let point = match point_key(visitor) {
        Some(key) => contact_point::find_key(tx, workspace, &key)?,
        None => None,
    };
    let mut found: Option<(ConversationId, Timestamp)> = None;
    let mut contact = None;
    if let Some(point) = &point {
        for owner in contact_point::owners(tx, workspace, point.id)? {
            contact = Some(owner.live_id);
            for id in store::contact::merged_set(tx, workspace, owner.live_id)? {
                let latest = store::entry::latest_of_point(tx, workspace, id, point.id)?;
                found = [found, latest].into_iter().flatten().max_by_key(|(_, at)| *at);
            }
        }
    }
    if let Some(account) = &visitor.account
        && let Some(owner) = account_owner(tx, workspace, account)?
    {
        contact = Some(owner);
        found = newest_of_account(tx, workspace, visitor.inbox, owner)?.or(found);
    }
    let conversation = match found {
        Some((id, _)) => live_conversation(tx, workspace, id)?,
        None => None,
    };
    Ok(Chat { point: point.map(|point| point.id), contact, conversation })
}

fn account_owner(tx: &mut dyn Conn, workspace: WorkspaceId, account: &str) -> Result<Option<ContactId>, StoreError> {
    let Some(key) = key(ContactPointKind::Account, "", account, ClaimSource::Signed) else { return Ok(None) };
    let Some(point) = contact_point::find_key(tx, workspace, &key)? else { return Ok(None) };
    // Two owners are a question for an agent; a visitor must not see either's history meanwhile.
    let mut live: Vec<ContactId> = contact_point::owners(tx, workspace, point.id)?.iter().map(|owner| owner.live_id).collect();
    live.sort_unstable();
    live.dedup();
    Ok(if let [one] = live[..] { Some(one) } else { None })
}

fn newest_of_account(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    owner: ContactId,
) -> Result<Option<(ConversationId, Timestamp)>, StoreError> {
    let set = store::contact::merged_set(tx, workspace, owner)?;
    let all = store::conversation::of_contacts(tx, workspace, &set, CONVERSATIONS_MAX)?;
    let ours = all.into_iter().filter(|c| c.inbox_id == inbox && !c.spam && c.merged_into.is_none());
    Ok(ours.max_by_key(|c| (c.customer_at, c.last_activity_at)).map(|c| (c.id, c.last_activity_at)))
}

/// The conversation behind an id, following merges.
pub fn live_conversation(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
) -> Result<Option<Conversation>, StoreError> {
    let mut found = store::conversation::find(tx, workspace, id)?;
    for _ in 0..MERGED_MAX {
        match found.as_ref().and_then(|c| c.merged_into) {
            Some(into) => found = store::conversation::find(tx, workspace, into)?,
            None => return Ok(found),
        }
    }
    Err(StoreError::broken("a chain of merged conversations does not end"))
}

/// May a visitor see this entry of their conversation?
pub fn shows(entry: &Entry) -> bool {
    if entry.kind == EntryKind::Event {
        return tells(entry).is_some();
    }
    if entry.audience != Audience::Customer || entry.kind != EntryKind::Message {
        return false;
    }
    match entry.direction {
        Direction::In => true,
        // What still waits, or was taken back before it went, was never there for the customer.
        Direction::Out => matches!(
            entry.delivery,
            Some(DeliveryState::Accepted | DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read)
        ),
        Direction::Internal => false,
    }
}

/// What of an event concerns the visitor: that the conversation was closed, or who has it now. Everything else is the
/// business's own affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tells {
    /// It was closed.
    Closed {
        /// Word of the status.
        to: String,
    },
    /// Somebody took it; the name as it was then.
    Taken {
        /// Who.
        name: String,
    },
}

/// Reads an event for the visitor.
pub fn tells(entry: &Entry) -> Option<Tells> {
    let event = entry.body.event.as_ref()?;
    let text = |name: &str| event.args.get(name).and_then(|value| value.as_str());
    match event.code.as_str() {
        "status_changed" => {
            text("to").filter(|to| matches!(*to, "resolved" | "closed")).map(|to| Tells::Closed { to: to.to_owned() })
        }
        "assigned" => {
            // Somebody who was given it by another has not shown up yet.
            let author = entry.author_id.filter(|_| entry.author_kind == AuthorKind::Agent).map(|id| AgentId(id).to_string());
            (text("agent_id").is_some() && text("agent_id") == author.as_deref())
                .then(|| Tells::Taken { name: entry.author_name.clone() })
        }
        _ => None,
    }
}

/// What changed in a conversation after `seq`, as far as the visitor may see it, and how far that goes. At most `limit`
/// entries are read; when there may be more, the position is that of the last one read.
pub fn since(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    conversation: &Conversation,
    seq: i64,
    limit: i64,
) -> Result<(Vec<Entry>, i64), StoreError> {
    let mut changed = store::entry::changed_since(tx, workspace, conversation.id, seq, limit)?;
    let full = changed.len() as i64 >= limit;
    let mut upto = conversation.seq;
    if full && let Some(last) = changed.last().map(|entry| entry.seq) {
        // Several entries may share a number (a merge moves all at once): the next read begins before the last number.
        if changed.first().is_some_and(|first| first.seq < last) {
            changed.retain(|entry| entry.seq < last);
            upto = last - 1;
        } else {
            upto = last;
        }
    }
    changed.retain(shows);
    Ok((changed, upto))
}

/// The last entries before a place, oldest first, and where older ones begin. Of a signed-in customer: over all their
/// conversations; of anybody else: of this one.
pub fn before(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    chat: &Chat,
    signed_in: bool,
    place: Option<Position>,
    limit: usize,
) -> Result<(Vec<Entry>, Option<Position>), StoreError> {
    let Some(conversation) = &chat.conversation else { return Ok((Vec::new(), None)) };
    let contacts = match chat.contact {
        Some(contact) if signed_in => store::contact::merged_set(tx, workspace, contact)?,
        _ => Vec::new(),
    };
    let mut found: Vec<Entry> = Vec::new();
    let mut at = place.unwrap_or((i64::MAX, i64::MAX));
    // Hidden entries (notes, events) make pages short: read on until there is enough, a few times.
    for _ in 0..5 {
        let chunk = if contacts.is_empty() {
            store::entry::conversation_before(tx, workspace, conversation.id, at, 100)?
        } else {
            store::entry::timeline_before(tx, workspace, &contacts, at, 100)?
        };
        let ended = chunk.len() < 100;
        if let Some(first) = chunk.first() {
            at = (first.at.0, first.id.0);
        }
        let mut shown: Vec<Entry> = chunk.into_iter().filter(shows).collect();
        shown.append(&mut found);
        found = shown;
        if found.len() > limit {
            let cut = found.len() - limit;
            found.drain(..cut);
            let first = found.first().map(|entry| (entry.at.0, entry.id.0));
            return Ok((found, first));
        }
        if ended {
            return Ok((found, None));
        }
    }
    Ok((found, Some(at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::timeline::tests::entry;
    use serde_json::json;

    #[test]
    fn a_visitor_sees_what_was_meant_for_them_and_went_out() {
        let with = |change: fn(&mut Entry)| {
            let mut one = entry(1, 1);
            change(&mut one);
            shows(&one)
        };
        assert!(with(|e| e.direction = Direction::In));
        assert!(with(|e| e.delivery = Some(DeliveryState::Accepted)));
        assert!(with(|e| e.delivery = Some(DeliveryState::Read)));
        for hidden in [
            DeliveryState::Queued,
            DeliveryState::Blocked,
            DeliveryState::Leased,
            DeliveryState::Cancelled,
            DeliveryState::Failed,
            DeliveryState::Expired,
        ] {
            let mut one = entry(1, 1);
            one.delivery = Some(hidden);
            assert!(!shows(&one), "{hidden}");
        }
        assert!(!with(|e| e.audience = Audience::Team));
        assert!(!with(|e| e.audience = Audience::Outside));
        assert!(!with(|e| {
            e.kind = EntryKind::Note;
            e.direction = Direction::Internal;
        }));
        let event = |code: &str, args: serde_json::Value| {
            let mut one = entry(1, 1);
            (one.kind, one.direction, one.audience) = (EntryKind::Event, Direction::Internal, Audience::Team);
            one.body.event = Some(model::parts::EventBody { code: code.to_owned(), args });
            tells(&one)
        };
        let (me, other) = (AgentId(2), AgentId(3));
        assert_eq!(
            event("status_changed", json!({ "from": "open", "to": "resolved" })),
            Some(Tells::Closed { to: "resolved".into() })
        );
        assert_eq!(event("status_changed", json!({ "from": "open", "to": "snoozed" })), None);
        assert_eq!(event("assigned", json!({ "agent_id": me })), Some(Tells::Taken { name: "Lea".into() }));
        assert_eq!(event("assigned", json!({ "agent_id": other })), None);
        assert_eq!(event("assigned", json!({ "agent_id": null })), None);
        assert_eq!(event("tagged", json!({ "added": [] })), None);
    }
}
