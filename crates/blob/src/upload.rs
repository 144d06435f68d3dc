//! An upload on its way: written beside, hashed while it comes, moved to its key when it is safe on disk.

use crate::fault::Faults;
use crate::folder::Folder;
use crate::sniff::HEAD_BYTES;
use crate::{BlobError, Put};
use model::WorkspaceId;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

/// An upload on its way. Dropping it throws away what came so far.
#[derive(Debug)]
pub struct Upload {
    folder: Arc<Folder>,
    faults: Arc<Faults>,
    workspace: WorkspaceId,
    beside: Beside,
    file: File,
    hash: Sha256,
    head: Vec<u8>,
    bytes: u64,
    bytes_max: u64,
}

impl Upload {
    pub(crate) async fn begin(
        folder: Arc<Folder>,
        faults: Arc<Faults>,
        workspace: WorkspaceId,
        bytes_max: u64,
    ) -> Result<Self, BlobError> {
        let path = folder.beside();
        let file = File::options().write(true).create_new(true).open(&path).await.map_err(BlobError::writing)?;
        Ok(Self::of(folder, faults, workspace, path, file, bytes_max))
    }

    fn of(folder: Arc<Folder>, faults: Arc<Faults>, workspace: WorkspaceId, path: PathBuf, file: File, bytes_max: u64) -> Self {
        let beside = Beside(Some(path));
        Self { folder, faults, workspace, beside, file, hash: Sha256::new(), head: vec![], bytes: 0, bytes_max }
    }

    /// How many bytes came so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next bytes.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), BlobError> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.bytes_max {
            return Err(BlobError::TooLarge { bytes_max: self.bytes_max });
        }
        self.hash.update(chunk);
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(chunk.len());
        self.head.extend_from_slice(&chunk[..missing]);
        self.file.write_all(chunk).await.map_err(BlobError::writing)
    }

    /// Makes it durable under its key. Only then may a row name it.
    pub async fn finish(mut self) -> Result<Put, BlobError> {
        self.faults.check()?;
        self.file.flush().await.map_err(BlobError::writing)?;
        self.file.sync_all().await.map_err(BlobError::writing)?;
        let sha256: String = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let from = self.beside.0.clone().expect("the path is only taken below");
        self.folder.place(from, self.workspace, sha256.clone()).await?;
        self.beside.0 = None;
        Ok(Put { sha256, bytes: self.bytes, head: self.head })
    }
}

/// The file beside, removed when the upload does not end well.
#[derive(Debug)]
struct Beside(Option<PathBuf>);

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // What cannot be removed now is swept later.
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_said_in_words() {
        let home = tempfile::tempdir().unwrap();
        let folder = Arc::new(Folder::open(home.path().to_owned()).await.unwrap());
        // The system's device that is always full.
        let file = File::options().write(true).open("/dev/full").await.unwrap();
        let mut upload = Upload::of(folder, Arc::default(), WorkspaceId(1), home.path().join("none"), file, 1_000_000);
        let written = upload.write(&[7; 100_000]).await;
        let end = match written {
            Ok(()) => upload.finish().await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert_eq!(end, Err(BlobError::Full));
    }
}
