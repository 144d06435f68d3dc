//! How the widget looks and what it offers: public, and the same for everybody.

use super::site::{self, Site};
use super::{availability, site::seconds};
use crate::Front;
use crate::body::{Path, Query};
use crate::error::Problem;
use crate::front::Caller;
use axum::Json;
use axum::extract::State;
use channel_webchat::WidgetConfig;
use channel_webchat::frames::TEXT_CHARS_MAX;
use serde::Deserialize;

/// Language of the visitor.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    locale: String,
}

/// `GET /w/:site/config`.
pub async fn get(
    State(front): State<Front>,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    from: Caller,
) -> Result<Json<WidgetConfig>, Problem> {
    front.live.doors().request(&from.address, front.desk.now()).map_err(|wait_ms| Problem::rate_limited(seconds(wait_ms)))?;
    let site = site::find(&front, &slug).await?;
    Ok(Json(of(&front, &site, &asked.locale).await?))
}

/// The config of a site in a visitor's language.
pub async fn of(front: &Front, site: &Site, locale: &str) -> Result<WidgetConfig, Problem> {
    let (workspace, settings) = (site.workspace, &site.settings);
    let business = front.desk.db.read(move |tx| store::workspace::get(tx, workspace)).await?.name;
    let there = availability::of(&front.live, workspace, site.inbox(), settings).await?;
    Ok(WidgetConfig {
        site: site.open.inbox.site.clone().unwrap_or_default(),
        title: settings.title.clone(),
        business,
        greeting: settings.greeting.clone(),
        colour: settings.colour.clone(),
        corner: settings.corner,
        radius: settings.radius,
        theme: settings.theme,
        locale: settings.locale.resolve(locale).to_owned(),
        online: there.online,
        open_now: there.open_now,
        next_open_at: there.next_open_at,
        hours: there.hours,
        expected_wait_ms: there.expected_wait_ms,
        agents: there.agents,
        away_text: settings.away_text.clone(),
        pre_chat: settings.pre_chat.clone(),
        ask_email_when_away: settings.ask_email_when_away,
        consent_text: settings.consent_text.clone(),
        attachments: settings.attachments.clone(),
        identity_required: settings.identity.required,
        text_max: u32::try_from(TEXT_CHARS_MAX).unwrap_or(u32::MAX),
    })
}
