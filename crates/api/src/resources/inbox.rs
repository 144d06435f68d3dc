//! Inboxes and their settings.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path, set, three};
use crate::error::Problem;
use crate::front::Caller;
use crate::types::{Inbox, ProblemDocument};
use axum::extract::State;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use channel_api::{ApiFiles, ApiSettings};
use channel_webchat::{WebchatPatch, WebchatSettings};
use desk::people::rights::may_set_up_inboxes;
use desk::settings::inbox::{self, InboxChange};
use desk::settings::secret;
use http::StatusCode;
use model::{AgentId, Channel, InboxId, TeamId};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json_;
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(list, add, change, rotate),
    components(schemas(
        Inbox,
        InboxList,
        NewInbox,
        InboxPatch,
        IdentitySecret,
        WebchatSettings,
        WebchatPatch,
        ApiSettings,
        ApiFiles
    ))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/inboxes", get(list).post(add))
        .route("/inboxes/{id}", patch(change))
        .route("/inboxes/{id}/identity_secret", post(rotate))
}

/// Every inbox.
#[derive(Serialize, ToSchema)]
pub struct InboxList {
    /// Oldest first.
    pub items: Vec<Inbox>,
}

/// Every inbox.
#[utoipa::path(get, path = "/inboxes", tag = "inbox", responses((status = 200, body = InboxList)))]
async fn list(State(front): State<Front>, SignedIn { who, .. }: SignedIn, caller: Caller) -> Result<Json<InboxList>, Problem> {
    let with_settings = may_set_up_inboxes(who.role);
    let rows = inbox::list(&front.desk, &who).await?;
    let items = rows.into_iter().map(|row| Inbox::of(row, &caller.base, with_settings)).collect();
    Ok(Json(InboxList { items }))
}

/// An inbox to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInbox {
    /// Its channel.
    pub channel: Channel,
    /// Its name.
    pub name: String,
    /// Some of the settings of a webchat inbox; the rest has good defaults.
    #[serde(default)]
    #[schema(value_type = Option<WebchatPatch>)]
    pub webchat: Option<Json_>,
    /// Some of the settings of an inbox of the API channel (`ApiSettings`); the rest has good defaults.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub api: Option<Json_>,
    /// Some of the settings of a mail inbox (docs/EMAIL.md); the rest has good defaults.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub email: Option<Json_>,
    /// Whether it takes and sends at once. Left out: yes, but a mail inbox waits until its set-up is finished.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// Makes an inbox. For admins.
#[utoipa::path(post, path = "/inboxes", tag = "inbox", request_body = NewInbox,
    responses((status = 201, body = Inbox), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn add(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    caller: Caller,
    JsonBody(new): JsonBody<NewInbox>,
) -> Result<(StatusCode, Json<Inbox>), Problem> {
    let settings = object("webchat", new.webchat)?.or(object("api", new.api)?).or(object("email", new.email)?);
    let settings = settings.unwrap_or_else(|| serde_json::json!({}));
    let enabled = new.enabled.unwrap_or(new.channel != Channel::Email);
    let row = inbox::add_as(&front.desk, &who, new.channel, &new.name, settings, enabled).await?;
    Ok((StatusCode::CREATED, Json(Inbox::of(row, &caller.base, true))))
}

fn object(field: &str, value: Option<Json_>) -> Result<Option<Json_>, Problem> {
    match value {
        Some(value) if !value.is_object() => Err(Problem::invalid(field, "an object with settings")),
        value => Ok(value),
    }
}

/// Changes to an inbox; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InboxPatch {
    /// Its name.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// Whether it takes and sends.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub enabled: Option<bool>,
    /// Where its conversations start; null: nowhere.
    #[serde(default, deserialize_with = "three")]
    #[schema(value_type = Option<TeamId>)]
    pub team_id: Option<Option<TeamId>>,
    /// Who may see it; empty: everybody.
    #[serde(default, deserialize_with = "set")]
    #[schema(nullable = false)]
    pub agent_ids: Option<Vec<AgentId>>,
    /// Some of the settings; null inside goes back to the default.
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = Option<WebchatPatch>, nullable = false)]
    pub webchat: Option<Json_>,
    /// Some of the settings of an inbox of the API channel (`ApiSettings`); null inside goes back to the default.
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub api: Option<Json_>,
    /// Some of the settings of a mail inbox; null inside goes back to the default.
    #[serde(default, deserialize_with = "set")]
    #[schema(value_type = Option<Object>, nullable = false)]
    pub email: Option<Json_>,
}

/// Changes an inbox. For admins.
#[utoipa::path(patch, path = "/inboxes/{id}", tag = "inbox", params(("id" = InboxId, Path)), request_body = InboxPatch,
    responses((status = 200, body = Inbox), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn change(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    caller: Caller,
    Path(id): Path<InboxId>,
    JsonBody(patch): JsonBody<InboxPatch>,
) -> Result<Json<Inbox>, Problem> {
    let change = InboxChange {
        name: patch.name,
        enabled: patch.enabled,
        team_id: patch.team_id,
        agent_ids: patch.agent_ids,
        settings: object("webchat", patch.webchat)?.or(object("api", patch.api)?).or(object("email", patch.email)?),
    };
    let row = inbox::change(&front.desk, &who, id, change).await?;
    Ok(Json(Inbox::of(row, &caller.base, true)))
}

/// A secret that is shown once.
#[derive(Serialize, ToSchema)]
pub struct IdentitySecret {
    /// For the business's own server: it signs there who a customer is.
    pub secret: String,
}

/// Makes another identity secret; the one before works for another 24 hours. For admins.
#[utoipa::path(post, path = "/inboxes/{id}/identity_secret", tag = "inbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = IdentitySecret), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn rotate(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<IdentitySecret>, Problem> {
    Ok(Json(IdentitySecret { secret: secret::rotate_identity(&front.desk, &who, id).await? }))
}
