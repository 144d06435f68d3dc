//! A chat goes on by mail: what an agent wrote and the visitor did not read goes to their address, once, after a while. The
//! mail is one line in the conversation; the answers themselves stay where they are. Its answer comes back by its token.

use super::mail::{self, MailChoice, MailMode};
use super::options::{Facts, Reach, ReplyOption, WayState, facts, open_inboxes, ways};
use super::send::all_own;
use crate::context::{Desk, JobEnd, Who};
use crate::conversation::Locked;
use crate::conversation::add::{NewEntry, add_entry};
use crate::conversation::sight::Sight;
use crate::outbox::enqueue::{Way, put};
use crate::outbox::was_shown;
use crate::presence::Whereabouts;
use crate::settings::chat_by_mail;
use model::parts::EventBody;
use model::{
    Actor, Audience, Body, ContactPointKind, ConversationId, DeliveryState, Direction, EntryId, EntryKind, Mail, MailAddress,
    Timestamp, WorkspaceId,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::entry::{self, Entry};
use store::job::{self, Job, JobRef};
use store::{Conn, Route, StoreError, contact_point};

/// Code of the line that says so.
pub const CODE: &str = "chat_by_mail";
const LOOK_BACK: i64 = 200;
/// A visitor who is there and does not read is waited for so long.
const WAIT_MS_MAX: i64 = 24 * 3_600_000;
const AGAIN_MS_MIN: i64 = 60_000;

/// Look whether an answer in a chat was read, and send it by mail when it was not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContinueByMail {
    /// Which answer.
    pub entry: EntryId,
}
impl Job for ContinueByMail {
    const NAME: &'static str = "continue_by_mail";
}

/// Why nothing goes by mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotByMail {
    /// No such conversation.
    #[error("there is no such conversation")]
    NotFound,
    /// Everything was read, went by mail already, or there is nothing.
    #[error("there is nothing that the visitor has not read")]
    NothingUnread,
    /// No address, or none that may be written to now.
    #[error("there is no address for it")]
    NoAddress,
}

/// Plans the look at an answer that has just been written into a chat.
pub(super) fn later(tx: &mut dyn Conn, workspace: WorkspaceId, added: &Entry, goes: Timestamp) -> Result<(), StoreError> {
    if !is_chat(tx, workspace, added)? {
        return Ok(());
    }
    let rule = chat_by_mail::get_in(tx, workspace)?;
    if rule.enabled {
        job::enqueue(tx, workspace, &ContinueByMail { entry: added.id }, goes.plus_seconds(rule.delay_seconds))?;
    }
    Ok(())
}

fn is_chat(tx: &mut dyn Conn, workspace: WorkspaceId, entry: &Entry) -> Result<bool, StoreError> {
    let Some(point) = entry.contact_point_id else { return Ok(false) };
    Ok(contact_point::find(tx, workspace, point)?.is_some_and(|p| p.key.kind == ContactPointKind::Visitor))
}

enum Looked {
    Over,
    Again(Timestamp),
}

/// The job behind [`ContinueByMail`].
pub async fn run(desk: &Desk, job: JobRef, asked: ContinueByMail) -> JobEnd {
    match look(desk, job, &asked).await {
        Ok(Looked::Over) => JobEnd::DoneInTx,
        Ok(Looked::Again(at)) => JobEnd::RetryAt(at),
        Err(error) => error.into(),
    }
}

async fn look(desk: &Desk, job: JobRef, asked: &ContinueByMail) -> Result<Looked, StoreError> {
    let (workspace, id, now) = (job.workspace, asked.entry, desk.now());
    let found = desk.db.read(move |tx| entry::find(tx, workspace, id)).await?;
    let conversation = found.map(|e| e.conversation_id);
    let visitor = conversation.map_or(Whereabouts::Unknown, |id| desk.visitors.at(workspace, id));
    let inboxes = open_inboxes(desk, workspace).await?;
    let keys = std::sync::Arc::clone(&desk.keys);
    desk.db
        .write(Route::Any, move |tx| {
            let rule = chat_by_mail::get_in(tx, workspace)?;
            let again = now.plus_ms((rule.delay_seconds * 1_000).max(AGAIN_MS_MIN));
            if let Some(found) = entry::find(tx, workspace, id)? {
                let waits = matches!(found.delivery, Some(DeliveryState::Queued | DeliveryState::Leased));
                let is_fresh = now.since(found.at) < WAIT_MS_MAX;
                if (waits || visitor == Whereabouts::Here) && found.delivery != Some(DeliveryState::Read) && is_fresh {
                    return Ok(Looked::Again(again));
                }
                let came = was_shown(found.delivery) && found.delivery != Some(DeliveryState::Read);
                if came && rule.enabled {
                    let locked = Locked::lock_live(tx, workspace, found.conversation_id)?;
                    let at = At { workspace, inboxes: &inboxes, keys: &keys, visitor, now };
                    // Nothing unread or no address: the agent reads on the way itself that nothing went.
                    let _ = send_in(tx, &at, locked, Actor::System)?;
                }
            }
            job::finish_in_tx(tx, job)?;
            Ok::<_, StoreError>(Looked::Over)
        })
        .await
}

/// Sends it at once: behind the agent's [Send email now].
pub async fn send_now(desk: &Desk, who: &Who, id: ConversationId) -> Result<Result<EntryId, NotByMail>, StoreError> {
    let (workspace, now) = (who.workspace, desk.now());
    let inboxes = open_inboxes(desk, workspace).await?;
    let (keys, who, visitor) = (std::sync::Arc::clone(&desk.keys), who.clone(), desk.visitors.at(workspace, id));
    desk.db
        .write(Route::Conversation(id), move |tx| {
            let Some(row) = store::conversation::find(tx, workspace, id)? else { return Ok(Err(NotByMail::NotFound)) };
            if !Sight::load(tx, &who)?.may_see(tx, workspace, &row)? {
                return Ok(Err(NotByMail::NotFound));
            }
            let locked = Locked::lock_live(tx, workspace, id)?;
            let at = At { workspace, inboxes: &inboxes, keys: &keys, visitor, now };
            send_in(tx, &at, locked, Actor::Agent(who.agent))
        })
        .await
}

struct At<'a> {
    workspace: WorkspaceId,
    inboxes: &'a [Reach],
    keys: &'a keys::Keys,
    visitor: Whereabouts,
    now: Timestamp,
}

fn send_in(tx: &mut dyn Conn, at: &At<'_>, mut locked: Locked, actor: Actor) -> Result<Result<EntryId, NotByMail>, StoreError> {
    let workspace = at.workspace;
    let unread = unread(tx, workspace, locked.row.id)?;
    if unread.is_empty() {
        return Ok(Err(NotByMail::NothingUnread));
    }
    let facts = facts(tx, workspace, locked.row.clone(), at.visitor)?;
    let Some((way, domain)) = way(&facts, at) else { return Ok(Err(NotByMail::NoAddress)) };
    let Some(point) = way.contact_point_id.map(|id| contact_point::find(tx, workspace, id)).transpose()?.flatten() else {
        return Ok(Err(NotByMail::NoAddress));
    };
    let own = all_own(at.inboxes);
    let ask = mail::Ask {
        conversation: &locked.row,
        way: &point,
        way_chosen: true,
        name: None,
        own: &own,
        keys: at.keys,
        domain: &domain,
    };
    let to = MailAddress { name: None, address: point.raw.clone() };
    let choice = MailChoice { mode: Some(MailMode::Reply), to: Some(vec![to]), quote: Some(false), ..MailChoice::default() };
    let Ok(plan) = mail::plan(tx, workspace, &ask, &choice)? else { return Ok(Err(NotByMail::NoAddress)) };
    let ids: Vec<EntryId> = unread.iter().map(|e| e.id).collect();
    let subject = match locked.row.subject.as_deref().filter(|s| !s.trim().is_empty()) {
        Some(_) => plan.subject.clone(),
        None => format!("{}: #{}", store::workspace::get(tx, workspace)?.name, locked.row.number),
    };
    let body = Body {
        text: facts.chat_by_mail.intro.clone(),
        subject: Some(subject),
        attachments: unread.iter().flat_map(|e| e.body.attachments.clone()).collect(),
        event: Some(EventBody { code: CODE.to_owned(), args: json!({"entries": ids, "address": point.raw}) }),
        mail: Some(Box::new(Mail { mode: Some("chat".to_owned()), quotes: ids, ..mail::body_of(&plan, None) })),
        ..Body::default()
    };
    let new = NewEntry {
        kind: EntryKind::Event,
        channel: way.channel,
        direction: Direction::Out,
        audience: Audience::Team,
        inbox_id: Some(way.inbox_id),
        contact_point_id: Some(point.id),
        delivery: Some(DeliveryState::Queued),
        notification: true,
        ..NewEntry::note(locked.row.contact_id, actor, String::new(), at.now, body)
    };
    // The same line must not become the subject of the conversation.
    let before = locked.row.subject.clone();
    let added = add_entry(tx, &mut locked, new, at.now)?;
    locked.row.subject = before;
    put(
        tx,
        workspace,
        &added,
        Way { inbox: way.inbox_id, contact_point: Some(point.id), hold_until: None, send_at: None },
        at.now,
    )?;
    locked.save(tx)?;
    Ok(Ok(added.id))
}

/// What stands in the chat since the visitor last wrote, was not read and did not go by mail yet; oldest first.
fn unread(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Vec<Entry>, StoreError> {
    let recent = entry::conversation_before(tx, workspace, id, (i64::MAX, i64::MAX), LOOK_BACK)?;
    let wrote = recent.iter().filter(|e| e.direction == Direction::In).map(|e| (e.at, e.id)).max();
    let is_mailed = |e: &&Entry| e.body.event.as_ref().is_some_and(|event| event.code == CODE);
    let mailed: Vec<EntryId> = recent
        .iter()
        .filter(is_mailed)
        .filter(|e| !matches!(e.delivery, Some(DeliveryState::Failed | DeliveryState::Blocked | DeliveryState::Cancelled)))
        .flat_map(|e| e.body.mail.as_ref().map(|m| m.quotes.clone()).unwrap_or_default())
        .collect();
    let mut unread = Vec::new();
    for entry in recent {
        let written =
            entry.kind == EntryKind::Message && entry.direction == Direction::Out && entry.audience == Audience::Customer;
        let came = was_shown(entry.delivery) && entry.delivery != Some(DeliveryState::Read) && entry.redacted_at.is_none();
        let since = wrote.is_none_or(|last| (entry.at, entry.id) > last);
        if written && came && since && !mailed.contains(&entry.id) && is_chat(tx, workspace, &entry)? {
            unread.push(entry);
        }
    }
    unread.sort_by_key(|e| (e.at, e.id));
    Ok(unread)
}

/// The way by mail: a proven address first, then the one that the visitor typed here, through the mailbox of the rule.
fn way(facts: &Facts, at: &At<'_>) -> Option<(ReplyOption, String)> {
    let domain_of = |way: &ReplyOption| {
        let open = at.inboxes.iter().find(|reach| reach.inbox.id == way.inbox_id)?.open.as_ref()?;
        Some(open.channel.own_address(&open.settings)?.domain().to_owned())
    };
    let typed = |way: &ReplyOption| facts.typed.iter().any(|(p, _)| Some(p.id) == way.contact_point_id);
    let rank = |way: &ReplyOption| {
        let proof = if way.proof_level >= 2 { 0 } else { 2 - i32::from(typed(way)) };
        (Some(way.inbox_id) != facts.chat_by_mail.inbox_id, proof, way.inbox_id, way.contact_point_id)
    };
    let open = ways(facts, at.inboxes, at.now).into_iter().filter(|way| way.state != WayState::Blocked);
    open.filter_map(|way| domain_of(&way).map(|domain| (way, domain))).min_by_key(|(way, _)| rank(way))
}
