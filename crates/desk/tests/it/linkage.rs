//! The duplicate model on public record-linkage sets, without the social-security number and without a label: what
//! `continuo contacts match` would print, measured against the truth.

#![allow(clippy::unwrap_used, reason = "helpers of stories")]

use desk::contacts::{columns, table};
use desk::identity::duplicates::{Linkage, Pair, Person};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The ids and people of one file.
fn load(name: &str) -> (Vec<String>, Vec<Person>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/febrl").join(name);
    let read = table::read(&std::fs::read(path).unwrap()).unwrap();
    assert!(read.unreadable.is_empty());
    let meanings = columns::guess_all(&read);
    let id = |row| columns::record_id(&meanings, row).unwrap().to_owned();
    (read.rows.iter().map(id).collect(), read.rows.iter().map(|row| columns::person(&meanings, row, false)).collect())
}

/// Pairs of records of one person: `rec-12-org` and `rec-12-dup-0`.
fn truth(ids: &[String]) -> HashSet<(usize, usize)> {
    let mut people: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, id) in ids.iter().enumerate() {
        people.entry(id.split('-').nth(1).unwrap()).or_default().push(at);
    }
    people.values().flat_map(|all| all.iter().enumerate().flat_map(|(n, a)| all[n + 1..].iter().map(|b| (*a, *b)))).collect()
}

fn measure(name: &str, ids: &[String], found: &[Pair], truth: &HashSet<(usize, usize)>) {
    let right = found.iter().filter(|pair| truth.contains(&(pair.a, pair.b))).count() as f64;
    let (precision, recall) = (right / found.len() as f64, right / truth.len() as f64);
    let f1 = 2.0 * precision * recall / (precision + recall);
    println!(
        "{name}: {} records, {} true pairs, precision {precision:.5}, recall {recall:.5}, F1 {f1:.5}",
        ids.len(),
        truth.len()
    );
    assert!(f1 >= 0.985 && precision >= 0.999, "{name}: precision {precision}, F1 {f1}");
}

fn one_file(name: &str) {
    let (ids, people) = load(name);
    let linkage = Linkage::new(&people, None);
    measure(name, &ids, &linkage.groups(linkage.natural_threshold()), &truth(&ids));
}

#[test]
fn febrl_1_one_duplicate_each() {
    one_file("dataset1.csv");
}

#[test]
fn febrl_2_up_to_five_duplicates() {
    one_file("dataset2.csv");
}

#[test]
fn febrl_3_up_to_five_duplicates_with_more_damage() {
    one_file("dataset3.csv");
}

#[test]
fn febrl_4_two_files_and_both_as_one() {
    let ((mut ids, mut people), second) = (load("dataset4a.csv"), load("dataset4b.csv"));
    let first = ids.len();
    ids.extend(second.0);
    people.extend(second.1);
    let truth = truth(&ids);
    let linked = Linkage::new(&people, Some(first));
    measure("febrl4, two files", &ids, &linked.one_to_one(linked.natural_threshold()), &truth);
    let one = Linkage::new(&people, None);
    measure("febrl4, one file", &ids, &one.groups(one.natural_threshold()), &truth);
}
