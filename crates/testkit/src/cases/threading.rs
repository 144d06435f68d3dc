//! Runs threading cases: who is writing, and which conversation an entry belongs to.

use super::Report;
use super::format::{Auth, Case, Config, Event, Expect, File, Final};
use super::load::{Loaded, Loading, channel_of, claim_of, load, message_id, time};
use channel::fake::FakeEvent;
use channel::proof::{Evidence, Proof, of};
use channel::{Automatic, CallEvent, CallFact, ClaimSource, ContactPointClaim, InboundEvent, InboundMessage};
use desk::placement::token;
use model::{Channel, ContactId, ContactPointKind, ConversationId, EntryKind, ProviderEventId};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use store::{Engine, StoreError, contact, conversation, entry, provider_event};

const FLAGS: [&str; 11] = [
    "spoof_suspected",
    "shared_contact_point",
    "ambiguous_contact_point",
    "stale_contact_point",
    "identity_conflict",
    "token_expired",
    "token_unknown",
    "token_used",
    "linked_by_handoff",
    "new_participant",
    "foreign_reference",
];
/// Orders of a sequence that are tried one after another; more events than four have more orders than minutes.
const ORDER_COUNT_MAX: usize = 24;

/// Runs every case of a file on one engine. An error is a file that cannot be read.
pub async fn threading(text: &str, engine: Engine) -> Result<Report, String> {
    let file: File = serde_json::from_str(text).map_err(|error| format!("the file cannot be read: {error}"))?;
    let mut report = Report::default();
    for case in &file.cases {
        let ran = match check(case) {
            Ok(events) => run(engine, &file.default_config, case, &events).await,
            Err(error) => Err(error),
        };
        match ran {
            Ok((answer, differences)) => {
                report.differences.extend(differences.into_iter().map(|d| format!("{} {d}", case.id)));
                report.answers.push(answer);
            }
            Err(error) => {
                report.differences.push(format!("{} cannot be run: {error}", case.id));
                report.answers.push(json!({"id": case.id, "error": error}));
            }
        }
    }
    Ok(report)
}

fn check(case: &Case) -> Loading<Vec<Event>> {
    match (&case.event, &case.events) {
        (Some(event), None) => match (&case.expect_each, &case.order) {
            (None, None) => Ok(vec![event.clone()]),
            _ => Err("expect_each and order belong to a sequence".to_owned()),
        },
        (None, Some(events)) => {
            let each = case.expect_each.as_ref().map_or(events.len(), Vec::len);
            match case.order.as_deref().unwrap_or("listed") {
                "listed" | "any" if case.expect.is_none() && each == events.len() && !events.is_empty() => Ok(events.clone()),
                "listed" | "any" => Err("a sequence has events, and one expect_each for each of them".to_owned()),
                other => Err(format!("{other} is no order")),
            }
        }
        _ => Err("a case has either event or events".to_owned()),
    }
}

async fn run(engine: Engine, defaults: &Config, case: &Case, events: &[Event]) -> Loading<(Json, Vec<String>)> {
    if case.order.as_deref() == Some("any") {
        return run_any(engine, defaults, case, events).await;
    }
    let mut loaded = load(engine, defaults, case, events).await?;
    let before = counts(&loaded).await?;
    let (mut answers, mut differences) = (Vec::new(), Vec::new());
    for (n, event) in events.iter().enumerate() {
        let answer = one(&mut loaded, event, n + 1).await?;
        let wanted = match &case.expect_each {
            Some(each) => each.get(n),
            None => case.expect.as_ref(),
        };
        let place = if case.events.is_some() { format!("event {} ", n + 1) } else { String::new() };
        differences.extend(wanted.into_iter().flat_map(|w| compare(w, &answer)).map(|d| format!("{place}{d}")));
        answers.push(answer);
    }
    if case.events.is_none() {
        return Ok((json!({"id": case.id, "result": answers.first()}), differences));
    }
    let sum = grown(before, counts(&loaded).await?);
    differences.extend(case.expect_final.iter().flat_map(|wanted| compare_final(wanted, &sum)));
    Ok((json!({"id": case.id, "each": answers, "final": sum}), differences))
}

/// At the same instant on different connections, and in every order: the end is the same.
async fn run_any(engine: Engine, defaults: &Config, case: &Case, events: &[Event]) -> Loading<(Json, Vec<String>)> {
    let mut differences = Vec::new();
    let loaded = load(engine, defaults, case, events).await?;
    let before = counts(&loaded).await?;
    for (n, event) in events.iter().enumerate() {
        loaded.t.clock.set(time(&event.at)?);
        let inbox = *loaded.inboxes.get(&event.inbox).ok_or("an inbox of the event")?;
        loaded.take(inbox, fake_event(&loaded, event, n + 1)?).await?;
    }
    loaded.t.run_for_real().await;
    let sum = grown(before, counts(&loaded).await?);
    let wanted = case.expect_final.clone().unwrap_or_default();
    differences.extend(compare_final(&wanted, &sum).into_iter().map(|d| format!("at the same instant: {d}")));
    for order in orders(events.len()) {
        let mut loaded = load(engine, defaults, case, events).await?;
        let before = counts(&loaded).await?;
        for n in &order {
            one(&mut loaded, &events[*n], n + 1).await?;
        }
        let one_by_one = grown(before, counts(&loaded).await?);
        differences.extend(compare_final(&wanted, &one_by_one).into_iter().map(|d| format!("in the order {order:?}: {d}")));
    }
    Ok((json!({"id": case.id, "each": [], "final": sum}), differences))
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![vec![]];
    for n in 0..count {
        let longer = all.iter().flat_map(|order| {
            (0..=order.len()).map(move |at| {
                let mut next = order.clone();
                next.insert(at, n);
                next
            })
        });
        all = longer.take(ORDER_COUNT_MAX).collect();
    }
    all
}

/// One event through the doors, then everything that follows.
async fn one(loaded: &mut Loaded, event: &Event, n: usize) -> Loading<Json> {
    loaded.t.clock.set(time(&event.at)?);
    let inbox = *loaded.inboxes.get(&event.inbox).ok_or("an inbox of the event")?;
    let fake = fake_event(loaded, event, n)?;
    let Some(id) = loaded.take(inbox, fake).await? else {
        return Ok(json!({"conversation": "drop", "rule": "T0-duplicate"}));
    };
    loaded.t.run_jobs().await;
    answer(loaded, id, n).await
}

fn fake_event(loaded: &Loaded, event: &Event, n: usize) -> Loading<FakeEvent> {
    let inbound = inbound(loaded, event)?;
    // Each on a connection of its own: nothing but the product may keep them together.
    Ok(FakeEvent::new(event.id.clone(), format!("connection {n}"), &inbound))
}

fn claims(loaded: &Loaded, event: &Event, channel: Channel) -> Loading<Vec<ContactPointClaim>> {
    let auth = event.auth.clone().unwrap_or_default();
    let evidence = evidence(&auth)?;
    let mut claims = Vec::new();
    for key in &event.ids {
        let kind = super::load::kind_of(&key.kind)?;
        let source = match kind {
            ContactPointKind::Account | ContactPointKind::Crm => ClaimSource::Signed,
            ContactPointKind::Visitor => ClaimSource::VisitorToken,
            _ => ClaimSource::Sender,
        };
        let claim = match of(kind, channel, evidence) {
            Proof::Level(level) => claim_of(key, level, source)?,
            Proof::Disproved => ContactPointClaim { disproved: true, ..claim_of(key, 0, source)? },
        };
        claims.push(claim.named(event.name.clone()));
    }
    for key in &event.claimed {
        claims.push(claim_of(key, 0, ClaimSource::Typed)?);
    }
    if let Some(symbol) = &auth.otp_contact {
        loaded.contact(symbol)?;
    }
    Ok(claims)
}

fn evidence(auth: &Auth) -> Loading<Evidence> {
    Ok(Evidence {
        dmarc: match auth.dmarc.as_deref() {
            Some("pass") => Some(true),
            Some("fail") => Some(false),
            Some("none") | None => None,
            Some(other) => return Err(format!("{other} is no verdict of DMARC")),
        },
        full_attestation: match auth.attest.as_deref() {
            Some("A") => true,
            Some("B" | "C") | None => false,
            Some(other) => return Err(format!("{other} is no attestation")),
        },
        solicited: auth.solicited.unwrap_or(false),
        signed: auth.jwt.unwrap_or(false),
        hashed: false,
    })
}

fn inbound(loaded: &Loaded, event: &Event) -> Loading<InboundEvent> {
    let channel = channel_of(&event.channel)?;
    let from = claims(loaded, event, channel)?;
    let closing = match event.intent.as_deref() {
        Some("closing") => true,
        None => false,
        Some(other) => return Err(format!("{other} is no intent")),
    };
    let mut tokens: Vec<String> =
        event.token.iter().map(|text| loaded.tokens.get(text).cloned().unwrap_or_else(|| text.clone())).collect();
    if let Some(symbol) = event.auth.as_ref().and_then(|auth| auth.otp_contact.as_ref()) {
        let (contact, until) = (loaded.contact(symbol)?, time(&event.at)?.plus_seconds(60));
        tokens.push(token::proof_token(&loaded.t.desk.keys, loaded.t.workspace, contact, until));
    }
    let conversation_numbers: Vec<String> =
        event.reference.iter().map(|r| loaded.references.get(r).cloned().unwrap_or_else(|| r.clone())).collect();
    let order_numbers = event.orders.clone().unwrap_or_default();
    let automatic = event.auto.unwrap_or(false);
    let reply_to: Vec<String> =
        event.reply_to_message.iter().flatten().map(|id| id.trim_matches(['<', '>']).to_owned()).collect();
    let is_call = channel == Channel::Voice && !closing && !automatic && reply_to.is_empty() && event.subject.is_none();
    if is_call {
        let (call, at) = (event.id.clone(), time(&event.at)?);
        return Ok(InboundEvent::Call(CallEvent {
            call,
            fact: CallFact::Ringing,
            from,
            at,
            tokens,
            conversation_numbers,
            order_numbers,
        }));
    }
    Ok(InboundEvent::Message(InboundMessage {
        provider_id: message_id(event).to_owned(),
        external_conversation: event.inbox.clone(),
        from,
        reply_to,
        tokens,
        subject: event.subject.clone(),
        text: if closing { "Thanks, bye!" } else { "A message" }.to_owned(),
        automatic: if automatic { Automatic::Reply } else { Automatic::No },
        order_numbers,
        conversation_numbers,
        ..InboundMessage::default()
    }))
}

async fn answer(loaded: &mut Loaded, id: ProviderEventId, n: usize) -> Loading<Json> {
    let workspace = loaded.t.workspace;
    let (event, decision) = loaded
        .t
        .read(move |tx| {
            let event = provider_event::find(tx, workspace, id)?.ok_or(StoreError::NotFound)?;
            let subject = event.entry_id.map_or(id.0, |entry| entry.0);
            Ok((event, entry::decision_of(tx, workspace, subject)?))
        })
        .await;
    let Some(decision) = decision else {
        // Dropped before anything was weighed.
        return Ok(json!({"conversation": "drop", "rule": event.reason}));
    };
    let (placement, identity) = (&decision.trace["placement"], &decision.trace["identity"]);
    learn(loaded, placement, identity, event.entry_id, n).await;
    let mut answer = Map::new();
    let contact = identity["contact"].as_str().map(|id| contact_symbol(loaded, id));
    let link = match (identity["contact"].is_null(), identity["proof_level"].as_i64()) {
        (false, Some(3..)) => "verified",
        (false, Some(2)) => "controlled",
        (false, Some(1)) => "unverified",
        _ => "none",
    };
    answer.insert("contact".into(), json!(contact.unwrap_or_else(|| "new".to_owned())));
    answer.insert("link".into(), json!(link));
    answer.insert("conversation".into(), json!(conversation_word(loaded, &placement["action"])));
    answer.insert("rule".into(), json!(decision.rule));
    let contacts = |list: &Json| strings(list).iter().map(|id| contact_symbol(loaded, id)).collect::<Vec<_>>();
    let conversations = |list: &Json| strings(list).iter().map(|id| conversation_symbol(loaded, id)).collect::<Vec<_>>();
    answer.insert("suggest".into(), json!(contacts(&identity["suggest"])));
    let mut flags: Vec<String> = [strings(&identity["flags"]), strings(&placement["flags"])].concat();
    flags.retain(|flag| FLAGS.contains(&flag.as_str()));
    flags.sort();
    flags.dedup();
    answer.insert("flags".into(), json!(flags));
    let joined = strings(&identity["joins"]);
    let merge = joined.first().map(|from| {
        json!({"from": contact_symbol(loaded, from), "into": identity["contact"].as_str().map(|id| contact_symbol(loaded, id))})
    });
    answer.insert("merge".into(), json!(merge));
    answer.insert("candidates".into(), json!(conversations(&placement["candidates"])));
    let follows = placement["action"]["new"]["follow_up_of"].as_str().map(|id| conversation_symbol(loaded, id));
    answer.insert("follow_up_of".into(), json!(follows));
    answer.insert("related".into(), json!(conversations(&placement["related"])));
    Ok(Json::Object(answer))
}

/// Rows that this event made get the symbol `@n`.
async fn learn(loaded: &mut Loaded, placement: &Json, identity: &Json, entry: Option<model::EntryId>, n: usize) {
    let Some(id) = entry else { return };
    let made = loaded.t.entry(id).await;
    let symbol = format!("@{n}");
    if identity["new_contact"] == json!(true) {
        loaded.contacts.insert(symbol.clone(), made.contact_id);
    }
    if placement["action"].get("new").is_some() {
        loaded.conversations.insert(symbol, made.conversation_id);
    }
}

fn strings(list: &Json) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn contact_symbol(loaded: &Loaded, id: &str) -> String {
    let found = ContactId::parse(id).ok().and_then(|id| loaded.contacts.iter().find(|(_, known)| **known == id));
    found.map_or_else(|| id.to_owned(), |(symbol, _)| symbol.clone())
}

fn conversation_symbol(loaded: &Loaded, id: &str) -> String {
    let found = ConversationId::parse(id).ok().and_then(|id| loaded.conversations.iter().find(|(_, known)| **known == id));
    found.map_or_else(|| id.to_owned(), |(symbol, _)| symbol.clone())
}

fn conversation_word(loaded: &Loaded, action: &Json) -> String {
    for (key, word) in [("append", "append"), ("append_silently", "append_silent"), ("reopen", "reopen")] {
        if let Some(id) = action[key].as_str() {
            return format!("{word}:{}", conversation_symbol(loaded, id));
        }
    }
    match action.as_str() {
        Some(word) => word.to_owned(),
        None => "new".to_owned(),
    }
}

fn compare(wanted: &Expect, answer: &Json) -> Vec<String> {
    let mut differences = Vec::new();
    for (field, wanted) in wanted.fields() {
        let got = answer.get(field).unwrap_or(&Json::Null);
        if !is_same(wanted, got) {
            differences.push(format!("{field}: expected {wanted}, got {got}"));
        }
    }
    differences
}

/// Lists are sets; `null` means absent, and an empty list is absent, too.
fn is_same(wanted: &Json, got: &Json) -> bool {
    match (wanted, got) {
        (Json::Null, Json::Array(list)) => list.is_empty(),
        (Json::Array(wanted), Json::Null) => wanted.is_empty(),
        (Json::Array(wanted), Json::Array(got)) => {
            wanted.iter().all(|one| got.contains(one)) && got.iter().all(|one| wanted.contains(one))
        }
        _ => wanted == got,
    }
}

async fn counts(loaded: &Loaded) -> Loading<BTreeMap<&'static str, i64>> {
    let workspace = loaded.t.workspace;
    let found = loaded
        .t
        .desk
        .db
        .read(move |tx| -> Result<_, StoreError> {
            let live = contact::page(tx, workspace, (i64::MAX, i64::MAX), 10_000)?;
            let (mut contacts, mut conversations, mut entries) = (0, 0, 0);
            for one in &live {
                contacts += contact::merged_set(tx, workspace, one.id)?.len();
                for row in conversation::of_live_contact(tx, workspace, one.id, 10_000)? {
                    conversations += 1;
                    let all = entry::conversation_before(tx, workspace, row.id, (i64::MAX, i64::MAX), 10_000)?;
                    entries += all.iter().filter(|e| e.kind != EntryKind::Event).count();
                }
            }
            Ok((contacts, conversations, entries))
        })
        .await
        .map_err(|error| error.to_string())?;
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Ok(BTreeMap::from([
        ("contacts_created", number(found.0)),
        ("conversations_created", number(found.1)),
        ("entries_added", number(found.2)),
    ]))
}

fn grown(before: BTreeMap<&'static str, i64>, after: BTreeMap<&'static str, i64>) -> Json {
    let grown: Map<String, Json> =
        after.into_iter().map(|(name, n)| (name.to_owned(), json!(n - before.get(name).copied().unwrap_or(0)))).collect();
    Json::Object(grown)
}

fn compare_final(wanted: &Final, got: &Json) -> Vec<String> {
    let fields = [
        ("contacts_created", wanted.contacts_created),
        ("conversations_created", wanted.conversations_created),
        ("entries_added", wanted.entries_added),
    ];
    let differs =
        fields.into_iter().filter_map(|(name, wanted)| Some((name, wanted?))).filter(|(name, n)| got[*name] != json!(n));
    differs.map(|(name, n)| format!("{name}: expected {n}, got {}", got[name])).collect()
}
