//! What an agent chose for the own screen. Stored as JSON; what is missing takes its default, so that a new choice
//! needs no migration.

use serde::{Deserialize, Serialize};

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the computer is set.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// How much air lists have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Density {
    /// The usual.
    #[default]
    Comfortable,
    /// More rows.
    Compact,
}

/// Choices of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Preferences {
    /// Light or dark.
    pub theme: Theme,
    /// How much air lists have.
    pub density: Density,
    /// How long a sent message is held back for "undo", 0 to 30.
    #[schema(maximum = 30)]
    pub undo_seconds: u32,
    /// Width of the conversation list in pixels.
    #[schema(minimum = 240, maximum = 640)]
    pub list_width: u32,
    /// Width of the customer panel in pixels.
    #[schema(minimum = 240, maximum = 640)]
    pub context_width: u32,
    /// Whether single letters are shortcuts.
    pub single_keys: bool,
    /// Language of the screens, `en` when none is chosen.
    pub locale: String,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: Theme::System,
            density: Density::Comfortable,
            undo_seconds: 5,
            list_width: 360,
            context_width: 320,
            single_keys: true,
            locale: "en".to_owned(),
        }
    }
}

impl Preferences {
    /// The stored choices; a field that cannot be read takes its default without losing the others.
    pub fn of_json(stored: &serde_json::Value) -> Self {
        let mut all = serde_json::to_value(Self::default()).unwrap_or_default();
        for (name, value) in stored.as_object().into_iter().flatten() {
            let Some(slot) = all.get_mut(name) else { continue };
            let before = std::mem::replace(slot, value.clone());
            if serde_json::from_value::<Self>(all.clone()).is_err() {
                all[name.as_str()] = before;
            }
        }
        serde_json::from_value(all).unwrap_or_default()
    }

    /// What is out of range, as field and what is accepted.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let width = 240..=640;
        if self.undo_seconds > 30 {
            return Err(("preferences.undo_seconds", "from 0 to 30"));
        }
        if !width.contains(&self.list_width) {
            return Err(("preferences.list_width", "from 240 to 640"));
        }
        if !width.contains(&self.context_width) {
            return Err(("preferences.context_width", "from 240 to 640"));
        }
        let locale_chars = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.locale.is_empty() || self.locale.len() > 35 || !self.locale.chars().all(locale_chars) {
            return Err(("preferences.locale", "a language such as en or de-CH"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_cannot_be_read_takes_its_default_and_costs_nothing_else() {
        let stored = json!({ "theme": "dark", "density": 7, "undo_seconds": 12, "from_the_future": true });
        let read = Preferences::of_json(&stored);
        assert_eq!(read, Preferences { theme: Theme::Dark, undo_seconds: 12, ..Preferences::default() });
        assert_eq!(Preferences::of_json(&serde_json::Value::Null), Preferences::default());
    }

    #[test]
    fn ranges_are_kept() {
        assert_eq!(Preferences::default().check(), Ok(()));
        let wrong = Preferences { undo_seconds: 31, ..Preferences::default() };
        assert_eq!(wrong.check().unwrap_err().0, "preferences.undo_seconds");
        let wrong = Preferences { locale: "en<script>".into(), ..Preferences::default() };
        assert_eq!(wrong.check().unwrap_err().0, "preferences.locale");
    }
}
