//! One adapter for inboxes of kind `api`, of which stories have two sorts: the builder's own inbox is FakeChannel's, which
//! plays every kind of channel; one that was made over the API has real settings and gets the real adapter.

use channel::fake::FakeChannel;
use channel::{
    Accepted, Blocked, Capabilities, Channel, CheckResult, Fut, InboundEvent, InboxSettings, Outbound, Quarantine, RawEvent,
    RawRequest, Rejected, SendContext, SendError, SettingsRefused, Verified, Webhook, WireRequest,
};
use channel_api::ApiChannel;
use model::Timestamp;
use std::sync::Arc;

const REAL: &str = "x-testkit-real";

/// FakeChannel or the real adapter, whichever the inbox was made for.
pub struct FakeOrApi {
    /// For inboxes that a builder made.
    pub fake: Arc<FakeChannel>,
    /// For inboxes that the API made.
    pub real: Arc<ApiChannel>,
}

impl FakeOrApi {
    fn of(&self, inbox: &InboxSettings) -> &dyn Channel {
        // The API never stores an inbox without this field; a builder never with it.
        if inbox.settings.get("claim_ceiling").is_some() { &*self.real } else { &*self.fake }
    }
}

impl Channel for FakeOrApi {
    fn capabilities(&self, inbox: &InboxSettings) -> Capabilities {
        self.of(inbox).capabilities(inbox)
    }
    fn parse(&self, inbox: &InboxSettings, event: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
        self.of(inbox).parse(inbox, event)
    }
    fn render(&self, outbound: &Outbound, context: &SendContext) -> Result<Vec<WireRequest>, Blocked> {
        self.of(&context.inbox).render(outbound, context)
    }
    fn submit<'a>(&'a self, inbox: &'a InboxSettings, request: &'a WireRequest) -> Fut<'a, Result<Accepted, SendError>> {
        self.of(inbox).submit(inbox, request)
    }
    fn check<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Vec<CheckResult>> {
        self.of(inbox).check(inbox)
    }
    fn validate_settings(&self, settings: &serde_json::Value) -> Result<serde_json::Value, SettingsRefused> {
        self.real.validate_settings(settings)
    }
    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
    fn media(&self) -> Option<&dyn channel::Media> {
        self.real.media()
    }
}

impl Webhook for FakeOrApi {
    fn verify(&self, inbox: &InboxSettings, request: &RawRequest, now: Timestamp) -> Result<Verified, Rejected> {
        let real = inbox.settings.get("claim_ceiling").is_some();
        let adapter = if real { self.real.webhook() } else { self.fake.webhook() };
        let mut verified = adapter.ok_or_else(|| Rejected::Malformed("no door".to_owned()))?.verify(inbox, request, now)?;
        if real {
            verified.headers.push((REAL.to_owned(), String::new()));
        }
        Ok(verified)
    }
    fn split(&self, verified: &Verified) -> Vec<RawEvent> {
        let adapter = if verified.header(REAL).is_some() { self.real.webhook() } else { self.fake.webhook() };
        adapter.map(|webhook| webhook.split(verified)).unwrap_or_default()
    }
}
