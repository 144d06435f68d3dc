//! What holds for every request: origin, sizes, JSON, headers, addresses that lead nowhere.

use axum::body::Body;
use http::Method;
use serde_json::json;
use testkit::app::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn another_site_cannot_change_anything() {
    let app = TestApp::new().await;
    let tag = json!({ "name": "x" });
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://desk.test.evil.example"),
        ("origin", "http://desk.test:81"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let evil = app.owner_client().await.with(name, value);
        assert_eq!(evil.post("/api/v1/tags", tag.clone()).await.code(), (403, "wrong_origin".into()), "{name}: {value}");
        evil.get("/api/v1/tags").await.ok();
    }
    for (name, value) in [("origin", "http://desk.test"), ("sec-fetch-site", "same-origin")] {
        app.owner_client().await.with(name, value).post("/api/v1/tags", tag.clone()).await.ok();
    }
    app.owner_client().await.post("/api/v1/tags", tag).await.ok();
    assert_eq!(
        app.client().with("origin", "https://evil.example").form("/login", &[]).await.code(),
        (403, "wrong_origin".into())
    );
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_is_no_json_is_told_in_words() {
    let app = TestApp::new().await;
    let lea = app.owner_client().await;
    let send =
        async |body: &str, kind: Option<&'static str>| lea.send(Method::POST, "/api/v1/tags", body.to_owned().into(), kind).await;
    const JSON: Option<&str> = Some("application/json; charset=utf-8");
    for broken in ["", "{", "{\"name\": }", "\u{0}", "nope", "{\"name\":\"x\"} trailing"] {
        assert_eq!(send(broken, JSON).await.code(), (400, "bad_json".into()), "{broken:?}");
    }
    for wrong in ["[]", "{}", "7", "null", "{\"name\":7}", "{\"name\":\"x\",\"id\":\"y\"}", "{\"name\":\"x\",\"name\":\"y\"}"] {
        assert_eq!(send(wrong, JSON).await.code(), (422, "invalid".into()), "{wrong}");
    }
    assert_eq!(send("{\"name\":\"x\"}", None).await.code(), (400, "bad_json".into()), "a form cannot pass for JSON");
    assert_eq!(send("{\"name\":\"x\"}", Some("text/plain")).await.code(), (400, "bad_json".into()));
    let deep = format!("{{\"channel\":\"webchat\",\"name\":\"x\",\"webchat\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let deep = lea.send(Method::POST, "/api/v1/inboxes", deep.into(), JSON).await;
    assert_eq!(deep.code(), (400, "bad_json".into()), "depth is bounded");
    let not_utf8 = lea.send(Method::POST, "/api/v1/tags", Body::from(&b"{\"name\":\"\xff\"}"[..]), JSON).await;
    assert_eq!(not_utf8.code(), (400, "bad_json".into()));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn huge_bodies_are_refused_before_they_are_read() {
    let app = TestApp::new().await;
    let lea = app.owner_client().await;
    let answer = lea.post("/api/v1/tags", json!({ "name": "x".repeat(1024 * 1024) })).await;
    assert_eq!((answer.code(), &answer.value()["args"]["bytes_max"]), ((413, "too_large".into()), &json!(1024 * 1024)));
    let form = app.client().form("/login", &[("email", &"x".repeat(20_000))]).await;
    assert_eq!(form.code(), (413, "too_large".into()));
    assert_eq!(lea.post("/api/v1/tags", json!({ "name": "x".repeat(1000) })).await.code(), (422, "invalid".into()));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn addresses_that_lead_nowhere_and_wrong_methods() {
    let app = TestApp::new().await;
    let lea = app.owner_client().await;
    assert_eq!(lea.get("/api/v1/nothing").await.code(), (404, "not_found".into()));
    assert_eq!(lea.get("/api/nothing").await.code(), (404, "not_found".into()));
    assert_eq!(lea.put("/api/v1/tags", json!({})).await.code(), (405, "method_not_allowed".into()));
    assert_eq!(lea.patch("/api/v1/agents/12", json!({})).await.code(), (404, "not_found".into()));
    assert_eq!(lea.patch("/api/v1/agents/agt_%00%ff", json!({})).await.code(), (404, "not_found".into()));
    for path in ["/w/../etc/passwd", "/metrics", "/favicon.nothing", "/.env", "/assets/../index.html"] {
        assert_eq!(app.client().get(path).await.status, 404, "{path}");
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_answer_is_protected_and_numbered() {
    let app = TestApp::new().await;
    let lea = app.owner_client().await;
    for path in ["/api/v1/me", "/api/v1/nothing", "/login", "/healthz", "/readyz", "/robots.txt", "/", "/inbox/mine", "/invite/x"]
    {
        let answer = lea.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(answer.header("x-request-id").starts_with("req_"), "{path}");
    }
    let refused = lea.get("/api/v1/nothing").await;
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(refused.value()["request_id"], refused.header("x-request-id"));
    assert_eq!(app.client().get("/healthz").await.text(), "ok\n");
    assert_eq!(app.client().get("/readyz").await.text(), "ready\n");
    assert!(app.client().get("/robots.txt").await.text().contains("Disallow: /"));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn behind_https_the_cookie_is_secure() {
    let app = TestApp::new().await;
    app.set_password(&app.owner, "correct horse").await;
    let pair = json!({ "email": "lea@acme.test", "password": "correct horse" });
    let answer = app.client().post("/api/v1/login_sessions", pair).await;
    let set = answer.header("set-cookie").to_owned();
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Path=/") && !set.contains("Secure"),
        "{set}"
    );
    let config = api::Config { public_url: Some("https://desk.test".to_owned()), ..api::Config::default() };
    let https = app.over(config);
    let pair = json!({ "email": "lea@acme.test", "password": "correct horse" });
    let answer = https.with("origin", "https://desk.test").post("/api/v1/login_sessions", pair).await;
    answer.ok();
    assert!(answer.header("set-cookie").contains("; Secure"));
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    app.end().await;
}
