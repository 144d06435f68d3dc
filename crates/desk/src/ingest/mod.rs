//! Takes an event from a channel exactly once: one insert under a unique key and one job, then the caller may acknowledge.
//! In: verified, cut, raw events. Out: stored rows. Nothing is understood here; a repeat is a no-op.

use crate::context::Desk;
use crate::directory::OpenInbox;
use channel::{Cursor, RawEvent};
use model::{Outcome, ProviderEventId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::job::{self, Job, JobClass, NewJob};
use store::provider_event::{self, ProviderEvent};
use store::{Conn, Route, StoreError};

/// Raw events up to this size stand in the row; larger ones go to the blob store first.
pub const RAW_INLINE_BYTES_MAX: usize = 64 * 1024;
/// The rule that keeps out what is here already, byte by byte.
pub const SAME_MAIL: &str = "same_mail";

/// Understand one stored event: the next step of the message-in journey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessEvent {
    /// The stored event.
    pub event: ProviderEventId,
    /// Its lane: the events of one external conversation stay in order.
    pub lane: i64,
    /// Somebody let it in although a rule had kept it out.
    #[serde(default)]
    pub let_in: bool,
}

impl Job for ProcessEvent {
    const NAME: &'static str = "process_event";
    const CLASS: JobClass = JobClass::Now;
    fn lane(&self) -> Option<i64> {
        Some(self.lane)
    }
}

/// One stored event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The row: of the first copy, when this one is a repeat.
    pub id: ProviderEventId,
    /// False for a repeat.
    pub fresh: bool,
}

/// Why an event could not be stored. The caller must not acknowledge.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// Come again in a second.
    #[error("too much is waiting; send it again in a second")]
    Busy,
    /// The store or the blob store is broken; the text is for the administrator.
    #[error("the event could not be stored: {0}")]
    Broken(String),
}

impl From<StoreError> for IngestError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::Busy,
            other => Self::Broken(other.to_string()),
        }
    }
}

/// The lane of an external conversation in an inbox.
pub fn lane_of(inbox: &OpenInbox, lane: &str) -> i64 {
    job::lane_of(&["in", &inbox.inbox.id.to_string(), lane])
}

/// Stores events and the jobs that will understand them. When this returns `Ok`, everything is committed.
pub async fn accept(
    desk: &Desk,
    workspace: WorkspaceId,
    inbox: &OpenInbox,
    events: Vec<RawEvent>,
) -> Result<Vec<Stored>, IngestError> {
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        rows.push(row_of(desk, workspace, inbox, event, false).await?);
    }
    let Some(route) = rows.first().and_then(|r| r.event.lane).map(Route::Lane) else { return Ok(vec![]) };
    let inbox = inbox.inbox.id;
    let stored = desk
        .db
        .write(route, move |tx| -> Result<_, StoreError> {
            let stored = rows.iter().map(|row| store_one(tx, workspace, row)).collect::<Result<Vec<_>, _>>()?;
            if let Some(first) = rows.first() {
                store::inbox::touch_in(tx, workspace, inbox, first.event.received_at)?;
            }
            Ok(stored)
        })
        .await?;
    Ok(stored)
}

/// The same for events that we asked for: the cursor moves in the same commit, each event is filed under its folder, and one
/// whose bytes are here already (renumbered, moved, copied by the provider) is noted and not read again.
pub async fn accept_pulled(
    desk: &Desk,
    workspace: WorkspaceId,
    inbox: &OpenInbox,
    events: Vec<RawEvent>,
    cursor: Option<Cursor>,
) -> Result<Vec<Stored>, IngestError> {
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        rows.push(row_of(desk, workspace, inbox, event, true).await?);
    }
    let route = rows.first().and_then(|r| r.event.lane).map_or(Route::Any, Route::Lane);
    let inbox = inbox.inbox.id;
    let stored = desk
        .db
        .write(route, move |tx| -> Result<_, StoreError> {
            let stored = rows.iter().map(|row| store_one(tx, workspace, row)).collect::<Result<Vec<_>, _>>()?;
            if let Some(newest) = rows.iter().filter(|row| !row.history).map(|row| row.event.received_at).max() {
                store::inbox::touch_in(tx, workspace, inbox, newest)?;
            }
            if let Some(cursor) = &cursor {
                store::pull::set_cursor(tx, workspace, inbox, &cursor.0)?;
            }
            Ok(stored)
        })
        .await?;
    Ok(stored)
}

/// A provider's key as it stands in the row: of any length at the provider, but an index key may not be.
pub fn stored_key(dedupe_key: String) -> String {
    if dedupe_key.len() > 200 || dedupe_key.contains('\0') { channel::content_key(dedupe_key.as_bytes()) } else { dedupe_key }
}

struct NewRow {
    event: ProviderEvent,
    blob: Option<(String, i64)>,
    pulled: bool,
    folder: Option<(String, String)>,
    history: bool,
}

async fn row_of(
    desk: &Desk,
    workspace: WorkspaceId,
    inbox: &OpenInbox,
    event: RawEvent,
    pulled: bool,
) -> Result<NewRow, IngestError> {
    let raw = event.encode();
    // Headers of a pulled event tell where it lay, which may change; the bytes do not.
    let content_key = channel::content_key(if pulled { &event.body } else { &raw });
    let folder = event.header(channel::FOLDER).filter(|_| pulled).map(|name| {
        let role = event.header(channel::FOLDER_ROLE).and_then(channel::FolderRole::parse).unwrap_or_default();
        (model::fold::clean(name), role.word().to_owned())
    });
    let history = pulled && event.header(channel::HISTORY).is_some();
    let lane = lane_of(inbox, &event.lane);
    let (raw, blob) = if raw.len() > RAW_INLINE_BYTES_MAX {
        let bytes = i64::try_from(raw.len()).unwrap_or(i64::MAX);
        let put = desk.blobs.put_bytes(workspace, &raw).await.map_err(|error| IngestError::Broken(error.to_string()))?;
        (None, Some((put.sha256, bytes)))
    } else {
        (Some(raw), None)
    };
    let dedupe_key = stored_key(event.dedupe_key);
    let event = ProviderEvent {
        id: ProviderEventId(0),
        inbox_id: inbox.inbox.id,
        dedupe_key,
        content_key,
        raw,
        blob_id: None,
        headers: String::new(),
        evidence: event.evidence,
        lane: Some(lane),
        lane_name: model::fold::clean(&event.lane),
        received_at: event.received_at,
        processed_at: None,
        outcome: None,
        reason: None,
        entry_id: None,
        folder_id: None,
        same_as: None,
        summary: None,
    };
    Ok(NewRow { event, blob, pulled, folder, history })
}

fn store_one(tx: &mut dyn Conn, workspace: WorkspaceId, new: &NewRow) -> Result<Stored, StoreError> {
    let mut event = new.event.clone();
    event.id = ProviderEventId(tx.id());
    if new.pulled {
        if let Some(id) = provider_event::find_key(tx, workspace, event.inbox_id, &event.dedupe_key)? {
            return Ok(Stored { id, fresh: false });
        }
        let folder = new.folder.as_ref().map(|(name, role)| (name.as_str(), role.as_str()));
        if store::pull::file(tx, workspace, &mut event, folder)? {
            return store_copy(tx, workspace, event);
        }
    }
    if let Some((sha256, bytes)) = &new.blob {
        event.blob_id =
            Some(store::attachment::put_blob(tx, workspace, sha256, *bytes, "application/octet-stream", event.received_at)?);
    }
    if !provider_event::insert(tx, workspace, &event)? {
        let id = provider_event::find_key(tx, workspace, event.inbox_id, &event.dedupe_key)?.ok_or(StoreError::NotFound)?;
        return Ok(Stored { id, fresh: false });
    }
    let process = ProcessEvent { event: event.id, lane: event.lane.unwrap_or_default(), let_in: false };
    if new.history {
        // Thousands of old ones must not stand before the customer who writes now.
        let mut job = NewJob::new(ProcessEvent::NAME, serde_json::to_value(&process).unwrap_or_default(), event.received_at);
        (job.class, job.lane) = (JobClass::Bulk, process.lane());
        job::add(tx, workspace, &job)?;
    } else {
        job::enqueue(tx, workspace, &process, event.received_at)?;
    }
    Ok(Stored { id: event.id, fresh: true })
}

/// Notes that the provider has the same bytes under another key: kept for the count, without the bytes, and ended at once.
fn store_copy(tx: &mut dyn Conn, workspace: WorkspaceId, mut event: ProviderEvent) -> Result<Stored, StoreError> {
    event.raw = None;
    if provider_event::insert(tx, workspace, &event)? {
        provider_event::end(tx, workspace, event.id, Outcome::Dropped, Some(SAME_MAIL), None, event.received_at)?;
        return Ok(Stored { id: event.id, fresh: true });
    }
    let id = provider_event::find_key(tx, workspace, event.inbox_id, &event.dedupe_key)?.ok_or(StoreError::NotFound)?;
    Ok(Stored { id, fresh: false })
}
