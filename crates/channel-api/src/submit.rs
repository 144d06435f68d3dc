//! The adapter itself: one POST per webhook, and what its answer means.

use crate::capabilities::capabilities;
use crate::http::{self, Http, NotAsked};
use crate::settings::ApiSettings;
use crate::sign::{ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature};
use crate::wire::{ApiAnswer, ApiWebhook};
use crate::{WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS};
use channel::{
    Accepted, Blob, Blocked, Capabilities, Channel, CheckResult, CheckState, DeliveryState, FailureClass, FetchError, Fut,
    InboundEvent, InboxSettings, Media, MediaRef, Outbound, Quarantine, RawEvent, SendContext, SendError, SettingsRefused,
    Signal, Signals, Webhook, WireRequest,
};
use model::{Clock, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

const ANSWER_BYTES_MAX: usize = 64 * 1024;
const RETRY_MS: i64 = 5_000;
const RETRY_AFTER_S_MAX: i64 = 3_600;
const TEXT_CHARS_MAX: usize = 300;

/// The adapter of the API channel.
pub struct ApiChannel {
    clock: Arc<dyn Clock>,
    http: Http,
}

impl ApiChannel {
    /// One value serves all inboxes.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, http: Http::default() }
    }

    /// Signs and posts once.
    async fn post(&self, inbox: &InboxSettings, url: &str, id: &str, body: Vec<u8>) -> Result<Accepted, SendError> {
        let settings = ApiSettings::of(inbox);
        let now = self.clock.now();
        let seconds = now.ms().div_euclid(1_000);
        let secrets = [WEBHOOK_SECRET, WEBHOOK_SECRET_PREVIOUS].into_iter().filter_map(|name| inbox.secrets.get(name));
        let signatures: Vec<String> = secrets.map(|secret| signature(secret.expose(), id, seconds, &body)).collect();
        if signatures.is_empty() {
            return Err(SendError::SignInAgain);
        }
        let (client, url) = match self.http.to(url, settings.allow_private_networks) {
            Ok(found) => found,
            Err(NotAsked::Refused(text)) => return Err(refused(FailureClass::Permanent, "address", text)),
            Err(NotAsked::Broken) => return Err(SendError::RetryAt(now.plus_ms(RETRY_MS))),
        };
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header(ID_HEADER, id)
            .header(TIMESTAMP_HEADER, seconds)
            .header(SIGNATURE_HEADER, signatures.join(" "))
            .body(body);
        match request.send().await {
            Ok(answer) => self.understand(answer, id).await,
            Err(error) => Err(match http::refused_by_rule(&error) {
                Some(text) => refused(FailureClass::Permanent, "address", text),
                // Nothing was sent. Afterwards nobody knows.
                None if error.is_connect() || error.is_builder() => SendError::RetryAt(now.plus_ms(RETRY_MS)),
                None => SendError::Uncertain,
            }),
        }
    }

    async fn understand(&self, answer: reqwest::Response, id: &str) -> Result<Accepted, SendError> {
        let status = answer.status().as_u16();
        let now = self.clock.now();
        let retry_after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()).and_then(|v| seconds(v, now));
        // A long or broken body takes nothing back of what the status said.
        let body = http::body(answer, ANSWER_BYTES_MAX).await.ok().flatten().unwrap_or_default();
        let said: ApiAnswer = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            200..=299 => {
                let state = said.state.as_deref().and_then(DeliveryState::parse);
                let state = state.filter(|s| matches!(s, DeliveryState::Sent | DeliveryState::Delivered));
                let provider_id = said.message_id.filter(|id| !id.is_empty() && id.len() <= 200).unwrap_or_else(|| id.to_owned());
                Ok(Accepted { provider_id: Some(provider_id), state: state.unwrap_or(DeliveryState::Accepted), cost: None })
            }
            401 | 403 => Err(SendError::SignInAgain),
            408 | 425 | 429 | 500..=599 => Err(SendError::RetryAt(match retry_after {
                Some(wait_s) => now.plus_seconds(wait_s.clamp(1, RETRY_AFTER_S_MAX)),
                None => now.plus_ms(RETRY_MS),
            })),
            300..=399 => {
                let text =
                    "The webhook address answers with a redirect, which is not followed. Set the address that it leads to.";
                Err(refused(FailureClass::Permanent, &status.to_string(), text.to_owned()))
            }
            _ => {
                let said = said.error.unwrap_or_default();
                let class = match said.class.as_deref() {
                    Some("address") => FailureClass::Address,
                    Some("policy") => FailureClass::Policy,
                    _ => FailureClass::Permanent,
                };
                let code = if said.code.is_empty() { status.to_string() } else { said.code };
                let text = if said.text.is_empty() { format!("The other system answered {status}.") } else { said.text };
                Err(refused(class, &code, text))
            }
        }
    }

    async fn tell(&self, inbox: &InboxSettings, id: &str, kind: &str, data: Value) -> Result<Accepted, SendError> {
        let settings = ApiSettings::of(inbox);
        let Some(url) = settings.webhook_url else {
            return Err(refused(FailureClass::Permanent, "no_url", "This inbox has no webhook address.".to_owned()));
        };
        let webhook = ApiWebhook { kind: kind.to_owned(), timestamp: self.clock.now(), data };
        let body = serde_json::to_vec(&webhook).expect("a webhook is plain JSON");
        self.post(inbox, &url, id, body).await
    }
}

fn refused(class: FailureClass, code: &str, text: String) -> SendError {
    let short = |text: &str, max| model::fold::truncate(&model::fold::clean(text), max).to_owned();
    SendError::Refused { class, code: short(code, 60), text: short(&text, TEXT_CHARS_MAX) }
}

/// Retry-After as seconds: a number, or a date.
fn seconds(value: &str, now: Timestamp) -> Option<i64> {
    if let Ok(seconds) = value.trim().parse::<i64>() {
        return Some(seconds);
    }
    let date = Timestamp::parse_http_date(value.trim())?;
    Some((date.since(now) + 999).div_euclid(1_000))
}

impl Channel for ApiChannel {
    fn capabilities(&self, inbox: &InboxSettings) -> Capabilities {
        capabilities(&ApiSettings::of(inbox))
    }

    fn parse(&self, inbox: &InboxSettings, event: &RawEvent) -> Result<Vec<InboundEvent>, Quarantine> {
        crate::parse::parse(inbox, event)
    }

    fn render(&self, outbound: &Outbound, context: &SendContext) -> Result<Vec<WireRequest>, Blocked> {
        crate::render::render(outbound, context)
    }

    fn submit<'a>(&'a self, inbox: &'a InboxSettings, request: &'a WireRequest) -> Fut<'a, Result<Accepted, SendError>> {
        Box::pin(async move { self.post(inbox, &request.url, &request.correlation, request.body.clone()).await })
    }

    fn check<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Vec<CheckResult>> {
        Box::pin(async move {
            let settings = ApiSettings::of(inbox);
            let result = |code: &str, state, text: String| CheckResult { code: code.to_owned(), state, text };
            let key = match inbox.secrets.get(crate::KEY) {
                Some(_) => result("key", CheckState::Ok, "The inbox has a key.".to_owned()),
                None => result("key", CheckState::Failed, "The inbox has no key yet: make one.".to_owned()),
            };
            if settings.webhook_url.is_none() {
                let text = "No webhook address is set: messages come in, answers do not go out.".to_owned();
                return vec![key, result("webhook", CheckState::Warn, text)];
            }
            let id = format!("test_{}", self.clock.now().ms());
            let answer = self.tell(inbox, &id, "test", json!({"inbox_id": inbox.id, "name": inbox.name})).await;
            let webhook = match answer {
                Ok(_) => result("webhook", CheckState::Ok, "The webhook was taken.".to_owned()),
                Err(SendError::RetryAt(_)) => {
                    result("webhook", CheckState::Failed, "The address does not answer, or says that it cannot now.".to_owned())
                }
                Err(SendError::SignInAgain) if inbox.secrets.get(WEBHOOK_SECRET).is_none() => {
                    result("webhook", CheckState::Failed, "The inbox has no webhook secret yet: make one.".to_owned())
                }
                Err(SendError::SignInAgain) => {
                    let text = "The other system does not believe our signature: does it have the current webhook secret?";
                    result("webhook", CheckState::Failed, text.to_owned())
                }
                Err(SendError::Refused { text, code, .. }) => result("webhook", CheckState::Failed, format!("{text} ({code})")),
                Err(SendError::Uncertain) => {
                    result("webhook", CheckState::Warn, "The webhook was sent, but no answer came within 15 seconds.".to_owned())
                }
            };
            vec![key, webhook]
        })
    }

    fn validate_settings(&self, settings: &Value) -> Result<Value, SettingsRefused> {
        ApiSettings::from_input(settings).map(|settings| settings.to_json())
    }

    fn webhook(&self) -> Option<&dyn Webhook> {
        Some(self)
    }
    fn media(&self) -> Option<&dyn Media> {
        Some(self)
    }
    fn signals(&self) -> Option<&dyn Signals> {
        Some(self)
    }
}

impl Media for ApiChannel {
    fn fetch<'a>(&'a self, inbox: &'a InboxSettings, media: &'a MediaRef) -> Fut<'a, Result<Blob, FetchError>> {
        Box::pin(async move {
            let settings = ApiSettings::of(inbox);
            let later = || FetchError::RetryAt(self.clock.now().plus_ms(RETRY_MS));
            let bytes_max = settings.files.bytes_max;
            let (client, url) = match self.http.to(&media.reference, settings.allow_private_networks) {
                Ok(found) => found,
                Err(NotAsked::Refused(_)) => return Err(FetchError::Gone),
                Err(NotAsked::Broken) => return Err(later()),
            };
            let answer = match client.get(url).send().await {
                Ok(answer) => answer,
                Err(error) if http::refused_by_rule(&error).is_some() => return Err(FetchError::Gone),
                Err(_) => return Err(later()),
            };
            match answer.status().as_u16() {
                200..=299 => {}
                408 | 425 | 429 | 500..=599 => return Err(later()),
                _ => return Err(FetchError::Gone),
            }
            if answer.content_length().is_some_and(|length| length > bytes_max) {
                return Err(FetchError::TooLarge { bytes_max });
            }
            let mime = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
            let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX);
            match http::body(answer, limit).await {
                Ok(Some(bytes)) => Ok(Blob { name: media.name.clone(), mime, bytes }),
                Ok(None) => Err(FetchError::TooLarge { bytes_max }),
                Err(_) => Err(later()),
            }
        })
    }
}

impl Signals for ApiChannel {
    fn signal<'a>(&'a self, inbox: &'a InboxSettings, signal: &'a Signal) -> Fut<'a, Result<(), SendError>> {
        let (kind, data) = match signal {
            Signal::Typing { external_conversation, on } => {
                ("typing.changed", json!({"external_conversation": external_conversation, "on": on}))
            }
            Signal::Read { external_conversation, provider_id } => {
                ("message.read", json!({"external_conversation": external_conversation, "message_id": provider_id}))
            }
            Signal::Edit { provider_id, text } => ("message.edited", json!({"message_id": provider_id, "text": text})),
            Signal::Delete { provider_id } => ("message.deleted", json!({"message_id": provider_id})),
            Signal::Reaction { provider_id, emoji } => ("reaction.changed", json!({"message_id": provider_id, "emoji": emoji})),
        };
        Box::pin(async move {
            // Nobody repeats a signal, so its id only has to be its own.
            let id = format!("sig_{}_{}", self.clock.now().ms(), &channel::content_key(data.to_string().as_bytes())[..16]);
            self.tell(inbox, &id, kind, data).await.map(|_| ())
        })
    }
}
