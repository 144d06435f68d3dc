//! The open API channel from outside: a program brings events with the key of its inbox and gets our answers by webhook.

use axum::body::Body;
use channel_api::sign;
use http::Method;
use serde_json::{Value as Json, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use testkit::app::{Client, TestApp};

type Hook = (Vec<(String, String)>, Vec<u8>);

/// The other system: takes webhooks and answers each with an id.
struct Shop {
    url: String,
    got: Arc<Mutex<Vec<Hook>>>,
}

impl Shop {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let got: Arc<Mutex<Vec<Hook>>> = Arc::default();
        let kept = Arc::clone(&got);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut headers = vec![];
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                    if let Some((name, value)) = line.trim_end().split_once(": ") {
                        headers.push((name.to_ascii_lowercase(), value.to_owned()));
                    }
                    line.clear();
                }
                let length = headers.iter().find(|(n, _)| n == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let n = {
                    let mut all = kept.lock().unwrap();
                    all.push((headers, body));
                    all.len()
                };
                let answer = format!("{{\"message_id\": \"shop-{n}\"}}");
                let _gone =
                    write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
            }
        });
        Self { url, got }
    }
    fn got(&self) -> Vec<Hook> {
        self.got.lock().unwrap().clone()
    }
}

struct Inbox {
    id: String,
    key: String,
    secret: String,
    door: String,
}

async fn inbox(owner: &Client, settings: Json) -> Inbox {
    let made = owner.post("/api/v1/inboxes", json!({ "channel": "api", "name": "Shop app", "api": settings })).await.ok();
    let id = made["id"].as_str().unwrap().to_owned();
    let key = owner.post(&format!("/api/v1/inboxes/{id}/channel_key"), json!({})).await.ok()["key"].as_str().unwrap().to_owned();
    let secret =
        owner.post(&format!("/api/v1/inboxes/{id}/webhook_secret"), json!({})).await.ok()["secret"].as_str().unwrap().to_owned();
    Inbox { door: format!("/api/v1/channel/{id}"), id, key, secret }
}

fn program(app: &TestApp, inbox: &Inbox) -> Client {
    app.client().with("authorization", &format!("Bearer {}", inbox.key))
}

fn message(event: &str, from: &str, text: &str) -> Json {
    json!({ "event_id": event, "kind": "message", "from": { "id": from, "name": "Ada Novak" }, "text": text })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_message_in_an_answer_out_and_what_became_of_it() {
    let (app, shop) = (TestApp::new().await, Shop::start());
    let owner = app.owner_client().await;
    let inbox = inbox(&owner, json!({ "webhook_url": shop.url, "allow_private_networks": true })).await;
    let program = program(&app, &inbox);
    let events = format!("{}/events", inbox.door);

    let first = program.post(&events, message("e1", "cust-1", "Where is my order?")).await;
    assert_eq!(first.status, 202);
    let first = first.ok();
    assert_eq!((&first["events"][0]["event_id"], &first["events"][0]["repeat"]), (&json!("e1"), &json!(false)));
    let again = program.post(&events, message("e1", "cust-1", "Where is my order?")).await.ok();
    assert_eq!(again["events"][0]["id"], first["events"][0]["id"], "the same event is answered with the first id");
    assert_eq!(again["events"][0]["repeat"], true);
    app.run_jobs().await;

    let list = owner.get("/api/v1/conversations?view=all").await.ok();
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    let conversation = list["items"][0]["id"].as_str().unwrap().to_owned();
    let options = owner.get(&format!("/api/v1/conversations/{conversation}/reply-options")).await.ok();
    assert_eq!(options["items"][0]["state"], "ok", "{options}");
    let sent = owner
        .with("idempotency-key", "k1")
        .post(
            &format!("/api/v1/conversations/{conversation}/entries"),
            json!({ "kind": "message", "text": "On its way.", "base_seq": 1_000, "hold_seconds": 0 }),
        )
        .await
        .ok();
    app.run_jobs().await;
    let got = shop.got();
    assert_eq!(got.len(), 1);
    let (headers, body) = &got[0];
    let header = |name: &str| headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str());
    let now = app.desk.desk.now();
    let checked =
        sign::check(&[&inbox.secret], header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"), body, now);
    assert_eq!(checked, Ok(()));
    let hook: Json = serde_json::from_slice(body).unwrap();
    assert_eq!(
        (&hook["type"], &hook["data"]["text"], &hook["data"]["to"]["value"]),
        (&json!("message.created"), &json!("On its way."), &json!("cust-1"))
    );

    let owner = app.owner_client().await;
    let report = |id: &str, state: &str| json!({ "event_id": id, "kind": "delivery", "message_id": "shop-1", "state": state });
    program.post(&events, json!({ "events": [report("d2", "read"), report("d1", "delivered")] })).await.ok();
    app.run_jobs().await;
    let entry: model::EntryId = model::EntryId::parse(sent["id"].as_str().unwrap()).unwrap();
    assert_eq!(app.entry(entry).await.delivery, Some(model::DeliveryState::Read));
    let deliveries = owner.get(&format!("/api/v1/inboxes/{}/deliveries", inbox.id)).await.ok();
    assert_eq!(deliveries["items"][0]["state"], "read", "{deliveries}");
    assert_eq!(deliveries["items"][0]["message_id"], "shop-1");
    assert_eq!(deliveries["items"][0]["entry_id"], sent["id"]);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_has_no_key_gets_nothing_and_each_fault_is_named() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let inbox = inbox(&owner, json!({ "events_per_minute": 20 })).await;
    let events = format!("{}/events", inbox.door);
    let ada = message("e1", "cust-1", "hi");

    assert_eq!(app.client().post(&events, ada.clone()).await.code(), (401, "wrong_key".into()));
    let wrong = app.client().with("authorization", "Bearer cik_wrong");
    assert_eq!(wrong.post(&events, ada.clone()).await.code(), (401, "wrong_key".into()));
    assert_eq!(wrong.get(&inbox.door).await.code().0, 401);
    assert_eq!(wrong.post(&format!("{}/files?name=x", inbox.door), json!({})).await.code().0, 401);
    assert_eq!(owner.post(&events, ada.clone()).await.code().0, 401, "a sign-in is no key");
    let fake = app.inbox;
    assert_eq!(wrong.post("/api/v1/channel/ibx_0000000000000/events", ada.clone()).await.code().0, 404);
    assert_eq!(wrong.post(&format!("/api/v1/channel/{fake}/events"), ada.clone()).await.code().0, 401, "another inbox");

    let program = program(&app, &inbox);
    let raw = |body: &'static str| program.send(Method::POST, &events, Body::from(body), Some("application/json"));
    assert_eq!(raw("{\"events\": [").await.code(), (400, "bad_json".into()));
    assert_eq!(raw("").await.code(), (400, "bad_json".into()));
    let big = Body::from(vec![b' '; channel_api::BODY_BYTES_MAX + 1]);
    assert_eq!(program.send(Method::POST, &events, big, Some("application/json")).await.code(), (413, "too_large".into()));
    let mixed = json!({ "events": [ada.clone(), { "event_id": "e2", "kind": "message", "from": { "id": "b" }, "text": "" }] });
    let refused = program.post(&events, mixed).await;
    assert_eq!(refused.code(), (422, "invalid_events".into()));
    assert_eq!(refused.value()["args"]["events"][0]["index"], 1, "{}", refused.text());
    assert_eq!(refused.value()["args"]["events"][0]["reason"], "bad_field");
    let many: Vec<Json> = (0..21).map(|n| message(&format!("m{n}"), "a", "x")).collect();
    assert_eq!(program.post(&events, json!({ "events": many })).await.code(), (422, "invalid".into()));
    app.run_jobs().await;
    assert_eq!(owner.get("/api/v1/conversations?view=all").await.ok()["items"], json!([]), "nothing of all this came in");

    // The rest of this minute's 20 events, then one too many.
    let mut taken = 0;
    let limited = loop {
        let answer = program.post(&events, message(&format!("r{taken}"), "cust-1", "x")).await;
        if !answer.status.is_success() {
            break answer;
        }
        taken += 1;
        assert!(taken <= 20);
    };
    assert_eq!(limited.code(), (429, "rate_limited".into()));
    assert!(!limited.header("retry-after").is_empty());
    app.run_jobs().await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn keys_rotate_with_a_day_of_overlap_and_an_inbox_can_be_switched_off() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    let first = inbox(&owner, json!({})).await;
    let old = program(&app, &first);
    let new = owner.post(&format!("/api/v1/inboxes/{}/channel_key", first.id), json!({})).await.ok();
    let fresh = app.client().with("authorization", &format!("Bearer {}", new["key"].as_str().unwrap()));
    assert_eq!((old.get(&first.door).await.status.as_u16(), fresh.get(&first.door).await.status.as_u16()), (200, 200));
    assert_eq!(fresh.get(&first.door).await.ok()["claim_ceiling"], 1);
    app.clock.advance_ms(25 * 3_600_000);
    assert_eq!((old.get(&first.door).await.status.as_u16(), fresh.get(&first.door).await.status.as_u16()), (401, 200));
    let owner = app.owner_client().await;
    owner.patch(&format!("/api/v1/inboxes/{}", first.id), json!({ "enabled": false })).await.ok();
    assert_eq!(fresh.get(&first.door).await.code(), (403, "inbox_off".into()));
    assert_eq!(old.get(&first.door).await.code().0, 401, "without the key nobody learns that");
    let agent = app.client_with_role("Tom", model::Role::Agent).await;
    for path in ["channel_key", "webhook_secret", "test_webhook"] {
        assert_eq!(agent.post(&format!("/api/v1/inboxes/{}/{path}", first.id), json!({})).await.code().0, 403);
    }
    assert_eq!(agent.get(&format!("/api/v1/inboxes/{}/deliveries", first.id)).await.code().0, 403);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_a_program_may_not_vouch_for_is_lowered_and_shown() {
    let app = TestApp::new().await;
    let owner = app.owner_client().await;
    // Ada is known under her number, proven by another channel.
    app.customer_writes("+15550142", "I am Ada").await;
    let inbox = inbox(&owner, json!({ "country": "US" })).await;
    let program = program(&app, &inbox);
    let claim = json!({ "event_id": "e1", "kind": "message", "text": "It is me",
        "from": { "id": "cust-9", "points": [{ "kind": "phone", "value": "+1 555 0142", "level": 3 }] } });
    program.post(&format!("{}/events", inbox.door), claim).await.ok();
    app.run_jobs().await;
    let all = owner.get("/api/v1/contacts?limit=50").await;
    let workspace = app.workspace;
    let entries = app
        .read(move |tx| {
            let point = store::contact_point::PointKey {
                kind: model::ContactPointKind::Phone,
                scope: String::new(),
                match_key: "+15550142".into(),
            };
            let point = store::contact_point::find_key(tx, workspace, &point)?.expect("the number is known");
            let owner = store::contact_point::owners(tx, workspace, point.id)?.remove(0).live_id;
            store::entry::timeline_before(tx, workspace, &[owner], (i64::MAX, i64::MAX), 10)
        })
        .await;
    let claimed = entries.iter().find(|entry| entry.body.text == "It is me").expect("it attaches to Ada");
    assert_eq!(claimed.proof_level, Some(1), "a ceiling of 1 proves nothing about Ada; {}", all.status);
    assert!(claimed.flags.iter().any(|flag| flag == "claim_lowered"), "{:?}", claimed.flags);
    // The id of the other system was bound to Ada by a weak claim: by itself it proves no more than that.
    program.post(&format!("{}/events", inbox.door), message("e2", "cust-9", "and now?")).await.ok();
    app.run_jobs().await;
    let entry = app
        .read(move |tx| {
            store::entry::by_external_key(tx, workspace, model::InboxId::parse(&inbox.id).unwrap(), &channel::content_key(b"e2"))
        })
        .await
        .expect("it came");
    assert_eq!((entry.contact_id, entry.proof_level), (claimed.contact_id, Some(1)));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn files_come_and_go_with_the_key() {
    let (app, shop) = (TestApp::new().await, Shop::start());
    let owner = app.owner_client().await;
    let settings =
        json!({ "webhook_url": shop.url, "allow_private_networks": true, "files": { "bytes_max": 2_000, "types": ["text/*"] } });
    let inbox = inbox(&owner, settings).await;
    let program = program(&app, &inbox);
    let files = format!("{}/files", inbox.door);
    let put = |name: &str, body: &'static str| {
        let path = format!("{files}?name={name}");
        let program = &program;
        async move { program.send(Method::POST, &path, Body::from(body), Some("text/plain")).await }
    };
    let plain = put("a.txt", "hello file").await.ok();
    let form = "--b\r\ncontent-disposition: form-data; name=\"note\"\r\n\r\nx\r\n--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"b.txt\"\r\ncontent-type: text/plain\r\n\r\nfrom a form\r\n--b--\r\n";
    let formed = program.send(Method::POST, &files, Body::from(form), Some("multipart/form-data; boundary=b")).await.ok();
    assert_eq!((&formed["name"], &formed["bytes"]), (&json!("b.txt"), &json!(11)));
    assert_eq!(put("big.txt", Box::leak("x".repeat(2_001).into_boxed_str())).await.code().0, 413);
    let page = program
        .send(
            Method::POST,
            &format!("{files}?name=x.png"),
            Body::from(&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01"[..]),
            Some("image/png"),
        )
        .await;
    assert_eq!(page.code(), (422, "attachment_type".into()));

    let with = json!({ "event_id": "e1", "kind": "message", "from": { "id": "cust-1" }, "text": "see", "files": [{ "id": plain["id"] }, { "id": formed["id"] }] });
    program.post(&format!("{}/events", inbox.door), with).await.ok();
    app.run_jobs().await;
    let list = owner.get("/api/v1/conversations?view=all").await.ok();
    let conversation = list["items"][0]["id"].as_str().unwrap().to_owned();
    let timeline = owner.get(&format!("/api/v1/conversations/{conversation}/timeline")).await.ok();
    assert!(timeline.to_string().contains("a.txt") && timeline.to_string().contains("b.txt"), "{timeline}");

    // An answer with a file: the webhook names a path that the key opens, and nobody else's file.
    let up = owner.send(Method::POST, "/api/v1/attachments?name=c.txt", Body::from("our file"), Some("text/plain")).await.ok();
    let sent = owner.with("idempotency-key", "k1");
    sent.post(
        &format!("/api/v1/conversations/{conversation}/entries"),
        json!({ "kind": "message", "text": "here", "attachment_ids": [up["id"]], "base_seq": 1_000, "hold_seconds": 0 }),
    )
    .await
    .ok();
    app.run_jobs().await;
    let hook: Json = serde_json::from_slice(&shop.got()[0].1).unwrap();
    let path = hook["data"]["files"][0]["path"].as_str().unwrap().to_owned();
    let led = program.get(&path).await;
    assert_eq!(led.status, 307);
    assert_eq!(program.get(led.header("location")).await.text(), "our file");
    assert_eq!(app.client().get(&path).await.code().0, 401);
    let theirs = format!("{files}/{}", plain["id"].as_str().unwrap());
    assert_eq!(program.get(&theirs).await.code().0, 404, "a file that came in did not go out");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_test_button_tells_the_truth() {
    let (app, shop) = (TestApp::new().await, Shop::start());
    let owner = app.owner_client().await;
    let inbox = inbox(&owner, json!({ "webhook_url": shop.url, "allow_private_networks": true })).await;
    let path = format!("/api/v1/inboxes/{}/test_webhook", inbox.id);
    let good = owner.post(&path, json!({})).await.ok();
    assert_eq!((&good["results"][0]["state"], &good["results"][1]["state"]), (&json!("ok"), &json!("ok")), "{good}");
    assert_eq!(shop.got().len(), 1);
    // Without the admin's word our own computer is out of reach: the address is refused as soon as it is set.
    let closed = json!({ "api": { "allow_private_networks": false } });
    assert_eq!(owner.patch(&format!("/api/v1/inboxes/{}", inbox.id), closed).await.code(), (422, "invalid".into()));
    let fake = json!({ "api": { "webhook_url": "https://localhost/hooks", "allow_private_networks": false } });
    owner.patch(&format!("/api/v1/inboxes/{}", inbox.id), fake).await.ok();
    let bad = owner.post(&path, json!({})).await.ok();
    assert_eq!(bad["results"][1]["state"], "failed");
    assert!(bad["results"][1]["text"].as_str().unwrap().contains("private network"), "{bad}");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_that_is_only_named_is_fetched_or_told_as_missing() {
    let (app, shop) = (TestApp::new().await, Shop::start());
    let owner = app.owner_client().await;
    let inbox = inbox(&owner, json!({ "allow_private_networks": true, "files": { "bytes_max": 5_000 } })).await;
    let program = program(&app, &inbox);
    let files = json!([
        { "url": format!("{}/receipt.txt", shop.url), "name": "receipt.txt" },
        { "url": "http://169.254.169.254/latest/meta-data", "name": "keys.txt" },
    ]);
    let mut message = message("e1", "cust-1", "see the receipt");
    message["files"] = files;
    program.post(&format!("{}/events", inbox.door), message).await.ok();
    app.run_jobs().await;
    let list = owner.get("/api/v1/conversations?view=all").await.ok();
    let conversation = model::ConversationId::parse(list["items"][0]["id"].as_str().unwrap()).unwrap();
    let workspace = app.workspace;
    let mut entries =
        app.read(move |tx| store::entry::conversation_before(tx, workspace, conversation, (i64::MAX, i64::MAX), 10)).await;
    entries.retain(|entry| entry.kind == model::EntryKind::Message);
    let body = &entries[0].body;
    assert_eq!(body.attachments.len(), 1, "{body:?}");
    assert_eq!(body.attachments[0].name, "receipt.txt");
    let told = format!("{:?}", body.parts);
    assert!(told.contains("keys.txt could not be fetched") && !told.contains("receipt.txt"), "{told}");
    app.end().await;
}
