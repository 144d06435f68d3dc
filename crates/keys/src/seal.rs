//! Sealed secrets: XChaCha20-Poly1305 with a random nonce, bound to the place where they are stored.

use crate::{Keys, Purpose, Secret};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use model::{Random, WorkspaceId};

/// Where a secret belongs. A sealed secret that is copied to another place does not open there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Whose it is: an inbox, an agent.
    pub owner: i64,
    /// What it is called.
    pub name: &'a str,
}

impl Place<'_> {
    // Fixed lengths first, the name last: no two places give the same bytes.
    fn bytes(&self, number: u32) -> Vec<u8> {
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.workspace.0.to_be_bytes());
        bytes.extend_from_slice(&self.owner.to_be_bytes());
        bytes.extend_from_slice(self.name.as_bytes());
        bytes
    }
}

/// A sealed secret as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Which key sealed it: column `key_number`.
    pub key_number: u32,
    /// Nonce and ciphertext: column `sealed`.
    pub bytes: Vec<u8>,
}

/// Why a sealed secret does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The key file is not the one that sealed it: the inbox needs to be signed in again.
    #[error("sealed with key {0}, which the key file does not have")]
    UnknownKey(u32),
    /// Changed, cut, or from another place or key file.
    #[error("the sealed secret was changed, or belongs to another place or another key file")]
    Broken,
}

const NONCE_BYTES: usize = 24;

impl Keys {
    /// Seals a secret for a place.
    pub fn seal(&self, random: &dyn Random, place: Place<'_>, secret: &Secret) -> Sealed {
        let key = self.current(Purpose::Secrets);
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let payload = Payload { msg: secret.expose(), aad: &place.bytes(key.number) };
        let sealed = XChaCha20Poly1305::new(key.expose().into())
            .encrypt(XNonce::from_slice(&nonce), payload)
            .expect("only texts beyond 256 GiB are refused");
        Sealed { key_number: key.number, bytes: [&nonce[..], &sealed].concat() }
    }

    /// Opens a sealed secret of a place.
    pub fn unseal(&self, place: Place<'_>, key_number: u32, sealed: &[u8]) -> Result<Secret, OpenError> {
        let key = self.numbered(Purpose::Secrets, key_number).ok_or(OpenError::UnknownKey(key_number))?;
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or(OpenError::Broken)?;
        let payload = Payload { msg: sealed, aad: &place.bytes(key_number) };
        let open = XChaCha20Poly1305::new(key.expose().into()).decrypt(XNonce::from_slice(nonce), payload);
        open.map(Secret::new).map_err(|_| OpenError::Broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::FakeRandom;
    use proptest::prelude::*;

    const PLACE: Place<'static> = Place { workspace: WorkspaceId(1), owner: 2, name: "identity" };

    #[test]
    fn a_secret_opens_only_where_it_belongs() {
        let keys = Keys::from_root([1; 32]);
        let secret = Secret::from("s3cret");
        let sealed = keys.seal(&FakeRandom::new(1), PLACE, &secret);
        assert_eq!(keys.unseal(PLACE, sealed.key_number, &sealed.bytes), Ok(secret));
        for place in [
            Place { workspace: WorkspaceId(2), ..PLACE },
            Place { owner: 3, ..PLACE },
            Place { name: "identity_previous", ..PLACE },
            Place { name: "", ..PLACE },
        ] {
            assert_eq!(keys.unseal(place, 1, &sealed.bytes), Err(OpenError::Broken), "{place:?}");
        }
        assert_eq!(keys.unseal(PLACE, 2, &sealed.bytes), Err(OpenError::UnknownKey(2)));
        assert_eq!(Keys::from_root([2; 32]).unseal(PLACE, 1, &sealed.bytes), Err(OpenError::Broken));
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let keys = Keys::from_root([1; 32]);
        let random = FakeRandom::new(1);
        let seal = || keys.seal(&random, PLACE, &Secret::from("s3cret")).bytes;
        let (one, two) = (seal(), seal());
        assert_ne!(one[..24], two[..24]);
        assert_ne!(one[24..], two[24..]);
        assert!(!one.windows(6).any(|part| part == b"s3cret"));
    }

    #[test]
    fn after_a_rotation_the_old_still_opens_and_the_new_uses_the_new_key() {
        let keys = Keys { roots: vec![[1; 32], [2; 32]] };
        let old = Keys::from_root([1; 32]).seal(&FakeRandom::new(1), PLACE, &Secret::from("old"));
        assert_eq!(keys.unseal(PLACE, old.key_number, &old.bytes).unwrap(), Secret::from("old"));
        assert_eq!(keys.seal(&FakeRandom::new(1), PLACE, &Secret::from("new")).key_number, 2);
    }

    proptest! {
        #[test]
        fn any_change_of_any_byte_is_noticed(plain in prop::collection::vec(any::<u8>(), 0..60), at in any::<prop::sample::Index>(), by in 1u8..) {
            let keys = Keys::from_root([1; 32]);
            let mut sealed = keys.seal(&FakeRandom::new(1), PLACE, &Secret::new(plain)).bytes;
            let at = at.index(sealed.len());
            sealed[at] ^= by;
            prop_assert_eq!(keys.unseal(PLACE, 1, &sealed), Err(OpenError::Broken));
            prop_assert_eq!(keys.unseal(PLACE, 1, &sealed[..at]), Err(OpenError::Broken));
        }
    }
}
