//! When a failed job runs again.

use model::{Random, Timestamp};

/// So many attempts, then a job without a limit of its own is given up: about 19 hours by the schedule below.
pub const ATTEMPT_COUNT_MAX: i64 = 24;

const DELAYS_MS: [i64; 6] = [5_000, 15_000, 60_000, 300_000, 900_000, 3_600_000];
/// Up to this share is added or taken away, so that jobs which failed together do not come back together.
const JITTER_PERCENT: i64 = 20;

/// The time of the next attempt after `attempts` attempts have failed: 5 s, 15 s, 1 min, 5 min, 15 min, then hourly.
pub fn retry_after(attempts: i64, now: Timestamp, random: &dyn Random) -> Timestamp {
    let step = usize::try_from(attempts - 1).unwrap_or(0).min(DELAYS_MS.len() - 1);
    let delay = DELAYS_MS[step];
    let spread = delay * JITTER_PERCENT / 100;
    let jitter = i64::try_from(random.below(2 * spread as u64 + 1)).unwrap_or(spread) - spread;
    now.plus_ms(delay + jitter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::FakeRandom;

    #[test]
    fn delays_grow_to_an_hour_and_stay_within_the_jitter() {
        let random = FakeRandom::new(7);
        let now = Timestamp(1_000_000);
        let mut seen = std::collections::HashSet::new();
        for (attempts, wanted) in
            [(1, 5_000), (2, 15_000), (3, 60_000), (4, 300_000), (5, 900_000), (6, 3_600_000), (99, 3_600_000)]
        {
            for _ in 0..200 {
                let delay = retry_after(attempts, now, &random).since(now);
                assert!((wanted * 8 / 10..=wanted * 12 / 10).contains(&delay), "attempt {attempts}: {delay}");
                seen.insert(delay);
            }
        }
        assert!(seen.len() > 500, "jitter spreads");
        assert_eq!(retry_after(0, now, &random).since(now) / 10_000, 0, "an odd count is no panic");
    }
}
