//! Tags. Any agent makes them: a tag that must be asked for is a tag that is not used.

use super::news;
use crate::people::{ChangeError, Invalid, check};
use crate::{Desk, Who};
use model::Actor;
use model::fold::fold;
use serde_json::json;
use store::tag::Tag;
use store::{Route, StoreError, tag};

const COLOUR: &str = "#5d6a78";
const COUNT_MAX: usize = 2_000;

/// Every tag, by name.
pub async fn list(desk: &Desk, who: &Who) -> Result<Vec<Tag>, StoreError> {
    let workspace = who.workspace;
    desk.db.read(move |tx| tag::list(tx, workspace)).await
}

/// Adds a tag; a name that is there already gives that tag.
pub async fn add(desk: &Desk, who: &Who, name: &str, colour: Option<&str>) -> Result<Tag, ChangeError> {
    let name = check::name("name", name)?;
    let colour = colour.map_or(Ok(COLOUR.to_owned()), |colour| check::colour("colour", colour))?;
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            let (workspace, key) = (who.workspace, fold(&name));
            if let Some(found) = tag::find_by_key(tx, workspace, &key)? {
                return Ok::<_, StoreError>(Ok(found));
            }
            if tag::list(tx, workspace)?.len() >= COUNT_MAX {
                return Ok(Err(Invalid::new("name", format!("at most {COUNT_MAX} tags")).into()));
            }
            tag::add(tx, workspace, &name, &key, &colour)?;
            let made = tag::find_by_key(tx, workspace, &key)?.ok_or(StoreError::NotFound)?;
            tx.log(news(workspace, "tag.added", Actor::Agent(who.agent), now, json!({ "tag_id": made.id })));
            Ok(Ok(made))
        })
        .await?
}
