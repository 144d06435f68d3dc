//! What agents change on a contact.

use super::resolve::tidy_name;
use crate::context::{Desk, Who};
use model::{Actor, ContactId};
use serde_json::json;
use store::contact::{self, Contact};
use store::{Event, Route, StoreError, company};

const NOTES_CHARS_MAX: usize = 10_000;

/// The wanted changes; `None` leaves alone, an inner `None` clears.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContactPatch {
    /// Name.
    pub name: Option<Option<String>>,
    /// Firm.
    pub company: Option<Option<String>>,
    /// Language.
    pub locale: Option<Option<String>>,
    /// IANA zone.
    pub time_zone: Option<Option<String>>,
    /// What agents know.
    pub notes: Option<Option<String>>,
    /// Nothing of theirs comes in.
    pub blocked: Option<bool>,
}

/// Which rule said no.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ContactError {
    /// No such contact.
    #[error("there is no such customer")]
    NotFound,
    /// A value that cannot be.
    #[error("{field}: {text}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is accepted.
        text: &'static str,
    },
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Changes the live contact behind an id.
pub async fn change_contact(desk: &Desk, who: &Who, id: ContactId, patch: ContactPatch) -> Result<Contact, ContactError> {
    if patch.notes.as_ref().is_some_and(|n| n.as_ref().is_some_and(|n| n.chars().count() > NOTES_CHARS_MAX)) {
        return Err(ContactError::Invalid { field: "notes", text: "at most 10,000 characters" });
    }
    let zone = patch.time_zone.as_ref().and_then(Option::as_deref);
    if zone.is_some_and(|z| model::hours::Hours::office(z).check().is_err()) {
        return Err(ContactError::Invalid { field: "time_zone", text: "write a time zone like Europe/Berlin" });
    }
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Contact(id), move |tx| -> Result<Result<Contact, ContactError>, StoreError> {
            let before = match contact::get_live(tx, who.workspace, id) {
                Ok(found) => found,
                Err(StoreError::NotFound) => return Ok(Err(ContactError::NotFound)),
                Err(other) => return Err(other),
            };
            contact::lock(tx, who.workspace, before.id)?;
            let mut after = contact::get_live(tx, who.workspace, before.id)?;
            let line = |v: &Option<String>| v.as_deref().map(tidy_name).filter(|v| !v.is_empty());
            let mut fields = Vec::new();
            let mut set = |field: &'static str, to: &mut Option<String>, value: Option<Option<String>>| {
                if let Some(value) = value
                    && *to != value
                {
                    *to = value;
                    fields.push(field);
                }
            };
            set("name", &mut after.name, patch.name.as_ref().map(line));
            set("company", &mut after.company, patch.company.as_ref().map(line));
            set("locale", &mut after.locale, patch.locale.as_ref().map(line));
            set("time_zone", &mut after.time_zone, patch.time_zone.as_ref().map(line));
            let notes = |v: &Option<String>| v.as_deref().map(model::fold::clean).filter(|v| !v.trim().is_empty());
            set("notes", &mut after.notes, patch.notes.as_ref().map(notes));
            if let Some(blocked) = patch.blocked.filter(|b| *b != after.blocked_at.is_some()) {
                after.blocked_at = blocked.then_some(now);
                fields.push(if blocked { "blocked" } else { "unblocked" });
            }
            if fields.is_empty() {
                return Ok(Ok(after));
            }
            after.version = contact::save(tx, who.workspace, &after)?;
            if fields.contains(&"company") {
                let firm = match &after.company {
                    Some(name) => Some(company::of_name(tx, who.workspace, name, now)?),
                    None => None,
                };
                company::set_of(tx, who.workspace, after.id, firm)?;
            }
            if fields.contains(&"name") || fields.contains(&"company") {
                super::duplicates::check_later(tx, who.workspace, after.id, now)?;
            }
            tx.log(Event {
                workspace: who.workspace,
                stream_id: Some(after.id.0),
                seq: Some(after.version),
                kind: "contact.changed",
                at: now,
                actor: Actor::Agent(who.agent),
                cause_id: None,
                payload: json!({"contact": after.id, "fields": fields}),
            });
            Ok(Ok(after))
        })
        .await?
}
