//! Sender trust end to end: a real dnsmasq on loopback holds SPF, DKIM and DMARC records, mails are signed here, and the
//! verdict is what an inbox would see. The four rows of email.md section 10, and what a forger would try.

#![allow(clippy::unwrap_used, reason = "a test may stop at what must not happen")]

use base64::Engine as _;
use channel::{Evidence, InboxSettings, RawEvent, SenderTrust};
use channel_email::evidence::{Arrived, LookUps};
use channel_email::trust::{self, Found, Outcome};
use channel_email::{Headers, address};
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use model::InboxId;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Dns {
    process: Child,
    at: SocketAddr,
}

impl Drop for Dns {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

// A name server with these records.
fn dns(records: &[String]) -> Dns {
    if Command::new("dnsmasq").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        panic!("dnsmasq is not installed: apt-get install dnsmasq-base");
    }
    for _ in 0..10 {
        // A port that is free for both protocols; another program may take it before dnsmasq does, then the next is tried.
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = udp.local_addr().unwrap().port();
        if TcpListener::bind(("127.0.0.1", port)).is_err() {
            continue;
        }
        drop(udp);
        let mut process = Command::new("dnsmasq")
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--bind-interfaces",
                "--listen-address=127.0.0.1",
                "--local=/test/",
                "--user=",
                "--pid-file=",
            ])
            .arg(format!("--port={port}"))
            .args(records)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let at = SocketAddr::from(([127, 0, 0, 1], port));
        while process.try_wait().unwrap().is_none() {
            if std::net::TcpStream::connect(at).is_ok() {
                return Dns { process, at };
            }
            std::thread::yield_now();
        }
    }
    panic!("dnsmasq does not start");
}

struct World {
    _dns: Dns,
    look_ups: LookUps,
    key: Vec<u8>,
}

fn world() -> World {
    let key = Ed25519Key::generate_pkcs8().unwrap();
    let public = Ed25519Key::from_pkcs8_der(&key).unwrap().public_key();
    let public = base64::engine::general_purpose::STANDARD.encode(public);
    let records = [
        "--txt-record=cust.test,v=spf1 ip4:192.0.2.10 -all".to_owned(),
        "--txt-record=_dmarc.cust.test,v=DMARC1; p=reject; adkim=s".to_owned(),
        format!("--txt-record=s1._domainkey.cust.test,v=DKIM1; k=ed25519; p={public}"),
        // The forger's own domain: everything in order there, with the same key.
        "--txt-record=evil.test,v=spf1 ip4:192.0.2.66 -all".to_owned(),
        format!("--txt-record=s1._domainkey.evil.test,v=DKIM1; k=ed25519; p={public}"),
        // A domain that only wants reports.
        "--txt-record=loose.test,v=spf1 ip4:192.0.2.10 -all".to_owned(),
        "--txt-record=_dmarc.loose.test,v=DMARC1; p=none; rua=mailto:r@loose.test".to_owned(),
    ];
    let dns = dns(&records);
    let look_ups = LookUps::at(dns.at, "mx.shop.test").unwrap().within(Duration::from_secs(30));
    World { _dns: dns, look_ups, key }
}

impl World {
    fn signed(&self, domain: &str, mail: &str) -> String {
        let key = Ed25519Key::from_pkcs8_der(&self.key).unwrap();
        let signature = DkimSigner::from_key(key)
            .domain(domain)
            .selector("s1")
            .headers(["From", "To", "Subject"])
            .sign(mail.as_bytes())
            .unwrap();
        format!("{}{mail}", signature.to_header())
    }
    async fn found(&self, mail: &str, arrived: Option<&Arrived>) -> (Found, SenderTrust) {
        let found = self.look_ups.find(mail.as_bytes(), arrived).await;
        let headers = Headers::read(mail.as_bytes());
        let stored = serde_json::to_vec(&found).unwrap();
        let verdict = trust::judge(&headers, &address::sender(&headers), Some(&stored), Some("mx.shop.test"));
        (found, verdict.trust)
    }
}

const MAIL: &str =
    "From: Jo Doe <jo@cust.test>\r\nTo: support@shop.test\r\nSubject: Order\r\nMessage-ID: <1@cust.test>\r\n\r\nWhere is it?\r\n";

fn from_server(ip: &str, envelope_from: &str) -> Arrived {
    Arrived { ip: ip.parse().unwrap(), helo: Some("out.cust.test".into()), envelope_from: envelope_from.into() }
}

#[tokio::test]
async fn the_four_rows_of_sender_trust() {
    let world = world();
    let good = world.signed("cust.test", MAIL);
    let changed = good.replace("Where is it?", "Pay to me.");
    let right = from_server("192.0.2.10", "jo@cust.test");
    let wrong = from_server("192.0.2.66", "jo@cust.test");

    let (found, level) = world.found(&good, Some(&right)).await;
    assert_eq!(
        (found.dkim[0].outcome, found.spf, found.dmarc_dkim, level),
        (Outcome::Pass, Outcome::Pass, Outcome::Pass, SenderTrust::Controlled),
        "good: {found:?}"
    );

    let (found, level) = world.found(&changed, Some(&right)).await;
    assert_eq!(
        (found.dkim[0].outcome == Outcome::Pass, found.spf, found.dmarc_dkim),
        (false, Outcome::Pass, Outcome::None),
        "body changed, right IP: {found:?}"
    );
    assert_eq!((found.dmarc_spf, level), (Outcome::Pass, SenderTrust::Controlled), "{found:?}");

    let (found, level) = world.found(&changed, Some(&wrong)).await;
    assert_eq!(
        (found.spf, found.dmarc_dkim, found.dmarc_spf),
        (Outcome::Fail, Outcome::None, Outcome::None),
        "body changed, wrong IP: {found:?}"
    );
    assert_eq!((found.policy.as_deref(), level), (Some("reject"), SenderTrust::Failed), "{found:?}");

    let (found, level) = world.found(&good, Some(&wrong)).await;
    assert_eq!(
        (found.dkim[0].outcome, found.spf, found.dmarc_dkim, level),
        (Outcome::Pass, Outcome::Fail, Outcome::Pass, SenderTrust::Controlled),
        "through a forwarder: {found:?}"
    );
}

#[tokio::test]
async fn c18_a_forged_sender_is_never_believed() {
    let world = world();
    let evil_server = from_server("192.0.2.66", "x@evil.test");

    // Everything in order, but for the forger's own domain.
    let (found, level) = world.found(&world.signed("evil.test", MAIL), Some(&evil_server)).await;
    assert_eq!((found.dkim[0].outcome, found.spf, level), (Outcome::Pass, Outcome::Pass, SenderTrust::Failed), "{found:?}");

    // Two From: the signed one and the one that is to be shown.
    let twice = format!("From: evil@x.test\r\n{}", world.signed("cust.test", MAIL));
    let (found, level) = world.found(&twice, Some(&from_server("192.0.2.10", "jo@cust.test"))).await;
    assert_eq!((found.dmarc_dkim, level), (Outcome::None, SenderTrust::Failed), "duplicate From: {found:?}");

    // A result that the forger wrote, below the provider's own.
    let written = "Authentication-Results: mx.shop.test; dmarc=pass header.from=cust.test\r\n";
    let own = "Authentication-Results: mx.shop.test; spf=pass smtp.mailfrom=x@evil.test; dmarc=fail (p=REJECT) header.from=cust.test\r\n";
    let (_, level) = world.found(&format!("{own}Received: from x by mx.shop.test\r\n{written}{MAIL}"), None).await;
    assert_eq!(level, SenderTrust::Failed);
    // The same without any of the provider, through our own door: what was looked up counts.
    let (_, level) = world.found(&format!("{written}{MAIL}"), Some(&evil_server)).await;
    assert_eq!(level, SenderTrust::Failed);
}

#[tokio::test]
async fn over_imap_only_signatures_prove_and_nothing_disproves() {
    let world = world();
    let good = world.signed("cust.test", MAIL);
    assert_eq!(world.found(&good, None).await.1, SenderTrust::Controlled);
    assert_eq!(world.found(MAIL, None).await.1, SenderTrust::Unverified);
    assert_eq!(world.found(&good.replace("Where", "There"), None).await.1, SenderTrust::Unverified);
    // A domain with no records at all, and one that only wants reports, through our own door.
    let wrong = from_server("192.0.2.66", "jo@loose.test");
    assert_eq!(world.found(&MAIL.replace("cust.test", "loose.test"), Some(&wrong)).await.1, SenderTrust::Unverified);
    let nothing = from_server("192.0.2.66", "jo@bare.test");
    assert_eq!(world.found(&MAIL.replace("cust.test", "bare.test"), Some(&nothing)).await.1, SenderTrust::Unverified);
}

#[tokio::test]
async fn a_name_server_that_is_away_proves_nothing() {
    // Bound and never answering.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let look_ups = LookUps::at(silent.local_addr().unwrap(), "mx.shop.test").unwrap().within(Duration::from_millis(300));
    let found = look_ups.find(MAIL.as_bytes(), Some(&from_server("192.0.2.66", "jo@cust.test"))).await;
    assert_eq!((found.dmarc_dkim, found.dmarc_spf), (Outcome::Temperror, Outcome::Temperror), "{found:?}");
    let headers = Headers::read(MAIL.as_bytes());
    let verdict = trust::judge(&headers, &address::sender(&headers), Some(&serde_json::to_vec(&found).unwrap()), None);
    assert_eq!(verdict.trust, SenderTrust::Unverified);
}

#[tokio::test]
async fn hostile_mail_costs_a_bounded_number_of_questions() {
    let world = world();
    let mut mail = String::new();
    for n in 0..500 {
        mail.push_str(&format!("DKIM-Signature: v=1; a=ed25519-sha256; d=d{n}.test; s=s; h=From; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r\n"));
    }
    mail.push_str(MAIL);
    let (found, level) = world.found(&mail, None).await;
    assert!(found.dkim.len() <= 8, "{}", found.dkim.len());
    assert_eq!(level, SenderTrust::Unverified);
    for broken in ["", "\r\n", "From", "From: \u{1}@", "DKIM-Signature: \r\nFrom: jo@cust.test\r\n\r\n", "From: jo@cust.test"] {
        let _ = world.found(broken, None).await;
    }
}

#[tokio::test]
async fn nobody_is_asked_when_the_answer_is_known_or_worthless() {
    // Whoever asks this server waits for the whole time that is allowed.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    silent.set_nonblocking(true).unwrap();
    let look_ups = LookUps::at(silent.local_addr().unwrap(), "mx.shop.test").unwrap().within(Duration::from_millis(300));
    let inbox = InboxSettings {
        id: InboxId(1),
        channel: model::Channel::Email,
        name: "Support".into(),
        settings: serde_json::json!({"authserv_id": "mx.shop.test"}),
        secrets: std::sync::Arc::new(channel::NoSecrets),
    };
    let signed = format!("DKIM-Signature: v=1; a=rsa-sha256; d=cust.test; s=s1; h=From; bh=x; b=y\r\n{MAIL}");
    let judged = format!("Authentication-Results: mx.shop.test; dmarc=pass header.from=cust.test\r\n{signed}");
    let event = |body: &str, headers: &[(&str, &str)]| RawEvent {
        dedupe_key: "k".into(),
        lane: "l".into(),
        body: body.as_bytes().to_vec(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        received_at: model::Timestamp(0),
        evidence: None,
    };
    let quiet = [
        event(MAIL, &[]),
        event(&judged, &[]),
        event(&signed, &[(channel::HISTORY, "1")]),
        event(&signed, &[(channel::FOLDER_ROLE, "sent")]),
    ];
    let mut asked = [0; 512];
    for event in quiet {
        let found: Found = serde_json::from_slice(&look_ups.gather(&inbox, &event).await).unwrap();
        assert_eq!((found.dmarc_dkim, silent.recv(&mut asked).is_err()), (Outcome::None, true), "{event:?}");
    }
    // A signature that is worth asking about, and a mail of which we saw the server.
    for event in [event(&signed, &[]), event(MAIL, &[("continuo-client-ip", "192.0.2.66")])] {
        look_ups.gather(&inbox, &event).await;
        assert!(silent.recv(&mut asked).is_ok(), "{event:?}");
        while silent.recv(&mut asked).is_ok() {}
    }
}
