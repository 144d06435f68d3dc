-- Search on PostgreSQL; beside SQLite it lives in a file of its own (crates/store/src/search/fts5.rs).
-- `words` holds the text cut in Rust, and scope words that begin with a tab. docs/STORE.md, "Search".
CREATE TABLE search_doc ( -- only: postgres
  workspace_id BIGINT NOT NULL, doc_id BIGINT NOT NULL, kind TEXT NOT NULL, subject_id BIGINT NOT NULL, words TSVECTOR NOT NULL, -- only: postgres
  PRIMARY KEY (workspace_id, doc_id) -- only: postgres
); -- only: postgres
CREATE UNIQUE INDEX search_doc_subject ON search_doc(workspace_id, kind, subject_id); -- only: postgres
CREATE INDEX search_doc_words ON search_doc USING GIN (words); -- only: postgres
CREATE TABLE search_position (workspace_id BIGINT NOT NULL PRIMARY KEY, change_seq BIGINT NOT NULL); -- only: postgres
