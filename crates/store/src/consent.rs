//! What customers said about what we may do: statements that are added and never changed.

use crate::conn::Conn;
use crate::error::StoreError;
use crate::many;
use crate::row::Row;
use crate::setting::word;
use crate::values;
use model::{Channel, ConsentId, ConsentState, ContactId, ContactPointId, ImportId, Purpose, Timestamp, WorkspaceId};

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// Whose, as it was written.
    pub contact_id: ContactId,
    /// About what.
    pub purpose: Purpose,
    /// On which channel; `None` = on every one.
    pub channel: Option<Channel>,
    /// At which address; `None` = at every one.
    pub contact_point_id: Option<ContactPointId>,
    /// What they said.
    pub state: ConsentState,
    /// Where it was said: form, call, import, agent ..
    pub source: String,
    /// What shows it.
    pub evidence: String,
    /// When it was said.
    pub at: Timestamp,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// Actor text.
    pub recorded_by: String,
    /// The import that brought it.
    pub import_id: Option<ImportId>,
}

fn read(row: &Row) -> Result<Consent, StoreError> {
    let channel = match row.str(3) {
        "" => None,
        other => Some(word(Channel::parse(other), "channel")?),
    };
    Ok(Consent {
        id: row.id(0),
        contact_id: row.id(1),
        purpose: word(Purpose::parse(row.str(2)), "purpose")?,
        channel,
        contact_point_id: row.opt_id(4),
        state: word(ConsentState::parse(row.str(5)), "state")?,
        source: row.text(6),
        evidence: row.text(7),
        at: row.at(8),
        recorded_at: row.at(9),
        recorded_by: row.text(10),
        import_id: row.opt_id(11),
    })
}

const INSERT: &str = "INSERT INTO consent (workspace_id, id, contact_id, purpose, channel, contact_point_id, state, source, evidence, at, recorded_at, recorded_by, import_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
/// Writes a statement; the id inside is not looked at.
pub fn insert(tx: &mut dyn Conn, workspace: WorkspaceId, consent: &Consent) -> Result<ConsentId, StoreError> {
    let (c, id) = (consent, ConsentId(tx.id()));
    let channel = c.channel.map_or("", |channel| channel.word());
    tx.exec(
        INSERT,
        values![
            workspace,
            id,
            c.contact_id,
            c.purpose.word(),
            channel,
            c.contact_point_id,
            c.state.word(),
            &c.source,
            &c.evidence,
            c.at,
            c.recorded_at,
            &c.recorded_by,
            c.import_id
        ],
    )?;
    Ok(id)
}

const OF_CONTACTS: &str = "SELECT id, contact_id, purpose, channel, contact_point_id, state, source, evidence, at, recorded_at, recorded_by, import_id FROM consent WHERE workspace_id = $1 AND contact_id";
/// Every statement of these contacts, oldest first.
pub fn of_contacts(tx: &mut dyn Conn, workspace: WorkspaceId, contacts: &[ContactId]) -> Result<Vec<Consent>, StoreError> {
    let ids: Vec<i64> = contacts.iter().map(|id| id.0).collect();
    let mut all =
        many::rows_in(tx, OF_CONTACTS, "", workspace, &ids, &[])?.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
    all.sort_by_key(|c| (c.at, c.id));
    Ok(all)
}

const DELETE_IMPORTED: &str = "DELETE FROM consent WHERE workspace_id = $1 AND contact_id = $2 AND import_id = $3";
/// Takes back what an import said of a contact.
pub fn delete_imported(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    contact: ContactId,
    import: ImportId,
) -> Result<u64, StoreError> {
    tx.exec(DELETE_IMPORTED, values![workspace, contact, import])
}
