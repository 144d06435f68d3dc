//! How fast an inbox may send: a bucket of tokens per inbox and one per receiver, filled evenly, as the adapter declares.
//! Kept in memory: after a restart the buckets are full, which a provider's own limit then corrects by asking to wait.

use model::{InboxId, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Buckets that were not used for this long are full again and forgotten.
const FORGET_MS: i64 = 120_000;
const BUCKET_COUNT_MAX: usize = 10_000;

/// Whose bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// Everything that leaves through an inbox.
    Inbox(InboxId),
    /// What leaves through an inbox to one address.
    Receiver(InboxId, String),
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// The buckets of this process.
#[derive(Clone, Debug, Default)]
pub struct Pace(Arc<Mutex<HashMap<Whose, Bucket>>>);

impl Pace {
    /// Takes one token from each bucket, or none and says when to come again. A limit of 0 per minute is no limit.
    pub fn take(&self, wanted: &[(Whose, u32)], now: Timestamp) -> Result<(), Timestamp> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > BUCKET_COUNT_MAX {
            buckets.retain(|_, bucket| now.since(bucket.at) < FORGET_MS);
        }
        let limited: Vec<&(Whose, u32)> = wanted.iter().filter(|(_, per_minute)| *per_minute > 0).collect();
        let filled: Vec<Bucket> = limited.iter().map(|(whose, per_minute)| fill(buckets.get(whose), *per_minute, now)).collect();
        let waits = filled.iter().zip(&limited).filter(|(bucket, _)| bucket.tokens < 1.0).map(|(bucket, (_, per_minute))| {
            let ms_per_token = 60_000.0 / f64::from(*per_minute);
            now.plus_ms(((1.0 - bucket.tokens) * ms_per_token).ceil() as i64)
        });
        if let Some(at) = waits.max() {
            return Err(at);
        }
        for ((whose, _), bucket) in limited.into_iter().zip(filled) {
            buckets.insert(whose.clone(), Bucket { tokens: bucket.tokens - 1.0, at: now });
        }
        Ok(())
    }
}

/// A bucket as it is now: at most a tenth of a minute's tokens (at least one) may be spent in one go.
fn fill(bucket: Option<&Bucket>, per_minute: u32, now: Timestamp) -> Bucket {
    let most = (f64::from(per_minute) / 10.0).max(1.0);
    let tokens = bucket.map_or(most, |b| {
        let passed_ms = now.since(b.at).max(0) as f64;
        (b.tokens + passed_ms * f64::from(per_minute) / 60_000.0).min(most)
    });
    Bucket { tokens, at: now }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_lets_as_many_through_as_were_declared() {
        let pace = Pace::default();
        let mut now = Timestamp(1_000_000);
        let (mut sent, end) = (0, now.plus_ms(60_000));
        while now < end {
            match pace.take(&[(Whose::Inbox(InboxId(1)), 60)], now) {
                Ok(()) => sent += 1,
                Err(at) => now = at,
            }
        }
        assert!((60..=66).contains(&sent), "60 a minute and a burst of 6: {sent}");
    }

    #[test]
    fn a_full_inbox_takes_nothing_from_the_receiver_and_no_limit_is_none() {
        let pace = Pace::default();
        let now = Timestamp(1_000_000);
        let both = [(Whose::Inbox(InboxId(1)), 10), (Whose::Receiver(InboxId(1), "a".into()), 10)];
        assert_eq!(pace.take(&both, now), Ok(()));
        assert_eq!(pace.take(&both, now), Err(now.plus_ms(6_000)));
        assert_eq!(pace.take(&both, now.plus_ms(6_000)), Ok(()));
        for _ in 0..1_000 {
            assert_eq!(pace.take(&[(Whose::Inbox(InboxId(2)), 0)], now), Ok(()));
        }
    }
}
