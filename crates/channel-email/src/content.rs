//! Which parts of a mail are its body and which are files (email.md 7.5). In: the parts. Out: the text, the HTML as it
//! came, the files with a reference to each, cards, seals, warnings. Nothing is dropped: what is not body is a file.
//! Pure.

use crate::headers::Headers;
use crate::mime::{Part, Transfer, decode_transfer};
use crate::{calendar, html, tnef};
use channel::{CalendarCard, EnclosedFile, Seal, Warning};
use std::borrow::Cow;

/// Files beyond this many are not listed one by one.
const FILES_MAX: usize = 1_000;
// Text beyond this is cut; the whole stays in the original.
const TEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The content of a mail.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Text of the plain parts in order; where there is none, text of the HTML.
    pub text: String,
    /// The text was made of HTML.
    pub text_is_of_html: bool,
    /// HTML of all body parts in order, as it came. `None`: the mail has none.
    pub html: Option<String>,
    /// Files in order. `content_id` is set for every part that has one; who shows HTML decides what is inside it.
    pub files: Vec<EnclosedFile>,
    /// Invitations.
    pub calendar: Vec<CalendarCard>,
    /// Signatures and encryption.
    pub seals: Vec<Seal>,
    /// Subject of a winmail.dat.
    pub tnef_subject: Option<String>,
    /// What an agent should know.
    pub warnings: Vec<Warning>,
}

/// Sorts the parts of a mail.
pub fn read(mail: &[u8], parts: &[Part]) -> Content {
    let mut children: Vec<Vec<usize>> = vec![vec![]; parts.len()];
    for (at, part) in parts.iter().enumerate() {
        if let Some(parent) = part.parent {
            children[parent].push(at);
        }
    }
    let mut sorter = Sorter { mail, parts, children, content: Content::default(), any_body: false, tnef: None };
    let view = sorter.view(0);
    sorter.finish(view)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaf {
    Plain(usize),
    Html(usize),
}

// The body leaves below one part, as somebody sees them who prefers text, and one who prefers HTML.
#[derive(Clone, Debug, Default)]
struct View {
    text: Vec<Leaf>,
    html: Vec<Leaf>,
}

impl View {
    fn has_plain(&self) -> bool {
        self.text.iter().any(|leaf| matches!(leaf, Leaf::Plain(_)))
    }
    fn has_html(&self) -> bool {
        self.html.iter().any(|leaf| matches!(leaf, Leaf::Html(_)))
    }
}

struct Sorter<'a> {
    mail: &'a [u8],
    parts: &'a [Part],
    children: Vec<Vec<usize>>,
    content: Content,
    any_body: bool,
    // Bodies of a winmail.dat: text, HTML.
    tnef: Option<(Option<String>, Option<String>)>,
}

impl Sorter<'_> {
    // Depth is limited by `mime::read`.
    fn view(&mut self, at: usize) -> View {
        let part = &self.parts[at];
        if !part.is_container {
            return self.leaf(at);
        }
        let mime = part.mime.clone();
        let protocol = part.param("protocol").unwrap_or_default().to_ascii_lowercase();
        match mime.as_str() {
            "multipart/signed" if protocol.contains("pkcs7") => self.seal(Seal::SmimeSigned),
            "multipart/signed" => self.seal(Seal::PgpSigned),
            "multipart/encrypted" => self.seal(Seal::PgpEncrypted),
            _ => {}
        }
        let views: Vec<View> = self.children[at].clone().into_iter().map(|child| self.view(child)).collect();
        match mime.as_str() {
            "multipart/alternative" => alternative(views),
            _ => View {
                text: views.iter().flat_map(|view| view.text.iter().copied()).collect(),
                html: views.iter().flat_map(|view| view.html.iter().copied()).collect(),
            },
        }
    }

    fn leaf(&mut self, at: usize) -> View {
        let part = &self.parts[at];
        // A multipart without any boundary inside is a text with a wrong label; the first named text is the body.
        let is_text = matches!(part.mime.as_str(), "text/plain" | "text/html") || part.mime.starts_with("multipart/");
        let is_body = is_text && !part.is_attachment() && (part.name.is_none() || !self.any_body);
        if is_body {
            self.any_body = true;
            let leaf = if part.mime == "text/html" { Leaf::Html(at) } else { Leaf::Plain(at) };
            return View { text: vec![leaf], html: vec![leaf] };
        }
        self.file(at);
        View::default()
    }

    fn seal(&mut self, seal: Seal) {
        if !self.content.seals.contains(&seal) {
            self.content.seals.push(seal);
        }
    }

    fn warn(&mut self, code: &str, text: impl Into<String>) {
        if !self.content.warnings.iter().any(|warning| warning.code == code) {
            self.content.warnings.push(Warning::new(code, text));
        }
    }

    fn file(&mut self, at: usize) {
        let part = &self.parts[at];
        if self.content.files.len() >= FILES_MAX {
            self.warn("many_files", format!("more than {FILES_MAX} files; the rest is only in the original"));
            return;
        }
        match part.mime.as_str() {
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                let kind = part.param("smime-type").unwrap_or_default().to_ascii_lowercase();
                self.seal(if kind.contains("signed") { Seal::SmimeSigned } else { Seal::SmimeEncrypted });
            }
            "message/partial" => {
                let number = |name| part.param(name).unwrap_or("?").to_owned();
                let text = format!("part {} of {} of a mail that was sent in pieces", number("number"), number("total"));
                self.warn("partial", text);
            }
            "text/calendar" => {
                let text = part.text(self.mail).text;
                let cards = calendar::read(&text, part.param("method"));
                let new: Vec<CalendarCard> = cards.into_iter().filter(|card| !self.content.calendar.contains(card)).collect();
                self.content.calendar.extend(new);
            }
            _ if is_tnef(part) && self.tnef_files(at) => return,
            _ => {}
        }
        let part = &self.parts[at];
        let bytes = part.bytes(self.mail).len() as u64;
        let reference = reference(part, None);
        let name = part.name.clone().unwrap_or_else(|| self.name_of(part));
        let content_id = part.content_id.clone();
        self.content.files.push(EnclosedFile { reference, name, mime: part.mime.clone(), bytes, content_id });
    }

    // A name for a file that has none.
    fn name_of(&self, part: &Part) -> String {
        let number = self.content.files.len() + 1;
        match part.mime.as_str() {
            "message/rfc822" | "message/global" => {
                let bytes = part.bytes(self.mail);
                let subject = Headers::read(&bytes).first("Subject").and_then(crate::mime::clean_name);
                format!("{}.eml", subject.unwrap_or_else(|| format!("message {number}")))
            }
            "message/partial" => {
                let number = |name| part.param(name).unwrap_or("x").to_owned();
                format!("part {} of {}.eml", number("number"), number("total"))
            }
            "message/delivery-status" => "delivery-status.txt".to_owned(),
            "message/disposition-notification" => "read-receipt.txt".to_owned(),
            "message/feedback-report" => "feedback-report.txt".to_owned(),
            "text/rfc822-headers" => "headers.txt".to_owned(),
            "text/calendar" => "invite.ics".to_owned(),
            "application/pgp-signature" => "signature.asc".to_owned(),
            "application/pkcs7-signature" | "application/x-pkcs7-signature" => "smime.p7s".to_owned(),
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => "smime.p7m".to_owned(),
            "application/ms-tnef" => "winmail.dat".to_owned(),
            mime => {
                let class = part.class();
                let stem = if matches!(class, "image" | "audio" | "video") { class } else { "file" };
                format!("{stem}-{number}.{}", ending_of(mime))
            }
        }
    }

    // True when everything inside was listed instead of the winmail.dat.
    fn tnef_files(&mut self, at: usize) -> bool {
        let part = &self.parts[at];
        let bytes = part.bytes(self.mail);
        let Some(tnef) = tnef::read(&bytes) else {
            self.warn("broken_tnef", "a winmail.dat could not be read; it is attached as it came");
            return false;
        };
        for warning in &tnef.warnings {
            let text = match *warning {
                "checksum" => "a checksum in winmail.dat is wrong",
                _ => "winmail.dat ends too early",
            };
            self.warn(&format!("tnef_{warning}"), text);
        }
        let nothing = tnef.files.is_empty() && tnef.text.is_none() && tnef.html.is_none();
        let room = FILES_MAX.saturating_sub(self.content.files.len());
        for (inner, file) in tnef.files.iter().enumerate().take(room) {
            let mime = file.mime.clone().unwrap_or_else(|| mime_of_name(&file.name).to_owned());
            let name = match file.name.is_empty() {
                true => format!("file-{}.{}", self.content.files.len() + 1, ending_of(&mime)),
                false => file.name.clone(),
            };
            self.content.files.push(EnclosedFile {
                reference: reference(&self.parts[at], Some(inner)),
                name,
                mime,
                bytes: file.bytes.len() as u64,
                content_id: file.content_id.clone(),
            });
        }
        self.content.tnef_subject = tnef.subject;
        if self.tnef.is_none() {
            self.tnef = Some((tnef.text, tnef.html));
        }
        !nothing
    }

    fn finish(mut self, view: View) -> Content {
        let (tnef_text, tnef_html) = self.tnef.take().unwrap_or_default();
        let mut text = String::new();
        let mut of_html = !view.has_plain();
        if view.has_plain() {
            for leaf in &view.text {
                let piece = match *leaf {
                    Leaf::Plain(at) => self.text_of(at),
                    Leaf::Html(at) => html::to_text(&self.text_of(at)),
                };
                append(&mut text, &piece);
            }
        }
        let mut rich = String::new();
        if view.has_html() {
            for leaf in &view.html {
                match *leaf {
                    Leaf::Html(at) => rich.push_str(&self.text_of(at)),
                    Leaf::Plain(at) => rich.push_str(&as_html(&self.text_of(at))),
                }
            }
            self.name_images_by_place(&mut rich);
        }
        let mut html = view.has_html().then_some(rich).or(tnef_html);
        if text.trim().is_empty() {
            if let Some(plain) = tnef_text.filter(|_| html.is_none() || !view.has_html()) {
                text = plain;
                of_html = false;
            } else {
                of_html = html.is_some();
                text = String::new();
            }
        }
        self.label_inline_pgp(&text);
        html = html.filter(|html| !html.trim().is_empty());
        Content { text: bounded(model::fold::clean(&text)), text_is_of_html: of_html && html.is_some(), html, ..self.content }
    }

    fn text_of(&mut self, at: usize) -> String {
        let decoded = self.parts[at].text(self.mail);
        if decoded.unknown {
            let label = self.parts[at].param("charset").unwrap_or_default().chars().take(40).collect::<String>();
            self.warn(
                "unknown_charset",
                format!("the mail names the charset {label:?}, which nobody knows; read as {}", decoded.charset),
            );
        } else if decoded.damaged {
            self.warn("damaged_text", format!("some characters do not fit the charset {}", decoded.charset));
        }
        bounded(decoded.text)
    }

    // Pictures that HTML names by Content-Location get a Content-ID.
    fn name_images_by_place(&mut self, rich: &mut String) {
        for (at, part) in self.parts.iter().enumerate() {
            if part.content_id.is_some() || part.class() != "image" {
                continue;
            }
            let Some(place) = part.headers.first("Content-Location").filter(|place| !place.is_empty() && place.len() < 1_000)
            else {
                continue;
            };
            let wanted = reference(part, None);
            let id = format!("place-{at}");
            let mut found = false;
            for quote in ["\"", "'"] {
                let written = format!("{quote}{place}{quote}");
                if rich.contains(&written) {
                    *rich = rich.replace(&written, &format!("{quote}cid:{id}{quote}"));
                    found = true;
                }
            }
            if let Some(file) = self.content.files.iter_mut().find(|file| file.reference == wanted).filter(|_| found) {
                file.content_id = Some(id);
            }
        }
    }

    fn label_inline_pgp(&mut self, text: &str) {
        if text.contains("-----BEGIN PGP MESSAGE-----") {
            self.seal(Seal::PgpEncrypted);
        }
        if text.contains("-----BEGIN PGP SIGNED MESSAGE-----") {
            self.seal(Seal::PgpSigned);
        }
    }
}

// Of several forms of one thing: the first that is text, the last that is HTML.
fn alternative(views: Vec<View>) -> View {
    let any_html = views.iter().any(View::has_html);
    if !any_html {
        // Texts that call themselves alternatives of each other but are all text: nobody shall miss one.
        let text: Vec<Leaf> = views.into_iter().flat_map(|view| view.text).collect();
        return View { html: text.clone(), text };
    }
    let html = views.iter().rev().find(|view| view.has_html()).map(|view| view.html.clone()).unwrap_or_default();
    let text = views.iter().find(|view| view.has_plain()).map_or_else(|| html.clone(), |view| view.text.clone());
    View { text, html }
}

fn append(text: &mut String, piece: &str) {
    if piece.is_empty() {
        return;
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(piece);
}

fn bounded(text: String) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    let mut end = TEXT_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

fn as_html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<div>{}</div>", escaped.replace("\r\n", "\n").replace('\n', "<br>\n"))
}

fn is_tnef(part: &Part) -> bool {
    matches!(part.mime.as_str(), "application/ms-tnef" | "application/vnd.ms-tnef")
        || part
            .name
            .as_deref()
            .is_some_and(|name| name.eq_ignore_ascii_case("winmail.dat") || name.to_ascii_lowercase().ends_with(".tnef"))
}

const ENDINGS: [(&str, &str); 22] = [
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/svg+xml", "svg"),
    ("image/tiff", "tif"),
    ("image/bmp", "bmp"),
    ("application/pdf", "pdf"),
    ("application/zip", "zip"),
    ("application/json", "json"),
    ("application/msword", "doc"),
    ("application/rtf", "rtf"),
    ("application/xml", "xml"),
    ("text/plain", "txt"),
    ("text/html", "html"),
    ("text/csv", "csv"),
    ("text/xml", "xml"),
    ("text/vcard", "vcf"),
    ("text/x-vcard", "vcf"),
    ("audio/mpeg", "mp3"),
    ("audio/wav", "wav"),
    ("video/mp4", "mp4"),
];

fn ending_of(mime: &str) -> &'static str {
    ENDINGS.iter().find(|(have, _)| *have == mime).map_or("bin", |(_, ending)| ending)
}

fn mime_of_name(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    ENDINGS.iter().find(|(_, have)| *have == ending).map_or("application/octet-stream", |(mime, _)| mime)
}

// Where a file lies: range, transfer encoding, and the number inside a winmail.dat.
fn reference(part: &Part, inner: Option<usize>) -> String {
    let transfer = match part.transfer {
        Transfer::Plain => 'p',
        Transfer::Base64 => 'b',
        Transfer::QuotedPrintable => 'q',
        Transfer::Uuencode => 'u',
    };
    let place = format!("{}-{}{transfer}", part.body.start, part.body.end);
    inner.map_or(place.clone(), |inner| format!("{place}/{inner}"))
}

/// The bytes of a file that `read` listed. `None`: the reference fits no file of this mail.
pub fn open<'a>(mail: &'a [u8], reference: &str) -> Option<Cow<'a, [u8]>> {
    let (place, inner) = match reference.split_once('/') {
        Some((place, inner)) => (place, Some(inner.parse::<usize>().ok()?)),
        None => (reference, None),
    };
    let (start, rest) = place.split_once('-')?;
    let (end, transfer) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
    let transfer = match transfer {
        "p" => Transfer::Plain,
        "b" => Transfer::Base64,
        "q" => Transfer::QuotedPrintable,
        "u" => Transfer::Uuencode,
        _ => return None,
    };
    let bytes = decode_transfer(transfer, mail.get(start.parse().ok()?..end.parse().ok()?)?);
    match inner {
        None => Some(bytes),
        Some(inner) => {
            let found = tnef::read(&bytes)?.files.into_iter().nth(inner)?;
            Some(Cow::Owned(found.bytes.into_owned()))
        }
    }
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
