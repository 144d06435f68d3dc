//! What comes in, and what hostile input gets.

use crate::conformance::request;
use crate::{NOW, channel, inbox, key, message};
use channel::{Channel, ContactPointKind, DeliveryState, InboundEvent, Quarantine, UpTo, WatermarkKind};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(event: Value) -> Result<InboundEvent, Quarantine> {
    let (api, own) = (channel(), inbox(json!({})));
    let verified = api.webhook().unwrap().verify(&own, &request(event.to_string().into_bytes(), &key(), NOW), NOW).unwrap();
    let events = api.webhook().unwrap().split(&verified);
    assert_eq!(events.len(), 1);
    api.parse(&own, &events[0]).map(|mut events| events.remove(0))
}

#[test]
fn a_whole_message_is_understood() {
    let event = parse(json!({
        "event_id": "e1", "kind": "message", "message_id": "m1", "external_conversation": "thread-9",
        "channel": "sms", "sent_at": "2026-11-22T08:00:00Z", "subject": "Order", "text": "Where is it?",
        "from": {"id": "cust-5", "name": "Ada Novak", "points": [
            {"kind": "phone", "value": "+1 555 0142", "level": 3}, {"kind": "email", "value": "ada@ex.com"}]},
        "files": [{"id": "att_0000000000005"}, {"url": "https://cdn.shop.example/a.png", "name": "a.png"}],
        "reply_to": ["out_1"], "tokens": ["t"], "order_numbers": ["A-1001"], "conversation_numbers": ["4812"],
        "facts": {"topic": "delivery"}, "group_key": "album-1",
    }))
    .unwrap();
    let InboundEvent::Message(m) = event else { panic!("{event:?}") };
    assert_eq!((m.provider_id.as_str(), m.external_conversation.as_str()), ("m1", "thread-9"));
    let from: Vec<_> = m.from.iter().map(|c| (c.kind, c.scope.as_str(), c.value.as_str(), c.proof_level)).collect();
    assert_eq!(
        from,
        [
            (ContactPointKind::Phone, "", "+1 555 0142", 3),
            (ContactPointKind::Ext, "ibx_0000000000007", "cust-5", 2),
            (ContactPointKind::Email, "", "ada@ex.com", 1),
        ],
        "levels as stated; the desk holds them to the ceiling"
    );
    assert!(m.from.iter().all(|c| c.name.as_deref() == Some("Ada Novak")));
    assert_eq!((m.parts.len(), m.order_numbers.len(), m.conversation_numbers.len(), m.tokens.len()), (2, 1, 1, 1));
    assert_eq!(m.context, Some(json!({"facts": {"topic": "delivery"}})));
    assert_eq!(m.channel, Some(model::Channel::Sms));
}

#[test]
fn a_thread_stands_for_a_customer_without_id() {
    let event =
        parse(json!({"event_id": "e", "kind": "message", "external_conversation": "t1", "from": {}, "text": "hi"})).unwrap();
    let InboundEvent::Message(m) = event else { panic!() };
    assert_eq!((m.from[0].kind, m.from[0].value.as_str()), (ContactPointKind::Ext, "t1"));
    // A point of kind ext is an id inside this inbox, whatever scope somebody writes.
    let event = parse(json!({"event_id": "e", "kind": "message", "from": {"points": [{"kind": "ext", "scope": "ibx_x", "value": "7", "level": 3}]}, "text": "hi"})).unwrap();
    let InboundEvent::Message(m) = event else { panic!() };
    assert_eq!((m.from[0].scope.as_str(), m.from[0].proof_level), ("ibx_0000000000007", 2));
    assert_eq!(m.external_conversation, "7");
}

#[test]
fn every_other_kind_is_understood() {
    let ok = |event| parse(event).unwrap();
    assert!(matches!(ok(json!({"event_id": "e", "kind": "edit", "message_id": "m", "text": "new"})), InboundEvent::Edit { .. }));
    assert!(matches!(ok(json!({"event_id": "e", "kind": "delete", "message_id": "m"})), InboundEvent::Delete { .. }));
    assert!(matches!(
        ok(json!({"event_id": "e", "kind": "delivery", "message_id": "m", "state": "failed", "code": "no_route"})),
        InboundEvent::Delivery { state: DeliveryState::Failed, code: Some(_), .. }
    ));
    // A word of ours that no report may claim counts as unknown.
    assert!(matches!(
        ok(json!({"event_id": "e", "kind": "delivery", "message_id": "m", "state": "cancelled"})),
        InboundEvent::Delivery { state: DeliveryState::Queued, .. }
    ));
    assert!(matches!(
        ok(json!({"event_id": "e", "kind": "read", "from": "ada"})),
        InboundEvent::Watermark { kind: WatermarkKind::Read, up_to: UpTo::Time(NOW), .. }
    ));
    assert!(matches!(ok(json!({"event_id": "e", "kind": "typing", "from": "ada"})), InboundEvent::Typing { on: true, .. }));
    assert!(matches!(
        ok(json!({"event_id": "e", "kind": "reaction", "message_id": "m", "from": {"id": "ada"}, "emoji": "👍"})),
        InboundEvent::Reaction { .. }
    ));
    let event = ok(
        json!({"event_id": "e", "kind": "opt_out", "from": {"id": "ada", "points": [{"kind": "phone", "value": "+15550142"}]}}),
    );
    assert!(matches!(event, InboundEvent::OptOut { from, .. } if from.kind == ContactPointKind::Phone));
    assert!(matches!(ok(json!({"event_id": "e", "kind": "opt_in", "from": {"id": "ada"}})), InboundEvent::OptIn { .. }));
    assert!(matches!(
        ok(
            json!({"event_id": "e", "kind": "contact_point_changed", "old": {"kind": "phone", "value": "+15550142"}, "new": {"kind": "phone", "value": "+15550143"}})
        ),
        InboundEvent::ContactPointChanged { .. }
    ));
    let event = ok(json!({"event_id": "e", "kind": "echo", "from": {"id": "ada"}, "text": "sent from the old system"}));
    assert!(matches!(event, InboundEvent::Echo(m) if m.from.is_empty() && m.to[0].value == "ada"));
    let event = ok(json!({"event_id": "e", "kind": "hologram", "from": {"id": "ada"}, "external_conversation": "t"}));
    assert!(matches!(event, InboundEvent::Unsupported { kind, from, .. } if kind == "hologram" && from.len() == 1));
}

#[test]
fn each_fault_is_named() {
    let with = |change: Value| {
        let mut event = message(1);
        for (name, value) in change.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    };
    for (word, event) in [
        ("event_id", json!({"kind": "message"})),
        ("event_id", with(json!({"event_id": "x".repeat(201)}))),
        ("event_id", with(json!({"event_id": 7}))),
        ("kind", json!({"event_id": "e"})),
        ("object", json!([1, 2])),
        ("text", with(json!({"text": " "}))),
        ("text", with(json!({"text": "x".repeat(100_001)}))),
        ("txet", with(json!({"txet": "typo"}))),
        ("from", json!({"event_id": "e", "kind": "message", "from": {}, "text": "hi"})),
        ("from.points.0", with(json!({"from": {"points": [{"kind": "phone", "value": "", "level": 1}]}}))),
        ("from.points.0", with(json!({"from": {"points": [{"kind": "phone", "value": "1", "level": 4}]}}))),
        ("from.points.0", with(json!({"from": {"points": [{"kind": "visitor", "value": "v1"}]}}))),
        ("pigeon", with(json!({"from": {"points": [{"kind": "pigeon", "value": "1"}]}}))),
        ("sent_at", with(json!({"sent_at": "yesterday"}))),
        ("files.0", with(json!({"files": [{}]}))),
        ("files.0", with(json!({"files": [{"url": "file:///etc/passwd"}]}))),
        ("channel", with(json!({"channel": "internal"}))),
        ("message_id", json!({"event_id": "e", "kind": "edit", "text": "x"})),
    ] {
        let fault = parse(event.clone()).expect_err(&event.to_string());
        assert!(!fault.reason.is_empty());
        let named = fault.detail.contains(word) || (word == "sent_at" && fault.detail.contains("a time such as"));
        assert!(named, "{word}: {fault:?}");
    }
}

#[test]
fn a_body_holds_many_events_each_with_its_own_key_and_lane() {
    let (api, own) = (channel(), inbox(json!({})));
    let webhook = api.webhook().unwrap();
    let body = json!({"events": [message(1), message(2), {"kind": "message"}, {"event_id": "d", "kind": "delivery", "message_id": "m", "state": "read"}]});
    let verified = webhook.verify(&own, &request(body.to_string().into_bytes(), &key(), NOW), NOW).unwrap();
    let events = webhook.split(&verified);
    let keys: Vec<&str> = events.iter().map(|e| e.dedupe_key.as_str()).collect();
    assert_eq!((keys[0], keys[1], keys[2].len(), keys[3]), ("e1", "e2", 64, "d"));
    let lanes: Vec<&str> = events.iter().map(|e| e.lane.as_str()).collect();
    assert_eq!(lanes, ["thread-1", "thread-1", "", ""]);
}

proptest! {
    #[test]
    fn nothing_at_the_door_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (api, own) = (channel(), inbox(json!({})));
        let verified = channel::Verified { body: bytes, received_at: NOW, ..channel::Verified::default() };
        for event in api.webhook().unwrap().split(&verified) {
            prop_assert!(!event.dedupe_key.is_empty());
            let _ = api.parse(&own, &event);
        }
    }

    #[test]
    fn no_json_of_the_right_shape_panics(kind in prop::sample::select(channel_api::wire::KINDS.to_vec()), field in "[a-z_]{1,12}", text in any::<String>(), number in any::<i64>()) {
        for value in [json!(text), json!(number), json!([text]), json!({"id": text}), Value::Null] {
            let mut event = json!({"event_id": "e", "kind": kind, "from": {"id": "ada"}, "message_id": "m", "text": "t", "state": "sent"});
            event[&field] = value;
            let _ = parse(event);
        }
    }
}
