//! The e-mail adapter in the suite that every adapter passes. What needs a mail server (refused, late and lost answers) is
//! tested against a real one in tests/it.

use channel::conformance::{self, Came, Case, Meets, Odd, Subject};
use channel::{
    Channel, ContactPointKind, Contents, InboxSettings, MediaRef, NoSecrets, Outbound, OutboundMail, RawEvent, Recipient,
    SendContext,
};
use channel_email::Email;
use model::words::AuthorKind;
use model::{Clock, ConversationId, EntryId, InboxId, Random, Timestamp};
use serde_json::json;
use std::sync::Arc;

const NOW: Timestamp = Timestamp(1_795_334_400_000);

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        NOW
    }
}
impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

struct Mail(Email);

fn event(key: &str, body: &[u8], at: Timestamp) -> RawEvent {
    RawEvent {
        dedupe_key: key.to_owned(),
        lane: "ada@cust.test".to_owned(),
        body: body.to_vec(),
        headers: vec![(channel::FOLDER_ROLE.to_owned(), "inbox".to_owned())],
        received_at: at,
        evidence: None,
    }
}

impl Subject for Mail {
    fn channel(&self) -> &dyn Channel {
        &self.0
    }
    fn inbox(&self) -> InboxSettings {
        InboxSettings {
            id: InboxId(1),
            channel: model::Channel::Email,
            name: "Support".into(),
            settings: json!({"address": "support@shop.test"}),
            secrets: Arc::new(NoSecrets),
        }
    }
    fn now(&self) -> Timestamp {
        NOW
    }
    fn message(&self, n: u32, at: Timestamp) -> Came {
        let mail = format!(
            "From: ada@cust.test\r\nTo: support@shop.test\r\nMessage-ID: <{n}@cust.test>\r\nSubject: {n}\r\n\r\nHello {n}\r\n"
        );
        Came::Event(event(&format!("INBOX/1/{n}"), mail.as_bytes(), at))
    }
    fn reports(&self) -> Vec<Came> {
        let bounce = include_bytes!("../fixtures/mail/ours/postfix-dsn-5.1.1.eml");
        vec![Came::Event(event("INBOX/1/90", bounce, NOW))]
    }
    fn odd(&self, odd: Odd) -> Option<Came> {
        match odd {
            Odd::Garbage => Some(Came::Event(event("INBOX/1/91", b"\0\xFF\x01 nothing that is a mail", NOW))),
            // A mail is a mail: whatever parts it has become files. Nothing is signed by a provider.
            Odd::UnknownKind | Odd::UnknownStatus | Odd::BadSignature | Odd::OldTimestamp => None,
        }
    }
    fn outbound(&self, text: &str) -> (Outbound, SendContext) {
        let outbound = Outbound {
            entry: EntryId(5),
            conversation: ConversationId(4),
            to: Recipient { kind: ContactPointKind::Email, scope: String::new(), value: "ada@cust.test".into(), name: None },
            cc: vec![],
            external_conversation: None,
            author: AuthorKind::Agent,
            author_name: Some("Lea".into()),
            subject: Some("Re: 1".into()),
            text: text.into(),
            html: None,
            files: vec![],
            reply_to: vec!["1@cust.test".into()],
            template: None,
            mail: OutboundMail::default(),
        };
        let context = SendContext {
            inbox: Arc::new(self.inbox()),
            now: NOW,
            last_inbound_at: Some(NOW),
            correlation: "out_1".into(),
            message_id: Some("m.1.a@shop.test".into()),
            reply_address: None,
            token: None,
            contents: Contents::default(),
        };
        (outbound, context)
    }
    fn meets(&self, _: Meets) -> bool {
        false
    }
    fn taken(&self) -> Option<usize> {
        None
    }
    fn oversize_media(&self) -> Option<MediaRef> {
        None
    }
}

#[tokio::test]
async fn the_email_adapter_conforms() {
    let mail = Mail(Email::new(Arc::new(Fixed), Arc::new(Fixed)));
    conformance::run(&mail).await.assert_all_but(&[
        Case::UnknownKind,
        Case::UnknownStatus,
        Case::RateLimited,
        Case::ServerError,
        Case::ExpiredToken,
        Case::LostAnswer,
        Case::IdempotentRepeat,
        Case::BadSignature,
        Case::OldTimestamp,
    ]);
}
