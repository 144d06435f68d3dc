//! What comes back about an attempt: our own answer, a provider's report, a watermark, an echo. States are merged by rank,
//! so duplicates and any order end the same; a report for an id that nobody knows yet is parked for a day.

use super::show;
use crate::context::{Desk, JobEnd};
use model::{Channel, ConversationId, DeliveryState, EntryId, FailureClass, InboxId, OutboxId, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::job::{self, Job, JobRef};
use store::outbox::{self, Delivery};
use store::{Conn, Route, StoreError, entry};

/// A report and our own answer may be stored at the same instant, each blind to the other: so much later both are seen.
const PARKED_AGAIN_MS: i64 = 10_000;

/// Look once more whether the id of a parked state is known by now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplyParked {
    /// Where it was reported.
    pub inbox: InboxId,
    /// SHA-256 of the provider's id.
    pub key: String,
}
impl Job for ApplyParked {
    const NAME: &'static str = "apply_parked";
}

/// The job behind [`ApplyParked`].
pub async fn run_parked(desk: &Desk, job: JobRef, parked: ApplyParked) -> JobEnd {
    let now = desk.now();
    let done = desk
        .db
        .write(Route::Any, move |tx| -> Result<(), StoreError> {
            if let Some(attempt) = outbox::by_provider_key(tx, job.workspace, parked.inbox, &parked.key)? {
                let id = attempt.outbox_id;
                take_parked(tx, job.workspace, attempt, &parked.key)?;
                if let Some(row) = outbox::find(tx, job.workspace, id)? {
                    show(tx, job.workspace, &row, now)?;
                }
            }
            job::finish_in_tx(tx, job)
        })
        .await;
    done.map_or_else(JobEnd::from, |()| JobEnd::DoneInTx)
}

/// Entries that one watermark may reach back over.
const WATERMARK_ENTRY_COUNT_MAX: i64 = 500;

/// How one attempt ended, as far as is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The provider took it.
    Accepted {
        /// Its id there.
        provider_id: Option<String>,
        /// Usually `Accepted`; some say `Sent` at once.
        state: DeliveryState,
    },
    /// It surely was not taken.
    NotTaken {
        /// Why, for the record.
        reason: String,
    },
    /// It was refused.
    Refused {
        /// What kind of refusal.
        class: FailureClass,
        /// The provider's code.
        code: String,
        /// In words.
        text: String,
    },
    /// The answer never came.
    Lost,
}

/// Provider ids may be of any length; what is looked up is their hash.
pub fn provider_key(id: &str) -> String {
    channel::content_key(id.as_bytes())
}

/// Stores the answer of an attempt, and whatever was parked for its id.
pub fn store_answer(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    attempt: &Delivery,
    answer: &Answer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut after = Delivery { open: false, changed_at: now, ..attempt.clone() };
    match answer {
        Answer::Accepted { provider_id, state } => {
            after.uncertain = false;
            after.rank = after.rank.max(state.rank().unwrap_or(0).max(1));
            after.provider_id.clone_from(provider_id);
            after.provider_key = provider_id.as_deref().map(provider_key);
        }
        Answer::NotTaken { reason } => {
            after.uncertain = false;
            after.reason = Some(reason.clone());
        }
        Answer::Refused { class, code, text } => {
            after.uncertain = false;
            after.rank = after.rank.max(DeliveryState::Failed.rank().unwrap_or(3));
            (after.class, after.code, after.reason) = (Some(*class), Some(code.clone()), Some(text.clone()));
        }
        Answer::Lost => after.uncertain = after.rank == 0,
    }
    outbox::save_delivery(tx, workspace, &after)?;
    let (Some(id), Some(key)) = (&after.provider_id, &after.provider_key) else { return Ok(()) };
    note_external(tx, workspace, attempt.outbox_id, id)?;
    let key = key.clone();
    take_parked(tx, workspace, after, &key)
}

/// Applies whatever was parked for the id of an attempt.
fn take_parked(tx: &mut dyn Conn, workspace: WorkspaceId, mut attempt: Delivery, key: &str) -> Result<(), StoreError> {
    for (rank, code, at) in outbox::unpark(tx, workspace, attempt.inbox_id, key)? {
        raise(tx, workspace, attempt.clone(), DeliveryState::of_rank(rank), code, at)?;
        attempt.rank = attempt.rank.max(rank);
    }
    Ok(())
}

/// Answers and echoes name the provider's id of our message: the entry carries it.
fn note_external(tx: &mut dyn Conn, workspace: WorkspaceId, outbox: OutboxId, provider_id: &str) -> Result<(), StoreError> {
    let Some(row) = outbox::find(tx, workspace, outbox)? else { return Ok(()) };
    entry::set_external(tx, workspace, row.entry_id, &provider_key(provider_id))
}

fn raise(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    attempt: Delivery,
    state: DeliveryState,
    code: Option<String>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let merged = channel::state::merge(DeliveryState::of_rank(attempt.rank), state);
    let rank = merged.rank().unwrap_or(attempt.rank);
    if rank <= attempt.rank && !attempt.uncertain && !attempt.open {
        return Ok(false);
    }
    let failed = merged == DeliveryState::Failed;
    let reason = failed.then(|| {
        code.clone().map_or_else(
            || "the provider could not deliver it".to_owned(),
            |c| format!("the provider could not deliver it ({c})"),
        )
    });
    // Any report settles a doubt: somebody has it.
    let settled = rank > 0;
    let after = Delivery {
        rank: rank.max(attempt.rank),
        uncertain: attempt.uncertain && !settled,
        open: attempt.open && !settled,
        code: code.or(attempt.code.clone()),
        reason: reason.or(attempt.reason.clone()),
        class: if failed { attempt.class.or(Some(FailureClass::Unknown)) } else { attempt.class },
        changed_at: now,
        ..attempt
    };
    outbox::save_delivery(tx, workspace, &after)
}

/// Applies what a report says about an outbox row to its latest attempts, also to those whose answer never came.
#[expect(clippy::too_many_arguments, reason = "one report, each of its fields once")]
pub(super) fn settle_report(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    row: &outbox::Outbox,
    state: DeliveryState,
    class: Option<FailureClass>,
    code: Option<String>,
    reason: Option<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let all = outbox::deliveries(tx, workspace, row.id)?;
    for attempt in super::latest_attempts(row, &all).into_iter().cloned() {
        let id = attempt.id;
        if raise(tx, workspace, attempt, state, code.clone(), now)?
            && let Some(raised) = outbox::deliveries(tx, workspace, row.id)?.into_iter().find(|d| d.id == id)
            && (class.is_some() || reason.is_some())
        {
            let class = class.or(raised.class);
            let reason = reason.clone().or(raised.reason.clone());
            outbox::save_delivery(tx, workspace, &Delivery { class, reason, ..raised })?;
        }
    }
    Ok(())
}

/// Applies a provider's report. False when its id is not known (yet): then it is parked.
pub fn report(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    provider_id: &str,
    state: DeliveryState,
    code: Option<String>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let key = provider_key(provider_id);
    let Some(attempt) = outbox::by_provider_key(tx, workspace, inbox, &key)? else {
        outbox::park(tx, workspace, inbox, &key, state.rank().unwrap_or(0), code.as_deref(), now)?;
        job::enqueue(tx, workspace, &ApplyParked { inbox, key }, now.plus_ms(PARKED_AGAIN_MS))?;
        return Ok(false);
    };
    let outbox_id = attempt.outbox_id;
    if raise(tx, workspace, attempt, state, code, now)?
        && let Some(row) = outbox::find(tx, workspace, outbox_id)?
    {
        show(tx, workspace, &row, now)?;
    }
    Ok(true)
}

/// Everything of ours on this channel up to a point was delivered or read.
pub fn watermark(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    conversation: ConversationId,
    channel: Channel,
    up_to: channel::UpTo,
    state: DeliveryState,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let before = match up_to {
        channel::UpTo::Time(at) => (at.0.saturating_add(1), i64::MIN),
        channel::UpTo::Seq(_) => (i64::MAX, i64::MAX),
    };
    let entries = entry::outgoing_before(tx, workspace, conversation, before, channel, WATERMARK_ENTRY_COUNT_MAX)?;
    let reached: Vec<EntryId> = entries
        .iter()
        .filter(|e| match up_to {
            channel::UpTo::Seq(seq) => e.seq <= seq,
            channel::UpTo::Time(_) => true,
        })
        .filter(|e| super::was_shown(e.delivery) && e.delivery.and_then(DeliveryState::rank) < state.rank())
        .map(|e| e.id)
        .collect();
    for row in outbox::of_entries(tx, workspace, &reached)? {
        for attempt in outbox::deliveries(tx, workspace, row.id)? {
            if attempt.round == row.round && attempt.rank > 0 {
                raise(tx, workspace, attempt, state, None, now)?;
            }
        }
        show(tx, workspace, &row, now)?;
    }
    Ok(reached.len())
}
