//! Mail over HTTP: what an answer would be, conversations that agents begin, and the words of mails.

use model::{Channel, InboxId, Role};
use serde_json::json;
use store::Conn;
use testkit::app::TestApp;

async fn mailbox(app: &TestApp) -> InboxId {
    let (workspace, now) = (app.workspace, app.desk.desk.now());
    let settings = json!({"address": "support@shop.test", "plus_addressing": true});
    let add = move |tx: &mut dyn Conn| {
        let new = store::inbox::NewInbox { channel: Channel::Email, name: "Support", site: None, settings: &settings };
        store::inbox::add(tx, workspace, &new, now)
    };
    app.desk.desk.db.write(store::Route::Any, add).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_conversation_is_begun_with_drafts_and_answered_after_it_was_planned() {
    let app = TestApp::new().await;
    mailbox(&app).await;
    let owner = app.owner_client().await.with("idempotency-key", "one");
    let draft = owner.post("/api/v1/compose/drafts", json!({"content": {"subject": "Half"}})).await.ok();
    let path = format!("/api/v1/compose/drafts/{}", draft["id"].as_str().unwrap());
    let kept = owner.put(&path, json!({"content": {"subject": "Whole"}, "version": 1})).await.ok();
    assert_eq!((&kept["version"], &kept["content"]["subject"]), (&json!(2), &json!("Whole")));
    let stale = owner.put(&path, json!({"content": {}, "version": 1})).await;
    assert_eq!(stale.code(), (409, "draft_conflict".into()));
    let asked = json!({"addresses": ["ada@cust.test", "nonsense"]});
    let known = owner.post("/api/v1/compose/receivers", asked.clone()).await.ok();
    assert_eq!((&known["items"][0]["valid"], &known["items"][1]["valid"]), (&json!(true), &json!(false)));
    assert_eq!(known["items"][0]["contact_id"], json!(null));

    let new = json!({
        "to": [{"address": "ada@cust.test", "name": "Ada Novak"}], "cc": [{"address": "tom@cust.test"}],
        "subject": "Your order", "text": "It is ready.", "html": "<p>It is <b>ready</b>.<script>x</script></p>",
        "hold_seconds": 0, "draft_id": draft["id"],
    });
    let begun = owner.post("/api/v1/compose", new.clone()).await.ok();
    let entry = &begun["items"][0];
    assert_eq!(owner.post("/api/v1/compose", new).await.ok()["items"][0]["id"], entry["id"], "a repeat gives the first");
    assert_eq!(entry["body"]["html_safe"], "<p>It is <b>ready</b>.</p>");
    assert_eq!(
        (&entry["body"]["mail"]["to"][0]["address"], &entry["body"]["mail"]["mode"]),
        (&json!("ada@cust.test"), &json!("new"))
    );
    app.run_jobs().await;
    assert_eq!(owner.get("/api/v1/compose/drafts").await.ok()["items"], json!([]));
    let known = owner.post("/api/v1/compose/receivers", asked).await.ok();
    assert_eq!(
        (&known["items"][0]["name"], &known["items"][0]["open"][0]["subject"]),
        (&json!("Ada Novak"), &json!("Your order"))
    );

    let id = entry["conversation_id"].as_str().unwrap();
    let ask = json!({"mail": {"answers": entry["id"], "mode": "reply_all"}});
    let plan = owner.post(&format!("/api/v1/conversations/{id}/mail_plan"), ask).await.ok();
    assert_eq!((&plan["to"][0]["address"], &plan["cc"][0]["address"]), (&json!("ada@cust.test"), &json!("tom@cust.test")));
    assert_eq!((&plan["subject"], &plan["new"]), (&json!("Re: Your order"), &json!([])));
    let nothing = owner.post(&format!("/api/v1/conversations/{id}/send_by_mail"), json!({})).await;
    assert_eq!(nothing.code(), (409, "nothing_unread".into()));
    let nowhere =
        owner.with("idempotency-key", "two").post("/api/v1/compose", json!({"to": [], "subject": "x", "text": "y"})).await;
    assert_eq!((nowhere.code(), &nowhere.value()["args"]["field"]), ((422, "invalid".into()), &json!("to")));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn words_are_kept_by_those_who_may() {
    let app = TestApp::new().await;
    let inbox = mailbox(&app).await;
    let owner = app.owner_client().await;
    let agent = app.client_with_role("Max", Role::Agent).await;
    let me = agent.get("/api/v1/me").await.ok()["agent"]["id"].clone();

    owner.put("/api/v1/signatures", json!({"text": "The house"})).await.ok();
    assert_eq!(agent.put("/api/v1/signatures", json!({"text": "mine for all"})).await.status, 403);
    agent.put("/api/v1/signatures", json!({"agent_id": me, "text": "{{agent.name}}"})).await.ok();
    let seen = agent.get("/api/v1/signatures").await.ok();
    assert_eq!(seen["items"].as_array().unwrap().len(), 2);
    assert!(seen["variables"].as_array().unwrap().contains(&json!("contact.name")));
    agent.put("/api/v1/signatures", json!({"agent_id": me, "text": ""})).await.ok();
    assert_eq!(agent.get("/api/v1/signatures").await.ok()["items"].as_array().unwrap().len(), 1);

    let made = agent.post("/api/v1/templates", json!({"name": "Late", "text": "Sorry, {{contact.name}}"})).await.ok();
    let path = format!("/api/v1/templates/{}", made["id"].as_str().unwrap());
    assert_eq!(owner.get("/api/v1/templates").await.ok()["items"], json!([]), "another's own is not mine");
    let change = json!({"template": {"name": "Late", "text": "So sorry"}, "version": 1});
    assert_eq!(owner.put(&path, change.clone()).await.status, 404);
    assert_eq!(agent.put(&path, change).await.ok()["version"], 2);
    assert_eq!(agent.post(&format!("{path}/fill"), json!({})).await.ok()["text"], "So sorry");
    agent.delete(&path).await.ok();
    assert_eq!(agent.post(&format!("{path}/fill"), json!({})).await.status, 404);

    let path = format!("/api/v1/inboxes/{inbox}/automatic_answers");
    let answer = json!({"enabled": true, "text": "Got it", "article_url": "https://help.shop.test", "reply_within_minutes": 60});
    assert_eq!(agent.put(&format!("{path}/acknowledge"), answer.clone()).await.status, 403);
    owner.put(&format!("{path}/acknowledge"), answer).await.ok();
    assert_eq!(owner.put(&format!("{path}/nonsense"), json!({"enabled": true, "text": "x"})).await.status, 404);
    assert_eq!(owner.put(&format!("{path}/off_hours"), json!({"enabled": true, "text": ""})).await.status, 422);
    let listed = owner.get(&path).await.ok();
    assert_eq!((&listed["items"][0]["kind"], &listed["items"][0]["enabled"]), (&json!("acknowledge"), &json!(true)));

    let rule = agent.get("/api/v1/settings/chat_by_mail").await.ok();
    assert_eq!((&rule["enabled"], &rule["delay_seconds"]), (&json!(true), &json!(300)));
    let off = json!({"enabled": false, "delay_seconds": 60, "inbox_id": inbox, "intro": "Hi"});
    assert_eq!(agent.put("/api/v1/settings/chat_by_mail", off.clone()).await.status, 403);
    assert_eq!(owner.put("/api/v1/settings/chat_by_mail", off).await.ok()["delay_seconds"], 60);
    app.end().await;
}
