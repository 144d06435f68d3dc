//! Reading a mailbox: what comes in, in what order, exactly once, whatever happens to the line. Cases named C1 to C11 are those
//! of the design's list of failures seen elsewhere.

use crate::mailbed::{BedOptions, Fault, FaultProxy, MailBed};
use crate::support::*;
use channel::{FOLDER, FOLDER_ROLE, HISTORY, Pull, PullError, SinkError, SourceNews, Stock};
use std::collections::BTreeSet;
use std::time::Duration;

const US: &str = "support@shop.test";
const ALICE: &str = "alice@cust.test";

fn numbered(bed: &MailBed, from: usize, to: usize) {
    for n in from..to {
        bed.deliver(ALICE, US, &mail(ALICE, &format!("mail {n}"), &"text ".repeat(n % 50))).unwrap();
    }
}

/// Connects once, so that what comes after is new.
async fn connected(wire: &channel_email::wire::Wire, inbox: &channel::InboxSettings, store: &Store) {
    pull_until(wire, inbox, store, "connected", |store| !store.news().is_empty()).await.unwrap();
}

#[tokio::test]
async fn new_mail_comes_in_by_idle_and_mail_from_before_stays_out() {
    let bed = bed();
    bed.deliver(ALICE, US, &mail(ALICE, "before", "old")).unwrap();
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings(US)), Store::default());
    let sender = async {
        store.until_alive(1).await;
        bed.send(ALICE, US, &mail("Alice <Alice@cust.test>", "after", "new")).unwrap();
        store.until("the mail", |store| store.events().len() == 1).await;
    };
    tokio::select! {
        ended = wire.pull(&inbox, store.cursor(), &store) => panic!("{ended:?}"),
        () = sender => {}
    }
    let events = store.events();
    assert_eq!(store.subjects(), ["after"]);
    assert_eq!(events[0].lane, ALICE);
    assert_eq!((events[0].header(FOLDER), events[0].header(FOLDER_ROLE)), (Some("INBOX"), Some("inbox")));
    assert!(events[0].header("continuo-internal-date").is_some());
    assert_eq!(store.news()[0], SourceNews::Alive { push: true });
    let proof = String::from_utf8(events[0].body.clone()).unwrap();
    assert!(proof.starts_with("Return-Path: <alice@cust.test>\r\n") && proof.ends_with("\r\nnew\r\n"), "{proof}");
}

#[tokio::test]
async fn c1_mail_of_a_long_absence_is_fetched_by_uid() {
    let bed = bed();
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings(US)), Store::default());
    connected(&wire, &inbox, &store).await;
    numbered(&bed, 0, 70);
    pull_until(&wire, &inbox, &store, "all of them", |store| store.events().len() == 70).await.unwrap();
    let expected: BTreeSet<String> = (0..70).map(|n| format!("mail {n}")).collect();
    assert_eq!(store.subjects().into_iter().collect::<BTreeSet<_>>(), expected);
    // In the order of their UIDs. Which mail of one second gets which is the mail server's affair.
    let uids: Vec<u32> =
        store.events().iter().map(|event| event.dedupe_key.rsplit('/').next().unwrap().parse().unwrap()).collect();
    assert!(uids.is_sorted(), "{uids:?}");
    assert_eq!(store.repeats(), 0);
}

// C4, C8 and the acceptance figure in small: the whole story with 10,000 mails is an acceptance run of the product.
#[tokio::test]
async fn two_hundred_cuts_lose_nothing_and_double_nothing() {
    let bed = bed();
    let proxy = FaultProxy::start(bed.imap_port).unwrap();
    let mut settings = bed.settings(US);
    settings["imap"]["port"] = proxy.port.into();
    let (wire, inbox, store) = (wire(quick()), inbox(settings), Store::default());
    connected(&wire, &inbox, &store).await;
    numbered(&bed, 0, 400);
    // After the hello, STARTTLS and sign-in, each connection lives for a different number of bytes.
    let mut seed = 88_172_645_463_325_252_u64;
    for _ in 0..200 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        proxy.set(Fault::CutAfterServerBytes(500 + seed % 40_000));
        let ended = tokio::time::timeout(Duration::from_secs(30), async {
            tokio::select! {
                ended = wire.pull(&inbox, store.cursor(), &store) => ended.map(|_| ()),
                () = store.until("all", |store| store.events().len() == 400) => Ok(()),
            }
        });
        match ended.await.expect("a cut is noticed") {
            Ok(()) | Err(PullError::Lost(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    let cuts = proxy.cuts();
    proxy.set(Fault::None);
    pull_until(&wire, &inbox, &store, "all", |store| store.events().len() == 400).await.unwrap();
    let subjects = store.subjects();
    let distinct: BTreeSet<&String> = subjects.iter().collect();
    assert_eq!((subjects.len(), distinct.len()), (400, 400));
    assert!(cuts >= 100, "only {cuts} connections were cut");
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_list_is_an_error_and_not_a_short_list() {
    let bed = bed();
    let proxy = FaultProxy::start(bed.imap_port).unwrap();
    let mut settings = bed.settings(US);
    settings["imap"] = serde_json::json!({"host": "127.0.0.1", "port": proxy.port, "tls": "none"});
    let (wire, inbox, store) = (wire(quick()), inbox(settings), Store::default());
    connected(&wire, &inbox, &store).await;
    numbered(&bed, 0, 20);
    // Whole lines arrive and then the line is dead: the place must not move over what was never seen.
    for bytes in (700..4_000).step_by(150) {
        proxy.set(Fault::CutAfterServerBytes(bytes));
        let before = store.cursor();
        let ended = wire.pull(&inbox, before.clone(), &store).await;
        assert!(matches!(ended, Err(PullError::Lost(_))), "{bytes}: {ended:?}");
    }
    proxy.set(Fault::None);
    pull_until(&wire, &inbox, &store, "all", |store| store.events().len() == 20).await.unwrap();
    assert_eq!(store.events().len(), 20);
}

#[tokio::test]
async fn a_renumbered_folder_is_compared_and_nothing_from_before_comes_in() {
    let bed = bed();
    bed.deliver(ALICE, US, &mail(ALICE, "from before", "old")).unwrap();
    // The server's dates have seconds.
    tokio::time::timeout(Duration::from_secs(3), std::future::pending::<()>()).await.unwrap_err();
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings(US)), Store::default());
    connected(&wire, &inbox, &store).await;
    numbered(&bed, 0, 5);
    pull_until(&wire, &inbox, &store, "five", |store| store.events().len() == 5).await.unwrap();
    bed.renumber(US, "INBOX").unwrap();
    numbered(&bed, 5, 7);
    pull_until(&wire, &inbox, &store, "the new ones", |store| store.subjects().contains(&"mail 6".to_owned())).await.unwrap();
    let renumbered = SourceNews::Renumbered { folder: "INBOX".to_owned(), count: 8 };
    assert!(store.news().contains(&renumbered), "{:?}", store.news());
    let subjects: BTreeSet<String> = store.subjects().into_iter().collect();
    assert_eq!(subjects, (0..7).map(|n| format!("mail {n}")).collect());
    // The five come under new keys with the same bytes, by which the desk knows them.
    let bodies: BTreeSet<String> = store.events().iter().map(|event| channel::content_key(&event.body)).collect();
    assert_eq!((store.events().len(), bodies.len()), (12, 7));
}

#[tokio::test]
async fn c9_deleted_mail_is_not_taken_in() {
    let bed = bed();
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings(US)), Store::default());
    connected(&wire, &inbox, &store).await;
    numbered(&bed, 0, 3);
    bed.doveadm(&["flags", "add", "-u", US, "\\Deleted", "mailbox", "INBOX", "subject", "mail 1"]).unwrap();
    pull_until(&wire, &inbox, &store, "the others", |store| store.events().len() == 2).await.unwrap();
    assert_eq!(store.subjects().into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["mail 0".to_owned(), "mail 2".to_owned()]));
    let folders = wire.list(&inbox, &store.cursor()).await.unwrap();
    assert_eq!(folders[0].items.len(), 3);
    let deleted: Vec<&String> = folders[0].items.iter().filter(|item| item.deleted).map(|item| &item.key).collect();
    assert_eq!(deleted.len(), 1);
    assert!(store.events().iter().all(|event| event.dedupe_key != *deleted[0]));
}

#[tokio::test]
async fn c10_nothing_is_asked_that_the_server_did_not_announce() {
    let options = BedOptions {
        hidden_capabilities: ["ESEARCH", "LIST-EXTENDED", "SPECIAL-USE", "UIDPLUS"].map(str::to_owned).into(),
        ..BedOptions::default()
    };
    let bed = MailBed::start_with(&options).unwrap();
    let proxy = FaultProxy::start(bed.imap_port).unwrap();
    let mut settings = bed.settings(US);
    settings["imap"] = serde_json::json!({"host": "127.0.0.1", "port": proxy.port, "tls": "none"});
    let (wire, inbox, store) = (wire(quick()), inbox(settings), Store::default());
    connected(&wire, &inbox, &store).await;
    numbered(&bed, 0, 2);
    pull_until(&wire, &inbox, &store, "both", |store| store.events().len() == 2).await.unwrap();
    wire.list(&inbox, &store.cursor()).await.unwrap();
    let said = proxy.client_said().to_uppercase();
    assert!(said.contains("UID FETCH") && !said.contains("RETURN") && !said.contains("CONDSTORE"), "{said}");
}

#[tokio::test]
async fn a_server_without_idle_is_polled() {
    let options = BedOptions { hidden_capabilities: vec!["IDLE".to_owned()], ..BedOptions::default() };
    let bed = MailBed::start_with(&options).unwrap();
    let times = channel_email::wire::Times { poll: Duration::from_millis(300), ..quick() };
    let (wire, inbox, store) = (wire(times), inbox(bed.settings(US)), Store::default());
    let sender = async {
        store.until_alive(2).await;
        numbered(&bed, 0, 2);
        store.until("both", |store| store.events().len() == 2).await;
    };
    tokio::select! {
        ended = wire.pull(&inbox, store.cursor(), &store) => panic!("{ended:?}"),
        () = sender => {}
    }
    assert_eq!(store.news()[0], SourceNews::Alive { push: false });
}

#[tokio::test]
async fn c11_a_half_open_idle_is_found_by_the_safety_poll() {
    let bed = bed();
    let proxy = FaultProxy::start(bed.imap_port).unwrap();
    let mut settings = bed.settings(US);
    settings["imap"] = serde_json::json!({"host": "127.0.0.1", "port": proxy.port, "tls": "none"});
    let times = channel_email::wire::Times { poll: Duration::from_secs(2), idle: Duration::from_secs(600), ..quick() };
    let (wire, inbox, store) = (wire(times), inbox(settings), Store::default());
    let sender = async {
        until_said(&proxy, " IDLE\r\n").await;
        // The open connection is dead from here on, and nobody says so; new ones work.
        proxy.set(Fault::HalfOpen);
        bed.deliver(ALICE, US, &mail(ALICE, "nobody told", "x")).unwrap();
        // Dovecot tells IDLE after half a second; the proxy swallows it.
        tokio::time::timeout(Duration::from_millis(1_500), std::future::pending::<()>()).await.unwrap_err();
        proxy.set(Fault::None);
        store.until("the mail", |store| store.events().len() == 1).await;
        bed.deliver(ALICE, US, &mail(ALICE, "told again", "x")).unwrap();
        store.until("the next mail", |store| store.events().len() == 2).await;
    };
    tokio::select! {
        ended = wire.pull(&inbox, store.cursor(), &store) => panic!("{ended:?}"),
        () = sender => {}
    }
    assert_eq!(store.subjects(), ["nobody told", "told again"]);
    assert!(proxy.connections() >= 3, "first, poll, and one in place of the dead one");
}

#[tokio::test]
async fn c11_a_dead_idle_is_found_by_its_renewal() {
    let bed = bed();
    let proxy = FaultProxy::start(bed.imap_port).unwrap();
    let mut settings = bed.settings(US);
    settings["imap"] = serde_json::json!({"host": "127.0.0.1", "port": proxy.port, "tls": "none"});
    let times = channel_email::wire::Times {
        poll: Duration::from_secs(600),
        idle: Duration::from_secs(1),
        command: Duration::from_secs(2),
        ..quick()
    };
    let (wire, inbox, store) = (wire(times), inbox(settings), Store::default());
    let breaker = async {
        until_said(&proxy, " IDLE\r\n").await;
        proxy.set(Fault::HalfOpen);
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = wire.pull(&inbox, store.cursor(), &store) => ended,
        () = breaker => unreachable!("never ends"),
    };
    assert!(matches!(&ended, Err(PullError::Lost(text)) if text.contains("IDLE")), "{ended:?}");
}

#[tokio::test]
async fn sent_and_junk_are_watched_and_a_folder_that_comes_later_is_read_from_its_beginning() {
    let bed = bed();
    bed.save(US, "Sent", &mail(US, "sent before", "x")).unwrap();
    let times = channel_email::wire::Times { poll: Duration::from_millis(500), ..quick() };
    let mut settings = bed.settings(US);
    settings["folders"] = serde_json::json!({"others": ["Kunden &- Fälle", "Kunden & Fälle"]});
    let (wire, inbox, store) = (wire(times), inbox(settings), Store::default());
    let sender = async {
        store.until_alive(1).await;
        bed.save(US, "Sent", &mail(US, "written in a mail program", "x")).unwrap();
        bed.save(US, "Junk", &mail("spam@x.test", "cheap", "x")).unwrap();
        bed.make_folder(US, "Kunden & Fälle").unwrap();
        bed.save(US, "Kunden & Fälle", &mail(ALICE, "sorted by a rule", "x")).unwrap();
        store.until("all three", |store| store.events().len() == 3).await;
    };
    tokio::select! {
        ended = wire.pull(&inbox, store.cursor(), &store) => panic!("{ended:?}"),
        () = sender => {}
    }
    let mut found: Vec<(String, String, String)> = store
        .events()
        .iter()
        .map(|event| {
            (subject(&event.body), event.header(FOLDER).unwrap().to_owned(), event.header(FOLDER_ROLE).unwrap().to_owned())
        })
        .collect();
    found.sort();
    let own = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(
        found,
        [
            own("cheap", "Junk", "junk"),
            own("sorted by a rule", "Kunden & Fälle", "other"),
            own("written in a mail program", "Sent", "sent")
        ]
    );
}

#[tokio::test]
async fn c5_a_huge_mail_is_noted_and_holds_up_nothing() {
    let bed = bed();
    let mut settings = bed.settings(US);
    settings["fetch_bytes_max"] = (70 * 1024).into();
    let (wire, inbox, store) = (wire(quick()), inbox(settings), Store::default());
    connected(&wire, &inbox, &store).await;
    numbered(&bed, 0, 1);
    bed.deliver(ALICE, US, &mail(ALICE, "huge", &"0123456789 abcdefghij\r\n".repeat(20_000))).unwrap();
    numbered(&bed, 1, 2);
    pull_until(&wire, &inbox, &store, "all three", |store| store.events().len() == 3).await.unwrap();
    let events = store.events();
    let huge = events.iter().find(|event| subject(&event.body) == "huge").unwrap();
    let bytes: u64 = huge.header("continuo-too-large").unwrap().parse().unwrap();
    assert!(bytes > 400_000 && huge.body.len() < 2_000, "{bytes} bytes on the server, {} here", huge.body.len());
    assert!(huge.body.ends_with(b"\r\n\r\n"), "the header block");
}

#[tokio::test]
async fn c6_mail_without_message_id_or_any_sense_does_not_stop_the_loop() {
    let bed = bed();
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings(US)), Store::default());
    connected(&wire, &inbox, &store).await;
    for odd in [
        "Subject: bare\r\n\r\nx",
        "no header at all",
        "\r\n",
        "From: \u{1}\u{2}<<>>@@\r\nSubject: odd sender\r\n\r\nx",
        "Message-ID:\r\nSubject: empty id\r\n\r\nx",
    ] {
        bed.deliver("", US, odd).unwrap();
    }
    numbered(&bed, 0, 1);
    pull_until(&wire, &inbox, &store, "all", |store| store.events().len() == 6).await.unwrap();
    assert!(store.subjects().contains(&"mail 0".to_owned()));
}

#[tokio::test]
async fn a_busy_store_is_waited_for_and_a_closed_one_loses_nothing() {
    let bed = bed();
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings(US)), Store::default());
    connected(&wire, &inbox, &store).await;
    numbered(&bed, 0, 3);
    store.refuse(vec![SinkError::Closed("disk full".to_owned())]);
    let ended = wire.pull(&inbox, store.cursor(), &store).await;
    assert!(matches!(&ended, Err(PullError::Lost(text)) if text.contains("disk full")), "{ended:?}");
    store.refuse(vec![SinkError::Busy, SinkError::Busy]);
    pull_until(&wire, &inbox, &store, "all", |store| store.events().len() == 3).await.unwrap();
    assert_eq!((store.events().len(), store.repeats()), (3, 0));
}

#[tokio::test]
async fn the_list_names_every_mail_by_its_key_and_single_ones_are_fetched_again() {
    let bed = bed();
    numbered(&bed, 0, 3);
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings(US)), Store::default());
    connected(&wire, &inbox, &store).await;
    numbered(&bed, 3, 5);
    let ahead = wire.list(&inbox, &store.cursor()).await.unwrap();
    assert_eq!(ahead[0].items.iter().map(|item| item.ahead).collect::<Vec<_>>(), [false, false, false, true, true]);
    pull_until(&wire, &inbox, &store, "two", |store| store.events().len() == 2).await.unwrap();
    let folders = wire.list(&inbox, &store.cursor()).await.unwrap();
    assert_eq!(folders.iter().map(|folder| folder.name.as_str()).collect::<Vec<_>>(), ["INBOX", "Sent", "Junk"]);
    let items = &folders[0].items;
    assert_eq!(items.iter().map(|item| item.before_start).collect::<Vec<_>>(), [true, true, true, false, false]);
    assert!(items.iter().all(|item| !item.ahead && item.at.is_some() && item.bytes > 100));
    let stored: Vec<String> = store.events().iter().map(|event| event.dedupe_key.clone()).collect();
    assert_eq!(items[3..].iter().map(|item| item.key.clone()).collect::<Vec<_>>(), stored);
    // History is the same road backwards, in the order asked for; keys of nothing are left out.
    let mut keys: Vec<String> = items[..3].iter().map(|item| item.key.clone()).collect();
    keys.extend(["INBOX/1/1".to_owned(), "Gone/7/7".to_owned(), "nonsense".to_owned()]);
    let history = Store::default();
    wire.fetch(&inbox, &keys, true, &history).await.unwrap();
    let asked: Vec<String> = history.events().iter().map(|event| event.dedupe_key.clone()).collect();
    assert_eq!(asked, keys[..3], "in the order asked for");
    let expected: BTreeSet<String> = (0..3).map(|n| format!("mail {n}")).collect();
    assert_eq!(history.subjects().into_iter().collect::<BTreeSet<_>>(), expected);
    assert!(history.events().iter().all(|event| event.header(HISTORY) == Some("1")));
    assert_eq!(history.cursor().0, "", "reading backwards moves no place");
}

#[tokio::test]
async fn c3_an_unreachable_server_is_lost_and_never_asks_for_a_new_sign_in() {
    let bed = bed();
    let proxy = FaultProxy::start(bed.imap_port).unwrap();
    let mut settings = bed.settings(US);
    settings["imap"] = serde_json::json!({"host": "127.0.0.1", "port": proxy.port, "tls": "none"});
    let (wire, inbox, store) = (
        wire(channel_email::wire::Times { command: Duration::from_secs(2), ..quick() }),
        inbox(settings.clone()),
        Store::default(),
    );
    for fault in
        [Fault::Refuse, Fault::HalfOpen, Fault::CutBefore("LOGIN"), Fault::CutAfterServerBytes(0), Fault::CutAfterServerBytes(30)]
    {
        proxy.set(fault);
        let ended = wire.pull(&inbox, store.cursor(), &store).await;
        assert!(matches!(ended, Err(PullError::Lost(_))), "{fault:?}: {ended:?}");
    }
    proxy.set(Fault::None);
    settings["imap"]["tls"] = "starttls".into();
    // A certificate that nobody we know has signed.
    settings.as_object_mut().unwrap().remove("trusted_ca");
    let ended = wire.pull(&crate::support::inbox(settings), store.cursor(), &store).await;
    assert!(matches!(&ended, Err(PullError::Lost(text)) if text.contains("CA into the settings")), "{ended:?}");
    // Only a refused password does.
    let wrong = inbox_with(bed.settings(US), secrets(&[("password", "wrong")]));
    assert_eq!(wire.pull(&wrong, store.cursor(), &store).await, Err(PullError::SignInAgain));
    let none = inbox_with(bed.settings(US), secrets(&[]));
    assert_eq!(wire.pull(&none, store.cursor(), &store).await, Err(PullError::SignInAgain));
}

#[tokio::test]
async fn c5_a_mail_that_the_server_itself_cannot_read_is_named_and_holds_up_nothing() {
    let bed = bed();
    let (wire, inbox, store) = (wire(quick()), inbox(bed.settings(US)), Store::default());
    connected(&wire, &inbox, &store).await;
    numbered(&bed, 0, 3);
    // The middle one loses its rights on the disk of the mail server, and its size is not in its name.
    let place = bed.folder().join("dc/mail").join(US);
    let files = ["new", "cur"].into_iter().flat_map(|name| std::fs::read_dir(place.join(name)).unwrap().flatten());
    let broken =
        files.map(|entry| entry.path()).find(|file| std::fs::read_to_string(file).unwrap().contains("Subject: mail 1")).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&broken, std::fs::Permissions::from_mode(0o000)).unwrap();
    std::os::unix::fs::chown(&broken, Some(0), Some(0)).unwrap();
    // Dovecot closes the connection over it, every time. It is tried a few times, alone, and then named.
    for round in 0.. {
        match pull_until(&wire, &inbox, &store, "all three", |store| store.events().len() == 3).await {
            Ok(()) => break,
            Err(PullError::Lost(_)) if round < 6 => {}
            Err(other) => panic!("round {round}: {other}"),
        }
    }
    let events = store.events();
    let unreadable: Vec<_> = events.iter().filter(|event| event.header("continuo-unreadable").is_some()).collect();
    assert_eq!(unreadable.len(), 1, "{:?}\n{}", store.subjects(), bed.logs());
    assert!(unreadable[0].body.is_empty());
    assert!(["mail 0", "mail 2"].iter().all(|subject| store.subjects().contains(&(*subject).to_owned())));
}

#[tokio::test]
async fn c8_two_fetchers_at_once_store_each_mail_once_and_whole() {
    let bed = bed();
    let (first, second) = (wire(quick()), wire(quick()));
    let (inbox, store) = (inbox(bed.settings(US)), Store::default());
    connected(&first, &inbox, &store).await;
    numbered(&bed, 0, 40);
    let until = store.until("both are through", |store| store.events().len() == 40 && store.repeats() > 0);
    tokio::select! {
        ended = first.pull(&inbox, store.cursor(), &store) => panic!("{ended:?}"),
        ended = second.pull(&inbox, store.cursor(), &store) => panic!("{ended:?}"),
        () = until => {}
    }
    assert_eq!(store.subjects().into_iter().collect::<BTreeSet<_>>().len(), 40);
    assert!(store.events().iter().all(|event| event.body.windows(4).any(|bytes| bytes == b"\r\n\r\n")));
}
