//! Every way to reach the customer of a conversation that exists today, with state, reason and fix (workspace.md 10).

use crate::context::{Desk, Who};
use crate::directory::OpenInbox;
use channel::window::window;
use channel::{Fix, SendLimits};
use model::{BlockReason, Channel, ContactPointId, ContactPointKind, ConversationId, Health, InboxId, InboxState, Timestamp};
use std::sync::Arc;
use store::contact_point::{self, ContactPoint};
use store::conversation::Conversation;
use store::inbox::Inbox;
use store::{Conn, StoreError, entry};

/// How open a way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayState {
    /// Usable.
    Ok,
    /// Usable, with something to know.
    Warn,
    /// Not usable now; the reason says why.
    Blocked,
}

/// One way to reach the customer.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplyOption {
    /// Its channel.
    pub channel: Channel,
    /// Its inbox.
    pub inbox_id: InboxId,
    /// Name of the inbox.
    pub inbox_name: String,
    /// The address.
    pub contact_point_id: Option<ContactPointId>,
    /// The address as shown.
    pub address: String,
    /// How open it is.
    pub state: WayState,
    /// Why.
    pub reason: Option<BlockReason>,
    /// Until when, where it ends by itself.
    pub until: Option<Timestamp>,
    /// The one thing that would help.
    pub fix: Option<Fix>,
    /// What fits.
    pub limits: SendLimits,
    /// The one that a reply takes when nothing is chosen.
    pub is_default: bool,
    /// Best proof that this address is theirs.
    pub proof_level: i64,
}

/// The facts of one conversation that the ways are made from.
pub struct Facts {
    /// The conversation.
    pub conversation: Conversation,
    /// The contact's addresses with their proof, latest used first.
    pub points: Vec<(ContactPoint, i64)>,
    /// The customer's last entry: channel, inbox, address, time.
    pub last: Option<(InboxId, Option<ContactPointId>, Timestamp)>,
}

/// Reads the facts.
pub fn facts(tx: &mut dyn Conn, workspace: model::WorkspaceId, conversation: Conversation) -> Result<Facts, StoreError> {
    let live = store::contact::get_live(tx, workspace, conversation.contact_id)?;
    let owned = contact_point::owned_by(tx, workspace, live.id)?;
    let ids: Vec<ContactPointId> = owned.iter().map(|o| o.contact_point_id).collect();
    let rows = contact_point::list(tx, workspace, &ids)?;
    let mut points: Vec<(ContactPoint, i64)> = Vec::new();
    for owner in owned {
        if let Some(point) = rows.iter().find(|p| p.id == owner.contact_point_id)
            && !points.iter().any(|(p, _)| p.id == point.id)
        {
            points.push((point.clone(), owner.proof_level));
        }
    }
    let last = entry::latest_inbound(tx, workspace, conversation.id)?
        .and_then(|e| e.inbox_id.map(|inbox| (inbox, e.contact_point_id, e.at)));
    Ok(Facts { conversation, points, last })
}

/// An inbox of the workspace, with its adapter where this build has one.
pub struct Reach {
    /// The inbox.
    pub inbox: Inbox,
    /// What sends through it; `None`: its ways are listed, and blocked.
    pub open: Option<Arc<OpenInbox>>,
}

/// All ways, usable ones first, the default marked. Pure over the facts.
pub fn ways(facts: &Facts, inboxes: &[Reach], now: Timestamp) -> Vec<ReplyOption> {
    let mut ways: Vec<ReplyOption> = Vec::new();
    for reach in inboxes {
        for (point, proof) in facts.points.iter().filter(|(p, _)| in_scope(&reach.inbox, p)) {
            ways.push(way(facts, reach, point, *proof, now));
        }
    }
    let rank = |w: &ReplyOption| (w.state as u8, !is_last(facts, w));
    ways.sort_by_key(rank);
    // The customer's last living channel; else the first that is usable.
    let default = ways
        .iter()
        .position(|w| w.state != WayState::Blocked && is_last(facts, w))
        .or_else(|| ways.iter().position(|w| w.state != WayState::Blocked));
    if let Some(at) = default {
        ways[at].is_default = true;
    }
    ways
}

/// A visitor or platform id belongs to one inbox, page or bot; phones and addresses to none.
fn in_scope(inbox: &Inbox, point: &ContactPoint) -> bool {
    inbox.channel.reaches(point.key.kind) && (point.key.scope.is_empty() || scope_is(inbox, &point.key.scope))
}

fn scope_is(inbox: &Inbox, scope: &str) -> bool {
    scope == inbox.id.to_string()
        || inbox.site.as_deref() == Some(scope)
        || inbox.settings.get("scope").and_then(|s| s.as_str()) == Some(scope)
}

fn is_last(facts: &Facts, way: &ReplyOption) -> bool {
    facts.last.is_some_and(|(inbox, point, _)| inbox == way.inbox_id && (point.is_none() || point == way.contact_point_id))
}

fn way(facts: &Facts, reach: &Reach, point: &ContactPoint, proof_level: i64, now: Timestamp) -> ReplyOption {
    let inbox = &reach.inbox;
    let capabilities = reach.open.as_ref().map(|open| open.channel.capabilities(&open.settings));
    let (state, reason, until, fix) = match (&reach.open, &capabilities) {
        (Some(open), Some(capabilities)) => state_of(facts, open, point, proof_level, capabilities, now),
        _ => (WayState::Blocked, Some(BlockReason::ChannelDown), None, None),
    };
    ReplyOption {
        channel: inbox.channel,
        inbox_id: inbox.id,
        inbox_name: inbox.name.clone(),
        contact_point_id: Some(point.id),
        address: if point.key.kind == ContactPointKind::Visitor { inbox.name.clone() } else { point.raw.clone() },
        state,
        reason,
        until,
        fix,
        limits: capabilities.unwrap_or_default().limits(),
        is_default: false,
        proof_level,
    }
}

type State = (WayState, Option<BlockReason>, Option<Timestamp>, Option<Fix>);

fn state_of(
    facts: &Facts,
    open: &OpenInbox,
    point: &ContactPoint,
    proof_level: i64,
    capabilities: &channel::Capabilities,
    now: Timestamp,
) -> State {
    let blocked = |reason| (WayState::Blocked, Some(reason), None, None);
    if !open.inbox.enabled || open.inbox.state != InboxState::Ok {
        return (WayState::Blocked, Some(BlockReason::ChannelDown), None, Some(Fix::SignIn));
    }
    match point.health {
        Health::Bounced => return blocked(BlockReason::Bounced),
        Health::BlockedByCustomer => return blocked(BlockReason::BlockedByCustomer),
        Health::OptedOut => return blocked(BlockReason::OptedOut),
        Health::Ok => {}
    }
    if proof_level < 1 {
        return blocked(BlockReason::UnverifiedContactPoint);
    }
    let here = facts.last.filter(|(inbox, ..)| *inbox == open.inbox.id).map(|(.., at)| at);
    // An id that exists in this inbox only has written here before: that is how we know it.
    if here.is_none() && !capabilities.can_initiate && point.key.scope.is_empty() {
        return blocked(BlockReason::WindowClosed);
    }
    let state = window(capabilities.window, model::AuthorKind::Agent, here, now);
    match state.admit(false, capabilities.templates) {
        Err(closed) => (WayState::Blocked, Some(closed.reason), closed.until, closed.fix),
        Ok(()) if state.closes_soon(now) => (WayState::Warn, Some(BlockReason::WindowClosing), state.until(), None),
        Ok(()) => (WayState::Ok, None, None, None),
    }
}

/// The ways of a conversation, for the composer.
pub async fn options(desk: &Desk, who: &Who, id: ConversationId) -> Result<Option<Vec<ReplyOption>>, StoreError> {
    let (workspace, now) = (who.workspace, desk.now());
    let inboxes = open_inboxes(desk, workspace).await?;
    let facts = desk
        .db
        .read(move |tx| -> Result<Option<(Facts, Vec<store::inbox::Inbox>)>, StoreError> {
            match store::conversation::find(tx, workspace, id)? {
                Some(conversation) => Ok(Some((facts(tx, workspace, conversation)?, store::inbox::list(tx, workspace)?))),
                None => Ok(None),
            }
        })
        .await?;
    Ok(facts.map(|(facts, all)| {
        let mut ways = ways(&facts, &inboxes, now);
        ways.extend(all.iter().filter(|i| desk.channels.get(i.channel).is_none()).flat_map(|inbox| down(&facts, inbox)));
        ways
    }))
}

/// The ways through an inbox whose channel this build cannot serve: shown, so that the agent reads why nothing goes there.
fn down(facts: &Facts, inbox: &store::inbox::Inbox) -> Vec<ReplyOption> {
    let own = |p: &ContactPoint| p.key.scope.is_empty() || p.key.scope == inbox.id.to_string();
    let reached = facts.points.iter().filter(|(p, _)| inbox.channel.reaches(p.key.kind) && own(p));
    reached
        .map(|(point, proof_level)| ReplyOption {
            channel: inbox.channel,
            inbox_id: inbox.id,
            inbox_name: inbox.name.clone(),
            contact_point_id: Some(point.id),
            address: point.raw.clone(),
            state: WayState::Blocked,
            reason: Some(BlockReason::ChannelDown),
            until: None,
            fix: None,
            limits: SendLimits { text_max: None, attachment_bytes_max: 0, attachments_max: 0, types: vec![] },
            is_default: false,
            proof_level: *proof_level,
        })
        .collect()
}

/// Every inbox of the workspace, opened where its adapter is in this build.
pub async fn open_inboxes(desk: &Desk, workspace: model::WorkspaceId) -> Result<Vec<Reach>, StoreError> {
    let inboxes = desk.db.read(move |tx| store::inbox::list(tx, workspace)).await?;
    let mut reach = Vec::with_capacity(inboxes.len());
    for inbox in inboxes {
        let open = desk.directory.open(desk, workspace, inbox.id).await.ok();
        reach.push(Reach { inbox, open });
    }
    Ok(reach)
}
