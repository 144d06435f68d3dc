//! The first owner: whoever can read the server's output owns the place.

use super::check::{self, Invalid};
use super::gate::CodeCheck;
use super::login::{NewLogin, SignedIn, begin_in, who_is};
use super::token::Token;
use crate::Desk;
use crate::settings::news;
use model::hours::Hours;
use model::{Actor, Availability, Role, Timestamp, WorkspaceId};
use serde_json::json;
use store::{Conn, Route, StoreError, agent, business_hours, workspace};

/// Accent of a workspace that has not chosen one.
pub const COLOUR: &str = "#0b6b74";

/// What the first owner types.
#[derive(Debug, Clone)]
pub struct NewOwner {
    /// The one-time code from the server's output.
    pub code: String,
    /// Own name.
    pub name: String,
    /// Address for sign-in.
    pub email: String,
    /// Password.
    pub password: String,
    /// Name of the business, if already known.
    pub business_name: Option<String>,
    /// Time zone of the business.
    pub time_zone: String,
}

/// Why there is no owner yet.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There is one already.
    #[error("set-up is done")]
    Done,
    /// The code is wrong.
    #[error("the code is wrong, {left} tries are left")]
    WrongCode {
        /// Tries left.
        left: u8,
    },
    /// Too many wrong codes.
    #[error("set-up is locked until the next start")]
    Locked,
    /// A field.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// True until there is an owner.
pub async fn needed(desk: &Desk) -> Result<bool, StoreError> {
    desk.db.read(needed_in).await
}

fn needed_in(tx: &mut dyn Conn) -> Result<bool, StoreError> {
    for workspace in workspace::list(tx)? {
        if agent::count_owners(tx, workspace.id)? > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes workspace, owner and first opening hours, and signs the owner in.
pub async fn create_owner(desk: &Desk, new: NewOwner, device: &str) -> Result<NewLogin, SetupError> {
    let _one_at_a_time = desk.gate.setup.lock().await;
    if !needed(desk).await? {
        return Err(SetupError::Done);
    }
    match desk.gate.check_code(&new.code) {
        CodeCheck::Right => {}
        CodeCheck::Wrong { left } => return Err(SetupError::WrongCode { left }),
        CodeCheck::Locked => return Err(SetupError::Locked),
    }
    let name = check::name("name", &new.name)?;
    let email = check::email("email", &new.email)?;
    check::password("password", &new.password, &email)?;
    let time_zone = check::time_zone("time_zone", &new.time_zone)?;
    let business = match new.business_name.as_deref().filter(|name| !name.trim().is_empty()) {
        Some(business) => check::name("business_name", business)?,
        None => name.clone(),
    };
    let hash = desk.gate.passwords.hash(&new.password, &desk.random).await.map_err(|_| StoreError::Busy)?;
    let now = desk.clock.now();
    // The token needs the workspace's id, which exists only inside the transaction: its secret half is made before.
    let seed = Token::make(WorkspaceId(0), &*desk.random);
    let (token_hash, device) = (seed.hash(), device.to_owned());
    let made = desk
        .db
        .write(Route::Any, move |tx| {
            if !needed_in(tx)? {
                return Ok::<_, StoreError>(None);
            }
            let owner = agent::NewAgent {
                name: &name,
                email: &email,
                email_key: &check::email_key(&email),
                password: &hash,
                role: Role::Owner,
            };
            make(tx, &business, &time_zone, &owner, &token_hash, &device, now).map(Some)
        })
        .await?;
    let signed_in = made.ok_or(SetupError::Done)?;
    Ok(NewLogin { token: seed.in_workspace(signed_in.who.workspace).text(), signed_in })
}

fn make(
    tx: &mut dyn Conn,
    business: &str,
    time_zone: &str,
    owner: &agent::NewAgent<'_>,
    token_hash: &str,
    device: &str,
    now: Timestamp,
) -> Result<SignedIn, StoreError> {
    let workspace = workspace::add(tx, business, COLOUR, time_zone, &json!({}), now)?;
    let id = agent::add(tx, workspace, owner, now)?;
    let mut row = agent::get(tx, workspace, id)?;
    row.availability = Availability::Available;
    agent::change(tx, workspace, &row)?;
    agent::begin_span(tx, workspace, id, Availability::Available, now)?;
    let hours = business_hours::add(tx, workspace, "Opening hours", &Hours::office(time_zone))?;
    let session = begin_in(tx, workspace, id, token_hash, device, now)?;
    let actor = Actor::Agent(id);
    tx.log(news(workspace, "workspace.added", actor, now, json!({ "time_zone": time_zone })));
    tx.log(news(workspace, "agent.added", actor, now, json!({ "agent_id": id, "role": Role::Owner })));
    tx.log(news(workspace, "business_hours.added", actor, now, json!({ "business_hours_id": hours })));
    Ok(SignedIn { who: who_is(workspace, &row), session })
}
