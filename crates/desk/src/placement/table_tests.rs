//! The table row by row.

use super::*;
use crate::placement::{order_key, subject};
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp(2_000 * HOUR_MS);
const ONE: ConversationId = ConversationId(1);
const TWO: ConversationId = ConversationId(2);
/// Another messaging channel than Sms, whichever.
const TEXTS: Channel = Channel::ALL[3];
use Channel::{Email, Sms, Voice, Webchat};
use Status::{Closed, Open, Pending, Resolved};

fn facts(channel: Channel) -> Facts {
    Facts {
        channel,
        way: channel.to_string(),
        has_subject: false,
        at: NOW,
        blocked: false,
        disproved: false,
        from_us: false,
        known: true,
        automatic: false,
        closing: false,
        token: None,
        answers: None,
        reference: None,
        orders: vec![],
        subject: None,
        topics: BTreeMap::new(),
    }
}
fn about(channel: Channel, topics: &[(ConversationId, f64)]) -> Facts {
    Facts { topics: topics.iter().copied().collect(), ..facts(channel) }
}
fn on(id: ConversationId, status: Status, channel: Channel, hours_ago: i64) -> Candidate {
    let at = NOW.plus_ms(-hours_ago * HOUR_MS);
    let resolved_at = (!status.is_open()).then_some(at);
    Candidate { id, status, ways: vec![channel.to_string()], active_at: at, resolved_at, orders: vec![], subject: None }
}
fn with_order(order: &str, candidate: Candidate) -> Candidate {
    Candidate { orders: order_key(order).into_iter().collect(), ..candidate }
}
fn titled(title: &str, candidate: Candidate) -> Candidate {
    Candidate { subject: subject::bare(title), ..candidate }
}
fn named(status: Status, hours_ago: i64, takes_part: bool) -> Option<Named> {
    let resolved_at = (!status.is_open()).then(|| NOW.plus_ms(-hours_ago * HOUR_MS));
    Some(Named { id: ONE, status, resolved_at, takes_part })
}
fn placed(facts: &Facts, candidates: &[Candidate]) -> (&'static str, Action) {
    let placed = place(facts, candidates, &MatchingRules::default());
    assert_eq!(placed.steps.last().map(|s| s.rule), Some(placed.rule), "the last step is the rule that decided");
    (placed.rule, placed.action)
}
const FOLLOWS: Action = Action::New { follow_up_of: Some(ONE) };
const HERE: Action = Action::Append(ONE);

#[test]
fn the_blocked_and_the_forged_come_before_everything() {
    let busy = Facts { token: named(Open, 0, true), answers: named(Open, 0, true), ..facts(Email) };
    assert_eq!(placed(&Facts { blocked: true, disproved: true, ..busy.clone() }, &[]), ("T0-blocked", Action::Quarantine));
    assert_eq!(placed(&Facts { disproved: true, ..busy.clone() }, &[on(ONE, Open, Email, 1)]), ("T0-spoof", NEW));
    assert_eq!(placed(&Facts { disproved: true, from_us: true, ..busy }, &[]), ("T0-spoof", Action::Quarantine));
}

#[test]
fn tokens_and_headers_lead_back_and_a_machine_is_silent() {
    for (rule, of) in [
        ("T1-token", (|n| Facts { token: n, answers: named(Open, 0, true), ..facts(Email) }) as fn(Option<Named>) -> Facts),
        ("T2-reply", |n| Facts { answers: n, ..facts(Email) }),
        ("T3-reference", |n| Facts { reference: n, ..facts(Email) }),
    ] {
        assert_eq!(placed(&of(named(Pending, 900, true)), &[]), (rule, HERE));
        assert_eq!(placed(&of(named(Resolved, 168, true)), &[]), (rule, Action::Reopen(ONE)));
        assert_eq!(placed(&of(named(Resolved, 169, true)), &[]), (rule, FOLLOWS));
        assert_eq!(placed(&of(named(Closed, 1, true)), &[]), (rule, FOLLOWS));
        let thanks = |n| Facts { closing: true, ..of(n) };
        assert_eq!(placed(&thanks(named(Resolved, 168, true)), &[]), (rule, Action::AppendSilently(ONE)));
        assert_eq!(placed(&thanks(named(Resolved, 169, true)), &[]), (rule, FOLLOWS));
        assert_eq!(placed(&thanks(named(Open, 0, true)), &[]), (rule, HERE), "an open one takes it in the usual way");
    }
    let machine = Facts { automatic: true, answers: named(Closed, 900, false), ..facts(Email) };
    let silent = place(&machine, &[], &MatchingRules::default());
    assert_eq!((silent.rule, silent.action, silent.flags), ("T2-reply", Action::AppendSilently(ONE), vec![]));
    let alone = Facts { automatic: true, reference: named(Open, 0, true), orders: vec!["1".into()], ..facts(Email) };
    assert_eq!(placed(&alone, &[with_order("1", on(ONE, Open, Email, 1))]), ("T0-auto", Action::Suppress));
}

#[test]
fn who_takes_no_part_joins_by_token_or_header_and_never_by_a_case_number() {
    let flags = |facts: &Facts| place(facts, &[], &MatchingRules::default()).flags;
    assert_eq!(flags(&Facts { known: false, token: named(Open, 0, false), ..facts(Email) }), ["new_participant"]);
    assert_eq!(flags(&Facts { answers: named(Resolved, 1, false), ..facts(Email) }), ["new_participant"]);
    assert_eq!(
        flags(&Facts { answers: named(Closed, 1, false), ..facts(Email) }),
        Vec::<&str>::new(),
        "a follow-up is their own"
    );
    let foreign = Facts { reference: named(Open, 0, false), ..facts(Sms) };
    assert_eq!(placed(&foreign, &[]), ("T8-new", NEW));
    assert_eq!(flags(&foreign), ["foreign_reference"]);
    assert_eq!(flags(&Facts { known: false, ..foreign }), ["foreign_reference"]);
}

#[test]
fn an_order_selects_and_other_orders_are_out_of_the_race() {
    let asked = |channel| Facts { orders: vec!["A-2".into()], ..facts(channel) };
    let other = with_order("1", on(TWO, Open, Email, 1));
    assert_eq!(placed(&asked(Email), &[other.clone(), with_order("#a-2", on(ONE, Open, TEXTS, 900))]), ("T4-order", HERE));
    let over = |hours| with_order("a-2", on(ONE, Resolved, Email, hours));
    assert_eq!(placed(&asked(Email), &[other.clone(), over(168)]), ("T4-order", Action::Reopen(ONE)));
    assert_eq!(placed(&asked(Email), &[other.clone(), over(169)]), ("T8-new", NEW), "the other order is out");
    assert_eq!(placed(&asked(Email), &[with_order("a-2", on(ONE, Closed, Email, 5))]), ("T4-order", FOLLOWS));
    assert_eq!(placed(&asked(TEXTS), &[with_order("1", on(TWO, Open, TEXTS, 1))]), ("T8-new", NEW), "out of T5, too");
    assert_eq!(placed(&asked(Sms), &[other.clone(), on(ONE, Open, Email, 1)]), ("T6-cross-channel", HERE), "none named: in");
    let two_open = [with_order("a-2", on(ONE, Open, Email, 1)), with_order("A-2", on(TWO, Open, Webchat, 2))];
    assert_eq!(placed(&asked(Sms), &two_open).0, "T6-ambiguous");
    assert_eq!(placed(&asked(Sms), &[two_open[0].clone(), over(1)]).0, "T4-order", "the open one first");
    assert_eq!(placed(&facts(Sms), &[other]), ("T6-cross-channel", Action::Append(TWO)), "no order asked: nothing is out");
}

#[test]
fn messages_go_on_where_their_channel_is_open() {
    assert_eq!(placed(&facts(Webchat), &[on(ONE, Pending, Webchat, 500)]), ("T5-same-channel", HERE));
    assert_eq!(placed(&facts(TEXTS), &[on(TWO, Open, TEXTS, 9), on(ONE, Open, TEXTS, 3)]), ("T5-same-channel", HERE));
    let two = [on(ONE, Open, TEXTS, 9), on(TWO, Open, TEXTS, 3)];
    assert_eq!(placed(&about(TEXTS, &[(ONE, 0.51)]), &two), ("T5-same-channel", HERE), "unknown counts 0.5");
    assert_eq!(placed(&about(TEXTS, &[(TWO, 0.49)]), &two), ("T5-same-channel", HERE));
    let quiet = |hours| [on(ONE, Open, TEXTS, hours)];
    assert_eq!(placed(&about(TEXTS, &[(ONE, 0.24)]), &quiet(73)), ("T8-new", NEW));
    assert_eq!(placed(&about(TEXTS, &[(ONE, 0.25)]), &quiet(73)), ("T5-same-channel", HERE));
    assert_eq!(placed(&about(TEXTS, &[(ONE, 0.24)]), &quiet(72)), ("T5-same-channel", HERE));
    let used_before = Candidate { ways: vec!["email".into(), TEXTS.to_string()], ..on(ONE, Open, Email, 900) };
    assert_eq!(placed(&facts(TEXTS), &[used_before]), ("T5-same-channel", HERE), "all channels so far count");
    let open_channel = |way: &str| Facts { way: way.into(), ..facts(Channel::Api) };
    let there = Candidate { ways: vec!["api:a".into()], ..on(ONE, Open, Channel::Api, 900) };
    assert_eq!(placed(&open_channel("api:a"), std::slice::from_ref(&there)), ("T5-same-channel", HERE));
    assert_eq!(
        placed(&open_channel("api:b"), std::slice::from_ref(&there)),
        ("T8-new", NEW),
        "each such inbox is its own channel"
    );
    let mails = Facts { has_subject: true, ..open_channel("api:a") };
    assert_eq!(placed(&mails, &[there]), ("T8-new", NEW));
    assert_eq!(placed(&facts(Voice), &[on(ONE, Open, Voice, 900)]), ("T8-new", NEW), "calls are no talk that goes on");
}

#[test]
fn a_subject_counts_within_the_contact_and_its_window() {
    let mail = |subject: &str| Facts { subject: subject::bare(subject), ..facts(Email) };
    let lamp = |id, hours| titled("Broken lamp", on(id, Open, Email, hours));
    assert_eq!(placed(&mail("AW: Broken Lamp"), &[lamp(ONE, 168), on(TWO, Open, Email, 1)]), ("T5-subject", HERE));
    assert_eq!(placed(&mail("Re: Broken lamp"), &[lamp(ONE, 169)]), ("T8-new", NEW));
    assert_eq!(placed(&mail("Re: Broken lamp"), &[lamp(ONE, 1), lamp(TWO, 2)]).0, "T6-ambiguous", "exactly one");
    let over = titled("Broken lamp", on(ONE, Resolved, TEXTS, 1));
    assert_eq!(placed(&mail("Broken lamp"), &[over]), ("T8-new", NEW), "only open ones");
    let sms = Facts { channel: Sms, way: "sms".into(), ..mail("Broken lamp") };
    assert_eq!(placed(&sms, &[lamp(ONE, 100)]), ("T8-new", NEW), "only mail has subjects");
}

#[test]
fn another_channel_joins_the_one_that_is_open_and_active() {
    assert_eq!(placed(&facts(Sms), &[on(ONE, Open, Webchat, 72)]), ("T6-cross-channel", HERE));
    assert_eq!(placed(&facts(Sms), &[on(ONE, Open, Webchat, 73)]), ("T8-new", NEW));
    assert_eq!(placed(&about(Sms, &[(ONE, 0.24)]), &[on(ONE, Open, Webchat, 1)]), ("T8-new", NEW));
    assert_eq!(placed(&about(Sms, &[(ONE, 0.25)]), &[on(ONE, Open, Webchat, 1)]), ("T6-cross-channel", HERE));
    let one_vetoed = about(Sms, &[(TWO, 0.1)]);
    assert_eq!(placed(&one_vetoed, &[on(ONE, Open, Webchat, 1), on(TWO, Open, Email, 1)]), ("T6-cross-channel", HERE));
    let call = place(&facts(Voice), &[on(ONE, Open, Webchat, 1)], &MatchingRules::default());
    assert!(call.provisional, "a call has not said yet what it is about");
    let asked = MatchingRules { cross_channel_hours: 1, ..MatchingRules::default() };
    assert_eq!(place(&facts(Sms), &[on(ONE, Open, Webchat, 2)], &asked).rule, "T8-new", "windows are settings");
}

#[test]
fn several_need_a_clear_topic_or_an_agent() {
    let two = [on(ONE, Open, Webchat, 5), on(TWO, Open, Email, 6)];
    for (topics, rule) in [
        (vec![(ONE, 0.8), (TWO, 0.3)], "T6-topic"),
        (vec![(ONE, 0.8), (TWO, 0.6)], "T6-topic"),
        (vec![(ONE, 0.6)], "T6-topic"),
        (vec![(ONE, 0.8), (TWO, 0.61)], "T6-ambiguous"),
        (vec![(ONE, 0.59), (TWO, 0.3)], "T6-ambiguous"),
        (vec![], "T6-ambiguous"),
    ] {
        assert_eq!(placed(&about(Sms, &topics), &two).0, rule, "{topics:?}");
    }
    let asked = place(&facts(Sms), &two, &MatchingRules::default());
    assert_eq!((asked.action, asked.candidates), (NEW, vec![ONE, TWO]));
}

#[test]
fn what_was_resolved_lately_opens_again_when_it_is_the_same_matter() {
    let over = |status, channel, hours| [on(ONE, status, channel, hours)];
    let again = Action::Reopen(ONE);
    assert_eq!(placed(&facts(Webchat), &over(Resolved, Webchat, 168)), ("T7-recent", again));
    assert_eq!(placed(&facts(Webchat), &over(Resolved, Webchat, 169)), ("T8-new", NEW));
    assert_eq!(placed(&about(Webchat, &[(ONE, 0.59)]), &over(Resolved, Webchat, 1)), ("T8-new", NEW));
    assert_eq!(placed(&about(Sms, &[(ONE, 0.6)]), &over(Resolved, Webchat, 1)), ("T7-recent", again));
    assert_eq!(placed(&facts(Sms), &over(Resolved, Webchat, 1)), ("T8-new", NEW));
    let thanks = Facts { closing: true, ..facts(Sms) };
    assert_eq!(placed(&thanks, &over(Resolved, Webchat, 168)), ("T7-recent", Action::AppendSilently(ONE)));
    assert_eq!(placed(&thanks, &over(Resolved, Webchat, 169)), ("T8-new", NEW));
    assert_eq!(placed(&facts(Webchat), &over(Closed, Webchat, 1)), ("T7-recent", FOLLOWS));
    let beside = place(&facts(Sms), &[on(ONE, Resolved, Webchat, 2), on(TWO, Resolved, Email, 5)], &MatchingRules::default());
    assert_eq!((beside.rule, beside.related), ("T8-new", vec![ONE]));
    let long_ago = place(&facts(Sms), &over(Resolved, Webchat, 169), &MatchingRules::default());
    assert_eq!(long_ago.related, vec![]);
}

#[test]
fn texts_are_read_only_where_a_topic_may_decide() {
    let rules = MatchingRules::default();
    let wanted = |facts: &Facts, candidates: &[Candidate]| wants_topics(facts, candidates, &rules);
    assert_eq!(wanted(&facts(Webchat), &[on(ONE, Open, Webchat, 1), on(TWO, Open, Email, 1)]), vec![]);
    assert_eq!(wanted(&facts(Webchat), &[on(ONE, Open, Webchat, 73)]), vec![ONE]);
    assert_eq!(wanted(&facts(Sms), &[on(ONE, Open, Webchat, 1), on(TWO, Resolved, Email, 1)]), vec![ONE, TWO]);
    assert_eq!(wanted(&Facts { known: false, ..facts(Sms) }, &[on(ONE, Open, Webchat, 1)]), vec![]);
    assert_eq!(wanted(&Facts { answers: named(Open, 0, true), ..facts(Sms) }, &[on(ONE, Open, Webchat, 1)]), vec![]);
}
