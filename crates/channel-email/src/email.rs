//! The e-mail adapter itself: one value for all inboxes. It only connects the contract with the files that do the work.

use crate::address::Person;
use crate::check::PROBE;
use crate::evidence::LookUps;
use crate::parse::{self, Around, ParsedMail};
use crate::settings::{self, MailSettings};
use crate::wire::Wire;
use crate::{content, fetch, quote, render, reply_chain};
use channel::{
    Accepted, Blocked, Capabilities, Channel, CheckResult, ClaimSource, ContactPointClaim, ContactPointKind, Enclosures,
    Evidence, FOLDER_ROLE, FolderRole, Fut, HISTORY, InboundEvent, InboundMessage, InboxSettings, Listen, MailFacts, Outbound,
    OwnAddress, Part, Pull, Quarantine, RawEvent, Reconcile, SendContext, SendError, SetUp, SettingsRefused, SpanKind,
    StepReport, Stock, TextSpan, WireRequest,
};
use model::{Clock, Random, Timestamp};
use std::sync::Arc;

/// The e-mail adapter.
#[derive(Clone)]
pub struct Email {
    wire: Wire,
    look_ups: Option<LookUps>,
}

impl Email {
    /// With its clock and randomness. One value serves all inboxes.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self::over(Wire::new(clock, random))
    }
    /// Over a transport that is already there.
    pub fn over(wire: Wire) -> Self {
        Self { wire, look_ups: None }
    }
    /// Judging senders by look-ups, too. Without them only what the inbox's own provider wrote down counts.
    pub fn looking_up(mut self, look_ups: LookUps) -> Self {
        self.look_ups = Some(look_ups);
        self
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Email")
    }
}

impl Channel for Email {
    fn capabilities(&self, inbox: &InboxSettings) -> Capabilities {
        render::capabilities(inbox)
    }
    fn parse(&self, inbox: &InboxSettings, event: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
        events(inbox, event)
    }
    fn render(&self, outbound: &Outbound, context: &SendContext) -> Result<Vec<WireRequest>, Blocked> {
        render::render(outbound, context)
    }
    fn submit<'a>(&'a self, inbox: &'a InboxSettings, request: &'a WireRequest) -> Fut<'a, Result<Accepted, SendError>> {
        Box::pin(self.wire.submit(inbox, request))
    }
    fn check<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Vec<CheckResult>> {
        Box::pin(self.wire.check(inbox))
    }
    fn check_steps<'a>(&'a self, inbox: &'a InboxSettings, report: StepReport<'a>) -> Fut<'a, ()> {
        Box::pin(self.wire.check_steps(inbox, report))
    }
    fn validate_settings(&self, settings: &serde_json::Value) -> Result<serde_json::Value, SettingsRefused> {
        settings::validate(settings)
    }
    fn own_address(&self, inbox: &InboxSettings) -> Option<OwnAddress> {
        render::own_address(inbox)
    }
    fn pull(&self) -> Option<&dyn Pull> {
        Some(&self.wire)
    }
    fn listen(&self) -> Option<&dyn Listen> {
        Some(&self.wire)
    }
    fn evidence(&self) -> Option<&dyn Evidence> {
        self.look_ups.as_ref().map(|look_ups| look_ups as &dyn Evidence)
    }
    fn reconcile(&self) -> Option<&dyn Reconcile> {
        Some(&self.wire)
    }
    fn stock(&self) -> Option<&dyn Stock> {
        Some(&self.wire)
    }
    fn set_up(&self) -> Option<&dyn SetUp> {
        Some(&self.wire)
    }
    fn enclosures(&self) -> Option<&dyn Enclosures> {
        Some(self)
    }
}

impl Enclosures for Email {
    fn open(&self, event: &RawEvent, reference: &str) -> Option<Vec<u8>> {
        content::open(&event.body, reference).map(std::borrow::Cow::into_owned)
    }
}

/// What one raw event means.
pub fn events(inbox: &InboxSettings, event: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
    if let Some(said) = event.header(fetch::UNREADABLE) {
        return Err(Quarantine::new("unreadable", format!("the mail server cannot give it: {said}")));
    }
    // Settings that do not read are the inbox's trouble; its mail is still mail.
    let settings = MailSettings::of(inbox).ok();
    let own: Vec<String> = settings.iter().flat_map(|s| s.aliases.iter().chain([&s.address])).map(|a| a.to_lowercase()).collect();
    let around = Around {
        evidence: event.evidence.as_deref(),
        authserv_id: settings.as_ref().and_then(|s| s.authserv_id.as_deref()),
        own: &own,
        headers_only: event.header(fetch::TOO_LARGE).is_some(),
    };
    let mail = parse::read(&event.body, &around)?;
    let role = event.header(FOLDER_ROLE).and_then(FolderRole::parse).unwrap_or_default();
    let is_own = |person: &Person| person.address.as_ref().is_some_and(|address| own.contains(&address.to_lowercase()));
    if mail.headers.has(PROBE) && is_own(&mail.sender.person) {
        return Ok(vec![]);
    }
    let history = event.header(HISTORY).is_some();
    let at = event.header(fetch::INTERNAL_DATE).and_then(Timestamp::parse);
    if role == FolderRole::Sent {
        let mut message = message_of(mail, &event.body, at);
        // The other side of what we wrote; a copy to ourselves is no customer.
        let ours = |claim: &ContactPointClaim| own.contains(&claim.value.to_lowercase());
        message.to.retain(|claim| !ours(claim));
        message.cc.retain(|claim| !ours(claim));
        if message.to.is_empty() {
            message.to = std::mem::take(&mut message.cc);
        }
        return Ok(vec![InboundEvent::Echo(InboundMessage { history, ..message })]);
    }
    let message = InboundMessage { history, junk: role == FolderRole::Junk, ..message_of(mail, &event.body, at) };
    Ok(vec![InboundEvent::Message(message)])
}

fn claim(person: &Person, proof_level: u8, source: ClaimSource) -> Option<ContactPointClaim> {
    let address = person.address.as_ref()?;
    Some(ContactPointClaim::new(ContactPointKind::Email, "", address, proof_level, source).named(person.name.clone()))
}

fn claims(people: &[Person]) -> Vec<ContactPointClaim> {
    // Whoever wrote a mail may put anybody into its receivers.
    people.iter().filter_map(|person| claim(person, 0, ClaimSource::Receiver)).collect()
}

/// The message for the desk. `arrived_at`: when the mail server got it, for mails without a date.
pub fn message_of(mail: ParsedMail, raw: &[u8], arrived_at: Option<Timestamp>) -> InboundMessage {
    let trust = mail.trust;
    let mut from: Vec<ContactPointClaim> =
        claim(&mail.sender.person, trust.proof_level(), ClaimSource::Sender).into_iter().collect();
    for claim in &mut from {
        claim.disproved = trust == channel::SenderTrust::Failed;
    }
    // Without an id of its own it gets one that nothing can refer to.
    let provider_id =
        mail.keys.message_id.clone().unwrap_or_else(|| format!("sha256:{}@none.invalid", channel::content_key(raw)));
    let spans = spans_of(&mail.split);
    let facts = MailFacts {
        message_id: mail.keys.message_id.clone(),
        in_reply_to: mail.keys.in_reply_to.clone(),
        references: mail.keys.references.clone(),
        thread_index: mail.keys.thread_index.clone(),
        topic: mail.keys.topic.clone(),
        reply_to: claims(&mail.reply_to),
        sent_by: mail.sent_by.as_ref().and_then(|person| claim(person, 0, ClaimSource::Sender)),
        delivered_to: mail.delivered_to,
        list_id: mail.headers.first("List-Id").map(str::to_owned).filter(|id| !id.is_empty()),
        trust,
        evidence: mail.evidence,
        quiet: mail.machine.quiet,
        automatic_mark: mail.machine.mark,
        report: mail.report,
        calendar: mail.calendar,
        seals: mail.seals,
        forwarded_from: reply_chain::forwarded_from(&mail.text, &mail.split)
            .and_then(|person| claim(&person, 0, ClaimSource::Typed)),
    };
    InboundMessage {
        provider_id,
        reply_to: mail.keys.answers(),
        tokens: mail.keys.tokens,
        from,
        to: claims(&mail.to),
        cc: claims(&mail.cc),
        sent_at: mail.sent_at.or(arrived_at),
        subject: mail.subject,
        spans,
        text: mail.text,
        html: mail.html.map(|html| html.safe),
        parts: mail.files.into_iter().map(Part::Enclosed).collect(),
        automatic: mail.machine.automatic,
        warnings: mail.warnings,
        mail: Some(Box::new(facts)),
        ..InboundMessage::default()
    }
}

fn spans_of(split: &quote::Split) -> Vec<TextSpan> {
    let kind = |kind| match kind {
        quote::SpanKind::New => None,
        quote::SpanKind::Quote => Some(SpanKind::Quote),
        quote::SpanKind::Forward => Some(SpanKind::Forward),
        quote::SpanKind::Signature => Some(SpanKind::Signature),
    };
    split.spans.iter().filter_map(|span| Some(TextSpan { from: span.start, to: span.end, kind: kind(span.kind)? })).collect()
}

#[cfg(test)]
#[path = "email_tests.rs"]
mod tests;
