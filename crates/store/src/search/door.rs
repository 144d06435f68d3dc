//! The door to the index for everybody outside: opens it beside the main database, runs its closures.

use super::rank::{CANDIDATE_COUNT_MAX, by_best_match};
use super::{DocId, Hit, SearchDoc, SearchQuery, SubjectRef, fts5, index};
use crate::conn::{Conn, Engine, Route};
use crate::db::{Access, Db, DbSettings};
use crate::error::StoreError;
use crate::lockfile::LockFile;
use model::{Timestamp, WorkspaceId};
use std::future::Future;
use std::path::Path;

/// The file beside the main database.
const FILE: &str = "search.db";
/// A page whose hits are filtered outside looks through so many windows, then comes back short with a cursor.
const WINDOW_COUNT_MAX: usize = 5;
/// Documents of one write.
pub(super) const BATCH_COUNT: usize = 500;
/// Filtering outside wastes less when it gets more at once.
const WINDOW_SIZE_MIN: usize = 50;

/// The search index. Clones share it.
#[derive(Clone)]
pub struct Search {
    db: Db,
}

/// A page of hits that the caller has filtered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundPage {
    /// What was kept, newest first. May be short although there is more.
    pub hits: Vec<Hit>,
    /// Where the next page begins; `None` when nothing older is left.
    pub next: Option<DocId>,
}

impl FoundPage {
    /// How far back was looked, when there is more.
    pub fn looked_back_to(&self) -> Option<Timestamp> {
        self.next.map(DocId::at)
    }
}

impl Search {
    /// Opens the index that belongs to a database: `search.db` beside a SQLite file, tables of the same database on
    /// PostgreSQL. Blocks. The caller has opened `main` for writing, so nobody else uses the file: one that is damaged, or of
    /// another version, is thrown away and built again.
    pub fn open(main: &Db) -> Result<Self, StoreError> {
        let Some(path) = main.path() else { return Ok(Self { db: main.clone() }) };
        let path = path.with_file_name(FILE);
        // Whoever serves the file at this moment must not find it gone.
        drop(LockFile::take(&LockFile::path_for(&path))?);
        match open_file(main, &path) {
            Ok(db) => Ok(Self { db }),
            Err(error) => {
                tracing::warn!(%error, "the search index cannot be used; it is built again");
                for end in ["", "-wal", "-shm"] {
                    let _may_be_missing = std::fs::remove_file(path.with_file_name(format!("{FILE}{end}")));
                }
                open_file(main, &path).map(|db| Self { db })
            }
        }
    }

    /// What matches, newest first, older than `after`.
    pub async fn find(&self, query: SearchQuery, after: Option<DocId>, limit: usize) -> Result<Vec<Hit>, StoreError> {
        self.db.read(move |tx| index(tx).find(&query, after, limit)).await
    }

    /// A page of hits that also pass `keep`, which gets some hits at a time and answers for each: what changes often (status,
    /// agent, tags) is looked up in the main database. Looks through a limited number of windows.
    pub async fn page<F, E>(
        &self,
        query: &SearchQuery,
        after: Option<DocId>,
        limit: usize,
        mut keep: impl FnMut(Vec<Hit>) -> F + Send,
    ) -> Result<FoundPage, E>
    where
        F: Future<Output = Result<Vec<bool>, E>> + Send,
        E: From<StoreError>,
    {
        let mut page = FoundPage { hits: Vec::new(), next: after };
        let size = limit.max(WINDOW_SIZE_MIN);
        for _ in 0..WINDOW_COUNT_MAX {
            let window = self.find(query.clone(), page.next, size).await?;
            let kept = keep(window.clone()).await?;
            for (hit, _) in window.iter().zip(&kept).filter(|(_, kept)| **kept) {
                page.hits.push(*hit);
                if page.hits.len() == limit {
                    page.next = Some(hit.doc_id);
                    return Ok(page);
                }
            }
            if window.len() < size {
                page.next = None;
                return Ok(page);
            }
            page.next = window.last().map(|hit| hit.doc_id);
        }
        Ok(page)
    }

    /// What matches best, of the newest candidates.
    pub async fn best(&self, query: SearchQuery, now: Timestamp, limit: usize) -> Result<Vec<Hit>, StoreError> {
        let ranked = self.db.read(move |tx| -> Result<Vec<Hit>, StoreError> {
            let mut index = index(tx);
            let hits = index.find(&query, None, CANDIDATE_COUNT_MAX)?;
            if query.terms.iter().all(|term| term.negated) {
                return Ok(hits);
            }
            let words = index.words_of(query.workspace, &hits)?;
            Ok(by_best_match(&query.terms, hits.into_iter().zip(words).collect(), now))
        });
        let mut hits = ranked.await?;
        hits.truncate(limit);
        Ok(hits)
    }

    /// Adds or replaces documents and takes others out, in one transaction with the position.
    pub async fn apply(
        &self,
        workspace: WorkspaceId,
        docs: Vec<SearchDoc>,
        removed: Vec<SubjectRef>,
        upto: Option<i64>,
    ) -> Result<(), StoreError> {
        self.write(move |tx| index(tx).apply(workspace, &docs, &removed, upto)).await
    }

    /// The last change of the workspace that is in the index; `None` before it was built.
    pub async fn position(&self, workspace: WorkspaceId) -> Result<Option<i64>, StoreError> {
        self.db.read(move |tx| index(tx).position(workspace)).await
    }

    /// Takes out everything of a workspace, in steps.
    pub async fn clear(&self, workspace: WorkspaceId) -> Result<(), StoreError> {
        while !self.write(move |tx| index(tx).clear(workspace, BATCH_COUNT)).await? {}
        Ok(())
    }

    /// Takes subjects out for good: when this returns, no byte of their text is left in the file. (PostgreSQL keeps dead rows
    /// until its next vacuum, see docs/STORE.md.) The follower must not bring them back: erase the rows first.
    pub async fn erase(&self, workspace: WorkspaceId, subjects: Vec<SubjectRef>) -> Result<(), StoreError> {
        self.write(move |tx| index(tx).erase(workspace, &subjects)).await?;
        if self.db.engine() == Engine::Postgres {
            return Ok(());
        }
        let db = self.db.clone();
        let done = tokio::task::spawn_blocking(move || db.checkpoint()).await;
        done.unwrap_or_else(|_| Err(StoreError::broken("the checkpoint of the search index ended by a panic")))
    }

    /// Ends the threads of a file of its own. Blocks.
    pub fn close(&self) {
        if self.db.engine() == Engine::Sqlite {
            self.db.close();
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        run: impl FnMut(&mut dyn Conn) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.db.write_bulk(Route::Any, run).await
    }
}

fn open_file(main: &Db, path: &Path) -> Result<Db, StoreError> {
    let settings = DbSettings { reader_count: 2, full_sync: false, ..DbSettings::new(format!("sqlite:{}", path.display())) };
    // No ids are made here, hence no node number either.
    Db::open_with(&settings, main.clock().clone(), Access::Test, fts5::SCHEMA)
}
