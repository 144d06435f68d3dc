//! What an admin does with an inbox of the API channel: its key, its webhook secret, a test, and its last deliveries.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::Path;
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use channel_api::sign;
use desk::Who;
use desk::people::rights::may_set_up_inboxes;
use desk::settings::secret;
use model::{Channel, ConversationId, DeliveryId, DeliveryState, EntryId, InboxId, OutboxId, Timestamp};
use serde::Serialize;
use store::{StoreError, outbox};
use utoipa::{OpenApi, ToSchema};

/// Attempts that the list holds.
const DELIVERIES_MAX: i64 = 50;

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(
    paths(make_key, make_secret, test, deliveries),
    components(schemas(ChannelKey, WebhookSecret, ChannelTest, ChannelTestResult, InboxDeliveries, InboxDelivery))
)]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/inboxes/{id}/channel_key", post(make_key))
        .route("/inboxes/{id}/webhook_secret", post(make_secret))
        .route("/inboxes/{id}/test_webhook", post(test))
        .route("/inboxes/{id}/deliveries", get(deliveries))
}

async fn api_inbox(front: &Front, who: &Who, id: InboxId) -> Result<(), Problem> {
    if !may_set_up_inboxes(who.role) {
        return Err(Problem::not_allowed());
    }
    let workspace = who.workspace;
    let found = front.desk.db.read(move |tx| store::inbox::find(tx, workspace, id)).await?;
    found.filter(|inbox| inbox.channel == Channel::Api).map(|_| ()).ok_or_else(Problem::not_found)
}

fn random(front: &Front) -> [u8; 24] {
    let mut bytes = [0; 24];
    front.desk.random.fill(&mut bytes);
    bytes
}

/// A key that is shown once.
#[derive(Serialize, ToSchema)]
pub struct ChannelKey {
    /// For the program that brings events.
    pub key: String,
}

/// Makes another key for events and files; the one before works for another 24 hours. For admins.
#[utoipa::path(post, path = "/inboxes/{id}/channel_key", tag = "inbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = ChannelKey), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn make_key(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<ChannelKey>, Problem> {
    api_inbox(&front, &who, id).await?;
    let key = sign::key_of(random(&front));
    secret::rotate(&front.desk, &who, id, channel_api::KEY, &key).await?;
    Ok(Json(ChannelKey { key }))
}

/// A secret that is shown once.
#[derive(Serialize, ToSchema)]
pub struct WebhookSecret {
    /// For checking our webhooks, by the Standard Webhooks convention.
    pub secret: String,
}

/// Makes another webhook secret; for 24 hours webhooks carry the signatures of both. For admins.
#[utoipa::path(post, path = "/inboxes/{id}/webhook_secret", tag = "inbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = WebhookSecret), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn make_secret(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<WebhookSecret>, Problem> {
    api_inbox(&front, &who, id).await?;
    let secret = sign::secret_of(random(&front));
    secret::rotate(&front.desk, &who, id, channel_api::WEBHOOK_SECRET, &secret).await?;
    Ok(Json(WebhookSecret { secret }))
}

/// What a test found.
#[derive(Serialize, ToSchema)]
pub struct ChannelTest {
    /// One after the other.
    pub results: Vec<ChannelTestResult>,
}

/// One finding.
#[derive(Serialize, ToSchema)]
pub struct ChannelTestResult {
    /// What was looked at: `key`, `webhook`.
    pub code: String,
    /// `ok`, `warn` or `failed`.
    #[schema(value_type = String)]
    pub state: channel::CheckState,
    /// One sentence.
    pub text: String,
}

/// Sends a webhook of type `test` and says how it was met. For admins.
#[utoipa::path(post, path = "/inboxes/{id}/test_webhook", tag = "inbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = ChannelTest), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn test(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<ChannelTest>, Problem> {
    api_inbox(&front, &who, id).await?;
    let open = front.desk.directory.open(&front.desk, who.workspace, id).await.map_err(|_| Problem::not_found())?;
    let found = open.channel.check(&open.settings).await;
    let results = found.into_iter().map(|one| ChannelTestResult { code: one.code, state: one.state, text: one.text }).collect();
    Ok(Json(ChannelTest { results }))
}

/// The last attempts of an inbox.
#[derive(Serialize, ToSchema)]
pub struct InboxDeliveries {
    /// Newest first.
    pub items: Vec<InboxDelivery>,
}

/// One attempt to deliver.
#[derive(Serialize, ToSchema)]
pub struct InboxDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// The `webhook-id`.
    pub outbox_id: OutboxId,
    /// What it carried.
    pub entry_id: Option<EntryId>,
    /// Where that stands.
    pub conversation_id: Option<ConversationId>,
    /// Which attempt, from 1.
    pub attempt: i64,
    /// How far it came.
    pub state: DeliveryState,
    /// Sent, and the answer never came.
    pub uncertain: bool,
    /// The other side's id of the message.
    pub message_id: Option<String>,
    /// The other side's code.
    pub code: Option<String>,
    /// Why it was not taken, in words.
    pub reason: Option<String>,
    /// Last change.
    pub at: Timestamp,
}

/// The last 50 attempts to deliver through this inbox. For admins; `POST /entries/{id}/retry` sends again.
#[utoipa::path(get, path = "/inboxes/{id}/deliveries", tag = "inbox", params(("id" = InboxId, Path)),
    responses((status = 200, body = InboxDeliveries), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn deliveries(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InboxId>,
) -> Result<Json<InboxDeliveries>, Problem> {
    if !may_set_up_inboxes(who.role) {
        return Err(Problem::not_allowed());
    }
    let workspace = who.workspace;
    let read = front.desk.db.read(move |tx| -> Result<_, StoreError> {
        if store::inbox::find(tx, workspace, id)?.is_none() {
            return Ok(None);
        }
        let recent = outbox::recent_of_inbox(tx, workspace, id, DELIVERIES_MAX)?;
        let mut ids: Vec<OutboxId> = recent.iter().map(|one| one.outbox_id).collect();
        ids.dedup();
        let rows = outbox::list(tx, workspace, &ids)?;
        Ok(Some((recent, rows)))
    });
    let (recent, rows) = read.await?.ok_or_else(Problem::not_found)?;
    let items = recent
        .into_iter()
        .map(|one| {
            let row = rows.iter().find(|row| row.id == one.outbox_id);
            InboxDelivery {
                id: one.id,
                outbox_id: one.outbox_id,
                entry_id: row.map(|row| row.entry_id),
                conversation_id: row.map(|row| row.conversation_id),
                attempt: one.attempt,
                state: DeliveryState::of_rank(one.rank),
                uncertain: one.uncertain,
                message_id: one.provider_id,
                code: one.code,
                reason: one.reason,
                at: one.changed_at,
            }
        })
        .collect();
    Ok(Json(InboxDeliveries { items }))
}
