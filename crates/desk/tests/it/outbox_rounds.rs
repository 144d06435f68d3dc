//! What happens to an answer that went out in part, was tried again, lost its worker, or found nobody who would take it.

use channel::InboundEvent;
use channel::fake::{FakeAnswer, FakeParts, FakeTraits, FaultPlan};
use desk::reply::{HoldError, NewReply, cancel_hold, check, retry, send};
use model::{DeliveryState, FailureClass, OutboxState};
use store::outbox::Outbox;
use testkit::desk::{TestDesk, claim};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

async fn row(t: &TestDesk, entry: model::EntryId) -> Outbox {
    let workspace = t.workspace;
    t.read(move |tx| Ok(store::outbox::of_entry(tx, workspace, entry)?.remove(0))).await
}

fn texts(t: &TestDesk) -> Vec<String> {
    t.fake.taken().iter().map(|t| t.text()).collect()
}

#[tokio::test]
async fn a_new_round_sends_only_what_was_not_taken_before() {
    let t = TestDesk::new().await;
    t.fake.set_parts(FakeParts { text_chars: Some(4), files_apart: false });
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    t.fake.answer([FakeAnswer::Accept, FakeAnswer::refuse(FailureClass::Policy)]);
    let entry = send(&t.desk, &t.owner, id, t.reply("one two thre")).await.unwrap();
    t.run_jobs().await;
    assert_eq!((t.entry(entry.id).await.delivery, texts(&t).len()), (Some(DeliveryState::Failed), 1));
    retry(&t.desk, &t.owner, entry.id, false).await.unwrap();
    t.run_jobs().await;
    assert_eq!(texts(&t), ["one ", "two ", "thre"]);
    assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Accepted));
    t.end().await;
}

#[tokio::test]
async fn parts_behind_a_settled_doubt_go_on_by_themselves() {
    let t = TestDesk::new().await;
    t.fake.set_parts(FakeParts { text_chars: Some(4), files_apart: false });
    t.fake.set_traits(FakeTraits { reconcile: false, ..FakeTraits::default() });
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    t.fake.answer([FakeAnswer::AnswerLost]);
    let entry = send(&t.desk, &t.owner, id, t.reply("one two thre")).await.unwrap();
    t.run_jobs().await;
    assert!(t.entry(entry.id).await.uncertain);
    t.fake.set_traits(FakeTraits::default());
    check(&t.desk, &t.owner, entry.id).await.unwrap();
    t.run_jobs().await;
    assert_eq!(texts(&t), ["one ", "two ", "thre"]);
    let shown = t.entry(entry.id).await;
    assert_eq!((shown.delivery, shown.uncertain), (Some(DeliveryState::Accepted), false));
    t.end().await;
}

#[tokio::test]
async fn what_nobody_takes_for_three_days_ends_with_a_reason_and_blocks_nobody() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    let busy = FakeAnswer::Refuse { class: FailureClass::Rate, code: "429".into() };
    t.fake.set_fault(Some(FaultPlan { nth: 1, count: u64::MAX, answer: busy }));
    let entry = send(&t.desk, &t.owner, id, t.reply("anybody?")).await.unwrap();
    for _ in 0..80 {
        t.advance(HOUR).await;
    }
    let shown = t.entry(entry.id).await;
    assert_eq!((shown.delivery, row(&t, entry.id).await.state), (Some(DeliveryState::Expired), OutboxState::Expired));
    assert!(shown.delivery_reason.is_some_and(|r| r.contains("three days")));
    t.fake.set_fault(None);
    retry(&t.desk, &t.owner, entry.id, false).await.unwrap();
    t.run_jobs().await;
    assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Accepted));
    t.end().await;
}

#[tokio::test]
async fn an_answer_for_next_week_has_its_three_days_from_then_on() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    let at = model::Clock::now(&*t.clock).plus_ms(7 * DAY);
    t.fake.answer([FakeAnswer::RetryInMs(5_000)]);
    let entry = send(&t.desk, &t.owner, id, NewReply { send_at: Some(at), ..t.reply("later") }).await.unwrap();
    t.advance(7 * DAY).await;
    t.advance(5_000).await;
    assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Accepted));
    t.end().await;
}

#[tokio::test]
async fn a_worker_that_died_leaves_a_doubt_also_when_the_way_is_closed_meanwhile() {
    let t = TestDesk::new().await;
    t.fake.set_traits(FakeTraits { reconcile: false, ..FakeTraits::default() });
    let id = t.customer_writes("+15550142", "hi").await.conversation_id;
    t.fake.answer([FakeAnswer::Hang]);
    let entry = send(&t.desk, &t.owner, id, t.reply("did it arrive?")).await.unwrap();
    tokio::select! {
        _ = t.run_jobs() => panic!("the call never returns"),
        () = async { while t.fake.taken().is_empty() { tokio::task::yield_now().await } } => {}
    }
    t.receive(&InboundEvent::OptOut { from: claim("+15550142"), scope: channel::OptScope::All }).await;
    t.run_jobs().await;
    for _ in 0..4 {
        t.advance(HOUR).await;
    }
    let shown = t.entry(entry.id).await;
    assert_eq!((shown.delivery, shown.uncertain), (Some(DeliveryState::Blocked), true), "{:?}", shown.delivery_reason);
    assert_eq!(retry(&t.desk, &t.owner, entry.id, false).await, Err(HoldError::Uncertain));
    assert_eq!(t.fake.taken().len(), 1);
    t.end().await;
}

#[tokio::test]
async fn a_customer_whose_answer_was_taken_back_waits_as_before() {
    let t = TestDesk::new().await;
    let first = t.customer_writes("ada@example.com", "hi").await;
    let id = first.conversation_id;
    t.advance(HOUR).await;
    t.customer_writes("ada@example.com", "hello?").await;
    let entry = send(&t.desk, &t.owner, id, NewReply { hold_seconds: 10, ..t.reply("oops") }).await.unwrap();
    assert_eq!(t.conversation(id).await.waiting_since, None);
    cancel_hold(&t.desk, &t.owner, entry.id).await.unwrap();
    assert_eq!(t.conversation(id).await.waiting_since, Some(first.at));
    t.advance(60_000).await;
    t.end().await;
}

#[tokio::test]
async fn a_report_that_was_parked_while_our_answer_was_stored_is_applied_a_moment_later() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "hi").await.conversation_id;
    let entry = send(&t.desk, &t.owner, id, t.reply("one")).await.unwrap();
    t.run_jobs().await;
    // As two transactions leave it that were blind to each other: the id is known, the state is parked all the same.
    let (workspace, inbox, now) = (t.workspace, t.inbox, model::Clock::now(&*t.clock));
    let key = desk::outbox::receipt::provider_key(&t.fake.taken()[0].provider_id);
    let write = move |tx: &mut dyn store::Conn| -> Result<(), store::StoreError> {
        store::outbox::park(tx, workspace, inbox, &key, 4, None, now)?;
        store::job::enqueue(tx, workspace, &desk::outbox::ApplyParked { inbox, key: key.clone() }, now.plus_ms(10_000))?;
        Ok(())
    };
    t.desk.db.write(store::Route::Any, write).await.unwrap();
    t.advance(10_000).await;
    assert_eq!(t.entry(entry.id).await.delivery, Some(DeliveryState::Delivered));
    t.end().await;
}
