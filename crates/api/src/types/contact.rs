//! Customers.

use desk::view::contact::{ContactRow as Row, ContactView};
use model::{ContactId, ContactMergeId, ContactPointId, ContactPointKind, Health, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A customer in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactRow {
    /// The live contact.
    pub id: ContactId,
    /// As shown.
    pub name: String,
    /// Addresses.
    pub points: Vec<String>,
    /// Latest contact.
    pub last_seen_at: Option<Timestamp>,
    /// Conversations that are not done.
    pub open_conversations: i64,
}

impl From<Row> for ContactRow {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            points: row.points,
            last_seen_at: Some(row.last_seen_at),
            open_conversations: row.open_conversations,
        }
    }
}

/// A page of customers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContactPage {
    /// The rows.
    pub items: Vec<ContactRow>,
    /// Where the next page begins.
    pub next_cursor: Option<String>,
    /// Parts of the filter that were not understood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<FilterProblem>,
}

/// A part of a filter that was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FilterProblem {
    /// As it was typed.
    pub token: String,
    /// What is accepted instead.
    pub text: String,
}

/// One address of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactPoint {
    /// Its id.
    pub id: ContactPointId,
    /// What kind.
    pub kind: ContactPointKind,
    /// As shown.
    pub address: String,
    /// 0 claimed to 3 authenticated.
    pub proof_level: i64,
    /// Where it came from.
    pub proof_source: String,
    /// Does it work?
    #[schema(value_type = ContactPointHealth)]
    pub health: Health,
    /// Used by several people.
    pub shared: bool,
    /// Nothing from here comes in.
    pub blocked: bool,
    /// First use.
    pub first_seen_at: Timestamp,
    /// Latest use.
    pub last_seen_at: Timestamp,
    /// A widget is open there now.
    pub online: bool,
}

/// Health of a contact point, for the schema.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactPointHealth {
    /// Works as far as we know.
    Ok,
    /// Messages came back.
    Bounced,
    /// The customer blocked us.
    BlockedByCustomer,
    /// The customer said stop.
    OptedOut,
}

/// A contact that was merged into this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MergedContact {
    /// The contact.
    pub contact_id: ContactId,
    /// Its own name.
    pub name: String,
    /// The merge that can be taken back.
    pub merge_id: ContactMergeId,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: Option<String>,
}

/// Everything known about a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// The live contact.
    pub id: ContactId,
    /// As shown.
    pub name: String,
    /// Firm.
    pub company: Option<String>,
    /// BCP 47 tag.
    pub locale: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// What agents wrote.
    pub notes: Option<String>,
    /// Nothing of theirs comes in.
    pub blocked: bool,
    /// First contact.
    pub first_seen_at: Timestamp,
    /// Latest contact.
    pub last_seen_at: Timestamp,
    /// Addresses.
    pub points: Vec<ContactPoint>,
    /// Said by a page, unproven.
    pub claimed: BTreeMap<String, String>,
    /// Merged into this one.
    pub merged: Vec<MergedContact>,
}

impl Contact {
    /// A customer; `online` tells which address has a widget open.
    pub fn of(view: ContactView, online: impl Fn(ContactPointId) -> bool) -> Self {
        let c = view.contact;
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self {
            id: c.id,
            name: view.name,
            company: c.company,
            locale: c.locale,
            time_zone: c.time_zone,
            notes: c.notes,
            blocked: c.blocked_at.is_some(),
            first_seen_at: c.first_seen_at,
            last_seen_at: c.last_seen_at,
            points: view
                .points
                .into_iter()
                .map(|shown| ContactPoint {
                    id: shown.point.id,
                    kind: shown.point.key.kind,
                    address: shown.point.raw,
                    proof_level: shown.owner.proof_level,
                    proof_source: shown.owner.source,
                    health: shown.point.health,
                    shared: shown.point.shared,
                    blocked: shown.point.blocked_at.is_some(),
                    first_seen_at: shown.owner.first_seen_at,
                    last_seen_at: shown.owner.last_seen_at,
                    online: online(shown.point.id),
                })
                .collect(),
            claimed: c.claimed.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
            merged: view
                .merged
                .into_iter()
                .map(|m| MergedContact { contact_id: m.contact_id, name: m.name, merge_id: m.merge_id, at: m.at, by: Some(m.by) })
                .collect(),
        }
    }
}
