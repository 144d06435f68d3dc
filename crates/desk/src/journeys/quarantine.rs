//! What an admin does with events that could not be understood: try again, or put out of sight. The raw bytes stay.

use crate::context::{Desk, Who};
use crate::identity::normal;
use crate::ingest::ProcessEvent;
use channel::{ClaimSource, ContactPointClaim, ContactPointKind, InboundMessage};
use model::{Actor, AllowedSenderId, ProviderEventId, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::pull::AllowedSender;
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
            let process = ProcessEvent { event: id, lane: event.lane.unwrap_or_default(), let_in: false };
            job::enqueue(tx, who.workspace, &process, now)?;
            audit(tx, &who, id, "provider_event.released", now);
            Ok(true)
        })
        .await
}

/// Makes a conversation of an event that a rule kept out (mail of a machine, a blocked sender), this once. With `always` the
/// automatic mail of its sender is let in from now on. False when there is nothing to let in.
pub async fn let_in(desk: &Desk, who: &Who, id: ProviderEventId, always: bool) -> Result<bool, StoreError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<bool, StoreError> {
            let Some(event) = provider_event::find(tx, who.workspace, id)? else { return Ok(false) };
            if !provider_event::let_in(tx, who.workspace, id)? {
                return Ok(false);
            }
            if always && let Some(sender) = Summary::of(&event).and_then(|summary| summary.match_key()) {
                let by = Actor::Agent(who.agent).to_string();
                store::pull::allow_sender(tx, who.workspace, &sender, &by, now)?;
            }
            let process = ProcessEvent { event: id, lane: event.lane.unwrap_or_default(), let_in: true };
            job::enqueue(tx, who.workspace, &process, now)?;
            audit(tx, &who, id, "provider_event.let_in", now);
            Ok(true)
        })
        .await
}

/// What an event was about of which no entry came: what lists show of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// The sender's address as written.
    pub from: Option<String>,
    /// The sender's name.
    pub name: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The first words.
    pub text: String,
}

const SUMMARY_CHARS_MAX: usize = 200;

impl Summary {
    /// Of a message.
    pub(super) fn of_message(message: &InboundMessage) -> Self {
        let short = |text: &str| model::fold::truncate(&model::fold::clean(text), SUMMARY_CHARS_MAX).to_owned();
        let from = message.from.first();
        let words = message.text.split_whitespace().take(60).collect::<Vec<_>>().join(" ");
        Self {
            from: from.map(|claim| short(&claim.value)),
            name: from.and_then(|claim| claim.name.as_deref()).map(short),
            subject: message.subject.as_deref().map(short),
            text: short(&words),
        }
    }
    /// As it was kept with an event.
    pub fn of(event: &provider_event::ProviderEvent) -> Option<Self> {
        serde_json::from_str(event.summary.as_deref()?).ok()
    }
    /// The sender's address in its normal form.
    fn match_key(&self) -> Option<String> {
        let claim = ContactPointClaim::new(ContactPointKind::Email, "", self.from.clone()?, 0, ClaimSource::Sender);
        Some(normal::key_of(&claim, normal::Spelling::default())?.match_key)
    }
}

/// Senders whose automatic mail is let in.
pub async fn allowed_senders(desk: &Desk, who: &Who) -> Result<Vec<AllowedSender>, StoreError> {
    let workspace = who.workspace;
    desk.db.read(move |tx| store::pull::allowed_senders(tx, workspace, "")).await
}

/// Keeps the automatic mail of a sender out again. False when it was not let in.
pub async fn disallow_sender(desk: &Desk, who: &Who, id: AllowedSenderId) -> Result<bool, StoreError> {
    let workspace = who.workspace;
    desk.db.write(Route::Any, move |tx| store::pull::disallow_sender(tx, workspace, id)).await
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
