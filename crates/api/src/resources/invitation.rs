//! Invitations of agents.

use crate::Front;
use crate::auth::{self, SignedIn};
use crate::body::{JsonBody, Path};
use crate::error::Problem;
use crate::front::Caller;
use crate::types::{Me, ProblemDocument};
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use desk::people::{agent, invitation};
use http::StatusCode;
use http::header::SET_COOKIE;
use model::{InvitationId, Role, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// Documents of this file.
#[derive(OpenApi)]
#[openapi(paths(list, invite, revoke, accept), components(schemas(Invitation, InvitationList, NewInvitation, AcceptInvitation)))]
pub struct Doc;

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new()
        .route("/invitations", get(list).post(invite))
        .route("/invitations/{id}", delete(revoke))
        .route("/invitations/accept", post(accept))
}

/// An invitation that can still be used.
#[derive(Serialize, ToSchema)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// Name, if given.
    pub name: Option<String>,
    /// Rights the new agent will have.
    pub role: Role,
    /// The link. Null when the key file it was made with is gone; make another one then.
    pub url: Option<String>,
    /// Until when it works.
    pub expires_at: Timestamp,
}

impl Invitation {
    fn of(row: store::invitation::Invitation, token: Option<String>, caller: &Caller) -> Self {
        let url = token.map(|token| format!("{}/invite/{token}", caller.base));
        Self { id: row.id, email: row.email, name: row.name, role: row.role, url, expires_at: row.expires_at }
    }
}

/// Every open invitation.
#[derive(Serialize, ToSchema)]
pub struct InvitationList {
    /// Oldest first.
    pub items: Vec<Invitation>,
}

/// Invitations that can still be used. For admins.
#[utoipa::path(get, path = "/invitations", tag = "invitation",
    responses((status = 200, body = InvitationList), (status = 403, body = ProblemDocument)))]
async fn list(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    caller: Caller,
) -> Result<Json<InvitationList>, Problem> {
    let open = invitation::list(&front.desk, &who).await?;
    let items = open.into_iter().map(|(row, token)| Invitation::of(row, token, &caller)).collect();
    Ok(Json(InvitationList { items }))
}

/// Somebody to be invited.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// Address.
    pub email: String,
    /// Name, if known.
    #[serde(default)]
    pub name: Option<String>,
    /// Rights. Only an owner invites owners.
    pub role: Role,
}

/// Invites somebody; the link works once, for seven days. For admins.
#[utoipa::path(post, path = "/invitations", tag = "invitation", request_body = NewInvitation,
    responses((status = 201, body = Invitation), (status = 403, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn invite(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    caller: Caller,
    JsonBody(new): JsonBody<NewInvitation>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    let (row, token) = invitation::invite(&front.desk, &who, &new.email, new.name.as_deref(), new.role).await?;
    Ok((StatusCode::CREATED, Json(Invitation::of(row, Some(token), &caller))))
}

/// Takes an invitation back. For admins.
#[utoipa::path(delete, path = "/invitations/{id}", tag = "invitation", params(("id" = InvitationId, Path)),
    responses((status = 204), (status = 403, body = ProblemDocument), (status = 404, body = ProblemDocument)))]
async fn revoke(
    State(front): State<Front>,
    SignedIn { who, .. }: SignedIn,
    Path(id): Path<InvitationId>,
) -> Result<StatusCode, Problem> {
    invitation::revoke(&front.desk, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What an invited person types.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// The last part of the link.
    pub token: String,
    /// Own name.
    pub name: String,
    /// Password, at least 10 characters.
    #[schema(min_length = 10, max_length = 256)]
    pub password: String,
}

/// Becomes an agent and signs in. Codes: `not_found`, `invitation_expired`, `invitation_used`, `invalid`.
#[utoipa::path(post, path = "/invitations/accept", tag = "invitation", security(()), request_body = AcceptInvitation,
    responses((status = 200, body = Me), (status = 404, body = ProblemDocument), (status = 409, body = ProblemDocument),
        (status = 410, body = ProblemDocument), (status = 422, body = ProblemDocument)))]
async fn accept(
    State(front): State<Front>,
    caller: Caller,
    JsonBody(given): JsonBody<AcceptInvitation>,
) -> Result<impl IntoResponse, Problem> {
    let desk = &front.desk;
    let login = invitation::accept(desk, &given.token, &given.name, &given.password, &caller.address, &caller.device).await?;
    let me = agent::me(desk, &login.signed_in.who).await?;
    Ok(([(SET_COOKIE, auth::cookie(&login.token, &caller))], Json(Me::from(me))))
}
