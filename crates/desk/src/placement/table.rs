//! The decision table of domain.md 7.1: one function a rule, asked in order; the first that decides wins.

use super::{Action, Candidate, Facts, Named, Placement, Step};
use crate::settings::rules::MatchingRules;
use model::{Channel, ConversationId, Status, Timestamp};

const HOUR_MS: i64 = 3_600_000;
const NEW: Action = Action::New { follow_up_of: None };
/// A topic that nothing can be said about, among conversations of one channel.
const UNKNOWN_ON_SAME_CHANNEL: f64 = 0.5;
/// Thresholds are typed as decimals: a hair must not decide.
const HAIR: f64 = 1e-9;

struct Table<'a> {
    facts: &'a Facts,
    rules: &'a MatchingRules,
    /// The contact's conversations that are in the race.
    candidates: Vec<&'a Candidate>,
    steps: Vec<Step>,
    flags: Vec<&'static str>,
}

/// Walks the table; the first row that matches decides. `candidates` are the conversations of the contact.
pub fn place(facts: &Facts, candidates: &[Candidate], rules: &MatchingRules) -> Placement {
    let mut table = Table { facts, rules, candidates: candidates.iter().collect(), steps: vec![], flags: vec![] };
    table.walk()
}

/// The conversations whose topic may decide, so that texts are read for these and no others.
pub fn wants_topics(facts: &Facts, candidates: &[Candidate], rules: &MatchingRules) -> Vec<ConversationId> {
    let decided = facts.blocked
        || facts.disproved
        || facts.token.is_some()
        || facts.answers.is_some()
        || facts.automatic
        || facts.reference.is_some_and(|r| r.takes_part)
        || !facts.known;
    if decided {
        return vec![];
    }
    let table = Table { facts, rules, candidates: candidates.iter().collect(), steps: vec![], flags: vec![] };
    let open = table.open();
    let same: Vec<&&Candidate> = open.iter().filter(|c| table.goes_on_here(c)).collect();
    // One open conversation on this channel that is not quiet takes the entry whatever it is about.
    if let [one] = same.as_slice()
        && !table.is_quiet(one)
    {
        return vec![];
    }
    let active = open.iter().filter(|c| !table.is_quiet(c));
    let mut wanted: Vec<ConversationId> = same.iter().map(|c| c.id).chain(active.map(|c| c.id)).collect();
    wanted.extend(table.most_recently_resolved().map(|c| c.id));
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

impl<'a> Table<'a> {
    fn walk(&mut self) -> Placement {
        if self.facts.blocked {
            return self.done("T0-blocked", Action::Quarantine, "the sender is blocked");
        }
        if self.facts.disproved {
            return match self.facts.from_us {
                true => self.done("T0-spoof", Action::Quarantine, "a forged mail in the name of one of our addresses"),
                false => self.done("T0-spoof", NEW, "the sender is proven false: nothing it refers to counts"),
            };
        }
        let named = [("T1-token", self.facts.token, "its token"), ("T2-reply", self.facts.answers, "a message that it answers")];
        for (rule, named, how) in named {
            match named {
                Some(named) => return self.land_on(rule, named, how),
                None => self.said(rule, "nothing found"),
            }
        }
        if self.facts.automatic {
            return self.done("T0-auto", Action::Suppress, "written by a machine, and it answers nothing of ours");
        }
        self.said("T0-auto", "not automatic");
        match self.facts.reference {
            Some(named) if named.takes_part => return self.land_on("T3-reference", named, "its case number"),
            Some(_) => {
                self.flags.push("foreign_reference");
                self.said("T3-reference", "the case number belongs to a conversation in which the sender takes no part");
            }
            None => self.said("T3-reference", "no case number"),
        }
        if !self.facts.known {
            return self.done("T8-new", NEW, "the contact is new");
        }
        self.order()
            .or_else(|| self.same_channel())
            .or_else(|| self.subject())
            .or_else(|| self.cross_channel())
            .or_else(|| self.recent())
            .unwrap_or_else(|| {
                let related = self.most_recently_resolved().map(|c| c.id).into_iter().collect();
                Placement { related, ..self.done("T8-new", NEW, "no conversation of this contact fits") }
            })
    }

    fn said(&mut self, rule: &'static str, said: &str) {
        self.steps.push(Step { rule, said: said.to_owned() });
    }

    fn done(&mut self, rule: &'static str, action: Action, said: &str) -> Placement {
        self.said(rule, said);
        let (steps, flags) = (std::mem::take(&mut self.steps), std::mem::take(&mut self.flags));
        Placement { rule, action, candidates: vec![], related: vec![], flags, provisional: false, steps }
    }

    fn land_on(&mut self, rule: &'static str, named: Named, how: &str) -> Placement {
        if self.facts.automatic {
            return self.done(
                rule,
                Action::AppendSilently(named.id),
                &format!("{how} names the conversation; a machine wrote it"),
            );
        }
        let action = self.land(named.id, named.status, named.resolved_at);
        if !named.takes_part && action.conversation().is_some() {
            self.flags.push("new_participant");
        }
        self.done(rule, action, &format!("{how} names the conversation"))
    }

    /// Landing on a conversation that is over: a goodbye is silent, within the window it opens again, an older or locked one
    /// is followed by a new one.
    fn land(&self, id: ConversationId, status: Status, resolved_at: Option<Timestamp>) -> Action {
        if status.is_open() {
            return Action::Append(id);
        }
        let recent = self.is_recent(resolved_at);
        if recent && self.facts.closing {
            return Action::AppendSilently(id);
        }
        if recent && status == Status::Resolved { Action::Reopen(id) } else { Action::New { follow_up_of: Some(id) } }
    }

    fn is_recent(&self, resolved_at: Option<Timestamp>) -> bool {
        resolved_at.is_some_and(|at| self.facts.at.since(at) <= self.rules.reopen_hours * HOUR_MS)
    }

    fn is_quiet(&self, candidate: &Candidate) -> bool {
        self.facts.at.since(candidate.active_at) > self.rules.cross_channel_hours * HOUR_MS
    }

    fn open(&self) -> Vec<&'a Candidate> {
        self.candidates.iter().copied().filter(|c| c.status.is_open()).collect()
    }

    fn most_recently_resolved(&self) -> Option<&'a Candidate> {
        let over = self.candidates.iter().copied().filter(|c| !c.status.is_open() && self.is_recent(c.resolved_at));
        over.max_by_key(|c| (c.resolved_at, c.id))
    }

    fn topic(&self, candidate: &Candidate) -> Option<f64> {
        self.facts.topics.get(&candidate.id).copied()
    }

    fn is_vetoed(&self, candidate: &Candidate) -> bool {
        self.topic(candidate).is_some_and(|share| share < self.rules.topic_veto - HAIR)
    }

    fn is_same_topic(&self, candidate: &Candidate) -> bool {
        self.topic(candidate).is_some_and(|share| share >= self.rules.topic_min - HAIR)
    }

    fn order(&mut self) -> Option<Placement> {
        const RULE: &str = "T4-order";
        if self.facts.orders.is_empty() {
            self.said(RULE, "no order number");
            return None;
        }
        let orders = &self.facts.orders;
        let with: Vec<&Candidate> =
            self.candidates.iter().copied().filter(|c| c.orders.iter().any(|o| orders.contains(o))).collect();
        let open: Vec<&&Candidate> = with.iter().filter(|c| c.status.is_open()).collect();
        let over: Vec<&&Candidate> = with.iter().filter(|c| !c.status.is_open() && self.is_recent(c.resolved_at)).collect();
        let hit = match (open.as_slice(), over.as_slice()) {
            ([one], _) | ([], [one]) => Some(**one),
            _ => None,
        };
        if let Some(hit) = hit {
            let action = self.land(hit.id, hit.status, hit.resolved_at);
            return Some(self.done(RULE, action, "the one conversation with this order"));
        }
        // What is about other orders is about something else.
        let other = |c: &Candidate| !c.orders.is_empty() && !c.orders.iter().any(|o| orders.contains(o));
        self.candidates.retain(|c| !other(c));
        self.said(RULE, "no single conversation with this order; those with other orders are out");
        None
    }

    fn goes_on_here(&self, candidate: &Candidate) -> bool {
        let channel = self.facts.channel;
        let goes_on = matches!(channel, Channel::Webchat | Channel::Api) || self.rules.messaging_channels.contains(&channel);
        goes_on && !self.facts.has_subject && candidate.ways.contains(&self.facts.way)
    }

    fn same_channel(&mut self) -> Option<Placement> {
        const RULE: &str = "T5-same-channel";
        let open = self.open();
        let fitting = open.into_iter().filter(|c| self.goes_on_here(c) && !(self.is_quiet(c) && self.is_vetoed(c)));
        let best = fitting.max_by(|a, b| {
            let share = |c: &Candidate| self.topic(c).unwrap_or(UNKNOWN_ON_SAME_CHANNEL);
            share(a).total_cmp(&share(b)).then(a.active_at.cmp(&b.active_at)).then(a.id.cmp(&b.id))
        });
        match best {
            Some(best) => Some(self.done(RULE, Action::Append(best.id), "it goes on where this channel is open")),
            None => {
                self.said(RULE, "no open conversation on this channel");
                None
            }
        }
    }

    fn subject(&mut self) -> Option<Placement> {
        const RULE: &str = "T5-subject";
        let is_mail = self.facts.channel == Channel::Email || self.facts.has_subject;
        let Some(subject) = self.facts.subject.as_ref().filter(|_| is_mail) else {
            self.said(RULE, "no subject");
            return None;
        };
        let active = |c: &&Candidate| self.facts.at.since(c.active_at) <= self.rules.subject_hours * HOUR_MS;
        let same: Vec<&Candidate> =
            self.open().into_iter().filter(active).filter(|c| c.subject.as_ref() == Some(subject)).collect();
        if let [one] = same.as_slice() {
            let id = one.id;
            return Some(self.done(RULE, Action::Append(id), "the one open conversation with this subject"));
        }
        self.said(RULE, if same.is_empty() { "no open conversation with this subject" } else { "several have this subject" });
        None
    }

    fn cross_channel(&mut self) -> Option<Placement> {
        let fitting: Vec<&Candidate> = self.open().into_iter().filter(|c| !self.is_quiet(c) && !self.is_vetoed(c)).collect();
        match fitting.as_slice() {
            [] => {
                self.said("T6-cross-channel", "no conversation is open, active and about the same");
                None
            }
            [one] => {
                let id = one.id;
                let provisional = self.facts.channel == Channel::Voice;
                let placed = self.done("T6-cross-channel", Action::Append(id), "the one that is open and active");
                Some(Placement { provisional, ..placed })
            }
            several => {
                let mut sorted: Vec<(&Candidate, f64)> = several.iter().map(|c| (*c, self.topic(c).unwrap_or(0.0))).collect();
                sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.0.active_at.cmp(&a.0.active_at)));
                let (best, next) = (sorted[0], sorted[1]);
                if best.1 >= self.rules.topic_min - HAIR && best.1 - next.1 >= self.rules.topic_margin - HAIR {
                    return Some(self.done("T6-topic", Action::Append(best.0.id), "the topic is clear"));
                }
                let candidates = sorted.iter().map(|(c, _)| c.id).collect();
                Some(Placement {
                    candidates,
                    ..self.done("T6-ambiguous", NEW, "several fit and no topic is clear: an agent is asked")
                })
            }
        }
    }

    fn recent(&mut self) -> Option<Placement> {
        const RULE: &str = "T7-recent";
        let Some(last) = self.most_recently_resolved() else {
            self.said(RULE, "none was resolved recently");
            return None;
        };
        let same_channel = last.ways.contains(&self.facts.way) && self.topic(last).is_none();
        if !self.facts.closing && !same_channel && !self.is_same_topic(last) {
            self.said(RULE, "the last one was on another channel, or about something else");
            return None;
        }
        let action = self.land(last.id, last.status, last.resolved_at);
        Some(self.done(RULE, action, "the one that was resolved last"))
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
