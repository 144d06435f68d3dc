//! Pairs of contacts that may be one person, for an agent to judge. One row per pair, the lower id first; "not the same"
//! stays and silences the pair until better evidence comes.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{ContactId, Timestamp, WorkspaceId};

/// One pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// Its row.
    pub id: i64,
    /// The lower id.
    pub a: ContactId,
    /// The higher id.
    pub b: ContactId,
    /// `arrival` (an event named both) or `model` (weights).
    pub source: String,
    /// Weight in thousandths of a bit.
    pub bits: Option<i64>,
    /// Strongest proof behind the evidence, 0 to 3.
    pub level: i64,
    /// What speaks for it.
    pub evidence: serde_json::Value,
    /// `open`, `not_same`, `merged`.
    pub state: String,
    /// When it was found (again).
    pub made_at: Timestamp,
    /// Who judged it.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

fn read(row: &Row) -> Suggestion {
    Suggestion {
        id: row.int(0),
        a: row.id(1),
        b: row.id(2),
        source: row.text(3),
        bits: row.opt_int(4),
        level: row.int(5),
        evidence: crate::setting::json(row.str(6)),
        state: row.text(7),
        made_at: row.at(8),
        decided_by: row.opt_text(9),
        decided_at: row.opt_at(10),
    }
}

// A pair that was judged "not the same" comes back only with a proof of level 2 or more that is also stronger than before.
const PUT: &str = "INSERT INTO contact_suggestion (workspace_id, id, a_id, b_id, source, bits, level, evidence, state, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9)
 ON CONFLICT (workspace_id, a_id, b_id) DO UPDATE SET source = excluded.source, bits = excluded.bits, level = excluded.level, evidence = excluded.evidence, state = 'open', made_at = excluded.made_at
  WHERE contact_suggestion.state <> 'not_same' OR (excluded.level >= 2 AND excluded.level > contact_suggestion.level)";
/// Stores what speaks for a pair; false when it was judged before and nothing better has come.
#[expect(clippy::too_many_arguments, reason = "one row, each column once")]
pub fn put(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    one: ContactId,
    other: ContactId,
    source: &str,
    bits: Option<i64>,
    level: i64,
    evidence: &serde_json::Value,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (a, b, id) = (one.min(other), one.max(other), tx.id());
    Ok(tx.exec(PUT, values![workspace, id, a, b, source, bits, level, evidence.to_string(), now])? == 1)
}

const OF_A: &str = "SELECT id, a_id, b_id, source, bits, level, evidence, state, made_at, decided_by, decided_at FROM contact_suggestion WHERE workspace_id = $1 AND a_id = $2 ORDER BY b_id LIMIT 100";
const OF_B: &str = "SELECT id, a_id, b_id, source, bits, level, evidence, state, made_at, decided_by, decided_at FROM contact_suggestion WHERE workspace_id = $1 AND b_id = $2 ORDER BY a_id LIMIT 100";
/// The pairs of a contact, whatever their state.
pub fn of_contact(tx: &mut dyn Conn, workspace: WorkspaceId, id: ContactId) -> Result<Vec<Suggestion>, StoreError> {
    let mut found: Vec<Suggestion> = tx.rows(OF_A, values![workspace, id])?.iter().map(read).collect();
    found.extend(tx.rows(OF_B, values![workspace, id])?.iter().map(read));
    Ok(found)
}

const OPEN: &str = "SELECT id, a_id, b_id, source, bits, level, evidence, state, made_at, decided_by, decided_at FROM contact_suggestion WHERE workspace_id = $1 AND state = 'open' AND (made_at, id) < ($2, $3) ORDER BY made_at DESC, id DESC LIMIT $4";
/// Texts of this file that list, for the test that looks at their query plans.
pub const WALKS: [&str; 3] = [OPEN, OF_A, OF_B];

/// Open pairs, newest first, below the position `(made_at, id)`.
pub fn open(tx: &mut dyn Conn, workspace: WorkspaceId, below: (i64, i64), limit: i64) -> Result<Vec<Suggestion>, StoreError> {
    Ok(tx.rows(OPEN, values![workspace, below.0, below.1, limit])?.iter().map(read).collect())
}

const DECIDE: &str = "UPDATE contact_suggestion SET state = $4, decided_by = $5, decided_at = $6 WHERE workspace_id = $1 AND a_id = $2 AND b_id = $3";
/// Notes the judgement about a pair; false when nobody has suggested it.
pub fn decide(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    one: ContactId,
    other: ContactId,
    state: &str,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(DECIDE, values![workspace, one.min(other), one.max(other), state, by, now])? == 1)
}

const BEST: &str = "SELECT id, a_id, b_id, source, bits, level, evidence, state, made_at, decided_by, decided_at FROM contact_suggestion WHERE workspace_id = $1 AND state = 'open' AND bits IS NOT NULL AND (bits, id) < ($2, $3) ORDER BY bits DESC, id DESC LIMIT $4";
/// Open pairs with a weight, best first, below the position `(bits, id)`.
pub fn best(tx: &mut dyn Conn, workspace: WorkspaceId, below: (i64, i64), limit: i64) -> Result<Vec<Suggestion>, StoreError> {
    Ok(tx.rows(BEST, values![workspace, below.0, below.1, limit])?.iter().map(read).collect())
}

const FIND: &str = "SELECT id, a_id, b_id, source, bits, level, evidence, state, made_at, decided_by, decided_at FROM contact_suggestion WHERE workspace_id = $1 AND a_id = $2 AND b_id = $3";
/// The row of a pair.
pub fn find(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    one: ContactId,
    other: ContactId,
) -> Result<Option<Suggestion>, StoreError> {
    Ok(tx.one(FIND, values![workspace, one.min(other), one.max(other)])?.as_ref().map(read))
}

const RENEW: &str = "UPDATE contact_suggestion SET bits = $4, level = $5, evidence = $6, state = $7, made_at = $8 WHERE workspace_id = $1 AND a_id = $2 AND b_id = $3";
/// Stores what is known of a pair now.
pub fn renew(tx: &mut dyn Conn, workspace: WorkspaceId, pair: &Suggestion) -> Result<(), StoreError> {
    let s = pair;
    tx.exec(RENEW, values![workspace, s.a, s.b, s.bits, s.level, s.evidence.to_string(), &s.state, s.made_at])?;
    Ok(())
}
