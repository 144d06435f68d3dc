//! The first owner.

use serde_json::{Value as Json, json};
use testkit::app::TestApp;

fn owner(code: &str) -> Json {
    json!({
        "code": code, "name": "Ada Winter", "email": "Ada@Example.com", "password": "correct horse",
        "business_name": "Winter & Söhne", "time_zone": "Europe/Vienna",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_knows_the_code_becomes_owner_once() {
    let app = TestApp::before_setup().await;
    let browser = app.client();
    assert_eq!(browser.get("/api/v1/setup").await.ok(), json!({ "needed": true, "time_zone": "Europe/Berlin" }));
    assert_eq!(browser.get("/api/v1/me").await.code(), (401, "not_signed_in".into()));

    let code = app.front.desk.gate.setup_code();
    let me = browser.post("/api/v1/setup/owner", owner(&code)).await.ok();
    assert_eq!(me["agent"]["role"], "owner");
    assert_eq!(me["agent"]["email"], "Ada@Example.com");
    assert_eq!(me["agent"]["availability"], "available");
    assert_eq!(me["workspace"]["name"], "Winter & Söhne");
    assert_eq!(me["workspace"]["time_zone"], "Europe/Vienna");

    assert_eq!(browser.get("/api/v1/me").await.ok(), me, "set-up signs in");
    let hours = browser.get("/api/v1/business_hours").await.ok();
    assert_eq!(hours["items"][0]["hours"]["time_zone"], "Europe/Vienna", "first opening hours are there");
    assert_eq!(app.client().get("/api/v1/setup").await.ok()["needed"], false);
    let again = app.client().post("/api/v1/setup/owner", owner(&code)).await;
    assert_eq!(again.code(), (409, "setup_done".into()));

    let pair = json!({ "email": "ada@EXAMPLE.com", "password": "correct horse" });
    assert_eq!(app.client().post("/api/v1/login_sessions", pair).await.ok()["agent"], me["agent"]);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn five_wrong_codes_lock_the_door_until_the_next_start() {
    let app = TestApp::before_setup().await;
    let browser = app.client();
    for left in (1..5).rev() {
        let answer = browser.post("/api/v1/setup/owner", owner("000 00x")).await;
        assert_eq!(answer.code(), (403, "wrong_code".into()));
        assert_eq!(answer.value()["args"]["left"], left);
    }
    assert_eq!(browser.post("/api/v1/setup/owner", owner("nope")).await.code(), (403, "setup_locked".into()));
    let right = app.front.desk.gate.setup_code();
    assert_eq!(browser.post("/api/v1/setup/owner", owner(&right)).await.code(), (403, "setup_locked".into()));
    assert_eq!(browser.get("/api/v1/setup").await.ok()["needed"], true);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_right_code_with_wrong_fields_names_the_field_and_costs_no_try() {
    let app = TestApp::before_setup().await;
    let browser = app.client();
    let code = app.front.desk.gate.setup_code();
    for (field, value) in [
        ("name", json!("  ")),
        ("email", json!("not an address")),
        ("password", json!("short")),
        ("password", json!("ada@example.com")),
        ("time_zone", json!("Mars/Base")),
        ("business_name", json!("x".repeat(101))),
    ] {
        let mut wrong = owner(&code);
        wrong[field] = value;
        let answer = browser.post("/api/v1/setup/owner", wrong).await;
        assert_eq!(answer.code(), (422, "invalid".into()), "{field}");
        assert_eq!(answer.value()["args"]["field"], field);
    }
    browser.post("/api/v1/setup/owner", owner(&code)).await.ok();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_at_the_same_moment_make_one_workspace() {
    let app = TestApp::before_setup().await;
    let (one, two) = (app.client(), app.client());
    let code = app.front.desk.gate.setup_code();
    let (one, two) = tokio::join!(one.post("/api/v1/setup/owner", owner(&code)), two.post("/api/v1/setup/owner", owner(&code)));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    app.end().await;
}
