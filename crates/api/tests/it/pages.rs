//! Pages that the server renders: sign-in, invitation, another password.

use model::Role;
use serde_json::json;
use testkit::app::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sign_in_works_without_any_script() {
    let app = TestApp::new().await;
    app.set_password(&app.owner, "correct horse").await;
    let browser = app.client();
    let page = browser.get("/login?next=%2Finbox%2Fmine").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("<form method=\"post\"") && page.text().contains("value=\"/inbox/mine\""), "{}", page.text());

    let wrong = browser.form("/login", &[("email", "<script>@x"), ("password", "nope"), ("next", "/inbox/mine")]).await;
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("Email or password is not right."));
    assert!(wrong.text().contains("&lt;script&gt;@x") && !wrong.text().contains("<script>@x"), "what was typed stays, as text");
    assert!(!wrong.text().contains("nope"), "a password is never sent back");

    let right =
        browser.form("/login", &[("email", "lea@acme.test"), ("password", "correct horse"), ("next", "/inbox/mine")]).await;
    assert_eq!((right.status.as_u16(), right.header("location")), (303, "/inbox/mine"));
    browser.get("/api/v1/me").await.ok();
    let again = browser.get("/login?next=//evil.example").await;
    assert_eq!((again.status.as_u16(), again.header("location")), (303, "/"), "already in, and never elsewhere");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn before_set_up_the_sign_in_page_leads_there() {
    let app = TestApp::before_setup().await;
    let answer = app.client().get("/login").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/setup"));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_invitation_page_lets_in_once() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let made =
        owner.post("/api/v1/invitations", json!({ "email": "bo@acme.test", "name": "Bo <b>", "role": "agent" })).await.ok();
    let path = made["url"].as_str().unwrap().strip_prefix("http://desk.test").unwrap().to_owned();
    let browser = app.client();
    let page = browser.get(&path).await.text();
    assert!(page.contains("Join Acme") && page.contains("bo@acme.test") && page.contains("Bo &lt;b&gt;"), "{page}");
    let short = browser.form(&path, &[("name", "Bo"), ("password", "short")]).await;
    assert_eq!(short.status, 422);
    assert!(short.text().contains("Password: at least 10 characters."));
    let joined = browser.form(&path, &[("name", "Bo Berg"), ("password", "correct horse")]).await;
    assert_eq!((joined.status.as_u16(), joined.header("location")), (303, "/"));
    assert_eq!(browser.get("/api/v1/me").await.ok()["agent"]["name"], "Bo Berg");
    let used = app.client().get(&path).await;
    assert_eq!(used.status, 409);
    assert!(used.text().contains("This invitation was used"));
    assert_eq!(app.client().get("/invite/nonsense").await.status, 404);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_link_of_the_command_line_sets_another_password_once() {
    let app = TestApp::new().await;
    let bo = app.add_agent("Bo", Role::Agent).await;
    let signed_in = app.client_of(&bo).await;
    let desk = &app.front.desk;
    let token = desk::people::reset::make(&desk.db, &desk.keys, "BO@acme.test", desk.now()).await.unwrap().unwrap();
    assert_eq!(desk::people::reset::make(&desk.db, &desk.keys, "nobody@acme.test", desk.now()).await.unwrap(), None);
    let path = format!("/reset/{token}");
    let browser = app.client();
    assert!(browser.get(&path).await.text().contains("bo@acme.test"));
    assert_eq!(browser.form(&path, &[("password", "short")]).await.status, 422);
    let done = browser.form(&path, &[("password", "battery staple")]).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/login?new_password"));
    assert_eq!(signed_in.get("/api/v1/me").await.status, 401, "signed out everywhere");
    assert_eq!(browser.form(&path, &[("password", "another staple")]).await.status, 404, "the link is used up");
    let pair = json!({ "email": "bo@acme.test", "password": "battery staple" });
    browser.post("/api/v1/login_sessions", pair).await.ok();

    let late = desk::people::reset::make(&desk.db, &desk.keys, "bo@acme.test", desk.now()).await.unwrap().unwrap();
    app.clock.advance_ms(24 * 3_600_000);
    assert_eq!(browser.get(&format!("/reset/{late}")).await.status, 404);
    app.end().await;
}
