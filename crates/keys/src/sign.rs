//! Signatures that expire: addresses of files, and MACs for whatever else carries an id of ours outside.

use crate::{Keys, Purpose, SubKey, same};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use model::{Timestamp, WorkspaceId};
use sha2::Sha256;

/// How many bytes of a MAC go outside.
const MAC_BYTES: usize = 16;

/// What is added to the address of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedFile {
    /// Until when, in seconds since 1970: `exp`.
    pub exp: i64,
    /// Key number and MAC: `sig`.
    pub sig: String,
}

impl SignedFile {
    /// The query of the address.
    pub fn query(&self) -> String {
        format!("exp={}&sig={}", self.exp, self.sig)
    }
}

/// Why a signed address is not honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It was good once.
    #[error("this address has expired")]
    Expired,
    /// Not ours, or changed.
    #[error("this address is not signed by us")]
    Forged,
}

impl Keys {
    /// Signs the address of a file (the text of its id) until a time, rounded up to the second.
    pub fn sign_file(&self, workspace: WorkspaceId, file: &str, until: Timestamp) -> SignedFile {
        let exp = until.ms().div_euclid(1_000) + i64::from(until.ms().rem_euclid(1_000) > 0);
        let key = self.current(Purpose::BlobUrl);
        let sig = format!("{}.{}", key.number, URL_SAFE_NO_PAD.encode(file_mac(&key, workspace, file, exp)));
        SignedFile { exp, sig }
    }

    /// Checks the address of a file.
    pub fn check_file(
        &self,
        workspace: WorkspaceId,
        file: &str,
        exp: i64,
        sig: &str,
        now: Timestamp,
    ) -> Result<(), SignatureError> {
        let (number, given) = sig.split_once('.').ok_or(SignatureError::Forged)?;
        let key =
            self.all(Purpose::BlobUrl).into_iter().find(|key| key.number.to_string() == number).ok_or(SignatureError::Forged)?;
        let given = URL_SAFE_NO_PAD.decode(given).map_err(|_| SignatureError::Forged)?;
        // First whether it is ours: a stranger learns nothing about times.
        if !same(&file_mac(&key, workspace, file, exp), &given) {
            return Err(SignatureError::Forged);
        }
        if now.ms() >= exp.saturating_mul(1_000) { Err(SignatureError::Expired) } else { Ok(()) }
    }
}

impl SubKey {
    /// HMAC-SHA256 over parts, each with its length before it, so that no two lists of parts give the same bytes.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.bytes).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

fn file_mac(key: &SubKey, workspace: WorkspaceId, file: &str, exp: i64) -> [u8; MAC_BYTES] {
    let full = key.mac(&[&key.number.to_be_bytes(), &workspace.0.to_be_bytes(), file.as_bytes(), &exp.to_be_bytes()]);
    let mut short = [0; MAC_BYTES];
    short.copy_from_slice(&full[..MAC_BYTES]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "att_0cn99439p060h";
    const WORKSPACE: WorkspaceId = WorkspaceId(1);
    const NOW: Timestamp = Timestamp(1_000_000_500);

    #[test]
    fn an_address_is_good_until_its_end_and_for_its_file_only() {
        let keys = Keys::from_root([1; 32]);
        let SignedFile { exp, sig } = keys.sign_file(WORKSPACE, FILE, NOW.plus_seconds(60));
        assert_eq!(exp, 1_000_061);
        assert_eq!(keys.check_file(WORKSPACE, FILE, exp, &sig, NOW), Ok(()));
        assert_eq!(keys.check_file(WORKSPACE, FILE, exp, &sig, Timestamp(1_000_060_999)), Ok(()));
        assert_eq!(keys.check_file(WORKSPACE, FILE, exp, &sig, Timestamp(1_000_061_000)), Err(SignatureError::Expired));
        let forged = [
            keys.check_file(WorkspaceId(2), FILE, exp, &sig, NOW),
            keys.check_file(WORKSPACE, "att_0cn99439p060j", exp, &sig, NOW),
            keys.check_file(WORKSPACE, FILE, exp + 1, &sig, NOW),
            keys.check_file(WORKSPACE, FILE, i64::MAX, &sig, NOW),
            keys.check_file(WORKSPACE, FILE, exp, &sig[..sig.len() - 2], NOW),
            keys.check_file(WORKSPACE, FILE, exp, &sig.replacen('1', "01", 1), NOW),
            keys.check_file(WORKSPACE, FILE, exp, "1.", NOW),
            keys.check_file(WORKSPACE, FILE, exp, "", NOW),
            keys.check_file(WORKSPACE, FILE, exp, "1.ÿ", NOW),
            Keys::from_root([2; 32]).check_file(WORKSPACE, FILE, exp, &sig, NOW),
        ];
        assert!(forged.iter().all(|result| *result == Err(SignatureError::Forged)), "{forged:?}");
    }

    #[test]
    fn addresses_outlive_a_rotation() {
        let signed = Keys::from_root([1; 32]).sign_file(WORKSPACE, FILE, NOW.plus_seconds(60));
        let rotated = Keys { roots: vec![[1; 32], [2; 32]] };
        assert_eq!(rotated.check_file(WORKSPACE, FILE, signed.exp, &signed.sig, NOW), Ok(()));
        assert!(rotated.sign_file(WORKSPACE, FILE, NOW).sig.starts_with("2."));
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        let key = Keys::from_root([1; 32]).current(Purpose::MessageId);
        assert_ne!(key.mac(&[b"ab", b"c"]), key.mac(&[b"a", b"bc"]));
        assert_ne!(key.mac(&[b"abc"]), key.mac(&[b"abc", b""]));
    }
}
