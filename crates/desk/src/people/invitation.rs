//! Invitations: a link, valid for seven days and once. It works without mail: the inviting agent copies it.

use super::agent::ChangeError;
use super::check::{self, Invalid};
use super::login::{NewLogin, SignedIn, begin_in, who_is};
use super::rights::{may_give, may_manage_agents};
use super::token::Token;
use crate::settings::news;
use crate::{Desk, Who};
use keys::Purpose;
use model::{Actor, Availability, InvitationId, Role, Timestamp, WorkspaceId};
use serde_json::json;
use store::invitation::{Invitation, NewInvitation};
use store::{Conn, Route, StoreError, agent, invitation, workspace};

/// How long a link works.
pub const VALID_MS: i64 = 7 * 24 * 3_600_000;

/// Why an invitation does not open.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// No such link, or it was taken back.
    #[error("there is no such invitation")]
    NotFound,
    /// Its seven days are over.
    #[error("the invitation is too old")]
    Expired,
    /// Somebody came in with it.
    #[error("the invitation was used")]
    Used,
    /// A field.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Too many tries.
    #[error("too many tries, come back in {retry_after_s} s")]
    RateLimited {
        /// Seconds to wait.
        retry_after_s: i64,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An invitation as the invited person sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The invitation.
    pub invitation: Invitation,
    /// Name of the business.
    pub business: String,
}

/// Invites somebody; gives the invitation and the token for its link.
pub async fn invite(
    desk: &Desk,
    who: &Who,
    email: &str,
    name: Option<&str>,
    role: Role,
) -> Result<(Invitation, String), ChangeError> {
    if !may_give(who.role, role) {
        return Err(ChangeError::NotAllowed);
    }
    let email = check::email("email", email)?;
    let name = name.filter(|name| !name.trim().is_empty()).map(|name| check::name("name", name)).transpose()?;
    let (key, now, who) = (desk.keys.current(Purpose::Invitation), desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            if agent::find_by_email(tx, who.workspace, &check::email_key(&email))?.is_some() {
                return Ok::<_, StoreError>(Err(Invalid::new("email", "somebody who is not an agent yet").into()));
            }
            let id = InvitationId(tx.id());
            let token = Token::derived(who.workspace, &key, id.0);
            let new = NewInvitation {
                id,
                email: &email,
                name: name.as_deref(),
                role,
                token_hash: &token.hash(),
                invited_by: who.agent,
                expires_at: now.plus_ms(VALID_MS),
            };
            invitation::add(tx, who.workspace, &new, now)?;
            tell(tx, who.workspace, "invitation.added", Actor::Agent(who.agent), id, now);
            let made = invitation::find(tx, who.workspace, id)?.ok_or(StoreError::NotFound)?;
            Ok(Ok((made, token.text())))
        })
        .await?
}

/// Invitations that can still be used, each with the token for its link: whoever may invite may copy the link again. None
/// when the key it was made with is gone.
pub async fn list(desk: &Desk, who: &Who) -> Result<Vec<(Invitation, Option<String>)>, ChangeError> {
    if !may_manage_agents(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (workspace, now) = (who.workspace, desk.now());
    let open = desk.db.read(move |tx| invitation::list_open(tx, workspace, now)).await?;
    let keys = desk.keys.all(Purpose::Invitation);
    let token = |row: &Invitation| {
        let made = keys.iter().map(|key| Token::derived(workspace, key, row.id.0));
        made.filter(|token| token.hash() == row.token_hash).map(|token| token.text()).next()
    };
    Ok(open.into_iter().map(|row| (row.clone(), token(&row))).collect())
}

/// Takes an invitation back.
pub async fn revoke(desk: &Desk, who: &Who, id: InvitationId) -> Result<(), ChangeError> {
    if !may_manage_agents(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            if !invitation::revoke(tx, who.workspace, id, now)? {
                return Ok::<_, StoreError>(Err(ChangeError::NotFound));
            }
            tell(tx, who.workspace, "invitation.revoked", Actor::Agent(who.agent), id, now);
            Ok(Ok(()))
        })
        .await?
}

/// Looks at an invitation without using it.
pub async fn open(desk: &Desk, token: &str) -> Result<Opened, AcceptError> {
    let token = Token::parse(token).ok_or(AcceptError::NotFound)?;
    let (workspace, hash, now) = (token.workspace, token.hash(), desk.now());
    desk.db
        .read(move |tx| {
            let invitation = match usable(tx, workspace, &hash, now)? {
                Ok(invitation) => invitation,
                Err(refused) => return Ok::<_, StoreError>(Err(refused)),
            };
            Ok(Ok(Opened { invitation, business: workspace::get(tx, workspace)?.name }))
        })
        .await?
}

fn usable(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    hash: &str,
    now: Timestamp,
) -> Result<Result<Invitation, AcceptError>, StoreError> {
    Ok(match invitation::find_by_token(tx, workspace, hash)? {
        None => Err(AcceptError::NotFound),
        Some(found) if found.revoked_at.is_some() => Err(AcceptError::NotFound),
        Some(found) if found.accepted_at.is_some() => Err(AcceptError::Used),
        Some(found) if found.expires_at <= now => Err(AcceptError::Expired),
        Some(found) => Ok(found),
    })
}

/// Makes the invited person an agent and signs in.
pub async fn accept(
    desk: &Desk,
    token: &str,
    name: &str,
    password: &str,
    address: &str,
    device: &str,
) -> Result<NewLogin, AcceptError> {
    let now = desk.now();
    desk.gate.try_open_door(address, now).map_err(|retry_after_s| AcceptError::RateLimited { retry_after_s })?;
    // Before the costly hash: a stranger without a link costs one look-up.
    let opened = open(desk, token).await?;
    let name = check::name("name", name)?;
    check::password("password", password, &opened.invitation.email)?;
    let crowded = |_| AcceptError::RateLimited { retry_after_s: 2 };
    let password = desk.gate.passwords.hash(password, &desk.random).await.map_err(crowded)?;
    let invited = Token::parse(token).ok_or(AcceptError::NotFound)?;
    let login = Token::make(invited.workspace, &*desk.random);
    let (workspace, invited_hash, login_hash, device) = (invited.workspace, invited.hash(), login.hash(), device.to_owned());
    let signed_in = desk
        .db
        .write(Route::Any, move |tx| {
            let given = Given { name: &name, password: &password, login_hash: &login_hash, device: &device };
            accept_in(tx, workspace, &invited_hash, &given, now)
        })
        .await??;
    Ok(NewLogin { token: login.text(), signed_in })
}

struct Given<'a> {
    name: &'a str,
    password: &'a str,
    login_hash: &'a str,
    device: &'a str,
}

fn accept_in(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    hash: &str,
    given: &Given<'_>,
    now: Timestamp,
) -> Result<Result<SignedIn, AcceptError>, StoreError> {
    let invitation = match usable(tx, workspace, hash, now)? {
        Ok(invitation) => invitation,
        Err(refused) => return Ok(Err(refused)),
    };
    let email_key = check::email_key(&invitation.email);
    if agent::find_by_email(tx, workspace, &email_key)?.is_some() {
        return Ok(Err(AcceptError::Used));
    }
    if !invitation::accept(tx, workspace, invitation.id, now)? {
        return Ok(Err(AcceptError::Used));
    }
    let new = agent::NewAgent {
        name: given.name,
        email: &invitation.email,
        email_key: &email_key,
        password: given.password,
        role: invitation.role,
    };
    let id = agent::add(tx, workspace, &new, now)?;
    let mut row = agent::get(tx, workspace, id)?;
    row.availability = Availability::Available;
    agent::change(tx, workspace, &row)?;
    agent::begin_span(tx, workspace, id, Availability::Available, now)?;
    let session = begin_in(tx, workspace, id, given.login_hash, given.device, now)?;
    tell(tx, workspace, "invitation.accepted", Actor::Agent(id), invitation.id, now);
    let payload = json!({ "agent_id": id, "role": invitation.role });
    tx.log(news(workspace, "agent.added", Actor::Agent(id), now, payload));
    Ok(Ok(SignedIn { who: who_is(workspace, &row), session }))
}

fn tell(tx: &mut dyn Conn, workspace: WorkspaceId, kind: &'static str, actor: Actor, id: InvitationId, now: Timestamp) {
    tx.log(news(workspace, kind, actor, now, json!({ "invitation_id": id })));
}
