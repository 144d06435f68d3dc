//! Sends an answer or writes a note. One transaction: entry, outbox row, log, job, status, and the draft is gone. A repeat
//! with the same idempotency key gives the first entry.

use super::mail::{self, MailChoice, MailMode, Plan};
use super::options::{Reach, ReplyOption, WayState, facts, open_inboxes, ways};
use super::{by_mail, markup};
use crate::context::{Desk, Who};
use crate::conversation::add::{NewEntry, add_entry, refs};
use crate::conversation::change::{self, Patch};
use crate::conversation::sight::Sight;
use crate::conversation::{ChangeError, Locked};
use crate::outbox::enqueue::{Way, put};
use crate::presence::Whereabouts;
use channel::{OutboundFile, OwnAddress};
use model::{
    Actor, AgentId, AttachmentId, Audience, BlockReason, Body, ContactPointId, ConversationId, DeliveryState, Direction,
    DraftMode, EntryKind, InboxId, Status, Timestamp,
};
use sha2::{Digest, Sha256};
use store::attachment::{self, Attachment};
use store::entry::{self, Entry};
use store::{Conn, Route, StoreError};

/// Longest text of an entry; a channel may allow less.
pub const TEXT_CHARS_MAX: usize = 100_000;
/// Longest undo time.
pub const HOLD_SECONDS_MAX: i64 = 30;
pub(super) const SEND_LATER_MS_MAX: i64 = 366 * 86_400_000;
const ATTACHMENT_COUNT_MAX: usize = 20;
const MENTION_COUNT_MAX: usize = 50;

/// What the agent wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct NewReply {
    /// Message or note.
    pub kind: EntryKind,
    /// The text.
    pub text: String,
    /// The same as HTML, for channels that take it.
    pub html: Option<String>,
    /// Receivers, subject and the rest of a mail.
    pub mail: MailChoice,
    /// Uploaded before.
    pub attachment_ids: Vec<AttachmentId>,
    /// Agents named in a note.
    pub mention_ids: Vec<AgentId>,
    /// The chosen way; else the default.
    pub inbox_id: Option<InboxId>,
    /// The chosen address; else the default.
    pub contact_point_id: Option<ContactPointId>,
    /// The conversation's number that the agent has seen.
    pub base_seq: i64,
    /// Undo time in seconds.
    pub hold_seconds: i64,
    /// Send at this time.
    pub send_at: Option<Timestamp>,
    /// What else happens to the conversation.
    pub then: Option<Then>,
    /// Send although something new arrived.
    pub force: bool,
    /// Makes a repeat harmless; unique per agent.
    pub idempotency_key: String,
}

impl NewReply {
    /// A text by the default way, at once, although something new arrived: where no composer asks.
    pub fn plain(kind: EntryKind, text: String, idempotency_key: String) -> Self {
        Self {
            kind,
            text,
            html: None,
            mail: MailChoice::default(),
            attachment_ids: vec![],
            mention_ids: vec![],
            inbox_id: None,
            contact_point_id: None,
            base_seq: i64::MAX,
            hold_seconds: 0,
            send_at: None,
            then: None,
            force: true,
            idempotency_key,
        }
    }
}

/// "Send and close", "Send and snooze".
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Then {
    /// New status.
    pub status: Option<Status>,
    /// End of a snooze.
    pub snoozed_until: Option<Timestamp>,
    /// New assignee.
    pub agent_id: Option<Option<AgentId>>,
}

/// Which rule said no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SendError {
    /// No such conversation.
    #[error("there is no such conversation")]
    NotFound,
    /// Locked: a new conversation is the way.
    #[error("this conversation is closed for good")]
    ClosedForGood,
    /// Something the customer can see arrived since the agent last looked.
    #[error("{count} new entries arrived since")]
    NewerEntries {
        /// How many.
        count: usize,
    },
    /// The chosen way is closed, with the reason that the composer shows.
    #[error("this way to the customer is closed: {reason}")]
    Blocked {
        /// Why.
        reason: BlockReason,
    },
    /// A value that cannot be.
    #[error("{field}: {text}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is accepted.
        text: &'static str,
    },
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ChangeError> for SendError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => Self::NotFound,
            ChangeError::Invalid { field, text } => Self::Invalid { field, text },
            ChangeError::Store(error) => Self::Store(error),
            ChangeError::ClosedForGood | ChangeError::Stale { .. } | ChangeError::Taken { .. } => Self::ClosedForGood,
        }
    }
}

fn invalid(field: &'static str, text: &'static str) -> SendError {
    SendError::Invalid { field, text }
}

/// The key under which an author's idempotency key is kept: it is theirs alone.
pub fn client_key(author: &str, key: &str) -> String {
    Sha256::digest(format!("{author}\n{key}").as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

/// Sends what an agent wrote.
pub async fn send(desk: &Desk, who: &Who, id: ConversationId, reply: NewReply) -> Result<Entry, SendError> {
    let now = desk.now();
    let reply = check(reply, now)?;
    if let Some(patch) = patch_of(&reply) {
        change::check(&patch, now)?;
    }
    let inboxes = if reply.kind == EntryKind::Message { open_inboxes(desk, who.workspace).await? } else { vec![] };
    let (who, keys) = (who.clone(), std::sync::Arc::clone(&desk.keys));
    let visitor = desk.visitors.at(who.workspace, id);
    desk.db
        .write(Route::Conversation(id), move |tx| {
            let ask = Ask { who: &who, inboxes: &inboxes, keys: &keys, visitor, now };
            write(tx, &ask, id, &reply)
        })
        .await?
}

/// What a mail would be that answers as `choice` says, through the chosen way or the default: what the composer shows.
pub async fn plan(
    desk: &Desk,
    who: &Who,
    id: ConversationId,
    inbox_id: Option<InboxId>,
    contact_point_id: Option<ContactPointId>,
    choice: MailChoice,
) -> Result<Option<(ReplyOption, Plan)>, SendError> {
    let (now, inboxes) = (desk.now(), open_inboxes(desk, who.workspace).await?);
    let (who, keys) = (who.clone(), std::sync::Arc::clone(&desk.keys));
    let visitor = desk.visitors.at(who.workspace, id);
    desk.db
        .read(move |tx| -> Result<Result<Option<(ReplyOption, Plan)>, SendError>, StoreError> {
            let Some(row) = store::conversation::find(tx, who.workspace, id)? else { return Ok(Err(SendError::NotFound)) };
            let sight = Sight::load(tx, &who)?;
            if !sight.may_see(tx, who.workspace, &row)? {
                return Ok(Err(SendError::NotFound));
            }
            let ask = Ask { who: &who, inboxes: &inboxes, keys: &keys, visitor, now };
            let facts = facts(tx, who.workspace, row.clone(), visitor)?.seen_by(sight);
            let chosen = (inbox_id, contact_point_id);
            let all = ways(&facts, &inboxes, now);
            // Without a choice the mail is planned through the first way by mail, whatever the default is.
            let way = match chosen {
                (None, None) => all.into_iter().find(|w| own_of(&ask, w.inbox_id).is_some() && w.contact_point_id.is_some()),
                _ => all.into_iter().find(|w| is_wanted(w, chosen)),
            };
            let Some(way) = way else { return Ok(Ok(None)) };
            match planned(tx, &ask, &row, &way, chosen.1.is_some(), &choice)? {
                Ok(plan) => Ok(Ok(plan.map(|plan| (way, plan)))),
                Err(refused) => Ok(Err(refused)),
            }
        })
        .await?
}

/// Who asks, and what is at hand.
pub(super) struct Ask<'a> {
    pub who: &'a Who,
    pub inboxes: &'a [Reach],
    pub keys: &'a keys::Keys,
    pub visitor: Whereabouts,
    pub now: Timestamp,
}

/// The address of an inbox that writes mail.
pub(super) fn own_of(ask: &Ask<'_>, inbox: InboxId) -> Option<OwnAddress> {
    let open = ask.inboxes.iter().find(|reach| reach.inbox.id == inbox)?.open.as_ref()?;
    open.channel.own_address(&open.settings)
}

/// The addresses of all inboxes that write mail.
pub(super) fn all_own(inboxes: &[Reach]) -> Vec<OwnAddress> {
    let opened = inboxes.iter().filter_map(|reach| reach.open.as_ref());
    opened.filter_map(|open| open.channel.own_address(&open.settings)).collect()
}

fn planned(
    tx: &mut dyn Conn,
    ask: &Ask<'_>,
    conversation: &store::conversation::Conversation,
    way: &ReplyOption,
    chosen: bool,
    choice: &MailChoice,
) -> Result<Result<Option<Plan>, SendError>, StoreError> {
    let (Some(own), Some(point)) = (own_of(ask, way.inbox_id), way.contact_point_id) else { return Ok(Ok(None)) };
    let point = store::contact_point::find(tx, ask.who.workspace, point)?.ok_or(StoreError::NotFound)?;
    let name = store::contact::get_live(tx, ask.who.workspace, conversation.contact_id)?.name;
    let own_addresses = all_own(ask.inboxes);
    let about = mail::Ask {
        conversation,
        way: &point,
        way_chosen: chosen,
        name,
        own: &own_addresses,
        keys: ask.keys,
        domain: own.domain(),
    };
    Ok(match mail::plan(tx, ask.who.workspace, &about, choice)? {
        Ok(plan) => Ok(Some(plan)),
        Err(refused) => Err(invalid(refused.field, refused.text)),
    })
}

fn check(mut reply: NewReply, now: Timestamp) -> Result<NewReply, SendError> {
    reply.text = model::fold::clean(&reply.text).trim_end().to_owned();
    if !matches!(reply.kind, EntryKind::Message | EntryKind::Note) {
        return Err(invalid("kind", "message or note"));
    }
    let passes_on = reply.mail.mode == Some(MailMode::Forward);
    if reply.text.trim().is_empty() && reply.attachment_ids.is_empty() && !passes_on {
        return Err(invalid("text", "write something or attach a file"));
    }
    if reply.html.as_ref().is_some_and(|html| html.len() > markup::HTML_BYTES_MAX) {
        return Err(invalid("html", "at most 1 MiB"));
    }
    reply.html = reply.html.as_deref().map(markup::clean).filter(|html| !html.trim().is_empty());
    if reply.text.chars().count() > TEXT_CHARS_MAX {
        return Err(invalid("text", "at most 100,000 characters"));
    }
    if reply.attachment_ids.len() > ATTACHMENT_COUNT_MAX {
        return Err(invalid("attachment_ids", "at most 20 files"));
    }
    if reply.mention_ids.len() > MENTION_COUNT_MAX {
        return Err(invalid("mention_ids", "at most 50 people"));
    }
    if reply.idempotency_key.is_empty() || reply.idempotency_key.len() > 128 {
        return Err(invalid("idempotency_key", "the header Idempotency-Key has 1 to 128 characters"));
    }
    if !(0..=HOLD_SECONDS_MAX).contains(&reply.hold_seconds) {
        return Err(invalid("hold_seconds", "0 to 30 seconds"));
    }
    if reply.send_at.is_some_and(|at| at.since(now) > SEND_LATER_MS_MAX) {
        return Err(invalid("send_at", "at most one year ahead"));
    }
    Ok(reply)
}

fn patch_of(reply: &NewReply) -> Option<Patch> {
    let then = reply.then.as_ref()?;
    Some(Patch { status: then.status, snoozed_until: then.snoozed_until, agent_id: then.agent_id, ..Patch::default() })
}

type Answer = Result<Result<Entry, SendError>, StoreError>;

fn write(tx: &mut dyn Conn, ask: &Ask<'_>, id: ConversationId, reply: &NewReply) -> Answer {
    let Ask { who, now, .. } = *ask;
    let client_key = client_key(&Actor::Agent(who.agent).to_string(), &reply.idempotency_key);
    if let Some(first) = entry::by_client_key(tx, who.workspace, &client_key)? {
        return Ok(Ok(first));
    }
    let mut locked = match Locked::lock(tx, who.workspace, id) {
        Ok(locked) => locked,
        Err(StoreError::NotFound) => return Ok(Err(SendError::NotFound)),
        Err(other) => return Err(other),
    };
    let sight = Sight::load(tx, who)?;
    if !sight.may_see(tx, who.workspace, &locked.row)? {
        return Ok(Err(SendError::NotFound));
    }
    // Two presses at once: the second waits for the lock and finds the first one's entry.
    if let Some(first) = entry::by_client_key(tx, who.workspace, &client_key)? {
        return Ok(Ok(first));
    }
    if locked.row.merged_into.is_some() || (locked.row.status == Status::Closed && reply.kind == EntryKind::Message) {
        return Ok(Err(SendError::ClosedForGood));
    }
    let then = patch_of(reply);
    if let Some(patch) = &then
        && let Err(refusal) = change::may_change(tx, who, &locked.row, patch)?
    {
        return Ok(Err(refusal.into()));
    }
    let files = match files_of(tx, who, &reply.attachment_ids)? {
        Ok(files) => files,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let body = Body { text: reply.text.clone(), attachments: refs(&files), ..Body::default() };
    let actor = Actor::Agent(who.agent);
    let contact = locked.row.contact_id;
    let note = NewEntry {
        client_key: Some(client_key),
        client_id: Some(reply.idempotency_key.clone()),
        ..NewEntry::note(contact, actor, who.name.clone(), now, body)
    };
    let added = if reply.kind == EntryKind::Note {
        let added = add_entry(tx, &mut locked, note, now)?;
        mention(tx, who, &locked, &added, &reply.mention_ids, now)?;
        added
    } else {
        if let Some(refusal) = newer(tx, who, &locked, reply)? {
            return Ok(Err(refusal));
        }
        let way = match choose(tx, ask, sight, &locked, reply, &files)? {
            Ok(way) => way,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let plan = match planned(tx, ask, &locked.row, &way, reply.contact_point_id.is_some(), &reply.mail)? {
            Ok(plan) => plan,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let mut message = NewEntry {
            kind: EntryKind::Message,
            channel: way.channel,
            direction: Direction::Out,
            audience: Audience::Customer,
            inbox_id: Some(way.inbox_id),
            contact_point_id: way.contact_point_id,
            delivery: Some(DeliveryState::Queued),
            ..note
        };
        if let Some(plan) = &plan
            && let Err(refusal) = as_mail(tx, ask, &mut locked, &mut message, &way, plan, reply)?
        {
            return Ok(Err(refusal));
        }
        let (outside, to) = (message.audience == Audience::Outside, message.contact_point_id);
        let added = add_entry(tx, &mut locked, message, now)?;
        let hold_until = (reply.hold_seconds > 0).then(|| now.plus_seconds(reply.hold_seconds));
        let send_at = reply.send_at.filter(|at| *at > now);
        let sent = Way { inbox: way.inbox_id, contact_point: to, hold_until, send_at };
        put(tx, who.workspace, &added, sent, now)?;
        if plan.is_none() {
            let goes = [hold_until, send_at].into_iter().flatten().max().unwrap_or(now);
            by_mail::later(tx, who.workspace, &added, goes)?;
        }
        // Who answers has read it.
        locked.row.unread_count = 0;
        // Who passes something on has not answered yet. Who answers an unassigned conversation has taken it.
        if locked.row.agent_id.is_none() && !outside {
            let team = locked.row.team_id;
            change::assign(tx, &mut locked, Some(who.agent), team, actor, &who.name, now)?;
        }
        added
    };
    for file in &files {
        attachment::attach(tx, who.workspace, file.id, added.id, id)?;
    }
    let mode = if reply.kind == EntryKind::Note { DraftMode::Note } else { DraftMode::Reply };
    store::draft::delete(tx, who.workspace, who.agent, id, mode)?;
    let seq = locked.row.seq;
    locked.save(tx)?;
    store::conversation::seen::mark(tx, who.workspace, who.agent, id, seq)?;
    if let Some(patch) = &then
        && let Err(refusal) = change::apply(tx, who, id, patch, now)?
    {
        // Checked above under the same lock, so this is a bug; half a "send and close" would be worse than none.
        return Err(StoreError::broken(refusal.to_string()));
    }
    Ok(Ok(added))
}

pub(super) fn files_of(
    tx: &mut dyn Conn,
    who: &Who,
    ids: &[AttachmentId],
) -> Result<Result<Vec<Attachment>, SendError>, StoreError> {
    let mut files = attachment::list(tx, who.workspace, ids)?;
    let mine = Actor::Agent(who.agent).to_string();
    let ok = files.len() == ids.len() && files.iter().all(|f| f.entry_id.is_none() && f.uploader == mine);
    if !ok {
        return Ok(Err(invalid("attachment_ids", "one of these files is not yours or was sent already")));
    }
    files.sort_by_key(|f| ids.iter().position(|id| *id == f.id));
    Ok(Ok(files))
}

fn mention(
    tx: &mut dyn Conn,
    who: &Who,
    locked: &Locked,
    added: &Entry,
    agents: &[AgentId],
    now: Timestamp,
) -> Result<(), StoreError> {
    for agent in agents.iter().filter(|a| **a != who.agent) {
        if store::agent::find(tx, who.workspace, *agent)?.is_some() {
            store::conversation::seen::mention(tx, who.workspace, *agent, locked.row.id, added.id, now)?;
        }
    }
    Ok(())
}

/// The stale check: entries that the customer can see and the agent has not seen.
fn newer(tx: &mut dyn Conn, who: &Who, locked: &Locked, reply: &NewReply) -> Result<Option<SendError>, StoreError> {
    if reply.force || locked.row.public_seq <= reply.base_seq {
        return Ok(None);
    }
    let mine = Some(who.agent.0);
    let since = entry::changed_since(tx, who.workspace, locked.row.id, reply.base_seq, 100)?;
    let count = since
        .iter()
        .filter(|e| e.audience == Audience::Customer && e.kind != EntryKind::Event && e.author_id != mine && e.at > Timestamp(0))
        .filter(|e| e.direction == Direction::In || e.delivery != Some(DeliveryState::Read))
        .count();
    Ok((count > 0).then_some(SendError::NewerEntries { count }))
}

fn is_wanted(way: &ReplyOption, wanted: (Option<InboxId>, Option<ContactPointId>)) -> bool {
    match wanted {
        (Some(inbox), Some(point)) => way.inbox_id == inbox && way.contact_point_id == Some(point),
        (Some(inbox), None) => way.inbox_id == inbox,
        (None, Some(point)) => way.contact_point_id == Some(point),
        (None, None) => way.is_default,
    }
}

/// Makes the entry a mail: receivers take part from now on, the signature stands as it is now, files of what is passed on
/// come along.
fn as_mail(
    tx: &mut dyn Conn,
    ask: &Ask<'_>,
    locked: &mut Locked,
    message: &mut NewEntry,
    way: &ReplyOption,
    plan: &Plan,
    reply: &NewReply,
) -> Result<Result<(), SendError>, StoreError> {
    let workspace = ask.who.workspace;
    let Some(first) = plan.to.first() else { return Ok(Err(invalid("mail.to", "at least one receiver"))) };
    let Some(to) = mail::point_of(tx, workspace, first, ask.now)? else {
        return Ok(Err(invalid("mail.to", "addresses such as ada@example.com")));
    };
    // An address that was typed elsewhere in the list must not get around what stands against it.
    if Some(to.id) != way.contact_point_id && to.health != model::Health::Ok {
        let reason = match to.health {
            model::Health::OptedOut => BlockReason::OptedOut,
            model::Health::BlockedByCustomer => BlockReason::BlockedByCustomer,
            _ => BlockReason::Bounced,
        };
        return Ok(Err(SendError::Blocked { reason }));
    }
    let forward = plan.mode == MailMode::Forward;
    message.contact_point_id = Some(to.id);
    message.reply_to = plan.answers;
    if forward {
        message.audience = Audience::Outside;
    }
    let signature = match reply.mail.signature.unwrap_or(true) {
        true => mail::signature(tx, ask.who, way.inbox_id, Some(&locked.row))?,
        false => None,
    };
    if forward && let Some(answered) = plan.answers.map(|id| entry::find(tx, workspace, id)).transpose()?.flatten() {
        message.body.attachments.extend(answered.body.attachments);
    }
    message.body.subject = Some(plan.subject.clone());
    message.body.html.clone_from(&reply.html);
    message.body.mail = Some(Box::new(mail::body_of(plan, signature)));
    mail::let_join(tx, locked, ask.who, plan, ask.now)?;
    Ok(Ok(()))
}

fn choose(
    tx: &mut dyn Conn,
    ask: &Ask<'_>,
    sight: Sight,
    locked: &Locked,
    reply: &NewReply,
    files: &[Attachment],
) -> Result<Result<ReplyOption, SendError>, StoreError> {
    let facts = facts(tx, ask.who.workspace, locked.row.clone(), ask.visitor)?.seen_by(sight);
    let answered = reply.mail.answers.map(|id| entry::find(tx, ask.who.workspace, id)).transpose()?.flatten();
    // Who answers a certain mail answers by mail, through the inbox that it came to.
    let its_inbox = answered.filter(|e| e.body.mail.is_some()).and_then(|e| e.inbox_id);
    let nothing_chosen = reply.inbox_id.is_none() && reply.contact_point_id.is_none();
    let inbox_id = reply.inbox_id.or(its_inbox.filter(|_| nothing_chosen));
    let (inboxes, chosen) = (ask.inboxes, (inbox_id, reply.contact_point_id));
    let ways = ways(&facts, inboxes, ask.now);
    let wanted = |w: &&ReplyOption| is_wanted(w, chosen);
    // Nothing usable and nothing chosen: the reason of the way that the customer used last is the one to read.
    let of_these = |w: &&ReplyOption| w.contact_point_id.is_some();
    let Some(way) = ways.iter().find(wanted).or_else(|| ways.iter().find(of_these)).cloned() else {
        return Ok(Err(SendError::Blocked { reason: BlockReason::NoContactPoint }));
    };
    if reply.inbox_id.is_some_and(|wanted| inboxes.iter().all(|open| open.inbox.id != wanted)) {
        return Ok(Err(SendError::Blocked { reason: BlockReason::ChannelDown }));
    }
    if (reply.inbox_id.is_some() || reply.contact_point_id.is_some()) && !wanted(&&way) {
        return Ok(Err(SendError::Blocked { reason: BlockReason::NoContactPoint }));
    }
    if way.state == WayState::Blocked {
        return Ok(Err(SendError::Blocked { reason: way.reason.unwrap_or(BlockReason::ChannelDown) }));
    }
    let Some(open) = inboxes.iter().find(|i| i.inbox.id == way.inbox_id).and_then(|i| i.open.as_ref()) else {
        return Ok(Err(SendError::Blocked { reason: BlockReason::ChannelDown }));
    };
    let outgoing: Vec<OutboundFile> = files
        .iter()
        .map(|a| OutboundFile {
            id: a.id,
            name: a.name.clone(),
            mime: a.mime.clone(),
            bytes: u64::try_from(a.bytes).unwrap_or(0),
            url: None,
        })
        .collect();
    if let Err(blocked) = open.channel.capabilities(&open.settings).check(&reply.text, &outgoing) {
        return Ok(Err(SendError::Blocked { reason: blocked.reason }));
    }
    Ok(Ok(way))
}
