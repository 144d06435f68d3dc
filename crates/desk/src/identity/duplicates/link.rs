//! Goes through a whole list (or two) of people: which pairs are worth looking at, what the data teach about them, and
//! which belong together. Pure; what is done with the answer is the caller's matter.

use super::blocking;
use super::compare::{Levels, compare};
use super::model::{Model, Weights};
use super::record::Person;
use std::collections::HashMap;

/// Pairs taken by chance to learn what strangers have in common.
const RANDOM_PAIRS: usize = 100_000;
/// Candidates to learn from; more teach nothing new.
const LEARN_PAIRS_MAX: usize = 400_000;

/// Two people that may be one, by their places in the list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The earlier one.
    pub a: usize,
    /// The later one.
    pub b: usize,
    /// The score.
    pub bits: f64,
}

/// A list of people with the model that fits it.
pub struct Linkage<'a> {
    people: &'a [Person],
    /// The model.
    pub model: Model,
    candidates: Vec<(u32, u32)>,
}

impl<'a> Linkage<'a> {
    /// Finds candidates and learns. With `first_file` set, the first so many people are one file and the rest another, and
    /// only pairs across are looked for.
    pub fn new(people: &'a [Person], first_file: Option<usize>) -> Self {
        let across = |a: usize, b: usize| first_file.is_none_or(|n| (a < n) != (b < n));
        let candidates = blocking::pairs(people, across);
        let step = candidates.len() / LEARN_PAIRS_MAX + 1;
        let levels = |pair: &(u32, u32)| compare(&people[pair.0 as usize], &people[pair.1 as usize]);
        let known: Vec<Levels> = candidates.iter().step_by(step).map(levels).collect();
        let random: Vec<Levels> = by_chance(people.len(), across).iter().map(levels).collect();
        let pair_count = match first_file {
            Some(n) => n as f64 * (people.len() - n) as f64,
            None => people.len() as f64 * (people.len() as f64 - 1.0) / 2.0,
        };
        // A sample of the candidates stands for all of them.
        let model = Model::learn(people, &known, &random, (pair_count / step as f64).max(1.0));
        Self { people, model, candidates }
    }

    /// All candidates from a score up, best first.
    pub fn pairs(&self, bits_min: f64) -> Vec<Pair> {
        let weights = self.model.weights();
        let mut pairs: Vec<Pair> = self
            .candidates
            .iter()
            .map(|(a, b)| self.pair(&weights, *a as usize, *b as usize))
            .filter(|pair| pair.bits >= bits_min)
            .collect();
        pairs.sort_by(|x, y| y.bits.total_cmp(&x.bits).then_with(|| (x.a, x.b).cmp(&(y.a, y.b))));
        pairs
    }

    fn pair(&self, weights: &Weights<'_>, a: usize, b: usize) -> Pair {
        let (one, two) = (&self.people[a], &self.people[b]);
        Pair { a, b, bits: weights.bits(one, two, &compare(one, two)) }
    }

    /// How many pairs share a key.
    pub fn candidate_count(&self) -> usize {
        self.candidates.len()
    }

    /// The score that tells one person from two in these data, without labels: where a pair is certainly more likely one.
    pub fn natural_threshold(&self) -> f64 {
        (self.model.even_bits() + 3.0).max(8.0)
    }

    /// Pairs of two files where each person has at most one counterpart: the best first, both then taken.
    pub fn one_to_one(&self, bits_min: f64) -> Vec<Pair> {
        let mut taken = vec![false; self.people.len()];
        let mut chosen = self.pairs(bits_min);
        chosen.retain(|pair| {
            let free = !taken[pair.a] && !taken[pair.b];
            if free {
                (taken[pair.a], taken[pair.b]) = (true, true);
            }
            free
        });
        chosen
    }

    /// Groups of one person each, as pairs: two groups become one while their members fit on average, so that one damaged
    /// record neither breaks a group nor chains two together.
    pub fn groups(&self, bits_min: f64) -> Vec<Pair> {
        let weights = self.model.weights();
        let mut scores: HashMap<(usize, usize), f64> = HashMap::new();
        let mut group: Vec<usize> = (0..self.people.len()).collect();
        let mut members: Vec<Vec<usize>> = (0..self.people.len()).map(|n| vec![n]).collect();
        for pair in self.pairs(bits_min) {
            scores.insert((pair.a, pair.b), pair.bits);
            let (x, y) = (group[pair.a], group[pair.b]);
            if x == y {
                continue;
            }
            let mut sum = 0.0;
            for one in &members[x] {
                for two in &members[y] {
                    let key = (*one.min(two), *one.max(two));
                    sum += *scores.entry(key).or_insert_with(|| self.pair(&weights, key.0, key.1).bits);
                }
            }
            if sum / (members[x].len() * members[y].len()) as f64 >= bits_min {
                let moved = std::mem::take(&mut members[y]);
                for one in &moved {
                    group[*one] = x;
                }
                members[x].extend(moved);
            }
        }
        let mut pairs = Vec::new();
        for together in members.iter_mut().filter(|m| m.len() > 1) {
            together.sort_unstable();
            for (at, a) in together.iter().enumerate() {
                for b in &together[at + 1..] {
                    let bits = *scores.entry((*a, *b)).or_insert_with(|| self.pair(&weights, *a, *b).bits);
                    pairs.push(Pair { a: *a, b: *b, bits });
                }
            }
        }
        pairs.sort_by(|x, y| y.bits.total_cmp(&x.bits).then_with(|| (x.a, x.b).cmp(&(y.a, y.b))));
        pairs
    }
}

/// Pairs by chance, the same ones each time.
fn by_chance(count: usize, may: impl Fn(usize, usize) -> bool) -> Vec<(u32, u32)> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as usize) % count.max(1)
    };
    let mut pairs = Vec::new();
    for _ in 0..if count < 2 { 0 } else { RANDOM_PAIRS.min(count * count) } {
        let (a, b) = (next(), next());
        if a != b && may(a, b) {
            pairs.push((a as u32, b as u32));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::duplicates::record::Field;

    fn person(name: &str, born: &str, post: &str) -> Person {
        let mut p = Person::default();
        p.set_name(name);
        p.set(Field::Born, born);
        p.set(Field::Postcode, post);
        p
    }

    #[test]
    fn an_empty_list_and_a_list_of_one_have_no_pairs() {
        for people in [vec![], vec![person("Ada Novak", "", "")]] {
            let linkage = Linkage::new(&people, None);
            assert!(linkage.groups(8.0).is_empty() && linkage.one_to_one(8.0).is_empty());
        }
    }

    #[test]
    fn a_group_is_every_pair_of_it_and_strangers_stay_out() {
        let people = vec![
            person("Ada Novak", "1980-12-03", "40110"),
            person("Ada Nowak", "1980-03-12", "40110"),
            person("Novak Ada", "1980-12-03", "40101"),
            person("Ben Okafor", "1961-01-09", "99998"),
        ];
        let linkage = Linkage::new(&people, None);
        let found: Vec<(usize, usize)> = linkage.groups(12.0).iter().map(|p| (p.a, p.b)).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().all(|(a, b)| *a < 3 && *b < 3));
    }

    #[test]
    fn one_to_one_takes_the_best_and_pairs_only_across() {
        let people = vec![
            person("Ada Novak", "1980-12-03", "40110"),
            person("Ada Novak", "1980-12-03", "40110"),
            person("Ada Novack", "1980-12-03", "40110"),
        ];
        let linkage = Linkage::new(&people, Some(1));
        let found = linkage.one_to_one(8.0);
        assert_eq!(found.iter().map(|p| (p.a, p.b)).collect::<Vec<_>>(), [(0, 1)]);
    }
}
