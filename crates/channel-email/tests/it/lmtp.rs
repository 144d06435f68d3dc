//! The LMTP door: driven by swaks and by Postfix, and by peers that mean harm.

use crate::mailbed::{BedOptions, MailBed};
use crate::support::*;
use channel::{Door, Fut, RawEvent, SinkError};
use model::InboxId;
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Knows support (inbox 1) and sales (inbox 2) of in.test, with plus parts; keeps what it gets under its key.
#[derive(Default)]
struct Hall {
    kept: Mutex<Vec<(InboxId, RawEvent)>>,
    repeats: Mutex<usize>,
    refuse: Mutex<Vec<SinkError>>,
    unsure: Mutex<bool>,
    changed: tokio::sync::Notify,
}

impl Hall {
    fn kept(&self) -> Vec<(InboxId, RawEvent)> {
        self.kept.lock().unwrap().clone()
    }
    async fn until(&self, count: usize) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                if self.kept().len() >= count {
                    return;
                }
                changed.await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(40), waiting).await.is_ok(), "never {count} mails");
    }
}

impl Door for Hall {
    fn inbox_of<'a>(&'a self, address: &'a str) -> Fut<'a, Result<Option<InboxId>, SinkError>> {
        Box::pin(async move {
            if *self.unsure.lock().unwrap() {
                return Err(SinkError::Busy);
            }
            let local = address.strip_suffix("@in.test").unwrap_or_default();
            Ok(match local.split('+').next() {
                Some("support") => Some(InboxId(1)),
                Some("sales") => Some(InboxId(2)),
                _ => None,
            })
        })
    }
    fn accept<'a>(&'a self, inbox: InboxId, events: Vec<RawEvent>) -> Fut<'a, Result<(), SinkError>> {
        Box::pin(async move {
            let mut refuse = self.refuse.lock().unwrap();
            if !refuse.is_empty() {
                return Err(refuse.remove(0));
            }
            drop(refuse);
            let mut kept = self.kept.lock().unwrap();
            for event in events {
                if kept.iter().any(|(of, have)| *of == inbox && have.dedupe_key == event.dedupe_key) {
                    *self.repeats.lock().unwrap() += 1;
                } else {
                    kept.push((inbox, event));
                }
            }
            drop(kept);
            self.changed.notify_waiters();
            Ok(())
        })
    }
}

/// Runs a story with the door open.
async fn open<T>(hall: &Hall, story: impl AsyncFnOnce(u16) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let wire = wire(quick());
    tokio::select! {
        ended = wire.listen_on(listener, hall) => panic!("{ended:?}"),
        told = story(port) => told,
    }
}

async fn swaks(port: u16, to: &str, more: &[&str]) -> (i32, String) {
    let mut command = Command::new("swaks");
    command
        .args([
            "--protocol",
            "LMTP",
            "--server",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--from",
            "alice@cust.test",
            "--to",
            to,
        ])
        .args(more);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

/// Says lines and gives all that was answered until the peer hangs up or falls silent.
async fn say_all(port: u16, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let _peer_may_hang_up = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _silence_is_fine = tokio::time::timeout(Duration::from_secs(8), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn swaks_delivers_and_each_receiver_gets_an_answer() {
    let hall = Hall::default();
    let (code, text) = open(&hall, async |port| {
        swaks(
            port,
            "support+cabc@in.test,nobody@in.test,sales@in.test,support@in.test",
            &["--header", "Subject: by swaks", "--body", ".dot\n..two\nend"],
        )
        .await
    })
    .await;
    assert_eq!(code, 0, "{text}");
    assert_eq!(text.matches("<** 550 5.1.1").count(), 1, "{text}");
    assert_eq!(text.matches("<-  250 2.0.0 stored").count(), 3, "{text}");
    let kept = hall.kept();
    assert_eq!(kept.iter().map(|(inbox, _)| inbox.0).collect::<Vec<_>>(), [1, 2], "one event per inbox");
    let (_, event) = &kept[0];
    assert_eq!((subject(&event.body).as_str(), event.lane.as_str()), ("by swaks", "alice@cust.test"));
    let to: Vec<&str> =
        event.headers.iter().filter(|(name, _)| name == "continuo-envelope-to").map(|(_, value)| value.as_str()).collect();
    assert_eq!(to, ["support+cabc@in.test", "support@in.test"]);
    assert_eq!(event.header("continuo-envelope-from"), Some("alice@cust.test"));
    assert!(
        event.body.ends_with(b".dot\r\n..two\r\nend\r\n\r\n\r\n")
            || String::from_utf8_lossy(&event.body).contains("\r\n.dot\r\n..two\r\nend\r\n")
    );
}

#[tokio::test]
async fn a_full_disk_or_a_busy_store_keeps_the_mail_at_the_server_which_comes_again() {
    let hall = Hall::default();
    *hall.refuse.lock().unwrap() = vec![SinkError::Busy, SinkError::Closed("no space left on device".to_owned())];
    open(&hall, async |port| {
        let options = BedOptions { lmtp_domains: BTreeMap::from([("in.test".to_owned(), port)]), ..BedOptions::default() };
        let bed = tokio::task::spawn_blocking(move || MailBed::start_with(&options).unwrap()).await.unwrap();
        let bed = tokio::task::spawn_blocking(move || {
            bed.send("alice@cust.test", "support+cxyz@in.test", &mail("alice@cust.test", "through postfix", "x")).unwrap();
            bed
        })
        .await
        .unwrap();
        let coming_again = async {
            while tokio::time::timeout(Duration::from_secs(2), hall.until(1)).await.is_err() {
                bed.flush();
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), coming_again).await.is_ok(), "{}", bed.logs());
        let logs = bed.logs();
        assert_eq!(logs.matches("said: 451 4.3.0").count(), 2, "{logs}");
        tokio::task::spawn_blocking(move || drop(bed)).await.unwrap();
    })
    .await;
    let (_, event) = hall.kept().remove(0);
    assert_eq!(subject(&event.body), "through postfix");
    assert_eq!(event.header("continuo-envelope-to"), Some("support+cxyz@in.test"));
    assert_eq!(event.header("continuo-client-ip"), Some("127.0.0.1"), "Postfix says who handed it in, so that SPF can be judged");
    assert_eq!(event.header("continuo-client-helo"), Some("outside.test"));
}

#[tokio::test]
async fn a_mail_that_comes_again_after_a_lost_answer_is_one_mail() {
    let hall = Hall::default();
    let dialogue = b"LHLO mx\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<support@in.test>\r\nDATA\r\nFrom: a@b.test\r\nSubject: once\r\n\r\nx\r\n.\r\nQUIT\r\n";
    open(&hall, async |port| {
        // The first time the peer is gone before it hears the answer.
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(&dialogue[..dialogue.len() - 6]).await.unwrap();
        hall.until(1).await;
        drop(stream);
        let answer = say_all(port, dialogue).await;
        assert!(answer.contains("250 2.0.0 stored") && answer.ends_with("221 2.0.0 bye\r\n"), "{answer}");
    })
    .await;
    assert_eq!((hall.kept().len(), *hall.repeats.lock().unwrap()), (1, 1));
}

#[tokio::test]
async fn hostile_peers_get_clear_answers_and_harm_nobody() {
    let hall = Hall::default();
    open(&hall, async |port| {
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (b"EHLO mx\r\nQUIT\r\n".to_vec(), "500 5.5.1 this is LMTP"),
            (b"MAIL FROM:<a@b.test>\r\nQUIT\r\n".to_vec(), "503 5.5.1 say LHLO first"),
            (b"LHLO mx\r\nDATA\r\nQUIT\r\n".to_vec(), "503 5.5.1 say MAIL and RCPT first"),
            (b"LHLO mx\r\nMAIL FROM:<a@b.test>\r\nDATA\r\nQUIT\r\n".to_vec(), "503 5.5.1 no valid receiver"),
            (b"LHLO mx\r\nMAIL FROM:<a@b.test>\r\nMAIL FROM:<a@b.test>\r\nQUIT\r\n".to_vec(), "503 5.5.1 one mail at a time"),
            (b"LHLO mx\r\nMAIL FROM:<a@b.test> SIZE=99999999999\r\nQUIT\r\n".to_vec(), "552 5.3.4 the mail is too large"),
            (b"LHLO mx\r\nRCPT TO:<support@in.test>\r\nQUIT\r\n".to_vec(), "503 5.5.1 say MAIL first"),
            ([b"NOOP ".to_vec(), b"x".repeat(100_000), b"\r\nQUIT\r\n".to_vec()].concat(), "500 5.5.6 the line is too long"),
            (b"\x00\x01\xff\r\nQUIT\r\n".to_vec(), "501 5.5.4"),
            (b"FOO\r\n".repeat(50), "421 4.7.0 too many mistakes"),
        ];
        for (bytes, want) in cases {
            let answer = say_all(port, &bytes).await;
            assert!(answer.contains(want), "{want}: {answer}");
        }
        // Too many receivers: refused for now, the first thousand stand.
        let mut many = b"LHLO mx\r\nMAIL FROM:<a@b.test>\r\n".to_vec();
        many.extend((0..1_005).flat_map(|n| format!("RCPT TO:<support+{n}@in.test>\r\n").into_bytes()));
        many.extend(b"RSET\r\nQUIT\r\n");
        let answer = say_all(port, &many).await;
        assert_eq!((answer.matches("250 2.1.5").count(), answer.matches("452 4.5.3").count()), (1_000, 5));
        // More than a mail may have: read to its end, thrown away, and the next one is served on the same connection.
        let mut large = b"LHLO mx\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<support@in.test>\r\nDATA\r\n".to_vec();
        large.extend(b"0123456789012345678901234567890123456789012345678901234567890123456789\r\n".repeat(740_000));
        large.extend(
            b".\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<support@in.test>\r\nDATA\r\nSubject: small\r\n\r\nx\r\n.\r\nQUIT\r\n",
        );
        let answer = say_all(port, &large).await;
        assert!(answer.contains("552 5.3.4") && answer.contains("250 2.0.0 stored"), "{answer}");
        // A hundred who say nothing do not keep the door shut for ever.
        let silent: Vec<TcpStream> = futures_util::future::join_all((0..100).map(|_| TcpStream::connect(("127.0.0.1", port))))
            .await
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(silent.len(), 100);
        hall.until(1).await;
        let served = async {
            loop {
                let answer = say_all(port, b"LHLO mx\r\nQUIT\r\n").await;
                if answer.contains("221") {
                    return;
                }
                assert!(answer.is_empty() || answer.starts_with("421 4.3.2"), "{answer}");
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(30), served).await.is_ok());
    })
    .await;
    assert_eq!(hall.kept().len(), 1);
    assert_eq!(subject(&hall.kept()[0].1.body), "small");
}

#[tokio::test]
async fn a_door_that_cannot_tell_whose_address_it_is_bounces_nothing() {
    let hall = Hall::default();
    *hall.unsure.lock().unwrap() = true;
    let answer =
        open(&hall, async |port| say_all(port, b"LHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<support@in.test>\r\nQUIT\r\n").await).await;
    assert!(answer.contains("451 4.3.0") && !answer.contains("550"), "{answer}");
}
