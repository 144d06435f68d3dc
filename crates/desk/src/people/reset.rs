//! Another password for somebody who forgot theirs: a link that an admin makes on the server's own command line. It
//! works once and for a day; using it ends every login session of the agent.

use super::check::{self, Invalid, email_key};
use super::token::Token;
use crate::Desk;
use crate::settings::news;
use model::{Actor, AgentId, Timestamp, WorkspaceId};
use serde_json::json;
use store::{Conn, Route, StoreError, agent, login_session, setting, workspace};

const VALID_MS: i64 = 24 * 3_600_000;

/// Why a link does not open.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// No such link: used, too old or never made.
    #[error("the link does not work any more")]
    NotFound,
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

fn key(hash: &str) -> String {
    format!("password_reset.{hash}")
}

/// Makes a link's token for an address; none when no agent who may sign in has it. Only for the server's command line:
/// whoever calls this owns the machine.
pub async fn make(desk: &Desk, email: &str) -> Result<Option<String>, StoreError> {
    let (email, now) = (email_key(email), desk.now());
    let seed = Token::make(WorkspaceId(0), &*desk.random);
    let hash = seed.hash();
    let found = desk
        .db
        .write(Route::Any, move |tx| {
            for workspace in workspace::list(tx)? {
                let Some(agent) = agent::find_by_email(tx, workspace.id, &email)? else { continue };
                if agent.archived_at.is_none() {
                    let value = json!({ "agent_id": agent.id, "expires_at": now.plus_ms(VALID_MS) });
                    setting::put(tx, workspace.id, &key(&hash), &value)?;
                    return Ok::<_, StoreError>(Some(workspace.id));
                }
            }
            Ok(None)
        })
        .await?;
    Ok(found.map(|workspace| seed.in_workspace(workspace).text()))
}

/// The address that a link is for; nothing is used up.
pub async fn open(desk: &Desk, token: &str) -> Result<String, ResetError> {
    let token = Token::parse(token).ok_or(ResetError::NotFound)?;
    let (workspace, hash, now) = (token.workspace, token.hash(), desk.now());
    let agent = desk.db.read(move |tx| usable(tx, workspace, &hash, now)).await?;
    agent.map(|agent| agent.email).ok_or(ResetError::NotFound)
}

fn usable(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    hash: &str,
    now: Timestamp,
) -> Result<Option<store::agent::Agent>, StoreError> {
    let Some(value) = setting::find(tx, workspace, &key(hash))? else { return Ok(None) };
    let expires_at = value["expires_at"].as_str().and_then(Timestamp::parse);
    if expires_at.is_none_or(|at| at <= now) {
        return Ok(None);
    }
    let Some(id) = value["agent_id"].as_str().and_then(|id| AgentId::parse(id).ok()) else { return Ok(None) };
    Ok(agent::find(tx, workspace, id)?.filter(|agent| agent.archived_at.is_none()))
}

/// Sets the password and uses the link up.
pub async fn finish(desk: &Desk, token: &str, password: &str, address: &str) -> Result<(), ResetError> {
    let now = desk.now();
    desk.gate.try_open_door(address, now).map_err(|retry_after_s| ResetError::RateLimited { retry_after_s })?;
    let email = open(desk, token).await?;
    check::password("password", password, &email)?;
    let crowded = |_| ResetError::RateLimited { retry_after_s: 2 };
    let password = desk.gate.passwords.hash(password, &desk.random).await.map_err(crowded)?;
    let token = Token::parse(token).ok_or(ResetError::NotFound)?;
    let (workspace, hash) = (token.workspace, token.hash());
    desk.db
        .write(Route::Any, move |tx| {
            let Some(agent) = usable(tx, workspace, &hash, now)? else { return Ok::<_, StoreError>(Err(ResetError::NotFound)) };
            if !setting::delete(tx, workspace, &key(&hash))? {
                return Ok(Err(ResetError::NotFound));
            }
            agent::set_password(tx, workspace, agent.id, &password)?;
            login_session::end_others(tx, workspace, agent.id, None, now)?;
            let payload = json!({ "agent_id": agent.id, "by": "link" });
            tx.log(news(workspace, "agent.password_changed", Actor::Agent(agent.id), now, payload));
            Ok(Ok(()))
        })
        .await?
}
