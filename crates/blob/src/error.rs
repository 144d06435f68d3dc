//! One error for all verbs: its variants are what the caller does next, its texts are for the owner of the computer.

use std::io::{self, ErrorKind};

/// Why bytes were not stored or not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// No such object.
    #[error("there is no such file")]
    NotFound,
    /// More bytes than allowed.
    #[error("the file has more than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// No room: try again when there is.
    #[error("the disk that holds the files is full; make room on it")]
    Full,
    /// May not be written.
    #[error("the folder that holds the files cannot be written to; check its owner and whether the disk is mounted read-only")]
    ReadOnly,
    /// The range lies outside the object.
    #[error("the file has only {bytes_total} bytes")]
    OutOfRange {
        /// Size of the object.
        bytes_total: u64,
    },
    /// Anything else.
    #[error("the files cannot be used: {0}")]
    Broken(String),
}

impl BlobError {
    pub(crate) fn writing(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::Full,
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::ReadOnly,
            _ => Self::Broken(error.to_string()),
        }
    }

    pub(crate) fn reading(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound,
            _ => Self::Broken(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_system_s_words_become_ours() {
        let of = |code| BlobError::writing(io::Error::from_raw_os_error(code));
        // ENOSPC, EROFS, EACCES, EFBIG, EIO
        assert_eq!(
            [of(28), of(30), of(13), of(27)],
            [BlobError::Full, BlobError::ReadOnly, BlobError::ReadOnly, BlobError::Full]
        );
        assert!(matches!(of(5), BlobError::Broken(_)));
        assert!(of(28).to_string().contains("full"));
        assert_eq!(BlobError::reading(io::Error::from_raw_os_error(2)), BlobError::NotFound);
    }
}
