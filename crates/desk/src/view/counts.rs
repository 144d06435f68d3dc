//! The numbers beside the views. They come from counters that the writing transactions keep; only saved views are counted,
//! and those only up to a limit.

use crate::context::Who;
use crate::view::Sight;
use crate::view::list::{self, ViewKey};
use model::Timestamp;
use store::{Conn, Counter, StoreError};

/// A saved view shows at most this, then "999+".
pub const COUNT_MAX: i64 = 999;
/// Saved views beyond these have no number.
const COUNTED_VIEWS_MAX: usize = 20;

/// One view with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewCount {
    /// Which.
    pub key: ViewKey,
    /// Name of a team or of a saved view.
    pub name: Option<String>,
    /// Conversations in it.
    pub count: i64,
    /// There are more than that.
    pub capped: bool,
    /// Of these, with something unread.
    pub unread: i64,
}

/// Every view of an agent.
pub fn all(tx: &mut dyn Conn, who: &Who, now: Timestamp) -> Result<Vec<ViewCount>, StoreError> {
    let sight = Sight::load(tx, who)?;
    let mut found = built_in(tx, who, &sight)?;
    for (at, view) in store::view::list(tx, who.workspace, who.agent)?.into_iter().enumerate() {
        let (count, capped) =
            if at < COUNTED_VIEWS_MAX { list::count(tx, who, &sight, &view.query, COUNT_MAX, now)? } else { (0, true) };
        found.push(ViewCount { key: ViewKey::View(view.id), name: Some(view.name), count, capped, unread: 0 });
    }
    Ok(found)
}

/// The views that have counters: what is sent again after every change.
pub fn built_in(tx: &mut dyn Conn, who: &Who, sight: &Sight) -> Result<Vec<ViewCount>, StoreError> {
    let mut found = Vec::new();
    for key in ViewKey::BUILT_IN {
        let (count, capped) = of_view(tx, who, sight, key)?;
        let unread = unread_of(tx, who, sight, key)?;
        found.push(ViewCount { key, name: None, count, capped, unread });
    }
    for team in store::team::list(tx, who.workspace)? {
        if sight.everything || sight.teams.contains(&team.id) {
            let count = get(tx, who, "team.open", team.id.0)?;
            found.push(ViewCount { key: ViewKey::Team(team.id), name: Some(team.name), count, capped: false, unread: 0 });
        }
    }
    Ok(found)
}

/// How many a view holds, and whether there are more than that.
pub fn of_view(tx: &mut dyn Conn, who: &Who, sight: &Sight, key: ViewKey) -> Result<(i64, bool), StoreError> {
    let n = match key {
        ViewKey::Mine => get(tx, who, "agent.open", who.agent.0)?,
        ViewKey::Mentions => get(tx, who, "agent.mentions", who.agent.0)?,
        ViewKey::Unassigned => inboxes(tx, who, sight, &["inbox.unassigned"])?,
        ViewKey::Waiting => inboxes(tx, who, sight, &["inbox.waiting"])?,
        ViewKey::Snoozed => inboxes(tx, who, sight, &["inbox.snoozed"])?,
        ViewKey::Closed => inboxes(tx, who, sight, &["inbox.closed"])?,
        ViewKey::All => inboxes(tx, who, sight, &["inbox.open", "inbox.waiting", "inbox.snoozed", "inbox.closed"])?,
        ViewKey::Spam => inboxes(tx, who, sight, &["inbox.spam"])?,
        ViewKey::Team(team) => get(tx, who, "team.open", team.0)?,
        ViewKey::SendsLater => {
            let n = store::outbox::scheduled_conversations(tx, who.workspace, COUNT_MAX + 1)?.len() as i64;
            return Ok((n.min(COUNT_MAX), n > COUNT_MAX));
        }
        ViewKey::View(_) => return Ok((0, true)),
    };
    Ok((n.max(0), false))
}

fn unread_of(tx: &mut dyn Conn, who: &Who, sight: &Sight, key: ViewKey) -> Result<i64, StoreError> {
    match key {
        ViewKey::Mine => get(tx, who, "agent.unread", who.agent.0),
        ViewKey::Mentions => get(tx, who, "agent.mentions", who.agent.0),
        ViewKey::Unassigned => inboxes(tx, who, sight, &["inbox.unassigned_unread"]),
        ViewKey::All => inboxes(tx, who, sight, &["inbox.unread"]),
        _ => Ok(0),
    }
}

fn get(tx: &mut dyn Conn, who: &Who, kind: &'static str, subject_id: i64) -> Result<i64, StoreError> {
    store::counter::get(tx, Counter { workspace: who.workspace, kind, subject_id })
}

fn inboxes(tx: &mut dyn Conn, who: &Who, sight: &Sight, kinds: &[&str]) -> Result<i64, StoreError> {
    let mut n = 0;
    for kind in kinds {
        let all = store::counter::list(tx, who.workspace, kind)?;
        n += all.into_iter().filter(|(inbox, _)| sight.sees_inbox((*inbox).into())).map(|(_, n)| n).sum::<i64>();
    }
    Ok(n.max(0))
}
