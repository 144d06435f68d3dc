//! Cuts text into words, the same for both engines and for documents and queries alike. Words are compatibility-normalised,
//! lower case and without accents; letters and digits are kept, everything else parts words (so the pieces of a mail address
//! or a link are words of their own). Scripts that write without spaces become overlapping pairs of characters.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// More words than this are not indexed: nobody looks for the end of a log file.
pub const WORD_COUNT_MAX: usize = 10_000;
/// Longer words are cut: encoded data, mostly.
const WORD_CHARS_MAX: usize = 64;

/// The words of a document, in order.
pub fn document_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    cut(text, |word, _| {
        words.push(word);
        words.len() < WORD_COUNT_MAX
    });
    words
}

/// The words of one term of a query, in order, and whether the last one stands for every word that begins so although
/// nobody asked: a single character of a script that is indexed by pairs.
pub fn query_words(text: &str) -> (Vec<String>, bool) {
    let mut words = Vec::new();
    let mut ends = End::Word;
    cut(text, |word, end| {
        words.push(word);
        ends = end;
        words.len() < WORD_COUNT_MAX
    });
    match ends {
        End::Word | End::Pair => (words, false),
        // The document's text may go on after this character: its last pair says all that is known.
        End::Last => {
            words.pop();
            (words, false)
        }
        End::Single => (words, true),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// A word between spaces.
    Word,
    /// Two characters of a script without spaces.
    Pair,
    /// The last character of a longer run, which is a word so that a query for it alone finds it.
    Last,
    /// A run of one character.
    Single,
}

// Calls `keep` with each word until it says no.
fn cut(text: &str, mut keep: impl FnMut(String, End) -> bool) {
    let folded = folded(text);
    let mut rest = folded.as_str();
    while let Some(start) = rest.find(is_word_char) {
        rest = &rest[start..];
        let paired = rest.chars().next().is_some_and(is_unspaced);
        let end = rest.find(|c| !is_word_char(c) || (!is_combining_mark(c) && is_unspaced(c) != paired)).unwrap_or(rest.len());
        let run = &rest[..end];
        rest = &rest[end..];
        let goes_on = if paired { pairs(run, &mut keep) } else { keep(run.chars().take(WORD_CHARS_MAX).collect(), End::Word) };
        if !goes_on {
            return;
        }
    }
}

fn pairs(run: &str, keep: &mut impl FnMut(String, End) -> bool) -> bool {
    let chars: Vec<char> = run.chars().collect();
    if let [single] = chars[..] {
        return keep(single.to_string(), End::Single);
    }
    chars.windows(2).all(|pair| keep(pair.iter().collect(), End::Pair))
        && chars.last().is_none_or(|last| keep(last.to_string(), End::Last))
}

fn folded(text: &str) -> String {
    // Composed again at the end, so that Korean syllables and Japanese voiced letters stay what they are.
    text.nfkd().flat_map(char::to_lowercase).filter(|c| !is_accent(*c)).nfc().flat_map(plain).collect()
}

/// Marks that readers leave out when they type: accents of Latin, Greek and Cyrillic, points of Hebrew, vowel signs of Arabic.
/// Marks of other scripts are letters in all but name and stay.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}' | '\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{6d6}'..='\u{6dc}' | '\u{6df}'..='\u{6e4}'
        | '\u{6e7}' | '\u{6e8}' | '\u{6ea}'..='\u{6ed}')
}

/// Letters that normalisation leaves alone and that people type plainly. Up to two letters each.
fn plain(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'ß' => ('s', Some('s')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'đ' | 'ð' => ('d', None),
        'ħ' => ('h', None),
        'ı' => ('i', None),
        'ς' => ('σ', None),
        // Arabic letters that are written either way.
        'ى' => ('ي', None),
        'ة' => ('ه', None),
        'ی' => ('ي', None),
        'ک' => ('ك', None),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Scripts without spaces between words: Chinese, Japanese, Korean (whose endings stick to the word), Thai, Lao, Burmese, Khmer.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{318f}' | '\u{31a0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut_text(text: &str) -> String {
        document_words(text).join(" ")
    }

    #[test]
    fn words_lose_case_and_accents() {
        assert_eq!(cut_text("Crème brûlée, ÉTÉ & Straße; Ørsted ﬁne ①"), "creme brulee ete strasse orsted fine 1");
        assert_eq!(cut_text("Ἀθῆναι ΣΊΣΥΦΟΣ Σίσυφος Ёлка İstanbul"), "αθηναι σισυφοσ σισυφοσ елка istanbul");
        assert_eq!(cut_text("أهلاً وسهلاً مكتبة"), cut_text("اهلا وسهلا مكتبه"));
        assert_eq!(cut_text("हिन्दी भाषा"), "हिन्दी भाषा");
        assert_eq!(cut_text("don't l'adresse"), "don t l adresse");
    }

    #[test]
    fn addresses_and_links_fall_into_their_pieces() {
        assert_eq!(cut_text("ada.novak@example.com"), "ada novak example com");
        assert_eq!(cut_text("https://shop.example/o/4812?ref=a_b"), "https shop example o 4812 ref a b");
        assert_eq!(cut_text("#4812 1.250,00"), "4812 1 250 00");
    }

    #[test]
    fn scripts_without_spaces_become_pairs() {
        assert_eq!(cut_text("返金してください"), "返金 金し して てく くだ ださ さい い");
        assert_eq!(cut_text("注文123号"), "注文 文 123 号");
        assert_eq!(cut_text("がぎ 환불"), "がぎ ぎ 환불 불");
        assert_eq!(query_words("返金し"), (vec!["返金".into(), "金し".into()], false));
        assert_eq!(query_words("金"), (vec!["金".into()], true));
        assert_eq!(query_words("文 123"), (vec!["文".into(), "123".into()], false));
    }

    #[test]
    fn there_is_a_limit_of_words_and_of_letters() {
        assert_eq!(document_words(&"a ".repeat(20_000)).len(), WORD_COUNT_MAX);
        assert_eq!(document_words(&"x".repeat(5_000))[0].chars().count(), WORD_CHARS_MAX);
        assert!(document_words("\u{0} !?  \u{200b}").is_empty());
    }

    proptest! {
        #[test]
        fn words_hold_nothing_that_a_query_language_could_read(text in "\\PC{0,60}|[a-z\"'*():^&|!<>\\\\\t -]{0,60}") {
            for word in document_words(&text) {
                prop_assert!(!word.is_empty());
                prop_assert!(word.chars().all(is_word_char), "{word:?}");
            }
        }
        #[test]
        fn cut_words_are_cut_alike_again(text in "\\PC{0,60}") {
            for word in document_words(&text) {
                let again = query_words(&word).0.join("");
                prop_assert!(word.starts_with(&again) || again == word, "{word:?} {again:?}");
            }
        }
    }
}
