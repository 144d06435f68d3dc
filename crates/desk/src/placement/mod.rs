//! Which conversation an entry gets: reply headers, open windows, channel switch, or a new one (domain.md 7.1). Pure: the
//! contact's conversations and the facts of the event in, a rule and its trace out.

pub mod token;

use model::{Channel, ConversationId, Status, Timestamp};
use serde::Serialize;
use serde_json::json;

/// The name under which a conversation remembers a channel. An inbox of the open channel is a channel of its own.
pub fn way(channel: Channel, inbox: Option<model::InboxId>) -> String {
    match (channel, inbox) {
        (Channel::Api, Some(inbox)) => format!("{channel}:{inbox}"),
        _ => channel.to_string(),
    }
}

const HOUR_MS: i64 = 3_600_000;

/// Windows of the decision table; settings of the workspace, limits inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Windows {
    /// A resolved conversation opens again within this time.
    pub reopen_ms: i64,
    /// Another channel joins an open conversation that was active within this time.
    pub other_channel_ms: i64,
}
impl Default for Windows {
    fn default() -> Self {
        Self { reopen_ms: 168 * HOUR_MS, other_channel_ms: 72 * HOUR_MS }
    }
}

/// One conversation of the contact, as the rules see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub id: ConversationId,
    /// Where it stands.
    pub status: Status,
    /// Channels that it uses.
    pub channels: Vec<Channel>,
    /// Last entry.
    pub active_at: Timestamp,
    /// Last resolve.
    pub resolved_at: Option<Timestamp>,
}

/// What is known of the event.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// How it came.
    pub channel: Channel,
    /// When.
    pub at: Timestamp,
    /// The sender is proven false.
    pub disproved: bool,
    /// The contact was made by this event.
    pub new_contact: bool,
    /// The conversation of one of our messages that it answers, or of a valid token (merge pointers followed).
    pub answers: Option<(ConversationId, Status, Option<Timestamp>)>,
    /// "Thanks, done".
    pub closing: bool,
    /// Written by a machine.
    pub automatic: bool,
}

/// What happens to the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It joins a conversation, which opens when it was not.
    Append(ConversationId),
    /// It joins without status, clock or notification.
    AppendSilently(ConversationId),
    /// A new conversation, perhaps the follow-up of a locked one.
    New {
        /// The conversation that it follows.
        follow_up_of: Option<ConversationId>,
    },
    /// No entry: kept as a raw event only.
    Suppress,
}

/// A decision with its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Code of the rule.
    pub rule: &'static str,
    /// What to do.
    pub action: Action,
    /// Others that would have fitted: one press moves the entry there.
    pub candidates: Vec<ConversationId>,
}

impl Placement {
    fn of(rule: &'static str, action: Action) -> Self {
        Self { rule, action, candidates: vec![] }
    }
    /// What "why?" shows.
    pub fn trace(&self, facts: &Facts, windows: &Windows) -> serde_json::Value {
        json!({
            "rule": self.rule, "action": self.action, "candidates": self.candidates, "channel": facts.channel,
            "answers_ours": facts.answers.map(|(id, ..)| id), "windows": {"reopen_ms": windows.reopen_ms, "other_channel_ms": windows.other_channel_ms},
        })
    }
}

/// Walks the table; the first row that matches decides.
pub fn place(facts: &Facts, candidates: &[Candidate], windows: &Windows) -> Placement {
    if facts.disproved {
        return Placement::of("T0-spoof", Action::New { follow_up_of: None });
    }
    if let Some((id, status, resolved_at)) = facts.answers {
        let landed = land(facts, id, status, resolved_at, windows);
        return Placement::of("T2-reply", if facts.automatic { Action::AppendSilently(id) } else { landed });
    }
    if facts.automatic {
        return Placement::of("T0-auto", Action::Suppress);
    }
    if facts.new_contact {
        return Placement::of("T8-new", Action::New { follow_up_of: None });
    }
    let open: Vec<&Candidate> = candidates.iter().filter(|c| c.status.is_open()).collect();
    if facts.channel != Channel::Email
        && let Some(same) = open.iter().filter(|c| c.channels.contains(&facts.channel)).max_by_key(|c| (c.active_at, c.id))
    {
        return Placement::of("T5-same-channel", Action::Append(same.id));
    }
    let active: Vec<&&Candidate> = open.iter().filter(|c| facts.at.since(c.active_at) <= windows.other_channel_ms).collect();
    match active.as_slice() {
        [] => {}
        [one] => return Placement::of("T6-cross-channel", Action::Append(one.id)),
        several => {
            let candidates = several.iter().map(|c| c.id).collect();
            return Placement { candidates, ..Placement::of("T6-ambiguous", Action::New { follow_up_of: None }) };
        }
    }
    let resolved = candidates.iter().filter(|c| !c.status.is_open()).max_by_key(|c| (c.resolved_at, c.id));
    match resolved {
        Some(last) if within(facts, last.resolved_at, windows) && last.channels.contains(&facts.channel) => {
            Placement::of("T7-recent", land(facts, last.id, last.status, last.resolved_at, windows))
        }
        _ => Placement::of("T8-new", Action::New { follow_up_of: None }),
    }
}

fn within(facts: &Facts, resolved_at: Option<Timestamp>, windows: &Windows) -> bool {
    resolved_at.is_some_and(|at| facts.at.since(at) <= windows.reopen_ms)
}

/// Landing on a resolved conversation: closing within the window is silent, within it opens again, older or locked makes a
/// follow-up.
fn land(facts: &Facts, id: ConversationId, status: Status, resolved_at: Option<Timestamp>, windows: &Windows) -> Action {
    match status {
        Status::Closed => Action::New { follow_up_of: Some(id) },
        Status::Resolved if !within(facts, resolved_at, windows) => Action::New { follow_up_of: Some(id) },
        Status::Resolved if facts.closing => Action::AppendSilently(id),
        _ => Action::Append(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(2_000 * HOUR_MS);

    fn facts(channel: Channel) -> Facts {
        Facts { channel, at: NOW, disproved: false, new_contact: false, answers: None, closing: false, automatic: false }
    }
    fn candidate(id: i64, status: Status, channel: Channel, hours_ago: i64) -> Candidate {
        let at = NOW.plus_ms(-hours_ago * HOUR_MS);
        let resolved_at = (!status.is_open()).then_some(at);
        Candidate { id: ConversationId(id), status, channels: vec![channel], active_at: at, resolved_at }
    }
    fn rule(facts: &Facts, candidates: &[Candidate]) -> (&'static str, Action) {
        let placed = place(facts, candidates, &Windows::default());
        (placed.rule, placed.action)
    }
    const NEW: Action = Action::New { follow_up_of: None };
    use Channel::{Email, Sms, Webchat};
    use Status::{Closed, Open, Pending, Resolved};

    #[test]
    fn the_table_row_by_row() {
        let one = Action::Append(ConversationId(1));
        type Case = (&'static str, Channel, Vec<Candidate>, (&'static str, Action));
        let cases: Vec<Case> = vec![
            ("nobody known", Webchat, vec![], ("T8-new", NEW)),
            (
                "goes on in the open chat, however old",
                Webchat,
                vec![candidate(1, Pending, Webchat, 500)],
                ("T5-same-channel", one),
            ),
            (
                "the latest of two open chats",
                Webchat,
                vec![candidate(2, Open, Webchat, 9), candidate(1, Open, Webchat, 3)],
                ("T5-same-channel", one),
            ),
            ("another channel joins within 72 h", Sms, vec![candidate(1, Open, Webchat, 72)], ("T6-cross-channel", one)),
            ("another channel after 72 h is new", Sms, vec![candidate(1, Open, Webchat, 73)], ("T8-new", NEW)),
            (
                "two open ones: new, with candidates",
                Sms,
                vec![candidate(1, Open, Webchat, 1), candidate(2, Open, Email, 1)],
                ("T6-ambiguous", NEW),
            ),
            (
                "resolved within 168 h on the same channel opens again",
                Webchat,
                vec![candidate(1, Resolved, Webchat, 168)],
                ("T7-recent", one),
            ),
            ("resolved 169 h ago is new", Webchat, vec![candidate(1, Resolved, Webchat, 169)], ("T8-new", NEW)),
            ("resolved on another channel is new", Sms, vec![candidate(1, Resolved, Webchat, 2)], ("T8-new", NEW)),
        ];
        for (name, channel, candidates, wanted) in cases {
            assert_eq!(rule(&facts(channel), &candidates), wanted, "{name}");
        }
    }

    #[test]
    fn an_answer_goes_where_its_question_is_and_a_locked_one_makes_a_follow_up() {
        let answer = |status, hours: i64| Facts {
            answers: Some((ConversationId(1), status, Some(NOW.plus_ms(-hours * HOUR_MS)))),
            ..facts(Email)
        };
        assert_eq!(rule(&answer(Open, 900), &[]), ("T2-reply", Action::Append(ConversationId(1))));
        assert_eq!(rule(&answer(Resolved, 168), &[]), ("T2-reply", Action::Append(ConversationId(1))));
        let follow = Action::New { follow_up_of: Some(ConversationId(1)) };
        assert_eq!(rule(&answer(Resolved, 169), &[]), ("T2-reply", follow));
        assert_eq!(rule(&answer(Closed, 1), &[]), ("T2-reply", follow));
        let thanks = Facts { closing: true, ..answer(Resolved, 1) };
        assert_eq!(rule(&thanks, &[]), ("T2-reply", Action::AppendSilently(ConversationId(1))));
        let machine = Facts { automatic: true, ..answer(Open, 1) };
        assert_eq!(rule(&machine, &[]), ("T2-reply", Action::AppendSilently(ConversationId(1))));
    }

    #[test]
    fn forged_senders_stand_apart_and_machines_open_nothing() {
        let forged = Facts { disproved: true, answers: Some((ConversationId(1), Open, None)), ..facts(Email) };
        assert_eq!(rule(&forged, &[candidate(1, Open, Email, 1)]), ("T0-spoof", NEW));
        let machine = Facts { automatic: true, ..facts(Email) };
        assert_eq!(rule(&machine, &[candidate(1, Open, Email, 1)]), ("T0-auto", Action::Suppress));
    }
}
