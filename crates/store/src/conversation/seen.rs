//! Who has seen how far, and who was mentioned.

use crate::conn::{Conn, Counter};
use crate::error::StoreError;
use crate::many;
use crate::values;
use model::{AgentId, ConversationId, EntryId, Timestamp, WorkspaceId};

const SEEN: &str = "INSERT INTO conversation_seen (workspace_id, agent_id, conversation_id, seen_seq) VALUES ($1, $2, $3, $4)
 ON CONFLICT (workspace_id, agent_id, conversation_id) DO UPDATE SET seen_seq = excluded.seen_seq WHERE conversation_seen.seen_seq < excluded.seen_seq";
/// Notes that an agent has seen everything up to `seq`; false when nothing was new.
pub fn mark(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId, id: ConversationId, seq: i64) -> Result<bool, StoreError> {
    Ok(tx.exec(SEEN, values![workspace, agent, id, seq])? == 1)
}

const SEEN_OF: &str = "SELECT conversation_id, seen_seq FROM conversation_seen WHERE workspace_id = $1 AND conversation_id";
/// How far this agent has seen each of these conversations; those never opened are not in the answer.
pub fn of(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    ids: &[ConversationId],
) -> Result<Vec<(ConversationId, i64)>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = many::rows_in(tx, SEEN_OF, " AND agent_id = @1", workspace, &ids, values![agent])?;
    Ok(rows.iter().map(|r| (r.id(0), r.int(1))).collect())
}

const MENTION: &str = "INSERT INTO mention (workspace_id, agent_id, conversation_id, entry_id, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id, agent_id, conversation_id, entry_id) DO NOTHING";
/// Notes that an agent was named in an entry.
pub fn mention(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    id: ConversationId,
    entry: EntryId,
    at: Timestamp,
) -> Result<(), StoreError> {
    if tx.exec(MENTION, values![workspace, agent, id, entry, at])? == 1 {
        tx.count(Counter { workspace, kind: "agent.mentions", subject_id: agent.0 }, 1);
    }
    Ok(())
}

const MENTION_DONE: &str =
    "UPDATE mention SET done_at = $4 WHERE workspace_id = $1 AND agent_id = $2 AND conversation_id = $3 AND done_at IS NULL";
/// Ends the open mentions of an agent in a conversation; answers with how many.
pub fn mentions_done(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    id: ConversationId,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let done = tx.exec(MENTION_DONE, values![workspace, agent, id, now])?;
    if done > 0 {
        tx.count(Counter { workspace, kind: "agent.mentions", subject_id: agent.0 }, -i64::try_from(done).unwrap_or(0));
    }
    Ok(done)
}

const MENTIONED: &str = "SELECT at, conversation_id FROM mention WHERE workspace_id = $1 AND agent_id = $2 AND done_at IS NULL AND (at, conversation_id) < ($3, $4) ORDER BY at DESC, conversation_id DESC LIMIT $5";
/// Conversations with an open mention of this agent, latest first, with the position of each.
pub fn mentioned(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    below: (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, ConversationId)>, StoreError> {
    Ok(tx.rows(MENTIONED, values![workspace, agent, below.0, below.1, limit])?.iter().map(|r| (r.int(0), r.id(1))).collect())
}

const MENTIONED_OF: &str = "SELECT conversation_id FROM mention WHERE workspace_id = $1 AND conversation_id";
/// Which of these conversations have an open mention of this agent.
pub fn mentioned_of(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    ids: &[ConversationId],
) -> Result<Vec<ConversationId>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = many::rows_in(tx, MENTIONED_OF, " AND agent_id = @1 AND done_at IS NULL", workspace, &ids, values![agent])?;
    Ok(rows.iter().map(|r| r.id(0)).collect())
}

const MENTIONS_IN: &str = "SELECT entry_id FROM mention WHERE workspace_id = $1 AND agent_id = $2 AND conversation_id = $3";
const MOVE_MENTION: &str = "UPDATE mention SET conversation_id = $5 WHERE workspace_id = $1 AND agent_id = $2 AND conversation_id = $3 AND entry_id = $4";
/// Lets the mentions of an agent in these entries follow them to another conversation.
pub fn move_mentions(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    from: ConversationId,
    to: ConversationId,
    ids: &[EntryId],
) -> Result<(), StoreError> {
    for row in tx.rows(MENTIONS_IN, values![workspace, agent, from])? {
        let entry: EntryId = row.id(0);
        if ids.contains(&entry) {
            tx.exec(MOVE_MENTION, values![workspace, agent, from, entry, to])?;
        }
    }
    Ok(())
}
