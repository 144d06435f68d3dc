use super::*;
use crate::conformance::{self, Came, Case, Meets, Odd, Subject};
use crate::{
    CallEvent, CallFact, ClaimEvent, ClaimSource, ContactPointClaim, ContactPointKind, DeliveryState, FailureClass,
    InboundMessage, NoSecrets, OptScope, OutboundFile, RawRequest, Recipient, Rejected, TextMax, UpTo, WatermarkKind, WindowRule,
};
use model::words::AuthorKind;
use model::{AttachmentId, ConversationId, EntryId, FakeClock, Timestamp};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_795_425_300_000);

fn inbox() -> InboxSettings {
    InboxSettings {
        id: InboxId(7),
        channel: model::Channel::Api,
        name: "Fake".into(),
        settings: serde_json::Value::Null,
        secrets: Arc::new(NoSecrets),
    }
}

fn channel() -> FakeChannel {
    FakeChannel::new(Arc::new(FakeClock::new(NOW)))
}

fn outbound(text: &str) -> (Outbound, SendContext) {
    let to = Recipient { kind: ContactPointKind::Ext, scope: "ibx".into(), value: "ada".into(), name: None };
    let outbound = Outbound {
        entry: EntryId(1),
        conversation: ConversationId(1),
        to,
        cc: vec![],
        external_conversation: Some("ada".into()),
        author: AuthorKind::Agent,
        author_name: None,
        subject: None,
        text: text.to_owned(),
        html: None,
        files: vec![],
        reply_to: vec![],
        template: None,
        mail: crate::OutboundMail::default(),
    };
    let context = SendContext {
        inbox: Arc::new(inbox()),
        now: NOW,
        last_inbound_at: Some(NOW),
        correlation: "out_1".into(),
        message_id: None,
        reply_address: None,
        token: None,
        contents: crate::Contents::default(),
    };
    (outbound, context)
}

fn message(n: u32) -> InboundEvent {
    InboundEvent::Message(InboundMessage {
        provider_id: format!("m{n}"),
        external_conversation: "ada".into(),
        from: vec![ContactPointClaim::new(ContactPointKind::Ext, "ibx", "ada", 2, ClaimSource::Sender)],
        text: format!("message {n}"),
        ..InboundMessage::default()
    })
}

fn signed_message(n: u32, at: Timestamp) -> RawRequest {
    signed_request(&inbox(), &[FakeEvent::new(format!("e{n}"), "ada", &message(n))], at)
}

struct Fake(FakeChannel);

impl Subject for Fake {
    fn channel(&self) -> &dyn Channel {
        &self.0
    }
    fn inbox(&self) -> InboxSettings {
        inbox()
    }
    fn now(&self) -> Timestamp {
        NOW
    }
    fn message(&self, n: u32, at: Timestamp) -> Came {
        signed_message(n, at).into()
    }
    fn reports(&self) -> Vec<Came> {
        let report = |state: DeliveryState| {
            let event = InboundEvent::Delivery { provider_id: "fake-1".into(), state, at: NOW, code: None, cost: None };
            signed_request(&inbox(), &[FakeEvent::new(format!("d-{state}"), "ada", &event)], NOW).into()
        };
        [DeliveryState::Sent, DeliveryState::Failed, DeliveryState::Delivered, DeliveryState::Read].map(report).into()
    }
    fn odd(&self, odd: Odd) -> Option<Came> {
        let signed = |event| Came::from(signed_request(&inbox(), &[FakeEvent::raw("odd", "ada", event)], NOW));
        Some(match odd {
            Odd::UnknownKind => signed(serde_json::json!({"kind": "hologram"})),
            Odd::UnknownStatus => {
                signed(serde_json::json!({"kind": "delivery", "provider_id": "fake-1", "state": "levitating", "at": NOW}))
            }
            Odd::Garbage => signed(serde_json::json!([1, 2])),
            Odd::BadSignature => {
                let mut request = signed_message(1, NOW);
                request.body.push(b' ');
                request.into()
            }
            Odd::OldTimestamp => self.message(1, NOW.plus_seconds(-301)),
        })
    }
    fn outbound(&self, text: &str) -> (Outbound, SendContext) {
        outbound(text)
    }
    fn meets(&self, meets: Meets) -> bool {
        self.0.answer([match meets {
            Meets::RateLimited => FakeAnswer::RetryInMs(30_000),
            Meets::ServerError => FakeAnswer::RetryInMs(1_000),
            Meets::ExpiredToken => FakeAnswer::SignInAgain,
            Meets::LostAnswer => FakeAnswer::AnswerLost,
        }]);
        true
    }
    fn taken(&self) -> Option<usize> {
        Some(self.0.taken().len())
    }
    fn oversize_media(&self) -> Option<MediaRef> {
        if self.0.capabilities(&inbox()).limits().attachment_bytes_max > 1_000 {
            return None;
        }
        self.0.put_media("big", Blob { name: None, mime: None, bytes: vec![0; 1_001] });
        Some(MediaRef { reference: "big".into(), ..MediaRef::default() })
    }
}

fn limited() -> Capabilities {
    let rule = AttachRule { class: MediaClass::Any, bytes_max: 1_000, types: vec![], count_max: 3, needs_public_url: false };
    Capabilities { text_max: TextMax::Chars(100), attach: vec![rule], ..Capabilities::default() }
}

#[tokio::test]
async fn it_passes_the_whole_suite() {
    let fake = Fake(channel());
    fake.0.set_capabilities(Capabilities { send_idempotency: SendIdempotency::Key("key".into()), ..limited() });
    conformance::run(&fake).await.assert_all_but(&[]);
}

#[tokio::test]
async fn without_limits_and_keys_those_cases_do_not_apply() {
    let fake = Fake(channel());
    conformance::run(&fake).await.assert_all_but(&[Case::OverlongText, Case::IdempotentRepeat]);
}

/// The same channel as one that is pulled: events come without a door.
struct Pulled(Fake);

impl Subject for Pulled {
    fn channel(&self) -> &dyn Channel {
        self.0.channel()
    }
    fn inbox(&self) -> InboxSettings {
        inbox()
    }
    fn now(&self) -> Timestamp {
        NOW
    }
    fn message(&self, n: u32, at: Timestamp) -> Came {
        FakeEvent::new(format!("e{n}"), "ada", &message(n)).raw_event(at).into()
    }
    fn reports(&self) -> Vec<Came> {
        vec![]
    }
    fn odd(&self, odd: Odd) -> Option<Came> {
        let event = match odd {
            Odd::UnknownKind => serde_json::json!({"kind": "hologram"}),
            Odd::Garbage => serde_json::json!(5),
            Odd::UnknownStatus | Odd::BadSignature | Odd::OldTimestamp => return None,
        };
        Some(FakeEvent::raw("odd", "ada", event).raw_event(NOW).into())
    }
    fn outbound(&self, text: &str) -> (Outbound, SendContext) {
        outbound(text)
    }
    fn meets(&self, meets: Meets) -> bool {
        self.0.meets(meets)
    }
    fn taken(&self) -> Option<usize> {
        None
    }
    fn oversize_media(&self) -> Option<MediaRef> {
        None
    }
}

#[tokio::test]
async fn a_channel_without_a_door_passes_what_applies_to_it() {
    let report = conformance::run(&Pulled(Fake(channel()))).await;
    report.assert_all_but(&[
        Case::UnknownStatus,
        Case::OverlongText,
        Case::IdempotentRepeat,
        Case::BadSignature,
        Case::OldTimestamp,
    ]);
}

/// An adapter that breaks the contract in one way, to see that the suite notices.
struct Broken(Fake, Case);

impl Channel for Broken {
    fn capabilities(&self, inbox: &InboxSettings) -> Capabilities {
        self.0.0.capabilities(inbox)
    }
    fn parse(&self, inbox: &InboxSettings, event: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
        let parsed = self.0.0.parse(inbox, event);
        match (self.1, &parsed) {
            (Case::UnknownKind, Ok(events)) if matches!(events[..], [InboundEvent::Unsupported { .. }]) => Ok(vec![]),
            (Case::UnknownStatus, Ok(events))
                if matches!(events[..], [InboundEvent::Delivery { state: DeliveryState::Queued, .. }]) =>
            {
                let at = NOW;
                Ok(vec![InboundEvent::Delivery {
                    provider_id: "x".into(),
                    state: DeliveryState::Failed,
                    at,
                    code: None,
                    cost: None,
                }])
            }
            (Case::Garbage, Err(_)) => Ok(vec![]),
            _ => parsed,
        }
    }
    fn render(&self, outbound: &Outbound, context: &SendContext) -> Result<Vec<WireRequest>, Blocked> {
        let mut outbound = outbound.clone();
        match self.1 {
            Case::OversizeMedia => outbound.files.clear(),
            Case::OverlongText => outbound.text.truncate(10),
            _ => {}
        }
        let mut requests = self.0.0.render(&outbound, context)?;
        if self.1 == Case::Rendering {
            requests[0].part = 1;
        }
        if self.1 == Case::IdempotentRepeat {
            requests[0].idempotency_key = None;
        }
        Ok(requests)
    }
    fn submit<'a>(&'a self, inbox: &'a InboxSettings, request: &'a WireRequest) -> Fut<'a, Result<Accepted, SendError>> {
        Box::pin(async move {
            match (self.1, self.0.0.submit(inbox, request).await) {
                (Case::RateLimited, Err(SendError::RetryAt(at))) => Err(SendError::RetryAt(at.plus_ms(-1))),
                (Case::ServerError, Err(SendError::RetryAt(_))) => Err(SendError::Uncertain),
                (Case::ExpiredToken, Err(SendError::SignInAgain)) => Err(SendError::RetryAt(NOW)),
                (Case::LostAnswer, Err(SendError::Uncertain)) => Err(SendError::RetryAt(NOW)),
                (_, answer) => answer,
            }
        })
    }
    fn check<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Vec<CheckResult>> {
        self.0.0.check(inbox)
    }
    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
}

impl Webhook for Broken {
    fn verify(&self, inbox: &InboxSettings, request: &RawRequest, now: Timestamp) -> Result<crate::Verified, Rejected> {
        let verified = self.0.0.verify(inbox, request, now);
        match (self.1, &verified) {
            (Case::BadSignature, Err(Rejected::BadSignature)) | (Case::OldTimestamp, Err(Rejected::Stale { .. })) => {
                Ok(crate::Verified { body: request.body.clone(), received_at: now, ..crate::Verified::default() })
            }
            _ => verified,
        }
    }
    fn split(&self, verified: &crate::Verified) -> Vec<RawEvent> {
        let mut events = self.0.0.split(verified);
        if self.1 == Case::Duplicate {
            events.iter_mut().for_each(|event| event.dedupe_key = verified.received_at.to_string());
        }
        events
    }
}

struct BrokenSubject(Broken);
impl Subject for BrokenSubject {
    fn channel(&self) -> &dyn Channel {
        &self.0
    }
    fn inbox(&self) -> InboxSettings {
        inbox()
    }
    fn now(&self) -> Timestamp {
        NOW
    }
    fn message(&self, n: u32, at: Timestamp) -> Came {
        // A reordering adapter would remember; one message for all is the simplest sign of that.
        self.0.0.message(if self.0.1 == Case::Reorder { 1 } else { n }, at)
    }
    fn reports(&self) -> Vec<Came> {
        self.0.0.reports()
    }
    fn odd(&self, odd: Odd) -> Option<Came> {
        self.0.0.odd(odd)
    }
    fn outbound(&self, text: &str) -> (Outbound, SendContext) {
        outbound(text)
    }
    fn meets(&self, meets: Meets) -> bool {
        self.0.0.meets(meets)
    }
    fn taken(&self) -> Option<usize> {
        self.0.0.taken()
    }
    fn oversize_media(&self) -> Option<MediaRef> {
        None
    }
}

#[tokio::test]
async fn the_suite_notices_every_breach() {
    use Case::*;
    for case in [
        Duplicate,
        Reorder,
        UnknownKind,
        UnknownStatus,
        Garbage,
        RateLimited,
        ServerError,
        ExpiredToken,
        OversizeMedia,
        OverlongText,
        LostAnswer,
        IdempotentRepeat,
        BadSignature,
        OldTimestamp,
        Rendering,
    ] {
        let fake = channel();
        fake.set_capabilities(Capabilities { send_idempotency: SendIdempotency::Key("key".into()), ..limited() });
        let report = conformance::run(&BrokenSubject(Broken(Fake(fake), case))).await;
        assert!(report.failed.iter().any(|(failed, _)| *failed == case), "{case:?} was not noticed: {report:?}");
    }
}

#[test]
fn every_kind_of_event_is_spoken() {
    let claim = || ContactPointClaim::new(ContactPointKind::Phone, "", "+4915112345678", 1, ClaimSource::Sender);
    let events = [
        message(1),
        InboundEvent::Echo(InboundMessage { channel: Some(model::Channel::Whatsapp), ..InboundMessage::default() }),
        InboundEvent::Delivery {
            provider_id: "p".into(),
            state: DeliveryState::Read,
            at: NOW,
            code: Some("1".into()),
            cost: None,
        },
        InboundEvent::Watermark { kind: WatermarkKind::Read, external_conversation: "c".into(), up_to: UpTo::Seq(9) },
        InboundEvent::Edit { provider_id: "p".into(), message: InboundMessage::default() },
        InboundEvent::Delete { provider_id: "p".into() },
        InboundEvent::Reaction { provider_id: "p".into(), from: claim(), emoji: Some("👍".into()) },
        InboundEvent::Typing { external_conversation: "c".into(), on: false },
        InboundEvent::OptOut { from: claim(), scope: OptScope::Marketing },
        InboundEvent::OptIn { from: claim(), scope: OptScope::All },
        InboundEvent::ContactPointChanged { old: claim(), new: claim() },
        InboundEvent::Claim(ClaimEvent { may_mail: true, ..ClaimEvent::default() }),
        InboundEvent::Template { name: "t".into(), state: "approved".into() },
        InboundEvent::Account { code: "c".into(), text: "t".into() },
        InboundEvent::Call(CallEvent {
            call: "c".into(),
            fact: CallFact::Ringing,
            from: vec![claim()],
            at: NOW,
            ..CallEvent::default()
        }),
        InboundEvent::Unsupported { kind: "sticker".into(), from: vec![], external_conversation: None },
    ];
    let words: Vec<&str> = events.iter().map(InboundEvent::word).collect();
    assert_eq!(words, InboundEvent::WORDS, "a new kind needs a sample here");
    for event in events {
        let raw = FakeEvent::new("id", "lane", &event).raw_event(NOW);
        assert_eq!(channel().parse(&inbox(), &raw), Ok(vec![event]));
    }
}

#[test]
fn a_broken_event_does_not_take_the_others_along() {
    let events = [
        FakeEvent::new("1", "a", &message(1)),
        FakeEvent::raw("2", "a", serde_json::json!({"kind": "message", "text": 5})),
        FakeEvent::new("3", "a", &message(3)),
    ];
    let channel = channel();
    let verified = channel.verify(&inbox(), &signed_request(&inbox(), &events, NOW), NOW).unwrap();
    let parsed: Vec<_> = channel.split(&verified).iter().map(|event| channel.parse(&inbox(), event)).collect();
    assert!(parsed[0].is_ok() && parsed[2].is_ok());
    assert_eq!(parsed[1].as_ref().unwrap_err().reason, "bad_fields");
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_script() {
    let channel = channel();
    channel.answer([FakeAnswer::AcceptAs(DeliveryState::Sent), FakeAnswer::refuse(FailureClass::Address), FakeAnswer::Uncertain]);
    let (outbound, context) = outbound("hello");
    let request = &channel.render(&outbound, &context).unwrap()[0];
    let inbox = inbox();
    let mut answers = vec![];
    for _ in 0..4 {
        answers.push(channel.submit(&inbox, request).await);
    }
    assert_eq!(answers[0].as_ref().unwrap().state, DeliveryState::Sent);
    assert!(matches!(answers[1], Err(SendError::Refused { class: FailureClass::Address, .. })));
    assert_eq!(answers[2], Err(SendError::Uncertain));
    assert_eq!(answers[3].as_ref().unwrap().provider_id.as_deref(), Some("fake-2"));
    assert_eq!(
        channel.taken().iter().map(Taken::text).collect::<Vec<_>>(),
        ["hello", "hello"],
        "without a key a repeat goes out twice"
    );
    assert_eq!(channel.submitted().len(), 4);
    channel.forget();
    assert!(channel.taken().is_empty() && channel.submitted().is_empty());
}

#[tokio::test]
async fn it_knows_what_it_took() {
    let channel = channel();
    let inbox = inbox();
    let (outbound, context) = outbound("hello");
    let request = &channel.render(&outbound, &context).unwrap()[0];
    channel.answer([FakeAnswer::Uncertain]);
    assert_eq!(channel.submit(&inbox, request).await, Err(SendError::Uncertain));
    assert_eq!(channel.find(&inbox, request).await, Some(Reconciled::NotTaken));
    channel.answer([FakeAnswer::AnswerLost]);
    assert_eq!(channel.submit(&inbox, request).await, Err(SendError::Uncertain));
    assert_eq!(channel.find(&inbox, request).await, Some(Reconciled::Taken(Accepted::by_id("fake-1"))));
}

#[tokio::test]
async fn the_nth_call_fails_whatever_it_is() {
    let channel = channel();
    let inbox = inbox();
    let (outbound, context) = outbound("hello");
    let request = &channel.render(&outbound, &context).unwrap()[0];
    for nth in 1..=3 {
        channel.set_fault(Some(FaultPlan { nth, count: 1, answer: FakeAnswer::SignInAgain }));
        let submit = channel.submit(&inbox, request).await.is_err();
        let find = channel.find(&inbox, request).await.is_none();
        let signal = channel.signal(&inbox, &Signal::Delete { provider_id: "x".into() }).await.is_err();
        assert_eq!([submit, find, signal], [nth == 1, nth == 2, nth == 3]);
        assert_eq!(channel.fault_calls(), 3);
    }
}

#[test]
fn entries_become_parts_as_set() {
    let channel = channel();
    let (mut outbound, context) = outbound("abcdefgh");
    let file = |n| OutboundFile { id: AttachmentId(n), name: "f".into(), mime: "image/png".into(), bytes: 1, url: None };
    outbound.files = vec![file(1), file(2)];
    channel.set_capabilities(limited());
    assert_eq!(channel.render(&outbound, &context).unwrap().len(), 1);
    channel.set_parts(FakeParts { text_chars: Some(3), files_apart: true });
    let parts = channel.render(&outbound, &context).unwrap();
    assert_eq!(
        parts.iter().map(|part| (part.part, part.parts, part.files.len())).collect::<Vec<_>>(),
        [(0, 5, 0), (1, 5, 0), (2, 5, 0), (3, 5, 1), (4, 5, 1)]
    );
    assert_eq!(parts[4].correlation, "out_1/4");
}

#[test]
fn windows_and_own_capabilities_decide_before_anything_goes() {
    let channel = channel();
    let (outbound, mut context) = outbound("hello");
    let window = WindowRule::Sliding { free_ms: 1_000, human_until_ms: None, then: crate::AfterWindow::Blocked };
    let own = Capabilities { window, ..Capabilities::default() };
    context.inbox = Arc::new(InboxSettings { settings: serde_json::json!({ "capabilities": own }), ..inbox() });
    assert!(channel.render(&outbound, &context).is_ok());
    context.now = NOW.plus_ms(1_000);
    assert_eq!(channel.render(&outbound, &context).unwrap_err().reason, crate::BlockReason::WindowClosed);
    context.inbox = Arc::new(inbox());
    assert!(channel.render(&outbound, &context).is_ok(), "another inbox has no window");
}

struct Sink(Mutex<Vec<(String, Option<Cursor>)>>, usize);
impl RawSink for Sink {
    fn accept<'a>(&'a self, events: Vec<RawEvent>, cursor: Option<Cursor>) -> Fut<'a, Result<(), SinkError>> {
        let mut seen = self.0.lock().unwrap();
        let answer = if seen.len() == self.1 { Err(SinkError::Busy) } else { Ok(()) };
        if answer.is_ok() {
            seen.push((events[0].dedupe_key.clone(), cursor));
        }
        Box::pin(std::future::ready(answer))
    }
}

#[tokio::test]
async fn pulling_goes_on_where_it_was_committed() {
    let channel = channel();
    let inbox = inbox();
    channel.put_pulled((1..=3).map(|n| FakeEvent::new(format!("e{n}"), "a", &message(n))));
    let busy = Sink(Mutex::default(), 2);
    let cursor = Pull::pull(&channel, &inbox, Cursor::default(), &busy).await.unwrap();
    assert_eq!(cursor, Cursor("2".into()));
    let sink = Sink(Mutex::default(), 99);
    Pull::pull(&channel, &inbox, cursor, &sink).await.unwrap();
    assert_eq!(*sink.0.lock().unwrap(), [("e3".to_owned(), Some(Cursor("3".into())))]);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let channel = channel();
        let verified = crate::Verified { body: body.clone(), received_at: NOW, ..crate::Verified::default() };
        for event in channel.split(&verified) {
            let _ = channel.parse(&inbox(), &event);
        }
        let raw = RawRequest { came_by: crate::CameBy::Http, method: "POST".into(), path_and_query: "/".into(), headers: vec![], body, received_at: NOW };
        prop_assert_eq!(channel.verify(&inbox(), &raw, NOW), Err(Rejected::BadSignature));
    }
}
