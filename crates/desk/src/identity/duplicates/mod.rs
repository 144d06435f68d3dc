//! Which people may be one: candidates by shared keys, levels of agreement, and a model that weighs them in bits. A score
//! only ever suggests; whether two contacts are one is decided by a person (or by the few automatic joins of `merge`).

pub mod blocking;
pub mod compare;
pub mod link;
pub mod model;
pub mod record;
pub mod similar;

pub use link::{Linkage, Pair};
pub use model::{Evidence, Model, Score};
pub use record::{Field, Person};

/// Shown as a possible duplicate from here up.
pub const SUGGEST_BITS: f64 = 8.0;
/// Called a strong match from here up.
pub const STRONG_BITS: f64 = 15.0;

use ::model::{ContactId, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::job::{self, Job, JobClass};
use store::{Conn, StoreError};

/// Looks whether a contact may be somebody whom we know already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckDuplicates {
    /// Who.
    pub contact: ContactId,
}
impl Job for CheckDuplicates {
    const NAME: &'static str = "check_duplicates";
    const CLASS: JobClass = JobClass::Normal;
    fn dedupe_key(&self) -> Option<String> {
        Some(format!("check_duplicates {}", self.contact))
    }
}

/// Has a contact looked at after this transaction: it is new, or something about it is.
pub fn check_later(tx: &mut dyn Conn, workspace: WorkspaceId, contact: ContactId, now: Timestamp) -> Result<(), StoreError> {
    job::enqueue(tx, workspace, &CheckDuplicates { contact }, now).map(drop)
}
