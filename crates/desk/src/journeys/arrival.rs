//! Weighs an event that may become an entry: who sends it and which conversation it belongs to. It reads, takes locks when
//! something will be written, and decides; it writes nothing else, so that a rehearsal gives the same answer.

use super::apply::Context;
use crate::identity::matching::TokenSays;
use crate::identity::normal::key_of;
use crate::identity::resolve::{Question, Sender, look};
use crate::outbox::receipt;
use crate::placement::{Candidate, Facts, Named, Placement, closing, order_key, place, subject, table, token, topic, way};
use channel::{Automatic, CallEvent, ContactPointClaim, InboundMessage, SpanKind};
use model::{Channel, ContactId, ContactPointKind, ConversationId, Direction, Timestamp, WorkspaceId};
use serde_json::json;
use std::collections::BTreeMap;
use store::conversation::{self, Conversation};
use store::entry::{self, Entry};
use store::handoff_token::{self, HandoffToken};
use store::{Conn, StoreError, contact, contact_point, delivery_address};

/// Conversations of one contact that are in the race.
const CANDIDATE_COUNT_MAX: i64 = 50;
/// Ids of one message that are looked up, newest first.
const REPLY_IDS_MAX: usize = 30;
const TOKENS_MAX: usize = 10;
/// Latest entries of a conversation that say what it is about.
const RECENT_ENTRY_COUNT: i64 = 8;
const TEXT_CHARS_MAX: usize = 20_000;

/// What placement asks of an event, whatever kind of event it is.
#[derive(Clone, Debug, Default)]
pub struct Arrival {
    /// Who says to have sent it.
    pub claims: Vec<ContactPointClaim>,
    /// How it came.
    pub channel: Option<Channel>,
    /// When, as windows count.
    pub at: Timestamp,
    /// The sender's own id of it.
    pub message: String,
    /// Tokens found in it, unchecked.
    pub tokens: Vec<String>,
    /// Ids that it answers, newest first.
    pub reply_to: Vec<String>,
    /// Numbers of conversations in it.
    pub cases: Vec<String>,
    /// Order numbers in it, as compared.
    pub orders: Vec<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// Its own words, without what it quotes.
    pub text: String,
    /// Written by a machine.
    pub automatic: bool,
    /// "Thanks, done".
    pub closing: bool,
    /// Written by us: nobody is blocked, and nothing opens again.
    pub ours: bool,
}

/// What was found and decided.
pub struct Weighed<'a> {
    /// The sender.
    pub sender: Sender<'a>,
    /// How it came.
    pub channel: Channel,
    /// What is known of the event.
    pub facts: Facts,
    /// The decision.
    pub placement: Placement,
    /// The conversations that were in the race; none when a token or a header decided.
    pub candidates: Vec<Candidate>,
    /// The hand-off token to use up.
    pub handoff: Option<HandoffToken>,
    /// Flags of the entry beside those of the match.
    pub flags: Vec<&'static str>,
    /// What "why?" shows.
    pub trace: serde_json::Value,
}

impl Arrival {
    /// Of a message, with the rules of its inbox.
    pub fn of_message(context: &Context<'_>, message: &InboundMessage, let_in: bool) -> Self {
        let rules = &context.inbox.rules;
        let text = own_words(message);
        let searched = format!("{} {text}", message.subject.as_deref().unwrap_or_default());
        let mut orders: Vec<String> =
            message.order_numbers.iter().cloned().chain(rules.order_numbers(&searched)).filter_map(|n| order_key(&n)).collect();
        orders.sort();
        orders.dedup();
        let cases = message.conversation_numbers.iter().cloned().chain(rules.case_numbers(&searched)).collect();
        let by_machine = matches!(message.automatic, Automatic::Reply | Automatic::Bounce) || from_own_address(context, message);
        Self {
            claims: message.from.clone(),
            channel: message.channel,
            at: context.arrived(message),
            message: message.provider_id.clone(),
            tokens: message.tokens.clone(),
            reply_to: message.reply_to.clone(),
            cases,
            orders,
            subject: message.subject.clone(),
            closing: closing::is_closing(&text) && message.parts.is_empty(),
            text,
            automatic: by_machine && !let_in,
            ours: false,
        }
    }

    /// Of a message that was written in the provider's own app: its receiver is the customer.
    pub fn of_echo(context: &Context<'_>, message: &InboundMessage) -> Self {
        // One person: further receivers are others. Nobody but us writes into our own folder of sent mail, so the address counts
        // as much as one that wrote to us unverified.
        let customer = message.to.first().map(|c| ContactPointClaim { proof_level: c.proof_level.max(1), ..c.clone() });
        Self {
            claims: customer.into_iter().collect(),
            channel: message.channel,
            at: context.arrived(message),
            message: message.provider_id.clone(),
            reply_to: message.reply_to.clone(),
            subject: message.subject.clone(),
            text: own_words(message),
            closing: true,
            ours: true,
            ..Self::default()
        }
    }

    /// Of a call that rings.
    pub fn of_call(call: &CallEvent) -> Self {
        Self {
            claims: call.from.clone(),
            channel: Some(Channel::Voice),
            at: call.at,
            message: call.call.clone(),
            tokens: call.tokens.clone(),
            cases: call.conversation_numbers.clone(),
            orders: call.order_numbers.iter().filter_map(|n| order_key(n)).collect(),
            ..Self::default()
        }
    }
}

/// The text without quotes and signatures.
fn own_words(message: &InboundMessage) -> String {
    let (mut own, mut from) = (String::new(), 0);
    for span in &message.spans {
        if matches!(span.kind, SpanKind::Quote | SpanKind::Signature) {
            own.push_str(message.text.get(from..span.from).unwrap_or_default());
            from = span.to;
        }
    }
    own.push_str(message.text.get(from..).unwrap_or_default());
    model::fold::truncate(&own, TEXT_CHARS_MAX).to_owned()
}

fn from_own_address(context: &Context<'_>, message: &InboundMessage) -> bool {
    let mut mails = message.from.iter().filter(|c| c.kind == ContactPointKind::Email);
    mails.any(|claim| context.inbox.own.iter().any(|own| own.is(&claim.value)))
}

/// Looks, asks, decides. `write` takes the locks under which the decision holds.
pub fn weigh<'a>(tx: &mut dyn Conn, context: &Context<'_>, arrival: &'a Arrival, write: bool) -> Result<Weighed<'a>, StoreError> {
    let workspace = context.workspace;
    let rules = &context.inbox.rules.stored;
    let channel = arrival.channel.unwrap_or(context.inbox.inbox.channel);
    let found = read_tokens(tx, context, arrival)?;
    let quoted = if found.conversation.is_none() { quoted(tx, context, arrival, channel)? } else { vec![] };
    // Our own id proves as much as a token: the mail was passed on.
    let led_to = found.conversation.as_ref().or_else(|| quoted.iter().find(|q| q.is_ours).map(|q| &q.conversation));
    let token_says = match led_to {
        Some(row) => Some(token_says(tx, context, arrival, &found, row)?),
        None => None,
    };
    let asked = Question {
        claims: &arrival.claims,
        spelling: context.spelling().on(channel),
        stale_days: rules.stale_days,
        at: arrival.at,
        orders: &arrival.orders,
        proven: found.proven,
        token: token_says.filter(|_| !arrival.automatic),
        write,
    };
    let sender = look(tx, workspace, &asked)?;
    let contact = sender.contact.as_ref().map(|c| c.id);
    let people: Vec<ContactId> = contact.iter().chain(&sender.matched.joins).copied().collect();
    let disproved = sender.is_disproved();
    let mut flags = found.flags.clone();
    if found.handoff.is_some() && sender.matched.by == "token" {
        flags.push("linked_by_handoff");
    }
    let counts = !disproved && !sender.matched.blocked;
    let token = match &found.conversation {
        Some(row) if counts => Some(named(tx, workspace, row, &people)?),
        _ => None,
    };
    let (answers, foreign_answer) = match counts {
        true => answered(tx, context, arrival, &quoted, &people)?,
        false => (None, None),
    };
    let named_already = token.is_some() || answers.is_some() || arrival.automatic || !counts;
    let reference = if named_already { None } else { referenced(tx, workspace, arrival, &people)? };
    let mut facts = Facts {
        channel,
        way: way(channel, Some(context.inbox.inbox.id)),
        has_subject: channel == Channel::Api && context.inbox.channel.capabilities(&context.inbox.settings).subject,
        at: arrival.at,
        blocked: sender.matched.blocked && !arrival.ours && !context.let_in,
        disproved,
        from_us: disproved && !context.let_in && pretends_to_be_us(tx, context, arrival)?,
        known: contact.is_some(),
        automatic: arrival.automatic,
        closing: arrival.closing,
        token,
        answers,
        reference,
        orders: arrival.orders.clone(),
        subject: arrival.subject.as_deref().and_then(subject::bare),
        topics: BTreeMap::new(),
    };
    let decided = named_already || facts.blocked || facts.reference.is_some_and(|r| r.takes_part);
    let (mut rows, mut candidates) = (vec![], vec![]);
    // Whoever joins the contact by this event brings their conversations along.
    for one in contact.iter().chain(&sender.matched.joins).filter(|_| !decided) {
        let (more_rows, more) = self::candidates(tx, workspace, *one)?;
        rows.extend(more_rows);
        candidates.extend(more);
    }
    facts.topics = topics(tx, context, arrival, &facts, &candidates, &rows)?;
    let mut placement = place(&facts, &candidates, rules);
    if let Some(foreign) =
        foreign_answer.filter(|_| matches!(placement.action, crate::placement::Action::New { follow_up_of: None }))
        && !placement.related.contains(&foreign)
    {
        placement.related.push(foreign);
    }
    flags.extend(placement.flags.iter().copied());
    let mut trace = placement.trace(&facts, rules);
    trace["flags"] = json!(flags);
    let trace = json!({"placement": trace, "identity": sender.trace()});
    let handoff = found.handoff.filter(|_| !arrival.automatic && facts.token.is_some());
    Ok(Weighed { sender, channel, facts, placement, candidates, handoff, flags, trace })
}

/// The conversations of a live contact, and those of them that may be in the race.
pub fn candidates(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: ContactId,
) -> Result<(Vec<Conversation>, Vec<Candidate>), StoreError> {
    let rows = conversation::of_live_contact(tx, workspace, contact, CANDIDATE_COUNT_MAX)?;
    let candidates = rows.iter().filter_map(Candidate::of).collect();
    Ok((rows, candidates))
}

#[derive(Default)]
struct Tokens {
    conversation: Option<Conversation>,
    handoff: Option<HandoffToken>,
    is_widget: bool,
    proven: Option<ContactId>,
    flags: Vec<&'static str>,
}

/// The first token that is good; the reasons against the others only when none is.
fn read_tokens(tx: &mut dyn Conn, context: &Context<'_>, arrival: &Arrival) -> Result<Tokens, StoreError> {
    let (workspace, keys) = (context.workspace, context.keys);
    let mut found = Tokens::default();
    for text in arrival.tokens.iter().take(TOKENS_MAX) {
        if let Some(contact) = token::read_proof_token(keys, workspace, text, context.now) {
            found.proven = Some(contact::get_live(tx, workspace, contact)?.id);
            continue;
        }
        if found.conversation.is_some() {
            continue;
        }
        let widget = token::read_widget_token(keys, workspace, text);
        if let Some(id) = widget.or_else(|| token::read_reply_token(keys, workspace, text)) {
            found.conversation = live_row(tx, workspace, id)?;
            found.is_widget = widget.is_some();
            continue;
        }
        let hash = hex(&keys::token_hash(text.trim()));
        let flag = match handoff_token::find_hash(tx, workspace, &hash)? {
            None => Some("token_unknown"),
            Some(row) if row.used_at.is_some() => Some("token_used"),
            Some(row) if row.expires_at < arrival.at => Some("token_expired"),
            Some(row) => {
                found.conversation = live_row(tx, workspace, row.conversation_id)?;
                found.handoff = Some(row);
                None
            }
        };
        found.flags.extend(flag);
    }
    if found.conversation.is_some() || (found.proven.is_some() && arrival.tokens.len() == 1) {
        found.flags.clear();
    }
    found.flags.sort_unstable();
    found.flags.dedup();
    Ok(found)
}

/// The text under which a token's hash stands in its row.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whom a token names when no key does. A reply address may be used by anybody who has the mail, so it names nobody, except
/// through the address that the visitor typed for the answer. A link names its customer only when it went to an address that
/// the customer was proven to hold.
fn token_says(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    arrival: &Arrival,
    found: &Tokens,
    row: &Conversation,
) -> Result<TokenSays, StoreError> {
    let workspace = context.workspace;
    let customer = contact::get_live(tx, workspace, row.contact_id)?;
    let names = match &found.handoff {
        _ if found.is_widget => Some(2),
        Some(token) => match token.delivered_point_id {
            Some(point) => {
                let owners = contact_point::owners(tx, workspace, point)?;
                let held = owners.iter().filter(|o| o.live_id == customer.id).map(|o| o.proof_level).max();
                held.filter(|level| *level >= 2).map(|level| level.min(token.level).min(2))
            }
            None => None,
        },
        None => typed_here(tx, context, arrival, row)?.then_some(2),
    };
    Ok(TokenSays { contact: customer.id, names })
}

/// Does a proven sender write from an address that was typed into this conversation, and that nobody else has?
fn typed_here(tx: &mut dyn Conn, context: &Context<'_>, arrival: &Arrival, row: &Conversation) -> Result<bool, StoreError> {
    let proven = |c: &&ContactPointClaim| c.kind == ContactPointKind::Email && c.proof_level >= 2 && !c.disproved;
    let keys: Vec<_> = arrival.claims.iter().filter(proven).filter_map(|c| key_of(c, context.spelling())).collect();
    for key in keys {
        if let Some(point) = contact_point::find_key(tx, context.workspace, &key)?
            && delivery_address::find(tx, context.workspace, row.id, point.id)?.is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The conversation of an id, or the one that it was merged into.
pub fn live_row(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Option<Conversation>, StoreError> {
    let mut at = id;
    for _ in 0..64 {
        match conversation::find(tx, workspace, at)? {
            Some(row) => match row.merged_into {
                Some(into) => at = into,
                None => return Ok(Some(row)),
            },
            None => return Ok(None),
        }
    }
    Ok(None)
}

fn named(tx: &mut dyn Conn, workspace: WorkspaceId, row: &Conversation, people: &[ContactId]) -> Result<Named, StoreError> {
    let mut takes = false;
    for one in people {
        takes = takes || takes_part(tx, workspace, row, *one)?;
    }
    Ok(Named { id: row.id, status: row.status, resolved_at: row.resolved_at, takes_part: takes })
}

/// Is the live contact the customer of a conversation, or a participant?
pub fn takes_part(tx: &mut dyn Conn, workspace: WorkspaceId, row: &Conversation, contact: ContactId) -> Result<bool, StoreError> {
    if row.contact_id == contact || contact::get_live(tx, workspace, row.contact_id)?.id == contact {
        return Ok(true);
    }
    Ok(!conversation::roles_of(tx, workspace, row.id, contact)?.is_empty())
}

/// An entry that the message answers.
struct Quoted {
    entry: Entry,
    conversation: Conversation,
    /// Knowing its id shows that our message was passed on.
    is_ours: bool,
}

/// The first of the ids that is known; the older ones behind it lead nowhere else.
fn quoted(tx: &mut dyn Conn, context: &Context<'_>, arrival: &Arrival, channel: Channel) -> Result<Vec<Quoted>, StoreError> {
    let mut all = Vec::new();
    for id in arrival.reply_to.iter().take(REPLY_IDS_MAX) {
        for (entry, is_ours) in entries_of(tx, context, channel, id)? {
            if let Some(conversation) = live_row(tx, context.workspace, entry.conversation_id)? {
                all.push(Quoted { entry, conversation, is_ours });
            }
        }
        if all.iter().any(|q| q.is_ours) {
            break;
        }
    }
    Ok(all)
}

/// The conversation of an entry that the message answers; or, second, one that it answers without a right to join it.
fn answered(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    arrival: &Arrival,
    quoted: &[Quoted],
    people: &[ContactId],
) -> Result<(Option<Named>, Option<ConversationId>), StoreError> {
    let mut foreign = None;
    for one in quoted {
        let named = named(tx, context.workspace, &one.conversation, people)?;
        if named.takes_part || one.is_ours || was_addressed(context, arrival, &one.entry) {
            return Ok((Some(named), None));
        }
        foreign = foreign.or(Some(named.id));
    }
    Ok((None, foreign))
}

/// Entries that carry an id, and whether knowing it shows that our message was passed on. A mail id counts in all inboxes, the
/// id of any other channel in its own.
fn entries_of(tx: &mut dyn Conn, context: &Context<'_>, channel: Channel, id: &str) -> Result<Vec<(Entry, bool)>, StoreError> {
    let workspace = context.workspace;
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    let is_ours = |e: &Entry| e.direction == Direction::Out && !e.imported;
    let key = receipt::provider_key(id);
    let mut found = match channel {
        Channel::Email => entry::mails_by_external_key(tx, workspace, &key)?,
        _ => entry::by_external_key(tx, workspace, context.inbox.inbox.id, &key)?.into_iter().collect(),
    };
    // Ours, although its provider has put another id into our books.
    if found.is_empty()
        && let Some(outbox) = token::read_message_id(context.keys, workspace, id)
        && let Some(row) = store::outbox::find(tx, workspace, outbox)?
    {
        found.extend(entry::find(tx, workspace, row.entry_id)?);
    }
    Ok(found
        .into_iter()
        .map(|e| {
            let ours = is_ours(&e);
            (e, ours)
        })
        .collect())
}

/// Was the sender among the receivers of that mail?
fn was_addressed(context: &Context<'_>, arrival: &Arrival, entry: &Entry) -> bool {
    let Some(mail) = &entry.body.mail else { return false };
    let senders: Vec<String> = arrival
        .claims
        .iter()
        .filter(|c| c.kind == ContactPointKind::Email && c.proof_level >= 1 && !c.disproved)
        .filter_map(|c| key_of(c, context.spelling()).map(|key| key.match_key))
        .collect();
    let mut receivers = mail.to.iter().chain(&mail.cc).filter_map(|a| crate::identity::normal::email(&a.address));
    receivers.any(|address| senders.contains(&address))
}

/// The conversation of a case number: the first in which the sender takes part, else the first there is.
fn referenced(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    arrival: &Arrival,
    people: &[ContactId],
) -> Result<Option<Named>, StoreError> {
    let mut foreign = None;
    for number in arrival.cases.iter().take(TOKENS_MAX).filter_map(|n| n.trim().trim_start_matches('#').parse::<i64>().ok()) {
        let Some(id) = conversation::by_number(tx, workspace, number)? else { continue };
        let Some(row) = live_row(tx, workspace, id)? else { continue };
        let named = named(tx, workspace, &row, people)?;
        if named.takes_part {
            return Ok(Some(named));
        }
        foreign = foreign.or(Some(named));
    }
    Ok(foreign)
}

fn pretends_to_be_us(tx: &mut dyn Conn, context: &Context<'_>, arrival: &Arrival) -> Result<bool, StoreError> {
    for claim in arrival.claims.iter().filter(|c| c.disproved && c.kind == ContactPointKind::Email) {
        if context.inbox.own.iter().any(|own| own.is(&claim.value)) {
            return Ok(true);
        }
        if store::agent::find_by_email(tx, context.workspace, &claim.value.trim().to_lowercase())?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn topics(
    tx: &mut dyn Conn,
    context: &Context<'_>,
    arrival: &Arrival,
    facts: &Facts,
    candidates: &[Candidate],
    rows: &[Conversation],
) -> Result<BTreeMap<ConversationId, f64>, StoreError> {
    let mut known = BTreeMap::new();
    let text = format!("{} {}", arrival.subject.as_deref().unwrap_or_default(), arrival.text);
    if !context.topics.can_tell(&text) {
        return Ok(known);
    }
    for id in table::wants_topics(facts, candidates, &context.inbox.rules.stored) {
        let entries = entry::conversation_before(tx, context.workspace, id, (i64::MAX, i64::MAX), RECENT_ENTRY_COUNT)?;
        let subject = rows.iter().find(|c| c.id == id).and_then(|c| c.subject.clone());
        let recent: Vec<String> =
            subject.into_iter().chain(entries.into_iter().map(|e| e.body.text)).filter(|text| !text.is_empty()).collect();
        let question = topic::TopicQuestion { message: &arrival.message, text: &text, conversation: id, recent: &recent };
        if let Some(share) = context.topics.similarity(&question) {
            known.insert(id, share);
        }
    }
    Ok(known)
}
