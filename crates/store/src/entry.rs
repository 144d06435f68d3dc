//! Entries: messages, calls, notes and events of a contact's timeline. `conversation_id` is a label; `seq` is the number of
//! the entry's last change in its conversation, so that "what is new since" needs one index walk.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::many::{self, word};
use crate::row::Row;
use crate::value::Value;
use crate::values;
use model::{
    Audience, AuthorKind, Body, Channel, ContactId, ContactPointId, ConversationId, DecisionId, DeliveryState, Direction,
    EntryId, EntryKind, InboxId, Timestamp, WorkspaceId,
};

/// One entry row.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// The contact that it was written with: whose timeline it belongs to.
    pub contact_id: ContactId,
    /// The label.
    pub conversation_id: ConversationId,
    /// Inbox that it came or goes through.
    pub inbox_id: Option<InboxId>,
    /// The customer's address of it.
    pub contact_point_id: Option<ContactPointId>,
    /// Message, call, note, event.
    pub kind: EntryKind,
    /// How it came or goes.
    pub channel: Channel,
    /// In, out, internal.
    pub direction: Direction,
    /// Who may see it.
    pub audience: Audience,
    /// Where its delivery stands (outgoing only).
    pub delivery: Option<DeliveryState>,
    /// Why it stands there, in words for the agent.
    pub delivery_reason: Option<String>,
    /// It may have been sent, and nobody knows.
    pub uncertain: bool,
    /// Who wrote it.
    pub author_kind: AuthorKind,
    /// The agent's or contact's id.
    pub author_id: Option<i64>,
    /// The author's name at that time.
    pub author_name: String,
    /// A confirmation, a survey: never counts as an answer.
    pub notification: bool,
    /// "Thanks, done": opens nothing.
    pub closing: bool,
    /// History from elsewhere.
    pub imported: bool,
    /// How well the sender is proven, 0 to 3.
    pub proof_level: Option<i64>,
    /// Flags of identity and placement, as words.
    pub flags: Vec<String>,
    /// Why it stands in this conversation.
    pub decision_id: Option<DecisionId>,
    /// The entry that it answers.
    pub reply_to: Option<EntryId>,
    /// SHA-256 of the provider's id.
    pub external_key: Option<String>,
    /// SHA-256 of author and idempotency key.
    pub client_key: Option<String>,
    /// The idempotency key as the author sent it.
    pub client_id: Option<String>,
    /// Number of its last change.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Last edit by its author.
    pub edited_at: Option<Timestamp>,
    /// When its content was removed.
    pub redacted_at: Option<Timestamp>,
    /// Text and parts.
    pub body: Body,
}

macro_rules! columns {
    () => {
        "id, contact_id, conversation_id, inbox_id, contact_point_id, kind, channel, direction, audience, delivery, delivery_reason, uncertain, author_kind, author_id, author_name, notification, closing, imported, proof_level, flags, decision_id, reply_to, external_key, client_key, client_id, seq, at, edited_at, redacted_at, body"
    };
}

fn read(row: &Row) -> Entry {
    Entry {
        id: row.id(0),
        contact_id: row.id(1),
        conversation_id: row.id(2),
        inbox_id: row.opt_id(3),
        contact_point_id: row.opt_id(4),
        kind: word(row, 5, EntryKind::parse),
        channel: word(row, 6, Channel::parse),
        direction: word(row, 7, Direction::parse),
        audience: word(row, 8, Audience::parse),
        delivery: row.opt_str(9).and_then(DeliveryState::parse),
        delivery_reason: row.opt_text(10),
        uncertain: row.bool(11),
        author_kind: word(row, 12, AuthorKind::parse),
        author_id: row.opt_int(13),
        author_name: row.text(14),
        notification: row.bool(15),
        closing: row.bool(16),
        imported: row.bool(17),
        proof_level: row.opt_int(18),
        flags: row.str(19).split_whitespace().map(str::to_owned).collect(),
        decision_id: row.opt_id(20),
        reply_to: row.opt_id(21),
        external_key: row.opt_text(22),
        client_key: row.opt_text(23),
        client_id: row.opt_text(24),
        seq: row.int(25),
        at: row.at(26),
        edited_at: row.opt_at(27),
        redacted_at: row.opt_at(28),
        body: serde_json::from_str(row.str(29)).unwrap_or_default(),
    }
}

pub(crate) const INSERT: &str = "INSERT INTO entry (workspace_id, id, contact_id, conversation_id, inbox_id, contact_point_id, kind, channel, direction, audience, delivery, delivery_reason, uncertain, author_kind, author_id, author_name, notification, closing, imported, proof_level, flags, decision_id, reply_to, external_key, client_key, client_id, seq, at, body)
 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)";
/// Writes an entry. A known `client_key` must have been looked for before: here it is a conflict.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, entry: &Entry) -> Result<(), StoreError> {
    tx.exec(INSERT, &row_values(workspace, entry)?)?;
    Ok(())
}

/// The values of INSERT.
pub(crate) fn row_values(workspace: WorkspaceId, e: &Entry) -> Result<Vec<Value>, StoreError> {
    let body = serde_json::to_string(&e.body).map_err(|error| StoreError::broken(format!("entry body: {error}")))?;
    Ok(vec![
        workspace.into(),
        e.id.into(),
        e.contact_id.into(),
        e.conversation_id.into(),
        e.inbox_id.into(),
        e.contact_point_id.into(),
        e.kind.word().into(),
        e.channel.word().into(),
        e.direction.word().into(),
        e.audience.word().into(),
        e.delivery.map(DeliveryState::word).into(),
        e.delivery_reason.clone().into(),
        e.uncertain.into(),
        e.author_kind.word().into(),
        e.author_id.into(),
        Value::from(&e.author_name),
        e.notification.into(),
        e.closing.into(),
        e.imported.into(),
        e.proof_level.into(),
        e.flags.join(" ").into(),
        e.decision_id.into(),
        e.reply_to.into(),
        e.external_key.clone().into(),
        e.client_key.clone().into(),
        e.client_id.clone().into(),
        e.seq.into(),
        e.at.into(),
        body.into(),
    ])
}

const FIND: &str = concat!("SELECT ", columns!(), " FROM entry WHERE workspace_id = $1 AND id = $2");
/// One entry.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, id: EntryId) -> Result<Option<Entry>, StoreError> {
    Ok(tx.one(FIND, values![workspace, id])?.as_ref().map(read))
}

const BY_CLIENT: &str =
    concat!("SELECT ", columns!(), " FROM entry WHERE workspace_id = $1 AND client_key = $2 AND client_key IS NOT NULL");
/// The entry that an author's idempotency key made.
pub fn by_client_key(tx: &mut dyn Conn, workspace: WorkspaceId, client_key: &str) -> Result<Option<Entry>, StoreError> {
    Ok(tx.one(BY_CLIENT, values![workspace, client_key])?.as_ref().map(read))
}

const BY_EXTERNAL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM entry WHERE workspace_id = $1 AND inbox_id = $2 AND external_key = $3 AND external_key IS NOT NULL ORDER BY id LIMIT 1"
);
/// The first entry that carries a provider's id in an inbox.
pub fn by_external_key(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    external_key: &str,
) -> Result<Option<Entry>, StoreError> {
    Ok(tx.one(BY_EXTERNAL, values![workspace, inbox, external_key])?.as_ref().map(read))
}

const BY_EXTERNAL_MAIL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM entry WHERE workspace_id = $1 AND external_key = $2 AND external_key IS NOT NULL AND channel = 'email' ORDER BY id LIMIT 8"
);
/// The first mails of a workspace that carry a Message-ID, whatever inbox they went through.
pub fn mails_by_external_key(tx: &mut dyn Conn, workspace: WorkspaceId, external_key: &str) -> Result<Vec<Entry>, StoreError> {
    Ok(tx.rows(BY_EXTERNAL_MAIL, values![workspace, external_key])?.iter().map(read).collect())
}

const LIST_OF: &str = concat!("SELECT ", columns!(), " FROM entry WHERE workspace_id = $1 AND id");
/// The entries of these ids, in no order.
pub fn list_of(tx: &mut dyn Conn, workspace: WorkspaceId, ids: &[EntryId]) -> Result<Vec<Entry>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    Ok(many::rows_in(tx, LIST_OF, "", workspace, &ids, &[])?.iter().map(read).collect())
}

const BEFORE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM entry WHERE workspace_id = $1 AND contact_id = $2 AND (at, id) < ($3, $4) ORDER BY at DESC, id DESC LIMIT $5"
);
const FROM: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM entry WHERE workspace_id = $1 AND contact_id = $2 AND (at, id) >= ($3, $4) ORDER BY at ASC, id ASC LIMIT $5"
);
/// Texts of the timeline, for the test that looks at query plans.
pub const WALKS: [&str; 2] = [BEFORE, FROM];

/// The last `limit` entries of a merged set of contacts before the position `(at, id)`, oldest first.
pub fn timeline_before(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contacts: &[ContactId],
    before: (i64, i64),
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let mut all = Vec::new();
    for contact in contacts {
        all.extend(tx.rows(BEFORE, values![workspace, *contact, before.0, before.1, limit])?.iter().map(read));
    }
    all.sort_by_key(|e: &Entry| (e.at, e.id));
    let surplus = all.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    Ok(all.split_off(surplus))
}

/// The first `limit` entries of a merged set of contacts from the position `(at, id)` on (inclusive), oldest first.
pub fn timeline_from(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contacts: &[ContactId],
    from: (i64, i64),
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let mut all = Vec::new();
    for contact in contacts {
        all.extend(tx.rows(FROM, values![workspace, *contact, from.0, from.1, limit])?.iter().map(read));
    }
    all.sort_by_key(|e: &Entry| (e.at, e.id));
    all.truncate(usize::try_from(limit).unwrap_or(0));
    Ok(all)
}

const IN_BEFORE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM entry WHERE workspace_id = $1 AND conversation_id = $2 AND (at, id) < ($3, $4) ORDER BY at DESC, id DESC LIMIT $5"
);
/// The last `limit` entries of one conversation before a position, oldest first.
pub fn conversation_before(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    before: (i64, i64),
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    let mut found: Vec<Entry> = tx.rows(IN_BEFORE, values![workspace, id, before.0, before.1, limit])?.iter().map(read).collect();
    found.reverse();
    Ok(found)
}

const CHANGED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM entry WHERE workspace_id = $1 AND conversation_id = $2 AND seq > $3 ORDER BY seq, id LIMIT $4"
);
/// Entries of a conversation that were written or changed after `seq`, in that order.
pub fn changed_since(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    seq: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    Ok(tx.rows(CHANGED, values![workspace, id, seq, limit])?.iter().map(read).collect())
}

const FIRST_UNREAD: &str = "SELECT id, at FROM entry WHERE workspace_id = $1 AND conversation_id = $2 AND seq > $3 AND direction = 'in' ORDER BY at, id LIMIT 1";
/// The first customer entry of a conversation that is newer than `seq`, with its position.
pub fn first_unread(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    seq: i64,
) -> Result<Option<(EntryId, Timestamp)>, StoreError> {
    Ok(tx.one(FIRST_UNREAD, values![workspace, id, seq])?.map(|r| (r.id(0), r.at(1))))
}

const LATEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM entry WHERE workspace_id = $1 AND conversation_id = $2 AND kind <> 'event' ORDER BY at DESC, id DESC LIMIT 1"
);
/// The last entry of a conversation that is not an event: what its preview shows after labels were moved.
pub fn latest(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Option<Entry>, StoreError> {
    Ok(tx.one(LATEST, values![workspace, id])?.as_ref().map(read))
}

const LATEST_IN: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM entry WHERE workspace_id = $1 AND conversation_id = $2 AND direction = 'in' ORDER BY at DESC, id DESC LIMIT 1"
);
/// The customer's last entry in a conversation.
pub fn latest_inbound(tx: &mut dyn Conn, workspace: WorkspaceId, id: ConversationId) -> Result<Option<Entry>, StoreError> {
    Ok(tx.one(LATEST_IN, values![workspace, id])?.as_ref().map(read))
}

const LATEST_OF_POINT: &str = "SELECT conversation_id, at FROM entry WHERE workspace_id = $1 AND contact_id = $2 AND contact_point_id = $3 AND direction = 'in' ORDER BY at DESC, id DESC LIMIT 1";
/// The conversation that holds the latest entry a contact wrote from one of its addresses, with the time of that entry.
pub fn latest_of_point(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: ContactId,
    point: ContactPointId,
) -> Result<Option<(ConversationId, Timestamp)>, StoreError> {
    Ok(tx.one(LATEST_OF_POINT, values![workspace, contact, point])?.map(|r| (r.id(0), r.at(1))))
}

const IDS_OF: &str = "SELECT id FROM entry WHERE workspace_id = $1 AND conversation_id = $2 ORDER BY at, id LIMIT $3";
/// The ids of a conversation's entries in timeline order.
pub fn ids_of_conversation(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    limit: i64,
) -> Result<Vec<EntryId>, StoreError> {
    Ok(tx.rows(IDS_OF, values![workspace, id, limit])?.iter().map(|r| r.id(0)).collect())
}

const RELABEL: &str =
    "UPDATE entry SET conversation_id = $3, seq = $4 WHERE workspace_id = $1 AND id = $2 AND conversation_id = $5";
/// Moves an entry's label; false when it stood elsewhere.
pub fn relabel(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: EntryId,
    from: ConversationId,
    to: ConversationId,
    seq: i64,
) -> Result<bool, StoreError> {
    Ok(tx.exec(RELABEL, values![workspace, id, to, seq, from])? == 1)
}

const SET_CONTACT: &str = "UPDATE entry SET contact_id = $3 WHERE workspace_id = $1 AND id = $2";
/// Gives an entry to the timeline of another contact: only when two contacts part that it was written for.
pub fn set_contact(tx: &mut dyn Conn, workspace: WorkspaceId, id: EntryId, contact: ContactId) -> Result<(), StoreError> {
    match tx.exec(SET_CONTACT, values![workspace, id, contact])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const SET_DELIVERY: &str =
    "UPDATE entry SET delivery = $3, delivery_reason = $4, uncertain = $5, seq = $6 WHERE workspace_id = $1 AND id = $2";
/// Stores the combined delivery word of an outgoing entry.
pub fn set_delivery(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: EntryId,
    delivery: DeliveryState,
    reason: Option<&str>,
    uncertain: bool,
    seq: i64,
) -> Result<(), StoreError> {
    match tx.exec(SET_DELIVERY, values![workspace, id, delivery.word(), reason, uncertain, seq])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const SET_BODY: &str =
    "UPDATE entry SET body = $3, edited_at = $4, redacted_at = $5, seq = $6 WHERE workspace_id = $1 AND id = $2";
/// Replaces the content of an entry: an edit by its author, or a redaction.
pub fn set_body(tx: &mut dyn Conn, workspace: WorkspaceId, entry: &Entry) -> Result<(), StoreError> {
    let body = serde_json::to_string(&entry.body).map_err(|error| StoreError::broken(format!("entry body: {error}")))?;
    match tx.exec(SET_BODY, values![workspace, entry.id, body, entry.edited_at, entry.redacted_at, entry.seq])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

const SET_EXTERNAL: &str = "UPDATE entry SET external_key = $3 WHERE workspace_id = $1 AND id = $2 AND external_key IS NULL";
/// Notes the provider's id of an outgoing entry, so that answers and echoes find it.
pub fn set_external(tx: &mut dyn Conn, workspace: WorkspaceId, id: EntryId, external_key: &str) -> Result<(), StoreError> {
    tx.exec(SET_EXTERNAL, values![workspace, id, external_key])?;
    Ok(())
}

const OUT_UPTO: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM entry WHERE workspace_id = $1 AND conversation_id = $2 AND (at, id) < ($3, $4) AND direction = 'out' AND audience = 'customer' AND channel = $5 ORDER BY at DESC, id DESC LIMIT $6"
);
/// Outgoing entries of one channel up to a time, newest first: what a watermark applies to.
pub fn outgoing_before(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: ConversationId,
    before: (i64, i64),
    channel: Channel,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    Ok(tx.rows(OUT_UPTO, values![workspace, id, before.0, before.1, channel.word(), limit])?.iter().map(read).collect())
}

const DECIDE: &str = "INSERT INTO decision (workspace_id, id, entry_id, rule, trace, made_at) VALUES ($1, $2, $3, $4, $5, $6)";
/// Records why an entry stands where it stands.
pub fn insert_decision(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: DecisionId,
    entry: EntryId,
    rule: &str,
    trace: &serde_json::Value,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(DECIDE, values![workspace, id, entry, rule, trace.to_string(), now])?;
    Ok(())
}

const ANSWER_DECISION: &str = "UPDATE decision SET answer = $3, answered_by = $4, answered_at = $5 WHERE workspace_id = $1 AND id = $2 AND answered_at IS NULL";
/// Notes what an agent said about a decision; false when somebody had said it before.
pub fn answer_decision(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: DecisionId,
    answer: &str,
    by: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(ANSWER_DECISION, values![workspace, id, answer, by, now])? == 1)
}

/// A decision with what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// The entry; or the raw event, when no entry came of it.
    pub subject: i64,
    /// Code of the rule.
    pub rule: String,
    /// Everything that was weighed.
    pub trace: serde_json::Value,
    /// When.
    pub made_at: Timestamp,
    /// What an agent said about it.
    pub answer: Option<String>,
    /// Which one.
    pub answered_by: Option<String>,
    /// When.
    pub answered_at: Option<Timestamp>,
}

const DECISION_OF: &str = "SELECT id, entry_id, rule, trace, made_at, answer, answered_by, answered_at FROM decision WHERE workspace_id = $1 AND entry_id = $2 ORDER BY id DESC LIMIT 1";
/// The last decision about an entry, or about a raw event of which no entry came.
pub fn decision_of(tx: &mut dyn Conn, workspace: WorkspaceId, subject: i64) -> Result<Option<Decision>, StoreError> {
    let row = tx.one(DECISION_OF, values![workspace, subject])?;
    Ok(row.map(|r| Decision {
        id: r.id(0),
        subject: r.int(1),
        rule: r.text(2),
        trace: crate::setting::json(r.str(3)),
        made_at: r.at(4),
        answer: r.opt_text(5),
        answered_by: r.opt_text(6),
        answered_at: r.opt_at(7),
    }))
}

const DECISIONS: &str = "SELECT entry_id, id, rule, trace FROM decision WHERE workspace_id = $1 AND entry_id";
/// The decisions behind these entries: `(entry, decision, rule, trace)`.
pub fn decisions_of(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    ids: &[EntryId],
) -> Result<Vec<(EntryId, DecisionId, String, serde_json::Value)>, StoreError> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = many::rows_in(tx, DECISIONS, " ORDER BY id", workspace, &ids, &[])?;
    Ok(rows.iter().map(|r| (r.id(0), r.id(1), r.text(2), serde_json::from_str(r.str(3)).unwrap_or_default())).collect())
}
