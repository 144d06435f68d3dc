//! Files: an attachment names a blob; a blob row stands for stored bytes, once per content and workspace.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::many;
use crate::row::Row;
use crate::values;
use model::{AttachmentId, BlobId, ConversationId, EntryId, Timestamp, WorkspaceId};

/// One file of an entry, or one that waits for a send.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    /// Its id.
    pub id: AttachmentId,
    /// The entry, once sent.
    pub entry_id: Option<EntryId>,
    /// The conversation that it was uploaded for.
    pub conversation_id: Option<ConversationId>,
    /// Who uploaded it: actor text, or `visitor:<contact point id>`.
    pub uploader: String,
    /// The bytes.
    pub blob_id: BlobId,
    /// Key of the bytes in the blob store.
    pub sha256: String,
    /// Name as shown.
    pub name: String,
    /// Sniffed media type.
    pub mime: String,
    /// Size.
    pub bytes: i64,
}

const SELECT: &str = "SELECT a.id, a.entry_id, a.conversation_id, a.uploader, a.blob_id, b.sha256, a.name, a.mime, a.bytes FROM attachment AS a JOIN blob AS b ON b.workspace_id = a.workspace_id AND b.id = a.blob_id WHERE a.workspace_id = $1 AND a.id";

fn read(row: &Row) -> Attachment {
    Attachment {
        id: row.id(0),
        entry_id: row.opt_id(1),
        conversation_id: row.opt_id(2),
        uploader: row.text(3),
        blob_id: row.id(4),
        sha256: row.text(5),
        name: row.text(6),
        mime: row.text(7),
        bytes: row.int(8),
    }
}

const PUT_BLOB: &str = "INSERT INTO blob (workspace_id, id, sha256, bytes, mime, created_at) VALUES ($1, $2, $3, $4, $5, $6)
 ON CONFLICT (workspace_id, sha256) WHERE deleted_at IS NULL DO UPDATE SET bytes = excluded.bytes RETURNING id";
/// The row of stored bytes, found or made. The bytes must be in the blob store already: object first, row second.
pub fn put_blob(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    sha256: &str,
    bytes: i64,
    mime: &str,
    now: Timestamp,
) -> Result<BlobId, StoreError> {
    let id = tx.id();
    Ok(tx.one(PUT_BLOB, values![workspace, id, sha256, bytes, mime, now])?.ok_or(StoreError::NotFound)?.id(0))
}

const FIND_BLOB: &str = "SELECT sha256, bytes FROM blob WHERE workspace_id = $1 AND id = $2 AND deleted_at IS NULL";
/// Content key and size of a blob.
pub fn find_blob(tx: &mut dyn Conn, workspace: WorkspaceId, id: BlobId) -> Result<Option<(String, i64)>, StoreError> {
    Ok(tx.one(FIND_BLOB, values![workspace, id])?.map(|r| (r.text(0), r.int(1))))
}

const INSERT: &str = "INSERT INTO attachment (workspace_id, id, entry_id, conversation_id, uploader, blob_id, name, mime, bytes, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
/// Writes an attachment.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, attachment: &Attachment, now: Timestamp) -> Result<(), StoreError> {
    let a = attachment;
    tx.exec(
        INSERT,
        values![workspace, a.id, a.entry_id, a.conversation_id, &a.uploader, a.blob_id, &a.name, &a.mime, a.bytes, now],
    )?;
    Ok(())
}

/// The attachments of these ids, in no order.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, ids: &[AttachmentId]) -> Result<Vec<Attachment>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    Ok(many::rows_in(tx, SELECT, "", workspace, &ids, &[])?.iter().map(read).collect())
}

/// One attachment.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: AttachmentId) -> Result<Option<Attachment>, StoreError> {
    Ok(list(tx, workspace, &[id])?.pop())
}

const ATTACH: &str =
    "UPDATE attachment SET entry_id = $3, conversation_id = $4 WHERE workspace_id = $1 AND id = $2 AND entry_id IS NULL";
/// Gives a waiting attachment to its entry; false when it belongs to one already.
pub fn attach(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: AttachmentId,
    entry: EntryId,
    conversation: ConversationId,
) -> Result<bool, StoreError> {
    Ok(tx.exec(ATTACH, values![workspace, id, entry, conversation])? == 1)
}
