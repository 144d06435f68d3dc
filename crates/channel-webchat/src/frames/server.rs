//! What the server says: frames, and the answer to `Begin` with everything in it.

use crate::settings::{Attachments, Corner, PreChat, Theme};
use model::hours::Hours;
use model::words::{Channel, Status};
use model::{AttachmentId, ConversationId, EntryId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer to `Begin`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Begun {
    /// Keep it; it replaces the old one.
    pub visitor_token: String,
    /// Who the visitor is to us.
    pub visitor_id: String,
    /// What the site proved about them.
    pub verified: Option<BegunVerified>,
    /// The conversation that goes on.
    pub conversation: Option<BegunConversation>,
    /// The last 50.
    pub items: Vec<WidgetItem>,
    /// Cursor of what is older.
    pub before: Option<String>,
    /// Answers not read yet.
    pub unread: u32,
    /// How the widget looks and what it offers.
    pub config: WidgetConfig,
}

/// What the site proved about a visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BegunVerified {
    /// 2 by keyed hash, 3 by signed token.
    pub level: u8,
    /// Name from the signed token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The conversation that goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BegunConversation {
    /// Its id.
    pub id: ConversationId,
    /// How far it is.
    pub seq: i64,
    /// Where it stands.
    pub status: Status,
    /// Who answers.
    pub agent_name: Option<String>,
}

/// How the widget looks and what it offers; public.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WidgetConfig {
    /// Slug of the inbox.
    pub site: String,
    /// Headline.
    pub title: String,
    /// Name of the business.
    pub business: String,
    /// First words.
    pub greeting: String,
    /// `#rrggbb`.
    pub colour: String,
    /// Side of the page.
    pub corner: Corner,
    /// Roundness in pixels.
    pub radius: u8,
    /// Light or dark.
    pub theme: Theme,
    /// Language, resolved for this visitor.
    pub locale: String,
    /// Somebody is available and it is open.
    pub online: bool,
    /// It is open.
    pub open_now: bool,
    /// When it opens next.
    pub next_open_at: Option<Timestamp>,
    /// Published hours.
    pub hours: Option<Hours>,
    /// How long an answer takes, when shown.
    pub expected_wait_ms: Option<i64>,
    /// At most three.
    pub agents: Vec<WidgetAgent>,
    /// Words while nobody is there.
    pub away_text: String,
    /// Form before the first message.
    pub pre_chat: PreChat,
    /// Ask for an address while nobody is there.
    pub ask_email_when_away: bool,
    /// Words to agree to.
    pub consent_text: Option<String>,
    /// File limits.
    pub attachments: Attachments,
    /// Only signed-in customers may write.
    pub identity_required: bool,
    /// Longest text, in characters.
    pub text_max: u32,
}

/// Somebody who answers, as visitors see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WidgetAgent {
    /// First name or full name.
    pub name: String,
}

/// A file as the widget sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WidgetFile {
    /// Attachment.
    pub id: AttachmentId,
    /// Name.
    pub name: String,
    /// Sniffed media type.
    pub mime: String,
    /// Size.
    pub bytes: i64,
    /// Signed, expiring.
    pub url: String,
}

/// One line of the visitor's chat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WidgetItem {
    /// Entry.
    pub id: EntryId,
    /// Position in the conversation's log; grows when the entry changes.
    pub seq: i64,
    /// Who wrote it.
    pub from: ItemFrom,
    /// Their name.
    pub name: Option<String>,
    /// Shown when it is not web chat.
    pub channel: Channel,
    /// Plain text.
    pub text: String,
    /// Files in order.
    pub files: Vec<WidgetFile>,
    /// When.
    pub at: Timestamp,
    /// The visitor's own id of the message.
    pub client_msg_id: Option<String>,
    /// Of the visitor's own messages.
    pub state: Option<ItemState>,
    /// What happened, on event lines.
    pub event: Option<WidgetEvent>,
    /// Taken back or erased.
    pub removed: bool,
}

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WidgetItemFrom)]
pub enum ItemFrom {
    /// The visitor.
    Me,
    /// A person of the business.
    Agent,
    /// An automatic answerer.
    Bot,
    /// The product.
    System,
}

/// How far a visitor's own message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WidgetItemState)]
pub enum ItemState {
    /// Stored.
    Sent,
    /// An agent has seen it.
    Read,
}

/// What an event line tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WidgetEvent {
    /// Stable code.
    pub code: String,
    /// Values for the sentence.
    pub args: serde_json::Value,
}

/// Why a frame was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusedCode {
    /// The text has too many characters.
    TooLong,
    /// More files than the site allows.
    TooManyFiles,
    /// A file that is not this visitor's, or no longer there.
    UnknownFile,
    /// Too fast.
    RateLimited,
    /// Not a frame of this grammar.
    BadFrame,
    /// The visitor is banned.
    Banned,
    /// Nothing in it.
    Empty,
    /// Send again later.
    Busy,
}

/// Why a socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ByeCode {
    /// The visitor is banned.
    Banned,
    /// The token does not count any more: begin again.
    BadToken,
    /// A newer socket of the same visitor took over.
    Superseded,
    /// The server stops: reconnect.
    Shutdown,
}

/// A frame of the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to hello.
    Welcome {
        /// The conversation that goes on.
        conversation: Option<ConversationId>,
        /// How far it is.
        seq: i64,
        /// Our clock.
        server_time: Timestamp,
        /// Somebody is there.
        online: bool,
    },
    /// Stored and committed; it becomes an item even if this connection dies. A repeat is acknowledged again.
    Ack {
        /// Which one.
        client_msg_id: String,
    },
    /// Not taken.
    Refused {
        /// Which one, when it said so.
        client_msg_id: Option<String>,
        /// Why.
        code: RefusedCode,
        /// Values for the sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        args: Option<serde_json::Value>,
        /// Seconds to wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after: Option<u32>,
    },
    /// News. Apply when `prev` is at most my position, else say hello again.
    Frame {
        /// Of this conversation.
        conversation: ConversationId,
        /// After this position.
        prev: i64,
        /// Up to this one.
        upto: i64,
        /// What a visitor may see of it.
        items: Vec<WidgetItem>,
    },
    /// Somebody is writing, or stopped.
    Typing {
        /// Who.
        name: Option<String>,
        /// Writing.
        on: bool,
    },
    /// Who is there.
    Availability {
        /// Somebody is available and it is open.
        online: bool,
        /// It is open.
        open_now: bool,
        /// When it opens next.
        next_open_at: Option<Timestamp>,
        /// How long an answer takes, when shown.
        expected_wait_ms: Option<i64>,
        /// At most three.
        agents: Vec<WidgetAgent>,
    },
    /// The first message made a conversation.
    Conversation {
        /// Its id.
        id: ConversationId,
        /// 0.
        seq: i64,
    },
    /// Say hello again from the beginning.
    Resync,
    /// I am here.
    Pong,
    /// The socket closes.
    Bye {
        /// Why.
        code: ByeCode,
    },
}

/// The answer to `POST /w/:site/frames`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServerFrames {
    /// In the order of the questions.
    pub frames: Vec<ServerFrame>,
}
