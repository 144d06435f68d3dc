//! A message in, from the stored raw event to entries: read, look up, parse (pure, guarded), then one transaction that
//! applies every event of it, writes how it ended and removes the job. Whatever cannot be understood is quarantined with
//! its reason and never blocks the next.

use super::apply::{Applied, Context, apply};
use super::enclosed;
use crate::context::{Desk, JobEnd};
use crate::directory::{DirectoryError, OpenInbox};
use crate::ingest::ProcessEvent;
use blob::BlobError;
use channel::{InboundEvent, Quarantine, RawEvent};
use model::{Outcome, ProviderEventId, WorkspaceId};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use store::job::{self, JobRef};
use store::provider_event::{self, ProviderEvent};
use store::{Route, StoreError};

/// Parsing that takes longer is a poison event (email.md: 2 s).
const PARSE_TIME_MAX: Duration = Duration::from_secs(2);
/// Look-ups that take longer are left out.
const EVIDENCE_TIME_MAX: Duration = Duration::from_secs(20);
/// Memory that messages being read may take together, in MiB of their raw bytes; each takes a little more than its size.
const PARSE_SHARES: u32 = 128;
static PARSE_ROOM: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(PARSE_SHARES as usize);
const PARSE_WAIT_MAX: Duration = Duration::from_secs(60);
/// Largest raw event that is read back; adapters refuse larger ones at the door.
const RAW_BYTES_MAX: u64 = 100 * 1024 * 1024;
/// A transaction that is broken (not busy) this often will stay so: an admin shall look at the event.
const BROKEN_COUNT_MAX: i64 = 5;

/// What the job does.
pub async fn run(desk: &Desk, job: JobRef, process: ProcessEvent) -> JobEnd {
    let (workspace, id) = (job.workspace, process.event);
    // The queue will not try again: an event has an end that an admin sees, and its lane goes on.
    if job.attempts >= job::ATTEMPT_COUNT_MAX {
        let why = format!("{} attempts to read it failed; the log of the job says why", job.attempts - 1);
        return quarantine(desk, job, id, Quarantine::new("given_up", why)).await;
    }
    let event = match desk.db.read(move |tx| provider_event::find(tx, workspace, id)).await {
        Ok(Some(event)) if event.processed_at.is_none() => event,
        Ok(_) => return JobEnd::Done,
        Err(error) => return error.into(),
    };
    let open = match desk.directory.open(desk, workspace, event.inbox_id).await {
        Ok(open) => open,
        Err(error @ (DirectoryError::NotFound | DirectoryError::NoAdapter(_))) => {
            return quarantine(desk, job, id, Quarantine::new("no_inbox", error.to_string())).await;
        }
        Err(DirectoryError::Store(error)) => return error.into(),
    };
    let raw = match raw_event(desk, workspace, &event).await {
        Ok(raw) => raw,
        Err(Unreadable::Later(text)) => return JobEnd::Retry(text),
        Err(Unreadable::Never(text)) => return quarantine(desk, job, id, Quarantine::new("unreadable", text)).await,
    };
    let raw = match gather_evidence(desk, workspace, id, &open, raw).await {
        Ok(raw) => raw,
        Err(error) => return error.into(),
    };
    let events = match parse(Arc::clone(&open), raw.clone()).await {
        Ok(events) => events,
        Err(reason) => return quarantine(desk, job, id, reason).await,
    };
    match enclosed::store(desk, workspace, &open, raw, &events).await {
        Ok(files) => write(desk, job, &process, &open, event, events, files).await,
        Err(Unreadable::Later(text)) => JobEnd::Retry(text),
        Err(Unreadable::Never(text)) => quarantine(desk, job, id, Quarantine::new("unreadable", text)).await,
    }
}

pub(super) enum Unreadable {
    Later(String),
    Never(String),
}

async fn raw_event(desk: &Desk, workspace: WorkspaceId, event: &ProviderEvent) -> Result<RawEvent, Unreadable> {
    let bytes = match (&event.raw, event.blob_id) {
        (Some(raw), _) => raw.clone(),
        (None, Some(blob)) => {
            let found = desk.db.read(move |tx| store::attachment::find_blob(tx, workspace, blob)).await;
            let (sha256, _) = found
                .map_err(|error| Unreadable::Later(error.to_string()))?
                .ok_or_else(|| Unreadable::Never("its bytes are gone from the store".to_owned()))?;
            match desk.blobs.get(workspace, &sha256, RAW_BYTES_MAX).await {
                Ok(bytes) => bytes,
                Err(error @ (BlobError::NotFound | BlobError::TooLarge { .. })) => {
                    return Err(Unreadable::Never(error.to_string()));
                }
                Err(error) => return Err(Unreadable::Later(error.to_string())),
            }
        }
        (None, None) => return Err(Unreadable::Never("it was stored without bytes".to_owned())),
    };
    RawEvent::decode(&bytes, event.dedupe_key.clone(), event.lane_name.clone(), event.received_at, event.evidence.clone())
        .map_err(|error| Unreadable::Never(error.to_string()))
}

/// Looks up what parsing needs, once, and keeps it with the event.
async fn gather_evidence(
    desk: &Desk,
    workspace: WorkspaceId,
    id: ProviderEventId,
    open: &OpenInbox,
    raw: RawEvent,
) -> Result<RawEvent, StoreError> {
    let Some(evidence) = open.channel.evidence().filter(|_| raw.evidence.is_none()) else { return Ok(raw) };
    // Without an answer in time the sender is simply not proven; that is not kept, so that reading it again may know more.
    let gathering = evidence.gather(&open.settings, &raw);
    let Ok(found) = tokio::time::timeout(EVIDENCE_TIME_MAX, gathering).await else { return Ok(raw) };
    let kept = found.clone();
    desk.db.write(Route::Any, move |tx| provider_event::set_evidence(tx, workspace, id, &kept)).await?;
    Ok(RawEvent { evidence: Some(found), ..raw })
}

/// Parses away from the async threads, within a time and a share of the memory, and with panics caught: hostile bytes must
/// not take a worker along. A parser that never ends keeps its share, but cannot take all of them. What is stated about
/// senders is held to the inbox's ceiling here, whoever asks.
pub async fn parse(open: Arc<OpenInbox>, raw: RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
    let share = u32::try_from(raw.body.len() >> 20).unwrap_or(PARSE_SHARES).saturating_add(1).min(PARSE_SHARES);
    let held = match tokio::time::timeout(PARSE_WAIT_MAX, PARSE_ROOM.acquire_many(share)).await {
        Ok(Ok(held)) => held,
        // Only when parsers hang: this one shall not wait behind them for ever.
        _ => return Err(Quarantine::new("no_room", "other messages take all memory that reading may have; try again")),
    };
    let work = tokio::task::spawn_blocking(move || {
        let _held_until_it_ends = held;
        let read = || -> Result<Vec<InboundEvent>, Quarantine> {
            let mut events = open.channel.parse(&open.settings, &raw)?;
            let ceiling = open.channel.capabilities(&open.settings).claim_ceiling;
            events.iter_mut().for_each(|event| crate::identity::ceiling::lower(event, open.inbox.id, ceiling));
            Ok(events)
        };
        std::panic::catch_unwind(AssertUnwindSafe(read))
            .unwrap_or_else(|_| Err(Quarantine::new("parser_crashed", "reading it crashed the parser; this is a bug of ours")))
    });
    match tokio::time::timeout(PARSE_TIME_MAX, work).await {
        Ok(Ok(parsed)) => parsed,
        Ok(Err(_)) => Err(Quarantine::new("parser_crashed", "reading it crashed the parser; this is a bug of ours")),
        Err(_) => Err(Quarantine::new("takes_too_long", "it takes longer than 2 s to read")),
    }
}

async fn write(
    desk: &Desk,
    job: JobRef,
    process: &ProcessEvent,
    open: &Arc<OpenInbox>,
    event: ProviderEvent,
    events: Vec<InboundEvent>,
    files: enclosed::Files,
) -> JobEnd {
    let workspace = job.workspace;
    let now = desk.now();
    let makes_entries = events.iter().any(super::apply::may_open_a_conversation);
    let number = match makes_entries {
        true => match desk.numbers.take(&desk.db, workspace).await {
            Ok(number) => Some(number),
            Err(error) => return error.into(),
        },
        false => None,
    };
    let (id, inbox, let_in, keys) = (event.id, Arc::clone(open), process.let_in, Arc::clone(&desk.keys));
    let topics = Arc::clone(&desk.topics);
    let done = desk
        .db
        .write(Route::Lane(process.lane), move |tx| -> Result<Applied, StoreError> {
            let context = Context {
                workspace,
                inbox: &inbox,
                received_at: event.received_at,
                now,
                number,
                let_in,
                files: &files,
                keys: &keys,
                topics: &*topics,
                event: id,
            };
            let mut sum = Applied::nothing();
            for one in &events {
                sum = sum.and(apply(tx, &context, one)?);
            }
            if !provider_event::end(tx, workspace, id, sum.outcome, sum.reason.as_deref(), sum.entry, now)? {
                // It ended in another attempt: this one must leave no trace.
                return Err(StoreError::Conflict("provider_event ended already".to_owned()));
            }
            if matches!(sum.outcome, Outcome::Quarantined | Outcome::Dropped)
                && let Some(summary) = summary_of(&events, sum.reason.as_deref())
            {
                provider_event::set_summary(tx, workspace, id, &summary)?;
            }
            if sum.outcome == Outcome::Quarantined {
                super::quarantine::log(tx, workspace, id, sum.reason.as_deref().unwrap_or_default(), now);
            }
            job::finish_in_tx(tx, job)?;
            Ok(sum)
        })
        .await;
    if let Some(number) = number.filter(|_| !done.as_ref().is_ok_and(|d| d.used_number)) {
        desk.numbers.give_back(workspace, number);
    }
    match done {
        Ok(_) => JobEnd::DoneInTx,
        Err(StoreError::Conflict(text)) if text.starts_with("provider_event") => JobEnd::Done,
        Err(StoreError::Conflict(name)) if name != "job_attempt" && job.attempts >= BROKEN_COUNT_MAX => {
            quarantine(desk, job, id, Quarantine::new("could_not_be_stored", format!("conflicts with {name}"))).await
        }
        Err(StoreError::NotFound) if job.attempts >= BROKEN_COUNT_MAX => {
            quarantine(desk, job, id, Quarantine::new("could_not_be_stored", "a row that it needs is gone".to_owned())).await
        }
        Err(StoreError::Broken(text)) if job.attempts >= BROKEN_COUNT_MAX => {
            quarantine(desk, job, id, Quarantine::new("could_not_be_stored", text)).await
        }
        Err(error) => error.into(),
    }
}

/// What lists show of an event of which no entry came. A repeat needs none: its first copy tells it all.
fn summary_of(events: &[InboundEvent], reason: Option<&str>) -> Option<String> {
    if reason.is_some_and(|reason| reason.starts_with("T0-duplicate")) {
        return None;
    }
    let message = events.iter().find_map(|event| match event {
        InboundEvent::Message(message) => Some(message),
        _ => None,
    })?;
    serde_json::to_string(&super::quarantine::Summary::of_message(message)).ok()
}

/// Puts an event aside with its reason, and ends the job: the lane goes on.
async fn quarantine(desk: &Desk, job: JobRef, id: ProviderEventId, why: Quarantine) -> JobEnd {
    let now = desk.now();
    tracing::warn!(provider_event.id = %id, reason = why.reason, "a raw event went to quarantine");
    let done = desk
        .db
        .write(Route::Any, move |tx| -> Result<(), StoreError> {
            let reason = format!("{}: {}", why.reason, why.detail);
            if provider_event::end(tx, job.workspace, id, Outcome::Quarantined, Some(&reason), None, now)? {
                super::quarantine::log(tx, job.workspace, id, &why.reason, now);
            }
            job::finish_in_tx(tx, job)
        })
        .await;
    done.map_or_else(JobEnd::from, |()| JobEnd::DoneInTx)
}
