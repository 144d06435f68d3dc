//! What stands before the items that the visitor has.

use super::items::{Viewer, items_of};
use super::site;
use crate::Front;
use crate::body::{Path, Query};
use crate::error::Problem;
use crate::front::Caller;
use crate::types::cursor;
use crate::types::file::Files;
use axum::Json;
use axum::extract::State;
use channel_webchat::WidgetItem;
use desk::view::visitor;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use store::StoreError;

const ITEMS_MAX: usize = 50;

/// Where the client stands.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    before: Option<String>,
}

/// Older items.
#[derive(Serialize)]
pub struct History {
    items: Vec<WidgetItem>,
    before: Option<String>,
}

/// `GET /w/:site/history`.
pub async fn page(
    State(front): State<Front>,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    from: Caller,
) -> Result<Json<History>, Problem> {
    let site = site::find(&front, &slug).await?;
    site::check(&front, &site, &headers, &from)?;
    let now = front.desk.now();
    let known = site::of_request(&front, &site, &headers, None, now)?;
    let place = cursor::of_query(asked.before.as_deref())?;
    let (workspace, who) = (site.workspace, known.visitor(site.inbox(), now));
    let signed_in = who.account.is_some();
    let (chat, entries, before) = front
        .desk
        .db
        .read(move |tx| -> Result<_, StoreError> {
            let chat = visitor::chat(tx, workspace, &who)?;
            let (entries, before) = visitor::before(tx, workspace, &chat, signed_in, place, ITEMS_MAX)?;
            Ok((chat, entries, before))
        })
        .await?;
    let files = Files::new(&front.desk, workspace);
    let viewer = Viewer { names: site.settings.show_agents };
    let items = chat.conversation.as_ref().map_or_else(Vec::new, |row| items_of(&entries, row, &files, viewer));
    Ok(Json(History { items, before: before.map(cursor::write) }))
}
