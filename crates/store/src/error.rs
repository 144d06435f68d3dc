//! Which error to use where: everything in this crate answers with [`StoreError`], which says what the caller may do.
//! `NotFound` and `Conflict` are for the caller to decide about, `Busy` means "try again later", `Broken` is logged once
//! where it arises and shown to nobody but the administrator.

/// What went wrong in the store, by what the caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A row that must be there is not.
    #[error("not found")]
    NotFound,
    /// A unique or foreign key refused the change; holds the name of the constraint or index.
    #[error("conflicts with {0}")]
    Conflict(String),
    /// Too much is waiting, the database is away, or a conflict with another transaction did not go away: try again later.
    #[error("the store is busy, try again later")]
    Busy,
    /// The rest: a bug, a full disk, a read-only folder. The text is for the administrator.
    #[error("{0}")]
    Broken(String),
}

impl StoreError {
    /// A `Broken` with a text.
    pub fn broken(text: impl Into<String>) -> Self {
        Self::Broken(text.into())
    }
}
