//! Address fields (From, To, Cc, ..) as people and machines really write them. In: the raw value of a field. Out: persons
//! with a name and, where there is a valid one, an address. Pure, never fails.
//!
//! The raw value is cut first and encoded words are decoded afterwards, in names only: decoding first could make an
//! address out of a name (email.md 7.4, C18).

use crate::headers::{Headers, decode_words, unfold};

/// Addresses of one field beyond this many are not read.
pub const COUNT_MAX: usize = 2_000;

/// Somebody in an address field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Display name, decoded.
    pub name: Option<String>,
    /// `local@domain` as written, when it is valid.
    pub address: Option<String>,
}

impl Person {
    /// The part of the address behind the last `@`, in lower case.
    pub fn domain(&self) -> Option<String> {
        self.address.as_deref().and_then(domain_of)
    }
    /// `Name <address>` for a line on screen.
    pub fn shown(&self) -> String {
        match (&self.name, &self.address) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (Some(only), None) | (None, Some(only)) => only.clone(),
            (None, None) => String::new(),
        }
    }
}

/// The domain of an address, in lower case.
pub fn domain_of(address: &str) -> Option<String> {
    address.rsplit_once('@').map(|(_, domain)| domain.to_lowercase()).filter(|domain| !domain.is_empty())
}

/// Everybody in all fields of this name, in order; who has neither name nor address is left out.
pub fn people(headers: &Headers, field: &str) -> Vec<Person> {
    let mut all = Vec::new();
    for header in headers.named(field) {
        all.extend(parse(&header.raw));
        if all.len() >= COUNT_MAX {
            all.truncate(COUNT_MAX);
            break;
        }
    }
    all
}

/// The sender: From, as far as it can be believed to be one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// The first person of the first From that has an address, else the first person.
    pub person: Person,
    /// How many From fields there are.
    pub fields: usize,
    /// How many different addresses stand in them.
    pub addresses: usize,
    /// The first From names an address only after repair, so other programs may read another one.
    pub repaired: bool,
}

impl Sender {
    /// Exactly one From with exactly one address, written so that every program reads the same.
    pub fn is_plain(&self) -> bool {
        self.fields == 1 && self.addresses == 1 && !self.repaired
    }
}

/// Reads the sender.
pub fn sender(headers: &Headers) -> Sender {
    let everybody = people(headers, "From");
    let first = headers.raw("From").map(parse).unwrap_or_default();
    let person = first.iter().find(|p| p.address.is_some()).or(first.first()).cloned().unwrap_or_default();
    let mut addresses: Vec<String> = everybody.iter().filter_map(|p| p.address.as_deref().map(str::to_lowercase)).collect();
    addresses.sort();
    addresses.dedup();
    let repaired = headers.raw("From").is_some_and(|raw| needs_repair(raw) && person.address.is_some());
    Sender { person, fields: headers.count("From"), addresses: addresses.len(), repaired }
}

// An address without angle brackets that stands among other words.
fn needs_repair(raw: &str) -> bool {
    let pieces = pieces(&unfold(raw));
    pieces.iter().any(|piece| {
        piece.angle.iter().all(|angle| valid(&clean(angle)).is_none())
            && !is_spaced_address(piece.words())
            && piece.words().split_whitespace().count() > 1
            && piece.words().split_whitespace().any(|word| valid(word).is_some())
    })
}

/// Everybody in the raw value of one address field.
pub fn parse(raw: &str) -> Vec<Person> {
    let value = unfold(raw);
    let found = pieces(&value).into_iter().take(COUNT_MAX).map(Piece::person);
    found.filter(|person| person.name.is_some() || person.address.is_some()).collect()
}

// What stands between two commas.
#[derive(Default)]
struct Piece {
    // Words and quoted strings outside angle brackets.
    phrase: String,
    quoted: bool,
    angle: Vec<String>,
    comments: Vec<String>,
}

impl Piece {
    fn is_empty(&self) -> bool {
        self.phrase.trim().is_empty() && self.angle.is_empty() && self.comments.is_empty()
    }

    fn words(&self) -> &str {
        self.phrase.trim()
    }

    fn person(self) -> Person {
        let in_angle = self.angle.iter().rev().find_map(|angle| valid(&clean(angle)));
        if let Some(address) = in_angle {
            return Person { name: name_of(self.words(), &self.comments), address: Some(address) };
        }
        // Brackets that hold no address may hold a part of it, or words.
        let mut words = self.words().to_owned();
        for angle in &self.angle {
            words.push(' ');
            words.push_str(angle);
        }
        let words = words.trim();
        // White space around the dots and the at-sign of an obsolete address ("jdoe@machine.  example").
        if let Some(address) = valid(&clean(words)).filter(|_| is_spaced_address(words)) {
            return Person { name: name_of("", &self.comments), address: Some(address) };
        }
        let address = words.split_whitespace().find_map(|word| valid(word.trim_matches(['"', '\'', '<', '>', ','])));
        let rest: Vec<&str> = words
            .split_whitespace()
            .filter(|word| Some(word.trim_matches(['"', '\'', '<', '>', ','])) != address.as_deref())
            .collect();
        Person { name: name_of(&rest.join(" "), &self.comments), address }
    }
}

// Only white space next to "." or "@" may go; "Big Bug bb@bug.com" stays three words.
fn is_spaced_address(words: &str) -> bool {
    let mut before = ' ';
    let mut spaces = false;
    for c in words.chars() {
        if c.is_whitespace() {
            spaces = true;
            continue;
        }
        if spaces && before != ' ' && !matches!(before, '.' | '@') && !matches!(c, '.' | '@') {
            return false;
        }
        (before, spaces) = (c, false);
    }
    true
}

fn name_of(phrase: &str, comments: &[String]) -> Option<String> {
    let from = if phrase.trim().is_empty() { comments.first().map(String::as_str).unwrap_or_default() } else { phrase };
    let decoded = decode_words(from);
    let name: String = decoded.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = unquoted(&name);
    (!name.is_empty()).then(|| name.to_owned())
}

// Quotes that were encoded together with the name, or doubled ('Name').
fn unquoted(name: &str) -> &str {
    let inside = ['"', '\''].iter().find_map(|q| name.strip_prefix(*q)?.strip_suffix(*q));
    inside.map_or(name, str::trim)
}

// Cuts a field at the commas (and the semicolons of groups and of Outlook) that are neither quoted nor in brackets.
fn pieces(value: &str) -> Vec<Piece> {
    let mut all = Vec::new();
    let mut piece = Piece::default();
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                piece.quoted = true;
                let text = quoted_string(&mut chars);
                // A quoted local part is no name: "john.doe"@x.test.
                if chars.peek() == Some(&'@') && !text.contains(char::is_whitespace) {
                    piece.phrase.push_str(&text);
                } else {
                    if !piece.phrase.is_empty() && !piece.phrase.ends_with(' ') {
                        piece.phrase.push(' ');
                    }
                    piece.phrase.push_str(&text);
                    piece.phrase.push(' ');
                }
            }
            '(' => piece.comments.push(comment(&mut chars)),
            '<' => piece.angle.push(bracketed(&mut chars)),
            '[' => {
                piece.phrase.push('[');
                for c in chars.by_ref() {
                    piece.phrase.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            // "undisclosed-recipients: ;" and other groups: their name is no person.
            ':' if !piece.phrase.contains('@') && piece.angle.is_empty() => piece = Piece::default(),
            ',' | ';' => all.push(std::mem::take(&mut piece)),
            '\\' => piece.phrase.extend(chars.next()),
            // The second bracket of "<<a@b.test>>".
            '>' => {}
            c => piece.phrase.push(c),
        }
        if all.len() > COUNT_MAX {
            return all;
        }
    }
    all.push(piece);
    all.retain(|piece| !piece.is_empty());
    all
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn quoted_string(chars: &mut Chars<'_>) -> String {
    let mut out = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

// Comments nest; counting needs no stack.
fn comment(chars: &mut Chars<'_>) -> String {
    let mut out = String::new();
    let mut depth = 1;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                out.extend(chars.next());
                continue;
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        out.push(c);
    }
    out.trim().to_owned()
}

fn bracketed(chars: &mut Chars<'_>) -> String {
    let mut out = String::new();
    while let Some(c) = chars.next() {
        match c {
            '>' => break,
            '(' => {
                comment(chars);
            }
            // "<<a@b.test>>": the inner brackets count.
            '<' => out.clear(),
            '"' => {
                let text = quoted_string(chars);
                out.push_str(&text);
            }
            // A bracket that was never closed ends with the person.
            ',' if out.contains('@') && !out.trim_start().starts_with('@') => break,
            c => out.push(c),
        }
    }
    out
}

// Without white space, "mailto:" and the route of an obsolete address ("<@relay.test:a@b.test>").
fn clean(written: &str) -> String {
    let text: String = written.chars().filter(|c| !c.is_whitespace()).collect();
    let text = match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text[7..].to_owned(),
        _ => text,
    };
    match text.split_once(':') {
        Some((route, address)) if route.starts_with('@') => address.to_owned(),
        _ => text,
    }
}

/// The address, if it is one that could be written to: one `@`, something in front, a domain or an IP behind.
pub fn valid(text: &str) -> Option<String> {
    let text = text.trim_end_matches('.');
    if text.len() > 320 || text.chars().any(|c| c.is_whitespace() || is_hidden(c)) {
        return None;
    }
    let (local, domain) = text.split_once('@')?;
    let bad = |c: char| matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '\\' | '"' | '@');
    if local.is_empty() || local.len() > 128 || local.contains(bad) {
        return None;
    }
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let good = match literal {
        Some(ip) => {
            let ip = ip.strip_prefix("IPv6:").unwrap_or(ip);
            ip.parse::<std::net::IpAddr>().is_ok()
        }
        None => domain.len() <= 253 && domain.split('.').all(good_label),
    };
    good.then(|| text.to_owned())
}

fn good_label(label: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_') || (!c.is_ascii() && !is_hidden(c));
    !label.is_empty() && label.len() <= 200 && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(inner)
}

// Characters that show nothing or turn the direction of writing: they only serve to make one address look like another.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFFD}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Vec<(Option<String>, Option<String>)> {
        parse(raw).into_iter().map(|p| (p.name, p.address)).collect()
    }
    fn one(name: Option<&str>, address: Option<&str>) -> (Option<String>, Option<String>) {
        (name.map(str::to_owned), address.map(str::to_owned))
    }

    #[test]
    fn addresses_as_people_and_programs_write_them() {
        let cases = [
            ("a@b.test", vec![one(None, Some("a@b.test"))]),
            ("Ada <a@b.test>", vec![one(Some("Ada"), Some("a@b.test"))]),
            ("\"Byron, Ada\" <a@b.test>, c@d.test", vec![one(Some("Byron, Ada"), Some("a@b.test")), one(None, Some("c@d.test"))]),
            ("a@b.test (Ada (the) First)", vec![one(Some("Ada (the) First"), Some("a@b.test"))]),
            ("=?utf-8?q?J=C3=B6rg?= <j@x.test>", vec![one(Some("Jörg"), Some("j@x.test"))]),
            // An address in an encoded name stays a name.
            ("=?utf-8?q?real=40bank=2Etest=3C?= <evil@x.test>", vec![one(Some("real@bank.test<"), Some("evil@x.test"))]),
            ("=?utf-8?q?evil=40x=2Etest?=", vec![one(Some("evil@x.test"), None)]),
            ("\"real@bank.test\" <evil@x.test>", vec![one(Some("real@bank.test"), Some("evil@x.test"))]),
            ("undisclosed-recipients:;", vec![]),
            (
                "A Group:Ed <e@x.test>,joe@y.test;, z@z.test",
                vec![one(Some("Ed"), Some("e@x.test")), one(None, Some("joe@y.test")), one(None, Some("z@z.test"))],
            ),
            ("a@b.test; c@d.test", vec![one(None, Some("a@b.test")), one(None, Some("c@d.test"))]),
            ("jdoe@machine.  example", vec![one(None, Some("jdoe@machine.example"))]),
            ("Mary Smith\r\n  <mary @ example . net>", vec![one(Some("Mary Smith"), Some("mary@example.net"))]),
            ("Big Bug bb@bug.com", vec![one(Some("Big Bug"), Some("bb@bug.com"))]),
            ("<@relay.test,@other.test:a@b.test>", vec![one(None, Some("a@b.test"))]),
            ("<mailto:a@b.test>", vec![one(None, Some("a@b.test"))]),
            ("<<a@b.test>>", vec![one(None, Some("a@b.test"))]),
            ("\"john.doe\"@x.test", vec![one(None, Some("john.doe@x.test"))]),
            ("root@[127.0.0.1]", vec![one(None, Some("root@[127.0.0.1]"))]),
            ("<>", vec![]),
            ("MAILER-DAEMON", vec![one(Some("MAILER-DAEMON"), None)]),
            ("a@b@c.test", vec![one(Some("a@b@c.test"), None)]),
            ("Ada <a@b.test", vec![one(Some("Ada"), Some("a@b.test"))]),
            ("jdöe@mächine.example", vec![one(None, Some("jdöe@mächine.example"))]),
            ("a@b\u{202E}.test", vec![one(Some("a@b\u{202E}.test"), None)]),
            ("", vec![]),
        ];
        for (raw, people) in cases {
            assert_eq!(read(raw), people, "{raw}");
        }
    }

    #[test]
    fn two_senders_are_no_sender_to_believe() {
        let of = |raws: &[&str]| sender(&raws.iter().map(|raw| ("From", *raw)).collect::<Headers>());
        assert!(of(&["a@b.test"]).is_plain());
        assert!(of(&["Ada <a@b.test>"]).is_plain());
        assert!(of(&["jdoe@machine.  example"]).is_plain());
        for raws in [
            &["a@b.test", "a@b.test"][..],
            &["a@b.test, c@d.test"],
            &["a@b.test", "c@d.test"],
            &[],
            &["nobody"],
            &["Big Bug bb@bug.com"],
        ] {
            assert!(!of(raws).is_plain(), "{raws:?}");
        }
        assert_eq!(of(&["one@x.test", "two@x.test"]).person.address.as_deref(), Some("one@x.test"));
    }

    #[test]
    fn ten_thousand_brackets_are_no_work() {
        for raw in ["(".repeat(100_000), "<".repeat(100_000), "\"".repeat(100_001), "a,".repeat(100_000), ":".repeat(100_000)] {
            let people = parse(&raw);
            assert!(people.len() <= COUNT_MAX);
        }
    }
}
