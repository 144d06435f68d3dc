//! Folding of text into keys: what makes "Éva" and "eva" the same when people are looked for or sorted.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Compatibility-normalised, lower-case text without accents; what `*_key` columns hold.
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).map(unaccent).collect()
}

// Letters whose accent is part of the letter and which NFKD leaves alone.
fn unaccent(c: char) -> char {
    match c {
        'ø' => 'o',
        'ł' => 'l',
        'đ' => 'd',
        'ı' => 'i',
        other => other,
    }
}

/// What filters compare values by: folded, and numbers with leading zeroes so that 9 stands before 10.
pub fn sort_key(value: &str) -> String {
    let folded = fold(value.trim());
    let number = folded.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0 && *n < 1e15);
    let text = number.map_or(folded, |n| format!("{n:025.6}"));
    truncate(&text, 200).to_owned()
}

/// Text that may go into a row: NUL removed (PostgreSQL refuses it), line ends as `\n`.
pub fn clean(text: &str) -> String {
    text.replace('\0', "").replace("\r\n", "\n").replace('\r', "\n")
}

/// At most `chars_max` characters of `text`, cut at a character border.
pub fn truncate(text: &str, chars_max: usize) -> &str {
    text.char_indices().nth(chars_max).map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_ignores_case_and_accents() {
        assert_eq!(fold("ÉVA Müller-Ørsted ﬁne"), "eva muller-orsted fine");
        assert!(sort_key("9") < sort_key("10") && sort_key("10") < sort_key("10.5") && sort_key("Éva") == "eva");
        assert_eq!(clean("a\0b\r\nc\rd"), "ab\nc\nd");
        assert_eq!(truncate("éèê", 2), "éè");
        assert_eq!(truncate("é", 2), "é");
    }
}
