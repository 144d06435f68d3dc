//! Signatures by the Standard Webhooks convention: HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`. The same
//! in both directions, each with a secret of its own, so that one direction's message is never valid in the other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use model::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Header with the id of a webhook: the same for every repeat of it.
pub const ID_HEADER: &str = "webhook-id";
/// Header with the second of signing.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// Header with one or more signatures, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";
/// How old or early a signed request may be.
pub const AGE_MAX_MS: i64 = 5 * 60_000;
/// What our webhook secrets begin with, as the convention wants it.
pub const SECRET_PREFIX: &str = "whsec_";
/// What the keys of inboxes begin with, so that a leak is recognised by scanners.
pub const KEY_PREFIX: &str = "cik_";
/// Signatures in one header that are looked at.
const SIGNATURE_COUNT_MAX: usize = 10;

/// 24 random bytes as a webhook secret.
pub fn secret_of(bytes: [u8; 24]) -> String {
    format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes))
}

/// 24 random bytes as the key of an inbox.
pub fn key_of(bytes: [u8; 24]) -> String {
    format!("{KEY_PREFIX}{}", STANDARD.encode(bytes))
}

/// The bytes that sign: what stands in base64 behind the prefix.
fn key_bytes(secret: &str) -> Vec<u8> {
    let bare = secret.strip_prefix(SECRET_PREFIX).or_else(|| secret.strip_prefix(KEY_PREFIX)).unwrap_or(secret);
    STANDARD.decode(bare).unwrap_or_else(|_| bare.as_bytes().to_vec())
}

/// One signature, as it stands in the header.
pub fn signature(secret: &str, id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key_bytes(secret)).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp_s}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// A header is missing, or no signature fits.
    Wrong,
    /// The time is no number.
    NoTime,
    /// Signed too long ago, or in the future.
    Stale {
        /// How old it says it is.
        age_ms: i64,
    },
}

/// Checks the three headers against the secrets that count now.
pub fn check(
    secrets: &[&str],
    id: Option<&str>,
    timestamp: Option<&str>,
    signatures: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let (Some(id), Some(timestamp), Some(signatures)) = (id, timestamp, signatures) else { return Err(SignatureError::Wrong) };
    let timestamp_s: i64 = timestamp.parse().map_err(|_| SignatureError::NoTime)?;
    let mut fits = false;
    for secret in secrets {
        let expected = signature(secret, id, timestamp_s, body);
        for given in signatures.split_ascii_whitespace().take(SIGNATURE_COUNT_MAX) {
            // No early end: how long it takes must not tell which one was nearly right.
            fits |= bool::from(expected.as_bytes().ct_eq(given.as_bytes()));
        }
    }
    if !fits {
        return Err(SignatureError::Wrong);
    }
    let age_ms = now.since(Timestamp(timestamp_s.saturating_mul(1_000)));
    if age_ms.abs() > AGE_MAX_MS { Err(SignatureError::Stale { age_ms }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_convention_is_ours_too() {
        // From the specification of Standard Webhooks, also in its test vectors.
        let signed = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_changed_byte_another_time_or_key_does_not_fit() {
        let (secret, now) = (secret_of([3; 24]), Timestamp(1_795_425_300_000));
        let good = signature(&secret, "a", 1_795_425_300, b"body");
        let ask = |secret: &str, id: &str, at: &str, body: &[u8]| check(&[secret], Some(id), Some(at), Some(&good), body, now);
        assert_eq!(ask(&secret, "a", "1795425300", b"body"), Ok(()));
        assert_eq!(ask(&secret, "b", "1795425300", b"body"), Err(SignatureError::Wrong));
        assert_eq!(ask(&secret, "a", "1795425301", b"body"), Err(SignatureError::Wrong));
        assert_eq!(ask(&secret, "a", "1795425300", b"body "), Err(SignatureError::Wrong));
        assert_eq!(ask(&secret_of([4; 24]), "a", "1795425300", b"body"), Err(SignatureError::Wrong));
        assert_eq!(ask(&secret, "a", "yesterday", b"body"), Err(SignatureError::NoTime));
        assert_eq!(check(&[&secret], None, Some("1795425300"), Some(&good), b"body", now), Err(SignatureError::Wrong));
        for late in [-301_000, 301_000] {
            let then = now.plus_ms(late);
            let got = check(&[&secret], Some("a"), Some("1795425300"), Some(&good), b"body", then);
            assert_eq!(got, Err(SignatureError::Stale { age_ms: late }));
        }
    }

    #[test]
    fn any_of_several_signatures_and_secrets_is_enough() {
        let (old, new, now) = (secret_of([1; 24]), secret_of([2; 24]), Timestamp(1_795_425_300_000));
        let both = format!("v1,AAAA v1a,zzz {}", signature(&old, "a", 1_795_425_300, b"x"));
        assert_eq!(check(&[&new, &old], Some("a"), Some("1795425300"), Some(&both), b"x", now), Ok(()));
        assert_eq!(check(&[&new], Some("a"), Some("1795425300"), Some(&both), b"x", now), Err(SignatureError::Wrong));
    }
}
