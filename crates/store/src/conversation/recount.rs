//! Counters against counts, and numbers without gaps: what `doctor`, the nightly repair and every test ask. Reads everything,
//! so it is never part of a request.

use super::{Folder, counters_of};
use crate::conn::Conn;
use crate::error::StoreError;
use crate::values;
use model::WorkspaceId;
use std::collections::BTreeMap;

/// A counter that does not equal its count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Its kind.
    pub kind: String,
    /// Its subject.
    pub subject_id: i64,
    /// What the counter says.
    pub counter: i64,
    /// What there is.
    pub count: i64,
}

const COUNTS: &str = "SELECT folder, inbox_id, agent_id, team_id, CASE WHEN unread_count > 0 THEN 1 ELSE 0 END, CAST(count(*) AS BIGINT)
  FROM conversation WHERE workspace_id = $1 GROUP BY folder, inbox_id, agent_id, team_id, CASE WHEN unread_count > 0 THEN 1 ELSE 0 END";
const MENTIONS: &str =
    "SELECT agent_id, CAST(count(*) AS BIGINT) FROM mention WHERE workspace_id = $1 AND done_at IS NULL GROUP BY agent_id";
const COUNTERS: &str = "SELECT kind, subject_id, n FROM counter WHERE workspace_id = $1 AND (kind LIKE 'inbox.%' OR kind LIKE 'agent.%' OR kind LIKE 'team.%')";

/// Every counter of conversations that does not equal its count.
pub fn drift(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<Drift>, StoreError> {
    let mut counts: BTreeMap<(String, i64), i64> = BTreeMap::new();
    for row in tx.rows(COUNTS, values![workspace])? {
        let folder = Folder::ALL.into_iter().find(|f| f.word() == row.str(0)).unwrap_or(Folder::Merged);
        for (kind, subject) in counters_of(folder, row.int(1), row.opt_int(2), row.opt_int(3), row.int(4) == 1) {
            *counts.entry((kind.to_owned(), subject)).or_default() += row.int(5);
        }
    }
    for row in tx.rows(MENTIONS, values![workspace])? {
        counts.insert(("agent.mentions".to_owned(), row.int(0)), row.int(1));
    }
    let mut counters: BTreeMap<(String, i64), i64> = BTreeMap::new();
    for row in tx.rows(COUNTERS, values![workspace])? {
        counters.insert((row.text(0), row.int(1)), row.int(2));
    }
    let keys: std::collections::BTreeSet<_> = counts.keys().chain(counters.keys()).cloned().collect();
    let of = |map: &BTreeMap<(String, i64), i64>, key: &(String, i64)| map.get(key).copied().unwrap_or(0);
    Ok(keys
        .into_iter()
        .map(|key| Drift { counter: of(&counters, &key), count: of(&counts, &key), kind: key.0, subject_id: key.1 })
        .filter(|d| d.counter != d.count)
        .collect())
}

const STREAM_GAPS: &str = "SELECT stream_id FROM event_log WHERE workspace_id = $1 AND stream_id IS NOT NULL GROUP BY stream_id HAVING count(*) <> max(seq) OR min(seq) <> 1 LIMIT 20";
const CHANGE_GAP: &str =
    "SELECT CAST(count(*) AS BIGINT), CAST(coalesce(max(change_seq), 0) AS BIGINT) FROM event_log WHERE workspace_id = $1";
const WRONG_SEQ: &str = "SELECT c.id FROM conversation AS c WHERE c.workspace_id = $1 AND c.imported = FALSE
   AND c.seq <> (SELECT coalesce(max(e.seq), 0) FROM event_log AS e WHERE e.workspace_id = c.workspace_id AND e.stream_id = c.id) LIMIT 20";

/// Streams (conversations, contacts) whose numbers have a gap, and 0 when `change_seq` itself has one.
pub fn gaps(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<i64>, StoreError> {
    let mut gaps: Vec<i64> = tx.rows(STREAM_GAPS, values![workspace])?.iter().map(|r| r.int(0)).collect();
    gaps.extend(tx.rows(WRONG_SEQ, values![workspace])?.iter().map(|r| r.int(0)));
    if tx.one(CHANGE_GAP, values![workspace])?.is_some_and(|r| r.int(0) != r.int(1)) {
        gaps.push(0);
    }
    Ok(gaps)
}
