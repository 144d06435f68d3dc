//! What agents (and rules) change on a conversation: status, snooze, urgency, assignee, team, subject, spam, tags. Each
//! change is one event entry and one row of the log; nothing changed means nothing written.

use super::Locked;
use super::add::add_event;
use crate::context::{Desk, JobEnd, Who};
use model::{Actor, AgentId, ConversationId, EventId, Priority, Status, TagId, TeamId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::conversation::{self, Conversation, seen};
use store::job::{self, Job, JobRef};
use store::{Conn, Event, Route, StoreError};

/// A snooze longer than this is a mistake of typing.
const SNOOZE_MS_MAX: i64 = 5 * 366 * 86_400_000;
const SUBJECT_CHARS_MAX: usize = 500;
const TAG_COUNT_MAX: usize = 50;
/// Most conversations that one bulk change takes.
pub const BULK_COUNT_MAX: usize = 500;

/// The wanted changes; `None` leaves alone, an inner `None` clears.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// New status; `Snoozed` without `snoozed_until` lasts until the customer's next entry.
    pub status: Option<Status>,
    /// End of a snooze.
    pub snoozed_until: Option<Timestamp>,
    /// Urgency.
    pub priority: Option<Priority>,
    /// Assignee.
    pub agent_id: Option<Option<AgentId>>,
    /// Team.
    pub team_id: Option<Option<TeamId>>,
    /// Subject.
    pub subject: Option<Option<String>>,
    /// Spam flag.
    pub spam: Option<bool>,
    /// The whole set of tags.
    pub tag_ids: Option<Vec<TagId>>,
    /// Refuse when the conversation has changed since this number.
    pub expected_seq: Option<i64>,
}

/// Which rule said no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChangeError {
    /// No such conversation, or not for this agent.
    #[error("there is no such conversation")]
    NotFound,
    /// Locked: a new message makes a follow-up instead.
    #[error("this conversation is closed for good")]
    ClosedForGood,
    /// Somebody changed it meanwhile.
    #[error("this conversation changed meanwhile")]
    Stale {
        /// Its number now.
        seq: i64,
    },
    /// Somebody else has it.
    #[error("somebody else has taken this conversation")]
    Taken {
        /// Who.
        agent: AgentId,
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

fn invalid(field: &'static str, text: &'static str) -> ChangeError {
    ChangeError::Invalid { field, text }
}

/// Wake a snoozed conversation when its time has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WakeConversation {
    /// Which.
    pub conversation: ConversationId,
    /// The snooze that it was made for; another one since makes this job void.
    pub until: Timestamp,
}
impl Job for WakeConversation {
    const NAME: &'static str = "wake_conversation";
}

/// Changes one conversation as the agent wants.
pub async fn change(desk: &Desk, who: &Who, id: ConversationId, patch: Patch) -> Result<Conversation, ChangeError> {
    let (now, who) = (desk.now(), who.clone());
    check(&patch, now)?;
    desk.db.write(Route::Conversation(id), move |tx| apply(tx, &who, id, &patch, now)).await?
}

pub(crate) fn check(patch: &Patch, now: Timestamp) -> Result<(), ChangeError> {
    if patch.status == Some(Status::Closed) {
        return Err(invalid("status", "conversations are closed for good by the product, 30 days after they were resolved"));
    }
    match (patch.status, patch.snoozed_until) {
        (Some(Status::Snoozed), Some(until)) if until <= now || until.since(now) > SNOOZE_MS_MAX => {
            return Err(invalid("snoozed_until", "a snooze ends in the future, at most five years from now"));
        }
        (Some(Status::Snoozed), Some(_)) | (_, None) => {}
        _ => return Err(invalid("snoozed_until", "only with the status snoozed")),
    }
    if patch.subject.as_ref().is_some_and(|s| s.as_ref().is_some_and(|s| s.chars().count() > SUBJECT_CHARS_MAX)) {
        return Err(invalid("subject", "at most 500 characters"));
    }
    if patch.tag_ids.as_ref().is_some_and(|t| t.len() > TAG_COUNT_MAX) {
        return Err(invalid("tag_ids", "at most 50 tags"));
    }
    Ok(())
}

type Answer<T> = Result<Result<T, ChangeError>, StoreError>;

pub(crate) fn apply(tx: &mut dyn Conn, who: &Who, id: ConversationId, patch: &Patch, now: Timestamp) -> Answer<Conversation> {
    let mut locked = match Locked::lock(tx, who.workspace, id) {
        Ok(locked) => locked,
        Err(StoreError::NotFound) => return Ok(Err(ChangeError::NotFound)),
        Err(other) => return Err(other),
    };
    if let Err(refusal) = may_change(tx, who, &locked.row, patch)? {
        return Ok(Err(refusal));
    }
    let actor = Actor::Agent(who.agent);
    if let Some(status) = patch.status {
        set_status_as(tx, &mut locked, status, patch.snoozed_until, actor, &who.name, now)?;
    }
    if let Some(spam) = patch.spam {
        set_spam(tx, &mut locked, spam, actor, &who.name, now)?;
    }
    if let Some(priority) = patch.priority.filter(|p| *p != locked.row.priority) {
        let args = json!({"from": locked.row.priority, "to": priority});
        locked.row.priority = priority;
        add_event(tx, &mut locked, "conversation.priority_changed", "priority_changed", args, actor, &who.name, now)?;
    }
    if patch.agent_id.is_some() || patch.team_id.is_some() {
        let agent = patch.agent_id.unwrap_or(locked.row.agent_id);
        let team = patch.team_id.unwrap_or(locked.row.team_id);
        assign(tx, &mut locked, agent, team, actor, &who.name, now)?;
    }
    if let Some(subject) = &patch.subject {
        let subject = subject.as_deref().map(model::fold::clean).map(|s| s.trim().to_owned()).filter(|s| !s.is_empty());
        if subject != locked.row.subject {
            locked.row.subject = subject;
            add_event(tx, &mut locked, "conversation.subject_changed", "subject_changed", json!({}), actor, &who.name, now)?;
        }
    }
    if let Some(tags) = &patch.tag_ids {
        set_tags(tx, &mut locked, tags, actor, &who.name, now)?;
    }
    Ok(Ok(locked.save(tx)?))
}

pub(crate) fn may_change(
    tx: &mut dyn Conn,
    who: &Who,
    row: &Conversation,
    patch: &Patch,
) -> Result<Result<(), ChangeError>, StoreError> {
    if patch.expected_seq.is_some_and(|seq| seq < row.seq) {
        return Ok(Err(ChangeError::Stale { seq: row.seq }));
    }
    if row.merged_into.is_some() {
        return Ok(Err(invalid("conversation", "it was merged into another one; change that one")));
    }
    if row.status == Status::Closed && !row.spam && patch.status.is_some() {
        return Ok(Err(ChangeError::ClosedForGood));
    }
    if let Some(Some(agent)) = patch.agent_id {
        match store::agent::find(tx, who.workspace, agent)? {
            Some(found) if found.archived_at.is_none() => {}
            _ => return Ok(Err(invalid("agent_id", "there is no such agent"))),
        }
    }
    if let Some(Some(team)) = patch.team_id
        && store::team::find(tx, who.workspace, team)?.is_none()
    {
        return Ok(Err(invalid("team_id", "there is no such team")));
    }
    if let Some(tags) = &patch.tag_ids {
        let known: Vec<TagId> = store::tag::list(tx, who.workspace)?.into_iter().map(|t| t.id).collect();
        if tags.iter().any(|t| !known.contains(t)) {
            return Ok(Err(invalid("tag_ids", "there is no such tag")));
        }
    }
    Ok(Ok(()))
}

/// Sets a status in the product's own name.
pub fn set_status(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    status: Status,
    until: Option<Timestamp>,
    actor: Actor,
    now: Timestamp,
) -> Result<(), StoreError> {
    set_status_as(tx, locked, status, until, actor, "", now)
}

pub(crate) fn set_status_as(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    status: Status,
    until: Option<Timestamp>,
    actor: Actor,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = &mut locked.row;
    if row.status == status && row.snoozed_until == until {
        return Ok(());
    }
    debug_assert!(status == Status::Snoozed || until.is_none(), "only a snooze has an end");
    let args = json!({"from": row.status, "to": status, "until": until});
    row.status = status;
    row.snoozed_until = until;
    if status == Status::Resolved {
        row.resolved_at = Some(now);
        // A resolve ends the turn without a reply (domain.md 2.1).
        row.waiting_since = None;
        row.unread_count = 0;
    }
    let id = row.id;
    if let Some(until) = until {
        job::enqueue(tx, locked.workspace(), &WakeConversation { conversation: id, until }, until)?;
    }
    add_event(tx, locked, "conversation.status_changed", "status_changed", args, actor, name, now)?;
    Ok(())
}

/// Spam is a flag: setting it resolves and locks, taking it off restores the status before.
pub(crate) fn set_spam(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    spam: bool,
    actor: Actor,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = &mut locked.row;
    if row.spam == spam {
        return Ok(());
    }
    row.spam = spam;
    if spam {
        row.status_before_spam = Some(if row.status == Status::Snoozed { Status::Open } else { row.status });
        row.status = Status::Closed;
        row.snoozed_until = None;
        row.waiting_since = None;
        row.unread_count = 0;
    } else {
        row.status = row.status_before_spam.take().unwrap_or(Status::Open);
    }
    add_event(tx, locked, "conversation.spam_changed", "spam_changed", json!({"spam": spam}), actor, name, now)?;
    Ok(())
}

/// Gives the conversation to an agent and a team, or to nobody.
pub fn assign(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    agent: Option<AgentId>,
    team: Option<TeamId>,
    actor: Actor,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = &mut locked.row;
    if row.agent_id == agent && row.team_id == team {
        return Ok(());
    }
    let args = json!({"agent_id": agent, "team_id": team, "from_agent_id": row.agent_id, "from_team_id": row.team_id});
    row.agent_id = agent;
    row.team_id = team;
    add_event(tx, locked, "conversation.assigned", "assigned", args, actor, name, now)?;
    Ok(())
}

pub(crate) fn set_tags(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    wanted: &[TagId],
    actor: Actor,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (workspace, id) = (locked.workspace(), locked.row.id);
    let have: Vec<TagId> = conversation::tags_of(tx, workspace, &[id])?.into_iter().map(|(_, tag)| tag).collect();
    let mut added = Vec::new();
    for tag in wanted.iter().filter(|t| !have.contains(t)) {
        if conversation::add_tag(tx, workspace, id, *tag, now)? {
            added.push(*tag);
        }
    }
    let removed: Vec<TagId> = have.into_iter().filter(|t| !wanted.contains(t)).collect();
    for tag in &removed {
        conversation::remove_tag(tx, workspace, id, *tag)?;
    }
    if !added.is_empty() || !removed.is_empty() {
        let args = json!({"added": added, "removed": removed});
        add_event(tx, locked, "conversation.tagged", "tagged", args, actor, name, now)?;
    }
    Ok(())
}

/// Takes a conversation that nobody has.
pub async fn take(desk: &Desk, who: &Who, id: ConversationId) -> Result<Conversation, ChangeError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Conversation(id), move |tx| -> Answer<Conversation> {
            let mut locked = match Locked::lock(tx, who.workspace, id) {
                Ok(locked) => locked,
                Err(StoreError::NotFound) => return Ok(Err(ChangeError::NotFound)),
                Err(other) => return Err(other),
            };
            match locked.row.agent_id {
                Some(agent) if agent != who.agent => return Ok(Err(ChangeError::Taken { agent })),
                Some(_) => return Ok(Ok(locked.row)),
                None => {}
            }
            let team = locked.row.team_id;
            assign(tx, &mut locked, Some(who.agent), team, Actor::Agent(who.agent), &who.name, now)?;
            Ok(Ok(locked.save(tx)?))
        })
        .await?
}

/// Notes that the agent has seen a conversation up to `seq`: nothing that others see, except that "unread" ends when its
/// assignee, or anybody while it has none, has looked.
pub async fn mark_seen(desk: &Desk, who: &Who, id: ConversationId, seq: i64) -> Result<(), ChangeError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Conversation(id), move |tx| -> Answer<()> {
            let Some(row) = conversation::find(tx, who.workspace, id)? else { return Ok(Err(ChangeError::NotFound)) };
            let seq = seq.clamp(0, row.seq);
            let counts = row.agent_id.is_none_or(|agent| agent == who.agent);
            // The conversation's lock before the agent's own row, as in a reply of the same agent in another window.
            let locked = match row.unread_count > 0 && counts && seq >= row.customer_seq {
                true => Some(Locked::lock(tx, who.workspace, id)?),
                false => None,
            };
            let fresh = seen::mark(tx, who.workspace, who.agent, id, seq)?;
            let done = seen::mentions_done(tx, who.workspace, who.agent, id, now)?;
            if let Some(mut locked) = locked {
                if seq >= locked.row.customer_seq {
                    locked.row.unread_count = 0;
                    locked.log(tx, "conversation.seen", now, Actor::Agent(who.agent), json!({"seq": seq}));
                }
                locked.save(tx)?;
            } else if fresh || done > 0 {
                // Only this agent's own screens care; the log row carries no stream number.
                tx.log(Event {
                    workspace: who.workspace,
                    stream_id: None,
                    seq: None,
                    kind: "conversation.seen_by",
                    at: now,
                    actor: Actor::Agent(who.agent),
                    cause_id: None,
                    payload: json!({"conversation": id, "seq": seq}),
                });
            }
            Ok(Ok(()))
        })
        .await?
}

/// Ends a snooze: what the job does when the time has come.
pub async fn wake(desk: &Desk, job: JobRef, wake: WakeConversation) -> JobEnd {
    let now = desk.now();
    let id = wake.conversation;
    let done = desk
        .db
        .write(Route::Conversation(id), move |tx| -> Result<(), StoreError> {
            let mut locked = Locked::lock(tx, job.workspace, id)?;
            if locked.row.status == Status::Snoozed && locked.row.snoozed_until == Some(wake.until) {
                set_status(tx, &mut locked, Status::Open, None, Actor::System, now)?;
                locked.row.last_activity_at = locked.row.last_activity_at.max(now);
            }
            locked.save(tx)?;
            job::finish_in_tx(tx, job)
        })
        .await;
    match done {
        Ok(()) => JobEnd::DoneInTx,
        Err(StoreError::NotFound) => JobEnd::Done,
        Err(error) => error.into(),
    }
}

/// What a bulk change did.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkDone {
    /// How many conversations took the change.
    pub changed: usize,
    /// What takes it back.
    pub undo_id: EventId,
}

/// Applies one patch to many conversations, each in a transaction of its own (a group of them is one commit), then writes
/// down what it was before, so that one undo takes it all back.
pub async fn bulk(desk: &Desk, who: &Who, ids: Vec<ConversationId>, patch: Patch) -> Result<BulkDone, ChangeError> {
    if ids.is_empty() || ids.len() > BULK_COUNT_MAX {
        return Err(invalid("ids", "between 1 and 500 conversations"));
    }
    let now = desk.now();
    check(&patch, now)?;
    let workspace = who.workspace;
    let mut before = Vec::new();
    for id in ids {
        let (who, patch) = (who.clone(), patch.clone());
        let done = desk
            .db
            .write(Route::Conversation(id), move |tx| -> Answer<serde_json::Value> {
                let Some(row) = conversation::find(tx, workspace, id)? else { return Ok(Err(ChangeError::NotFound)) };
                let tags: Vec<TagId> = conversation::tags_of(tx, workspace, &[id])?.into_iter().map(|(_, t)| t).collect();
                Ok(apply(tx, &who, id, &patch, now)?.map(|_| undo_of(&row, &tags, &patch)))
            })
            .await?;
        match done {
            Ok(undo) => before.push(undo),
            // One that is locked or gone does not stop the others; the count tells.
            Err(ChangeError::NotFound | ChangeError::ClosedForGood) => {}
            Err(other) => return Err(other),
        }
    }
    let (changed, actor) = (before.len(), Actor::Agent(who.agent));
    let undo_id = desk
        .db
        .write(Route::Any, move |tx| -> Result<EventId, StoreError> {
            let payload = json!({ "before": before });
            Ok(tx.log(Event {
                workspace,
                stream_id: None,
                seq: None,
                kind: "conversation.bulk_changed",
                at: now,
                actor,
                cause_id: None,
                payload,
            }))
        })
        .await?;
    Ok(BulkDone { changed, undo_id })
}

fn undo_of(row: &Conversation, tags: &[TagId], patch: &Patch) -> serde_json::Value {
    let mut undo = json!({ "id": row.id });
    let mut set = |name: &str, value: serde_json::Value| {
        if let Some(object) = undo.as_object_mut() {
            object.insert(name.to_owned(), value);
        }
    };
    if patch.status.is_some() {
        set("status", json!(row.status));
        set("snoozed_until", json!(row.snoozed_until));
    }
    if patch.priority.is_some() {
        set("priority", json!(row.priority));
    }
    if patch.agent_id.is_some() {
        set("agent_id", json!(row.agent_id));
    }
    if patch.team_id.is_some() {
        set("team_id", json!(row.team_id));
    }
    if patch.spam.is_some() {
        set("spam", json!(row.spam));
    }
    if patch.tag_ids.is_some() {
        set("tag_ids", json!(tags));
    }
    undo
}

/// Reads back what `undo_of` wrote.
pub(crate) fn undo_patch(before: &serde_json::Value, now: Timestamp) -> Option<(ConversationId, Patch)> {
    fn field<T: serde::de::DeserializeOwned>(value: &serde_json::Value, name: &str) -> Option<T> {
        value.get(name).and_then(|v| serde_json::from_value(v.clone()).ok())
    }
    let id = field(before, "id")?;
    let mut patch = Patch {
        status: field(before, "status"),
        snoozed_until: field::<Option<Timestamp>>(before, "snoozed_until").flatten(),
        priority: field(before, "priority"),
        agent_id: before.get("agent_id").map(|_| field(before, "agent_id")),
        team_id: before.get("team_id").map(|_| field(before, "team_id")),
        spam: field(before, "spam"),
        tag_ids: field(before, "tag_ids"),
        ..Patch::default()
    };
    // A snooze that ran out meanwhile cannot be put back: open is what it would be now.
    if patch.status == Some(Status::Snoozed) && patch.snoozed_until.is_some_and(|until| until <= now) {
        (patch.status, patch.snoozed_until) = (Some(Status::Open), None);
    }
    Some((id, patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snooze_ends_in_the_future_or_with_a_reply_and_nothing_else_has_a_time() {
        let now = Timestamp(1_000_000);
        let patch = |status, snoozed_until| Patch { status, snoozed_until, ..Patch::default() };
        assert!(check(&patch(Some(Status::Snoozed), Some(now.plus_seconds(60))), now).is_ok());
        assert!(check(&patch(Some(Status::Snoozed), None), now).is_ok(), "until the customer writes");
        assert!(check(&patch(Some(Status::Snoozed), Some(now)), now).is_err());
        assert!(check(&patch(Some(Status::Open), Some(now.plus_seconds(60))), now).is_err());
        assert!(check(&patch(None, Some(now.plus_seconds(60))), now).is_err());
        assert!(check(&patch(Some(Status::Closed), None), now).is_err());
        assert!(check(&patch(Some(Status::Resolved), None), now).is_ok());
    }

    #[test]
    fn what_a_bulk_change_wrote_down_reads_back_with_cleared_values() {
        let before = json!({"id": ConversationId(7), "status": "snoozed", "snoozed_until": Timestamp(5_000), "agent_id": null});
        let (id, patch) = undo_patch(&before, Timestamp(1_000)).unwrap();
        assert_eq!((id, patch.status, patch.snoozed_until), (ConversationId(7), Some(Status::Snoozed), Some(Timestamp(5_000))));
        assert_eq!(patch.agent_id, Some(None), "null means it had nobody");
        assert_eq!(patch.team_id, None, "absent means it was not changed");
        let (_, late) = undo_patch(&before, Timestamp(9_000)).unwrap();
        assert_eq!((late.status, late.snoozed_until), (Some(Status::Open), None));
    }
}
