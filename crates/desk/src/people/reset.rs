//! Another password for somebody who forgot theirs: a link that the owner of the machine makes on its command line. The
//! link is signed and stores nothing, so it is made beside a running server; it covers the present password hash, so it
//! works once, and for a day. Using it ends every login session of the agent.

use super::check::{self, Invalid, email_key};
use crate::Desk;
use crate::settings::news;
use keys::{Keys, Purpose};
use model::id::{decode, encode};
use model::{Actor, AgentId, Timestamp, WorkspaceId};
use serde_json::json;
use std::fmt::Write;
use store::agent::Agent;
use store::{Conn, Db, Route, StoreError, agent, login_session, workspace};

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

struct Link {
    workspace: WorkspaceId,
    agent: AgentId,
    expires_at: Timestamp,
    key_number: u32,
    mac: String,
}

impl Link {
    fn text(&self) -> String {
        let ids = encode(self.workspace.0) + &encode(self.agent.0) + &encode(self.expires_at.0);
        format!("{ids}-{}-{}", self.key_number, self.mac)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (ids, number, mac) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || ids.len() != 39 || !ids.is_ascii() {
            return None;
        }
        Some(Self {
            workspace: WorkspaceId(decode(&ids[..13])?),
            agent: AgentId(decode(&ids[13..26])?),
            expires_at: Timestamp(decode(&ids[26..])?),
            key_number: number.parse().ok()?,
            mac: mac.to_owned(),
        })
    }

    fn is_good(&self, keys: &Keys, hash: &str, now: Timestamp) -> bool {
        let mac = mac(keys, self.key_number, self.workspace, self.agent, self.expires_at, hash);
        mac.is_some_and(|mac| keys::same(mac.as_bytes(), self.mac.as_bytes())) && now < self.expires_at
    }
}

fn mac(keys: &Keys, number: u32, workspace: WorkspaceId, agent: AgentId, until: Timestamp, hash: &str) -> Option<String> {
    let key = keys.numbered(Purpose::PasswordReset, number)?;
    let [workspace, agent, until] = [workspace.0, agent.0, until.0].map(i64::to_be_bytes);
    let mac = key.mac(&[&workspace, &agent, &until, hash.as_bytes()]);
    Some(mac.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    }))
}

/// Makes the last part of a link for an address; none when no agent who may sign in has it. Writes nothing. Only for the
/// server's command line: whoever calls this owns the machine.
pub async fn make(db: &Db, keys: &Keys, email: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
    let email = email_key(email);
    let found = db
        .read(move |tx| {
            for workspace in workspace::list(tx)? {
                let Some(agent) = agent::find_by_email(tx, workspace.id, &email)? else { continue };
                if agent.archived_at.is_none() {
                    let hash = agent::password(tx, workspace.id, agent.id)?.unwrap_or_default();
                    return Ok::<_, StoreError>(Some((workspace.id, agent.id, hash)));
                }
            }
            Ok(None)
        })
        .await?;
    Ok(found.and_then(|(workspace, agent, hash)| {
        let (expires_at, key_number) = (now.plus_ms(VALID_MS), keys.number());
        let mac = mac(keys, key_number, workspace, agent, expires_at, &hash)?;
        Some(Link { workspace, agent, expires_at, key_number, mac }.text())
    }))
}

/// The address that a link is for; nothing is used up.
pub async fn open(desk: &Desk, token: &str) -> Result<String, ResetError> {
    let link = Link::parse(token).ok_or(ResetError::NotFound)?;
    let (keys, now) = (desk.keys.clone(), desk.now());
    let agent = desk.db.read(move |tx| usable(tx, &keys, &link, now)).await?;
    agent.map(|agent| agent.email).ok_or(ResetError::NotFound)
}

fn usable(tx: &mut dyn Conn, keys: &Keys, link: &Link, now: Timestamp) -> Result<Option<Agent>, StoreError> {
    let Some(agent) = agent::find(tx, link.workspace, link.agent)? else { return Ok(None) };
    let hash = agent::password(tx, link.workspace, link.agent)?.unwrap_or_default();
    Ok((agent.archived_at.is_none() && link.is_good(keys, &hash, now)).then_some(agent))
}

/// Sets the password, which uses the link up.
pub async fn finish(desk: &Desk, token: &str, password: &str, address: &str) -> Result<(), ResetError> {
    let now = desk.now();
    desk.gate.try_open_door(address, now).map_err(|retry_after_s| ResetError::RateLimited { retry_after_s })?;
    let email = open(desk, token).await?;
    check::password("password", password, &email)?;
    let crowded = |_| ResetError::RateLimited { retry_after_s: 2 };
    let password = desk.gate.passwords.hash(password, &desk.random).await.map_err(crowded)?;
    let link = Link::parse(token).ok_or(ResetError::NotFound)?;
    let keys = desk.keys.clone();
    desk.db
        .write(Route::Any, move |tx| {
            let workspace = link.workspace;
            let Some(agent) = usable(tx, &keys, &link, now)? else { return Ok::<_, StoreError>(Err(ResetError::NotFound)) };
            agent::set_password(tx, workspace, agent.id, &password)?;
            login_session::end_others(tx, workspace, agent.id, None, now)?;
            let payload = json!({ "agent_id": agent.id, "by": "link" });
            tx.log(news(workspace, "agent.password_changed", Actor::Agent(agent.id), now, payload));
            Ok(Ok(()))
        })
        .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_covers_everything_that_it_says() {
        let keys = Keys::from_root([1; 32]);
        let now = Timestamp(1_000);
        let expires_at = now.plus_ms(VALID_MS);
        let mac = mac(&keys, 1, WorkspaceId(1), AgentId(2), expires_at, "hash").unwrap();
        let link = Link { workspace: WorkspaceId(1), agent: AgentId(2), expires_at, key_number: 1, mac };
        let read = Link::parse(&link.text()).unwrap();
        assert!(read.is_good(&keys, "hash", now));
        assert!(!read.is_good(&keys, "another hash", now), "used up");
        assert!(!read.is_good(&keys, "hash", expires_at), "too old");
        assert!(!read.is_good(&Keys::from_root([2; 32]), "hash", now));
        assert!(!Link { agent: AgentId(3), ..read }.is_good(&keys, "hash", now));
        for wrong in ["", "--", "x-1-y", &link.text()[1..], &format!("{}-1", link.text())] {
            assert!(Link::parse(wrong).is_none(), "{wrong}");
        }
    }
}
