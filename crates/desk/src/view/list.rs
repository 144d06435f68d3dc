//! Lists of conversations: an index walk in chunks, cut to what the agent may see and to the query. A page may come back
//! short and still carry a cursor: then the filter is rare, and the next page goes on where this one stopped.

use crate::context::Who;
use crate::view::filter::{Filter, Problem};
use crate::view::rows::{self, Row};
use crate::view::{Sight, counts};
use model::{ConversationId, TeamId, Timestamp, ViewId};
use store::conversation::list::{Cut, Order, Position};
use store::conversation::{Conversation, Folder};
use store::{Conn, StoreError};

/// Rows read from the index at a time.
const CHUNK: i64 = 200;
/// Rows read for one page at most.
pub const SCANNED_MAX: usize = 2_000;
/// Lists that are made in memory hold at most so many.
const GATHERED_MAX: i64 = 2_000;

/// Which list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewKey {
    /// Open, mine.
    Mine,
    /// Open, nobody's.
    Unassigned,
    /// With an open mention of me.
    Mentions,
    /// Waiting for the customer or a third party.
    Waiting,
    /// Put away.
    Snoozed,
    /// With something that goes out later.
    SendsLater,
    /// Done.
    Closed,
    /// Everything but spam.
    All,
    /// Spam.
    Spam,
    /// Open, of a team.
    Team(TeamId),
    /// A saved query.
    View(ViewId),
}

impl ViewKey {
    /// The views that everybody has, in the order of the screen.
    pub const BUILT_IN: [Self; 9] = [
        Self::Mine,
        Self::Unassigned,
        Self::Mentions,
        Self::Waiting,
        Self::Snoozed,
        Self::SendsLater,
        Self::Closed,
        Self::All,
        Self::Spam,
    ];

    /// Reads the key of an address.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(id) = text.strip_prefix("team:") {
            return TeamId::parse(id).ok().map(Self::Team);
        }
        if let Some(id) = text.strip_prefix("view:") {
            return ViewId::parse(id).ok().map(Self::View);
        }
        Self::BUILT_IN.into_iter().find(|view| view.to_string() == text)
    }

    fn walk(self, who: &Who) -> (&'static [Folder], Cut) {
        const EVERYTHING: &[Folder] = &[Folder::Open, Folder::Waiting, Folder::Snoozed, Folder::Closed];
        match self {
            Self::Mine => (&[Folder::Open], Cut::Agent(who.agent)),
            Self::Unassigned => (&[Folder::Open], Cut::Unassigned),
            Self::Waiting => (&[Folder::Waiting], Cut::All),
            Self::Snoozed => (&[Folder::Snoozed], Cut::All),
            Self::Closed => (&[Folder::Closed], Cut::All),
            Self::Spam => (&[Folder::Spam], Cut::All),
            Self::Team(team) => (&[Folder::Open], Cut::Team(team)),
            Self::All | Self::View(_) | Self::Mentions | Self::SendsLater => (EVERYTHING, Cut::All),
        }
    }
}

impl std::fmt::Display for ViewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Mine => "mine",
            Self::Unassigned => "unassigned",
            Self::Mentions => "mentions",
            Self::Waiting => "waiting",
            Self::Snoozed => "snoozed",
            Self::SendsLater => "sends_later",
            Self::Closed => "closed",
            Self::All => "all",
            Self::Spam => "spam",
            Self::Team(id) => return write!(f, "team:{id}"),
            Self::View(id) => return write!(f, "view:{id}"),
        })
    }
}

/// The order of a list.
pub type Sort = Order;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which list.
    pub view: ViewKey,
    /// What was typed into the filter.
    pub query: String,
    /// The order.
    pub sort: Sort,
    /// After this row.
    pub after: Option<Position>,
    /// At most so many rows.
    pub limit: usize,
}

/// One page.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the next page begins; none: there is no more.
    pub next: Option<Position>,
    /// How many there are, and whether there are more than that.
    pub total: (i64, bool),
    /// The state that this page shows.
    pub change_seq: i64,
    /// What of the query was not understood.
    pub problems: Vec<Problem>,
}

/// One page of a list. `None`: there is no such saved view.
pub fn page(tx: &mut dyn Conn, who: &Who, asked: &Asked, now: Timestamp) -> Result<Option<ListPage>, StoreError> {
    let sight = Sight::load(tx, who)?;
    let Some(query) = full_query(tx, who, asked)? else { return Ok(None) };
    let filter = Filter::load(tx, who, &query, now)?;
    let mut walk = Walk::new(tx, who, asked, &filter)?;
    let mut found: Vec<Row> = Vec::new();
    let mut next = None;
    'pages: while let Some(chunk) = walk.next(tx, who)? {
        let fitting = visible(tx, who, &sight, &filter, chunk)?;
        for row in rows::rows(tx, who.workspace, who.agent, &fitting)? {
            if !filter.passes_row(&row, true) {
                continue;
            }
            if found.len() == asked.limit {
                next = found.last().map(|row| position(&row.conversation));
                break 'pages;
            }
            found.push(row);
        }
        if walk.scanned >= SCANNED_MAX {
            next = walk.more();
            break;
        }
    }
    let total = if filter.is_empty() {
        counts::of_view(tx, who, &sight, asked.view)?
    } else {
        (i64::try_from(found.len()).unwrap_or(0), next.is_some() || asked.after.is_some())
    };
    let change_seq = store::event_log::head(tx, who.workspace)?;
    Ok(Some(ListPage { rows: found, next, total, change_seq, problems: filter.problems }))
}

/// How many rows a query has, counted up to `count_max` or to the end of what one page would read.
pub fn count(
    tx: &mut dyn Conn,
    who: &Who,
    sight: &Sight,
    query: &str,
    count_max: i64,
    now: Timestamp,
) -> Result<(i64, bool), StoreError> {
    let asked = Asked { view: ViewKey::All, query: query.to_owned(), sort: Order::Newest, after: None, limit: 1 };
    let filter = Filter::load(tx, who, query, now)?;
    let mut walk = Walk::new(tx, who, &asked, &filter)?;
    let mut n = 0;
    while let Some(chunk) = walk.next(tx, who)? {
        let fitting = visible(tx, who, sight, &filter, chunk)?;
        n += rows::rows(tx, who.workspace, who.agent, &fitting)?.iter().filter(|row| filter.passes_row(row, true)).count() as i64;
        if n >= count_max || walk.scanned >= SCANNED_MAX {
            return Ok((n.min(count_max), n > count_max || walk.more().is_some()));
        }
    }
    Ok((n, false))
}

fn full_query(tx: &mut dyn Conn, who: &Who, asked: &Asked) -> Result<Option<String>, StoreError> {
    let ViewKey::View(id) = asked.view else { return Ok(Some(asked.query.clone())) };
    let saved = store::view::find(tx, who.workspace, id)?.filter(|view| view.shared || view.agent_id == who.agent);
    Ok(saved.map(|view| format!("{} {}", view.query, asked.query).trim().to_owned()))
}

fn visible(
    tx: &mut dyn Conn,
    who: &Who,
    sight: &Sight,
    filter: &Filter,
    chunk: Vec<Conversation>,
) -> Result<Vec<Conversation>, StoreError> {
    let passing: Vec<Conversation> = chunk.into_iter().filter(|c| filter.passes(c)).collect();
    let doubtful: Vec<ConversationId> = passing.iter().filter(|c| !sight.sees(c, false)).map(|c| c.id).collect();
    if doubtful.is_empty() {
        return Ok(passing);
    }
    let mentioned = store::conversation::seen::mentioned_of(tx, who.workspace, who.agent, &doubtful)?;
    Ok(passing.into_iter().filter(|c| sight.sees(c, mentioned.contains(&c.id))).collect())
}

fn position(conversation: &Conversation) -> Position {
    (conversation.last_activity_at.0, conversation.id.0)
}

/// Walks the index of a view, or a list that was gathered in memory.
struct Walk {
    folders: Vec<Folder>,
    cut: Cut,
    sort: Sort,
    at: Position,
    gathered: Option<Vec<Conversation>>,
    ended: bool,
    scanned: usize,
}

impl Walk {
    fn new(tx: &mut dyn Conn, who: &Who, asked: &Asked, filter: &Filter) -> Result<Self, StoreError> {
        let (folders, cut) = asked.view.walk(who);
        let gathered = match asked.view {
            ViewKey::Mentions => {
                let all =
                    store::conversation::seen::mentioned(tx, who.workspace, who.agent, Order::Newest.start(), GATHERED_MAX)?;
                Some(rows::unique(all.into_iter().map(|(_, id)| id)))
            }
            ViewKey::SendsLater => Some(store::outbox::scheduled_conversations(tx, who.workspace, GATHERED_MAX)?),
            _ => None,
        };
        let gathered = match gathered {
            Some(ids) => Some(store::conversation::list_of(tx, who.workspace, &ids)?),
            None => None,
        };
        let at = asked.after.unwrap_or(asked.sort.start());
        let folders = filter.folders(folders);
        Ok(Self { folders, cut, sort: asked.sort, at, gathered, ended: false, scanned: 0 })
    }

    fn next(&mut self, tx: &mut dyn Conn, who: &Who) -> Result<Option<Vec<Conversation>>, StoreError> {
        if self.ended {
            return Ok(None);
        }
        let chunk = match self.gathered.take() {
            Some(all) => {
                self.ended = true;
                in_order(all, self.sort, self.at)
            }
            None => {
                store::conversation::list::walk_folders(tx, who.workspace, &self.folders, self.cut, self.sort, self.at, CHUNK)?
            }
        };
        self.ended = self.ended || (chunk.len() as i64) < CHUNK;
        self.scanned += chunk.len();
        if let Some(last) = chunk.last() {
            self.at = position(last);
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    fn more(&self) -> Option<Position> {
        (!self.ended).then_some(self.at)
    }
}

fn in_order(mut all: Vec<Conversation>, sort: Sort, after: Position) -> Vec<Conversation> {
    all.retain(|c| c.merged_into.is_none() && (if sort == Order::Newest { position(c) < after } else { position(c) > after }));
    all.sort_by_key(position);
    if sort == Order::Newest {
        all.reverse();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::rows::tests::conversation;

    #[test]
    fn keys_read_back() {
        let team = ViewKey::Team(TeamId(7));
        for key in ViewKey::BUILT_IN.into_iter().chain([team, ViewKey::View(ViewId(3))]) {
            assert_eq!(ViewKey::parse(&key.to_string()), Some(key));
        }
        assert_eq!(ViewKey::parse("team:agt_0000000000001"), None);
        assert_eq!(ViewKey::parse("late"), None);
    }

    #[test]
    fn gathered_lists_are_ordered_and_cut_after_the_cursor() {
        let at = |id: i64, time: i64| {
            let mut c = conversation(id);
            c.last_activity_at = Timestamp(time);
            c
        };
        let mut gone = at(9, 9);
        gone.merged_into = Some(ConversationId(1));
        let all = vec![at(1, 5), at(2, 8), at(3, 8), gone];
        let ids = |list: Vec<Conversation>| list.iter().map(|c| c.id.0).collect::<Vec<_>>();
        assert_eq!(ids(in_order(all.clone(), Order::Newest, Order::Newest.start())), [3, 2, 1]);
        assert_eq!(ids(in_order(all.clone(), Order::Newest, (8, 3))), [2, 1]);
        assert_eq!(ids(in_order(all, Order::Oldest, (5, 1))), [2, 3]);
    }
}
