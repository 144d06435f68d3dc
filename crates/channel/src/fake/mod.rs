//! A channel that tests play: it takes every kind of event as JSON, records what was submitted, answers as scripted,
//! and knows afterwards what it took. It is an adapter like any other: it passes the same conformance suite.
//!
//! It speaks for any kind of inbox, and a message may declare a channel of its own, so that a test can play mail, SMS
//! and WhatsApp in one conversation. An inbox may carry its own capabilities in its settings (`{"capabilities": {..}}`).

mod play;
mod wire;

pub use play::{FakeAnswer, FakeParts, FakeTraits, FaultPlan, Submitted, Taken};
pub use wire::{FakeEvent, SIGNATURE_HEADER, TIMESTAMP_HEADER, signed_request};

use crate::{
    Accepted, AttachRule, Blob, Blocked, Capabilities, Channel, CheckResult, CheckState, Cursor, Evidence, FOLDER, FOLDER_ROLE,
    FetchError, FolderRole, Fut, HISTORY, InboundEvent, InboxSettings, Media, MediaClass, MediaRef, Outbound, OwnAddress, Pull,
    PullError, Quarantine, RawEvent, RawSink, Reconcile, Reconciled, SendContext, SendError, SendIdempotency, Signal, Signals,
    SinkError, SourceNews, Stock, StockFolder, StockItem, Template, Templates, Webhook, WireRequest, window::window,
};
use model::{Clock, InboxId};
use play::Play;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The channel that tests play. Everything is set and read through `&self`; hold it as `Arc<FakeChannel>`.
pub struct FakeChannel {
    clock: Arc<dyn Clock>,
    play: Mutex<Play>,
}

impl std::fmt::Debug for FakeChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FakeChannel({} taken)", self.play().taken.len())
    }
}

impl FakeChannel {
    /// A channel that accepts everything at once, at any time, with any files.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let play = Play { capabilities: Self::generous(), ..Play::default() };
        Self { clock, play: Mutex::new(play) }
    }

    /// Capabilities without limits that a test would have to think of: start from these to set one.
    pub fn generous() -> Capabilities {
        let any = AttachRule {
            class: MediaClass::Any,
            bytes_max: 100 * 1024 * 1024,
            types: vec![],
            count_max: 20,
            needs_public_url: false,
        };
        Capabilities {
            attach: vec![any],
            typing: true,
            read_receipts_in: true,
            read_receipts_out: true,
            delivery_receipts: true,
            edits: true,
            deletes: true,
            reactions: true,
            reply_quotes: true,
            subject: true,
            can_initiate: true,
            ..Capabilities::default()
        }
    }

    fn play(&self) -> MutexGuard<'_, Play> {
        self.play.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answers of the next submits, in order, after those that are still waiting. Without any: accept.
    pub fn answer(&self, answers: impl IntoIterator<Item = FakeAnswer>) {
        self.play().script.extend(answers);
    }
    /// What every inbox without capabilities of its own can do.
    pub fn set_capabilities(&self, capabilities: Capabilities) {
        self.play().capabilities = capabilities;
    }
    /// How an entry becomes parts.
    pub fn set_parts(&self, parts: FakeParts) {
        self.play().parts = parts;
    }
    /// Which optional traits are there.
    pub fn set_traits(&self, traits: FakeTraits) {
        self.play().traits = traits;
    }
    /// Lets calls that reach the provider fail; `None` stops that.
    pub fn set_fault(&self, plan: Option<FaultPlan>) {
        self.play().set_fault(plan);
    }
    /// How many calls reached the provider (submit, find, fetch, signal, list, pull, check) since a plan was set.
    pub fn fault_calls(&self) -> u64 {
        self.play().fault_calls
    }
    /// A file that `Media` can fetch.
    pub fn put_media(&self, reference: &str, blob: Blob) {
        self.play().media.insert(reference.to_owned(), blob);
    }
    /// A template that `Templates` lists.
    pub fn put_template(&self, template: Template) {
        self.play().templates.push(template);
    }
    /// Events that the next `pull` brings.
    pub fn put_pulled(&self, events: impl IntoIterator<Item = FakeEvent>) {
        self.play().pulled.extend(events);
    }

    /// So many of these lay there before the inbox was connected.
    pub fn set_before_start(&self, count: usize) {
        self.play().before_start = count;
    }
    /// Moves everything to a new numbering, as a mail server does: each key ends with this.
    pub fn renumber(&self, generation: &str) {
        self.play().generation = generation.to_owned();
    }

    /// Every call of `submit` with what it was told, in order.
    pub fn submitted(&self) -> Vec<Submitted> {
        self.play().submitted.clone()
    }
    /// What the provider took, in order: what customers see. A repeat with the same idempotency key is not in here twice.
    pub fn taken(&self) -> Vec<Taken> {
        self.play().taken.clone()
    }
    /// What the provider took for one inbox.
    pub fn taken_for(&self, inbox: InboxId) -> Vec<Taken> {
        self.play().taken.iter().filter(|taken| taken.inbox == inbox).cloned().collect()
    }
    /// Signals sent, in order.
    pub fn signals_sent(&self) -> Vec<Signal> {
        self.play().signals.clone()
    }
    /// Forgets what was submitted and taken, and the script. Settings stay.
    pub fn forget(&self) {
        self.play().forget();
    }
}

fn own_capabilities(inbox: &InboxSettings) -> Option<Capabilities> {
    serde_json::from_value(inbox.settings.get("capabilities")?.clone()).ok()
}

impl Channel for FakeChannel {
    fn capabilities(&self, inbox: &InboxSettings) -> Capabilities {
        let mut capabilities = own_capabilities(inbox).unwrap_or_else(|| self.play().capabilities.clone());
        // As on the real open channel: talk, unless the inbox says that its messages have subjects.
        if inbox.channel == model::Channel::Api {
            capabilities.subject &= inbox.settings["has_subject"].as_bool().unwrap_or(false);
        }
        capabilities
    }

    fn parse(&self, _inbox: &InboxSettings, event: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
        let mut events = wire::parse(event)?;
        for event_in in &mut events {
            if let InboundEvent::Message(message) | InboundEvent::Echo(message) = event_in {
                message.history |= event.header(HISTORY).is_some();
            }
        }
        Ok(events)
    }

    fn render(&self, outbound: &Outbound, context: &SendContext) -> Result<Vec<WireRequest>, Blocked> {
        let capabilities = self.capabilities(&context.inbox);
        let state = window(capabilities.window, outbound.author, context.last_inbound_at, context.now);
        state.admit(outbound.template.is_some(), capabilities.templates)?;
        let parts = self.play().parts;
        // A text that is split is measured by its pieces.
        let measured = if parts.text_chars.is_some() { "" } else { outbound.text.as_str() };
        capabilities.check(measured, &outbound.files)?;
        let with_key = matches!(capabilities.send_idempotency, SendIdempotency::Key(_));
        Ok(wire::render(outbound, context, parts, with_key))
    }

    fn submit<'a>(&'a self, inbox: &'a InboxSettings, request: &'a WireRequest) -> Fut<'a, Result<Accepted, SendError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let answer = self.play().submit(inbox.id, request, now);
            match answer {
                Some(answer) => answer,
                // The answer that never comes: the caller's time limit or its death ends this.
                None => std::future::pending().await,
            }
        })
    }

    fn check<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Vec<CheckResult>> {
        let failed = self.play().next_fault().is_some();
        let (state, text) = match failed {
            true => (CheckState::Failed, "The provider does not answer.".to_owned()),
            false => (CheckState::Ok, format!("{} works.", inbox.name)),
        };
        Box::pin(std::future::ready(vec![CheckResult { code: "credentials".to_owned(), state, text }]))
    }

    /// An inbox of a test may have an address: `{"address": "..", "aliases": [..], "plus_addressing": true}`.
    fn own_address(&self, inbox: &InboxSettings) -> Option<OwnAddress> {
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        Some(OwnAddress {
            address: text(inbox.settings.get("address")?)?,
            aliases: inbox.settings["aliases"].as_array().into_iter().flatten().filter_map(text).collect(),
            plus_addressing: inbox.settings["plus_addressing"].as_bool().unwrap_or(true),
        })
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
    fn pull(&self) -> Option<&dyn Pull> {
        self.play().traits.pull.then_some(self as &dyn Pull)
    }
    fn evidence(&self) -> Option<&dyn Evidence> {
        self.play().traits.evidence.then_some(self as &dyn Evidence)
    }
    fn reconcile(&self) -> Option<&dyn Reconcile> {
        self.play().traits.reconcile.then_some(self as &dyn Reconcile)
    }
    fn media(&self) -> Option<&dyn Media> {
        self.play().traits.media.then_some(self as &dyn Media)
    }
    fn templates(&self) -> Option<&dyn Templates> {
        self.play().traits.templates.then_some(self as &dyn Templates)
    }
    fn stock(&self) -> Option<&dyn Stock> {
        self.play().traits.pull.then_some(self as &dyn Stock)
    }
    fn signals(&self) -> Option<&dyn Signals> {
        self.play().traits.signals.then_some(self as &dyn Signals)
    }
}

impl Reconcile for FakeChannel {
    fn find<'a>(&'a self, inbox: &'a InboxSettings, request: &'a WireRequest) -> Fut<'a, Option<Reconciled>> {
        let found = self.play().find(inbox.id, request);
        Box::pin(std::future::ready(found))
    }
}

impl Media for FakeChannel {
    fn fetch<'a>(&'a self, inbox: &'a InboxSettings, media: &'a MediaRef) -> Fut<'a, Result<Blob, FetchError>> {
        let bytes_max = self.capabilities(inbox).limits().attachment_bytes_max;
        let mut play = self.play();
        let found = match play.next_fault() {
            Some(FakeAnswer::SignInAgain) => Err(FetchError::SignInAgain),
            Some(_) => Err(FetchError::RetryAt(self.clock.now().plus_seconds(1))),
            None => match play.media.get(&media.reference) {
                None => Err(FetchError::Gone),
                Some(blob) if bytes_max > 0 && blob.bytes.len() as u64 > bytes_max => Err(FetchError::TooLarge { bytes_max }),
                Some(blob) => Ok(blob.clone()),
            },
        };
        Box::pin(std::future::ready(found))
    }
}

impl Templates for FakeChannel {
    fn list<'a>(&'a self, _inbox: &'a InboxSettings) -> Fut<'a, Result<Vec<Template>, SendError>> {
        let mut play = self.play();
        let listed = match play.next_fault() {
            Some(_) => Err(SendError::RetryAt(self.clock.now().plus_seconds(1))),
            None => Ok(play.templates.clone()),
        };
        Box::pin(std::future::ready(listed))
    }
}

impl Signals for FakeChannel {
    fn signal<'a>(&'a self, _inbox: &'a InboxSettings, signal: &'a Signal) -> Fut<'a, Result<(), SendError>> {
        let mut play = self.play();
        let sent = match play.next_fault() {
            Some(_) => Err(SendError::RetryAt(self.clock.now().plus_seconds(1))),
            None => {
                play.signals.push(signal.clone());
                Ok(())
            }
        };
        Box::pin(std::future::ready(sent))
    }
}

impl Evidence for FakeChannel {
    fn gather<'a>(&'a self, _inbox: &'a InboxSettings, event: &'a RawEvent) -> Fut<'a, Vec<u8>> {
        Box::pin(std::future::ready(format!("looked up for {}", event.dedupe_key).into_bytes()))
    }
}

impl FakeChannel {
    /// A pulled event with the marks of where it lay, under the key of the present numbering.
    fn pulled(&self, event: &FakeEvent, history: bool) -> RawEvent {
        let mut raw = event.raw_event(self.clock.now());
        raw.dedupe_key.push_str(&self.play().generation);
        raw.headers =
            vec![(FOLDER.to_owned(), "INBOX".to_owned()), (FOLDER_ROLE.to_owned(), FolderRole::Inbox.word().to_owned())];
        if history {
            raw.headers.push((HISTORY.to_owned(), "1".to_owned()));
        }
        raw
    }
}

impl Pull for FakeChannel {
    fn pull<'a>(&'a self, _inbox: &'a InboxSettings, from: Cursor, sink: &'a dyn RawSink) -> Fut<'a, Result<Cursor, PullError>> {
        Box::pin(async move {
            // The cursor counts events; a second pull from an old cursor brings the same ones again, as providers do.
            let (start, generation) = {
                let play = self.play();
                (play.before_start, play.generation.clone())
            };
            let (mut at, known) = match from.0.split_once(' ') {
                Some((at, known)) => (at.parse().unwrap_or(0), known.to_owned()),
                None if from.0.is_empty() => (start, generation.clone()),
                None => (from.0.parse().unwrap_or(start), String::new()),
            };
            if known != generation {
                sink.news(SourceNews::Renumbered { folder: "INBOX".to_owned(), count: at as u64 });
                at = start;
            }
            let cursor_at = |at: usize| match generation.as_str() {
                "" => Cursor(at.to_string()),
                generation => Cursor(format!("{at} {generation}")),
            };
            loop {
                let event = {
                    let mut play = self.play();
                    match play.next_fault() {
                        Some(FakeAnswer::SignInAgain) => return Err(PullError::SignInAgain),
                        Some(_) => return Err(PullError::Lost("the connection was cut".to_owned())),
                        None => play.pulled.get(at).cloned(),
                    }
                };
                let Some(event) = event else {
                    sink.news(SourceNews::Alive { push: true });
                    return Ok(cursor_at(at));
                };
                match sink.accept(vec![self.pulled(&event, false)], Some(cursor_at(at + 1))).await {
                    Ok(()) => at += 1,
                    Err(SinkError::Busy) => return Ok(cursor_at(at)),
                    Err(SinkError::Closed(why)) => return Err(PullError::Lost(why)),
                }
            }
        })
    }
}

impl FakeChannel {
    fn accepted(&self, accepted: Result<(), SinkError>) -> Result<(), PullError> {
        accepted.map_err(|error| PullError::Lost(error.to_string()))
    }
}

impl Stock for FakeChannel {
    fn list<'a>(&'a self, _inbox: &'a InboxSettings, cursor: &'a Cursor) -> Fut<'a, Result<Vec<StockFolder>, PullError>> {
        let mut play = self.play();
        if play.next_fault().is_some() {
            return Box::pin(std::future::ready(Err(PullError::Lost("the connection was cut".to_owned()))));
        }
        let at: usize = cursor.0.split(' ').next().and_then(|at| at.parse().ok()).unwrap_or(0);
        let items = play.pulled.iter().enumerate().map(|(n, event)| StockItem {
            key: format!("{}{}", event.id, play.generation),
            at: Some(model::Timestamp(n as i64)),
            bytes: event.event.to_string().len() as u64,
            deleted: false,
            before_start: n < play.before_start,
            ahead: n >= at,
        });
        let folder = StockFolder {
            name: "INBOX".to_owned(),
            role: FolderRole::Inbox,
            generation: play.generation.clone(),
            items: items.collect(),
        };
        Box::pin(std::future::ready(Ok(vec![folder])))
    }
    fn fetch<'a>(
        &'a self,
        _inbox: &'a InboxSettings,
        keys: &'a [String],
        history: bool,
        sink: &'a dyn RawSink,
    ) -> Fut<'a, Result<(), PullError>> {
        Box::pin(async move {
            for key in keys {
                let event = {
                    let mut play = self.play();
                    if play.next_fault().is_some() {
                        return Err(PullError::Lost("the connection was cut".to_owned()));
                    }
                    let generation = play.generation.clone();
                    play.pulled.iter().find(|event| format!("{}{generation}", event.id) == *key).cloned()
                };
                let Some(event) = event else { continue };
                self.accepted(sink.accept(vec![self.pulled(&event, history)], None).await)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
