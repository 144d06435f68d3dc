//! Which visitors have the widget open, as the sockets of all nodes tell: in memory, since losing it costs nothing but a mail
//! that goes out although somebody has just come back.

use model::{ConversationId, Timestamp, WorkspaceId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

const FORGET_MS: i64 = 48 * 3_600_000;
const COUNT_MAX: usize = 50_000;

/// Where the visitor of a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// The widget is open.
    Here,
    /// It was closed then.
    Left(Timestamp),
    /// Nothing was heard since this process began.
    Unknown,
}

/// The visitors of this process and of those it hears of.
#[derive(Clone, Debug, Default)]
pub struct Visitors(Arc<Mutex<HashMap<(WorkspaceId, ConversationId), Whereabouts>>>);

impl Visitors {
    /// A visitor opened the widget at a conversation, or the last window with it was closed.
    pub fn note(&self, workspace: WorkspaceId, conversation: ConversationId, here: bool, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= COUNT_MAX {
            all.retain(|_, at| !matches!(at, Whereabouts::Left(at) if now.since(*at) > FORGET_MS));
        }
        let place = (workspace, conversation);
        let before = all.get(&place).copied();
        match (before, here) {
            (_, true) => all.insert(place, Whereabouts::Here),
            // Left already: the first time counts.
            (Some(Whereabouts::Left(_)), false) => None,
            (_, false) => all.insert(place, Whereabouts::Left(now)),
        };
    }

    /// Where the visitor of a conversation is.
    pub fn at(&self, workspace: WorkspaceId, conversation: ConversationId) -> Whereabouts {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(workspace, conversation)).copied().unwrap_or(Whereabouts::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_has_left_when_the_last_window_closed() {
        let (visitors, place) = (Visitors::default(), (WorkspaceId(1), ConversationId(2)));
        let at = |v: &Visitors| v.at(place.0, place.1);
        assert_eq!(at(&visitors), Whereabouts::Unknown);
        visitors.note(place.0, place.1, true, Timestamp(1));
        assert_eq!(at(&visitors), Whereabouts::Here);
        visitors.note(place.0, place.1, false, Timestamp(5));
        visitors.note(place.0, place.1, false, Timestamp(9));
        assert_eq!(at(&visitors), Whereabouts::Left(Timestamp(5)));
        assert_eq!(visitors.at(WorkspaceId(2), place.1), Whereabouts::Unknown);
    }
}
