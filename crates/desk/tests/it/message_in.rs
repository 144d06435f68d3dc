//! A message in: stored once, understood in order, placed, or put aside with its reason.

use channel::fake::FakeEvent;
use channel::{CallEvent, CallFact, ClaimEvent, ClaimSource, ContactPointClaim, InboundEvent, InboundMessage, OptScope};
use model::{Channel, ContactPointKind, EntryKind, Outcome, Status, Timestamp};
use serde_json::json;
use testkit::desk::{TestDesk, claim};

const HOUR: i64 = 3_600_000;

#[tokio::test]
async fn one_person_writes_on_three_channels_and_it_is_one_conversation() {
    let t = TestDesk::new().await;
    let person = |t: &TestDesk, channel, text: &str| InboundMessage {
        channel: Some(channel),
        from: vec![claim("ada@example.com"), claim("+15550142")],
        ..t.message("ada", text)
    };
    let chat = t.customer_sends(person(&t, Channel::Telegram, "My card was charged twice")).await;
    let sms = t.customer_sends(person(&t, Channel::Sms, "any news?")).await;
    let mail = t.customer_sends(person(&t, Channel::Email, "see the invoice")).await;
    assert_eq!((chat.conversation_id, sms.conversation_id), (mail.conversation_id, mail.conversation_id));
    assert_eq!(chat.contact_id, mail.contact_id);
    let row = t.conversation(mail.conversation_id).await;
    assert_eq!((row.number, row.channel, row.first_channel, row.unread_count), (1, Channel::Email, Channel::Telegram, 3));
    assert_eq!(row.preview.unwrap().text, "see the invoice");
    assert_eq!(t.texts(row.id).await, ["My card was charged twice", "any news?", "see the invoice"]);
    t.end().await;
}

#[tokio::test]
async fn a_repeated_event_is_a_no_op_and_one_message_id_is_one_entry() {
    let t = TestDesk::new().await;
    let message = t.message("ada@example.com", "hello");
    let event = InboundEvent::Message(message.clone());
    let first = t.receive(&event).await;
    let again = t.receive(&event).await;
    assert_eq!((first.fresh, again.fresh, first.id), (true, false, again.id));
    t.run_jobs().await;
    // The same message under another event id: a provider that batches anew.
    let other = t.receive_raw(&FakeEvent::new("batch-2", "ada@example.com", &event)).await.unwrap();
    t.run_jobs().await;
    assert_eq!(t.entry_of(other).await, None);
    let entry = t.entry_of(first).await.unwrap();
    assert_eq!(t.texts(entry.conversation_id).await, ["hello"]);
    t.end().await;
}

#[tokio::test]
async fn what_cannot_be_understood_is_quarantined_and_never_blocks_the_next() {
    let t = TestDesk::new().await;
    let poison = t.receive_raw(&FakeEvent::raw("bad", "ada@example.com", json!({"kind": "message", "text": 5}))).await.unwrap();
    let good = t.customer_writes("ada@example.com", "I am after the poison").await;
    assert_eq!(good.body.text, "I am after the poison");
    let workspace = t.workspace;
    let event = t.read(move |tx| store::provider_event::find(tx, workspace, poison.id)).await.unwrap();
    assert_eq!(event.outcome, Some(Outcome::Quarantined));
    assert!(event.reason.unwrap().len() > 10, "the reason is a sentence");
    // Tried again by an admin it ends the same, and can be put out of sight.
    assert!(desk::journeys::quarantine::retry(&t.desk, &t.owner, poison.id).await.unwrap());
    t.run_jobs().await;
    assert!(desk::journeys::quarantine::dismiss(&t.desk, &t.owner, poison.id).await.unwrap());
    assert!(!desk::journeys::quarantine::retry(&t.desk, &t.owner, poison.id).await.unwrap());
    t.end().await;
}

#[tokio::test]
async fn an_unknown_kind_from_a_known_sender_is_shown_and_not_dropped() {
    let t = TestDesk::new().await;
    let unknown =
        InboundEvent::Unsupported { kind: "hologram".into(), from: vec![claim("ada@example.com")], external_conversation: None };
    let stored = t.receive(&unknown).await;
    t.run_jobs().await;
    let entry = t.entry_of(stored).await.unwrap();
    assert_eq!(entry.body.parts, [model::parts::Part::Unsupported { what: "hologram".into() }]);
    t.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_simultaneous_first_messages_make_one_contact_and_one_conversation() {
    let t = TestDesk::new().await;
    for n in 0..50 {
        let mut message = t.message("ada@example.com", &format!("{n}"));
        // Each in a lane of its own: nothing but the contact point's key may keep them together.
        message.external_conversation = format!("lane {n}");
        t.receive(&InboundEvent::Message(message)).await;
    }
    t.run_for_real().await;
    let workspace = t.workspace;
    let contacts = t.read(move |tx| store::contact::page(tx, workspace, (i64::MAX, i64::MAX), 10)).await;
    assert_eq!(contacts.len(), 1);
    let ids: Vec<_> = contacts.iter().map(|c| c.id).collect();
    let conversations = t.read(move |tx| store::conversation::of_contacts(tx, workspace, &ids, 10)).await;
    assert_eq!(conversations.len(), 1);
    assert_eq!(t.texts(conversations[0].id).await.len(), 50);
    t.end().await;
}

#[tokio::test]
async fn a_resolved_conversation_opens_again_within_a_week_and_makes_a_new_one_after() {
    let t = TestDesk::new().await;
    let first = t.customer_writes("ada@example.com", "It broke").await;
    let id = first.conversation_id;
    let resolve = desk::conversation::Patch { status: Some(Status::Resolved), ..Default::default() };
    desk::conversation::change::change(&t.desk, &t.owner, id, resolve.clone()).await.unwrap();
    t.advance(100 * HOUR).await;
    let again = t.customer_writes("ada@example.com", "It broke again").await;
    // Mail of the same person, no other open conversation: T7-recent on the channel that the conversation used.
    assert_eq!(again.conversation_id, id);
    assert_eq!(t.conversation(id).await.status, Status::Open);
    desk::conversation::change::change(&t.desk, &t.owner, id, resolve).await.unwrap();
    t.advance(169 * HOUR).await;
    let new = t.customer_writes("ada@example.com", "Something else").await;
    assert_ne!(new.conversation_id, id);
    assert_eq!(t.conversation(id).await.status, Status::Resolved);
    t.end().await;
}

#[tokio::test]
async fn a_snooze_ends_at_its_time_or_with_the_customers_next_entry() {
    let t = TestDesk::new().await;
    let id = t.customer_writes("ada@example.com", "Where is it?").await.conversation_id;
    let until = |t: &TestDesk, hours: i64| desk::conversation::Patch {
        status: Some(Status::Snoozed),
        snoozed_until: Some(model::Clock::now(&*t.clock).plus_ms(hours * HOUR)),
        ..Default::default()
    };
    desk::conversation::change::change(&t.desk, &t.owner, id, until(&t, 2)).await.unwrap();
    t.advance(2 * HOUR - 1).await;
    assert_eq!(t.conversation(id).await.status, Status::Snoozed);
    t.advance(1).await;
    assert_eq!(t.conversation(id).await.status, Status::Open);
    desk::conversation::change::change(&t.desk, &t.owner, id, until(&t, 5)).await.unwrap();
    t.customer_writes("ada@example.com", "Still waiting").await;
    assert_eq!((t.conversation(id).await.status, t.conversation(id).await.snoozed_until), (Status::Open, None));
    t.advance(5 * HOUR).await;
    assert_eq!(t.conversation(id).await.status, Status::Open, "the old alarm finds nothing to do");
    let until_reply = desk::conversation::Patch { status: Some(Status::Snoozed), ..Default::default() };
    desk::conversation::change::change(&t.desk, &t.owner, id, until_reply).await.unwrap();
    t.advance(900 * HOUR).await;
    assert_eq!(t.conversation(id).await.status, Status::Snoozed, "no time ends this one");
    t.customer_writes("ada@example.com", "Hello?").await;
    assert_eq!(t.conversation(id).await.status, Status::Open);
    t.end().await;
}

#[tokio::test]
async fn the_blocked_go_to_quarantine_and_stop_words_close_the_address() {
    let t = TestDesk::new().await;
    let entry = t.customer_writes("ada@example.com", "buy my pills").await;
    let block = desk::identity::ContactPatch { blocked: Some(true), ..Default::default() };
    desk::identity::change_contact(&t.desk, &t.owner, entry.contact_id, block).await.unwrap();
    let stored = t.receive(&InboundEvent::Message(t.message("ada@example.com", "buy more"))).await;
    t.run_jobs().await;
    assert_eq!(t.entry_of(stored).await, None);
    let sms = t.customer_writes("+15550142", "hello").await;
    t.receive(&InboundEvent::OptOut { from: claim("+15550142"), scope: OptScope::All }).await;
    t.run_jobs().await;
    let refused = desk::reply::send(&t.desk, &t.owner, sms.conversation_id, t.reply("hi")).await;
    assert!(matches!(refused, Err(desk::reply::SendError::Blocked { reason: model::BlockReason::OptedOut })), "{refused:?}");
    t.end().await;
}

#[tokio::test]
async fn a_call_is_one_entry_that_fills_in_while_it_goes_on() {
    let t = TestDesk::new().await;
    let start = model::Clock::now(&*t.clock);
    let fact = |fact, ms: i64| {
        InboundEvent::Call(CallEvent {
            call: "c1".into(),
            fact,
            from: vec![claim("+15550142")],
            at: start.plus_ms(ms),
            ..CallEvent::default()
        })
    };
    let stored = t.receive(&fact(CallFact::Ringing, 0)).await;
    t.run_jobs().await;
    t.receive(&fact(CallFact::Answered, 9_000)).await;
    t.receive(&fact(CallFact::Ended, 410_000)).await;
    t.receive(&fact(CallFact::Ended, 999_000)).await;
    t.run_jobs().await;
    let entry = t.entry_of(stored).await.unwrap();
    let call = entry.body.call.unwrap();
    assert_eq!((entry.kind, entry.channel), (EntryKind::Call, Channel::Voice));
    assert_eq!((call.state.as_str(), call.wait_ms, call.duration_ms), ("ended", 9_000, 401_000));
    // A text after the call lands in the same conversation.
    let text = t.customer_writes("+15550142", "as I said on the phone").await;
    assert_eq!(text.conversation_id, entry.conversation_id);
    t.end().await;
}

#[tokio::test]
async fn a_visitor_who_signs_in_keeps_the_history_and_two_people_at_one_browser_stay_two() {
    let t = TestDesk::new().await;
    let visitor = |id: &str| ContactPointClaim::new(ContactPointKind::Visitor, "ibx", id, 2, ClaimSource::VisitorToken);
    let account = |id: &str| ContactPointClaim::new(ContactPointKind::Account, "", id, 3, ClaimSource::Signed);
    let from = |t: &TestDesk, from: Vec<ContactPointClaim>, text: &str| InboundMessage { from, ..t.message("v1", text) };
    let known = t.customer_sends(from(&t, vec![account("8841")], "from my phone")).await;
    let anonymous = t.customer_sends(from(&t, vec![visitor("v1")], "hello?")).await;
    assert_ne!(known.contact_id, anonymous.contact_id);
    let signed_in = t.customer_sends(from(&t, vec![account("8841"), visitor("v1")], "it is me")).await;
    let workspace = t.workspace;
    let (a, b) = (anonymous.contact_id, known.contact_id);
    let live = t.read(move |tx| Ok(store::contact::get_live(tx, workspace, a)?.id)).await;
    assert_eq!(live, b, "the anonymous visitor joined the account");
    let stranger = t.customer_sends(from(&t, vec![account("9000"), visitor("v1")], "somebody else at this computer")).await;
    let other = stranger.contact_id;
    assert_ne!(t.read(move |tx| Ok(store::contact::get_live(tx, workspace, other)?.id)).await, b);
    assert!(stranger.flags.contains(&"identity_conflict".to_owned()), "{:?}", stranger.flags);
    assert_eq!(signed_in.proof_level, Some(3));
    t.end().await;
}

#[tokio::test]
async fn what_a_page_says_is_shown_as_claimed_and_joins_nobody() {
    let t = TestDesk::new().await;
    let ada = t.customer_writes("ada@example.com", "I am Ada").await;
    let visitor = ContactPointClaim::new(ContactPointKind::Visitor, "ibx", "v9", 2, ClaimSource::VisitorToken);
    let liar = t.customer_sends(InboundMessage { from: vec![visitor.clone()], ..t.message("v9", "hi") }).await;
    let claim = ClaimEvent {
        from: vec![visitor],
        external_conversation: "v9".into(),
        values: [("name".to_owned(), "Ada".to_owned()), ("email".to_owned(), "ada@example.com".to_owned())].into(),
        ..ClaimEvent::default()
    };
    t.receive(&InboundEvent::Claim(claim)).await;
    t.run_jobs().await;
    let workspace = t.workspace;
    let id = liar.contact_id;
    let contact = t.read(move |tx| store::contact::get_live(tx, workspace, id)).await;
    assert_ne!(contact.id, ada.contact_id);
    assert_eq!((contact.name, contact.claimed["email"].as_str()), (None, Some("ada@example.com")));
    t.end().await;
}

#[tokio::test]
async fn hostile_text_is_kept_as_text() {
    let t = TestDesk::new().await;
    let evil = "<script>alert(1)</script> '; DROP TABLE entry; -- \u{0}\u{202e}\r\nline";
    let entry = t.customer_writes("ada@example.com", evil).await;
    assert_eq!(entry.body.text, "<script>alert(1)</script> '; DROP TABLE entry; -- \u{202e}\nline");
    let long = t.customer_writes("ada@example.com", &"x".repeat(300_000)).await;
    assert_eq!(long.body.text.len(), 200_000);
    let future =
        InboundMessage { sent_at: Timestamp::parse("9999-12-31T00:00:00Z"), ..t.message("ada@example.com", "from the future") };
    assert_eq!(t.customer_sends(future).await.at, model::Clock::now(&*t.clock));
    t.end().await;
}
