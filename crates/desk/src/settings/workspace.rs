//! Name, colour, time zone and checklist of the workspace.

use super::news;
use crate::people::rights::may_set_up_workspace;
use crate::people::{ChangeError, Invalid, check};
use crate::{Desk, Who};
use model::{Actor, Timestamp};
use serde_json::json;
use store::workspace::Workspace;
use store::{Conn, Route, StoreError, workspace};

const CHECKLIST_COUNT_MAX: usize = 50;
const CHECKLIST_KEY_CHARS_MAX: usize = 40;

/// What is to be changed; `None` leaves.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceChange {
    /// Name of the business.
    pub name: Option<String>,
    /// Accent of public surfaces.
    pub colour: Option<String>,
    /// Time zone in which days are cut.
    pub time_zone: Option<String>,
    /// Steps of the checklist that are done, all of them.
    pub checklist_done: Option<Vec<String>>,
}

/// The steps of the checklist that are done.
pub fn checklist_done(workspace: &Workspace) -> Vec<String> {
    let done = workspace.settings["checklist_done"].as_array();
    done.into_iter().flatten().filter_map(|key| key.as_str().map(str::to_owned)).collect()
}

/// Whether the sample conversations are still there.
pub fn sample_data(workspace: &Workspace) -> bool {
    workspace.settings["sample_data"].as_bool().unwrap_or(false)
}

/// Changes the workspace.
pub async fn change(desk: &Desk, who: &Who, change: WorkspaceChange) -> Result<Workspace, ChangeError> {
    if !may_set_up_workspace(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let checked = WorkspaceChange {
        name: change.name.as_deref().map(|name| check::name("name", name)).transpose()?,
        colour: change.colour.as_deref().map(|colour| check::colour("colour", colour)).transpose()?,
        time_zone: change.time_zone.as_deref().map(|zone| check::time_zone("time_zone", zone)).transpose()?,
        checklist_done: change.checklist_done.map(checked_list).transpose()?,
    };
    let (now, who) = (desk.now(), who.clone());
    let changed = desk.db.write(Route::Any, move |tx| change_in(tx, &who, &checked, now)).await?;
    desk.directory.forget();
    Ok(changed)
}

fn checked_list(mut keys: Vec<String>) -> Result<Vec<String>, Invalid> {
    let good = |key: &String| {
        !key.is_empty()
            && key.len() <= CHECKLIST_KEY_CHARS_MAX
            && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if keys.len() > CHECKLIST_COUNT_MAX || !keys.iter().all(good) {
        return Err(Invalid::new("checklist_done", "short keys such as first_chat"));
    }
    keys.sort();
    keys.dedup();
    Ok(keys)
}

fn change_in(tx: &mut dyn Conn, who: &Who, change: &WorkspaceChange, now: Timestamp) -> Result<Workspace, StoreError> {
    let before = workspace::get(tx, who.workspace)?;
    let mut after = before.clone();
    if let Some(name) = &change.name {
        after.name.clone_from(name);
    }
    if let Some(colour) = &change.colour {
        after.colour.clone_from(colour);
    }
    if let Some(time_zone) = &change.time_zone {
        after.time_zone.clone_from(time_zone);
    }
    if let Some(done) = &change.checklist_done {
        if !after.settings.is_object() {
            after.settings = json!({});
        }
        after.settings["checklist_done"] = json!(done);
    }
    if after == before {
        return Ok(before);
    }
    workspace::change(tx, &after)?;
    let payload = json!({
        "from": { "colour": before.colour, "time_zone": before.time_zone },
        "to": { "colour": after.colour, "time_zone": after.time_zone },
    });
    tx.log(news(who.workspace, "workspace.changed", Actor::Agent(who.agent), now, payload));
    workspace::get(tx, who.workspace)
}
