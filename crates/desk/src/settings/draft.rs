//! Drafts: the unsent text of one agent in one conversation. They survive reload and restart, and two windows of one
//! agent do not overwrite each other: each save names the version that it has seen.

use super::news;
use crate::people::Invalid;
use crate::{Desk, Who};
use model::fold::clean;
use model::{Actor, AttachmentId, ConversationId, DraftId, DraftMode, InboxId, Timestamp};
use serde_json::json;
use store::attachment::Attachment;
use store::draft::Draft;
use store::{Conn, Route, StoreError, draft};

const TEXT_CHARS_MAX: usize = 200_000;
const ATTACHMENTS_COUNT_MAX: usize = 50;
/// Typing saves every second; other windows need to hear of it much less often, and each time costs a row of the log.
const TELL_EVERY_MS: i64 = 10_000;

/// A text to be kept.
#[derive(Debug, Clone)]
pub struct NewDraft {
    /// Where it will go.
    pub conversation: ConversationId,
    /// Reply or note.
    pub mode: DraftMode,
    /// The text.
    pub text: String,
    /// Uploaded files that wait with it.
    pub attachment_ids: Vec<AttachmentId>,
    /// The inbox that was chosen.
    pub inbox_id: Option<InboxId>,
    /// Receivers, subject and HTML, where it will be a mail: kept as the composer gave it.
    pub mail: Option<serde_json::Value>,
    /// The version last seen, 0 for none.
    pub version: i64,
}

/// Longest JSON of a draft's mail side.
pub const MAIL_BYTES_MAX: usize = 1024 * 1024;

/// Why a draft was not kept.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// There is no such conversation.
    #[error("not found")]
    NotFound,
    /// A field.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Another window wrote in between; this is what stands there now (`None`: it was sent or thrown away).
    #[error("another window changed this draft")]
    Conflict(Option<Box<Draft>>),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The agent's drafts, newest first.
pub async fn list(desk: &Desk, who: &Who) -> Result<Vec<Draft>, StoreError> {
    let (workspace, agent) = (who.workspace, who.agent);
    desk.db.read(move |tx| draft::list(tx, workspace, agent)).await
}

/// The rows of all files of these drafts.
pub async fn files(desk: &Desk, who: &Who, drafts: &[Draft]) -> Result<Vec<Attachment>, StoreError> {
    let (workspace, ids) = (who.workspace, drafts.iter().flat_map(|draft| draft.attachment_ids.clone()).collect::<Vec<_>>());
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    desk.db.read(move |tx| store::attachment::list(tx, workspace, &ids)).await
}

/// Keeps a draft.
pub async fn put(desk: &Desk, who: &Who, mut new: NewDraft) -> Result<Draft, DraftError> {
    new.text = clean(&new.text);
    if new.text.chars().count() > TEXT_CHARS_MAX {
        return Err(Invalid::new("text", format!("at most {TEXT_CHARS_MAX} characters")).into());
    }
    if new.attachment_ids.len() > ATTACHMENTS_COUNT_MAX {
        return Err(Invalid::new("attachment_ids", format!("at most {ATTACHMENTS_COUNT_MAX} files")).into());
    }
    if new.mail.as_ref().is_some_and(|mail| !mail.is_object() || mail.to_string().len() > MAIL_BYTES_MAX) {
        return Err(Invalid::new("mail", "an object of at most 1 MiB").into());
    }
    let (now, who) = (desk.now(), who.clone());
    desk.db.write(Route::Conversation(new.conversation), move |tx| put_in(tx, &who, &new, now)).await?
}

fn put_in(tx: &mut dyn Conn, who: &Who, new: &NewDraft, now: Timestamp) -> Result<Result<Draft, DraftError>, StoreError> {
    let workspace = who.workspace;
    // A draft shows nothing of the conversation, so that it exists is enough.
    if store::conversation::find(tx, workspace, new.conversation)?.is_none() {
        return Ok(Err(DraftError::NotFound));
    }
    if let Some(inbox) = new.inbox_id
        && store::inbox::find(tx, workspace, inbox)?.is_none()
    {
        return Ok(Err(Invalid::new("inbox_id", "an inbox that exists").into()));
    }
    let own = Actor::Agent(who.agent).to_string();
    for id in &new.attachment_ids {
        let found = store::attachment::find(tx, workspace, *id)?;
        if found.is_none_or(|file| file.uploader != own || file.entry_id.is_some()) {
            return Ok(Err(Invalid::new("attachment_ids", "files that you uploaded and did not send yet").into()));
        }
    }
    let before = draft::find(tx, workspace, who.agent, new.conversation, new.mode)?;
    if before.as_ref().map_or(0, |before| before.version) != new.version {
        return Ok(Err(DraftError::Conflict(before.map(Box::new))));
    }
    let row = Draft {
        id: before.as_ref().map_or(DraftId(0), |before| before.id),
        conversation_id: new.conversation,
        agent_id: who.agent,
        mode: new.mode,
        inbox_id: new.inbox_id,
        text: new.text.clone(),
        attachment_ids: new.attachment_ids.clone(),
        version: new.version,
        updated_at: now,
        mail: new.mail.clone(),
    };
    if !draft::put(tx, workspace, &row)? {
        let winner = draft::find(tx, workspace, who.agent, new.conversation, new.mode)?;
        return Ok(Err(DraftError::Conflict(winner.map(Box::new))));
    }
    if before.is_none_or(|before| now.since(before.updated_at) >= TELL_EVERY_MS) {
        tell(tx, who, new.conversation, new.mode, now);
    }
    draft::find(tx, workspace, who.agent, new.conversation, new.mode)?.ok_or(StoreError::NotFound).map(Ok)
}

/// Throws a draft away; nothing happens when there is none.
pub async fn remove(desk: &Desk, who: &Who, conversation: ConversationId, mode: DraftMode) -> Result<(), StoreError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Conversation(conversation), move |tx| {
            if draft::delete(tx, who.workspace, who.agent, conversation, mode)? {
                tell(tx, &who, conversation, mode, now);
            }
            Ok::<_, StoreError>(())
        })
        .await
}

fn tell(tx: &mut dyn Conn, who: &Who, conversation: ConversationId, mode: DraftMode, now: Timestamp) {
    let payload = json!({ "agent_id": who.agent, "conversation_id": conversation, "mode": mode });
    tx.log(news(who.workspace, "draft.changed", Actor::Agent(who.agent), now, payload));
}
