//! Mails that were damaged or made to hurt: no panic, in time, within memory, and a reason where they are put aside.

#![allow(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::disallowed_methods, reason = "how long reading takes is what is looked at")]

use channel_email::{content_of, explain, mime, parse};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn corpus() -> Vec<Vec<u8>> {
    let mut all = vec![];
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mail")];
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() { folders.push(path) } else { all.push(std::fs::read(&path).unwrap()) }
        }
    }
    all.retain(|file| file.len() < 60_000);
    all
}

// Reads a mail to the end: as a mail, as a body, every file of it opened.
fn read_all(bytes: &[u8]) {
    let mail = explain::mail(bytes);
    let _ = mail.in_words(true);
    let text = &mail.text;
    assert!(mail.folded.iter().all(|folded| text.get(folded.start..folded.end) == Some(folded.text.as_str())));
    // A byte-order mark, a zero-width space or a mark of direction shows nothing.
    let hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{1427}');
    let seen = text.chars().any(|c| !c.is_whitespace() && !hidden(c));
    assert!(!seen || !mail.reply.trim().is_empty(), "the reply is empty");
    if let Ok(parsed) = parse::read(bytes, &parse::Around::default()) {
        for file in &parsed.files {
            let opened = content_of(bytes, &file.reference).map(|bytes| bytes.len() as u64);
            assert_eq!(opened, Some(file.bytes), "{}", file.reference);
        }
    }
}

// One damage to a mail.
#[derive(Clone, Debug)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Drop(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let word = prop::sample::select(vec![
        "\r\n\r\n",
        "--",
        "=?utf-8?Q?",
        "=?utf-8?B?",
        "<",
        ">",
        "\"",
        "(",
        ";",
        "boundary=",
        "Content-Type: multipart/mixed; boundary=x\n",
        "\0",
        "\u{FEFF}",
        "From: ",
        "=",
        "@",
        ",",
        "<div>",
        "</",
        "> ",
        "\x1B$B",
        "+ADw-",
    ]);
    prop_oneof![
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        (any::<prop::sample::Index>(), 1usize..200).prop_map(|(at, len)| Damage::Drop(at, len)),
        (any::<prop::sample::Index>(), word).prop_map(|(at, word)| Damage::Insert(at, word.as_bytes().to_vec())),
        (any::<prop::sample::Index>(), 1usize..400).prop_map(|(at, len)| Damage::Repeat(at, len)),
    ]
}

fn damaged(mail: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut mail = mail.to_vec();
    for damage in damages {
        if mail.is_empty() {
            break;
        }
        match damage {
            Damage::Flip(at, byte) => {
                let at = at.index(mail.len());
                mail[at] ^= byte;
            }
            Damage::Cut(at) => mail.truncate(at.index(mail.len())),
            Damage::Drop(at, len) => {
                let at = at.index(mail.len());
                mail.drain(at..(at + len).min(mail.len()));
            }
            Damage::Insert(at, bytes) => {
                let at = at.index(mail.len());
                mail.splice(at..at, bytes.iter().copied());
            }
            Damage::Repeat(at, len) => {
                let at = at.index(mail.len());
                let piece = mail[at..(at + len).min(mail.len())].to_vec();
                mail.splice(at..at, piece);
            }
        }
    }
    mail
}

fn cases() -> u32 {
    std::env::var("CONTINUO_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3_000)
}

#[test]
fn no_damage_to_any_mail_of_the_corpora_panics_or_empties_it() {
    let corpus = corpus();
    assert!(corpus.len() > 300);
    let mut slowest = Duration::ZERO;
    let damages = (any::<prop::sample::Index>(), prop::collection::vec(damage(), 1..6));
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let slow = std::cell::RefCell::new(&mut slowest);
    runner
        .run(&damages, |(which, damages)| {
            let mail = damaged(&corpus[which.index(corpus.len())], &damages);
            let started = Instant::now();
            read_all(&mail);
            let took = started.elapsed();
            prop_assert!(took < Duration::from_secs(10), "{took:?}");
            let mut slow = slow.borrow_mut();
            **slow = (**slow).max(took);
            Ok(())
        })
        .unwrap();
    println!("{} damaged mails, slowest {slowest:?}", cases());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn random_bytes_are_no_trouble(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        read_all(&bytes);
        let _ = channel_email::tnef::read(&bytes);
        let _ = channel_email::rtf::read(&bytes);
    }

    #[test]
    fn random_lines_are_no_trouble(lines in prop::collection::vec("[ -~\u{e9}\u{416}]{0,60}", 0..40)) {
        read_all(format!("From: a@b.test\n{}", lines.join("\n")).as_bytes());
    }

    #[test]
    fn damaged_winmail_is_no_trouble(damages in prop::collection::vec(damage(), 1..6)) {
        let winmail = include_bytes!("../fixtures/mail/mimekit/UnitTests/TestData/tnef/winmail.tnef");
        let damaged = damaged(winmail, &damages);
        if let Some(tnef) = channel_email::tnef::read(&damaged) {
            let inside: usize = tnef.files.iter().map(|file| file.bytes.len()).sum();
            prop_assert!(inside <= damaged.len() * 6, "{inside} bytes out of {}", damaged.len());
        }
    }
}

fn reason(mail: &[u8]) -> String {
    explain::mail(mail).quarantine.map(|quarantine| quarantine.reason).unwrap_or_default()
}

#[test]
fn c5_mails_made_to_hurt_end_in_time_and_say_why() {
    let started = Instant::now();
    let many = |piece: &str, count: usize| piece.repeat(count).into_bytes();
    let head = b"From: a@b.test\n";
    let with = |rest: Vec<u8>| [&head[..], &rest].concat();
    let deep: Vec<u8> =
        (0..10_000).flat_map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n").into_bytes()).collect();
    assert_eq!(reason(&with(deep)), "nested_too_deep");
    assert_eq!(
        reason(&with([b"Content-Type: multipart/mixed; boundary=x\n\n".to_vec(), many("--x\n\na\n", 20_000)].concat())),
        "too_many_parts"
    );
    assert_eq!(reason(&with(many("X-A: b\n", 1_000_000))), "huge_headers");
    assert_eq!(reason(b"   \r\n\r\n"), "empty");
    for mail in [
        with(many("To: <a@b.test>, (x", 100_000)),
        with(many("References: <a@b>\n", 50_000)),
        with([b"Subject: ".to_vec(), many("=?utf-8?Q?a?= ", 100_000)].concat()),
        with([b"\n".to_vec(), many("> ", 500_000)].concat()),
        with([b"Content-Type: text/html\n\n".to_vec(), many("<div>", 300_000)].concat()),
        with([b"Content-Type: text/html\n\n".to_vec(), many("<table><tr><td>", 50_000)].concat()),
        with([b"Content-Type: text/calendar\n\n".to_vec(), many("BEGIN:VEVENT\n", 100_000)].concat()),
        with([b"Content-Type: text/plain; x*0=a; ".to_vec(), many("x*1=b; ", 100_000)].concat()),
        with([b"Content-Transfer-Encoding: base64\n\n".to_vec(), many("====", 500_000)].concat()),
    ] {
        let one = Instant::now();
        let explained = explain::mail(&mail);
        assert!(explained.quarantine.is_none(), "{:?}", explained.quarantine);
        assert!(one.elapsed() < Duration::from_secs(10), "{:?} for {}", one.elapsed(), String::from_utf8_lossy(&mail[..60]));
    }
    println!("hostile mails: {:?}", started.elapsed());
}

#[cfg(target_os = "linux")]
fn resident_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Run alone (`--ignored --test-threads 1`): it measures the memory of the whole process. `fifty_megabytes_in_a_process_of_its_own`
/// starts it.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "started by the test below, in a process of its own"]
fn fifty_megabytes_here() {
    let mut mail = b"From: a@b.test\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhi\r\n".to_vec();
    let line = [&b"QUJD".repeat(19)[..], b"\r\n"].concat();
    for n in 0..2 {
        mail.extend(
            format!("--x\r\nContent-Type: application/pdf; name={n}.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n").bytes(),
        );
        mail.extend(line.iter().cycle().take(25 << 20));
        mail.extend(b"\r\n");
    }
    mail.extend(b"--x--\r\n");
    let started = Instant::now();
    let parsed = parse::read(&mail, &parse::Around::default()).unwrap();
    let took = started.elapsed();
    assert_eq!(parsed.files.len(), 2);
    for file in &parsed.files {
        assert_eq!(content_of(&mail, &file.reference).unwrap().len() as u64, file.bytes);
    }
    let peak = resident_peak();
    println!("50 MB: read in {took:?}, peak {} MB", peak >> 20);
    assert!(peak < 200 << 20, "{peak}");
    assert!(took < Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 }), "{took:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn fifty_megabytes_in_a_process_of_its_own() {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let output = command.args(["fifty_megabytes_here", "--ignored", "--exact", "--nocapture"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{}", said.lines().find(|line| line.starts_with("50 MB")).unwrap_or_default());
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn the_parts_of_a_mail_keep_their_places() {
    // Every byte of a body range lies inside the mail, whatever the mail.
    for mail in corpus() {
        for part in mime::read(&mail).unwrap_or_default() {
            assert!(part.body.start <= part.body.end && part.body.end <= mail.len());
        }
    }
}
