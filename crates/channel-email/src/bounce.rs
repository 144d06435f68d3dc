//! What mail servers and mail programs report: not delivered, delayed, delivered, read, taken for spam (email.md 11). In:
//! a mail and its parts. Out: a `MailReport` with each recipient and everything by which the reported mail can be found
//! again: its Message-ID, the ids it refers to, our own correlation header. Pure, never fails.
//!
//! Standard reports first (RFC 3464, RFC 5965, RFC 8098), then what older and other servers write as plain text: Exim's
//! `X-Failed-Recipients`, qmail, Exchange. Whether a report is to be believed is not asked here: the Message-ID carries a
//! MAC that the desk checks, so nobody can report on a mail they never had.

use crate::headers::Headers;
use crate::mime::Part;
use crate::quote_lines::up_to;
use crate::reply_chain;
use crate::{address, auto};
use channel::{Automatic, DeliveryState, MailReport, ReportKind, ReportedRecipient};

/// Recipients of one report.
const RECIPIENTS_MAX: usize = 500;
/// Bytes of text in which addresses are looked for.
const TEXT_MAX: usize = 64 * 1024;
/// Our header on everything that we send.
pub const CORRELATION: &str = "X-Continuo-Correlation";

/// The report that a mail is. `text`: its plain text.
pub fn read(mail: &[u8], parts: &[Part], text: &str) -> Option<MailReport> {
    let headers = &parts.first()?.headers;
    let field_part = |kind: &str| parts.iter().find(|part| part.mime == kind);
    if let Some(part) = field_part("message/feedback-report") {
        return Some(with_original(complaint(&fields_of(mail, part)), mail, parts, ""));
    }
    if let Some(part) = field_part("message/disposition-notification") {
        return Some(with_original(receipt(&fields_of(mail, part)), mail, parts, ""));
    }
    let statuses: Vec<&Part> = parts
        .iter()
        .filter(|part| matches!(part.mime.as_str(), "message/delivery-status" | "message/global-delivery-status"))
        .collect();
    let mut recipients = vec![];
    for part in statuses {
        recipients.extend(statuses_of(&part.text(mail).text));
    }
    if recipients.is_empty() {
        recipients = guessed(headers, text);
    }
    if recipients.is_empty() {
        return None;
    }
    recipients.truncate(RECIPIENTS_MAX);
    let report = MailReport { kind: ReportKind::Delivery, recipients, ..MailReport::default() };
    Some(with_original(report, mail, parts, text))
}

// Blocks of fields as they stand in reports.
fn fields_of(mail: &[u8], part: &Part) -> Headers {
    Headers::read(part.text(mail).text.trim_start().as_bytes())
}

// `rfc822; <jo@cust.test>` and the sloppier forms of it.
fn recipient(value: &str) -> Option<String> {
    let value = value.split_once(';').map_or(value, |(_, address)| address);
    let value = value.trim().trim_matches(['<', '>', '"', ' ']);
    address::valid(value).or_else(|| address::parse(value).into_iter().find_map(|person| person.address))
}

// Each block of a delivery status but the first is about one recipient; some servers leave the empty line out.
fn statuses_of(text: &str) -> Vec<ReportedRecipient> {
    let text = text.replace("\r\n", "\n");
    let mut all: Vec<ReportedRecipient> = vec![];
    let mut block = String::new();
    let mut flush = |block: &mut String| {
        let fields = Headers::read(block.as_bytes());
        block.clear();
        // The address that we wrote to is the original one; the final one may be where it was forwarded.
        let named = ["Original-Recipient", "X-Original-Recipient", "Final-Recipient", "X-Actual-Recipient"];
        let Some(address) = named.iter().filter_map(|name| fields.first(name)).find_map(recipient) else { return };
        let status = fields.first("Status").and_then(status_code);
        let diagnostic = fields.first("Diagnostic-Code").unwrap_or_default();
        let said = diagnostic.split_once(';').map_or(diagnostic, |(_, said)| said).trim();
        let action = fields.first("Action").unwrap_or_default().trim().to_ascii_lowercase();
        let status = status.or_else(|| status_in(said));
        let Some(state) = state_of(&action, status.as_deref()) else { return };
        let same = all.iter().any(|have| have.address.eq_ignore_ascii_case(&address));
        if !same && all.len() < RECIPIENTS_MAX {
            all.push(ReportedRecipient { address, state, status, text: shown(said) });
        }
    };
    let starts = |line: &str, name: &str| line.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    let mut named = false;
    for line in text.lines() {
        let names = starts(line, "Final-Recipient:") || starts(line, "Original-Recipient:");
        let again = names
            && named
            && block.to_ascii_lowercase().contains(&line.split(':').next().unwrap_or_default().to_ascii_lowercase());
        if line.trim().is_empty() || again {
            flush(&mut block);
            named = false;
        }
        named |= names;
        block.push_str(line);
        block.push('\n');
        // No block of fields is that long.
        if block.len() > 32 * 1024 {
            block.clear();
        }
    }
    flush(&mut block);
    all
}

fn shown(text: &str) -> Option<String> {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(500).collect();
    (!text.is_empty()).then_some(text)
}

// `5.1.1` out of `5.1.1 (bad mailbox)`.
fn status_code(value: &str) -> Option<String> {
    let word = value.split_whitespace().next()?;
    let mut pieces = word.split('.');
    let class = pieces.next().filter(|class| matches!(*class, "2" | "4" | "5"))?;
    let rest: Vec<&str> = pieces.by_ref().take(3).collect();
    let good = rest.len() == 2
        && rest.iter().all(|piece| (1..=3).contains(&piece.len()) && piece.bytes().all(|byte| byte.is_ascii_digit()));
    good.then(|| format!("{class}.{}.{}", rest[0], rest[1]))
}

/// The first enhanced status in a server's words, else one made of its three-digit reply.
fn status_in(text: &str) -> Option<String> {
    let words = || text.split(|c: char| c.is_whitespace() || "-#()[]<>,;:".contains(c)).filter(|word| !word.is_empty()).take(400);
    words().find_map(status_code).or_else(|| {
        let reply = words()
            .find(|word| word.len() == 3 && word.starts_with(['4', '5']) && word.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(format!("{}.0.0", &reply[..1]))
    })
}

fn state_of(action: &str, status: Option<&str>) -> Option<DeliveryState> {
    match action {
        // Also with a 4.x.x: a server that gave up after trying for days.
        "failed" => return Some(DeliveryState::Failed),
        "delayed" => return Some(DeliveryState::Queued),
        "delivered" => return Some(DeliveryState::Delivered),
        // Handed on to somebody who will not tell: no news about the customer.
        "relayed" | "expanded" => return Some(DeliveryState::Sent),
        _ => {}
    }
    match status?.as_bytes()[0] {
        b'5' => Some(DeliveryState::Failed),
        b'4' => Some(DeliveryState::Queued),
        b'2' => Some(DeliveryState::Delivered),
        _ => None,
    }
}

fn complaint(fields: &Headers) -> MailReport {
    let kind = fields.first("Feedback-Type").unwrap_or("abuse").trim().to_ascii_lowercase();
    let named = fields.all("Original-Rcpt-To").chain(fields.all("Removal-Recipient")).chain(fields.all("Final-Recipient"));
    let mut recipients: Vec<ReportedRecipient> = vec![];
    for address in named.filter_map(recipient) {
        if recipients.len() < RECIPIENTS_MAX && !recipients.iter().any(|have| have.address.eq_ignore_ascii_case(&address)) {
            // It did arrive: that is why somebody complains.
            recipients.push(ReportedRecipient {
                address,
                state: DeliveryState::Delivered,
                status: None,
                text: Some(kind.clone()),
            });
        }
    }
    MailReport { kind: ReportKind::Abuse, recipients, ..MailReport::default() }
}

fn receipt(fields: &Headers) -> MailReport {
    let disposition = fields.first("Disposition").unwrap_or_default().to_ascii_lowercase();
    let kind = disposition.split_once(';').map_or(disposition.as_str(), |(_, kind)| kind).trim().to_owned();
    // Deleted, denied, dispatched: it arrived, more is not said.
    let state = if kind.starts_with("displayed") { DeliveryState::Read } else { DeliveryState::Delivered };
    let address = ["Original-Recipient", "Final-Recipient"].iter().filter_map(|name| fields.first(name)).find_map(recipient);
    let recipients =
        address.into_iter().map(|address| ReportedRecipient { address, state, status: None, text: shown(&kind) }).collect();
    let original_id = fields.raw("Original-Message-ID").and_then(|raw| reply_chain::ids(raw, true).into_iter().next());
    MailReport { kind: ReportKind::Read, recipients, original_id, ..MailReport::default() }
}

// What leads back to the mail that the report is about.
fn with_original(mut report: MailReport, mail: &[u8], parts: &[Part], text: &str) -> MailReport {
    let returned = parts.iter().skip(1).find(|part| {
        matches!(part.mime.as_str(), "message/rfc822" | "text/rfc822-headers" | "message/global" | "message/global-headers")
    });
    let mut original = returned.map(|part| Headers::read(&part.bytes(mail)));
    if original.as_ref().is_none_or(|headers| headers.fields().is_empty()) {
        original = returned_in_text(text);
    }
    if let Some(original) = original {
        let id = reply_chain::message_id(&original);
        report.original_id = report.original_id.or(id);
        report.original_correlation = original.first(CORRELATION).map(|value| value.chars().take(200).collect());
        let refers = original.raw("References").map(|raw| reply_chain::ids(raw, true)).unwrap_or_default();
        report.original_references = refers.into_iter().filter(|id| Some(id) != report.original_id.as_ref()).collect();
    }
    // The report itself may answer our mail by its headers.
    let outer = &parts[0].headers;
    for field in ["References", "In-Reply-To"] {
        for id in outer.raw(field).map(|raw| reply_chain::ids(raw, true)).unwrap_or_default() {
            if Some(&id) != report.original_id.as_ref() && !report.original_references.contains(&id) {
                report.original_references.push(id);
            }
        }
    }
    let excess = report.original_references.len().saturating_sub(50);
    report.original_references.drain(..excess);
    report
}

// qmail, Exim and others put the returned mail, or its headers, behind a line into the text.
fn returned_in_text(text: &str) -> Option<Headers> {
    let text = cut(text);
    let low = text.to_ascii_lowercase();
    let at = RETURNED.iter().filter_map(|mark| low.find(mark).map(|at| at + mark.len())).min()?;
    let rest = &text[at..];
    let rest = &rest[rest.find('\n')? + 1..];
    let headers = Headers::read(rest.trim_start_matches(['\r', '\n', ' ', '-', '=']).as_bytes());
    headers.has("Message-ID").then_some(headers)
}

const RETURNED: &[&str] = &[
    "below this line is a copy of the message",
    "this is a copy of the message, including all the headers",
    "this is a copy of your message, including all the headers",
    "this is a copy of the headers of the original message",
    "original message headers",
    "----- original message -----",
    "original message follows",
    "the message headers follow",
    "returned message below",
];

fn cut(text: &str) -> &str {
    up_to(text, TEXT_MAX)
}

// Reports without the standard's parts. Only mail that comes from a mail system is asked.
fn guessed(headers: &Headers, text: &str) -> Vec<ReportedRecipient> {
    if auto::classify(headers, &[]).automatic != Automatic::Bounce {
        return vec![];
    }
    let text = cut(text);
    // What was returned is not what was said about it.
    let low = text.to_ascii_lowercase();
    let end = RETURNED.iter().filter_map(|mark| low.find(mark)).min().unwrap_or(text.len());
    let said = &text[..end];
    let low = &low[..end];
    let fails = FAILURES.iter().any(|words| low.contains(words));
    let waits = !fails && DELAYS.iter().any(|words| low.contains(words));
    let addresses: Vec<String> = match headers.first("X-Failed-Recipients") {
        Some(value) => address::parse(value).into_iter().filter_map(|person| person.address).collect(),
        None if fails || waits => addressed_lines(said),
        None => vec![],
    };
    let named = headers.has("X-Failed-Recipients");
    let state = if waits && !named { DeliveryState::Queued } else { DeliveryState::Failed };
    addresses
        .into_iter()
        .take(RECIPIENTS_MAX)
        .map(|address| {
            // What the server said stands near the address.
            let near = said.find(address.as_str()).map(|at| &said[at + address.len()..]).unwrap_or(said);
            let near = up_to(near, 600);
            let status = status_in(near)
                .or_else(|| status_in(said))
                .or(Some(if state == DeliveryState::Failed { "5.0.0" } else { "4.0.0" }.to_owned()));
            ReportedRecipient { address, state, status, text: shown(near.trim_start_matches(['>', ':', ' ', ')', '\r', '\n'])) }
        })
        .collect()
}

const FAILURES: &[&str] = &[
    "permanent error",
    "permanent fatal errors",
    "permanently",
    "could not be delivered",
    "couldn't be delivered",
    "wasn't able to deliver",
    "was not able to deliver",
    "unable to deliver",
    "unable to be delivered",
    "undeliverable",
    "delivery has failed",
    "delivery failed",
    "delivery failure",
    "failed to deliver",
    "user unknown",
    "unknown user",
    "no such user",
    "mailbox unavailable",
    "mailbox not found",
    "address rejected",
    "does not exist",
    "doesn't exist",
    "recipient rejected",
    "did not reach the following",
    "not delivered",
    "wasn't found",
    "message blocked",
    "returned to sender",
    "unrouteable",
    "i've given up",
    "konnte nicht zugestellt werden",
    "unzustellbar",
    "n'a pas pu être remis",
    "non remis",
    "no se pudo entregar",
    "no se ha podido entregar",
    "impossibile recapitare",
    "não foi possível entregar",
    "kan niet worden bezorgd",
    "kunde inte levereras",
    "nie można dostarczyć",
    "не удалось доставить",
    "не доставлено",
];
const DELAYS: &[&str] = &[
    "delayed",
    "still trying",
    "will keep trying",
    "will be retried",
    "will continue to try",
    "not yet been delivered",
    "warning message only",
    "verzögert",
    "temporary problem",
    "temporarily",
];

// `<jo@cust.test>:` of qmail, `jo@cust.test` alone in a line of Exim and Exchange, `jo@cust.test (reason)`.
fn addressed_lines(text: &str) -> Vec<String> {
    let mut all: Vec<String> = vec![];
    for line in text.lines().take(2_000) {
        let line = line.trim().trim_start_matches(['*', '-', '•', ' ']);
        let word = line.split_whitespace().next().unwrap_or_default();
        let alone = line.split_whitespace().count() == 1;
        let bracket = word.starts_with('<') && (word.ends_with('>') || word.ends_with(">:"));
        let begins =
            word.contains('@') && (alone || word.ends_with(':') || line[word.len()..].trim_start().starts_with(['(', '<', '#']));
        // Outlook: `Jo Doe (jo@cust.test)<mailto:jo@cust.test>`.
        let mailto = line.find("<mailto:").map(|at| &line[at + 8..]).and_then(|rest| rest.split('>').next());
        let found = match () {
            () if bracket || begins => recipient(word.trim_end_matches(':')),
            () => mailto.and_then(recipient),
        };
        let Some(address) = found else { continue };
        let local = address.split('@').next().unwrap_or_default().to_ascii_lowercase();
        if matches!(local.as_str(), "postmaster" | "mailer-daemon" | "abuse")
            || all.iter().any(|have| have.eq_ignore_ascii_case(&address))
        {
            continue;
        }
        all.push(address);
        if all.len() >= RECIPIENTS_MAX {
            break;
        }
    }
    all
}

#[cfg(test)]
#[path = "bounce_tests.rs"]
mod tests;
