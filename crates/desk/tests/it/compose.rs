//! Conversations that an agent begins by mail.
#![allow(clippy::unwrap_used, reason = "a story that meets something else than it tells has failed")]

use crate::mail_out::{OWN, arrives, mail, mailbox, sent};
use desk::reply::compose::{FilledTemplate, compose, drafts, fill_template, keep_draft, receivers, remove_draft};
use desk::reply::{NewConversation, SendError};
use desk::settings::mail_words::{TemplateInput, set_template, templates};
use model::{BlockReason, DeliveryState, Health, MailAddress, OutboxState, Role, Status};
use serde_json::json;
use store::{Conn, Route, StoreError};
use testkit::desk::TestDesk;

fn to(list: &[&str]) -> Vec<MailAddress> {
    list.iter().map(|a| MailAddress { name: None, address: (*a).to_owned() }).collect()
}

fn new(receivers: &[&str], key: &str) -> NewConversation {
    NewConversation {
        to: to(receivers),
        subject: "Your order".into(),
        text: "It is ready.".into(),
        idempotency_key: key.into(),
        ..NewConversation::default()
    }
}

#[tokio::test]
async fn one_conversation_for_all_or_one_each() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let known = arrives(&t, inbox, mail(&t, "ada@cust.test", "Hi", "hello")).await.unwrap();
    let together = NewConversation {
        cc: to(&["boss@cust.test"]),
        bcc: to(&["log@shop2.test"]),
        ..new(&["Ada@cust.test", "tom@cust.test"], "k1")
    };
    let entries = compose(&t.desk, &t.owner, together.clone()).await.unwrap();
    assert_eq!(entries.len(), 1);
    let row = t.conversation(entries[0].conversation_id).await;
    assert_ne!(row.id, known.conversation_id);
    assert_eq!((row.contact_id, row.status, row.agent_id), (known.contact_id, Status::Pending, Some(t.owner.agent)));
    assert_eq!((row.subject.as_deref(), row.waiting_since), (Some("Your order"), None));
    // A second press gives the same.
    let again = compose(&t.desk, &t.owner, together).await.unwrap();
    assert_eq!(again[0].id, entries[0].id);
    t.run_jobs().await;
    let out = sent(&t);
    assert_eq!(out.len(), 1);
    assert_eq!((&out[0]["to"], &out[0]["cc"]), (&json!("Ada@cust.test"), &json!(["boss@cust.test", "tom@cust.test"])));
    assert_eq!((&out[0]["bcc"], &out[0]["subject"]), (&json!(["log@shop2.test"]), &json!("Your order")));

    let each = NewConversation { each: true, ..new(&["new1@cust.test", "new2@cust.test", "ada@cust.test"], "k2") };
    let entries = compose(&t.desk, &t.owner, each).await.unwrap();
    let mut conversations: Vec<_> = entries.iter().map(|e| e.conversation_id).collect();
    conversations.dedup();
    assert_eq!(conversations.len(), 3);
    t.run_jobs().await;
    assert!(sent(&t)[1..].iter().all(|m| m["cc"] == json!([])), "they do not see each other");
    // The answer of one who was unknown comes back to it.
    let to_first = sent(&t).into_iter().find(|m| m["to"] == "new1@cust.test").unwrap();
    let token = to_first["reply_address"].as_str().unwrap()[8..].split('@').next().unwrap().to_owned();
    let mut answer = mail(&t, "new1@cust.test", "Re: Your order", "when can I fetch it?");
    answer.tokens = vec![token];
    let answered = arrives(&t, inbox, answer).await.unwrap();
    assert_eq!(answered.conversation_id, entries[0].conversation_id);
    assert_eq!(t.conversation(answered.conversation_id).await.status, Status::Open);
    t.end().await;
}

#[tokio::test]
async fn it_can_be_taken_back_and_sent_later() {
    let t = TestDesk::new().await;
    mailbox(&t, OWN).await;
    let held = compose(&t.desk, &t.owner, NewConversation { hold_seconds: 10, ..new(&["a@cust.test"], "k1") }).await.unwrap();
    desk::reply::cancel_hold(&t.desk, &t.owner, held[0].id).await.unwrap();
    let at = t.desk.now().plus_ms(3_600_000);
    let later = compose(&t.desk, &t.owner, NewConversation { send_at: Some(at), ..new(&["b@cust.test"], "k2") }).await.unwrap();
    t.advance(60_000).await;
    assert_eq!(sent(&t).len(), 0);
    let (workspace, id) = (t.workspace, later[0].id);
    let state = t.read(move |tx| Ok(store::outbox::of_entry(tx, workspace, id)?[0].state)).await;
    assert_eq!(state, OutboxState::Held);
    t.advance(3_600_000).await;
    assert_eq!((sent(&t).len(), t.entry(later[0].id).await.delivery), (1, Some(DeliveryState::Accepted)));
    assert_eq!(t.entry(held[0].id).await.delivery, Some(DeliveryState::Cancelled));
    t.end().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_written() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let asked = arrives(&t, inbox, mail(&t, "bad@cust.test", "Hi", "hello")).await.unwrap();
    let (workspace, point) = (t.workspace, asked.contact_point_id.unwrap());
    let bounce = move |tx: &mut dyn Conn| -> Result<(), StoreError> {
        store::contact_point::set_health(tx, workspace, point, Health::Bounced).map(|_| ())
    };
    t.desk.db.write(Route::Any, bounce).await.unwrap();
    let refused = [
        (new(&[], "k"), "to"),
        (new(&["nonsense"], "k"), "to"),
        (NewConversation { subject: " ".into(), ..new(&["a@cust.test"], "k") }, "subject"),
        (NewConversation { text: " ".into(), ..new(&["a@cust.test"], "k") }, "text"),
        (NewConversation { inbox_id: Some(t.inbox), ..new(&["a@cust.test"], "k") }, "inbox_id"),
        (NewConversation { each: true, cc: to(&["b@cust.test"]), ..new(&["a@cust.test"], "k") }, "each"),
        (new(&[OWN], "k"), "to"),
    ];
    for (new, field) in refused {
        match compose(&t.desk, &t.owner, new).await {
            Err(SendError::Invalid { field: got, .. }) => assert_eq!(got, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    let bounced =
        compose(&t.desk, &t.owner, NewConversation { each: true, ..new(&["fresh@cust.test", "bad@cust.test"], "k") }).await;
    assert_eq!(bounced, Err(SendError::Blocked { reason: BlockReason::Bounced }));
    let known = receivers(&t.desk, &t.owner, vec!["fresh@cust.test".into(), "bad@cust.test".into(), "x".into()]).await.unwrap();
    assert_eq!((known[0].contact.is_some(), known[0].valid), (false, true), "the first was not written either");
    assert_eq!((known[1].reason, known[1].open.len(), known[2].valid), (Some(BlockReason::Bounced), 1, false));
    t.end().await;
}

#[tokio::test]
async fn drafts_of_what_is_not_begun_survive_and_go_with_the_sending() {
    let t = TestDesk::new().await;
    mailbox(&t, OWN).await;
    let kept = keep_draft(&t.desk, &t.owner, None, json!({"to": ["a@cust.test"], "text": "half"}), vec![]).await.unwrap();
    let next = keep_draft(&t.desk, &t.owner, Some((kept.id, 1)), json!({"text": "whole"}), vec![]).await.unwrap();
    assert_eq!((next.version, next.content["text"].as_str()), (2, Some("whole")));
    assert!(keep_draft(&t.desk, &t.owner, Some((kept.id, 1)), json!({}), vec![]).await.is_err(), "another window was faster");
    let max = t.add_agent("Max", Role::Agent).await;
    assert!(keep_draft(&t.desk, &max, Some((kept.id, 2)), json!({}), vec![]).await.is_err());
    assert!(!remove_draft(&t.desk, &max, kept.id).await.unwrap());
    compose(&t.desk, &t.owner, NewConversation { draft_id: Some(kept.id), ..new(&["a@cust.test"], "k") }).await.unwrap();
    assert_eq!(drafts(&t.desk, &t.owner).await.unwrap(), []);
    t.run_jobs().await;
    t.end().await;
}

#[tokio::test]
async fn templates_are_shared_or_ones_own_and_say_what_was_empty() {
    let t = TestDesk::new().await;
    let inbox = mailbox(&t, OWN).await;
    let max = t.add_agent("Max", Role::Agent).await;
    let input = TemplateInput {
        name: "Late".into(),
        shared: true,
        subject: Some("About {{conversation.number}}".into()),
        text: "Hello {{contact.first_name}}, {{agent.first_name}} here. {{nonsense}}".into(),
        html: Some("<p>Hello {{contact.name}}<script>x</script></p>".into()),
        ..TemplateInput::default()
    };
    assert!(set_template(&t.desk, &max, None, input.clone()).await.is_err(), "sharing is for supervisors");
    let shared = set_template(&t.desk, &t.owner, None, input.clone()).await.unwrap();
    let own = set_template(&t.desk, &max, None, TemplateInput { shared: false, ..input.clone() }).await.unwrap();
    assert_eq!((templates(&t.desk, &t.owner).await.unwrap().len(), templates(&t.desk, &max).await.unwrap().len()), (1, 2));
    assert!(set_template(&t.desk, &t.owner, Some((own.id, 1)), input.clone()).await.is_err(), "not theirs");
    assert!(set_template(&t.desk, &t.owner, Some((shared.id, 7)), input).await.is_err(), "not what stands there");
    let mut message = mail(&t, "ada@cust.test", "Hi", "hello");
    message.from[0].name = Some("Ada <Novak>".into());
    let id = arrives(&t, inbox, message).await.unwrap().conversation_id;
    let number = t.conversation(id).await.number;
    let filled = fill_template(&t.desk, &max, shared.id, Some(id), None, None).await.unwrap().unwrap();
    let expected = FilledTemplate {
        subject: Some(format!("About #{number}")),
        text: "Hello Ada, Max here. ".into(),
        html: Some("<p>Hello Ada &lt;Novak&gt;</p>".into()),
        empty: vec!["nonsense".into()],
    };
    assert_eq!(filled, expected);
    assert_eq!(fill_template(&t.desk, &t.owner, own.id, None, None, None).await.unwrap(), None);
    t.end().await;
}
