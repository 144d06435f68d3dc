//! Invitations of agents: a link that works once, for a while. Only the hash of its token is kept.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::setting::word;
use crate::values;
use model::{AgentId, InvitationId, Role, Timestamp, WorkspaceId};

/// An invitation, used or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Who is invited.
    pub email: String,
    /// Name, when the inviting agent gave one.
    pub name: Option<String>,
    /// Rights the new agent will have.
    pub role: Role,
    /// SHA-256 of the token, hex.
    pub token_hash: String,
    /// Who invited.
    pub invited_by: AgentId,
    /// When.
    pub created_at: Timestamp,
    /// Until when the link works.
    pub expires_at: Timestamp,
    /// When it was used.
    pub accepted_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// What a new invitation holds.
#[derive(Debug, Clone)]
pub struct NewInvitation<'a> {
    /// Its id, drawn before: the token may be made from it.
    pub id: InvitationId,
    /// Who is invited.
    pub email: &'a str,
    /// Name, if known.
    pub name: Option<&'a str>,
    /// Rights.
    pub role: Role,
    /// SHA-256 of the token, hex.
    pub token_hash: &'a str,
    /// Who invites.
    pub invited_by: AgentId,
    /// Until when the link works.
    pub expires_at: Timestamp,
}

const FIND: &str = "SELECT id, email, name, role, invited_by, created_at, expires_at, accepted_at, revoked_at, token_hash FROM invitation \
     WHERE workspace_id = $1 AND id = $2";
const FIND_BY_TOKEN: &str = "SELECT id, email, name, role, invited_by, created_at, expires_at, accepted_at, revoked_at, token_hash \
     FROM invitation WHERE workspace_id = $1 AND token_hash = $2";
const LIST_OPEN: &str = "SELECT id, email, name, role, invited_by, created_at, expires_at, accepted_at, revoked_at, token_hash \
     FROM invitation WHERE workspace_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2 ORDER BY id LIMIT 500";
const ADD: &str = "INSERT INTO invitation (workspace_id, id, email, name, role, token_hash, invited_by, created_at, expires_at, \
     accepted_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, NULL, NULL)";
const ACCEPT: &str = "UPDATE invitation SET accepted_at = $3 \
     WHERE workspace_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3";
const REVOKE: &str = "UPDATE invitation SET revoked_at = $3 \
     WHERE workspace_id = $1 AND id = $2 AND accepted_at IS NULL AND revoked_at IS NULL";

fn of_row(row: &Row) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        id: row.id(0),
        email: row.text(1),
        name: row.opt_text(2),
        role: word(Role::parse(row.str(3)), "invitation.role")?,
        invited_by: row.id(4),
        created_at: row.at(5),
        expires_at: row.at(6),
        accepted_at: row.opt_at(7),
        revoked_at: row.opt_at(8),
        token_hash: row.text(9),
    })
}

/// The invitation of an id.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: InvitationId) -> Result<Option<Invitation>, StoreError> {
    tx.one(FIND, values![workspace, id])?.map(|row| of_row(&row)).transpose()
}

/// The invitation of a token's hash.
pub fn find_by_token(tx: &mut dyn Conn, workspace: WorkspaceId, token_hash: &str) -> Result<Option<Invitation>, StoreError> {
    tx.one(FIND_BY_TOKEN, values![workspace, token_hash])?.map(|row| of_row(&row)).transpose()
}

/// The invitations that can still be used, oldest first.
pub fn list_open(tx: &mut dyn Conn, workspace: WorkspaceId, now: Timestamp) -> Result<Vec<Invitation>, StoreError> {
    tx.rows(LIST_OPEN, values![workspace, now])?.iter().map(of_row).collect()
}

/// Adds an invitation.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, new: &NewInvitation<'_>, now: Timestamp) -> Result<(), StoreError> {
    let role = new.role.word();
    let values = values![workspace, new.id, new.email, new.name, role, new.token_hash, new.invited_by, now, new.expires_at];
    tx.exec(ADD, values)?;
    Ok(())
}

/// Marks as used; false when it was used, taken back or over. Two browsers at once: one of them gets false.
pub fn accept(tx: &mut dyn Conn, workspace: WorkspaceId, id: InvitationId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(ACCEPT, values![workspace, id, now])? == 1)
}

/// Takes an unused invitation back; false when there was none.
pub fn revoke(tx: &mut dyn Conn, workspace: WorkspaceId, id: InvitationId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.exec(REVOKE, values![workspace, id, now])? == 1)
}
