//! Tokens that are a right by themselves: 256 random bits for the bearer, only the SHA-256 for the database. A fast hash
//! is enough here, since nobody can guess the bits.

use keys::SubKey;
use model::{Random, WorkspaceId};
use sha2::{Digest, Sha256};
use std::fmt::Write;

const ID_CHARS: usize = 13;
const SECRET_CHARS: usize = 64;

/// A token of a workspace. It carries the workspace, so that the look-up by its hash is scoped like every other.
pub struct Token {
    /// Where it is valid.
    pub workspace: WorkspaceId,
    secret: String,
}

impl Token {
    /// A new one.
    pub fn make(workspace: WorkspaceId, random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self { workspace, secret: hex(&bytes) }
    }

    /// One that can be made again from its key and the row that it belongs to: the database still holds its hash only.
    pub fn derived(workspace: WorkspaceId, key: &SubKey, row: i64) -> Self {
        let secret = hex(&key.mac(&[&workspace.0.to_be_bytes(), &row.to_be_bytes()]));
        Self { workspace, secret }
    }

    /// Reads what a bearer shows.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != ID_CHARS + SECRET_CHARS || !text.is_ascii() {
            return None;
        }
        let (workspace, secret) = text.split_at(ID_CHARS);
        let workspace = WorkspaceId(model::id::decode(workspace)?);
        let good = secret.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        good.then(|| Self { workspace, secret: secret.to_owned() })
    }

    /// The same secret in another workspace: for a token that is made before its workspace.
    pub fn in_workspace(self, workspace: WorkspaceId) -> Self {
        Self { workspace, ..self }
    }

    /// What the bearer keeps.
    pub fn text(&self) -> String {
        format!("{}{}", model::id::encode(self.workspace.0), self.secret)
    }

    /// What the database keeps.
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(self.secret.as_bytes()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::FakeRandom;

    #[test]
    fn a_token_reads_back_and_its_hash_says_nothing() {
        let token = Token::make(WorkspaceId(7), &FakeRandom::new(1));
        let read = Token::parse(&token.text()).unwrap();
        assert_eq!((read.workspace, read.hash()), (WorkspaceId(7), token.hash()));
        assert!(!token.text().contains(&token.hash()));
    }

    #[test]
    fn nonsense_is_no_token() {
        let good = Token::make(WorkspaceId(7), &FakeRandom::new(1)).text();
        for wrong in ["", "x", &good[1..], &good.to_uppercase(), &format!("{good}0"), &good.replacen('0', "é", 1)] {
            assert!(Token::parse(wrong).is_none(), "{wrong}");
        }
    }
}
