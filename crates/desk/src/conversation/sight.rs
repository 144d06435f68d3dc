//! Who may see which conversation. Made once per request (or kept by the feed for its sockets) and then asked per row.

use crate::context::Who;
use crate::people::rights;
use model::{AgentId, InboxId, TeamId, WorkspaceId};
use std::collections::HashSet;
use store::conversation::Conversation;
use store::{Conn, StoreError};

/// What one agent may see.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// The agent.
    pub agent: AgentId,
    /// Everything; the sets are then empty.
    pub everything: bool,
    /// Inboxes that are open to the agent.
    pub inboxes: HashSet<InboxId>,
    /// Teams of the agent.
    pub teams: HashSet<TeamId>,
}

impl Sight {
    /// Reads what an agent may see now.
    pub fn load(tx: &mut dyn Conn, who: &Who) -> Result<Self, StoreError> {
        Self::load_for(tx, who.workspace, who.agent, who.role)
    }

    /// The same by parts.
    pub fn load_for(tx: &mut dyn Conn, workspace: WorkspaceId, agent: AgentId, role: model::Role) -> Result<Self, StoreError> {
        let teams: HashSet<TeamId> = store::team::list_of_agent(tx, workspace, agent)?.into_iter().collect();
        if rights::may_see_everything(role) {
            return Ok(Self { agent, everything: true, inboxes: HashSet::new(), teams });
        }
        let by_team = rights::may_see_inboxes_of_teams(role);
        let inboxes = store::inbox::list(tx, workspace)?
            .into_iter()
            .filter(|inbox| {
                inbox.agent_ids.is_empty()
                    || inbox.agent_ids.contains(&agent)
                    || (by_team && inbox.team_id.is_some_and(|team| teams.contains(&team)))
            })
            .map(|inbox| inbox.id)
            .collect();
        Ok(Self { agent, everything: false, inboxes, teams })
    }

    /// May the agent see what is in this inbox?
    pub fn sees_inbox(&self, inbox: InboxId) -> bool {
        self.everything || self.inboxes.contains(&inbox)
    }

    /// May the agent see this conversation? `mentioned`: an open mention of the agent stands in it.
    pub fn sees(&self, conversation: &Conversation, mentioned: bool) -> bool {
        mentioned
            || self.sees_inbox(conversation.inbox_id)
            || conversation.agent_id == Some(self.agent)
            || conversation.team_id.is_some_and(|team| self.teams.contains(&team))
    }

    /// The same, looking up the mention only when it decides.
    pub fn may_see(&self, tx: &mut dyn Conn, workspace: WorkspaceId, conversation: &Conversation) -> Result<bool, StoreError> {
        if self.sees(conversation, false) {
            return Ok(true);
        }
        Ok(!store::conversation::seen::mentioned_of(tx, workspace, self.agent, &[conversation.id])?.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::rows::tests::conversation;

    fn sight(inboxes: &[i64], teams: &[i64]) -> Sight {
        Sight {
            agent: AgentId(9),
            everything: false,
            inboxes: inboxes.iter().map(|id| InboxId(*id)).collect(),
            teams: teams.iter().map(|id| TeamId(*id)).collect(),
        }
    }

    #[test]
    fn inbox_assignment_team_and_mention_each_open_a_conversation() {
        let mut there = conversation(1);
        there.inbox_id = InboxId(5);
        assert!(sight(&[5], &[]).sees(&there, false));
        let closed = sight(&[6], &[3]);
        assert!(!closed.sees(&there, false));
        assert!(closed.sees(&there, true));
        there.team_id = Some(TeamId(3));
        assert!(closed.sees(&there, false));
        there.team_id = None;
        there.agent_id = Some(AgentId(9));
        assert!(closed.sees(&there, false));
        there.agent_id = Some(AgentId(8));
        assert!(!closed.sees(&there, false));
        let admin = Sight { everything: true, ..sight(&[], &[]) };
        assert!(admin.sees(&there, false) && admin.sees_inbox(InboxId(77)));
    }
}
