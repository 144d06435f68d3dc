//! The Fellegi-Sunter model: how much each level of each field speaks for one person or for two, in bits. `m` is how often
//! a level occurs among pairs that are one person, `u` among pairs that are not; agreement on a rare value counts more.
//! Starts from written values and learns from unlabelled pairs by expectation maximisation. Pure.

use super::compare::{LEVEL_COUNT, Levels, SAME, UNKNOWN, compare, words};
use super::record::{FIELD_COUNT, Field, Person, TEXT_COUNT};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// How often each level of one field occurs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Among pairs that are one person.
    pub m: [f64; LEVEL_COUNT],
    /// Among pairs that are two.
    pub u: [f64; LEVEL_COUNT],
}

/// What the model knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// By field name.
    rates: BTreeMap<String, Rates>,
    /// By field name: share of people with each value, of values that are not rare.
    shares: BTreeMap<String, HashMap<String, f64>>,
    /// How many people it was learned from; 0 = start values.
    pub people: usize,
    /// How likely a pair taken at random is one person.
    pub prior: f64,
}

/// What speaks for and against a pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Sum of the bits.
    pub bits: f64,
    /// Each field that tells something, strongest first: field, level, bits.
    pub evidence: Vec<Evidence>,
}

/// What one field says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The field.
    pub field: String,
    /// In words.
    pub words: String,
    /// What it adds (or takes) in bits.
    pub bits: f64,
}

// Different, similar, close, same. Start values: the better known ones from the literature on address lists, the others
// cautious guesses; a workspace of any size replaces them by its own.
const START: [(Field, [f64; LEVEL_COUNT], [f64; LEVEL_COUNT]); FIELD_COUNT] = [
    (Field::Given, [0.10, 0.06, 0.09, 0.75], [0.955, 0.030, 0.010, 0.005]),
    (Field::Surname, [0.06, 0.05, 0.09, 0.80], [0.970, 0.020, 0.007, 0.003]),
    (Field::Born, [0.04, 0.03, 0.08, 0.85], [0.980, 0.0186, 0.0013, 0.0001]),
    (Field::House, [0.12, 0.05, 0.03, 0.80], [0.94, 0.039, 0.001, 0.02]),
    (Field::Street, [0.15, 0.05, 0.15, 0.65], [0.99, 0.006, 0.003, 0.001]),
    (Field::Locality, [0.20, 0.05, 0.15, 0.60], [0.985, 0.008, 0.005, 0.002]),
    (Field::Place, [0.12, 0.03, 0.15, 0.70], [0.97, 0.012, 0.008, 0.010]),
    (Field::Postcode, [0.12, 0.01, 0.12, 0.75], [0.985, 0.002, 0.010, 0.003]),
    (Field::Region, [0.08, 0.01, 0.01, 0.90], [0.80, 0.01, 0.01, 0.18]),
    (Field::Company, [0.25, 0.10, 0.10, 0.55], [0.98, 0.008, 0.002, 0.010]),
    (Field::Number, [0.02, 0.01, 0.02, 0.95], [0.9989, 0.0005, 0.0005, 0.0001]),
    (Field::Email, [0.30, 0.06, 0.04, 0.60], [0.9985, 0.001, 0.0004, 0.00001]),
    (Field::Phone, [0.28, 0.01, 0.06, 0.65], [0.99992, 0.00004, 0.00003, 0.000001]),
    (Field::NameOrder, [0.03, 0.0, 0.0, 0.97], [0.10, 0.0, 0.0, 0.90]),
    (Field::LineOrder, [0.03, 0.0, 0.0, 0.97], [0.10, 0.0, 0.0, 0.90]),
];
/// A chance agreement is never taken to be rarer than this, nor a slip among one person's data.
const RATE_MIN: f64 = 1e-6;
const M_MIN: f64 = 2e-3;
/// Values that fewer people share are taken to be rare without being kept.
const SHARE_KEPT_MIN_COUNT: u32 = 3;
/// The most values kept of one field in a stored model.
const SHARES_KEPT_MAX: usize = 300;
/// Below this, start values are better than what so few people teach.
pub const LEARN_PEOPLE_MIN: usize = 400;
const ROUNDS: usize = 25;

impl Default for Model {
    fn default() -> Self {
        let rates = START.iter().map(|(field, m, u)| (field.word().to_owned(), Rates { m: *m, u: *u })).collect();
        Self { rates, shares: BTreeMap::new(), people: 0, prior: 1e-4 }
    }
}

/// The model laid out for speed: bits by field and level.
pub struct Weights<'a> {
    model: &'a Model,
    bits: [[f64; LEVEL_COUNT]; FIELD_COUNT],
    same: [(f64, Option<&'a HashMap<String, f64>>); TEXT_COUNT],
}

impl Model {
    /// Bits, ready to score many pairs.
    pub fn weights(&self) -> Weights<'_> {
        let mut bits = [[0.0; LEVEL_COUNT]; FIELD_COUNT];
        let mut same = [(0.0, None); TEXT_COUNT];
        for field in Field::ALL {
            let Some(rates) = self.rates.get(field.word()) else { continue };
            for (level, bit) in bits[field as usize].iter_mut().enumerate() {
                *bit = (rates.m[level].max(M_MIN) / rates.u[level].max(RATE_MIN)).log2();
            }
            if let Some(place) = same.get_mut(field as usize) {
                *place = (rates.m[usize::from(SAME)].max(M_MIN).log2(), self.shares.get(field.word()));
            }
        }
        Weights { model: self, bits, same }
    }

    /// The score from which a pair is more likely one person than not, for these data.
    pub fn even_bits(&self) -> f64 {
        ((1.0 - self.prior) / self.prior).log2()
    }

    /// Learns from people and the pairs of them that share a key. `random` are pairs taken by chance, which teach what
    /// strangers have in common. Few people teach nothing: the start values stay.
    pub fn learn(people: &[Person], candidates: &[Levels], random: &[Levels], pair_count: f64) -> Self {
        let mut model = Self::default();
        if people.len() < LEARN_PEOPLE_MIN || candidates.is_empty() {
            model.shares = shares(people);
            return model;
        }
        model.people = people.len();
        model.prior = (people.len() as f64 * 0.05 / pair_count).clamp(1e-12, 0.2);
        let (candidates, random) = (patterns(candidates), patterns(random));
        for _ in 0..ROUNDS {
            model.round(&candidates, &random, pair_count);
        }
        model.shares = shares(people);
        model
    }

    /// One round: how likely is each pattern one person, and what does that make of the rates?
    fn round(&mut self, candidates: &[(Levels, f64)], random: &[(Levels, f64)], pair_count: f64) {
        let weights = self.weights();
        let odds = self.prior / (1.0 - self.prior);
        let chance = |levels: &Levels| {
            let bits = weights.plain(levels);
            let odds = odds * bits.min(1_000.0).exp2();
            odds / (1.0 + odds)
        };
        let mut one = [[0.0_f64; LEVEL_COUNT]; FIELD_COUNT];
        let mut two = [[0.0_f64; LEVEL_COUNT]; FIELD_COUNT];
        let mut matched = 0.0;
        for (levels, count) in candidates {
            let weight = chance(levels) * count;
            matched += weight;
            add(&mut one, levels, weight);
        }
        for (levels, count) in random {
            add(&mut two, levels, (1.0 - chance(levels)) * count);
        }
        self.prior = (matched / pair_count).clamp(1e-12, 0.2);
        for field in Field::ALL {
            let Some(rates) = self.rates.get_mut(field.word()) else { continue };
            let start = START[field as usize];
            // A few pairs' worth of the start values, so that what never occurred is rare and not impossible.
            renew(&mut rates.m, &one[field as usize], &start.1, 8.0);
            renew(&mut rates.u, &two[field as usize], &start.2, 40.0);
        }
    }

    /// What a stored model keeps: the common values only.
    pub fn for_storing(mut self) -> Self {
        for values in self.shares.values_mut() {
            if values.len() > SHARES_KEPT_MAX {
                let mut all: Vec<(String, f64)> = values.drain().collect();
                all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                all.truncate(SHARES_KEPT_MAX);
                *values = all.into_iter().collect();
            }
        }
        self
    }
}

fn add(into: &mut [[f64; LEVEL_COUNT]; FIELD_COUNT], levels: &Levels, weight: f64) {
    for (field, level) in levels.iter().enumerate().filter(|(_, level)| **level != UNKNOWN) {
        into[field][usize::from(*level)] += weight;
    }
}

fn renew(rates: &mut [f64; LEVEL_COUNT], counted: &[f64; LEVEL_COUNT], start: &[f64; LEVEL_COUNT], strength: f64) {
    let total: f64 = counted.iter().sum::<f64>() + strength;
    for level in 0..LEVEL_COUNT {
        rates[level] = (counted[level] + start[level] * strength) / total;
    }
}

fn patterns(pairs: &[Levels]) -> Vec<(Levels, f64)> {
    let mut counts: HashMap<Levels, f64> = HashMap::new();
    for levels in pairs {
        *counts.entry(*levels).or_default() += 1.0;
    }
    let mut all: Vec<_> = counts.into_iter().collect();
    // Sums of floating point depend on the order: the same data give the same model.
    all.sort_by_key(|(levels, _)| *levels);
    all
}

/// How many people share each value of each text field, as a share; rare values are left out.
fn shares(people: &[Person]) -> BTreeMap<String, HashMap<String, f64>> {
    let mut shares = BTreeMap::new();
    for field in Field::ALL.into_iter().take(TEXT_COUNT) {
        let mut counts: HashMap<&str, u32> = HashMap::new();
        let mut known = 0_u32;
        for person in people {
            let value = person.text(field);
            if !value.is_empty() {
                *counts.entry(value).or_default() += 1;
                known += 1;
            }
        }
        let kept: HashMap<String, f64> = counts
            .into_iter()
            .filter(|(_, count)| *count >= SHARE_KEPT_MIN_COUNT)
            .map(|(value, count)| (value.to_owned(), f64::from(count - 1) / f64::from(known.max(1))))
            .collect();
        if known > 0 {
            // What a value costs that nobody or hardly anybody else has.
            let mut kept = kept;
            kept.insert(String::new(), 1.0 / f64::from(known.max(200)));
            shares.insert(field.word().to_owned(), kept);
        }
    }
    shares
}

impl Weights<'_> {
    /// Sum of the bits without regard to how rare the values are.
    fn plain(&self, levels: &Levels) -> f64 {
        levels.iter().enumerate().filter(|(_, l)| **l != UNKNOWN).map(|(field, l)| self.bits[field][usize::from(*l)]).sum()
    }

    /// The bits of one field of a pair.
    fn of(&self, a: &Person, b: &Person, field: usize, level: u8) -> f64 {
        let plain = self.bits[field][usize::from(level)];
        if level != SAME || field >= TEXT_COUNT {
            return plain;
        }
        // Agreement on a rare value says more than agreement on a common one. After a swap the value stands elsewhere; then
        // the average has to do.
        let (value, other) = (&a.texts[field], &b.texts[field]);
        match self.same[field] {
            (m_bits, Some(shares)) if value == other => {
                let share = shares.get(value.as_str()).or_else(|| shares.get("")).copied().unwrap_or(1e-3);
                m_bits - share.max(RATE_MIN).log2()
            }
            _ => plain,
        }
    }

    /// The score of a pair that was compared.
    pub fn bits(&self, a: &Person, b: &Person, levels: &Levels) -> f64 {
        let known = levels.iter().enumerate().filter(|(_, level)| **level != UNKNOWN);
        known.map(|(field, level)| self.of(a, b, field, *level)).sum()
    }

    /// The score with what speaks for and against it.
    pub fn score(&self, a: &Person, b: &Person) -> Score {
        let levels = compare(a, b);
        let mut evidence = Vec::new();
        let mut sum = 0.0;
        for field in Field::ALL {
            let level = levels[field as usize];
            if level == UNKNOWN {
                continue;
            }
            let bits = self.of(a, b, field as usize, level);
            sum += bits;
            if let Some(words) = words(field, level) {
                evidence.push(Evidence { field: field.word().to_owned(), words, bits: (bits * 10.0).round() / 10.0 });
            }
        }
        evidence.sort_by(|a, b| b.bits.abs().total_cmp(&a.bits.abs()).then_with(|| a.field.cmp(&b.field)));
        Score { bits: sum, evidence }
    }

    /// How likely a pair with this score is one person, given how many pairs are.
    pub fn chance(&self, bits: f64) -> f64 {
        let odds = self.model.prior / (1.0 - self.model.prior) * bits.clamp(-1_000.0, 1_000.0).exp2();
        if odds.is_infinite() { 1.0 } else { odds / (1.0 + odds) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, email: &str, phone: &str) -> Person {
        let mut p = Person::default();
        p.set_name(name);
        p.emails = Some(email).filter(|e| !e.is_empty()).map(str::to_owned).into_iter().collect();
        p.phones = Some(phone).filter(|e| !e.is_empty()).map(str::to_owned).into_iter().collect();
        p
    }

    #[test]
    fn start_values_sort_pairs_as_a_person_would() {
        let model = Model::default();
        let weights = model.weights();
        let ada = person("Ada Novak", "ada@ex.com", "+15550142");
        let bits = |other: &Person| weights.score(&ada, other).bits;
        let same_phone = bits(&person("A. Novak", "anovak@work.de", "+15550142"));
        let only_name = bits(&person("Ada Novak", "", ""));
        let other_number = bits(&person("Ada Novak", "x@y.z", "+4930123456"));
        let stranger = bits(&person("Ben Okafor", "ben@ex.com", "+4930123456"));
        assert!(same_phone > 15.0, "{same_phone}");
        assert!(only_name > 8.0 && only_name < 20.0 && other_number < only_name - 2.0, "{only_name} {other_number}");
        assert!(stranger < -5.0, "{stranger}");
    }

    #[test]
    fn evidence_is_in_words_strongest_first() {
        let model = Model::default();
        let score =
            model.weights().score(&person("Ada Novak", "ada@ex.com", "+15550142"), &person("Adah Novak", "an@w.de", "+15550142"));
        assert_eq!(score.evidence[0].words, "same phone number");
        let words: Vec<&str> = score.evidence.iter().map(|e| e.words.as_str()).collect();
        assert!(words.contains(&"different email address") && words.contains(&"almost the same first name"), "{words:?}");
        let sum: f64 = score.evidence.iter().map(|e| e.bits).sum();
        assert!((sum - score.bits).abs() < 1.0, "the words add up to the score, but for what is not worth saying");
    }

    #[test]
    fn a_model_survives_being_stored() {
        let model = Model::default().for_storing();
        let text = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<Model>(&text).unwrap(), model);
    }
}
