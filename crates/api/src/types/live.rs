//! What travels over an agent's socket, and `GET /changes`.

use super::conversation::{ConversationRow, ViewCount};
use super::entry::Entry;
use model::{AgentId, ContactId, ConversationId, DraftMode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "made, written out and dropped; never kept in number")]
pub enum LiveItem {
    /// A conversation as it is now.
    Conversation {
        /// The row.
        conversation: ConversationRow,
    },
    /// An entry as it is now.
    Entry {
        /// The entry.
        entry: Entry,
    },
    /// A conversation that I may no longer see.
    Gone {
        /// Which.
        conversation_id: ConversationId,
    },
    /// A customer changed: read it again.
    Contact {
        /// Which.
        contact_id: ContactId,
    },
    /// Numbers beside the views.
    Views {
        /// All that have counters.
        items: Vec<ViewCount>,
    },
    /// One of my drafts changed.
    Draft {
        /// Where.
        conversation_id: ConversationId,
        /// Which.
        mode: DraftMode,
    },
    /// People or teams changed: read them again.
    Agents,
    /// Inboxes changed.
    Inboxes,
    /// Tags changed.
    Tags,
    /// The workspace changed.
    Workspace,
}

/// What an agent is doing in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// Looks at it.
    Viewing,
    /// Writes to the customer.
    TypingReply,
    /// Writes a note.
    TypingNote,
}

/// An agent in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AgentPresence {
    /// Who.
    pub agent_id: AgentId,
    /// Doing what.
    pub doing: Doing,
}

/// The customer of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustomerPresence {
    /// Is writing.
    pub typing: bool,
    /// Has the widget open.
    pub online: bool,
}

/// Who is here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Presence {
    /// Agents.
    pub agents: Vec<AgentPresence>,
    /// The customer.
    pub customer: CustomerPresence,
}

/// A frame of the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LiveServerFrame {
    /// The answer to hello.
    Welcome {
        /// The head of the log.
        change_seq: i64,
        /// Who I am.
        agent_id: AgentId,
        /// Of this build.
        server_version: String,
    },
    /// News. Apply when `prev` is at most my position.
    Frame {
        /// After this.
        prev: i64,
        /// Up to this.
        upto: i64,
        /// What of it I may see.
        items: Vec<LiveItem>,
    },
    /// Who is in a conversation now.
    Presence {
        /// Which.
        conversation_id: ConversationId,
        /// Agents.
        agents: Vec<AgentPresence>,
        /// The customer.
        customer: CustomerPresence,
    },
    /// Read everything again.
    Resync,
    /// I am here.
    Pong,
}

/// A frame of the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LiveClientFrame {
    /// First on every socket.
    Hello {
        /// My position; none: I will read everything.
        #[serde(default)]
        change_seq: Option<i64>,
    },
    /// Every 5 s and at each change.
    Beat {
        /// Where I am.
        #[serde(default)]
        conversation_id: Option<ConversationId>,
        /// What I do there.
        #[serde(default)]
        doing: Option<Doing>,
    },
    /// Are you there?
    Ping,
}

/// Changes after a position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChangesPage {
    /// After this.
    pub prev: i64,
    /// Up to this.
    pub upto: i64,
    /// What of it I may see.
    pub items: Vec<LiveItem>,
    /// There is more after `upto`.
    pub more: bool,
}
