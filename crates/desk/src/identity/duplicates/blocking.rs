//! Which pairs are worth comparing: people who share one of several keys. Each key alone misses some; together they find a
//! pair that was damaged in all but two or three of its fields. Pure.

use super::record::{Field, Person};
use super::similar::sound;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// A key with more people behind it tells nothing (info@, a street of a big town) and is passed over.
pub const BLOCK_SIZE_MAX: usize = 250;

/// The keys of a person: numbers, so that they can be stored and looked up.
pub fn keys(person: &Person) -> Vec<i64> {
    let text = |field| person.text(field);
    let start = |t: &str, count: usize| t.chars().take(count).collect::<String>();
    let (given, last) = (text(Field::Given), text(Field::Surname));
    let (born, house, street) = (text(Field::Born), text(Field::House), text(Field::Street));
    let (locality, place, post) = (text(Field::Locality), text(Field::Place), text(Field::Postcode));
    let mut sounds = [sound(given), sound(last)];
    sounds.sort();
    let mut keys = Vec::with_capacity(16);
    let mut key = |kind: &str, parts: &[&str]| {
        if parts.iter().all(|part| !part.is_empty()) {
            keys.push(number(kind, parts));
        }
    };
    key("names", &[&sounds[0], &sounds[1]]);
    key("born", &[born]);
    for (kind, name) in [("given", given), ("last", last)] {
        // One name with one more thing: the other name may be missing or another one altogether.
        let kind = if matches!(kind, "given" | "last") { "name" } else { kind };
        let heard = sound(name);
        key(kind, &["post", &heard, post]);
        key(kind, &["place", &heard, &start(place, 4)]);
        key(kind, &["street", &heard, &start(street, 4)]);
        key(kind, &["locality", &heard, &start(locality, 4)]);
        key(kind, &["house", &heard, house]);
        if born.len() == 8 && born.is_ascii() {
            key(kind, &["year", &heard, &born[..4]]);
            key(kind, &["day", &heard, &born[4..]]);
        }
    }
    key("street", &[&start(street, 7), house]);
    key("street", &[&start(street, 5), post]);
    key("street", &[&start(street, 5), &start(place, 4)]);
    key("house", &[house, post]);
    key("number", &[text(Field::Number)]);
    for address in &person.emails {
        key("email", &[address]);
        if let Some((left, _)) = address.split_once('@') {
            let left = left.split('+').next().unwrap_or(left);
            if left.len() >= 5 {
                key("left", &[left]);
            }
        }
    }
    for phone in &person.phones {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= 7 {
            key("phone", &[&digits[digits.len() - digits.len().min(8)..]]);
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn number(kind: &str, parts: &[&str]) -> i64 {
    let mut hash = Sha256::new();
    hash.update(kind.as_bytes());
    for part in parts {
        hash.update([0]);
        hash.update(part.as_bytes());
    }
    let bytes: [u8; 32] = hash.finalize().into();
    i64::from_be_bytes(std::array::from_fn(|at| bytes[at]))
}

/// Every pair of people that share a key, each once, by their places; `may` leaves pairs out (two of one file).
pub fn pairs(people: &[Person], may: impl Fn(usize, usize) -> bool) -> Vec<(u32, u32)> {
    let mut blocks: HashMap<i64, Vec<u32>> = HashMap::new();
    for (at, person) in people.iter().enumerate() {
        for key in keys(person) {
            blocks.entry(key).or_default().push(at as u32);
        }
    }
    let mut pairs = Vec::new();
    for members in blocks.into_values().filter(|m| (2..=BLOCK_SIZE_MAX).contains(&m.len())) {
        for (at, one) in members.iter().enumerate() {
            pairs.extend(
                members[at + 1..].iter().filter(|other| may(*one as usize, **other as usize)).map(|other| (*one, *other)),
            );
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(given: &str, last: &str, post: &str) -> Person {
        let mut p = Person::default();
        p.set(Field::Given, given);
        p.set(Field::Surname, last);
        p.set(Field::Postcode, post);
        p
    }

    #[test]
    fn damaged_pairs_still_meet() {
        let ada = person("ada", "novak", "4011");
        for other in [person("novak", "ada", ""), person("", "novak", "4011"), person("ada", "nowak", "9999")] {
            assert_eq!(pairs(&[ada.clone(), other.clone()], |_, _| true), [(0, 1)], "{other:?}");
        }
        assert!(pairs(&[ada.clone(), person("ben", "smith", "4012")], |_, _| true).is_empty());
        assert!(pairs(&[ada.clone(), ada], |_, _| false).is_empty());
    }

    #[test]
    fn a_key_of_everybody_is_passed_over() {
        let mut crowd: Vec<Person> = (0..BLOCK_SIZE_MAX + 1).map(|_| Person::default()).collect();
        crowd.iter_mut().for_each(|p| p.emails.push("info@example.com".to_owned()));
        assert!(pairs(&crowd, |_, _| true).is_empty());
        crowd.truncate(3);
        assert_eq!(pairs(&crowd, |_, _| true).len(), 3);
    }
}
