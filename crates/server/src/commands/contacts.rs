//! `continuo contacts match FILE [FILE]`: which records of a list are one person. Reads files only, needs no database, and
//! is the same model that suggests duplicates in the workspace.

use crate::{Failed, print};
use desk::contacts::columns::{self, Meaning};
use desk::contacts::table::{self, Table};
use desk::identity::duplicates::{Linkage, Pair, Person};
use std::fmt::Write as _;

const USAGE: &str =
    "use it like this: continuo contacts match FILE [SECOND-FILE] [--threshold BITS] [--json] [--with-national-id]
  FILE               people as CSV, JSON lines or a JSON array; with two files, pairs across them, one to one
  --threshold BITS   print pairs from this score up (default: what the data themselves suggest, told on stderr)
  --json             one JSON object a line instead of CSV
  --with-national-id also compare soc_sec_id and the like, which are ignored otherwise";

#[derive(Debug, PartialEq)]
struct Wanted {
    files: Vec<String>,
    threshold: Option<f64>,
    json: bool,
    with_national_id: bool,
}

/// Runs the command with the words after `contacts`.
pub fn run(rest: &[String]) -> Result<(), Failed> {
    let wanted = read(rest)?;
    let mut people = Vec::new();
    let mut ids = Vec::new();
    let mut first = 0;
    for (at, file) in wanted.files.iter().enumerate() {
        let (more_ids, more) = load(file, wanted.with_national_id)?;
        if at == 0 {
            first = more.len();
        }
        ids.extend(more_ids);
        people.extend(more);
    }
    let two = wanted.files.len() == 2;
    let linkage = Linkage::new(&people, two.then_some(first));
    let threshold = wanted.threshold.unwrap_or_else(|| linkage.natural_threshold());
    let pairs = if two { linkage.one_to_one(threshold) } else { linkage.groups(threshold) };
    print(&rendered(&linkage, &people, &ids, &pairs, wanted.json))?;
    let learned =
        if linkage.model.people > 0 { "learned from these data" } else { "start values: too few records to learn from" };
    eprintln!(
        "{} records, {} pairs compared, {} matched from {threshold:.1} bits up; weights {learned}.",
        people.len(),
        linkage.candidate_count(),
        pairs.len()
    );
    Ok(())
}

fn read(words: &[String]) -> Result<Wanted, Failed> {
    let mut words = words.iter();
    match words.next().map(String::as_str) {
        Some("match") => {}
        Some("--help" | "-h") | None => return Err(Failed(USAGE.to_owned())),
        Some(other) => return Err(Failed(format!("contacts does not know {other}.\n{USAGE}"))),
    }
    let mut wanted = Wanted { files: Vec::new(), threshold: None, json: false, with_national_id: false };
    while let Some(word) = words.next() {
        let (name, given) = word.split_once('=').map_or((word.as_str(), None), |(n, v)| (n, Some(v.to_owned())));
        match name {
            "--json" => wanted.json = true,
            "--with-national-id" => wanted.with_national_id = true,
            "--threshold" => {
                let value = given.or_else(|| words.next().cloned()).ok_or_else(|| Failed(USAGE.to_owned()))?;
                let bits: Option<f64> = value.parse().ok().filter(|bits: &f64| bits.is_finite());
                wanted.threshold = Some(bits.ok_or_else(|| Failed(format!("--threshold takes a number of bits, not {value}")))?);
            }
            other if other.starts_with("--") => return Err(Failed(format!("contacts match does not know {other}.\n{USAGE}"))),
            _ => wanted.files.push(word.clone()),
        }
    }
    match wanted.files.len() {
        1 | 2 => Ok(wanted),
        _ => Err(Failed(USAGE.to_owned())),
    }
}

/// Ids and people of a file.
fn load(file: &str, with_national_id: bool) -> Result<(Vec<String>, Vec<Person>), Failed> {
    let bytes = std::fs::read(file).map_err(|error| Failed(format!("{file} cannot be read: {error}")))?;
    let table = table::read(&bytes).map_err(|error| Failed(format!("{file}: {error}")))?;
    let meanings = columns::guess_all(&table);
    if !meanings.iter().flatten().any(|meaning| *meaning != Meaning::RecordId) {
        let names = table.columns.join(", ");
        return Err(Failed(format!(
            "{file}: none of its columns is one that people are compared by. It has {names}; known are {}.",
            columns::known_names()
        )));
    }
    say_unread(file, &table, &meanings);
    let mut ids = Vec::with_capacity(table.rows.len());
    let mut people = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        ids.push(columns::record_id(&meanings, row).map_or_else(|| format!("line {}", row.number), str::to_owned));
        people.push(columns::person(&meanings, row, with_national_id));
    }
    Ok((ids, people))
}

fn say_unread(file: &str, table: &Table, meanings: &[Option<Meaning>]) {
    let unknown: Vec<&str> =
        table.columns.iter().zip(meanings).filter(|(_, m)| m.is_none()).map(|(name, _)| name.as_str()).collect();
    if !unknown.is_empty() {
        eprintln!("{file}: not compared: {}", unknown.join(", "));
    }
    for (line, reason) in table.unreadable.iter().take(20) {
        eprintln!("{file}: line {line} is left out: {reason}");
    }
    if table.unreadable.len() > 20 {
        eprintln!("{file}: {} more lines are left out", table.unreadable.len() - 20);
    }
}

fn rendered(linkage: &Linkage<'_>, people: &[Person], ids: &[String], pairs: &[Pair], json: bool) -> String {
    let weights = linkage.model.weights();
    let mut out = if json { String::new() } else { "id_1,id_2,score,probability,evidence\n".to_owned() };
    for pair in pairs {
        let score = weights.score(&people[pair.a], &people[pair.b]);
        let chance = weights.chance(pair.bits);
        if json {
            let line = serde_json::json!({
                "id_1": ids[pair.a], "id_2": ids[pair.b], "score": (pair.bits * 100.0).round() / 100.0,
                "probability": chance, "evidence": score.evidence
            });
            let _ = writeln!(out, "{line}");
        } else {
            let words: Vec<&str> = score.evidence.iter().map(|e| e.words.as_str()).collect();
            let cells = [table::export_cell(&ids[pair.a]), table::export_cell(&ids[pair.b])];
            let _ =
                writeln!(out, "{},{},{:.2},{chance:.6},{}", cells[0], cells[1], pair.bits, table::export_cell(&words.join("; ")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn options_are_read_and_wrong_ones_named() {
        let wanted = read(&words("match a.csv b.csv --threshold=12.5 --json")).unwrap();
        assert_eq!((wanted.files.len(), wanted.threshold, wanted.json), (2, Some(12.5), true));
        for (text, part) in [
            ("", "use it like this"),
            ("merge x", "does not know merge"),
            ("match", "use it like this"),
            ("match a b c", "use it like this"),
            ("match a --fast", "does not know --fast"),
            ("match a --threshold lots", "takes a number"),
        ] {
            let Failed(said) = read(&words(text)).unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
        }
    }

    #[test]
    fn wrong_files_are_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("colours.csv"), "colour,taste\nred,sweet\n").unwrap();
        std::fs::write(path("empty.csv"), "").unwrap();
        std::fs::write(path("sheet.xlsx"), b"PK\x03\x04\0\0").unwrap();
        for (name, part) in
            [("none.csv", "cannot be read"), ("colours.csv", "known are"), ("empty.csv", "empty"), ("sheet.xlsx", "CSV")]
        {
            let Failed(said) = load(&path(name), false).unwrap_err();
            assert!(said.contains(part), "{name}: {said}");
        }
    }
}
