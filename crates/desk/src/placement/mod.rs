//! Which conversation an entry gets (domain.md 7). `table` walks the rules, `token` makes and reads the signed texts that
//! lead back, `topic` and `closing` read the text, `subject` the subject. Pure: the contact's conversations and the facts of
//! the event in, a rule and its trace out.

pub mod closing;
pub mod subject;
pub mod table;
pub mod token;
pub mod topic;

pub use table::place;

use crate::settings::rules::MatchingRules;
use model::{Channel, ConversationId, InboxId, Status, Timestamp};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use store::conversation::Conversation;

/// The name under which a conversation remembers a channel. An inbox of the open channel is a channel of its own.
pub fn way(channel: Channel, inbox: Option<InboxId>) -> String {
    match (channel, inbox) {
        (Channel::Api, Some(inbox)) => format!("{channel}:{inbox}"),
        _ => channel.to_string(),
    }
}

/// An order number as it is compared.
pub fn order_key(number: &str) -> Option<String> {
    let key: String =
        number.trim().trim_start_matches('#').chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect();
    (!key.is_empty()).then(|| model::fold::truncate(&key, 60).to_owned())
}

/// One conversation of the contact, as the rules see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub id: ConversationId,
    /// Where it stands.
    pub status: Status,
    /// Every channel that it has used, by `way`.
    pub ways: Vec<String>,
    /// Last entry.
    pub active_at: Timestamp,
    /// Last resolve.
    pub resolved_at: Option<Timestamp>,
    /// Order numbers named in it.
    pub orders: Vec<String>,
    /// Its subject, bare.
    pub subject: Option<String>,
}

impl Candidate {
    /// The candidate that a row is; none when it was merged away or is spam.
    pub fn of(row: &Conversation) -> Option<Self> {
        (row.merged_into.is_none() && !row.spam).then(|| Self {
            id: row.id,
            status: row.status,
            ways: row.channels.clone(),
            active_at: row.last_activity_at,
            resolved_at: row.resolved_at,
            orders: row.orders.clone(),
            subject: row.subject.as_deref().and_then(subject::bare),
        })
    }
}

/// A conversation that a token, a header or a case number names; merge pointers followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Named {
    /// Its id.
    pub id: ConversationId,
    /// Where it stands.
    pub status: Status,
    /// Last resolve.
    pub resolved_at: Option<Timestamp>,
    /// The sender is its customer or a participant.
    pub takes_part: bool,
}

/// What is known of the event.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// How it came.
    pub channel: Channel,
    /// The same, by `way`.
    pub way: String,
    /// It came through an inbox whose messages have subjects, on a channel that otherwise is one long talk.
    pub has_subject: bool,
    /// When.
    pub at: Timestamp,
    /// The sender is blocked.
    pub blocked: bool,
    /// The sender is proven false.
    pub disproved: bool,
    /// It pretends to come from an inbox or an agent of ours.
    pub from_us: bool,
    /// The contact is known.
    pub known: bool,
    /// Written by a machine.
    pub automatic: bool,
    /// "Thanks, done".
    pub closing: bool,
    /// A valid token names this one.
    pub token: Option<Named>,
    /// It answers an entry of this one.
    pub answers: Option<Named>,
    /// A case number names this one.
    pub reference: Option<Named>,
    /// Order numbers, as compared.
    pub orders: Vec<String>,
    /// Its subject, bare.
    pub subject: Option<String>,
    /// How alike topics are, where something can be said.
    pub topics: BTreeMap<ConversationId, f64>,
}

/// What happens to the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It joins an open conversation.
    Append(ConversationId),
    /// It joins a resolved one, which opens again.
    Reopen(ConversationId),
    /// It joins without status, clock or notification.
    AppendSilently(ConversationId),
    /// A new conversation, perhaps the follow-up of another.
    New {
        /// The conversation that it follows.
        follow_up_of: Option<ConversationId>,
    },
    /// No entry: kept as a raw event only.
    Suppress,
    /// No entry: put aside for somebody with more rights.
    Quarantine,
}

impl Action {
    /// The conversation that the entry joins.
    pub fn conversation(self) -> Option<ConversationId> {
        match self {
            Self::Append(id) | Self::Reopen(id) | Self::AppendSilently(id) => Some(id),
            Self::New { .. } | Self::Suppress | Self::Quarantine => None,
        }
    }
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
    /// Shown beside a new one.
    pub related: Vec<ConversationId>,
    /// `foreign_reference`, `new_participant`.
    pub flags: Vec<&'static str>,
    /// It holds until an agent confirms: a call that has not said yet what it is about.
    pub provisional: bool,
    /// Every rule that was asked, in order, and what it said.
    pub steps: Vec<Step>,
}

/// One rule that was asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Its code.
    pub rule: &'static str,
    /// What it said.
    pub said: String,
}

impl Placement {
    /// What "why?" shows.
    pub fn trace(&self, facts: &Facts, rules: &MatchingRules) -> serde_json::Value {
        json!({
            "rule": self.rule, "action": self.action, "candidates": self.candidates, "related": self.related, "steps": self.steps,
            "provisional": self.provisional, "channel": facts.channel, "closing": facts.closing, "orders": facts.orders,
            "topics": facts.topics.iter().map(|(id, share)| (id.to_string(), json!(share))).collect::<serde_json::Map<_, _>>(),
            "windows": {
                "reopen_hours": rules.reopen_hours, "cross_channel_hours": rules.cross_channel_hours, "subject_hours": rules.subject_hours,
                "topic_min": rules.topic_min, "topic_margin": rules.topic_margin, "topic_veto": rules.topic_veto,
            },
        })
    }
}
