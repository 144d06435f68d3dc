use super::*;
use channel::{Contents, NoSecrets, OutboundMail, Quote, SecretError, SecretText, Secrets, Signature};
use model::{AttachmentId, ConversationId, EntryId, InboxId, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

const NOW: Timestamp = Timestamp(1_795_334_400_000);

fn inbox(settings: Json) -> InboxSettings {
    InboxSettings {
        id: InboxId(1),
        channel: model::Channel::Email,
        name: "Support".into(),
        settings,
        secrets: Arc::new(NoSecrets),
    }
}

fn shop() -> InboxSettings {
    inbox(json!({"address": "support@shop.test", "display_name": "Ärmel & Söhne", "plus_addressing": true}))
}

fn person(name: &str, address: &str) -> Recipient {
    let name = Some(name.to_owned()).filter(|name| !name.is_empty());
    Recipient { kind: ContactPointKind::Email, scope: String::new(), value: address.into(), name }
}

fn answer(text: &str) -> Outbound {
    Outbound {
        entry: EntryId(5),
        conversation: ConversationId(4),
        to: person("Ada Novák", "ada@cust.test"),
        cc: vec![],
        external_conversation: None,
        author: AuthorKind::Agent,
        author_name: Some("Lea Winter".into()),
        subject: Some("Re: Charged twice".into()),
        text: text.into(),
        html: None,
        files: vec![],
        reply_to: vec![],
        template: None,
        mail: OutboundMail::default(),
    }
}

fn context(inbox: InboxSettings) -> SendContext {
    SendContext {
        inbox: Arc::new(inbox),
        now: NOW,
        last_inbound_at: None,
        correlation: "out_0cn99439p060h".into(),
        message_id: Some("m.0cn99439p060h.aaaaaaaaaaaaaaaa@shop.test".into()),
        reply_address: Some("support+c0cn99439p060h0123456789abcdef@shop.test".into()),
        token: None,
        contents: Contents::default(),
    }
}

fn rendered(outbound: &Outbound, context: &SendContext) -> WireRequest {
    render(outbound, context).expect("it renders").remove(0)
}

/// What CPython's parser reads.
fn read_back(mime: &[u8]) -> Json {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/render/read.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there: it is the independent reader of these tests");
    python.stdin.take().unwrap().write_all(mime).unwrap();
    let done = python.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(mime));
    let read: Json = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(read["defects"], json!([]), "{}", String::from_utf8_lossy(mime));
    read
}

fn header<'a>(read: &'a Json, name: &str) -> Option<&'a str> {
    let all = read["headers"].as_array().unwrap();
    all.iter().find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name)).map(|pair| pair[1].as_str().unwrap())
}

fn well_formed(mime: &[u8]) {
    let text = std::str::from_utf8(mime).expect("seven bits");
    assert!(text.is_ascii());
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "only CRLF");
    assert!(text.split("\r\n").all(|line| line.len() <= 78), "{:?}", text.split("\r\n").find(|line| line.len() > 78));
}

#[test]
fn a_plain_answer_word_for_word() {
    let request = rendered(&answer("Hello Ada,\n\nit is done.\n"), &context(inbox(json!({"address": "support@shop.test"}))));
    let expected = "Date: Sun, 22 Nov 2026 08:00:00 +0000\r\n\
        From: \"Lea Winter (Support)\" <support@shop.test>\r\n\
        To: =?utf-8?B?QWRhIE5vdsOhaw==?= <ada@cust.test>\r\n\
        Reply-To: support+c0cn99439p060h0123456789abcdef@shop.test\r\n\
        Subject: Re: Charged twice\r\n\
        Message-ID: <m.0cn99439p060h.aaaaaaaaaaaaaaaa@shop.test>\r\n\
        References: <m.0cn99439p060h.aaaaaaaaaaaaaaaa@shop.test>\r\n\
        X-Continuo-Correlation: out_0cn99439p060h\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative;\r\n boundary=\"=_a_out-0cn99439p060h\"\r\n\
        \r\n\
        --=_a_out-0cn99439p060h\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: 7bit\r\n\
        \r\n\
        Hello Ada,\r\n\r\nit is done.\r\n\
        --=_a_out-0cn99439p060h\r\n\
        Content-Type: text/html; charset=utf-8\r\n\
        Content-Transfer-Encoding: 7bit\r\n\
        \r\n\
        <!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body>\r\n\
        <p>Hello Ada,</p>\r\n<p>it is done.</p>\r\n</body></html>\r\n\
        --=_a_out-0cn99439p060h--\r\n";
    assert_eq!(String::from_utf8(request.body).unwrap(), expected);
    let envelope = [
        ("mail-from".to_owned(), "support@shop.test".to_owned()),
        ("rcpt-to".to_owned(), "ada@cust.test".to_owned()),
        ("message-id".to_owned(), "<m.0cn99439p060h.aaaaaaaaaaaaaaaa@shop.test>".to_owned()),
    ];
    assert_eq!((request.method.as_str(), request.url.as_str(), request.headers), ("SMTP", "smtp:", envelope.to_vec()));
}

#[test]
fn everything_at_once_reads_back_with_an_independent_parser() {
    let picture = AttachmentId(7);
    let report = AttachmentId(8);
    let mut outbound = answer("Grüße, hier ist alles.\nFrom now on: = 100 %\n.\nend");
    outbound.html = Some(format!("<p>Grüße <img src=\"cid:{picture}\" alt=\"x\"></p>"));
    outbound.subject = Some("Re: Größe 42 – доставка, 配送 und noch ein langer Betreff, der umbrochen werden muss".into());
    outbound.cc = vec![person("Tom \"T\" O'Neil, Jr.", "tom@cust.test"), person("", "x@münchen.test")];
    outbound.mail = OutboundMail {
        also_to: vec![person("Żółw", "zolw@cust.test")],
        bcc: vec![person("Secret", "secret@boss.test")],
        in_reply_to: Some("parent@cust.test".into()),
        references: vec!["first@cust.test".into(), "second@cust.test".into()],
        signature: Some(Signature { text: "Lea Winter\nÄrmel & Söhne".into(), html: None }),
        quotes: vec![Quote {
            author: "Ada Novák".into(),
            at: NOW,
            text: "My card\n> older\n\nshows <b>".into(),
            html: None,
            as_chat: false,
        }],
        automatic: None,
        unsubscribe: None,
    };
    let bytes: [(AttachmentId, Vec<u8>); 2] = [(picture, (0..=255).cycle().take(5_000).collect()), (report, vec![0; 77])];
    let name = "Rechnung für März – „endgültig“ \"v2\" mit einem wirklich sehr langen Namen, länger als eine Zeile.pdf";
    outbound.files = vec![
        OutboundFile { id: picture, name: "p.png".into(), mime: "image/png".into(), bytes: 5_000, url: None },
        OutboundFile { id: report, name: name.into(), mime: "application/pdf; x=y".into(), bytes: 77, url: None },
    ];
    let mut context = context(shop());
    context.contents = Contents(bytes.iter().map(|(id, bytes)| (*id, Arc::from(bytes.as_slice()))).collect());
    let request = rendered(&outbound, &context);
    well_formed(&request.body);
    let read = read_back(&request.body);
    assert_eq!(header(&read, "subject"), outbound.subject.as_deref());
    assert_eq!(header(&read, "from"), Some("\"Lea Winter (Ärmel & Söhne)\" <support@shop.test>"));
    assert_eq!(header(&read, "to"), Some("Ada Novák <ada@cust.test>, Żółw <zolw@cust.test>"));
    assert_eq!(header(&read, "cc"), Some("\"Tom \\\"T\\\" O'Neil, Jr.\" <tom@cust.test>, x@xn--mnchen-3ya.test"));
    assert_eq!(header(&read, "bcc"), None);
    assert!(!String::from_utf8_lossy(&request.body).contains("secret"), "nobody sees a blind copy");
    assert_eq!(header(&read, "in-reply-to"), Some("<parent@cust.test>"));
    let own = "<m.0cn99439p060h.aaaaaaaaaaaaaaaa@shop.test>";
    assert_eq!(
        header(&read, "references"),
        Some(format!("<first@cust.test> <second@cust.test> <parent@cust.test> {own}").as_str())
    );
    assert_eq!(header(&read, "date"), Some("Sun, 22 Nov 2026 08:00:00 +0000"));
    assert_eq!(header(&read, "auto-submitted"), None);
    let shape = [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ];
    assert_eq!(read["shape"], json!(shape));
    let text = read["text"].as_str().unwrap();
    assert!(
        text.starts_with("Grüße, hier ist alles.\nFrom now on: = 100 %\n.\nend\n\n-- \nLea Winter\nÄrmel & Söhne\n\nOn "),
        "{text}"
    );
    assert!(text.ends_with("Ada Novák wrote:\n> My card\n>> older\n>\n> shows <b>"), "{text}");
    let html = read["html"].as_str().unwrap();
    assert!(html.contains(&format!("src=\"cid:{picture}@shop.test\"")) && html.contains("shows &lt;b&gt;"), "{html}");
    let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    assert_eq!(
        read["files"],
        json!([
            {"name": "p.png", "mime": "image/png", "place": "inline", "cid": format!("<{picture}@shop.test>"), "sha256": hex(&bytes[0].1)},
            {"name": name, "mime": "application/pdf", "place": "attachment", "cid": null, "sha256": hex(&bytes[1].1)},
        ])
    );
    let envelope: Vec<&str> = request.headers.iter().filter(|(name, _)| name == "rcpt-to").map(|(_, to)| to.as_str()).collect();
    assert_eq!(envelope, ["ada@cust.test", "zolw@cust.test", "tom@cust.test", "x@xn--mnchen-3ya.test", "secret@boss.test"]);
    // A second reader, which our own parser stands on.
    let second = mail_parser::MessageParser::default().parse(&request.body).unwrap();
    assert_eq!(second.subject(), outbound.subject.as_deref());
    use mail_parser::MimeHeaders as _;
    let names: Vec<Option<&str>> = second.attachments().map(|part| part.attachment_name()).collect();
    assert!(names.contains(&Some(name)), "{names:?}");
}

#[test]
fn automatic_mail_says_so_and_offers_a_way_out() {
    let mut outbound = answer("We have your message.");
    outbound.author = AuthorKind::System;
    outbound.mail.automatic = Some(AutomaticMail::Replied);
    outbound.mail.unsubscribe = Some("mailto:support+c0@shop.test?subject=unsubscribe".into());
    let read = read_back(&rendered(&outbound, &context(shop())).body);
    assert_eq!(header(&read, "auto-submitted"), Some("auto-replied"));
    assert_eq!(header(&read, "x-auto-response-suppress"), Some("All"));
    assert_eq!(header(&read, "list-unsubscribe"), Some("<mailto:support+c0@shop.test?subject=unsubscribe>"));
    assert_eq!(header(&read, "from"), Some("Ärmel & Söhne <support@shop.test>"));
    outbound.mail.automatic = Some(AutomaticMail::Generated);
    outbound.mail.unsubscribe = Some("https://help.shop.test/u/x>\r\nX: y".into());
    let read = read_back(&rendered(&outbound, &context(shop())).body);
    assert_eq!((header(&read, "auto-submitted"), header(&read, "list-unsubscribe")), (Some("auto-generated"), None));
}

#[test]
fn a_chat_that_goes_on_by_mail_shows_who_said_what() {
    let mut outbound = answer("");
    outbound.author = AuthorKind::System;
    let said = |author: &str, text: &str| Quote { author: author.into(), at: NOW, text: text.into(), html: None, as_chat: true };
    outbound.mail.quotes = vec![said("Lea", "It is on its way."), said("Lea", "Are you there?")];
    let read = read_back(&rendered(&outbound, &context(shop())).body);
    let text =
        "Lea (Sun, 22 Nov 2026 08:00:00 +0000):\nIt is on its way.\n\nLea (Sun, 22 Nov 2026 08:00:00 +0000):\nAre you there?";
    assert_eq!(read["text"].as_str(), Some(text));
}

#[test]
fn the_chain_keeps_its_first_and_its_last_ids_and_ours() {
    let ids: Vec<String> = (0..60).map(|n| format!("id{n}@cust.test")).collect();
    let kept = chain(&ids, Some("id59@cust.test"), "own@shop.test");
    assert_eq!(kept.len(), 20);
    assert_eq!((kept[0].as_str(), kept[1].as_str()), ("<id0@cust.test>", "<id42@cust.test>"));
    assert_eq!((kept[18].as_str(), kept[19].as_str()), ("<id59@cust.test>", "<own@shop.test>"));
    let odd = ["", "<>", "no-at", "a b@c", "x@y>\r\nBcc: z@z", "fine@cust.test"].map(str::to_owned);
    assert_eq!(chain(&odd, None, "own@shop.test"), ["<fine@cust.test>", "<own@shop.test>"]);
}

#[test]
fn nothing_goes_out_that_would_not_be_what_was_written() {
    let small = || context(inbox(json!({"address": "support@shop.test", "message_bytes_max": 100_000})));
    let file =
        |bytes: u64| OutboundFile { id: AttachmentId(7), name: "a.bin".into(), mime: "image/png".into(), bytes, url: None };
    let blocked = |outbound: &Outbound, context: &SendContext| render(outbound, context).unwrap_err().reason;
    // 75 kB are more than 100 kB once they are encoded.
    let mut large = answer("see file");
    large.files = vec![file(75_000)];
    assert_eq!(blocked(&large, &small()), BlockReason::AttachmentType);
    large.files = vec![file(50_000), OutboundFile { id: AttachmentId(8), ..file(40_000) }];
    assert_eq!(blocked(&large, &small()), BlockReason::TooLong);
    // The bytes are missing, or are not the file's.
    let mut lost = answer("see file");
    lost.files = vec![file(10)];
    assert_eq!(blocked(&lost, &small()), BlockReason::AttachmentType);
    let mut other = small();
    other.contents.0.insert(AttachmentId(7), Arc::from([0u8; 9].as_slice()));
    assert_eq!(blocked(&lost, &other), BlockReason::AttachmentType);
    for address in ["", "ada", "a b@cust.test", "ada@cust.test\r\nRCPT TO:<x@y>", "ü@cust.test", "@cust.test", "a@", "<a@b.test>"]
    {
        let mut nowhere = answer("hello");
        nowhere.cc = vec![person("", address)];
        assert_eq!(blocked(&nowhere, &small()), BlockReason::NoContactPoint, "{address:?}");
    }
    assert_eq!(blocked(&answer("hello"), &context(inbox(json!({})))), BlockReason::ChannelDown);
}

#[test]
fn what_the_limits_let_through_fits_on_the_wire() {
    for bytes in [0u64, 1, 56, 57, 58, 10_000, 54_321] {
        let mut outbound = answer(&"x\n".repeat(100));
        outbound.files = vec![OutboundFile { id: AttachmentId(7), name: "f".into(), mime: "image/png".into(), bytes, url: None }];
        let mut context = context(shop());
        context.contents.0.insert(AttachmentId(7), Arc::from(vec![1u8; usize::try_from(bytes).unwrap()].as_slice()));
        let length = rendered(&outbound, &context).body.len() as u64;
        let expected = channel::encoded_bytes(&outbound.text, &outbound.files);
        assert!(length <= expected && expected - length < 5_000, "{bytes}: {length} of {expected}");
    }
}

struct Key(&'static str);
impl Secrets for Key {
    fn get(&self, name: &str) -> Option<SecretText> {
        (name == "dkim_key").then(|| SecretText::new(self.0))
    }
    fn replace<'a>(&'a self, _: &'a str, _: &'a SecretText, _: SecretText) -> channel::Fut<'a, Result<(), SecretError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

struct Records(Option<mail_auth::Txt>);
impl<K: std::hash::Hash + Eq, V: Clone + 'static> mail_auth::ResolverCache<K, V> for Records {
    fn get<Q>(&self, _: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: std::hash::Hash + Eq + ?Sized,
    {
        let record: &dyn std::any::Any = self.0.as_ref()?;
        record.downcast_ref::<V>().cloned()
    }
    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: std::hash::Hash + Eq + ?Sized,
    {
        None
    }
    fn insert(&self, _: K, _: V, _: std::time::Instant) {}
}

#[tokio::test]
async fn a_direct_mail_is_signed_and_a_changed_one_no_longer() {
    use mail_auth::common::{parse::TxtRecordParser as _, verify::DomainKey};
    let keys = [
        (include_str!("../../fixtures/render/dkim-rsa.pem"), "rsa", include_str!("../../fixtures/render/dkim-rsa.pub")),
        (
            include_str!("../../fixtures/render/dkim-ed25519.pem"),
            "ed25519",
            include_str!("../../fixtures/render/dkim-ed25519.pub"),
        ),
    ];
    for (pem, kind, public) in keys {
        let mut inbox = inbox(json!({"address": "support@shop.test", "dkim_domain": "shop.test", "dkim_selector": "s1"}));
        inbox.secrets = Arc::new(Key(pem));
        let body = rendered(&answer("Größe und noch mehr"), &context(inbox)).body;
        read_back(&body);
        let record = DomainKey::parse(format!("v=DKIM1; k={kind}; p={}", public.trim()).as_bytes()).unwrap();
        let records = Records(Some(mail_auth::Txt::DomainKey(Arc::new(record))));
        let changed = String::from_utf8(body.clone()).unwrap().replace("Charged twice", "Charged once").into_bytes();
        for (mail, passes) in [(&body, true), (&changed, false)] {
            let resolver = mail_auth::MessageAuthenticator::new_cloudflare().unwrap();
            let message = mail_auth::AuthenticatedMessage::parse(mail).unwrap();
            let results = resolver.verify_dkim(mail_auth::Parameters::new(&message).with_txt_cache(&records)).await;
            let pass = results.iter().all(|r| *r.result() == mail_auth::DkimResult::Pass) && results.len() == 1;
            assert_eq!(pass, passes, "{kind}: {:?}", results.iter().map(|r| r.result()).collect::<Vec<_>>());
        }
    }
}

#[test]
fn an_unusable_key_stops_the_mail() {
    let mut inbox = inbox(json!({"address": "support@shop.test", "dkim_domain": "shop.test", "dkim_selector": "s1"}));
    inbox.secrets = Arc::new(Key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
    assert_eq!(render(&answer("hello"), &context(inbox)).unwrap_err().reason, BlockReason::ChannelDown);
}
