//! Lists of conversations: each is one index walk, cut by folder and by one of inbox, agent, team or "nobody has it".
//! Everything else is filtered by the caller, who walks in chunks and keeps the position of the last row it saw.

use super::{Conversation, Folder, columns, read};
use crate::conn::Conn;
use crate::error::StoreError;
use crate::value::Value;
use crate::values;
use model::{AgentId, InboxId, TeamId, WorkspaceId};

/// Which index a list walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The whole workspace.
    All,
    /// Of one inbox.
    Inbox(InboxId),
    /// Of one agent.
    Agent(AgentId),
    /// Of one team.
    Team(TeamId),
    /// Of nobody.
    Unassigned,
}

/// The end of the list that a walk begins at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Latest activity first.
    Newest,
    /// Longest untouched first.
    Oldest,
}

/// A place in a list: `(last_activity_at, id)` of the last row that was seen.
pub type Position = (i64, i64);

impl Order {
    /// The place before the first row.
    pub fn start(self) -> Position {
        match self {
            Self::Newest => (i64::MAX, i64::MAX),
            Self::Oldest => (i64::MIN, i64::MIN),
        }
    }
}

macro_rules! walk {
    ($cut:literal, $compare:literal, $way:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM conversation WHERE workspace_id = $1 AND folder = $2 ",
            $cut,
            " AND (last_activity_at, id) ",
            $compare,
            " ($3, $4) ORDER BY last_activity_at ",
            $way,
            ", id ",
            $way,
            " LIMIT $5"
        )
    };
}
const ALL_NEWEST: &str = walk!("", "<", "DESC");
const ALL_OLDEST: &str = walk!("", ">", "ASC");
const INBOX_NEWEST: &str = walk!("AND inbox_id = $6", "<", "DESC");
const INBOX_OLDEST: &str = walk!("AND inbox_id = $6", ">", "ASC");
const AGENT_NEWEST: &str = walk!("AND agent_id IS NOT NULL AND agent_id = $6", "<", "DESC");
const AGENT_OLDEST: &str = walk!("AND agent_id IS NOT NULL AND agent_id = $6", ">", "ASC");
const TEAM_NEWEST: &str = walk!("AND team_id IS NOT NULL AND team_id = $6", "<", "DESC");
const TEAM_OLDEST: &str = walk!("AND team_id IS NOT NULL AND team_id = $6", ">", "ASC");
const UNASSIGNED_NEWEST: &str = walk!("AND agent_id IS NULL", "<", "DESC");
const UNASSIGNED_OLDEST: &str = walk!("AND agent_id IS NULL", ">", "ASC");

/// Every text of this file, for the test that looks at their query plans.
pub const WALKS: [&str; 10] = [
    ALL_NEWEST,
    ALL_OLDEST,
    INBOX_NEWEST,
    INBOX_OLDEST,
    AGENT_NEWEST,
    AGENT_OLDEST,
    TEAM_NEWEST,
    TEAM_OLDEST,
    UNASSIGNED_NEWEST,
    UNASSIGNED_OLDEST,
];

/// The next `limit` conversations of one folder after a position.
pub fn walk(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    folder: Folder,
    cut: Cut,
    order: Order,
    after: Position,
    limit: i64,
) -> Result<Vec<Conversation>, StoreError> {
    let (newest, oldest, subject) = match cut {
        Cut::All => (ALL_NEWEST, ALL_OLDEST, None),
        Cut::Inbox(id) => (INBOX_NEWEST, INBOX_OLDEST, Some(id.0)),
        Cut::Agent(id) => (AGENT_NEWEST, AGENT_OLDEST, Some(id.0)),
        Cut::Team(id) => (TEAM_NEWEST, TEAM_OLDEST, Some(id.0)),
        Cut::Unassigned => (UNASSIGNED_NEWEST, UNASSIGNED_OLDEST, None),
    };
    let sql = if order == Order::Newest { newest } else { oldest };
    let mut bound = values![workspace, folder.word(), after.0, after.1, limit].to_vec();
    bound.extend(subject.map(Value::Int));
    Ok(tx.rows(sql, &bound)?.iter().map(read).collect())
}

/// Several folders as one list: walks each and merges.
pub fn walk_folders(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    folders: &[Folder],
    cut: Cut,
    order: Order,
    after: Position,
    limit: i64,
) -> Result<Vec<Conversation>, StoreError> {
    let mut all = Vec::new();
    for folder in folders {
        all.extend(walk(tx, workspace, *folder, cut, order, after, limit)?);
    }
    let key = |c: &Conversation| (c.last_activity_at.0, c.id.0);
    match order {
        Order::Newest => all.sort_by_key(|c| std::cmp::Reverse(key(c))),
        Order::Oldest => all.sort_by_key(key),
    }
    all.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(all)
}

const RESOLVED: &str = "SELECT id FROM conversation WHERE workspace_id = $1 AND status = 'resolved' AND resolved_at < $2 ORDER BY resolved_at, id LIMIT $3";
/// Conversations that were resolved before a time and are not locked yet, oldest first.
pub fn resolved_before(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    before: model::Timestamp,
    limit: i64,
) -> Result<Vec<model::ConversationId>, StoreError> {
    Ok(tx.rows(RESOLVED, values![workspace, before, limit])?.iter().map(|r| r.id(0)).collect())
}
