//! Was a mail written by a machine, and may a machine answer it (email.md 11)? In: its headers and the inbox's own
//! addresses. Out: `Machine` with the mark that decided, so that an agent can be told why. Pure.
//!
//! Two different things: *automatic* mail (answers of machines, reports) makes no conversation by itself; *quiet* mail
//! (lists, no-reply senders) is often from a real customer through a form or a group, so it is a conversation like any
//! other, only that no machine answers it.

use crate::address;
use crate::headers::Headers;
use crate::parse::Machine;
use channel::Automatic;

/// Classifies a mail. `own`: addresses of this inbox in lower case.
pub fn classify(headers: &Headers, own: &[String]) -> Machine {
    if let Some(mark) = report_mark(headers) {
        return machine(Automatic::Bounce, mark);
    }
    if let Some(mark) = reply_mark(headers, own) {
        return machine(Automatic::Reply, mark);
    }
    let quiet = quiet_mark(headers);
    match bulk_mark(headers) {
        Some(mark) => Machine { quiet: quiet.or(Some(mark.clone())), ..machine(Automatic::Bulk, mark) },
        None => Machine { quiet, ..Machine::default() },
    }
}

fn machine(automatic: Automatic, mark: String) -> Machine {
    Machine { automatic, mark: Some(mark), quiet: None }
}

// `name: value`, short enough for a screen.
fn shown(name: &str, value: &str) -> String {
    let value: String = value.chars().take(80).collect();
    format!("{name}: {value}")
}

/// The mail comes from a mail system: a bounce, a receipt, a complaint.
fn report_mark(headers: &Headers) -> Option<String> {
    let kind = headers.first("Content-Type").unwrap_or_default().to_ascii_lowercase();
    if kind.trim_start().starts_with("multipart/report") {
        return Some("multipart/report".to_owned());
    }
    if let Some(failed) = headers.first("X-Failed-Recipients") {
        return Some(shown("X-Failed-Recipients", failed));
    }
    let sender = address::sender(headers).person.address.unwrap_or_default().to_lowercase();
    let local = sender.split('@').next().unwrap_or_default();
    let daemon = matches!(local, "mailer-daemon" | "postmaster" | "mail-daemon" | "mailerdaemon");
    daemon.then(|| shown("From", &sender))
}

fn reply_mark(headers: &Headers, own: &[String]) -> Option<String> {
    let first_word = |value: &str| value.split([';', ' ', '(']).next().unwrap_or_default().to_ascii_lowercase();
    if let Some(value) = headers.all("Auto-Submitted").find(|value| !matches!(first_word(value).as_str(), "no" | "")) {
        return Some(shown("Auto-Submitted", value));
    }
    for name in ["X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Autoreply-From", "X-Auto-Reply-From", "X-Mail-Autoreply"] {
        if let Some(value) = headers.all(name).find(|value| !matches!(first_word(value).as_str(), "no" | "false" | "0")) {
            return Some(shown(name, value));
        }
    }
    let precedence = headers.first("Precedence").map(str::to_ascii_lowercase).unwrap_or_default();
    if matches!(precedence.as_str(), "auto_reply" | "auto-reply") {
        return Some(shown("Precedence", &precedence));
    }
    // Bulk alone is what newsletters say; together with the words of an answering machine it is one.
    if matches!(precedence.as_str(), "bulk" | "junk")
        && (headers.has("X-Auto-Response-Suppress") || sounds_automatic(headers.first("Subject").unwrap_or_default()))
        && !headers.has("List-Id")
    {
        return Some(shown("Precedence", &precedence));
    }
    if let Some(value) = headers.first("Return-Path").filter(|value| value.trim() == "<>" || value.trim() == "< >") {
        return Some(shown("Return-Path", value));
    }
    let loops = |value: &str| {
        let value = value.to_lowercase();
        own.iter().any(|address| value.split(|c: char| c.is_whitespace() || ",;<>".contains(c)).any(|word| word == address))
    };
    if let Some(value) = headers.all("X-Loop").find(|value| loops(value)) {
        return Some(shown("X-Loop", value));
    }
    // Forms that write in the inbox's own name are listed as form senders, which is asked before this.
    let sender = address::sender(headers).person.address.unwrap_or_default().to_lowercase();
    if own.contains(&sender) {
        return Some(shown("From", &sender));
    }
    // Answering machines that say it in the subject only; a person who answers such a mail has `Re:` before it.
    let subject = headers.first("Subject").unwrap_or_default();
    (headers.has("X-Auto-Response-Suppress") && sounds_automatic(subject)).then(|| shown("Subject", subject))
}

const AUTOMATIC_SUBJECTS: &[&str] = &[
    "automatic reply",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto:",
    "out of office",
    "out of the office",
    "automatische antwort",
    "abwesenheitsnotiz",
    "abwesend:",
    "réponse automatique",
    "respuesta automática",
    "resposta automática",
    "risposta automatica",
    "automatisch antwoord",
    "automatiskt svar",
    "automatisk svar",
    "autosvar",
    "automaattinen vastaus",
    "odpowiedź automatyczna",
    "automatická odpověď",
    "автоответ",
    "автоматический ответ",
    "otomatik yanıt",
    "自動応答",
    "自动答复",
    "自动回复",
    "자동 회신",
];

fn sounds_automatic(subject: &str) -> bool {
    let subject = subject.to_lowercase();
    AUTOMATIC_SUBJECTS.iter().any(|words| subject.trim_start().starts_with(words))
}

fn quiet_mark(headers: &Headers) -> Option<String> {
    if let Some(value) = headers.first("List-Id").filter(|value| !value.is_empty()) {
        return Some(shown("List-Id", value));
    }
    if let Some(value) = headers.first("Precedence").filter(|value| value.eq_ignore_ascii_case("list")) {
        return Some(shown("Precedence", value));
    }
    // OOF says: no notes of absence, but other automatic answers are welcome; AutoReply and All forbid ours.
    let suppressed = |value: &&str| {
        let value = value.to_ascii_lowercase();
        value.split([',', ';']).any(|word| matches!(word.trim(), "all" | "autoreply" | "dr" | "oof"))
    };
    if let Some(value) = headers.first("X-Auto-Response-Suppress").filter(suppressed) {
        return Some(shown("X-Auto-Response-Suppress", value));
    }
    if headers.has("List-Unsubscribe") {
        return Some("List-Unsubscribe".to_owned());
    }
    let sender = address::sender(headers).person.address.unwrap_or_default().to_lowercase();
    let local: String = sender.split('@').next().unwrap_or_default().chars().filter(|c| c.is_alphanumeric()).collect();
    let nobody = [
        "noreply",
        "donotreply",
        "doesnotreply",
        "nepasrepondre",
        "nichtantworten",
        "keineantwort",
        "noresponder",
        "nonrispondere",
        "naoresponda",
    ];
    nobody.iter().any(|name| local.starts_with(name) || local.ends_with(name)).then(|| shown("From", &sender))
}

/// A newsletter: bulk by its own words, with a way to leave.
fn bulk_mark(headers: &Headers) -> Option<String> {
    let precedence =
        headers.first("Precedence").filter(|value| value.eq_ignore_ascii_case("bulk") || value.eq_ignore_ascii_case("junk"))?;
    headers.has("List-Unsubscribe").then(|| shown("Precedence", precedence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> Machine {
        let mut all = vec![("From", "jo@cust.test"), ("Subject", "Hello")];
        all.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
        all.extend_from_slice(fields);
        classify(&all.into_iter().collect(), &["support@shop.test".to_owned()])
    }

    #[test]
    fn machines_are_told_from_people() {
        let cases: &[(&[(&str, &str)], Automatic)] = &[
            (&[], Automatic::No),
            (&[("Auto-Submitted", "no")], Automatic::No),
            (&[("Auto-Submitted", "No; owner=\"x\"")], Automatic::No),
            (&[("Auto-Submitted", "auto-replied")], Automatic::Reply),
            (&[("Auto-Submitted", "auto-generated (failure)")], Automatic::Reply),
            (&[("Auto-Submitted", "auto-notified; owner-email=\"x\"")], Automatic::Reply),
            (&[("Precedence", "auto_reply")], Automatic::Reply),
            (&[("Precedence", "bulk")], Automatic::No),
            (&[("Precedence", "bulk"), ("Subject", "Out of Office: Hello")], Automatic::Reply),
            (&[("Precedence", "junk"), ("X-Auto-Response-Suppress", "All")], Automatic::Reply),
            (&[("Precedence", "bulk"), ("List-Unsubscribe", "<mailto:u@x.test>")], Automatic::Bulk),
            (&[("X-Autoreply", "yes")], Automatic::Reply),
            (&[("X-Autoreply", "no")], Automatic::No),
            (&[("X-Autorespond", "")], Automatic::Reply),
            (&[("X-Autoresponder", "vacation")], Automatic::Reply),
            (&[("Return-Path", "<>")], Automatic::Reply),
            (&[("Return-Path", "<jo@cust.test>")], Automatic::No),
            (&[("Content-Type", "multipart/report; report-type=delivery-status; boundary=x")], Automatic::Bounce),
            (&[("Content-Type", "Multipart/Report")], Automatic::Bounce),
            (&[("From", "MAILER-DAEMON@mx.test (Mail Delivery System)")], Automatic::Bounce),
            (&[("From", "Postmaster <postmaster@mx.test>")], Automatic::Bounce),
            (&[("From", "\"postmaster\" <jo@cust.test>")], Automatic::No),
            (&[("X-Failed-Recipients", "jo@cust.test")], Automatic::Bounce),
            (&[("X-Loop", "support@shop.test")], Automatic::Reply),
            (&[("X-Loop", "others@list.test")], Automatic::No),
            (&[("From", "Support <Support@shop.test>")], Automatic::Reply),
            (&[("Subject", "Automatic reply: Hello"), ("X-Auto-Response-Suppress", "All")], Automatic::Reply),
            (&[("Subject", "Re: Automatic reply: Hello")], Automatic::No),
        ];
        for (fields, wanted) in cases {
            let got = read(fields);
            assert_eq!(got.automatic, *wanted, "{fields:?} {got:?}");
            assert_eq!(got.mark.is_some(), *wanted != Automatic::No, "{fields:?} {got:?}");
        }
    }

    #[test]
    fn lists_and_forms_make_conversations_that_no_machine_answers() {
        for fields in [
            &[("List-Id", "<users.list.test>")][..],
            &[("Precedence", "list")],
            &[("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply")],
            &[("List-Unsubscribe", "<mailto:u@x.test>")],
            &[("From", "Form <no-reply@shop.test>")],
            &[("From", "NoReply@shop.test")],
            &[("From", "do_not_reply@shop.test")],
            &[("From", "orders-noreply@market.test")],
        ] {
            let got = read(fields);
            assert_eq!(got.automatic, Automatic::No, "{fields:?}");
            assert!(got.quiet.is_some() && got.mark.is_none(), "{fields:?} {got:?}");
        }
        assert_eq!(read(&[]), Machine::default());
        assert_eq!(read(&[("X-Auto-Response-Suppress", "None")]), Machine::default());
        assert_eq!(read(&[("From", "noreen.plyer@cust.test")]), Machine::default());
    }
}
