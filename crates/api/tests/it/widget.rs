//! The widget's doors against what strangers try: forged and expired tokens, wrong pages, broken and repeated frames, floods.

use crate::served::{Served, Socket, items, message};
use http::Method;
use serde_json::{Value as Json, json};
use std::time::Duration;
use testkit::app::{Client, TestApp};

fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

async fn site_of(app: &TestApp, settings: Json) -> (String, String) {
    let owner = app.owner_client().await;
    let made = owner.post("/api/v1/inboxes", json!({ "channel": "webchat", "name": "Website", "webchat": settings })).await.ok();
    (text(&made["webchat"], "site").to_owned(), text(&made, "id").to_owned())
}

async fn begin(client: &Client, site: &str, body: Json) -> testkit::app::Answer {
    let mut whole = json!({ "locale": "en", "host_origin": "" });
    for (key, value) in body.as_object().expect("an object") {
        whole[key] = value.clone();
    }
    client.post(&format!("/w/{site}/visitors"), whole).await
}

fn now_s(app: &TestApp) -> i64 {
    app.desk.desk.now().ms() / 1_000
}

fn jwt(secret: &str, header: Json, claims: Json) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let content = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mac = keyed(secret.as_bytes(), content.as_bytes());
    format!("{content}.{}", URL_SAFE_NO_PAD.encode(mac))
}

// HMAC-SHA256 by the book, so that the test does not check our code against itself.
fn keyed(key: &[u8], message: &[u8]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    let mut block = [0u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let with = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(with(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(with(0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_page_that_is_not_on_the_list_gets_nothing() {
    let app = TestApp::new().await;
    let (site, _) = site_of(&app, json!({ "allowed_origins": ["https://acme.com", "https://*.acme.org"] })).await;
    let client = app.client();
    for good in ["https://acme.com", "https://shop.acme.org", "http://desk.test"] {
        begin(&client, &site, json!({ "host_origin": good })).await.ok();
    }
    for bad in ["https://evil.com", "http://acme.com", "https://acme.com.evil.com", "null", "https://acme.com/x"] {
        assert_eq!(begin(&client, &site, json!({ "host_origin": bad })).await.code(), (403, "wrong_origin".into()), "{bad}");
    }
    // The panel is ours: no other page may call in its name.
    let elsewhere = app.client().with("origin", "https://evil.com");
    assert_eq!(begin(&elsewhere, &site, json!({ "host_origin": "https://acme.com" })).await.code(), (403, "wrong_origin".into()));
    assert_eq!(elsewhere.post(&format!("/w/{site}/frames"), json!({ "frames": [] })).await.code(), (403, "wrong_origin".into()));
    let panel = client.get(&format!("/w/{site}")).await;
    assert!(panel.header("content-security-policy").contains("https://acme.com"), "{}", panel.header("content-security-policy"));
    assert_eq!(begin(&client, "no-such-site", json!({})).await.code(), (404, "no_such_site".into()));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_what_the_site_has_signed_is_believed() {
    let app = TestApp::new().await;
    let (site, inbox) = site_of(&app, json!({})).await;
    let owner = app.owner_client().await;
    let secret =
        text(&owner.post(&format!("/api/v1/inboxes/{inbox}/identity_secret"), json!({})).await.ok(), "secret").to_owned();
    let client = app.client();
    let now = now_s(&app);
    let hs256 = json!({ "alg": "HS256", "typ": "JWT" });
    let claims = |sub: &str, exp: i64| json!({ "sub": sub, "exp": exp, "name": "Ada" });

    let good = begin(&client, &site, json!({ "jwt": jwt(&secret, hs256.clone(), claims("ada", now + 600)) })).await.ok();
    assert_eq!(good["verified"], json!({ "level": 3, "name": "Ada" }));
    let hashed =
        begin(&client, &site, json!({ "identify_id": "bo", "identify_hash": hex(&keyed(secret.as_bytes(), b"bo")) })).await.ok();
    assert_eq!(hashed["verified"]["level"], 2);

    let refused = [
        (jwt(&secret, hs256.clone(), claims("ada", now - 600)), "expired_identity"),
        (jwt("another secret of enough length", hs256.clone(), claims("ada", now + 600)), "forged_identity"),
        (jwt(&secret, json!({ "alg": "none" }), claims("ada", now + 600)), "forged_identity"),
        (jwt(&secret, json!({ "alg": "EdDSA" }), claims("ada", now + 600)), "forged_identity"),
        (jwt(&secret, hs256.clone(), json!({ "sub": "ada" })), "forged_identity"),
        (jwt(&secret, hs256.clone(), claims("ada", now + 90_000)), "forged_identity"),
        ("not.a.token".to_owned(), "forged_identity"),
    ];
    for (token, code) in refused {
        assert_eq!(begin(&client, &site, json!({ "jwt": token })).await.code(), (401, code.into()), "{token}");
    }
    let wrong_hash =
        begin(&client, &site, json!({ "identify_id": "eve", "identify_hash": hex(&keyed(secret.as_bytes(), b"bo")) })).await;
    assert_eq!(wrong_hash.code(), (401, "forged_identity".into()));

    // The same browser with another signed-in customer is another visitor; with the same one it is the same.
    let token = &good["visitor_token"];
    let same =
        begin(&client, &site, json!({ "visitor_token": token, "jwt": jwt(&secret, hs256.clone(), claims("ada", now + 900)) }))
            .await
            .ok();
    assert_eq!(same["visitor_id"], good["visitor_id"]);
    let other =
        begin(&client, &site, json!({ "visitor_token": token, "jwt": jwt(&secret, hs256.clone(), claims("eve", now + 900)) }))
            .await
            .ok();
    assert_ne!(other["visitor_id"], good["visitor_id"]);
    let fresh = begin(&client, &site, json!({ "visitor_token": token, "new": true })).await.ok();
    assert_ne!(fresh["visitor_id"], good["visitor_id"]);
    assert_eq!(fresh["verified"], Json::Null, "not you? then nothing of the other stays");

    owner.patch(&format!("/api/v1/inboxes/{inbox}"), json!({ "webchat": { "identity": { "required": true } } })).await.ok();
    assert_eq!(begin(&client, &site, json!({})).await.code(), (403, "identity_required".into()));
    begin(&client, &site, json!({ "jwt": jwt(&secret, hs256, claims("ada", now + 600)) })).await.ok();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_visitor_token_is_good_for_its_site_only_and_cannot_be_changed() {
    let app = TestApp::new().await;
    let (site, _) = site_of(&app, json!({ "site": "one" })).await;
    let (elsewhere, _) = site_of(&app, json!({ "site": "two" })).await;
    let client = app.client();
    let token = text(&begin(&client, &site, json!({})).await.ok(), "visitor_token").to_owned();
    assert_eq!(begin(&client, &elsewhere, json!({ "visitor_token": token })).await.code(), (401, "bad_token".into()));
    let mut forged = token.clone().into_bytes();
    let middle = forged.len() / 2;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for bad in [forged.as_str(), "", "1.e30.AAAA", "x"] {
        let answer = app.client().with("authorization", &format!("Visitor {bad}")).get(&format!("/w/{site}/history")).await;
        assert_eq!(answer.code(), (401, "bad_token".into()), "{bad}");
    }
    assert_eq!(app.client().get(&format!("/w/{site}/events?since=0")).await.code(), (401, "bad_token".into()));
    app.client().with("authorization", &format!("Visitor {token}")).get(&format!("/w/{site}/history")).await.ok();
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn new_visitors_of_one_address_and_messages_of_one_visitor_are_limited() {
    let app = TestApp::new().await;
    let rates = json!({ "rates": { "messages_per_minute": 3, "visitors_per_address_per_hour": 2 } });
    let (site, _) = site_of(&app, rates).await;
    let client = app.client();
    let first = begin(&client, &site, json!({})).await.ok();
    begin(&client, &site, json!({})).await.ok();
    let refused = begin(&client, &site, json!({})).await;
    assert_eq!(refused.code(), (429, "rate_limited".into()));
    assert!(refused.value()["retry_after"].as_i64().unwrap() > 60);
    begin(&client, &site, json!({ "visitor_token": first["visitor_token"] })).await.ok();

    let visitor = app.client().with("authorization", &format!("Visitor {}", text(&first, "visitor_token")));
    let frames: Vec<Json> = (0..5).map(|n| message(&format!("message-{n}"), "spam")).collect();
    let answer = visitor.post(&format!("/w/{site}/frames"), json!({ "frames": frames })).await.ok();
    let kinds: Vec<&str> = answer["frames"].as_array().unwrap().iter().map(|frame| text(frame, "kind")).collect();
    assert_eq!(kinds, ["ack", "ack", "ack", "refused", "refused"]);
    assert_eq!(
        (&answer["frames"][3]["code"], &answer["frames"][3]["client_msg_id"]),
        (&json!("rate_limited"), &json!("message-3"))
    );
    assert!(answer["frames"][3]["retry_after"].as_i64().unwrap() >= 1);
    app.clock.advance_ms(60_000);
    let answer = visitor.post(&format!("/w/{site}/frames"), json!({ "frames": [message("message-3", "spam")] })).await.ok();
    assert_eq!(answer["frames"][0]["kind"], "ack");
    app.run_jobs().await;
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replays_are_acknowledged_again_and_stored_once_and_reorders_keep_their_texts() {
    let served = Served::new().await;
    let site = served.add_site(json!({})).await;
    let begun = served.begin(&site, json!({})).await;
    let token = text(&begun, "visitor_token");
    let mut visitor = served.visitor(&site, token, None, 0).await;
    for id in ["message-b", "message-a", "message-b", "message-a", "message-a"] {
        visitor.say(message(id, &format!("text of {id}"))).await;
        assert_eq!(visitor.until_kind("ack").await["client_msg_id"], id);
    }
    // Another visitor may use the same ids.
    let second = served.begin(&site, json!({})).await;
    let mut other = served.visitor(&site, text(&second, "visitor_token"), None, 0).await;
    other.say(message("message-a", "mine")).await;
    other.until_item("their own", |item| item["text"] == "mine" && item["client_msg_id"] == "message-a").await;

    let mut texts = Vec::new();
    while texts.len() < 2 {
        let frame = visitor.until_kind("frame").await;
        texts.extend(items(&frame).iter().map(|item| (text(item, "client_msg_id").to_owned(), text(item, "text").to_owned())));
    }
    assert_eq!(texts, [("message-b".into(), "text of message-b".into()), ("message-a".into(), "text of message-a".into())]);
    assert_eq!(served.app.owner_client().await.get("/api/v1/conversations").await.ok()["items"].as_array().unwrap().len(), 2);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_frames_are_refused_by_name_and_twenty_of_them_close() {
    let served = Served::new().await;
    let site = served.add_site(json!({})).await;
    let begun = served.begin(&site, json!({})).await;
    let token = text(&begun, "visitor_token");
    let mut visitor = served.visitor(&site, token, None, 0).await;
    visitor.until_kind("welcome").await;
    let broken = [
        "not json".to_owned(),
        "[]".to_owned(),
        json!({ "kind": "nonsense" }).to_string(),
        json!({ "kind": "message", "client_msg_id": "x", "text": "short id" }).to_string(),
        json!({ "kind": "message", "client_msg_id": "message-1", "text": "x", "admin": true }).to_string(),
        json!({ "kind": "read", "up_to_seq": -1 }).to_string(),
    ];
    for frame in &broken {
        visitor.say_text(frame.clone()).await;
        assert_eq!(visitor.until_kind("refused").await["code"], "bad_frame", "{frame}");
    }
    let long = message("message-1", &"ä".repeat(10_001));
    visitor.say(long).await;
    let refused = visitor.until_kind("refused").await;
    assert_eq!((&refused["code"], &refused["client_msg_id"]), (&json!("too_long"), &json!("message-1")));
    visitor.say(message("message-2", " \u{200b} ")).await;
    assert_eq!(visitor.until_kind("refused").await["code"], "empty");
    visitor.say(json!({ "kind": "message", "client_msg_id": "message-3", "text": "", "file_ids": ["att_0000000000001"] })).await;
    assert_eq!(visitor.until_kind("refused").await["code"], "unknown_file");
    // Still alive, and a good message still goes.
    visitor.say(message("message-4", "<script>alert(1)</script>'); DROP TABLE entry;--")).await;
    let shown = visitor.until_item("the message", |item| item["client_msg_id"] == "message-4").await;
    assert_eq!(shown["text"], "<script>alert(1)</script>'); DROP TABLE entry;--");

    for _ in 0..20 {
        visitor.say_text("broken".to_owned()).await;
    }
    let code = loop {
        match visitor.next().await {
            Ok(frame) => assert_eq!(frame["kind"], "refused"),
            Err(code) => break code,
        }
    };
    assert_eq!(code, Some(1008));

    let mut large = served.visitor(&site, token, None, 0).await;
    large.until_kind("welcome").await;
    large.say_text(format!("\"{}\"", "x".repeat(70_000))).await;
    let code = loop {
        if let Err(code) = large.next().await {
            break code;
        }
    };
    assert_eq!(code, Some(1009));
    let mut forged = served.visitor(&site, "1.e30.AAAA", None, 0).await;
    assert_eq!(forged.until_kind("bye").await["code"], "bad_token");
    let elsewhere = Socket::try_open(served.address, &format!("/w/{site}/socket"), &[("origin", "https://evil.example")]).await;
    assert_eq!(elsewhere.err(), Some(403));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_sockets_the_same_goes_by_post_and_event_stream() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let served = Served::new().await;
    let site = served.add_site(json!({})).await;
    let begun = served.begin(&site, json!({})).await;
    let token = text(&begun, "visitor_token").to_owned();
    let mut stream = tokio::net::TcpStream::connect(served.address).await.unwrap();
    let request = format!("GET /w/{site}/events?since=0 HTTP/1.1\r\nhost: desk.test\r\nauthorization: Visitor {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut came = String::new();
    let mut read_until = async |came: &mut String, word: &str| {
        let mut buffer = [0; 4096];
        while !came.contains(word) {
            let n =
                tokio::time::timeout(Duration::from_secs(20), stream.read(&mut buffer)).await.expect("something comes").unwrap();
            assert!(n > 0, "the stream ended: {came}");
            came.push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
    };
    read_until(&mut came, "\"kind\":\"welcome\"").await;
    assert!(came.contains("text/event-stream"), "{came}");
    let visitor = served.app.client().with("authorization", &format!("Visitor {token}"));
    let answer = visitor
        .post(&format!("/w/{site}/frames"), json!({ "frames": [message("message-1", "by post"), { "kind": "ping" }] }))
        .await
        .ok();
    assert_eq!((&answer["frames"][0]["kind"], &answer["frames"][1]["kind"]), (&json!("ack"), &json!("pong")));
    read_until(&mut came, "\"client_msg_id\":\"message-1\"").await;
    assert!(came.contains("\nid: ") || came.contains("id: "), "positions come along: {came}");
    drop(stream);
    let many: Vec<Json> = (0..33).map(|_| json!({ "kind": "ping" })).collect();
    assert_eq!(visitor.post(&format!("/w/{site}/frames"), json!({ "frames": many })).await.code().0, 400);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_in_customer_finds_the_chat_on_another_device_and_a_stranger_does_not() {
    let served = Served::new().await;
    let owner = served.app.owner_client().await;
    let made = owner.post("/api/v1/inboxes", json!({ "channel": "webchat", "name": "Website" })).await.ok();
    let (site, inbox) = (text(&made["webchat"], "site").to_owned(), text(&made, "id").to_owned());
    let secret =
        text(&owner.post(&format!("/api/v1/inboxes/{inbox}/identity_secret"), json!({})).await.ok(), "secret").to_owned();
    let now = now_s(&served.app);
    let proof = jwt(&secret, json!({ "alg": "HS256" }), json!({ "sub": "ada", "exp": now + 600, "name": "Ada" }));
    let phone = served.begin(&site, json!({ "jwt": proof })).await;
    let mut visitor = served.visitor(&site, text(&phone, "visitor_token"), None, 0).await;
    visitor.say(message("message-1", "from my phone")).await;
    visitor.until_item("it", |item| item["text"] == "from my phone").await;

    let laptop = served.begin(&site, json!({ "jwt": proof })).await;
    assert_ne!(laptop["visitor_id"], phone["visitor_id"]);
    assert_eq!(laptop["items"][0]["text"], "from my phone");
    let stranger = served.begin(&site, json!({ "claimed": { "name": "Ada", "id": "ada" } })).await;
    assert_eq!((&stranger["items"], &stranger["conversation"]), (&json!([]), &Json::Null));
    let row = &owner.get("/api/v1/conversations").await.ok()["items"][0];
    assert_eq!(row["contact"]["name"], "Ada");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn loader_panel_and_test_page_are_served_with_their_settings() {
    let app = TestApp::new().await;
    let (site, _) = site_of(&app, json!({ "title": "Help </script><b>\u{2028}", "allowed_origins": [] })).await;
    let client = app.client();
    let config = client.get(&format!("/w/{site}/config?locale=de-AT")).await.ok();
    assert_eq!((&config["locale"], &config["online"], &config["site"]), (&json!("de"), &json!(false), &json!(site)));
    let page = client.get(&format!("/w/{site}/test")).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains(&format!("src=\"/w/{site}.js\"")) && page.text().contains("Acme"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    for path in [format!("/w/{site}.js"), format!("/w/{site}")] {
        let answer = client.get(&path).await;
        // Without the built web parts there is nothing to serve, and it says so.
        if answer.status == 404 {
            assert!(answer.value()["detail"].as_str().unwrap_or_default().contains("make web"));
            continue;
        }
        assert!(!answer.text().contains("</script><b>"), "{}", answer.text());
        assert!(!answer.text().contains("__CONTINUO"), "{path}");
    }
    assert_eq!(
        client.send(Method::GET, "/w/nobody/test", axum::body::Body::empty(), None).await.code(),
        (404, "no_such_site".into())
    );
    app.end().await;
}
