//! Sends an answer or writes a note. One transaction: entry, outbox row, log, job, status, and the draft is gone. A repeat
//! with the same idempotency key gives the first entry.

use super::options::{Reach, ReplyOption, WayState, facts, open_inboxes, ways};
use crate::context::{Desk, Who};
use crate::conversation::add::{NewEntry, add_entry, refs};
use crate::conversation::change::{self, Patch};
use crate::conversation::{ChangeError, Locked};
use crate::outbox::enqueue::{Way, put};
use channel::OutboundFile;
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
const SEND_LATER_MS_MAX: i64 = 366 * 86_400_000;
const ATTACHMENT_COUNT_MAX: usize = 20;
const MENTION_COUNT_MAX: usize = 50;

/// What the agent wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct NewReply {
    /// Message or note.
    pub kind: EntryKind,
    /// The text.
    pub text: String,
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
    let who = who.clone();
    desk.db.write(Route::Conversation(id), move |tx| write(tx, &who, id, &reply, &inboxes, now)).await?
}

fn check(mut reply: NewReply, now: Timestamp) -> Result<NewReply, SendError> {
    reply.text = model::fold::clean(&reply.text).trim_end().to_owned();
    if !matches!(reply.kind, EntryKind::Message | EntryKind::Note) {
        return Err(invalid("kind", "message or note"));
    }
    if reply.text.trim().is_empty() && reply.attachment_ids.is_empty() {
        return Err(invalid("text", "write something or attach a file"));
    }
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

fn write(tx: &mut dyn Conn, who: &Who, id: ConversationId, reply: &NewReply, inboxes: &[Reach], now: Timestamp) -> Answer {
    let client_key = client_key(&Actor::Agent(who.agent).to_string(), &reply.idempotency_key);
    if let Some(first) = entry::by_client_key(tx, who.workspace, &client_key)? {
        return Ok(Ok(first));
    }
    let mut locked = match Locked::lock(tx, who.workspace, id) {
        Ok(locked) => locked,
        Err(StoreError::NotFound) => return Ok(Err(SendError::NotFound)),
        Err(other) => return Err(other),
    };
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
        let way = match choose(tx, who, &locked, reply, inboxes, &files, now)? {
            Ok(way) => way,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let message = NewEntry {
            kind: EntryKind::Message,
            channel: way.channel,
            direction: Direction::Out,
            audience: Audience::Customer,
            inbox_id: Some(way.inbox_id),
            contact_point_id: way.contact_point_id,
            delivery: Some(DeliveryState::Queued),
            ..note
        };
        let added = add_entry(tx, &mut locked, message, now)?;
        let hold_until = (reply.hold_seconds > 0).then(|| now.plus_seconds(reply.hold_seconds));
        let way = Way {
            inbox: way.inbox_id,
            contact_point: way.contact_point_id,
            hold_until,
            send_at: reply.send_at.filter(|at| *at > now),
        };
        put(tx, who.workspace, &added, way, now)?;
        // Who answers has read it.
        locked.row.unread_count = 0;
        // Who answers an unassigned conversation has taken it.
        if locked.row.agent_id.is_none() {
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

fn files_of(tx: &mut dyn Conn, who: &Who, ids: &[AttachmentId]) -> Result<Result<Vec<Attachment>, SendError>, StoreError> {
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

fn choose(
    tx: &mut dyn Conn,
    who: &Who,
    locked: &Locked,
    reply: &NewReply,
    inboxes: &[Reach],
    files: &[Attachment],
    now: Timestamp,
) -> Result<Result<ReplyOption, SendError>, StoreError> {
    let ways = ways(&facts(tx, who.workspace, locked.row.clone())?, inboxes, now);
    let wanted = |w: &&ReplyOption| match (reply.inbox_id, reply.contact_point_id) {
        (Some(inbox), Some(point)) => w.inbox_id == inbox && w.contact_point_id == Some(point),
        (Some(inbox), None) => w.inbox_id == inbox,
        (None, Some(point)) => w.contact_point_id == Some(point),
        (None, None) => w.is_default,
    };
    // Nothing usable and nothing chosen: the reason of the way that the customer used last is the one to read.
    let Some(way) = ways.iter().find(wanted).or_else(|| ways.first()).cloned() else {
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
