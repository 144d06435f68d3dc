//! What the product writes by itself, and that it stops.
#![allow(clippy::unwrap_used, reason = "a story that meets something else than it tells has failed")]

use crate::mail_out::{OWN, arrives, mail, mailbox, person, sent};
use channel::{Automatic, InboundMessage};
use desk::reply::send;
use model::{Audience, DeliveryState, InboxId, Timestamp};
use store::automatic_answer::AutomaticAnswer;
use store::{Conn, Route, StoreError};
use testkit::desk::TestDesk;

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

async fn answers_itself(t: &TestDesk, inbox: InboxId, kind: &str, text: &str) {
    let workspace = t.workspace;
    let answer = AutomaticAnswer {
        inbox_id: inbox,
        kind: kind.to_owned(),
        enabled: true,
        subject: None,
        text: text.to_owned(),
        html: None,
        article_url: Some("https://help.shop.test/a/1".into()),
        reply_within_minutes: Some(120),
        business_hours_id: None,
        version: 1,
    };
    t.desk.db.write(Route::Any, move |tx: &mut dyn Conn| store::automatic_answer::put(tx, workspace, &answer)).await.unwrap();
}

async fn at(t: &TestDesk, time: &str) {
    let wanted = Timestamp::parse(time).unwrap();
    t.clock.advance_ms(wanted.since(t.desk.now()));
}

fn from(t: &TestDesk, address: &str, level: u8, text: &str) -> InboundMessage {
    let mut message = mail(t, address, "Question", text);
    message.from = vec![person(address, level)];
    message.from[0].name = Some("Ada Novak".into());
    message
}

#[tokio::test]
async fn the_first_mail_of_a_conversation_is_acknowledged_once_with_receipt_time_and_page() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let text = "Hello {{contact.first_name}}, this is {{conversation.number}}. By {{expected_reply}}. Meanwhile: {{article}}";
    answers_itself(&t, inbox, "acknowledge", text).await;
    // Monday, 10:00 in Berlin.
    at(&t, "2030-07-01T08:00:00Z").await;
    let asked = arrives(&t, inbox, from(&t, "ada@cust.test", 2, "when?")).await.unwrap();
    let number = t.conversation(asked.conversation_id).await.number;
    let out = sent(&t).remove(0);
    let expected = format!("Hello Ada, this is #{number}. By Mon 1 Jul 2030, 12:00. Meanwhile: https://help.shop.test/a/1");
    assert_eq!((out["text"].as_str(), out["subject"].as_str()), (Some(expected.as_str()), Some("Re: Question")));
    assert_eq!((out["automatic"].as_str(), out["to"].as_str()), (Some("replied"), Some("ada@cust.test")));
    assert!(out["unsubscribe"].as_str().unwrap().starts_with("mailto:support+c"), "{out}");
    // It is no answer: the customer still waits, nobody is assigned, the list shows what the customer wrote.
    let row = t.conversation(asked.conversation_id).await;
    assert_eq!((row.waiting_since, row.agent_id, row.unread_count), (Some(asked.at), None, 1));
    assert_eq!(row.preview.unwrap().text, "when?");
    // No second one in this conversation, and none in another within a day.
    arrives(&t, inbox, from(&t, "ada@cust.test", 2, "hello?")).await;
    t.advance(73 * 3_600_000).await;
    assert_eq!(sent(&t).len(), 1);
    let other = InboundMessage { subject: Some("Another matter".into()), ..from(&t, "ada@cust.test", 2, "something else") };
    arrives(&t, inbox, other).await;
    assert_eq!(sent(&t).len(), 2, "three days later a new conversation gets its own");
    t.end().await;
}

#[tokio::test]
async fn at_night_the_answer_says_when_somebody_is_there() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    answers_itself(&t, inbox, "acknowledge", "got it").await;
    answers_itself(&t, inbox, "off_hours", "We are back {{opens_at}} and answer by {{expected_reply}}.").await;
    // Friday, 20:00 in Berlin.
    at(&t, "2030-07-05T18:00:00Z").await;
    arrives(&t, inbox, from(&t, "ada@cust.test", 1, "hi")).await;
    assert_eq!(sent(&t)[0]["text"], "We are back Mon 8 Jul 2030, 09:00 and answer by Mon 8 Jul 2030, 11:00.");
    t.end().await;
}

#[tokio::test]
async fn an_unproven_sender_is_not_called_by_name() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    answers_itself(&t, inbox, "acknowledge", "Hello {{contact.name}}, got it").await;
    arrives(&t, inbox, from(&t, "ada@cust.test", 1, "hi")).await;
    assert_eq!(sent(&t)[0]["text"], "Hello, got it");
    t.end().await;
}

#[tokio::test]
async fn machines_spoofers_ourselves_and_who_asked_for_silence_get_no_automatic_mail() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let second = mailbox(&t, "billing@shop.test").await;
    for inbox in [inbox, second] {
        answers_itself(&t, inbox, "acknowledge", "got it").await;
    }
    let mut forged = from(&t, "forged@cust.test", 0, "x");
    forged.from[0].disproved = true;
    let mut quiet = from(&t, "no-reply@cust.test", 2, "x");
    quiet.mail.as_mut().unwrap().quiet = Some("from no-reply".into());
    let silent = [
        InboundMessage { automatic: Automatic::Reply, ..from(&t, "vacation@cust.test", 2, "x") },
        InboundMessage { automatic: Automatic::Bulk, ..from(&t, "news@cust.test", 2, "x") },
        InboundMessage { history: true, ..from(&t, "old@cust.test", 2, "x") },
        InboundMessage { junk: true, ..from(&t, "junk@cust.test", 2, "x") },
        forged,
        quiet,
        from(&t, "billing@shop.test", 2, "from our other inbox"),
        from(&t, "help+x@shop.test", 2, "from an alias of ours"),
    ];
    for message in silent {
        arrives(&t, inbox, message).await;
    }
    assert_eq!(sent(&t).len(), 0);
    // Asked for silence by the way out that every automatic mail offers.
    arrives(&t, inbox, from(&t, "ada@cust.test", 2, "x")).await;
    assert_eq!(sent(&t).len(), 1);
    arrives(&t, inbox, InboundMessage { subject: Some("Unsubscribe".into()), ..from(&t, "ada@cust.test", 2, "") }).await;
    t.advance(10 * DAY).await;
    arrives(&t, inbox, from(&t, "ada@cust.test", 2, "new matter")).await;
    assert_eq!(sent(&t).len(), 1);
    t.end().await;
}

/// The worst case: both sides answer by themselves, and something on the way removes every mark of automatic mail.
#[tokio::test]
async fn two_instances_that_face_each_other_stop_after_at_most_two_mails_each() {
    for marks in [true, false] {
        let (a, b) = (TestDesk::new().await, TestDesk::new().await);
        let inboxes = (mailbox(&a, "support@a.test").await, mailbox(&b, "support@b.test").await);
        for (t, inbox) in [(&a, inboxes.0), (&b, inboxes.1)] {
            answers_itself(t, inbox, "acknowledge", "got it").await;
            answers_itself(t, inbox, "off_hours", "nobody here").await;
        }
        // A person at A begins it by writing to B.
        arrives(&b, inboxes.1, from(&b, "support@a.test", 2, "a question")).await;
        let (mut seen_a, mut seen_b) = (0, 0);
        for round in 0..40 {
            let (from_a, from_b) = (sent(&a), sent(&b));
            for (out, into, inbox, address, seen) in
                [(&from_a, &b, inboxes.1, "support@a.test", &mut seen_a), (&from_b, &a, inboxes.0, "support@b.test", &mut seen_b)]
            {
                for one in &out[*seen..] {
                    // Not even ids survive, so that each mail begins a conversation.
                    let mut message = from(into, address, 2, one["text"].as_str().unwrap());
                    if marks {
                        message.automatic = Automatic::Reply;
                    }
                    message.subject = Some(format!("{round}"));
                    arrives(into, inbox, message).await;
                }
                *seen = out.len();
            }
            a.advance(5 * MINUTE).await;
            b.advance(5 * MINUTE).await;
        }
        let counts = (sent(&a).len(), sent(&b).len());
        assert!(counts.0 <= 1 && counts.1 == 1, "marks {marks}: {counts:?}");
        a.end().await;
        b.end().await;
    }
}

#[tokio::test]
async fn a_sender_who_writes_in_bursts_is_collected_and_told_of_once() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let mut conversations = Vec::new();
    for n in 0..30 {
        // Each on a subject of its own; older than what a conversation is joined by.
        let mut message = from(&t, "loop@cust.test", 2, &format!("{n}"));
        message.subject = Some(format!("Order {n}"));
        let entry = arrives(&t, inbox, message).await.expect("nothing is lost");
        conversations.push(entry.conversation_id);
        t.advance(10_000).await;
    }
    let mut distinct = conversations.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() <= 6, "{}", distinct.len());
    let last = t.conversation(*conversations.last().unwrap()).await;
    assert!(last.unread_count <= 21, "{}", last.unread_count);
    let workspace = t.workspace;
    let told = t
        .read(move |tx| {
            let mut told = 0;
            for id in &distinct {
                let all = store::entry::conversation_before(tx, workspace, *id, (i64::MAX, i64::MAX), 1_000)?;
                told += all.iter().filter(|e| e.body.event.as_ref().is_some_and(|e| e.code == "sender_burst")).count();
            }
            Ok::<_, StoreError>(told)
        })
        .await;
    assert_eq!(told, 1);
    t.end().await;
}

#[tokio::test]
async fn an_automatic_answer_waits_for_nobody_and_a_real_one_ends_the_wait() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    answers_itself(&t, inbox, "acknowledge", "got it").await;
    let asked = arrives(&t, inbox, from(&t, "ada@cust.test", 2, "hi")).await.unwrap();
    let id = asked.conversation_id;
    let entry = send(&t.desk, &t.owner, id, t.reply("hello")).await.unwrap();
    t.run_jobs().await;
    assert_eq!(t.conversation(id).await.waiting_since, None);
    let shown = t.entry(entry.id).await;
    assert_eq!((shown.audience, shown.delivery), (Audience::Customer, Some(DeliveryState::Accepted)));
    // The mail goes on from the customer's, not from the machine's.
    assert_eq!(sent(&t)[1]["in_reply_to"], sent(&t)[0]["in_reply_to"]);
    t.end().await;
}
