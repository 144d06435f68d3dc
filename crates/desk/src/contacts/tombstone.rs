//! What is remembered of people who were erased: keyed hashes of what they were reached by, so that a file that still holds
//! them is recognised and nothing else can be learned from it.

use crate::context::Desk;
use keys::{Purpose, SubKey};
use model::WorkspaceId;
use store::contact_point::PointKey;
use store::{Conn, StoreError};

/// Makes the hashes. Cheap to clone.
#[derive(Clone)]
pub struct Hasher {
    current: SubKey,
    all: Vec<SubKey>,
}

impl Hasher {
    /// With the keys of a desk.
    pub fn of(desk: &Desk) -> Self {
        Self { current: desk.keys.current(Purpose::Tombstone), all: desk.keys.all(Purpose::Tombstone) }
    }

    /// The hash by the newest key.
    pub fn newest(&self, workspace: WorkspaceId, key: &PointKey) -> String {
        hash(&self.current, workspace, key)
    }

    /// Was somebody with this key erased, by whichever master key it was noted?
    pub fn is_buried(&self, tx: &mut dyn Conn, workspace: WorkspaceId, key: &PointKey) -> Result<bool, StoreError> {
        for sub in &self.all {
            if store::erase::buried_at(tx, workspace, &hash(sub, workspace, key))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn hash(key: &SubKey, workspace: WorkspaceId, point: &PointKey) -> String {
    let mac =
        key.mac(&[&workspace.0.to_be_bytes(), point.kind.word().as_bytes(), point.scope.as_bytes(), point.match_key.as_bytes()]);
    mac[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
