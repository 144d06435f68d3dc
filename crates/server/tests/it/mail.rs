//! Mail through real Postfix and Dovecot into the real program: cut connections, `kill -9`, renumbering and a time in which
//! nobody fetches lose and double nothing; hostile mail never stands in the way; new mail is on the agent's socket at once.
//! The small size is part of `make test`; docs/EMAIL.md tells how to run the full one (`CONTINUO_MAIL_RUN=full`).
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test of a real process and real mail servers in real time"
)]

use crate::kill::{ask, json, owner_cookie};
use crate::{PATIENCE, Server};
use model::SystemClock;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use store::{Access, Db, DbSettings};
use testkit::mailbed::{FaultProxy, MailBed, PASSWORD, missing};

const ADDRESS: &str = "support@shop.test";

fn full() -> bool {
    std::env::var("CONTINUO_MAIL_RUN").is_ok_and(|size| size == "full")
}

/// The bed, or nothing with a word why not.
fn bed() -> Option<MailBed> {
    if let Err(why) = missing() {
        println!("skipped: {why}");
        return None;
    }
    Some(MailBed::start().unwrap())
}

/// A signed-in owner and a connected mailbox of a server that may die and come back.
struct Office {
    cookie: String,
    inbox: String,
}

impl Office {
    /// Sets up owner and inbox; nothing is taken in before it is switched on.
    fn open(server: &Server, bed: &MailBed, imap_port: u16) -> Self {
        let cookie = owner_cookie(server);
        let mut settings = bed.settings(ADDRESS);
        settings["imap"]["port"] = serde_json::json!(imap_port);
        let body = serde_json::json!({ "channel": "email", "name": "Support", "email": settings }).to_string();
        let (status, answer) = ask(&server.address, "POST", "/api/v1/inboxes", &cookie, &body).unwrap();
        assert_eq!(status, 201, "{answer}");
        let inbox = json(&answer)["id"].as_str().unwrap().to_owned();
        assert_eq!(json(&answer)["enabled"], false, "nothing is taken in before set-up is finished");
        let office = Self { cookie, inbox };
        let secrets = serde_json::json!({ "secrets": { "password": PASSWORD } }).to_string();
        let (status, answer) = office.ask(server, "PUT", "/secrets", &secrets).unwrap();
        assert_eq!(status, 204, "{answer}");
        let (status, answer) = office.ask(server, "PATCH", "", r#"{"enabled":true}"#).unwrap();
        assert_eq!(status, 200, "{answer}");
        office.until(server, "the mailbox is connected", |ledger| ledger["state"] == "ok");
        office
    }

    fn ask(&self, server: &Server, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        ask(&server.address, method, &format!("/api/v1/inboxes/{}{path}", self.inbox), &self.cookie, body)
    }

    fn ledger(&self, server: &Server) -> serde_json::Value {
        self.ask(server, "GET", "/ledger", "").map(|(_, answer)| json(&answer)).unwrap_or_default()
    }

    fn until(&self, server: &Server, what: &str, mut good: impl FnMut(&serde_json::Value) -> bool) -> serde_json::Value {
        let deadline = Instant::now() + PATIENCE * if full() { 30 } else { 3 };
        loop {
            let ledger = self.ledger(server);
            if good(&ledger) {
                return ledger;
            }
            assert!(Instant::now() < deadline, "{what}: {ledger}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Counts until everything at the server is accounted for, and read.
    fn until_settled(&self, server: &Server, on_server: usize) -> serde_json::Value {
        let mut asked: Option<Instant> = None;
        self.until(server, "everything is accounted for", |ledger| {
            if asked.is_none_or(|at| at.elapsed() > Duration::from_secs(3)) {
                let _counted_soon = self.ask(server, "POST", "/ledger/count", "{}");
                asked = Some(Instant::now());
            }
            let Some(inbox) = folder(ledger, "INBOX") else { return false };
            inbox["on_server"] == on_server && inbox["waiting"] == 0 && inbox["missing"] == 0
        })
    }
}

fn folder<'a>(ledger: &'a serde_json::Value, name: &str) -> Option<&'a serde_json::Value> {
    ledger["folders"].as_array()?.iter().find(|folder| folder["name"] == name)
}

/// A mail with a number that is found again; its sender is one of many.
fn numbered(number: usize) -> (String, String) {
    let from = format!("c{}@cust.test", number % 97);
    let mail = format!(
        "From: Customer {n} <{from}>\r\nTo: {ADDRESS}\r\nSubject: Question {number}\r\n\
         Message-ID: <{number}.{run}@cust.test>\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\n\r\nThis is mail number-{number:06}.\r\n",
        n = number % 97,
        run = std::process::id(),
    );
    (from, mail)
}

/// Sends these through Postfix until each was accepted, by two senders.
fn send(bed: &Arc<MailBed>, numbers: std::ops::Range<usize>) -> Vec<std::thread::JoinHandle<()>> {
    let next = Arc::new(AtomicUsize::new(numbers.start));
    let sender = || {
        let (bed, next, end) = (Arc::clone(bed), Arc::clone(&next), numbers.end);
        std::thread::spawn(move || {
            loop {
                let number = next.fetch_add(1, Ordering::SeqCst);
                if number >= end {
                    return;
                }
                let (from, mail) = numbered(number);
                bed.send(&from, ADDRESS, &mail).unwrap();
            }
        })
    };
    vec![sender(), sender()]
}

/// Waits until Postfix has handed everything to Dovecot.
fn wait_for_delivery(bed: &MailBed, count: usize) {
    let deadline = Instant::now() + PATIENCE * if full() { 30 } else { 2 };
    while bed.count(ADDRESS, "INBOX").unwrap() < count {
        assert!(Instant::now() < deadline, "Postfix does not deliver:\n{}", bed.logs());
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// How often each number is in an entry.
fn numbers_in_entries(data: &Path) -> BTreeMap<usize, usize> {
    let settings = DbSettings::new(format!("sqlite:{}", data.join("continuo.db").display()));
    let db = Db::open(&settings, Arc::new(SystemClock), Access::Look).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bodies = runtime.block_on(db.read(|tx| {
        const BODIES: &str = "SELECT body FROM entry WHERE kind = 'message' ORDER BY id";
        Ok::<_, store::StoreError>(tx.rows(BODIES, &[])?.iter().map(|row| row.text(0)).collect::<Vec<_>>())
    }));
    let mut found = BTreeMap::new();
    for body in bodies.unwrap() {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let text = body["text"].as_str().unwrap_or_default();
        let number = text.split("number-").nth(1).and_then(|rest| rest.get(..6)).and_then(|digits| digits.parse().ok());
        if let Some(number) = number {
            *found.entry(number).or_insert(0) += 1;
        }
    }
    db.close();
    found
}

#[test]
fn cuts_kills_renumbering_and_a_gap_lose_and_double_nothing() {
    let Some(bed) = bed().map(Arc::new) else { return };
    let (count, cuts, kills) = if full() { (10_000, 200, 20) } else { (240, 8, 2) };
    let began = Instant::now();
    let folder_ = tempfile::tempdir().unwrap();
    let data = folder_.path().join("data");
    let proxy = Arc::new(FaultProxy::start(bed.imap_port).unwrap());
    let mut server = Server::start(&data);
    let office = Office::open(&server, &bed, proxy.port);

    // Half of the mail while connections are cut and the program is killed.
    let mut sent = count / 2;
    let senders = send(&bed, 0..sent);
    let cutting = Arc::new(AtomicBool::new(true));
    let cutter = {
        let (proxy, cutting) = (Arc::clone(&proxy), Arc::clone(&cutting));
        std::thread::spawn(move || {
            while cutting.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(if full() { 700 } else { 400 }));
                proxy.cut();
            }
        })
    };
    let mut killed = 0;
    let mut kill = |server: Server| {
        drop(server);
        killed += 1;
        Server::start(&data)
    };
    while killed_enough(&senders) || proxy.cuts() < cuts / 2 {
        std::thread::sleep(Duration::from_millis(if full() { 4_000 } else { 1_500 }));
        server = kill(server);
        if proxy.cuts() >= cuts / 2 && senders.iter().all(std::thread::JoinHandle::is_finished) {
            break;
        }
    }
    for sender in senders {
        sender.join().unwrap();
    }
    wait_for_delivery(&bed, sent);

    // The server of the mailbox renumbers it, and more comes.
    bed.renumber(ADDRESS, "INBOX").unwrap();
    let next = sent + count / 4;
    let senders = send(&bed, sent..next);
    sent = next;
    while proxy.cuts() < cuts {
        std::thread::sleep(Duration::from_millis(200));
    }
    for sender in senders {
        sender.join().unwrap();
    }
    cutting.store(false, Ordering::SeqCst);
    cutter.join().unwrap();

    // Nobody fetches for a while, and the rest comes.
    drop(server);
    for sender in send(&bed, sent..count) {
        sender.join().unwrap();
    }
    wait_for_delivery(&bed, count);
    let mut server = Server::start(&data);
    let mut killed_more = 0;
    while killed + killed_more < kills {
        std::thread::sleep(Duration::from_millis(1_500));
        drop(server);
        server = Server::start(&data);
        killed_more += 1;
    }
    let ledger = office.until_settled(&server, count);
    let inbox = folder(&ledger, "INBOX").unwrap();
    println!(
        "{count} mails, {} connection cuts, {} kills, 1 renumbering, 1 gap, {:.0} s: {inbox}",
        proxy.cuts(),
        killed + killed_more,
        began.elapsed().as_secs_f64(),
    );
    assert_eq!(ledger["balanced"], true, "{ledger}");
    assert_eq!((&inbox["here"], &inbox["missing"]), (&serde_json::json!(count), &serde_json::json!(0)));
    let found = numbers_in_entries(&data);
    let lost: Vec<usize> = (0..count).filter(|number| !found.contains_key(number)).collect();
    let doubled: Vec<_> = found.iter().filter(|(_, times)| **times != 1).collect();
    println!("lost {}, doubled {}", lost.len(), doubled.len());
    assert!(lost.is_empty() && doubled.is_empty(), "lost {lost:?}, doubled {doubled:?}");
    assert_eq!(server.stop(), Some(0));
}

fn killed_enough(senders: &[std::thread::JoinHandle<()>]) -> bool {
    senders.iter().any(|sender| !sender.is_finished())
}

/// Mail that wants to do harm, each of another kind; repeated with small changes.
fn hostile(number: usize) -> String {
    let head =
        format!("From: Evil {number} <evil{number}@cust.test>\r\nTo: {ADDRESS}\r\nMessage-ID: <evil-{number}@cust.test>\r\n");
    let deep = |depth: usize| {
        let mut mail = String::new();
        for level in 0..depth {
            mail.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"));
        }
        mail
    };
    match number % 10 {
        0 => format!("{head}Subject: deep\r\n{}\r\nend", deep(if number == 0 { 10_000 } else { 1_000 })),
        1 => {
            let megabytes = if number == 1 { 25 } else { 1 };
            let line = "QUFB".repeat(19) + "\r\n";
            let body = line.repeat(megabytes * 1024 * 1024 / line.len());
            format!(
                "{head}Subject: large\r\nContent-Type: application/octet-stream; name=x.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}"
            )
        }
        2 => format!("{head}Subject: {}\r\n\r\nwords", "=?utf-8?B?QUFBQUFBQUFBQUFB?= ".repeat(3_000).replace("= =", "=\r\n =")),
        3 => format!("{head}Subject: folded\r\nReferences: {}\r\n\r\nchain", "<a@b.test>\r\n ".repeat(20_000)),
        4 => format!("{head}Subject: html\r\nContent-Type: text/html\r\n\r\n{}", "<div><b><i><table>".repeat(20_000)),
        5 => format!(
            "{head}Subject: no end\r\nContent-Type: multipart/mixed; boundary=\"x\"\r\n\r\n{}",
            "--x\r\n\r\n".repeat(20_000)
        ),
        6 => format!(
            "{head}Subject: charset\r\nContent-Type: text/plain; charset=\"x-no-such-{number}\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}",
            "=FF=FE=00=C3".repeat(5_000)
        ),
        7 => format!("{head}Subject: many\r\nTo: {}\r\n\r\nreceivers", "a@b.test,\r\n ".repeat(10_000)),
        8 => format!("{head}Subject: quotes\r\n\r\n{}", "> > > > On Monday somebody wrote:\r\n".repeat(20_000)),
        _ => format!(
            "{head}Subject: attached\r\nContent-Type: message/rfc822\r\n\r\n{}",
            "Content-Type: message/rfc822\r\n\r\n".repeat(2_000)
        ),
    }
}

#[test]
fn hostile_mail_never_stands_in_the_way() {
    let Some(bed) = bed().map(Arc::new) else { return };
    let (count, bad) = if full() { (900, 100) } else { (90, 10) };
    let folder_ = tempfile::tempdir().unwrap();
    let data = folder_.path().join("data");
    let server = Server::start(&data);
    let office = Office::open(&server, &bed, bed.imap_port);
    let began = Instant::now();
    let senders = send(&bed, 0..count);
    for number in 0..bad {
        // Straight into the mailbox: what a mail server refuses would be no test of ours.
        bed.deliver(&format!("evil{number}@cust.test"), ADDRESS, &hostile(number)).unwrap();
    }
    for sender in senders {
        sender.join().unwrap();
    }
    wait_for_delivery(&bed, count + bad);
    let ledger = office.until_settled(&server, count + bad);
    let inbox = folder(&ledger, "INBOX").unwrap();
    println!("{count} good and {bad} hostile mails in {:.0} s: {inbox}", began.elapsed().as_secs_f64());
    let found = numbers_in_entries(&data);
    assert_eq!(found.len(), count, "every good mail is an entry");
    assert!(found.values().all(|times| *times == 1));
    let kept = |name: &str| inbox[name].as_i64().unwrap();
    let ignored: i64 = inbox["ignored"].as_object().unwrap().values().filter_map(serde_json::Value::as_i64).sum();
    assert_eq!(kept("here") + kept("quarantined") + ignored, (count + bad) as i64, "each hostile one is stored and listed");
    assert_eq!(server.stop(), Some(0));
}

/// The agent's live socket, read until the server closes it.
struct Socket {
    stream: TcpStream,
    frames: Vec<u8>,
}

impl Socket {
    fn open(server: &Server, office: &Office) -> Self {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let address = &server.address;
        let request = format!(
            "GET /api/v1/live HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
            office.cookie
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        let mut socket = Self { stream, frames: Vec::new() };
        socket.say(br#"{"kind":"hello"}"#);
        socket
    }

    fn say(&mut self, text: &[u8]) {
        // A mask of zeros is a mask.
        let mut frame = vec![0x81, 0x80 | u8::try_from(text.len()).unwrap(), 0, 0, 0, 0];
        frame.extend_from_slice(text);
        self.stream.write_all(&frame).unwrap();
    }

    /// Reads on until these words have come.
    fn wait_for(&mut self, words: &str) {
        // Who says nothing for long is taken for gone.
        self.say(br#"{"kind":"ping"}"#);
        let mut buffer = [0; 64 * 1024];
        loop {
            if self.frames.windows(words.len()).any(|window| window == words.as_bytes()) {
                self.frames.clear();
                return;
            }
            let read = self.stream.read(&mut buffer).unwrap();
            assert!(read > 0, "the socket was closed before {words} came");
            self.frames.extend_from_slice(&buffer[..read]);
        }
    }
}

#[test]
fn new_mail_is_on_the_agents_socket_at_once() {
    let Some(bed) = bed() else { return };
    let (count, limit) = if full() { (200, 1_500) } else { (15, 5_000) };
    let folder_ = tempfile::tempdir().unwrap();
    let data = folder_.path().join("data");
    let server = Server::start(&data);
    let office = Office::open(&server, &bed, bed.imap_port);
    office.until(&server, "the server tells us of new mail", |ledger| ledger["push"] == true);
    let mut socket = Socket::open(&server, &office);
    let mut waits = Vec::new();
    for number in 0..count {
        let (from, mail) = numbered(number);
        bed.send(&from, ADDRESS, &mail).unwrap();
        let accepted = Instant::now();
        socket.wait_for(&format!("number-{number:06}"));
        waits.push(accepted.elapsed().as_millis());
    }
    waits.sort_unstable();
    let at = |share: usize| waits[(waits.len() * share / 100).min(waits.len() - 1)];
    println!("SMTP accepted to agent's socket, {count} mails: p50 {} ms, p95 {} ms, max {} ms", at(50), at(95), at(100));
    assert!(at(95) < limit, "p95 is {} ms", at(95));
    assert_eq!(server.stop(), Some(0));
}
