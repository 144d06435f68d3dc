//! Passwords: argon2id with 19 MiB, 2 passes, 1 lane, as the OWASP password storage cheat sheet advises. Takes some
//! 20 ms of one core on purpose: call it where blocking is allowed, and never inside a transaction.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use model::Random;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What a look at a password gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordCheck {
    /// It is the right one.
    pub right: bool,
    /// The stored hash was made with other parameters: after a right password, store a new one.
    pub outdated: bool,
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The hash to store, with salt and parameters in it (PHC text form).
pub fn hash_password(random: &dyn Random, password: &str) -> String {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    let salt = SaltString::encode_b64(&salt).expect("16 bytes are a salt");
    let hash = hasher().hash_password(password.as_bytes(), &salt).expect("passwords below 4 GiB can be hashed");
    hash.to_string()
}

/// Is this the password of a stored hash? The parameters in the hash count, so that old hashes stay good.
pub fn verify_password(password: &str, stored: &str) -> PasswordCheck {
    let Ok(hash) = PasswordHash::new(stored) else { return PasswordCheck { right: false, outdated: true } };
    let right = hasher().verify_password(password.as_bytes(), &hash).is_ok();
    let params = Params::try_from(&hash).ok();
    let same = params.is_some_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (MEMORY_KIB, PASSES, LANES));
    PasswordCheck { right, outdated: !same || hash.algorithm != Algorithm::Argon2id.ident() }
}

// A hash that no password has: 32 zero bytes.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Does the work of a check for an address that nobody has, so that the time of the answer does not tell who exists.
pub fn verify_nobody(password: &str) {
    let _ = std::hint::black_box(verify_password(password, NOBODY));
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::FakeRandom;

    #[test]
    fn the_right_password_and_no_other() {
        let random = FakeRandom::new(1);
        let stored = hash_password(&random, "correct horse ü");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_eq!(verify_password("correct horse ü", &stored), PasswordCheck { right: true, outdated: false });
        for wrong in ["correct horse u", "", "correct horse ü "] {
            assert!(!verify_password(wrong, &stored).right, "{wrong}");
        }
        assert_ne!(stored, hash_password(&random, "correct horse ü"), "each hash has its own salt");
    }

    #[test]
    fn old_parameters_still_check_and_are_told() {
        let salt = SaltString::encode_b64(&[1; 16]).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
        let stored = weak.hash_password(b"secret", &salt).unwrap().to_string();
        assert_eq!(verify_password("secret", &stored), PasswordCheck { right: true, outdated: true });
        assert_eq!(verify_password("Secret", &stored), PasswordCheck { right: false, outdated: true });
    }

    #[test]
    fn a_broken_hash_lets_nobody_in() {
        for stored in ["", "plain", "$argon2id$v=19$m=1", "$argon2id$v=19$m=19456,t=2,p=1$MDEy$", "$md5$x$y"] {
            assert!(!verify_password("", stored).right, "{stored}");
        }
    }

    #[test]
    fn the_check_of_nobody_does_the_same_work() {
        // If the constant did not parse, the check would return at once and tell who exists.
        assert_eq!(verify_password("x", NOBODY), PasswordCheck { right: false, outdated: false });
    }
}
