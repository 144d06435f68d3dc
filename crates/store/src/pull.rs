//! Inboxes that we ask ourselves (a mailbox by IMAP): how far we are, how that fares, what lies in their folders, what was
//! imported. One row of state per inbox; the cursor moves in the transaction that stores the event.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::provider_event::ProviderEvent;
use crate::row::Row;
use crate::setting::{json, word};
use crate::values;
use model::{
    AllowedSenderId, ImportState, InboxId, Outcome, ProviderEventId, PullFolderId, PullHealth, PullTroubleId, Timestamp,
    TroubleKind, WorkspaceId,
};
use serde_json::Value as Json;

/// How the asking of an inbox stands.
#[derive(Clone, Debug, PartialEq)]
pub struct PullState {
    /// Where the adapter goes on.
    pub cursor: String,
    /// How it fares.
    pub state: PullHealth,
    /// The server tells us of news by itself.
    pub push: bool,
    /// When it last answered, to the minute.
    pub alive_at: Option<Timestamp>,
    /// Since when it has not.
    pub trouble_since: Option<Timestamp>,
    /// What it said last.
    pub reason: Option<String>,
    /// The trouble was told to the log already.
    pub announced: bool,
    /// Sign-ins refused in a row.
    pub refused_count: i64,
    /// When the ledger was last counted.
    pub checked_at: Option<Timestamp>,
    /// Whether it added up.
    pub balanced: bool,
}

impl PullState {
    /// Of an inbox that was never asked.
    pub fn fresh() -> Self {
        Self {
            cursor: String::new(),
            state: PullHealth::Starting,
            push: false,
            alive_at: None,
            trouble_since: None,
            reason: None,
            announced: false,
            refused_count: 0,
            checked_at: None,
            balanced: true,
        }
    }
}

const FIND: &str = "SELECT cursor, state, push, alive_at, trouble_since, reason, announced, refused_count, checked_at, balanced \
     FROM pull_state WHERE workspace_id = $1 AND inbox_id = $2";
const BEGIN: &str = "INSERT INTO pull_state (workspace_id, inbox_id, cursor, state, push, alive_at, trouble_since, reason, \
     announced, refused_count, checked_at, balanced) \
     VALUES ($1, $2, '', 'starting', FALSE, NULL, NULL, NULL, FALSE, 0, NULL, TRUE) ON CONFLICT (workspace_id, inbox_id) DO NOTHING";
const SET_CURSOR: &str = "UPDATE pull_state SET cursor = $3 WHERE workspace_id = $1 AND inbox_id = $2";
const SET_HEALTH: &str = "UPDATE pull_state SET state = $3, push = $4, alive_at = $5, trouble_since = $6, reason = $7, \
     announced = $8, refused_count = $9 WHERE workspace_id = $1 AND inbox_id = $2";
const SET_CHECKED: &str = "UPDATE pull_state SET checked_at = $3, balanced = $4 WHERE workspace_id = $1 AND inbox_id = $2";

/// How the asking of an inbox stands; `None` before the first time.
pub fn find(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId) -> Result<Option<PullState>, StoreError> {
    let row = tx.one(FIND, values![workspace, inbox])?;
    row.map(|row| {
        Ok(PullState {
            cursor: row.text(0),
            state: word(PullHealth::parse(row.str(1)), "pull_state.state")?,
            push: row.bool(2),
            alive_at: row.opt_at(3),
            trouble_since: row.opt_at(4),
            reason: row.opt_text(5),
            announced: row.bool(6),
            refused_count: row.int(7),
            checked_at: row.opt_at(8),
            balanced: row.bool(9),
        })
    })
    .transpose()
}

/// Makes the row of an inbox unless it is there.
pub fn begin(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId) -> Result<(), StoreError> {
    tx.exec(BEGIN, values![workspace, inbox])?;
    Ok(())
}

/// Moves the cursor.
pub fn set_cursor(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId, cursor: &str) -> Result<(), StoreError> {
    if tx.exec(SET_CURSOR, values![workspace, inbox, cursor])? == 0 {
        begin(tx, workspace, inbox)?;
        tx.exec(SET_CURSOR, values![workspace, inbox, cursor])?;
    }
    Ok(())
}

/// Stores everything but cursor and count.
pub fn set_health(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId, s: &PullState) -> Result<(), StoreError> {
    begin(tx, workspace, inbox)?;
    let reason = s.reason.as_deref();
    let health = s.state.word();
    tx.exec(
        SET_HEALTH,
        values![workspace, inbox, health, s.push, s.alive_at, s.trouble_since, reason, s.announced, s.refused_count],
    )?;
    Ok(())
}

const FORGIVE: &str = "UPDATE pull_state SET refused_count = 0, state = 'starting', reason = NULL \
     WHERE workspace_id = $1 AND inbox_id = $2 AND state IN ('needs_sign_in', 'wrong_settings')";

/// Somebody changed what was wrong: sign-ins are counted anew.
pub fn forgive(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId) -> Result<(), StoreError> {
    tx.exec(FORGIVE, values![workspace, inbox])?;
    Ok(())
}

/// Notes when the ledger was counted, and whether it added up.
pub fn set_checked(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    now: Timestamp,
    balanced: bool,
) -> Result<(), StoreError> {
    begin(tx, workspace, inbox)?;
    tx.exec(SET_CHECKED, values![workspace, inbox, now, balanced])?;
    Ok(())
}

/// A folder of a pulled inbox, with the figures of the last count.
#[derive(Clone, Debug, PartialEq)]
pub struct PullFolder {
    /// Its id.
    pub id: PullFolderId,
    /// As the server names it.
    pub name: String,
    /// What it is for: inbox, sent, junk, other.
    pub role: String,
    /// The numbering of its items.
    pub generation: String,
    /// The last count.
    pub figures: Json,
    /// When that was.
    pub checked_at: Option<Timestamp>,
}

const FIND_FOLDER: &str = "SELECT id FROM pull_folder WHERE workspace_id = $1 AND inbox_id = $2 AND name = $3";
const ADD_FOLDER: &str = "INSERT INTO pull_folder (workspace_id, id, inbox_id, name, role, generation, figures, checked_at) \
     VALUES ($1, $2, $3, $4, $5, '', '{}', NULL) ON CONFLICT (workspace_id, inbox_id, name) DO NOTHING";
const FOLDERS: &str = "SELECT id, name, role, generation, figures, checked_at FROM pull_folder \
     WHERE workspace_id = $1 AND inbox_id = $2 ORDER BY name";
const SET_FIGURES: &str = "UPDATE pull_folder SET role = $3, generation = $4, figures = $5, checked_at = $6 \
     WHERE workspace_id = $1 AND id = $2";

/// The folder of a name; made when it is new.
pub fn folder(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    name: &str,
    role: &str,
) -> Result<PullFolderId, StoreError> {
    if let Some(row) = tx.one(FIND_FOLDER, values![workspace, inbox, name])? {
        return Ok(row.id(0));
    }
    let id = PullFolderId(tx.id());
    tx.exec(ADD_FOLDER, values![workspace, id, inbox, name, role])?;
    Ok(tx.one(FIND_FOLDER, values![workspace, inbox, name])?.ok_or(StoreError::NotFound)?.id(0))
}

/// The folders of an inbox, by name.
pub fn folders(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId) -> Result<Vec<PullFolder>, StoreError> {
    let rows = tx.rows(FOLDERS, values![workspace, inbox])?;
    Ok(rows
        .iter()
        .map(|row| PullFolder {
            id: row.id(0),
            name: row.text(1),
            role: row.text(2),
            generation: row.text(3),
            figures: json(row.str(4)),
            checked_at: row.opt_at(5),
        })
        .collect())
}

/// Stores the figures of a count.
pub fn set_figures(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    id: PullFolderId,
    role: &str,
    generation: &str,
    figures: &Json,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.exec(SET_FIGURES, values![workspace, id, role, generation, figures.to_string(), now])?;
    Ok(())
}

/// What became of one stored event of a folder: what the ledger counts.
#[derive(Clone, Debug, PartialEq)]
pub struct FolderEvent {
    /// The row.
    pub id: ProviderEventId,
    /// Its key.
    pub key: String,
    /// How it ended; `None`: still to be read.
    pub outcome: Option<Outcome>,
    /// By which rule.
    pub reason: Option<String>,
    /// The event of which it is a copy, with its folder and its end.
    pub same: Option<SameEvent>,
}

/// The first event with the same bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct SameEvent {
    /// The row.
    pub id: ProviderEventId,
    /// Where it lay.
    pub folder_id: Option<PullFolderId>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// By which rule.
    pub reason: Option<String>,
}

const FOLDER_EVENTS: &str = "SELECT e.id, e.dedupe_key, e.outcome, e.reason, e.same_as, s.folder_id, s.outcome, s.reason \
     FROM provider_event e LEFT JOIN provider_event s ON s.workspace_id = e.workspace_id AND s.id = e.same_as \
     WHERE e.workspace_id = $1 AND e.folder_id = $2 AND e.id > $3 ORDER BY e.id LIMIT $4";

fn outcome(row: &Row, at: usize) -> Option<Outcome> {
    row.opt_str(at).and_then(Outcome::parse)
}

/// The stored events of a folder above an id, in order of coming in.
pub fn folder_events(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    folder: PullFolderId,
    above: ProviderEventId,
    limit: i64,
) -> Result<Vec<FolderEvent>, StoreError> {
    let rows = tx.rows(FOLDER_EVENTS, values![workspace, folder, above, limit])?;
    Ok(rows
        .iter()
        .map(|row| FolderEvent {
            id: row.id(0),
            key: row.text(1),
            outcome: outcome(row, 2),
            reason: row.opt_text(3),
            same: row.opt_int(4).map(|id| SameEvent {
                id: ProviderEventId(id),
                folder_id: row.opt_id(5),
                outcome: outcome(row, 6),
                reason: row.opt_text(7),
            }),
        })
        .collect())
}

/// Something that happened to a pulled inbox.
#[derive(Clone, Debug, PartialEq)]
pub struct PullTrouble {
    /// Its id.
    pub id: PullTroubleId,
    /// What.
    pub kind: TroubleKind,
    /// In words.
    pub detail: String,
    /// From when.
    pub began_at: Timestamp,
    /// Until when; `None`: still.
    pub ended_at: Option<Timestamp>,
}

const ADD_TROUBLE: &str = "INSERT INTO pull_trouble (workspace_id, id, inbox_id, kind, detail, began_at, ended_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
const END_TROUBLE: &str = "UPDATE pull_trouble SET ended_at = $4 \
     WHERE workspace_id = $1 AND inbox_id = $2 AND kind = $3 AND ended_at IS NULL";
const OPEN_TROUBLE: &str = "SELECT id FROM pull_trouble \
     WHERE workspace_id = $1 AND inbox_id = $2 AND kind = $3 AND ended_at IS NULL LIMIT 1";
const TROUBLES: &str = "SELECT id, kind, detail, began_at, ended_at FROM pull_trouble \
     WHERE workspace_id = $1 AND inbox_id = $2 ORDER BY id DESC LIMIT $3";

/// Writes down that something happened.
pub fn add_trouble(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    kind: TroubleKind,
    detail: &str,
    began_at: Timestamp,
    ended_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let id = PullTroubleId(tx.id());
    tx.exec(ADD_TROUBLE, values![workspace, id, inbox, kind.word(), detail, began_at, ended_at])?;
    Ok(())
}

/// True while trouble of this kind has no end.
pub fn has_trouble(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId, kind: TroubleKind) -> Result<bool, StoreError> {
    Ok(tx.one(OPEN_TROUBLE, values![workspace, inbox, kind.word()])?.is_some())
}

/// Writes down that trouble of this kind is over; false when there was none.
pub fn end_trouble(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    kind: TroubleKind,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(tx.exec(END_TROUBLE, values![workspace, inbox, kind.word(), now])? > 0)
}

/// What happened to an inbox, latest first.
pub fn troubles(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId, limit: i64) -> Result<Vec<PullTrouble>, StoreError> {
    let rows = tx.rows(TROUBLES, values![workspace, inbox, limit])?;
    rows.iter()
        .map(|row| {
            Ok(PullTrouble {
                id: row.id(0),
                kind: word(TroubleKind::parse(row.str(1)), "pull_trouble.kind")?,
                detail: row.text(2),
                began_at: row.at(3),
                ended_at: row.opt_at(4),
            })
        })
        .collect()
}

/// An import of what was there before.
#[derive(Clone, Debug, PartialEq)]
pub struct PullImport {
    /// How far it is.
    pub state: ImportState,
    /// From when on; `None`: everything.
    pub since: Option<Timestamp>,
    /// How many there are.
    pub total: i64,
    /// How many are here.
    pub done: i64,
    /// What went wrong last.
    pub reason: Option<String>,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

const FIND_IMPORT: &str = "SELECT state, since, total, done, reason, started_at, ended_at FROM pull_import \
     WHERE workspace_id = $1 AND inbox_id = $2";
const PUT_IMPORT: &str = "INSERT INTO pull_import (workspace_id, inbox_id, state, since, total, done, reason, started_at, ended_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (workspace_id, inbox_id) DO UPDATE SET state = excluded.state, \
     since = excluded.since, total = excluded.total, done = excluded.done, reason = excluded.reason, \
     started_at = excluded.started_at, ended_at = excluded.ended_at";

/// The import of an inbox, if there ever was one.
pub fn find_import(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId) -> Result<Option<PullImport>, StoreError> {
    let row = tx.one(FIND_IMPORT, values![workspace, inbox])?;
    row.map(|row| {
        Ok(PullImport {
            state: word(ImportState::parse(row.str(0)), "pull_import.state")?,
            since: row.opt_at(1),
            total: row.int(2),
            done: row.int(3),
            reason: row.opt_text(4),
            started_at: row.at(5),
            ended_at: row.opt_at(6),
        })
    })
    .transpose()
}

/// Stores how far an import is.
pub fn put_import(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId, i: &PullImport) -> Result<(), StoreError> {
    let (state, reason) = (i.state.word(), i.reason.as_deref());
    tx.exec(PUT_IMPORT, values![workspace, inbox, state, i.since, i.total, i.done, reason, i.started_at, i.ended_at])?;
    Ok(())
}

/// The last check of an inbox.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxCheck {
    /// Which one.
    pub run: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None`: at it.
    pub ended_at: Option<Timestamp>,
    /// Its steps so far.
    pub steps: Json,
}

const FIND_CHECK: &str = "SELECT run, started_at, ended_at, steps FROM inbox_check WHERE workspace_id = $1 AND inbox_id = $2";
const PUT_CHECK: &str = "INSERT INTO inbox_check (workspace_id, inbox_id, run, started_at, ended_at, steps) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, inbox_id) DO UPDATE SET run = excluded.run, \
     started_at = excluded.started_at, ended_at = excluded.ended_at, steps = excluded.steps";

/// The last check of an inbox.
pub fn find_check(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId) -> Result<Option<InboxCheck>, StoreError> {
    let row = tx.one(FIND_CHECK, values![workspace, inbox])?;
    Ok(row.map(|row| InboxCheck { run: row.text(0), started_at: row.at(1), ended_at: row.opt_at(2), steps: json(row.str(3)) }))
}

/// Stores how far a check is.
pub fn put_check(tx: &mut dyn Conn, workspace: WorkspaceId, inbox: InboxId, c: &InboxCheck) -> Result<(), StoreError> {
    tx.exec(PUT_CHECK, values![workspace, inbox, &c.run, c.started_at, c.ended_at, c.steps.to_string()])?;
    Ok(())
}

const ALLOW: &str = "INSERT INTO allowed_sender (workspace_id, id, match_key, added_by, added_at) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (workspace_id, match_key) DO NOTHING";
const IS_ALLOWED: &str = "SELECT id FROM allowed_sender WHERE workspace_id = $1 AND match_key = $2";
const ALLOWED: &str = "SELECT id, match_key, added_by, added_at FROM allowed_sender WHERE workspace_id = $1 \
     AND match_key > $2 ORDER BY match_key LIMIT 1000";
const DISALLOW: &str = "DELETE FROM allowed_sender WHERE workspace_id = $1 AND id = $2";

/// A sender whose automatic mail makes conversations.
#[derive(Clone, Debug, PartialEq)]
pub struct AllowedSender {
    /// Its id.
    pub id: AllowedSenderId,
    /// The address in its normal form.
    pub match_key: String,
    /// Who allowed it.
    pub added_by: String,
    /// When.
    pub added_at: Timestamp,
}

/// Lets automatic mail of this address in from now on.
pub fn allow_sender(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    match_key: &str,
    added_by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = AllowedSenderId(tx.id());
    tx.exec(ALLOW, values![workspace, id, match_key, added_by, now])?;
    Ok(())
}

/// Whether automatic mail of this address is let in.
pub fn is_allowed(tx: &mut dyn Conn, workspace: WorkspaceId, match_key: &str) -> Result<bool, StoreError> {
    Ok(tx.one(IS_ALLOWED, values![workspace, match_key])?.is_some())
}

/// Allowed senders by address, up to 1,000 behind this one.
pub fn allowed_senders(tx: &mut dyn Conn, workspace: WorkspaceId, after: &str) -> Result<Vec<AllowedSender>, StoreError> {
    let rows = tx.rows(ALLOWED, values![workspace, after])?;
    Ok(rows
        .iter()
        .map(|row| AllowedSender { id: row.id(0), match_key: row.text(1), added_by: row.text(2), added_at: row.at(3) })
        .collect())
}

/// Takes that back; false when there was none.
pub fn disallow_sender(tx: &mut dyn Conn, workspace: WorkspaceId, id: AllowedSenderId) -> Result<bool, StoreError> {
    Ok(tx.exec(DISALLOW, values![workspace, id])? == 1)
}

/// What a pulled event needs beside its own row: the folder that it lay in, and the copy of it that is here already. Stores
/// both in the event; true when it is a copy.
pub fn file(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    event: &mut ProviderEvent,
    folder_name: Option<(&str, &str)>,
) -> Result<bool, StoreError> {
    if let Some((name, role)) = folder_name {
        event.folder_id = Some(folder(tx, workspace, event.inbox_id, name, role)?);
    }
    event.same_as = crate::provider_event::find_content(tx, workspace, event.inbox_id, &event.content_key)?;
    Ok(event.same_as.is_some())
}

/// The lists of this file, for the test of their plans.
pub const WALKS: [&str; 2] = [FOLDER_EVENTS, TROUBLES];
