//! What both indexes do alike: the texts of documents, the table of places, positions.

use super::words::document_words;
use super::{DocId, DocKind, Hit, Scope, SearchDoc, SubjectRef, kind_word, workspace_word};
use crate::conn::Conn;
use crate::error::StoreError;
use crate::many;
use crate::row::Row;
use crate::values;
use model::WorkspaceId;

/// An index must not grow without bound by one text; PostgreSQL takes 1 MiB of words at most.
const WORD_BYTES_MAX: usize = 400_000;
/// A heading without end must not take the room of the text.
const TITLE_WORD_COUNT_MAX: usize = 500;

/// A document, cut.
pub(super) struct Cut {
    pub(super) scopes: Vec<String>,
    pub(super) title: Vec<String>,
    pub(super) body: Vec<String>,
}

pub(super) fn cut(doc: &SearchDoc) -> Cut {
    let mut scopes = vec![workspace_word(doc.workspace), kind_word(doc.subject.kind)];
    scopes.extend(doc.scopes.iter().map(|scope| scope.word()));
    let (mut title, mut body) = (document_words(&doc.title), document_words(&doc.body));
    title.truncate(TITLE_WORD_COUNT_MAX);
    let mut left = WORD_BYTES_MAX;
    let mut fits = |word: &String| {
        let bytes = word.len() + 8;
        let fits = bytes <= left;
        left = if fits { left - bytes } else { 0 };
        fits
    };
    // One limit for both, so that both engines keep the same words.
    title.retain(&mut fits);
    body.retain(&mut fits);
    body.truncate(super::words::WORD_COUNT_MAX - title.len());
    Cut { scopes, title, body }
}

/// The scope words of a query that must hold, those in groups of which one must hold, and those that must not.
pub(super) fn scope_words(scopes: &[Scope]) -> Vec<String> {
    scopes.iter().map(|scope| scope.word()).collect()
}

const PLACE_OF: &str = "SELECT doc_id FROM search_doc WHERE workspace_id = $1 AND kind = $2 AND subject_id = $3";
const FORGET: &str = "DELETE FROM search_doc WHERE workspace_id = $1 AND doc_id = $2";

/// The place of a subject, if it has one.
pub(super) fn place_of(tx: &mut dyn Conn, workspace: WorkspaceId, subject: SubjectRef) -> Result<Option<DocId>, StoreError> {
    let row = tx.one(PLACE_OF, values![workspace, subject.kind.word(), subject.id])?;
    Ok(row.map(|row| DocId(row.int(0))))
}

pub(super) fn forget(tx: &mut dyn Conn, workspace: WorkspaceId, place: DocId) -> Result<(), StoreError> {
    tx.exec(FORGET, values![workspace, place.0]).map(drop)
}

/// The hits of these places, in their order. Asked apart from the words: another column in that query spoils its plan.
pub(super) fn hits_of(tx: &mut dyn Conn, workspace: WorkspaceId, places: &[i64]) -> Result<Vec<Hit>, StoreError> {
    // The plus keeps SQLite from walking everything of the workspace in the other index.
    let head = "SELECT doc_id, kind, subject_id FROM search_doc WHERE +workspace_id = $1 AND doc_id";
    let rows = many::rows_in(tx, head, "", workspace, places, &[])?;
    let mut hits = rows.iter().map(hit).collect::<Result<Vec<_>, _>>()?;
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.doc_id));
    hits.dedup_by_key(|hit| hit.doc_id);
    Ok(hits)
}

const SOME_OF: &str = "SELECT doc_id, kind, subject_id FROM search_doc WHERE workspace_id = $1 LIMIT $2";

/// Some subjects of a workspace, in no order.
pub(super) fn some_of(tx: &mut dyn Conn, workspace: WorkspaceId, limit: usize) -> Result<Vec<SubjectRef>, StoreError> {
    let rows = tx.rows(SOME_OF, values![workspace, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    rows.iter().map(|row| hit(row).map(|hit| hit.subject)).collect()
}

/// A hit from `doc_id, kind, subject_id`.
pub(super) fn hit(row: &Row) -> Result<Hit, StoreError> {
    let kind = DocKind::parse(row.str(1)).ok_or_else(|| StoreError::broken("a search document of an unknown kind"))?;
    Ok(Hit { doc_id: DocId(row.int(0)), subject: SubjectRef { kind, id: row.int(2) } })
}

const POSITION: &str = "SELECT change_seq FROM search_position WHERE workspace_id = $1";
const SET_POSITION: &str = "INSERT INTO search_position(workspace_id, change_seq) VALUES ($1, $2)
    ON CONFLICT (workspace_id) DO UPDATE SET change_seq = excluded.change_seq";
const CLEAR_POSITION: &str = "DELETE FROM search_position WHERE workspace_id = $1";

pub(super) fn position(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Option<i64>, StoreError> {
    Ok(tx.one(POSITION, values![workspace])?.map(|row| row.int(0)))
}

pub(super) fn set_position(tx: &mut dyn Conn, workspace: WorkspaceId, upto: i64) -> Result<(), StoreError> {
    tx.exec(SET_POSITION, values![workspace, upto]).map(drop)
}

pub(super) fn clear_position(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<(), StoreError> {
    tx.exec(CLEAR_POSITION, values![workspace]).map(drop)
}
