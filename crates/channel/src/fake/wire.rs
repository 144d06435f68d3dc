//! FakeChannel's wire: signed JSON in, JSON out.
//!
//! A webhook body is `{"events": [{"id": "..", "lane": "..", "event": {"kind": "message", ..}}]}`, where `event` is the
//! serde form of `InboundEvent`. Signed by HMAC-SHA256 over `<milliseconds>.<body>`.

use super::{FakeChannel, FakeParts};
use crate::{
    CameBy, InboundEvent, InboxSettings, Outbound, Quarantine, RawEvent, RawRequest, Rejected, SendContext, Verified, Webhook,
    WireRequest, content_key,
};
use hmac::{Hmac, Mac};
use model::{DeliveryState, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Header with the time of signing in milliseconds.
pub const TIMESTAMP_HEADER: &str = "x-fake-timestamp";
/// Header with the signature in hex.
pub const SIGNATURE_HEADER: &str = "x-fake-signature";
/// The secret of an inbox that has none named `signing`.
const SECRET: &str = "fake-signing-secret";
const AGE_MAX_MS: i64 = 5 * 60_000;
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// One event as the fake provider reports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FakeEvent {
    /// The provider's id of the event: the dedupe key.
    pub id: String,
    /// The external conversation.
    pub lane: String,
    /// JSON of an `InboundEvent`, or of whatever a test wants to break.
    pub event: Value,
}

impl FakeEvent {
    /// An event that is understood.
    pub fn new(id: impl Into<String>, lane: impl Into<String>, event: &InboundEvent) -> Self {
        Self::raw(id, lane, serde_json::to_value(event).expect("events are plain JSON"))
    }
    /// Any JSON.
    pub fn raw(id: impl Into<String>, lane: impl Into<String>, event: Value) -> Self {
        Self { id: id.into(), lane: lane.into(), event }
    }
    /// As it is stored, without the way through HTTP.
    pub fn raw_event(&self, received_at: Timestamp) -> RawEvent {
        RawEvent {
            dedupe_key: self.id.clone(),
            lane: self.lane.clone(),
            body: self.event.to_string().into_bytes(),
            headers: vec![],
            received_at,
            evidence: None,
        }
    }
}

/// A webhook call with these events, signed for an inbox.
pub fn signed_request(inbox: &InboxSettings, events: &[FakeEvent], at: Timestamp) -> RawRequest {
    let body = json!({ "events": events }).to_string().into_bytes();
    let signature = signature(inbox, &at.ms().to_string(), &body).iter().map(|byte| format!("{byte:02x}")).collect();
    RawRequest {
        came_by: CameBy::Http,
        method: "POST".to_owned(),
        path_and_query: format!("/webhooks/{}", inbox.id),
        headers: vec![(TIMESTAMP_HEADER.to_owned(), at.ms().to_string()), (SIGNATURE_HEADER.to_owned(), signature)],
        body,
        received_at: at,
    }
}

fn signature(inbox: &InboxSettings, at: &str, body: &[u8]) -> [u8; 32] {
    let secret = inbox.secrets.get("signing");
    let secret = secret.as_ref().map_or(SECRET, |secret| secret.expose());
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().into()
}

impl Webhook for FakeChannel {
    fn verify(&self, inbox: &InboxSettings, request: &RawRequest, now: Timestamp) -> Result<Verified, Rejected> {
        if request.body.len() > BODY_BYTES_MAX {
            return Err(Rejected::TooLarge { bytes_max: BODY_BYTES_MAX });
        }
        let (Some(at), Some(given)) = (request.header(TIMESTAMP_HEADER), request.header(SIGNATURE_HEADER)) else {
            return Err(Rejected::BadSignature);
        };
        let expected: String = signature(inbox, at, &request.body).iter().map(|byte| format!("{byte:02x}")).collect();
        if !bool::from(expected.as_bytes().ct_eq(given.as_bytes())) {
            return Err(Rejected::BadSignature);
        }
        let signed_at =
            at.parse().map(Timestamp).map_err(|_| Rejected::Malformed("the time of signing is no number".to_owned()))?;
        let age_ms = now.since(signed_at);
        if age_ms.abs() > AGE_MAX_MS {
            return Err(Rejected::Stale { age_ms, max_ms: AGE_MAX_MS });
        }
        Ok(Verified { headers: vec![], body: request.body.clone(), received_at: request.received_at, answer: None })
    }

    fn split(&self, verified: &Verified) -> Vec<RawEvent> {
        let body: Value = serde_json::from_slice(&verified.body).unwrap_or_default();
        let Some(events) = body.get("events").and_then(Value::as_array).filter(|events| !events.is_empty()) else {
            return vec![uncut(verified, &verified.body)];
        };
        let one = |event: &Value| match FakeEvent::deserialize(event) {
            Ok(event) => event.raw_event(verified.received_at),
            Err(_) => uncut(verified, event.to_string().as_bytes()),
        };
        events.iter().map(one).collect()
    }
}

fn uncut(verified: &Verified, body: &[u8]) -> RawEvent {
    RawEvent {
        dedupe_key: content_key(body),
        lane: String::new(),
        body: body.to_vec(),
        headers: vec![],
        received_at: verified.received_at,
        evidence: None,
    }
}

pub(super) fn parse(event: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
    let mut json: Value =
        serde_json::from_slice(&event.body).map_err(|_| Quarantine::new("not_json", "the event is not JSON"))?;
    let kind = json.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    match kind.as_str() {
        "" => return Err(Quarantine::new("no_kind", "the event has no kind")),
        // For tests of whoever calls parse: an adapter with a bug must not stop the others.
        "panic" => panic!("a test asked for a panic in parse"),
        // An unknown status means pending, never failed.
        "delivery" => {
            let known = json.get("state").and_then(Value::as_str).and_then(DeliveryState::parse).and_then(DeliveryState::rank);
            if known.is_none() {
                json["state"] = DeliveryState::Queued.word().into();
            }
        }
        known if InboundEvent::WORDS.contains(&known) => {}
        unknown => {
            let lane = Some(event.lane.clone()).filter(|lane| !lane.is_empty());
            let from = json.get("from").and_then(|from| Deserialize::deserialize(from).ok()).unwrap_or_default();
            return Ok(vec![InboundEvent::Unsupported { kind: unknown.to_owned(), from, external_conversation: lane }]);
        }
    }
    InboundEvent::deserialize(json)
        .map(|event| vec![event])
        .map_err(|error| Quarantine::new("bad_fields", format!("{kind}: {error}")))
}

pub(super) fn render(outbound: &Outbound, context: &SendContext, how: FakeParts, with_key: bool) -> Vec<WireRequest> {
    let mut texts: Vec<String> = match how.text_chars {
        Some(max) if max > 0 => {
            let chars: Vec<char> = outbound.text.chars().collect();
            chars.chunks(max as usize).map(|piece| piece.iter().collect()).collect()
        }
        _ => vec![outbound.text.clone()],
    };
    if texts.is_empty() {
        texts.push(String::new());
    }
    let mut pieces: Vec<_> = texts.into_iter().map(|text| (text, vec![])).collect();
    if how.files_apart {
        pieces.retain(|(text, _)| !text.is_empty() || outbound.files.is_empty());
        pieces.extend(outbound.files.iter().map(|file| (String::new(), vec![file.clone()])));
    } else if let Some(last) = pieces.last_mut() {
        last.1 = outbound.files.clone();
    }
    let parts = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
    let request = |(part, (text, files)): (usize, (String, _))| {
        let correlation = format!("{}/{part}", context.correlation);
        let body = json!({
            "to": outbound.to.value,
            "text": text,
            "subject": outbound.subject,
            "html": outbound.html,
            "template": outbound.template.as_ref().map(|template| &template.name),
            "reply_to": outbound.reply_to,
            "message_id": context.message_id,
            "reply_address": context.reply_address,
            "cc": outbound.cc.iter().chain(&outbound.mail.also_to).map(|r| &r.value).collect::<Vec<_>>(),
            "bcc": outbound.mail.bcc.iter().map(|r| &r.value).collect::<Vec<_>>(),
            "references": outbound.mail.references,
            "in_reply_to": outbound.mail.in_reply_to,
            "signature": outbound.mail.signature.as_ref().map(|s| &s.text),
            "quotes": outbound.mail.quotes.iter().map(|q| &q.text).collect::<Vec<_>>(),
            "automatic": outbound.mail.automatic,
            "unsubscribe": outbound.mail.unsubscribe,
            "contents": context.contents.0.values().map(|bytes| bytes.len()).collect::<Vec<_>>(),
            "from": context.inbox.name,
        });
        WireRequest {
            part: u32::try_from(part).unwrap_or(u32::MAX),
            parts,
            idempotency_key: with_key.then(|| correlation.clone()),
            correlation,
            method: "POST".to_owned(),
            url: format!("fake:{}", outbound.to.value),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
            files,
        }
    };
    pieces.into_iter().enumerate().map(request).collect()
}
