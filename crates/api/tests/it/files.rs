//! Files: what strangers upload, what it becomes, and who gets at it.

use axum::body::Body;
use http::Method;
use serde_json::{Value as Json, json};
use testkit::app::{Answer, Client, TestApp};

async fn visitor_of(app: &TestApp, settings: Json) -> (String, Client) {
    let owner = app.owner_client().await;
    let made = owner.post("/api/v1/inboxes", json!({ "channel": "webchat", "name": "Website", "webchat": settings })).await.ok();
    let site = made["webchat"]["site"].as_str().unwrap().to_owned();
    let client = visitor(app, &site).await;
    (site, client)
}

async fn visitor(app: &TestApp, site: &str) -> Client {
    let begun = app.client().post(&format!("/w/{site}/visitors"), json!({ "locale": "en", "host_origin": "" })).await.ok();
    app.client().with("authorization", &format!("Visitor {}", begun["visitor_token"].as_str().unwrap()))
}

async fn upload(client: &Client, site: &str, name: &str, kind: &str, bytes: &[u8]) -> Answer {
    let name: String = name.bytes().map(|b| format!("%{b:02X}")).collect();
    client.send(Method::POST, &format!("/w/{site}/files?name={name}"), Body::from(bytes.to_vec()), Some(kind)).await
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn hostile_names_and_types_become_harmless() {
    let app = TestApp::new().await;
    let (site, visitor) =
        visitor_of(&app, json!({ "attachments": { "enabled": true, "bytes_max": 1_000_000, "count_max": 5, "types": [] } }))
            .await;
    // A page that says that it is a picture.
    let evil =
        upload(&visitor, &site, "../../etc/pass\r\nwd\u{202e}gpj.html", "image/png", b"<html><script>alert(1)</script></html>")
            .await;
    if evil.status.is_success() {
        let evil = evil.ok();
        let name = evil["name"].as_str().unwrap();
        assert!(!name.contains(['/', '\\', '\r', '\n', '\u{202e}']), "{name:?}");
        assert_ne!(evil["mime"], "image/png");
        let served = app.client().get(evil["url"].as_str().unwrap()).await;
        assert_eq!(served.status, 200);
        assert!(served.header("content-disposition").starts_with("attachment;"), "{}", served.header("content-disposition"));
        assert_eq!(served.header("content-type"), "application/octet-stream");
        assert_eq!(served.header("x-content-type-options"), "nosniff");
        assert!(served.header("content-security-policy").contains("sandbox"));
    }
    let svg =
        upload(&visitor, &site, "x.svg", "image/svg+xml", b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>1</script></svg>")
            .await
            .ok();
    let served = app.client().get(svg["url"].as_str().unwrap()).await;
    assert!(served.header("content-disposition").starts_with("attachment;"));

    let good = upload(&visitor, &site, "cat.png", "text/html", PNG).await.ok();
    assert_eq!(good["mime"], "image/png", "found in the bytes, not believed");
    let served = app.client().get(good["url"].as_str().unwrap()).await;
    assert_eq!((served.header("content-type"), served.bytes.as_slice()), ("image/png", PNG));
    assert!(served.header("content-disposition").starts_with("inline;"));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sizes_types_and_addresses_are_limits_that_hold() {
    let app = TestApp::new().await;
    let rules = json!({ "attachments": { "enabled": true, "bytes_max": 1_000, "count_max": 1, "types": ["image/*"] } });
    let (site, mine) = visitor_of(&app, rules).await;
    assert_eq!(upload(&mine, &site, "big.png", "image/png", &[0; 1_001]).await.code(), (413, "too_large".into()));
    assert_eq!(upload(&mine, &site, "empty.png", "image/png", b"").await.code(), (422, "invalid".into()));
    assert_eq!(upload(&mine, &site, "a.pdf", "image/png", b"%PDF-1.7 hello").await.code(), (422, "attachment_type".into()));
    assert_eq!(upload(&app.client(), &site, "a.png", "image/png", PNG).await.code(), (401, "bad_token".into()));
    let file = upload(&mine, &site, "a.png", "image/png", PNG).await.ok();
    let url = file["url"].as_str().unwrap();
    for bad in [url.replace("sig=1.", "sig=1.A"), url.replace("exp=", "exp=9"), url.split("&sig").next().unwrap().to_owned()] {
        assert!(app.client().get(&bad).await.status.is_client_error(), "{bad}");
    }
    app.clock.advance_ms(30 * 3_600_000);
    assert_eq!(app.client().get(url).await.code(), (410, "address_expired".into()));

    // A file of one visitor is no file of another.
    let other = visitor(&app, &site).await;
    let stolen = json!({ "kind": "message", "client_msg_id": "message-1", "text": "", "file_ids": [file["id"]] });
    let answer = other.post(&format!("/w/{site}/frames"), json!({ "frames": [stolen] })).await.ok();
    assert_eq!(answer["frames"][0]["code"], "unknown_file");
    let own = json!({ "kind": "message", "client_msg_id": "message-1", "text": "look", "file_ids": [file["id"]] });
    assert_eq!(mine.post(&format!("/w/{site}/frames"), json!({ "frames": [own] })).await.ok()["frames"][0]["kind"], "ack");
    app.run_jobs().await;
    let list = app.owner_client().await.get("/api/v1/conversations").await.ok();
    assert_eq!((&list["items"].as_array().unwrap().len(), &list["items"][0]["preview"]["attachments"]), (&1, &json!(1)));
    let two = json!({ "kind": "message", "client_msg_id": "message-2", "text": "", "file_ids": [file["id"], file["id"]] });
    let answer = mine.post(&format!("/w/{site}/frames"), json!({ "frames": [two] })).await.ok();
    assert_eq!(answer["frames"][0]["code"], "too_many_files");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn agents_upload_send_and_read_in_pieces() {
    let app = TestApp::new().await;
    let entry = app.customer_writes("ada@example.com", "Please send the manual").await;
    let owner = app.owner_client().await.with("idempotency-key", "k");
    let text = b"0123456789".repeat(20_000);
    let path = format!("/api/v1/attachments?name=manual.txt&conversation_id={}", entry.conversation_id);
    let file = owner.send(Method::POST, &path, Body::from(text.clone()), Some("text/plain")).await.ok();
    assert_eq!((&file["name"], &file["bytes"]), (&json!("manual.txt"), &json!(200_000)));
    let url = file["url"].as_str().unwrap().to_owned();
    let part = app.client().with("range", "bytes=5-14").get(&url).await;
    assert_eq!(
        (part.status.as_u16(), part.header("content-range"), part.text()),
        (206, "bytes 5-14/200000", "5678901234".to_owned())
    );
    assert_eq!(app.client().with("range", "bytes=900000-").get(&url).await.status, 416);
    assert_eq!(app.client().get(&url).await.bytes, text);

    let body = json!({ "kind": "note", "text": "", "attachment_ids": [file["id"]], "base_seq": 100 });
    let sent = owner.post(&format!("/api/v1/conversations/{}/entries", entry.conversation_id), body).await.ok();
    assert_eq!(sent["attachments"][0]["name"], "manual.txt");
    let elsewhere =
        owner.send(Method::POST, "/api/v1/attachments?name=x&conversation_id=cnv_0000000000001", Body::from("x"), None).await;
    assert_eq!(elsewhere.code(), (404, "not_found".into()));
    assert_eq!(
        app.client().send(Method::POST, "/api/v1/attachments?name=x", Body::from("x"), None).await.code(),
        (401, "not_signed_in".into())
    );
    app.end().await;
}
