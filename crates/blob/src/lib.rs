//! Attachments and recordings by content: put bytes, get them back under their SHA-256, list them for the sweeper.
//!
//! In: a workspace and bytes. Out: `<workspace>/<sha256>`, or an error in words. It must not know what the bytes mean,
//! nor any database: names, media types and owners stand in rows. Object first, row second: an object without a row is
//! swept, a row without an object is a bug.

mod error;
mod fault;
mod folder;
mod name;
mod range;
mod sniff;
mod upload;

pub use error::BlobError;
pub use fault::FaultPlan;
pub use name::clean_name;
pub use range::{ByteRange, RangeError};
pub use sniff::{HEAD_BYTES, Sniffed, sniff};
pub use upload::Upload;

use bytes::Bytes;
use fault::Faults;
use folder::Folder;
use model::{Timestamp, WorkspaceId};
use std::path::Path;
use std::sync::Arc;

/// What a finished upload is.
#[derive(Clone, PartialEq, Eq)]
pub struct Put {
    /// SHA-256 in hex: the key within the workspace.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
    /// The first bytes, for `sniff`.
    pub head: Vec<u8>,
}

impl std::fmt::Debug for Put {
    // Content never enters a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Put({}, {} bytes)", self.sha256, self.bytes)
    }
}

/// A stored object, as the sweeper sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// SHA-256 in hex.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
    /// When it was last put.
    pub put_at: Timestamp,
}

/// The store of bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    back: Back,
    faults: Arc<Faults>,
}

// S3 will be another variant.
#[derive(Clone, Debug)]
enum Back {
    Folder(Arc<Folder>),
}

impl Blobs {
    /// Bytes in a folder on disk, which is made when it is not there. Fails when nothing can be written there.
    pub async fn open_folder(path: &Path) -> Result<Self, BlobError> {
        let folder = Folder::open(path.to_owned()).await?;
        Ok(Self { back: Back::Folder(Arc::new(folder)), faults: Arc::default() })
    }

    /// Begins an upload of at most `bytes_max` bytes. Dropping it before `finish` leaves nothing behind.
    pub async fn begin(&self, workspace: WorkspaceId, bytes_max: u64) -> Result<Upload, BlobError> {
        self.faults.check()?;
        let Back::Folder(folder) = &self.back;
        Upload::begin(Arc::clone(folder), Arc::clone(&self.faults), workspace, bytes_max).await
    }

    /// Stores bytes that are in memory already. Storing the same again is success.
    pub async fn put_bytes(&self, workspace: WorkspaceId, bytes: &[u8]) -> Result<Put, BlobError> {
        let mut upload = self.begin(workspace, bytes.len() as u64).await?;
        upload.write(bytes).await?;
        upload.finish().await
    }

    /// Size of an object.
    pub async fn size(&self, workspace: WorkspaceId, sha256: &str) -> Result<u64, BlobError> {
        self.faults.check()?;
        let Back::Folder(folder) = &self.back;
        folder.size(workspace, sha256).await
    }

    /// Opens an object for reading a range of it (`None` = all), chunk by chunk.
    pub async fn read(&self, workspace: WorkspaceId, sha256: &str, range: Option<ByteRange>) -> Result<Reader, BlobError> {
        self.faults.check()?;
        let Back::Folder(folder) = &self.back;
        folder.read(workspace, sha256, range).await
    }

    /// All bytes of an object that has at most `bytes_max`.
    pub async fn get(&self, workspace: WorkspaceId, sha256: &str, bytes_max: u64) -> Result<Vec<u8>, BlobError> {
        let mut reader = self.read(workspace, sha256, None).await?;
        if reader.bytes_total() > bytes_max {
            return Err(BlobError::TooLarge { bytes_max });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(reader.bytes_total()).unwrap_or(0));
        while let Some(chunk) = reader.next_chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Deletes an object and makes sure that it is gone. False when it was not there.
    pub async fn delete(&self, workspace: WorkspaceId, sha256: &str) -> Result<bool, BlobError> {
        self.faults.check()?;
        let Back::Folder(folder) = &self.back;
        folder.delete(workspace, sha256).await
    }

    /// Objects of a workspace in order of their key, after `after`, at most `count_max`: for the sweeper.
    pub async fn list(&self, workspace: WorkspaceId, after: Option<&str>, count_max: usize) -> Result<Vec<Listed>, BlobError> {
        self.faults.check()?;
        let Back::Folder(folder) = &self.back;
        folder.list(workspace, after.map(str::to_owned), count_max).await
    }

    /// Removes what cut-off uploads left behind before `before` (a process that was killed cannot tidy up). Gives how many.
    pub async fn sweep_unfinished(&self, before: Timestamp) -> Result<u64, BlobError> {
        self.faults.check()?;
        let Back::Folder(folder) = &self.back;
        folder.sweep_unfinished(before).await
    }

    /// Bytes that may still be written, where the back end can tell.
    pub fn bytes_free(&self) -> Option<u64> {
        let Back::Folder(folder) = &self.back;
        folder.bytes_free()
    }

    /// Lets calls fail, for tests; `None` stops that.
    pub fn set_fault(&self, plan: Option<FaultPlan>) {
        self.faults.set(plan);
    }

    /// How many calls there were since a plan was set.
    pub fn fault_calls(&self) -> u64 {
        self.faults.calls()
    }
}

/// An open object.
#[derive(Debug)]
pub struct Reader {
    file: tokio::fs::File,
    total: u64,
    range: ByteRange,
    left: u64,
}

impl Reader {
    /// Size of the whole object.
    pub fn bytes_total(&self) -> u64 {
        self.total
    }
    /// What will be read.
    pub fn range(&self) -> ByteRange {
        self.range
    }
    /// The next bytes, at most 64 KiB; `None` at the end. An object that is shorter than it was is an error.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, BlobError> {
        use tokio::io::AsyncReadExt;
        if self.left == 0 {
            return Ok(None);
        }
        let size = usize::try_from(self.left.min(64 * 1024)).unwrap_or(64 * 1024);
        let mut chunk = bytes::BytesMut::with_capacity(size);
        let mut limited = (&mut self.file).take(size as u64);
        let got = limited.read_buf(&mut chunk).await.map_err(BlobError::reading)?;
        if got == 0 {
            return Err(BlobError::Broken("a stored file is shorter than it was".to_owned()));
        }
        self.left -= got as u64;
        Ok(Some(chunk.freeze()))
    }
}
