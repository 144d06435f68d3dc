//! Answers of the search.

use super::contact::ContactRow;
use super::conversation::{ConversationRow, QueryProblem};
use model::{EntryId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A piece of text around a hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Snippet {
    /// The text.
    pub text: String,
    /// It is what was looked for.
    pub hit: bool,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "made, written out and dropped; never kept in number")]
pub enum SearchHit {
    /// An entry.
    Entry {
        /// Which.
        entry_id: EntryId,
        /// Where it stands.
        conversation: ConversationRow,
        /// When.
        at: Timestamp,
        /// Its text around the hits.
        snippet: Vec<Snippet>,
    },
    /// A customer.
    Contact {
        /// Who.
        contact: ContactRow,
    },
}

/// A page of answers, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchPage {
    /// The answers.
    pub hits: Vec<SearchHit>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// What of the query was not understood.
    pub problems: Vec<QueryProblem>,
    /// The page is short, and this is how far it looked back.
    pub looked_back_to: Option<Timestamp>,
    /// How far the index is behind.
    pub lag_ms: i64,
}
