use super::*;
use channel::{NoSecrets, SenderTrust};
use model::InboxId;
use serde_json::json;

fn inbox() -> InboxSettings {
    InboxSettings {
        id: InboxId(1),
        channel: model::Channel::Email,
        name: "Support".into(),
        settings: json!({"address": "support@shop.test", "aliases": ["Help@shop.test"]}),
        secrets: Arc::new(NoSecrets),
    }
}

fn raw(mail: &str, headers: &[(&str, &str)]) -> RawEvent {
    RawEvent {
        dedupe_key: "INBOX/1/1".into(),
        lane: String::new(),
        body: mail.as_bytes().to_vec(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        received_at: Timestamp(1_000),
        evidence: None,
    }
}

fn message(mail: &str) -> InboundMessage {
    match events(&inbox(), &raw(mail, &[])).unwrap().remove(0) {
        InboundEvent::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

const LETTER: &str = "From: Ada <ada@cust.test>\r\nTo: support+cabc@shop.test\r\nCc: Ben <ben@cust.test>\r\nSubject: Re: Order 5\r\nDate: Sun, 1 Mar 2026 10:00:00 +0100\r\nMessage-ID: <2@cust.test>\r\nIn-Reply-To: <1@shop.test>\r\n\r\nIt fits, thank you!\r\n\r\nOn Sat, 28 Feb 2026 at 09:00, Shop <support@shop.test> wrote:\r\n> Does it fit?\r\n";

#[test]
fn a_letter_becomes_one_message() {
    let message = message(LETTER);
    assert_eq!(message.provider_id, "2@cust.test");
    assert_eq!(message.reply_to, ["1@shop.test"]);
    assert_eq!(message.tokens, ["cabc"]);
    let ada = &message.from[0];
    assert_eq!(
        (ada.value.as_str(), ada.name.as_deref(), ada.proof_level, ada.disproved),
        ("ada@cust.test", Some("Ada"), 1, false)
    );
    assert_eq!(message.cc[0].value, "ben@cust.test");
    assert_eq!(message.subject.as_deref(), Some("Re: Order 5"));
    assert_eq!(message.sent_at, Timestamp::parse("2026-03-01T09:00:00Z"));
    assert!(message.text.starts_with("It fits, thank you!\n"));
    let folded: Vec<&str> = message.spans.iter().map(|span| &message.text[span.from..span.to]).collect();
    assert!(folded.concat().contains("Does it fit?") && !folded.concat().contains("thank you"), "{folded:?}");
    let mail = message.mail.unwrap();
    assert_eq!((mail.topic.as_str(), mail.trust), ("order 5", SenderTrust::Unverified));
}

#[test]
fn c18_two_senders_are_disproved_and_warned_of() {
    let message = message("From: real@bank.test\nFrom: evil@x.test\nSubject: one\nSubject: two\n\nhi");
    assert_eq!(message.subject.as_deref(), Some("one"));
    assert_eq!(
        (message.from[0].value.as_str(), message.from[0].proof_level, message.from[0].disproved),
        ("real@bank.test", 0, true)
    );
    assert_eq!(message.warnings[0].code, "several_senders");
    assert!(message.mail.unwrap().message_id.is_none());
}

#[test]
fn without_an_address_there_is_no_contact_point_and_no_error() {
    let first = message("From: Undisclosed Sender\nMessage-ID: <>\n\nhi");
    assert!(first.from.is_empty());
    assert!(first.provider_id.starts_with("sha256:") && first.provider_id.ends_with("@none.invalid"));
    assert_ne!(first.provider_id, message("From: Undisclosed Sender\nMessage-ID: <>\n\nho").provider_id);
}

#[test]
fn what_lies_in_sent_is_ours_and_in_junk_is_junk() {
    let letter = "From: support@shop.test\nTo: ada@cust.test, HELP@shop.test\nMessage-ID: <m@shop.test>\n\nhi";
    let event = raw(letter, &[(FOLDER_ROLE, "sent"), (HISTORY, "1")]);
    let InboundEvent::Echo(echo) = events(&inbox(), &event).unwrap().remove(0) else { panic!() };
    assert_eq!((echo.to.len(), echo.to[0].value.as_str(), echo.history), (1, "ada@cust.test", true));
    let InboundEvent::Message(junk) = events(&inbox(), &raw(LETTER, &[(FOLDER_ROLE, "junk")])).unwrap().remove(0) else {
        panic!()
    };
    assert!(junk.junk && !junk.history);
}

#[test]
fn our_own_probe_is_nobodys_message() {
    let probe = "From: Support@shop.test\nX-Continuo-Probe: 1\n\n";
    assert_eq!(events(&inbox(), &raw(probe, &[])), Ok(vec![]));
    let forged = "From: evil@x.test\nX-Continuo-Probe: 1\n\nhi";
    assert_eq!(events(&inbox(), &raw(forged, &[])).unwrap().len(), 1);
}

#[test]
fn what_cannot_be_read_says_why() {
    let reason = |mail: &str, headers: &[(&str, &str)]| events(&inbox(), &raw(mail, headers)).unwrap_err().reason;
    assert_eq!(reason("", &[]), "empty");
    assert_eq!(reason("\u{1}\u{2}garbage", &[]), "not_a_mail");
    assert_eq!(reason("", &[(fetch::UNREADABLE, "NO gone")]), "unreadable");
    let deep: String = (0..10_000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n")).collect();
    assert_eq!(reason(&deep, &[]), "nested_too_deep");
}

#[test]
fn a_mail_kept_on_the_server_says_so() {
    let event = raw(
        "From: ada@cust.test\nSubject: big\nContent-Type: multipart/mixed; boundary=x\n\n",
        &[(fetch::TOO_LARGE, "99999999")],
    );
    let InboundEvent::Message(message) = events(&inbox(), &event).unwrap().remove(0) else { panic!() };
    assert_eq!(message.warnings[0].code, "kept_on_server");
}

#[test]
fn a_shown_picture_has_an_id_and_a_listed_one_has_none() {
    let mail = "From: a@b.test\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\n\n<img src=\"cid:one@x\">\n--x\nContent-Type: image/png\nContent-ID: <one@x>\n\n1\n--x\nContent-Type: image/png\nContent-ID: <two@x>\n\n2\n--x--\n";
    let message = message(mail);
    let ids: Vec<Option<&str>> = message
        .parts
        .iter()
        .map(|part| match part {
            Part::Enclosed(file) => file.content_id.as_deref(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [Some("one@x"), None]);
    let Part::Enclosed(file) = &message.parts[1] else { panic!() };
    assert_eq!(content::open(mail.as_bytes(), &file.reference).unwrap().as_ref(), b"2");
}
