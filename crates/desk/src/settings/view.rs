//! Saved views: own ones, and shared ones that everybody sees.

use super::news;
use crate::people::rights::{may_manage_agents, may_share_views};
use crate::people::{ChangeError, Invalid, check};
use crate::{Desk, Who};
use model::fold::clean;
use model::{Actor, ViewId};
use serde_json::json;
use store::view::View;
use store::{Route, StoreError, view};

const QUERY_CHARS_MAX: usize = 500;
const COUNT_MAX: i64 = 100;

/// What the agent sees: own views and shared ones.
pub async fn list(desk: &Desk, who: &Who) -> Result<Vec<View>, StoreError> {
    let (workspace, agent) = (who.workspace, who.agent);
    desk.db.read(move |tx| view::list(tx, workspace, agent)).await
}

/// Saves a query under a name.
pub async fn add(desk: &Desk, who: &Who, name: &str, query: &str, shared: bool, pinned: bool) -> Result<View, ChangeError> {
    if shared && !may_share_views(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let name = check::name("name", name)?;
    let query = clean(query).trim().to_owned();
    if query.is_empty() || query.chars().count() > QUERY_CHARS_MAX {
        return Err(Invalid::new("query", format!("a query of at most {QUERY_CHARS_MAX} characters")).into());
    }
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            if view::count(tx, who.workspace, who.agent)? >= COUNT_MAX {
                return Ok::<_, StoreError>(Err(Invalid::new("name", format!("at most {COUNT_MAX} views")).into()));
            }
            let new = View { id: ViewId(0), agent_id: who.agent, name: name.clone(), query: query.clone(), shared, pinned };
            let id = view::add(tx, who.workspace, &new)?;
            let payload = json!({ "view_id": id, "shared": shared });
            tx.log(news(who.workspace, "view.added", Actor::Agent(who.agent), now, payload));
            Ok(Ok(View { id, ..new }))
        })
        .await?
}

/// Deletes an own view, or as an admin a shared one.
pub async fn remove(desk: &Desk, who: &Who, id: ViewId) -> Result<(), ChangeError> {
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            let found = view::find(tx, who.workspace, id)?.filter(|view| view.shared || view.agent_id == who.agent);
            let Some(found) = found else { return Ok::<_, StoreError>(Err(ChangeError::NotFound)) };
            if found.agent_id != who.agent && !may_manage_agents(who.role) {
                return Ok(Err(ChangeError::NotAllowed));
            }
            view::delete(tx, who.workspace, id)?;
            let payload = json!({ "view_id": id, "shared": found.shared });
            tx.log(news(who.workspace, "view.removed", Actor::Agent(who.agent), now, payload));
            Ok(Ok(()))
        })
        .await?
}
