//! The index inside PostgreSQL: one table with a `tsvector` and a GIN index over it alone. Scope words are lexemes that begin
//! with a tab, which no cut word can; the words of the heading carry the weight A.
//!
//! One shape of query is bad either for rare or for common words: the planner walks the whole key for a word that stands in
//! one row, or sorts every hit of a word that stands in each fourth. Hence *probe, then choose*.

use super::find::{self, Cut};
use super::{DocId, Hit, HitWords, SearchDoc, SearchIndex, SearchQuery, SubjectRef, Term, kind_word, workspace_word};
use crate::conn::Conn;
use crate::dialect;
use crate::error::StoreError;
use crate::many;
use crate::values;
use model::WorkspaceId;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// So many hits are looked for without any order first.
const PROBE_COUNT_MIN: i64 = 2_000;
const PROBE_COUNT_MAX: i64 = 10_000;
/// Between heading and text, so that no phrase runs from one into the other.
const GAP: usize = 5;
/// PostgreSQL keeps no position above this.
const POSITION_MAX: usize = 16_383;

pub(super) struct TsVector<'a>(pub(super) &'a mut dyn Conn);

const ADD: &str = "INSERT INTO search_doc(workspace_id, doc_id, kind, subject_id, words)
    VALUES ($1, $2, $3, $4, CAST(CAST($5 AS TEXT) AS TSVECTOR)) ON CONFLICT (workspace_id, doc_id) DO NOTHING";
const PROBE: &str = "SELECT doc_id, kind, subject_id FROM search_doc
    WHERE workspace_id = $1 AND doc_id < $2 AND doc_id >= $3 AND words @@ CAST(CAST($4 AS TEXT) AS TSQUERY) LIMIT $5";
const WALK: &str = "SELECT doc_id, kind, subject_id FROM search_doc
    WHERE workspace_id = $1 AND doc_id < $2 AND doc_id >= $3 AND words @@ CAST(CAST($4 AS TEXT) AS TSQUERY)
    ORDER BY doc_id DESC LIMIT $5";
const ABOUT_COUNT: &str = "SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = CAST('search_doc' AS regclass)";

impl TsVector<'_> {
    fn remove(&mut self, workspace: WorkspaceId, subject: SubjectRef) -> Result<(), StoreError> {
        match find::place_of(self.0, workspace, subject)? {
            Some(place) => find::forget(self.0, workspace, place),
            None => Ok(()),
        }
    }
    fn add(&mut self, doc: &SearchDoc) -> Result<(), StoreError> {
        let SearchDoc { workspace, subject, .. } = *doc;
        self.remove(workspace, subject)?;
        let mut place = DocId::of(doc.at, subject.id);
        let words = vector_text(&find::cut(doc));
        while self.0.exec(ADD, values![workspace, place.0, subject.kind.word(), subject.id, words.as_str()])? == 0 {
            place.0 += 1;
        }
        Ok(())
    }
    /// The walk reads about `documents / hits * limit` rows; the probe must be large enough to keep that small.
    fn probe_count(&mut self) -> Result<i64, StoreError> {
        let documents = self.0.one(ABOUT_COUNT, &[])?.map_or(0, |row| row.int(0));
        Ok((((20 * documents.max(0)) as f64).sqrt() as i64).clamp(PROBE_COUNT_MIN, PROBE_COUNT_MAX))
    }
}

impl SearchIndex for TsVector<'_> {
    fn apply(
        &mut self,
        workspace: WorkspaceId,
        docs: &[SearchDoc],
        removed: &[SubjectRef],
        upto: Option<i64>,
    ) -> Result<(), StoreError> {
        for subject in removed {
            self.remove(workspace, *subject)?;
        }
        for doc in docs {
            self.add(doc)?;
        }
        upto.map_or(Ok(()), |upto| find::set_position(self.0, workspace, upto))
    }

    fn find(&mut self, query: &SearchQuery, after: Option<DocId>, limit: usize) -> Result<Vec<Hit>, StoreError> {
        let Some((below, from)) = query.places(after) else { return Ok(Vec::new()) };
        let text = query_text(query);
        // More than a probe holds cannot be answered from it.
        let probe_count = self.probe_count()?.max(i64::try_from(limit).unwrap_or(i64::MAX));
        dialect::plan_search_probe(self.0)?;
        let probed = self.0.rows(PROBE, values![query.workspace, below, from, text.as_str(), probe_count])?;
        let rows = if (probed.len() as i64) < probe_count {
            probed
        } else {
            dialect::plan_search_walk(self.0)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            self.0.rows(WALK, values![query.workspace, below, from, text, limit])?
        };
        dialect::plan_as_usual(self.0)?;
        let mut hits = rows.iter().map(find::hit).collect::<Result<Vec<_>, _>>()?;
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.doc_id));
        hits.truncate(limit);
        Ok(hits)
    }

    fn words_of(&mut self, workspace: WorkspaceId, hits: &[Hit]) -> Result<Vec<HitWords>, StoreError> {
        let places: Vec<i64> = hits.iter().map(|hit| hit.doc_id.0).collect();
        let head = "SELECT doc_id, CAST(words AS TEXT) FROM search_doc WHERE workspace_id = $1 AND doc_id";
        let rows = many::rows_in(self.0, head, "", workspace, &places, &[])?;
        let mut found: std::collections::HashMap<i64, HitWords> =
            rows.iter().map(|row| (row.int(0), words_of_vector(row.str(1)))).collect();
        Ok(hits.iter().map(|hit| found.remove(&hit.doc_id.0).unwrap_or_default()).collect())
    }

    fn position(&mut self, workspace: WorkspaceId) -> Result<Option<i64>, StoreError> {
        find::position(self.0, workspace)
    }

    fn clear(&mut self, workspace: WorkspaceId, limit: usize) -> Result<bool, StoreError> {
        find::clear_position(self.0, workspace)?;
        let some = find::some_of(self.0, workspace, limit)?;
        some.iter().try_for_each(|subject| self.remove(workspace, *subject))?;
        Ok(some.len() < limit)
    }

    fn erase(&mut self, workspace: WorkspaceId, subjects: &[SubjectRef]) -> Result<(), StoreError> {
        subjects.iter().try_for_each(|subject| self.remove(workspace, *subject))
    }
}

/// The document as the text of a `tsvector`: `'word':1A,7 'other':2`. Words hold no quote and no backslash.
fn vector_text(cut: &Cut) -> String {
    let mut text = String::new();
    for scope in &cut.scopes {
        let _ = write!(text, "'\t{scope}' ");
    }
    let mut places: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
    let title = cut.title.iter().enumerate().map(|(at, word)| (word, at + 1, "A"));
    let start = cut.title.len() + if cut.title.is_empty() { 1 } else { GAP };
    let body = cut.body.iter().enumerate().map(|(at, word)| (word, at + start, ""));
    for (word, at, weight) in title.chain(body) {
        places.entry(word).or_default().push((at.min(POSITION_MAX), weight));
    }
    for (word, places) in places {
        let _ = write!(text, "'{word}':");
        for (number, (at, weight)) in places.iter().take(256).enumerate() {
            let _ = write!(text, "{}{at}{weight}", if number == 0 { "" } else { "," });
        }
        text.push(' ');
    }
    text
}

/// The other way, for ranking.
fn words_of_vector(text: &str) -> HitWords {
    let (mut title, mut body) = (Vec::new(), Vec::new());
    for piece in text.split(' ') {
        // Scope words have no places.
        let Some((word, places)) = piece.rsplit_once(':') else { continue };
        for place in places.split(',') {
            let digits = place.trim_end_matches(|c: char| !c.is_ascii_digit());
            let Ok(at) = digits.parse::<usize>() else { continue };
            let of = if digits.len() < place.len() { &mut title } else { &mut body };
            of.push((at, word.trim_matches('\'').to_owned()));
        }
    }
    let in_order = |mut words: Vec<(usize, String)>| {
        words.sort_unstable();
        let mut next = words.first().map_or(0, |(at, _)| *at);
        let mut all = Vec::with_capacity(words.len());
        for (at, word) in words {
            // A word that stands too often has lost places: a gap keeps its neighbours apart.
            if at > next {
                all.push(String::new());
            }
            next = at + 1;
            all.push(word);
        }
        all
    };
    HitWords { title: in_order(title), body: in_order(body) }
}

/// The query as the text of a `tsquery`. Nothing in it comes from outside but cut words in quotes.
fn query_text(query: &SearchQuery) -> String {
    let scope = |word: &String| format!("'\t{word}'");
    let mut parts = vec![scope(&workspace_word(query.workspace)), scope(&kind_word(query.kind))];
    for group in &query.any_of {
        parts.push(format!("({})", find::scope_words(group).iter().map(scope).collect::<Vec<_>>().join(" | ")));
    }
    parts.extend(find::scope_words(&query.none_of).iter().map(|word| format!("!{}", scope(word))));
    for term in &query.terms {
        parts.push(format!("{}({})", if term.negated { "!" } else { "" }, phrase(term)));
    }
    parts.join(" & ")
}

fn phrase(term: &Term) -> String {
    let mut words: Vec<String> = term.words.iter().map(|word| format!("'{word}'")).collect();
    if let Some(last) = words.last_mut().filter(|_| term.prefix) {
        last.push_str(":*");
    }
    words.join(" <-> ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{DocKind, Scope, parse};
    use model::Channel;

    #[test]
    fn a_vector_reads_back_as_the_words_in_order() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let cut = Cut { scopes: words("wk1"), title: words("late parcel"), body: words("the parcel is late late") };
        let text = vector_text(&cut);
        assert_eq!(text, "'\twk1' 'is':9 'late':1A,10,11 'parcel':2A,8 'the':7 ");
        let back = words_of_vector(text.trim());
        assert_eq!((back.title, back.body), (cut.title, cut.body));
    }

    #[test]
    fn queries_hold_only_quoted_words() {
        let mut query = SearchQuery::new(WorkspaceId(1), DocKind::Contact);
        query.terms = parse("ada \"no vak\" pre* -x' | 'y").terms;
        query.any_of = vec![vec![Scope::Channel(Channel::Email), Scope::Channel(Channel::Sms)]];
        query.none_of = vec![Scope::Internal];
        assert_eq!(
            query_text(&query),
            "'\twk0000000000001' & '\tkdcontact' & ('\tchemail' | '\tchsms') & !'\tpr1' & ('ada') & ('no' <-> 'vak') & ('pre':*) & !('x') & ('y')"
        );
    }
}
