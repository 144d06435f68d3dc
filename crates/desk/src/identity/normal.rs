//! Normal forms of addresses: what `match_key` holds. The original stays beside it for sending (domain.md 5.2, 5.3). Pure.

use crate::settings::rules::region;
use channel::ContactPointClaim;
use model::{Channel, ContactPointKind};
use phonenumber::country::Id as Region;
use regex::Regex;
use std::sync::LazyLock;
use store::contact_point::PointKey;
use unicode_normalization::UnicodeNormalization;

/// Longest key; longer ones are cut to their hash, since an index key may not be of any length.
const KEY_BYTES_MAX: usize = 255;
/// Most digits of a number that is none of any country's plan.
const DIGITS_MAX: usize = 20;

/// How numbers are spelt where an event came in: the country decides about those without a country code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spelling {
    region: Option<Region>,
    international: bool,
}

impl Spelling {
    /// In a country, given as `DE` or as its calling code `+49`. An unknown one gives no country: such numbers then keep
    /// their digits and equal only themselves.
    pub fn of_country(country: &str) -> Self {
        Self { region: region(country), international: false }
    }
    /// The same where bare digits are international, as some channels write them.
    pub fn on(self, channel: Channel) -> Self {
        Self { international: channel.writes_international_digits(), ..self }
    }
}

/// The key of a claim, or `None` when it names nothing that can be compared (a withheld number, an empty address).
pub fn key_of(claim: &ContactPointClaim, spelling: Spelling) -> Option<PointKey> {
    let value = model::fold::clean(&claim.value);
    let value = value.trim();
    let match_key = match claim.kind {
        ContactPointKind::Email => email(value)?,
        ContactPointKind::Phone => phone(value, spelling)?,
        _ if value.is_empty() => return None,
        _ => value.to_owned(),
    };
    let match_key = if match_key.len() > KEY_BYTES_MAX { channel::content_key(match_key.as_bytes()) } else { match_key };
    // A number or an address is the same wherever it is used.
    let scope = match claim.kind {
        ContactPointKind::Email | ContactPointKind::Phone => String::new(),
        _ => model::fold::clean(&claim.scope),
    };
    Some(PointKey { kind: claim.kind, scope, match_key })
}

/// Lower case, the domain as IDNA, no trailing dot; only gmail.com = googlemail.com drops dots and +tag.
pub fn email(address: &str) -> Option<String> {
    let lower: String = address.trim().nfkc().collect::<String>().to_lowercase();
    let lower = lower.strip_prefix("mailto:").unwrap_or(&lower);
    let (local, domain) = lower.rsplit_once('@')?;
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',');
    if local.is_empty() || lower.chars().any(bad) {
        return None;
    }
    let domain = domain.trim_end_matches('.');
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_owned());
    if domain.is_empty() {
        return None;
    }
    if matches!(domain.as_str(), "gmail.com" | "googlemail.com") {
        let plain: String = local.split('+').next().unwrap_or(local).chars().filter(|c| *c != '.').collect();
        return (!plain.is_empty()).then(|| format!("{plain}@gmail.com"));
    }
    Some(format!("{local}@{domain}"))
}

/// An address without its +tag, when that says something else: the same mailbox with many providers, but not with all.
pub fn without_tag(email_key: &str) -> String {
    store::contact_point::loose_form(email_key)
}

/// How people and programs write extensions, behind the number.
static EXTENSION: LazyLock<Regex> = LazyLock::new(|| {
    let words = "extension|ext|extn|xtn|x|#|доб|добавочный|durchwahl|dw|klappe|anexo|ramal|interno|int|poste|toestel";
    Regex::new(&format!(r"(?i)[\s,;.(\[-]*(?:{words})[\s.:=]*(\d{{1,9}})[\s#)\]]*$")).expect("the pattern is constant")
});

/// Words for a number that is not shown, and what carriers send in their place: the letters as digits.
const WITHHELD: [&str; 10] = [
    "anonymous",
    "restricted",
    "unavailable",
    "unknown",
    "private",
    "+266696687",
    "+7378742833",
    "+86282452253",
    "+8656696",
    "+7748483",
];

/// E.164 with `+` and folded variants; an extension is part of it: `+49301234567;ext=12`. Without a country a national number
/// keeps its digits.
pub fn phone(number: &str, spelling: Spelling) -> Option<String> {
    let text: String = number.nfkc().filter(|c| !is_invisible(*c)).collect::<String>().trim().to_lowercase();
    let (text, international) = match international_prefix(&text) {
        Some(rest) => (rest.trim(), true),
        None => (
            ["tel:", "sms:", "callto:"].iter().find_map(|p| text.strip_prefix(p)).unwrap_or(&text).trim(),
            spelling.international,
        ),
    };
    if WITHHELD.contains(&text) {
        return None;
    }
    let (text, extension) = match EXTENSION.captures(text) {
        Some(found) if text[..found.get(0)?.start()].chars().any(|c| c.is_ascii_digit()) => {
            (&text[..found.get(0)?.start()], Some(found[1].to_owned()))
        }
        _ => (text, None),
    };
    // What is left behind a semicolon are parameters of a tel: address.
    let text = text.split(';').next().unwrap_or(text);
    let main = main_number(text, spelling, international)?;
    Some(match extension {
        Some(extension) => format!("{main};ext={extension}"),
        None => main,
    })
}

/// Behind the name of a channel that writes them so, bare digits are international wherever they stand.
fn international_prefix(text: &str) -> Option<&str> {
    let mut channels = Channel::ALL.iter().filter(|channel| channel.writes_international_digits());
    channels.find_map(|channel| text.strip_prefix(channel.word())?.strip_prefix(':'))
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{ad}')
}

fn main_number(text: &str, spelling: Spelling, international: bool) -> Option<String> {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let all = digits(text);
    if all.len() < 3 || all.len() > DIGITS_MAX {
        return None;
    }
    let is_nanp = spelling.region.is_some_and(|r| matches!(r, Region::US | Region::CA));
    let outside = if text.trim_start_matches(['(', ' ']).starts_with('+') {
        Some(digits(&without_trunk(text)))
    } else if all.starts_with("00") {
        Some(digits(&without_trunk(text)).split_off(2))
    } else if is_nanp && all.starts_with("011") && all.len() > 10 {
        Some(digits(&without_trunk(text)).split_off(3))
    } else if international && !all.starts_with('0') {
        Some(all.clone())
    } else {
        None
    };
    if let Some(outside) = outside {
        if outside.len() < 3 {
            return None;
        }
        let plus = format!("+{outside}");
        return Some(fold(&library(None, &plus).unwrap_or(plus)));
    }
    let Some(region) = spelling.region else { return Some(all) };
    // Letters on the keypad (1-800-FLOWERS) are the library's business.
    let letters = text.chars().filter(char::is_ascii_alphabetic).count() >= 3;
    let national = if letters { text.to_owned() } else { old_mexican(region, &all) };
    Some(library(Some(region), &national).map_or(all, |found| fold(&found)))
}

/// `(0)` between country code and number is for callers inside the country.
fn without_trunk(text: &str) -> String {
    text.replace("(0)", "").replace("( 0 )", "")
}

/// Mexico dialled 01, 044 and 045 before the ten digits, and 1 before mobiles, until 2019.
fn old_mexican(region: Region, digits: &str) -> String {
    let old = [("044", 13), ("045", 13), ("01", 12), ("1", 11)];
    let ten = old.into_iter().find(|(prefix, length)| digits.starts_with(prefix) && digits.len() == *length);
    match ten {
        Some((prefix, _)) if region == Region::MX => digits[prefix.len()..].to_owned(),
        _ => digits.to_owned(),
    }
}

fn library(region: Option<Region>, text: &str) -> Option<String> {
    let parsed = phonenumber::parse(region, text).ok()?;
    Some(parsed.format().mode(phonenumber::Mode::E164).to_string())
}

/// One number, several spellings: Mexico's old mobile 1, Argentina's mobile 9, Brazil's ninth digit of mobiles.
fn fold(e164: &str) -> String {
    let Some(digits) = e164.strip_prefix('+') else { return e164.to_owned() };
    if let Some(rest) = digits.strip_prefix("521").filter(|rest| rest.len() == 10) {
        return format!("+52{rest}");
    }
    if let Some(rest) = digits.strip_prefix("549").filter(|rest| rest.len() == 10) {
        return format!("+54{rest}");
    }
    if let Some(rest) = digits.strip_prefix("55").filter(|rest| rest.len() == 10)
        && matches!(rest.as_bytes()[2], b'6'..=b'9')
    {
        return format!("+55{}9{}", &rest[..2], &rest[2..]);
    }
    e164.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_fold_as_their_provider_does() {
        assert_eq!(email(" Ada.Novak+x@Example.COM. ").as_deref(), Some("ada.novak+x@example.com"));
        assert_eq!(email("A.da+shop@googlemail.com").as_deref(), Some("ada@gmail.com"));
        assert_eq!(email("JÜRGEN@Müller.example").as_deref(), Some("jürgen@xn--mller-kva.example"));
        assert_eq!(email("jürgen@xn--mller-kva.example").as_deref(), Some("jürgen@xn--mller-kva.example"));
        assert_eq!(email("a@straße.example"), email("a@xn--strae-oqa.example"), "the letter itself, not ss");
        for wrong in ["", "@", "ada", "ada@", "@x.test", "a b@x.test", "<a@x.test>", "+x@gmail.com"] {
            assert_eq!(email(wrong), None, "{wrong}");
        }
        assert_eq!(without_tag("ada+x@example.com"), "ada@example.com");
    }

    #[test]
    fn numbers_are_read_with_the_country_of_the_inbox() {
        let cases = [
            ("DE", "+49 170 1234567", "+491701234567"),
            ("DE", "0049 (0)170 1234567", "+491701234567"),
            ("+49", "0170/123 45 67", "+491701234567"),
            ("DE", "+49 (0) 170-1234567", "+491701234567"),
            ("DE", "tel:+49-170-1234567", "+491701234567"),
            ("DE", "＋４９１７０１２３４５６７", "+491701234567"),
            ("DE", "\u{202a}+49 170 1234567\u{202c}", "+491701234567"),
            ("AT", "0664 1234567", "+436641234567"),
            ("+43", "0043 664 1234567", "+436641234567"),
            ("MX", "55 1234 5678", "+525512345678"),
            ("MX", "044 55 1234 5678", "+525512345678"),
            ("MX", "01 55 1234 5678", "+525512345678"),
            ("MX", "+52 1 55 1234 5678", "+525512345678"),
            ("DE", "+5215512345678", "+525512345678"),
            ("US", "(415) 555-2671", "+14155552671"),
            ("+1", "1 415 555 2671", "+14155552671"),
            ("US", "011 49 170 1234567", "+491701234567"),
            ("US", "1-800-FLOWERS", "+18003569377"),
            ("BR", "11 98765-4321", "+5511987654321"),
            ("BR", "(11) 8765-4321", "+5511987654321"),
            ("+55", "0 21 11 98765-4321", "+5511987654321"),
            ("DE", "+55 11 8765 4321", "+5511987654321"),
            ("BR", "11 3765-4321", "+551137654321"),
            ("DE", "+55 11 3765-4321", "+551137654321"),
            ("AR", "0 11 15 2345 6789", "+541123456789"),
            ("AR", "011 15-2345-6789", "+541123456789"),
            ("AR", "11 2345 6789", "+541123456789"),
            ("DE", "+54 9 11 2345 6789", "+541123456789"),
            ("DE", "+54 11 15 2345 6789", "+541123456789"),
            ("DE", "+54 11 2345 6789", "+541123456789"),
            ("+54", "0 351 15 234 5678", "+543512345678"),
            ("IT", "06 6982 1234", "+390669821234"),
            ("RU", "8 (495) 123-45-67", "+74951234567"),
            ("GB", "020 7946 0000", "+442079460000"),
            ("HU", "06 1 234 5678", "+3612345678"),
            ("DE", "110", "+49110"),
        ];
        for (country, spelt, wanted) in cases {
            assert_eq!(phone(spelt, Spelling::of_country(country)).as_deref(), Some(wanted), "{spelt} in {country}");
        }
    }

    #[test]
    fn bare_digits_are_international_only_where_the_channel_writes_them_so() {
        let german = Spelling::of_country("DE");
        let channel = *Channel::ALL.iter().find(|c| c.writes_international_digits()).unwrap();
        let bare = german.on(channel);
        assert_eq!(phone("5215512345678", bare).as_deref(), Some("+525512345678"));
        assert_eq!(phone("5491123456789", bare).as_deref(), Some("+541123456789"));
        assert_eq!(phone("551187654321", bare).as_deref(), Some("+5511987654321"));
        assert_eq!(phone("14155552671", bare).as_deref(), Some("+14155552671"));
        assert_eq!(phone(&format!("{channel}:14155552671"), german).as_deref(), Some("+14155552671"));
        assert_eq!(phone("0170 1234567", bare).as_deref(), Some("+491701234567"), "a trunk zero is national even there");
        assert_eq!(phone("555 0142", Spelling::default()).as_deref(), Some("5550142"), "no country: only itself");
    }

    #[test]
    fn an_extension_is_part_of_the_key_however_it_is_written() {
        let spelling = Spelling::of_country("DE");
        let wanted = phone("+49301234567;ext=12", spelling);
        assert_eq!(wanted.as_deref(), Some("+49301234567;ext=12"));
        for spelt in [
            "+49 30 1234567 ext. 12",
            "030 1234567 x12",
            "030/1234567x12",
            "+49 30 1234567 Ext 12",
            "+49 (0)30 1234567, extension 12",
            "tel:+49-30-1234567;ext=12",
            "030 1234567 Durchwahl 12",
            "030 1234567 #12",
            "+49301234567 доб. 12",
        ] {
            assert_eq!(phone(spelt, spelling), wanted, "{spelt}");
        }
        assert_ne!(phone("+49301234567", spelling), wanted, "the switchboard is another key");
        assert_ne!(phone("+49301234567x13", spelling), wanted);
        assert_eq!(phone("tel:030-1234567;phone-context=+49", spelling).as_deref(), Some("+49301234567"));
    }

    #[test]
    fn a_withheld_number_is_no_key() {
        let spelling = Spelling::of_country("DE");
        for withheld in [
            "",
            "  ",
            "Anonymous",
            "PRIVATE",
            "restricted",
            "Unavailable",
            "unknown",
            "+266696687",
            "+",
            "12",
            "tel:anonymous",
            "DHL",
        ] {
            assert_eq!(phone(withheld, spelling), None, "{withheld}");
        }
        let claim = |kind, value: &str| ContactPointClaim::new(kind, "", value, 1, channel::ClaimSource::Sender);
        assert_eq!(key_of(&claim(ContactPointKind::Phone, "Restricted"), spelling), None);
        assert_eq!(key_of(&claim(ContactPointKind::Ext, " "), spelling), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic_and_a_key_reads_as_itself(text in ".{0,40}", digits in "[+]?[0-9 ()x;=ext-]{0,30}") {
            for text in [text, digits] {
                let spelling = Spelling::of_country("AR");
                if let Some(key) = phone(&text, spelling).filter(|key| key.starts_with('+')) {
                    proptest::prop_assert_eq!(phone(&key, spelling), Some(key.clone()), "{}", text);
                }
                if let Some(key) = email(&text) {
                    proptest::prop_assert_eq!(email(&key), Some(key.clone()), "{}", text);
                }
            }
        }
    }
}
