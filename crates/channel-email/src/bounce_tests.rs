use super::*;
use crate::mime;
use std::path::Path;

fn report(mail: &[u8]) -> Option<MailReport> {
    let parts = mime::read(mail).unwrap();
    let text = parts.iter().filter(|part| part.mime == "text/plain").map(|part| part.text(mail).text).next().unwrap_or_default();
    read(mail, &parts, &text)
}

fn fixture(name: &str) -> MailReport {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mail").join(name);
    report(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .unwrap_or_else(|| panic!("{name} is no report"))
}

fn said(report: &MailReport) -> Vec<(&str, DeliveryState, Option<&str>)> {
    report.recipients.iter().map(|one| (one.address.as_str(), one.state, one.status.as_deref())).collect()
}

#[test]
fn a_bounce_of_postfix_leads_back_to_the_mail() {
    let report = fixture("ours/postfix-dsn-5.1.1.eml");
    assert_eq!(report.kind, ReportKind::Delivery);
    assert_eq!(said(&report), [("nobody@cust.test", DeliveryState::Failed, Some("5.1.1"))]);
    assert_eq!(report.original_id.as_deref(), Some("20261122024623.013696@vm"));
    assert!(report.recipients[0].text.as_ref().unwrap().contains("User doesn't exist"), "{report:?}");
}

#[test]
fn standard_reports_of_the_corpora_are_read() {
    let mikel = "mikel-mail/spec/fixtures/emails/multipart_report_emails";
    let several = fixture(&format!("{mikel}/multi_address_bounce1.eml"));
    assert_eq!(several.recipients.len(), 5);
    assert!(
        several.recipients.iter().all(|one| one.state == DeliveryState::Failed && one.status.as_deref() == Some("5.1.1")),
        "{several:?}"
    );
    let delayed = fixture(&format!("{mikel}/report_422.eml"));
    assert_eq!(said(&delayed), [("fraser@oooooooo.com.au", DeliveryState::Queued, Some("4.2.2"))]);
    assert_eq!(delayed.original_id.as_deref(), Some("15655788.13.1200472642578.JavaMail.Administrator@mail.ttttt.com.au"));
    let refused = fixture(&format!("{mikel}/report_530.eml"));
    assert_eq!(said(&refused), [("edwin@zzzzzzz.com", DeliveryState::Failed, Some("5.3.0"))]);
    assert_eq!(refused.original_id.as_deref(), Some("200712232303.lBNN3jDq002941@mail12.rrrr.com.au"));
    let two = fixture(&format!("{mikel}/multipart_report_multiple_status.eml"));
    assert_eq!(said(&two), [("u@ci.com", DeliveryState::Failed, Some("5.3.0"))]);
    assert_eq!(two.original_id.as_deref(), Some("4c2a146147ac8_61ff157c4ec1652df@s.h.c.mail"));
    let mimekit = "mimekit/UnitTests/TestData/messages";
    for name in ["delivery-status.txt", "delivery-status-no-blank-line.txt"] {
        let report = fixture(&format!("{mimekit}/{name}"));
        assert_eq!(said(&report), [("newsletter-request@imusic.com", DeliveryState::Failed, Some("5.0.0"))], "{name}");
        assert_eq!(report.original_id.as_deref(), Some("31FC7EB4.41C6@netscape.com"), "{name}");
    }
    assert_eq!(
        said(&fixture(&format!("{mimekit}/delivery-status2.txt"))),
        [("source@domain.com", DeliveryState::Failed, Some("5.0.0"))]
    );
    let bounce = fixture(&format!("{mimekit}/bounce.txt"));
    assert!(
        !bounce.recipients.is_empty() && bounce.recipients.iter().all(|one| one.state == DeliveryState::Failed),
        "{bounce:?}"
    );
}

#[test]
fn receipts_and_complaints_are_no_bounces() {
    let receipt = fixture("mimekit/UnitTests/TestData/messages/disposition-notification.txt");
    assert_eq!(receipt.kind, ReportKind::Read);
    assert_eq!(said(&receipt), [("Joe_Recipient@example.com", DeliveryState::Read, None)]);
    assert_eq!(receipt.original_id.as_deref(), Some("199509192301.23456@example.org"));
    let complaint = fixture("mimekit/UnitTests/TestData/messages/feedback-report.txt");
    assert_eq!(complaint.kind, ReportKind::Abuse);
    assert_eq!(said(&complaint), [("user@example.com", DeliveryState::Delivered, None)]);
    assert_eq!(complaint.original_id.as_deref(), Some("8787KJKJ3K4J3K4J3K4J3.mail@example.net"));
}

#[test]
fn servers_without_the_standard_are_understood() {
    let qmail = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.test\nTo: support@shop.test\nSubject: failure notice\n\nHi. This is the qmail-send program at mx.test.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<jo@cust.test>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 No such user\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <support@shop.test>\nReceived: from x\nMessage-ID: <m.1.abc@shop.test>\nX-Continuo-Correlation: out_1\nReferences: <a@x.test> <m.1.abc@shop.test>\nSubject: Order\n\nHello\n";
    let got = report(qmail.as_bytes()).unwrap();
    assert_eq!(said(&got), [("jo@cust.test", DeliveryState::Failed, Some("5.1.1"))]);
    assert_eq!((got.original_id.as_deref(), got.original_correlation.as_deref()), (Some("m.1.abc@shop.test"), Some("out_1")));
    assert_eq!(got.original_references, ["a@x.test"]);

    let exim = "Return-Path: <>\nX-Failed-Recipients: jo@cust.test, ann@cust.test\nFrom: Mail Delivery System <Mailer-Daemon@mx.test>\nSubject: Mail delivery failed: returning message to sender\n\nThis message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  jo@cust.test\n    SMTP error from remote mail server after RCPT TO:<jo@cust.test>:\n    550 5.7.1 blocked\n  ann@cust.test\n    mailbox is full: 452 4.2.2 over quota\n\n------ This is a copy of the message, including all the headers. ------\n\nMessage-Id: <m.2.abc@shop.test>\nSubject: Order\n\nHello\n";
    let got = report(exim.as_bytes()).unwrap();
    assert_eq!(
        said(&got),
        [("jo@cust.test", DeliveryState::Failed, Some("5.7.1")), ("ann@cust.test", DeliveryState::Failed, Some("4.2.2"))]
    );
    assert_eq!(got.original_id.as_deref(), Some("m.2.abc@shop.test"));

    let exchange = "From: Microsoft Outlook <postmaster@shop.test>\nSubject: Undeliverable: Order\nIn-Reply-To: <m.3.abc@shop.test>\n\nDelivery has failed to these recipients or groups:\n\nJo Doe (jo@cust.test)<mailto:jo@cust.test>\nThe email address you entered couldn't be found.\n\nDiagnostic information for administrators:\n\nGenerating server: MX.cust.test\n\njo@cust.test\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found'\n\nOriginal message headers:\n\nReceived: from x\nMessage-ID: <m.3.abc@shop.test>\n";
    let got = report(exchange.as_bytes()).unwrap();
    assert_eq!(said(&got), [("jo@cust.test", DeliveryState::Failed, Some("5.1.10"))]);
    assert_eq!(got.original_id.as_deref(), Some("m.3.abc@shop.test"));

    let late = "From: MAILER-DAEMON@mx.test\nSubject: Warning: message delayed\n\nYour message to the following recipients has been delayed:\n\n<jo@cust.test>: connection refused\n\nIt will be retried for three days.\n";
    assert_eq!(said(&report(late.as_bytes()).unwrap()), [("jo@cust.test", DeliveryState::Queued, Some("4.0.0"))]);
}

#[test]
fn mail_of_people_is_no_report() {
    for mail in [
        "From: jo@cust.test\nSubject: failure\n\nMy order could not be delivered:\n\n<ann@cust.test>: it failed\n",
        "From: jo@cust.test\nSubject: Undeliverable\n\nHello\n",
        "From: postmaster@cust.test\nSubject: Question\n\nHello, can you help?\n",
        "Auto-Submitted: auto-replied\nReturn-Path: <>\nFrom: jo@cust.test\nSubject: Out of office\n\nI am away. Write to <ann@cust.test>: she is in. Delivery failed.\n",
    ] {
        assert_eq!(report(mail.as_bytes()), None, "{mail}");
    }
}

#[test]
fn actions_and_statuses_become_states() {
    let one = |action: &str, status: &str| {
        let block =
            format!("Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; jo@cust.test\nAction: {action}\nStatus: {status}\n");
        statuses_of(&block).into_iter().next().map(|one| one.state)
    };
    assert_eq!(one("failed", "5.2.1"), Some(DeliveryState::Failed));
    // Tried for days, then given up.
    assert_eq!(one("failed", "4.4.1"), Some(DeliveryState::Failed));
    assert_eq!(one("delayed", "4.4.1"), Some(DeliveryState::Queued));
    assert_eq!(one("delivered", "2.1.5"), Some(DeliveryState::Delivered));
    assert_eq!(one("relayed", "2.1.5"), Some(DeliveryState::Sent));
    assert_eq!(one("", "5.0.0"), Some(DeliveryState::Failed));
    assert_eq!(one("strange", "4.0.0"), Some(DeliveryState::Queued));
    // An unknown status is no news.
    assert_eq!(one("strange", "what"), None);
    assert_eq!(status_in("smtp; 550-5.7.26 not authenticated"), Some("5.7.26".into()));
    assert_eq!(status_in("550 no"), Some("5.0.0".into()));
    assert_eq!(status_in("on 192.0.2.1 at 12:00"), None);
}

#[test]
fn no_mutation_of_a_report_panics() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mail/ours/postfix-dsn-5.1.1.eml");
    let base = std::fs::read(path).unwrap();
    let mut seed = 0x1234_5678_9abc_def1_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for _ in 0..1_500 {
        let mut mail = base.clone();
        for _ in 0..1 + next(20) {
            let at = next(mail.len());
            match next(4) {
                0 => mail[at] = (next(256)) as u8,
                1 => drop(mail.remove(at)),
                2 => mail.insert(at, b"\n<>:;@5."[next(8)]),
                _ => mail.truncate(at.max(200)),
            }
        }
        if let Some(report) = report(&mail) {
            assert!(!report.recipients.is_empty() && report.recipients.iter().all(|one| one.address.contains('@')));
        }
    }
}
