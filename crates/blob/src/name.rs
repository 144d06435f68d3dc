//! File names of strangers, made harmless: for screens, for `Content-Disposition`, for whoever saves the file.

const CHARS_MAX: usize = 120;
const EXTENSION_CHARS_MAX: usize = 16;

/// A name without path, control and direction characters, without characters and words that a file system keeps for
/// itself, at most 120 characters long with its extension kept. An empty one becomes `file`.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).find(|part| !part.trim().is_empty()).unwrap_or_default();
    let visible: String = last.chars().filter(|c| !is_hidden(*c)).map(|c| if is_reserved(c) { '_' } else { c }).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    // Dots and spaces at the ends are dropped by Windows, and a dot in front hides the file elsewhere.
    let name = words.join(" ");
    let name = name.trim_matches(|c: char| c == '.' || c.is_whitespace());
    if name.is_empty() {
        return "file".to_owned();
    }
    if is_device(name) { shorten(&format!("_{name}")) } else { shorten(name) }
}

// Control characters, and those that turn the direction of a name around ("gpj.exe" for "exe.jpg") or take no place.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}')
}

fn is_reserved(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*')
}

fn shorten(name: &str) -> String {
    if name.chars().count() <= CHARS_MAX {
        return name.to_owned();
    }
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension)
        .filter(|e| e.chars().count() <= EXTENSION_CHARS_MAX && !e.contains(' '));
    match extension {
        Some(extension) => {
            let stem_max = CHARS_MAX - 1 - extension.chars().count();
            let stem = model::fold::truncate(name, stem_max).trim_end_matches([' ', '.']);
            format!("{stem}.{extension}")
        }
        None => model::fold::truncate(name, CHARS_MAX).trim_end_matches([' ', '.']).to_owned(),
    }
}

// Names of devices on Windows, with any extension; superscript digits count there too.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = |prefix: &str| {
        let digit = stem.strip_prefix(prefix).map(|rest| rest.chars().collect::<Vec<_>>());
        digit.is_some_and(|digit| matches!(digit[..], ['0'..='9' | '¹' | '²' | '³']))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$") || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_names() {
        let cases = [
            ("invoice.pdf", "invoice.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\windows\\system32\\cmd.exe", "cmd.exe"),
            ("/", "file"),
            ("..", "file"),
            ("...", "file"),
            ("", "file"),
            ("   ", "file"),
            ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
            ("dir/", "dir"),
            ("a\0b.txt", "ab.txt"),
            ("a\r\nSet-Cookie: x.txt", "aSet-Cookie_ x.txt"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("\u{2066}x\u{2069}.pdf", "x.pdf"),
            ("in\u{200b}voice.pdf", "invoice.pdf"),
            ("\u{feff}a.txt", "a.txt"),
            (".htaccess", "htaccess"),
            ("name. . .", "name"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("nul.tar.gz", "_nul.tar.gz"),
            ("COM1", "_COM1"),
            ("com¹.log", "_com¹.log"),
            ("COM10.txt", "COM10.txt"),
            ("LPT9 .doc", "_LPT9 .doc"),
            ("console.log", "console.log"),
            ("a<b>:\"|?*.txt", "a_b______.txt"),
            ("x.txt:stream", "x.txt_stream"),
            ("Größe 5 – Übersicht.ods", "Größe 5 – Übersicht.ods"),
            ("مستند.pdf", "مستند.pdf"),
            ("two  \t words.txt", "two words.txt"),
            ("🎉.png", "🎉.png"),
            ("%2e%2e%2fetc", "%2e%2e%2fetc"),
        ];
        for (name, expected) in cases {
            assert_eq!(clean_name(name), expected, "{name:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        let long = clean_name(&format!("{}.jpeg", "é".repeat(500)));
        assert_eq!((long.chars().count(), long.ends_with("é.jpeg")), (120, true));
        assert_eq!(clean_name(&"x".repeat(500)).len(), 120);
        assert_eq!(clean_name(&format!("{}.{}", "x".repeat(200), "y".repeat(200))).chars().count(), 120);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_harmless_and_stays_as_it_is(name in ".{0,300}") {
            let clean = clean_name(&name);
            prop_assert!(!clean.is_empty() && clean.chars().count() <= CHARS_MAX);
            let harmful = clean.contains(['/', '\\', '\0', '\r', '\n', '"', '\u{202e}']);
            prop_assert!(!harmful, "harmful characters");
            prop_assert!(clean != "." && clean != ".." && !clean.starts_with('.') && !clean.ends_with(['.', ' ']));
            prop_assert_eq!(clean_name(&clean), clean);
        }
    }
}
