//! The parts of a mail. In: its bytes. Out: every part in order, each with its headers and the range of its body in the
//! mail, so that nothing is decoded or copied before somebody asks. Pure, bounded, never fails but by a limit.
//!
//! Parts are a flat list with parents, not a tree of boxes: ten thousand levels of nesting cost no stack.

use crate::charset;
use crate::headers::{Headers, base64_lenient, decode_words, unfold};
use std::borrow::Cow;
use std::ops::Range;

/// Multiparts inside multiparts beyond this are refused: people's mail has five, forwarded chains twenty.
pub const DEPTH_MAX: usize = 100;
/// A mail with more parts is refused.
pub const PARTS_MAX: usize = 10_000;
// Lines that may be boundaries, summed over all levels: what a hostile mail could make us compare.
const COMPARISONS_MAX: usize = 20_000_000;

/// Why a mail is not taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Too many levels.
    Depth,
    /// Too many parts.
    Parts,
    /// Boundaries that cost too much time.
    Work,
}

/// How a body is encoded for its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// As it is.
    Plain,
    /// Base64.
    Base64,
    /// Quoted-printable.
    QuotedPrintable,
    /// uuencode.
    Uuencode,
}

/// One part.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its headers.
    pub headers: Headers,
    /// The part that it lies in.
    pub parent: Option<usize>,
    /// Levels above it.
    pub depth: usize,
    /// `type/subtype` in lower case, after the rules for what is missing or broken.
    pub mime: String,
    /// Parameters of Content-Type, decoded; names in lower case.
    pub params: Vec<(String, String)>,
    /// `inline`, `attachment` or what else is written, in lower case.
    pub disposition: Option<String>,
    /// File name, decoded.
    pub name: Option<String>,
    /// Content-ID without angle brackets.
    pub content_id: Option<String>,
    /// Its transfer encoding.
    pub transfer: Transfer,
    /// Its body, still encoded: where in the mail.
    pub body: Range<usize>,
    /// Holds other parts.
    pub is_container: bool,
}

impl Part {
    /// A parameter of Content-Type.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
    /// Class of the media type: `text`, `image`, ..
    pub fn class(&self) -> &str {
        self.mime.split('/').next().unwrap_or_default()
    }
    /// The body with its transfer encoding taken off.
    pub fn bytes<'a>(&self, mail: &'a [u8]) -> Cow<'a, [u8]> {
        decode_transfer(self.transfer, mail.get(self.body.clone()).unwrap_or_default())
    }
    /// The body as text, by its charset.
    pub fn text(&self, mail: &[u8]) -> charset::Decoded {
        let bytes = self.bytes(mail);
        let label = self.param("charset").map(str::to_owned);
        let label = label.or_else(|| (self.mime == "text/html").then(|| charset_of_html(&bytes)).flatten());
        charset::decode(label.as_deref(), &bytes)
    }
    /// Labelled an attachment by its sender.
    pub fn is_attachment(&self) -> bool {
        self.disposition.as_deref() == Some("attachment")
    }
}

/// All parts of a mail; the first is the mail itself.
pub fn read(mail: &[u8]) -> Result<Vec<Part>, Limit> {
    let candidates = boundary_lines(mail);
    let mut work = 0usize;
    let mut parts = vec![part(mail, 0..mail.len(), None, 0, false)];
    let mut next = 0;
    // Children are appended behind everything that is there, so a second list keeps the order of the mail.
    let mut children: Vec<Vec<usize>> = vec![vec![]];
    while next < parts.len() {
        let at = next;
        next += 1;
        let Some(boundary) = boundary_of(&parts[at]) else { continue };
        let found = sections(mail, parts[at].body.clone(), boundary.as_bytes(), &candidates, &mut work)?;
        if found.is_empty() {
            // No boundary inside: whatever it is, people shall see it.
            continue;
        }
        if parts[at].depth >= DEPTH_MAX {
            return Err(Limit::Depth);
        }
        let digest = parts[at].mime == "multipart/digest";
        let depth = parts[at].depth + 1;
        parts[at].is_container = true;
        for section in found {
            if parts.len() >= PARTS_MAX {
                return Err(Limit::Parts);
            }
            children[at].push(parts.len());
            children.push(vec![]);
            parts.push(part(mail, section, Some(at), depth, digest));
        }
    }
    Ok(in_order(parts, &children))
}

// From the order of discovery (by level) to the order of the mail.
fn in_order(parts: Vec<Part>, children: &[Vec<usize>]) -> Vec<Part> {
    let mut order = Vec::with_capacity(parts.len());
    let mut stack = vec![0];
    while let Some(at) = stack.pop() {
        order.push(at);
        stack.extend(children[at].iter().rev());
    }
    let mut place = vec![0; parts.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old] = new;
    }
    let mut slots: Vec<Option<Part>> = parts.into_iter().map(Some).collect();
    let sorted = order.iter().filter_map(|old| slots[*old].take());
    sorted.map(|part| Part { parent: part.parent.map(|old| place[old]), ..part }).collect()
}

// Places where a line begins with "--".
fn boundary_lines(mail: &[u8]) -> Vec<usize> {
    let mut out = Vec::new();
    let mut from = 0;
    while from < mail.len() {
        if mail[from..].starts_with(b"--") {
            out.push(from);
        }
        match mail[from..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            Some(end) => from += end + 1,
            None => break,
        }
    }
    out
}

// The pieces between the boundary lines of one multipart. A missing end is the end of the multipart; an outer boundary
// ends it too, because the outer one was cut first.
fn sections(
    mail: &[u8],
    body: Range<usize>,
    boundary: &[u8],
    lines: &[usize],
    work: &mut usize,
) -> Result<Vec<Range<usize>>, Limit> {
    let first = lines.partition_point(|at| *at < body.start);
    let mut out = Vec::new();
    let mut open: Option<usize> = None;
    for &at in lines[first..].iter().take_while(|at| **at < body.end) {
        *work += 1;
        if *work > COMPARISONS_MAX {
            return Err(Limit::Work);
        }
        let Some(rest) = mail[at + 2..body.end].strip_prefix(boundary) else { continue };
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        let tail = rest[..end].trim_ascii();
        let last = tail == b"--";
        if !tail.is_empty() && !last {
            continue;
        }
        if let Some(from) = open.take() {
            out.push(from..without_break(mail, from, at));
        }
        if last {
            // Some programs give a multipart inside a multipart the same boundary: what follows is still part of the mail.
            continue;
        }
        let line_end = at + 2 + boundary.len() + end;
        open = Some(after_break(mail, line_end).min(body.end));
    }
    if let Some(from) = open {
        out.push(from..body.end);
    }
    Ok(out)
}

// The line break before a boundary belongs to the boundary.
fn without_break(mail: &[u8], from: usize, at: usize) -> usize {
    let text = &mail[from..at.max(from)];
    let cut = match text {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n' | b'\r'] => 1,
        _ => 0,
    };
    from + text.len() - cut
}

fn after_break(mail: &[u8], at: usize) -> usize {
    match mail.get(at..) {
        Some([b'\r', b'\n', ..]) => at + 2,
        Some([b'\r' | b'\n', ..]) => at + 1,
        _ => at,
    }
}

fn boundary_of(part: &Part) -> Option<String> {
    if !part.mime.starts_with("multipart/") {
        return None;
    }
    let boundary = part.param("boundary")?.trim_end();
    (!boundary.is_empty() && boundary.len() <= 1_000).then(|| boundary.to_owned())
}

fn part(mail: &[u8], range: Range<usize>, parent: Option<usize>, depth: usize, in_digest: bool) -> Part {
    let whole = &mail[range.clone()];
    let headers = if parent.is_some() { inner_headers(whole) } else { Headers::read(whole) };
    let (mime, params) = content_type(headers.raw("Content-Type"), in_digest);
    let (disposition, disposed) = headers.raw("Content-Disposition").map(parameters).unwrap_or_default();
    let disposition = disposition.split_whitespace().next().map(str::to_ascii_lowercase);
    let name = file_name(&disposed, "filename").or_else(|| file_name(&params, "name"));
    let content_id =
        headers.first("Content-ID").map(|id| id.trim_matches(['<', '>', ' ']).to_owned()).filter(|id| !id.is_empty());
    let transfer = transfer_of(headers.raw("Content-Transfer-Encoding").unwrap_or_default());
    let body = range.start + headers.body_at()..range.end;
    Part { headers, parent, depth, mime, params, disposition, name, content_id, transfer, body, is_container: false }
}

// A part whose first line is empty has no headers; skipping that line, as at the beginning of a mail, would make
// headers of its text.
fn inner_headers(part: &[u8]) -> Headers {
    match part {
        [b'\r', b'\n', ..] => Headers::without_fields(2),
        [b'\n' | b'\r', ..] => Headers::without_fields(1),
        _ => Headers::read(part),
    }
}

fn content_type(raw: Option<&str>, in_digest: bool) -> (String, Vec<(String, String)>) {
    let absent = if in_digest { "message/rfc822" } else { "text/plain" };
    let Some(raw) = raw else { return (absent.to_owned(), vec![]) };
    let (value, params) = parameters(raw);
    let value: String = value.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
    let good = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&b));
    let mime = match value.split_once('/') {
        Some((class, sub)) if good(class) && good(sub) => value.clone(),
        // "text", "html", "TEXT/" as old programs wrote them.
        _ if params.iter().any(|(name, _)| name == "boundary") => "multipart/mixed".to_owned(),
        _ if value == "html" => "text/html".to_owned(),
        _ => absent.to_owned(),
    };
    (mime, params)
}

fn transfer_of(raw: &str) -> Transfer {
    let word: String = raw.chars().take_while(|c| !matches!(c, ';' | '(' | ',')).filter(char::is_ascii_alphanumeric).collect();
    match word.to_ascii_lowercase().as_str() {
        "base64" => Transfer::Base64,
        "quotedprintable" => Transfer::QuotedPrintable,
        "xuuencode" | "uuencode" | "xuue" | "uue" => Transfer::Uuencode,
        _ => Transfer::Plain,
    }
}

/// A header value such as `text/plain; charset=utf-8`: what stands first, and the parameters, put together and decoded
/// by RFC 2231, RFC 2047 and the ways in which programs do it wrong. Names are in lower case.
pub fn parameters(raw: &str) -> (String, Vec<(String, String)>) {
    let unfolded = unfold(raw);
    let value = without_comments(&unfolded);
    let mut pieces = split_outside_quotes(&value).into_iter();
    let mut first = pieces.next().unwrap_or_default().trim();
    let mut all: Vec<&str> = pieces.take(200).collect();
    // "multipart/mixed boundary=x": a semicolon was forgotten.
    if let Some((value, parameter)) = first.split_once(char::is_whitespace)
        && parameter.contains('=')
    {
        first = value;
        all.insert(0, parameter);
    }
    let first = first.to_owned();
    let mut plain: Vec<(String, String)> = Vec::new();
    let mut cut: Vec<(String, u32, bool, String)> = Vec::new();
    for piece in all {
        let Some((name, text)) = piece.split_once('=') else { continue };
        let name = name.trim().to_ascii_lowercase();
        let text = unquote(text.trim());
        let (base, extended) = match name.strip_suffix('*') {
            Some(base) => (base, true),
            None => (name.as_str(), false),
        };
        match base.rsplit_once('*').and_then(|(base, number)| Some((base.to_owned(), number.parse().ok()?))) {
            Some((base, number)) => cut.push((base, number, extended, text)),
            None if extended => cut.push((base.to_owned(), 0, true, text)),
            None if !plain.iter().any(|(have, _)| *have == name) => plain.push((name, decode_words(&text))),
            None => {}
        }
    }
    cut.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let mut at = 0;
    while at < cut.len() {
        let name = cut[at].0.clone();
        let end = at + cut[at..].iter().take_while(|piece| piece.0 == name).count();
        let value = join_2231(&cut[at..end]);
        plain.retain(|(have, _)| *have != name);
        plain.push((name, value));
        at = end;
    }
    (first, plain)
}

// RFC 2231: charset'language'percent-encoded, the charset only in the first piece. Whatever is wrong becomes latin-1.
fn join_2231(pieces: &[(String, u32, bool, String)]) -> String {
    let mut bytes = Vec::new();
    let mut label: Option<String> = None;
    let mut any_extended = false;
    for (at, (_, _, extended, text)) in pieces.iter().enumerate() {
        let mut text = text.as_str();
        if *extended && at == 0 && text.matches('\'').count() >= 2 {
            let (charset, rest) = text.split_once('\'').unwrap_or_default();
            text = rest.split_once('\'').map_or(rest, |(_, rest)| rest);
            label = (!charset.is_empty()).then(|| charset.to_owned());
        }
        if *extended {
            any_extended = true;
            percent(text, &mut bytes);
        } else {
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    let text = charset::decode(label.as_deref(), &bytes).text;
    if any_extended { text } else { decode_words(&text) }
}

fn percent(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let hex = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
        match (bytes[at], hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

fn file_name(params: &[(String, String)], param: &str) -> Option<String> {
    let found = params.iter().find(|(name, _)| name == param).map(|(_, value)| value.as_str())?;
    clean_name(found)
}

/// A file name without folders, control characters and tricks of direction; `None` when nothing is left.
pub fn clean_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let hidden = |c: char| {
        c.is_control() || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    let kept: String =
        last.chars().map(|c| if matches!(c, '\r' | '\n' | '\t') { ' ' } else { c }).filter(|c| !hidden(*c)).take(255).collect();
    let kept = kept.trim();
    (!kept.is_empty() && kept.chars().any(|c| c != '.')).then(|| kept.to_owned())
}

fn without_comments(value: &str) -> Cow<'_, str> {
    if !value.contains('(') {
        return Cow::Borrowed(value);
    }
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    let kept = value.chars().filter(|c| {
        let keep = depth == 0;
        if escaped {
            escaped = false;
            return keep;
        }
        match c {
            '\\' if quoted || depth > 0 => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => {
                depth -= 1;
                return false;
            }
            _ => {}
        }
        keep && depth == 0
    });
    let kept: String = kept.collect();
    // A bracket that was never closed is no comment: it would swallow the boundary.
    if depth > 0 { Cow::Borrowed(value) } else { Cow::Owned(kept) }
}

fn split_outside_quotes(value: &str) -> Vec<&str> {
    let (mut out, mut from) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                out.push(&value[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    out.push(&value[from..]);
    out
}

fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"') else {
        return text.trim_end_matches('"').trim().to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            // Only what needs it is escaped; "C:\files\x" is a path of a careless program.
            '\\' if chars.peek().is_some_and(|next| matches!(next, '"' | '\\')) => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

/// Takes a transfer encoding off.
pub fn decode_transfer(transfer: Transfer, body: &[u8]) -> Cow<'_, [u8]> {
    match transfer {
        Transfer::Plain => Cow::Borrowed(body),
        Transfer::Base64 => base64_and_footer(body).map_or(Cow::Borrowed(body), Cow::Owned),
        Transfer::QuotedPrintable => Cow::Owned(quoted_printable(body)),
        Transfer::Uuencode => uudecode(body).map_or(Cow::Borrowed(body), Cow::Owned),
    }
}

// A plain text under a base64 label has signs that base64 never has.
fn looks_like_base64(body: &[u8]) -> bool {
    let head = &body[..body.len().min(4_096)];
    let known = |b: &u8| b.is_ascii_alphanumeric() || b.is_ascii_whitespace() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_');
    head.iter().filter(|b| !known(b)).count() * 50 <= head.len()
}

// Mailing lists write their footer behind the padding, as plain text.
fn base64_and_footer(body: &[u8]) -> Option<Vec<u8>> {
    let end = body.iter().position(|byte| *byte == b'=').unwrap_or(body.len());
    if !looks_like_base64(&body[..end]) {
        return None;
    }
    let rest = body[end..].trim_ascii_start();
    let footer = &rest[rest.iter().take_while(|byte| **byte == b'=').count()..];
    // Joined pieces of base64 come in fours, words do not.
    let signs = footer.iter().filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')).count();
    if footer.trim_ascii().is_empty() || (looks_like_base64(footer) && signs % 4 == 0) {
        return base64_lenient(body);
    }
    let mut out = base64_lenient(&body[..end])?;
    if !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    out.extend_from_slice(footer.trim_ascii_start());
    Some(out)
}

fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let (text, end) = match line {
            [text @ .., b'\r', b'\n'] => (text, &b"\r\n"[..]),
            [text @ .., b'\n'] => (text, &b"\n"[..]),
            text => (text, &b""[..]),
        };
        // White space at the end was added on the way.
        let text = if end.is_empty() { text } else { text.trim_ascii_end() };
        let (text, soft) = match text {
            [text @ .., b'='] => (text, true),
            text => (text, false),
        };
        let mut at = 0;
        while at < text.len() {
            let hex = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
            match (text[at], hex(text.get(at + 1)), hex(text.get(at + 2))) {
                (b'=', Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    at += 3;
                }
                (byte, ..) => {
                    out.push(byte);
                    at += 1;
                }
            }
        }
        if !soft {
            out.extend_from_slice(end);
        }
    }
    out
}

fn uudecode(body: &[u8]) -> Option<Vec<u8>> {
    let mut lines = body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.find(|line| line.starts_with(b"begin "))?;
    let mut out = Vec::with_capacity(body.len() * 3 / 4);
    for line in lines {
        let Some((first, coded)) = line.split_first() else { continue };
        let count = usize::from(first.wrapping_sub(b' ') & 63);
        if count == 0 || line == b"end" {
            break;
        }
        let sixes: Vec<u8> = coded.iter().map(|byte| byte.wrapping_sub(b' ') & 63).collect();
        let bytes = sixes.chunks(4).flat_map(|four| {
            let at = |n: usize| four.get(n).copied().unwrap_or(0);
            [at(0) << 2 | at(1) >> 4, at(1) << 4 | at(2) >> 2, at(2) << 6 | at(3)]
        });
        out.extend(bytes.take(count));
    }
    Some(out)
}

// <meta charset=..> within the first kilobyte, as browsers look for it.
pub(crate) fn charset_of_html(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1_024)]).to_ascii_lowercase();
    let rest = &head[head.find("charset=")? + 8..];
    let rest = rest.trim_start_matches(['"', '\'', ' ']);
    let label: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.')).collect();
    (!label.is_empty() && !label.starts_with("utf-16")).then_some(label)
}

#[cfg(test)]
#[path = "mime_tests.rs"]
mod tests;
