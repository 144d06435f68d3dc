//! What stands before the doors that anybody can knock at: the one-time set-up code, and the rates of sign-in. In
//! memory: a restart forgives, and a code that survives a restart would not be one-time.

use super::password::Passwords;
use model::{Random, Timestamp};
use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::sync::{Arc, Mutex, PoisonError};

/// Wrong set-up codes until it locks.
pub const WRONG_CODES_MAX: u8 = 5;
/// More keys than this and the fullest buckets are forgotten first: memory stays bounded under any flood.
const KEYS_MAX: usize = 20_000;

/// How often somebody may try.
#[derive(Debug, Clone, Copy)]
struct Rate {
    at_once: i64,
    one_more_every_ms: i64,
}

// One address may be an office; one account at one address is one person; an account from everywhere is under attack,
// and slowing it down must not lock its owner out for long.
const ADDRESS: Rate = Rate { at_once: 20, one_more_every_ms: 15_000 };
const ACCOUNT_AT_ADDRESS: Rate = Rate { at_once: 6, one_more_every_ms: 30_000 };
const ACCOUNT: Rate = Rate { at_once: 60, one_more_every_ms: 10_000 };

/// The state of the doors. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    /// Hashes passwords.
    pub passwords: Passwords,
    /// Only one set-up at a time: two owners at once must not make two workspaces.
    pub(super) setup: Arc<tokio::sync::Mutex<()>>,
    code: Arc<Mutex<Code>>,
    tries: Arc<Mutex<HashMap<String, Timestamp>>>,
}

struct Code {
    digits: String,
    wrong: u8,
}

/// How a set-up code fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeCheck {
    /// It is the one.
    Right,
    /// It is not; so many tries are left.
    Wrong {
        /// Tries left.
        left: u8,
    },
    /// Too many wrong ones; a restart prints a new one.
    Locked,
}

impl Gate {
    /// A gate with a new code.
    pub fn new(random: &dyn Random) -> Self {
        let digits = format!("{:06}", random.below(1_000_000));
        Self {
            passwords: Passwords::default(),
            setup: Arc::default(),
            code: Arc::new(Mutex::new(Code { digits, wrong: 0 })),
            tries: Arc::default(),
        }
    }

    /// The six digits, for the person who can read the server's output.
    pub fn setup_code(&self) -> String {
        self.code.lock().unwrap_or_else(PoisonError::into_inner).digits.clone()
    }

    /// Compares a code; counts wrong ones.
    pub fn check_code(&self, given: &str) -> CodeCheck {
        let mut code = self.code.lock().unwrap_or_else(PoisonError::into_inner);
        if code.wrong >= WRONG_CODES_MAX {
            return CodeCheck::Locked;
        }
        let given: Vec<u8> = given.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        if keys::same(&given, code.digits.as_bytes()) {
            return CodeCheck::Right;
        }
        code.wrong += 1;
        match WRONG_CODES_MAX - code.wrong {
            0 => CodeCheck::Locked,
            left => CodeCheck::Wrong { left },
        }
    }

    /// Takes one try at an account from an address, or says in how many seconds to come back.
    pub fn try_sign_in(&self, address: &str, account: &str, now: Timestamp) -> Result<(), i64> {
        self.take(&keys(address, account), now)
    }

    /// Takes one try at something that needs no account, from an address.
    pub fn try_open_door(&self, address: &str, now: Timestamp) -> Result<(), i64> {
        let [of_address, ..] = keys(address, "");
        self.take(&[of_address], now)
    }

    /// A right password forgives the wrong ones before it, and does not count as a try of the others behind the same
    /// address: an office that signs in on Monday morning is no attack.
    pub fn signed_in(&self, address: &str, account: &str) {
        let [of_address, of_both, of_account] = keys(address, account);
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.remove(&of_both.0);
        for (key, rate) in [of_address, of_account] {
            if let Some(full_at) = tries.get_mut(&key) {
                *full_at = full_at.plus_ms(-rate.one_more_every_ms);
            }
        }
    }

    // Each key keeps the time at which its bucket will be full again: one number per key, no bookkeeping by time.
    fn take(&self, keys: &[(String, Rate)], now: Timestamp) -> Result<(), i64> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() > KEYS_MAX {
            tries.retain(|_, full_at| *full_at > now);
        }
        if tries.len() > KEYS_MAX {
            tries.clear();
        }
        let mut wait_ms = 0;
        for (key, rate) in keys {
            let debt_ms = tries.get(key).map_or(0, |full_at| full_at.since(now).max(0));
            wait_ms = wait_ms.max(debt_ms - (rate.at_once - 1) * rate.one_more_every_ms);
        }
        if wait_ms > 0 {
            return Err((wait_ms + 999) / 1_000);
        }
        for (key, rate) in keys {
            let from = tries.get(key).copied().unwrap_or(now).max(now);
            tries.insert(key.clone(), from.plus_ms(rate.one_more_every_ms));
        }
        Ok(())
    }
}

fn keys(address: &str, account: &str) -> [(String, Rate); 3] {
    let network = network(address);
    [(format!("a {network}"), ADDRESS), (format!("b {network} {account}"), ACCOUNT_AT_ADDRESS), (format!("c {account}"), ACCOUNT)]
}

// One customer of an internet provider gets a whole /64 of IPv6, so the rest of the address is free to change.
fn network(address: &str) -> String {
    match address.parse::<Ipv6Addr>() {
        Ok(v6) => v6.segments()[..4].iter().map(|part| format!("{part:x}:")).collect(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::FakeRandom;

    #[test]
    fn five_wrong_codes_lock_even_the_right_one() {
        let gate = Gate::new(&FakeRandom::new(1));
        let right = gate.setup_code();
        assert_eq!(right.len(), 6);
        assert_eq!(gate.check_code(&format!(" {} {} ", &right[..3], &right[3..])), CodeCheck::Right);
        for left in (1..5).rev() {
            assert_eq!(gate.check_code("no"), CodeCheck::Wrong { left });
        }
        assert_eq!(gate.check_code("no"), CodeCheck::Locked);
        assert_eq!(gate.check_code(&right), CodeCheck::Locked);
    }

    #[test]
    fn tries_run_out_and_come_back_with_time() {
        let gate = Gate::new(&FakeRandom::new(1));
        let now = Timestamp(1_000_000);
        for _ in 0..6 {
            gate.try_sign_in("192.0.2.1", "ada@example.com", now).unwrap();
        }
        assert_eq!(gate.try_sign_in("192.0.2.1", "ada@example.com", now), Err(30));
        gate.try_sign_in("192.0.2.1", "bob@example.com", now).unwrap();
        gate.try_sign_in("192.0.2.2", "ada@example.com", now).unwrap();
        gate.try_sign_in("192.0.2.1", "ada@example.com", now.plus_seconds(30)).unwrap();
        assert!(gate.try_sign_in("192.0.2.1", "ada@example.com", now.plus_seconds(30)).is_err());
        gate.signed_in("192.0.2.1", "ada@example.com");
        gate.try_sign_in("192.0.2.1", "ada@example.com", now.plus_seconds(30)).unwrap();
    }

    #[test]
    fn an_office_behind_one_address_signs_in_at_once_but_guesses_of_one_account_run_out() {
        let gate = Gate::new(&FakeRandom::new(1));
        for n in 0..200 {
            let account = n.to_string();
            gate.try_sign_in("192.0.2.1", &account, Timestamp(1)).unwrap();
            gate.signed_in("192.0.2.1", &account);
        }
        let from_everywhere = (0..100).filter(|n| gate.try_sign_in(&format!("192.0.2.{n}"), "ada", Timestamp(1)).is_ok()).count();
        assert_eq!(from_everywhere, 60);
    }

    #[test]
    fn one_ipv6_customer_is_one_address() {
        let gate = Gate::new(&FakeRandom::new(1));
        let at = |n: i64| format!("2001:db8:1:2::{n:x}");
        assert_eq!((0..100).filter(|n| gate.try_open_door(&at(*n), Timestamp(1)).is_ok()).count(), 20);
        gate.try_open_door("2001:db8:1:3::1", Timestamp(1)).unwrap();
    }

    #[test]
    fn one_address_cannot_try_every_account() {
        let gate = Gate::new(&FakeRandom::new(1));
        let tried = (0..100).filter(|n| gate.try_sign_in("192.0.2.1", &n.to_string(), Timestamp(1)).is_ok()).count();
        assert_eq!(tried, 20);
    }
}
