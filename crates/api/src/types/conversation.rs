//! Conversations as lists and headers show them.

use desk::view::counts;
use desk::view::rows::Row;
use model::{
    AgentId, AuthorKind, Channel, ContactId, ConversationId, Direction, EntryKind, InboxId, Priority, Status, TagId, TeamId,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A contact in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactName {
    /// The live contact.
    pub id: ContactId,
    /// As shown.
    pub name: String,
}

/// The last entry in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// What it is.
    pub kind: EntryKind,
    /// Which way it went.
    pub direction: Direction,
    /// Who wrote it.
    pub author_kind: AuthorKind,
    /// Under which name.
    pub author_name: String,
    /// One line.
    pub text: String,
    /// How many files it carries.
    pub attachments: i64,
}

/// One row of a list, as one agent sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConversationRow {
    /// Its id.
    pub id: ConversationId,
    /// `#4812` on screen.
    pub number: i64,
    /// Whose it is.
    pub contact: ContactName,
    /// Subject, if it has one.
    pub subject: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// When a snooze ends.
    pub snoozed_until: Option<Timestamp>,
    /// How urgent.
    pub priority: Priority,
    /// Marked as spam.
    pub spam: bool,
    /// Of the last customer entry.
    pub channel: Channel,
    /// Of the last customer entry.
    pub inbox_id: InboxId,
    /// Assignee.
    pub agent_id: Option<AgentId>,
    /// Team.
    pub team_id: Option<TeamId>,
    /// Tags in the order they were put on.
    pub tag_ids: Vec<TagId>,
    /// Number of its last change.
    pub seq: i64,
    /// Number of the last customer entry.
    pub customer_seq: i64,
    /// Customer entries since an agent last looked.
    pub unread_count: i64,
    /// With something that I have not seen.
    pub unread: bool,
    /// I was named and have not answered.
    pub mentioned: bool,
    /// What lists sort by.
    pub last_activity_at: Timestamp,
    /// Oldest unanswered customer entry.
    pub waiting_since: Option<Timestamp>,
    /// Next deadline.
    pub next_due_at: Option<Timestamp>,
    /// The last entry in short.
    pub preview: Option<Preview>,
    /// I have an unsent text here.
    pub draft: bool,
    /// The conversation that took its entries.
    pub merged_into: Option<ConversationId>,
}

impl From<&Row> for ConversationRow {
    fn from(row: &Row) -> Self {
        let c = &row.conversation;
        let preview = c.preview.as_ref().and_then(|preview| {
            Some(Preview {
                kind: EntryKind::parse(&preview.kind)?,
                direction: Direction::parse(&preview.direction)?,
                author_kind: AuthorKind::parse(&preview.author_kind)?,
                author_name: preview.author_name.clone(),
                text: preview.text.clone(),
                attachments: preview.attachments,
            })
        });
        Self {
            id: c.id,
            number: c.number,
            contact: ContactName { id: row.contact_id, name: row.contact_name.clone() },
            subject: c.subject.clone(),
            status: c.status,
            snoozed_until: c.snoozed_until,
            priority: c.priority,
            spam: c.spam,
            channel: c.channel,
            inbox_id: c.inbox_id,
            agent_id: c.agent_id,
            team_id: c.team_id,
            tag_ids: row.tag_ids.clone(),
            seq: c.seq,
            customer_seq: c.customer_seq,
            unread_count: c.unread_count,
            unread: row.mine.unread,
            mentioned: row.mine.mentioned,
            last_activity_at: c.last_activity_at,
            waiting_since: c.waiting_since,
            next_due_at: c.next_due_at,
            preview,
            draft: row.mine.draft,
            merged_into: c.merged_into,
        }
    }
}

/// How many rows a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Total {
    /// This many.
    pub n: i64,
    /// Or more.
    pub capped: bool,
}

/// A filter that was not understood; the rest still works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueryProblem {
    /// The piece as it was typed.
    pub token: String,
    /// What is accepted instead.
    pub text: String,
}

impl From<desk::view::Problem> for QueryProblem {
    fn from(problem: desk::view::Problem) -> Self {
        Self { token: problem.token, text: problem.text }
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConversationPage {
    /// The rows.
    pub items: Vec<ConversationRow>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// How many there are in all.
    pub total: Total,
    /// The state that this page shows.
    pub change_seq: i64,
    /// What of the query was not understood.
    pub problems: Vec<QueryProblem>,
}

impl From<desk::view::ListPage> for ConversationPage {
    fn from(page: desk::view::ListPage) -> Self {
        Self {
            items: page.rows.iter().map(ConversationRow::from).collect(),
            next_cursor: page.next.map(super::cursor::write),
            total: Total { n: page.total.0, capped: page.total.1 },
            change_seq: page.change_seq,
            problems: page.problems.into_iter().map(QueryProblem::from).collect(),
        }
    }
}

/// A view with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ViewCount {
    /// `mine`, `unassigned` .. or `team:<id>` or `view:<id>`.
    pub key: String,
    /// Name of a team or saved view.
    pub name: Option<String>,
    /// Conversations in it.
    pub count: i64,
    /// Or more.
    pub capped: bool,
    /// Of these, with something unread.
    pub unread: i64,
}

impl From<counts::ViewCount> for ViewCount {
    fn from(count: counts::ViewCount) -> Self {
        Self { key: count.key.to_string(), name: count.name, count: count.count, capped: count.capped, unread: count.unread }
    }
}
