//! Sign-in and login sessions. An unknown address costs as much time as a wrong password and gets the same answer.

use super::check::email_key;
use super::token::Token;
use crate::{Desk, Who};
use model::{AgentId, LoginSessionId, Timestamp, WorkspaceId};
use store::agent::Agent;
use store::{Conn, Route, StoreError, agent, login_session, workspace};

/// How long a login session lives without being used.
pub const SESSION_MS: i64 = 30 * 24 * 3_600_000;
/// How often its use is noted: often enough to slide, seldom enough to cost nothing.
const SEEN_EVERY_MS: i64 = 3_600_000;
const DEVICE_CHARS_MAX: usize = 200;

/// Who is at the keyboard.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedIn {
    /// The agent, name and rights read anew for each request.
    pub who: Who,
    /// The login session that proves it.
    pub session: LoginSessionId,
}

/// A login session that has just begun.
pub struct NewLogin {
    /// What the browser keeps; nothing else can open the session.
    pub token: String,
    /// Who it is for.
    pub signed_in: SignedIn,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Address or password is not right; never which.
    #[error("email or password is not right")]
    WrongPair,
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

/// Checks the pair and begins a login session. `address` is where it comes from, `device` what the browser says it is.
pub async fn sign_in(desk: &Desk, email: &str, password: &str, address: &str, device: &str) -> Result<NewLogin, SignInError> {
    let now = desk.clock.now();
    let key = email_key(email);
    desk.gate
        .try_sign_in(address, model::fold::truncate(&key, 254), now)
        .map_err(|retry_after_s| SignInError::RateLimited { retry_after_s })?;
    let crowded = |_| SignInError::RateLimited { retry_after_s: 2 };
    for (found, hash) in candidates(desk, &key).await? {
        if desk.gate.passwords.verify(password, hash).await.map_err(crowded)? {
            let Some((workspace, agent)) = found else { continue };
            desk.gate.signed_in(address, &key);
            return Ok(begin(desk, workspace, &agent, device, now).await?);
        }
    }
    Err(SignInError::WrongPair)
}

type Candidate = (Option<(WorkspaceId, Agent)>, Option<String>);

// One address may work in several workspaces, each with its own password. Nobody at all is one candidate without hash.
async fn candidates(desk: &Desk, key: &str) -> Result<Vec<Candidate>, StoreError> {
    let key = key.to_owned();
    desk.db
        .read(move |tx| {
            let mut found = Vec::new();
            for workspace in workspace::list(tx)? {
                let Some(agent) = agent::find_by_email(tx, workspace.id, &key)? else { continue };
                if agent.archived_at.is_none() {
                    let hash = agent::password(tx, workspace.id, agent.id)?;
                    found.push((Some((workspace.id, agent)), hash));
                }
            }
            if found.is_empty() {
                found.push((None, None));
            }
            Ok::<_, StoreError>(found)
        })
        .await
}

async fn begin(desk: &Desk, workspace: WorkspaceId, agent: &Agent, device: &str, now: Timestamp) -> Result<NewLogin, StoreError> {
    let token = Token::make(workspace, &*desk.random);
    let (hash, device, id) = (token.hash(), device.to_owned(), agent.id);
    let session = desk.db.write(Route::Any, move |tx| begin_in(tx, workspace, id, &hash, &device, now)).await?;
    Ok(NewLogin { token: token.text(), signed_in: SignedIn { who: who_is(workspace, agent), session } })
}

/// The agent as other steps want it.
pub(super) fn who_is(workspace: WorkspaceId, agent: &Agent) -> Who {
    Who { workspace, agent: agent.id, name: agent.name.clone(), role: agent.role }
}

/// The row of a new login session, for steps that sign in at their end.
pub(super) fn begin_in(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    agent: AgentId,
    token_hash: &str,
    device: &str,
    now: Timestamp,
) -> Result<LoginSessionId, StoreError> {
    let device = model::fold::clean(model::fold::truncate(device, DEVICE_CHARS_MAX));
    login_session::add(tx, workspace, agent, token_hash, &device, now, now.plus_ms(SESSION_MS))
}

/// Who holds this token: nobody when it is unknown, ended, too old, or the agent was archived.
pub async fn find(desk: &Desk, token: &str) -> Result<Option<SignedIn>, StoreError> {
    let Some(token) = Token::parse(token) else { return Ok(None) };
    let now = desk.clock.now();
    let (workspace, hash) = (token.workspace, token.hash());
    let found = desk
        .db
        .read(move |tx| {
            let Some(session) = login_session::find(tx, workspace, &hash, now)? else { return Ok(None) };
            let agent = agent::find(tx, workspace, session.agent_id)?;
            Ok::<_, StoreError>(agent.filter(|agent| agent.archived_at.is_none()).map(|agent| (session, agent)))
        })
        .await?;
    let Some((session, agent)) = found else { return Ok(None) };
    if now.since(session.seen_at) >= SEEN_EVERY_MS {
        let id = session.id;
        desk.db.write(Route::Any, move |tx| login_session::seen(tx, workspace, id, now, now.plus_ms(SESSION_MS))).await?;
    }
    Ok(Some(SignedIn { who: who_is(workspace, &agent), session: session.id }))
}

/// Ends this login session.
pub async fn sign_out(desk: &Desk, signed_in: &SignedIn) -> Result<(), StoreError> {
    let now = desk.clock.now();
    let (workspace, session) = (signed_in.who.workspace, signed_in.session);
    desk.db.write(Route::Any, move |tx| login_session::end(tx, workspace, session, now)).await?;
    Ok(())
}
