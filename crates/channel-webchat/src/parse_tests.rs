use crate::frames::{ClientFrame, FRAME_BYTES_MAX};
use crate::identity::VerifiedIdentity;
use crate::{MESSAGE_BYTES_MAX, VERIFIED_HEADER, VISITOR_HEADER, WebChat, WebchatSettings, WidgetRequest};
use channel::conformance::{self, Came, Case, Meets, Odd, Subject};
use channel::{
    BlockReason, CameBy, Channel, CheckState, ContactPointKind, DeliveryState, InboundEvent, InboxSettings, MediaRef, NoSecrets,
    Outbound, OutboundFile, RawRequest, Recipient, Rejected, SendContext, Webhook,
};
use model::words::AuthorKind;
use model::{AttachmentId, ConversationId, EntryId, InboxId, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

const NOW: Timestamp = Timestamp(1_795_425_300_000);
const VISITOR: &str = "vis_0cn99439p060h0cn99439p060h";

fn inbox() -> InboxSettings {
    let settings = WebchatSettings::new("acme").to_json();
    InboxSettings {
        id: InboxId(456_316_158_209_955_857),
        channel: model::Channel::Webchat,
        name: "Shop".into(),
        settings,
        secrets: Arc::new(NoSecrets),
    }
}

fn identity(level: u8) -> VerifiedIdentity {
    VerifiedIdentity {
        level,
        id: "cust-42".into(),
        name: Some("Ada".into()),
        email: Some("ada@example.org".into()),
        email_verified: true,
        jti: None,
        until: NOW.plus_seconds(60),
    }
}

fn request(frame: &Value, verified: Option<&VerifiedIdentity>, at: Timestamp) -> RawRequest {
    let frame = ClientFrame::from_value(frame.clone()).unwrap();
    WidgetRequest { visitor_id: VISITOR, verified, frame: &frame, received_at: at }.into_raw()
}

fn events(request: &RawRequest) -> Vec<InboundEvent> {
    let verified = WebChat.verify(&inbox(), request, NOW).unwrap();
    WebChat.split(&verified).iter().flat_map(|event| WebChat.parse(&inbox(), event).unwrap()).collect()
}

#[test]
fn every_kind_of_frame_means_one_thing() {
    let proof = identity(3);
    let parsed: Vec<Value> = include_str!("../fixtures/client.jsonl")
        .lines()
        .map(|line| {
            let frame: Value = serde_json::from_str(line).unwrap();
            let events = events(&request(&frame, Some(&proof), NOW));
            json!({"frame": frame["kind"], "events": events})
        })
        .collect();
    insta::assert_json_snapshot!("frames", parsed);
}

#[test]
fn what_was_proved_decides_the_level_and_nothing_typed_does() {
    let message = json!({"kind": "message", "client_msg_id": "m_12345678", "text": "hi", "form": {"email": "boss@example.org"}});
    let levels = |verified: Option<VerifiedIdentity>| {
        let InboundEvent::Message(message) = &events(&request(&message, verified.as_ref(), NOW))[0] else { panic!("no message") };
        message.from.iter().map(|claim| (claim.kind, claim.value.clone(), claim.proof_level)).collect::<Vec<_>>()
    };
    let visitor = (ContactPointKind::Visitor, VISITOR.to_owned(), 2);
    let typed = (ContactPointKind::Email, "boss@example.org".to_owned(), 0);
    let account = |level| (ContactPointKind::Account, "cust-42".to_owned(), level);
    let email = |level| (ContactPointKind::Email, "ada@example.org".to_owned(), level);
    assert_eq!(levels(None), [visitor.clone(), typed.clone()]);
    assert_eq!(levels(Some(identity(3))), [account(3), email(2), visitor.clone(), typed.clone()]);
    assert_eq!(
        levels(Some(VerifiedIdentity { email_verified: false, ..identity(3) })),
        [account(3), email(0), visitor.clone(), typed.clone()]
    );
    assert_eq!(levels(Some(identity(2))), [account(2), email(0), visitor, typed]);
}

#[test]
fn a_message_is_one_event_however_often_it_is_sent() {
    let key = |frame: Value, at| {
        let verified = WebChat.verify(&inbox(), &request(&frame, None, at), at).unwrap();
        let events = WebChat.split(&verified);
        assert!(events.iter().all(|event| event.lane == VISITOR && event.dedupe_key.starts_with(VISITOR)));
        events.into_iter().next().map(|event| event.dedupe_key)
    };
    let message = |id: &str, text: &str| json!({"kind": "message", "client_msg_id": id, "text": text});
    let later = NOW.plus_seconds(60);
    assert_eq!(key(message("m_12345678", "a"), NOW), key(message("m_12345678", "changed"), later));
    assert_ne!(key(message("m_12345678", "a"), NOW), key(message("m_12345679", "a"), NOW));
    let read = json!({"kind": "read", "up_to_seq": 5});
    assert_eq!(key(read.clone(), NOW), key(read.clone(), later));
    assert_ne!(key(read, NOW), key(json!({"kind": "delivered", "up_to_seq": 5}), NOW));
    let email = |address: &str| json!({"kind": "email", "address": address, "may_mail": true});
    assert_ne!(
        key(email("a@b.cd"), NOW),
        key(email("a@b.cd"), later),
        "an address that is given, changed and given back counts each time"
    );
    assert_ne!(key(email("a@b.cd"), NOW), key(email("b@b.cd"), NOW));
    assert_eq!(key(json!({"kind": "ping"}), NOW), None);
    // A client id cannot be made to look like another kind of key.
    assert_ne!(key(message("r_12345678", "a"), NOW), key(json!({"kind": "read", "up_to_seq": 12_345_678}), NOW));
}

#[test]
fn strangers_at_the_public_door_are_refused() {
    let mut request = request(&json!({"kind": "ping"}), Some(&identity(3)), NOW);
    request.came_by = CameBy::Http;
    assert_eq!(WebChat.verify(&inbox(), &request, NOW), Err(Rejected::BadSignature));
    request.came_by = CameBy::Widget;
    assert!(WebChat.verify(&inbox(), &request, NOW).is_ok());
    request.headers[0].1 = "somebody".to_owned();
    assert!(matches!(WebChat.verify(&inbox(), &request, NOW), Err(Rejected::Malformed(_))));
    request.body = vec![b' '; MESSAGE_BYTES_MAX + 1];
    assert_eq!(WebChat.verify(&inbox(), &request, NOW), Err(Rejected::TooLarge { bytes_max: FRAME_BYTES_MAX }));
}

#[test]
fn only_our_own_headers_are_kept() {
    let mut request = request(&json!({"kind": "ping"}), Some(&identity(3)), NOW);
    request.headers.push(("cookie".into(), "secret".into()));
    let names: Vec<String> = WebChat.verify(&inbox(), &request, NOW).unwrap().headers.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [VISITOR_HEADER, VERIFIED_HEADER]);
}

fn outbound(text: &str) -> (Outbound, SendContext) {
    let outbound = Outbound {
        entry: EntryId(456_316_158_209_955_857),
        conversation: ConversationId(1),
        to: Recipient { kind: ContactPointKind::Visitor, scope: inbox().id.to_string(), value: VISITOR.into(), name: None },
        cc: vec![],
        external_conversation: Some(VISITOR.into()),
        author: AuthorKind::Agent,
        author_name: Some("Grace".into()),
        subject: None,
        text: text.to_owned(),
        html: None,
        files: vec![],
        reply_to: vec![],
        template: None,
        mail: channel::OutboundMail::default(),
    };
    let context = SendContext {
        inbox: Arc::new(inbox()),
        now: NOW,
        last_inbound_at: None,
        correlation: "out_1".into(),
        message_id: None,
        reply_address: None,
        token: None,
        contents: channel::Contents::default(),
    };
    (outbound, context)
}

#[tokio::test]
async fn an_answer_is_sent_as_soon_as_it_is_stored() {
    let (mut outbound, context) = outbound("hello");
    let request = &WebChat.render(&outbound, &context).unwrap()[0];
    let accepted = WebChat.submit(&inbox(), request).await.unwrap();
    assert_eq!((accepted.provider_id.as_deref(), accepted.state), (Some("ent_0cn99439p060h"), DeliveryState::Sent));
    assert!(request.body.is_empty(), "the text stays in the entry");
    outbound.files = vec![
        OutboundFile {
            id: AttachmentId(1),
            name: "a.bin".into(),
            mime: "application/x-anything".into(),
            bytes: 5,
            url: None
        };
        21
    ];
    assert_eq!(WebChat.render(&outbound, &context).unwrap_err().reason, BlockReason::AttachmentType);
    outbound.files.truncate(20);
    assert!(WebChat.render(&outbound, &context).is_ok());
    outbound.to.kind = ContactPointKind::Email;
    assert_eq!(WebChat.render(&outbound, &context).unwrap_err().reason, BlockReason::NoContactPoint);
    let broken = Arc::new(InboxSettings { settings: json!({"site": 5}), ..inbox() });
    outbound.to.kind = ContactPointKind::Visitor;
    assert_eq!(
        WebChat.render(&outbound, &SendContext { inbox: broken, ..context }).unwrap_err().reason,
        BlockReason::ChannelDown
    );
}

#[tokio::test]
async fn the_check_names_what_is_wrong() {
    assert_eq!(WebChat.check(&inbox()).await[0].state, CheckState::Ok);
    let broken = InboxSettings { settings: json!({"site": "acme", "colour": "red"}), ..inbox() };
    let found = &WebChat.check(&broken).await[0];
    assert_eq!(found.state, CheckState::Failed);
    assert!(found.text.contains("colour") && found.text.contains("#rrggbb"), "{}", found.text);
}

#[test]
fn settings_are_completed_or_refused_by_name() {
    let stored = WebChat.validate_settings(&json!({"title": "Hi"})).unwrap();
    assert_eq!((stored["title"].as_str(), stored["site"].as_str(), stored["radius"].as_u64()), (Some("Hi"), Some(""), Some(12)));
    assert_eq!(WebChat.validate_settings(&stored), Ok(stored));
    assert_eq!(WebChat.validate_settings(&json!({"radius": 99})).unwrap_err().field, "radius");
}

fn message(n: u32, at: Timestamp) -> RawRequest {
    request(&json!({"kind": "message", "client_msg_id": format!("message-{n}"), "text": format!("text {n}")}), None, at)
}

struct Web;

impl Subject for Web {
    fn channel(&self) -> &dyn Channel {
        &WebChat
    }
    fn inbox(&self) -> InboxSettings {
        inbox()
    }
    fn now(&self) -> Timestamp {
        NOW
    }
    fn message(&self, n: u32, at: Timestamp) -> Came {
        message(n, at).into()
    }
    fn reports(&self) -> Vec<Came> {
        vec![]
    }
    fn odd(&self, odd: Odd) -> Option<Came> {
        let raw = |body: &[u8]| Came::from(RawRequest { body: body.to_vec(), ..message(1, NOW) });
        match odd {
            // The door refuses it; but an event may have been stored by another version of us.
            Odd::UnknownKind => Some(raw(b"{\"kind\":\"hologram\"}")),
            Odd::Garbage => Some(raw(b"\0\xff garbage")),
            Odd::BadSignature => Some(RawRequest { came_by: CameBy::Http, ..message(1, NOW) }.into()),
            Odd::UnknownStatus | Odd::OldTimestamp => None,
        }
    }
    fn outbound(&self, text: &str) -> (Outbound, SendContext) {
        outbound(text)
    }
    fn meets(&self, _meets: Meets) -> bool {
        false
    }
    fn taken(&self) -> Option<usize> {
        Some(0)
    }
    fn oversize_media(&self) -> Option<MediaRef> {
        None
    }
}

#[tokio::test]
async fn it_passes_the_suite_as_far_as_a_channel_without_provider_can() {
    // Nothing is sent to anybody, so nothing can fail on the way; there are marks instead of states; frames carry no
    // time of signing, since their door is ours.
    let report = conformance::run(&Web).await;
    report.assert_all_but(&[
        Case::UnknownStatus,
        Case::RateLimited,
        Case::ServerError,
        Case::ExpiredToken,
        Case::LostAnswer,
        Case::OldTimestamp,
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_was_stored_is_understood_or_quarantined(body in prop::collection::vec(any::<u8>(), 0..300), proof in ".{0,60}") {
        let mut request = RawRequest { body, ..message(1, NOW) };
        request.headers.push((VERIFIED_HEADER.into(), proof));
        let verified = WebChat.verify(&inbox(), &request, NOW).unwrap();
        for event in WebChat.split(&verified) {
            if let Err(quarantine) = WebChat.parse(&inbox(), &event) {
                prop_assert!(!quarantine.detail.is_empty());
            }
        }
    }
}
