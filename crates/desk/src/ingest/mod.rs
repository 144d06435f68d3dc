//! Takes an event from a channel exactly once: one insert under a unique key and one job, then the caller may acknowledge.
//! In: verified, cut, raw events. Out: stored rows. Nothing is understood here; a repeat is a no-op.

use crate::context::Desk;
use crate::directory::OpenInbox;
use channel::RawEvent;
use model::{ProviderEventId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::job::{self, Job, JobClass};
use store::provider_event::{self, ProviderEvent};
use store::{Conn, Route, StoreError};

/// Raw events up to this size stand in the row; larger ones go to the blob store first.
pub const RAW_INLINE_BYTES_MAX: usize = 64 * 1024;

/// Understand one stored event: the next step of the message-in journey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessEvent {
    /// The stored event.
    pub event: ProviderEventId,
    /// Its lane: the events of one external conversation stay in order.
    pub lane: i64,
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
        rows.push(row_of(desk, workspace, inbox, event).await?);
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

struct NewRow {
    event: ProviderEvent,
    blob: Option<(String, i64)>,
}

async fn row_of(desk: &Desk, workspace: WorkspaceId, inbox: &OpenInbox, event: RawEvent) -> Result<NewRow, IngestError> {
    let raw = event.encode();
    let content_key = channel::content_key(&raw);
    let lane = lane_of(inbox, &event.lane);
    let (raw, blob) = if raw.len() > RAW_INLINE_BYTES_MAX {
        let bytes = i64::try_from(raw.len()).unwrap_or(i64::MAX);
        let put = desk.blobs.put_bytes(workspace, &raw).await.map_err(|error| IngestError::Broken(error.to_string()))?;
        (None, Some((put.sha256, bytes)))
    } else {
        (Some(raw), None)
    };
    // A provider's id may be of any length; an index key may not.
    let dedupe_key = if event.dedupe_key.len() > 200 || event.dedupe_key.contains('\0') {
        channel::content_key(event.dedupe_key.as_bytes())
    } else {
        event.dedupe_key
    };
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
    };
    Ok(NewRow { event, blob })
}

fn store_one(tx: &mut dyn Conn, workspace: WorkspaceId, new: &NewRow) -> Result<Stored, StoreError> {
    let mut event = new.event.clone();
    event.id = ProviderEventId(tx.id());
    if let Some((sha256, bytes)) = &new.blob {
        event.blob_id =
            Some(store::attachment::put_blob(tx, workspace, sha256, *bytes, "application/octet-stream", event.received_at)?);
    }
    if !provider_event::insert(tx, workspace, &event)? {
        let id = provider_event::find_key(tx, workspace, event.inbox_id, &event.dedupe_key)?.ok_or(StoreError::NotFound)?;
        return Ok(Stored { id, fresh: false });
    }
    let lane = event.lane.unwrap_or_default();
    job::enqueue(tx, workspace, &ProcessEvent { event: event.id, lane }, event.received_at)?;
    Ok(Stored { id: event.id, fresh: true })
}
