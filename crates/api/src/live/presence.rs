//! Who is where and does what, in memory only. Agents beat every few seconds and are gone when they stop; a customer is
//! online while a socket of the widget is open. Time is passed in; nothing here waits or sends.

use crate::types::live::{AgentPresence, CustomerPresence, Doing, Presence};
use model::{AgentId, ConversationId, Timestamp, WorkspaceId};
use std::collections::{BTreeMap, HashMap};

/// An agent is gone so long after the last beat.
pub const GONE_MS: i64 = 10_000;
/// A customer stops typing so long after the last sign of it.
pub const TYPING_MS: i64 = 8_000;

/// A conversation of a workspace.
pub type Place = (WorkspaceId, ConversationId);

#[derive(Debug, Default)]
struct Here {
    agents: BTreeMap<AgentId, (Doing, Timestamp)>,
    typing_until: Option<Timestamp>,
    online: bool,
}

impl Here {
    fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.typing_until.is_none() && !self.online
    }
    fn seen(&self) -> Presence {
        Presence {
            agents: self
                .agents
                .iter()
                .map(|(agent_id, (doing, _))| AgentPresence { agent_id: *agent_id, doing: *doing })
                .collect(),
            customer: CustomerPresence { typing: self.typing_until.is_some(), online: self.online },
        }
    }
}

/// Everybody's presence.
#[derive(Debug, Default)]
pub struct Presences {
    places: HashMap<Place, Here>,
}

impl Presences {
    /// An agent does something here, or (`None`) has left. True when that is news.
    pub fn agent(&mut self, place: Place, agent: AgentId, doing: Option<Doing>, now: Timestamp) -> bool {
        let here = self.places.entry(place).or_default();
        let before = here.agents.get(&agent).map(|(doing, _)| *doing);
        match doing {
            Some(doing) => here.agents.insert(agent, (doing, now.plus_ms(GONE_MS))),
            None => here.agents.remove(&agent),
        };
        self.tidy(place);
        before != doing
    }

    /// The customer writes, or stopped. True when that is news.
    pub fn typing(&mut self, place: Place, on: bool, now: Timestamp) -> bool {
        let here = self.places.entry(place).or_default();
        let before = here.typing_until.is_some();
        here.typing_until = on.then(|| now.plus_ms(TYPING_MS));
        self.tidy(place);
        before != on
    }

    /// The customer has the widget open, or not. True when that is news.
    pub fn online(&mut self, place: Place, online: bool) -> bool {
        let here = self.places.entry(place).or_default();
        let before = std::mem::replace(&mut here.online, online);
        self.tidy(place);
        before != online
    }

    /// Forgets who has not been heard of; gives the places that changed.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Place> {
        let mut changed = Vec::new();
        self.places.retain(|place, here| {
            let before = (here.agents.len(), here.typing_until.is_some());
            here.agents.retain(|_, (_, until)| *until > now);
            here.typing_until = here.typing_until.filter(|until| *until > now);
            if before != (here.agents.len(), here.typing_until.is_some()) {
                changed.push(*place);
            }
            !here.is_empty()
        });
        changed
    }

    /// Who is here.
    pub fn at(&self, place: Place) -> Presence {
        self.places.get(&place).map(Here::seen).unwrap_or_default()
    }

    /// The first agent who writes to the customer here.
    pub fn writer(&self, place: Place) -> Option<AgentId> {
        let here = self.places.get(&place)?;
        here.agents.iter().find(|(_, (doing, _))| *doing == Doing::TypingReply).map(|(agent, _)| *agent)
    }

    /// Every place of a workspace where somebody is: what a new socket is told.
    pub fn all(&self, workspace: WorkspaceId) -> Vec<(ConversationId, Presence)> {
        let mut all: Vec<_> =
            self.places.iter().filter(|((at, _), _)| *at == workspace).map(|((_, id), here)| (*id, here.seen())).collect();
        all.sort_by_key(|(id, _)| *id);
        all
    }

    fn tidy(&mut self, place: Place) {
        if self.places.get(&place).is_some_and(Here::is_empty) {
            self.places.remove(&place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = (WorkspaceId(1), ConversationId(7));
    const BO: AgentId = AgentId(2);

    #[test]
    fn only_changes_are_news_and_a_silent_agent_is_gone() {
        let mut all = Presences::default();
        let now = Timestamp(1_000_000);
        assert!(all.agent(PLACE, BO, Some(Doing::Viewing), now));
        assert!(!all.agent(PLACE, BO, Some(Doing::Viewing), now.plus_ms(5_000)));
        assert!(all.agent(PLACE, BO, Some(Doing::TypingReply), now.plus_ms(6_000)));
        assert_eq!(all.writer(PLACE), Some(BO));
        assert!(all.expire(now.plus_ms(15_999)).is_empty());
        assert_eq!(all.expire(now.plus_ms(16_000)), [PLACE]);
        assert_eq!(all.at(PLACE), Presence::default());
        assert!(all.places.is_empty(), "nothing is kept of empty places");
        assert!(!all.agent(PLACE, BO, None, now) && all.places.is_empty());
    }

    #[test]
    fn a_customer_types_for_a_while_and_is_online_until_the_socket_closes() {
        let mut all = Presences::default();
        let now = Timestamp(1_000_000);
        assert!(all.online(PLACE, true) && !all.online(PLACE, true));
        assert!(all.typing(PLACE, true, now) && !all.typing(PLACE, true, now.plus_ms(3_000)));
        assert_eq!(all.at(PLACE).customer, CustomerPresence { typing: true, online: true });
        assert_eq!(all.expire(now.plus_ms(11_000)), [PLACE]);
        assert_eq!(all.all(WorkspaceId(1)).len(), 1);
        assert!(all.all(WorkspaceId(2)).is_empty());
        assert!(all.online(PLACE, false));
        assert!(all.places.is_empty());
    }
}
