//! The format of `threading.json`. An unknown field is an error: a misspelt one must not look like a pass.

use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    #[serde(default)]
    pub default_config: Config,
    /// For readers; the runner knows the words.
    #[serde(default)]
    #[expect(dead_code, reason = "it may stand there")]
    pub vocabulary: Json,
    pub cases: Vec<Case>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub cross_channel_h: Option<i64>,
    pub reopen_h: Option<i64>,
    pub subject_h: Option<i64>,
    pub stale_days: Option<i64>,
    pub topic_min: Option<f64>,
    pub topic_margin: Option<f64>,
    pub topic_veto: Option<f64>,
    pub default_region: Option<String>,
    pub messaging_channels: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub id: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for readers")]
    pub title: String,
    #[serde(default)]
    pub config: Config,
    pub state: State,
    pub event: Option<Event>,
    pub expect: Option<Expect>,
    pub events: Option<Vec<Event>>,
    pub order: Option<String>,
    pub expect_each: Option<Vec<Expect>>,
    pub expect_final: Option<Final>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct State {
    pub contacts: Vec<Contact>,
    pub conversations: Vec<Conversation>,
    pub seen_event_ids: Vec<Seen>,
    pub tokens: BTreeMap<String, Token>,
    pub own_addresses: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    pub id: String,
    #[serde(default)]
    pub ids: Vec<Key>,
    pub name: Option<String>,
    #[serde(default)]
    pub anon: bool,
    #[serde(default)]
    pub blocked: bool,
    pub merged_into: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub kind: String,
    pub value: Option<String>,
    pub scope: Option<String>,
    pub trust: Option<i64>,
    #[serde(default)]
    pub shared: bool,
    pub last_seen: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    pub id: String,
    pub contact: String,
    pub channel: String,
    pub channels: Option<Vec<String>>,
    pub status: String,
    pub last_activity: String,
    pub resolved_at: Option<String>,
    #[serde(default)]
    pub orders: Vec<String>,
    pub subject: Option<String>,
    #[serde(default)]
    pub message_ids: Vec<String>,
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    #[serde(default)]
    pub participants: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    pub inbox: String,
    pub id: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub conv: String,
    pub kind: String,
    pub expires: Option<String>,
    pub delivered_to: Option<String>,
    pub used_at: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    pub id: String,
    pub inbox: String,
    pub channel: String,
    pub at: String,
    #[serde(default)]
    pub ids: Vec<Key>,
    #[serde(default)]
    pub claimed: Vec<Key>,
    #[serde(default)]
    pub auth: Option<Auth>,
    pub token: Option<String>,
    #[serde(default)]
    pub reply_to_message: Option<Vec<String>>,
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    #[serde(default)]
    pub orders: Option<Vec<String>>,
    pub subject: Option<String>,
    pub name: Option<String>,
    #[serde(default)]
    pub topic_sim: Option<BTreeMap<String, f64>>,
    pub intent: Option<String>,
    #[serde(default)]
    pub auto: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    pub dmarc: Option<String>,
    pub attest: Option<String>,
    pub solicited: Option<bool>,
    pub jwt: Option<bool>,
    pub otp_contact: Option<String>,
}

/// Only the fields that stand there are compared; `null` means "absent".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    #[serde(deserialize_with = "present")]
    pub contact: Option<Json>,
    #[serde(deserialize_with = "present")]
    pub link: Option<Json>,
    #[serde(deserialize_with = "present")]
    pub conversation: Option<Json>,
    #[serde(deserialize_with = "present")]
    pub rule: Option<Json>,
    #[serde(deserialize_with = "present")]
    pub suggest: Option<Json>,
    #[serde(deserialize_with = "present")]
    pub flags: Option<Json>,
    #[serde(deserialize_with = "present")]
    pub merge: Option<Json>,
    #[serde(deserialize_with = "present")]
    pub candidates: Option<Json>,
    #[serde(deserialize_with = "present")]
    pub follow_up_of: Option<Json>,
    #[serde(deserialize_with = "present")]
    pub related: Option<Json>,
}

fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(from).map(Some)
}

impl Expect {
    /// The fields to compare.
    pub fn fields(&self) -> Vec<(&'static str, &Json)> {
        let all = [
            ("contact", &self.contact),
            ("link", &self.link),
            ("conversation", &self.conversation),
            ("rule", &self.rule),
            ("suggest", &self.suggest),
            ("flags", &self.flags),
            ("merge", &self.merge),
            ("candidates", &self.candidates),
            ("follow_up_of", &self.follow_up_of),
            ("related", &self.related),
        ];
        all.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, value))).collect()
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Final {
    pub contacts_created: Option<i64>,
    pub conversations_created: Option<i64>,
    pub entries_added: Option<i64>,
}
