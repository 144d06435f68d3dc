//! Unsent texts.

use model::Role;
use serde_json::{Value as Json, json};
use testkit::app::TestApp;

fn text(text: &str, version: i64) -> Json {
    json!({ "text": text, "attachment_ids": [], "inbox_id": null, "version": version })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_draft_survives_and_two_windows_do_not_overwrite_each_other() {
    let app = TestApp::new().await;
    let entry = app.customer_writes("ada@example.com", "Hello").await;
    let (window, other) = (app.owner_client().await, app.owner_client().await);
    let path = format!("/api/v1/conversations/{}/drafts/reply", entry.conversation_id);

    let one = window.put(&path, text("Dear A", 0)).await.ok();
    assert_eq!(one["version"], 1);
    assert_eq!(window.put(&path, text("Dear Ada", 1)).await.ok()["version"], 2);
    let late = other.put(&path, text("Hi", 1)).await;
    assert_eq!(late.code(), (409, "draft_conflict".into()));
    assert_eq!(
        (&late.value()["args"]["draft"]["text"], &late.value()["args"]["draft"]["version"]),
        (&json!("Dear Ada"), &json!(2))
    );
    assert_eq!(other.put(&path, text("Hi", 0)).await.code(), (409, "draft_conflict".into()));
    assert_eq!(other.put(&path, text("Hi Ada", 2)).await.ok()["version"], 3);

    let note = path.replace("/reply", "/note");
    window.put(&note, text("<b>VIP</b>\u{0}", 0)).await.ok();
    let mine = window.get("/api/v1/drafts").await.ok();
    let texts: Vec<&Json> = mine["items"].as_array().unwrap().iter().map(|draft| &draft["text"]).collect();
    assert_eq!(texts.len(), 2);
    assert!(texts.contains(&&json!("Hi Ada")) && texts.contains(&&json!("<b>VIP</b>")));

    let bo = app.client_with_role("Bo", Role::Agent).await;
    assert_eq!(bo.get("/api/v1/drafts").await.ok()["items"], json!([]), "a draft is its writer's");
    assert_eq!(bo.put(&path, text("Mine", 0)).await.ok()["version"], 1);

    window.delete(&path).await.ok();
    window.delete(&path).await.ok();
    let gone = other.put(&path, text("Hi Ada!", 3)).await;
    assert_eq!((gone.code(), &gone.value()["args"]["draft"]), ((409, "draft_conflict".into()), &json!(null)));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_draft_needs_a_conversation_and_files_of_its_own() {
    let app = TestApp::new().await;
    let entry = app.customer_writes("ada@example.com", "Hello").await;
    let lea = app.owner_client().await;
    assert_eq!(
        lea.put("/api/v1/conversations/cnv_0000000000001/drafts/reply", text("x", 0)).await.code(),
        (404, "not_found".into())
    );
    let path = format!("/api/v1/conversations/{}/drafts/reply", entry.conversation_id);
    assert_eq!(lea.put(&path.replace("reply", "shout"), text("x", 0)).await.code(), (404, "not_found".into()));
    let mut ghost = text("x", 0);
    ghost["attachment_ids"] = json!(["att_0000000000001"]);
    let answer = lea.put(&path, ghost).await;
    assert_eq!((answer.code(), &answer.value()["args"]["field"]), ((422, "invalid".into()), &json!("attachment_ids")));
    assert_eq!(lea.put(&path, text(&"x".repeat(200_001), 0)).await.status, 422);
    app.end().await;
}
