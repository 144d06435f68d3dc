//! Looks the keys of an event up, lets `matching` decide, and writes what follows: a new contact, owners and their proof, an
//! automatic join of an anonymous visitor, suggestions. `look` and `settle` are apart, so that a rehearsal only looks.

use super::matching::{Holder, Known, KnownKey, Match, Person, TokenSays, decide, undecided, wants_people};
use super::normal::{self, Spelling};
use super::{ceiling, merge};
use channel::{ClaimSource, ContactPointClaim};
use model::{Actor, ContactId, ContactPointId, ContactPointKind, Timestamp, WorkspaceId};
use serde_json::json;
use store::contact::{self, Contact};
use store::contact_point::{self, ContactPoint, Owner, PointKey};
use store::{Conn, Event, StoreError, conversation, suggestion};

const DAY_MS: i64 = 86_400_000;
/// A key that was used so lately is not written again for each message.
const SEEN_AGAIN_MS: i64 = 3_600_000;
/// Conversations of one contact among whom an order number is looked for.
const CONVERSATION_COUNT_MAX: i64 = 50;

/// Who is writing.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The live contact. Of a blocked sender whom nobody knows it is not stored.
    pub contact: Contact,
    /// The strongest sender key: what an answer goes to.
    pub point: Option<ContactPointId>,
    /// The contact that entries from there are written with: the holder of the key, live or merged away.
    pub owner: ContactId,
    /// How sure it is that this contact writes.
    pub proof_level: i64,
    /// The contact was made by this event.
    pub is_new: bool,
    /// A key of the sender, or the contact, is blocked by us.
    pub blocked: bool,
    /// Flags of the match.
    pub flags: Vec<String>,
    /// What "why?" shows.
    pub trace: serde_json::Value,
}

/// What is asked about an event.
pub struct Question<'a> {
    /// The keys that it carries.
    pub claims: &'a [ContactPointClaim],
    /// How numbers are spelt where it came in.
    pub spelling: Spelling,
    /// After so many days without use a number may have a new owner.
    pub stale_days: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Order numbers in it, as compared.
    pub orders: &'a [String],
    /// The contact that a one-time code proved.
    pub proven: Option<ContactId>,
    /// What a token says.
    pub token: Option<TokenSays>,
    /// Locks and keeps what it finds; else it only looks.
    pub write: bool,
}

struct Key<'a> {
    claim: &'a ContactPointClaim,
    key: PointKey,
    point: Option<ContactPoint>,
    owners: Vec<(Owner, Option<String>, Option<Timestamp>)>,
}

/// The sender as far as it is known, before anything is written about it.
pub struct Sender<'a> {
    keys: Vec<Key<'a>>,
    /// The decision.
    pub matched: Match,
    /// The contact that was found, under its lock when `write` was asked.
    pub contact: Option<Contact>,
    stale_days: i64,
}

impl Sender<'_> {
    /// One of the keys was proven false.
    pub fn is_disproved(&self) -> bool {
        self.keys.iter().any(|k| k.claim.disproved)
    }
    /// The sender keys that count, in their normal form.
    pub fn keys(&self) -> impl Iterator<Item = &PointKey> {
        self.keys.iter().filter(|k| counts(k.claim)).map(|k| &k.key)
    }
    /// What "why?" shows.
    pub fn trace(&self) -> serde_json::Value {
        let m = &self.matched;
        json!({
            "tried": m.tried, "flags": m.flags, "by": m.by, "contact": m.contact, "proof_level": m.proof_level,
            "suggest": m.suggest, "joins": m.joins, "blocked": m.blocked,
        })
    }
}

fn is_typed(claim: &ContactPointClaim) -> bool {
    matches!(claim.source, ClaimSource::Typed | ClaimSource::Page)
}

fn counts(claim: &ContactPointClaim) -> bool {
    claim.proof_level >= 1 && !claim.disproved && !is_typed(claim)
}

/// Looks everything up that the decision needs, and decides. When it writes, it takes the row locks of the contact points
/// first, then of the contact: two simultaneous first messages of one person meet here and make one contact.
pub fn look<'a>(tx: &mut dyn Conn, workspace: WorkspaceId, asked: &Question<'a>) -> Result<Sender<'a>, StoreError> {
    let keys = look_up(tx, workspace, asked)?;
    let mut known = Known {
        keys: keys.iter().map(|key| known_key(key, asked.at)).collect(),
        people: vec![],
        proven: asked.proven,
        order_holders: vec![],
        token: asked.token.clone(),
        stale_days: asked.stale_days,
    };
    for id in wants_people(&known) {
        let person = person(tx, workspace, id)?;
        known.people.push(person);
    }
    if !asked.orders.is_empty() {
        for id in undecided(&known) {
            let rows = conversation::of_live_contact(tx, workspace, id, CONVERSATION_COUNT_MAX)?;
            let open = rows.iter().filter(|c| c.status.is_open() && c.merged_into.is_none() && !c.spam);
            let with = open.filter(|c| c.orders.iter().any(|order| asked.orders.contains(order)));
            known.order_holders.extend(with.map(|_| id));
        }
    }
    let mut matched = decide(&known);
    if matched.contact.is_none() {
        suggest_without_tag(tx, workspace, &keys, &mut matched)?;
    }
    let contact = match matched.contact {
        Some(id) => Some(hold(tx, workspace, id, &matched.joins, asked)?),
        None => None,
    };
    matched.contact = contact.as_ref().map(|c| c.id);
    matched.blocked |= contact.as_ref().is_some_and(|c| c.blocked_at.is_some());
    Ok(Sender { keys, matched, contact, stale_days: asked.stale_days })
}

/// The contact, under its lock when something will be written. Locks are taken in ascending order, as every transaction that
/// needs several must.
fn hold(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ContactId,
    others: &[ContactId],
    asked: &Question<'_>,
) -> Result<Contact, StoreError> {
    if !asked.write {
        return contact::get_live(tx, workspace, id);
    }
    for other in others.iter().filter(|other| **other < id) {
        contact::lock(tx, workspace, *other)?;
    }
    let mut held = contact::hold(tx, workspace, id, asked.at)?;
    // A merge was faster while we waited for the lock: the one that took this contact is the one to hold.
    for _ in 0..8 {
        if held.live_id == held.id {
            break;
        }
        held = contact::hold(tx, workspace, held.live_id, asked.at)?;
    }
    for other in others.iter().filter(|other| **other > id) {
        contact::lock(tx, workspace, *other)?;
    }
    Ok(held)
}

/// How much a key proves in this event. An id of another system shows that it is the same id as before, and no more: about
/// the contact it proves what bound it to them.
fn counts_as(key: &Key<'_>) -> i64 {
    let stated = i64::from(key.claim.proof_level);
    let bound = key.owners.iter().map(|(owner, ..)| owner.proof_level).max();
    match bound {
        Some(bound) if key.key.kind == ContactPointKind::Ext => stated.min(bound),
        _ => stated,
    }
}

fn look_up<'a>(tx: &mut dyn Conn, workspace: WorkspaceId, asked: &Question<'a>) -> Result<Vec<Key<'a>>, StoreError> {
    let disproved = asked.claims.iter().any(|c| c.disproved);
    // Locks in one order for everybody: two events with the same two keys must not wait for each other in a circle.
    let mut wanted: Vec<_> = asked.claims.iter().filter_map(|c| normal::key_of(c, asked.spelling).map(|key| (c, key))).collect();
    let order = |claim: &ContactPointClaim, key: &PointKey| {
        (key.kind, key.scope.clone(), key.match_key.clone(), std::cmp::Reverse((counts(claim), claim.proof_level)))
    };
    wanted.sort_by_key(|(claim, key)| order(claim, key));
    wanted.dedup_by(|a, b| a.1 == b.1);
    let mut keys = Vec::with_capacity(wanted.len());
    for (claim, key) in wanted {
        // Somebody who was caught with a false key leaves none behind; what is only typed is nobody's.
        let point = match asked.write && counts(claim) && !disproved {
            true => Some(contact_point::upsert(tx, workspace, &key, &claim.value, asked.at)?),
            false => contact_point::find_key(tx, workspace, &key)?,
        };
        keys.push(Key { claim, key, point, owners: vec![] });
    }
    let ids: Vec<ContactPointId> = keys.iter().filter_map(|k| k.point.as_ref().map(|p| p.id)).collect();
    for found in contact_point::holders(tx, workspace, &ids)? {
        if let Some(key) = keys.iter_mut().find(|k| k.point.as_ref().is_some_and(|p| p.id == found.0.contact_point_id)) {
            key.owners.push(found);
        }
    }
    keys.sort_by_key(|k| (std::cmp::Reverse((counts(k.claim), k.claim.proof_level)), k.key.kind == ContactPointKind::Visitor));
    Ok(keys)
}

fn known_key(key: &Key<'_>, at: Timestamp) -> KnownKey {
    // Begun days count: 540 days and an hour are more than 540 days.
    let days = |since: Timestamp| (at.since(since).max(0) + DAY_MS - 1) / DAY_MS;
    let mut holders: Vec<Holder> = Vec::new();
    for (owner, _, blocked_at) in &key.owners {
        let unused_days = Some(days(owner.last_seen_at));
        match holders.iter_mut().find(|h| h.contact == owner.live_id) {
            Some(known) => known.unused_days = known.unused_days.min(unused_days),
            None => holders.push(Holder { contact: owner.live_id, unused_days, blocked: blocked_at.is_some() }),
        }
    }
    KnownKey {
        kind: key.key.kind,
        proof_level: counts_as(key),
        disproved: key.claim.disproved,
        typed: is_typed(key.claim),
        shared: key.point.as_ref().is_some_and(|p| p.shared),
        blocked: key.point.as_ref().is_some_and(|p| p.blocked_at.is_some()),
        holders,
    }
}

fn person(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId) -> Result<Person, StoreError> {
    let owned = contact_point::owned_by(tx, workspace, id)?;
    let ids: Vec<ContactPointId> = owned.iter().map(|o| o.contact_point_id).collect();
    let points = contact_point::list(tx, workspace, &ids)?;
    let level = |p: &ContactPoint| owned.iter().filter(|o| o.contact_point_id == p.id).map(|o| o.proof_level).max();
    let only_visitor = points.iter().all(|p| p.key.kind == ContactPointKind::Visitor);
    let strong = points.iter().filter(|p| level(p) == Some(3)).map(|p| p.key.kind).collect();
    let anonymous = only_visitor && contact::get_live(tx, workspace, id)?.name.is_none();
    Ok(Person { contact: id, anonymous, strong })
}

/// Whoever holds the same address with another +tag, or none, may be the same person.
fn suggest_without_tag(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    keys: &[Key<'_>],
    matched: &mut Match,
) -> Result<(), StoreError> {
    for key in keys.iter().filter(|k| k.key.kind == ContactPointKind::Email) {
        for id in contact_point::loose_owners(tx, workspace, &normal::without_tag(&key.key.match_key))? {
            if !matched.suggest.contains(&id) {
                matched.suggest.push(id);
            }
        }
    }
    Ok(())
}

/// Writes what follows from the decision. The caller has seen to it that this event may have consequences.
pub fn settle(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    claims: &[ContactPointClaim],
    sender: &Sender<'_>,
    now: Timestamp,
) -> Result<Resolved, StoreError> {
    let (matched, disproved) = (&sender.matched, sender.is_disproved());
    let is_new = sender.contact.is_none();
    let contact = match &sender.contact {
        Some(found) => found.clone(),
        None => new_contact(tx, workspace, claims, now)?,
    };
    let mut owner = contact.id;
    let (mut point, mut any_point) = (None, None);
    for key in sender.keys.iter().filter(|k| counts(k.claim) && !disproved) {
        let Some(row) = &key.point else { continue };
        any_point = any_point.or(Some(row.id));
        if let Some(holder) = attach(tx, workspace, key, row, &contact, is_new, sender, now)?
            && point.is_none()
        {
            (point, owner) = (Some(row.id), holder);
        }
    }
    for other in &matched.joins {
        merge::join_anonymous(tx, workspace, contact.id, *other, now)?;
    }
    let contact = if matched.joins.is_empty() { contact } else { contact::get_live(tx, workspace, contact.id)? };
    for other in &matched.suggest {
        let evidence = json!({"flags": matched.flags, "tried": matched.tried});
        let level = matched.tried.iter().filter(|t| t.holders.contains(other)).map(|t| t.proof_level).max().unwrap_or(0);
        suggestion::put(tx, workspace, contact.id, *other, "arrival", None, level, &evidence, now)?;
    }
    let had_name = contact.name.is_some();
    let contact = learn_name(tx, workspace, contact, claims, now)?;
    // Whoever has something new to be compared by may be somebody whom we know already.
    let is_compared =
        |k: &Key<'_>| matches!(k.key.kind, ContactPointKind::Email | ContactPointKind::Phone | ContactPointKind::Account);
    let is_news = |k: &Key<'_>| counts(k.claim) && !k.owners.iter().any(|(o, ..)| o.live_id == contact.id);
    let has_news = !disproved && sender.keys.iter().any(|k| is_compared(k) && is_news(k));
    if has_news || !matched.suggest.is_empty() || (!had_name && contact.name.is_some()) {
        super::duplicates::check_later(tx, workspace, contact.id, now)?;
    }
    let strongest = sender.keys.iter().filter(|k| counts(k.claim) && !disproved).map(|k| i64::from(k.claim.proof_level)).max();
    let proof_level = if is_new { strongest.unwrap_or(0) } else { matched.proof_level };
    let mut trace = sender.trace();
    trace["new_contact"] = json!(is_new);
    let mut flags: Vec<String> = matched.flags.iter().map(|f| (*f).to_owned()).collect();
    flags.extend(ceiling::was_lowered(claims).then(|| "claim_lowered".to_owned()));
    Ok(Resolved { contact, point: point.or(any_point), owner, proof_level, is_new, blocked: matched.blocked, flags, trace })
}

/// Finds or makes the contact behind the claims of one event that is no message: it writes at once.
pub fn resolve(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    claims: &[ContactPointClaim],
    spelling: Spelling,
    stale_days: i64,
    now: Timestamp,
) -> Result<Option<Resolved>, StoreError> {
    let asked = Question { claims, spelling, stale_days, at: now, orders: &[], proven: None, token: None, write: true };
    let sender = look(tx, workspace, &asked)?;
    // Nothing of the blocked comes in: not even a contact.
    if sender.matched.blocked {
        return Ok(None);
    }
    settle(tx, workspace, claims, &sender, now).map(Some)
}

fn new_contact(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    claims: &[ContactPointClaim],
    now: Timestamp,
) -> Result<Contact, StoreError> {
    let id = ContactId(tx.id());
    let contact = Contact {
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
    };
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

/// Gives a key to the contact where that is right; answers with the contact row that now holds it. A key of somebody else
/// stays theirs. A new contact holds all its keys, so that it can be answered, but never another's browser.
#[expect(clippy::too_many_arguments, reason = "one key and everything that decides about it")]
fn attach(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    key: &Key<'_>,
    row: &ContactPoint,
    contact: &Contact,
    is_new: bool,
    sender: &Sender<'_>,
    now: Timestamp,
) -> Result<Option<ContactId>, StoreError> {
    let matched = &sender.matched;
    let is_stale = |o: &Owner| now.since(o.last_seen_at) > sender.stale_days * DAY_MS;
    let is_other = |o: &Owner| o.live_id != contact.id && !matched.joins.contains(&o.live_id);
    let others: Vec<_> = key.owners.iter().filter(|(o, ..)| is_other(o) && !is_stale(o)).collect();
    let mine = key.owners.iter().map(|(o, ..)| o).find(|o| o.live_id == contact.id);
    let may_hold = mine.is_some() || others.is_empty() || row.shared || (is_new && key.key.kind != ContactPointKind::Visitor);
    // Whoever proved it is themselves by a code may do so from a friend's telephone.
    if !may_hold || (mine.is_none() && matched.by == "code") {
        return Ok(None);
    }
    // What came along with a weaker key is not better proven than that; a sign-in proves itself.
    let own = i64::from(key.claim.proof_level);
    let level = match mine {
        // Said again by itself, an id of another system binds no better than it did; beside a stronger key it does.
        Some(mine) if key.key.kind == ContactPointKind::Ext => own.min(mine.proof_level.max(matched.proof_level)),
        Some(_) => own,
        None if is_new || own == 3 => own,
        None => own.min(matched.proof_level),
    };
    let holder = mine.map_or(contact.id, |o| o.contact_id);
    let is_known = mine.is_some_and(|o| o.proof_level >= level && now.since(o.last_seen_at) < SEEN_AGAIN_MS);
    if !is_known {
        let source = serde_json::to_value(key.claim.source).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
        let evidence = if matched.by == "token" { "handoff" } else { &source };
        contact_point::own(tx, workspace, row.id, holder, level, evidence, &source, now)?;
    }
    if mine.is_none() && !row.shared && names_conflict(&others, contact, key.claim) {
        contact_point::set_shared(tx, workspace, row.id, true)?;
    }
    Ok(Some(holder))
}

/// Used by two people who are called differently: from now on it decides nothing alone.
fn names_conflict(others: &[&(Owner, Option<String>, Option<Timestamp>)], contact: &Contact, claim: &ContactPointClaim) -> bool {
    let ours = contact.name.as_deref().or(claim.name.as_deref()).map(model::fold::fold);
    let theirs = others.iter().filter_map(|(_, name, _)| name.as_deref().map(model::fold::fold));
    ours.is_some_and(|ours| theirs.into_iter().any(|theirs| theirs != ours))
}

/// A name beside a key of level 1 and up becomes the contact's name while it has none; a typed one stays "claimed".
fn learn_name(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: Contact,
    claims: &[ContactPointClaim],
    now: Timestamp,
) -> Result<Contact, StoreError> {
    let name = claims.iter().filter(|c| counts(c)).find_map(|c| c.name.as_deref()).map(tidy_name);
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
