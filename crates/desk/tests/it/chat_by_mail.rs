//! A chat that goes on by mail, and every way to reach somebody with its reason.
#![allow(clippy::unwrap_used, reason = "a story that meets something else than it tells has failed")]

use crate::mail_out::{OWN, arrives, mail, mailbox};
use channel::fake::FakeChannel;
use channel::{ClaimEvent, ClaimSource, ContactPointClaim, Fix, InboundEvent, InboundMessage, UpTo, WatermarkKind};
use desk::reply::{NewReply, WayState, options, send};
use desk::settings::chat_by_mail::{self, ChatByMail};
use model::{BlockReason, Channel, ContactPointKind, ConversationId, DeliveryState, EntryKind, InboxId};
use serde_json::json;
use std::sync::Arc;
use store::entry::Entry;
use testkit::db::TestDb;
use testkit::desk::{TestDesk, story_engine};

const MINUTE: i64 = 60_000;

/// A desk whose chat is played as well.
async fn with_chat() -> (TestDesk, InboxId, InboxId) {
    let db = TestDb::open(story_engine()).unwrap();
    let fake = Arc::new(FakeChannel::new(db.clock.clone()));
    let adapter: Arc<dyn channel::Channel> = fake.clone();
    let kinds = Channel::ALL.iter().filter(|c| **c != Channel::Internal);
    let channels = channel::Registry::new(kinds.map(|kind| (*kind, Arc::clone(&adapter))));
    let t = TestDesk::with_channels(db, fake, channels).await.unwrap();
    let widget = t.add_inbox(Channel::Webchat, "Widget").await;
    let inbox = mailbox(&t, OWN).await;
    (t, widget, inbox)
}

fn visitor(widget: InboxId, id: &str) -> ContactPointClaim {
    ContactPointClaim::new(ContactPointKind::Visitor, widget.to_string(), id, 2, ClaimSource::VisitorToken)
}

async fn chats(t: &TestDesk, widget: InboxId, id: &str, text: &str) -> Entry {
    let message = InboundMessage { from: vec![visitor(widget, id)], external_conversation: id.to_owned(), ..t.message(id, text) };
    arrives(t, widget, message).await.unwrap()
}

async fn happens(t: &TestDesk, inbox: InboxId, event: InboundEvent) {
    let key = format!("e{:?}", std::time::Duration::from_millis(t.desk.now().0.unsigned_abs()));
    let raw = channel::fake::FakeEvent::new(key, "states".to_owned(), &event).raw_event(t.desk.now());
    let open = t.open(inbox).await;
    desk::ingest::accept(&t.desk, t.workspace, &open, vec![raw]).await.unwrap();
    t.clock.advance_ms(1);
    t.run_jobs().await;
}

async fn leaves_address(t: &TestDesk, widget: InboxId, id: &str, address: &str) {
    let claim = ClaimEvent {
        from: vec![visitor(widget, id)],
        external_conversation: id.to_owned(),
        address: Some(ContactPointClaim::new(ContactPointKind::Email, "", address, 0, ClaimSource::Typed)),
        may_mail: true,
        ..ClaimEvent::default()
    };
    happens(t, widget, InboundEvent::Claim(claim)).await;
}

fn mails(t: &TestDesk, inbox: InboxId) -> Vec<serde_json::Value> {
    let all = t.fake.taken_for(inbox);
    all.iter().map(|taken| serde_json::from_slice(&taken.request.body).unwrap()).collect()
}

async fn say(t: &TestDesk, id: ConversationId, text: &str) -> Entry {
    let entry = send(&t.desk, &t.owner, id, t.reply(text)).await.unwrap();
    t.run_jobs().await;
    entry
}

#[tokio::test]
async fn answers_that_a_visitor_who_left_did_not_read_go_out_once_by_mail_and_the_answer_comes_back_into_the_chat() {
    let (t, widget, inbox) = with_chat().await;
    let asked = chats(&t, widget, "v1", "do you ship to Lima?").await;
    let id = asked.conversation_id;
    leaves_address(&t, widget, "v1", "ada@ex.test").await;
    t.desk.visitors.note(t.workspace, id, true, t.desk.now());
    let read = say(&t, id, "we do").await;
    happens(
        &t,
        widget,
        InboundEvent::Watermark { kind: WatermarkKind::Read, external_conversation: "v1".into(), up_to: UpTo::Seq(i64::MAX) },
    )
    .await;
    assert_eq!(t.entry(read.id).await.delivery, Some(DeliveryState::Read));
    t.desk.visitors.note(t.workspace, id, false, t.desk.now());
    let ways = options(&t.desk, &t.owner, id).await.unwrap().unwrap();
    let chat = ways.iter().find(|w| w.inbox_id == widget).unwrap();
    assert_eq!((chat.state, chat.reason, chat.is_default), (WayState::Warn, Some(BlockReason::CustomerAway), true));
    assert_eq!((chat.away_since, chat.by_mail_after_seconds), (Some(t.desk.now()), Some(300)));
    assert_eq!(chat.fix, Some(Fix::SendByMail));
    say(&t, id, "for 12 euros").await;
    t.advance(MINUTE).await;
    say(&t, id, "shall I?").await;
    assert_eq!(mails(&t, inbox).len(), 0);
    t.advance(4 * MINUTE).await;
    // One mail with both, not with what was read; the second look finds nothing more.
    t.advance(10 * MINUTE).await;
    let out = mails(&t, inbox);
    assert_eq!(out.len(), 1);
    assert_eq!((&out[0]["to"], &out[0]["quotes"]), (&json!("ada@ex.test"), &json!(["for 12 euros", "shall I?"])));
    assert!(out[0]["text"].as_str().unwrap().contains("answer this mail"));
    let token = out[0]["reply_address"].as_str().unwrap().strip_prefix("support+").unwrap().split('@').next().unwrap().to_owned();

    // The answer: with the token, from there, and the sender check passed.
    let mut answer = mail(&t, "ada@ex.test", "Re: Acme", "yes please");
    answer.tokens = vec![token];
    let answered = arrives(&t, inbox, answer).await.unwrap();
    assert_eq!((answered.conversation_id, answered.contact_id), (id, asked.contact_id));
    assert!(desk::view::visitor::shows(&answered), "it stands in the widget");
    // That was the proof: now it is an address of the customer.
    let (workspace, contact) = (t.workspace, asked.contact_id);
    let levels: Vec<i64> = t
        .read(move |tx| Ok(store::contact_point::owned_by(tx, workspace, contact)?.iter().map(|o| o.proof_level).collect()))
        .await;
    assert_eq!(levels, [2, 2]);
    let ways = options(&t.desk, &t.owner, id).await.unwrap().unwrap();
    let by_mail = ways.iter().find(|w| w.inbox_id == inbox && w.address == "ada@ex.test").unwrap();
    assert_eq!((by_mail.state, by_mail.is_default), (WayState::Ok, true), "the default follows the last living channel");
    t.advance(60 * MINUTE).await;
    assert_eq!(mails(&t, inbox).len(), 1);
    t.end().await;
}

#[tokio::test]
async fn a_visitor_who_is_there_reads_in_the_chat_and_gets_no_mail() {
    let (t, widget, inbox) = with_chat().await;
    let id = chats(&t, widget, "v1", "hi").await.conversation_id;
    leaves_address(&t, widget, "v1", "ada@ex.test").await;
    t.desk.visitors.note(t.workspace, id, true, t.desk.now());
    say(&t, id, "hello").await;
    t.advance(30 * MINUTE).await;
    assert_eq!(mails(&t, inbox).len(), 0);
    // They close the window without having read it.
    t.desk.visitors.note(t.workspace, id, false, t.desk.now());
    t.advance(6 * MINUTE).await;
    assert_eq!(mails(&t, inbox).len(), 1);
    t.end().await;
}

#[tokio::test]
async fn by_mail_may_be_off_or_at_once_and_needs_an_address() {
    let (t, widget, inbox) = with_chat().await;
    chat_by_mail::put(&t.desk, &t.owner, ChatByMail { enabled: false, ..ChatByMail::default() }).await.unwrap();
    let id = chats(&t, widget, "v1", "hi").await.conversation_id;
    let none = desk::reply::by_mail::send_now(&t.desk, &t.owner, id).await.unwrap();
    assert_eq!(none, Err(desk::reply::by_mail::NotByMail::NothingUnread));
    say(&t, id, "hello").await;
    let nowhere = desk::reply::by_mail::send_now(&t.desk, &t.owner, id).await.unwrap();
    assert_eq!(nowhere, Err(desk::reply::by_mail::NotByMail::NoAddress));
    leaves_address(&t, widget, "v1", "ada@ex.test").await;
    t.advance(60 * MINUTE).await;
    assert_eq!(mails(&t, inbox).len(), 0, "it is off");
    let line = desk::reply::by_mail::send_now(&t.desk, &t.owner, id).await.unwrap().unwrap();
    t.run_jobs().await;
    assert_eq!(mails(&t, inbox).len(), 1, "the agent may all the same");
    let line = t.entry(line).await;
    assert_eq!((line.kind, line.delivery), (EntryKind::Event, Some(DeliveryState::Accepted)));
    assert_eq!(line.body.event.unwrap().args["address"], "ada@ex.test");
    t.end().await;
}

#[tokio::test]
async fn a_typed_address_is_for_this_conversation_only_and_not_for_ever() {
    let (t, widget, inbox) = with_chat().await;
    leaves_address(&t, widget, "v1", "ada@ex.test").await;
    let id = chats(&t, widget, "v1", "I left my address first").await.conversation_id;
    // Somebody else has that address: a visitor who types it gets nothing of theirs, and is not joined with them.
    let ada = arrives(&t, inbox, mail(&t, "ada@ex.test", "My invoice", "secret")).await.unwrap();
    assert_ne!(ada.conversation_id, id);
    let way = |ways: &[desk::reply::ReplyOption]| {
        ways.iter().find(|w| w.inbox_id == inbox && w.address == "ada@ex.test").map(|w| (w.state, w.reason, w.contact_point_id))
    };
    let (state, reason, point) = way(&options(&t.desk, &t.owner, id).await.unwrap().unwrap()).unwrap();
    assert_eq!((state, reason), (WayState::Warn, Some(BlockReason::UnverifiedContactPoint)));
    for n in 0..3 {
        let reply = NewReply { inbox_id: Some(inbox), contact_point_id: point, ..t.reply(&format!("mail {n}")) };
        send(&t.desk, &t.owner, id, reply).await.unwrap();
        t.run_jobs().await;
    }
    assert!(mails(&t, inbox).iter().all(|m| m["quotes"] == json!([])), "nothing from elsewhere");
    let (state, reason, _) = way(&options(&t.desk, &t.owner, id).await.unwrap().unwrap()).unwrap();
    assert_eq!((state, reason), (WayState::Blocked, Some(BlockReason::UnverifiedContactPoint)));
    let fourth = NewReply { inbox_id: Some(inbox), contact_point_id: point, ..t.reply("mail 4") };
    assert!(send(&t.desk, &t.owner, id, fourth).await.is_err());
    chats(&t, widget, "v1", "I am back").await;
    assert_eq!(way(&options(&t.desk, &t.owner, id).await.unwrap().unwrap()).unwrap().0, WayState::Warn);
    // In another conversation it is no way at all.
    let other = chats(&t, widget, "v2", "hello").await.conversation_id;
    assert_eq!(way(&options(&t.desk, &t.owner, other).await.unwrap().unwrap()), None);
    t.end().await;
}

#[tokio::test]
async fn every_channel_is_listed_with_what_stands_against_it() {
    let (t, widget, inbox) = with_chat().await;
    let sms = t.add_inbox(Channel::Sms, "Text").await;
    let id = chats(&t, widget, "v1", "hi").await.conversation_id;
    let ways = options(&t.desk, &t.owner, id).await.unwrap().unwrap();
    let of = |inbox: InboxId| ways.iter().find(|w| w.inbox_id == inbox).map(|w| (w.state, w.reason, w.fix));
    let unknown = Some((WayState::Blocked, Some(BlockReason::NoContactPoint), Some(Fix::AddAddress)));
    assert_eq!((of(sms), of(inbox)), (unknown, unknown));
    assert_eq!(of(widget), Some((WayState::Warn, Some(BlockReason::CustomerAway), Some(Fix::AddAddress))));
    let refused = send(&t.desk, &t.owner, id, NewReply { inbox_id: Some(sms), ..t.reply("x") }).await;
    assert_eq!(refused, Err(desk::reply::SendError::Blocked { reason: BlockReason::NoContactPoint }));
    // An agent may choose chat for a mail, and mail for a chat, at any time.
    let mut both = mail(&t, "tom@ex.test", "Hi", "by mail");
    both.from.push(visitor(widget, "v7"));
    let asked = arrives(&t, inbox, both).await.unwrap();
    let to_chat = NewReply { inbox_id: Some(widget), ..t.reply("by chat") };
    let entry = send(&t.desk, &t.owner, asked.conversation_id, to_chat).await.unwrap();
    assert_eq!((entry.channel, entry.body.mail), (Channel::Webchat, None));
    let back = NewReply { inbox_id: Some(inbox), ..t.reply("by mail") };
    let entry = send(&t.desk, &t.owner, asked.conversation_id, back).await.unwrap();
    assert_eq!(entry.channel, Channel::Email);
    t.run_jobs().await;
    t.advance(60 * MINUTE).await;
    t.end().await;
}
