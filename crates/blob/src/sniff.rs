//! What bytes really are. The name and the sender's word only decide between kinds that look alike.

/// How many bytes `sniff` looks at.
pub const HEAD_BYTES: usize = 8 * 1024;

/// What bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sniffed {
    /// Media type.
    pub mime: String,
    /// May be shown inside a page of ours (as a picture, a player or plain text). Everything else is a download.
    pub inline_safe: bool,
}

/// Sniffs the first bytes of a file. `hint` is the media type that the sender gave.
pub fn sniff(head: &[u8], name: &str, hint: Option<&str>) -> Sniffed {
    let head = &head[..head.len().min(HEAD_BYTES)];
    let mime = mime_of(head, &extension(name), hint);
    let inline_safe = is_inline_safe(&mime);
    Sniffed { mime, inline_safe }
}

fn mime_of(head: &[u8], extension: &str, hint: Option<&str>) -> String {
    // Text first: the signature list knows some texts too, but less strictly than what protects a page needs.
    if let Some(text) = as_text(head) {
        return text_mime(&text, extension).to_owned();
    }
    match infer::get(head).map(|kind| kind.mime_type()) {
        Some("application/zip") => zip_mime(extension).to_owned(),
        Some(
            "application/x-ole-storage" | "application/msword" | "application/vnd.ms-excel" | "application/vnd.ms-powerpoint",
        ) => ole_mime(extension).to_owned(),
        // One container, two uses: a player needs to know which.
        Some("video/webm") if hint.is_some_and(|hint| hint.starts_with("audio/webm")) => "audio/webm".to_owned(),
        Some("audio/m4a") => "audio/mp4".to_owned(),
        Some("audio/x-wav") => "audio/wav".to_owned(),
        Some("video/mp4") if hint.is_some_and(|hint| hint.starts_with("audio/mp4")) => "audio/mp4".to_owned(),
        Some("application/ogg" | "video/ogg" | "audio/ogg" | "audio/opus") => ogg_mime(head).to_owned(),
        Some(mime) => mime.to_owned(),
        None => "application/octet-stream".to_owned(),
    }
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

// What a page may show. Not HTML, SVG, XML, scripts, PDF: those can run code of strangers under our name.
fn is_inline_safe(mime: &str) -> bool {
    matches!(
        mime,
        "image/png"
            | "image/jpeg"
            | "image/gif"
            | "image/webp"
            | "image/avif"
            | "image/bmp"
            | "audio/mpeg"
            | "audio/ogg"
            | "audio/opus"
            | "audio/mp4"
            | "audio/aac"
            | "audio/wav"
            | "audio/webm"
            | "audio/x-flac"
            | "audio/amr"
            | "video/mp4"
            | "video/webm"
            | "video/ogg"
            | "video/quicktime"
            | "text/plain"
            | "text/csv"
    )
}

fn zip_mime(extension: &str) -> &'static str {
    match extension {
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "odp" => "application/vnd.oasis.opendocument.presentation",
        "epub" => "application/epub+zip",
        "apk" => "application/vnd.android.package-archive",
        "jar" => "application/java-archive",
        _ => "application/zip",
    }
}

fn ole_mime(extension: &str) -> &'static str {
    match extension {
        "doc" | "dot" => "application/msword",
        "xls" | "xlt" => "application/vnd.ms-excel",
        "ppt" | "pps" => "application/vnd.ms-powerpoint",
        "msg" => "application/vnd.ms-outlook",
        "msi" => "application/x-msi",
        _ => "application/x-ole-storage",
    }
}

fn ogg_mime(head: &[u8]) -> &'static str {
    let has = |word: &[u8]| head.windows(word.len()).take(512).any(|part| part == word);
    if has(b"theora") { "video/ogg" } else { "audio/ogg" }
}

/// The head as text, when it is text: no control characters but those of typing, UTF-8 or UTF-16 with a mark. A
/// character that the end of the head cuts in two is forgiven.
fn as_text(head: &[u8]) -> Option<String> {
    let wide = |rest: &[u8], big: bool| {
        let unit =
            |pair: &[u8]| if big { u16::from_be_bytes([pair[0], pair[1]]) } else { u16::from_le_bytes([pair[0], pair[1]]) };
        String::from_utf16_lossy(&rest.chunks_exact(2).map(unit).collect::<Vec<_>>())
    };
    let text = match head {
        [0xff, 0xfe, rest @ ..] => wide(rest, false),
        [0xfe, 0xff, rest @ ..] => wide(rest, true),
        _ => match std::str::from_utf8(head) {
            Ok(text) => text.to_owned(),
            Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
                String::from_utf8_lossy(&head[..error.valid_up_to()]).into_owned()
            }
            // Old texts in one-byte code pages stay plain text, if nothing in them looks like a program or a page.
            Err(_) if is_old_text(head) => head.iter().map(|byte| char::from(*byte)).collect(),
            Err(_) => return None,
        },
    };
    let typed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}' | '\u{80}'..='\u{9f}');
    text.chars().all(typed).then_some(text)
}

fn is_old_text(head: &[u8]) -> bool {
    let high = head.iter().filter(|byte| **byte >= 0x80).count();
    infer::get(head).is_none()
        && high * 3 < head.len()
        && head.iter().all(|byte| *byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r'))
}

fn text_mime(text: &str, extension: &str) -> &'static str {
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n', '\u{c}']);
    if start.starts_with("%PDF-") {
        return "application/pdf";
    }
    if start.starts_with("{\\rtf") {
        return "application/rtf";
    }
    if start.starts_with("%!PS") {
        return "application/postscript";
    }
    if start.starts_with("#!") {
        return "text/x-shellscript";
    }
    if let Some(markup) = markup_mime(text) {
        return markup;
    }
    match extension {
        // A name alone makes it no safer and no more useful to call it a page or a script: but a browser that saves it
        // under this name will run it, so it is never shown inline.
        "html" | "htm" | "xhtml" | "xht" | "shtml" => "text/html",
        "svg" => "image/svg+xml",
        "xml" | "xsl" | "xslt" => "text/xml",
        "js" | "mjs" => "text/javascript",
        "css" => "text/css",
        "json" => "application/json",
        "csv" => "text/csv",
        "ics" => "text/calendar",
        "vcf" => "text/vcard",
        "eml" => "message/rfc822",
        _ => "text/plain",
    }
}

// Looks anywhere in the head for what a browser could take for a page: a false alarm only costs a download.
fn markup_mime(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let has_tag = |name: &str| {
        lower.match_indices(name).any(|(at, _)| {
            let next = lower[at + name.len()..].chars().next();
            next.is_none_or(|c| !c.is_ascii_alphanumeric())
        })
    };
    if has_tag("<svg") {
        return Some("image/svg+xml");
    }
    const PAGE: [&str; 15] = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<script",
        "<iframe",
        "<object",
        "<embed",
        "<style",
        "<meta",
        "<link",
        "<base",
        "<form",
        "<img",
        "<a href",
    ];
    if PAGE.iter().any(|tag| has_tag(tag)) {
        return Some("text/html");
    }
    lower.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with("<?xml").then_some("text/xml")
}

#[cfg(test)]
#[path = "sniff_tests.rs"]
mod tests;
