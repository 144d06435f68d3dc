//! What browser and server say to each other, as docs/API-DESIGN.md section Widget has it.
//!
//! Reading is strict: a frame that is too large, not JSON, of an unknown kind, with an unknown field or beyond a limit
//! is refused with a stable code that names the client's own message, so that the visitor sees which one it was.

mod begin;
mod server;

pub use begin::{Begin, Page};
pub use server::{
    Begun, BegunConversation, BegunVerified, ByeCode, ItemFrom, ItemState, RefusedCode, ServerFrame, ServerFrames, WidgetAgent,
    WidgetConfig, WidgetEvent, WidgetFile, WidgetItem,
};

use crate::settings::WebchatSettings;
use begin::cut;
use model::{AttachmentId, ConversationId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Largest frame; a socket closes above it.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Longest text of one message, in characters.
pub const TEXT_CHARS_MAX: usize = 10_000;
/// Most files of one message, whatever the site allows.
pub const FILE_COUNT_MAX: usize = 20;
/// Most answers of a form, and most claimed values.
pub const FIELD_COUNT_MAX: usize = 20;
/// Longest key of an answer.
pub const KEY_CHARS_MAX: usize = 64;
/// Longest answer.
pub const VALUE_CHARS_MAX: usize = 1_000;
/// Longest address of a page; longer ones are cut, since sites put whole states there.
pub const URL_CHARS_MAX: usize = 2_000;
/// Longest title of a page; longer ones are cut.
pub const TITLE_CHARS_MAX: usize = 300;
/// Most frames in one POST of the fall-back.
pub const FRAMES_PER_POST_MAX: usize = 32;

/// A frame of the browser.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// First on every socket; again after a gap. Everything after `since_seq` is sent again.
    Hello {
        /// Visitor token.
        token: String,
        /// The conversation the client knows.
        conversation: Option<ConversationId>,
        /// How far it knows it.
        since_seq: i64,
    },
    /// The visitor writes.
    Message(MessageFrame),
    /// Is writing, or stopped.
    Typing {
        /// Writing.
        on: bool,
    },
    /// Has seen everything up to here.
    Read {
        /// `seq` of the conversation.
        up_to_seq: i64,
    },
    /// Has received everything up to here.
    Delivered {
        /// `seq` of the conversation.
        up_to_seq: i64,
    },
    /// The page said something unsigned.
    Claim {
        /// What.
        values: BTreeMap<String, String>,
    },
    /// The visitor left an address.
    Email {
        /// The address.
        address: String,
        /// May the answer go there?
        may_mail: bool,
    },
    /// The visitor went to another page.
    Page {
        /// Its address.
        url: String,
        /// Its title.
        title: String,
    },
    /// Are you there?
    Ping,
}

impl std::fmt::Debug for ClientFrame {
    // Texts, addresses and tokens never enter a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientFrame({})", self.word())
    }
}

/// What the visitor writes.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageFrame {
    /// 8 to 64 of `A-Za-z0-9_-`, unique per visitor: what makes sending exactly-once.
    pub client_msg_id: String,
    /// Plain text.
    pub text: String,
    /// Files uploaded before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_ids: Option<Vec<AttachmentId>>,
    /// Answers of the pre-chat form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<BTreeMap<String, String>>,
    /// Where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// Why a frame was not taken; becomes `ServerFrame::Refused`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {detail}")]
pub struct FrameError {
    /// Stable code.
    pub code: RefusedCode,
    /// The client's own id, when it could be read.
    pub client_msg_id: Option<String>,
    /// For the developer of a client: which rule, never the content.
    pub detail: String,
    /// The limit that was passed.
    pub max: Option<u64>,
    /// Seconds to wait.
    pub retry_after: Option<u32>,
}

impl FrameError {
    /// A refusal with a code.
    pub fn new(code: RefusedCode, detail: impl Into<String>) -> Self {
        Self { code, client_msg_id: None, detail: detail.into(), max: None, retry_after: None }
    }
    /// Not a frame of this grammar.
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(RefusedCode::BadFrame, detail)
    }
    /// Too fast: come back after so many milliseconds.
    pub fn rate_limited(wait_ms: i64) -> Self {
        let seconds = u32::try_from((wait_ms.max(1) + 999) / 1_000).unwrap_or(u32::MAX);
        Self { retry_after: Some(seconds), ..Self::new(RefusedCode::RateLimited, "too many messages") }
    }
    fn beyond(code: RefusedCode, max: usize, detail: &str) -> Self {
        Self { max: Some(max as u64), ..Self::new(code, detail) }
    }
    /// The refusal of a known message.
    pub fn of(self, client_msg_id: Option<String>) -> Self {
        Self { client_msg_id, ..self }
    }
    /// What the browser is told.
    pub fn into_frame(self) -> ServerFrame {
        let mut args = serde_json::Map::new();
        if let Some(max) = self.max {
            args.insert("max".to_owned(), max.into());
        }
        if self.code == RefusedCode::BadFrame {
            args.insert("detail".to_owned(), self.detail.into());
        }
        ServerFrame::Refused {
            client_msg_id: self.client_msg_id,
            code: self.code,
            args: (!args.is_empty()).then_some(serde_json::Value::Object(args)),
            retry_after: self.retry_after,
        }
    }
}

/// Is this a well-formed id of a client's message?
pub fn is_client_msg_id(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Could mail be sent to this text? Only rules out what is no address at all; the mail adapter knows the rest.
pub fn looks_like_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let fits = !local.is_empty() && local.len() <= 64 && text.len() <= 254 && domain.len() >= 3;
    let clean =
        !text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | '"' | '\\'));
    fits && clean
        && !local.contains('@')
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty() && label.len() <= 63)
}

impl ClientFrame {
    /// Reads one frame and holds it against the grammar's own limits. Never panics, whatever the bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, FrameError> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(FrameError::beyond(RefusedCode::BadFrame, FRAME_BYTES_MAX, "the frame is too large"));
        }
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|_| FrameError::bad("not JSON"))?;
        Self::from_value(value)
    }

    /// The same for a frame inside a larger JSON body.
    pub fn from_value(value: serde_json::Value) -> Result<Self, FrameError> {
        let client_msg_id =
            value.get("client_msg_id").and_then(|id| id.as_str()).filter(|id| is_client_msg_id(id)).map(str::to_owned);
        if !value.is_object() {
            return Err(FrameError::bad("not a JSON object"));
        }
        let mut frame: Self = serde_json::from_value(value)
            .map_err(|_| FrameError::bad("unknown kind, or not its fields").of(client_msg_id.clone()))?;
        frame.check_grammar().map_err(|error| error.of(client_msg_id))?;
        Ok(frame)
    }

    /// The word in `kind`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Message(_) => "message",
            Self::Typing { .. } => "typing",
            Self::Read { .. } => "read",
            Self::Delivered { .. } => "delivered",
            Self::Claim { .. } => "claim",
            Self::Email { .. } => "email",
            Self::Page { .. } => "page",
            Self::Ping => "ping",
        }
    }

    /// Is it stored as an event? The others end in the api crate (socket business) or on the bus (typing, page).
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Message(_) | Self::Read { .. } | Self::Delivered { .. } | Self::Claim { .. } | Self::Email { .. })
    }

    /// The client's own id, on messages.
    pub fn client_msg_id(&self) -> Option<&str> {
        match self {
            Self::Message(message) => Some(&message.client_msg_id),
            _ => None,
        }
    }

    /// Holds the frame against what this site allows.
    pub fn check(&self, settings: &WebchatSettings) -> Result<(), FrameError> {
        let Self::Message(message) = self else { return Ok(()) };
        let files = message.file_ids.as_ref().map_or(0, Vec::len);
        let files_max = if settings.attachments.enabled { settings.attachments.count_max as usize } else { 0 };
        if files > files_max {
            return Err(FrameError::beyond(RefusedCode::TooManyFiles, files_max, "more files than the site allows")
                .of(Some(message.client_msg_id.clone())));
        }
        Ok(())
    }

    fn check_grammar(&mut self) -> Result<(), FrameError> {
        match self {
            Self::Hello { token, since_seq, .. } => {
                if token.len() > 4_096 || *since_seq < 0 {
                    return Err(FrameError::bad("hello with a position below 0 or a token that is too long"));
                }
            }
            Self::Message(message) => message.check_grammar()?,
            Self::Read { up_to_seq } | Self::Delivered { up_to_seq } => {
                if *up_to_seq < 0 {
                    return Err(FrameError::bad("a position below 0"));
                }
            }
            Self::Claim { values } => check_fields(values, "values")?,
            Self::Email { address, .. } => {
                if !looks_like_email(address) {
                    return Err(FrameError::bad("not a mail address"));
                }
            }
            Self::Page { url, title } => {
                cut(url, URL_CHARS_MAX);
                cut(title, TITLE_CHARS_MAX);
            }
            Self::Typing { .. } | Self::Ping => {}
        }
        Ok(())
    }
}

impl MessageFrame {
    fn check_grammar(&mut self) -> Result<(), FrameError> {
        if !is_client_msg_id(&self.client_msg_id) {
            return Err(FrameError::bad("client_msg_id must be 8 to 64 of A-Z a-z 0-9 _ -"));
        }
        if self.text.chars().count() > TEXT_CHARS_MAX {
            return Err(FrameError::beyond(RefusedCode::TooLong, TEXT_CHARS_MAX, "the text is too long"));
        }
        let files = self.file_ids.as_ref().map_or(0, Vec::len);
        if files > FILE_COUNT_MAX {
            return Err(FrameError::beyond(RefusedCode::TooManyFiles, FILE_COUNT_MAX, "too many files"));
        }
        if files == 0 && self.text.chars().all(is_blank) {
            return Err(FrameError::new(RefusedCode::Empty, "neither text nor files"));
        }
        if let Some(form) = &self.form {
            check_fields(form, "form")?;
        }
        if let Some(page) = &mut self.page {
            page.cut();
        }
        Ok(())
    }
}

// White space, and characters that take no place on screen: a message of these alone shows nothing.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

fn check_fields(fields: &BTreeMap<String, String>, name: &str) -> Result<(), FrameError> {
    if fields.len() > FIELD_COUNT_MAX {
        return Err(FrameError::beyond(RefusedCode::BadFrame, FIELD_COUNT_MAX, &format!("{name} has too many fields")));
    }
    for (key, value) in fields {
        if key.is_empty() || key.chars().count() > KEY_CHARS_MAX {
            return Err(FrameError::beyond(
                RefusedCode::BadFrame,
                KEY_CHARS_MAX,
                &format!("a key of {name} is empty or too long"),
            ));
        }
        if value.chars().count() > VALUE_CHARS_MAX {
            return Err(FrameError::beyond(RefusedCode::BadFrame, VALUE_CHARS_MAX, &format!("a value of {name} is too long")));
        }
    }
    Ok(())
}

/// The body of `POST /w/:site/frames`: each frame is read by itself, so that a bad one does not take the others along.
pub fn parse_post(body: &[u8]) -> Result<Vec<Result<ClientFrame, FrameError>>, FrameError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Post {
        frames: Vec<serde_json::Value>,
    }
    if body.len() > FRAME_BYTES_MAX {
        return Err(FrameError::beyond(RefusedCode::BadFrame, FRAME_BYTES_MAX, "the request is too large"));
    }
    let post: Post = serde_json::from_slice(body).map_err(|_| FrameError::bad("expected {\"frames\": [..]}"))?;
    if post.frames.len() > FRAMES_PER_POST_MAX {
        return Err(FrameError::beyond(RefusedCode::BadFrame, FRAMES_PER_POST_MAX, "too many frames"));
    }
    Ok(post.frames.into_iter().map(ClientFrame::from_value).collect())
}

/// The request of `POST /w/:site/frames`, for the document of the API; `parse_post` is what reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClientFrames {
    /// At most 32.
    pub frames: Vec<ClientFrame>,
}

#[cfg(test)]
mod tests;
