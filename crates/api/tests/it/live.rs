//! Live updates for agents: who sees what, how gaps heal, and who is where.

use crate::served::{Served, items};
use model::Role;
use serde_json::{Value as Json, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_is_healed_by_reading_changes() {
    let served = Served::new().await;
    let owner = served.app.owner_client().await;
    for n in 0..30 {
        served.customer_writes(&format!("p{n}@example.com"), &format!("Question {n}")).await;
    }
    let (mut since, mut texts) = (0, Vec::new());
    loop {
        let page = owner.get(&format!("/api/v1/changes?since={since}")).await.ok();
        assert_eq!(page["prev"], since);
        since = page["upto"].as_i64().unwrap();
        texts
            .extend(items(&page).iter().filter(|item| item["kind"] == "entry").map(|item| item["entry"]["body"]["text"].clone()));
        if page["more"] == false {
            break;
        }
    }
    for n in 0..30 {
        assert!(texts.contains(&json!(format!("Question {n}"))), "{n}");
    }
    assert_eq!(
        owner.get(&format!("/api/v1/changes?since={}", since + 1)).await.code(),
        (410, "resync".into()),
        "from another life"
    );
    assert_eq!(owner.get("/api/v1/changes?since=-1").await.code(), (410, "resync".into()));

    // A socket that says where it stands is told what it missed.
    let mut socket = served.agent(&owner, Some(since - 3)).await;
    socket.until_kind("welcome").await;
    let frame = socket.until_kind("frame").await;
    assert_eq!((frame["prev"].as_i64(), frame["upto"].as_i64()), (Some(since - 3), Some(since)));
    let mut lost = served.agent(&owner, Some(since + 1_000)).await;
    assert_eq!(lost.until_kind("welcome").await["change_seq"], since);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_gets_what_they_may_see_and_positions_move_for_all() {
    let served = Served::new().await;
    let app = &served.app;
    let owner = app.owner_client().await;
    let first = served.customer_writes("ada@example.com", "Hello").await;
    owner.patch(&format!("/api/v1/inboxes/{}", app.inbox), json!({ "agent_ids": [app.owner.agent] })).await.ok();
    let bo = app.add_agent("Bo", Role::Agent).await;
    let client = app.client_of(&bo).await;
    let (mut boss, mut agent) = (served.agent(&owner, None).await, served.agent(&client, None).await);
    boss.until_kind("welcome").await;
    let mut position = agent.until_kind("welcome").await["change_seq"].as_i64().unwrap();

    served.customer_writes("ada@example.com", "A secret").await;
    boss.until_item("the entry", |item| item["entry"]["body"]["text"] == "A secret").await;
    let hidden = agent.until("an empty frame", |frame| frame["kind"] == "frame" && frame["upto"].as_i64() > Some(position)).await;
    assert!(!hidden.to_string().contains("secret"), "{hidden}");
    assert!(hidden["prev"].as_i64().unwrap() <= position);
    position = hidden["upto"].as_i64().unwrap();

    // Assigned, it comes; taken away, it goes.
    let path = format!("/api/v1/conversations/{}", first.conversation_id);
    owner.patch(&path, json!({ "agent_id": bo.agent })).await.ok();
    agent.until_item("the conversation", |item| item["conversation"]["id"] == json!(first.conversation_id)).await;
    owner.patch(&path, json!({ "agent_id": null })).await.ok();
    agent.until_item("gone", |item| item["kind"] == "gone" && item["conversation_id"] == json!(first.conversation_id)).await;
    // Opened to all, the next message comes.
    owner.patch(&format!("/api/v1/inboxes/{}", app.inbox), json!({ "agent_ids": [] })).await.ok();
    agent.until_item("inboxes", |item| item["kind"] == "inboxes").await;
    served.customer_writes("ada@example.com", "Not secret").await;
    agent.until_item("the entry", |item| item["entry"]["body"]["text"] == "Not secret").await;
    assert!(position > 0);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presence_is_shown_while_it_lasts() {
    let served = Served::new().await;
    let app = &served.app;
    let entry = served.customer_writes("ada@example.com", "Hello").await;
    let (owner, bo) = (app.owner_client().await, app.add_agent("Bo", Role::Agent).await);
    let mut watcher = served.agent(&owner, None).await;
    watcher.until_kind("welcome").await;
    let client = app.client_of(&bo).await;
    let mut other = served.agent(&client, None).await;
    other.until_kind("welcome").await;
    let place = json!(entry.conversation_id);
    let doing = |doing: Json| json!({ "kind": "beat", "conversation_id": if doing.is_null() { Json::Null } else { place.clone() }, "doing": doing });
    other.say(doing(json!("typing_note"))).await;
    let frame = watcher.until_kind("presence").await;
    assert_eq!(frame["agents"], json!([{ "agent_id": bo.agent, "doing": "typing_note" }]));
    let detail = owner.get(&format!("/api/v1/conversations/{}", entry.conversation_id)).await.ok();
    assert_eq!(detail["presence"]["agents"], frame["agents"]);
    // Silent for ten seconds: gone.
    app.clock.advance_ms(11_000);
    assert_eq!(watcher.until_kind("presence").await["agents"], json!([]));
    other.say(doing(json!("viewing"))).await;
    assert_eq!(watcher.until_kind("presence").await["agents"][0]["doing"], "viewing");
    drop(other);
    assert_eq!(watcher.until_kind("presence").await["agents"], json!([]), "a closed window is gone at once");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_and_drafts_come_by_themselves_and_nonsense_closes() {
    let served = Served::new().await;
    let app = &served.app;
    let owner = app.owner_client().await;
    let mut socket = served.agent(&owner, None).await;
    socket.until_kind("welcome").await;
    let entry = served.customer_writes("ada@example.com", "Hello").await;
    let unassigned = |item: &Json| {
        let views = item["items"].as_array().cloned().unwrap_or_default();
        item["kind"] == "views" && views.iter().any(|view| view["key"] == "unassigned" && view["count"] == 1)
    };
    socket.until_item("counts", unassigned).await;
    let path = format!("/api/v1/conversations/{}/drafts/reply", entry.conversation_id);
    owner.put(&path, json!({ "text": "Dear Ada", "attachment_ids": [], "inbox_id": null, "version": 0 })).await.ok();
    socket.until_item("the draft", |item| item["kind"] == "draft" && item["mode"] == "reply").await;
    socket.say(json!({ "kind": "ping" })).await;
    socket.until_kind("pong").await;
    for _ in 0..20 {
        socket.say_text("nonsense".to_owned()).await;
    }
    let code = loop {
        if let Err(code) = socket.next().await {
            break code;
        }
    };
    assert_eq!(code, Some(1008));
    let stranger = crate::served::Socket::try_open(served.address, "/api/v1/live", &[]).await;
    assert_eq!(stranger.err(), Some(401));
    let cookie = owner.cookie().unwrap();
    let page = crate::served::Socket::try_open(
        served.address,
        "/api/v1/live",
        &[("cookie", &cookie), ("origin", "https://evil.example")],
    )
    .await;
    assert_eq!(page.err(), Some(403), "another site has our cookie, and still gets nothing");
    let mut silent = served.agent(&owner, None).await;
    assert!(silent.rest(Duration::from_millis(50)).await.iter().any(|frame| frame["kind"] == "welcome"));
    served.end().await;
}
