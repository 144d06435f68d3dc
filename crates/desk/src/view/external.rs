//! What stands behind an id of another system: the conversation that its customer wrote in last.

use model::{ContactPointKind, InboxId, WorkspaceId};
use store::contact_point::{self, PointKey};
use store::conversation::Conversation;
use store::{Conn, StoreError};

/// The live conversation with the newest entry of this id of an inbox.
pub fn conversation(
    tx: &mut dyn Conn,
    workspace: WorkspaceId,
    inbox: InboxId,
    external: &str,
) -> Result<Option<Conversation>, StoreError> {
    let key = PointKey { kind: ContactPointKind::Ext, scope: inbox.to_string(), match_key: external.to_owned() };
    let Some(point) = contact_point::find_key(tx, workspace, &key)? else { return Ok(None) };
    let mut newest = None;
    for owner in contact_point::owners(tx, workspace, point.id)? {
        for id in store::contact::merged_set(tx, workspace, owner.live_id)? {
            let latest = store::entry::latest_of_point(tx, workspace, id, point.id)?;
            newest = [newest, latest].into_iter().flatten().max_by_key(|(_, at)| *at);
        }
    }
    match newest {
        Some((id, _)) => super::visitor::live_conversation(tx, workspace, id),
        None => Ok(None),
    }
}
