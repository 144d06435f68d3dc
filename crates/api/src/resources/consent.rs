//! What customers said about what we may do, by purpose and channel, with its history.

use crate::Front;
use crate::auth::SignedIn;
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::types::ProblemDocument;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use desk::consent::{self, ConsentError, Statement};
use desk::people::rights;
use http::StatusCode;
use model::{Channel, ConsentId, ConsentState, ContactId, ContactPointId, Purpose, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(list, record), components(schemas(Consent, ConsentList, ConsentHolds, NewConsent, Purpose, ConsentState)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/contacts/{id}/consents", get(list).post(record))
}

impl From<ConsentError> for Problem {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::NotFound => Self::not_found(),
            ConsentError::Invalid { field, text } => Self::invalid(field, text),
            ConsentError::Store(error) => error.into(),
        }
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// Of which contact of a merged set.
    pub contact_id: ContactId,
    /// About what.
    pub purpose: Purpose,
    /// On which channel; null: on every one.
    pub channel: Option<Channel>,
    /// At which address; null: at every one.
    pub contact_point_id: Option<ContactPointId>,
    /// What they said.
    pub state: ConsentState,
    /// Where it was said.
    pub source: String,
    /// What shows it.
    pub evidence: String,
    /// When it was said.
    pub at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Who wrote it down.
    pub recorded_by: String,
}

impl From<store::consent::Consent> for Consent {
    fn from(c: store::consent::Consent) -> Self {
        Self {
            id: c.id,
            contact_id: c.contact_id,
            purpose: c.purpose,
            channel: c.channel,
            contact_point_id: c.contact_point_id,
            state: c.state,
            source: c.source,
            evidence: c.evidence,
            at: c.at,
            recorded_at: c.recorded_at,
            recorded_by: c.recorded_by,
        }
    }
}

/// What holds now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ConsentHolds {
    /// The statement that decides.
    pub consent: Consent,
    /// Contacts that were merged say different things; this is the strictest.
    pub disputed: bool,
}

/// Everything a customer said about what we may do.
#[derive(Serialize, ToSchema)]
pub struct ConsentList {
    /// What holds now, by purpose and way.
    pub holds: Vec<ConsentHolds>,
    /// Every statement, newest first.
    pub history: Vec<Consent>,
}

async fn shown(front: &Front, who: &desk::Who, id: ContactId) -> Result<ConsentList, Problem> {
    let workspace = who.workspace;
    let all = front
        .desk
        .db
        .read(move |tx| {
            let live = store::contact::get_live(tx, workspace, id)?;
            let set = store::contact::merged_set(tx, workspace, live.id)?;
            store::consent::of_contacts(tx, workspace, &set)
        })
        .await?;
    let holds = consent::holding(&all)
        .into_values()
        .map(|holds| ConsentHolds { consent: holds.consent.into(), disputed: holds.disputed })
        .collect();
    Ok(ConsentList { holds, history: all.into_iter().rev().map(Consent::from).collect() })
}

/// What holds now, and every statement with its date and source.
#[utoipa::path(get, path = "/contacts/{id}/consents", tag = "consent", params(("id" = ContactId, Path)),
    responses((status = 200, body = ConsentList), (status = 404, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
) -> Result<Json<ConsentList>, Problem> {
    Ok(Json(shown(&front, &who, id).await?))
}

/// A statement to be written down.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsent {
    /// About what.
    pub purpose: Purpose,
    /// On which channel; absent: on every one.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// At which address; absent: at every one.
    #[serde(default)]
    pub contact_point_id: Option<ContactPointId>,
    /// What they said.
    pub state: ConsentState,
    /// Where it was said: form, call, letter ..
    pub source: String,
    /// What shows it.
    #[serde(default)]
    pub evidence: String,
    /// When it was said; absent: now.
    #[serde(default)]
    pub at: Option<Timestamp>,
}

/// Writes down what a customer said. Earlier statements stay in the history.
#[utoipa::path(post, path = "/contacts/{id}/consents", tag = "consent", params(("id" = ContactId, Path)), request_body = NewConsent,
    responses((status = 201, body = ConsentList), (status = 404, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn record(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<ContactId>,
    JsonBody(new): JsonBody<NewConsent>,
) -> Result<(StatusCode, Json<ConsentList>), Problem> {
    if !rights::may_edit_contacts(who.role) {
        return Err(Problem::not_allowed());
    }
    let statement = Statement {
        purpose: new.purpose,
        channel: new.channel,
        contact_point_id: new.contact_point_id,
        state: new.state,
        source: new.source,
        evidence: new.evidence,
        at: new.at.unwrap_or_else(|| front.desk.now()),
    };
    consent::record(&front.desk, &who, id, statement).await?;
    Ok((StatusCode::CREATED, Json(shown(&front, &who, id).await?)))
}
