//! Raw things: what came over the wire, before anybody understood it.

use crate::inbound::ContactPointClaim;
use model::Timestamp;
use sha2::{Digest, Sha256};

/// Through which door a request came. An adapter trusts what our own code wrote into the headers only behind `Widget`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CameBy {
    /// The public webhook route: everything in it was written by a stranger.
    Http,
    /// Our own widget door, after it checked token, origin and limits; the headers are ours.
    Widget,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawRequest {
    /// Which door.
    pub came_by: CameBy,
    /// Upper-case method.
    pub method: String,
    /// Path and query as sent. Where a signature covers the URL, the adapter takes the public URL from its settings.
    pub path_and_query: String,
    /// Headers in order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, untouched: signatures cover these bytes.
    pub body: Vec<u8>,
    /// When we had all of it.
    pub received_at: Timestamp,
}

impl RawRequest {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }
}

fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A request that surely came from the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The headers that `parse` will need; credentials are left out here, so they are never stored.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When we had all of it.
    pub received_at: Timestamp,
    /// What to answer at once, where the provider's handshake wants it. `None`: 200 after the commit.
    pub answer: Option<Answer>,
}

impl Verified {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }
}

/// An immediate answer (Meta's `hub.challenge`, Slack's `url_verification`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Content type.
    pub content_type: String,
    /// Body.
    pub body: Vec<u8>,
}

/// Why a request was not believed. Nothing is stored; the log gets the word, never the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// Missing or wrong signature: 401.
    #[error("the signature is missing or wrong")]
    BadSignature,
    /// Signed too long ago, or in the future: 401.
    #[error("the request is {age_ms} ms old; at most {max_ms} ms are accepted")]
    Stale {
        /// How old it says it is (negative: from the future).
        age_ms: i64,
        /// What is accepted.
        max_ms: i64,
    },
    /// Not a request of this provider at all: 400.
    #[error("{0}")]
    Malformed(String),
    /// Too large: 413.
    #[error("the request has more than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
}

/// One event as it is stored: raw, with a key that makes it unique in its inbox.
#[derive(Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// Unique per inbox: a repeat inserts nothing.
    pub dedupe_key: String,
    /// The external conversation: events of one lane are processed in order. Empty = the inbox as a whole.
    pub lane: String,
    /// Bytes of this event.
    pub body: Vec<u8>,
    /// Headers that `parse` needs.
    pub headers: Vec<(String, String)>,
    /// When we had it.
    pub received_at: Timestamp,
    /// What `Evidence::gather` found; kept, so that parsing again gives the same.
    pub evidence: Option<Vec<u8>>,
}

impl std::fmt::Debug for RawEvent {
    // Content never enters a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawEvent({:?}, {} bytes)", self.dedupe_key, self.body.len())
    }
}

/// Why stored bytes are no raw event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stored bytes are not a raw event: {0}")]
pub struct DecodeError(&'static str);

// Stored form: version, number of headers, then each name and value with its length, then the body to the end.
const VERSION: u8 = 1;

impl RawEvent {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// Headers and body as the bytes that the store keeps in `raw`. Key, lane, time and evidence have columns.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 64);
        out.push(VERSION);
        put_len(&mut out, self.headers.len());
        for (name, value) in &self.headers {
            for text in [name, value] {
                put_len(&mut out, text.len());
                out.extend_from_slice(text.as_bytes());
            }
        }
        out.extend_from_slice(&self.body);
        out
    }

    /// Reads what `encode` wrote. The columns of the row give the rest.
    pub fn decode(
        raw: &[u8],
        dedupe_key: String,
        lane: String,
        received_at: Timestamp,
        evidence: Option<Vec<u8>>,
    ) -> Result<Self, DecodeError> {
        let (version, mut rest) = raw.split_first().ok_or(DecodeError("empty"))?;
        if *version != VERSION {
            return Err(DecodeError("unknown version"));
        }
        let count = take_len(&mut rest)?;
        let mut headers = Vec::new();
        for _ in 0..count {
            headers.push((take_text(&mut rest)?, take_text(&mut rest)?));
        }
        Ok(Self { dedupe_key, lane, body: rest.to_vec(), headers, received_at, evidence })
    }

    /// SHA-256 over the encoded bytes, in hex: finds the same content under another key.
    pub fn content_key(&self) -> String {
        content_key(&self.encode())
    }
}

/// SHA-256 in hex: the dedupe key of a body that cannot be cut, and the way to shorten long keys.
pub fn content_key(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

// LEB128: a byte for what is shorter than 128, which headers are.
fn put_len(out: &mut Vec<u8>, mut len: usize) {
    while len >= 0x80 {
        out.push((len & 0x7f) as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
}

fn take_len(rest: &mut &[u8]) -> Result<usize, DecodeError> {
    let mut len = 0usize;
    for shift in (0..35).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(DecodeError("cut in a length"))?;
        *rest = after;
        len |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(len);
        }
    }
    Err(DecodeError("a length is too long"))
}

fn take_text(rest: &mut &[u8]) -> Result<String, DecodeError> {
    let len = take_len(rest)?;
    let (text, after) = rest.split_at_checked(len).ok_or(DecodeError("cut in a header"))?;
    *rest = after;
    String::from_utf8(text.to_vec()).map_err(|_| DecodeError("a header is not text"))
}

/// An event that could not be understood. It is kept and listed with this reason; the next one goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// Stable word such as `not_json`.
    pub reason: String,
    /// One sentence for an admin; no content of the message.
    pub detail: String,
    /// Who sent it, when even that much was readable.
    pub from: Option<Box<ContactPointClaim>>,
}

impl Quarantine {
    /// A reason with its sentence.
    pub fn new(reason: &str, detail: impl Into<String>) -> Self {
        Self { reason: reason.to_owned(), detail: detail.into(), from: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(raw: &[u8]) -> Result<RawEvent, DecodeError> {
        RawEvent::decode(raw, "k".into(), "l".into(), Timestamp(5), None)
    }

    #[test]
    fn a_broken_row_is_an_error_and_not_a_panic() {
        for raw in [
            &b""[..],
            b"\x02",
            b"\x01",
            b"\x01\x01\x05ab",
            b"\x01\x01\xff\xff\xff\xff\xff\xff",
            b"\x01\x01\x01\xff\x01a",
            b"\x01\xff\xff\x7f",
        ] {
            assert!(decode(raw).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn the_stored_form_costs_a_few_bytes() {
        let event = RawEvent {
            dedupe_key: "k".into(),
            lane: "l".into(),
            body: vec![7; 100],
            headers: vec![("a".into(), "b".into())],
            received_at: Timestamp(5),
            evidence: None,
        };
        assert_eq!(event.encode().len(), 106);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(headers in prop::collection::vec((".{0,40}", ".{0,300}"), 0..6), body in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let event = RawEvent { dedupe_key: "k".into(), lane: "l".into(), body, headers, received_at: Timestamp(5), evidence: None };
            prop_assert_eq!(decode(&event.encode()), Ok(event));
        }

        #[test]
        fn random_bytes_never_panic(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&raw);
        }
    }
}
