//! The header fields of a mail or of one of its parts, all of them, in order, with nothing thrown away: which of two
//! equal fields counts is decided by who asks (email.md 7.3), not by a parser.
//!
//! In: bytes that begin with a header block. Out: every field with its raw and its readable value. Pure, never fails.

use crate::charset;

/// Header fields beyond this many are not read: no mail of a person comes near it, and each costs memory.
pub const FIELDS_MAX: usize = 20_000;

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name as written.
    pub name: String,
    /// Its value as it stands in the mail, line breaks of folding included.
    pub raw: String,
    /// Its value for people: unfolded, encoded words decoded, trimmed.
    pub value: String,
}

/// All header fields in the order of the mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    fields: Vec<Header>,
    body_at: usize,
}

impl Headers {
    /// Reads the header block at the beginning of a mail. A byte-order mark, empty lines and an mbox `From ` line before
    /// it are skipped; a line that is no header field and no folding is skipped too, because the fields after it count.
    pub fn read(mail: &[u8]) -> Self {
        let mut at = start_of_headers(mail);
        let mut fields: Vec<Header> = Vec::new();
        let mut open: Option<(String, Vec<u8>)> = None;
        let mut seen_any = false;
        while at < mail.len() {
            let (line, next) = line_at(mail, at);
            if line.is_empty() {
                at = next;
                break;
            }
            if matches!(line[0], b' ' | b'\t') && seen_any {
                if let Some((_, value)) = open.as_mut() {
                    value.extend_from_slice(b"\r\n");
                    value.extend_from_slice(line);
                }
            } else if let Some((name, value)) = split_field(line) {
                close(&mut fields, open.take());
                open = Some((name, value.to_vec()));
                seen_any = true;
            } else if !more_fields_follow(&mail[next.min(mail.len())..]) {
                // No field comes any more before an empty line: this line is the first of the body.
                break;
            }
            at = next;
        }
        close(&mut fields, open.take());
        Self { fields, body_at: at.min(mail.len()) }
    }

    /// No fields, and a body that begins here.
    pub(crate) fn without_fields(body_at: usize) -> Self {
        Self { fields: vec![], body_at }
    }

    /// All fields in order.
    pub fn fields(&self) -> &[Header] {
        &self.fields
    }

    /// Where the body begins in the bytes that `read` got.
    pub fn body_at(&self) -> usize {
        self.body_at
    }

    /// Readable value of the first field of this name, in any case of letters.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.find(name).map(|field| field.value.as_str())
    }

    /// Readable values of all fields of this name, topmost first.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.named(name).map(|field| field.value.as_str())
    }

    /// Raw value of the first field of this name: what addresses and parameters are read from, since decoding an
    /// encoded word first could make syntax out of a display name.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.find(name).map(|field| field.raw.as_str())
    }

    /// The fields of this name.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Header> + 'a {
        self.fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name))
    }

    /// Is there such a field?
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn find(&self, name: &str) -> Option<&Header> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// How many fields of this name there are.
    pub fn count(&self, name: &str) -> usize {
        self.named(name).count()
    }
}

// Builds headers in tests and for parts that have none of their own.
impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let fields = fields.into_iter().map(|(name, value)| {
            let raw = value.into();
            Header { name: name.into(), value: readable(raw.as_bytes()), raw }
        });
        Self { fields: fields.collect(), body_at: 0 }
    }
}

fn close(fields: &mut Vec<Header>, open: Option<(String, Vec<u8>)>) {
    if let Some((name, raw)) = open
        && fields.len() < FIELDS_MAX
    {
        fields.push(Header { name, value: readable(&raw), raw: text_of(&raw) });
    }
}

fn text_of(raw: &[u8]) -> String {
    let text = charset::decode_unlabelled(raw).text;
    text.trim_matches([' ', '\t', '\r', '\n']).to_owned()
}

/// A raw header value for people: unfolded, encoded words decoded, NUL and other control characters gone.
pub fn readable(raw: &[u8]) -> String {
    let decoded = decode_words(&unfold(&charset::decode_unlabelled(raw).text));
    // A line break smuggled in by an encoded word must not survive: it would become a header of its own when answered.
    let clean: String = decoded.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    clean.trim().to_owned()
}

/// Takes folding out of a header value.
pub fn unfold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\r', '\n']) {
        out.push_str(&rest[..at]);
        let after = rest[at..].trim_start_matches(['\r', '\n']);
        // Folding white space stays as it is; a break that was not followed by any becomes one space.
        if !after.starts_with([' ', '\t']) && !after.is_empty() {
            out.push(' ');
        }
        rest = after;
    }
    out.push_str(rest);
    out.replace('\t', " ")
}

// One line without its end, and where the next begins. Ends: CRLF, LF, lone CR.
fn line_at(mail: &[u8], at: usize) -> (&[u8], usize) {
    let rest = &mail[at..];
    match rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        None => (rest, mail.len()),
        Some(end) if rest[end] == b'\r' && rest.get(end + 1) == Some(&b'\n') => (&rest[..end], at + end + 2),
        // Some programs write CR CR LF.
        Some(end) if rest[end] == b'\r' && rest[end..].starts_with(b"\r\r\n") => (&rest[..end], at + end + 3),
        Some(end) => (&rest[..end], at + end + 1),
    }
}

/// Where the first header field begins: after a byte-order mark, empty lines and an mbox line.
pub(crate) fn start_of_headers(mail: &[u8]) -> usize {
    let mut at = if mail.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    while at < mail.len() && matches!(mail[at], b'\r' | b'\n') {
        at += 1;
    }
    let (line, next) = line_at(mail, at);
    let mbox = line.starts_with(b"From ") || line.starts_with(b">From ");
    if mbox { next } else { at }
}

// Is there another field before the headers end? A broken line between fields hides none of them; a text without an empty
// line before it is a body.
fn more_fields_follow(rest: &[u8]) -> bool {
    let mut at = 0;
    for _ in 0..50 {
        let (line, next) = line_at(rest, at);
        if line.is_empty() {
            return false;
        }
        if split_field(line).is_some() {
            return true;
        }
        at = next;
    }
    false
}

fn split_field(line: &[u8]) -> Option<(String, &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = line[..colon].trim_ascii_end();
    // RFC 5322: printable ASCII without colon. Space inside ("hello world: x") is text, not a field.
    let good = !name.is_empty() && name.len() <= 200 && name.iter().all(|byte| (33..=126).contains(byte));
    good.then(|| (String::from_utf8_lossy(name).into_owned(), &line[colon + 1..]))
}

/// Decodes the encoded words of RFC 2047 in a header value that is already unfolded. What is no valid encoded word
/// stays as written. White space between two encoded words belongs to neither; characters that are cut in two between
/// words of one charset are put together.
pub fn decode_words(text: &str) -> String {
    if !text.contains("=?") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    // Bytes of encoded words that follow each other in one charset.
    let mut run: Option<(String, Vec<u8>)> = None;
    let mut rest = text;
    let mut gap = String::new();
    while !rest.is_empty() {
        if let Some((label, bytes, after)) = word_at(rest) {
            match &mut run {
                Some((have, all)) if have.eq_ignore_ascii_case(&label) => all.extend_from_slice(&bytes),
                _ => {
                    flush(&mut out, &mut run);
                    run = Some((label, bytes));
                }
            }
            if !gap.is_empty() {
                gap.clear();
            }
            let spaces = after.len() - after.trim_start_matches([' ', '\t', '\r', '\n']).len();
            gap.push_str(&after[..spaces]);
            rest = &after[spaces..];
            continue;
        }
        flush(&mut out, &mut run);
        out.push_str(&gap);
        gap.clear();
        // Up to the next place where a word may begin.
        let step = rest.char_indices().nth(1).map_or(rest.len(), |(at, _)| at);
        let next = rest[step..].find("=?").map_or(rest.len(), |at| step + at);
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    flush(&mut out, &mut run);
    out.push_str(&gap);
    out
}

fn flush(out: &mut String, run: &mut Option<(String, Vec<u8>)>) {
    if let Some((label, bytes)) = run.take() {
        out.push_str(&charset::decode(Some(&label), &bytes).text);
    }
}

// "=?charset*language?B?text?=" at the beginning: charset, bytes, what follows.
fn word_at(text: &str) -> Option<(String, Vec<u8>, &str)> {
    let inner = text.strip_prefix("=?")?;
    let (label, inner) = inner.split_once('?')?;
    if label.is_empty() || label.len() > 60 || !label.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let (encoding, inner) = inner.split_once('?')?;
    let (encoded, after) = match encoding {
        "Q" | "q" => {
            let end = q_end(inner)?;
            let (text, after) = (&inner[..end], &inner[end + 2..]);
            if text.is_ascii() {
                (quoted(text.as_bytes()), after)
            } else {
                // Bytes that should have been encoded. They were read as something already; take that back.
                match encoding_rs::WINDOWS_1252.encode(text) {
                    (bytes, _, false) => (quoted(&bytes), after),
                    _ => return Some(("utf-8".to_owned(), quoted(text.as_bytes()), after)),
                }
            }
        }
        "B" | "b" => {
            let end = inner.find("?=")?;
            (base64_lenient(&inner.as_bytes()[..end])?, &inner[end + 2..])
        }
        _ => return None,
    };
    let label = label.split('*').next().unwrap_or(label);
    Some((label.to_owned(), encoded, after))
}

// The end of a Q word: "?=" that is not the beginning of "?=XX" inside badly encoded text.
fn q_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    let first = text.find("?=")?;
    while let Some(at) = text[from..].find("?=").map(|at| from + at) {
        let hex = bytes.get(at + 2..at + 4).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        if !hex {
            return Some(at);
        }
        from = at + 2;
    }
    Some(first)
}

fn quoted(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
        match (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'=', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'_', ..) => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    out
}

/// Base64 as mail has it: anything outside the alphabet is skipped, missing padding is fine. `None`: no base64 in it.
pub(crate) fn base64_lenient(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut have) = (0u32, 0u32);
    let mut any = text.is_empty();
    for byte in text {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            // A new start after padding, as in joined base64 texts.
            b'=' => {
                have = 0;
                bits = 0;
                any = true;
                continue;
            }
            _ => continue,
        };
        any = true;
        bits = (bits << 6 | u32::from(six)) & 0xFF_FFFF;
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push((bits >> have) as u8);
        }
    }
    any.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_kept_in_order() {
        let headers = Headers::read(b"From: a@x.test\r\nSubject: one\r\nsubject: =?utf-8?q?two?=\r\n\tmore\r\n\r\nbody: no\r\n");
        assert_eq!(headers.all("Subject").collect::<Vec<_>>(), ["one", "two more"]);
        assert_eq!(headers.raw("from"), Some("a@x.test"));
        assert_eq!(headers.fields().len(), 3);
        assert!(!headers.has("body"));
        assert_eq!(
            &b"From: a@x.test\r\nSubject: one\r\nsubject: =?utf-8?q?two?=\r\n\tmore\r\n\r\nbody: no\r\n"[headers.body_at()..],
            b"body: no\r\n"
        );
    }

    #[test]
    fn broken_lines_marks_and_mbox_lines_hide_no_field() {
        for mail in [
            &b"\xEF\xBB\xBFSubject: x\n\nbody"[..],
            b"From someone@x.test Mon Jan  1\nSubject: x\n\nbody",
            b"\r\n\r\nSubject: x\r\n\r\nbody",
            b"this is no header\nSubject: x\n\nbody",
            b"To: a@b.test\nthis is no header\nSubject: x\n\nbody",
            b"Subject:\tx\r\r\n\r\r\nbody",
        ] {
            let headers = Headers::read(mail);
            assert_eq!(headers.first("subject"), Some("x"), "{}", String::from_utf8_lossy(mail));
            assert_eq!(&mail[headers.body_at()..], b"body", "{}", String::from_utf8_lossy(mail));
        }
        assert_eq!(Headers::read(b"just\na text\n").fields(), []);
        let headers = Headers::read(b"Subject: x\nno empty line\nbefore the text\n\nTo: nobody\n");
        assert_eq!((headers.fields().len(), headers.body_at()), (1, 11));
        assert_eq!(Headers::read(b"").body_at(), 0);
    }

    #[test]
    fn encoded_words_as_programs_write_them() {
        for (raw, text) in [
            ("=?utf-8?Q?a_b?= =?utf-8?B?Yw==?=", "a bc"),
            ("=?utf-8?Q?=C3?= =?UTF-8?Q?=A4?=!", "ä!"),
            ("=?iso-8859-1?Q?=E4?= x =?utf-8?b?w7Y?=", "ä x ö"),
            ("=?utf-8?Q?not closed", "=?utf-8?Q?not closed"),
            ("=?nonsense?X?abc?=", "=?nonsense?X?abc?="),
            ("=?x-unknown?Q?caf=E9?=", "café"),
            ("=?utf-8*de?Q?ja?=", "ja"),
            ("\"=?utf-8?Q?q?=\"", "\"q\""),
            ("=?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?=", "日本語"),
            ("=?utf-8?Q?Who?=3F?=", "Who??"),
            ("=?utf-8?Q?a=0D=0ABcc:_x?=", "a  Bcc: x"),
            ("=?utf-8?Q??=x", "x"),
            ("=?koi8-r?Q?жук?=", "жук"),
        ] {
            assert_eq!(readable(raw.as_bytes()), text, "{raw}");
        }
        assert_eq!(readable(b"=?iso-8859-1?Q?Fr\xF6sche?="), "Frösche");
        assert_eq!(readable(b"=?koi8-r?Q?\xF6=D5?="), "Жу");
    }
}
