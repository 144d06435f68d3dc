//! Templates: prepared texts with places for names and numbers.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::setting::changed_one;
use crate::values;
use model::{AgentId, InboxId, TemplateId, Timestamp, WorkspaceId};

/// One template, its variables not filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// Its name.
    pub name: String,
    /// Whose own it is; `None`: everybody's.
    pub agent_id: Option<AgentId>,
    /// Offered in this inbox only.
    pub inbox_id: Option<InboxId>,
    /// Subject, for what begins a conversation.
    pub subject: Option<String>,
    /// Plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// Grows with each change.
    pub version: i64,
    /// Last change.
    pub updated_at: Timestamp,
}

const LIST: &str = "SELECT id, name, agent_id, inbox_id, subject, text, html, version, updated_at FROM template WHERE workspace_id = $1 ORDER BY name_key, id LIMIT 2000";
const FIND: &str = "SELECT id, name, agent_id, inbox_id, subject, text, html, version, updated_at FROM template WHERE workspace_id = $1 AND id = $2";
const ADD: &str = "INSERT INTO template (workspace_id, id, name, name_key, agent_id, inbox_id, subject, text, html, version, updated_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)";
const CHANGE: &str = "UPDATE template SET name = $4, name_key = $5, agent_id = $6, inbox_id = $7, subject = $8, text = $9, html = $10, \
     updated_at = $11, version = version + 1 WHERE workspace_id = $1 AND id = $2 AND version = $3";
const DELETE: &str = "DELETE FROM template WHERE workspace_id = $1 AND id = $2";

fn of_row(row: &Row) -> Template {
    Template {
        id: row.id(0),
        name: row.text(1),
        agent_id: row.opt_id(2),
        inbox_id: row.opt_id(3),
        subject: row.opt_text(4),
        text: row.text(5),
        html: row.opt_text(6),
        version: row.int(7),
        updated_at: row.at(8),
    }
}

/// Every template, by name.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId) -> Result<Vec<Template>, StoreError> {
    Ok(tx.rows(LIST, values![workspace])?.iter().map(of_row).collect())
}

/// The template of an id.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: TemplateId) -> Result<Option<Template>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(of_row))
}

/// Adds one; its id is drawn here.
pub fn add(tx: &mut dyn Conn, workspace: WorkspaceId, new: &Template) -> Result<TemplateId, StoreError> {
    let id = TemplateId(tx.id());
    let key = model::fold::fold(&new.name);
    let t = new;
    tx.exec(
        ADD,
        values![
            workspace,
            id,
            &t.name[..],
            key,
            t.agent_id,
            t.inbox_id,
            t.subject.clone(),
            &t.text[..],
            t.html.clone(),
            t.updated_at
        ],
    )?;
    Ok(id)
}

/// Changes one as it was read.
pub fn change(tx: &mut dyn Conn, workspace: WorkspaceId, after: &Template) -> Result<(), StoreError> {
    let key = model::fold::fold(&after.name);
    let t = after;
    changed_one(tx.exec(
        CHANGE,
        values![
            workspace,
            t.id,
            t.version,
            &t.name[..],
            key,
            t.agent_id,
            t.inbox_id,
            t.subject.clone(),
            &t.text[..],
            t.html.clone(),
            t.updated_at
        ],
    )?)
}

/// Removes one; false when there was none.
pub fn delete(tx: &mut dyn Conn, workspace: WorkspaceId, id: TemplateId) -> Result<bool, StoreError> {
    Ok(tx.exec(DELETE, values![workspace, id])? == 1)
}
