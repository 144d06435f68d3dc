//! Contact points: one row per phone number, address, handle or visitor id, and who owns it with which proof. The unique
//! key (workspace, kind, scope, match_key) settles races between simultaneous first messages.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::many::{self, word};
use crate::row::Row;
use crate::values;
use model::{ContactId, ContactPointId, ContactPointKind, Health, Timestamp, WorkspaceId};

/// The key that makes a contact point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PointKey {
    /// Phone, email, visitor ..
    pub kind: ContactPointKind,
    /// Page, bot, account or inbox that the id belongs to; empty where there is none.
    pub scope: String,
    /// Normal form that is compared.
    pub match_key: String,
}

/// One contact point.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactPoint {
    /// Its id.
    pub id: ContactPointId,
    /// What makes it unique.
    pub key: PointKey,
    /// As it was given, for sending and showing.
    pub raw: String,
    /// Used by several people: never decides alone.
    pub shared: bool,
    /// Does it work?
    pub health: Health,
    /// Since when nothing from here comes in.
    pub blocked_at: Option<Timestamp>,
    /// Last use in either direction.
    pub seen_at: Timestamp,
}

/// Who holds a contact point, and how that is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Owner {
    /// The contact point.
    pub contact_point_id: ContactPointId,
    /// The contact as it was written: follow its pointer.
    pub contact_id: ContactId,
    /// The end of that pointer.
    pub live_id: ContactId,
    /// 0 claimed, 1 spoofable, 2 controlled, 3 authenticated.
    pub proof_level: i64,
    /// What proved it, in a word or two.
    pub evidence: String,
    /// Where it came from: sender, typed, import, agent.
    pub source: String,
    /// First use by this contact.
    pub first_seen_at: Timestamp,
    /// Latest use by this contact.
    pub last_seen_at: Timestamp,
}

fn read(row: &Row) -> ContactPoint {
    ContactPoint {
        id: row.id(0),
        key: PointKey { kind: word(row, 1, ContactPointKind::parse), scope: row.text(2), match_key: row.text(3) },
        raw: row.text(4),
        shared: row.bool(5),
        health: word(row, 6, Health::parse),
        blocked_at: row.opt_at(7),
        seen_at: row.at(8),
    }
}

/// A mail address without its +tag; every other key as it is. What hints, and does not match.
pub fn loose_form(email_key: &str) -> String {
    match email_key.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or(local)),
        None => email_key.to_owned(),
    }
}

fn loose_key(key: &PointKey) -> Option<String> {
    (key.kind == ContactPointKind::Email).then(|| loose_form(&key.match_key))
}

const UPSERT: &str = "INSERT INTO contact_point (workspace_id, id, kind, scope, match_key, raw, shared, health, seen_at, loose_key) VALUES ($1, $2, $3, $4, $5, $6, FALSE, 'ok', $7, $8)
 ON CONFLICT (workspace_id, kind, scope, match_key) DO UPDATE SET seen_at = CASE WHEN excluded.seen_at > contact_point.seen_at THEN excluded.seen_at ELSE contact_point.seen_at END
 RETURNING id, kind, scope, match_key, raw, shared, health, blocked_at, seen_at";
/// Finds or makes the contact point of a key and takes its row lock.
pub fn upsert(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    key: &PointKey,
    raw: &str,
    now: Timestamp,
) -> Result<ContactPoint, StoreError> {
    let id = tx.id();
    let row = tx.one(UPSERT, values![workspace, id, key.kind.word(), &key.scope, &key.match_key, raw, now, loose_key(key)])?;
    row.as_ref().map(read).ok_or(StoreError::NotFound)
}

const FIND_KEY: &str = "SELECT id, kind, scope, match_key, raw, shared, health, blocked_at, seen_at FROM contact_point WHERE workspace_id = $1 AND kind = $2 AND scope = $3 AND match_key = $4";
/// The contact point of a key.
pub fn find_key(tx: &mut dyn Conn, workspace: WorkspaceId, key: &PointKey) -> Result<Option<ContactPoint>, StoreError> {
    Ok(tx.one(FIND_KEY, values![workspace, key.kind.word(), &key.scope, &key.match_key])?.as_ref().map(read))
}

const LOOSE: &str = "SELECT c.live_id FROM contact_point AS p CROSS JOIN contact_point_owner AS o CROSS JOIN contact AS c
 WHERE p.workspace_id = $1 AND p.kind = 'email' AND p.loose_key = $2 AND p.loose_key IS NOT NULL
   AND o.workspace_id = p.workspace_id AND o.contact_point_id = p.id AND c.workspace_id = o.workspace_id AND c.id = o.contact_id LIMIT 20";
/// Live contacts that hold an address which is the same without its +tag.
pub fn loose_owners(tx: &mut dyn Conn, workspace: WorkspaceId, loose: &str) -> Result<Vec<ContactId>, StoreError> {
    let mut found: Vec<ContactId> = tx.rows(LOOSE, values![workspace, loose])?.iter().map(|r| r.id(0)).collect();
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

const SET_SHARED: &str = "UPDATE contact_point SET shared = $3 WHERE workspace_id = $1 AND id = $2";
/// Notes that several people use it, or that they do not.
pub fn set_shared(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactPointId, shared: bool) -> Result<(), StoreError> {
    match tx.exec(SET_SHARED, values![workspace, id, shared])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const FIND: &str = "SELECT id, kind, scope, match_key, raw, shared, health, blocked_at, seen_at FROM contact_point WHERE workspace_id = $1 AND id = $2";
/// The contact point of an id.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactPointId) -> Result<Option<ContactPoint>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

const LIST_OF: &str = "SELECT id, kind, scope, match_key, raw, shared, health, blocked_at, seen_at FROM contact_point WHERE workspace_id = $1 AND id";
/// The contact points of these ids, in no order.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, ids: &[ContactPointId]) -> Result<Vec<ContactPoint>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    Ok(many::rows_in(tx, LIST_OF, "", workspace, &ids, &[])?.iter().map(read).collect())
}

const SET_HEALTH: &str = "UPDATE contact_point SET health = $3 WHERE workspace_id = $1 AND id = $2";
/// Notes whether the address works.
pub fn set_health(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactPointId, health: Health) -> Result<(), StoreError> {
    match tx.exec(SET_HEALTH, values![workspace, id, health.word()])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const SET_BLOCKED: &str = "UPDATE contact_point SET blocked_at = $3 WHERE workspace_id = $1 AND id = $2";
/// Blocks (a time) or unblocks (none) one contact point.
pub fn set_blocked(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ContactPointId,
    at: Option<Timestamp>,
) -> Result<(), StoreError> {
    match tx.exec(SET_BLOCKED, values![workspace, id, at])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

fn read_owner(row: &Row) -> Owner {
    Owner {
        contact_point_id: row.id(0),
        contact_id: row.id(1),
        live_id: row.id(2),
        proof_level: row.int(3),
        evidence: row.text(4),
        source: row.text(5),
        first_seen_at: row.at(6),
        last_seen_at: row.at(7),
    }
}

const OWNERS: &str =
    "SELECT o.contact_point_id, o.contact_id, c.live_id, o.proof_level, o.evidence, o.source, o.first_seen_at, o.last_seen_at
  FROM contact_point_owner AS o JOIN contact AS c ON c.workspace_id = o.workspace_id AND c.id = o.contact_id
 WHERE o.workspace_id = $1 AND o.contact_point_id = $2 ORDER BY o.first_seen_at, o.contact_id";
/// Who holds this contact point. Two different live ids make it ambiguous.
pub fn owners(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactPointId) -> Result<Vec<Owner>, StoreError> {
    Ok(tx.rows(OWNERS, values![workspace, id])?.iter().map(read_owner).collect())
}

// CROSS keeps SQLite from beginning at the owners, which would walk all of the workspace for one contact.
const OWNED_BY: &str =
    "SELECT o.contact_point_id, o.contact_id, c.live_id, o.proof_level, o.evidence, o.source, o.first_seen_at, o.last_seen_at
  FROM contact AS c CROSS JOIN contact_point_owner AS o
 WHERE c.workspace_id = $1 AND c.live_id = $2 AND o.workspace_id = c.workspace_id AND o.contact_id = c.id ORDER BY o.last_seen_at DESC, o.contact_point_id DESC";
/// What a live contact (and those merged into it) holds, latest used first.
pub fn owned_by(tx: &mut dyn Conn, workspace: WorkspaceId, live: ContactId) -> Result<Vec<Owner>, StoreError> {
    Ok(tx.rows(OWNED_BY, values![workspace, live])?.iter().map(read_owner).collect())
}

const HOLDERS: &str = "SELECT o.contact_point_id, o.contact_id, c.live_id, o.proof_level, o.evidence, o.source, o.first_seen_at, o.last_seen_at, l.name, l.blocked_at
  FROM contact_point_owner AS o JOIN contact AS c ON c.workspace_id = o.workspace_id AND c.id = o.contact_id JOIN contact AS l ON l.workspace_id = c.workspace_id AND l.id = c.live_id
 WHERE o.workspace_id = $1 AND o.contact_point_id";
/// A holder, with the name and the time of the block of the live contact.
pub type Holder = (Owner, Option<String>, Option<Timestamp>);

/// Who holds these contact points, each with the name and the block of the live contact: all that matching asks, at once.
pub fn holders(tx: &mut dyn Conn, workspace: WorkspaceId, ids: &[ContactPointId]) -> Result<Vec<Holder>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut found: Vec<Holder> = many::rows_in(tx, HOLDERS, "", workspace, &ids, &[])?
        .iter()
        .map(|r| (read_owner(r), r.opt_text(8), r.opt_at(9)))
        .collect();
    found.sort_by_key(|(o, ..)| (o.first_seen_at, o.contact_id));
    Ok(found)
}

const OWN: &str = "INSERT INTO contact_point_owner (workspace_id, contact_point_id, contact_id, proof_level, evidence, source, first_seen_at, last_seen_at, verified_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)
 ON CONFLICT (workspace_id, contact_point_id, contact_id) DO UPDATE SET
   evidence = CASE WHEN excluded.proof_level > contact_point_owner.proof_level THEN excluded.evidence ELSE contact_point_owner.evidence END,
   source = CASE WHEN excluded.proof_level > contact_point_owner.proof_level THEN excluded.source ELSE contact_point_owner.source END,
   verified_at = CASE WHEN excluded.proof_level >= contact_point_owner.proof_level AND excluded.verified_at IS NOT NULL THEN excluded.verified_at ELSE contact_point_owner.verified_at END,
   proof_level = CASE WHEN excluded.proof_level > contact_point_owner.proof_level THEN excluded.proof_level ELSE contact_point_owner.proof_level END,
   last_seen_at = CASE WHEN excluded.last_seen_at > contact_point_owner.last_seen_at THEN excluded.last_seen_at ELSE contact_point_owner.last_seen_at END";
/// Gives a contact point to a contact, or raises its proof and its last use there. A level is never lowered here.
#[expect(clippy::too_many_arguments, reason = "one row, each column once")]
pub fn own(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    point: ContactPointId,
    contact: ContactId,
    proof_level: i64,
    evidence: &str,
    source: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let verified = (proof_level >= 2).then_some(now);
    tx.exec(OWN, values![workspace, point, contact, proof_level, evidence, source, now, verified])?;
    Ok(())
}

const BY_KEY_PREFIX: &str = "SELECT c.live_id FROM contact_point AS p CROSS JOIN contact_point_owner AS o CROSS JOIN contact AS c
 WHERE p.workspace_id = $1 AND p.kind = $2 AND p.scope = '' AND p.match_key >= $3 AND p.match_key < $4
   AND o.workspace_id = p.workspace_id AND o.contact_point_id = p.id AND c.workspace_id = o.workspace_id AND c.id = o.contact_id ORDER BY p.match_key, c.live_id LIMIT $5";
/// Live contacts whose phone number or address begins with `prefix` (already in normal form).
pub fn contacts_by_key_prefix(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    kind: ContactPointKind,
    prefix: &str,
    limit: i64,
) -> Result<Vec<ContactId>, StoreError> {
    let upto = format!("{prefix}\u{10FFFF}");
    Ok(tx.rows(BY_KEY_PREFIX, values![workspace, kind.word(), prefix, upto, limit])?.iter().map(|r| r.id(0)).collect())
}

const DISOWN: &str = "DELETE FROM contact_point_owner WHERE workspace_id = $1 AND contact_point_id = $2 AND contact_id = $3";
/// Takes a contact point from a contact: only to take back what only a file said.
pub fn disown(tx: &mut dyn Conn, workspace: WorkspaceId, point: ContactPointId, contact: ContactId) -> Result<(), StoreError> {
    tx.exec(DISOWN, values![workspace, point, contact])?;
    Ok(())
}
