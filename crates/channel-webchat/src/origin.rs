//! Which pages may hold the widget: exact origins, and `https://*.acme.com` for everything below a domain.

use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// An origin as a browser sends it: scheme, host in ASCII, port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Why a text is no origin or no rule, in words for the owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// Nothing there, or `*`.
    #[error("leave the list empty to allow every site; otherwise write sites like https://acme.com")]
    Any,
    /// No scheme.
    #[error("\"{0}\" needs https:// or http:// in front")]
    Scheme(String),
    /// More than an origin.
    #[error("\"{0}\" has a path; only the part up to the host name and port counts, such as https://acme.com")]
    Path(String),
    /// The host is none.
    #[error("\"{0}\" has no valid host name")]
    Host(String),
    /// The port is none.
    #[error("\"{0}\" has no valid port")]
    Port(String),
    /// A star in the wrong place.
    #[error("\"{0}\": a star may only stand for everything below a domain, such as https://*.acme.com")]
    Star(String),
}

impl Origin {
    /// Reads an origin. `null`, `file://` and everything that is not http or https is none.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (scheme, rest) = split_scheme(text)?;
        let (host, port) = split_port(text, scheme, rest)?;
        Ok(Self { scheme, host: ascii_host(host).ok_or_else(|| OriginError::Host(text.to_owned()))?, port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.word(), self.host)?;
        if self.port != self.scheme.port() { write!(f, ":{}", self.port) } else { Ok(()) }
    }
}

/// One line of the allow-list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRule {
    // Host without the star; `below` says that there was one.
    origin: Origin,
    below: bool,
}

impl OriginRule {
    /// Reads one line. A slash at the end is forgiven, since people paste addresses.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.is_empty() || text == "*" {
            return Err(OriginError::Any);
        }
        let (scheme, rest) = split_scheme(text)?;
        let (host, port) = split_port(text, scheme, rest)?;
        let (below, host) = match host.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, host),
        };
        // A star over a whole top-level domain would let strangers in.
        if host.contains('*') || below && !host.contains('.') {
            return Err(OriginError::Star(text.to_owned()));
        }
        let host = ascii_host(host).ok_or_else(|| OriginError::Host(text.to_owned()))?;
        Ok(Self { origin: Origin { scheme, host, port }, below })
    }

    /// Does the origin fit?
    pub fn holds(&self, origin: &Origin) -> bool {
        let host_fits = if self.below {
            origin.host.strip_suffix(&self.origin.host).is_some_and(|sub| sub.len() > 1 && sub.ends_with('.'))
        } else {
            origin.host == self.origin.host
        };
        host_fits && origin.scheme == self.origin.scheme && origin.port == self.origin.port
    }
}

impl fmt::Display for OriginRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.origin.to_string();
        match (self.below, text.split_once("://")) {
            (true, Some((scheme, rest))) => write!(f, "{scheme}://*.{rest}"),
            _ => f.write_str(&text),
        }
    }
}

/// May a page of this origin hold the widget? An empty list allows every site, but never `null` and never a non-site
/// (a sandboxed frame or a file on disk could be anybody's).
pub fn is_allowed(rules: &[String], origin: &str) -> bool {
    let Ok(origin) = Origin::parse(origin) else { return false };
    rules.is_empty() || rules.iter().filter_map(|rule| OriginRule::parse(rule).ok()).any(|rule| rule.holds(&origin))
}

/// The list as the value of CSP `frame-ancestors`: normal forms only, so nothing typed gets into the header as it is.
pub fn frame_ancestors(rules: &[String]) -> String {
    if rules.is_empty() {
        return "http: https:".to_owned();
    }
    let rules: Vec<String> = rules.iter().filter_map(|rule| OriginRule::parse(rule).ok()).map(|rule| rule.to_string()).collect();
    if rules.is_empty() { "'none'".to_owned() } else { rules.join(" ") }
}

fn split_scheme(text: &str) -> Result<(Scheme, &str), OriginError> {
    let (scheme, rest) = text.split_once("://").ok_or_else(|| OriginError::Scheme(text.to_owned()))?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err(OriginError::Scheme(text.to_owned())),
    };
    if rest.contains(['/', '?', '#', '\\']) {
        return Err(OriginError::Path(text.to_owned()));
    }
    Ok((scheme, rest))
}

fn split_port<'a>(text: &str, scheme: Scheme, rest: &'a str) -> Result<(&'a str, u16), OriginError> {
    let after_bracket = rest.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = rest[after_bracket..].find(':').map(|at| at + after_bracket) else { return Ok((rest, scheme.port())) };
    let digits = &rest[colon + 1..];
    let port = Some(digits)
        .filter(|digits| digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|d| d.parse().ok());
    match port {
        Some(port) if port > 0 => Ok((&rest[..colon], port)),
        _ => Err(OriginError::Port(text.to_owned())),
    }
}

/// A host in the form that browsers send: lower case, each label in ASCII (`bücher.example` is `xn--bcher-kva.example`).
fn ascii_host(host: &str) -> Option<String> {
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return v6.parse::<std::net::Ipv6Addr>().ok().map(|address| format!("[{address}]"));
    }
    // The full stops of other scripts separate labels too.
    let host: String = host
        .nfkc()
        .flat_map(char::to_lowercase)
        .nfkc()
        .map(|c| if matches!(c, '\u{3002}' | '\u{ff0e}' | '\u{ff61}') { '.' } else { c })
        .collect();
    let host = host.strip_suffix('.').unwrap_or(&host);
    let labels: Option<Vec<String>> = host.split('.').map(ascii_label).collect();
    labels.map(|labels| labels.join(".")).filter(|host| host.len() <= 253)
}

fn ascii_label(label: &str) -> Option<String> {
    let ascii = if label.is_ascii() { label.to_owned() } else { format!("xn--{}", punycode(label)?) };
    let clean = ascii.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    let hyphens = ascii.starts_with('-') || ascii.ends_with('-');
    // Unicode labels hold letters, marks and digits; everything else (spaces, symbols of markup) is no host.
    let wordy = label.is_ascii()
        || label.chars().all(|c| c.is_alphanumeric() || c == '-' || !c.is_ascii() && !c.is_whitespace() && !c.is_control());
    ((1..=63).contains(&ascii.len()) && clean && !hyphens && wordy).then_some(ascii)
}

/// RFC 3492 encoding of one label.
fn punycode(label: &str) -> Option<String> {
    const BASE: u32 = 36;
    let digit = |value: u32| char::from(if value < 26 { b'a' + value as u8 } else { b'0' + (value - 26) as u8 });
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    let total = u32::try_from(label.chars().count()).ok()?;
    if total > 63 {
        return None;
    }
    if basic > 0 {
        out.push('-');
    }
    let (mut code, mut delta, mut bias, mut done) = (128u32, 0u32, 72u32, basic);
    while done < total {
        let next = label.chars().map(u32::from).filter(|c| *c >= code).min()?;
        delta = delta.checked_add((next - code).checked_mul(done + 1)?)?;
        code = next;
        for c in label.chars().map(u32::from) {
            if c < code {
                delta = delta.checked_add(1)?;
            }
            if c != code {
                continue;
            }
            let mut rest = delta;
            for step in 1.. {
                let threshold = (BASE * step).saturating_sub(bias).clamp(1, 26);
                if rest < threshold {
                    break;
                }
                out.push(digit(threshold + (rest - threshold) % (BASE - threshold)));
                rest = (rest - threshold) / (BASE - threshold);
            }
            out.push(digit(rest));
            bias = adapt(delta, done + 1, done == basic);
            delta = 0;
            done += 1;
        }
        delta += 1;
        code += 1;
    }
    Some(out)
}

fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / count;
    let mut steps = 0;
    while delta > 35 * 26 / 2 {
        delta /= 35;
        steps += 36;
    }
    steps + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allowed(rules: &[&str], origin: &str) -> bool {
        is_allowed(&rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>(), origin)
    }

    #[test]
    fn exact_origins_and_stars() {
        let cases = [
            ("https://acme.com", "https://acme.com", true),
            ("https://acme.com", "https://acme.com:443", true),
            ("https://acme.com:443", "https://acme.com", true),
            ("https://ACME.com/", "https://acme.COM", true),
            ("https://acme.com", "http://acme.com", false),
            ("https://acme.com", "https://acme.com:8443", false),
            ("https://acme.com", "https://www.acme.com", false),
            ("https://acme.com", "https://acme.com.evil.org", false),
            ("https://acme.com", "https://evilacme.com", false),
            ("https://*.acme.com", "https://www.acme.com", true),
            ("https://*.acme.com", "https://a.b.acme.com", true),
            ("https://*.acme.com", "https://acme.com", false),
            ("https://*.acme.com", "https://evilacme.com", false),
            ("https://*.acme.com", "https://.acme.com", false),
            ("https://*.acme.com", "http://www.acme.com", false),
            ("https://*.acme.com:8443", "https://x.acme.com:8443", true),
            ("https://*.acme.com:8443", "https://x.acme.com", false),
            ("http://localhost:3000", "http://localhost:3000", true),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000", true),
            ("http://[::1]:3000", "http://[0:0::1]:3000", true),
            ("https://bücher.example", "https://xn--bcher-kva.example", true),
            ("https://BÜCHER.example", "https://xn--bcher-kva.example", true),
            ("https://*.bücher.example", "https://shop.xn--bcher-kva.example", true),
            ("https://xn--bcher-kva.example", "https://bücher.example", true),
            ("https://acme.com.", "https://acme.com", true),
        ];
        for (rule, origin, expected) in cases {
            assert_eq!(allowed(&[rule], origin), expected, "{rule} and {origin}");
        }
    }

    #[test]
    fn what_is_no_site_is_never_allowed() {
        for origin in [
            "null",
            "",
            "file://",
            "https://",
            "https://a b",
            "javascript:alert(1)",
            "https://acme.com/path",
            "https://u:p@acme.com",
            "data://x",
            "https://acme.com\n",
            "https://acme.com:0",
            "https://acme.com:99999",
            "https://acme.com:+1",
        ] {
            assert!(!allowed(&[], origin), "{origin:?}");
        }
        assert!(allowed(&[], "https://anything.example"));
        assert!(!allowed(&["not a rule"], "https://anything.example"), "a broken list lets nobody in");
    }

    #[test]
    fn wrong_rules_are_explained() {
        let said = |text: &str| OriginRule::parse(text).unwrap_err().to_string();
        assert!(said("acme.com").contains("https:// or http://"));
        assert!(said("*").contains("leave the list empty"));
        assert!(said("https://acme.com/shop").contains("path"));
        assert!(said("https://*.com").contains("star"));
        assert!(said("https://a.*.com").contains("star"));
        assert!(said("https://*acme.com").contains("star"));
        assert!(said("https://ac me.com").contains("host"));
        assert!(said("https://acme.com:http").contains("port"));
        assert!(said("https://acme.com;script-src").contains("host"));
    }

    #[test]
    fn the_header_holds_normal_forms_only() {
        let rules = |list: &[&str]| frame_ancestors(&list.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>());
        assert_eq!(rules(&[]), "http: https:");
        assert_eq!(
            rules(&["https://*.Bücher.example:8443", "https://acme.com/"]),
            "https://*.xn--bcher-kva.example:8443 https://acme.com"
        );
        assert_eq!(rules(&["https://acme.com; script-src *"]), "'none'");
    }

    #[test]
    fn punycode_as_the_rfc_shows_it() {
        // Samples of RFC 3492 section 7.1, in lower case.
        for (label, code) in [
            ("bücher", "bcher-kva"),
            ("münchen", "mnchen-3ya"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("パフィーdeルンバ", "de-jg4avhby1noc0d"),
        ] {
            assert_eq!(punycode(label).as_deref(), Some(code));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".{0,80}", tail in "(https|http)://.{0,60}") {
            for text in [&text, &tail] {
                let _ = Origin::parse(text);
                if let Ok(rule) = OriginRule::parse(text) {
                    prop_assert_eq!(OriginRule::parse(&rule.to_string()), Ok(rule.clone()), "the normal form is stable");
                    prop_assert!(rule.to_string().is_ascii());
                    prop_assert!(!rule.to_string().contains([' ', ';', ',', '\'']));
                }
            }
        }
    }
}
