//! The master key and everything that is made from it: sealed secrets, signed addresses of files, tokens, passwords.
//!
//! In: a key file, a `Random`. Out: sealed bytes, signatures, hashes. It must not know what is sealed or signed, nor
//! any store. Nothing here prints a key; `Secret` shows as `[secret]`.

mod file;
mod password;
mod seal;
mod secret;
mod sign;
mod token;

pub use file::{KeyFileError, Opened};
pub use password::{PasswordCheck, hash_password, verify_nobody, verify_password};
pub use seal::{OpenError, Place, Sealed};
pub use secret::{Secret, same};
pub use sign::{SignatureError, SignedFile};
pub use token::{CapabilityToken, token_hash};

use hkdf::Hkdf;
use sha2::Sha256;

/// What a sub-key is for. Keys of different purposes have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Sealing stored secrets.
    Secrets,
    /// Our Message-IDs.
    MessageId,
    /// Tokens in reply addresses.
    ReplyAddress,
    /// Tokens of widget visitors.
    Visitor,
    /// Signed addresses of files.
    BlobUrl,
    /// Talk between nodes.
    Node,
    /// Links that set another password.
    PasswordReset,
    /// Links that make an agent.
    Invitation,
    /// What is remembered of people who were erased.
    Tombstone,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 9] = [
        Self::Secrets,
        Self::MessageId,
        Self::ReplyAddress,
        Self::Visitor,
        Self::BlobUrl,
        Self::Node,
        Self::PasswordReset,
        Self::Invitation,
        Self::Tombstone,
    ];

    /// The word that goes into the derivation. Never change one: everything signed or sealed with it would be lost.
    pub fn word(self) -> &'static str {
        match self {
            Self::Secrets => "secrets",
            Self::MessageId => "message-id",
            Self::ReplyAddress => "reply-address",
            Self::Visitor => "visitor",
            Self::BlobUrl => "blob-url",
            Self::Node => "node",
            Self::PasswordReset => "password-reset",
            Self::Invitation => "invitation",
            Self::Tombstone => "tombstone",
        }
    }
}

/// A key for one purpose, with the number of the master key that it comes from.
#[derive(Clone)]
pub struct SubKey {
    /// Stands in whatever is made with it, so that it is found again after a rotation.
    pub number: u32,
    bytes: [u8; 32],
}

impl SubKey {
    /// The key itself; the call site is where a reviewer looks.
    pub fn expose(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl std::fmt::Debug for SubKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SubKey({})", self.number)
    }
}

/// All master keys, oldest first. New things are made with the last one; the others only check and open.
#[derive(Clone)]
pub struct Keys {
    roots: Vec<[u8; 32]>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys(1 to {})", self.roots.len())
    }
}

impl Keys {
    /// Keys from one master key: for tests, and for whoever keeps the key elsewhere.
    pub fn from_root(root: [u8; 32]) -> Self {
        Self { roots: vec![root] }
    }

    /// The number of the key that new things are made with.
    pub fn number(&self) -> u32 {
        u32::try_from(self.roots.len()).expect("a key file of 128 GiB is refused when it is read")
    }

    /// The sub-key that new things are made with.
    pub fn current(&self, purpose: Purpose) -> SubKey {
        self.numbered(purpose, self.number()).expect("there is at least one master key")
    }

    /// The sub-key of a number that stands in something made earlier.
    pub fn numbered(&self, purpose: Purpose, number: u32) -> Option<SubKey> {
        let root = self.roots.get(usize::try_from(number).ok()?.checked_sub(1)?)?;
        let mut bytes = [0; 32];
        let derive = Hkdf::<Sha256>::new(Some(b"continuo"), root);
        derive.expand(purpose.word().as_bytes(), &mut bytes).expect("32 bytes are far below the limit of HKDF");
        Some(SubKey { number, bytes })
    }

    /// All sub-keys of a purpose, newest first: what a check may have to try.
    pub fn all(&self, purpose: Purpose) -> Vec<SubKey> {
        (1..=self.number()).rev().filter_map(|number| self.numbered(purpose, number)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_numbers_have_nothing_in_common() {
        let keys = Keys { roots: vec![[1; 32], [2; 32]] };
        let mut seen: Vec<[u8; 32]> =
            Purpose::ALL.into_iter().flat_map(|purpose| keys.all(purpose)).map(|key| *key.expose()).collect();
        seen.extend(keys.roots.clone());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 2 * Purpose::ALL.len() + 2, "two numbers of each purpose, and the two roots");
        assert_eq!(keys.current(Purpose::Visitor).number, 2);
        assert_eq!(keys.all(Purpose::Visitor).iter().map(|key| key.number).collect::<Vec<_>>(), [2, 1]);
        assert!(keys.numbered(Purpose::Visitor, 0).is_none() && keys.numbered(Purpose::Visitor, 3).is_none());
    }

    #[test]
    fn a_sub_key_is_the_same_tomorrow() {
        // A changed derivation would lose every stored secret, so its value is pinned (RFC 5869, computed elsewhere).
        let key = Keys::from_root([7; 32]).current(Purpose::Secrets);
        let hex: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "a8ce0c66787b5803a23c884e31006301f7efb74c7d7929040ce3d8bf6b2c9960");
    }

    #[test]
    fn nothing_prints_a_key() {
        let keys = Keys::from_root([0xab; 32]);
        let shown = format!("{keys:?} {:?} {:?}", keys.current(Purpose::Node), Secret::from("abab"));
        assert!(!shown.contains("ab"), "{shown}");
        assert!(!shown.contains("171"), "{shown}");
    }
}
