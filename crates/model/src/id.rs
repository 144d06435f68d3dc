//! Ids: 63-bit integers ordered by the time of their making, shown outside as `cnv_0cn99439p060h`.
//!
//! Layout: 42 bits of milliseconds since 2020-01-01, 10 bits of node, 11 bits of sequence (docs/STORE.md, "Ids").
//! In Rust each noun has its own type around an `i64`; in JSON and logs an id is always text, never a number.

use crate::clock::Clock;
use crate::time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// 2020-01-01T00:00:00Z in epoch milliseconds: the zero of the time part of an id.
pub const ID_EPOCH_MS: i64 = 1_577_836_800_000;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id such as {prefix}_0cn99439p060h")]
pub struct IdError {
    /// The prefix that was wanted.
    pub prefix: &'static str,
}

/// The 13 characters of an id in Crockford base32.
pub fn encode(id: i64) -> String {
    let mut value = id as u64;
    let mut out = [b'0'; 13];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Reads the 13 characters; upper case, `o` for 0, `i` and `l` for 1 are accepted.
pub fn decode(text: &str) -> Option<i64> {
    if text.len() != 13 {
        return None;
    }
    let mut value: u64 = 0;
    for (at, c) in text.bytes().enumerate() {
        let c = match c.to_ascii_lowercase() {
            b'o' => b'0',
            b'i' | b'l' => b'1',
            other => other,
        };
        let digit = ALPHABET.iter().position(|a| *a == c)? as u64;
        if at == 0 && digit > 7 {
            return None;
        }
        value = value << 5 | digit;
    }
    i64::try_from(value).ok()
}

/// The time part of an id: when it was made.
pub fn made_at(id: i64) -> Timestamp {
    Timestamp((id >> 21) + ID_EPOCH_MS)
}

/// The smallest id that can be made at `at`: for tests and for the loader, which makes ids of its own.
pub fn first_at(at: Timestamp) -> i64 {
    (at.0 - ID_EPOCH_MS).max(0) << 21
}

macro_rules! ids {
    (($d:tt) $($(#[$doc:meta])* $name:ident $prefix:literal),+ $(,)?) => {
    /// Calls a macro with the names of all id types, so that another crate can implement its traits for each.
    #[macro_export]
    macro_rules! for_each_id {
        ($d call:ident) => { $d call! { $($name)+ } };
    }
    $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);
        impl $name {
            /// The kind prefix of the text form.
            pub const PREFIX: &'static str = $prefix;
            /// Reads the text form.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                text.split_once('_')
                    .filter(|(prefix, _)| prefix.eq_ignore_ascii_case($prefix))
                    .and_then(|(_, rest)| decode(rest))
                    .map(Self)
                    .ok_or(IdError { prefix: $prefix })
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), encode(self.0))
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-9a-hjkmnp-tv-z]{13}$")))
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {}
        impl From<i64> for $name {
            fn from(id: i64) -> Self {
                Self(id)
            }
        }
        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }
    )+};
}

ids! {
    // The dollar sign lets this macro write `for_each_id`.
    ($)
    /// A tenant: one business with its own people, inboxes and settings.
    WorkspaceId "wsp",
    /// A person of the business who answers.
    AgentId "agt",
    /// A group of agents.
    TeamId "tem",
    /// A customer as one person, whatever the channel.
    ContactId "ctc",
    /// One phone number, address, handle or visitor id.
    ContactPointId "ctp",
    /// One configured account on a channel.
    InboxId "ibx",
    /// A label over entries of a contact's timeline.
    ConversationId "cnv",
    /// One message, call, note or event of a timeline.
    EntryId "ent",
    /// A file that belongs to an entry or a draft.
    AttachmentId "att",
    /// Stored bytes.
    BlobId "blb",
    /// A row of the event log.
    EventId "evt",
    /// A piece of work that follows a change.
    JobId "job",
    /// One entry on its way to one receiver.
    OutboxId "out",
    /// One attempt of one part of an outbox row.
    DeliveryId "dlv",
    /// A raw event as a channel gave it to us.
    ProviderEventId "pev",
    /// An unsent text.
    DraftId "drf",
    /// Words under mails.
    SignatureId "sgn",
    /// A prepared text.
    TemplateId "tpl",
    /// A conversation that an agent is about to begin.
    ComposeDraftId "cdr",
    /// An address for the answers of one conversation.
    DeliveryAddressId "dad",
    /// A word put on conversations.
    TagId "tag",
    /// A phone call.
    CallId "cal",
    /// Opening hours.
    BusinessHoursId "bhr",
    /// A login session of an agent.
    LoginSessionId "lgs",
    /// A recorded merge of two contacts.
    ContactMergeId "mrg",
    /// An invitation of an agent.
    InvitationId "inv",
    /// A record of why an entry was placed where it is.
    DecisionId "dec",
    /// A person who takes part in a conversation.
    ParticipantId "ptc",
    /// A saved view.
    ViewId "viw",
    /// A sealed secret.
    SecretId "sec",
    /// Something known about the matter of a conversation.
    FactId "fct",
    /// A proof of who a customer is, for a while.
    ProofId "prf",
    /// A link or code that leads to another channel.
    HandoffId "hnd",
    /// A folder of an inbox that is pulled.
    PullFolderId "pfd",
    /// Something that went wrong with pulling an inbox.
    PullTroubleId "ptr",
    /// A sender whose automatic mail makes conversations.
    AllowedSenderId "als",
    /// A firm that contacts belong to.
    CompanyId "cpy",
    /// A field of contacts that the business made itself.
    ContactFieldId "cfd",
    /// One statement of consent.
    ConsentId "cns",
    /// A saved filter over contacts.
    SegmentId "seg",
    /// A file of people that was taken in.
    ImportId "imp",
}

/// Makes ids that only grow, also when the clock steps back. One per process and node number.
pub struct IdSource {
    clock: Arc<dyn Clock>,
    node: i64,
    last: AtomicI64,
    ids_up_to: AtomicI64,
}

impl IdSource {
    /// `node` is the leased node number (0 in tests, never leased); no id will be made before `not_before`.
    pub fn new(clock: Arc<dyn Clock>, node: u16, not_before: Timestamp) -> Self {
        let floor = ((not_before.0 - ID_EPOCH_MS).max(0) << 11) - 1;
        Self { clock, node: i64::from(node & 1023), last: AtomicI64::new(floor.max(-1)), ids_up_to: AtomicI64::new(i64::MAX) }
    }
    /// The next id. Same millisecond: next sequence number. Sequence full or clock behind: borrows from the future.
    /// Waits for nothing and never goes back; panics only past the leased horizon, which means a renewal was missed.
    pub fn next_id(&self) -> i64 {
        let now_part = (self.clock.now().0 - ID_EPOCH_MS).max(0) << 11;
        let used = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some((last + 1).max(now_part)))
            .unwrap_or_else(|last| last);
        let next = (used + 1).max(now_part);
        (next >> 11) << 21 | self.node << 11 | (next & 2047)
    }
    /// The time part of the last id that was made.
    pub fn last(&self) -> Timestamp {
        Timestamp((self.last.load(Ordering::SeqCst).max(0) >> 11) + ID_EPOCH_MS)
    }
    /// How far the ids run ahead of the clock, in milliseconds (0 when they do not).
    pub fn ahead_ms(&self) -> i64 {
        self.last().since(self.clock.now()).max(0)
    }
    /// Sets the leased horizon (docs/STORE.md, "Node number").
    pub fn set_ids_up_to(&self, until: Timestamp) {
        self.ids_up_to.store(until.0, Ordering::SeqCst);
    }
    /// True while ids may be made: the time part of the next one is inside the lease.
    pub fn may_make(&self) -> bool {
        self.clock.now().0.max(self.last().0) <= self.ids_up_to.load(Ordering::SeqCst)
    }
    /// The node number inside the ids.
    pub fn node(&self) -> u16 {
        self.node as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    #[test]
    fn the_example_of_the_docs_reads_and_writes() {
        let id = ConversationId(456_316_158_209_955_857);
        assert_eq!(id.to_string(), "cnv_0cn99439p060h");
        assert_eq!(ConversationId::parse("CNV_OCN99439PO6OH").unwrap(), id);
        assert_eq!(made_at(id.0).to_string(), "2026-11-23T09:15:00.123Z");
        for wrong in ["ent_0cn99439p060h", "cnv_0cn99439p060", "cnv_8cn99439p060h", "cnv_0cn99439p06uh", "0cn99439p060h", ""] {
            assert!(ConversationId::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"cnv_0cn99439p060h\"");
        assert!(serde_json::from_str::<ConversationId>("456316158209955857").is_err());
    }

    #[test]
    fn ids_grow_when_the_sequence_is_full_and_when_the_clock_steps_back() {
        let clock = Arc::new(FakeClock::new(Timestamp(ID_EPOCH_MS + 1_000)));
        let ids = IdSource::new(clock.clone(), 3, Timestamp(0));
        let mut before = -1;
        for round in 0..6_000 {
            if round == 3_000 {
                clock.advance_ms(-900);
            }
            let id = ids.next_id();
            assert!(id > before);
            assert_eq!((id >> 11) & 1023, 3);
            before = id;
        }
        assert!(ids.ahead_ms() >= 900);
        clock.advance_ms(10_000);
        assert_eq!(made_at(ids.next_id()), clock.now());
    }

    #[test]
    fn ids_begin_no_earlier_than_asked_and_know_their_horizon() {
        let clock = Arc::new(FakeClock::new(Timestamp(ID_EPOCH_MS + 1_000)));
        let ids = IdSource::new(clock.clone(), 1, Timestamp(ID_EPOCH_MS + 5_000));
        assert_eq!(made_at(ids.next_id()), Timestamp(ID_EPOCH_MS + 5_000));
        ids.set_ids_up_to(Timestamp(ID_EPOCH_MS + 6_000));
        assert!(ids.may_make());
        clock.advance_ms(9_000);
        assert!(!ids.may_make());
    }

    proptest::proptest! {
        #[test]
        fn text_order_is_number_order(a in 0..i64::MAX, b in 0..i64::MAX) {
            proptest::prop_assert_eq!(decode(&encode(a)), Some(a));
            proptest::prop_assert_eq!(encode(a).cmp(&encode(b)), a.cmp(&b));
        }
    }
}
