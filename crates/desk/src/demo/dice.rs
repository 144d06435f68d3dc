//! Repeatable chance. Each question has its own stream, so that one more story does not change all that follow.

use model::{FakeRandom, Random};

/// A source of chance that depends on nothing but its seed.
pub struct Dice {
    seed: u64,
    stream: FakeRandom,
}

impl Dice {
    /// A stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, stream: FakeRandom::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1CE) }
    }
    /// A stream of its own for the n-th thing of a kind.
    pub fn of(&self, kind: &str, n: u64) -> Self {
        let named = kind.bytes().fold(self.seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        Self::new(named.wrapping_mul(1_000_003).wrapping_add(n))
    }
    /// 0 up to and without `below`.
    pub fn below(&self, below: usize) -> usize {
        usize::try_from(self.stream.below(below as u64)).unwrap_or(0)
    }
    /// A number between two, both included.
    pub fn between(&self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).unwrap_or(1);
        low + i64::try_from(self.stream.below(span)).unwrap_or(0)
    }
    /// True in `percent` of all throws.
    pub fn percent(&self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }
    /// One of these.
    pub fn pick<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
