//! The suite of `crates/channel`, with a real server as the other side.

use crate::server::{Meet, Server};
use crate::{NOW, channel, inbox, key, message, outbound};
use channel::conformance::{self, Came, Meets, Odd, Subject};
use channel::{CameBy, Channel, InboxSettings, MediaRef, Outbound, RawRequest, SendContext};
use channel_api::{ApiChannel, sign};
use model::Timestamp;
use serde_json::{Value, json};

/// A request as the other side sends it.
pub fn request(body: Vec<u8>, key: &str, at: Timestamp) -> RawRequest {
    let seconds = at.ms() / 1_000;
    let headers = vec![
        (sign::ID_HEADER.to_owned(), "req_1".to_owned()),
        (sign::TIMESTAMP_HEADER.to_owned(), seconds.to_string()),
        (sign::SIGNATURE_HEADER.to_owned(), sign::signature(key, "req_1", seconds, &body)),
    ];
    RawRequest {
        came_by: CameBy::Http,
        method: "POST".to_owned(),
        path_and_query: "/api/v1/channel/ibx_0000000000007/events".to_owned(),
        headers,
        body,
        received_at: at,
    }
}

fn signed(event: Value, at: Timestamp) -> Came {
    request(event.to_string().into_bytes(), &key(), at).into()
}

struct Other {
    channel: ApiChannel,
    server: Server,
}

impl Subject for Other {
    fn channel(&self) -> &dyn Channel {
        &self.channel
    }
    fn inbox(&self) -> InboxSettings {
        inbox(json!({"webhook_url": self.server.url(), "allow_private_networks": true, "files": {"bytes_max": 1_000}}))
    }
    fn now(&self) -> Timestamp {
        NOW
    }
    fn message(&self, n: u32, at: Timestamp) -> Came {
        signed(message(n), at)
    }
    fn reports(&self) -> Vec<Came> {
        let report = |state: &str| {
            signed(json!({"event_id": format!("d-{state}"), "kind": "delivery", "message_id": "theirs-0", "state": state}), NOW)
        };
        ["accepted", "sent", "failed", "delivered", "read"].map(report).into()
    }
    fn odd(&self, odd: Odd) -> Option<Came> {
        Some(match odd {
            Odd::UnknownKind => signed(json!({"event_id": "o", "kind": "hologram", "from": {"id": "ada"}}), NOW),
            Odd::UnknownStatus => {
                signed(json!({"event_id": "o", "kind": "delivery", "message_id": "theirs-0", "state": "levitating"}), NOW)
            }
            Odd::Garbage => request(b"{\"events\": [".to_vec(), &key(), NOW).into(),
            Odd::BadSignature => request(message(1).to_string().into_bytes(), &sign::key_of([9; 24]), NOW).into(),
            Odd::OldTimestamp => self.message(1, NOW.plus_seconds(-301)),
        })
    }
    fn outbound(&self, text: &str) -> (Outbound, SendContext) {
        outbound(&self.inbox(), text)
    }
    fn meets(&self, meets: Meets) -> bool {
        self.server.meet(match meets {
            Meets::RateLimited => Meet::Answer(429, "retry-after: 30\r\n", String::new()),
            Meets::ServerError => Meet::Answer(503, "", String::new()),
            Meets::ExpiredToken => Meet::Answer(401, "", String::new()),
            Meets::LostAnswer => Meet::HangUp,
        });
        true
    }
    fn taken(&self) -> Option<usize> {
        Some(self.server.taken().len())
    }
    fn oversize_media(&self) -> Option<MediaRef> {
        self.server.meet(Meet::Answer(200, "", "x".repeat(1_001)));
        Some(MediaRef { reference: format!("http://{}/big", self.server.address), ..MediaRef::default() })
    }
}

#[tokio::test]
async fn it_passes_the_whole_suite() {
    let other = Other { channel: channel(), server: Server::start() };
    conformance::run(&other).await.assert_all_but(&[]);
}

/// The expectation table of signatures: what covers the request cannot be changed, and nothing else lets it in.
#[test]
fn no_changed_request_gets_in() {
    let (api, own) = (channel(), inbox(json!({})));
    let webhook = api.webhook().unwrap();
    let good = request(message(1).to_string().into_bytes(), &key(), NOW);
    assert!(webhook.verify(&own, &good, NOW).is_ok());
    let changed = |change: &dyn Fn(&mut RawRequest)| {
        let mut request = good.clone();
        change(&mut request);
        webhook.verify(&own, &request, NOW)
    };
    let without = |name: &'static str| move |r: &mut RawRequest| r.headers.retain(|(have, _)| have != name);
    assert!(changed(&|r| r.body[0] = b'[').is_err(), "a byte of the body");
    assert!(changed(&|r| r.body.push(b' ')).is_err(), "a space behind it");
    assert!(changed(&|r| r.body.clear()).is_err(), "no body");
    assert!(changed(&without(sign::ID_HEADER)).is_err());
    assert!(changed(&without(sign::TIMESTAMP_HEADER)).is_err());
    assert!(changed(&without(sign::SIGNATURE_HEADER)).is_err());
    assert!(changed(&|r| r.headers[0].1 = "req_2".to_owned()).is_err(), "another id");
    assert!(changed(&|r| r.headers[1].1 = (NOW.ms() / 1_000 + 1).to_string()).is_err(), "another time");
    assert!(changed(&|r| r.headers.push(("authorization".into(), "Bearer cik_wrong".into()))).is_err(), "a wrong key beside");
    // The address is not covered: the inbox of the path decides whose key counts.
    assert!(changed(&|r| r.path_and_query = "/elsewhere".to_owned()).is_ok());
}

#[test]
fn a_key_alone_is_enough_unless_the_inbox_wants_a_signature() {
    let api = channel();
    let webhook = api.webhook().unwrap();
    let with = |scheme: &str, key: &str| RawRequest {
        headers: vec![("authorization".to_owned(), format!("{scheme} {key}"))],
        ..request(message(1).to_string().into_bytes(), key, NOW)
    };
    assert!(webhook.verify(&inbox(json!({})), &with("Bearer", &key()), NOW).is_ok());
    assert!(webhook.verify(&inbox(json!({})), &with("bearer", &key()), NOW).is_ok());
    assert!(webhook.verify(&inbox(json!({})), &with("Basic", &key()), NOW).is_err());
    assert!(webhook.verify(&inbox(json!({})), &with("Bearer", ""), NOW).is_err());
    assert!(
        webhook.verify(&inbox(json!({})), &with("Bearer", &sign::secret_of([2; 24])), NOW).is_err(),
        "not the webhook secret"
    );
    assert!(webhook.verify(&inbox(json!({"require_signature": true})), &with("Bearer", &key()), NOW).is_err());
    let nobody = InboxSettings { secrets: std::sync::Arc::new(channel::NoSecrets), ..inbox(json!({})) };
    assert!(webhook.verify(&nobody, &with("Bearer", ""), NOW).is_err(), "an inbox without key lets nobody in");
    assert!(webhook.verify(&nobody, &request(b"{}".to_vec(), "", NOW), NOW).is_err());
}
