//! Every way to reach the customer of a conversation that exists today, with state, reason and fix (workspace.md 10).

use crate::context::{Desk, Who};
use crate::conversation::sight::Sight;
use crate::directory::OpenInbox;
use crate::presence::Whereabouts;
use crate::settings::chat_by_mail::{self, ChatByMail};
use channel::window::window;
use channel::{Fix, SendLimits};
use model::{
    BlockReason, Channel, ContactPointId, ContactPointKind, ConversationId, DeliveryState, Direction, Health, InboxId,
    InboxState, Timestamp,
};
use std::sync::Arc;
use store::contact_point::{self, ContactPoint};
use store::conversation::Conversation;
use store::entry::Entry;
use store::inbox::Inbox;
use store::{Conn, StoreError, entry};

/// Mails that go to an address which was only typed, without an answer from there (domain.md 5.1).
pub const TYPED_MAIL_COUNT_MAX: usize = 3;
const LOOK_BACK: i64 = 200;

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
    /// When the visitor left the chat, on a way where they are away.
    pub away_since: Option<Timestamp>,
    /// What is not read there goes on by mail so many seconds later.
    pub by_mail_after_seconds: Option<i64>,
}

/// The facts of one conversation that the ways are made from.
pub struct Facts {
    /// The conversation.
    pub conversation: Conversation,
    /// The contact's addresses with their proof, latest used first.
    pub points: Vec<(ContactPoint, i64)>,
    /// The customer's last entry: channel, inbox, address, time.
    pub last: Option<(InboxId, Option<ContactPointId>, Timestamp)>,
    /// When the customer last wrote to each inbox.
    pub last_by_inbox: Vec<(InboxId, Timestamp)>,
    /// Addresses that were typed into this conversation, with the mails that went there since the customer last wrote.
    pub typed: Vec<(ContactPoint, usize)>,
    /// Where the visitor is.
    pub visitor: Whereabouts,
    /// Whether a chat goes on by mail.
    pub chat_by_mail: ChatByMail,
    /// Inboxes that this agent may write through; `None`: nobody asks.
    pub sight: Option<Sight>,
}

impl Facts {
    /// The same as one agent may use them.
    pub fn seen_by(self, sight: Sight) -> Self {
        Self { sight: Some(sight), ..self }
    }
}

/// Reads the facts. `visitor` is where the visitor of the conversation is, as sockets tell.
pub fn facts(
    tx: &mut dyn Conn,
    workspace: model::WorkspaceId,
    conversation: Conversation,
    visitor: Whereabouts,
) -> Result<Facts, StoreError> {
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
    let recent = entry::conversation_before(tx, workspace, conversation.id, (i64::MAX, i64::MAX), LOOK_BACK)?;
    // Others who take part write here too: the way back is the customer's own.
    let own = |e: &&Entry| e.contact_point_id.is_none_or(|id| points.iter().any(|(p, _)| p.id == id));
    let of_customer = recent.iter().filter(|e| e.direction == Direction::In).filter(own).max_by_key(|e| (e.at, e.id)).cloned();
    let last = match of_customer {
        Some(entry) => Some(entry),
        None => entry::latest_inbound(tx, workspace, conversation.id)?,
    };
    let last = last.and_then(|e| e.inbox_id.map(|inbox| (inbox, e.contact_point_id, e.at)));
    let mut last_by_inbox: Vec<(InboxId, Timestamp)> = Vec::new();
    for entry in recent.iter().filter(|e| e.direction == Direction::In) {
        if let Some(inbox) = entry.inbox_id {
            match last_by_inbox.iter_mut().find(|(known, _)| *known == inbox) {
                Some((_, at)) => *at = entry.at.max(*at),
                None => last_by_inbox.push((inbox, entry.at)),
            }
        }
    }
    let typed = typed_addresses(tx, workspace, &conversation, &points, &recent)?;
    let chat_by_mail = chat_by_mail::get_in(tx, workspace)?;
    Ok(Facts { conversation, points, last, last_by_inbox, typed, visitor, chat_by_mail, sight: None })
}

/// Typed addresses that are no contact points of this contact, with what went there since the customer last wrote.
fn typed_addresses(
    tx: &mut dyn Conn,
    workspace: model::WorkspaceId,
    conversation: &Conversation,
    points: &[(ContactPoint, i64)],
    recent: &[Entry],
) -> Result<Vec<(ContactPoint, usize)>, StoreError> {
    let typed = store::delivery_address::of_conversation(tx, workspace, conversation.id)?;
    let ids: Vec<ContactPointId> = typed.iter().map(|a| a.contact_point_id).collect();
    let rows = contact_point::list(tx, workspace, &ids)?;
    let answered = recent.iter().filter(|e| e.direction == Direction::In).map(|e| (e.at, e.id)).max();
    let went = |point: ContactPointId| {
        let since = |e: &&Entry| answered.is_none_or(|last| (e.at, e.id) > last);
        let to_it = |e: &&Entry| e.direction == Direction::Out && e.contact_point_id == Some(point);
        recent.iter().filter(to_it).filter(since).filter(|e| e.delivery != Some(DeliveryState::Cancelled)).count()
    };
    let owned = |id: ContactPointId| points.iter().any(|(p, proof)| p.id == id && *proof >= 1);
    let found = ids.iter().filter_map(|id| rows.iter().find(|p| p.id == *id)).filter(|p| !owned(p.id));
    Ok(found.map(|p| (p.clone(), went(p.id))).collect())
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
        // Only what was written in this conversation may go there, and only as a mail.
        let is_mailbox = reach.open.as_ref().is_some_and(|open| open.channel.own_address(&open.settings).is_some());
        for (point, sent) in facts.typed.iter().filter(|(p, _)| is_mailbox && reach.inbox.channel.reaches(p.key.kind)) {
            let known = ways.iter().any(|w| w.inbox_id == reach.inbox.id && w.contact_point_id == Some(point.id));
            if !known {
                ways.push(typed_way(facts, reach, point, *sent, now));
            }
        }
    }
    none_known(facts, inboxes, &mut ways);
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
    let away = reason == Some(BlockReason::CustomerAway);
    let away_since = match facts.visitor {
        Whereabouts::Left(at) if away => Some(at),
        Whereabouts::Unknown if away => facts.last_by_inbox.iter().find(|(id, _)| *id == inbox.id).map(|(_, at)| *at),
        _ => None,
    };
    let has_address = !facts.typed.is_empty() || facts.points.iter().any(|(p, proof)| is_mail(p) && *proof >= 1);
    let goes_on = away && facts.chat_by_mail.enabled && has_address;
    let fix = if away && !goes_on { (!has_address).then_some(Fix::AddAddress) } else { fix };
    ReplyOption {
        away_since,
        by_mail_after_seconds: goes_on.then_some(facts.chat_by_mail.delay_seconds),
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

fn is_mail(point: &ContactPoint) -> bool {
    point.key.kind == ContactPointKind::Email
}

/// The way to an address that was only typed: for what was written in this conversation, and not for ever.
fn typed_way(facts: &Facts, reach: &Reach, point: &ContactPoint, sent: usize, now: Timestamp) -> ReplyOption {
    // Asked as if it were proven once, so that everything else that may stand against it is found.
    let way = way(facts, reach, point, 1, now);
    let state = match way.state {
        WayState::Blocked => return ReplyOption { proof_level: 0, ..way },
        _ if sent >= TYPED_MAIL_COUNT_MAX => WayState::Blocked,
        _ => WayState::Warn,
    };
    ReplyOption { state, reason: Some(BlockReason::UnverifiedContactPoint), proof_level: 0, until: None, fix: None, ..way }
}

/// Channels that are set up and on which we know no address: shown once each, so that nobody looks for them.
fn none_known(facts: &Facts, inboxes: &[Reach], ways: &mut Vec<ReplyOption>) {
    for reach in inboxes.iter().filter(|r| r.inbox.enabled && r.open.is_some()) {
        let known = ways.iter().any(|w| w.channel == reach.inbox.channel);
        // A widget has nobody to write to before somebody comes.
        if known || reach.inbox.channel.reaches(ContactPointKind::Visitor) || !may_use(facts, &reach.inbox) {
            continue;
        }
        let limits = reach.open.as_ref().map(|open| open.channel.capabilities(&open.settings)).unwrap_or_default().limits();
        ways.push(ReplyOption {
            channel: reach.inbox.channel,
            inbox_id: reach.inbox.id,
            inbox_name: reach.inbox.name.clone(),
            contact_point_id: None,
            address: String::new(),
            state: WayState::Blocked,
            reason: Some(BlockReason::NoContactPoint),
            until: None,
            fix: Some(Fix::AddAddress),
            limits,
            is_default: false,
            proof_level: 0,
            away_since: None,
            by_mail_after_seconds: None,
        });
    }
}

/// An agent writes through inboxes that are open to them, and through the one in which the conversation stands.
fn may_use(facts: &Facts, inbox: &Inbox) -> bool {
    inbox.id == facts.conversation.inbox_id || facts.sight.as_ref().is_none_or(|sight| sight.sees_inbox(inbox.id))
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
    if !may_use(facts, &open.inbox) {
        return blocked(BlockReason::AgentNotAllowed);
    }
    match point.health {
        Health::Bounced => return (WayState::Blocked, Some(BlockReason::Bounced), None, Some(Fix::SwitchChannel)),
        Health::BlockedByCustomer => return blocked(BlockReason::BlockedByCustomer),
        Health::OptedOut => return blocked(BlockReason::OptedOut),
        Health::Ok => {}
    }
    if proof_level < 1 {
        return blocked(BlockReason::UnverifiedContactPoint);
    }
    let here = facts.last_by_inbox.iter().find(|(inbox, _)| *inbox == open.inbox.id).map(|(_, at)| *at);
    // An id that exists in this inbox only has written here before: that is how we know it.
    if here.is_none() && !capabilities.can_initiate && point.key.scope.is_empty() {
        return blocked(BlockReason::WindowClosed);
    }
    let state = window(capabilities.window, model::AuthorKind::Agent, here, now);
    match state.admit(false, capabilities.templates) {
        Err(closed) => (WayState::Blocked, Some(closed.reason), closed.until, closed.fix),
        Ok(()) if point.key.kind == ContactPointKind::Visitor && facts.visitor != Whereabouts::Here => {
            (WayState::Warn, Some(BlockReason::CustomerAway), None, Some(Fix::SendByMail))
        }
        Ok(()) if state.closes_soon(now) => (WayState::Warn, Some(BlockReason::WindowClosing), state.until(), None),
        Ok(()) => (WayState::Ok, None, None, None),
    }
}

/// The ways of a conversation, for the composer.
pub async fn options(desk: &Desk, who: &Who, id: ConversationId) -> Result<Option<Vec<ReplyOption>>, StoreError> {
    let (workspace, now) = (who.workspace, desk.now());
    let inboxes = open_inboxes(desk, workspace).await?;
    let (visitor, who) = (desk.visitors.at(workspace, id), who.clone());
    let facts = desk
        .db
        .read(move |tx| -> Result<Option<(Facts, Vec<store::inbox::Inbox>)>, StoreError> {
            match store::conversation::find(tx, workspace, id)? {
                Some(conversation) => {
                    let sight = Sight::load(tx, &who)?;
                    if !sight.may_see(tx, workspace, &conversation)? {
                        return Ok(None);
                    }
                    let facts = facts(tx, workspace, conversation, visitor)?.seen_by(sight);
                    Ok(Some((facts, store::inbox::list(tx, workspace)?)))
                }
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
            away_since: None,
            by_mail_after_seconds: None,
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
