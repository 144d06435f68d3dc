//! Uses a link or code: who opens it, whether they are linked to the customer, and what that proves. Looking uses nothing
//! up, since mail scanners and previews look too.

use super::{HandoffError, code_hash, link_hash, proof, said_code};
use crate::context::{Desk, Who};
use crate::conversation::add::{NewEntry, add_entry};
use crate::conversation::{Locked, add_event};
use crate::identity::{self, merge};
use crate::people::token::Token;
use model::parts::EventBody;
use model::{
    Actor, Audience, Body, Channel, ContactId, ContactPointId, ContactPointKind, ConversationId, EntryKind, HandoffId, InboxId,
    ParticipantRole, Timestamp, WorkspaceId,
};
use serde_json::json;
use store::contact_point::{self, PointKey};
use store::handoff_token::{self, HandoffToken};
use store::{Conn, Route, StoreError, contact};

/// Wrong codes after which a code is over.
pub const CODE_TRIES_MAX: i64 = 5;

/// What a link is worth, for the page that is shown before the press.
#[derive(Clone, Debug, PartialEq)]
pub enum Opened {
    /// It works.
    Works {
        /// Name of the business: all that the page tells before the press.
        business: String,
        /// What to have at hand.
        checklist: Vec<String>,
        /// Where it leads.
        target: Option<InboxId>,
        /// Whose.
        workspace: WorkspaceId,
        /// The channel there.
        channel: Option<Channel>,
    },
    /// It was used before.
    Used {
        /// Name of the business.
        business: String,
        /// When.
        at: Timestamp,
    },
    /// Its time is over, or it was taken back.
    Over {
        /// Name of the business.
        business: String,
    },
    /// There is no such link.
    Unknown,
}

fn find(tx: &mut dyn Conn, text: &str) -> Result<Option<(WorkspaceId, HandoffToken)>, StoreError> {
    let Some(token) = Token::parse(text) else { return Ok(None) };
    let found = handoff_token::find_hash(tx, token.workspace, &link_hash(text))?;
    Ok(found.filter(|found| found.mode == "link").map(|found| (token.workspace, found)))
}

/// Looks at a link and uses nothing up.
pub async fn peek(desk: &Desk, text: &str) -> Result<Opened, StoreError> {
    let (text, now) = (text.to_owned(), desk.now());
    desk.db
        .read(move |tx| -> Result<Opened, StoreError> {
            let Some((workspace, token)) = find(tx, &text)? else { return Ok(Opened::Unknown) };
            let business = store::workspace::get(tx, workspace)?.name;
            if let Some(at) = token.used_at {
                return Ok(Opened::Used { business, at });
            }
            if token.expires_at < now {
                return Ok(Opened::Over { business });
            }
            let checklist = super::settings::find(tx, workspace)?.checklist;
            Ok(Opened::Works { business, checklist, target: token.target_inbox_id, workspace, channel: token.target_channel })
        })
        .await
}

/// Who goes on: a browser in front of a web chat of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Visiting {
    /// The inbox of the site.
    pub inbox: InboxId,
    /// The visitor's id there, known or new.
    pub visitor: String,
}

/// What came of a press.
#[derive(Clone, Debug, PartialEq)]
pub struct Redeemed {
    /// The conversation.
    pub conversation: ConversationId,
    /// The customer of it.
    pub contact: ContactId,
    /// The opener is linked to the customer, and sees the conversation.
    pub linked: bool,
    /// Until when the customer counts as proven.
    pub proven_until: Option<Timestamp>,
}

/// Uses a link up. `visiting`: where it leads to a web chat; without, the link only proves who pressed it. `Err(Opened)`
/// says why it did not work.
pub async fn open_link(desk: &Desk, text: &str, visiting: Option<Visiting>) -> Result<Result<Redeemed, Opened>, StoreError> {
    let (asked, now) = (text.to_owned(), desk.now());
    let done = desk
        .db
        .write(Route::Any, move |tx| -> Result<Option<Redeemed>, StoreError> {
            let Some((workspace, token)) = find(tx, &asked)? else { return Ok(None) };
            let opener = match &visiting {
                Some(visiting) => Some(opener(tx, workspace, &token, visiting, now)?),
                None => None,
            };
            redeem(tx, workspace, &token, opener, now)
        })
        .await?;
    match done {
        Some(redeemed) => Ok(Ok(redeemed)),
        None => Ok(Err(peek(desk, text).await?)),
    }
}

/// Somebody who opens a link: the contact, if they are one, and the address that they came by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opener {
    /// Whose address it is so far; none: nobody's.
    pub contact: Option<ContactId>,
    /// They hold nothing but ids of browsers: joining them loses nothing.
    pub anonymous: bool,
    /// The address.
    pub point: ContactPointId,
    /// Where it is one.
    pub inbox: InboxId,
    /// On which channel.
    pub channel: Channel,
}

fn opener(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    token: &HandoffToken,
    visiting: &Visiting,
    now: Timestamp,
) -> Result<Opener, StoreError> {
    let key =
        PointKey { kind: ContactPointKind::Visitor, scope: visiting.inbox.to_string(), match_key: visiting.visitor.clone() };
    let point = contact_point::upsert(tx, workspace, &key, &visiting.visitor, now)?;
    let owner = contact_point::owners(tx, workspace, point.id)?.first().map(|owner| owner.live_id);
    let anonymous = match owner {
        Some(owner) => is_anonymous(tx, workspace, owner)?,
        None => true,
    };
    let channel = token.target_channel.unwrap_or(Channel::Webchat);
    Ok(Opener { contact: owner, anonymous, point: point.id, inbox: visiting.inbox, channel })
}

fn is_anonymous(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId) -> Result<bool, StoreError> {
    let ids: Vec<ContactPointId> =
        contact_point::owned_by(tx, workspace, id)?.iter().map(|owned| owned.contact_point_id).collect();
    Ok(contact_point::list(tx, workspace, &ids)?.iter().all(|point| point.key.kind == ContactPointKind::Visitor))
}

/// Uses a token up for an opener. `None`: somebody was faster, or it is over; then nothing has changed.
///
/// Linked is only who opens a token that went to a confirmed address of the customer, and is nobody else already. Everybody
/// else goes on as a person of their own: nothing is linked or moved, and the agent reads that the link was opened.
pub fn redeem(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    token: &HandoffToken,
    opener: Option<Opener>,
    now: Timestamp,
) -> Result<Option<Redeemed>, StoreError> {
    let customer = contact::get_live(tx, workspace, token.contact_id)?;
    let proves = token.level >= 2;
    let is_free = opener.is_none_or(|who| who.anonymous || who.contact == Some(customer.id));
    let linked = proves && is_free;
    let by = opener.and_then(|who| who.contact).filter(|_| !linked).unwrap_or(customer.id);
    if !handoff_token::use_once(tx, workspace, token.id, now, by, opener.map(|who| who.point))? {
        return Ok(None);
    }
    if let Some(who) = opener.filter(|_| linked) {
        match who.contact {
            Some(other) if other != customer.id => {
                let mut both = [other, customer.id];
                both.sort_unstable();
                both.into_iter().try_for_each(|id| contact::lock(tx, workspace, id))?;
                merge::join_anonymous(tx, workspace, customer.id, other, now)?;
            }
            _ => contact_point::own(tx, workspace, who.point, customer.id, 2, "handoff", "handoff", now)?,
        }
    }
    let mut locked = Locked::lock_live(tx, workspace, token.conversation_id)?;
    let name = identity::display_name(&customer);
    let args = json!({
        "handoff": HandoffId(token.id), "mode": token.mode, "linked": linked, "channel": opener.map(|who| who.channel),
        "by": (!linked).then_some(by),
    });
    let actor = Actor::Contact(customer.id);
    match opener.filter(|_| linked) {
        Some(who) => {
            store::conversation::join(tx, workspace, locked.row.id, customer.id, who.point, ParticipantRole::Customer, now)?;
            // An entry of this address, so that the chat finds its conversation and placement knows the channel.
            let body = Body { event: Some(EventBody { code: "handoff_used".to_owned(), args }), ..Body::default() };
            let entry = NewEntry {
                kind: EntryKind::Event,
                audience: Audience::Team,
                contact_point_id: Some(who.point),
                proof_level: Some(token.level),
                ..NewEntry::inbound(customer.id, who.channel, who.inbox, now, name.clone(), body)
            };
            add_entry(tx, &mut locked, entry, now)?;
        }
        None => {
            add_event(tx, &mut locked, "conversation.handoff_used", "handoff_used", args, actor, &name, now)?;
        }
    }
    let proven_until = match linked {
        true => Some(proof::give(tx, &mut locked, token, actor, &name, now)?.until_at),
        false => None,
    };
    let conversation = locked.row.id;
    locked.save(tx)?;
    Ok(Some(Redeemed { conversation, contact: customer.id, linked, proven_until }))
}

/// A message brought a token back and used it up: tells it, and gives the proof when it was the customer's own.
pub fn came_with_message(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    token: &HandoffToken,
    by: ContactId,
    channel: Channel,
    now: Timestamp,
) -> Result<(), StoreError> {
    let workspace = locked.workspace();
    let customer = contact::get_live(tx, workspace, token.contact_id)?;
    let linked = token.level >= 2 && by == customer.id;
    let name = identity::display_name(&contact::get_live(tx, workspace, by)?);
    let args = json!({
        "handoff": HandoffId(token.id), "mode": token.mode, "linked": linked, "channel": channel, "by": (!linked).then_some(by),
    });
    add_event(tx, locked, "conversation.handoff_used", "handoff_used", args, Actor::Contact(by), &name, now)?;
    if linked {
        proof::give(tx, locked, token, Actor::Contact(by), &name, now)?;
    }
    Ok(())
}

/// What a customer said in a conversation: one of its codes? True when it was; the proof is then written.
pub fn hear_code(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    text: &str,
    by: ContactId,
    point: Option<ContactPointId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(said) = said_code(text) else { return Ok(false) };
    try_code(tx, locked, &said, Actor::Contact(by), point, now)
}

fn try_code(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    said: &str,
    actor: Actor,
    point: Option<ContactPointId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (workspace, id) = (locked.workspace(), locked.row.id);
    let open = handoff_token::open_codes(tx, workspace, id, now)?;
    let hash = code_hash(id, said);
    match open.iter().find(|token| token.token_hash == hash) {
        Some(token) if handoff_token::use_once(tx, workspace, token.id, now, token.contact_id, point)? => {
            let name = identity::display_name(&contact::get_live(tx, workspace, token.contact_id)?);
            proof::give(tx, locked, token, actor, &name, now)?;
            Ok(true)
        }
        Some(_) => Ok(false),
        None => {
            for token in &open {
                if handoff_token::add_attempt(tx, workspace, token.id)? >= CODE_TRIES_MAX {
                    handoff_token::end(tx, workspace, token.id, now)?;
                }
            }
            Ok(false)
        }
    }
}

/// An agent types what the customer said, on the phone for example. False: it is not the code, or no longer.
pub async fn check_code(desk: &Desk, who: &Who, id: ConversationId, said: &str) -> Result<bool, HandoffError> {
    let Some(said) = said_code(said) else {
        return Err(HandoffError::Invalid { field: "code", text: "six digits" });
    };
    let (who, now) = (who.clone(), desk.now());
    desk.db
        .write(Route::Conversation(id), move |tx| -> Result<bool, StoreError> {
            let mut locked = Locked::lock_live(tx, who.workspace, id)?;
            let is_it = try_code(tx, &mut locked, &said, Actor::Agent(who.agent), None, now)?;
            if is_it {
                locked.save(tx)?;
            }
            Ok(is_it)
        })
        .await
        .map_err(|error| match error {
            StoreError::NotFound => HandoffError::NotFound,
            other => HandoffError::Store(other),
        })
}
