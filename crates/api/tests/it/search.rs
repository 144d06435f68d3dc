//! The search: words, beginnings, phrases, filters, customers, and what an agent may not find.

use model::Role;
use serde_json::{Value as Json, json};
use testkit::app::{Client, TestApp};

async fn find(client: &Client, q: &str) -> Json {
    let q: String = q.bytes().map(|b| format!("%{b:02X}")).collect();
    client.get(&format!("/api/v1/search?q={q}")).await.ok()
}

fn texts(page: &Json) -> Vec<String> {
    let hits = page["hits"].as_array().unwrap().iter().filter(|hit| hit["kind"] == "entry");
    hits.map(|hit| hit["snippet"].as_array().unwrap().iter().map(|piece| piece["text"].as_str().unwrap()).collect()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn messages_and_customers_are_found_newest_first() {
    let app = TestApp::new().await;
    for (from, text) in [
        ("ada@example.com", "My crème brûlée burner is broken"),
        ("bo@example.com", "Where is the burner I ordered?"),
        ("cleo@example.com", "Thanks for the quick help"),
    ] {
        app.clock.advance_ms(1_000);
        app.customer_writes(from, text).await;
    }
    app.desk.desk.search.catch_up(&app.desk.desk.db, app.workspace).await.unwrap();
    let owner = app.owner_client().await;
    let both = find(&owner, "burner").await;
    assert_eq!(texts(&both), ["Where is the burner I ordered?", "My crème brûlée burner is broken"]);
    let marked: Vec<&Json> = both["hits"][0]["snippet"].as_array().unwrap().iter().filter(|piece| piece["hit"] == true).collect();
    assert_eq!(marked, [&json!({ "text": "burner", "hit": true })]);
    assert_eq!(both["lag_ms"], 0);
    for (q, found) in [
        ("CREME bru", 1),
        ("\"burner is\"", 1),
        ("\"is burner\"", 0),
        ("burner -ordered", 1),
        ("burner from:bo", 1),
        ("burner is:closed", 0),
        ("burner after:today", 0),
        ("nothing", 0),
    ] {
        assert_eq!(texts(&find(&owner, q).await).len(), found, "{q}");
    }
    let people = find(&owner, "cleo").await;
    assert!(people["hits"].as_array().unwrap().iter().any(|hit| hit["kind"] == "contact"), "{people}");
    let doubtful = find(&owner, "burner is:opne").await;
    assert_eq!((texts(&doubtful).len(), doubtful["problems"].as_array().unwrap().len()), (2, 1));
    assert_eq!(find(&owner, "' OR 1=1 --\" * ( ) AND").await["hits"], json!([]));
    assert_eq!(owner.get("/api/v1/search?q=x&cursor=y").await.code(), (422, "invalid".into()));

    // What an agent may not see is not found either.
    owner.patch(&format!("/api/v1/inboxes/{}", app.inbox), json!({ "agent_ids": [app.owner.agent] })).await.ok();
    let bo = app.client_with_role("Bo", Role::Agent).await;
    assert!(texts(&find(&bo, "burner").await).is_empty());
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pages_of_answers_follow_each_other() {
    let app = TestApp::new().await;
    for n in 0..45 {
        app.clock.advance_ms(1_000);
        app.customer_writes(&format!("p{n}@example.com"), &format!("kettle number {n}")).await;
    }
    app.desk.desk.search.catch_up(&app.desk.desk.db, app.workspace).await.unwrap();
    let owner = app.owner_client().await;
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("/api/v1/search?q=kettle&cursor={cursor}")).await.ok();
        all.extend(texts(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let expected: Vec<String> = (0..45).rev().map(|n| format!("kettle number {n}")).collect();
    assert_eq!(all, expected);
    app.end().await;
}
