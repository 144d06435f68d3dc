//! The index beside SQLite: full-text tables in `search.db`. Words come cut, so the tokenizer only splits at spaces (`ascii`
//! takes everything beyond ASCII for letters), and query text is built only from such words, each quoted.
//!
//! The tables keep their words (they are not "contentless"): only then can a delete find the words that it must take out of
//! the index at once, and erased text leaves the file. The price is about as many bytes as the text itself.

use super::find::{self, Cut};
use super::{
    DocId, DocKind, Hit, HitWords, Scope, SearchDoc, SearchIndex, SearchQuery, SubjectRef, Term, kind_word, workspace_word,
};
use crate::conn::Conn;
use crate::error::StoreError;
use crate::many;
use crate::migrate::Migration;
use crate::values;
use model::WorkspaceId;
use std::collections::BTreeSet;

/// The tables of `search.db`. A change of them is a new file name, not a migration: the index is built again.
pub(super) const SCHEMA: &[Migration] = &[Migration {
    name: "0001_search",
    text: "CREATE TABLE search_doc (doc_id INTEGER PRIMARY KEY, workspace_id BIGINT NOT NULL, kind TEXT NOT NULL, subject_id BIGINT NOT NULL);
CREATE UNIQUE INDEX search_doc_subject ON search_doc(workspace_id, kind, subject_id);
CREATE TABLE search_position (workspace_id BIGINT NOT NULL PRIMARY KEY, change_seq BIGINT NOT NULL);
CREATE VIRTUAL TABLE entry_text USING fts5(scope, title, body, tokenize='ascii');
CREATE VIRTUAL TABLE contact_text USING fts5(scope, title, body, tokenize='ascii', prefix='2 3 4');
INSERT INTO entry_text(entry_text, rank) VALUES ('secure-delete', 1);
INSERT INTO contact_text(contact_text, rank) VALUES ('secure-delete', 1);
",
}];

pub(super) struct Fts5<'a>(pub(super) &'a mut dyn Conn);

struct Texts {
    add: &'static str,
    delete: &'static str,
    find: &'static str,
    words: &'static str,
    borders: &'static str,
    rebuild: &'static str,
}

// Nothing is filtered or joined in these: any other column spoils the plan (8 ms become seconds on a large index).
const ENTRY: Texts = Texts {
    add: "INSERT INTO entry_text(rowid, scope, title, body) VALUES ($1, $2, $3, $4)",
    delete: "DELETE FROM entry_text WHERE rowid = $1",
    find: "SELECT rowid FROM entry_text WHERE entry_text MATCH $1 AND rowid < $2 AND rowid >= $3 ORDER BY rowid DESC LIMIT $4",
    words: "SELECT rowid, title, body FROM entry_text WHERE $1 = $1 AND rowid",
    borders: "SELECT DISTINCT term FROM entry_text_idx",
    rebuild: "INSERT INTO entry_text(entry_text) VALUES ('rebuild')",
};
const CONTACT: Texts = Texts {
    add: "INSERT INTO contact_text(rowid, scope, title, body) VALUES ($1, $2, $3, $4)",
    delete: "DELETE FROM contact_text WHERE rowid = $1",
    find: "SELECT rowid FROM contact_text WHERE contact_text MATCH $1 AND rowid < $2 AND rowid >= $3 ORDER BY rowid DESC LIMIT $4",
    words: "SELECT rowid, title, body FROM contact_text WHERE $1 = $1 AND rowid",
    borders: "SELECT DISTINCT term FROM contact_text_idx",
    rebuild: "INSERT INTO contact_text(contact_text) VALUES ('rebuild')",
};

fn texts(kind: DocKind) -> &'static Texts {
    match kind {
        DocKind::Entry => &ENTRY,
        DocKind::Contact => &CONTACT,
    }
}

const TAKE_PLACE: &str = "INSERT INTO search_doc(doc_id, workspace_id, kind, subject_id) VALUES ($1, $2, $3, $4)
    ON CONFLICT (doc_id) DO NOTHING";

impl Fts5<'_> {
    /// Freed pages are overwritten from now on, also those that a merge of the index frees: a text that is erased later may
    /// stand in them.
    fn overwrite(&mut self) -> Result<(), StoreError> {
        self.0.rows("PRAGMA secure_delete = ON", &[]).map(drop)
    }
    /// FTS5 takes erased words out of its pages at once, but not out of the list of what stands first on each page. True when
    /// a border there says more of an erased word than the words that are left: then only building that index anew helps.
    fn borders_tell(&mut self, kind: DocKind, erased: &BTreeSet<String>) -> Result<bool, StoreError> {
        if erased.is_empty() {
            return Ok(false);
        }
        for row in self.0.rows(texts(kind).borders, &[])? {
            // The first byte names the index: that of words or one of the prefix indexes.
            let border = row.bytes(0).get(1..).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
            let begins_one = erased.range(border.clone()..).next().is_some_and(|word| word.starts_with(&border));
            if begins_one && !border.is_empty() {
                let begins_another = format!("\"{border}\"*");
                if self.0.rows(texts(kind).find, values![begins_another, i64::MAX, i64::MIN, 1])?.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
    fn remove(&mut self, workspace: WorkspaceId, subject: SubjectRef) -> Result<(), StoreError> {
        if let Some(place) = find::place_of(self.0, workspace, subject)? {
            self.0.exec(texts(subject.kind).delete, values![place.0])?;
            find::forget(self.0, workspace, place)?;
        }
        Ok(())
    }
    fn add(&mut self, doc: &SearchDoc) -> Result<(), StoreError> {
        let SearchDoc { workspace, subject, .. } = *doc;
        self.remove(workspace, subject)?;
        let mut place = DocId::of(doc.at, subject.id);
        while self.0.exec(TAKE_PLACE, values![place.0, workspace, subject.kind.word(), subject.id])? == 0 {
            place.0 += 1;
        }
        let Cut { scopes, title, body } = find::cut(doc);
        self.0.exec(texts(subject.kind).add, values![place.0, scopes.join(" "), title.join(" "), body.join(" ")])?;
        Ok(())
    }
}

impl SearchIndex for Fts5<'_> {
    fn apply(
        &mut self,
        workspace: WorkspaceId,
        docs: &[SearchDoc],
        removed: &[SubjectRef],
        upto: Option<i64>,
    ) -> Result<(), StoreError> {
        self.overwrite()?;
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
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.0.rows(texts(query.kind).find, values![match_text(query), below, from, limit])?;
        let places: Vec<i64> = rows.iter().map(|row| row.int(0)).collect();
        find::hits_of(self.0, query.workspace, &places)
    }

    fn words_of(&mut self, workspace: WorkspaceId, hits: &[Hit]) -> Result<Vec<HitWords>, StoreError> {
        let mut found = std::collections::HashMap::new();
        for kind in [DocKind::Entry, DocKind::Contact] {
            let places: Vec<i64> = hits.iter().filter(|hit| hit.subject.kind == kind).map(|hit| hit.doc_id.0).collect();
            for row in many::rows_in(self.0, texts(kind).words, "", workspace, &places, &[])? {
                let words =
                    |column: usize| row.str(column).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
                found.insert(row.int(0), HitWords { title: words(1), body: words(2) });
            }
        }
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
        self.overwrite()?;
        let mut words = [BTreeSet::new(), BTreeSet::new()];
        for subject in subjects {
            let Some(doc_id) = find::place_of(self.0, workspace, *subject)? else { continue };
            let hit = Hit { doc_id, subject: *subject };
            let of_kind = &mut words[usize::from(subject.kind == DocKind::Contact)];
            of_kind.extend(
                self.words_of(workspace, &[hit])?.into_iter().flat_map(|words| words.title.into_iter().chain(words.body)),
            );
            self.remove(workspace, *subject)?;
        }
        for (kind, words) in [DocKind::Entry, DocKind::Contact].into_iter().zip(&words) {
            if self.borders_tell(kind, words)? {
                self.0.exec(texts(kind).rebuild, &[])?;
            }
        }
        Ok(())
    }
}

/// The query in the words of FTS5. Nothing in it comes from outside but cut words (letters, digits and marks) in quotes.
fn match_text(query: &SearchQuery) -> String {
    let mut text = format!("scope:\"{}\" AND scope:\"{}\"", workspace_word(query.workspace), kind_word(query.kind));
    let any = |scopes: &[Scope]| {
        let words: Vec<_> = find::scope_words(scopes).iter().map(|word| format!("scope:\"{word}\"")).collect();
        format!("({})", words.join(" OR "))
    };
    for group in &query.any_of {
        text.push_str(" AND ");
        text.push_str(&any(group));
    }
    for term in query.terms.iter().filter(|term| !term.negated) {
        text.push_str(" AND ");
        text.push_str(&phrase(term));
    }
    let mut without: Vec<String> = query.terms.iter().filter(|term| term.negated).map(phrase).collect();
    if !query.none_of.is_empty() {
        without.push(any(&query.none_of));
    }
    if without.is_empty() { text } else { format!("({text}) NOT ({})", without.join(" OR ")) }
}

fn phrase(term: &Term) -> String {
    format!("{{title body}}:\"{}\"{}", term.words.join(" "), if term.prefix { "*" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::parse;
    use model::InboxId;

    #[test]
    fn queries_hold_only_quoted_words() {
        let mut query = SearchQuery::new(WorkspaceId(1), DocKind::Entry);
        query.terms = parse("refund \"credit card\" recei* -spam NEAR(a) x\" OR scope:\"wk2").terms;
        query.any_of = vec![vec![Scope::Inbox(InboxId(3)), Scope::Inbox(InboxId(7))]];
        assert_eq!(
            match_text(&query),
            "(scope:\"wk0000000000001\" AND scope:\"kdentry\" AND (scope:\"in0000000000003\" OR scope:\"in0000000000007\") \
             AND {title body}:\"refund\" AND {title body}:\"credit card\" AND {title body}:\"recei\"* AND {title body}:\"near a\" \
             AND {title body}:\"x\" AND {title body}:\"or scope\" AND {title body}:\"wk2\") NOT ({title body}:\"spam\")"
                .replace("             ", " ")
        );
    }
}
