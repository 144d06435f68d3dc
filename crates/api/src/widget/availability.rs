//! Is somebody there? Opening hours, agents who take work and have the workspace open, and how long answers took lately.

use crate::live::Live;
use channel_webchat::frames::WidgetAgent;
use channel_webchat::{ServerFrame, WebchatSettings};
use model::hours::Hours;
use model::{AuthorKind, Availability as Word, Direction, InboxId, Timestamp, WorkspaceId};
use store::conversation::Folder;
use store::conversation::list::{Cut, Order, walk};
use store::{Conn, StoreError};

/// Conversations that the expected wait is made from.
const SAMPLE_COUNT: i64 = 20;
/// Fewer than this say nothing.
const SAMPLE_COUNT_MIN: usize = 3;
/// Older ones say nothing about today.
const SAMPLE_AGE_MS: i64 = 14 * 86_400_000;
/// Changes of a conversation among which its first answer must be.
const CHANGES_MAX: i64 = 40;
const AGENTS_MAX: usize = 3;

/// Who is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Availability {
    /// Somebody is available and it is open.
    pub online: bool,
    /// It is open.
    pub open_now: bool,
    /// When it opens next.
    pub next_open_at: Option<Timestamp>,
    /// Published hours.
    pub hours: Option<Hours>,
    /// How long an answer takes, when shown.
    pub expected_wait_ms: Option<i64>,
    /// Names, when shown.
    pub agents: Vec<WidgetAgent>,
}

impl Availability {
    /// As visitors are told when it changes.
    pub fn frame(&self) -> ServerFrame {
        ServerFrame::Availability {
            online: self.online,
            open_now: self.open_now,
            next_open_at: self.next_open_at,
            expected_wait_ms: self.expected_wait_ms,
            agents: self.agents.clone(),
        }
    }
}

/// Looks at one inbox.
pub async fn of(
    live: &Live,
    workspace: WorkspaceId,
    inbox: InboxId,
    settings: &WebchatSettings,
) -> Result<Availability, StoreError> {
    let desk = live.desk();
    let now = desk.now();
    let here = live.hub().agents_here(workspace, now);
    let hours_id = settings.business_hours_id;
    let known_wait = if settings.show_wait { live.doors().known_wait(inbox, now) } else { Some(None) };
    let (hours, mut names, wait) = desk
        .db
        .read(move |tx| -> Result<_, StoreError> {
            let hours = match hours_id {
                Some(id) => store::business_hours::find(tx, workspace, id)?.map(|found| found.hours),
                None => None,
            };
            let row = store::inbox::get(tx, workspace, inbox)?;
            let names: Vec<String> = store::agent::list(tx, workspace)?
                .into_iter()
                .filter(|agent| agent.archived_at.is_none() && agent.availability == Word::Available && here.contains(&agent.id))
                .filter(|agent| row.agent_ids.is_empty() || row.agent_ids.contains(&agent.id))
                .map(|agent| agent.name)
                .collect();
            let wait = match known_wait {
                Some(known) => known,
                None => expected_wait(tx, workspace, inbox, now)?,
            };
            Ok((hours, names, wait))
        })
        .await?;
    if settings.show_wait {
        live.doors().set_wait(inbox, wait, now);
    }
    let open_now = hours.as_ref().is_none_or(|hours| hours.is_open(now));
    let next_open_at = if open_now { None } else { hours.as_ref().and_then(|hours| hours.next_open(now)) };
    let online = open_now && !names.is_empty();
    names.truncate(AGENTS_MAX);
    let shown = online && settings.show_agents;
    Ok(Availability {
        online,
        open_now,
        next_open_at,
        hours,
        expected_wait_ms: wait.filter(|_| online && settings.show_wait),
        agents: if shown { names.into_iter().map(|name| WidgetAgent { name: first_name(&name) }).collect() } else { Vec::new() },
    })
}

fn first_name(name: &str) -> String {
    name.split_whitespace().next().unwrap_or(name).to_owned()
}

/// The median time to the first answer of the latest conversations; none when there are too few to tell.
fn expected_wait(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId, now: Timestamp) -> Result<Option<i64>, StoreError> {
    let mut waits = Vec::new();
    for folder in [Folder::Open, Folder::Waiting, Folder::Closed] {
        for conversation in walk(tx, workspace, folder, Cut::Inbox(inbox), Order::Newest, Order::Newest.start(), SAMPLE_COUNT)? {
            if conversation.imported || now.since(conversation.created_at) > SAMPLE_AGE_MS {
                continue;
            }
            let entries = store::entry::changed_since(tx, workspace, conversation.id, 0, CHANGES_MAX)?;
            let asked = entries.iter().filter(|e| e.direction == Direction::In).map(|e| e.at).min();
            let answers =
                entries.iter().filter(|e| e.direction == Direction::Out && e.author_kind == AuthorKind::Agent && !e.notification);
            let answered =
                asked.and_then(|asked| answers.map(|e| e.at).filter(|at| *at >= asked).min().map(|at| at.since(asked)));
            waits.extend(answered);
        }
    }
    Ok(median(waits))
}

fn median(mut waits: Vec<i64>) -> Option<i64> {
    if waits.len() < SAMPLE_COUNT_MIN {
        return None;
    }
    waits.sort_unstable();
    Some(waits[waits.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_the_middle_one_and_needs_a_few() {
        assert_eq!(median(vec![5, 1]), None);
        assert_eq!(median(vec![9, 1, 5]), Some(5));
        assert_eq!(median(vec![100_000, 2, 3, 4]), Some(4));
    }

    #[test]
    fn visitors_see_first_names() {
        assert_eq!(first_name("Lea Sommer"), "Lea");
        assert_eq!(first_name("Ada"), "Ada");
    }
}
