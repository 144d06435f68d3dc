//! The adapter itself. Sending is over as soon as the entry is stored: the feed reader shows it, and `delivered` and
//! `read` come back as watermarks. It can never be uncertain.

use crate::settings::WebchatSettings;
use channel::{
    Accepted, Blocked, Capabilities, Channel, CheckResult, CheckState, DeliveryState, FailureClass, Fut, InboundEvent,
    InboxSettings, Outbound, Quarantine, RawEvent, SendContext, SendError, SettingsRefused, Webhook, WireRequest,
};

/// The webchat adapter.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebChat;

impl Channel for WebChat {
    fn capabilities(&self, inbox: &InboxSettings) -> Capabilities {
        crate::capabilities::capabilities(&WebchatSettings::of(inbox).unwrap_or_default())
    }

    fn parse(&self, inbox: &InboxSettings, event: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
        crate::parse::parse(inbox, event)
    }

    fn render(&self, outbound: &Outbound, context: &SendContext) -> Result<Vec<WireRequest>, Blocked> {
        crate::render::render(outbound, context)
    }

    fn submit<'a>(&'a self, _inbox: &'a InboxSettings, request: &'a WireRequest) -> Fut<'a, Result<Accepted, SendError>> {
        let answer = match &request.idempotency_key {
            Some(entry) => Ok(Accepted { provider_id: Some(entry.clone()), state: DeliveryState::Sent, cost: None }),
            None => Err(SendError::Refused {
                class: FailureClass::Permanent,
                code: "no_entry".to_owned(),
                text: "The request does not name the entry to show.".to_owned(),
            }),
        };
        Box::pin(std::future::ready(answer))
    }

    fn check<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Vec<CheckResult>> {
        let settings = match WebchatSettings::of(inbox).and_then(|settings| settings.check().map(|()| settings)) {
            Ok(settings) => CheckResult {
                code: "settings".to_owned(),
                state: CheckState::Ok,
                text: format!("The widget of \"{}\" is set up.", settings.site),
            },
            Err(error) => CheckResult {
                code: "settings".to_owned(),
                state: CheckState::Failed,
                text: format!("{}: {}", error.field, error.text),
            },
        };
        Box::pin(std::future::ready(vec![settings]))
    }

    fn validate_settings(&self, settings: &serde_json::Value) -> Result<serde_json::Value, SettingsRefused> {
        match WebchatSettings::from_input(settings) {
            Ok(settings) => Ok(settings.to_json()),
            Err(error) => Err(SettingsRefused { field: error.field, text: error.text }),
        }
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
}
