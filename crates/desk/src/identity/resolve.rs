//! Looks the sender keys of an event up, lets `matching` decide, and writes what follows: a new contact, owners and their
//! proof, an automatic join of an anonymous visitor.

use super::matching::{KnownKey, Match, STALE_DAYS, decide};
use super::normal::Spelling;
use super::{merge, normal};
use channel::ContactPointClaim;
use model::{Actor, ContactId, ContactPointId, ContactPointKind, Timestamp, WorkspaceId};
use serde_json::json;
use store::contact::{self, Contact};
use store::contact_point::{self, ContactPoint, Owner};
use store::{Conn, Event, StoreError};

/// Who is writing.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The live contact. Of a blocked sender whom nobody knows it is not stored.
    pub contact: Contact,
    /// The strongest sender key: what an answer goes to.
    pub point: Option<ContactPointId>,
    /// Its proof in this event.
    pub proof_level: i64,
    /// The contact was made by this event.
    pub is_new: bool,
    /// A key of the sender, or the contact, is blocked by us.
    pub blocked: bool,
    /// One of the keys was proven false.
    pub disproved: bool,
    /// Flags of the match.
    pub flags: Vec<String>,
    /// What "why?" shows.
    pub trace: serde_json::Value,
}

struct Key<'a> {
    claim: &'a ContactPointClaim,
    point: ContactPoint,
    owners: Vec<Owner>,
}

/// Finds or makes the contact behind the claims of one event. Takes the row locks of the contact points first, then of the
/// contact: two simultaneous first messages of one person meet here and make one contact.
pub fn resolve(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    claims: &[ContactPointClaim],
    spelling: Spelling,
    now: Timestamp,
) -> Result<Resolved, StoreError> {
    let disproved = claims.iter().any(|c| c.disproved);
    // Somebody who was caught with a false key proves nothing with the others: a contact of their own, holding no keys.
    let keys = if disproved { vec![] } else { look_up(tx, workspace, claims, spelling, now)? };
    let blocked = is_blocked(tx, workspace, &keys)? || (disproved && disproved_is_blocked(tx, workspace, claims, spelling)?);
    let known: Vec<KnownKey> = keys.iter().map(|key| known_key(tx, workspace, key, now)).collect::<Result<_, _>>()?;
    let anonymous = anonymous_owners(tx, workspace, &known)?;
    let found = decide(&known, |id| anonymous.contains(&id));

    let (contact, is_new) = match found.contact {
        Some(id) => {
            lock_all(tx, workspace, id, &found.joinable)?;
            contact::seen(tx, workspace, id, now)?;
            let mut live = contact::get_live(tx, workspace, id)?;
            if live.id != id {
                // A merge was faster while we waited for the lock: the one that took this contact is the one to hold.
                contact::lock(tx, workspace, live.id)?;
                live = contact::get_live(tx, workspace, live.id)?;
            }
            (live, false)
        }
        // Nothing of the blocked comes in: not even a contact.
        None if blocked => (unknown(tx, now), true),
        None => (new_contact(tx, workspace, claims, now)?, true),
    };
    for key in keys.iter().filter(|_| !(blocked && is_new)) {
        attach(tx, workspace, key, &contact, &found, now)?;
    }
    for other in &found.joinable {
        merge::join_anonymous(tx, workspace, contact.id, *other, now)?;
    }
    let contact = if found.joinable.is_empty() { contact } else { contact::get_live(tx, workspace, contact.id)? };
    let contact = if blocked { contact } else { learn_name(tx, workspace, contact, claims, now)? };
    let point = keys.first().map(|k| k.point.id);
    let proof_level = keys.first().map_or(0, |k| i64::from(k.claim.proof_level));
    let trace = json!({"tried": found.tried, "flags": found.flags, "new_contact": is_new});
    let lowered = super::ceiling::was_lowered(claims).then(|| "claim_lowered".to_owned());
    let flags = found.flags.iter().map(|f| (*f).to_owned());
    let flags = flags.chain(disproved.then(|| "spoof_suspected".to_owned())).chain(lowered).collect();
    Ok(Resolved { contact, point, proof_level, is_new, blocked, disproved, flags, trace })
}

/// Locks contacts in ascending order, as every transaction that needs several must.
fn lock_all(tx: &mut dyn Conn, workspace: WorkspaceId, one: ContactId, others: &[ContactId]) -> Result<(), StoreError> {
    let mut ids: Vec<ContactId> = others.iter().copied().chain([one]).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().try_for_each(|id| contact::lock(tx, workspace, id))
}

/// A forged address gets nobody past the block of its owner. Looks only: a false claim leaves no contact point behind.
fn disproved_is_blocked(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    claims: &[ContactPointClaim],
    spelling: Spelling,
) -> Result<bool, StoreError> {
    let mut keys = Vec::new();
    for claim in claims.iter().filter(|c| c.proof_level >= 1 || c.disproved) {
        if let Some(key) = normal::key_of(claim, spelling)
            && let Some(point) = contact_point::find_key(tx, workspace, &key)?
        {
            let owners = contact_point::owners(tx, workspace, point.id)?;
            keys.push(Key { claim, point, owners });
        }
    }
    is_blocked(tx, workspace, &keys)
}

/// The claims that may name somebody (level 1 and up, not proven false), strongest first, as rows with their locks taken.
fn look_up<'a>(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    claims: &'a [ContactPointClaim],
    spelling: Spelling,
    now: Timestamp,
) -> Result<Vec<Key<'a>>, StoreError> {
    let mut usable: Vec<&ContactPointClaim> = claims.iter().filter(|c| c.proof_level >= 1 && !c.disproved).collect();
    usable.sort_by_key(|c| std::cmp::Reverse(c.proof_level));
    // Locks in one order for everybody: two events with the same two keys must not wait for each other in a circle.
    let mut wanted: Vec<_> = usable.iter().filter_map(|c| normal::key_of(c, spelling).map(|key| (*c, key))).collect();
    wanted.sort_by(|a, b| (a.1.kind, &a.1.scope, &a.1.match_key).cmp(&(b.1.kind, &b.1.scope, &b.1.match_key)));
    wanted.dedup_by(|a, b| a.1 == b.1);
    let mut keys = Vec::with_capacity(wanted.len());
    for (claim, key) in wanted {
        let point = contact_point::upsert(tx, workspace, &key, &claim.value, now)?;
        let owners = contact_point::owners(tx, workspace, point.id)?;
        keys.push(Key { claim, point, owners });
    }
    keys.sort_by_key(|k| std::cmp::Reverse(k.claim.proof_level));
    Ok(keys)
}

fn live_owners(key: &Key<'_>) -> Vec<ContactId> {
    let mut live: Vec<ContactId> = key.owners.iter().map(|o| o.live_id).collect();
    live.sort_unstable();
    live.dedup();
    live
}

/// The owners that count: one who has not used the key for so long that it may have a new owner counts no more once
/// somebody else has used it since.
fn current_owners(key: &Key<'_>, now: Timestamp) -> Vec<ContactId> {
    let is_fresh = |o: &Owner| now.since(o.last_seen_at) / 86_400_000 <= STALE_DAYS;
    let mut fresh: Vec<ContactId> = key.owners.iter().filter(|o| is_fresh(o)).map(|o| o.live_id).collect();
    fresh.sort_unstable();
    fresh.dedup();
    if fresh.is_empty() { live_owners(key) } else { fresh }
}

fn known_key(tx: &mut dyn Conn, workspace: WorkspaceId, key: &Key<'_>, now: Timestamp) -> Result<KnownKey, StoreError> {
    let owners = current_owners(key, now);
    let owner_has_other_account = match owners.as_slice() {
        [one] => has_account(tx, workspace, *one)?,
        _ => false,
    };
    let last = key.owners.iter().filter(|o| owners.contains(&o.live_id)).map(|o| o.last_seen_at).max();
    let unused_days = last.map(|at| now.since(at) / 86_400_000);
    Ok(KnownKey {
        kind: key.point.key.kind,
        proof_level: i64::from(key.claim.proof_level),
        shared: key.point.shared,
        owners,
        unused_days,
        owner_has_other_account,
    })
}

fn has_account(tx: &mut dyn Conn, workspace: WorkspaceId, contact: ContactId) -> Result<bool, StoreError> {
    let owned: Vec<ContactPointId> = contact_point::owned_by(tx, workspace, contact)?
        .into_iter()
        .filter(|o| o.proof_level == 3)
        .map(|o| o.contact_point_id)
        .collect();
    Ok(contact_point::list(tx, workspace, &owned)?.iter().any(|p| p.key.kind == ContactPointKind::Account))
}

/// Owners that hold nothing but visitor points, and no name: only these may be joined without asking.
fn anonymous_owners(tx: &mut dyn Conn, workspace: WorkspaceId, known: &[KnownKey]) -> Result<Vec<ContactId>, StoreError> {
    let mut anonymous = Vec::new();
    if known.len() < 2 {
        return Ok(anonymous);
    }
    for owner in known.iter().filter(|k| k.kind == ContactPointKind::Visitor).flat_map(|k| &k.owners) {
        let ids: Vec<ContactPointId> =
            contact_point::owned_by(tx, workspace, *owner)?.iter().map(|o| o.contact_point_id).collect();
        if contact_point::list(tx, workspace, &ids)?.iter().all(|p| p.key.kind == ContactPointKind::Visitor) {
            anonymous.push(*owner);
        }
    }
    Ok(anonymous)
}

/// Blocked is the contact, or every live contact behind a key, or the key itself.
fn is_blocked(tx: &mut dyn Conn, workspace: WorkspaceId, keys: &[Key<'_>]) -> Result<bool, StoreError> {
    for key in keys {
        if key.point.blocked_at.is_some() {
            return Ok(true);
        }
        let owners = contact::list(tx, workspace, &live_owners(key))?;
        if !owners.is_empty() && owners.iter().all(|c| c.blocked_at.is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn unknown(tx: &mut dyn Conn, now: Timestamp) -> Contact {
    let id = ContactId(tx.id());
    Contact {
        id,
        merged_into: None,
        live_id: id,
        name: None,
        company: None,
        locale: None,
        time_zone: None,
        notes: None,
        claimed: serde_json::Map::new(),
        blocked_at: None,
        first_seen_at: now,
        last_seen_at: now,
        version: 1,
    }
}

fn new_contact(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    claims: &[ContactPointClaim],
    now: Timestamp,
) -> Result<Contact, StoreError> {
    let contact = unknown(tx, now);
    let id = contact.id;
    contact::insert(tx, workspace, &contact)?;
    let kinds: Vec<ContactPointKind> = claims.iter().map(|c| c.kind).collect();
    log(tx, workspace, &contact, 1, "contact.created", json!({"contact": id, "kinds": kinds}), now);
    Ok(contact)
}

fn log(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: &Contact,
    version: i64,
    kind: &'static str,
    payload: serde_json::Value,
    at: Timestamp,
) {
    tx.log(Event {
        workspace,
        stream_id: Some(contact.id.0),
        seq: Some(version),
        kind,
        at,
        actor: Actor::Contact(contact.id),
        cause_id: None,
        payload,
    });
}

/// Gives a key to the contact, unless it belongs to somebody else or may not decide.
fn attach(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    key: &Key<'_>,
    contact: &Contact,
    found: &Match,
    now: Timestamp,
) -> Result<(), StoreError> {
    // A stale owner of a number does not keep its new owner from it.
    let is_stale = |o: &Owner| key.claim.proof_level < 2 && now.since(o.last_seen_at) / 86_400_000 > STALE_DAYS;
    let mut others = key.owners.iter().filter(|o| !is_stale(o)).map(|o| o.live_id);
    let foreign = others.any(|id| id != contact.id && !found.joinable.contains(&id));
    if foreign && !key.point.shared {
        return Ok(());
    }
    // A merged-away owner keeps its row; the proof is raised where the key stands already.
    let holder = key.owners.iter().find(|o| o.live_id == contact.id).map_or(contact.id, |o| o.contact_id);
    let source = serde_json::to_value(key.claim.source).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    contact_point::own(tx, workspace, key.point.id, holder, i64::from(key.claim.proof_level), &source, &source, now)
}

/// A name beside a key of level 1 and up becomes the contact's name while it has none; a typed one stays "claimed".
fn learn_name(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: Contact,
    claims: &[ContactPointClaim],
    now: Timestamp,
) -> Result<Contact, StoreError> {
    let name = claims.iter().filter(|c| c.proof_level >= 1 && !c.disproved).find_map(|c| c.name.as_deref()).map(tidy_name);
    match name {
        Some(name) if contact.name.is_none() && !name.is_empty() => {
            let mut named = Contact { name: Some(name), ..contact };
            named.version = contact::save(tx, workspace, &named)?;
            log(tx, workspace, &named, named.version, "contact.changed", json!({"contact": named.id, "fields": ["name"]}), now);
            Ok(named)
        }
        _ => Ok(contact),
    }
}

/// A name as it may be shown: one line, no control characters, at most 200 characters.
pub fn tidy_name(name: &str) -> String {
    let line: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    model::fold::truncate(&line.split_whitespace().collect::<Vec<_>>().join(" "), 200).to_owned()
}
