//! Connecting a mailbox over HTTP: who may, what is shown, and the way to a provider's sign-in page and back.

use model::Role;
use serde_json::{Value as Json, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use testkit::app::TestApp;

/// An identity provider that gives one token for one code, and tells what it was asked.
fn provider() -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = Vec::new();
            let mut piece = [0; 4096];
            // The form is short and ends with the verifier or the code, whatever comes last; the length says when.
            loop {
                let read = stream.read(&mut piece).unwrap_or(0);
                asked.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&asked).into_owned();
                let length = text
                    .lines()
                    .find_map(|l| l.to_lowercase().strip_prefix("content-length: ").and_then(|n| n.parse::<usize>().ok()));
                let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
                if read == 0 || (body.is_some() && body >= length) {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&asked).into_owned();
            let answer = match text.contains("code=right") {
                true => r#"{"access_token":"a","refresh_token":"r-1","expires_in":3600,"token_type":"Bearer"}"#,
                false => r#"{"error":"invalid_grant","error_description":"the code is wrong"}"#,
            };
            let status = if text.contains("code=right") { "200 OK" } else { "400 Bad Request" };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
                answer.len()
            );
            if tell.send(text).is_err() {
                return;
            }
        }
    });
    (port, told)
}

fn settings(port: u16) -> Json {
    json!({
        "address": "support@shop.test",
        "imap": { "host": "127.0.0.1", "port": 1, "tls": "starttls" },
        "smtp": { "host": "127.0.0.1", "port": 1, "tls": "starttls" },
        "sign_in": {
            "method": "oauth", "client_id": "continuo", "scopes": ["mail"],
            "authorize_url": format!("http://127.0.0.1:{port}/authorize"), "token_url": format!("http://127.0.0.1:{port}/token"),
        },
    })
}

fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_at_the_provider_goes_there_and_back_once() {
    let app = TestApp::with_mail().await;
    let owner = app.owner_client().await;
    let (port, told) = provider();
    let made =
        owner.post("/api/v1/inboxes", json!({ "channel": "email", "name": "Support", "email": settings(port) })).await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    let begin =
        async || owner.post(&format!("/api/v1/inboxes/{id}/sign_in"), json!({})).await.ok()["url"].as_str().unwrap().to_owned();

    let url = begin().await;
    assert!(url.starts_with(&format!("http://127.0.0.1:{port}/authorize?")), "{url}");
    assert_eq!((parameter(&url, "code_challenge_method").as_str(), parameter(&url, "client_id").as_str()), ("S256", "continuo"));
    assert!(!parameter(&url, "code_challenge").is_empty());
    let state = parameter(&url, "state");

    // Somebody else's way back, another state, a refused code: nothing is stored.
    assert_eq!(app.client().get(&format!("/oauth/callback?code=right&state={state}")).await.status, 401);
    assert_eq!(owner.get("/oauth/callback?code=right&state=nonsense").await.status, 410);
    assert_eq!(owner.get(&format!("/oauth/callback?error=access_denied&state={state}")).await.status, 400);
    assert_eq!(owner.get(&format!("/oauth/callback?code=wrong&state={state}")).await.status, 400);
    assert!(told.recv().unwrap().contains("code_verifier="));

    // A round works once.
    assert_eq!(owner.get(&format!("/oauth/callback?code=right&state={state}")).await.status, 410);
    let state = parameter(&begin().await, "state");
    let back = owner.get(&format!("/oauth/callback?code=right&state={state}")).await;
    assert_eq!(back.status, 303, "{}", back.text());
    assert!(told.recv().unwrap().contains("code=right"));
    let inbox = model::InboxId::parse(&id).unwrap();
    let kept = app.open(inbox).await.settings.secrets.get("refresh_token");
    assert_eq!(kept.map(|secret| secret.expose().to_owned()).as_deref(), Some("r-1"));
    assert!(!owner.get("/api/v1/inboxes").await.text().contains("r-1"), "a token is never shown");
    app.end().await;
}

#[tokio::test]
async fn only_admins_connect_and_look_into_the_ledger() {
    let app = TestApp::with_mail().await;
    let owner = app.owner_client().await;
    let agent = app.client_with_role("Nele", Role::Agent).await;
    let made = owner.post("/api/v1/inboxes", json!({ "channel": "email", "name": "Support", "email": settings(1) })).await.ok();
    let id = made["id"].as_str().unwrap();
    for path in ["ledger", "check", "import"] {
        assert_eq!(agent.get(&format!("/api/v1/inboxes/{id}/{path}")).await.status, 403, "{path}");
    }
    for path in ["check", "refetch", "ledger/count", "sign_in"] {
        assert_eq!(agent.post(&format!("/api/v1/inboxes/{id}/{path}"), json!({})).await.status, 403, "{path}");
    }
    assert_eq!(agent.put(&format!("/api/v1/inboxes/{id}/secrets"), json!({ "secrets": { "password": "x" } })).await.status, 403);
    assert_eq!(agent.get("/api/v1/automatic").await.status, 403);
    let ledger = owner.get(&format!("/api/v1/inboxes/{id}/ledger")).await.ok();
    assert_eq!((&ledger["state"], &ledger["balanced"], &ledger["banner"]), (&json!("starting"), &json!(true), &json!(false)));
    assert_eq!(owner.get(&format!("/api/v1/inboxes/{id}/import")).await.status, 404);
    assert_eq!(owner.post(&format!("/api/v1/inboxes/{id}/import"), json!({ "days": 0 })).await.code().0, 422);
    let presets = owner.get("/api/v1/mail/presets").await.ok();
    let ids: Vec<&str> = presets["items"].as_array().unwrap().iter().filter_map(|preset| preset["id"].as_str()).collect();
    assert!(["gmail", "microsoft365"].iter().any(|known| ids.contains(known)), "{ids:?}");
    assert_eq!(presets["redirect_url"], "http://desk.test/oauth/callback");
    assert_eq!(owner.post("/api/v1/mail/discover", json!({ "address": "no address" })).await.code().0, 422);
    app.end().await;
}
