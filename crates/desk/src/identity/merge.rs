//! Joins two contacts and takes them apart. A merge sets a pointer and nothing else: no entry, contact point or
//! conversation is rewritten, so taking it back gives both as they were, and what came since goes with its contact point.
//! What conversations become of it when two contacts part is composed in `contacts::separate`.

use crate::consent;
use crate::context::{Desk, Who};
use model::{Actor, CompanyId, ContactFieldId, ContactId, ContactMergeId, ContactPointKind, Timestamp, WorkspaceId};
use serde_json::json;
use std::collections::BTreeMap;
use store::contact::{self, Contact};
use store::contact_merge::{self, ContactMerge};
use store::conversation::{self, Conversation};
use store::{Conn, Event, Route, StoreError, company, contact_field, contact_point, entry};

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
    /// A choice that names no field of contacts.
    #[error("there is no field {0} to choose")]
    UnknownField(String),
    /// Longer ago than one press undoes: somebody must have looked at the preview.
    #[error("this merge is more than 30 days old; look at the preview, then confirm it")]
    NeedsPreview,
    /// Taken back already, or another merge lies on top.
    #[error("this merge cannot be taken back any more: {0}")]
    TooLate(&'static str),
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What an agent chose in the comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// Although both have accounts of their own; for admins.
    pub force: bool,
    /// Blocked or not, where only one of them is; `None` = blocked.
    pub blocked: Option<bool>,
    /// Fields whose value of the other one is taken: `name`, `company`, `locale`, `time_zone`, `notes`, or the id of a field
    /// that the business made.
    pub from_other: Vec<String>,
}

/// One field of both.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldPair {
    /// Its name, or the id of a field that the business made.
    pub field: String,
    /// What people call it.
    pub title: String,
    /// Of the contact that stays.
    pub keep: Option<String>,
    /// Of the other.
    pub other: Option<String>,
    /// What it becomes.
    pub result: Option<String>,
}

/// What a merge does, or would do.
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
    /// Conversations of the one that stays.
    pub keep_conversations: usize,
    /// Entries of the one that stays, counted up to 10,000.
    pub keep_entries: usize,
    /// What an agent should look at.
    pub conflicts: Vec<&'static str>,
    /// Every field that one of them has.
    pub fields: Vec<FieldPair>,
    /// What both said about what we may do, and what holds for both: the stricter.
    pub consents: Vec<consent::Joined>,
    /// Open conversations of both, which an agent may want to merge as well: id and number.
    pub open: Vec<(model::ConversationId, i64)>,
}

type Answer<T> = Result<Result<T, MergeError>, StoreError>;
const ENTRY_COUNT_MAX: i64 = 10_000;
/// So long a merge is taken back by one press.
pub const ONE_PRESS_MS: i64 = 30 * 86_400_000;
const FIELDS: [&str; 5] = ["name", "company", "locale", "time_zone", "notes"];

/// Merges `other` into `keep` (or says what that would do).
pub async fn merge(
    desk: &Desk,
    who: &Who,
    keep: ContactId,
    other: ContactId,
    choices: Choices,
    dry_run: bool,
) -> Result<MergePreview, MergeError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Contact(keep), move |tx| -> Answer<MergePreview> {
            let Some((keep, other)) = lock_both(tx, who.workspace, keep, other)? else { return Ok(Err(MergeError::NotFound)) };
            if keep.id == other.id {
                return Ok(Err(MergeError::Same));
            }
            for id in [keep.id, other.id] {
                if store::erase::erased_at(tx, who.workspace, id)?.is_some() {
                    return Ok(Err(MergeError::NotFound));
                }
            }
            let mut preview = preview(tx, who.workspace, &keep, &other, &choices)?;
            if let Some(unknown) = choices.from_other.iter().find(|f| !preview.fields.iter().any(|p| p.field == **f)) {
                return Ok(Err(MergeError::UnknownField(unknown.clone())));
            }
            let force = choices.force && who.role.at_least(model::Role::Admin);
            if preview.conflicts.contains(&"two_accounts") && !force {
                // The preview is still worth seeing; only the act is refused.
                return Ok(if dry_run { Ok(preview) } else { Err(MergeError::TwoAccounts) });
            }
            if !dry_run {
                let evidence = suggested(tx, who.workspace, keep.id, other.id)?;
                let actor = Actor::Agent(who.agent);
                let why = Why { actor, reason: "agent", evidence: &evidence, now };
                preview.merge_id = Some(point(tx, who.workspace, &keep, &other, &choices, why)?);
                store::suggestion::decide(tx, who.workspace, keep.id, other.id, "merged", &actor.to_string(), now)?;
            }
            Ok(Ok(preview))
        })
        .await?
}

/// What spoke for the pair, for the record.
fn suggested(tx: &mut dyn Conn, workspace: WorkspaceId, a: ContactId, b: ContactId) -> Result<String, StoreError> {
    let found = store::suggestion::find(tx, workspace, a, b)?;
    Ok(found.map(|s| s.evidence.to_string()).unwrap_or_default())
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

fn preview(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    keep: &Contact,
    other: &Contact,
    choices: &Choices,
) -> Result<MergePreview, StoreError> {
    let (of_keep, of_other) = (contact::merged_set(tx, workspace, keep.id)?, contact::merged_set(tx, workspace, other.id)?);
    let count = |tx: &mut dyn Conn, set: &[ContactId]| -> Result<(Vec<Conversation>, usize), StoreError> {
        let conversations = conversation::of_contacts(tx, workspace, set, 1_000)?;
        let entries = entry::timeline_before(tx, workspace, set, (i64::MAX, i64::MAX), ENTRY_COUNT_MAX)?.len();
        Ok((conversations, entries))
    };
    let ((keep_conversations, keep_entries), (conversations, entries)) = (count(tx, &of_keep)?, count(tx, &of_other)?);
    let open = |all: &[Conversation]| -> Vec<(model::ConversationId, i64)> {
        let is_open = |c: &&Conversation| c.status.is_open() && !c.spam && c.merged_into.is_none();
        all.iter().filter(is_open).map(|c| (c.id, c.number)).collect()
    };
    let (open_keep, open_other) = (open(&keep_conversations), open(&conversations));
    let both = !open_keep.is_empty() && !open_other.is_empty();
    let open = if both { open_keep.into_iter().chain(open_other).collect() } else { vec![] };
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
    let consents = consent::joined(tx, workspace, &of_keep, &of_other)?;
    if consents.iter().any(consent::Joined::differs) {
        conflicts.push("consent_differs");
    }
    Ok(MergePreview {
        merge_id: None,
        keep: keep.clone(),
        other: other.clone(),
        conversations: conversations.len(),
        entries,
        keep_conversations: keep_conversations.len(),
        keep_entries,
        conflicts,
        fields: field_pairs(tx, workspace, (keep, &of_keep), (other, &of_other), choices)?,
        consents,
        open,
    })
}

fn field(c: &Contact, name: &str) -> Option<String> {
    match name {
        "name" => c.name.clone(),
        "company" => c.company.clone(),
        "locale" => c.locale.clone(),
        "time_zone" => c.time_zone.clone(),
        _ => c.notes.clone(),
    }
}

fn set_field(c: &mut Contact, name: &str, value: Option<String>) {
    match name {
        "name" => c.name = value,
        "company" => c.company = value,
        "locale" => c.locale = value,
        "time_zone" => c.time_zone = value,
        _ => c.notes = value,
    }
}

/// The values of the fields that the business made, as a merged set shows them: the live contact's own before those of the
/// ones that were merged into it.
pub fn own_values(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    live: ContactId,
    set: &[ContactId],
) -> Result<BTreeMap<ContactFieldId, String>, StoreError> {
    let mut found = contact_field::values_of(tx, workspace, set)?;
    found.sort_by_key(|v| (v.contact_id == live, v.changed_at, v.contact_id));
    Ok(found.into_iter().map(|v| (v.field_id, v.value)).collect())
}

fn field_pairs(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    keep: (&Contact, &[ContactId]),
    other: (&Contact, &[ContactId]),
    choices: &Choices,
) -> Result<Vec<FieldPair>, StoreError> {
    let pair = |name: String, title: String, a: Option<String>, b: Option<String>| {
        let takes_other = a.is_none() || choices.from_other.contains(&name);
        let result = if takes_other { b.clone().or_else(|| a.clone()) } else { a.clone() };
        FieldPair { field: name, title, keep: a, other: b, result }
    };
    let mut pairs = Vec::new();
    for name in FIELDS {
        let (a, b) = (field(keep.0, name), field(other.0, name));
        if a.is_some() || b.is_some() {
            pairs.push(pair(name.to_owned(), name.replace('_', " "), a, b));
        }
    }
    let mut a = own_values(tx, workspace, keep.0.id, keep.1)?;
    let mut b = own_values(tx, workspace, other.0.id, other.1)?;
    for known in contact_field::list(tx, workspace)?.into_iter().filter(|f| f.archived_at.is_none()) {
        let (x, y) = (a.remove(&known.id), b.remove(&known.id));
        if x.is_some() || y.is_some() {
            pairs.push(pair(known.id.to_string(), known.name, x, y));
        }
    }
    Ok(pairs)
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

/// Who merges, and why.
struct Why<'a> {
    actor: Actor,
    reason: &'a str,
    evidence: &'a str,
    now: Timestamp,
}

fn snapshot(c: &Contact, company: Option<CompanyId>) -> serde_json::Value {
    json!({
        "name": c.name, "company": c.company, "company_id": company, "locale": c.locale, "time_zone": c.time_zone,
        "notes": c.notes, "blocked_at": c.blocked_at
    })
}

/// Sets the pointer and records the merge.
fn point(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    keep: &Contact,
    other: &Contact,
    choices: &Choices,
    why: Why<'_>,
) -> Result<ContactMergeId, StoreError> {
    let Why { actor, reason, evidence, now } = why;
    let of_keep = contact::merged_set(tx, workspace, keep.id)?;
    let moved = contact::merged_set(tx, workspace, other.id)?;
    let pairs = field_pairs(tx, workspace, (keep, &of_keep), (other, &moved), choices)?;
    let (keep_company, other_company) =
        (company::of_contact(tx, workspace, keep.id)?, company::of_contact(tx, workspace, other.id)?);
    let mut survivor = keep.clone();
    let mut survivor_company = keep_company;
    let mut values = Vec::new();
    for pair in pairs.iter().filter(|p| p.result != p.keep) {
        if FIELDS.contains(&pair.field.as_str()) {
            set_field(&mut survivor, &pair.field, pair.result.clone());
            if pair.field == "company" {
                survivor_company = other_company;
            }
        } else if let (Ok(id), Some(value), true) =
            (ContactFieldId::parse(&pair.field), &pair.result, choices.from_other.contains(&pair.field))
        {
            // What the other has and this one lacks is seen through the pointer; only a choice against an own value is written.
            values.push(json!({"field": id, "before": pair.keep, "after": value}));
            contact_field::put(tx, workspace, keep.id, id, value, &model::fold::sort_key(value), now)?;
        }
    }
    // Blocked stays blocked unless somebody says otherwise: the stricter of the two.
    let either = keep.blocked_at.or(other.blocked_at);
    survivor.blocked_at = if choices.blocked == Some(false) { None } else { either };
    for id in &moved {
        contact::set_live(tx, workspace, *id, keep.id)?;
    }
    let version = contact::point_to(tx, workspace, other.id, Some(keep.id))?;
    let id = ContactMergeId(tx.id());
    let record = ContactMerge {
        id,
        keep_id: keep.id,
        other_id: other.id,
        merged_by: actor.to_string(),
        reason: reason.to_owned(),
        evidence: evidence.to_owned(),
        moved: json!({
            "live": moved, "keep": snapshot(keep, keep_company), "other": snapshot(other, other_company),
            "after": snapshot(&survivor, survivor_company), "values": values,
            "choices": {"from_other": choices.from_other, "blocked": choices.blocked, "force": choices.force}
        }),
        merged_at: now,
        undone_at: None,
    };
    contact_merge::insert(tx, workspace, &record)?;
    let payload = json!({"merge": id, "keep": keep.id, "other": other.id, "reason": reason});
    log(tx, workspace, other.id, version, "contact.merged", payload.clone(), actor, now);
    let version = contact::save(tx, workspace, &survivor)?;
    if survivor_company != keep_company {
        company::set_of(tx, workspace, keep.id, survivor_company)?;
    }
    log(tx, workspace, keep.id, version, "contact.took", payload, actor, now);
    super::duplicates::check_later(tx, workspace, keep.id, now)?;
    super::duplicates::check_later(tx, workspace, other.id, now)?;
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
pub(crate) fn join_anonymous(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    keep: ContactId,
    other: ContactId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some((keep, other)) = lock_both(tx, workspace, keep, other)? else { return Ok(()) };
    if keep.id != other.id {
        let why = Why { actor: Actor::System, reason: "visitor_signed_in", evidence: "same browser", now };
        point(tx, workspace, &keep, &other, &Choices::default(), why)?;
    }
    Ok(())
}

/// A merge that may be taken back, with its rows locked.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The record.
    pub record: ContactMerge,
    /// The contact that stayed.
    pub keep: Contact,
    /// The contact that comes free.
    pub other: Contact,
    /// Everything that goes with it: itself and what was merged into it.
    pub moved: Vec<ContactId>,
    /// Everything that stays behind.
    pub rest: Vec<ContactId>,
    /// Fields that go back to what they were.
    pub returned: Vec<String>,
    /// Fields that were edited since and stay with the one that stayed.
    pub edited: Vec<String>,
}

/// Looks whether a merge can be taken back, and takes the locks for it.
pub fn standing(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ContactMergeId,
) -> Result<Result<Standing, MergeError>, StoreError> {
    let Some(record) = contact_merge::find(tx, workspace, id)? else { return Ok(Err(MergeError::NotFound)) };
    if record.undone_at.is_some() {
        return Ok(Err(MergeError::TooLate("it was taken back before")));
    }
    // Lock in ascending order; the pointers are then ours to change.
    contact::lock(tx, workspace, record.keep_id.min(record.other_id))?;
    contact::lock(tx, workspace, record.keep_id.max(record.other_id))?;
    let keep = contact::find(tx, workspace, record.keep_id)?.ok_or(StoreError::NotFound)?;
    let other = contact::find(tx, workspace, record.other_id)?.ok_or(StoreError::NotFound)?;
    for one in [keep.id, other.id] {
        if store::erase::erased_at(tx, workspace, one)?.is_some() {
            return Ok(Err(MergeError::TooLate("one of the two was erased")));
        }
    }
    if other.merged_into != Some(keep.id) {
        return Ok(Err(MergeError::TooLate("the customers were merged otherwise since")));
    }
    let moved = pointing_at(tx, workspace, other.id, other.live_id)?;
    let rest = contact::merged_set(tx, workspace, other.live_id)?.into_iter().filter(|id| !moved.contains(id)).collect();
    let mut standing = Standing { record, keep, other, moved, rest, returned: vec![], edited: vec![] };
    let (mut returned, mut edited) = (vec![], vec![]);
    for name in FIELDS {
        let (before, after) = (standing.before(name), standing.after(name));
        let now = json!(field(&standing.keep, name));
        if now == after && before != after {
            returned.push(name.to_owned());
        } else if now != after {
            edited.push(name.to_owned());
        }
    }
    let has = own_values(tx, workspace, standing.keep.id, &[standing.keep.id])?;
    for (field, _, after) in standing.values() {
        let list = if has.get(&field) == Some(&after) { &mut returned } else { &mut edited };
        list.push(field.to_string());
    }
    (standing.returned, standing.edited) = (returned, edited);
    Ok(Ok(standing))
}

impl Standing {
    fn recorded(&self, side: &str, field: &str) -> serde_json::Value {
        self.record.moved.get(side).and_then(|s| s.get(field)).cloned().unwrap_or_default()
    }
    fn before(&self, field: &str) -> serde_json::Value {
        self.recorded("keep", field)
    }
    /// What the merge made of a field; records of older versions gave only names and blocks.
    fn after(&self, field: &str) -> serde_json::Value {
        if self.record.moved.get("after").is_some() {
            return self.recorded("after", field);
        }
        let before = self.before(field);
        if before.is_null() && matches!(field, "name" | "blocked_at") { self.recorded("other", field) } else { before }
    }
    /// Values of own fields that the agent's choice replaced: field, before, after.
    fn values(&self) -> Vec<(ContactFieldId, Option<String>, String)> {
        let all = self.record.moved.get("values").and_then(|v| v.as_array()).cloned().unwrap_or_default();
        let text = |v: &serde_json::Value, name: &str| v.get(name).and_then(|t| t.as_str()).map(str::to_owned);
        all.iter()
            .filter_map(|v| Some((ContactFieldId::parse(&text(v, "field")?).ok()?, text(v, "before"), text(v, "after")?)))
            .collect()
    }
}

/// Clears the pointer and gives back what the merge itself gave; what agents edited since stays where it is.
pub fn part(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    standing: &Standing,
    actor: Actor,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (id, keep, other) = (standing.record.id, &standing.keep, &standing.other);
    for one in &standing.moved {
        contact::set_live(tx, workspace, *one, other.id)?;
    }
    let version = contact::point_to(tx, workspace, other.id, None)?;
    let payload = json!({"merge": id, "keep": keep.id, "other": other.id});
    log(tx, workspace, other.id, version, "contact.separated", payload.clone(), actor, now);
    let mut restored = keep.clone();
    for name in standing.returned.iter().filter(|name| FIELDS.contains(&name.as_str())) {
        set_field(&mut restored, name, standing.before(name).as_str().map(str::to_owned));
        if name == "company" {
            let before = serde_json::from_value::<Option<CompanyId>>(standing.before("company_id")).unwrap_or_default();
            company::set_of(tx, workspace, keep.id, before)?;
        }
    }
    if json!(keep.blocked_at) == standing.after("blocked_at") {
        restored.blocked_at = serde_json::from_value(standing.before("blocked_at")).unwrap_or(keep.blocked_at);
    }
    for (field, before, _) in standing.values().into_iter().filter(|(f, ..)| standing.returned.contains(&f.to_string())) {
        match before {
            Some(value) => contact_field::put(tx, workspace, keep.id, field, &value, &model::fold::sort_key(&value), now)?,
            None => contact_field::clear(tx, workspace, keep.id, field)?,
        }
    }
    let version = contact::save(tx, workspace, &restored)?;
    log(tx, workspace, keep.id, version, "contact.gave_back", payload, actor, now);
    super::duplicates::check_later(tx, workspace, keep.id, now)?;
    super::duplicates::check_later(tx, workspace, other.id, now)?;
    contact_merge::set_undone(tx, workspace, id, &actor.to_string(), now)?;
    // Whoever separates two has judged the pair.
    store::suggestion::decide(tx, workspace, keep.id, other.id, "not_same", &actor.to_string(), now)?;
    Ok(())
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
