//! Fetches a file that a message only named, after the entry stands: the message is there at once, its file follows. In: the
//! channel's reference. Out: an attachment of the entry in the place of the line that said it was coming, or a line that
//! says why not.

use crate::context::{Desk, JobEnd};
use crate::conversation::Locked;
use crate::conversation::add::refs;
use channel::{Blob, FetchError, InboundMessage, MediaRef, Part};
use model::parts::Part as BodyPart;
use model::{Actor, AttachmentId, EntryId, InboxId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::attachment::{self, Attachment};
use store::entry::{self, Entry};
use store::job::{self, Job, JobRef};
use store::{Conn, Route, StoreError};

const NAME_CHARS_MAX: usize = 200;
/// What takes longer than these attempts is told as failed: some two hours.
const ATTEMPT_COUNT_MAX: i64 = 6;

/// Fetch one file of an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FetchFile {
    /// Of which entry.
    pub entry: EntryId,
    /// With whose credentials and limits.
    pub inbox: InboxId,
    /// The channel's own name of the file.
    pub reference: String,
    /// What the entry says in its place.
    pub shown: String,
}

impl Job for FetchFile {
    const NAME: &'static str = "fetch_file";
}

/// What stands in the entry while a file is on its way.
pub fn shown(media: &MediaRef) -> String {
    media.name.clone().unwrap_or_else(|| "file".to_owned())
}

/// The jobs of a message's files, in the transaction of its entry.
pub fn enqueue(tx: &mut dyn Conn, workspace: WorkspaceId, message: &InboundMessage, added: &Entry) -> Result<(), StoreError> {
    let Some(inbox) = added.inbox_id else { return Ok(()) };
    for part in &message.parts {
        if let Part::Media(media) = part {
            let fetch = FetchFile { entry: added.id, inbox, reference: media.reference.clone(), shown: shown(media) };
            job::enqueue(tx, workspace, &fetch, added.at)?;
        }
    }
    Ok(())
}

/// What the job does.
pub async fn run(desk: &Desk, job: JobRef, fetch: FetchFile) -> JobEnd {
    let open = match desk.directory.open(desk, job.workspace, fetch.inbox).await {
        Ok(open) => open,
        Err(error) => return failed(desk, job, &fetch, &error.to_string()).await,
    };
    let Some(media) = open.channel.media() else {
        return failed(desk, job, &fetch, "this channel gives no files").await;
    };
    let named = MediaRef { reference: fetch.reference.clone(), name: Some(fetch.shown.clone()), ..MediaRef::default() };
    match media.fetch(&open.settings, &named).await {
        Ok(blob) => keep(desk, job, &fetch, blob).await,
        Err(FetchError::RetryAt(at)) if job.attempts < ATTEMPT_COUNT_MAX => {
            JobEnd::RetryAt(at.max(desk.now().plus_ms(5_000 << (2 * job.attempts.clamp(0, 5)))))
        }
        Err(error) => failed(desk, job, &fetch, &error.to_string()).await,
    }
}

async fn keep(desk: &Desk, job: JobRef, fetch: &FetchFile, blob: Blob) -> JobEnd {
    let workspace = job.workspace;
    if blob.bytes.is_empty() {
        return failed(desk, job, fetch, "the file is empty").await;
    }
    let put = match desk.blobs.put_bytes(workspace, &blob.bytes).await {
        Ok(put) => put,
        Err(error) => return JobEnd::Retry(error.to_string()),
    };
    let given = blob.name.as_deref().filter(|name| *name != "file").unwrap_or_else(|| last_piece(&fetch.reference));
    let name = model::fold::truncate(&::blob::clean_name(given), NAME_CHARS_MAX).to_owned();
    let head = &blob.bytes[..blob.bytes.len().min(::blob::HEAD_BYTES)];
    let mime = ::blob::sniff(head, &name, blob.mime.as_deref()).mime;
    let bytes = i64::try_from(put.bytes).unwrap_or(i64::MAX);
    let (now, fetch) = (desk.now(), fetch.clone());
    let done = desk.db.write(Route::Any, move |tx| -> Result<(), StoreError> {
        let row = Attachment {
            id: AttachmentId(tx.id()),
            entry_id: None,
            conversation_id: None,
            uploader: format!("inbox:{}", fetch.inbox),
            blob_id: attachment::put_blob(tx, workspace, &put.sha256, bytes, &mime, now)?,
            sha256: put.sha256.clone(),
            name: name.clone(),
            mime: mime.clone(),
            bytes,
        };
        change(tx, job, &fetch, now, |tx, entry, at| {
            attachment::insert(tx, workspace, &row, now)?;
            attachment::attach(tx, workspace, row.id, entry.id, entry.conversation_id)?;
            entry.body.parts.remove(at);
            entry.body.attachments.extend(refs(std::slice::from_ref(&row)));
            Ok(())
        })
    });
    done.await.map_or_else(JobEnd::from, |()| JobEnd::DoneInTx)
}

async fn failed(desk: &Desk, job: JobRef, fetch: &FetchFile, why: &str) -> JobEnd {
    let (now, fetch) = (desk.now(), fetch.clone());
    let what = format!("{} could not be fetched: {why}", fetch.shown);
    let done = desk.db.write(Route::Any, move |tx| -> Result<(), StoreError> {
        change(tx, job, &fetch, now, |_, entry, at| {
            entry.body.parts[at] = BodyPart::Unsupported { what: what.clone() };
            Ok(())
        })
    });
    done.await.map_or_else(JobEnd::from, |()| JobEnd::DoneInTx)
}

/// Changes the entry where the file's line stands, and ends the job. An entry that is gone or taken back stays so.
fn change(
    tx: &mut dyn Conn,
    job: JobRef,
    fetch: &FetchFile,
    now: model::Timestamp,
    with: impl FnOnce(&mut dyn Conn, &mut Entry, usize) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (mut locked, mut found) = match Locked::of_entry(tx, job.workspace, fetch.entry) {
        Ok(found) => found,
        Err(StoreError::NotFound) => return job::finish_in_tx(tx, job),
        Err(error) => return Err(error),
    };
    let line = found.body.parts.iter().position(|part| matches!(part, BodyPart::Unsupported { what } if *what == fetch.shown));
    if let Some(at) = line {
        with(tx, &mut found, at)?;
        locked.log(tx, "entry.file_fetched", now, Actor::System, json!({ "entry": found.id }));
        found.seq = locked.row.seq;
        entry::set_body(tx, job.workspace, &found)?;
        if found.audience == model::Audience::Customer {
            locked.row.public_seq = found.seq;
        }
        locked.save(tx)?;
    }
    job::finish_in_tx(tx, job)
}

/// The end of an address, as a name.
fn last_piece(reference: &str) -> &str {
    let path = reference.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/').find(|piece| !piece.is_empty()).unwrap_or("file")
}

#[cfg(test)]
mod tests {
    use super::last_piece;

    #[test]
    fn an_address_gives_a_name() {
        for (address, name) in [
            ("https://cdn.example/a/cat.png?size=1#x", "cat.png"),
            ("https://cdn.example/a/", "a"),
            ("", "file"),
            ("id-without-slash", "id-without-slash"),
        ] {
            assert_eq!(last_piece(address), name);
        }
    }
}
