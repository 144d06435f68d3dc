//! Drafts: the unsent text of one agent in one conversation, one for the reply and one for the note. The version tells
//! whether somebody (the same agent in another window) wrote in between.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::many;
use crate::row::Row;
use crate::setting::word;
use crate::values;
use model::{AgentId, AttachmentId, ConversationId, DraftId, DraftMode, InboxId, Timestamp, WorkspaceId};

/// An unsent text.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its id.
    pub id: DraftId,
    /// Where it will go.
    pub conversation_id: ConversationId,
    /// Who writes.
    pub agent_id: AgentId,
    /// Reply or note.
    pub mode: DraftMode,
    /// The inbox that was chosen to send from.
    pub inbox_id: Option<InboxId>,
    /// The text.
    pub text: String,
    /// Uploaded files that wait with it.
    pub attachment_ids: Vec<AttachmentId>,
    /// Grows with each save; 1 is the first.
    pub version: i64,
    /// When it was last saved.
    pub updated_at: Timestamp,
    /// Receivers, subject and HTML, where it will be a mail.
    pub mail: Option<serde_json::Value>,
}

const FIND: &str = "SELECT id, conversation_id, agent_id, mode, inbox_id, text, attachments, version, updated_at, mail FROM draft \
     WHERE workspace_id = $1 AND agent_id = $2 AND conversation_id = $3 AND mode = $4";
const LIST_IN: &str = "SELECT id, conversation_id, agent_id, mode, inbox_id, text, attachments, version, updated_at, mail FROM draft \
     WHERE workspace_id = $1 AND agent_id = $2 AND conversation_id = $3 ORDER BY mode, id";
const LIST: &str = "SELECT id, conversation_id, agent_id, mode, inbox_id, text, attachments, version, updated_at, mail FROM draft \
     WHERE workspace_id = $1 AND agent_id = $2 ORDER BY updated_at DESC, id DESC LIMIT 500";
const ADD: &str = "INSERT INTO draft (workspace_id, id, conversation_id, agent_id, mode, inbox_id, text, attachments, version, \
     updated_at, mail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10) ON CONFLICT (workspace_id, agent_id, conversation_id, mode) DO NOTHING";
const CHANGE: &str = "UPDATE draft SET inbox_id = $4, text = $5, attachments = $6, version = version + 1, updated_at = $7, mail = $8 \
     WHERE workspace_id = $1 AND id = $2 AND version = $3";
const DELETE: &str = "DELETE FROM draft WHERE workspace_id = $1 AND agent_id = $2 AND conversation_id = $3 AND mode = $4";

fn of_row(row: &Row) -> Result<Draft, StoreError> {
    Ok(Draft {
        id: row.id(0),
        conversation_id: row.id(1),
        agent_id: row.id(2),
        mode: word(DraftMode::parse(row.str(3)), "draft.mode")?,
        inbox_id: row.opt_id(4),
        text: row.text(5),
        attachment_ids: serde_json::from_str(row.str(6)).unwrap_or_default(),
        version: row.int(7),
        updated_at: row.at(8),
        mail: row.opt_text(9).map(|json| crate::setting::json(&json)).filter(|json| !json.is_null()),
    })
}

/// The draft of an agent in a conversation.
pub fn find(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    conversation: ConversationId,
    mode: DraftMode,
) -> Result<Option<Draft>, StoreError> {
    tx.one(FIND, values![workspace, agent, conversation, mode.word()])?.map(|row| of_row(&row)).transpose()
}

/// Both drafts of an agent in a conversation.
pub fn list_in(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    conversation: ConversationId,
) -> Result<Vec<Draft>, StoreError> {
    tx.rows(LIST_IN, values![workspace, agent, conversation])?.iter().map(of_row).collect()
}

/// The drafts of an agent, newest first, at most 500.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId) -> Result<Vec<Draft>, StoreError> {
    tx.rows(LIST, values![workspace, agent])?.iter().map(of_row).collect()
}

const IN_CONVERSATIONS: &str = "SELECT conversation_id FROM draft WHERE workspace_id = $1 AND conversation_id";
/// Which of these conversations hold an unsent text or file of an agent.
pub fn in_conversations(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    ids: &[ConversationId],
) -> Result<Vec<ConversationId>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = many::rows_in(
        tx,
        IN_CONVERSATIONS,
        " AND agent_id = @1 AND (text <> '' OR attachments <> '[]')",
        workspace,
        &ids,
        values![agent],
    )?;
    Ok(rows.iter().map(|row| row.id(0)).collect())
}

/// Stores a draft. `draft.version` is the one last seen (0: none); false when the row has another by now, nothing is
/// changed then. The id inside `draft` is looked at only when the version is not 0.
pub fn put(tx: &mut dyn Conn, workspace: WorkspaceId, draft: &Draft) -> Result<bool, StoreError> {
    let files = serde_json::to_string(&draft.attachment_ids).unwrap_or_else(|_| "[]".to_owned());
    let mail = draft.mail.as_ref().map(ToString::to_string);
    let n = if draft.version == 0 {
        let id = DraftId(tx.id());
        tx.exec(
            ADD,
            values![
                workspace,
                id,
                draft.conversation_id,
                draft.agent_id,
                draft.mode.word(),
                draft.inbox_id,
                &draft.text,
                files,
                draft.updated_at,
                mail
            ],
        )?
    } else {
        let values = values![workspace, draft.id, draft.version, draft.inbox_id, &draft.text, files, draft.updated_at, mail];
        tx.exec(CHANGE, values)?
    };
    Ok(n == 1)
}

/// Deletes a draft; true when there was one.
pub fn delete(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    conversation: ConversationId,
    mode: DraftMode,
) -> Result<bool, StoreError> {
    Ok(tx.exec(DELETE, values![workspace, agent, conversation, mode.word()])? == 1)
}

const MOVE: &str = "UPDATE draft SET conversation_id = $4 WHERE workspace_id = $1 AND agent_id = $2 AND conversation_id = $3 \
     AND NOT EXISTS (SELECT 1 FROM draft AS there WHERE there.workspace_id = $1 AND there.agent_id = $2 \
     AND there.conversation_id = $4 AND there.mode = draft.mode)";
/// Lets the unsent text of an agent follow a merged conversation, unless they have begun one there as well.
pub fn follow(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    from: ConversationId,
    to: ConversationId,
) -> Result<(), StoreError> {
    tx.exec(MOVE, values![workspace, agent, from, to])?;
    Ok(())
}
