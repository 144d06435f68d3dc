//! What an administrator looks at: quarantine, given-up work, health.

use channel::fake::FakeEvent;
use model::Role;
use serde_json::json;
use testkit::app::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_could_not_be_understood_is_kept_shown_and_tried_again() {
    let app = TestApp::new().await;
    app.receive_raw(&FakeEvent::raw("broken-1", "ada@example.com", json!("not an event"))).await.unwrap();
    app.receive_raw(&FakeEvent::raw("broken-2", "bo@example.com", json!("nor this"))).await.unwrap();
    app.run_jobs().await;
    let owner = app.owner_client().await;
    let page = owner.get("/api/v1/quarantine?limit=1").await.ok();
    assert_eq!((&page["total"], page["items"].as_array().unwrap().len()), (&json!(2), 1));
    let rest = owner.get(&format!("/api/v1/quarantine?cursor={}", page["next_cursor"].as_str().unwrap())).await.ok();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    let item = &page["items"][0];
    assert!(!item["reason"].as_str().unwrap().is_empty() && item["bytes"].as_i64().unwrap() > 0, "{item}");
    let path = format!("/api/v1/quarantine/{}", item["id"].as_str().unwrap());
    let raw = owner.get(&format!("{path}/raw")).await;
    assert!(raw.text().contains("nor this") || raw.text().contains("not an event"));
    assert!(raw.header("content-disposition").starts_with("attachment"));

    owner.post(&format!("{path}/retry"), json!({})).await.ok();
    app.run_jobs().await;
    assert_eq!(owner.get("/api/v1/quarantine").await.ok()["total"], 2, "still not understood");
    owner.post(&format!("{path}/dismiss"), json!({})).await.ok();
    assert_eq!(owner.get("/api/v1/quarantine").await.ok()["total"], 1);
    assert_eq!(owner.post(&format!("{path}/retry"), json!({})).await.code(), (404, "not_found".into()));
    let agent = app.client_with_role("Bo", Role::Agent).await;
    assert_eq!(agent.get("/api/v1/quarantine").await.code(), (403, "not_allowed".into()));
    let supervisor = app.client_with_role("Sue", Role::Supervisor).await;
    supervisor.get("/api/v1/quarantine").await.ok();
    assert_eq!(supervisor.get(&format!("{path}/raw")).await.code(), (403, "not_allowed".into()), "content is for admins");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn health_and_given_up_work_are_for_admins() {
    let app = TestApp::new().await;
    app.customer_writes("ada@example.com", "Hello").await;
    let (owner, agent) = (app.owner_client().await, app.client_with_role("Bo", Role::Agent).await);
    let health = owner.get("/api/v1/health").await.ok();
    assert_eq!(
        (&health["given_up_jobs"], &health["quarantined"], &health["oldest_ready_job_ms"]),
        (&json!(0), &json!(0), &json!(null))
    );
    assert!(health["search_lag"].as_i64().unwrap() > 0, "nobody has followed yet: {health}");
    assert_eq!(owner.get("/api/v1/jobs/given_up").await.ok()["items"], json!([]));
    assert_eq!(owner.post("/api/v1/jobs/job_0000000000001/retry", json!({})).await.code(), (404, "not_found".into()));
    for path in ["/api/v1/health", "/api/v1/jobs/given_up"] {
        assert_eq!(agent.get(path).await.code(), (403, "not_allowed".into()), "{path}");
    }
    app.end().await;
}
