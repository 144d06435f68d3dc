//! The first walk through the product: a visitor writes, an agent answers, both see it without reloading.

use crate::served::{Served, items, message};
use serde_json::{Value as Json, json};
use std::time::Duration;

fn reply(text: &str, base_seq: i64, hold_seconds: i64) -> Json {
    json!({ "kind": "message", "text": text, "base_seq": base_seq, "hold_seconds": hold_seconds })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_writes_an_agent_answers_and_both_see_it_at_once() {
    let served = Served::new().await;
    let site = served.add_site(json!({})).await;
    let owner = served.app.owner_client().await;
    let mut agent = served.agent(&owner, None).await;
    agent.until_kind("welcome").await;

    let begun = served.begin(&site, json!({ "claimed": { "name": "Zoe" } })).await;
    assert_eq!((&begun["conversation"], &begun["items"], &begun["unread"]), (&Json::Null, &json!([]), &json!(0)));
    let mut visitor = served.visitor(&site, begun["visitor_token"].as_str().unwrap(), None, 0).await;
    assert_eq!(visitor.until_kind("welcome").await["conversation"], Json::Null);
    visitor.say(message("msg-00000001", "Where is my order?")).await;
    assert_eq!(visitor.until_kind("ack").await["client_msg_id"], "msg-00000001");
    let conversation = visitor.until_kind("conversation").await["id"].as_str().unwrap().to_owned();
    let mine = visitor.until_item("my own message", |item| item["client_msg_id"] == "msg-00000001").await;
    assert_eq!((&mine["from"], &mine["state"], &mine["text"]), (&json!("me"), &json!("sent"), &json!("Where is my order?")));

    let entry = agent.until_item("the entry", |item| item["kind"] == "entry").await["entry"].clone();
    assert_eq!(entry["body"]["text"], "Where is my order?");
    let list = owner.get("/api/v1/conversations?view=unassigned").await.ok();
    let row = &list["items"][0];
    assert_eq!(
        (&row["id"], &row["contact"]["name"], &row["unread"], &list["total"]["n"]),
        (&json!(conversation), &json!("Zoe"), &json!(true), &json!(1))
    );

    // Seen by an agent: the visitor's message is read.
    owner.post(&format!("/api/v1/conversations/{conversation}/seen"), json!({ "seq": row["seq"] })).await.ok();
    let read = visitor.until_item("the read mark", |item| item["id"] == mine["id"]).await;
    assert_eq!(read["state"], "read");

    // Typing goes both ways and is stored nowhere.
    agent.say(json!({ "kind": "beat", "conversation_id": conversation, "doing": "typing_reply" })).await;
    assert_eq!(visitor.until_kind("typing").await["on"], true);
    visitor.say(json!({ "kind": "typing", "on": true })).await;
    agent.until("the customer's typing", |frame| frame["kind"] == "presence" && frame["customer"]["typing"] == true).await;
    agent.say(json!({ "kind": "beat", "conversation_id": null, "doing": null })).await;
    assert_eq!(visitor.until_kind("typing").await["on"], false);

    // Held for five seconds: nobody but agents sees it, and it can be taken back.
    let path = format!("/api/v1/conversations/{conversation}/entries");
    let owner = owner.with("idempotency-key", "key-1");
    let held = owner.post(&path, reply("Too fast", 100, 5)).await.ok();
    assert_eq!((&held["status"]["code"], &held["client_id"]), (&json!("queued"), &json!("key-1")));
    assert!(held["status"]["hold_until"].is_string());
    let id = held["id"].as_str().unwrap();
    agent.until_item("the held entry", |item| item["entry"]["id"] == id).await;
    assert_eq!(owner.delete(&format!("/api/v1/holds/{id}")).await.ok()["status"]["code"], "cancelled");
    agent
        .until_item("the cancelled entry", |item| item["entry"]["id"] == id && item["entry"]["status"]["code"] == "cancelled")
        .await;

    let owner = owner.with("idempotency-key", "key-2");
    let second = served.app.owner_client().await.with("idempotency-key", "key-2");
    let sent = second.post(&path, reply("On its way", 100, 0)).await.ok();
    let again = second.post(&path, reply("On its way", 100, 0)).await.ok();
    assert_eq!(again["id"], sent["id"], "a repeat gives the first entry");
    let answer = visitor.until_item("the answer", |item| item["from"] == "agent").await;
    assert_eq!((&answer["id"], &answer["text"], &answer["name"]), (&sent["id"], &json!("On its way"), &json!("Lea Winter")));
    drop(owner);

    // Read by the visitor: the agent sees that.
    visitor.say(json!({ "kind": "read", "up_to_seq": answer["seq"] })).await;
    agent.until_item("read", |item| item["entry"]["id"] == sent["id"] && item["entry"]["status"]["code"] == "read").await;

    // A note never reaches the visitor, but the position moves.
    let note = served.app.owner_client().await.with("idempotency-key", "key-3");
    note.post(&path, json!({ "kind": "note", "text": "secret", "base_seq": 100 })).await.ok();
    let hidden = visitor.until("a frame without items", |frame| frame["kind"] == "frame" && items(frame).is_empty()).await;
    assert!(hidden["upto"].as_i64() > hidden["prev"].as_i64());
    for frame in visitor.rest(Duration::from_millis(200)).await {
        assert!(!frame.to_string().contains("secret") && !frame.to_string().contains("Too fast"), "{frame}");
    }
    let later = served.begin(&site, json!({ "visitor_token": begun["visitor_token"] })).await;
    let texts = |begun: &Json| -> Vec<String> {
        let items = begun["items"].as_array().unwrap();
        items.iter().filter(|item| item["from"] != "system").map(|item| item["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&later), ["Where is my order?", "On its way"]);
    let events: Vec<&Json> =
        later["items"].as_array().unwrap().iter().filter(|item| item["from"] == "system").map(|item| &item["event"]).collect();
    assert_eq!(events, [&json!({ "code": "assigned", "args": { "name": "Lea Winter" } })], "whoever answers has it");
    assert_eq!((&later["conversation"]["id"], &later["unread"]), (&json!(conversation), &json!(0)));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_sends_without_having_seen_the_latest_is_told() {
    let served = Served::new().await;
    let entry = served.customer_writes("ada@example.com", "Hello").await;
    let owner = served.app.owner_client().await.with("idempotency-key", "a");
    let path = format!("/api/v1/conversations/{}/entries", entry.conversation_id);
    let refused = owner.post(&path, reply("Hi", 0, 0)).await;
    assert_eq!(refused.code(), (409, "newer_entries".into()));
    assert_eq!(refused.value()["args"]["count"], 1);
    assert_eq!(
        owner.post(&path, json!({ "kind": "message", "text": " ", "base_seq": 100 })).await.code(),
        (422, "invalid".into())
    );
    let without = served.app.owner_client().await;
    assert_eq!(without.post(&path, reply("Hi", 100, 0)).await.code(), (422, "invalid".into()), "a message needs its key");
    owner.post(&path, reply("Hi", 100, 0)).await.ok();
    served.end().await;
}
