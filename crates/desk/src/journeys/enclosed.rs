//! Files that lie inside a raw event (attachments of a mail): cut out and put into the blob store before the transaction that
//! writes the entry, so that it only writes rows. Object first, row second: a crash between them leaves an object that
//! nobody names, which is swept.

use super::message_in::Unreadable;
use crate::context::Desk;
use crate::directory::OpenInbox;
use channel::{EnclosedFile, InboundEvent, InboundMessage, Part, RawEvent};
use model::{AttachmentId, Timestamp, WorkspaceId};
use std::collections::HashMap;
use std::sync::Arc;
use store::attachment::{self, Attachment};
use store::{Conn, StoreError};

const NAME_CHARS_MAX: usize = 200;
/// Files of one message beyond this number are named in it, but only the original holds them.
const COUNT_MAX: usize = 200;

/// A file that is in the blob store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    sha256: String,
    bytes: i64,
    name: String,
    mime: String,
    content_id: Option<String>,
}

/// Stored files by their reference in the event.
pub type Files = HashMap<String, StoredFile>;

fn enclosed(events: &[InboundEvent]) -> Vec<EnclosedFile> {
    let messages = events.iter().filter_map(|event| match event {
        InboundEvent::Message(message) | InboundEvent::Echo(message) | InboundEvent::Edit { message, .. } => Some(message),
        _ => None,
    });
    let files = messages.flat_map(|message| &message.parts).filter_map(|part| match part {
        Part::Enclosed(file) => Some(file.clone()),
        _ => None,
    });
    files.take(COUNT_MAX).collect()
}

/// Cuts every file out of the event and stores it, one at a time: a message never stands in memory more than twice.
pub(super) async fn store(
    desk: &Desk,
    workspace: WorkspaceId,
    open: &Arc<OpenInbox>,
    raw: RawEvent,
    events: &[InboundEvent],
) -> Result<Files, Unreadable> {
    let mut stored = Files::new();
    let raw = Arc::new(raw);
    for file in enclosed(events) {
        let (open, event, reference) = (Arc::clone(open), Arc::clone(&raw), file.reference.clone());
        let cut = tokio::task::spawn_blocking(move || {
            let enclosures = open.channel.enclosures()?;
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| enclosures.open(&event, &reference))).unwrap_or(None)
        });
        // The entry then names the file, and the original still holds it.
        let Ok(Some(bytes)) = cut.await else { continue };
        let put = desk.blobs.put_bytes(workspace, &bytes).await.map_err(|error| Unreadable::Later(error.to_string()))?;
        let name = model::fold::truncate(&model::fold::clean(&file.name), NAME_CHARS_MAX).to_owned();
        let sniffed = blob::sniff(&bytes[..bytes.len().min(blob::HEAD_BYTES)], &name, Some(&file.mime));
        let kept = StoredFile {
            sha256: put.sha256,
            bytes: i64::try_from(put.bytes).unwrap_or(i64::MAX),
            name,
            mime: sniffed.mime,
            content_id: file.content_id,
        };
        stored.insert(file.reference, kept);
    }
    Ok(stored)
}

/// Writes the rows of a message's files; their order is that of the message.
pub(super) fn attach(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    files: &Files,
    message: &InboundMessage,
    uploader: &str,
    now: Timestamp,
) -> Result<Vec<(Attachment, Option<String>)>, StoreError> {
    let mut rows = Vec::new();
    for part in &message.parts {
        let Part::Enclosed(file) = part else { continue };
        let Some(kept) = files.get(&file.reference) else { continue };
        let row = Attachment {
            id: AttachmentId(tx.id()),
            entry_id: None,
            conversation_id: None,
            uploader: uploader.to_owned(),
            blob_id: attachment::put_blob(tx, workspace, &kept.sha256, kept.bytes, &kept.mime, now)?,
            sha256: kept.sha256.clone(),
            name: kept.name.clone(),
            mime: kept.mime.clone(),
            bytes: kept.bytes,
        };
        attachment::insert(tx, workspace, &row, now)?;
        rows.push((row, kept.content_id.clone()));
    }
    Ok(rows)
}

/// Pictures inside the HTML name the attachment that they are: `cid:` becomes `attachment:`.
pub(super) fn with_pictures(html: &str, files: &[(Attachment, Option<String>)]) -> String {
    files.iter().fold(html.to_owned(), |html, (row, content_id)| match content_id {
        Some(id) if !id.is_empty() => {
            let to = format!("\"attachment:{}\"", row.id);
            html.replace(&format!("\"cid:{id}\""), &to)
        }
        _ => html,
    })
}
