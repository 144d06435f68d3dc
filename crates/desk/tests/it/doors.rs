//! Who gets in, as whom, and what becomes of those who do not: forged, blocked, automatic and unreadable events; numbers
//! with a new owner; eight writers at once.

use channel::{Automatic, CallEvent, CallFact, ContactPointClaim, InboundEvent, InboundMessage};
use desk::conversation::label;
use desk::identity::{ContactPatch, change_contact, merge};
use desk::reply::{NewReply, send};
use model::{DraftMode, EntryKind, Outcome, ParticipantRole, Role};
use store::provider_event::ProviderEvent;
use testkit::desk::{TestDesk, claim};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

async fn event(t: &TestDesk, stored: desk::ingest::Stored) -> ProviderEvent {
    let workspace = t.workspace;
    t.read(move |tx| store::provider_event::find(tx, workspace, stored.id)).await.expect("it is stored")
}

async fn contact_count(t: &TestDesk) -> usize {
    let workspace = t.workspace;
    t.read(move |tx| Ok(store::contact::page(tx, workspace, (i64::MAX, i64::MAX), 1_000)?.len())).await
}

fn forged(from: &str) -> ContactPointClaim {
    ContactPointClaim { disproved: true, ..claim(from) }
}

async fn block(t: &TestDesk, contact: model::ContactId) {
    let patch = ContactPatch { blocked: Some(true), ..ContactPatch::default() };
    change_contact(&t.desk, &t.owner, contact, patch).await.expect("it is blocked");
}

#[tokio::test]
async fn a_forged_sender_is_nobody_and_gets_past_no_block() {
    let t = TestDesk::new().await;
    let ada = t.customer_writes("ada@example.com", "it is me").await;
    // A second, genuine key beside the forged one names nobody either.
    let from = vec![forged("ada@example.com"), claim("+15550142")];
    let liar = t.customer_sends(InboundMessage { from, ..t.message("x", "give me her data") }).await;
    assert_ne!((liar.contact_id, liar.conversation_id), (ada.contact_id, ada.conversation_id));
    assert!(liar.flags.contains(&"spoof_suspected".to_owned()));
    let (workspace, contact) = (t.workspace, liar.contact_id);
    assert!(t.read(move |tx| store::contact_point::owned_by(tx, workspace, contact)).await.is_empty(), "it holds no keys");
    block(&t, ada.contact_id).await;
    let before = contact_count(&t).await;
    let again = InboundMessage { from: vec![forged("ada@example.com")], ..t.message("x", "again") };
    let stored = t.receive(&InboundEvent::Message(again)).await;
    t.run_jobs().await;
    assert_eq!(event(&t, stored).await.outcome, Some(Outcome::Quarantined));
    assert_eq!(contact_count(&t).await, before);
    t.end().await;
}

#[tokio::test]
async fn a_blocked_caller_rings_nowhere() {
    let t = TestDesk::new().await;
    let known = t.customer_writes("+15550142", "hi").await;
    block(&t, known.contact_id).await;
    let call = CallEvent {
        call: "c1".into(),
        fact: CallFact::Ringing,
        from: vec![claim("+15550142")],
        at: model::Clock::now(&*t.clock),
        ..CallEvent::default()
    };
    let stored = t.receive(&InboundEvent::Call(call)).await;
    t.run_jobs().await;
    assert_eq!(event(&t, stored).await.outcome, Some(Outcome::Quarantined));
    t.end().await;
}

#[tokio::test]
async fn a_machine_that_answers_makes_no_contact_and_takes_no_part() {
    let t = TestDesk::new().await;
    let ada = t.customer_writes("ada@example.com", "hi").await;
    send(&t.desk, &t.owner, ada.conversation_id, t.reply("hello")).await.unwrap();
    t.run_jobs().await;
    let before = (contact_count(&t).await, t.conversation(ada.conversation_id).await.unread_count);
    let machine = |t: &TestDesk, reply_to: Vec<String>| InboundMessage {
        automatic: Automatic::Reply,
        reply_to,
        ..t.message("mailer-daemon@example.com", "out of office")
    };
    let ours = t.fake.taken()[0].provider_id.clone();
    let silent = t.customer_sends(machine(&t, vec![ours])).await;
    assert_eq!(silent.conversation_id, ada.conversation_id);
    assert_eq!((contact_count(&t).await, t.conversation(ada.conversation_id).await.unread_count), before);
    let (workspace, id) = (t.workspace, ada.conversation_id);
    assert_eq!(t.read(move |tx| store::conversation::participants(tx, workspace, id)).await.len(), 1);
    let lost = t.receive(&InboundEvent::Message(machine(&t, vec![]))).await;
    t.run_jobs().await;
    assert_eq!(event(&t, lost).await.outcome, Some(Outcome::Dropped));
    t.end().await;
}

#[tokio::test]
async fn somebody_else_who_answers_our_message_reads_along() {
    let t = TestDesk::new().await;
    let ada = t.customer_writes("ada@example.com", "hi").await;
    send(&t.desk, &t.owner, ada.conversation_id, t.reply("hello")).await.unwrap();
    t.run_jobs().await;
    let reply_to = vec![t.fake.taken()[0].provider_id.clone()];
    let ben = t.customer_sends(InboundMessage { reply_to, ..t.message("ben@example.com", "she passed it on") }).await;
    assert_eq!(ben.conversation_id, ada.conversation_id);
    assert_ne!(ben.contact_id, ada.contact_id);
    let (workspace, id) = (t.workspace, ada.conversation_id);
    let roles: Vec<_> =
        t.read(move |tx| store::conversation::participants(tx, workspace, id)).await.into_iter().map(|p| p.role).collect();
    assert_eq!(roles, [ParticipantRole::Customer, ParticipantRole::Copied]);
    t.end().await;
}

#[tokio::test]
async fn a_number_with_a_new_owner_stays_with_the_new_owner() {
    let t = TestDesk::new().await;
    let weak = |t: &TestDesk, text: &str| InboundMessage {
        from: vec![ContactPointClaim { proof_level: 1, ..claim("+15550142") }],
        ..t.message("+15550142", text)
    };
    let old = t.customer_sends(weak(&t, "I am the first")).await;
    t.clock.advance_ms(541 * DAY);
    let new = t.customer_sends(weak(&t, "I am the second")).await;
    assert_ne!(new.contact_id, old.contact_id);
    assert!(new.flags.contains(&"stale_contact_point".to_owned()));
    let next = t.customer_sends(weak(&t, "still the second")).await;
    assert_eq!((next.contact_id, next.conversation_id), (new.contact_id, new.conversation_id));
    t.end().await;
}

#[tokio::test]
async fn an_event_that_is_given_up_ends_in_quarantine_and_its_lane_goes_on() {
    let t = TestDesk::new().await;
    let large = InboundEvent::Message(t.message("ada@example.com", &"a long story ".repeat(8_000)));
    let stored = t.receive(&large).await;
    t.desk.blobs.set_fault(Some(blob::FaultPlan { nth: 1, count: u64::MAX, error: blob::BlobError::Full }));
    for _ in 0..30 {
        t.advance(HOUR + HOUR / 2).await;
    }
    t.desk.blobs.set_fault(None);
    let ended = event(&t, stored).await;
    assert_eq!(ended.outcome, Some(Outcome::Quarantined), "{:?}", ended.reason);
    assert_eq!(t.customer_writes("ada@example.com", "next").await.body.text, "next");
    assert!(desk::journeys::quarantine::retry(&t.desk, &t.owner, stored.id).await.unwrap());
    t.run_jobs().await;
    assert_eq!(event(&t, stored).await.outcome, Some(Outcome::Entry));
    t.end().await;
}

#[tokio::test]
async fn a_merge_takes_mentions_drafts_and_people_along_and_knows_who_waits() {
    let t = TestDesk::new().await;
    let ben = t.add_agent("Ben", Role::Agent).await;
    let a = t.customer_writes("ada@example.com", "a1").await.conversation_id;
    let second = InboundMessage { channel: Some(model::Channel::Sms), ..t.message("ada@example.com", "b1") };
    t.clock.advance_ms(80 * HOUR);
    let b = t.customer_sends(second).await.conversation_id;
    assert_ne!(a, b);
    send(&t.desk, &t.owner, b, t.reply("answered")).await.unwrap();
    t.run_jobs().await;
    t.clock.advance_ms(1_000);
    let note = NewReply { kind: EntryKind::Note, mention_ids: vec![ben.agent], ..t.reply("@Ben look") };
    send(&t.desk, &t.owner, b, note).await.unwrap();
    let (workspace, agent, now) = (t.workspace, ben.agent, model::Clock::now(&*t.clock));
    let draft = store::draft::Draft {
        id: model::DraftId(0),
        conversation_id: b,
        agent_id: agent,
        mode: DraftMode::Reply,
        inbox_id: None,
        text: "half a sentence".into(),
        attachment_ids: vec![],
        version: 0,
        updated_at: now,
        mail: None,
    };
    let put = move |tx: &mut dyn store::Conn| store::draft::put(tx, workspace, &draft);
    assert!(t.desk.db.write(store::Route::Any, put).await.unwrap());
    let done = label::merge(&t.desk, &t.owner, b, a, false).await.unwrap();
    assert_eq!(t.conversation(a).await.waiting_since, None, "the answer counts although a note came after it");
    assert_eq!(t.read(move |tx| store::conversation::seen::mentioned_of(tx, workspace, agent, &[a, b])).await, [a]);
    assert_eq!(t.read(move |tx| store::draft::list_in(tx, workspace, agent, a)).await[0].text, "half a sentence");
    label::undo(&t.desk, &t.owner, done.undo_id.unwrap()).await.unwrap();
    assert_eq!(t.read(move |tx| store::conversation::seen::mentioned_of(tx, workspace, agent, &[a, b])).await, [b]);
    assert_eq!(t.conversation(b).await.waiting_since, None);
    assert!(t.conversation(a).await.waiting_since.is_some());
    t.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_writers_with_three_people_and_overlapping_keys_lose_nothing() {
    let t = TestDesk::new().await;
    let people = [["ada@example.com", "+15550142"], ["ben@example.com", "+15550142"], ["ada@example.com", "+15550143"]];
    let first = t.customer_writes("ada@example.com", "first").await;
    let phone = t.customer_writes("+15550143", "first").await;
    let mut sent = 0;
    for n in 0..96 {
        let keys = people[n % 3];
        let mut message = t.message(keys[0], &format!("{n}"));
        message.from = if n % 2 == 0 { vec![claim(keys[0]), claim(keys[1])] } else { vec![claim(keys[1])] };
        message.external_conversation = format!("lane {}", n % 8);
        t.receive(&InboundEvent::Message(message)).await;
        sent += 1;
    }
    let busy_is_fine = |error: String| assert!(error.contains("busy"), "{error}");
    let agents = async {
        for n in 0..12 {
            // Time goes on: what was refused for a moment is tried again, and ids do not run ahead of a clock that stands.
            t.clock.advance_ms(1_000);
            if let Err(error) = send(&t.desk, &t.owner, first.conversation_id, t.reply(&format!("r{n}"))).await {
                busy_is_fine(error.to_string());
            }
            match merge(&t.desk, &t.owner, first.contact_id, phone.contact_id, force(), false).await {
                Ok(done) => {
                    tokio::task::yield_now().await;
                    let back = desk::contacts::separate(&t.desk, &t.owner, done.merge_id.expect("not dry"), false, false).await;
                    back.map(|_| ()).unwrap_or_else(|error| busy_is_fine(error.to_string()));
                }
                Err(desk::identity::MergeError::Same) => {}
                Err(error) => busy_is_fine(error.to_string()),
            }
            let seq = t.conversation(first.conversation_id).await.seq;
            if let Err(error) = desk::conversation::change::mark_seen(&t.desk, &t.owner, first.conversation_id, seq).await {
                busy_is_fine(error.to_string());
            }
        }
    };
    // Busy is an answer here, too: what it leaves behind is done below.
    let worker = || async { while t.try_run_jobs().await.is_ok_and(|done| done.ran > 0) {} };
    tokio::join!(worker(), worker(), worker(), worker(), worker(), worker(), worker(), agents);
    for _ in 0..5 {
        t.advance(60_000).await;
    }
    let workspace = t.workspace;
    let all = t
        .read(move |tx| {
            let contacts = store::contact::page(tx, workspace, (i64::MAX, i64::MAX), 100)?;
            let mut all = Vec::new();
            for contact in contacts {
                let set = store::contact::merged_set(tx, workspace, contact.id)?;
                all.extend(store::entry::timeline_before(tx, workspace, &set, (i64::MAX, i64::MAX), 1_000)?);
            }
            Ok(all)
        })
        .await;
    let mut texts: Vec<String> =
        all.iter().filter(|e| e.direction == model::Direction::In).map(|e| e.body.text.clone()).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), sent + 1, "every message once (two said \"first\")");
    assert_eq!(all.iter().filter(|e| e.direction == model::Direction::In).count(), sent + 2);
    t.end().await;
}

#[tokio::test]
async fn a_message_of_a_known_customer_costs_few_statements() {
    let t = TestDesk::new().await;
    t.customer_writes("ada@example.com", "first").await;
    let stored = t.receive(&InboundEvent::Message(t.message("ada@example.com", "second"))).await;
    let plan = store::fault::FaultPlan { nth: u64::MAX, count: 1, fault: store::fault::Fault::Broken };
    t.desk.db.set_fault(Some(plan));
    t.run_jobs().await;
    let calls = t.desk.db.fault_calls();
    t.desk.db.set_fault(None);
    assert!(event(&t, stored).await.entry_id.is_some());
    assert!(calls <= 50, "{calls} statements from the claim of the job to the end of it");
    t.end().await;
}

fn force() -> desk::identity::Choices {
    desk::identity::Choices { force: true, ..Default::default() }
}
