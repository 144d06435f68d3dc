//! Passwords are checked off the async threads and never more than a few at a time, since each check takes 19 MiB and a
//! good part of a tenth of a second of one core.

use keys::{hash_password, verify_nobody, verify_password};
use model::Random;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// More than this many at once would let a crowd of sign-ins eat the memory.
const AT_ONCE: usize = 2;
/// More than this many waiting: better to say "later" than to keep everybody.
const WAITING_MAX: usize = 64;

/// The one place that hashes passwords.
#[derive(Clone)]
pub struct Passwords {
    now: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// Too many passwords wait to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked, try again later")]
pub struct Crowded;

impl Default for Passwords {
    fn default() -> Self {
        Self { now: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::new(Semaphore::new(WAITING_MAX)) }
    }
}

impl Passwords {
    /// The hash to store.
    pub async fn hash(&self, password: &str, random: &Arc<dyn Random>) -> Result<String, Crowded> {
        let (password, random) = (password.to_owned(), Arc::clone(random));
        self.off_thread(move || hash_password(&*random, &password)).await
    }

    /// Is it the password of this hash? Without a hash (nobody has that address) it takes as long and is false.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool, Crowded> {
        let password = password.to_owned();
        self.off_thread(move || match hash {
            Some(hash) => verify_password(&password, &hash).right,
            None => {
                verify_nobody(&password);
                false
            }
        })
        .await
    }

    async fn off_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Crowded> {
        let _waiting = self.waiting.try_acquire().map_err(|_| Crowded)?;
        let _now = self.now.acquire().await.map_err(|_| Crowded)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| Crowded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::FakeRandom;

    #[tokio::test]
    async fn the_right_password_and_no_other() {
        let random: Arc<dyn Random> = Arc::new(FakeRandom::new(1));
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse", &random).await.unwrap();
        assert_eq!(passwords.verify("correct horse", Some(hash.clone())).await, Ok(true));
        assert_eq!(passwords.verify("correct horsf", Some(hash)).await, Ok(false));
        assert_eq!(passwords.verify("correct horse", None).await, Ok(false));
    }

    #[tokio::test]
    async fn a_crowd_is_sent_away_instead_of_kept() {
        let passwords = Passwords::default();
        let _all = Arc::clone(&passwords.waiting).acquire_many_owned(64).await.unwrap();
        assert_eq!(passwords.verify("x", None).await, Err(Crowded));
    }
}
