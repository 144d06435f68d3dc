//! What an inbox answers by itself, what was answered already, and how fast senders write: what keeps machines from talking
//! to each other without end.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::row::Row;
use crate::values;
use model::{BusinessHoursId, ContactId, ConversationId, InboxId, Timestamp, WorkspaceId};

/// An answer that needs nobody.
#[derive(Debug, Clone, PartialEq)]
pub struct AutomaticAnswer {
    /// Of which inbox.
    pub inbox_id: InboxId,
    /// `acknowledge` or `off_hours`.
    pub kind: String,
    /// Is it sent?
    pub enabled: bool,
    /// Subject; `None`: that of the customer's mail.
    pub subject: Option<String>,
    /// Plain text with variables.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// A page that may help meanwhile.
    pub article_url: Option<String>,
    /// How soon somebody will answer, in opening hours.
    pub reply_within_minutes: Option<i64>,
    /// Whose hours count; `None`: those of the workspace.
    pub business_hours_id: Option<BusinessHoursId>,
    /// Grows with each change.
    pub version: i64,
}

const LIST: &str = "SELECT inbox_id, kind, enabled, subject, text, html, article_url, reply_within_minutes, business_hours_id, version \
     FROM automatic_answer WHERE workspace_id = $1 AND inbox_id = $2 ORDER BY kind";
const PUT: &str = "INSERT INTO automatic_answer (workspace_id, inbox_id, kind, enabled, subject, text, html, article_url, \
     reply_within_minutes, business_hours_id, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1) \
     ON CONFLICT (workspace_id, inbox_id, kind) DO UPDATE SET enabled = excluded.enabled, subject = excluded.subject, \
     text = excluded.text, html = excluded.html, article_url = excluded.article_url, \
     reply_within_minutes = excluded.reply_within_minutes, business_hours_id = excluded.business_hours_id, \
     version = automatic_answer.version + 1";

fn of_row(row: &Row) -> AutomaticAnswer {
    AutomaticAnswer {
        inbox_id: row.id(0),
        kind: row.text(1),
        enabled: row.bool(2),
        subject: row.opt_text(3),
        text: row.text(4),
        html: row.opt_text(5),
        article_url: row.opt_text(6),
        reply_within_minutes: row.opt_int(7),
        business_hours_id: row.opt_id(8),
        version: row.int(9),
    }
}

/// The answers of an inbox.
pub fn list(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId) -> Result<Vec<AutomaticAnswer>, StoreError> {
    Ok(tx.rows(LIST, values![workspace, inbox])?.iter().map(of_row).collect())
}

/// Sets an answer.
pub fn put(tx: &mut dyn Conn, workspace: WorkspaceId, answer: &AutomaticAnswer) -> Result<(), StoreError> {
    let a = answer;
    tx.exec(
        PUT,
        values![
            workspace,
            a.inbox_id,
            &a.kind[..],
            a.enabled,
            a.subject.clone(),
            &a.text[..],
            a.html.clone(),
            a.article_url.clone(),
            a.reply_within_minutes,
            a.business_hours_id
        ],
    )?;
    Ok(())
}

const NOTE: &str = "INSERT INTO automatic_sent (workspace_id, id, inbox_id, address_key, kind, conversation_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
/// Notes that one was sent, or (kind `unsubscribed`) that no more are wanted.
pub fn note(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    address: &str,
    kind: &str,
    conversation: ConversationId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = tx.id();
    tx.exec(NOTE, values![workspace, id, inbox, address, kind, conversation, now])?;
    Ok(())
}

const SENT_SINCE: &str =
    "SELECT 1 FROM automatic_sent WHERE workspace_id = $1 AND inbox_id = $2 AND address_key = $3 AND at > $4 LIMIT 1";
/// Was anything sent by itself from this inbox to this address after a time?
pub fn sent_since(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    address: &str,
    after: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.one(SENT_SINCE, values![workspace, inbox, address, after])?.is_some())
}

const UNSUBSCRIBED: &str = "SELECT 1 FROM automatic_sent WHERE workspace_id = $1 AND inbox_id = $2 AND address_key = $3 AND kind = 'unsubscribed' LIMIT 1";
/// Does this address want no automatic mail of this inbox?
pub fn unsubscribed(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId, address: &str) -> Result<bool, StoreError> {
    Ok(tx.one(UNSUBSCRIBED, values![workspace, inbox, address])?.is_some())
}

const SENT_IN: &str =
    "SELECT 1 FROM automatic_sent WHERE workspace_id = $1 AND conversation_id = $2 AND kind <> 'unsubscribed' LIMIT 1";
/// Was anything sent by itself in this conversation?
pub fn sent_in(tx: &mut dyn Conn, workspace: WorkspaceId, conversation: ConversationId) -> Result<bool, StoreError> {
    Ok(tx.one(SENT_IN, values![workspace, conversation])?.is_some())
}

/// How fast a sender writes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// Since when it is counted.
    pub began_at: Timestamp,
    /// Messages since then.
    pub messages: i64,
    /// New conversations since then.
    pub conversations: i64,
    /// The limit was passed, and somebody was told.
    pub open: bool,
}

const BURST: &str =
    "SELECT began_at, messages, conversations, open FROM sender_burst WHERE workspace_id = $1 AND contact_id = $2";
/// The count of a sender.
pub fn burst(tx: &mut dyn Conn, workspace: WorkspaceId, contact: ContactId) -> Result<Option<Burst>, StoreError> {
    let row = tx.one(BURST, values![workspace, contact])?;
    Ok(row.map(|r| Burst { began_at: r.at(0), messages: r.int(1), conversations: r.int(2), open: r.bool(3) }))
}

const PUT_BURST: &str = "INSERT INTO sender_burst (workspace_id, contact_id, began_at, messages, conversations, open) VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (workspace_id, contact_id) DO UPDATE SET began_at = excluded.began_at, messages = excluded.messages, \
     conversations = excluded.conversations, open = excluded.open";
/// Sets the count of a sender. The caller holds the contact's lock.
pub fn put_burst(tx: &mut dyn Conn, workspace: WorkspaceId, contact: ContactId, burst: Burst) -> Result<(), StoreError> {
    tx.exec(PUT_BURST, values![workspace, contact, burst.began_at, burst.messages, burst.conversations, burst.open])?;
    Ok(())
}

const FORGET_BURSTS: &str = "DELETE FROM sender_burst WHERE workspace_id = $1 AND began_at < $2";
/// Drops counts that are over.
pub fn forget_bursts(tx: &mut dyn Conn, workspace: WorkspaceId, before: Timestamp) -> Result<u64, StoreError> {
    tx.exec(FORGET_BURSTS, values![workspace, before])
}
