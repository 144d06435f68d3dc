//! What a mail says about the mails before it: evidence for placement, never a decision (email.md 9). In: headers and
//! text. Out: ids that can match, candidate tokens, a normalised subject. MACs are checked by the desk. Pure.

use crate::address::{self, Person};
use crate::headers::{Headers, base64_lenient, unfold};
use crate::quote::{SpanKind, Split};
use crate::quote_words::FROM;

/// Ids of one field beyond this many: first ones and last ones are kept.
const IDS_MAX: usize = 100;
const TOKENS_MAX: usize = 50;
/// A token of ours: a letter for its kind and 29 characters of base32.
const TOKEN_CHARS: usize = 30;
// Fields in which an address of ours with its token may stand, strongest first.
const TOKEN_FIELDS: [&str; 6] = ["Delivered-To", "X-Original-To", "Envelope-To", "X-Forwarded-To", "To", "Cc"];

/// The threading keys of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Keys {
    /// Message-ID without angle brackets, when it can match.
    pub message_id: Option<String>,
    /// Ids of In-Reply-To that can match.
    pub in_reply_to: Vec<String>,
    /// Ids of References that can match, oldest first.
    pub references: Vec<String>,
    /// Thread-Index, the first 22 bytes in hex.
    pub thread_index: Option<String>,
    /// What stands behind the plus sign of our addresses, and tags in the text; unchecked.
    pub tokens: Vec<String>,
    /// The subject for comparing.
    pub topic: String,
}

impl Keys {
    /// Reads them all.
    pub fn read(headers: &Headers, text: &str) -> Self {
        let mut tokens = address_tokens(headers);
        for tag in text_tags(text) {
            if !tokens.contains(&tag) && tokens.len() < TOKENS_MAX {
                tokens.push(tag);
            }
        }
        Self {
            message_id: message_id(headers),
            in_reply_to: ids_of(headers, "In-Reply-To"),
            references: ids_of(headers, "References"),
            thread_index: headers.raw("Thread-Index").and_then(thread_index),
            tokens,
            topic: topic(headers.first("Subject").unwrap_or_default()),
        }
    }

    /// All ids that this mail answers, newest first: In-Reply-To, then References from their end.
    pub fn answers(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for id in self.in_reply_to.iter().chain(self.references.iter().rev()) {
            if !all.contains(id) && Some(id) != self.message_id.as_ref() {
                all.push(id.clone());
            }
        }
        all
    }
}

/// The first Message-ID, when it can match.
pub fn message_id(headers: &Headers) -> Option<String> {
    headers.raw("Message-ID").map(|raw| ids(raw, false)).unwrap_or_default().into_iter().next()
}

fn ids_of(headers: &Headers, field: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for header in headers.named(field) {
        for id in ids(&header.raw, true) {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        if all.len() > 10 * IDS_MAX {
            break;
        }
    }
    if all.len() > IDS_MAX {
        // A chain names its root first and its parents last.
        all.drain(IDS_MAX / 2..all.len() - IDS_MAX / 2);
    }
    all
}

/// The ids in a raw value that can match: something, `@`, something. In angle brackets; where there are none, bare words.
pub(crate) fn ids(raw: &str, several: bool) -> Vec<String> {
    let value = unfold(raw);
    let mut found = Vec::new();
    let mut rest = value.as_str();
    while let Some(open) = rest.find('<') {
        let inner = &rest[open + 1..];
        let end = inner.find(['>', '<']).unwrap_or(inner.len());
        found.extend(can_match(&inner[..end]));
        rest = &inner[end..];
        if found.len() > 10 * IDS_MAX || (!several && !found.is_empty()) {
            return found;
        }
    }
    if found.is_empty() && !value.contains('<') {
        found.extend(value.split_whitespace().take(10 * IDS_MAX).filter_map(can_match));
    }
    found
}

/// An id without the white space that folding put into it; `None` for what must match nothing (C7).
fn can_match(id: &str) -> Option<String> {
    let id: String = id.chars().filter(|c| !c.is_whitespace()).collect();
    let (left, right) = id.split_once('@')?;
    let good = !left.is_empty() && !right.is_empty() && id.len() <= 998 && !id.chars().any(char::is_control);
    good.then_some(id)
}

fn thread_index(raw: &str) -> Option<String> {
    let bytes = base64_lenient(unfold(raw).as_bytes())?;
    Some(bytes.get(..22)?.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn address_tokens(headers: &Headers) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    for field in TOKEN_FIELDS {
        for person in address::people(headers, field) {
            let Some(token) = person.address.as_deref().and_then(plus_part) else { continue };
            if !tokens.contains(&token) && tokens.len() < TOKENS_MAX {
                tokens.push(token);
            }
        }
    }
    tokens
}

/// What stands behind the first plus sign of a local part, in lower case.
fn plus_part(address: &str) -> Option<String> {
    let (local, _) = address.rsplit_once('@')?;
    let (_, token) = local.split_once('+')?;
    (!token.is_empty()).then(|| token.to_lowercase())
}

/// Words of the text that have the form of a token: our footer writes one, and quoting carries it along.
fn text_tags(text: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
        let looks = word.len() == TOKEN_CHARS && word.starts_with(['c', 'C']) && word.bytes().any(|b| b.is_ascii_digit());
        if looks {
            let tag = word.to_ascii_lowercase();
            if !tags.contains(&tag) {
                tags.push(tag);
            }
            if tags.len() >= 5 {
                break;
            }
        }
    }
    tags
}

// Marks of answers and forwards before a subject, in the languages of mail programs. All in lower case, without colon.
const MARKS: [&str; 62] = [
    "re",
    "aw",
    "antw",
    "antwort",
    "sv",
    "vs",
    "ref",
    "rv",
    "res",
    "odp",
    "ynt",
    "r",
    "rif",
    "tr",
    "bls",
    "atb",
    "pd",
    "ad",
    "ar",
    "fw",
    "fwd",
    "wg",
    "wtr",
    "doorst",
    "vl",
    "vb",
    "vid",
    "i",
    "enc",
    "encam",
    "rvd",
    "ilt",
    "trs",
    "fs",
    "vá",
    "továbbítás",
    "απ",
    "σχετ",
    "προθ",
    "πρθ",
    "ответ",
    "отв",
    "hа",
    "на",
    "пер",
    "пересл",
    "на пересл",
    "回复",
    "回覆",
    "答复",
    "转发",
    "轉寄",
    "返信",
    "転送",
    "回信",
    "답장",
    "전달",
    "תשובה",
    "הועבר",
    "رد",
    "إعادة توجيه",
    "re-fwd",
];

/// A subject without marks of answers and forwards, list tags in front of them, and differences of case and white space.
pub fn topic(subject: &str) -> String {
    let mut rest = subject.trim();
    loop {
        let before = rest.len();
        rest = rest.trim_start();
        // "[list] Re: x" and "Re: [list] x" are one topic.
        if let Some(inner) = rest.strip_prefix('[')
            && let Some((tag, after)) = inner.split_once(']')
            && tag.len() <= 40
            && !after.trim().is_empty()
            && before_mark(after)
        {
            rest = after;
            continue;
        }
        if let Some(after) = without_mark(rest) {
            rest = after;
        }
        if rest.len() == before {
            break;
        }
    }
    let words: Vec<String> = rest.split_whitespace().map(str::to_lowercase).collect();
    let joined = words.join(" ");
    joined.trim_end_matches("(fwd)").trim_end().to_owned()
}

/// The sender of a mail that was passed on, as the forwarding program wrote it above the old text: for an agent to accept,
/// never assumed, since anybody can type such a line.
pub fn forwarded_from(text: &str, split: &Split) -> Option<Person> {
    let passed_on = split.spans.iter().find(|span| span.kind == SpanKind::Forward)?;
    let lines = text.get(passed_on.start..passed_on.end)?.lines().take(30);
    lines.filter_map(sender_line).next()
}

// "From: Ada <ada@cust.test>", "> *Von:* ..", in the languages of mail programs.
fn sender_line(line: &str) -> Option<Person> {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '>' | '*' | '|'));
    let (word, value) = line.split_once([':', '：'])?;
    let word = word.trim_end_matches(['*', ' ', '\u{A0}']).to_lowercase();
    if !FROM.contains(&word.as_str()) {
        return None;
    }
    // Outlook writes "Ada [mailto:ada@cust.test]".
    let value = value.trim_start_matches(['*', ' ']).replace("[mailto:", "<").replace(']', ">");
    address::parse(&value).into_iter().find(|person| person.address.is_some())
}

fn before_mark(text: &str) -> bool {
    without_mark(text.trim_start()).is_some()
}

// "Re:", "RE[2]:", "Re (3) :", "AW：" - and what follows.
fn without_mark(text: &str) -> Option<&str> {
    let (mark, after) = text.split_once([':', '：'])?;
    if mark.len() > 40 {
        return None;
    }
    let mark = mark.trim().trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | '^' | '*' | ' '));
    MARKS.contains(&mark.to_lowercase().as_str()).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(fields: &[(&str, &str)]) -> Keys {
        Keys::read(&fields.iter().map(|(name, value)| (*name, *value)).collect(), "")
    }

    #[test]
    fn ids_as_programs_write_them() {
        let ids = |raw: &str| super::ids(raw, true);
        assert_eq!(ids("<a@b>"), ["a@b"]);
        assert_eq!(ids("<a@b>\r\n <c@d>\t<e@f>"), ["a@b", "c@d", "e@f"]);
        assert_eq!(ids("<a@b><c@d>,<e@f>"), ["a@b", "c@d", "e@f"]);
        assert_eq!(ids("Your message of \"Mon, 1 Jan\" by x@y.test <a@b>"), ["a@b"]);
        assert_eq!(ids("<long-id\r\n -folded@b>"), ["long-id-folded@b"]);
        assert_eq!(ids("a@b"), ["a@b"]);
        assert_eq!(ids("<a@b <c@d>"), ["a@b", "c@d"]);
    }

    #[test]
    fn c7_an_empty_or_broken_message_id_matches_nothing() {
        for raw in ["", "<>", "< >", "<abc>", "<@>", "<@b>", "<a@>", "none", "<<>>"] {
            let keys = keys(&[("Message-ID", raw), ("In-Reply-To", raw), ("References", raw)]);
            assert_eq!(keys, Keys::default(), "{raw}");
        }
    }

    #[test]
    fn c12_to_c14_all_ids_are_evidence_newest_first() {
        let keys = keys(&[("Message-ID", "<4@x>"), ("In-Reply-To", "<3@x>"), ("References", "<1@x> <2@x> <3@x> <4@x>")]);
        assert_eq!(keys.answers(), ["3@x", "2@x", "1@x"]);
    }

    #[test]
    fn tokens_are_found_strongest_place_first_and_left_unchecked() {
        let keys = keys(&[
            ("To", "Shop <support+CABC@shop.test>, x@y.test"),
            ("Cc", "a+b+c@shop.test"),
            ("Delivered-To", "support+cdef@shop.test"),
        ]);
        assert_eq!(keys.tokens, ["cdef", "cabc", "b+c"]);
        let tag = "c0cn99439p060h1234567890abcdef";
        let text = format!("Thanks!\n\n> -- \n> Shop [#{tag}]\n> c{}\n", "a".repeat(29));
        assert_eq!(Keys::read(&Headers::default(), &text).tokens, [tag]);
    }

    #[test]
    fn topics_are_what_remains() {
        for (subject, topic) in [
            ("Re: Order 5", "order 5"),
            ("RE: AW: Re[2]: Fwd: order  5", "order 5"),
            ("[list] Re: Order 5", "order 5"),
            ("[urgent] Order 5", "[urgent] order 5"),
            ("回复：订单", "订单"),
            ("Antwort: Bestellung", "bestellung"),
            ("Reminder: pay", "reminder: pay"),
            ("Re:", ""),
            ("", ""),
            ("Order 5 (fwd)", "order 5"),
        ] {
            assert_eq!(super::topic(subject), topic, "{subject}");
        }
    }

    #[test]
    fn c16_a_thread_index_is_the_head_of_what_outlook_writes() {
        let whole = "AdQ0jyKpLmVcVJJqT1S0ptVgnmkfHwAAW2aA";
        let keys = keys(&[("Thread-Index", whole)]);
        assert_eq!(keys.thread_index.as_deref().map(str::len), Some(44));
        assert_eq!(super::thread_index("AdQ="), None);
    }

    #[test]
    fn the_sender_of_a_forwarded_mail_is_offered() {
        let of = |text: &str| forwarded_from(text, &crate::quote::split_text(text)).map(|person| person.shown());
        let gmail = "FYI\n\n---------- Forwarded message ---------\nFrom: Ada Novák <ada@cust.test>\nDate: Sun, 1 Mar 2026 at 10:00\nSubject: Ring\nTo: <lea@shop.test>\n\nIt is broken.\n";
        assert_eq!(of(gmail).as_deref(), Some("Ada Novák <ada@cust.test>"));
        assert_eq!(sender_line("> *Von:* Ada [mailto:ada@cust.test]").and_then(|p| p.address).as_deref(), Some("ada@cust.test"));
        assert_eq!(sender_line("To: ada@cust.test"), None);
        assert_eq!(of("From: the shop: hello@x.test is closed\n\nBye"), None);
    }

    #[test]
    fn long_chains_keep_their_ends() {
        let chain: String = (0..500).map(|n| format!("<{n}@x> ")).collect();
        let keys = keys(&[("References", &chain)]);
        assert_eq!(keys.references.len(), IDS_MAX);
        assert_eq!((keys.references[0].as_str(), keys.references[99].as_str()), ("0@x", "499@x"));
    }
}
