//! What an admin does with events that could not be understood: try again, or put out of sight. The raw bytes stay.

use crate::context::{Desk, Who};
use crate::ingest::ProcessEvent;
use model::{Actor, ProviderEventId, Timestamp, WorkspaceId};
use serde_json::json;
use store::{Conn, Event, Route, StoreError, job, provider_event};

/// Writes to the log that an event was put aside, so that screens count it.
pub(super) fn log(tx: &mut dyn Conn, workspace: WorkspaceId, id: ProviderEventId, reason: &str, now: Timestamp) {
    tx.log(Event {
        workspace,
        stream_id: None,
        seq: None,
        kind: "provider_event.quarantined",
        at: now,
        actor: Actor::System,
        cause_id: None,
        payload: json!({"provider_event": id, "reason": reason}),
    });
}

/// Takes an event out of quarantine and processes it again. False when it is not there.
pub async fn retry(desk: &Desk, who: &Who, id: ProviderEventId) -> Result<bool, StoreError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<bool, StoreError> {
            let Some(event) = provider_event::find(tx, who.workspace, id)? else { return Ok(false) };
            if !provider_event::reopen(tx, who.workspace, id)? {
                return Ok(false);
            }
            job::enqueue(tx, who.workspace, &ProcessEvent { event: id, lane: event.lane.unwrap_or_default() }, now)?;
            audit(tx, &who, id, "provider_event.released", now);
            Ok(true)
        })
        .await
}

/// Puts an event out of sight. False when it is not there.
pub async fn dismiss(desk: &Desk, who: &Who, id: ProviderEventId) -> Result<bool, StoreError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<bool, StoreError> {
            let done = provider_event::dismiss(tx, who.workspace, id, now)?;
            if done {
                audit(tx, &who, id, "provider_event.dismissed", now);
            }
            Ok(done)
        })
        .await
}

fn audit(tx: &mut dyn Conn, who: &Who, id: ProviderEventId, kind: &'static str, now: Timestamp) {
    tx.log(Event {
        workspace: who.workspace,
        stream_id: None,
        seq: None,
        kind,
        at: now,
        actor: Actor::Agent(who.agent),
        cause_id: None,
        payload: json!({ "provider_event": id }),
    });
}
