//! Filters that people type (`is:open team:billing -tag:vip`) held against conversations. Names are looked up once, then
//! every row is tested in memory. What is not understood becomes a problem in words, and the rest still works.

use crate::context::Who;
use crate::view::rows::Row;
use model::{AgentId, Channel, ContactId, ContactPointKind, InboxId, Priority, Status, TagId, TeamId, Timestamp};
use std::collections::HashSet;
use store::conversation::{Conversation, Folder};
use store::search::query::{self, FilterTerm, Is, Term, Whose};
use store::{Conn, StoreError};

pub use store::search::query::Problem;

/// At most so many contacts behind one `from:`.
const FROM_COUNT_MAX: i64 = 200;

/// A query, ready to be held against rows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    tests: Vec<(Test, bool)>,
    /// Words that stand beside the filters.
    pub terms: Vec<Term>,
    /// What was not understood.
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug)]
enum Test {
    Is(Is),
    Channel(Channel),
    Inbox(HashSet<InboxId>),
    Team(HashSet<TeamId>),
    Agent(HashSet<AgentId>),
    Nobody,
    Tag(HashSet<TagId>),
    Priority(Priority),
    From(HashSet<ContactId>),
    Time(Timestamp, Timestamp),
}

impl Filter {
    /// Reads a query and looks its names up.
    pub fn load(tx: &mut dyn Conn, who: &Who, text: &str, now: Timestamp) -> Result<Self, StoreError> {
        Self::load_parsed(tx, who, query::parse(text), now)
    }

    /// The same of a query that was read already.
    pub fn load_parsed(tx: &mut dyn Conn, who: &Who, parsed: query::ParsedQuery, now: Timestamp) -> Result<Self, StoreError> {
        let mut filter = Self { tests: Vec::new(), terms: parsed.terms, problems: parsed.problems };
        if parsed.filters.is_empty() {
            return Ok(filter);
        }
        let zone = store::workspace::get(tx, who.workspace)?.time_zone;
        for FilterTerm { filter: asked, negated } in parsed.filters {
            match test(tx, who, &asked, now, &zone)? {
                Ok(test) => filter.tests.push((test, negated)),
                Err(text) => filter.problems.push(Problem { token: asked.to_string(), text }),
            }
        }
        Ok(filter)
    }

    /// True when every row passes.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.terms.is_empty()
    }

    /// Folders that can hold anything that passes, of those a view shows.
    pub fn folders(&self, of_view: &[Folder]) -> Vec<Folder> {
        let wanted: Vec<Is> = self
            .tests
            .iter()
            .filter_map(|(test, negated)| if let (Test::Is(is), false) = (test, negated) { Some(*is) } else { None })
            .collect();
        if wanted.contains(&Is::Spam) && of_view.len() > 1 {
            return vec![Folder::Spam];
        }
        let fits = |folder: &Folder| wanted.iter().all(|is| may_stand_in(*is, *folder));
        of_view.iter().copied().filter(fits).collect()
    }

    /// Does the conversation pass, as far as it alone can tell?
    pub fn passes(&self, conversation: &Conversation) -> bool {
        self.tests.iter().all(|(test, negated)| decide(test, conversation, None).is_none_or(|holds| holds != *negated))
    }

    /// Does the row pass? `with_terms`: words are held against name, subject and last line too.
    pub fn passes_row(&self, row: &Row, with_terms: bool) -> bool {
        let tests =
            self.tests.iter().all(|(test, negated)| decide(test, &row.conversation, Some(row)).unwrap_or(true) != *negated);
        tests && (!with_terms || self.terms.is_empty() || self.has_words(row))
    }

    fn has_words(&self, row: &Row) -> bool {
        let preview = row.conversation.preview.as_ref().map_or("", |preview| preview.text.as_str());
        let subject = row.conversation.subject.as_deref().unwrap_or_default();
        let text = format!("{}\n{subject}\n{preview}\n#{}", row.contact_name, row.conversation.number);
        let words = store::search::words::document_words(&text);
        self.terms.iter().all(|term| holds_term(&words, term) != term.negated)
    }
}

fn holds_term(words: &[String], term: &Term) -> bool {
    // While somebody types, the last word is always a beginning; in a list nothing is lost by that.
    words.windows(term.words.len().max(1)).any(|window| {
        window
            .iter()
            .zip(&term.words)
            .enumerate()
            .all(|(at, (have, want))| if at + 1 == term.words.len() { have.starts_with(want.as_str()) } else { have == want })
    })
}

fn may_stand_in(is: Is, folder: Folder) -> bool {
    match is {
        Is::Open => folder != Folder::Closed,
        Is::Waiting => folder == Folder::Waiting,
        Is::Status(status) => match status {
            Status::Open => folder == Folder::Open,
            Status::Pending | Status::OnHold => folder == Folder::Waiting,
            Status::Snoozed => folder == Folder::Snoozed,
            Status::Resolved | Status::Closed => folder == Folder::Closed,
        },
        Is::Unread | Is::Unassigned | Is::Mine | Is::Spam => true,
    }
}

// None: the row is needed to tell.
fn decide(test: &Test, c: &Conversation, row: Option<&Row>) -> Option<bool> {
    Some(match test {
        Test::Is(Is::Open) => c.status.is_open() && !c.spam,
        Test::Is(Is::Waiting) => matches!(c.status, Status::Pending | Status::OnHold),
        // On screen "closed" is both: done, and done for good.
        Test::Is(Is::Status(Status::Closed)) => matches!(c.status, Status::Resolved | Status::Closed),
        Test::Is(Is::Status(status)) => c.status == *status,
        Test::Is(Is::Unread) => return row.map(|row| row.mine.unread),
        Test::Is(Is::Unassigned) | Test::Nobody => c.agent_id.is_none(),
        Test::Is(Is::Spam) => c.spam,
        // Replaced by the agent's own id while loading.
        Test::Is(Is::Mine) => false,
        Test::Channel(channel) => c.channel == *channel,
        Test::Inbox(ids) => ids.contains(&c.inbox_id),
        Test::Team(ids) => c.team_id.is_some_and(|id| ids.contains(&id)),
        Test::Agent(ids) => c.agent_id.is_some_and(|id| ids.contains(&id)),
        Test::Tag(ids) => return row.map(|row| row.tag_ids.iter().any(|id| ids.contains(id))),
        Test::Priority(priority) => c.priority == *priority,
        Test::From(ids) => return row.map(|row| ids.contains(&row.contact_id)),
        Test::Time(from, upto) => (*from..*upto).contains(&c.last_activity_at),
    })
}

const EVER: Timestamp = Timestamp(i64::MAX);

fn test(
    tx: &mut dyn Conn,
    who: &Who,
    asked: &query::Filter,
    now: Timestamp,
    zone: &str,
) -> Result<Result<Test, String>, StoreError> {
    use query::Filter as Asked;
    Ok(Ok(match asked {
        Asked::Is(Is::Mine) | Asked::Agent(Whose::Me) => Test::Agent(HashSet::from([who.agent])),
        Asked::Is(is) => Test::Is(*is),
        Asked::Channel(channel) => Test::Channel(*channel),
        Asked::Priority(priority) => Test::Priority(*priority),
        Asked::Before(dates) => Test::Time(Timestamp(i64::MIN), dates.edges(now, zone).0),
        Asked::After(dates) => Test::Time(dates.edges(now, zone).1, EVER),
        Asked::On(dates) => {
            let (from, upto) = dates.edges(now, zone);
            Test::Time(from, upto)
        }
        Asked::Agent(Whose::Nobody) => Test::Nobody,
        Asked::HasAttachment => return Ok(Err("has: works in the search over messages, not in lists.".to_owned())),
        Asked::Inbox(name) => {
            let all = store::inbox::list(tx, who.workspace)?;
            let found = named(name, all.iter().map(|inbox| (inbox.id, inbox.id.to_string(), inbox.name.as_str(), "")));
            return Ok(nothing(found, "inbox", name).map(Test::Inbox));
        }
        Asked::Team(name) => {
            let all = store::team::list(tx, who.workspace)?;
            let found = named(name, all.iter().map(|team| (team.id, team.id.to_string(), team.name.as_str(), "")));
            return Ok(nothing(found, "team", name).map(Test::Team));
        }
        Asked::Agent(Whose::Named(name)) => {
            let all = store::agent::list(tx, who.workspace)?;
            let found =
                named(name, all.iter().map(|agent| (agent.id, agent.id.to_string(), agent.name.as_str(), agent.email.as_str())));
            return Ok(nothing(found, "agent", name).map(Test::Agent));
        }
        Asked::Tag(name) => {
            let all = store::tag::list(tx, who.workspace)?;
            let found = named(name, all.iter().map(|tag| (tag.id, tag.id.to_string(), tag.name.as_str(), "")));
            return Ok(nothing(found, "tag", name).map(Test::Tag));
        }
        Asked::From(name) => {
            let found: HashSet<ContactId> = contacts_of(tx, who, name, FROM_COUNT_MAX)?.into_iter().collect();
            return Ok(nothing(found, "customer", name).map(Test::From));
        }
    }))
}

/// Live contacts whose name, mail address or phone number begins so.
pub fn contacts_of(tx: &mut dyn Conn, who: &Who, text: &str, limit: i64) -> Result<Vec<ContactId>, StoreError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = store::contact::by_name_prefix(tx, who.workspace, text, limit)?;
    let lower = text.to_lowercase();
    found.extend(store::contact_point::contacts_by_key_prefix(tx, who.workspace, ContactPointKind::Email, &lower, limit)?);
    let digits: String = text.chars().filter(|c| c.is_ascii_digit()).collect();
    if digits.len() >= 3 && text.chars().all(|c| c.is_ascii_digit() || " +-()/.".contains(c)) {
        let number = format!("+{}", digits.trim_start_matches("00"));
        found.extend(store::contact_point::contacts_by_key_prefix(tx, who.workspace, ContactPointKind::Phone, &number, limit)?);
    }
    let mut found = crate::view::rows::unique(found.into_iter());
    found.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(found)
}

/// Exact names first; if there are none, names that begin so.
fn named<'a, T: Copy + Eq + std::hash::Hash>(
    wanted: &str,
    all: impl Iterator<Item = (T, String, &'a str, &'a str)> + Clone,
) -> HashSet<T> {
    let wanted_key = model::fold::fold(wanted);
    let exact: HashSet<T> = all
        .clone()
        .filter(|(_, id, name, address)| {
            model::fold::fold(name) == wanted_key || id == wanted || address.eq_ignore_ascii_case(wanted)
        })
        .map(|(id, ..)| id)
        .collect();
    if !exact.is_empty() {
        return exact;
    }
    all.filter(|(_, _, name, address)| {
        model::fold::fold(name).starts_with(&wanted_key) || address.to_lowercase().starts_with(&wanted_key)
    })
    .map(|(id, ..)| id)
    .collect()
}

fn nothing<T>(found: HashSet<T>, what: &str, name: &str) -> Result<HashSet<T>, String> {
    if found.is_empty() { Err(format!("No {what} is called {name}.")) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::rows::Mine;
    use crate::view::rows::tests::conversation;

    fn row(mine: Mine) -> Row {
        let conversation = conversation(1);
        Row { conversation, contact_id: ContactId(1), contact_name: "Ada Novák".into(), tag_ids: vec![TagId(4)], mine }
    }
    fn filter(tests: Vec<(Test, bool)>, text: &str) -> Filter {
        Filter { tests, terms: query::parse(text).terms, problems: vec![] }
    }

    #[test]
    fn each_test_and_its_opposite() {
        let unread = row(Mine { unread: true, ..Mine::default() });
        let cases = [
            (Test::Is(Is::Open), true),
            (Test::Is(Is::Waiting), false),
            (Test::Is(Is::Unread), true),
            (Test::Is(Is::Unassigned), true),
            (Test::Is(Is::Spam), false),
            (Test::Channel(Channel::Email), false),
            (Test::Inbox(HashSet::from([InboxId(1)])), true),
            (Test::Tag(HashSet::from([TagId(4)])), true),
            (Test::From(HashSet::from([ContactId(2)])), false),
            (Test::Priority(Priority::Normal), true),
            (Test::Time(Timestamp(-5), Timestamp(0)), false),
        ];
        for (test, holds) in cases {
            let text = format!("{test:?}");
            assert_eq!(filter(vec![(test.clone(), false)], "").passes_row(&unread, true), holds, "{text}");
            assert_eq!(filter(vec![(test, true)], "").passes_row(&unread, true), !holds, "not {text}");
        }
    }

    #[test]
    fn a_conversation_alone_is_not_refused_for_what_only_its_row_can_tell() {
        let asks = filter(vec![(Test::Is(Is::Unread), false), (Test::Tag(HashSet::from([TagId(9)])), true)], "");
        assert!(asks.passes(&conversation(1)));
        assert!(!filter(vec![(Test::Is(Is::Spam), false)], "").passes(&conversation(1)));
    }

    #[test]
    fn words_are_held_against_name_subject_and_last_line() {
        let read = row(Mine::default());
        for (text, holds) in [
            ("ada", true),
            ("nova", true),
            ("novak ada", true),
            ("\"ada novak\"", true),
            ("\"novak ada\"", false),
            ("bob", false),
            ("-bob", true),
            ("-ada", false),
        ] {
            assert_eq!(filter(vec![], text).passes_row(&read, true), holds, "{text}");
        }
    }

    #[test]
    fn folders_are_narrowed() {
        let all = [Folder::Open, Folder::Waiting, Folder::Snoozed, Folder::Closed];
        assert_eq!(filter(vec![(Test::Is(Is::Waiting), false)], "").folders(&all), [Folder::Waiting]);
        assert_eq!(filter(vec![(Test::Is(Is::Open), false)], "").folders(&all).len(), 3);
        assert_eq!(filter(vec![(Test::Is(Is::Open), true)], "").folders(&all).len(), 4);
        assert_eq!(filter(vec![(Test::Is(Is::Spam), false)], "").folders(&all), [Folder::Spam]);
    }

    #[test]
    fn names_match_exactly_before_they_match_as_beginnings() {
        let all = [(1, "x1".to_owned(), "Billing", ""), (2, "x2".to_owned(), "Billing EU", "eu@acme.com")];
        let ask = |text: &str| {
            let mut found: Vec<i32> = named(text, all.iter().map(|(id, t, n, a)| (*id, t.clone(), *n, *a))).into_iter().collect();
            found.sort_unstable();
            found
        };
        assert_eq!(ask("billing"), [1]);
        assert_eq!(ask("bill"), [1, 2]);
        assert_eq!(ask("x2"), [2]);
        assert_eq!(ask("EU@acme.com"), [2]);
        assert!(ask("sales").is_empty());
    }
}
