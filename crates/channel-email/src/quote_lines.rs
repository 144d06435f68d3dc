//! What one line of a mail is by itself: a quote, the beginning of somebody else's text, a signature.
//!
//! Every question here costs a bounded number of steps per line: lines are looked at up to `EXAMINED` bytes, and what
//! is put together from several lines is never more than `JOINED_LINES` of them. So a body of any shape costs time in
//! proportion to its length, which `Work` counts and a test holds.

use crate::quote_words::{
    DATE, DEVICES, EXCUSES, FORWARDED, FROM, OPENERS, ORIGINAL, OTHER_FIELDS, REPLY_ABOVE, SAID, SENT, SENT_FROM, SENT_LAST,
    SUBJECT, TO, WROTE,
};

/// Of a longer line only so much is looked at.
const EXAMINED: usize = 600;
/// An attribution ("On .. wrote:") may be wrapped over so many lines.
pub(crate) const JOINED_LINES: usize = 5;
/// A header block is looked for in so many lines.
const HEADER_LINES: usize = 16;

/// Bytes that were looked at; the tests hold it against the length of the text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Work(pub(crate) usize);

/// One line with its place in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Without its line end.
    pub(crate) text: &'a str,
    /// First byte.
    pub(crate) start: usize,
    /// First byte of the next line.
    pub(crate) end: usize,
}

/// Cuts a text into lines (LF, CRLF).
pub(crate) fn lines_of(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|whole| {
            let line = Line { text: whole.trim_end_matches(['\n', '\r']), start, end: start + whole.len() };
            start = line.end;
            line
        })
        .collect()
}

/// Nothing that a person sees: white space, zero-width characters, the mark of a mail tracker.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(is_unseen)
}

pub(crate) fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}' | '\u{1427}')
}

/// At most so many bytes of a text, cut at a character's border.
pub(crate) fn up_to(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Cut to what is examined.
fn head(text: &str) -> &str {
    up_to(text, EXAMINED)
}

/// Lower case with unusual spaces and invisible marks made usual.
fn lower(text: &str) -> String {
    head(text)
        .chars()
        .filter(|c| c.is_whitespace() || !is_unseen(*c))
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect::<String>()
        .to_lowercase()
}

/// Begins with the mark of a quote: `>`, also after a few spaces, also the initials of old news readers (`ab> `).
pub(crate) fn is_quoted(text: &str) -> bool {
    let trimmed = text.trim_start_matches([' ', '\t', '\u{a0}']);
    trimmed.starts_with('>') && text.len() - trimmed.len() <= 4
}

/// Initials before the mark, as in `AB> text`: the prefix, when there is one.
pub(crate) fn initials(text: &str) -> Option<&str> {
    let at = text.bytes().take(3).position(|byte| byte == b'>')?;
    let good = (1..=2).contains(&at) && text[..at].bytes().all(|byte| byte.is_ascii_uppercase());
    let after = text[at + 1..].chars().next();
    (good && after.is_none_or(char::is_whitespace)).then(|| &text[..at])
}

/// How sure it is that somebody else's text begins after this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sure {
    /// Only when quoted lines follow.
    IfQuoted,
    /// As it stands.
    Yes,
}

#[derive(Clone, Copy)]
struct Looks {
    sure: Sure,
    dated: bool,
}

/// An attribution that ends in line `at`: the line where it begins, and how sure that is.
pub(crate) fn attribution_ending(lines: &[Line<'_>], at: usize, work: &mut Work) -> Option<(usize, Sure)> {
    let last = lines[at].text.trim();
    work.0 += last.len().min(EXAMINED);
    if last.len() > EXAMINED || is_blank(last) {
        return None;
    }
    let quoted = is_quoted(lines[at].text);
    // A mail program may have taken the end of a wrapped attribution for a quote: `>:` or `> wrote:`.
    if quoted && last.trim_start_matches(['>', ' ']).chars().count() > 14 {
        return None;
    }
    if !ends_attribution(last) {
        return None;
    }
    let mut joined = String::new();
    let mut best: Option<(usize, Looks)> = None;
    for back in 0..JOINED_LINES.min(at + 1) {
        let start = at - back;
        let text = lines[start].text.trim();
        if back > 0 {
            // Polymail leaves an empty line before the address.
            let gap = is_blank(text) && lines[start + 1].text.trim_start().starts_with('<') && start > 0;
            if (is_blank(text) && !gap) || is_quoted(lines[start].text) || text.len() > EXAMINED {
                break;
            }
        } else if quoted {
            joined.push_str(text);
            continue;
        }
        joined = format!("{text} {joined}");
        work.0 += joined.len();
        if is_blank(text) {
            continue;
        }
        let Some(looks) = attributes(&joined) else { continue };
        if looks.dated {
            best = Some((start, looks));
            break;
        }
        if best.is_none() {
            best = Some((start, looks));
        }
    }
    let (mut start, looks) = best?;
    // "El mié., 2 nov." / "2016 a las 12:34, X escribió:": the date itself was cut in two.
    if start > 0 && !opens(lines[start].text) {
        let before = lines[start - 1].text;
        if !is_blank(before)
            && !is_quoted(before)
            && before.len() <= 120
            && opens(before)
            && before.contains(|c: char| c.is_ascii_digit())
        {
            start -= 1;
        }
    }
    Some((start, looks.sure))
}

fn strip_end(text: &str) -> &str {
    text.trim_end_matches(|c: char| is_unseen(c) || matches!(c, '-' | '_' | '*' | '=' | '–' | '—' | '.' | '…' | ']'))
}

fn ends_attribution(last: &str) -> bool {
    let last = strip_end(last);
    if last.ends_with([':', '：', '﹕']) {
        return true;
    }
    let low = lower(last);
    WROTE.iter().chain(SAID).any(|verb| low.ends_with(verb)) || low.trim_start_matches(['>', ' ']).is_empty()
}

// One attribution, put together to one line.
fn attributes(joined: &str) -> Option<Looks> {
    if joined.len() > 700 {
        return None;
    }
    let low = lower(joined);
    let text = low.trim();
    let bare = strip_end(text);
    let colon = bare.ends_with([':', '：', '﹕']);
    let bare = bare.trim_end_matches([':', '：', '﹕', ' ']);
    let dated = has_date(text);
    let address = has_address(text);
    let dashes = text.starts_with("--") && text.ends_with("--");
    if let Some((at, after)) = after_verb(bare, WROTE).or_else(|| after_verb(bare, SAID)) {
        // A verb in the middle (German, Dutch, Danish) is followed by a name, an address, a date and the colon.
        let rest = after.trim_matches(|c: char| is_unseen(c) || ":-–—_*,()[]{}.\"'/|".contains(c));
        let at_end = rest.chars().count() <= 3 || FILLERS.contains(&rest);
        let opened = opens(text);
        let sentence = text.contains(['?', '!']) || text.contains(". i ") || words(text) > 40;
        if sentence || (!at_end && (!colon || rest.chars().count() > 140 || !(opened || has_address(&bare[..at])))) {
            return None;
        }
        // Something that looks like prose after the verb: only an address, a date or a few words make it a name.
        if !(at_end || has_address(rest) || has_date(rest) || words(rest) <= 4) {
            return None;
        }
        let relayed = colon && at_end && text.contains(" via ") && words(text) <= 12;
        let named = (dated && (address || opened)) || (address && colon) || relayed;
        let sure = dashes || (named && after_verb(bare, WROTE).is_some());
        return match sure {
            true => Some(Looks { sure: Sure::Yes, dated }),
            false if colon && (dated || words(text) <= 12) => Some(Looks { sure: Sure::IfQuoted, dated }),
            false => None,
        };
    }
    // Any language: a date, an address in brackets, a colon, and nothing after it.
    let closed = bare.ends_with(['>', ')', ']']) || last_word_is_address(bare);
    if colon
        && dated
        && address
        && closed
        && !text.contains(['?', '!'])
        && words(text) <= 25
        && (bare.ends_with('>') || opens(text))
    {
        return Some(Looks { sure: Sure::Yes, dated });
    }
    None
}

const FILLERS: &[&str] =
    &["følgende", "het volgende", "ceci", "følgjande", "seuraavasti", "następująco", "в", "a", "(a", "la", "/la", "(а", "(a)"];

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn last_word_is_address(text: &str) -> bool {
    text.split_whitespace().next_back().is_some_and(has_address)
}

// Where the last verb stands, and what comes after it.
fn after_verb<'a>(text: &'a str, verbs: &[&str]) -> Option<(usize, &'a str)> {
    let found = verbs.iter().filter_map(|verb| whole_word(text, verb).map(|at| (at + verb.len(), at)));
    found.max().map(|(end, at)| (at, &text[end..]))
}

// The last place where a word stands alone. Scripts without spaces have no borders of words.
fn whole_word(text: &str, word: &str) -> Option<usize> {
    let free = word.chars().next().is_some_and(|c| c as u32 >= 0x0e00);
    text.rmatch_indices(word).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        free || (before.is_none_or(|c| !c.is_alphanumeric()) && after.is_none_or(|c| !c.is_alphanumeric()))
    })
}

/// A date that is meant as one: a clock, a year, or day/month/year.
pub(crate) fn has_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && bytes[at].is_ascii_digit() {
            at += 1;
        }
        let number = &bytes[start..at];
        let alone = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        let next = bytes.get(at).copied().unwrap_or(b' ');
        let digit_after = |skip: usize| bytes.get(at + skip).is_some_and(u8::is_ascii_digit);
        let year = number.len() == 4 && (number.starts_with(b"19") || number.starts_with(b"20"));
        if alone && year && !next.is_ascii_alphabetic() && next != b'@' {
            return true;
        }
        if alone && number.len() <= 2 {
            // 12:34, 12.34, 12h34, and 4/4/12 or 02.04.2012
            if matches!(next, b':') && digit_after(1) {
                return true;
            }
            if matches!(next, b'/' | b'.' | b'-') && digit_after(1) {
                let rest = &bytes[at + 1..];
                let second = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if second <= 2 && rest.get(second) == Some(&next) && rest.get(second + 1).is_some_and(u8::is_ascii_digit) {
                    return true;
                }
            }
        }
        if text[at..].starts_with(['年', '月', '년', '월']) {
            return true;
        }
    }
    false
}

/// Something like an address of mail.
pub(crate) fn has_address(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "._-+".contains(c));
        let domain: String = text[at + 1..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-')).collect();
        before && domain.trim_matches('.').contains('.')
    })
}

// Begins as attributions do: a preposition, a day of the week, a date.
fn opens(text: &str) -> bool {
    let low = lower(text);
    let low = low.trim_start_matches(|c: char| is_unseen(c) || matches!(c, '-' | '_' | '*' | '=' | '>' | '–' | '—' | '"'));
    let first: String = low.chars().take_while(|c| !c.is_whitespace() && !matches!(c, ',' | '、' | '，')).collect();
    let word = first.trim_end_matches(['.', ',']);
    if OPENERS.contains(&word) || ["于", "於", "在"].iter().any(|opener| low.starts_with(opener)) {
        return true;
    }
    first.starts_with(|c: char| c.is_ascii_digit()) && (first.contains(['.', '/', '-', ':', '年', '년']))
}

// Ends with an address in brackets, maybe with a colon.
fn closes_with_address(text: &str) -> bool {
    let bare = text.trim_end_matches([':', ' ', '：']);
    bare.ends_with('>') && has_address(bare)
}

// "On Mon, May 5, 2020 at 10:00 AM, Ann<ann@shop.test> wrote:   Hello": an attribution and more in one line.
fn wrote_inside(text: &str) -> bool {
    let text = head(text);
    let Some(end) = text.find(">").and_then(|at| text[at..].find(':').map(|colon| at + colon + 1)) else { return false };
    end < text.len() && end <= 200 && attributes(&text[..end]).is_some_and(|looks| looks.sure == Sure::Yes && looks.dated)
}

/// Gmail's attribution without a verb, beginning in line `at`: an ISO date, a name, mostly an address. Gives the line
/// after it.
pub(crate) fn dated_sender(lines: &[Line<'_>], at: usize, work: &mut Work) -> Option<usize> {
    let text = lines[at].text.trim();
    work.0 += text.len().min(20);
    if text.len() <= 200
        && closes_with_address(text)
        && has_date(text)
        && opens(text)
        && words(text) <= 14
        && !text.contains(['?', '!'])
    {
        return Some(at + 1);
    }
    // Old forums: "Posted by Ann on 02/01/2016".
    let low = lower(up_to(text, 120));
    if low.starts_with("posted by ") && has_date(text) && words(text) <= 12 {
        return Some(at + 1);
    }
    // Yahoo on a telephone puts the history into the line of the attribution.
    if text.len() > 40 && (opens(text) && wrote_inside(text)) {
        work.0 += text.len().min(EXAMINED);
        return Some(at + 1);
    }
    let bytes = text.as_bytes();
    let year = bytes.len() > 8 && bytes[..4].iter().all(u8::is_ascii_digit) && matches!(bytes[4], b'-' | b'/' | b'.');
    if !year || text.len() > 200 || !(bytes.starts_with(b"19") || bytes.starts_with(b"20")) {
        return None;
    }
    let second = bytes[5..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let third = bytes.get(6 + second..).map_or(0, |rest| rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    if !(1..=2).contains(&second) || bytes.get(5 + second) != Some(&bytes[4]) || !(1..=2).contains(&third) {
        return None;
    }
    if closes_with_address(text)
        || (has_address(text) && last_word_is_address(text.trim_end_matches([':', ' '])) && words(text) >= 3)
    {
        return Some(at + 1);
    }
    if let Some(next) = lines.get(at + 1)
        && next.text.len() <= 200
        && text.contains('<')
        && closes_with_address(&format!("{text} {}", next.text.trim()))
    {
        return Some(at + 2);
    }
    let zone = text.contains(" GMT") || text.contains(" UTC");
    (zone && has_date(text) && words(text) <= 8 && !text.contains(['?', '!'])).then_some(at + 1)
}

/// A line between dashes that says "original message" or "forwarded message", or a line that asks to reply above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Separator {
    /// An answered mail follows.
    Original,
    /// A forwarded mail follows.
    Forwarded,
}

/// Is the line such a separator?
pub(crate) fn separator(text: &str, work: &mut Work) -> Option<Separator> {
    let trimmed = text.trim();
    if trimmed.len() > 200 || trimmed.len() < 4 {
        return None;
    }
    work.0 += trimmed.len();
    let dash = |c: char| matches!(c, '-' | '_' | '=' | '*' | '–' | '—' | '~' | '#' | '>' | '<' | ' ');
    let inner = trimmed.trim_matches(dash);
    let left = trimmed.len() - trimmed.trim_start_matches(dash).len();
    let right = trimmed.len() - trimmed.trim_end_matches(dash).len();
    let low = lower(inner);
    let low = low.trim_end_matches([':', '：', ' ', '.']);
    if low.chars().count() > 70 || low.is_empty() {
        return None;
    }
    if REPLY_ABOVE.iter().any(|words| low.contains(words)) {
        return Some(Separator::Original);
    }
    let ruled = left >= 2 || right >= 2;
    let introduced = inner.ends_with([':', '：']);
    let says = |table: &[&str]| {
        table.iter().any(|words| {
            low == *words || ((ruled || introduced) && low.contains(words) && low.chars().count() <= words.chars().count() + 28)
        })
    };
    if (ruled || introduced) && says(FORWARDED) {
        return Some(Separator::Forwarded);
    }
    (ruled && says(ORIGINAL)).then_some(Separator::Original)
}

/// A ruler: only dashes, underscores, stars and their like.
pub(crate) fn ruler(text: &str) -> Option<(char, usize)> {
    let trimmed = text.trim_matches(is_unseen);
    let first = trimmed.chars().next()?;
    if trimmed.len() > 300 || !"-_=*~+#—–".contains(first) {
        return None;
    }
    trimmed.chars().all(|c| c == first || c == ' ').then(|| (first, trimmed.chars().filter(|c| *c == first).count()))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    From,
    Date,
    Sent,
    To,
    Subject,
    Other,
}

/// A header block (From, Sent, To, Subject in any language) that begins in line `at`: the line after it.
pub(crate) fn header_block(lines: &[Line<'_>], at: usize, introduced: bool, work: &mut Work) -> Option<usize> {
    let (first, _) = field(lines[at].text, work)?;
    if first == Field::Other {
        return None;
    }
    let mut seen: Vec<Field> = vec![];
    // How many fields hold an address; whether one holds a date.
    let (mut addressed, mut dated) = (0, false);
    let (mut end, mut strange, mut open_value) = (at, 0, false);
    for (index, line) in lines.iter().enumerate().skip(at).take(HEADER_LINES) {
        let text = line.text.trim();
        if is_blank(text) {
            // Some programs put an empty line between the fields.
            let goes_on = lines.get(index + 1).is_some_and(|next| field(next.text, work).is_some());
            if goes_on && index == end {
                end = index + 1;
                continue;
            }
            break;
        }
        if is_quoted(line.text) {
            break;
        }
        match field(line.text, work) {
            Some((name, value)) => {
                addressed += usize::from(has_address(value));
                dated |= matches!(name, Field::Date | Field::Sent) && has_date(value);
                if !seen.contains(&name) {
                    seen.push(name);
                }
                open_value = value.trim().is_empty() || value.trim_end().ends_with([',', ';', '<', ':']);
                strange = 0;
            }
            None => {
                let indented = line.text.starts_with([' ', '\t']) && index > at;
                let tail = has_address(text) && text.len() <= 200 && !text.contains(['?', '!']);
                let wrapped = open_value
                    || tail
                    || (indented && words(text) <= 12)
                    || matches!(text, "PM" | "AM" | "pm" | "am")
                    || (has_date(text) && words(text) <= 5);
                strange += 1;
                if strange > 2 || !(wrapped || (is_named_value(text) && words(text) <= 12)) {
                    break;
                }
                // A strange line counts only when a field follows: it may be the first line of the text.
                let more = lines.iter().skip(index + 1).take(2).any(|next| field(next.text, work).is_some());
                if !more && !open_value {
                    break;
                }
                addressed += usize::from(has_address(text));
                open_value = false;
            }
        }
        end = index + 1;
    }
    let has = |name| seen.contains(&name);
    let date = has(Field::Date) || has(Field::Sent);
    let kinds = [has(Field::From), date, has(Field::To), has(Field::Subject)].into_iter().filter(|has| *has).count();
    if introduced {
        return (kinds >= 2 || (kinds == 1 && (has(Field::From) || date))).then_some(end);
    }
    // Forms and bookings have From, To and Date too. A block of a mail tells when it was sent, or names mail addresses, and
    // is not followed by more such lines.
    if lines.get(end).is_some_and(|next| is_named_value(next.text.trim())) {
        return None;
    }
    let of_mail = has(Field::Subject) || has(Field::Sent) || addressed > 0;
    let block = match kinds {
        0 | 1 => false,
        2 if date => dated && (has(Field::Sent) || (addressed > 0 && !has(Field::Subject))),
        2 => has(Field::From) && has(Field::To) && addressed >= 2,
        _ => of_mail && (date || has(Field::To)),
    };
    block.then_some(end)
}

// `Name: value`, as forms write it.
fn is_named_value(text: &str) -> bool {
    text.find([':', '：'])
        .is_some_and(|colon| colon > 0 && colon <= 30 && !text[colon..].starts_with("://") && words(&text[..colon]) <= 4)
}

fn field<'a>(text: &'a str, work: &mut Work) -> Option<(Field, &'a str)> {
    let text = head(text.trim_start_matches(|c: char| is_unseen(c) || matches!(c, '*' | '|' | '_')));
    let colon = text.char_indices().take(40).find(|(_, c)| matches!(c, ':' | '：'))?;
    work.0 += 40;
    let name = lower(&text[..colon.0]);
    let name = name.trim_matches(|c: char| is_unseen(c) || matches!(c, '*' | '_'));
    let value = text[colon.0 + colon.1.len_utf8()..].trim_start_matches(['*', ' ', '_']);
    // https://.. and 12:30 are no fields.
    if value.starts_with("//") || name.is_empty() {
        return None;
    }
    let tables = [
        (Field::From, FROM),
        (Field::Date, DATE),
        (Field::Sent, SENT),
        (Field::To, TO),
        (Field::Subject, SUBJECT),
        (Field::Other, OTHER_FIELDS),
    ];
    tables.iter().find(|(_, names)| names.contains(&name)).map(|(field, _)| (*field, value))
}

/// "Sent from my phone" and its like in other languages, and the advertisements of mail programs.
pub(crate) fn sent_from_device(text: &str, work: &mut Work) -> bool {
    let trimmed = text.trim_matches(is_unseen);
    if trimmed.len() > 220 || trimmed.len() < 6 {
        return false;
    }
    work.0 += trimmed.len();
    let plain: &str = trimmed.trim_matches(|c: char| is_unseen(c) || "()<>[]*_«»\"'-–—|.!".contains(c));
    let low = lower(plain);
    let low = low.as_str();
    let device = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric() && c != '-')
            .any(|word| DEVICES.contains(&word) || DEVICES.iter().any(|name| name.len() > 4 && word.starts_with(name)))
            || ["手机", "手機", "iphone", "ipad", "android", "スマホ", "휴대폰", "k-9"].iter().any(|name| text.contains(name))
    };
    for (prefix, strict) in [
        ("sent from", false),
        ("sent via", true),
        ("sent with", true),
        ("sent by", true),
        ("sent using", true),
        ("sent on", true),
    ] {
        let Some(rest) = low.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(' ')) else { continue };
        let cut = rest.find([',', '.', ';', '!', '(', '<', '–', '—']).unwrap_or(rest.len());
        let (named, tail) = rest.split_at(cut);
        let tail = tail.trim_matches(|c: char| is_unseen(c) || ",.;!()<>–—".contains(c));
        let capital = plain.get(prefix.len() + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_uppercase() || c == '['));
        let own = ["my ", "a ", "an ", "our "].iter().any(|own| named.starts_with(own)) && !strict;
        let sounds = device(named) || own || capital;
        let excused = tail.is_empty() || EXCUSES.iter().any(|excuse| tail.contains(excuse));
        return sounds && words(named) <= 8 && excused;
    }
    let count = words(low);
    if ["get ", "download ", "obtenir ", "obtener ", "obter ", "scarica ", "télécharger ", "holen ", "descargar "]
        .iter()
        .any(|verb| low.starts_with(verb))
    {
        return count <= 9
            && ["outlook", "bluemail", "typeapp", "yahoo", "mail"].iter().any(|name| low.contains(name))
            && device(low);
    }
    if low.contains("outlook für ") || low.contains("outlook voor ") {
        return count <= 8;
    }
    if SENT_FROM.iter().any(|prefix| low.starts_with(prefix)) {
        let last = !low.starts_with("von ") && !low.starts_with("diese ") || SENT_LAST.iter().any(|last| low.contains(last));
        return last && count <= 16 && (device(low) || count <= 5) && !low.contains('?');
    }
    if count <= 14 && SENT_LAST.iter().any(|last| low.ends_with(last)) && device(low) && !low.contains(['?', ',']) {
        // "Ich habe es vom Handy gesendet" is a sentence.
        return !low.starts_with("ich ") && !low.contains(" ich ");
    }
    let short = count <= 5 && !low.contains(['?', ',']);
    let from =
        low.starts_with("from my ") || low.starts_with("via ") || low.contains(" from mobile") || low.starts_with("from mobile");
    short && from && device(low)
}

/// `-Name` alone in a line.
pub(crate) fn dashed_name(text: &str) -> bool {
    let trimmed = text.trim();
    let name = trimmed.trim_start_matches(['-', '–', '—', '~']);
    let dashes = trimmed.chars().count() - name.chars().count();
    (1..=2).contains(&dashes) && !name.starts_with(char::is_whitespace) && looks_like_name(name, 1)
}

/// A person's name: one to four words with capitals, no digits.
pub(crate) fn looks_like_name(text: &str, least: usize) -> bool {
    let text = text.trim();
    let count = words(text);
    (least..=6).contains(&count)
        && text.len() <= 60
        && !text.ends_with(['.', '?', '!', ':']) | text.ends_with("D.")
        && text.split_whitespace().all(|word| {
            word.starts_with(|c: char| c.is_uppercase()) && !word.contains(|c: char| c.is_ascii_digit() || "@/:?!".contains(c))
        })
}

/// A line that tells how to reach somebody: address, telephone, site.
pub(crate) fn reaches(text: &str) -> bool {
    let low = lower(text);
    let digits = low.chars().filter(char::is_ascii_digit).count();
    let spaced = low.chars().filter(|c| c.is_alphabetic()).count() <= 12;
    has_address(&low)
        || ["http://", "https://", "www.", "linkedin", "skype"].iter().any(|mark| low.contains(mark))
        || (digits >= 7
            && (spaced || ["tel", "phone", "fax", "mob", "cell", "direct", "office"].iter().any(|mark| low.contains(mark))))
}
