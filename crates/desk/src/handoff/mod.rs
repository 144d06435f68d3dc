//! Hand-over: a customer goes on with the same conversation on another channel, and shows on the way who they are. In: an
//! agent's wish, a pressed link, a said code. Out: tokens that work once, proofs that end, event entries that tell it.

pub mod make;
pub mod proof;
pub mod redeem;
pub mod settings;

pub use make::{Made, NewHandoff, make, take_back};
pub use proof::{end_proof, live_proof};
pub use redeem::{Opened, Redeemed, Visiting, open_link, peek};
pub use settings::HandoffSettings;

use crate::conversation::ChangeError;
use model::{BlockReason, ConversationId};
use sha2::{Digest, Sha256};
use store::StoreError;

/// A link or a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Opens a page; whoever opens it goes on on another channel.
    Link,
    /// Six digits that the customer says back, wherever they are.
    Code,
}

impl Mode {
    /// The word in rows and in the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Code => "code",
        }
    }
    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Link, Self::Code].into_iter().find(|mode| mode.word() == word)
    }
}

/// What a token may prove, by how well the address that it goes to is held: a link proves that address and no more, at most
/// 2; a code to a confirmed address proves the person. 0: it proves nothing, and whoever opens it is a new person.
pub fn level(mode: Mode, delivered: Option<i64>) -> i64 {
    match (mode, delivered) {
        (_, Some(held)) if held < 2 => 0,
        (_, None) => 0,
        (Mode::Link, Some(_)) => 2,
        (Mode::Code, Some(_)) => 3,
    }
}

/// The hash of a link's token: over the whole text, as a message that brings it back is looked up too.
pub(crate) fn link_hash(text: &str) -> String {
    keys::token_hash(text.trim()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Codes are short, so they are only looked for inside their conversation.
pub(crate) fn code_hash(conversation: ConversationId, digits: &str) -> String {
    Sha256::digest(format!("{conversation}:{digits}")).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The one group of six digits of a text, however it is spaced; none when there are several numbers.
pub fn said_code(text: &str) -> Option<String> {
    if text.chars().count() > 200 {
        return None;
    }
    let mut groups: Vec<String> = vec![];
    let mut joins = false;
    for c in text.chars() {
        match c {
            '0'..='9' if joins => groups.last_mut()?.push(c),
            '0'..='9' => {
                groups.push(c.to_string());
                joins = true;
            }
            // "123 456" and "123-456" are one number.
            ' ' | '-' | '\u{a0}' => {}
            _ => joins = false,
        }
    }
    match &groups[..] {
        [one] if one.len() == 6 => Some(one.clone()),
        _ => None,
    }
}

/// Which rule said no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HandoffError {
    /// No such conversation, or no such token.
    #[error("there is no such conversation or link")]
    NotFound,
    /// The way for the message is closed.
    #[error("this way to the customer is closed: {0}")]
    Blocked(BlockReason),
    /// A code goes to a confirmed address only.
    #[error("a code can only be sent to a confirmed address")]
    NotConfirmed,
    /// A value that cannot be.
    #[error("{field}: {text}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is accepted.
        text: &'static str,
    },
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ChangeError> for HandoffError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => Self::NotFound,
            ChangeError::Store(error) => Self::Store(error),
            ChangeError::Invalid { field, text } => Self::Invalid { field, text },
            _ => Self::Blocked(BlockReason::AgentNotAllowed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_proves_at_most_what_its_address_proves() {
        for (mode, delivered, proves) in [
            (Mode::Link, None, 0),
            (Mode::Link, Some(0), 0),
            (Mode::Link, Some(1), 0),
            (Mode::Link, Some(2), 2),
            (Mode::Link, Some(3), 2),
            (Mode::Code, None, 0),
            (Mode::Code, Some(1), 0),
            (Mode::Code, Some(2), 3),
            (Mode::Code, Some(3), 3),
        ] {
            assert_eq!(level(mode, delivered), proves, "{mode:?} {delivered:?}");
        }
    }

    #[test]
    fn a_code_is_heard_however_it_is_spaced_and_never_guessed_from_many() {
        for (text, code) in [
            ("123456", Some("123456")),
            ("It is 123 456, thanks", Some("123456")),
            ("123-456", Some("123456")),
            ("code: 000001.", Some("000001")),
            ("12345", None),
            ("1234567", None),
            ("111111, 222222", None),
            ("order A-1001 and code 123456", None),
            ("no digits", None),
            ("", None),
        ] {
            assert_eq!(said_code(text).as_deref(), code, "{text}");
        }
        assert_eq!(said_code(&format!("{} 123456", "x".repeat(300))), None);
    }
}
