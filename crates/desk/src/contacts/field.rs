//! Fields of contacts that the business makes itself: their kinds, and values that fit them.

use crate::context::{Desk, Who};
use crate::identity::duplicates::{self, record};
use crate::people::{ChangeError, Invalid, check};
use crate::settings::news;
use model::fold::sort_key;
use model::{Actor, ContactFieldId, ContactId, FieldKind};
use serde_json::json;
use store::contact_field::{self, ContactField};
use store::{Event, Route, StoreError, contact};

const COUNT_MAX: usize = 200;
const CHOICES_MAX: usize = 100;
const VALUE_CHARS_MAX: usize = 1_000;

/// The wanted changes of a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldPatch {
    /// What it is called.
    pub name: Option<String>,
    /// The words of a choice.
    pub choices: Option<Vec<String>>,
    /// Where it stands among the others.
    pub position: Option<i64>,
    /// Not offered any more; its values stay.
    pub archived: Option<bool>,
}

fn check_choices(kind: FieldKind, choices: &[String]) -> Result<Vec<String>, Invalid> {
    if kind != FieldKind::Choice {
        return if choices.is_empty() {
            Ok(vec![])
        } else {
            Err(Invalid::new("choices", "only fields of kind choice have choices"))
        };
    }
    let mut kept: Vec<String> = Vec::new();
    for choice in choices {
        let choice = check::name("choices", choice)?;
        if !kept.contains(&choice) {
            kept.push(choice);
        }
    }
    if kept.is_empty() || kept.len() > CHOICES_MAX {
        return Err(Invalid::new("choices", "between 1 and 100 words"));
    }
    Ok(kept)
}

/// Adds a field.
pub async fn add(desk: &Desk, who: &Who, name: &str, kind: FieldKind, choices: Vec<String>) -> Result<ContactField, ChangeError> {
    let name = check::name("name", name)?;
    let choices = check_choices(kind, &choices)?;
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<Result<ContactField, ChangeError>, StoreError> {
            let all = contact_field::list(tx, who.workspace)?;
            if all.len() >= COUNT_MAX {
                return Ok(Err(Invalid::new("name", "at most 200 fields").into()));
            }
            if taken(&all, &name, None) {
                return Ok(Err(Invalid::new("name", "there is a field of this name already").into()));
            }
            let position = all.iter().map(|f| f.position).max().unwrap_or(0) + 1;
            let id = ContactFieldId(0);
            let new =
                ContactField { id, name: name.clone(), kind, choices: choices.clone(), position, archived_at: None, version: 1 };
            let id = contact_field::add(tx, who.workspace, &new)?;
            let payload = json!({"contact_field": id, "kind": kind});
            tx.log(news(who.workspace, "contact_field.added", Actor::Agent(who.agent), now, payload));
            Ok(Ok(ContactField { id, ..new }))
        })
        .await?
}

fn taken(all: &[ContactField], name: &str, but: Option<ContactFieldId>) -> bool {
    let key = model::fold::fold(name);
    all.iter().any(|f| f.archived_at.is_none() && Some(f.id) != but && model::fold::fold(&f.name) == key)
}

/// Changes a field. Its kind stays what it was: its values would not fit another.
pub async fn change(desk: &Desk, who: &Who, id: ContactFieldId, patch: FieldPatch) -> Result<ContactField, ChangeError> {
    let name = patch.name.as_deref().map(|name| check::name("name", name)).transpose()?;
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| -> Result<Result<ContactField, ChangeError>, StoreError> {
            let all = contact_field::list(tx, who.workspace)?;
            let Some(mut field) = all.iter().find(|f| f.id == id).cloned() else { return Ok(Err(ChangeError::NotFound)) };
            if let Some(choices) = &patch.choices {
                match check_choices(field.kind, choices) {
                    Ok(kept) => field.choices = kept,
                    Err(invalid) => return Ok(Err(invalid.into())),
                }
            }
            if let Some(name) = &name {
                field.name.clone_from(name);
            }
            if let Some(position) = patch.position {
                field.position = position.clamp(0, 1_000_000);
            }
            if let Some(archived) = patch.archived {
                field.archived_at = archived.then_some(now);
            }
            if field.archived_at.is_none() && taken(&all, &field.name, Some(id)) {
                return Ok(Err(Invalid::new("name", "there is a field of this name already").into()));
            }
            contact_field::save(tx, who.workspace, &field)?;
            field.version += 1;
            tx.log(news(who.workspace, "contact_field.changed", Actor::Agent(who.agent), now, json!({"contact_field": id})));
            Ok(Ok(field))
        })
        .await?
}

/// A value as it may be stored in a field, or what is accepted.
pub fn fits(field: &ContactField, value: &str) -> Result<String, Invalid> {
    let value = model::fold::clean(value.trim());
    let name = format!("fields.{}", field.id);
    let wrong = |text: &str| Err(Invalid::new(name.clone(), format!("{}: {text}", field.name)));
    if value.chars().count() > VALUE_CHARS_MAX {
        return wrong("at most 1,000 characters");
    }
    match field.kind {
        FieldKind::Text => Ok(value),
        FieldKind::Number => match value.parse::<f64>() {
            Ok(number) if number.is_finite() && !value.contains(['e', 'E', 'n', 'N']) => Ok(value),
            _ => wrong("a number such as 12.5"),
        },
        FieldKind::Date => {
            let day = record::date(&value);
            let known = day.len() == 8
                && (1..=12).contains(&day[4..6].parse::<u8>().unwrap_or(0))
                && (1..=31).contains(&day[6..].parse::<u8>().unwrap_or(0));
            if known { Ok(format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..])) } else { wrong("a day such as 1980-12-31") }
        }
        FieldKind::YesNo => match model::fold::fold(&value).as_str() {
            "yes" | "true" | "1" | "ja" | "oui" | "si" | "y" | "j" | "x" => Ok("yes".to_owned()),
            "no" | "false" | "0" | "nein" | "non" | "n" => Ok("no".to_owned()),
            _ => wrong("yes or no"),
        },
        FieldKind::Choice => {
            let key = model::fold::fold(&value);
            match field.choices.iter().find(|choice| model::fold::fold(choice) == key) {
                Some(choice) => Ok(choice.clone()),
                None => wrong(&format!("one of {}", field.choices.join(", "))),
            }
        }
    }
}

/// Sets or clears (none) values of a contact.
pub async fn set_values(
    desk: &Desk,
    who: &Who,
    id: ContactId,
    values: Vec<(ContactFieldId, Option<String>)>,
) -> Result<(), ChangeError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Contact(id), move |tx| -> Result<Result<(), ChangeError>, StoreError> {
            let live = match contact::get_live(tx, who.workspace, id) {
                Ok(found) => found,
                Err(StoreError::NotFound) => return Ok(Err(ChangeError::NotFound)),
                Err(other) => return Err(other),
            };
            let fields = contact_field::list(tx, who.workspace)?;
            let mut fitting = Vec::new();
            for (field_id, value) in &values {
                let Some(field) = fields.iter().find(|f| f.id == *field_id && f.archived_at.is_none()) else {
                    return Ok(Err(Invalid::new(format!("fields.{field_id}"), "a field that exists").into()));
                };
                match value.as_deref().filter(|v| !v.trim().is_empty()).map(|v| fits(field, v)).transpose() {
                    Ok(value) => fitting.push((field.id, value)),
                    Err(invalid) => return Ok(Err(invalid.into())),
                }
            }
            let set = contact::merged_set(tx, who.workspace, live.id)?;
            for (field, value) in &fitting {
                match value {
                    Some(value) => contact_field::put(tx, who.workspace, live.id, *field, value, &sort_key(value), now)?,
                    // Cleared is cleared, also where the value shone through from a contact that was merged in.
                    None => set.iter().try_for_each(|one| contact_field::clear(tx, who.workspace, *one, *field))?,
                }
            }
            if fitting.is_empty() {
                return Ok(Ok(()));
            }
            let version = contact::save(tx, who.workspace, &live)?;
            let changed: Vec<ContactFieldId> = fitting.iter().map(|(field, _)| *field).collect();
            tx.log(Event {
                workspace: who.workspace,
                stream_id: Some(live.id.0),
                seq: Some(version),
                kind: "contact.changed",
                at: now,
                actor: Actor::Agent(who.agent),
                cause_id: None,
                payload: json!({"contact": live.id, "fields": changed}),
            });
            duplicates::check_later(tx, who.workspace, live.id, now)?;
            Ok(Ok(()))
        })
        .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fit_their_kind_or_say_what_does() {
        let field = |kind| ContactField {
            id: ContactFieldId(1),
            name: "Plan".to_owned(),
            kind,
            choices: vec!["Gold".to_owned(), "Silber".to_owned()],
            position: 1,
            archived_at: None,
            version: 1,
        };
        for (kind, value, stored) in [
            (FieldKind::Text, " a ", Some("a")),
            (FieldKind::Number, "12.50", Some("12.50")),
            (FieldKind::Number, "4.9E+11", None),
            (FieldKind::Number, "many", None),
            (FieldKind::Date, "31.12.1980", Some("1980-12-31")),
            (FieldKind::Date, "1980-13-40", None),
            (FieldKind::YesNo, "Ja", Some("yes")),
            (FieldKind::YesNo, "perhaps", None),
            (FieldKind::Choice, "SILBER", Some("Silber")),
            (FieldKind::Choice, "Bronze", None),
        ] {
            assert_eq!(fits(&field(kind), value).ok().as_deref(), stored, "{kind:?} {value}");
        }
    }
}
