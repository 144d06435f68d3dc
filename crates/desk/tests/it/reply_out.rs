//! A reply out: once, in order, held, refused with a reason, uncertain without a blind repeat, and receipts in any order.

use channel::fake::{FakeAnswer, FakeParts, FakeTraits};
use channel::{Capabilities, InboundEvent, SendIdempotency};
use desk::reply::{HoldError, NewReply, SendError, Then, cancel_hold, check, retry, send, send_now};
use model::{DeliveryState, EntryKind, FailureClass, Status};
use testkit::desk::TestDesk;

#[tokio::test]
async fn an_answer_goes_out_once_and_its_receipts_end_the_same_in_any_order() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "Where is my order?").await.conversation_id;
    let reply = t.reply("On its way");
    let entry = send(&t.desk, &t.owner, id, reply.clone()).await.unwrap();
    let again = send(&t.desk, &t.owner, id, reply).await.unwrap();
    assert_eq!(entry.id, again.id, "a double press gives the first entry");
    t.run_jobs().await;
    let taken = t.fake.taken();
    assert_eq!(taken.iter().map(|t| t.text()).collect::<Vec<_>>(), ["On its way"]);
    assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Accepted));
    assert_eq!(t.conversation(id).await.waiting_since, None);
    assert_eq!(t.conversation(id).await.agent_id, Some(t.owner.agent), "who answers takes it");
    for state in
        [DeliveryState::Delivered, DeliveryState::Sent, DeliveryState::Read, DeliveryState::Delivered, DeliveryState::Failed]
    {
        let at = model::Clock::now(&*t.clock);
        t.receive(&InboundEvent::Delivery { provider_id: taken[0].provider_id.clone(), state, at, code: None, cost: None }).await;
    }
    t.run_jobs().await;
    assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Read));
    t.end().await;
}

#[tokio::test]
async fn a_receipt_that_comes_before_our_own_answer_is_parked_and_applied() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    // The fake provider numbers what it takes; the first id is known before it is given out.
    send(&t.desk, &t.owner, id, t.reply("one")).await.unwrap();
    t.run_jobs().await;
    let first = t.fake.taken()[0].provider_id.clone();
    t.fake.forget();
    let next = first.replace('1', "2");
    let at = model::Clock::now(&*t.clock);
    t.receive(&InboundEvent::Delivery { provider_id: next.clone(), state: DeliveryState::Delivered, at, code: None, cost: None })
        .await;
    t.run_jobs().await;
    let second = send(&t.desk, &t.owner, id, t.reply("two")).await.unwrap();
    t.run_jobs().await;
    assert_eq!(t.fake.taken()[0].provider_id, next, "the test knows how the fake numbers");
    assert_eq!(t.entry(second.id).await.delivery, Some(DeliveryState::Delivered));
    t.end().await;
}

#[tokio::test]
async fn a_hold_can_be_taken_back_or_ended_and_goes_out_by_itself() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    let held = |t: &TestDesk, text: &str| NewReply { hold_seconds: 10, ..t.reply(text) };
    let back = send(&t.desk, &t.owner, id, held(&t, "oops")).await.unwrap();
    t.advance(9_999).await;
    assert_eq!(cancel_hold(&t.desk, &t.owner, back.id).await.unwrap().delivery, Some(DeliveryState::Cancelled));
    t.advance(1_000).await;
    assert!(t.fake.taken().is_empty());
    let by_itself = send(&t.desk, &t.owner, id, held(&t, "by itself")).await.unwrap();
    t.advance(10_000).await;
    let now = send(&t.desk, &t.owner, id, held(&t, "now")).await.unwrap();
    send_now(&t.desk, &t.owner, now.id).await.unwrap();
    t.run_jobs().await;
    assert_eq!(t.fake.taken().iter().map(|t| t.text()).collect::<Vec<_>>(), ["by itself", "now"]);
    assert_eq!(cancel_hold(&t.desk, &t.owner, by_itself.id).await, Err(HoldError::AlreadySent));
    t.advance(60_000).await;
    assert_eq!(t.fake.taken().len(), 2, "the timer of the one sent by hand finds nothing to do");
    t.end().await;
}

#[tokio::test]
async fn a_busy_provider_is_asked_again_and_a_refusal_says_why_until_the_agent_retries() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    t.fake.answer([FakeAnswer::RetryInMs(30_000), FakeAnswer::Accept]);
    let slow = send(&t.desk, &t.owner, id, t.reply("slow")).await.unwrap();
    t.run_jobs().await;
    assert_eq!(t.entry(slow.id).await.delivery, Some(DeliveryState::Leased));
    t.advance(30_000).await;
    assert_eq!(t.entry(slow.id).await.delivery, Some(DeliveryState::Accepted));
    t.fake.answer([FakeAnswer::refuse(FailureClass::Address)]);
    let refused = send(&t.desk, &t.owner, id, t.reply("refused")).await.unwrap();
    t.run_jobs().await;
    let shown = t.entry(refused.id).await;
    assert_eq!(shown.delivery, Some(DeliveryState::Failed));
    assert!(shown.delivery_reason.is_some(), "the agent reads why");
    let bounced = send(&t.desk, &t.owner, id, t.reply("next")).await;
    assert!(matches!(bounced, Err(SendError::Blocked { reason: model::BlockReason::Bounced })), "{bounced:?}");
    retry(&t.desk, &t.owner, refused.id, false).await.unwrap();
    t.run_jobs().await;
    assert_eq!(t.entry(refused.id).await.delivery, Some(DeliveryState::Accepted));
    assert_eq!(retry(&t.desk, &t.owner, refused.id, false).await, Err(HoldError::NotFailed));
    t.end().await;
}

#[tokio::test]
async fn an_answer_that_never_came_is_uncertain_and_never_repeated_blindly() {
    let t = TestDesk::new().await;
    t.fake.set_traits(FakeTraits { reconcile: false, ..FakeTraits::default() });
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    t.fake.answer([FakeAnswer::AnswerLost]);
    let entry = send(&t.desk, &t.owner, id, t.reply("once")).await.unwrap();
    t.run_jobs().await;
    t.advance(4 * 3_600_000).await;
    assert_eq!(t.fake.submitted().len(), 1, "nothing goes out again by itself");
    let shown = t.entry(entry.id).await;
    assert!(shown.uncertain);
    assert_eq!(retry(&t.desk, &t.owner, entry.id, false).await, Err(HoldError::Uncertain));
    // A receipt settles it.
    let at = model::Clock::now(&*t.clock);
    let provider_id = t.fake.taken()[0].provider_id.clone();
    retry(&t.desk, &t.owner, entry.id, true).await.unwrap();
    t.run_jobs().await;
    assert_eq!(t.fake.taken().len(), 2, "the agent said yes");
    t.receive(&InboundEvent::Delivery {
        provider_id: t.fake.taken()[1].provider_id.clone(),
        state: DeliveryState::Delivered,
        at,
        code: None,
        cost: None,
    })
    .await;
    t.run_jobs().await;
    let shown = t.entry(entry.id).await;
    assert_eq!((shown.delivery, shown.uncertain), (Some(DeliveryState::Delivered), false));
    assert_ne!(provider_id, t.fake.taken()[1].provider_id);
    t.end().await;
}

#[tokio::test]
async fn a_provider_that_can_be_asked_settles_the_doubt() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    t.fake.set_traits(FakeTraits { reconcile: false, ..FakeTraits::default() });
    t.fake.answer([FakeAnswer::AnswerLost, FakeAnswer::Uncertain]);
    let taken = send(&t.desk, &t.owner, id, t.reply("taken")).await.unwrap();
    let not_taken = send(&t.desk, &t.owner, id, t.reply("not taken")).await.unwrap();
    t.run_jobs().await;
    assert!(t.entry(taken.id).await.uncertain && t.entry(not_taken.id).await.uncertain);
    t.fake.set_traits(FakeTraits::default());
    check(&t.desk, &t.owner, taken.id).await.unwrap();
    check(&t.desk, &t.owner, not_taken.id).await.unwrap();
    t.run_jobs().await;
    t.advance(60_000).await;
    for entry in [taken.id, not_taken.id] {
        let shown = t.entry(entry).await;
        assert_eq!((shown.delivery, shown.uncertain), (Some(DeliveryState::Accepted), false));
    }
    assert_eq!(t.fake.taken().iter().map(|t| t.text()).collect::<Vec<_>>(), ["taken", "not taken"]);
    t.end().await;
}

#[tokio::test]
async fn with_a_key_the_provider_itself_makes_a_repeat_harmless() {
    let t = TestDesk::new().await;
    t.fake.set_traits(FakeTraits { reconcile: false, ..FakeTraits::default() });
    t.fake.set_capabilities(Capabilities { send_idempotency: SendIdempotency::Key("Key".into()), ..Capabilities::default() });
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    t.fake.answer([FakeAnswer::AnswerLost]);
    let entry = send(&t.desk, &t.owner, id, t.reply("once")).await.unwrap();
    t.run_jobs().await;
    t.advance(60_000).await;
    assert_eq!((t.fake.submitted().len(), t.fake.taken().len()), (2, 1));
    assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Accepted));
    t.end().await;
}

#[tokio::test]
async fn parts_go_in_order_and_only_those_that_never_went_are_sent_again() {
    let t = TestDesk::new().await;
    t.fake.set_parts(FakeParts { text_chars: Some(4), files_apart: false });
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    t.fake.answer([FakeAnswer::Accept, FakeAnswer::RetryInMs(5_000)]);
    let entry = send(&t.desk, &t.owner, id, t.reply("one two thre")).await.unwrap();
    let after = send(&t.desk, &t.owner, id, t.reply("next")).await.unwrap();
    t.run_jobs().await;
    assert_eq!(t.fake.taken().len(), 1);
    t.advance(5_000).await;
    let texts: Vec<String> = t.fake.taken().iter().map(|t| t.text()).collect();
    assert_eq!(texts, ["one ", "two ", "thre", "next"]);
    assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Accepted));
    assert_eq!(t.entry(after.id).await.delivery, Some(DeliveryState::Accepted));
    t.end().await;
}

#[tokio::test]
async fn the_stale_check_stops_an_answer_to_a_question_that_has_changed() {
    let t = TestDesk::new().await;
    let first = t.customer_writes("ada@example.com", "Cancel my order").await;
    let seen = t.conversation(first.conversation_id).await.seq;
    t.customer_writes("ada@example.com", "No, keep it!").await;
    let stale = NewReply { base_seq: seen, ..t.reply("Cancelled") };
    assert_eq!(send(&t.desk, &t.owner, first.conversation_id, stale.clone()).await, Err(SendError::NewerEntries { count: 1 }));
    let note = NewReply { kind: EntryKind::Note, base_seq: seen, ..t.reply("a note is never stale") };
    send(&t.desk, &t.owner, first.conversation_id, note).await.unwrap();
    send(&t.desk, &t.owner, first.conversation_id, NewReply { force: true, ..stale }).await.unwrap();
    t.run_jobs().await;
    t.end().await;
}

#[tokio::test]
async fn send_and_close_is_one_change_and_bad_input_is_named() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "thanks").await.conversation_id;
    let then = Some(Then { status: Some(Status::Resolved), ..Then::default() });
    send(&t.desk, &t.owner, id, NewReply { then, ..t.reply("You are welcome") }).await.unwrap();
    t.run_jobs().await;
    assert_eq!(t.conversation(id).await.status, Status::Resolved);
    let bad = |change: fn(&mut NewReply)| {
        let mut reply = t.reply("x");
        change(&mut reply);
        reply
    };
    let cases: Vec<(NewReply, &str)> = vec![
        (bad(|r| r.text = "  \n ".into()), "text"),
        (bad(|r| r.text = "x".repeat(100_001)), "text"),
        (bad(|r| r.kind = EntryKind::Call), "kind"),
        (bad(|r| r.idempotency_key = String::new()), "idempotency_key"),
        (bad(|r| r.hold_seconds = 31), "hold_seconds"),
        (bad(|r| r.attachment_ids = vec![model::AttachmentId(1)]), "attachment_ids"),
        (bad(|r| r.then = Some(Then { status: Some(Status::Closed), ..Then::default() })), "status"),
    ];
    for (reply, wanted) in cases {
        match send(&t.desk, &t.owner, id, reply).await {
            Err(SendError::Invalid { field, .. }) => assert_eq!(field, wanted),
            other => panic!("{wanted}: {other:?}"),
        }
    }
    let nobody = send(&t.desk, &t.owner, model::ConversationId(1), t.reply("x")).await;
    assert_eq!(nobody, Err(SendError::NotFound));
    t.end().await;
}

#[tokio::test]
async fn an_inbox_sends_no_faster_than_its_adapter_declares_and_keeps_the_order() {
    let t = TestDesk::new().await;
    let rate = channel::Rate { inbox_per_minute: 60, recipient_per_minute: 0 };
    t.fake.set_capabilities(Capabilities { rate, ..Capabilities::default() });
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    for n in 0..12 {
        send(&t.desk, &t.owner, id, t.reply(&n.to_string())).await.unwrap();
    }
    t.run_jobs().await;
    assert_eq!(t.fake.taken().len(), 6, "a burst of a tenth of a minute");
    for _ in 0..6 {
        t.advance(1_000).await;
    }
    let texts: Vec<String> = t.fake.taken().iter().map(|t| t.text()).collect();
    assert_eq!(texts, (0..12).map(|n| n.to_string()).collect::<Vec<_>>());
    t.end().await;
}
