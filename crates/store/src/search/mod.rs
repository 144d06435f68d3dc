//! Search: finds entries and contacts by words, newest first, within the scopes that the asker may see. In: documents made
//! from entries and contacts by the follower. Out: ids, never text. The index may be thrown away and built again at any time;
//! it is never the truth. docs/STORE.md, "Search", tells why each engine is asked the way it is.
//!
//! * [`words`] cuts text into words, the same for both engines; [`query`] reads what people type.
//! * [`SearchIndex`] has two implementations: `fts5` in a file of its own beside SQLite, `tsvector` inside PostgreSQL.
//! * [`Search`] is the door for everybody else; [`follower`] keeps the index up to date; [`rank`] orders by best match.

mod dates;
mod door;
mod find;
pub mod follower;
mod fts5;
pub mod query;
pub mod rank;
mod tsvector;
pub mod words;

pub use dates::{Dates, Unit};
pub use door::{FoundPage, Search};
pub use query::{Filter, FilterTerm, Is, ParsedQuery, Problem, Term, Whose, parse};

use crate::conn::{Conn, Engine};
use crate::error::StoreError;
use model::id::{ID_EPOCH_MS, encode};
use model::{Channel, ContactId, ConversationId, InboxId, Timestamp, WorkspaceId};

/// What a document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocKind {
    /// An entry of a timeline.
    Entry,
    /// A contact with its addresses.
    Contact,
}

impl DocKind {
    /// The word in the column `kind`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Contact => "contact",
        }
    }
    fn parse(word: &str) -> Option<Self> {
        match word {
            "entry" => Some(Self::Entry),
            "contact" => Some(Self::Contact),
            _ => None,
        }
    }
}

/// The row that a document stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectRef {
    /// Entry or contact.
    pub kind: DocKind,
    /// Its id.
    pub id: i64,
}

/// Place of a document in the order of time. Also the cursor of a page: what comes after it is older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocId(pub i64);

impl DocId {
    /// The first place for a subject of this time: its millisecond, then the low bits of its id.
    fn of(at: Timestamp, subject_id: i64) -> Self {
        Self(first_at(at) | (subject_id & LOW_BITS))
    }
    /// The time of the document, as exact as its place (which a collision moves on by one).
    pub fn at(self) -> Timestamp {
        Timestamp((self.0 >> 21) + ID_EPOCH_MS)
    }
}

const LOW_BITS: i64 = (1 << 21) - 1;

/// The smallest place of a time. Imported history may lie before 2020: those places are negative and in order.
fn first_at(at: Timestamp) -> i64 {
    let ms = at.0.saturating_sub(ID_EPOCH_MS).clamp(-(1 << 41), (1 << 41) - 1);
    ms << 21
}

/// Where a document is: who may find it, and by which filters. What changes often (status, agent, tags) is no scope: it is
/// filtered outside, or every change would write the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Came or went through this inbox.
    Inbox(InboxId),
    /// On this channel.
    Channel(Channel),
    /// Of this contact's timeline.
    Contact(ContactId),
    /// In this conversation.
    Conversation(ConversationId),
    /// With a file.
    HasAttachment,
    /// Visible to agents only.
    Internal,
}

impl Scope {
    /// The word of the index. No text can contain it: it stands in a column of its own or behind a tab.
    fn word(self) -> String {
        match self {
            Self::Inbox(id) => format!("in{}", encode(id.0)),
            Self::Channel(channel) => format!("ch{}", channel.word()),
            Self::Contact(id) => format!("ct{}", encode(id.0)),
            Self::Conversation(id) => format!("cv{}", encode(id.0)),
            Self::HasAttachment => "at1".to_owned(),
            Self::Internal => "pr1".to_owned(),
        }
    }
}

fn workspace_word(workspace: WorkspaceId) -> String {
    format!("wk{}", encode(workspace.0))
}

fn kind_word(kind: DocKind) -> String {
    format!("kd{}", kind.word())
}

/// A text to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDoc {
    /// Whose text.
    pub workspace: WorkspaceId,
    /// What it belongs to.
    pub subject: SubjectRef,
    /// When it happened: the order of the answers.
    pub at: Timestamp,
    /// Where it is.
    pub scopes: Vec<Scope>,
    /// Its heading: subject of a mail, name of a contact. Counts more in the order by best match.
    pub title: String,
    /// The rest.
    pub body: String,
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// Whose texts.
    pub workspace: WorkspaceId,
    /// Entries or contacts.
    pub kind: DocKind,
    /// Of each group at least one must hold: the inboxes that the asker may see, the ids of a merged contact, ... An empty
    /// group can hold for nothing and finds nothing.
    pub any_of: Vec<Vec<Scope>>,
    /// None of these may hold.
    pub none_of: Vec<Scope>,
    /// What the text must hold, or must not.
    pub terms: Vec<Term>,
    /// Not before this time.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

impl SearchQuery {
    /// Everything of a kind in a workspace.
    pub fn new(workspace: WorkspaceId, kind: DocKind) -> Self {
        Self { workspace, kind, any_of: Vec::new(), none_of: Vec::new(), terms: Vec::new(), from: None, to: None }
    }
    /// Narrows the query by what was typed, as far as the index knows it: words, channel, attachment, dates. Gives back the
    /// other filters, which the caller resolves (names to ids) or applies to what was found.
    pub fn narrow(&mut self, typed: &ParsedQuery, now: Timestamp, time_zone: &str) -> Vec<FilterTerm> {
        let mut rest = Vec::new();
        self.terms.extend(typed.terms.iter().cloned());
        for term in &typed.filters {
            match (&term.filter, term.negated) {
                (Filter::Channel(channel), negated) => self.scope(Scope::Channel(*channel), negated),
                (Filter::HasAttachment, negated) => self.scope(Scope::HasAttachment, negated),
                (Filter::Before(dates), false) | (Filter::After(dates), true) => {
                    let (start, end) = dates.edges(now, time_zone);
                    self.until(if term.negated { end } else { start });
                }
                (Filter::After(dates), false) | (Filter::Before(dates), true) => {
                    let (start, end) = dates.edges(now, time_zone);
                    self.since(if term.negated { start } else { end });
                }
                (Filter::On(dates), false) => {
                    let (start, end) = dates.edges(now, time_zone);
                    self.since(start);
                    self.until(end);
                }
                _ => rest.push(term.clone()),
            }
        }
        rest
    }
    fn scope(&mut self, scope: Scope, negated: bool) {
        if negated {
            self.none_of.push(scope);
        } else {
            self.any_of.push(vec![scope]);
        }
    }
    /// Nothing before this time.
    pub fn since(&mut self, at: Timestamp) {
        self.from = Some(self.from.map_or(at, |from| from.max(at)));
    }
    /// Nothing from this time on.
    pub fn until(&mut self, at: Timestamp) {
        self.to = Some(self.to.map_or(at, |to| to.min(at)));
    }
    /// Places below the first and from the second on; `None` when nothing can lie between.
    fn places(&self, after: Option<DocId>) -> Option<(i64, i64)> {
        let below = self.to.map_or(i64::MAX, first_at).min(after.map_or(i64::MAX, |id| id.0));
        let from = self.from.map_or(i64::MIN, first_at);
        let possible = from < below && self.any_of.iter().all(|group| !group.is_empty());
        possible.then_some((below, from))
    }
}

/// A found document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Its place.
    pub doc_id: DocId,
    /// What it is about.
    pub subject: SubjectRef,
}

/// The words of a found document, for ranking.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HitWords {
    /// Words of the heading, in order; an empty word is a gap.
    pub title: Vec<String>,
    /// Words of the rest, in order.
    pub body: Vec<String>,
}

/// An index, inside a transaction of its own database.
pub trait SearchIndex {
    /// Adds or replaces documents, takes others out, and remembers up to which change of the workspace that was.
    fn apply(
        &mut self,
        workspace: WorkspaceId,
        docs: &[SearchDoc],
        removed: &[SubjectRef],
        upto: Option<i64>,
    ) -> Result<(), StoreError>;
    /// What matches, newest first, older than `after`.
    fn find(&mut self, query: &SearchQuery, after: Option<DocId>, limit: usize) -> Result<Vec<Hit>, StoreError>;
    /// The words of found documents, in the order of the hits.
    fn words_of(&mut self, workspace: WorkspaceId, hits: &[Hit]) -> Result<Vec<HitWords>, StoreError>;
    /// The last change of the workspace that is in the index; `None` before it was built.
    fn position(&mut self, workspace: WorkspaceId) -> Result<Option<i64>, StoreError>;
    /// Takes out the position and up to `limit` documents of a workspace; true when nothing is left.
    fn clear(&mut self, workspace: WorkspaceId, limit: usize) -> Result<bool, StoreError>;
    /// Takes subjects out so that nothing of their text stays in the index.
    fn erase(&mut self, workspace: WorkspaceId, subjects: &[SubjectRef]) -> Result<(), StoreError>;
}

/// The index of the engine that `tx` belongs to.
fn index<'a>(tx: &'a mut dyn Conn) -> Box<dyn SearchIndex + 'a> {
    match tx.engine() {
        Engine::Sqlite => Box::new(fts5::Fts5(tx)),
        Engine::Postgres => Box::new(tsvector::TsVector(tx)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_the_order_of_time_also_before_2020() {
        let times = ["1995-05-05T00:00:00Z", "2019-12-31T23:59:59.999Z", "2020-01-01T00:00:00Z", "2026-10-01T00:00:00Z"];
        let places: Vec<_> = times.map(|t| DocId::of(Timestamp::parse(t).unwrap(), 0x7fff_ffff_ffff)).to_vec();
        assert!(places.is_sorted() && places[0].0 < 0);
        for (place, time) in places.iter().zip(times) {
            assert_eq!(place.at(), Timestamp::parse(time).unwrap());
        }
    }

    #[test]
    fn typed_filters_that_the_index_knows_narrow_the_query_and_the_rest_comes_back() {
        let now = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let typed =
            parse("refund channel:email -has:attachment is:open after:2026-09 before:2026-10-05 -after:2026-10-03 -tag:vip");
        let mut query = SearchQuery::new(WorkspaceId(1), DocKind::Entry);
        let rest = query.narrow(&typed, now, "UTC");
        assert_eq!(query.any_of, [[Scope::Channel(Channel::Email)]]);
        assert_eq!(query.none_of, [Scope::HasAttachment]);
        assert_eq!(query.from, Timestamp::parse("2026-10-01T00:00:00Z"));
        assert_eq!(query.to, Timestamp::parse("2026-10-04T00:00:00Z"));
        assert_eq!(rest.len(), 2);
        assert_eq!(query.terms.len(), 1);
    }
}
