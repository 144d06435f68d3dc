//! What the product makes of a mail, for `continuo mail explain` and for whoever wants to know why. In: bytes of a mail, or
//! a bare body. Out: one structure, as JSON or in words. Writes nothing and asks nobody.

use crate::address::Person;
use crate::parse::{self, Around, Machine, ParsedMail};
use crate::quote::{self, Folded, SpanKind};
use crate::reply_chain::Keys;
use channel::{CalendarCard, EnclosedFile, MailReport, Seal, SenderTrust, TrustEvidence, Warning};
use serde::Serialize;
use std::fmt::Write;

/// The answer of `continuo mail explain`. In quarantine everything but the reason is empty.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Explained {
    /// Why it would be put aside; `None`: it would become a message.
    pub quarantine: Option<Reason>,
    /// From.
    pub from: Option<Named>,
    /// Sender, when it is another.
    pub sent_by: Option<Named>,
    /// To.
    pub to: Vec<Named>,
    /// Cc.
    pub cc: Vec<Named>,
    /// Bcc.
    pub bcc: Vec<Named>,
    /// Reply-To: where answers go, never who it is.
    pub reply_to: Vec<Named>,
    /// Addresses through which it came.
    pub delivered_to: Vec<String>,
    /// Subject.
    pub subject: Option<String>,
    /// Date, in UTC.
    pub date: Option<String>,
    /// The whole text.
    pub text: String,
    /// The text was made of HTML, because the mail has no other.
    pub text_is_of_html: bool,
    /// What of it is new.
    pub reply: String,
    /// What is folded on screen.
    pub folded: Vec<Folded>,
    /// It has HTML, which is shown safely.
    pub has_html: bool,
    /// Pictures of the network that wait to be asked for.
    pub remote_images: usize,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// Invitations.
    pub calendar: Vec<CalendarCard>,
    /// Signatures and encryption, not checked.
    pub seals: Vec<Seal>,
    /// How far the sender is to be believed.
    pub trust: Trust,
    /// Evidence for placement.
    pub threading: Threading,
    /// Written by a machine?
    pub automatic: Machine,
    /// What a server reports in it.
    pub report: Option<MailReport>,
    /// What an agent should know.
    pub warnings: Vec<Warning>,
}

/// Why a mail is put aside.
#[derive(Clone, Debug, Serialize)]
pub struct Reason {
    /// Stable word.
    pub reason: String,
    /// In words.
    pub detail: String,
}

/// Somebody.
#[derive(Clone, Debug, Serialize)]
pub struct Named {
    /// Display name.
    pub name: Option<String>,
    /// Address, when it is one.
    pub address: Option<String>,
}

/// A file.
#[derive(Clone, Debug, Serialize)]
pub struct Attachment {
    /// Name.
    pub name: String,
    /// Media type as the sender says.
    pub mime: String,
    /// Size.
    pub bytes: u64,
    /// Shown inside the HTML, not listed.
    pub inline: bool,
}

/// How far the sender is to be believed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Trust {
    /// The result.
    pub result: SenderTrust,
    /// The proof level that the address gets.
    pub proof_level: u8,
    /// What was weighed.
    pub evidence: Vec<TrustEvidence>,
}

/// Evidence for placement.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Threading {
    /// Everything found.
    #[serde(flatten)]
    pub keys: Keys,
    /// Ids that it answers, newest first.
    pub answers: Vec<String>,
}

/// Explains a mail.
pub fn mail(bytes: &[u8]) -> Explained {
    match parse::read(bytes, &Around::default()) {
        Ok(mail) => of(mail),
        Err(quarantine) => put_aside(&quarantine.reason, &quarantine.detail),
    }
}

/// Explains a bare plain-text body.
pub fn body(bytes: &[u8]) -> Explained {
    let text = model::fold::clean(&crate::charset::decode_unlabelled(bytes).text);
    let split = quote::split_text(&text);
    Explained { reply: split.reply, folded: split.folded, text, ..Explained::default() }
}

/// The answer for a mail that is put aside.
pub fn put_aside(reason: &str, detail: &str) -> Explained {
    Explained { quarantine: Some(Reason { reason: reason.to_owned(), detail: detail.to_owned() }), ..Explained::default() }
}

fn of(mail: ParsedMail) -> Explained {
    let people = |people: &[Person]| people.iter().filter_map(named).collect();
    Explained {
        quarantine: None,
        from: named(&mail.sender.person),
        sent_by: mail.sent_by.as_ref().and_then(named),
        to: people(&mail.to),
        cc: people(&mail.cc),
        bcc: people(&mail.bcc),
        reply_to: people(&mail.reply_to),
        delivered_to: mail.delivered_to,
        subject: mail.subject,
        date: mail.sent_at.map(|at| at.to_string()),
        text_is_of_html: mail.text_is_of_html,
        reply: mail.split.reply,
        folded: mail.split.folded,
        has_html: mail.html.is_some(),
        remote_images: mail.html.as_ref().map_or(0, |html| html.remote_images),
        attachments: mail.files.into_iter().map(attachment).collect(),
        calendar: mail.calendar,
        seals: mail.seals,
        trust: Trust { result: mail.trust, proof_level: mail.trust.proof_level(), evidence: mail.evidence },
        threading: Threading { answers: mail.keys.answers(), keys: mail.keys },
        automatic: mail.machine,
        report: mail.report,
        warnings: mail.warnings,
        text: mail.text,
    }
}

fn named(person: &Person) -> Option<Named> {
    let named = Named { name: person.name.clone(), address: person.address.clone() };
    (named.name.is_some() || named.address.is_some()).then_some(named)
}

fn attachment(file: EnclosedFile) -> Attachment {
    Attachment { name: file.name, mime: file.mime, bytes: file.bytes, inline: file.content_id.is_some() }
}

impl Named {
    fn shown(&self) -> String {
        Person { name: self.name.clone(), address: self.address.clone() }.shown()
    }
}

impl Explained {
    /// In words, for a person at a terminal.
    pub fn in_words(&self, of_mail: bool) -> String {
        let mut out = String::new();
        if let Some(reason) = &self.quarantine {
            let _ = writeln!(out, "Quarantine   {}: {}", reason.reason, reason.detail);
            return out;
        }
        if of_mail {
            self.head_in_words(&mut out);
        }
        section(&mut out, "Reply", &self.reply);
        for folded in &self.folded {
            let kind = match folded.kind {
                SpanKind::New => continue,
                SpanKind::Quote => "quote",
                SpanKind::Forward => "forwarded mail",
                SpanKind::Signature => "signature",
            };
            section(&mut out, &format!("Folded: {kind}, bytes {} to {}", folded.start, folded.end), &folded.text);
        }
        out
    }

    fn head_in_words(&self, out: &mut String) {
        let mut line = |name: &str, value: &str| {
            if !value.is_empty() {
                let _ = writeln!(out, "{name:<12} {}", one_line(value));
            }
        };
        let list = |people: &[Named]| people.iter().map(Named::shown).collect::<Vec<_>>().join(", ");
        line("From", &self.from.as_ref().map(Named::shown).unwrap_or_else(|| "nobody".to_owned()));
        line("Sent by", &self.sent_by.as_ref().map(Named::shown).unwrap_or_default());
        line("To", &list(&self.to));
        line("Cc", &list(&self.cc));
        line("Bcc", &list(&self.bcc));
        line("Answers to", &list(&self.reply_to));
        line("Came through", &self.delivered_to.join(", "));
        line("Subject", self.subject.as_deref().unwrap_or("none"));
        line("Date", self.date.as_deref().unwrap_or("none that can be read"));
        let level = self.trust.proof_level;
        line("Sender", &format!("{}, proof level {level}", word(&self.trust.result)));
        for evidence in &self.trust.evidence {
            let domain = evidence.domain.as_deref().map(|domain| format!(" ({domain})")).unwrap_or_default();
            let detail = evidence.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
            line("", &format!("{} {}{domain}{detail}", evidence.method, evidence.result));
        }
        let mark = |mark: &Option<String>| mark.as_deref().map(|mark| format!(", by {mark}")).unwrap_or_default();
        line("Automatic", &format!("{}{}", word(&self.automatic.automatic), mark(&self.automatic.mark)));
        if let Some(quiet) = &self.automatic.quiet {
            line("", &format!("never answered automatically, by {quiet}"));
        }
        if let Some(report) = &self.report {
            line(
                "Report",
                &format!("{} about {}", word(&report.kind), report.original_id.as_deref().unwrap_or("an unknown mail")),
            );
            for recipient in &report.recipients {
                let said = recipient.text.as_deref().unwrap_or_default();
                let status = recipient.status.as_deref().unwrap_or_default();
                line("", &format!("{}: {} {status} {said}", recipient.address, word(&recipient.state)));
            }
        }
        let keys = &self.threading.keys;
        line("Message-ID", keys.message_id.as_deref().unwrap_or("none that can match"));
        line("Answers", &self.threading.answers.join(" "));
        line("Tokens", &keys.tokens.join(" "));
        line("Topic", &keys.topic);
        for file in &self.attachments {
            let place = if file.inline { ", shown inside" } else { "" };
            line("Attachment", &format!("{} ({}, {} bytes{place})", file.name, file.mime, file.bytes));
        }
        for card in &self.calendar {
            let summary = card.summary.as_deref().unwrap_or("appointment");
            line("Calendar", &format!("{summary}, {}", card.starts.as_deref().unwrap_or("no time")));
        }
        for seal in &self.seals {
            line("Seal", &format!("{}, not checked", word(seal)));
        }
        for warning in &self.warnings {
            line("Warning", &format!("{}: {}", warning.code, warning.text));
        }
    }
}

fn section(out: &mut String, title: &str, text: &str) {
    let _ = writeln!(out, "\n--- {title}");
    // What moves the cursor or colours the terminal stays out of it.
    let shown: String = text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{FFFD}' } else { c }).collect();
    let _ = writeln!(out, "{}", shown.trim_end());
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

// The word that a type has in JSON.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|json| json.as_str().map(|word| word.replace('_', " "))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTER: &str = "From: Ada <ada@cust.test>\nTo: support@shop.test\nSubject: Order\nDate: Sun, 1 Mar 2026 10:00:00 +0100\nMessage-ID: <2@cust.test>\nIn-Reply-To: <1@shop.test>\n\nIt fits!\n\n-- \nAda\n";

    #[test]
    fn a_letter_in_words_and_in_json() {
        let explained = mail(LETTER.as_bytes());
        let words = explained.in_words(true);
        for line in [
            "From         Ada <ada@cust.test>",
            "Subject      Order",
            "Date         2026-03-01T09:00:00",
            "Sender       unverified, proof level 1",
            "Automatic    no",
            "Message-ID   2@cust.test",
            "Answers      1@shop.test",
            "--- Reply\nIt fits!",
            "--- Folded: signature",
        ] {
            assert!(words.contains(line), "{line} is not in\n{words}");
        }
        let json = serde_json::to_value(&explained).unwrap();
        assert_eq!(json["from"]["address"], "ada@cust.test");
        assert_eq!(json["reply"], "It fits!");
        assert_eq!(json["threading"]["answers"][0], "1@shop.test");
        assert_eq!(json["trust"]["proof_level"], 1);
        assert_eq!(json["quarantine"], serde_json::Value::Null);
    }

    #[test]
    fn a_bare_body_and_a_mail_that_is_put_aside() {
        let explained = body(b"Thanks\r\n\r\n> old\r\n");
        assert_eq!((explained.reply.as_str(), explained.folded.len()), ("Thanks", 1));
        let aside = mail(b"");
        assert_eq!(aside.in_words(true), "Quarantine   empty: it has no content\n");
        assert!(mail(b"From: a@b.test\n\n\x1b[31mred").in_words(true).contains("\u{FFFD}[31mred"));
    }
}
