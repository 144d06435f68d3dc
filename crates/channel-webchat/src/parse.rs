//! What a stored frame means. Pure.

use crate::frames::{ClientFrame, MessageFrame, Page};
use crate::identity::VerifiedIdentity;
use crate::verify::{VERIFIED_HEADER, VISITOR_HEADER};
use channel::{
    ClaimEvent, ClaimSource, ContactPointClaim, ContactPointKind, InboundEvent, InboundMessage, InboxSettings, PageSeen, Part,
    Quarantine, RawEvent, UpTo, WatermarkKind,
};
use serde_json::{Map, Value, json};

/// One frame, at most one event.
pub(crate) fn parse(inbox: &InboxSettings, event: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
    let visitor =
        event.header(VISITOR_HEADER).ok_or_else(|| Quarantine::new("no_visitor", "the stored frame does not say whose it is"))?;
    let who = Who { from: claims_of(inbox, visitor, event)?, visitor: visitor.to_owned() };
    let frame = match ClientFrame::parse(&event.body) {
        Ok(frame) => frame,
        Err(error) => return who.not_understood(&event.body, &error.detail),
    };
    Ok(match frame {
        ClientFrame::Message(message) => vec![InboundEvent::Message(who.message(message, event))],
        ClientFrame::Read { up_to_seq } => vec![who.mark(WatermarkKind::Read, up_to_seq)],
        ClientFrame::Delivered { up_to_seq } => vec![who.mark(WatermarkKind::Delivered, up_to_seq)],
        ClientFrame::Typing { on } => vec![InboundEvent::Typing { external_conversation: who.visitor, on }],
        ClientFrame::Claim { values } => vec![who.claim(|claim| claim.values = values)],
        ClientFrame::Page { url, title } => vec![who.claim(|claim| claim.page = Some(PageSeen { url, title }))],
        ClientFrame::Email { address, may_mail } => vec![who.claim(|claim| {
            claim.address = Some(ContactPointClaim::new(ContactPointKind::Email, "", address, 0, ClaimSource::Typed));
            claim.may_mail = may_mail;
        })],
        ClientFrame::Hello { .. } | ClientFrame::Ping => vec![],
    })
}

struct Who {
    visitor: String,
    from: Vec<ContactPointClaim>,
}

impl Who {
    fn message(self, message: MessageFrame, event: &RawEvent) -> InboundMessage {
        let mut from = self.from;
        // A typed address identifies nobody (level 0); the agent sees it as a suggestion.
        if let Some(email) =
            message.form.as_ref().and_then(|form| form.get("email")).filter(|email| crate::frames::looks_like_email(email))
        {
            let name = message.form.as_ref().and_then(|form| form.get("name")).cloned();
            from.push(ContactPointClaim::new(ContactPointKind::Email, "", email.trim(), 0, ClaimSource::Typed).named(name));
        }
        InboundMessage {
            // Clients only promise that their ids are unique per visitor.
            provider_id: format!("{}:{}", self.visitor, message.client_msg_id),
            external_conversation: self.visitor,
            from,
            sent_at: Some(event.received_at),
            text: model::fold::clean(&message.text),
            parts: message.file_ids.unwrap_or_default().into_iter().map(|id| Part::Uploaded { id }).collect(),
            context: context_of(message.form, message.page),
            ..InboundMessage::default()
        }
    }

    fn mark(self, kind: WatermarkKind, up_to_seq: i64) -> InboundEvent {
        InboundEvent::Watermark { kind, external_conversation: self.visitor, up_to: UpTo::Seq(up_to_seq) }
    }

    fn claim(self, fill: impl FnOnce(&mut ClaimEvent)) -> InboundEvent {
        let mut claim = ClaimEvent { from: self.from, external_conversation: self.visitor, ..ClaimEvent::default() };
        fill(&mut claim);
        InboundEvent::Claim(claim)
    }

    // The door lets no such frame in, but an older server may have stored a kind that this one no longer knows, or a
    // newer one was rolled back: the agent sees that something came. Bytes that are no frame at all are quarantined.
    fn not_understood(self, body: &[u8], detail: &str) -> Result<Vec<InboundEvent>, Quarantine> {
        let kind = serde_json::from_slice::<Value>(body).ok().and_then(|frame| Some(frame.get("kind")?.as_str()?.to_owned()));
        match kind {
            Some(kind) if !KNOWN.contains(&kind.as_str()) => Ok(vec![InboundEvent::Unsupported {
                kind: model::fold::truncate(&model::fold::clean(&kind), 64).to_owned(),
                from: self.from,
                external_conversation: Some(self.visitor),
            }]),
            _ => Err(Quarantine { from: self.from.into_iter().next().map(Box::new), ..Quarantine::new("bad_frame", detail) }),
        }
    }
}

const KNOWN: [&str; 9] = ["hello", "message", "typing", "read", "delivered", "claim", "email", "page", "ping"];

fn claims_of(inbox: &InboxSettings, visitor: &str, event: &RawEvent) -> Result<Vec<ContactPointClaim>, Quarantine> {
    let mut claims = vec![];
    if let Some(json) = event.header(VERIFIED_HEADER) {
        let verified: VerifiedIdentity = serde_json::from_str(json)
            .map_err(|_| Quarantine::new("bad_identity", "the stored proof of identity does not read"))?;
        claims.extend(claims_of_identity(&verified));
    }
    claims.push(ContactPointClaim::new(ContactPointKind::Visitor, inbox.id.to_string(), visitor, 2, ClaimSource::VisitorToken));
    Ok(claims)
}

/// What the site's proof says, as claims. An address that the site has verified is controlled (2); one that it merely
/// knows is claimed (0), since customers type what they like into a profile.
pub fn claims_of_identity(verified: &VerifiedIdentity) -> Vec<ContactPointClaim> {
    let source = if verified.level >= 3 { ClaimSource::Signed } else { ClaimSource::Hashed };
    let name = verified.name.clone();
    let mut claims = vec![
        ContactPointClaim::new(ContactPointKind::Account, "", &verified.id, verified.level.min(3), source).named(name.clone()),
    ];
    if let Some(email) = &verified.email {
        let level = if verified.email_verified && verified.level >= 3 { 2 } else { 0 };
        claims.push(ContactPointClaim::new(ContactPointKind::Email, "", email, level, source).named(name));
    }
    claims
}

fn context_of(form: Option<std::collections::BTreeMap<String, String>>, page: Option<Page>) -> Option<Value> {
    let mut context = Map::new();
    if let Some(form) = form.filter(|form| !form.is_empty()) {
        context.insert("form".to_owned(), json!(form));
    }
    if let Some(page) = page {
        context.insert("page".to_owned(), json!(page));
    }
    (!context.is_empty()).then_some(Value::Object(context))
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
