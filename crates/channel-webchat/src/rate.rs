//! How fast somebody may be: token buckets, pure, with the time passed in.

use model::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;

/// A bucket that fills steadily and holds at most its capacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenBucket {
    level: f64,
    at: Timestamp,
}

/// What a bucket holds and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many at once, when nothing was taken for a while.
    pub capacity: u32,
    /// And so many again ..
    pub refill: u32,
    /// .. in so many milliseconds.
    pub per_ms: i64,
}

impl Limit {
    /// `count` a minute, all of them at once if need be.
    pub fn per_minute(count: u32) -> Self {
        Self { capacity: count, refill: count, per_ms: 60_000 }
    }
    /// `count` an hour, all of them at once if need be.
    pub fn per_hour(count: u32) -> Self {
        Self { capacity: count, refill: count, per_ms: 3_600_000 }
    }
    fn tokens_in(self, ms: i64) -> f64 {
        f64::from(self.refill) * ms.max(0) as f64 / self.per_ms.max(1) as f64
    }
    fn ms_until(self, missing: f64) -> i64 {
        if self.refill == 0 {
            return i64::MAX;
        }
        (missing * self.per_ms.max(1) as f64 / f64::from(self.refill)).ceil() as i64
    }
}

impl TokenBucket {
    /// A full bucket.
    pub fn full(limit: Limit, now: Timestamp) -> Self {
        Self { level: f64::from(limit.capacity), at: now }
    }
    /// Takes one, or says in how many milliseconds there will be one. A clock that steps back fills nothing and
    /// takes nothing away.
    pub fn take(&mut self, limit: Limit, now: Timestamp) -> Result<(), i64> {
        self.level = (self.level + limit.tokens_in(now.since(self.at))).min(f64::from(limit.capacity));
        self.at = now;
        if self.level >= 1.0 {
            self.level -= 1.0;
            return Ok(());
        }
        Err(limit.ms_until(1.0 - self.level).max(1))
    }
    fn is_full(&self, limit: Limit, now: Timestamp) -> bool {
        self.level + limit.tokens_in(now.since(self.at)) >= f64::from(limit.capacity)
    }
}

/// Buckets by key (visitor, network address), with a bound on memory.
#[derive(Debug)]
pub struct Limiter<K> {
    buckets: HashMap<K, TokenBucket>,
    keys_max: usize,
}

impl<K: Hash + Eq> Limiter<K> {
    /// Remembers at most `keys_max` keys.
    pub fn new(keys_max: usize) -> Self {
        Self { buckets: HashMap::new(), keys_max: keys_max.max(1) }
    }
    /// Takes one for this key, or says in how many milliseconds there will be one. When the memory is full, keys
    /// whose bucket is full again are forgotten; if none is, an unknown key waits (a flood of new keys must not wash
    /// out those that are being held back).
    pub fn take(&mut self, key: K, limit: Limit, now: Timestamp) -> Result<(), i64> {
        if self.buckets.len() >= self.keys_max && !self.buckets.contains_key(&key) {
            self.buckets.retain(|_, bucket| !bucket.is_full(limit, now));
            if self.buckets.len() >= self.keys_max {
                return Err(limit.ms_until(1.0).clamp(1, limit.per_ms.max(1)));
            }
        }
        self.buckets.entry(key).or_insert_with(|| TokenBucket::full(limit, now)).take(limit, now)
    }
    /// How many keys are remembered.
    pub fn len(&self) -> usize {
        self.buckets.len()
    }
    /// Is nothing remembered?
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_capacity_and_then_its_rate() {
        let limit = Limit::per_minute(30);
        let start = Timestamp(1_000_000);
        let mut bucket = TokenBucket::full(limit, start);
        assert!((0..30).all(|_| bucket.take(limit, start).is_ok()));
        assert_eq!(bucket.take(limit, start), Err(2_000));
        assert_eq!(bucket.take(limit, start.plus_ms(500)), Err(1_500));
        assert_eq!(bucket.take(limit, start.plus_ms(2_000)), Ok(()));
        assert!(bucket.take(limit, start.plus_ms(2_001)).is_err());
        assert!(bucket.take(limit, start.plus_ms(-60_000)).is_err(), "a clock that steps back gives nothing");
        let later = start.plus_ms(10_000_000);
        assert!((0..30).all(|_| bucket.take(limit, later).is_ok()));
        assert!(bucket.take(limit, later).is_err(), "a long rest fills it once");
    }

    #[test]
    fn keys_do_not_disturb_each_other_and_memory_is_bounded() {
        let limit = Limit::per_hour(2);
        let now = Timestamp(0);
        let mut limiter = Limiter::new(3);
        for key in ["a", "b", "c"] {
            assert!(limiter.take(key, limit, now).is_ok());
        }
        assert!(limiter.take("a", limit, now).is_ok());
        assert!(limiter.take("a", limit, now).is_err());
        assert!(limiter.take("d", limit, now).is_err(), "full of keys that are counted");
        assert!(limiter.take("d", limit, now.plus_ms(1_800_000)).is_ok(), "b and c are full again and forgotten");
        assert_eq!(limiter.len(), 2);
        assert!(limiter.take("a", limit, now).is_err(), "a is still remembered");
    }
}
