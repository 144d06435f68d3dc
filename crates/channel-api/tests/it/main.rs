//! The adapter against a real HTTP server on loopback, and hostile JSON at its door.

#![allow(clippy::unwrap_used, missing_docs, reason = "this is a test")]

mod conformance;
mod parsing;
mod sending;
mod server;

use channel::{Fut, Outbound, Recipient, SendContext};
use channel::{InboxSettings, SecretError, SecretText, Secrets};
use channel_api::{ApiChannel, KEY, WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS, sign};
use model::{ConversationId, EntryId, FakeClock, InboxId, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A Monday morning.
pub const NOW: Timestamp = Timestamp(1_795_425_300_000);

/// Secrets that a test gives an inbox.
#[derive(Default)]
pub struct Given(pub BTreeMap<&'static str, String>);

impl Secrets for Given {
    fn get(&self, name: &str) -> Option<SecretText> {
        self.0.get(name).map(SecretText::new)
    }
    fn replace<'a>(&'a self, _: &'a str, _: &'a SecretText, _: SecretText) -> Fut<'a, Result<(), SecretError>> {
        Box::pin(async { Err(SecretError::Broken("secrets of tests stay".to_owned())) })
    }
}

pub fn key() -> String {
    sign::key_of([1; 24])
}
pub fn secret() -> String {
    sign::secret_of([2; 24])
}

/// An inbox with key and secret, and these settings.
pub fn inbox(settings: Value) -> InboxSettings {
    let secrets = [(KEY, key()), (WEBHOOK_SECRET, secret()), (WEBHOOK_SECRET_PREVIOUS, sign::secret_of([3; 24]))];
    InboxSettings {
        id: InboxId(7),
        channel: model::Channel::Api,
        name: "Shop app".into(),
        settings,
        secrets: Arc::new(Given(secrets.into_iter().collect())),
    }
}

pub fn channel() -> ApiChannel {
    ApiChannel::new(Arc::new(FakeClock::new(NOW)))
}

/// A plain answer to Ada through this inbox.
pub fn outbound(inbox: &InboxSettings, text: &str) -> (Outbound, SendContext) {
    let to = Recipient {
        kind: channel::ContactPointKind::Ext,
        scope: inbox.id.to_string(),
        value: "ada".into(),
        name: Some("Ada".into()),
    };
    let outbound = Outbound {
        entry: EntryId(456_316_158_209_955_857),
        conversation: ConversationId(1),
        to,
        cc: vec![],
        external_conversation: Some("ada".into()),
        author: model::words::AuthorKind::Agent,
        author_name: Some("Lea".into()),
        subject: None,
        text: text.to_owned(),
        html: None,
        files: vec![],
        reply_to: vec![],
        template: None,
        mail: channel::OutboundMail::default(),
    };
    let context = SendContext {
        inbox: Arc::new(inbox.clone()),
        now: NOW,
        last_inbound_at: Some(NOW),
        correlation: "out_1".into(),
        message_id: None,
        reply_address: None,
        token: None,
        contents: channel::Contents::default(),
    };
    (outbound, context)
}

/// A message of Ada.
pub fn message(n: u32) -> Value {
    json!({"event_id": format!("e{n}"), "kind": "message", "external_conversation": "thread-1", "from": {"id": "ada", "name": "Ada"},
        "text": format!("message {n}")})
}
