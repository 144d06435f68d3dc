//! Joins two contacts and takes them apart. A merge sets a pointer and nothing else: no entry, contact point or
//! conversation is rewritten, so taking it back gives both as they were, and what came since goes with its contact point.

use crate::context::{Desk, Who};
use model::{Actor, ContactId, ContactMergeId, ContactPointKind, Timestamp, WorkspaceId};
use serde_json::json;
use store::contact::{self, Contact};
use store::contact_merge::{self, ContactMerge};
use store::{Conn, Event, Route, StoreError, contact_point, conversation, entry};

/// Which rule said no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MergeError {
    /// No such contact or merge.
    #[error("there is no such customer")]
    NotFound,
    /// Both are one already.
    #[error("these two are the same customer already")]
    Same,
    /// Two different signed-in ids: two people, whatever else agrees.
    #[error("both have signed in with different accounts; an admin may merge them all the same")]
    TwoAccounts,
    /// Taken back already, or another merge lies on top.
    #[error("this merge cannot be taken back any more: {0}")]
    TooLate(&'static str),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a merge or its undo does, or would do.
#[derive(Clone, Debug, PartialEq)]
pub struct MergePreview {
    /// The recorded merge; `None` for a dry run of a new one.
    pub merge_id: Option<ContactMergeId>,
    /// The contact that stays.
    pub keep: Contact,
    /// The contact that becomes a pointer (or comes free again).
    pub other: Contact,
    /// Conversations of the other.
    pub conversations: usize,
    /// Entries of the other, counted up to 10,000.
    pub entries: usize,
    /// What an agent should look at.
    pub conflicts: Vec<&'static str>,
}

type Answer<T> = Result<Result<T, MergeError>, StoreError>;
const ENTRY_COUNT_MAX: i64 = 10_000;

/// Merges `other` into `keep` (or says what that would do).
pub async fn merge(
    desk: &Desk,
    who: &Who,
    keep: ContactId,
    other: ContactId,
    force: bool,
    dry_run: bool,
) -> Result<MergePreview, MergeError> {
    let (now, who) = (desk.now(), who.clone());
    let force = force && who.role.at_least(model::Role::Admin);
    desk.db
        .write(Route::Contact(keep), move |tx| -> Answer<MergePreview> {
            let Some((keep, other)) = lock_both(tx, who.workspace, keep, other)? else { return Ok(Err(MergeError::NotFound)) };
            if keep.id == other.id {
                return Ok(Err(MergeError::Same));
            }
            let mut preview = preview(tx, who.workspace, &keep, &other)?;
            if preview.conflicts.contains(&"two_accounts") && !force {
                return Ok(Err(MergeError::TwoAccounts));
            }
            if !dry_run {
                let id = point(tx, who.workspace, &keep, &other, Actor::Agent(who.agent), "agent", "", now)?;
                preview.merge_id = Some(id);
            }
            Ok(Ok(preview))
        })
        .await?
}

/// The live contacts behind two ids, locked in ascending order.
fn lock_both(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    a: ContactId,
    b: ContactId,
) -> Result<Option<(Contact, Contact)>, StoreError> {
    let live = |tx: &mut dyn Conn, id| match contact::get_live(tx, workspace, id) {
        Ok(found) => Ok(Some(found.id)),
        Err(StoreError::NotFound) => Ok(None),
        Err(other) => Err(other),
    };
    let (Some(a), Some(b)) = (live(tx, a)?, live(tx, b)?) else { return Ok(None) };
    contact::lock(tx, workspace, a.min(b))?;
    contact::lock(tx, workspace, a.max(b))?;
    Ok(Some((contact::get_live(tx, workspace, a)?, contact::get_live(tx, workspace, b)?)))
}

fn preview(tx: &mut dyn Conn, workspace: WorkspaceId, keep: &Contact, other: &Contact) -> Result<MergePreview, StoreError> {
    let of_other = contact::merged_set(tx, workspace, other.id)?;
    let conversations = conversation::of_contacts(tx, workspace, &of_other, 1_000)?.len();
    let entries = entry::timeline_before(tx, workspace, &of_other, (i64::MAX, i64::MAX), ENTRY_COUNT_MAX)?.len();
    let mut conflicts = Vec::new();
    let (a, b) = (accounts(tx, workspace, keep.id)?, accounts(tx, workspace, other.id)?);
    if !a.is_empty() && !b.is_empty() && a != b {
        conflicts.push("two_accounts");
    }
    if keep.blocked_at.is_some() != other.blocked_at.is_some() {
        conflicts.push("one_is_blocked");
    }
    if keep.name.is_some() && other.name.is_some() && keep.name != other.name {
        conflicts.push("different_names");
    }
    Ok(MergePreview { merge_id: None, keep: keep.clone(), other: other.clone(), conversations, entries, conflicts })
}

fn accounts(tx: &mut dyn Conn, workspace: WorkspaceId, live: ContactId) -> Result<Vec<String>, StoreError> {
    let ids: Vec<_> = contact_point::owned_by(tx, workspace, live)?
        .into_iter()
        .filter(|o| o.proof_level == 3)
        .map(|o| o.contact_point_id)
        .collect();
    let mut keys: Vec<String> = contact_point::list(tx, workspace, &ids)?
        .into_iter()
        .filter(|p| p.key.kind == ContactPointKind::Account)
        .map(|p| format!("{}/{}", p.key.scope, p.key.match_key))
        .collect();
    keys.sort();
    Ok(keys)
}

/// Sets the pointer and records the merge.
#[expect(clippy::too_many_arguments, reason = "one record, each field once")]
fn point(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    keep: &Contact,
    other: &Contact,
    actor: Actor,
    reason: &str,
    evidence: &str,
    now: Timestamp,
) -> Result<ContactMergeId, StoreError> {
    let moved = contact::merged_set(tx, workspace, other.id)?;
    for id in &moved {
        contact::set_live(tx, workspace, *id, keep.id)?;
    }
    let version = contact::point_to(tx, workspace, other.id, Some(keep.id))?;
    let id = ContactMergeId(tx.id());
    let fields = |c: &Contact| json!({"name": c.name, "company": c.company, "locale": c.locale, "notes": c.notes, "blocked_at": c.blocked_at});
    let record = ContactMerge {
        id,
        keep_id: keep.id,
        other_id: other.id,
        merged_by: actor.to_string(),
        reason: reason.to_owned(),
        evidence: evidence.to_owned(),
        moved: json!({"live": moved, "keep": fields(keep), "other": fields(other)}),
        merged_at: now,
        undone_at: None,
    };
    contact_merge::insert(tx, workspace, &record)?;
    let payload = json!({"merge": id, "keep": keep.id, "other": other.id, "reason": reason});
    log(tx, workspace, other.id, version, "contact.merged", payload.clone(), actor, now);
    let mut survivor = keep.clone();
    if survivor.name.is_none() {
        survivor.name.clone_from(&other.name);
    }
    // Blocked stays blocked: the stricter of the two.
    survivor.blocked_at = keep.blocked_at.or(other.blocked_at);
    let version = contact::save(tx, workspace, &survivor)?;
    log(tx, workspace, keep.id, version, "contact.took", payload, actor, now);
    Ok(id)
}

#[expect(clippy::too_many_arguments, reason = "one row of the log, each column once")]
fn log(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: ContactId,
    version: i64,
    kind: &'static str,
    payload: serde_json::Value,
    actor: Actor,
    at: Timestamp,
) {
    tx.log(Event { workspace, stream_id: Some(contact.0), seq: Some(version), kind, at, actor, cause_id: None, payload });
}

/// Joins an anonymous visitor to the contact that has just signed in with the same browser: the one merge that needs nobody.
pub(super) fn join_anonymous(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    keep: ContactId,
    other: ContactId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some((keep, other)) = lock_both(tx, workspace, keep, other)? else { return Ok(()) };
    if keep.id != other.id {
        point(tx, workspace, &keep, &other, Actor::System, "visitor_signed_in", "same browser", now)?;
    }
    Ok(())
}

/// Takes a merge back (or says what that would do).
pub async fn unmerge(desk: &Desk, who: &Who, id: ContactMergeId, dry_run: bool) -> Result<MergePreview, MergeError> {
    let (now, who, workspace) = (desk.now(), who.clone(), who.workspace);
    let found = desk.db.read(move |tx| contact_merge::find(tx, workspace, id)).await?;
    let Some(found) = found else { return Err(MergeError::NotFound) };
    desk.db
        .write(Route::Contact(found.keep_id), move |tx| -> Answer<MergePreview> {
            let Some(record) = contact_merge::find(tx, workspace, id)? else { return Ok(Err(MergeError::NotFound)) };
            if record.undone_at.is_some() {
                return Ok(Err(MergeError::TooLate("it was taken back before")));
            }
            // Lock in ascending order; the pointers are then ours to change.
            contact::lock(tx, workspace, record.keep_id.min(record.other_id))?;
            contact::lock(tx, workspace, record.keep_id.max(record.other_id))?;
            let keep = contact::find(tx, workspace, record.keep_id)?.ok_or(StoreError::NotFound)?;
            let other = contact::find(tx, workspace, record.other_id)?.ok_or(StoreError::NotFound)?;
            if other.merged_into != Some(keep.id) {
                return Ok(Err(MergeError::TooLate("the customers were merged otherwise since")));
            }
            let moved = pointing_at(tx, workspace, other.id, other.live_id)?;
            let conversations = conversation::of_contacts(tx, workspace, &moved, 1_000)?.len();
            let entries = entry::timeline_before(tx, workspace, &moved, (i64::MAX, i64::MAX), ENTRY_COUNT_MAX)?.len();
            let preview = MergePreview {
                merge_id: Some(id),
                keep: keep.clone(),
                other: other.clone(),
                conversations,
                entries,
                conflicts: vec![],
            };
            if dry_run {
                return Ok(Ok(preview));
            }
            for one in &moved {
                contact::set_live(tx, workspace, *one, other.id)?;
            }
            let version = contact::point_to(tx, workspace, other.id, None)?;
            let actor = Actor::Agent(who.agent);
            let payload = json!({"merge": id, "keep": keep.id, "other": other.id});
            log(tx, workspace, other.id, version, "contact.separated", payload.clone(), actor, now);
            let version = give_back(tx, workspace, &keep, &record)?;
            log(tx, workspace, keep.id, version, "contact.gave_back", payload, actor, now);
            contact_merge::set_undone(tx, workspace, id, &actor.to_string(), now)?;
            Ok(Ok(preview))
        })
        .await?
}

/// The contacts of a merged set whose pointers run through `through`.
fn pointing_at(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    through: ContactId,
    live: ContactId,
) -> Result<Vec<ContactId>, StoreError> {
    let set = contact::merged_set(tx, workspace, live)?;
    let rows = contact::list(tx, workspace, &set)?;
    let into = |id: ContactId| rows.iter().find(|c| c.id == id).and_then(|c| c.merged_into);
    let runs_through = |start: ContactId| {
        let mut at = start;
        for _ in 0..=rows.len() {
            if at == through {
                return true;
            }
            match into(at) {
                Some(next) => at = next,
                None => return false,
            }
        }
        false
    };
    Ok(set.into_iter().filter(|id| runs_through(*id)).collect())
}

/// The survivor keeps what agents edited since; what the merge itself gave it goes back.
fn give_back(tx: &mut dyn Conn, workspace: WorkspaceId, keep: &Contact, record: &ContactMerge) -> Result<i64, StoreError> {
    let before = |side: &str, field: &str| record.moved.get(side).and_then(|s| s.get(field)).cloned().unwrap_or_default();
    let mut restored = keep.clone();
    if before("keep", "name").is_null() && json!(keep.name) == before("other", "name") {
        restored.name = None;
    }
    if before("keep", "blocked_at").is_null() && json!(keep.blocked_at) == before("other", "blocked_at") {
        restored.blocked_at = None;
    }
    contact::save(tx, workspace, &restored)
}
