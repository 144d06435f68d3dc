//! What an owner sets for a webchat inbox: defaults, checks in words, and changes with three states.

mod address;
mod patch;

pub use patch::WebchatPatch;

use crate::identity::{JwtAlgorithm, parse_public_key};
use crate::origin::{OriginRule, frame_ancestors};
use address::AddressRule;
use channel::InboxSettings;
use model::BusinessHoursId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const MIB: u64 = 1024 * 1024;

/// Everything an owner sets for a webchat inbox. Kept as JSON; a field that an older row lacks has its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WebchatSettings {
    /// Public slug: stands in the script line.
    pub site: String,
    /// Headline of the panel.
    pub title: String,
    /// First words.
    pub greeting: String,
    /// `#rrggbb`.
    pub colour: String,
    /// Side of the page.
    pub corner: Corner,
    /// Roundness in pixels, up to 32.
    pub radius: u8,
    /// Light or dark.
    pub theme: Theme,
    /// Language.
    pub locale: WidgetLocale,
    /// Opening hours; none = always open.
    pub business_hours_id: Option<BusinessHoursId>,
    /// Words while nobody is there.
    pub away_text: String,
    /// Show who answers.
    pub show_agents: bool,
    /// Show how long an answer takes.
    pub show_wait: bool,
    /// Form before the first message.
    pub pre_chat: PreChat,
    /// Ask for an address while nobody is there.
    pub ask_email_when_away: bool,
    /// Words to agree to before writing.
    pub consent_text: Option<String>,
    /// Sites that may embed the widget; empty = any.
    pub allowed_origins: Vec<String>,
    /// File limits.
    pub attachments: Attachments,
    /// How known customers are recognised.
    pub identity: Identity,
    /// How fast visitors may be.
    pub rates: Rates,
    /// Network addresses that get no answer.
    pub banned_addresses: Vec<String>,
}

impl Default for WebchatSettings {
    fn default() -> Self {
        Self {
            site: String::new(),
            title: "Chat with us".to_owned(),
            greeting: "Hello! How can we help?".to_owned(),
            colour: "#2f6f5e".to_owned(),
            corner: Corner::End,
            radius: 12,
            theme: Theme::Auto,
            locale: WidgetLocale::Auto,
            business_hours_id: None,
            away_text: "Nobody is here right now. Leave a message and we will answer.".to_owned(),
            show_agents: true,
            show_wait: true,
            pre_chat: PreChat::default(),
            ask_email_when_away: true,
            consent_text: None,
            allowed_origins: vec![],
            attachments: Attachments::default(),
            identity: Identity::default(),
            rates: Rates::default(),
            banned_addresses: vec![],
        }
    }
}

/// Side of the page, in reading direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WidgetCorner)]
pub enum Corner {
    /// Where lines begin.
    Start,
    /// Where lines end.
    #[default]
    End,
}

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WidgetTheme)]
pub enum Theme {
    /// As the visitor's system.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// Language of the widget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WidgetLocale {
    /// As the visitor's browser.
    #[default]
    Auto,
    /// English.
    En,
    /// German.
    De,
    /// Spanish.
    Es,
    /// French.
    Fr,
    /// Arabic.
    Ar,
}

impl WidgetLocale {
    /// The language to show: the set one, else the first of the wanted ones (`de-AT`, an Accept-Language list) that we
    /// have, else English.
    pub fn resolve(self, wanted: &str) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::Ar => "ar",
            Self::Auto => wanted.split(',').find_map(known_language).unwrap_or("en"),
        }
    }
}

fn known_language(tag: &str) -> Option<&'static str> {
    let primary = tag.split([';', '-', '_']).next().unwrap_or_default().trim();
    ["en", "de", "es", "fr", "ar"].into_iter().find(|have| have.eq_ignore_ascii_case(primary))
}

/// Form before the first message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PreChat {
    /// Show it.
    pub enabled: bool,
    /// Its fields, at most 10.
    pub fields: Vec<PreChatField>,
}

/// One field of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreChatField {
    /// `name`, `email`, or a key of its own.
    pub key: String,
    /// What is asked.
    pub label: String,
    /// How it is answered.
    pub kind: FieldKind,
    /// Must be answered.
    pub required: bool,
    /// Answers to choose from, for `select`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
}

/// How a field is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PreChatFieldKind)]
pub enum FieldKind {
    /// Free text.
    Text,
    /// A mail address.
    Email,
    /// One of the options.
    Select,
}

impl PreChat {
    /// The first field whose answer is missing or does not fit; `None` = the form is complete.
    pub fn wrong_field(&self, form: &std::collections::BTreeMap<String, String>) -> Option<&str> {
        let fits = |field: &PreChatField| match form.get(&field.key).map(|answer| answer.trim()) {
            None | Some("") => !field.required,
            Some(answer) => match field.kind {
                FieldKind::Text => true,
                FieldKind::Email => crate::frames::looks_like_email(answer),
                FieldKind::Select => field.options.iter().flatten().any(|option| option == answer),
            },
        };
        self.enabled.then(|| self.fields.iter().find(|field| !fits(field))).flatten().map(|field| field.key.as_str())
    }
}

/// File limits of a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = WebchatAttachments)]
pub struct Attachments {
    /// Visitors may send files.
    pub enabled: bool,
    /// Largest file.
    pub bytes_max: u64,
    /// Files in one message.
    pub count_max: u32,
    /// Media types such as `image/*`.
    pub types: Vec<String>,
}

impl Default for Attachments {
    fn default() -> Self {
        let types = ["image/*", "audio/*", "video/*", "text/plain", "text/csv", "application/pdf", "application/zip"];
        let office = ["msword", "vnd.openxmlformats-officedocument.wordprocessingml.document", "vnd.ms-excel"];
        let more = [
            "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "vnd.oasis.opendocument.text",
            "vnd.oasis.opendocument.spreadsheet",
        ];
        let types =
            types.into_iter().map(str::to_owned).chain(office.into_iter().chain(more).map(|name| format!("application/{name}")));
        Self { enabled: true, bytes_max: 20 * MIB, count_max: 5, types: types.collect() }
    }
}

impl Attachments {
    /// May a file of this sniffed type be sent?
    pub fn takes(&self, mime: &str) -> bool {
        let rule = channel::AttachRule {
            class: channel::MediaClass::Any,
            bytes_max: self.bytes_max,
            types: self.types.clone(),
            count_max: self.count_max,
            needs_public_url: false,
        };
        self.enabled && rule.takes(mime)
    }
}

/// How known customers are recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = WebchatIdentity)]
pub struct Identity {
    /// Only they may write.
    pub required: bool,
    /// Pinned: never taken from a token's own header.
    pub jwt_algorithm: JwtAlgorithm,
    /// For EdDSA: PEM, JWK or base64 of the public key.
    pub jwt_public_key: Option<String>,
}

/// How fast visitors may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = WebchatRates)]
pub struct Rates {
    /// Messages of one visitor.
    pub messages_per_minute: u32,
    /// New visitors of one network address.
    pub visitors_per_address_per_hour: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self { messages_per_minute: 30, visitors_per_address_per_hour: 60 }
    }
}

/// What is wrong with a setting, in words for the owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SettingsError {
    /// Field as the API calls it, such as `pre_chat.fields.1.key`.
    pub field: String,
    /// One sentence.
    pub text: String,
}

fn wrong<T>(field: impl Into<String>, text: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError { field: field.into(), text: text.into() })
}

fn at_most(field: &str, text: &str, chars_max: usize) -> Result<(), SettingsError> {
    if text.chars().count() > chars_max {
        return wrong(field, format!("at most {chars_max} characters"));
    }
    Ok(())
}

impl WebchatSettings {
    /// The defaults under a slug.
    pub fn new(site: impl Into<String>) -> Self {
        Self { site: site.into(), ..Self::default() }
    }

    /// Reads the settings of an inbox. A row that does not read is a fault of ours or of a hand edit.
    pub fn of(inbox: &InboxSettings) -> Result<Self, SettingsError> {
        Self::from_json(&inbox.settings)
    }

    /// Reads stored JSON.
    pub fn from_json(settings: &serde_json::Value) -> Result<Self, SettingsError> {
        Self::deserialize(settings)
            .or_else(|error| wrong("webchat", format!("the stored settings of this inbox do not read: {error}")))
    }

    /// Reads settings as an admin gave them: what is missing or `null` has its default, an unknown field or a value of
    /// the wrong kind is refused by name. `site` may be missing; the desk then makes one.
    pub fn from_input(input: &serde_json::Value) -> Result<Self, SettingsError> {
        let Some(fields) = input.as_object() else { return wrong("webchat", "expected an object of settings") };
        let given = fields.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone()));
        let given: serde_json::Map<_, _> = given.collect();
        // One field at a time, so that the answer can name it; serde would only say where in the text it stopped.
        for (key, value) in &given {
            let one = serde_json::Value::Object([(key.clone(), value.clone())].into_iter().collect());
            WebchatPatch::deserialize(one).or_else(|error| wrong(key, error.to_string()))?;
        }
        let patch =
            WebchatPatch::deserialize(serde_json::Value::Object(given)).or_else(|error| wrong("webchat", error.to_string()))?;
        let named = patch.site.as_ref().is_some_and(|site| !site.is_empty());
        let start = Self { site: "chat".to_owned(), ..Self::default() };
        let patch = WebchatPatch { site: patch.site.filter(|site| !site.is_empty()), ..patch };
        let mut settings = patch.apply(&start)?;
        if !named {
            settings.site.clear();
        }
        Ok(settings)
    }

    /// What the store keeps.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("settings are plain JSON")
    }

    /// A free-standing slug out of a name: `Acme & Söhne` becomes `acme-sohne`.
    pub fn slug_of(name: &str) -> String {
        let folded = model::fold::fold(name);
        let words: Vec<&str> = folded.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let mut slug = words.join("-");
        slug.truncate(40);
        let slug = slug.trim_end_matches('-');
        if slug.len() < 2 { "chat".to_owned() } else { slug.to_owned() }
    }

    /// Checks every field; the first that is wrong is told.
    pub fn check(&self) -> Result<(), SettingsError> {
        let slug_ok = (2..=64).contains(&self.site.len())
            && self.site.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !slug_ok || self.site.starts_with('-') || self.site.ends_with('-') {
            return wrong("site", "2 to 64 small letters, digits and hyphens, such as acme-shop; no hyphen at either end");
        }
        if self.title.trim().is_empty() {
            return wrong("title", "the panel needs a title");
        }
        at_most("title", &self.title, 80)?;
        at_most("greeting", &self.greeting, 500)?;
        at_most("away_text", &self.away_text, 500)?;
        at_most("consent_text", self.consent_text.as_deref().unwrap_or_default(), 2_000)?;
        if !is_colour(&self.colour) {
            return wrong("colour", "write the colour as #rrggbb, such as #2f6f5e");
        }
        if self.radius > 32 {
            return wrong("radius", "0 to 32 pixels");
        }
        self.check_form()?;
        self.check_origins()?;
        self.check_attachments()?;
        self.check_identity()?;
        self.check_rates()
    }

    fn check_form(&self) -> Result<(), SettingsError> {
        if self.pre_chat.fields.len() > 10 {
            return wrong("pre_chat.fields", "at most 10 fields; people leave before the tenth");
        }
        for (at, field) in self.pre_chat.fields.iter().enumerate() {
            let name = |part: &str| format!("pre_chat.fields.{at}.{part}");
            let key_ok = (1..=40).contains(&field.key.len())
                && field.key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if !key_ok {
                return wrong(name("key"), "1 to 40 small letters, digits and underscores");
            }
            if self.pre_chat.fields[..at].iter().any(|other| other.key == field.key) {
                return wrong(name("key"), format!("\"{}\" is there twice", field.key));
            }
            if field.label.trim().is_empty() {
                return wrong(name("label"), "the field needs a label");
            }
            at_most(&name("label"), &field.label, 80)?;
            let options = field.options.as_deref().unwrap_or_default();
            if field.kind == FieldKind::Select && !(2..=50).contains(&options.len()) {
                return wrong(name("options"), "2 to 50 answers to choose from");
            }
            if options.iter().any(|option| option.trim().is_empty() || option.chars().count() > 100) {
                return wrong(name("options"), "each answer needs 1 to 100 characters");
            }
            if field.key == "email" && field.kind != FieldKind::Email {
                return wrong(name("kind"), "the field \"email\" asks for a mail address");
            }
        }
        Ok(())
    }

    fn check_origins(&self) -> Result<(), SettingsError> {
        if self.allowed_origins.len() > 100 {
            return wrong("allowed_origins", "at most 100 sites");
        }
        for (at, origin) in self.allowed_origins.iter().enumerate() {
            OriginRule::parse(origin).or_else(|error| wrong(format!("allowed_origins.{at}"), error.to_string()))?;
        }
        for (at, address) in self.banned_addresses.iter().enumerate() {
            if AddressRule::parse(address).is_none() {
                return wrong(
                    format!("banned_addresses.{at}"),
                    format!("\"{address}\" is no network address; write it like 203.0.113.7 or 203.0.113.0/24"),
                );
            }
        }
        if self.banned_addresses.len() > 1_000 {
            return wrong("banned_addresses", "at most 1,000 addresses");
        }
        Ok(())
    }

    fn check_attachments(&self) -> Result<(), SettingsError> {
        let files = &self.attachments;
        if !(1..=100 * MIB).contains(&files.bytes_max) {
            return wrong("attachments.bytes_max", "1 byte to 100 MiB");
        }
        if !(1..=crate::frames::FILE_COUNT_MAX as u32).contains(&files.count_max) {
            return wrong("attachments.count_max", "1 to 20 files in one message");
        }
        for (at, pattern) in files.types.iter().enumerate() {
            let ok = pattern.split_once('/').is_some_and(|(class, rest)| {
                let word =
                    |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
                word(class) && (rest == "*" || word(rest))
            });
            if !ok || pattern.len() > 127 {
                return wrong(
                    format!("attachments.types.{at}"),
                    format!("\"{pattern}\" is no media type; write it like image/* or application/pdf"),
                );
            }
        }
        if files.types.len() > 50 {
            return wrong("attachments.types", "at most 50 media types");
        }
        Ok(())
    }

    fn check_identity(&self) -> Result<(), SettingsError> {
        match (&self.identity.jwt_algorithm, &self.identity.jwt_public_key) {
            (JwtAlgorithm::EdDsa, None) if self.identity.required => {
                wrong("identity.jwt_public_key", "EdDSA needs the public key of your site's signing key")
            }
            (_, Some(key)) if parse_public_key(key).is_none() => {
                wrong("identity.jwt_public_key", "not an Ed25519 public key; give it as PEM, as JWK or as base64 of its 32 bytes")
            }
            _ => Ok(()),
        }
    }

    fn check_rates(&self) -> Result<(), SettingsError> {
        if !(1..=600).contains(&self.rates.messages_per_minute) {
            return wrong("rates.messages_per_minute", "1 to 600");
        }
        if !(1..=100_000).contains(&self.rates.visitors_per_address_per_hour) {
            return wrong("rates.visitors_per_address_per_hour", "1 to 100,000");
        }
        Ok(())
    }

    /// May a page of this origin hold the widget? `null` and what is no origin never may.
    pub fn allows_origin(&self, origin: &str) -> bool {
        crate::origin::is_allowed(&self.allowed_origins, origin)
    }

    /// The list as the value of CSP `frame-ancestors`.
    pub fn frame_ancestors(&self) -> String {
        frame_ancestors(&self.allowed_origins)
    }

    /// Is this network address banned?
    pub fn bans(&self, address: std::net::IpAddr) -> bool {
        self.banned_addresses.iter().filter_map(|rule| AddressRule::parse(rule)).any(|rule| rule.holds(address))
    }
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
