//! Conversations: labels over the entries of a contact's timeline. The row also holds what lists show, so that a list needs
//! one index walk. `save` keeps the counters of inboxes, agents and teams true by comparing before and after.

pub mod list;
pub mod recount;
pub mod seen;

use crate::conn::{Conn, Counter};
use crate::error::StoreError;
use crate::many::{self, word};
use crate::row::Row;
use crate::value::Value;
use crate::values;
use model::{AgentId, Channel, ContactId, ConversationId, EntryId, InboxId, Priority, Status, TeamId, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};

/// What a list cuts by: made from status, spam and merge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Folder {
    /// Somebody should answer.
    Open,
    /// Waits for the customer or a third party.
    Waiting,
    /// Put away until later.
    Snoozed,
    /// Resolved or closed.
    Closed,
    /// Marked as spam.
    Spam,
    /// Merged into another conversation: in no list.
    Merged,
}

impl Folder {
    /// Every folder.
    pub const ALL: [Self; 6] = [Self::Open, Self::Waiting, Self::Snoozed, Self::Closed, Self::Spam, Self::Merged];
    /// The word in the column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Snoozed => "snoozed",
            Self::Closed => "closed",
            Self::Spam => "spam",
            Self::Merged => "merged",
        }
    }
}

/// The last entry in short, kept on the conversation for lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The entry.
    pub entry_id: Option<EntryId>,
    /// Word of `EntryKind`.
    pub kind: String,
    /// Word of `Direction`.
    pub direction: String,
    /// Word of `AuthorKind`.
    pub author_kind: String,
    /// As shown.
    pub author_name: String,
    /// At most 200 characters, one line.
    pub text: String,
    /// How many files it carries.
    pub attachments: i64,
}

/// One conversation row.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// `#4812` on screen; never a key.
    pub number: i64,
    /// The contact as it was written: follow its pointer.
    pub contact_id: ContactId,
    /// Inbox of the last customer entry.
    pub inbox_id: InboxId,
    /// Channel of the last customer entry.
    pub channel: Channel,
    /// Channel it began on.
    pub first_channel: Channel,
    /// Assignee.
    pub agent_id: Option<AgentId>,
    /// Team.
    pub team_id: Option<TeamId>,
    /// Where it stands.
    pub status: Status,
    /// What "not spam" restores.
    pub status_before_spam: Option<Status>,
    /// Spam is a flag, not a status.
    pub spam: bool,
    /// History from elsewhere: no clocks, no figures.
    pub imported: bool,
    /// Urgency.
    pub priority: Priority,
    /// Subject, if any channel of it has one.
    pub subject: Option<String>,
    /// When a snooze ends.
    pub snoozed_until: Option<Timestamp>,
    /// Last resolve.
    pub resolved_at: Option<Timestamp>,
    /// Oldest unanswered customer entry.
    pub waiting_since: Option<Timestamp>,
    /// Last number given to a change.
    pub seq: i64,
    /// Number of the last customer entry.
    pub customer_seq: i64,
    /// Number of the last entry that the customer may see.
    pub public_seq: i64,
    /// Customer entries since an agent last looked.
    pub unread_count: i64,
    /// Last entry in short.
    pub preview: Option<Preview>,
    /// The conversation that took its entries.
    pub merged_into: Option<ConversationId>,
    /// The locked conversation that it follows.
    pub follow_up_of: Option<ConversationId>,
    /// When it began here.
    pub created_at: Timestamp,
    /// Last entry or change that lists sort by.
    pub last_activity_at: Timestamp,
    /// Last customer entry.
    pub customer_at: Option<Timestamp>,
    /// Next deadline of a clock.
    pub next_due_at: Option<Timestamp>,
    /// Number of stored changes of the row.
    pub version: i64,
    /// Every channel that it has used, as words; an inbox of the open channel that declares none counts by itself.
    pub channels: Vec<String>,
    /// Order numbers named in it, folded.
    pub orders: Vec<String>,
    /// Conversations that are shown beside it.
    pub related: Vec<ConversationId>,
}

impl Conversation {
    /// The folder that the columns make.
    pub fn folder(&self) -> Folder {
        if self.merged_into.is_some() {
            return Folder::Merged;
        }
        if self.spam {
            return Folder::Spam;
        }
        match self.status {
            Status::Open => Folder::Open,
            Status::Pending | Status::OnHold => Folder::Waiting,
            Status::Snoozed => Folder::Snoozed,
            Status::Resolved | Status::Closed => Folder::Closed,
        }
    }

    /// The counters that this row stands in.
    fn counters(&self) -> Vec<(&'static str, i64)> {
        counters_of(self.folder(), self.inbox_id.0, self.agent_id.map(|a| a.0), self.team_id.map(|t| t.0), self.unread_count > 0)
    }
}

/// The counters that a conversation with these columns stands in, as (kind, subject).
fn counters_of(folder: Folder, inbox: i64, agent: Option<i64>, team: Option<i64>, unread: bool) -> Vec<(&'static str, i64)> {
    let mut of = Vec::with_capacity(6);
    match folder {
        Folder::Open => {
            of.push(("inbox.open", inbox));
            if unread {
                of.push(("inbox.unread", inbox));
            }
            let (count, count_unread) = match agent {
                Some(agent) => (("agent.open", agent), ("agent.unread", agent)),
                None => (("inbox.unassigned", inbox), ("inbox.unassigned_unread", inbox)),
            };
            of.push(count);
            if unread {
                of.push(count_unread);
            }
            of.extend(team.map(|team| ("team.open", team)));
        }
        Folder::Waiting => of.push(("inbox.waiting", inbox)),
        Folder::Snoozed => of.push(("inbox.snoozed", inbox)),
        Folder::Closed => of.push(("inbox.closed", inbox)),
        Folder::Spam => of.push(("inbox.spam", inbox)),
        Folder::Merged => {}
    }
    of
}

// One list of columns for every SELECT and RETURNING; `read` follows it.
macro_rules! columns {
    () => {
        "id, number, contact_id, inbox_id, channel, first_channel, agent_id, team_id, status, status_before_spam, spam, imported, priority, subject, snoozed_until, resolved_at, waiting_since, seq, customer_seq, public_seq, unread_count, preview, merged_into, follow_up_of, created_at, last_activity_at, customer_at, next_due_at, version, channels, orders, related"
    };
}
pub(crate) use columns;

pub(crate) fn read(row: &Row) -> Conversation {
    Conversation {
        id: row.id(0),
        number: row.int(1),
        contact_id: row.id(2),
        inbox_id: row.id(3),
        channel: word(row, 4, Channel::parse),
        first_channel: word(row, 5, Channel::parse),
        agent_id: row.opt_id(6),
        team_id: row.opt_id(7),
        status: word(row, 8, Status::parse),
        status_before_spam: row.opt_str(9).and_then(Status::parse),
        spam: row.bool(10),
        imported: row.bool(11),
        priority: word(row, 12, Priority::parse),
        subject: row.opt_text(13),
        snoozed_until: row.opt_at(14),
        resolved_at: row.opt_at(15),
        waiting_since: row.opt_at(16),
        seq: row.int(17),
        customer_seq: row.int(18),
        public_seq: row.int(19),
        unread_count: row.int(20),
        preview: serde_json::from_str(row.str(21)).unwrap_or_default(),
        merged_into: row.opt_id(22),
        follow_up_of: row.opt_id(23),
        created_at: row.at(24),
        last_activity_at: row.at(25),
        customer_at: row.opt_at(26),
        next_due_at: row.opt_at(27),
        version: row.int(28),
        channels: channels_of(row),
        orders: words_of(row.str(30)),
        related: row.opt_str(31).map(related_of).unwrap_or_default(),
    }
}

fn words_of(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn related_of(text: &str) -> Vec<ConversationId> {
    text.split_whitespace().filter_map(|id| ConversationId::parse(id).ok()).collect()
}

/// Rows of older versions know only the first and the last channel.
fn channels_of(row: &Row) -> Vec<String> {
    let mut all = words_of(row.str(29));
    if all.is_empty() {
        all = vec![row.text(4), row.text(5)];
        all.dedup();
    }
    all
}

fn related_text(related: &[ConversationId]) -> Option<String> {
    (!related.is_empty()).then(|| related.iter().map(ConversationId::to_string).collect::<Vec<_>>().join(" "))
}

fn preview_json(preview: &Option<Preview>) -> String {
    serde_json::to_string(preview).unwrap_or_else(|_| "null".to_owned())
}

pub(crate) const INSERT: &str = "INSERT INTO conversation (workspace_id, id, number, contact_id, inbox_id, channel, first_channel, agent_id, team_id, status, status_before_spam, folder, spam, imported, priority, subject, snoozed_until, resolved_at, waiting_since, seq, customer_seq, public_seq, unread_count, preview, merged_into, follow_up_of, created_at, last_activity_at, customer_at, next_due_at, version, channels, orders, related)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)";
/// Writes a new conversation and counts it.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, conversation: &Conversation) -> Result<(), StoreError> {
    tx.exec(INSERT, &row_values(workspace, conversation))?;
    count(tx, workspace, conversation);
    Ok(())
}

/// Counts a new row.
pub(crate) fn count(tx: &mut dyn Conn, workspace: WorkspaceId, conversation: &Conversation) {
    for (kind, subject_id) in conversation.counters() {
        tx.count(Counter { workspace, kind, subject_id }, 1);
    }
}

/// The values of INSERT.
pub(crate) fn row_values(workspace: WorkspaceId, c: &Conversation) -> Vec<Value> {
    vec![
        workspace.into(),
        c.id.into(),
        c.number.into(),
        c.contact_id.into(),
        c.inbox_id.into(),
        c.channel.word().into(),
        c.first_channel.word().into(),
        c.agent_id.into(),
        c.team_id.into(),
        c.status.word().into(),
        c.status_before_spam.map(Status::word).into(),
        c.folder().word().into(),
        c.spam.into(),
        c.imported.into(),
        c.priority.word().into(),
        c.subject.clone().into(),
        c.snoozed_until.into(),
        c.resolved_at.into(),
        c.waiting_since.into(),
        c.seq.into(),
        c.customer_seq.into(),
        c.public_seq.into(),
        c.unread_count.into(),
        preview_json(&c.preview).into(),
        c.merged_into.into(),
        c.follow_up_of.into(),
        c.created_at.into(),
        c.last_activity_at.into(),
        c.customer_at.into(),
        c.next_due_at.into(),
        c.version.into(),
        c.channels.join(" ").into(),
        c.orders.join(" ").into(),
        related_text(&c.related).into(),
    ]
}

const FIND: &str = concat!("SELECT ", columns!(), " FROM conversation WHERE workspace_id = $1 AND id = $2");
/// One conversation, without a lock.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

const LOCK: &str =
    concat!("UPDATE conversation SET version = version + 1 WHERE workspace_id = $1 AND id = $2 RETURNING ", columns!());
/// One conversation with its row lock taken: what every change begins with.
pub fn lock(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Conversation, StoreError> {
    tx.one(LOCK, values![workspace, id])?.as_ref().map(read).ok_or(StoreError::NotFound)
}

const SAVE: &str = "UPDATE conversation SET contact_id = $3, inbox_id = $4, channel = $5, agent_id = $6, team_id = $7, status = $8, status_before_spam = $9, folder = $10, spam = $11, priority = $12, subject = $13, snoozed_until = $14, resolved_at = $15, waiting_since = $16, seq = $17, customer_seq = $18, public_seq = $19, unread_count = $20, preview = $21, merged_into = $22, last_activity_at = $23, customer_at = $24, next_due_at = $25, channels = $26, orders = $27, related = $28, imported = $29, created_at = $30
 WHERE workspace_id = $1 AND id = $2";
/// Stores a changed conversation. `before` is the row as `lock` gave it: the counters move by the difference.
pub fn save(tx: &mut dyn Conn, workspace: WorkspaceId, before: &Conversation, after: &Conversation) -> Result<(), StoreError> {
    debug_assert!(before.id == after.id && after.seq >= before.seq, "a change of one conversation, forwards");
    let c = after;
    let rows = tx.exec(
        SAVE,
        values![
            workspace,
            c.id,
            c.contact_id,
            c.inbox_id,
            c.channel.word(),
            c.agent_id,
            c.team_id,
            c.status.word(),
            c.status_before_spam.map(Status::word),
            c.folder().word(),
            c.spam,
            c.priority.word(),
            c.subject.clone(),
            c.snoozed_until,
            c.resolved_at,
            c.waiting_since,
            c.seq,
            c.customer_seq,
            c.public_seq,
            c.unread_count,
            preview_json(&c.preview),
            c.merged_into,
            c.last_activity_at,
            c.customer_at,
            c.next_due_at,
            c.channels.join(" "),
            c.orders.join(" "),
            related_text(&c.related),
            c.imported,
            c.created_at
        ],
    )?;
    if rows != 1 {
        return Err(StoreError::NotFound);
    }
    let (old, new) = (before.counters(), after.counters());
    for (kind, subject_id) in old.iter().filter(|c| !new.contains(c)) {
        tx.count(Counter { workspace, kind, subject_id: *subject_id }, -1);
    }
    for (kind, subject_id) in new.iter().filter(|c| !old.contains(c)) {
        tx.count(Counter { workspace, kind, subject_id: *subject_id }, 1);
    }
    Ok(())
}

const LIST_OF: &str = concat!("SELECT ", columns!(), " FROM conversation WHERE workspace_id = $1 AND id");
/// The conversations of these ids, in no order.
pub fn list_of(tx: &mut dyn Conn, workspace: WorkspaceId, ids: &[ConversationId]) -> Result<Vec<Conversation>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    Ok(many::rows_in(tx, LIST_OF, "", workspace, &ids, &[])?.iter().map(read).collect())
}

const OF_CONTACTS: &str = concat!("SELECT ", columns!(), " FROM conversation WHERE workspace_id = $1 AND contact_id");
/// Every conversation of these contacts, latest activity first, at most `limit` per 500 contacts.
pub fn of_contacts(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contacts: &[ContactId],
    limit: i64,
) -> Result<Vec<Conversation>, StoreError> {
    let ids: Vec<i64> = contacts.iter().map(|id| id.0).collect();
    let tail = " ORDER BY last_activity_at DESC, id DESC LIMIT @1";
    Ok(many::rows_in(tx, OF_CONTACTS, tail, workspace, &ids, values![limit])?.iter().map(read).collect())
}

const OF_LIVE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM conversation WHERE workspace_id = $1 AND contact_id IN (SELECT id FROM contact WHERE workspace_id = $1 AND live_id = $2) ORDER BY last_activity_at DESC, id DESC LIMIT $3"
);
/// The conversations of a live contact and of those merged into it, latest activity first.
pub fn of_live_contact(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    live: ContactId,
    limit: i64,
) -> Result<Vec<Conversation>, StoreError> {
    Ok(tx.rows(OF_LIVE, values![workspace, live, limit])?.iter().map(read).collect())
}

const NUMBER: &str = "SELECT id FROM conversation WHERE workspace_id = $1 AND number = $2";
/// The conversation behind `#4812`.
pub fn by_number(tx: &mut dyn Conn, workspace: WorkspaceId, number: i64) -> Result<Option<ConversationId>, StoreError> {
    Ok(tx.one(NUMBER, values![workspace, number])?.map(|r| r.id(0)))
}

const DELETE_TAG: &str = "DELETE FROM conversation_tag WHERE workspace_id = $1 AND conversation_id = $2 AND tag_id = $3";
const INSERT_TAG: &str = "INSERT INTO conversation_tag (workspace_id, conversation_id, tag_id, tagged_at) VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, conversation_id, tag_id) DO NOTHING";
/// Puts a tag on; false when it was there.
pub fn add_tag(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    tag: model::TagId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(INSERT_TAG, values![workspace, id, tag, now])? == 1)
}
/// Takes a tag off; false when it was not there.
pub fn remove_tag(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId, tag: model::TagId) -> Result<bool, StoreError> {
    Ok(tx.exec(DELETE_TAG, values![workspace, id, tag])? == 1)
}

const TAGS_OF: &str = "SELECT conversation_id, tag_id FROM conversation_tag WHERE workspace_id = $1 AND conversation_id";
/// The tags of these conversations.
pub fn tags_of(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    ids: &[ConversationId],
) -> Result<Vec<(ConversationId, model::TagId)>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = many::rows_in(tx, TAGS_OF, " ORDER BY tagged_at, tag_id", workspace, &ids, &[])?;
    Ok(rows.iter().map(|r| (r.id(0), r.id(1))).collect())
}

// PostgreSQL cannot type a bare parameter of a SELECT list, hence the casts.
const JOIN: &str = "INSERT INTO participant (workspace_id, id, conversation_id, contact_id, contact_point_id, role, joined_at)
 SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS TEXT), CAST($7 AS BIGINT)
  WHERE NOT EXISTS (SELECT 1 FROM participant WHERE workspace_id = $1 AND conversation_id = $3 AND contact_point_id = $5)";
/// Lets a contact point take part; false when it does already. The caller holds the conversation's lock.
pub fn join(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    contact: ContactId,
    point: model::ContactPointId,
    role: model::ParticipantRole,
    now: Timestamp,
) -> Result<bool, StoreError> {
    join_point(tx, workspace, id, Some(contact), point, role, now)
}

const MERGED_HERE: &str =
    "SELECT id FROM conversation WHERE workspace_id = $1 AND merged_into = $2 AND merged_into IS NOT NULL ORDER BY id LIMIT 100";
/// The conversations that were merged into this one, directly.
pub fn merged_here(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Vec<ConversationId>, StoreError> {
    Ok(tx.rows(MERGED_HERE, values![workspace, id])?.iter().map(|row| row.id(0)).collect())
}

/// The same for an address that may belong to nobody we know.
pub fn join_point(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    contact: Option<ContactId>,
    point: model::ContactPointId,
    role: model::ParticipantRole,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let row = tx.id();
    Ok(tx.exec(JOIN, values![workspace, row, id, contact, point, role.word(), now])? == 1)
}

const TAKES_PART: &str =
    "SELECT p.role FROM participant AS p JOIN contact AS c ON c.workspace_id = p.workspace_id AND c.id = p.contact_id
 WHERE p.workspace_id = $1 AND p.conversation_id = $2 AND c.live_id = $3 ORDER BY p.id";
/// The roles in which a live contact takes part in a conversation, beside being its customer.
pub fn roles_of(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    live: ContactId,
) -> Result<Vec<model::ParticipantRole>, StoreError> {
    Ok(tx.rows(TAKES_PART, values![workspace, id, live])?.iter().map(|r| word(r, 0, model::ParticipantRole::parse)).collect())
}

/// A person who takes part.
#[derive(Clone, Debug, PartialEq)]
pub struct Participant {
    /// Its id.
    pub id: model::ParticipantId,
    /// The contact, when known.
    pub contact_id: Option<ContactId>,
    /// The address used.
    pub contact_point_id: Option<model::ContactPointId>,
    /// customer, copied, outside.
    pub role: model::ParticipantRole,
    /// Since when.
    pub joined_at: Timestamp,
}

const PARTICIPANTS: &str = "SELECT id, contact_id, contact_point_id, role, joined_at FROM participant WHERE workspace_id = $1 AND conversation_id = $2 ORDER BY id";
/// Who takes part in a conversation.
pub fn participants(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Vec<Participant>, StoreError> {
    let read = |r: &Row| Participant {
        id: r.id(0),
        contact_id: r.opt_id(1),
        contact_point_id: r.opt_id(2),
        role: word(r, 3, model::ParticipantRole::parse),
        joined_at: r.at(4),
    };
    Ok(tx.rows(PARTICIPANTS, values![workspace, id])?.iter().map(read).collect())
}

const TAKE_NUMBERS: &str = "INSERT INTO counter (workspace_id, kind, subject_id, n) VALUES ($1, 'conversation_number', 0, $2)
 ON CONFLICT (workspace_id, kind, subject_id) DO UPDATE SET n = counter.n + excluded.n RETURNING n";
/// Reserves `count` conversation numbers and answers with the last of them. A small write of its own: never inside the
/// transaction that uses a number, or the counter row would serialise all new conversations.
pub fn reserve_numbers(tx: &mut dyn Conn, workspace: WorkspaceId, count: i64) -> Result<i64, StoreError> {
    Ok(tx.one(TAKE_NUMBERS, values![workspace, count])?.ok_or(StoreError::NotFound)?.int(0))
}
