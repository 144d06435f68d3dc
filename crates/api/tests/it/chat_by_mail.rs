//! A chat in the real widget goes on by mail, and the answer to that mail stands in the widget.
#![allow(clippy::disallowed_methods, reason = "real sockets live in real time; what is waited for is looked at")]

use crate::served::{Served, message};
use channel::fake::FakeEvent;
use channel::{ClaimSource, ContactPointClaim, InboundEvent, InboundMessage, MailFacts};
use model::{Channel, ContactPointKind};
use serde_json::{Value as Json, json};
use std::time::Duration;
use store::Conn;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_visitor_did_not_read_goes_by_mail_and_their_answer_stands_in_the_widget() {
    let served = Served::new().await;
    let app = &served.app;
    let (workspace, now) = (app.workspace, app.desk.desk.now());
    let add = move |tx: &mut dyn Conn| {
        let settings = json!({"address": "support@shop.test", "plus_addressing": true});
        let new = store::inbox::NewInbox { channel: Channel::Email, name: "Support", site: None, settings: &settings };
        store::inbox::add(tx, workspace, &new, now)
    };
    let inbox = app.desk.desk.db.write(store::Route::Any, add).await.unwrap();
    let site = served.add_site(json!({})).await;
    let begun = served.begin(&site, json!({})).await;
    let mut visitor = served.visitor(&site, begun["visitor_token"].as_str().unwrap(), None, 0).await;
    visitor.say(message("msg-00000001", "Do you ship to Lima?")).await;
    let conversation = visitor.until_kind("conversation").await["id"].as_str().unwrap().to_owned();
    visitor.say(json!({ "kind": "email", "address": "ada@ex.test", "may_mail": true })).await;
    let owner = app.owner_client().await.with("idempotency-key", "one");
    let options = format!("/api/v1/conversations/{conversation}/reply-options");
    let way = async |channel: &str| {
        let all = owner.get(&options).await.ok();
        all["items"].as_array().unwrap().iter().find(|w| w["channel"] == channel).cloned().unwrap_or(Json::Null)
    };
    for _ in 0..400 {
        if way("email").await["state"] == "warn" && way("webchat").await["state"] == "ok" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(way("webchat").await["state"], "ok", "the visitor is there");
    assert_eq!(way("email").await["reason"], "unverified_contact_point");
    drop(visitor);
    for _ in 0..400 {
        if way("webchat").await["reason"] == "customer_away" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let away = way("webchat").await;
    assert_eq!((&away["reason"], &away["by_mail_after_seconds"]), (&json!("customer_away"), &json!(300)));
    let body = json!({ "kind": "message", "text": "We do, for 12 euros.", "base_seq": 100, "hold_seconds": 0, "inbox_id": away["inbox_id"] });
    owner.post(&format!("/api/v1/conversations/{conversation}/entries"), body).await.ok();
    for _ in 0..400 {
        app.clock.advance_ms(30_000);
        if !app.fake.taken_for(inbox).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let taken = app.fake.taken_for(inbox);
    assert_eq!(taken.len(), 1, "one mail");
    let mail: Json = serde_json::from_slice(&taken[0].request.body).unwrap();
    assert_eq!((&mail["to"], &mail["quotes"]), (&json!("ada@ex.test"), &json!(["We do, for 12 euros."])));

    let token = mail["reply_address"].as_str().unwrap().strip_prefix("support+").unwrap().split('@').next().unwrap();
    let answer = InboundMessage {
        provider_id: "a1@ex.test".into(),
        external_conversation: "ada@ex.test".into(),
        from: vec![ContactPointClaim::new(ContactPointKind::Email, "", "ada@ex.test", 2, ClaimSource::Sender)],
        tokens: vec![token.to_owned()],
        text: "Then two, please.".into(),
        mail: Some(Box::new(MailFacts { message_id: Some("a1@ex.test".into()), ..MailFacts::default() })),
        ..InboundMessage::default()
    };
    let raw = FakeEvent::new("a1", "ada@ex.test", &InboundEvent::Message(answer)).raw_event(app.desk.desk.now());
    let open = app.desk.open(inbox).await;
    desk::ingest::accept(&app.desk.desk, workspace, &open, vec![raw]).await.unwrap();
    let mut texts: Vec<String> = Vec::new();
    for _ in 0..400 {
        let again = served.begin(&site, json!({ "visitor_token": begun["visitor_token"] })).await;
        let items = again["items"].as_array().unwrap();
        texts = items.iter().filter(|i| i["from"] != "system").map(|i| i["text"].as_str().unwrap().to_owned()).collect();
        if texts.len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(texts, ["Do you ship to Lima?", "We do, for 12 euros.", "Then two, please."]);
    assert_eq!(way("email").await["state"], "ok", "the answer was the proof");
    served.end().await;
}
