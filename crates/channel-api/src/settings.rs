//! What an admin sets for an inbox of the API channel: defaults, and checks in words.

use channel::{Capabilities, InboxSettings, SettingsRefused};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

const MIB: u64 = 1024 * 1024;
const URL_CHARS_MAX: usize = 2_000;

/// Everything an admin sets for an inbox of the API channel. Kept as JSON; a field that an older row lacks has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSettings {
    /// Where our webhooks go; null: nothing goes out.
    pub webhook_url: Option<String>,
    /// The webhook may go into private networks and to this computer, also without TLS.
    pub allow_private_networks: bool,
    /// How much the other side may vouch for its senders: 0 only stated, 1 unverified, 2 confirmed, 3 signed in.
    pub claim_ceiling: u8,
    /// Events must be signed; the key alone is not enough.
    pub require_signature: bool,
    /// Messages have a subject: they are then placed like mails.
    pub has_subject: bool,
    /// Country of telephone numbers without country code: two letters such as DE.
    pub country: Option<String>,
    /// File limits, both ways.
    pub files: ApiFiles,
    /// Events a minute that are taken.
    pub events_per_minute: u32,
    /// What this inbox can do, over the defaults: fields of `Capabilities` (docs/API-CHANNEL.md).
    #[schema(value_type = Object)]
    pub capabilities: Map<String, Value>,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            webhook_url: None,
            allow_private_networks: false,
            claim_ceiling: 1,
            require_signature: false,
            has_subject: false,
            country: None,
            files: ApiFiles::default(),
            events_per_minute: 600,
            capabilities: Map::new(),
        }
    }
}

/// File limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiFiles {
    /// Files may be sent, in and out.
    pub enabled: bool,
    /// Largest file.
    pub bytes_max: u64,
    /// Files in one message.
    pub count_max: u32,
    /// Media types such as `image/*`; empty: all.
    pub types: Vec<String>,
}

impl Default for ApiFiles {
    fn default() -> Self {
        Self { enabled: true, bytes_max: 25 * MIB, count_max: 10, types: vec![] }
    }
}

fn refused<T>(field: impl Into<String>, text: impl Into<String>) -> Result<T, SettingsRefused> {
    Err(SettingsRefused { field: field.into(), text: text.into() })
}

impl ApiSettings {
    /// The settings of an inbox; what cannot be read has its default.
    pub fn of(inbox: &InboxSettings) -> Self {
        Self::deserialize(&inbox.settings).unwrap_or_default()
    }

    /// Reads what an admin gave, and checks it.
    pub fn from_input(given: &Value) -> Result<Self, SettingsRefused> {
        let Some(fields) = given.as_object() else { return refused("api", "an object with settings") };
        // One field at a time, so that the refusal names it.
        for (name, value) in fields {
            let one = Value::Object([(name.clone(), value.clone())].into_iter().collect());
            if let Err(error) = Self::deserialize(one) {
                return refused(name, error.to_string());
            }
        }
        let settings = Self::deserialize(given).or_else(|error| refused("api", error.to_string()))?;
        settings.check()?;
        Ok(settings)
    }

    /// Checks every field; the first that is wrong is told.
    pub fn check(&self) -> Result<(), SettingsRefused> {
        if let Some(url) = &self.webhook_url {
            check_url(url, self.allow_private_networks)?;
        }
        if self.claim_ceiling > 3 {
            return refused("claim_ceiling", "0 (only stated) to 3 (signed in)");
        }
        if self.country.as_ref().is_some_and(|c| c.len() != 2 || !c.bytes().all(|b| b.is_ascii_uppercase())) {
            return refused("country", "two capital letters such as DE, or null");
        }
        if !(1..=100 * MIB).contains(&self.files.bytes_max) {
            return refused("files.bytes_max", "1 byte to 100 MiB");
        }
        if !(1..=20).contains(&self.files.count_max) {
            return refused("files.count_max", "1 to 20 files in one message");
        }
        if self.files.types.len() > 50 || self.files.types.iter().any(|kind| kind.len() > 127 || !kind.contains('/')) {
            return refused("files.types", "at most 50 media types such as image/* or application/pdf");
        }
        if !(1..=100_000).contains(&self.events_per_minute) {
            return refused("events_per_minute", "1 to 100,000");
        }
        self.check_capabilities()
    }

    fn check_capabilities(&self) -> Result<(), SettingsRefused> {
        let known = serde_json::to_value(Capabilities::default()).unwrap_or_default();
        for (name, value) in &self.capabilities {
            if known.get(name).is_none() {
                return refused(format!("capabilities.{name}"), "no capability of this name; docs/API-CHANNEL.md lists them");
            }
            if ["subject", "claim_ceiling", "send_idempotency", "file_bytes"].contains(&name.as_str()) {
                return refused(format!("capabilities.{name}"), "follows from the other settings and cannot be declared");
            }
            let one = Value::Object([(name.clone(), value.clone())].into_iter().collect());
            if let Err(error) = Capabilities::deserialize(one) {
                return refused(format!("capabilities.{name}"), error.to_string());
            }
        }
        Ok(())
    }

    /// What the store keeps.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("settings are plain JSON")
    }
}

fn check_url(text: &str, private: bool) -> Result<(), SettingsRefused> {
    let field = "webhook_url";
    if text.chars().count() > URL_CHARS_MAX {
        return refused(field, "at most 2,000 characters");
    }
    let Ok(url) = reqwest::Url::parse(text) else { return refused(field, "a whole address such as https://shop.example/hooks") };
    match url.scheme() {
        "https" => {}
        "http" if private => {}
        "http" => return refused(field, "https; http only goes with allow_private_networks"),
        _ => return refused(field, "an address that begins with https"),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return refused(field, "an address with a host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused(field, "no name and password inside: every webhook is signed");
    }
    let literal =
        url.host_str().map(|host| host.trim_start_matches('[').trim_end_matches(']')).and_then(|host| host.parse().ok());
    if literal.is_some_and(|ip| !crate::may_connect(ip, private)) {
        return refused(field, "an address outside private networks, or switch allow_private_networks on");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field_of(given: Value) -> String {
        ApiSettings::from_input(&given).expect_err("it is refused").field
    }

    #[test]
    fn defaults_are_careful() {
        let settings = ApiSettings::from_input(&json!({})).unwrap();
        assert_eq!((settings.claim_ceiling, settings.allow_private_networks), (1, false));
        assert_eq!(ApiSettings::from_input(&settings.to_json()).unwrap(), settings);
    }

    #[test]
    fn each_wrong_setting_is_named() {
        for (field, given) in [
            ("webhook_url", json!({"webhook_url": "shop.example/hooks"})),
            ("webhook_url", json!({"webhook_url": "http://shop.example/hooks"})),
            ("webhook_url", json!({"webhook_url": "ftp://shop.example/hooks"})),
            ("webhook_url", json!({"webhook_url": "https://me:secret@shop.example/"})),
            ("webhook_url", json!({"webhook_url": "https://10.0.0.1/"})),
            ("webhook_url", json!({"webhook_url": "https://[::1]/"})),
            ("webhook_url", json!({"webhook_url": "http://169.254.169.254/", "allow_private_networks": true})),
            ("webhook_url", json!({"webhook_url": 5})),
            ("claim_ceiling", json!({"claim_ceiling": 4})),
            ("country", json!({"country": "Germany"})),
            ("files.bytes_max", json!({"files": {"bytes_max": 0}})),
            ("files", json!({"files": {"size": 1}})),
            ("events_per_minute", json!({"events_per_minute": 0})),
            ("capabilities.telepathy", json!({"capabilities": {"telepathy": true}})),
            ("capabilities.text_max", json!({"capabilities": {"text_max": "long"}})),
            ("capabilities.claim_ceiling", json!({"capabilities": {"claim_ceiling": 3}})),
            ("colour", json!({"colour": "red"})),
        ] {
            assert_eq!(field_of(given.clone()), field, "{given}");
        }
    }

    #[test]
    fn an_inbox_can_imitate_another_channel() {
        let settings = ApiSettings::from_input(&json!({
            "capabilities": {"text_max": {"segments": {"count": 3}}, "attach": [], "quick_replies": 3,
                "window": {"sliding": {"free_ms": 86_400_000, "human_until_ms": null, "then": "template"}}},
            "claim_ceiling": 3, "has_subject": true,
        }))
        .unwrap();
        let can = crate::capabilities::capabilities(&settings);
        assert_eq!((can.text_max, can.quick_replies), (channel::TextMax::Segments { count: 3 }, 3));
        assert_eq!((can.claim_ceiling, can.subject, can.attach.len()), (3, true, 0));
        assert!(matches!(can.send_idempotency, channel::SendIdempotency::Key(_)));
    }
}
