//! Files of visitors: limits of the site, the type as it is found in the bytes.

use super::site;
use crate::Front;
use crate::body::{Path, Query};
use crate::error::Problem;
use crate::front::Caller;
use crate::resources::attachment::{Upload, receive};
use crate::types::file::Files;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use channel_webchat::WidgetFile;
use http::HeaderMap;
use serde::Deserialize;

/// What is uploaded.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    name: String,
}

/// Who uploaded it, as the row says it.
pub fn uploader(visitor_id: &str) -> String {
    format!("visitor:{visitor_id}")
}

/// `POST /w/:site/files`.
pub async fn upload(
    State(front): State<Front>,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    from: Caller,
    body: Body,
) -> Result<Json<WidgetFile>, Problem> {
    let site = site::find(&front, &slug).await?;
    site::check(&front, &site, &headers, &from)?;
    let now = front.desk.now();
    let known = site::of_request(&front, &site, &headers, None, now)?;
    let rules = &site.settings.attachments;
    if !rules.enabled {
        return Err(Problem::forbidden("attachments_off", "Files cannot be sent here."));
    }
    let visitor = &known.token.visitor_id;
    front.live.doors().upload(site.inbox(), visitor, now).map_err(|wait_ms| Problem::rate_limited(site::seconds(wait_ms)))?;
    let upload = Upload {
        workspace: site.workspace,
        uploader: uploader(visitor),
        conversation_id: None,
        name: &asked.name,
        bytes_max: rules.bytes_max,
    };
    let row = receive(&front, upload, &headers, body, |mime| rules.takes(mime)).await?;
    let url = Files::new(&front.desk, site.workspace).url(row.id, &row.name);
    Ok(Json(WidgetFile { id: row.id, name: row.name, mime: row.mime, bytes: row.bytes, url }))
}
