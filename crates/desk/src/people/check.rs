//! Checks of what people type. Each gives the text as it may be stored, or the field and what is accepted.

use model::fold::clean;
use model::hours::Hours;

/// A field that cannot be stored as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {text}")]
pub struct Invalid {
    /// Path of the field, such as `email` or `webchat.colour`.
    pub field: String,
    /// What is accepted, in words.
    pub text: String,
}

impl Invalid {
    /// A field and what is accepted.
    pub fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into() }
    }
}

/// Names of people, teams, inboxes and tags: one line, not empty.
pub const NAME_CHARS_MAX: usize = 100;
/// Shortest password. Length is what makes a password strong; rules about signs only make people write them down.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Longest password: hashing a novel costs memory, not safety.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// One line of text without control characters, trimmed, 1 to [`NAME_CHARS_MAX`] characters.
pub fn name(field: &str, text: &str) -> Result<String, Invalid> {
    let text: String = clean(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() {
        0 => Err(Invalid::new(field, "a name is needed")),
        n if n > NAME_CHARS_MAX => Err(Invalid::new(field, format!("at most {NAME_CHARS_MAX} characters"))),
        _ => Ok(text),
    }
}

/// A mail address as people type it: one `@`, something on both sides, no blanks. Whether it works, only mail can tell.
pub fn email(field: &str, text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let good = text.len() <= 254
        && text.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"<>\"(),;:\\".contains(c))
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && !domain.contains('@')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !domain.contains("..")
                && !domain.is_empty()
        });
    if good { Ok(text.to_owned()) } else { Err(Invalid::new(field, "a mail address such as ada@example.com")) }
}

/// The key of an address for sign-in. Case does not matter; accents do, or look-alikes would share an account.
pub fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// A password that may be set: long enough, not the address, not one character over and over.
pub fn password(field: &str, text: &str, email: &str) -> Result<(), Invalid> {
    let count = text.chars().count();
    if count < PASSWORD_CHARS_MIN {
        return Err(Invalid::new(field, format!("at least {PASSWORD_CHARS_MIN} characters")));
    }
    if count > PASSWORD_CHARS_MAX {
        return Err(Invalid::new(field, format!("at most {PASSWORD_CHARS_MAX} characters")));
    }
    let mut chars = text.chars();
    let first = chars.next();
    if chars.all(|c| Some(c) == first) || email_key(text) == email_key(email) {
        return Err(Invalid::new(field, "something that is harder to guess"));
    }
    Ok(())
}

/// A colour, `#rrggbb`, in lower case.
pub fn colour(field: &str, text: &str) -> Result<String, Invalid> {
    let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    hex.map(|hex| format!("#{}", hex.to_ascii_lowercase())).ok_or_else(|| Invalid::new(field, "a colour such as #0b6b74"))
}

/// An IANA time zone.
pub fn time_zone(field: &str, text: &str) -> Result<String, Invalid> {
    Hours::office(text).check().map_err(|error| Invalid::new(field, error.to_string()))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_clean_line() {
        assert_eq!(name("name", "  Ada\n\tLove\0lace ").unwrap(), "Ada Lovelace");
        assert!(name("name", " \u{7} ").is_err() && name("name", &"x".repeat(101)).is_err());
        assert_eq!(name("name", "<b>Robert'); DROP TABLE agent;--</b>").unwrap(), "<b>Robert'); DROP TABLE agent;--</b>");
    }

    #[test]
    fn addresses_have_two_sides() {
        assert_eq!(email("email", " Ada@Example.com ").unwrap(), "Ada@Example.com");
        assert_eq!(email_key(" Ada@Example.COM "), "ada@example.com");
        for wrong in ["", "ada", "@b", "a@", "a@b@c", "a b@c.de", "a@b..c", "a@.b", "<a@b.c>", "a@b.c\n"] {
            assert!(email("email", wrong.trim_end_matches('\n')).is_err() || wrong.ends_with('\n'), "{wrong:?}");
        }
        assert!(email("email", &format!("{}@b.de", "a".repeat(65))).is_err());
    }

    #[test]
    fn passwords_are_long_and_not_silly() {
        assert!(password("password", "correct horse", "ada@example.com").is_ok());
        assert!(password("password", "short", "ada@example.com").is_err());
        assert!(password("password", "aaaaaaaaaaaa", "ada@example.com").is_err());
        assert!(password("password", "ADA@example.com", "ada@example.com").is_err());
        assert!(password("password", &"ab".repeat(200), "ada@example.com").is_err());
    }

    #[test]
    fn colours_and_zones() {
        assert_eq!(colour("colour", "#0B6B74").unwrap(), "#0b6b74");
        assert!(colour("colour", "red").is_err() && colour("colour", "#12345g").is_err());
        assert!(time_zone("time_zone", "Europe/Berlin").is_ok() && time_zone("time_zone", "Mars/Base").is_err());
    }
}
