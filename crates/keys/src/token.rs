//! Capability tokens: whoever has one may do one thing (a login session, an invitation, a set-up). Only the hash of a
//! token is stored, so that a stolen database opens nothing.

use model::Random;
use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new token: the text goes out once, the hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct CapabilityToken {
    /// 160 random bits as 32 characters.
    pub text: String,
    /// SHA-256 of the text.
    pub hash: [u8; 32],
}

impl std::fmt::Debug for CapabilityToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[token]")
    }
}

impl CapabilityToken {
    /// Draws a token.
    pub fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; 20];
        random.fill(&mut bytes);
        let text: String = bytes.chunks(5).flat_map(eight_characters).collect();
        let hash = token_hash(&text);
        Self { text, hash }
    }
}

fn eight_characters(five: &[u8]) -> [char; 8] {
    let bits = five.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    std::array::from_fn(|at| char::from(ALPHABET[(bits >> (35 - 5 * at) & 31) as usize]))
}

/// What is looked up when somebody shows a token. A token has 160 random bits, so a plain hash is enough, and the look-up
/// by hash tells a guesser nothing.
pub fn token_hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::FakeRandom;

    #[test]
    fn tokens_have_160_bits_and_are_found_by_their_hash() {
        let random = FakeRandom::new(1);
        let tokens: std::collections::BTreeSet<String> = (0..1_000).map(|_| CapabilityToken::new(&random).text).collect();
        assert_eq!(tokens.len(), 1_000);
        assert!(tokens.iter().all(|text| text.len() == 32 && text.bytes().all(|b| ALPHABET.contains(&b))));
        let token = CapabilityToken::new(&random);
        assert_eq!(token.hash, token_hash(&token.text));
        assert!(!format!("{token:?}").contains(&token.text));
    }

    #[test]
    fn every_bit_of_the_draw_is_in_the_text() {
        assert_eq!(eight_characters(&[0xff; 5]), ['z'; 8]);
        assert_eq!(eight_characters(&[0x08, 0x42, 0x10, 0x84, 0x21]), ['1'; 8]);
    }
}
