//! What stands before the widget and lives in memory: rates per network address and per visitor, and answers that are kept
//! for a moment because many ask the same.

use axum::extract::ws::Utf8Bytes;
use channel_webchat::rate::{Limit, Limiter};
use model::{InboxId, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Addresses and visitors that are counted at once. Whoever comes beyond that waits.
const KEYS_MAX: usize = 50_000;
/// Frames other than messages that a visitor may send.
const SIGNALS: Limit = Limit { capacity: 120, refill: 240, per_ms: 60_000 };
/// Files that a visitor may upload.
const UPLOADS: Limit = Limit { capacity: 20, refill: 20, per_ms: 60_000 };
/// Requests of one network address, whatever they are: high enough for an office behind one address.
const REQUESTS: Limit = Limit { capacity: 600, refill: 1_200, per_ms: 60_000 };
/// Links that one network address may open.
const LINKS: Limit = Limit { capacity: 60, refill: 60, per_ms: 60_000 };
/// Whether somebody is there is looked at again this often, since opening hours begin without anybody doing anything.
const AVAILABILITY_MS: i64 = 30_000;
/// How long an answer takes, is worked out this often.
const WAIT_MS: i64 = 60_000;

type Visitor = (InboxId, String);

/// The doors. One per node.
pub struct Doors {
    new_visitors: Mutex<Limiter<Visitor>>,
    messages: Mutex<Limiter<Visitor>>,
    signals: Mutex<Limiter<Visitor>>,
    uploads: Mutex<Limiter<Visitor>>,
    requests: Mutex<Limiter<String>>,
    events: Mutex<Limiter<InboxId>>,
    links: Mutex<Limiter<String>>,
    availability: Mutex<HashMap<InboxId, (Timestamp, Utf8Bytes)>>,
    waits: Mutex<HashMap<InboxId, (Timestamp, Option<i64>)>>,
}

impl Default for Doors {
    fn default() -> Self {
        Self {
            new_visitors: Mutex::new(Limiter::new(KEYS_MAX)),
            messages: Mutex::new(Limiter::new(KEYS_MAX)),
            signals: Mutex::new(Limiter::new(KEYS_MAX)),
            uploads: Mutex::new(Limiter::new(KEYS_MAX)),
            requests: Mutex::new(Limiter::new(KEYS_MAX)),
            events: Mutex::new(Limiter::new(KEYS_MAX)),
            links: Mutex::new(Limiter::new(KEYS_MAX)),
            availability: Mutex::default(),
            waits: Mutex::default(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Doors {
    /// A new visitor from this address; the error is how long to wait, in milliseconds.
    pub fn new_visitor(&self, inbox: InboxId, address: &str, per_hour: u32, now: Timestamp) -> Result<(), i64> {
        lock(&self.new_visitors).take((inbox, address.to_owned()), Limit::per_hour(per_hour), now)
    }
    /// A message of this visitor.
    pub fn message(&self, inbox: InboxId, visitor: &str, per_minute: u32, now: Timestamp) -> Result<(), i64> {
        lock(&self.messages).take((inbox, visitor.to_owned()), Limit::per_minute(per_minute), now)
    }
    /// Another frame of this visitor.
    pub fn signal(&self, inbox: InboxId, visitor: &str, now: Timestamp) -> Result<(), i64> {
        lock(&self.signals).take((inbox, visitor.to_owned()), SIGNALS, now)
    }
    /// A file of this visitor.
    pub fn upload(&self, inbox: InboxId, visitor: &str, now: Timestamp) -> Result<(), i64> {
        lock(&self.uploads).take((inbox, visitor.to_owned()), UPLOADS, now)
    }
    /// An event that a program brings to this inbox.
    pub fn event(&self, inbox: InboxId, per_minute: u32, now: Timestamp) -> Result<(), i64> {
        lock(&self.events).take(inbox, Limit::per_minute(per_minute), now)
    }
    /// A look at a link, or a press on it: nobody needs many, and a guesser gets nowhere.
    pub fn link(&self, address: &str, now: Timestamp) -> Result<(), i64> {
        lock(&self.links).take(address.to_owned(), LINKS, now)
    }
    /// Any request of this address.
    pub fn request(&self, address: &str, now: Timestamp) -> Result<(), i64> {
        // Our own machine: a proxy that nobody told us of, behind which everybody would share one bucket; or a load test.
        if address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()) {
            return Ok(());
        }
        lock(&self.requests).take(address.to_owned(), REQUESTS, now)
    }

    /// Is it time to look whether somebody is there?
    pub fn availability_is_due(&self, inbox: InboxId, changed: bool, now: Timestamp) -> bool {
        changed || lock(&self.availability).get(&inbox).is_none_or(|(at, _)| now.since(*at) >= AVAILABILITY_MS)
    }
    /// Notes what visitors were told; true when that is news.
    pub fn availability_changed(&self, inbox: InboxId, frame: &Utf8Bytes, now: Timestamp) -> bool {
        let before = lock(&self.availability).insert(inbox, (now, frame.clone()));
        before.is_some_and(|(_, before)| before != *frame)
    }

    /// Was somebody there when it was looked at last?
    pub fn known_online(&self, inbox: InboxId) -> bool {
        lock(&self.availability).get(&inbox).is_some_and(|(_, frame)| frame.contains("\"online\":true"))
    }

    /// The expected wait as it was worked out a moment ago.
    pub fn known_wait(&self, inbox: InboxId, now: Timestamp) -> Option<Option<i64>> {
        lock(&self.waits).get(&inbox).filter(|(at, _)| (0..WAIT_MS).contains(&now.since(*at))).map(|(_, wait)| *wait)
    }
    /// Notes the expected wait.
    pub fn set_wait(&self, inbox: InboxId, wait: Option<i64>, now: Timestamp) {
        lock(&self.waits).insert(inbox, (now, wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_and_addresses_are_held_back_each_for_themselves() {
        let doors = Doors::default();
        let (inbox, now) = (InboxId(1), Timestamp(1_000_000));
        assert!(doors.new_visitor(inbox, "192.0.2.1", 1, now).is_ok());
        assert!(doors.new_visitor(inbox, "192.0.2.1", 1, now).is_err());
        assert!(doors.new_visitor(inbox, "192.0.2.2", 1, now).is_ok());
        assert!(doors.new_visitor(InboxId(2), "192.0.2.1", 1, now).is_ok());
        assert_eq!((0..40).filter(|_| doors.message(inbox, "vis_a", 30, now).is_ok()).count(), 30);
        assert!(doors.message(inbox, "vis_b", 30, now).is_ok());
    }

    #[test]
    fn only_changes_of_availability_are_news() {
        let doors = Doors::default();
        let (inbox, now) = (InboxId(1), Timestamp(1_000_000));
        assert!(doors.availability_is_due(inbox, false, now));
        assert!(!doors.availability_changed(inbox, &Utf8Bytes::from_static("a"), now), "the first look is told to nobody");
        assert!(!doors.availability_is_due(inbox, false, now.plus_ms(1_000)));
        assert!(doors.availability_is_due(inbox, true, now.plus_ms(1_000)));
        assert!(doors.availability_changed(inbox, &Utf8Bytes::from_static("b"), now));
        assert!(!doors.availability_changed(inbox, &Utf8Bytes::from_static("b"), now));
    }
}
