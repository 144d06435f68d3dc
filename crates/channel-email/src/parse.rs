//! What a raw mail means. In: its bytes, and what is known around it (how it came, look-ups made before). Out:
//! `ParsedMail`, from which come the event for the desk, the answer of `continuo mail explain`, and nothing else; or a
//! `Quarantine` with its reason. Pure: no clock, no network, no store.

use crate::address::{self, Person, Sender};
use crate::headers::Headers;
use crate::html::{self, Html};
use crate::mime::{self, Limit, Part};
use crate::quote::{self, Split};
use crate::reply_chain::Keys;
use crate::trust::{self, Verdict};
use crate::{auto, bounce, content, date};
use channel::{Automatic, CalendarCard, EnclosedFile, MailReport, Quarantine, Seal, SenderTrust, TrustEvidence, Warning};
use model::Timestamp;

/// A mail above this is not taken apart.
pub const MAIL_BYTES_MAX: usize = 100 * 1024 * 1024;
/// Headers above this are not those of a person's mail.
const HEADER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What is known of a mail beside its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// What `Evidence::gather` found.
    pub evidence: Option<&'a [u8]>,
    /// The name under which the inbox's own provider writes Authentication-Results.
    pub authserv_id: Option<&'a str>,
    /// Addresses of this inbox.
    pub own: &'a [String],
    /// Only the header block is there.
    pub headers_only: bool,
}

/// A mail, understood.
#[derive(Clone, Debug)]
pub struct ParsedMail {
    /// All header fields.
    pub headers: Headers,
    /// All parts.
    pub parts: Vec<Part>,
    /// Who sent it, as far as From can be believed.
    pub sender: Sender,
    /// To.
    pub to: Vec<Person>,
    /// Cc.
    pub cc: Vec<Person>,
    /// Bcc, which only copies in Sent have.
    pub bcc: Vec<Person>,
    /// Reply-To.
    pub reply_to: Vec<Person>,
    /// Sender, when it names another address than From.
    pub sent_by: Option<Person>,
    /// Addresses through which it came.
    pub delivered_to: Vec<String>,
    /// The first Subject.
    pub subject: Option<String>,
    /// The first Date, when it can be told.
    pub sent_at: Option<Timestamp>,
    /// Threading keys.
    pub keys: Keys,
    /// The whole text.
    pub text: String,
    /// The text was made of the HTML, because there is no other.
    pub text_is_of_html: bool,
    /// What of the text is new.
    pub split: Split,
    /// Safe HTML.
    pub html: Option<Html>,
    /// Files; `content_id` is set on those that the HTML shows.
    pub files: Vec<EnclosedFile>,
    /// Invitations.
    pub calendar: Vec<CalendarCard>,
    /// Signatures and encryption.
    pub seals: Vec<Seal>,
    /// How far the sender is to be believed.
    pub trust: SenderTrust,
    /// Why.
    pub evidence: Vec<TrustEvidence>,
    /// Written by a machine, and how it may be answered.
    pub machine: Machine,
    /// What a server reports in it.
    pub report: Option<MailReport>,
    /// What an agent should know.
    pub warnings: Vec<Warning>,
}

/// Was it written by a machine, and may a machine answer it?
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Machine {
    /// What it is.
    pub automatic: Automatic,
    /// The mark that says so.
    pub mark: Option<String>,
    /// Never answered automatically, although it is no automatic mail: the mark that says so.
    pub quiet: Option<String>,
}

/// Understands a mail.
pub fn read(mail: &[u8], around: &Around<'_>) -> Result<ParsedMail, Quarantine> {
    if mail.len() > MAIL_BYTES_MAX {
        return Err(Quarantine::new("too_large", format!("it has {} bytes; at most {MAIL_BYTES_MAX} are read", mail.len())));
    }
    if mail.iter().all(u8::is_ascii_whitespace) {
        return Err(Quarantine::new("empty", "it has no content"));
    }
    let parts = mime::read(mail).map_err(beyond)?;
    let headers = parts[0].headers.clone();
    if headers.body_at() > HEADER_BYTES_MAX {
        return Err(Quarantine::new("huge_headers", format!("its headers have more than {HEADER_BYTES_MAX} bytes")));
    }
    if !looks_like_mail(&headers) {
        return Err(Quarantine::new("not_a_mail", "it has none of the fields that every mail has"));
    }
    let body = content::read(mail, &parts);
    let mut warnings = body.warnings;
    let rich = body.html.as_deref().and_then(|html| match html::read(html) {
        Ok(rich) => Some(rich),
        Err(refused) => {
            warnings.push(Warning::new("html_refused", format!("only its text is shown: {refused}")));
            None
        }
    });
    let (text, split) = match (&rich, &body.html) {
        (Some(rich), _) if body.text_is_of_html => (rich.text.clone(), rich.split.clone()),
        (None, Some(html)) if body.text_is_of_html => split_of(model::fold::clean(&html::to_text(html))),
        _ => split_of(body.text),
    };
    let files = shown_inside(body.files, rich.as_ref());
    let sender = address::sender(&headers);
    warn_of_sender(&sender, &mut warnings);
    let report = bounce::read(mail, &parts, &text);
    let mut machine = auto::classify(&headers, around.own);
    // Reports of old servers say so only in their text.
    if report.is_some() && machine.automatic != Automatic::Bounce {
        machine = Machine { automatic: Automatic::Bounce, mark: Some("a report in its text".to_owned()), quiet: None };
    }
    let Verdict { trust, evidence } = trust::judge(&headers, &sender, around.evidence, around.authserv_id);
    let keys = Keys::read(&headers, &text);
    let from = sender.person.address.clone().map(|address| address.to_lowercase());
    let by = address::people(&headers, "Sender").into_iter().find(|person| person.address.is_some());
    let sent_at = headers.first("Date").and_then(date::parse);
    if sent_at.is_none() && headers.has("Date") {
        warnings.push(Warning::new("bad_date", "its date cannot be read"));
    }
    if around.headers_only {
        warnings.push(Warning::new("kept_on_server", "it is too large to be fetched whole; the rest is kept on the mail server"));
    }
    Ok(ParsedMail {
        sent_by: by.filter(|person| person.address.as_deref().map(str::to_lowercase) != from),
        to: address::people(&headers, "To"),
        cc: address::people(&headers, "Cc"),
        bcc: address::people(&headers, "Bcc"),
        reply_to: address::people(&headers, "Reply-To"),
        delivered_to: delivered_to(&headers),
        subject: headers.first("Subject").map(str::to_owned).or(body.tnef_subject).filter(|subject| !subject.is_empty()),
        sent_at,
        keys,
        text,
        text_is_of_html: body.text_is_of_html,
        split,
        html: rich,
        files,
        calendar: body.calendar,
        seals: body.seals,
        trust,
        evidence,
        machine,
        report,
        warnings,
        sender,
        headers,
        parts,
    })
}

fn beyond(limit: Limit) -> Quarantine {
    match limit {
        Limit::Depth => {
            Quarantine::new("nested_too_deep", format!("its parts are nested more than {} levels deep", mime::DEPTH_MAX))
        }
        Limit::Parts => Quarantine::new("too_many_parts", format!("it has more than {} parts", mime::PARTS_MAX)),
        Limit::Work => Quarantine::new("too_complex", "its boundaries cost too much time to sort out"),
    }
}

// At least one field by which a mail is a mail; a stray `name: value` line in garbage is none.
fn looks_like_mail(headers: &Headers) -> bool {
    const FIELDS: [&str; 17] = [
        "From",
        "To",
        "Cc",
        "Subject",
        "Date",
        "Message-ID",
        "Received",
        "Return-Path",
        "MIME-Version",
        "Content-Type",
        "Sender",
        "Reply-To",
        "Delivered-To",
        "Content-Transfer-Encoding",
        "X-Mailer",
        "Bcc",
        "Resent-From",
    ];
    FIELDS.iter().any(|field| headers.has(field))
}

fn split_of(text: String) -> (String, Split) {
    let split = quote::split_text(&text);
    (text, split)
}

fn warn_of_sender(sender: &Sender, warnings: &mut Vec<Warning>) {
    if sender.fields > 1 || sender.addresses > 1 {
        warnings.push(Warning::new("several_senders", "it names more than one sender, so none of them is believed"));
    } else if sender.fields == 0 {
        warnings.push(Warning::new("no_sender", "it names no sender"));
    } else if sender.addresses == 0 {
        warnings.push(Warning::new("no_sender_address", "its sender has no address that could be written to"));
    } else if sender.repaired {
        warnings.push(Warning::new("odd_sender", "the sender's address is not written as it should be"));
    }
}

// Pictures that the HTML shows keep their Content-ID; whatever else has one is listed as a file.
fn shown_inside(mut files: Vec<EnclosedFile>, rich: Option<&Html>) -> Vec<EnclosedFile> {
    for file in &mut files {
        let shown = |id: &String| rich.is_some_and(|rich| rich.cids.iter().any(|cid| cid.eq_ignore_ascii_case(id)));
        if !file.content_id.as_ref().is_some_and(shown) {
            file.content_id = None;
        }
    }
    files
}

fn delivered_to(headers: &Headers) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for field in ["Delivered-To", "X-Original-To", "Envelope-To"] {
        for person in address::people(headers, field) {
            if let Some(address) = person.address.filter(|address| !all.contains(address)) {
                all.push(address);
            }
        }
    }
    all.truncate(20);
    all
}
