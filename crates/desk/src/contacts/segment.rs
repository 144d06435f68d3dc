//! Filters over contacts, in the language of the search (`company:acme consent:marketing -is:blocked before:2026-10-01
//! "ada novak"`), and segments: filters that were saved under a name.

use crate::consent;
use crate::context::{Desk, Who};
use crate::people::rights::{may_manage_agents, may_share_views};
use crate::people::{ChangeError, Invalid, check};
use crate::settings::news;
use crate::view::contact::{ContactRow, row};
use crate::view::filter::{Problem, contacts_of};
use model::fold::{clean, fold, sort_key};
use model::{Actor, Channel, ConsentState, ContactFieldId, ContactId, ContactPointKind, Health, Purpose, SegmentId, Timestamp};
use serde_json::json;
use std::collections::HashSet;
use store::contact::Contact;
use store::search::query::{self, Filter as Asked};
use store::segment::{self, Segment};
use store::{Conn, Route, StoreError, company, contact, contact_field, contact_point};

const QUERY_CHARS_MAX: usize = 500;
const COUNT_MAX: usize = 200;
/// Contacts looked at for one page; a page may then be short and says where it goes on.
const WINDOW: i64 = 200;
const WINDOWS_MAX: usize = 5;
/// Contacts behind one name, company or value that narrows the list.
const NARROW_MAX: i64 = 2_000;

const FILTERS: &str = "name, email, phone, company, field, consent, is, has, channel, lang, before, after, on";

/// A filter, ready to be held against contacts.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    tests: Vec<(Test, bool)>,
    words: Vec<(String, bool)>,
    /// What was not understood.
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug)]
enum Test {
    Blocked,
    Anonymous,
    Bounced,
    Has(ContactPointKind),
    HasCompany,
    HasNotes,
    Locale(String),
    Name(String),
    Address(ContactPointKind, String),
    Company(String),
    Field(ContactFieldId, String),
    Consent(Purpose, Option<ConsentState>),
    Seen(Timestamp, Timestamp),
    Among(HashSet<ContactId>),
}

/// Cuts at blanks, but not inside quotes.
fn pieces(text: &str) -> Vec<String> {
    let (mut all, mut one, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !one.is_empty() {
                    all.push(std::mem::take(&mut one));
                }
                continue;
            }
            _ => {}
        }
        one.push(c);
    }
    if !one.is_empty() {
        all.push(one);
    }
    all
}

impl Filter {
    /// Reads what was typed.
    pub fn load(tx: &mut dyn Conn, who: &Who, text: &str, now: Timestamp) -> Result<Self, StoreError> {
        let mut filter = Self::default();
        let zone = store::workspace::get(tx, who.workspace)?.time_zone;
        for piece in pieces(model::fold::truncate(text, QUERY_CHARS_MAX)) {
            let (negated, body) = match piece.strip_prefix('-') {
                Some(rest) if !rest.is_empty() => (true, rest),
                _ => (false, piece.as_str()),
            };
            match body.split_once(':') {
                Some((key, value)) if !value.is_empty() && key.chars().all(|c| c.is_ascii_alphabetic() || c == '_') => {
                    let value = value.trim_matches('"');
                    match test(tx, who, &key.to_lowercase(), value, body, now, &zone)? {
                        Ok(test) => filter.tests.push((test, negated)),
                        Err(text) => filter.problems.push(Problem { token: piece.clone(), text }),
                    }
                }
                _ => {
                    let word = fold(body.trim_matches('"'));
                    if !word.trim().is_empty() {
                        filter.words.push((word, negated));
                    }
                }
            }
        }
        Ok(filter)
    }

    /// Contacts that the index names for one of the tests, so that not everybody has to be looked at.
    fn narrowed(&self, tx: &mut dyn Conn, who: &Who) -> Result<Option<Vec<ContactId>>, StoreError> {
        for (test, negated) in &self.tests {
            if *negated {
                continue;
            }
            let found = match test {
                Test::Among(ids) => ids.iter().copied().collect(),
                Test::Company(name) => match company::by_name(tx, who.workspace, name)? {
                    Some(id) => company::contacts(tx, who.workspace, id, i64::MAX, NARROW_MAX)?,
                    None => continue,
                },
                Test::Field(field, key) => contact_field::contacts_with(tx, who.workspace, *field, key, NARROW_MAX)?,
                Test::Address(kind, key) => contact_point::contacts_by_key_prefix(tx, who.workspace, *kind, key, NARROW_MAX)?,
                _ => continue,
            };
            if (found.len() as i64) < NARROW_MAX {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn passes(&self, tx: &mut dyn Conn, who: &Who, one: &Contact) -> Result<bool, StoreError> {
        for (test, negated) in &self.tests {
            if holds(tx, who, test, one)? == *negated {
                return Ok(false);
            }
        }
        if self.words.is_empty() {
            return Ok(true);
        }
        let row = row(tx, who.workspace, one)?;
        let text = fold(&format!("{} {} {}", row.name, one.company.clone().unwrap_or_default(), row.points.join(" ")));
        let begins =
            |word: &str| text.starts_with(word) || text.contains(&format!(" {word}")) || (word.len() >= 4 && text.contains(word));
        Ok(self.words.iter().all(|(word, negated)| begins(word) != *negated))
    }
}

fn test(
    tx: &mut dyn Conn,
    who: &Who,
    key: &str,
    value: &str,
    whole: &str,
    now: Timestamp,
    zone: &str,
) -> Result<Result<Test, String>, StoreError> {
    let word = fold(value);
    Ok(Ok(match key {
        "is" => match word.as_str() {
            "blocked" => Test::Blocked,
            "anonymous" => Test::Anonymous,
            "bounced" => Test::Bounced,
            _ => return Ok(Err("is: takes blocked, anonymous or bounced.".to_owned())),
        },
        "has" => match word.as_str() {
            "email" => Test::Has(ContactPointKind::Email),
            "phone" => Test::Has(ContactPointKind::Phone),
            "account" => Test::Has(ContactPointKind::Account),
            "company" => Test::HasCompany,
            "notes" => Test::HasNotes,
            _ => return Ok(Err("has: takes email, phone, account, company or notes.".to_owned())),
        },
        "channel" => match Channel::parse(&word) {
            Some(Channel::Email) => Test::Has(ContactPointKind::Email),
            Some(Channel::Sms | Channel::Voice) => Test::Has(ContactPointKind::Phone),
            Some(Channel::Webchat) => Test::Has(ContactPointKind::Visitor),
            // A channel whose addresses are a kind of their own has the same word.
            Some(other) => Test::Has(ContactPointKind::parse(other.word()).unwrap_or(ContactPointKind::Ext)),
            None => return Ok(Err(format!("There is no channel {value}."))),
        },
        "lang" => Test::Locale(word),
        "name" => Test::Name(word),
        "email" => Test::Address(ContactPointKind::Email, value.to_lowercase()),
        "phone" => {
            let digits: String = value.chars().filter(char::is_ascii_digit).collect();
            Test::Address(ContactPointKind::Phone, format!("+{}", digits.trim_start_matches("00")))
        }
        "company" => Test::Company(value.to_owned()),
        "from" => Test::Among(contacts_of(tx, who, value, 200)?.into_iter().collect()),
        "consent" => {
            let (purpose, state) = value.split_once('=').map_or((value, None), |(p, s)| (p, Some(s)));
            let state = state.map(|s| s.to_lowercase());
            match (Purpose::parse(&fold(purpose)), state.as_deref()) {
                (Some(purpose), None) => Test::Consent(purpose, Some(ConsentState::Granted)),
                (Some(purpose), Some("none")) => Test::Consent(purpose, None),
                (Some(purpose), Some(state)) if ConsentState::parse(state).is_some() => {
                    Test::Consent(purpose, ConsentState::parse(state))
                }
                _ => {
                    let text =
                        "consent: takes service, marketing, survey or recording, with =granted, =refused, =withdrawn or =none.";
                    return Ok(Err(text.to_owned()));
                }
            }
        }
        "field" => {
            let (name, wanted) = value.split_once('=').unwrap_or((value, ""));
            let key = fold(name.trim().trim_matches('"'));
            let all = contact_field::list(tx, who.workspace)?;
            match all.iter().find(|f| f.archived_at.is_none() && fold(&f.name) == key) {
                Some(field) => {
                    Test::Field(field.id, if wanted.is_empty() { String::new() } else { sort_key(wanted.trim_matches('"')) })
                }
                None => return Ok(Err(format!("There is no field {name}."))),
            }
        }
        "before" | "after" | "on" => match query::parse(whole).filters.into_iter().next().map(|f| f.filter) {
            Some(Asked::Before(dates)) => Test::Seen(Timestamp(i64::MIN), dates.edges(now, zone).0),
            Some(Asked::After(dates)) => Test::Seen(dates.edges(now, zone).1, Timestamp(i64::MAX)),
            Some(Asked::On(dates)) => {
                let (from, upto) = dates.edges(now, zone);
                Test::Seen(from, upto)
            }
            _ => return Ok(Err("A day such as 2026-10-01, a month, a year, or 7d for seven days ago.".to_owned())),
        },
        _ => return Ok(Err(format!("There is no filter {key}; known are {FILTERS}."))),
    }))
}

fn holds(tx: &mut dyn Conn, who: &Who, test: &Test, one: &Contact) -> Result<bool, StoreError> {
    let points = |tx: &mut dyn Conn| -> Result<Vec<contact_point::ContactPoint>, StoreError> {
        let ids: Vec<_> = contact_point::owned_by(tx, who.workspace, one.id)?.iter().map(|o| o.contact_point_id).collect();
        contact_point::list(tx, who.workspace, &ids)
    };
    Ok(match test {
        Test::Blocked => one.blocked_at.is_some(),
        Test::Anonymous => points(tx)?.iter().all(|p| p.key.kind == ContactPointKind::Visitor),
        Test::Bounced => points(tx)?.iter().any(|p| p.health == Health::Bounced),
        Test::Has(kind) => points(tx)?.iter().any(|p| p.key.kind == *kind),
        Test::HasCompany => one.company.is_some(),
        Test::HasNotes => one.notes.is_some(),
        Test::Locale(word) => one.locale.as_deref().is_some_and(|l| fold(l).starts_with(word.as_str())),
        Test::Name(word) => one.name.as_deref().is_some_and(|n| fold(n).contains(word.as_str())),
        Test::Address(kind, key) => points(tx)?.iter().any(|p| p.key.kind == *kind && p.key.match_key.starts_with(key.as_str())),
        Test::Company(name) => {
            let known = super::company::name_of(tx, who.workspace, one)?;
            known.is_some_and(|(_, has)| fold(&has).starts_with(&fold(name)))
        }
        Test::Field(field, key) => {
            let set = contact::merged_set(tx, who.workspace, one.id)?;
            let values = crate::identity::merge::own_values(tx, who.workspace, one.id, &set)?;
            values.get(field).is_some_and(|value| sort_key(value).starts_with(key.as_str()))
        }
        Test::Consent(purpose, state) => {
            let set = contact::merged_set(tx, who.workspace, one.id)?;
            let found = consent::holding(&store::consent::of_contacts(tx, who.workspace, &set)?);
            let of = found.iter().filter(|((p, ..), _)| p == purpose).map(|(_, holds)| Some(holds.consent.state));
            of.fold(None, consent::stricter) == *state
        }
        Test::Seen(from, upto) => (*from..*upto).contains(&one.last_seen_at),
        Test::Among(ids) => ids.contains(&one.id),
    })
}

/// A page of contacts that pass.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The rows, latest seen first.
    pub rows: Vec<ContactRow>,
    /// Where the next page begins; may be there although this page is short.
    pub next: Option<(i64, i64)>,
    /// What was not understood.
    pub problems: Vec<Problem>,
}

/// Contacts that pass a filter, latest seen first, below a place `(last_seen_at, id)`.
pub fn page(
    tx: &mut dyn Conn,
    who: &Who,
    text: &str,
    below: Option<(i64, i64)>,
    limit: usize,
    now: Timestamp,
) -> Result<Page, StoreError> {
    let filter = Filter::load(tx, who, text, now)?;
    let mut found = Page { problems: filter.problems.clone(), ..Page::default() };
    let mut below = below.unwrap_or((i64::MAX, i64::MAX));
    if let Some(ids) = filter.narrowed(tx, who)? {
        let live: Vec<ContactId> = contact::list(tx, who.workspace, &ids)?.iter().map(|c| c.live_id).collect();
        let mut all = contact::list(tx, who.workspace, &crate::view::rows::unique(live.into_iter()))?;
        all.sort_by_key(|c| std::cmp::Reverse((c.last_seen_at, c.id)));
        all.retain(|c| (c.last_seen_at.0, c.id.0) < below);
        for one in &all {
            if found.rows.len() == limit {
                found.next = Some(below);
                break;
            }
            below = (one.last_seen_at.0, one.id.0);
            if filter.passes(tx, who, one)? {
                found.rows.push(row(tx, who.workspace, one)?);
            }
        }
        return Ok(found);
    }
    for _ in 0..WINDOWS_MAX {
        let window = contact::page(tx, who.workspace, below, WINDOW)?;
        let full = window.len() as i64 == WINDOW;
        for one in &window {
            if found.rows.len() == limit {
                found.next = Some(below);
                return Ok(found);
            }
            below = (one.last_seen_at.0, one.id.0);
            if filter.passes(tx, who, one)? {
                found.rows.push(row(tx, who.workspace, one)?);
            }
        }
        if !full {
            return Ok(found);
        }
    }
    found.next = Some(below);
    Ok(found)
}

/// What the agent sees: own segments and shared ones.
pub async fn list(desk: &Desk, who: &Who) -> Result<Vec<Segment>, StoreError> {
    let (workspace, agent) = (who.workspace, who.agent);
    desk.db.read(move |tx| segment::list(tx, workspace, agent)).await
}

fn check_query(text: &str) -> Result<String, Invalid> {
    let text = clean(text).trim().to_owned();
    match text.chars().count() {
        1..=QUERY_CHARS_MAX => Ok(text),
        _ => Err(Invalid::new("query", "a filter of at most 500 characters")),
    }
}

/// Saves a filter under a name.
pub async fn add(desk: &Desk, who: &Who, name: &str, query: &str, shared: bool) -> Result<Segment, ChangeError> {
    if shared && !may_share_views(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (name, query) = (check::name("name", name)?, check_query(query)?);
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<Result<Segment, ChangeError>, StoreError> {
            if let Some(problem) = Filter::load(tx, &who, &query, now)?.problems.first() {
                return Ok(Err(Invalid::new("query", problem.text.clone()).into()));
            }
            if segment::list(tx, who.workspace, who.agent)?.len() >= COUNT_MAX {
                return Ok(Err(Invalid::new("name", "at most 200 segments").into()));
            }
            let id = SegmentId(0);
            let new = Segment { id, agent_id: who.agent, name: name.clone(), query: query.clone(), shared, version: 1 };
            let id = segment::add(tx, who.workspace, &new)?;
            tx.log(news(who.workspace, "segment.added", Actor::Agent(who.agent), now, json!({"segment": id, "shared": shared})));
            Ok(Ok(Segment { id, ..new }))
        })
        .await?
}

/// Deletes an own segment, or as an admin a shared one.
pub async fn remove(desk: &Desk, who: &Who, id: SegmentId) -> Result<(), ChangeError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<Result<(), ChangeError>, StoreError> {
            let found = segment::find(tx, who.workspace, id)?.filter(|s| s.shared || s.agent_id == who.agent);
            let Some(found) = found else { return Ok(Err(ChangeError::NotFound)) };
            if found.agent_id != who.agent && !may_manage_agents(who.role) {
                return Ok(Err(ChangeError::NotAllowed));
            }
            segment::delete(tx, who.workspace, id)?;
            tx.log(news(who.workspace, "segment.removed", Actor::Agent(who.agent), now, json!({"segment": id})));
            Ok(Ok(()))
        })
        .await?
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn quotes_keep_blanks_together() {
        assert_eq!(pieces(r#"ada  field:"Kd Nr"=5 -is:blocked "x y""#), ["ada", "field:\"Kd Nr\"=5", "-is:blocked", "\"x y\""]);
    }
}
