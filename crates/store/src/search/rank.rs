//! Order by best match: of the newest candidates only, in Rust, the same for both engines. Ranking inside the engine is linear
//! in hits (half a second for a common word in a million), and nobody looks past the newest two thousand.

use super::{Hit, HitWords, Term};
use model::Timestamp;

/// More candidates are not looked at.
pub const CANDIDATE_COUNT_MAX: usize = 2_000;

/// How much the same word counts again; the usual constants of BM25.
const SATURATION: f64 = 1.2;
const LENGTH_WEIGHT: f64 = 0.75;
/// A word in the heading counts as much as this many in the text.
const TITLE_WEIGHT: f64 = 4.0;
/// All words side by side, in the order that was typed.
const PHRASE_BONUS: f64 = 1.5;
/// What is new counts up to this share more; after so many days half of it is left.
const RECENT_SHARE: f64 = 0.4;
const RECENT_DAYS: f64 = 30.0;
/// More of the same word says nothing new. PostgreSQL keeps no more places either.
const PLACE_COUNT_MAX: usize = 256;

/// The hits, best first; equal ones newest first.
pub fn by_best_match(terms: &[Term], candidates: Vec<(Hit, HitWords)>, now: Timestamp) -> Vec<Hit> {
    let wanted: Vec<&Term> = terms.iter().filter(|term| !term.negated).collect();
    let counts: Vec<Vec<(usize, usize)>> = candidates
        .iter()
        .map(|(_, words)| wanted.iter().map(|term| (count(term, &words.title), count(term, &words.body))).collect())
        .collect();
    let lengths: Vec<f64> = candidates.iter().map(|(_, words)| (words.title.len() + words.body.len()) as f64).collect();
    let mean_length = (lengths.iter().sum::<f64>() / lengths.len().max(1) as f64).max(1.0);
    // How rare a word is, counted among the candidates: it tells terms apart whose words all stand in every candidate, too.
    let total: Vec<f64> = (0..wanted.len()).map(|term| counts.iter().map(|c| (c[term].0 + c[term].1) as f64).sum()).collect();
    let rarity = |term: usize| (1.0 + candidates.len() as f64 / total[term].max(1.0)).ln();
    let whole = whole_phrase(&wanted);

    let mut scored: Vec<(f64, Hit)> = candidates
        .iter()
        .enumerate()
        .map(|(at, (hit, words))| {
            let length = 1.0 - LENGTH_WEIGHT + LENGTH_WEIGHT * lengths[at] / mean_length;
            let mut score = 0.0;
            for (term, (in_title, in_body)) in counts[at].iter().enumerate() {
                let often = *in_title as f64 * TITLE_WEIGHT + *in_body as f64;
                score += rarity(term) * often * (SATURATION + 1.0) / (often + SATURATION * length);
            }
            if whole.as_ref().is_some_and(|whole| count(whole, &words.title) + count(whole, &words.body) > 0) {
                score += PHRASE_BONUS;
            }
            let days = now.since(hit.doc_id.at()).max(0) as f64 / 86_400_000.0;
            (score * (1.0 + RECENT_SHARE * 0.5_f64.powf(days / RECENT_DAYS)), *hit)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.doc_id.cmp(&a.1.doc_id)));
    scored.into_iter().map(|(_, hit)| hit).collect()
}

/// All words of the query as one phrase, when there is more than one term.
fn whole_phrase(terms: &[&Term]) -> Option<Term> {
    let prefix = terms.last().is_some_and(|last| last.prefix);
    let words = terms.iter().flat_map(|term| term.words.iter().cloned()).collect();
    (terms.len() > 1).then_some(Term { text: String::new(), quoted: true, words, prefix, negated: false })
}

/// How often the words of a term stand side by side.
fn count(term: &Term, words: &[String]) -> usize {
    let last = term.words.len() - 1;
    let is_here = |window: &[String]| {
        window[..last] == term.words[..last]
            && if term.prefix { window[last].starts_with(&term.words[last]) } else { window[last] == term.words[last] }
    };
    words.windows(term.words.len()).filter(|window| is_here(window)).take(PLACE_COUNT_MAX).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::words::document_words;
    use crate::search::{DocId, DocKind, SubjectRef, parse};

    fn order(query: &str, docs: &[(&str, &str, &str)]) -> Vec<i64> {
        let now = Timestamp::parse("2026-11-22T00:00:00Z").unwrap();
        let candidates = docs.iter().enumerate().map(|(number, (day, title, body))| {
            let at = Timestamp::parse(&format!("{day}T00:00:00Z")).unwrap();
            let subject = SubjectRef { kind: DocKind::Entry, id: number as i64 };
            let hit = Hit { doc_id: DocId::of(at, subject.id), subject };
            (hit, HitWords { title: document_words(title), body: document_words(body) })
        });
        by_best_match(&parse(query).terms, candidates.collect(), now).iter().map(|hit| hit.subject.id).collect()
    }

    #[test]
    fn more_of_the_word_the_heading_the_phrase_and_the_newer_one_win() {
        let day = "2026-11-01";
        assert_eq!(order("refund", &[(day, "", "refund and more words"), (day, "", "refund refund refund words")]), [1, 0]);
        assert_eq!(order("refund", &[(day, "", "the refund is late"), (day, "refund", "it is late")]), [1, 0]);
        assert_eq!(order("late refund", &[(day, "", "refund of a late parcel"), (day, "", "a late refund of parcel")]), [1, 0]);
        assert_eq!(order("refund", &[("2025-01-01", "", "refund"), ("2026-11-20", "", "refund")]), [1, 0]);
        assert_eq!(
            order("refund", &[(day, "", "refund"), (day, "", &"other words ".repeat(50).replacen("other", "refund", 1))]),
            [0, 1]
        );
        assert_eq!(order("refu*", &[(day, "", "no such"), (day, "", "refunding")]), [1, 0]);
        // Equal: newest first, by place.
        assert_eq!(order("refund", &[(day, "", "refund"), (day, "", "refund")]), [1, 0]);
        assert!(order("refund", &[]).is_empty());
    }
}
