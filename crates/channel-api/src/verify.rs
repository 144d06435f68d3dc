//! The door: key or signature of the inbox, then one event for each thing that happened.

use crate::settings::ApiSettings;
use crate::sign::{self, ID_HEADER, SIGNATURE_HEADER, SignatureError, TIMESTAMP_HEADER};
use crate::{ApiChannel, KEY, KEY_PREVIOUS};
use channel::{InboxSettings, RawEvent, RawRequest, Rejected, Verified, Webhook, content_key};
use model::Timestamp;
use serde_json::Value;
use subtle::ConstantTimeEq;

/// Largest body of events.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Most events in one body.
pub const EVENT_COUNT_MAX: usize = 100;

fn is_key(given: &str, keys: &[&str]) -> bool {
    keys.iter().fold(false, |found, key| found | bool::from(key.as_bytes().ct_eq(given.as_bytes())))
}

impl Webhook for ApiChannel {
    fn verify(&self, inbox: &InboxSettings, request: &RawRequest, now: Timestamp) -> Result<Verified, Rejected> {
        if request.body.len() > BODY_BYTES_MAX {
            return Err(Rejected::TooLarge { bytes_max: BODY_BYTES_MAX });
        }
        let secrets: Vec<_> = [KEY, KEY_PREVIOUS].into_iter().filter_map(|name| inbox.secrets.get(name)).collect();
        let keys: Vec<&str> = secrets.iter().map(|secret| secret.expose()).filter(|key| !key.is_empty()).collect();
        let shown = request.header("authorization").map(|value| {
            let (scheme, key) = value.trim().split_once(' ').unwrap_or_default();
            scheme.eq_ignore_ascii_case("bearer") && is_key(key.trim(), &keys)
        });
        // A key that is shown must be right, also beside a good signature.
        if shown == Some(false) {
            return Err(Rejected::BadSignature);
        }
        let signature = request.header(SIGNATURE_HEADER);
        if signature.is_some() || shown.is_none() || ApiSettings::of(inbox).require_signature {
            let (id, at) = (request.header(ID_HEADER), request.header(TIMESTAMP_HEADER));
            sign::check(&keys, id, at, signature, &request.body, now).map_err(|error| match error {
                SignatureError::Wrong => Rejected::BadSignature,
                SignatureError::NoTime => Rejected::Malformed("webhook-timestamp is no number of seconds".to_owned()),
                SignatureError::Stale { age_ms } => Rejected::Stale { age_ms, max_ms: sign::AGE_MAX_MS },
            })?;
        }
        Ok(Verified { headers: vec![], body: request.body.clone(), received_at: request.received_at, answer: None })
    }

    fn split(&self, verified: &Verified) -> Vec<RawEvent> {
        let Ok(body) = serde_json::from_slice::<Value>(&verified.body) else { return vec![uncut(verified, &verified.body)] };
        match body.get("events") {
            Some(Value::Array(events)) if !events.is_empty() => events.iter().map(|event| cut(verified, event)).collect(),
            Some(_) => vec![uncut(verified, &verified.body)],
            None => vec![cut(verified, &body)],
        }
    }
}

fn cut(verified: &Verified, event: &Value) -> RawEvent {
    let bytes = event.to_string().into_bytes();
    match event.get("event_id").and_then(Value::as_str).filter(|id| !id.is_empty()) {
        Some(id) => RawEvent { dedupe_key: id.to_owned(), lane: lane_of(event), ..uncut(verified, &bytes) },
        None => uncut(verified, &bytes),
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

/// The thread, else the customer: what must stay in order. Reports merge in any order and need none.
fn lane_of(event: &Value) -> String {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let from = event.get("from");
    text(event.get("external_conversation"))
        .or_else(|| text(from.and_then(|from| from.get("id"))))
        .or_else(|| text(from.and_then(|from| from.pointer("/points/0/value"))))
        .or_else(|| text(from))
        .unwrap_or_default()
}
