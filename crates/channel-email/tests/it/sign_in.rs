//! Signing in with tokens: a real XOAUTH2 and OAUTHBEARER peer in Dovecot and Postfix, and an identity provider that this file
//! plays by HTTP (it is no mail server, and its answers are those of the standard).

use crate::mailbed::{FaultProxy, MailBed};
use crate::support::*;
use channel::{AuthorizeRequest, DevicePoll, InboxSettings, Pull, PullError, SecretText, Secrets, SetUp, SignInError};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const US: &str = "support@shop.test";

/// Answers token requests as scripted and keeps what it was asked.
struct Provider {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    answers: Arc<Mutex<Vec<(u16, String)>>>,
}

impl Provider {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, answers) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::<(u16, String)>::new())));
        let (keep, script) = (Arc::clone(&asked), Arc::clone(&answers));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut bytes = Vec::new();
                let mut some = [0; 4096];
                let body = loop {
                    let Ok(count) = stream.read(&mut some) else { break String::new() };
                    bytes.extend_from_slice(&some[..count]);
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head
                        .to_lowercase()
                        .split("content-length: ")
                        .nth(1)
                        .and_then(|l| l.split_whitespace().next()?.parse().ok())
                        .unwrap_or(0);
                    if body.len() >= length || count == 0 {
                        break body.to_owned();
                    }
                };
                keep.lock().unwrap().push(body);
                let mut script = script.lock().unwrap();
                let (status, answer) = if script.is_empty() { (500, "{}".to_owned()) } else { script.remove(0) };
                let _peer_may_be_gone = write!(
                    stream,
                    "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                    answer.len()
                );
            }
        });
        Self { url, asked, answers }
    }
    fn script(&self, status: u16, answer: serde_json::Value) {
        self.answers.lock().unwrap().push((status, answer.to_string()));
    }
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn settings(bed: &MailBed, provider: &Provider, mechanism: &str) -> serde_json::Value {
    let mut settings = bed.settings(US);
    settings["sign_in"] = json!({
        "method": "oauth", "mechanism": mechanism, "authorize_url": format!("{}/auth", provider.url), "token_url": format!("{}/token", provider.url),
        "device_url": format!("{}/device", provider.url), "client_id": "continuo", "scopes": ["mail", "offline_access"],
    });
    settings
}

async fn signs_in(wire: &channel_email::wire::Wire, inbox: &InboxSettings) -> Result<(), PullError> {
    let store = Store::default();
    pull_until(wire, inbox, &store, "alive", |store| !store.news().is_empty()).await
}

#[tokio::test]
async fn a_good_token_signs_in_on_both_sides_and_is_kept() {
    let bed = bed();
    for mechanism in ["xoauth2", "oauthbearer"] {
        let provider = Provider::start();
        provider.script(200, json!({"access_token": bed.token(US, 3_600), "expires_in": 3600, "token_type": "Bearer"}));
        let wire = wire(quick());
        let inbox =
            inbox_with(settings(&bed, &provider, mechanism), secrets(&[("refresh_token", "r1"), ("oauth_client_secret", "c&1")]));
        signs_in(&wire, &inbox).await.unwrap_or_else(|error| panic!("{mechanism}: {error}\n{}", bed.logs()));
        signs_in(&wire, &inbox).await.unwrap();
        let sent = wire.check(&inbox).await;
        assert!(
            sent.iter().any(|result| result.code == "send" && result.state == channel::CheckState::Ok),
            "{mechanism}: {sent:?}"
        );
        assert_eq!(
            provider.asked(),
            ["grant_type=refresh_token&refresh_token=r1&client_id=continuo&client_secret=c%261"],
            "{mechanism}: once"
        );
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_then_asks_for_a_sign_in() {
    let bed = bed();
    for mechanism in ["xoauth2", "oauthbearer"] {
        for bad in [bed.token(US, -60), "nonsense".to_owned(), format!("{}x", bed.token(US, 3_600))] {
            let provider = Provider::start();
            // The first is refused by the mail server before its time; the second is good.
            provider.script(200, json!({"access_token": bad, "expires_in": 3600}));
            provider.script(200, json!({"access_token": bed.token(US, 3_600), "expires_in": "3600"}));
            let wire = wire(quick());
            let inbox = inbox_with(settings(&bed, &provider, mechanism), secrets(&[("refresh_token", "r1")]));
            signs_in(&wire, &inbox).await.unwrap_or_else(|error| panic!("{mechanism}: {error}\n{}", bed.logs()));
            assert_eq!(provider.asked().len(), 2);
            // Both refused: the account has to be signed in again. The error challenge was answered, or this would hang.
            let provider = Provider::start();
            provider.script(200, json!({"access_token": bad, "expires_in": 3600}));
            provider.script(200, json!({"access_token": format!("{bad}2"), "expires_in": 3600}));
            let inbox = inbox_with(settings(&bed, &provider, mechanism), secrets(&[("refresh_token", "r1")]));
            assert_eq!(signs_in(&crate::support::wire(quick()), &inbox).await, Err(PullError::SignInAgain), "{mechanism}");
        }
    }
}

#[tokio::test]
async fn c4_a_token_that_ends_in_the_middle_of_idle_is_renewed_without_losing_mail() {
    let bed = bed();
    let proxy = FaultProxy::start(bed.imap_port).unwrap();
    let provider = Provider::start();
    // Good for a few seconds more than what is renewed early: the second connection needs another.
    provider.script(200, json!({"access_token": bed.token(US, 123), "expires_in": 123}));
    provider.script(200, json!({"access_token": bed.token(US, 3_600), "expires_in": 3600}));
    let mut settings = settings(&bed, &provider, "xoauth2");
    settings["imap"]["port"] = proxy.port.into();
    let (wire, inbox, store) = (wire(quick()), inbox_with(settings, secrets(&[("refresh_token", "r1")])), Store::default());
    let first = async {
        store.until_alive(1).await;
        bed.deliver("alice@cust.test", US, &mail("alice@cust.test", "one", "x")).unwrap();
        store.until("one", |store| store.events().len() == 1).await;
        // The token ends while we listen; some servers hang up then.
        let _its_end = tokio::time::timeout(Duration::from_secs(4), std::future::pending::<()>()).await;
        bed.deliver("alice@cust.test", US, &mail("alice@cust.test", "two", "x")).unwrap();
        proxy.cut();
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = wire.pull(&inbox, store.cursor(), &store) => ended,
        () = first => unreachable!("never ends"),
    };
    assert!(matches!(ended, Err(PullError::Lost(_))), "{ended:?}");
    pull_until(&wire, &inbox, &store, "two", |store| store.events().len() == 2).await.unwrap();
    assert_eq!(store.subjects(), ["one", "two"]);
    assert_eq!(provider.asked().len(), 2);
}

#[tokio::test]
async fn a_new_refresh_token_is_stored_before_its_access_token_is_used() {
    let bed = bed();
    let provider = Provider::start();
    provider.script(200, json!({"access_token": bed.token(US, 100), "expires_in": 100, "refresh_token": "r2"}));
    provider.script(200, json!({"access_token": bed.token(US, 3_600), "expires_in": 3600, "refresh_token": "r3"}));
    let kept = secrets(&[("refresh_token", "r1")]);
    let (wire, inbox) = (wire(quick()), inbox_with(settings(&bed, &provider, "xoauth2"), kept.clone()));
    signs_in(&wire, &inbox).await.unwrap();
    assert_eq!(kept.get("refresh_token").unwrap().expose(), "r2");
    // 100 s is less than what is renewed early, so the next connection refreshes, with the newer one.
    signs_in(&wire, &inbox).await.unwrap();
    assert_eq!(kept.get("refresh_token").unwrap().expose(), "r3");
    assert!(provider.asked()[1].contains("refresh_token=r2"));
}

#[tokio::test]
async fn what_a_provider_says_becomes_the_right_error() {
    let bed = bed();
    let cases = [
        (400, json!({"error": "invalid_grant", "error_description": "revoked"}), "again"),
        (401, json!({"error": "invalid_client"}), "settings"),
        (400, json!({"error": "temporarily_unavailable"}), "lost"),
        (503, json!({}), "lost"),
        (200, json!({"no": "token"}), "lost"),
    ];
    for (status, answer, want) in cases {
        let provider = Provider::start();
        provider.script(status, answer.clone());
        let inbox = inbox_with(settings(&bed, &provider, "xoauth2"), secrets(&[("refresh_token", "r1")]));
        let got = match signs_in(&wire(quick()), &inbox).await {
            Err(PullError::SignInAgain) => "again",
            Err(PullError::Settings(_)) => "settings",
            Err(PullError::Lost(_)) => "lost",
            Ok(()) => "fine",
        };
        assert_eq!(got, want, "{status} {answer}");
    }
    // Nobody there at all.
    let mut settings = settings(&bed, &Provider::start(), "xoauth2");
    settings["sign_in"]["token_url"] = "http://127.0.0.1:1/token".into();
    let inbox = inbox_with(settings, secrets(&[("refresh_token", "r1")]));
    assert!(matches!(signs_in(&wire(quick()), &inbox).await, Err(PullError::Lost(text)) if text.contains("127.0.0.1")));
}

#[tokio::test]
async fn a_code_is_exchanged_with_its_verifier_and_the_account_works_at_once() {
    let bed = bed();
    let provider = Provider::start();
    let kept = secrets(&[]);
    let (wire, inbox) = (wire(quick()), inbox_with(settings(&bed, &provider, "xoauth2"), kept.clone()));
    let request = AuthorizeRequest {
        redirect_url: "https://help.shop.test/back".to_owned(),
        state: "s".to_owned(),
        verifier: "v".repeat(43),
    };
    provider.script(400, json!({"error": "invalid_grant", "error_description": "code was used"}));
    assert!(
        matches!(wire.exchange(&inbox, "c0", &request).await, Err(SignInError::Refused(text)) if text.contains("begin again"))
    );
    provider.script(200, json!({"access_token": "a", "expires_in": 3600}));
    assert!(matches!(wire.exchange(&inbox, "c0", &request).await, Err(SignInError::Refused(text)) if text.contains("offline")));
    provider.script(200, json!({"access_token": bed.token(US, 3_600), "expires_in": 3600, "refresh_token": "r1"}));
    let tokens = wire.exchange(&inbox, "c1", &request).await.unwrap();
    assert_eq!(tokens.0, [("refresh_token".to_owned(), SecretText::new("r1"))]);
    kept.set("refresh_token", "r1");
    signs_in(&wire, &inbox).await.unwrap();
    let asked = provider.asked();
    assert_eq!(asked.len(), 3, "the access token of the exchange is used: {asked:?}");
    assert_eq!(
        asked[2],
        format!(
            "grant_type=authorization_code&code=c1&redirect_uri=https%3A%2F%2Fhelp.shop.test%2Fback&client_id=continuo&code_verifier={}",
            "v".repeat(43)
        )
    );
}

#[tokio::test]
async fn a_device_code_is_asked_for_until_it_was_typed() {
    let bed = bed();
    let provider = Provider::start();
    let (wire, inbox) = (wire(quick()), inbox_with(settings(&bed, &provider, "xoauth2"), secrets(&[])));
    provider.script(
        200,
        json!({"device_code": "d1", "user_code": "ABCD-EFGH", "verification_url": "https://id.test/device", "expires_in": 900}),
    );
    let code = wire.begin_device(&inbox).await.unwrap();
    assert_eq!(
        (code.user_code.as_str(), code.verification_url.as_str(), code.interval_s),
        ("ABCD-EFGH", "https://id.test/device", 5)
    );
    provider.script(400, json!({"error": "authorization_pending"}));
    assert_eq!(wire.poll_device(&inbox, &code.device_code).await.unwrap(), DevicePoll::Pending { interval_s: 5 });
    provider.script(400, json!({"error": "slow_down"}));
    assert_eq!(wire.poll_device(&inbox, &code.device_code).await.unwrap(), DevicePoll::Pending { interval_s: 10 });
    provider.script(200, json!({"access_token": "a", "expires_in": 3600, "refresh_token": "r9"}));
    assert!(
        matches!(wire.poll_device(&inbox, &code.device_code).await.unwrap(), DevicePoll::Done(tokens) if tokens.0[0].1.expose() == "r9")
    );
    provider.script(400, json!({"error": "expired_token"}));
    assert!(
        matches!(wire.poll_device(&inbox, &code.device_code).await, Err(SignInError::Refused(text)) if text.contains("in time"))
    );
    assert!(provider.asked()[0].contains("scope=mail+offline_access"));
}

#[tokio::test]
async fn a_password_may_hold_any_character() {
    let bed = bed();
    let inbox = inbox_with(bed.settings("umlaut@shop.test"), secrets(&[("password", "pässwort \"1\"")]));
    let wire = wire(quick());
    signs_in(&wire, &inbox).await.unwrap();
    let results = wire.check(&inbox).await;
    assert!(results.iter().all(|result| result.state == channel::CheckState::Ok), "{results:?}");
    let wrong = inbox_with(bed.settings("umlaut@shop.test"), secrets(&[("password", "pässwort")]));
    assert_eq!(signs_in(&wire, &wrong).await, Err(PullError::SignInAgain));
}
