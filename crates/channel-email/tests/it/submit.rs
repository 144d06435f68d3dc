//! Handing mail in: what every phase that fails means, that nothing is ever doubled, and what is found afterwards.

use crate::mailbed::{BedOptions, Fault, FaultProxy, MailBed};
use crate::support::*;
use channel::{Accepted, FailureClass, InboxSettings, Reconcile, Reconciled, SendError, WireRequest};
use channel_email::wire::{Times, Wire};
use std::time::Duration;

const US: &str = "support@shop.test";
const ALICE: &str = "alice@cust.test";

fn request(to: &[&str], id: &str) -> WireRequest {
    let mut headers = vec![("mail-from".to_owned(), US.to_owned()), ("message-id".to_owned(), format!("{id}@shop.test"))];
    headers.extend(to.iter().map(|address| ("rcpt-to".to_owned(), (*address).to_owned())));
    let body = format!(
        "From: Shop <{US}>\r\nTo: {}\r\nSubject: answer {id}\r\nMessage-ID: <{id}@shop.test>\r\nDate: Thu, 1 Oct 2026 12:00:00 +0000\r\n\r\n.a line with a dot\r\n..and two\r\n.\r\nend\r\n",
        to.join(", ")
    );
    WireRequest { parts: 1, method: "MAIL".to_owned(), headers, body: body.into_bytes(), ..WireRequest::default() }
}

fn through(bed: &MailBed, tls: &str) -> (FaultProxy, InboxSettings) {
    let proxy = FaultProxy::start(bed.submission_port).unwrap();
    let mut settings = bed.settings(US);
    settings["smtp"] = serde_json::json!({"host": "127.0.0.1", "port": proxy.port, "tls": tls});
    (proxy, inbox(settings))
}

/// Waits until Postfix has filed so many mails for Alice.
async fn arrived(bed: &MailBed, account: &str, folder: &str, count: usize) {
    let waiting = async {
        while bed.count(account, folder).unwrap() < count {
            let _a_moment = tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>()).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), waiting).await.is_ok(), "{}", bed.logs());
}

#[tokio::test]
async fn a_mail_goes_out_whole_and_its_copy_lies_in_sent_once() {
    let bed = bed();
    let (wire, inbox) = (wire(quick()), inbox(bed.settings(US)));
    let taken = wire.submit(&inbox, &request(&[ALICE, "bob@cust.test"], "m1")).await.unwrap();
    assert_eq!(taken, Accepted::by_id("m1@shop.test"));
    arrived(&bed, ALICE, "INBOX", 1).await;
    arrived(&bed, "bob@cust.test", "INBOX", 1).await;
    let text = bed.doveadm(&["fetch", "-u", ALICE, "body", "mailbox", "INBOX", "all"]).unwrap();
    assert!(text.replace('\r', "").contains(".a line with a dot\n..and two\n.\nend\n"), "{text}");
    assert_eq!(bed.count(US, "Sent").unwrap(), 1);
}

#[tokio::test]
async fn no_copy_is_made_where_the_provider_files_one() {
    let options = BedOptions { files_sent_copies: true, ..BedOptions::default() };
    let bed = MailBed::start_with(&options).unwrap();
    let mut settings = bed.settings(US);
    settings["keeps_sent_copies"] = true.into();
    let wire = wire(quick());
    wire.submit(&inbox(settings), &request(&[ALICE], "m1")).await.unwrap();
    arrived(&bed, ALICE, "INBOX", 1).await;
    arrived(&bed, US, "Sent", 1).await;
    assert_eq!(bed.count(US, "Sent").unwrap(), 1);
}

// C26: the phases of one mail, cut at each.
#[tokio::test]
async fn c26_whatever_fails_before_the_final_dot_is_tried_again_and_was_not_taken() {
    let bed = bed();
    let (proxy, inbox) = through(&bed, "none");
    let wire = wire(Times { command: Duration::from_secs(3), ..quick() });
    let faults = [
        Fault::Refuse,
        Fault::CutBefore("EHLO"),
        Fault::CutBefore("AUTH"),
        Fault::CutBefore("MAIL FROM"),
        Fault::CutAnswerTo("MAIL FROM"),
        Fault::CutBefore("RCPT TO"),
        Fault::CutAnswerTo("RCPT TO"),
        Fault::CutBefore("DATA"),
        Fault::CutAnswerTo("DATA"),
    ];
    for fault in faults {
        proxy.set(fault);
        let ended = wire.submit(&inbox, &request(&[ALICE], "m1")).await;
        assert!(matches!(ended, Err(SendError::RetryAt(_))), "{fault:?}: {ended:?}");
    }
    // In the middle of a large body: the dot never left.
    let mut large = request(&[ALICE], "m1");
    large.body.extend(b"0123456789 0123456789 0123456789\r\n".repeat(200_000));
    proxy.set(Fault::CutAfterClientBytes(300_000));
    let ended = wire.submit(&inbox, &large).await;
    assert!(matches!(ended, Err(SendError::RetryAt(_))), "{ended:?}");
    proxy.set(Fault::None);
    wire.submit(&inbox, &request(&[ALICE], "m2")).await.unwrap();
    arrived(&bed, ALICE, "INBOX", 1).await;
    let subjects = bed.doveadm(&["fetch", "-u", ALICE, "hdr.subject", "mailbox", "INBOX", "all"]).unwrap();
    assert_eq!(subjects.matches("answer m").count(), 1, "{subjects}");
    assert!(subjects.contains("answer m2"));
}

#[tokio::test]
async fn c26_a_lost_answer_after_the_final_dot_is_uncertain_and_is_found_later() {
    let bed = bed();
    let (proxy, inbox) = through(&bed, "none");
    let wire = wire(quick());
    proxy.set(Fault::CutAfterDot);
    let (mail, to_us) = (request(&[ALICE], "m1"), request(&[US], "m2"));
    assert_eq!(wire.submit(&inbox, &mail).await, Err(SendError::Uncertain));
    // The server took it: the customer has it, and no copy of ours was made, so nothing can be said for sure.
    arrived(&bed, ALICE, "INBOX", 1).await;
    assert_eq!(wire.find(&inbox, &mail).await, None);
    // A provider that files copies has it in Sent; so has the person who looks.
    bed.save(US, "Sent", &String::from_utf8(mail.body.clone()).unwrap()).unwrap();
    assert_eq!(wire.find(&inbox, &mail).await, Some(Reconciled::Taken(Accepted::by_id("m1@shop.test"))));
    // A mail to ourselves comes back.
    assert_eq!(wire.submit(&inbox, &to_us).await, Err(SendError::Uncertain));
    arrived(&bed, US, "INBOX", 1).await;
    assert_eq!(wire.find(&inbox, &to_us).await, Some(Reconciled::Taken(Accepted::by_id("m2@shop.test"))));
    assert_eq!(wire.find(&inbox, &request(&[ALICE], "never")).await, None);
}

#[tokio::test]
async fn a_server_that_stalls_after_the_dot_is_uncertain_and_before_it_is_not() {
    let bed = bed();
    let (proxy, inbox) = through(&bed, "none");
    let wire = wire(Times {
        command: Duration::from_secs(2),
        final_reply: Duration::from_secs(1),
        silence: Duration::from_secs(1),
        ..quick()
    });
    for fault in ["EHLO", "AUTH", "MAIL FROM", "RCPT TO", "DATA"].map(Fault::StallBefore) {
        proxy.set(fault);
        let ended = wire.submit(&inbox, &request(&[ALICE], "m1")).await;
        assert!(matches!(ended, Err(SendError::RetryAt(_))), "{fault:?}: {ended:?}");
    }
    proxy.set(Fault::StallAfterDot);
    assert_eq!(wire.submit(&inbox, &request(&[ALICE], "m2")).await, Err(SendError::Uncertain));
    arrived(&bed, ALICE, "INBOX", 1).await;
}

#[tokio::test]
async fn refusals_say_what_they_are_and_nothing_goes_out_by_halves() {
    let bed = bed();
    let (wire, inbox_good) = (wire(quick()), inbox(bed.settings(US)));
    // Outside the test domains Postfix refuses the receiver.
    let ended = wire.submit(&inbox_good, &request(&[ALICE, "x@nowhere.invalid"], "m1")).await;
    let Err(SendError::Refused { class, code, text }) = ended else { panic!("{ended:?}\n{}", bed.logs()) };
    assert_eq!((class, code.as_str()), (FailureClass::Address, "5.1.2"));
    assert!(text.starts_with("x@nowhere.invalid: "), "{text}");
    assert_eq!(bed.count(ALICE, "INBOX").unwrap(), 0, "the good receiver has not got half a conversation");
    // Wrong password.
    let wrong = inbox_with(bed.settings(US), secrets(&[("password", "wrong")]));
    assert_eq!(wire.submit(&wrong, &request(&[ALICE], "m1")).await, Err(SendError::SignInAgain));
    // A password of its own for sending wins.
    let own = inbox_with(bed.settings(US), secrets(&[("password", "wrong"), ("smtp_password", "secret")]));
    wire.submit(&own, &request(&[ALICE], "m2")).await.unwrap();
    // Too large for the inbox, too large for the server.
    let mut settings = bed.settings(US);
    settings["message_bytes_max"] = 70_000.into();
    let mut large = request(&[ALICE], "m3");
    large.body.extend(b"0123456789\r\n".repeat(10_000));
    let ended = wire.submit(&inbox(settings), &large).await;
    assert!(matches!(&ended, Err(SendError::Refused { code, .. }) if code == "552"), "{ended:?}");
    // No server, no receiver, an address that would end its line.
    let mut settings = bed.settings(US);
    settings["smtp"] = serde_json::Value::Null;
    assert!(matches!(wire.submit(&inbox(settings), &request(&[ALICE], "m4")).await, Err(SendError::Refused { .. })));
    assert!(matches!(wire.submit(&inbox_good, &request(&[], "m4")).await, Err(SendError::Refused { .. })));
    let ended = wire.submit(&inbox_good, &request(&["a@b.test>\r\nRCPT TO:<bob@cust.test"], "m4")).await;
    assert!(matches!(&ended, Err(SendError::Refused { class: FailureClass::Address, .. })), "{ended:?}");
    assert_eq!(bed.count("bob@cust.test", "INBOX").unwrap(), 0);
}

#[tokio::test]
async fn an_unknown_receiver_comes_back_as_a_real_bounce() {
    let bed = bed();
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings(US)), Store::default());
    pull_until(&wire, &inbox, &store, "connected", |store| !store.news().is_empty()).await.unwrap();
    // Postfix takes it, Dovecot knows nobody of this name.
    wire.submit(&inbox, &request(&["nobody@cust.test"], "m1")).await.unwrap();
    pull_until(&wire, &inbox, &store, "the bounce", |store| {
        store.events().iter().any(|event| event.lane.starts_with("mailer-daemon"))
    })
    .await
    .unwrap();
    let events = store.events();
    let bounce = events.iter().find(|event| event.lane.starts_with("mailer-daemon")).unwrap();
    let text = String::from_utf8_lossy(&bounce.body);
    for part in [
        "multipart/report",
        "Return-Path: <>",
        "Auto-Submitted: auto-replied",
        "Final-Recipient: rfc822; nobody@cust.test",
        "Status: 5.1.1",
        "Message-ID: <m1@shop.test>",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[tokio::test]
async fn tls_is_demanded_and_its_failures_are_tried_again() {
    let bed = bed();
    let wire: Wire = wire(quick());
    for (port, tls) in [(bed.submission_port, "implicit"), (bed.imaps_port, "starttls")] {
        let mut settings = bed.settings(US);
        settings["smtp"] = serde_json::json!({"host": "127.0.0.1", "port": port, "tls": tls});
        let short = crate::support::wire(Times { connect: Duration::from_secs(2), command: Duration::from_secs(2), ..quick() });
        let ended = short.submit(&inbox(settings), &request(&[ALICE], "m1")).await;
        assert!(matches!(ended, Err(SendError::RetryAt(_))), "{tls}: {ended:?}");
    }
    let mut settings = bed.settings(US);
    settings.as_object_mut().unwrap().remove("trusted_ca");
    let ended = wire.submit(&inbox(settings), &request(&[ALICE], "m1")).await;
    assert!(matches!(ended, Err(SendError::RetryAt(_))), "{ended:?}");
    assert_eq!(bed.count(ALICE, "INBOX").unwrap(), 0);
}
