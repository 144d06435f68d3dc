//! A change of settings, with three states for what can be cleared.

use super::{Attachments, Corner, Identity, PreChat, Rates, SettingsError, Theme, WebchatSettings, WidgetLocale};
use crate::origin::OriginRule;
use model::BusinessHoursId;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// A change of settings: an absent field stays, `null` clears, a value sets. Inner groups are set as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = WebchatSettingsPatch)]
pub struct WebchatPatch {
    /// Public slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Headline of the panel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// First words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// `#rrggbb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Side of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corner: Option<Corner>,
    /// Roundness in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius: Option<u8>,
    /// Light or dark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<Theme>,
    /// Language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<WidgetLocale>,
    /// Opening hours.
    #[serde(deserialize_with = "three_states", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BusinessHoursId>)]
    pub business_hours_id: Option<Option<BusinessHoursId>>,
    /// Words while nobody is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away_text: Option<String>,
    /// Show who answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_agents: Option<bool>,
    /// Show how long an answer takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_wait: Option<bool>,
    /// Form before the first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_chat: Option<PreChat>,
    /// Ask for an address while nobody is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_email_when_away: Option<bool>,
    /// Words to agree to.
    #[serde(deserialize_with = "three_states", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub consent_text: Option<Option<String>>,
    /// Sites that may embed the widget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_origins: Option<Vec<String>>,
    /// File limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Attachments>,
    /// How known customers are recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// How fast visitors may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rates: Option<Rates>,
    /// Network addresses that get no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banned_addresses: Option<Vec<String>>,
}

fn three_states<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}

impl WebchatPatch {
    /// The settings after the change, checked. Text is trimmed, origins are brought to their normal form.
    pub fn apply(self, settings: &WebchatSettings) -> Result<WebchatSettings, SettingsError> {
        let mut new = settings.clone();
        macro_rules! set {
            ($($field:ident),+) => {$( if let Some(value) = self.$field { new.$field = value; } )+};
        }
        set!(
            site,
            title,
            greeting,
            colour,
            corner,
            radius,
            theme,
            locale,
            business_hours_id,
            away_text,
            show_agents,
            show_wait,
            pre_chat,
            ask_email_when_away,
            consent_text,
            allowed_origins,
            attachments,
            identity,
            rates,
            banned_addresses
        );
        for text in [&mut new.title, &mut new.greeting, &mut new.away_text, &mut new.colour] {
            *text = text.trim().to_owned();
        }
        new.colour.make_ascii_lowercase();
        new.consent_text = new.consent_text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        new.allowed_origins =
            new.allowed_origins.iter().map(|origin| origin.trim().to_owned()).filter(|origin| !origin.is_empty()).collect();
        new.banned_addresses =
            new.banned_addresses.iter().map(|address| address.trim().to_owned()).filter(|address| !address.is_empty()).collect();
        new.check()?;
        new.allowed_origins =
            new.allowed_origins.iter().filter_map(|origin| OriginRule::parse(origin).ok()).map(|rule| rule.to_string()).collect();
        new.allowed_origins.dedup();
        Ok(new)
    }
}
