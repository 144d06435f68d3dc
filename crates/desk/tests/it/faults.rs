//! The n-th store, blob and channel call fails, for every n, through ingest, processing, reply and outbox. Afterwards every
//! acknowledged event is in exactly one entry, every accepted reply went out once or says that it may have, and nothing is
//! left without an end.

use channel::InboundEvent;
use channel::fake::{FakeAnswer, FakeEvent, FakeTraits};
use model::{DeliveryState, EntryKind, Outcome};
use store::fault::{Fault, FaultPlan};
use testkit::desk::TestDesk;

/// Large enough that its raw form goes to the blob store.
fn large() -> String {
    "a long story ".repeat(8_000)
}

struct Outside {
    acknowledged: Vec<desk::ingest::Stored>,
    accepted: Vec<model::EntryId>,
}

/// A customer writes twice (once at length), an agent answers, the provider reports. Errors are the caller's to repeat, as a
/// provider and a browser do: with the same keys.
async fn journey(t: &TestDesk) -> Outside {
    let mut outside = Outside { acknowledged: vec![], accepted: vec![] };
    for text in ["hello".to_owned(), large()] {
        let event = InboundEvent::Message(t.message("ada@example.com", &text));
        let InboundEvent::Message(message) = &event else { unreachable!() };
        let raw = FakeEvent::new(message.provider_id.clone(), "ada@example.com", &event);
        for _ in 0..4 {
            if let Ok(stored) = try_receive(t, &raw).await {
                outside.acknowledged.push(stored);
                break;
            }
        }
        settle(t).await;
    }
    let Some(id) = conversation(t, &outside).await else { return outside };
    let reply = t.reply("the answer");
    for _ in 0..4 {
        if let Ok(entry) = desk::reply::send(&t.desk, &t.owner, id, reply.clone()).await {
            outside.accepted.push(entry.id);
            break;
        }
    }
    settle(t).await;
    outside
}

async fn try_receive(t: &TestDesk, raw: &FakeEvent) -> Result<desk::ingest::Stored, String> {
    let open = t.desk.directory.open(&t.desk, t.workspace, t.inbox).await.map_err(|e| e.to_string())?;
    let event = raw.raw_event(model::Clock::now(&*t.clock));
    let stored = desk::ingest::accept(&t.desk, t.workspace, &open, vec![event]).await.map_err(|e| e.to_string())?;
    Ok(stored[0])
}

/// Jobs run, fail, and run again by their schedule; the clock moves over the waits.
async fn settle(t: &TestDesk) {
    for _ in 0..12 {
        let _ = t.try_run_jobs().await;
        t.clock.advance_ms(3_700_000);
    }
}

async fn conversation(t: &TestDesk, outside: &Outside) -> Option<model::ConversationId> {
    for stored in &outside.acknowledged {
        let (workspace, id) = (t.workspace, stored.id);
        for _ in 0..3 {
            let found = t
                .desk
                .db
                .read(move |tx| {
                    let event = store::provider_event::find(tx, workspace, id)?;
                    event.and_then(|e| e.entry_id).map_or(Ok(None), |e| store::entry::find(tx, workspace, e))
                })
                .await;
            match found {
                Ok(Some(entry)) => return Some(entry.conversation_id),
                Ok(None) => break,
                Err(_) => {}
            }
        }
    }
    None
}

/// What must hold whatever failed.
async fn hold_true(t: &TestDesk, outside: &Outside, what: &str) {
    assert_eq!(outside.acknowledged.len(), 2, "{what}: a single fault must not keep an event out for good");
    assert_eq!(outside.accepted.len(), 1, "{what}: nor a reply");
    let workspace = t.workspace;
    for stored in &outside.acknowledged {
        let id = stored.id;
        let event = t.read(move |tx| store::provider_event::find(tx, workspace, id)).await.expect("acknowledged is stored");
        assert_eq!(event.outcome, Some(Outcome::Entry), "{what}: {:?}", event.reason);
    }
    let id = conversation(t, outside).await.expect("the entries have a conversation");
    let all = t.read(move |tx| store::entry::conversation_before(tx, workspace, id, (i64::MAX, i64::MAX), 100)).await;
    let texts: Vec<usize> = all.iter().filter(|e| e.kind == EntryKind::Message).map(|e| e.body.text.len()).collect();
    assert_eq!(texts, [5, large().trim_end().len().max(large().len()), 10], "{what}: each once, in order");
    let entry = t.entry(outside.accepted[0]).await;
    let taken = t.fake.taken().len();
    let says_so = entry.uncertain;
    assert!(taken == 1 || says_so, "{what}: taken {taken} times, shown as {:?}", entry.delivery);
    assert!(taken <= 1, "{what}: sent twice");
    assert!(says_so || entry.delivery == Some(DeliveryState::Accepted), "{what}: {:?}", entry.delivery);
    t.check().await;
}

async fn fresh(reconcile: bool) -> TestDesk {
    let t = TestDesk::new().await;
    t.fake.set_traits(FakeTraits { reconcile, ..FakeTraits::default() });
    t
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_nth_store_call_may_fail() {
    // Every n on SQLite. On PostgreSQL, where a database of its own for each n takes its time, every fourth, with the
    // harder of the two channels.
    let sqlite = testkit::desk::story_engine() == store::Engine::Sqlite;
    let (channels, step): (&[bool], usize) = if sqlite { (&[true, false], 1) } else { (&[false], 4) };
    for reconcile in channels.iter().copied() {
        let counted = fresh(reconcile).await;
        counted.desk.db.set_fault(Some(FaultPlan { nth: u64::MAX, count: 1, fault: Fault::Broken }));
        let outside = journey(&counted).await;
        let calls = counted.desk.db.fault_calls();
        counted.desk.db.set_fault(None);
        hold_true(&counted, &outside, "no fault").await;
        assert!(calls > 100, "the journey is long enough to mean something: {calls} calls");
        // Every call once as a broken one; a third of them also as a lost answer, which only matters at COMMIT.
        for nth in (1..=calls).step_by(step) {
            let fault = if nth % 3 == 0 { Fault::AnswerLost } else { Fault::Broken };
            let t = fresh(reconcile).await;
            t.desk.db.set_fault(Some(FaultPlan { nth, count: 1, fault }));
            let outside = journey(&t).await;
            t.desk.db.set_fault(None);
            settle(&t).await;
            hold_true(&t, &outside, &format!("store call {nth} of {calls} {fault:?}, reconcile {reconcile}")).await;
        }
    }
}

#[tokio::test]
async fn every_nth_blob_call_may_fail() {
    let counted = fresh(true).await;
    counted.desk.blobs.set_fault(Some(blob::FaultPlan { nth: u64::MAX, count: 1, error: blob::BlobError::Full }));
    journey(&counted).await;
    let calls = counted.desk.blobs.fault_calls();
    assert!(calls >= 2, "a put and a get: {calls}");
    for nth in 1..=calls {
        let t = fresh(true).await;
        t.desk.blobs.set_fault(Some(blob::FaultPlan { nth, count: 1, error: blob::BlobError::Full }));
        let outside = journey(&t).await;
        t.desk.blobs.set_fault(None);
        settle(&t).await;
        hold_true(&t, &outside, &format!("blob call {nth} of {calls}")).await;
    }
}

#[tokio::test]
async fn every_answer_of_the_channel_may_be_lost_or_late() {
    let answers = [FakeAnswer::RetryInMs(1_000), FakeAnswer::SignInAgain, FakeAnswer::Uncertain, FakeAnswer::AnswerLost];
    for answer in answers {
        for reconcile in [true, false] {
            for nth in 1..=3 {
                let t = fresh(reconcile).await;
                t.fake.set_fault(Some(channel::fake::FaultPlan { nth, count: 1, answer: answer.clone() }));
                let outside = journey(&t).await;
                t.fake.set_fault(None);
                settle(&t).await;
                hold_true(&t, &outside, &format!("channel call {nth} {answer:?}, reconcile {reconcile}")).await;
            }
        }
    }
}
