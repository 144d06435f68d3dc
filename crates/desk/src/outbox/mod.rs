//! Claim, pace, send through a channel, retry, receipts. The only writer of `outbox` and `delivery`: an attempt is written
//! down before the channel is called, its answer after, and an attempt without an answer is *uncertain* and never repeated
//! blindly.

pub mod deliver;
pub mod enqueue;
pub mod pace;
pub mod receipt;
pub mod report;

pub use deliver::{CheckUncertain, DeliverOutbox};
pub use enqueue::{ReleaseHold, put};
pub use receipt::ApplyParked;

use channel::state::{Combined, PartState, combine};
use model::{Actor, DeliveryState, OutboxState, Timestamp};
use serde_json::json;
use store::entry::Entry;
use store::outbox::{Delivery, Outbox};
use store::{Conn, StoreError, entry};

use crate::conversation::Locked;

/// The latest attempt of each part in the outbox row's round. What was taken in an earlier round stays taken: a new round
/// sends only the rest.
pub fn latest_attempts<'a>(outbox: &Outbox, deliveries: &'a [Delivery]) -> Vec<&'a Delivery> {
    let mut latest: Vec<&Delivery> = Vec::new();
    let counts = |d: &Delivery| d.round == outbox.round || (d.round < outbox.round && was_taken(d));
    for delivery in deliveries.iter().filter(|d| d.outbox_id == outbox.id && counts(d)) {
        match latest.iter_mut().find(|l| l.part == delivery.part) {
            Some(slot) if (slot.round, slot.attempt) < (delivery.round, delivery.attempt) => *slot = delivery,
            Some(_) => {}
            None => latest.push(delivery),
        }
    }
    latest.sort_by_key(|d| d.part);
    latest
}

fn was_taken(delivery: &Delivery) -> bool {
    delivery.rank > 0 && Some(delivery.rank) != DeliveryState::Failed.rank()
}

/// The word for an entry, made from its outbox row and attempts.
pub fn word_of(outbox: &Outbox, deliveries: &[Delivery]) -> (DeliveryState, Option<String>, Combined) {
    let latest = latest_attempts(outbox, deliveries);
    let total = latest.first().map_or(1, |d| d.parts.max(1));
    let mut parts: Vec<PartState> =
        latest.iter().map(|d| PartState { state: DeliveryState::of_rank(d.rank), uncertain: d.uncertain || d.open }).collect();
    parts.resize(usize::try_from(total).unwrap_or(1).max(parts.len()), PartState::certain(DeliveryState::Queued));
    let mut combined = combine(&parts);
    // While a worker is at it nothing is in doubt yet: an open attempt becomes uncertain when its worker is gone.
    combined.uncertain = latest.iter().any(|d| d.uncertain);
    let failure = latest.iter().find(|d| d.rank == DeliveryState::Failed.rank().unwrap_or(3)).and_then(|d| d.reason.clone());
    let (state, reason) = match outbox.state {
        OutboxState::Held | OutboxState::Queued => (DeliveryState::Queued, None),
        OutboxState::Blocked => (DeliveryState::Blocked, outbox.reason.clone()),
        OutboxState::Cancelled => (DeliveryState::Cancelled, None),
        OutboxState::Expired => (DeliveryState::Expired, outbox.reason.clone()),
        OutboxState::Sending if combined.state == DeliveryState::Queued && !combined.uncertain => (DeliveryState::Leased, None),
        OutboxState::Sending | OutboxState::Done => (combined.state, failure),
    };
    // A receipt may come while the row still says queued (our own answer was lost): a rank above wins.
    let state = if combined.state.rank() > state.rank().or(Some(0)) { combined.state } else { state };
    (state, reason, combined)
}

/// Writes the combined word on the entry when it changed, as one change of its conversation.
pub(crate) fn show(tx: &mut dyn Conn, workspace: model::WorkspaceId, outbox: &Outbox, now: Timestamp) -> Result<(), StoreError> {
    // The lock comes first: two reports about two parts at once must each see what the other has stored.
    let (mut locked, entry) = Locked::of_entry(tx, workspace, outbox.entry_id)?;
    let deliveries = store::outbox::deliveries(tx, workspace, outbox.id)?;
    let (state, reason, combined) = word_of(outbox, &deliveries);
    if entry.delivery == Some(state) && entry.uncertain == combined.uncertain && entry.delivery_reason == reason {
        return Ok(());
    }
    let payload = json!({
        "entry": entry.id, "outbox": outbox.id, "from": entry.delivery, "to": state, "uncertain": combined.uncertain,
        "parts_sent": combined.parts_sent, "parts_total": combined.parts_total,
    });
    locked.log(tx, "entry.delivery_changed", now, Actor::System, payload);
    let seq = locked.row.seq;
    entry::set_delivery(tx, workspace, entry.id, state, reason.as_deref(), combined.uncertain, seq)?;
    if is_public(&entry) && !was_shown(entry.delivery) && was_shown(Some(state)) {
        locked.row.public_seq = seq;
    }
    // Taken back before it went: the customer still waits.
    if state == DeliveryState::Cancelled {
        locked.row.waiting_since = crate::conversation::label::waiting_since(tx, &locked)?;
    }
    locked.save(tx)?;
    Ok(())
}

fn is_public(entry: &Entry) -> bool {
    entry.audience == model::Audience::Customer
}

/// True once the customer can have it.
pub fn was_shown(state: Option<DeliveryState>) -> bool {
    matches!(state, Some(DeliveryState::Accepted | DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{ConversationId, DeliveryId, EntryId, InboxId, OutboxId};

    fn outbox(state: OutboxState, round: i64) -> Outbox {
        Outbox {
            id: OutboxId(1),
            entry_id: EntryId(1),
            conversation_id: ConversationId(1),
            inbox_id: InboxId(1),
            contact_point_id: None,
            state,
            reason: Some("why".into()),
            hold_until: None,
            send_at: None,
            round,
            version: 1,
        }
    }
    fn attempt(round: i64, part: i64, attempt: i64, rank: i64, uncertain: bool) -> Delivery {
        Delivery {
            id: DeliveryId(round * 100 + part * 10 + attempt),
            outbox_id: OutboxId(1),
            inbox_id: InboxId(1),
            round,
            part,
            attempt,
            parts: 2,
            rank,
            open: false,
            uncertain,
            provider_id: None,
            provider_key: None,
            class: None,
            code: None,
            reason: Some("refused".into()),
            changed_at: Timestamp(0),
        }
    }

    #[test]
    fn the_word_of_an_entry_follows_its_latest_attempts() {
        use DeliveryState::{Accepted, Blocked, Delivered, Failed, Leased, Queued};
        let cases: Vec<(OutboxState, Vec<Delivery>, DeliveryState, bool)> = vec![
            (OutboxState::Held, vec![], Queued, false),
            (OutboxState::Blocked, vec![], Blocked, false),
            (OutboxState::Sending, vec![attempt(1, 0, 1, 0, false)], Leased, false),
            (OutboxState::Sending, vec![attempt(1, 0, 1, 0, true)], Queued, true),
            (OutboxState::Done, vec![attempt(1, 0, 1, 1, false), attempt(1, 1, 1, 4, false)], Accepted, false),
            (OutboxState::Done, vec![attempt(1, 0, 1, 4, false), attempt(1, 1, 1, 3, false)], Failed, false),
            (
                OutboxState::Done,
                vec![attempt(1, 0, 1, 0, false), attempt(1, 0, 2, 4, false), attempt(1, 1, 1, 4, false)],
                Delivered,
                false,
            ),
            (OutboxState::Queued, vec![attempt(1, 0, 1, 4, false), attempt(1, 1, 1, 4, false)], Delivered, false),
        ];
        for (state, deliveries, word, uncertain) in cases {
            let (got, _, combined) = word_of(&outbox(state, 1), &deliveries);
            assert_eq!((got, combined.uncertain), (word, uncertain), "{state} {deliveries:?}");
        }
    }

    #[test]
    fn attempts_of_an_older_round_no_longer_count() {
        let (word, ..) = word_of(&outbox(OutboxState::Queued, 2), &[attempt(1, 0, 1, 3, false)]);
        assert_eq!(word, DeliveryState::Queued);
    }
}
