//! Firms that contacts belong to.

use crate::context::{Desk, Who};
use crate::people::{ChangeError, Invalid, check};
use crate::settings::news;
use model::{Actor, CompanyId};
use serde_json::json;
use store::company::{self, Company};
use store::{Route, StoreError, contact};

const NOTES_CHARS_MAX: usize = 10_000;

/// The wanted changes; `None` leaves alone, an inner `None` clears.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CompanyPatch {
    /// What it is called.
    pub name: Option<String>,
    /// The part of its mail addresses after the @.
    pub domain: Option<Option<String>>,
    /// What agents know.
    pub notes: Option<Option<String>>,
}

/// The firm of a name, found or made.
pub async fn add(desk: &Desk, who: &Who, name: &str) -> Result<Company, ChangeError> {
    let name = check::name("name", name)?;
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<Company, StoreError> {
            let known = company::by_name(tx, who.workspace, &name)?;
            let id = company::of_name(tx, who.workspace, &name, now)?;
            if known.is_none() {
                tx.log(news(who.workspace, "company.added", Actor::Agent(who.agent), now, json!({"company": id})));
            }
            company::find(tx, who.workspace, id)?.ok_or(StoreError::NotFound)
        })
        .await
        .map_err(Into::into)
}

/// Changes a firm. Its people follow a new name.
pub async fn change(desk: &Desk, who: &Who, id: CompanyId, patch: CompanyPatch) -> Result<Company, ChangeError> {
    let name = patch.name.as_deref().map(|name| check::name("name", name)).transpose()?;
    let domain = patch.domain.map(|d| d.map(|d| d.trim().trim_start_matches('@').to_lowercase()).filter(|d| !d.is_empty()));
    if domain.as_ref().is_some_and(|d| d.as_ref().is_some_and(|d| check::email("domain", &format!("x@{d}")).is_err())) {
        return Err(Invalid::new("domain", "a domain such as example.com").into());
    }
    let notes = patch.notes.map(|n| n.map(|n| model::fold::clean(&n)).filter(|n| !n.trim().is_empty()));
    if notes.as_ref().is_some_and(|n| n.as_ref().is_some_and(|n| n.chars().count() > NOTES_CHARS_MAX)) {
        return Err(Invalid::new("notes", "at most 10,000 characters").into());
    }
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<Result<Company, ChangeError>, StoreError> {
            let Some(mut found) = company::find(tx, who.workspace, id)? else { return Ok(Err(ChangeError::NotFound)) };
            if let Some(name) = &name {
                if company::by_name(tx, who.workspace, name)?.is_some_and(|other| other != id) {
                    return Ok(Err(Invalid::new("name", "there is a company of this name already").into()));
                }
                found.name.clone_from(name);
            }
            if let Some(domain) = &domain {
                found.domain.clone_from(domain);
            }
            if let Some(notes) = &notes {
                found.notes.clone_from(notes);
            }
            found.version = company::save(tx, who.workspace, &found)?;
            tx.log(news(who.workspace, "company.changed", Actor::Agent(who.agent), now, json!({"company": id})));
            Ok(Ok(found))
        })
        .await?
}

/// Deletes a firm that nobody belongs to.
pub async fn remove(desk: &Desk, who: &Who, id: CompanyId) -> Result<(), ChangeError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<Result<(), ChangeError>, StoreError> {
            if !company::contacts(tx, who.workspace, id, i64::MAX, 1)?.is_empty() {
                return Ok(Err(Invalid::new("id", "people belong to this company").into()));
            }
            if !company::delete(tx, who.workspace, id)? {
                return Ok(Err(ChangeError::NotFound));
            }
            tx.log(news(who.workspace, "company.removed", Actor::Agent(who.agent), now, json!({"company": id})));
            Ok(Ok(()))
        })
        .await?
}

/// The name under which a contact's firm is known now: of the row, else as it was typed.
pub fn name_of(
    tx: &mut dyn store::Conn,
    workspace: model::WorkspaceId,
    contact: &contact::Contact,
) -> Result<Option<(Option<CompanyId>, String)>, StoreError> {
    let id = company::of_contact(tx, workspace, contact.id)?;
    let row = match id {
        Some(id) => company::find(tx, workspace, id)?,
        None => None,
    };
    Ok(row.map(|row| (Some(row.id), row.name)).or_else(|| contact.company.clone().map(|name| (None, name))))
}
