//! Writes headers and parts of a mail: lines of at most 78 characters, seven bits, CRLF, nothing that a value could break
//! out of. Pure; the same input gives the same bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;
use std::fmt::Write as _;

/// Longest line of a header before it is folded.
const LINE_CHARS: usize = 76;
/// Longest encoded word, its frame included: with the name of its field it still fits into one line.
const WORD_CHARS: usize = 62;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// One part of a mail, or the whole of it.
#[derive(Clone, Debug, Default)]
pub struct Entity {
    /// Header fields, finished: `Name: value`, folded.
    pub fields: Vec<String>,
    /// What stands below.
    pub body: Vec<u8>,
}

impl Entity {
    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 1_024);
        for field in &self.fields {
            out.extend_from_slice(field.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    /// A text part.
    pub fn text(subtype: &str, text: &str) -> Self {
        let lines = normal_lines(text);
        let plain = lines.is_ascii() && lines.split("\r\n").all(|line| line.len() <= 78 && !line.starts_with("From "));
        let (encoding, body) =
            if plain { ("7bit", lines.into_bytes()) } else { ("quoted-printable", quoted_printable(&lines).into_bytes()) };
        let fields =
            vec![format!("Content-Type: text/{subtype}; charset=utf-8"), format!("Content-Transfer-Encoding: {encoding}")];
        Self { fields, body }
    }

    /// A file. With a content id it belongs into the HTML beside it.
    pub fn file(name: &str, mime: &str, content_id: Option<&str>, bytes: &[u8]) -> Self {
        // message/* and multipart/* may not travel as base64 (RFC 2046), and nobody must take our file for mail of ours.
        let mime = match mime.split(';').next().unwrap_or_default().trim() {
            kind if is_media_type(kind) && !kind.starts_with("message/") && !kind.starts_with("multipart/") => kind,
            _ => "application/octet-stream",
        };
        let place = if content_id.is_some() { "inline" } else { "attachment" };
        let mut fields = vec![
            parameters("Content-Type", mime, &[("name", name)]),
            parameters("Content-Disposition", place, &[("filename", name)]),
            "Content-Transfer-Encoding: base64".to_owned(),
        ];
        fields.extend(content_id.map(|id| format!("Content-ID: <{id}>")));
        let encoded = STANDARD.encode(bytes);
        let mut body = Vec::with_capacity(encoded.len() + encoded.len() / 38 + 2);
        for line in encoded.as_bytes().chunks(LINE_CHARS) {
            body.extend_from_slice(line);
            body.extend_from_slice(b"\r\n");
        }
        Self { fields, body }
    }

    /// Several parts in one. `boundary` must not occur in any of them: it is longer than a line of base64 can tell, and
    /// quoted-printable writes its `=` as `=3D`.
    pub fn multipart(subtype: &str, boundary: &str, parts: &[Self]) -> Self {
        let mut body = Vec::new();
        for part in parts {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            body.extend_from_slice(&part.bytes());
            if !body.ends_with(b"\r\n") {
                body.extend_from_slice(b"\r\n");
            }
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Self { fields: vec![format!("Content-Type: multipart/{subtype};\r\n boundary=\"{boundary}\"")], body }
    }
}

fn is_media_type(kind: &str) -> bool {
    let token = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    kind.split_once('/').is_some_and(|(class, sub)| token(class) && token(sub)) && kind.len() <= 127
}

/// A field of free text, such as a subject.
pub fn unstructured(name: &str, value: &str) -> String {
    let value = one_line(value);
    if is_plain(&value) && !value.contains("=?") {
        return fold(&format!("{name}: "), value.split(' '), " ");
    }
    fold(&format!("{name}: "), encoded_words(&value).iter().map(String::as_str), " ")
}

/// A field of addresses: each one whole, folded between them.
pub fn addresses(name: &str, list: &[String]) -> String {
    let last = list.len().saturating_sub(1);
    let items: Vec<String> =
        list.iter().enumerate().map(|(at, one)| if at == last { one.clone() } else { format!("{one},") }).collect();
    fold(&format!("{name}: "), items.iter().map(String::as_str), " ")
}

/// A field of tokens without blanks, such as ids: folded between them.
pub fn tokens(name: &str, list: &[String]) -> String {
    fold(&format!("{name}: "), list.iter().map(String::as_str), " ")
}

/// `Name <address>`, or the bare address.
pub fn mailbox(name: Option<&str>, address: &str) -> String {
    let name = name.map(one_line).filter(|name| !name.is_empty());
    match name {
        None => address.to_owned(),
        Some(name) => {
            let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~ ".contains(c);
            let phrase = if is_plain(&name) && !name.contains("=?") && name.len() <= 60 {
                if name.chars().all(atom) { name } else { format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")) }
            } else {
                encoded_words(&name).join("\r\n ")
            };
            let used = phrase.rsplit("\r\n").next().unwrap_or(&phrase).len();
            // Room for the name of the field and a comma.
            let joint = if used + address.len() + 14 > LINE_CHARS { "\r\n " } else { " " };
            format!("{phrase}{joint}<{address}>")
        }
    }
}

/// `Name: value; key="text"`, with the text in RFC 2231 form where it is not plain.
fn parameters(name: &str, value: &str, list: &[(&str, &str)]) -> String {
    let mut field = format!("{name}: {value}");
    for (key, text) in list {
        let text = one_line(text);
        if is_plain(&text) && text.len() <= 60 {
            let _ = write!(field, ";\r\n {key}=\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            continue;
        }
        // The old place of the name knows plain text only.
        if *key == "name" {
            continue;
        }
        let mut encoded = String::new();
        for byte in text.bytes() {
            match byte {
                b if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => encoded.push(char::from(b)),
                b => {
                    let _ = write!(encoded, "%{b:02X}");
                }
            }
        }
        // Pieces of at most 48 characters, never through a `%XX`.
        let mut pieces: Vec<String> = vec![String::new()];
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let take = if rest.starts_with('%') { 3 } else { 1 };
            let (token, behind) = rest.split_at(take.min(rest.len()));
            if pieces.last().is_some_and(|piece| piece.len() + token.len() > 48) {
                pieces.push(String::new());
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push_str(token);
            }
            rest = behind;
        }
        if let [one] = pieces.as_slice() {
            let _ = write!(field, ";\r\n {key}*=utf-8''{one}");
        } else {
            for (at, piece) in pieces.iter().enumerate() {
                let charset = if at == 0 { "utf-8''" } else { "" };
                let _ = write!(field, ";\r\n {key}*{at}*={charset}{piece}");
            }
        }
    }
    field
}

/// Control characters and line ends become blanks: a value never ends its line.
pub fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b)) && text.split(' ').all(|word| word.len() <= 70)
}

/// RFC 2047 words in UTF-8 and base64, cut between characters.
fn encoded_words(text: &str) -> Vec<String> {
    const FRAME: usize = "=?utf-8?B??=".len();
    let bytes_max = (WORD_CHARS - FRAME) / 4 * 3;
    let mut words = Vec::new();
    let mut piece = String::new();
    for c in text.chars() {
        if piece.len() + c.len_utf8() > bytes_max {
            words.push(format!("=?utf-8?B?{}?=", STANDARD.encode(&piece)));
            piece.clear();
        }
        piece.push(c);
    }
    words.push(format!("=?utf-8?B?{}?=", STANDARD.encode(&piece)));
    words
}

/// Joins words to lines. A word that is too long for any line stands alone on its own.
fn fold<'a>(start: &str, words: impl Iterator<Item = &'a str>, joint: &str) -> String {
    let mut out = start.trim_end().to_owned();
    let mut used = out.len();
    let mut first = true;
    for word in words {
        // The last line of a word that was folded already.
        let length = word.rsplit("\r\n").next().unwrap_or(word).len();
        let head = word.split("\r\n").next().unwrap_or(word).len();
        if first || used + joint.len() + head <= LINE_CHARS || word.is_empty() {
            out.push_str(if first { " " } else { joint });
            used += 1;
        } else {
            out.push_str("\r\n ");
            used = 1;
        }
        out.push_str(word);
        used = if word.contains("\r\n") { length } else { used + length };
        first = false;
    }
    out
}

/// RFC 5322 date, in UTC.
pub fn date(at: Timestamp) -> String {
    let seconds = at.0.div_euclid(1_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let weekday = WEEKDAYS[usize::try_from(days.rem_euclid(7)).unwrap_or(0)];
    let month = MONTHS[usize::try_from(month - 1).unwrap_or(0)];
    let (hour, minute) = (second / 3_600, second % 3_600 / 60);
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{:02} +0000", second % 60)
}

/// Year, month and day of a number of days since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

fn normal_lines(text: &str) -> String {
    let mut out: String = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n").replace('\0', "");
    if !out.ends_with("\r\n") {
        out.push_str("\r\n");
    }
    out
}

/// Quoted-printable with lines of at most 76 characters; `text` has CRLF line ends.
fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 4 / 3);
    for line in text.split_inclusive("\r\n") {
        let content = line.strip_suffix("\r\n").unwrap_or(line);
        let mut used = 0;
        let bytes = content.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            let last = at + 1 == bytes.len();
            let literal = match byte {
                b'=' => false,
                // A blank at the end would be lost, "From " and "." at the start are changed by old servers.
                b' ' | b'\t' => !last,
                b'.' => at != 0,
                b'F' => at != 0 || !content.starts_with("From "),
                b => (0x21..0x7f).contains(b),
            };
            let width = if literal { 1 } else { 3 };
            if used + width > 75 {
                out.push_str("=\r\n");
                used = 0;
            }
            if literal {
                out.push(char::from(*byte));
            } else {
                let _ = write!(out, "={byte:02X}");
            }
            used += width;
        }
        if line.ends_with("\r\n") {
            out.push_str("\r\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_end_their_line() {
        let field = unstructured("Subject", "hello\r\nBcc: all@world.test");
        assert_eq!(field, "Subject: hello  Bcc: all@world.test");
        assert_eq!(mailbox(Some("A\"b\\c\r\nX: y"), "a@b.test"), "\"A\\\"b\\\\c  X: y\" <a@b.test>");
    }

    #[test]
    fn long_subjects_are_folded_between_words_and_characters() {
        let plain = unstructured("Subject", &"word ".repeat(40));
        assert!(plain.split("\r\n").all(|line| line.len() <= 78), "{plain}");
        assert_eq!(plain.replace("\r\n", ""), format!("Subject: {}", "word ".repeat(40).trim()));
        let umlauts = unstructured("Subject", &"Ärger über Größe ".repeat(10));
        assert!(umlauts.split("\r\n").all(|line| line.len() <= 78) && umlauts.is_ascii(), "{umlauts}");
        let long = unstructured("Subject", &"x".repeat(500));
        assert!(long.split("\r\n").all(|line| line.len() <= 78), "{long}");
    }

    #[test]
    fn dates_are_written_as_the_standard_does() {
        assert_eq!(date(Timestamp(0)), "Thu, 01 Jan 1970 00:00:00 +0000");
        assert_eq!(date(Timestamp(1_795_334_400_123)), "Sun, 22 Nov 2026 08:00:00 +0000");
        assert_eq!(date(Timestamp(1_709_210_096_000)), "Thu, 29 Feb 2024 12:34:56 +0000");
    }

    #[test]
    fn quoted_printable_reads_back() {
        let text = "Größe = 1\r\n.\r\nFrom here \r\n\ttab \r\n".to_owned() + &"é".repeat(200) + "\r\n";
        let coded = quoted_printable(&text);
        assert!(coded.split("\r\n").all(|line| line.len() <= 76), "{coded}");
        assert!(coded.contains("\r\n=2E\r\n") && coded.contains("=46rom here=20"), "{coded}");
        let back = mail_parser::decoders::quoted_printable::quoted_printable_decode(coded.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(back).unwrap(), text);
    }
}
