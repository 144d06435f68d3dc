//! What an agent may still do with an answer: take it back, send it now, try again, ask whether it arrived.

use crate::context::{Desk, Who};
use crate::outbox::enqueue::release;
use crate::outbox::{DeliverOutbox, deliver, show, word_of};
use model::{EntryId, Health, OutboxState};
use store::entry::{self, Entry};
use store::job;
use store::outbox::{self, Outbox};
use store::{Conn, Route, StoreError};

/// Which rule said no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HoldError {
    /// No such entry, or nothing of it goes out.
    #[error("there is no such message on its way")]
    NotFound,
    /// Too late to take back.
    #[error("it is on its way already")]
    AlreadySent,
    /// It may have been sent: sending again needs a clear yes.
    #[error("it may have been sent; send it again only if the customer may get it twice")]
    Uncertain,
    /// Nothing went wrong with it.
    #[error("it was not refused, so there is nothing to try again")]
    NotFailed,
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

type Answer = Result<Result<Entry, HoldError>, StoreError>;

fn rows(tx: &mut dyn Conn, who: &Who, id: EntryId) -> Result<Option<Vec<Outbox>>, StoreError> {
    let rows = outbox::of_entry(tx, who.workspace, id)?;
    Ok((!rows.is_empty()).then_some(rows))
}

fn reread(tx: &mut dyn Conn, who: &Who, id: EntryId) -> Answer {
    Ok(Ok(entry::find(tx, who.workspace, id)?.ok_or(StoreError::NotFound)?))
}

/// Takes a held answer back before it goes.
pub async fn cancel_hold(desk: &Desk, who: &Who, id: EntryId) -> Result<Entry, HoldError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Answer {
            let Some(rows) = rows(tx, &who, id)? else { return Ok(Err(HoldError::NotFound)) };
            if rows.iter().any(|r| !matches!(r.state, OutboxState::Held | OutboxState::Cancelled)) {
                return Ok(Err(HoldError::AlreadySent));
            }
            for mut row in rows.into_iter().filter(|r| r.state == OutboxState::Held) {
                row.state = OutboxState::Cancelled;
                if !outbox::save(tx, who.workspace, &row)? {
                    return Err(StoreError::Busy);
                }
                show(tx, who.workspace, &row, now)?;
            }
            reread(tx, &who, id)
        })
        .await?
}

/// Ends a hold at once.
pub async fn send_now(desk: &Desk, who: &Who, id: EntryId) -> Result<Entry, HoldError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Answer {
            let Some(rows) = rows(tx, &who, id)? else { return Ok(Err(HoldError::NotFound)) };
            for row in rows {
                release(tx, who.workspace, row.id, now)?;
            }
            reread(tx, &who, id)
        })
        .await?
}

/// Tries a failed, blocked or expired answer again, in a new round of attempts: no older state is rewound. One that may
/// have been sent needs `force`.
pub async fn retry(desk: &Desk, who: &Who, id: EntryId, force: bool) -> Result<Entry, HoldError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Answer {
            let Some(rows) = rows(tx, &who, id)? else { return Ok(Err(HoldError::NotFound)) };
            let mut again = 0;
            for mut row in rows {
                let deliveries = outbox::deliveries(tx, who.workspace, row.id)?;
                let (state, _, combined) = word_of(&row, &deliveries);
                if combined.uncertain && !force {
                    return Ok(Err(HoldError::Uncertain));
                }
                let ended = matches!(row.state, OutboxState::Done | OutboxState::Blocked | OutboxState::Expired);
                let failed = state.rank() == model::DeliveryState::Failed.rank() || state.rank().is_none();
                if !ended || !(failed || combined.uncertain) {
                    continue;
                }
                row.state = OutboxState::Queued;
                row.reason = None;
                row.round += 1;
                if !outbox::save(tx, who.workspace, &row)? {
                    return Err(StoreError::Busy);
                }
                // The agent says the address is right: a bounce of the past must not stop this attempt.
                if let Some(point) = row.contact_point_id
                    && let Some(found) = store::contact_point::find(tx, who.workspace, point)?
                    && found.health == Health::Bounced
                {
                    store::contact_point::set_health(tx, who.workspace, point, Health::Ok)?;
                }
                job::enqueue(tx, who.workspace, &DeliverOutbox::of(&row), now)?;
                show(tx, who.workspace, &row, now)?;
                again += 1;
            }
            if again == 0 {
                return Ok(Err(HoldError::NotFailed));
            }
            reread(tx, &who, id)
        })
        .await?
}

/// Asks the provider whether an uncertain answer arrived.
pub async fn check(desk: &Desk, who: &Who, id: EntryId) -> Result<Entry, HoldError> {
    let (workspace, asker) = (who.workspace, who.clone());
    let rows = desk.db.read(move |tx| rows(tx, &asker, id)).await?.ok_or(HoldError::NotFound)?;
    for row in rows {
        deliver::check(desk, workspace, row.id).await?;
    }
    let who = who.clone();
    desk.db.read(move |tx| reread(tx, &who, id)).await?
}
