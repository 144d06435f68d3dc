//! The bulk loader: writes many finished conversations at once, for history from elsewhere and for benches. Statements take
//! up to 64 rows each, which saves PostgreSQL a round trip per row.
//!
//! What is loaded is *imported*: a whole conversation is **one change**. Its `seq` is 1, all its entries carry 1, and the
//! event log holds one row for it (`conversation.imported`, with the ids of the entries, by which the search index finds
//! them) and one per contact. So the numbers are gap-free from the start, the next change takes 2, and a million
//! conversations do not bring ten million events that no clock and no figure would ever read (`imported` is left out of both).

use crate::conn::{Conn, Event};
use crate::contact::Contact;
use crate::contact_point::PointKey;
use crate::conversation::Conversation;
use crate::dialect::interned;
use crate::entry::Entry;
use crate::error::StoreError;
use crate::value::Value;
use crate::{contact, conversation, entry};
use model::{Actor, ContactId, ContactPointId, ParticipantRole, Timestamp, WorkspaceId};
use serde_json::json;

/// Rows per statement: what is left over goes in smaller ones.
const SIZES: [usize; 3] = [64, 8, 1];

/// A contact point that nobody has yet, and its owner.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPoint {
    /// Its id.
    pub id: ContactPointId,
    /// What makes it unique.
    pub key: PointKey,
    /// As shown.
    pub raw: String,
    /// Who holds it.
    pub owner: ContactId,
    /// How well that is proven.
    pub proof_level: i64,
    /// First and last use.
    pub seen: (Timestamp, Timestamp),
}

/// What one transaction loads. Every id is new and made by the caller (`Db::ids`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// New, live contacts of version 1.
    pub contacts: Vec<Contact>,
    /// Their addresses.
    pub points: Vec<NewPoint>,
    /// Imported conversations of `seq` 1, each with its entries in order.
    pub conversations: Vec<(Conversation, Vec<Entry>)>,
}

const POINT: &str = "INSERT INTO contact_point (workspace_id, id, kind, scope, match_key, raw, shared, health, seen_at) VALUES ($1, $2, $3, $4, $5, $6, FALSE, 'ok', $7)";
const OWNER: &str = "INSERT INTO contact_point_owner (workspace_id, contact_point_id, contact_id, proof_level, evidence, source, first_seen_at, last_seen_at) VALUES ($1, $2, $3, $4, 'import', 'import', $5, $6)";
const PARTICIPANT: &str = "INSERT INTO participant (workspace_id, id, conversation_id, contact_id, contact_point_id, role, joined_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// Writes a batch with its counters and events. Refuses what would break a rule that nobody checks later.
pub fn load(tx: &mut dyn Conn, workspace: WorkspaceId, batch: &Batch, now: Timestamp) -> Result<(), StoreError> {
    check(batch)?;
    insert(tx, contact::INSERT, batch.contacts.iter().map(|c| contact::row_values(workspace, c)).collect())?;
    for c in &batch.contacts {
        log(
            tx,
            workspace,
            c.id.0,
            "contact.created",
            c.first_seen_at,
            Actor::Contact(c.id),
            json!({"contact": c.id, "imported": true}),
        );
    }
    insert(tx, POINT, batch.points.iter().map(|p| point_values(workspace, p)).collect())?;
    insert(tx, OWNER, batch.points.iter().map(|p| owner_values(workspace, p)).collect())?;
    insert(tx, conversation::INSERT, batch.conversations.iter().map(|(c, _)| conversation::row_values(workspace, c)).collect())?;
    let mut rows = Vec::new();
    let mut parts = Vec::new();
    for (c, entries) in &batch.conversations {
        conversation::count(tx, workspace, c);
        for e in entries {
            rows.push(entry::row_values(workspace, e)?);
        }
        if let Some(point) = entries.iter().find_map(|e| e.contact_point_id) {
            let id = tx.id();
            let role = ParticipantRole::Customer.word();
            parts.push(vec![
                workspace.into(),
                id.into(),
                c.id.into(),
                c.contact_id.into(),
                point.into(),
                role.into(),
                c.created_at.into(),
            ]);
        }
        let ids: Vec<_> = entries.iter().map(|e| e.id).collect();
        let payload = json!({"contact": c.contact_id, "inbox": c.inbox_id, "number": c.number, "entries": ids});
        log(tx, workspace, c.id.0, "conversation.imported", now, Actor::System, payload);
    }
    insert(tx, entry::INSERT, rows)?;
    insert(tx, PARTICIPANT, parts)
}

fn log(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    stream: i64,
    kind: &'static str,
    at: Timestamp,
    actor: Actor,
    payload: serde_json::Value,
) {
    tx.log(Event { workspace, stream_id: Some(stream), seq: Some(1), kind, at, actor, cause_id: None, payload });
}

fn check(batch: &Batch) -> Result<(), StoreError> {
    let broken = |text: &str| Err(StoreError::broken(format!("the loader was given {text}")));
    if batch.contacts.iter().any(|c| c.version != 1 || c.live_id != c.id || c.merged_into.is_some()) {
        return broken("a contact that is not new");
    }
    for (c, entries) in &batch.conversations {
        let last = entries.iter().filter(|e| e.kind != model::EntryKind::Event).max_by_key(|e| (e.at, e.id));
        let shown = c.preview.as_ref().and_then(|p| p.entry_id);
        if !c.imported || c.seq != 1 || c.customer_seq > 1 || c.public_seq > 1 {
            return broken("a conversation that is not one imported change");
        }
        if entries.iter().any(|e| e.conversation_id != c.id || e.seq != 1 || !e.imported) {
            return broken("an entry that does not belong to its conversation");
        }
        if last.map(|e| e.id) != shown || last.is_some_and(|e| e.at > c.last_activity_at) {
            return broken("a preview that is not the last entry");
        }
    }
    Ok(())
}

fn point_values(workspace: WorkspaceId, p: &NewPoint) -> Vec<Value> {
    let (scope, key) = (p.key.scope.as_str(), p.key.match_key.as_str());
    vec![
        workspace.into(),
        p.id.into(),
        p.key.kind.word().into(),
        scope.into(),
        key.into(),
        p.raw.as_str().into(),
        p.seen.1.into(),
    ]
}

fn owner_values(workspace: WorkspaceId, p: &NewPoint) -> Vec<Value> {
    vec![workspace.into(), p.id.into(), p.owner.into(), p.proof_level.into(), p.seen.0.into(), p.seen.1.into()]
}

/// Inserts rows of one table by as few statements as there can be.
fn insert(tx: &mut dyn Conn, one_row: &'static str, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    let mut rest = rows.as_slice();
    while let Some(first) = rest.first() {
        let size = SIZES.into_iter().find(|size| *size <= rest.len()).unwrap_or(1);
        let (now, later) = rest.split_at(size);
        let done = match size {
            1 => tx.exec(one_row, first)?,
            _ => tx.exec(many_rows(one_row, size, first.len())?, &now.concat())?,
        };
        if usize::try_from(done).ok() != Some(size) {
            return Err(StoreError::broken("the loader wrote fewer rows than it was given"));
        }
        rest = later;
    }
    Ok(())
}

/// The text of `one_row` with its list of values repeated.
fn many_rows(one_row: &str, size: usize, column_count: usize) -> Result<&'static str, StoreError> {
    let (head, list) = one_row.split_once("VALUES ").ok_or_else(|| StoreError::broken("an INSERT without a list of values"))?;
    let mut sql = String::with_capacity(head.len() + size * (list.len() + column_count * 2));
    sql.push_str(head);
    sql.push_str("VALUES ");
    for row in 0..size {
        if row > 0 {
            sql.push_str(", ");
        }
        let mut rest = list;
        while let Some((before, after)) = rest.split_once('$') {
            let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let number: usize = after[..digits].parse().map_err(|_| StoreError::broken("a placeholder without a number"))?;
            sql.push_str(before);
            sql.push_str(&format!("${}", number + row * column_count));
            rest = &after[digits..];
        }
        sql.push_str(rest);
    }
    interned(sql)
}

#[cfg(test)]
mod tests {
    use super::many_rows;

    #[test]
    fn the_list_of_values_is_repeated_with_its_own_numbers() {
        let text = many_rows("INSERT INTO t (a, b, c, d) VALUES ($1, $2, 'x', $3)", 2, 3).unwrap();
        assert_eq!(text, "INSERT INTO t (a, b, c, d) VALUES ($1, $2, 'x', $3), ($4, $5, 'x', $6)");
    }
}
