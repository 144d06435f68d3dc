//! Sign-in, login sessions, passwords.

use desk::people::login::SESSION_MS;
use serde_json::json;
use testkit::app::{Client, TestApp};

const PASSWORD: &str = "correct horse";

async fn app() -> TestApp {
    let app = TestApp::new().await;
    app.set_password(&app.owner, PASSWORD).await;
    app
}

async fn try_in(client: &Client, email: &str, password: &str) -> testkit::app::Answer {
    client.post("/api/v1/login_sessions", json!({ "email": email, "password": password })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_wrong_pair_never_says_which_half_is_wrong() {
    let app = app().await;
    let browser = app.client();
    let mut answers = Vec::new();
    for (email, password) in
        [("lea@acme.test", "wrong"), ("nobody@acme.test", PASSWORD), ("lea@acme.test", ""), ("' OR 1=1 --", "' OR 1=1 --")]
    {
        let answer = try_in(&browser, email, password).await;
        assert_eq!(answer.code(), (401, "wrong_pair".into()));
        let mut body = answer.value();
        body["request_id"] = json!(null);
        answers.push(body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one answer for all: {answers:?}");
    assert_eq!(browser.cookie(), None);
    assert_eq!(try_in(&browser, " LEA@acme.test", PASSWORD).await.ok()["agent"]["name"], "Lea Winter");
    assert_eq!(browser.get("/api/v1/me").await.ok()["agent"]["name"], "Lea Winter");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn too_many_tries_have_to_wait() {
    let app = app().await;
    let browser = app.client();
    for _ in 0..6 {
        assert_eq!(try_in(&browser, "lea@acme.test", "wrong").await.status, 401);
    }
    let answer = try_in(&browser, "lea@acme.test", PASSWORD).await;
    assert_eq!(answer.code(), (429, "rate_limited".into()));
    assert_eq!(answer.value()["retry_after"], 30);
    assert_eq!(answer.header("retry-after"), "30");
    app.clock.advance_ms(30_000);
    try_in(&browser, "lea@acme.test", PASSWORD).await.ok();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_the_hash_of_a_token_is_stored_and_signing_out_ends_it() {
    let app = app().await;
    let browser = app.client();
    try_in(&browser, "lea@acme.test", PASSWORD).await.ok();
    let stolen = browser.cookie().unwrap();
    let thief = app.client().with("cookie", &stolen);
    thief.get("/api/v1/me").await.ok();
    let answer = browser.delete("/api/v1/login_sessions/current").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("clear-site-data"), "\"storage\"");
    assert_eq!(browser.cookie(), None);
    assert_eq!(thief.get("/api/v1/me").await.code(), (401, "not_signed_in".into()));
    assert_eq!(browser.delete("/api/v1/login_sessions/current").await.status, 204, "twice does no harm");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_login_session_slides_while_it_is_used_and_ends_when_it_is_not() {
    let app = app().await;
    let browser = app.owner_client().await;
    for _ in 0..3 {
        app.clock.advance_ms(SESSION_MS - 1_000);
        browser.get("/api/v1/me").await.ok();
    }
    app.clock.advance_ms(SESSION_MS);
    assert_eq!(browser.get("/api/v1/me").await.code(), (401, "not_signed_in".into()));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_new_password_ends_every_other_login_session() {
    let app = app().await;
    let (desktop, phone) = (app.owner_client().await, app.owner_client().await);
    let change = |current: &str, new: &str| json!({ "current": current, "new": new });
    let wrong = desktop.put("/api/v1/me/password", change("wrong", "battery staple")).await;
    assert_eq!(wrong.code(), (403, "wrong_password".into()));
    let short = desktop.put("/api/v1/me/password", change(PASSWORD, "short")).await;
    assert_eq!((short.code(), &short.value()["args"]["field"]), ((422, "invalid".into()), &json!("new")));
    desktop.put("/api/v1/me/password", change(PASSWORD, "battery staple")).await.ok();
    desktop.get("/api/v1/me").await.ok();
    assert_eq!(phone.get("/api/v1/me").await.status, 401);
    assert_eq!(try_in(&phone, "lea@acme.test", PASSWORD).await.status, 401);
    try_in(&phone, "lea@acme.test", "battery staple").await.ok();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nonsense_in_the_cookie_is_nobody() {
    let app = app().await;
    for cookie in
        ["continuo_login=", "continuo_login=x", "continuo_login=\u{1}", "other=1", &format!("continuo_login={}", "a".repeat(77))]
    {
        let browser = app.client().with("cookie", cookie.trim_matches('\u{1}'));
        assert_eq!(browser.get("/api/v1/me").await.code(), (401, "not_signed_in".into()), "{cookie}");
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn login_sessions_are_forgotten_ninety_days_after_their_end() {
    const DAY_MS: i64 = 86_400_000;
    let app = app().await;
    let _first = app.owner_client().await;
    app.clock.advance_ms(3 * DAY_MS);
    let _second = app.owner_client().await;
    app.clock.advance_ms(SESSION_MS + 89 * DAY_MS);
    let (desk, workspace, now) = (&app.front.desk, app.workspace, app.front.desk.now());
    desk::housekeeping::run(desk, workspace).await.unwrap();
    let left = desk.db.write(store::Route::Any, move |tx| store::login_session::delete_old(tx, workspace, now)).await;
    assert_eq!(left, Ok(1), "the second one only, ended 89 days ago");
    app.end().await;
}
