//! Conversation numbers (`#4812`): reserved in blocks by a small write of their own, so that no transaction that opens a
//! conversation waits for another. Gaps are allowed; a number is never used as a key.

use model::WorkspaceId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use store::{Db, Route, StoreError};

const BLOCK: i64 = 16;

/// Numbers reserved and not yet used, per workspace.
#[derive(Clone, Default)]
pub struct Numbers(Arc<Mutex<HashMap<WorkspaceId, Vec<i64>>>>);

impl Numbers {
    /// Takes the lowest free number, reserving a block when none is left.
    pub async fn take(&self, db: &Db, workspace: WorkspaceId) -> Result<i64, StoreError> {
        if let Some(number) = self.free(workspace) {
            return Ok(number);
        }
        let last = db.write(Route::Any, move |tx| store::conversation::reserve_numbers(tx, workspace, BLOCK)).await?;
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let block = free.entry(workspace).or_default();
        block.extend((last - BLOCK + 2..=last).rev());
        block.sort_unstable_by(|a, b| b.cmp(a));
        Ok(last - BLOCK + 1)
    }

    fn free(&self, workspace: WorkspaceId) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&workspace)?.pop()
    }

    /// Gives back a number that was not needed.
    pub fn give_back(&self, workspace: WorkspaceId, number: i64) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let block = free.entry(workspace).or_default();
        block.push(number);
        block.sort_unstable_by(|a, b| b.cmp(a));
    }
}
