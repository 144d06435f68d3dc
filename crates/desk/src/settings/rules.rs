//! Windows and thresholds of identity and placement, and how case and order numbers look: settings of the workspace.

use super::{merge_patch, news};
use crate::people::rights::may_set_up_workspace;
use crate::people::{ChangeError, Invalid};
use crate::{Desk, Who};
use model::{Actor, Channel, InboxId, WorkspaceId};
use phonenumber::country::Id as Region;
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use store::{Conn, Route, StoreError, setting};

const NAME: &str = "matching_rules";
const HOURS_MAX: i64 = 24 * 366;
const DAYS_MAX: i64 = 3_660;
const PATTERN_CHARS_MAX: usize = 500;
/// Memory that one pattern may take when it is compiled.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// The rules as they are stored; whatever is absent has its default. Limits are inclusive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatchingRules {
    /// A resolved conversation opens again within so many hours.
    pub reopen_hours: i64,
    /// Another channel joins an open conversation that was active within so many hours.
    pub cross_channel_hours: i64,
    /// A mail joins an open conversation of the same subject that was active within so many hours.
    pub subject_hours: i64,
    /// A number that proves nothing and was not used for more days than this may have a new owner.
    pub stale_days: i64,
    /// From here on a topic is the same.
    pub topic_min: f64,
    /// So far ahead of the next one it must be.
    pub topic_margin: f64,
    /// Below this a topic is another one.
    pub topic_veto: f64,
    /// Channels on which a talk goes on in one conversation, beside web chat and the open channel.
    pub messaging_channels: Vec<Channel>,
    /// Country of numbers without country code: `DE` or `+49`; empty = unknown.
    pub country: String,
    /// The same for single inboxes.
    pub inbox_countries: BTreeMap<InboxId, String>,
    /// How numbers of conversations look in text; the first group that took part is the number. Empty: never looked for.
    pub case_pattern: String,
    /// How order numbers look.
    pub order_pattern: String,
}

impl Default for MatchingRules {
    fn default() -> Self {
        Self {
            reopen_hours: 168,
            cross_channel_hours: 72,
            subject_hours: 168,
            stale_days: 540,
            topic_min: 0.6,
            topic_margin: 0.2,
            topic_veto: 0.25,
            messaging_channels: Channel::ALL.iter().copied().filter(|c| c.is_messaging()).collect(),
            country: String::new(),
            inbox_countries: BTreeMap::new(),
            case_pattern: r"(?:^|[\s\[(:])#(\d{1,9})\b".to_owned(),
            order_pattern: concat!(
                r"\b(?:order|bestell(?:ung)?|auftrag|commande|ordre|pedido|ordine|bestelling|zam[oó]wieni[ea]|заказа?|encomenda)",
                r"(?:[\s.:#-]|s?(?:nummer|number|numero|número|numer|номер|nr|num|no|id|is|ist)\b|nº|n°|№)*",
                r"((?:[a-z]{1,4}-?\d[a-z0-9]+|\d[a-z0-9]{2,})(?:[-/][a-z0-9]+)*)",
            )
            .to_owned(),
        }
    }
}

/// The rules with their patterns ready.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// As stored.
    pub stored: MatchingRules,
    case: Option<Regex>,
    order: Option<Regex>,
}

impl Rules {
    /// Makes rules ready. A pattern that cannot be compiled was refused when it was set; here it finds nothing.
    pub fn new(stored: MatchingRules) -> Self {
        Self { case: compile(&stored.case_pattern).ok().flatten(), order: compile(&stored.order_pattern).ok().flatten(), stored }
    }
    /// The country of an inbox.
    pub fn country(&self, inbox: InboxId) -> &str {
        self.stored.inbox_countries.get(&inbox).unwrap_or(&self.stored.country)
    }
    /// Numbers of conversations in a text.
    pub fn case_numbers(&self, text: &str) -> Vec<String> {
        found(self.case.as_ref(), text)
    }
    /// Order numbers in a text.
    pub fn order_numbers(&self, text: &str) -> Vec<String> {
        found(self.order.as_ref(), text)
    }
}

const FOUND_COUNT_MAX: usize = 20;

fn found(pattern: Option<&Regex>, text: &str) -> Vec<String> {
    let Some(pattern) = pattern else { return vec![] };
    let number = |c: regex::Captures<'_>| c.iter().skip(1).flatten().next().or(c.get(0)).map(|m| m.as_str().to_owned());
    let mut all: Vec<String> = pattern.captures_iter(text).take(FOUND_COUNT_MAX).filter_map(number).collect();
    all.sort();
    all.dedup();
    all
}

fn compile(pattern: &str) -> Result<Option<Regex>, regex::Error> {
    if pattern.is_empty() {
        return Ok(None);
    }
    RegexBuilder::new(pattern).case_insensitive(true).size_limit(PATTERN_BYTES_MAX).build().map(Some)
}

/// A country by its code (`DE`) or calling code (`+49`).
pub fn region(country: &str) -> Option<Region> {
    let country = country.trim();
    let Some(code) = country.strip_prefix('+').or(country.chars().all(|c| c.is_ascii_digit()).then_some(country)) else {
        return country.to_ascii_uppercase().parse().ok();
    };
    let code: u16 = code.parse().ok()?;
    // Several countries share a calling code; the library lists them without saying which one is the main one.
    Some(match code {
        1 => Region::US,
        7 => Region::RU,
        39 => Region::IT,
        44 => Region::GB,
        47 => Region::NO,
        61 => Region::AU,
        212 => Region::MA,
        262 => Region::RE,
        358 => Region::FI,
        590 => Region::GP,
        599 => Region::CW,
        code => return phonenumber::metadata::DATABASE.region(&code)?.first()?.parse().ok(),
    })
}

/// Reads the rules of a workspace.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<MatchingRules, StoreError> {
    let stored = setting::find(tx, workspace, NAME)?.unwrap_or_else(|| json!({}));
    Ok(serde_json::from_value(stored).unwrap_or_default())
}

/// The rules of a workspace.
pub async fn get(desk: &Desk, who: &Who) -> Result<MatchingRules, StoreError> {
    let workspace = who.workspace;
    desk.db.read(move |tx| find(tx, workspace)).await
}

/// Changes rules by a merge patch; `null` gives a default back.
pub async fn change(desk: &Desk, who: &Who, patch: Json) -> Result<MatchingRules, ChangeError> {
    if !may_set_up_workspace(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (now, by) = (desk.now(), who.clone());
    let changed = desk
        .db
        .write(Route::Any, move |tx| -> Result<Result<MatchingRules, Invalid>, StoreError> {
            let mut stored = setting::find(tx, by.workspace, NAME)?.unwrap_or_else(|| json!({}));
            merge_patch(&mut stored, &patch);
            let rules = match checked(&stored) {
                Ok(rules) => rules,
                Err(invalid) => return Ok(Err(invalid)),
            };
            setting::put(tx, by.workspace, NAME, &stored)?;
            tx.log(news(by.workspace, "matching_rules.changed", Actor::Agent(by.agent), now, patch.clone()));
            Ok(Ok(rules))
        })
        .await??;
    desk.directory.forget();
    Ok(changed)
}

fn checked(stored: &Json) -> Result<MatchingRules, Invalid> {
    let rules: MatchingRules = serde_json::from_value(stored.clone())
        .map_err(|_| Invalid::new("rules", "only the known rules, numbers as numbers and texts as texts"))?;
    for (field, hours) in [
        ("reopen_hours", rules.reopen_hours),
        ("cross_channel_hours", rules.cross_channel_hours),
        ("subject_hours", rules.subject_hours),
    ] {
        if !(0..=HOURS_MAX).contains(&hours) {
            return Err(Invalid::new(field, "hours from 0 to a year"));
        }
    }
    if !(1..=DAYS_MAX).contains(&rules.stale_days) {
        return Err(Invalid::new("stale_days", "days from 1 to ten years"));
    }
    for (field, share) in [("topic_min", rules.topic_min), ("topic_margin", rules.topic_margin), ("topic_veto", rules.topic_veto)]
    {
        if !(0.0..=1.0).contains(&share) {
            return Err(Invalid::new(field, "a number from 0 to 1"));
        }
    }
    let countries = rules.inbox_countries.values().chain((!rules.country.is_empty()).then_some(&rules.country));
    if countries.into_iter().any(|country| region(country).is_none()) {
        return Err(Invalid::new("country", "a country such as DE, or its calling code such as +49"));
    }
    for (field, pattern) in [("case_pattern", &rules.case_pattern), ("order_pattern", &rules.order_pattern)] {
        if pattern.chars().count() > PATTERN_CHARS_MAX || compile(pattern).is_err() {
            return Err(Invalid::new(field, "a regular expression of at most 500 characters"));
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_cases_and_orders_are_found_as_people_write_them() {
        let rules = Rules::new(MatchingRules::default());
        for (text, cases, orders) in [
            ("Re: [#4812] your parcel", vec!["4812"], vec![]),
            ("#12 is still open", vec!["12"], vec![]),
            ("Where is my order 77120?", vec![], vec!["77120"]),
            ("order no. A-1023, please", vec![], vec!["A-1023"]),
            ("Order #1001", vec!["1001"], vec!["1001"]),
            ("Meine Bestellnummer: 4711-22", vec![], vec!["4711-22"]),
            ("Bestellung Nr. 4711-22", vec![], vec!["4711-22"]),
            ("Auftragsnummer 99812", vec![], vec!["99812"]),
            ("mi pedido número 5521", vec![], vec!["5521"]),
            ("commande n° FR-88", vec![], vec!["FR-88"]),
            ("in order to understand it", vec![], vec![]),
            ("song #1? a#2 and &#39;", vec!["1"], vec![]),
            ("", vec![], vec![]),
        ] {
            assert_eq!(rules.case_numbers(text), cases, "{text}");
            assert_eq!(rules.order_numbers(text), orders, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_field() {
        let field = |stored: Json| checked(&stored).map(|_| ()).map_err(|i| i.field);
        assert_eq!(field(json!({})), Ok(()));
        assert_eq!(field(json!({"country": "+49", "order_pattern": ""})), Ok(()));
        for (stored, wanted) in [
            (json!({"reopen_hours": -1}), "reopen_hours"),
            (json!({"topic_min": 1.5}), "topic_min"),
            (json!({"country": "Atlantis"}), "country"),
            (json!({"case_pattern": "("}), "case_pattern"),
            (json!({"stale_days": 0}), "stale_days"),
            (json!({"windows": 1}), "rules"),
        ] {
            assert_eq!(field(stored), Err(wanted.to_owned()));
        }
    }
}
