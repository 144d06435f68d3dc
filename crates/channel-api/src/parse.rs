//! What an event means. Pure. Levels are passed on as stated: the desk holds them to the ceiling of the inbox, so that
//! agents see both.

use crate::wire::{
    ApiChanged, ApiDelivery, ApiEdit, ApiEvent, ApiMessage, ApiOpt, ApiPoint, ApiReaction, ApiRead, ApiRef, ApiSender, ApiTyping,
    KINDS,
};
use channel::{
    Automatic, ClaimSource, ContactPointClaim, ContactPointKind, DeliveryState, InboundEvent, InboundMessage, InboxSettings,
    MediaRef, OptScope, Part, Quarantine, RawEvent, UpTo, WatermarkKind,
};
use model::{InboxId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

/// The level of the other side's own ids, inside this inbox.
const EXT_LEVEL: u8 = 2;
const ID_CHARS_MAX: usize = 200;
const VALUE_CHARS_MAX: usize = 500;
const TEXT_CHARS_MAX: usize = 100_000;
const LIST_COUNT_MAX: usize = 50;
const FILE_COUNT_MAX: usize = 20;

fn bad(field: &str, text: impl Into<String>) -> Quarantine {
    Quarantine::new("bad_field", format!("{field}: {}", text.into()))
}

pub(crate) fn parse(inbox: &InboxSettings, raw: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
    let json: Value = serde_json::from_slice(&raw.body)
        .map_err(|error| Quarantine::new("not_json", format!("the event is not JSON: {error}")))?;
    let Some(fields) = json.as_object() else { return Err(Quarantine::new("not_json", "an event is a JSON object")) };
    text_of(fields.get("event_id"), "event_id")?;
    let kind = text_of(fields.get("kind"), "kind")?;
    if !KINDS.contains(&kind) {
        return Ok(vec![unsupported(inbox.id, kind, &json)]);
    }
    // Numbers of nanoseconds and the like lose digits in JSON; whatever serde says names the field.
    let event = ApiEvent::deserialize(&json).map_err(|error| bad(kind, error.to_string()))?;
    Ok(vec![understand(inbox.id, event, raw.received_at)?])
}

fn text_of<'a>(value: Option<&'a Value>, field: &str) -> Result<&'a str, Quarantine> {
    let text = value.and_then(Value::as_str).ok_or_else(|| bad(field, "a text is needed here"))?;
    if text.is_empty() || text.chars().count() > ID_CHARS_MAX {
        return Err(bad(field, "1 to 200 characters"));
    }
    Ok(text)
}

fn unsupported(inbox: InboxId, kind: &str, json: &Value) -> InboundEvent {
    let external = json.get("external_conversation").and_then(Value::as_str).filter(|text| !text.is_empty());
    let from = json.get("from").and_then(|from| ApiSender::deserialize(from).ok()).unwrap_or_default();
    InboundEvent::Unsupported {
        kind: kind.to_owned(),
        from: claims(inbox, &from, external, ClaimSource::Sender).unwrap_or_default(),
        external_conversation: external.map(str::to_owned),
    }
}

fn understand(inbox: InboxId, event: ApiEvent, received_at: Timestamp) -> Result<InboundEvent, Quarantine> {
    Ok(match event {
        ApiEvent::Message(message) => InboundEvent::Message(message_of(inbox, message, ClaimSource::Sender)?),
        ApiEvent::Echo(message) => {
            let mut message = message_of(inbox, message, ClaimSource::Receiver)?;
            message.to = std::mem::take(&mut message.from);
            InboundEvent::Echo(message)
        }
        ApiEvent::Edit(ApiEdit { message_id, text, external_conversation, .. }) => {
            let message = InboundMessage {
                provider_id: id(&message_id, "message_id")?,
                external_conversation: external_conversation.unwrap_or_default(),
                text: long(text, "text")?,
                ..InboundMessage::default()
            };
            InboundEvent::Edit { provider_id: message_id, message }
        }
        ApiEvent::Delete(ApiRef { message_id, .. }) => InboundEvent::Delete { provider_id: id(&message_id, "message_id")? },
        ApiEvent::Delivery(ApiDelivery { message_id, state, at, code, .. }) => InboundEvent::Delivery {
            provider_id: id(&message_id, "message_id")?,
            // An unknown status means pending, never failed.
            state: DeliveryState::parse(&state).filter(|state| state.rank().is_some()).unwrap_or(DeliveryState::Queued),
            at: at.unwrap_or(received_at),
            code: code.map(|code| model::fold::truncate(&code, ID_CHARS_MAX).to_owned()),
            cost: None,
        },
        ApiEvent::Read(ApiRead { from, up_to, only_delivered, .. }) => InboundEvent::Watermark {
            kind: if only_delivered { WatermarkKind::Delivered } else { WatermarkKind::Read },
            external_conversation: id(&from, "from")?,
            up_to: UpTo::Time(up_to.unwrap_or(received_at)),
        },
        ApiEvent::Typing(ApiTyping { from, on, .. }) => InboundEvent::Typing { external_conversation: id(&from, "from")?, on },
        ApiEvent::Reaction(ApiReaction { message_id, external_conversation, from, emoji, .. }) => InboundEvent::Reaction {
            provider_id: id(&message_id, "message_id")?,
            from: one_claim(inbox, &from, external_conversation.as_deref())?,
            emoji: emoji.map(|emoji| model::fold::truncate(&emoji, 32).to_owned()),
        },
        ApiEvent::OptOut(ApiOpt { from, only_marketing, .. }) => {
            InboundEvent::OptOut { from: one_claim(inbox, &from, None)?, scope: scope_of(only_marketing) }
        }
        ApiEvent::OptIn(ApiOpt { from, only_marketing, .. }) => {
            InboundEvent::OptIn { from: one_claim(inbox, &from, None)?, scope: scope_of(only_marketing) }
        }
        ApiEvent::ContactPointChanged(ApiChanged { old, new, .. }) => InboundEvent::ContactPointChanged {
            old: claim(inbox, &old, ClaimSource::Sender, "old")?,
            new: claim(inbox, &new, ClaimSource::Sender, "new")?,
        },
    })
}

fn scope_of(only_marketing: bool) -> OptScope {
    if only_marketing { OptScope::Marketing } else { OptScope::All }
}

fn id(text: &str, field: &str) -> Result<String, Quarantine> {
    if text.is_empty() || text.chars().count() > ID_CHARS_MAX {
        return Err(bad(field, "1 to 200 characters"));
    }
    Ok(text.to_owned())
}

fn long(text: String, field: &str) -> Result<String, Quarantine> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(bad(field, "at most 100,000 characters"));
    }
    Ok(text)
}

fn list(items: Vec<String>, field: &str) -> Result<Vec<String>, Quarantine> {
    if items.len() > LIST_COUNT_MAX || items.iter().any(|item| item.is_empty() || item.chars().count() > VALUE_CHARS_MAX) {
        return Err(bad(field, "at most 50 texts of 1 to 500 characters"));
    }
    Ok(items)
}

fn message_of(inbox: InboxId, message: ApiMessage, source: ClaimSource) -> Result<InboundMessage, Quarantine> {
    let external = message.external_conversation.as_deref().map(|text| id(text, "external_conversation")).transpose()?;
    let from = claims(inbox, &message.from, external.as_deref(), source)?;
    if message.files.len() > FILE_COUNT_MAX {
        return Err(bad("files", "at most 20 files"));
    }
    let parts = message.files.iter().enumerate().map(|(at, file)| part(at, file)).collect::<Result<Vec<_>, _>>()?;
    if message.text.trim().is_empty() && parts.is_empty() {
        return Err(bad("text", "a message has a text or a file"));
    }
    if message.channel.is_some_and(|channel| channel == model::Channel::Internal) {
        return Err(bad("channel", "a channel that customers write on"));
    }
    if message.facts.len() > LIST_COUNT_MAX {
        return Err(bad("facts", "at most 50 facts"));
    }
    Ok(InboundMessage {
        provider_id: id(message.message_id.as_deref().unwrap_or(&message.event_id), "message_id")?,
        external_conversation: external.unwrap_or_else(|| from.first().map(|claim| claim.value.clone()).unwrap_or_default()),
        channel: message.channel,
        from,
        sent_at: message.sent_at,
        reply_to: list(message.reply_to, "reply_to")?,
        tokens: list(message.tokens, "tokens")?,
        group_key: message.group_key.as_deref().map(|key| id(key, "group_key")).transpose()?,
        subject: message.subject.map(|subject| model::fold::truncate(&subject, VALUE_CHARS_MAX).to_owned()),
        text: long(message.text, "text")?,
        parts,
        automatic: if message.automatic { Automatic::Reply } else { Automatic::No },
        order_numbers: list(message.order_numbers, "order_numbers")?,
        conversation_numbers: list(message.conversation_numbers, "conversation_numbers")?,
        context: (!message.facts.is_empty()).then(|| json!({"facts": message.facts})),
        ..InboundMessage::default()
    })
}

fn part(at: usize, file: &crate::wire::ApiFile) -> Result<Part, Quarantine> {
    let field = format!("files.{at}");
    match (&file.id, &file.url) {
        (Some(id), None) => Ok(Part::Uploaded { id: *id }),
        (None, Some(url)) if url.len() <= 2_000 && (url.starts_with("https://") || url.starts_with("http://")) => {
            Ok(Part::Media(MediaRef { reference: url.clone(), name: file.name.clone(), ..MediaRef::default() }))
        }
        (None, Some(_)) => Err(bad(&field, "url is a web address of at most 2,000 characters")),
        _ => Err(bad(&field, "either id (of an uploaded file) or url")),
    }
}

/// What is known of a sender, strongest first as stated. Without an id of their own the thread stands for the customer.
fn claims(
    inbox: InboxId,
    sender: &ApiSender,
    external: Option<&str>,
    source: ClaimSource,
) -> Result<Vec<ContactPointClaim>, Quarantine> {
    if sender.points.len() > LIST_COUNT_MAX {
        return Err(bad("from.points", "at most 50 addresses"));
    }
    let name = sender.name.as_deref().map(|name| model::fold::truncate(name, VALUE_CHARS_MAX).to_owned());
    let mut all = vec![];
    if let Some(own) = sender.id.as_deref().or(external) {
        all.push(ext(inbox, &id(own, "from.id")?, source));
    }
    for (at, point) in sender.points.iter().enumerate() {
        let claim = claim(inbox, point, source, &format!("from.points.{at}"))?;
        if !all.iter().any(|have: &ContactPointClaim| (have.kind, &have.value) == (claim.kind, &claim.value)) {
            all.push(claim);
        }
    }
    if all.is_empty() {
        return Err(bad("from", "somebody must be named: by id, by points, or by external_conversation"));
    }
    // Best first; of equals the other side's own id, which an answer surely reaches.
    all.sort_by_key(|claim| std::cmp::Reverse(claim.proof_level));
    Ok(all.into_iter().map(|claim| claim.named(name.clone())).collect())
}

fn one_claim(inbox: InboxId, sender: &ApiSender, external: Option<&str>) -> Result<ContactPointClaim, Quarantine> {
    let all = claims(inbox, sender, external, ClaimSource::Sender)?;
    // For an opt-out the address counts before our partner's id: it is the address that wants nothing more.
    let address = all.iter().find(|claim| claim.kind != ContactPointKind::Ext).or(all.first()).cloned();
    address.ok_or_else(|| bad("from", "somebody must be named"))
}

fn ext(inbox: InboxId, value: &str, source: ClaimSource) -> ContactPointClaim {
    ContactPointClaim::new(ContactPointKind::Ext, inbox.to_string(), value, EXT_LEVEL, source)
}

fn claim(inbox: InboxId, point: &ApiPoint, source: ClaimSource, field: &str) -> Result<ContactPointClaim, Quarantine> {
    if point.value.trim().is_empty() || point.value.chars().count() > VALUE_CHARS_MAX || point.scope.len() > ID_CHARS_MAX {
        return Err(bad(field, "value has 1 to 500 characters, scope at most 200"));
    }
    if point.level > 3 {
        return Err(bad(field, "level is 0 (only stated) to 3 (signed in)"));
    }
    match point.kind {
        // The scope is ours to say: an id of yours is nobody else's.
        ContactPointKind::Ext => Ok(ext(inbox, &point.value, source)),
        ContactPointKind::Visitor => Err(bad(field, "a visitor is known to our own widget only")),
        kind => Ok(ContactPointClaim::new(kind, &*point.scope, &*point.value, point.level, source)),
    }
}
