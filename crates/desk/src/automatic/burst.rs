//! The breaker: a sender who opens conversations or writes faster than any person is collected in one conversation, without
//! notification, and people are told once (email.md 11).

use crate::conversation::Locked;
use crate::conversation::add::add_event;
use crate::placement::{Action, Candidate, Placement};
use model::{Actor, ContactId, Timestamp, WorkspaceId};
use serde_json::json;
use store::automatic_answer::{self, Burst};
use store::{Conn, StoreError};

/// So long is counted together.
pub const WINDOW_MS: i64 = 600_000;
/// New conversations of one sender in that time.
pub const CONVERSATION_COUNT_MAX: i64 = 5;
/// Messages of one sender in that time.
pub const MESSAGE_COUNT_MAX: i64 = 20;

/// Counts one message of a sender. Pure.
pub fn count(before: Option<Burst>, opens: bool, now: Timestamp) -> Burst {
    let fresh = Burst { began_at: now, messages: 0, conversations: 0, open: false };
    let mut burst = before.filter(|b| now.since(b.began_at) <= WINDOW_MS).unwrap_or(fresh);
    burst.messages += 1;
    burst.conversations += i64::from(opens);
    let over = burst.messages > MESSAGE_COUNT_MAX || burst.conversations > CONVERSATION_COUNT_MAX;
    if over {
        burst.open = true;
        // While it goes on the window goes along: it closes when the sender has been quiet for its length.
        burst.began_at = now;
    }
    burst
}

/// What the breaker made of a placement.
pub struct Guarded {
    /// Where the message goes.
    pub placement: Placement,
    /// The breaker has just opened: say so in that conversation.
    pub opened: bool,
}

/// Counts a message of a contact and collects it where the breaker is open. The caller holds the contact's lock.
pub fn guard(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: ContactId,
    placement: Placement,
    candidates: &[Candidate],
    now: Timestamp,
) -> Result<Guarded, StoreError> {
    let before = automatic_answer::burst(tx, workspace, contact)?;
    let burst = count(before, matches!(placement.action, Action::New { .. }), now);
    automatic_answer::put_burst(tx, workspace, contact, burst)?;
    let was_open = before.is_some_and(|b| b.open && now.since(b.began_at) <= WINDOW_MS);
    let latest = candidates.iter().filter(|c| c.status.is_open()).max_by_key(|c| (c.active_at, c.id));
    let Some(into) = latest.filter(|_| burst.open) else { return Ok(Guarded { placement, opened: false }) };
    let action = Action::AppendSilently(into.id);
    Ok(Guarded { placement: Placement { rule: "T0-burst", action, ..placement }, opened: !was_open })
}

/// The one alert.
pub fn tell(tx: &mut dyn Conn, locked: &mut Locked, now: Timestamp) -> Result<(), StoreError> {
    let args =
        json!({"minutes": WINDOW_MS / 60_000, "messages_max": MESSAGE_COUNT_MAX, "conversations_max": CONVERSATION_COUNT_MAX});
    add_event(tx, locked, "conversation.sender_burst", "sender_burst", args, Actor::System, "", now)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_opens_above_its_limits_and_closes_after_a_quiet_window() {
        let mut burst = None;
        for n in 0..CONVERSATION_COUNT_MAX {
            burst = Some(count(burst, true, Timestamp(n)));
            assert!(!burst.unwrap().open);
        }
        let open = count(burst, true, Timestamp(10));
        assert!(open.open);
        assert!(count(Some(open), false, Timestamp(10 + WINDOW_MS)).open, "it goes on");
        assert!(!count(Some(open), false, Timestamp(11 + WINDOW_MS)).open, "it was quiet");
        let mut burst = None;
        for n in 0..MESSAGE_COUNT_MAX {
            burst = Some(count(burst, false, Timestamp(n)));
        }
        assert!(!burst.unwrap().open && count(burst, false, Timestamp(99)).open);
    }
}
