//! What follows from a message that has become an entry: its files are fetched, facts of the matter are kept, a code or
//! token that it brought proves who writes. Runs under the
//! conversation's lock, in the transaction of the entry.

use crate::conversation::Locked;
use crate::identity::Resolved;
use crate::{facts, handoff};
use channel::{Automatic, InboundMessage};
use model::{Actor, Timestamp};
use store::entry::Entry;
use store::handoff_token::HandoffToken;
use store::{Conn, StoreError};

/// Learns from a message that has become an entry. Machines and imported history teach nothing.
pub fn learn(
    tx: &mut dyn Conn,
    locked: &mut Locked,
    message: &InboundMessage,
    resolved: &Resolved,
    added: &Entry,
    token: Option<&HandoffToken>,
    now: Timestamp,
) -> Result<(), StoreError> {
    super::fetch_file::enqueue(tx, locked.workspace(), message, added)?;
    if let Some(token) = token {
        handoff::redeem::came_with_message(tx, locked, token, resolved.contact.id, added.channel, now)?;
    }
    if message.automatic != Automatic::No || message.history || message.junk {
        return Ok(());
    }
    let orders = locked.row.orders.clone();
    let stated = facts::stated(message, &orders);
    facts::learn(tx, locked, &stated, Some(added.id), Actor::Contact(resolved.contact.id), now)?;
    handoff::redeem::hear_code(tx, locked, &message.text, resolved.contact.id, resolved.point, now)?;
    Ok(())
}
