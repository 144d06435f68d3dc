//! The search over messages, notes and customers: newest first, cut to what the agent may see. Words are looked up in the
//! index; what changes often (status, agent, tags) is looked up in the main database, a window of hits at a time.

use crate::context::{Desk, Who};
use crate::view::contact::ContactRow;
use crate::view::filter::{self, Filter, Problem};
use crate::view::rows::{self, Row, unique};
use crate::view::{Sight, contact};
use model::{ConversationId, EntryId, Timestamp};
use std::collections::HashMap;
use store::conversation::Folder;
use store::conversation::list::{Cut, Order};
use store::entry::Entry;
use store::search::query::Term;
use store::search::{DocId, DocKind, Hit, Scope, Search, SearchQuery, query};
use store::{Conn, StoreError};

const CONTACTS_MAX: i64 = 5;
/// Conversations outside the agent's inboxes that are searched because they are the agent's or the team's.
const OWN_CONVERSATIONS_MAX: i64 = 100;
const SNIPPET_CHARS: usize = 180;

/// A found entry.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundEntry {
    /// The entry.
    pub entry_id: EntryId,
    /// When.
    pub at: Timestamp,
    /// The conversation that it stands in.
    pub row: Row,
    /// Its text around the hits: pieces, and whether each is one.
    pub snippet: Vec<(String, bool)>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Customers whose name or address begins so; only on the first page.
    pub contacts: Vec<ContactRow>,
    /// Entries, newest first.
    pub entries: Vec<FoundEntry>,
    /// Where the next page begins.
    pub next: Option<i64>,
    /// How far back was looked, when there is more.
    pub looked_back_to: Option<Timestamp>,
    /// What of the query was not understood.
    pub problems: Vec<Problem>,
    /// How far the index is behind.
    pub lag_ms: i64,
}

/// One page of answers.
pub async fn find(
    desk: &Desk,
    search: &Search,
    who: &Who,
    text: &str,
    after: Option<i64>,
    limit: usize,
) -> Result<Found, StoreError> {
    let now = desk.now();
    let typed = query::parse(text);
    let lag_ms = lag_ms(desk, search, who, now).await?;
    if typed.is_empty() {
        return Ok(Found { problems: typed.problems, lag_ms, ..Found::default() });
    }
    let (asker, typed_in, text) = (who.clone(), typed.clone(), text.to_owned());
    let prepared = desk.db.read(move |tx| prepare(tx, &asker, &typed_in, &text, after.is_none(), now)).await?;
    let (index_query, sight, rest, contacts) = prepared;
    let problems = rest.problems.clone();
    let mut kept: HashMap<EntryId, (Entry, Row)> = HashMap::new();
    let page = {
        let kept = std::sync::Mutex::new(&mut kept);
        search
            .page(&index_query, after.map(DocId), limit, |hits| {
                let (asker, sight, rest) = (who.clone(), sight.clone(), rest.clone());
                let kept = &kept;
                async move {
                    let asked = hits.clone();
                    let found = desk.db.read(move |tx| look_up(tx, &asker, &sight, &rest, &asked)).await?;
                    let fits: Vec<bool> = hits.iter().map(|hit| found.contains_key(&EntryId(hit.subject.id))).collect();
                    kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(found);
                    Ok::<_, StoreError>(fits)
                }
            })
            .await?
    };
    let entries = page
        .hits
        .iter()
        .filter_map(|hit| kept.remove(&EntryId(hit.subject.id)))
        .map(|(entry, row)| FoundEntry {
            entry_id: entry.id,
            at: entry.at,
            row,
            snippet: snippet(&shown_text(&entry), &typed.terms),
        })
        .collect();
    Ok(Found { contacts, entries, next: page.next.map(|id| id.0), looked_back_to: page.looked_back_to(), problems, lag_ms })
}

type Prepared = (SearchQuery, Sight, Filter, Vec<ContactRow>);

fn prepare(
    tx: &mut dyn Conn,
    who: &Who,
    typed: &query::ParsedQuery,
    text: &str,
    first: bool,
    now: Timestamp,
) -> Result<Prepared, StoreError> {
    let sight = Sight::load(tx, who)?;
    let zone = store::workspace::get(tx, who.workspace)?.time_zone;
    let mut index_query = SearchQuery::new(who.workspace, DocKind::Entry);
    let filters = index_query.narrow(typed, now, &zone);
    // People type a word at a time: the last one is always a beginning.
    if let Some(last) = index_query.terms.last_mut().filter(|last| !last.negated && !text.trim_end().ends_with('"')) {
        last.prefix = true;
    }
    if !sight.everything {
        index_query.any_of.push(visible_scopes(tx, who, &sight)?);
    }
    let rest = query::ParsedQuery { terms: Vec::new(), filters, problems: typed.problems.clone() };
    let filter = Filter::load_parsed(tx, who, rest, now)?;
    let only_words = typed.filters.is_empty();
    let contacts = if first && only_words {
        let ids = filter::contacts_of(tx, who, text.trim_matches('"'), CONTACTS_MAX)?;
        contact::rows(tx, who.workspace, &ids)?
    } else {
        Vec::new()
    };
    Ok((index_query, sight, filter, contacts))
}

fn visible_scopes(tx: &mut dyn Conn, who: &Who, sight: &Sight) -> Result<Vec<Scope>, StoreError> {
    let mut scopes: Vec<Scope> = sight.inboxes.iter().map(|id| Scope::Inbox(*id)).collect();
    let cuts = std::iter::once(Cut::Agent(who.agent)).chain(sight.teams.iter().map(|id| Cut::Team(*id)).take(10));
    for cut in cuts {
        let own = store::conversation::list::walk(
            tx,
            who.workspace,
            Folder::Open,
            cut,
            Order::Newest,
            Order::Newest.start(),
            OWN_CONVERSATIONS_MAX,
        )?;
        scopes.extend(own.into_iter().filter(|c| !sight.sees_inbox(c.inbox_id)).map(|c| Scope::Conversation(c.id)));
    }
    scopes.truncate(200);
    Ok(scopes)
}

fn look_up(
    tx: &mut dyn Conn,
    who: &Who,
    sight: &Sight,
    filter: &Filter,
    hits: &[Hit],
) -> Result<HashMap<EntryId, (Entry, Row)>, StoreError> {
    let ids: Vec<EntryId> =
        hits.iter().filter(|hit| hit.subject.kind == DocKind::Entry).map(|hit| EntryId(hit.subject.id)).collect();
    let entries: Vec<Entry> =
        store::entry::list_of(tx, who.workspace, &ids)?.into_iter().filter(|e| e.redacted_at.is_none()).collect();
    let labels: Vec<ConversationId> = unique(entries.iter().map(|entry| entry.conversation_id));
    let mut seen = Vec::new();
    for conversation in store::conversation::list_of(tx, who.workspace, &labels)? {
        if filter.passes(&conversation) && sight.may_see(tx, who.workspace, &conversation)? {
            seen.push(conversation);
        }
    }
    let rows: HashMap<ConversationId, Row> = rows::rows(tx, who.workspace, who.agent, &seen)?
        .into_iter()
        .filter(|row| filter.passes_row(row, false))
        .map(|row| (row.conversation.id, row))
        .collect();
    Ok(entries
        .into_iter()
        .filter_map(|entry| rows.get(&entry.conversation_id).map(|row| (entry.id, (entry, row.clone()))))
        .collect())
}

async fn lag_ms(desk: &Desk, search: &Search, who: &Who, now: Timestamp) -> Result<i64, StoreError> {
    let workspace = who.workspace;
    let position = search.position(workspace).await?.unwrap_or(0);
    let oldest = desk.db.read(move |tx| store::event_log::list_since(tx, workspace, position, 1)).await?;
    Ok(oldest.first().map_or(0, |event| now.since(event.recorded_at).max(0)))
}

fn shown_text(entry: &Entry) -> String {
    let subject = entry.body.subject.as_deref().unwrap_or_default();
    let files = entry.body.attachments.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(" ");
    [subject, &entry.body.text, &files].iter().filter(|text| !text.is_empty()).copied().collect::<Vec<_>>().join("\n")
}

/// Cuts the text around the first hit and marks what was looked for.
pub fn snippet(text: &str, terms: &[Term]) -> Vec<(String, bool)> {
    let wanted: Vec<(&str, bool)> = terms
        .iter()
        .filter(|term| !term.negated)
        .flat_map(|term| {
            term.words.iter().enumerate().map(|(at, word)| (word.as_str(), term.prefix || at + 1 == term.words.len()))
        })
        .collect();
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let pieces: Vec<(&str, bool)> =
        words_of(&line).into_iter().map(|(piece, is_word)| (piece, is_word && is_hit(piece, &wanted))).collect();
    let first = pieces.iter().position(|(_, hit)| *hit).unwrap_or(0);
    // A third of the room stands before the first hit.
    let mut start = first;
    let mut before = 0;
    while start > 0 && before + pieces[start - 1].0.chars().count() <= SNIPPET_CHARS / 3 {
        start -= 1;
        before += pieces[start].0.chars().count();
    }
    let mut shown: Vec<(String, bool)> = Vec::new();
    let mut room = SNIPPET_CHARS;
    if start > 0 {
        shown.push(("…".to_owned(), false));
    }
    for (piece, hit) in &pieces[start..] {
        let piece = model::fold::truncate(piece, room);
        room -= piece.chars().count();
        match shown.last_mut() {
            Some((text, was)) if was == hit => text.push_str(piece),
            _ => shown.push((piece.to_owned(), *hit)),
        }
        if room == 0 {
            shown.push(("…".to_owned(), false));
            break;
        }
    }
    shown
}

fn is_hit(piece: &str, wanted: &[(&str, bool)]) -> bool {
    let words = store::search::words::document_words(piece);
    words.iter().any(|word| wanted.iter().any(|(want, prefix)| word == want || (*prefix && word.starts_with(want))))
}

// The text as words and what stands between them.
fn words_of(text: &str) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut in_word = None;
    for (at, c) in text.char_indices() {
        let is_word = c.is_alphanumeric();
        if in_word.is_some_and(|was| was != is_word) {
            pieces.push((&text[start..at], !is_word));
            start = at;
        }
        in_word = Some(is_word);
    }
    if let Some(is_word) = in_word {
        pieces.push((&text[start..], is_word));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str, query: &str) -> String {
        let pieces = snippet(text, &query::parse(query).terms);
        pieces.iter().map(|(text, hit)| if *hit { format!("[{text}]") } else { text.clone() }).collect()
    }

    #[test]
    fn hits_are_marked_whatever_their_case_and_accents() {
        assert_eq!(marked("My Crème brûlée is\n late", "creme LATE"), "My [Crème] brûlée is [late]");
        assert_eq!(marked("refunded refund", "refund"), "[refunded] [refund]");
        assert_eq!(marked("nothing here", "\"x y\""), "nothing here");
        assert_eq!(marked("", "x"), "");
    }

    #[test]
    fn long_texts_are_cut_around_the_first_hit() {
        let text = format!("{} needle {}", "hay ".repeat(200), "straw ".repeat(200));
        let cut = marked(&text, "needle");
        assert!(cut.starts_with("…") && cut.ends_with("…") && cut.contains("[needle]"));
        assert!(cut.chars().count() < SNIPPET_CHARS + 10, "{}", cut.chars().count());
    }
}
