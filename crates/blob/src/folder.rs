//! Bytes in a folder on disk: `<workspace>/<first two characters>/<sha256>`, and `tmp/` for what is on its way.

use crate::{BlobError, ByteRange, Listed, Reader};
use model::{Timestamp, WorkspaceId};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::AsyncSeekExt;

#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    tmp: PathBuf,
    next: AtomicU64,
}

impl Folder {
    pub(crate) async fn open(root: PathBuf) -> Result<Self, BlobError> {
        blocking(move || {
            let tmp = root.join("tmp");
            fs::create_dir_all(&tmp).map_err(BlobError::writing)?;
            let folder = Self { root, tmp, next: AtomicU64::new(0) };
            // Find out now, and not at the first upload, that nothing can be written here.
            let probe = folder.beside();
            fs::write(&probe, b"probe").and_then(|()| fs::remove_file(&probe)).map_err(BlobError::writing)?;
            Ok(folder)
        })
        .await
    }

    /// Room on the disk for this account.
    pub(crate) fn bytes_free(&self) -> Option<u64> {
        fs4::available_space(&self.root).ok()
    }

    /// A path of its own for an upload: several processes may share the folder.
    pub(crate) fn beside(&self) -> PathBuf {
        loop {
            let path = self.tmp.join(format!("{}-{}", std::process::id(), self.next.fetch_add(1, Ordering::Relaxed)));
            if !path.exists() {
                return path;
            }
        }
    }

    fn path(&self, workspace: WorkspaceId, sha256: &str) -> Result<PathBuf, BlobError> {
        // A key comes from a row; one that is no hash could name a path.
        let hash = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !hash {
            return Err(BlobError::NotFound);
        }
        Ok(self.root.join(workspace.to_string()).join(&sha256[..2]).join(sha256))
    }

    /// Moves a finished file to its key. One that is there already is replaced by the same content: its time becomes
    /// new, so that a sweeper that looks for old objects without a row leaves it alone.
    pub(crate) async fn place(&self, from: PathBuf, workspace: WorkspaceId, sha256: String) -> Result<(), BlobError> {
        let to = self.path(workspace, &sha256)?;
        let root = self.root.clone();
        blocking(move || {
            let folder = to.parent().unwrap_or(&root).to_owned();
            if !folder.is_dir() {
                fs::create_dir_all(&folder).map_err(BlobError::writing)?;
                for above in folder.ancestors().skip(1).take_while(|above| above.starts_with(&root)) {
                    sync_folder(above);
                }
            }
            fs::rename(&from, &to).map_err(BlobError::writing)?;
            sync_folder(&folder);
            Ok(())
        })
        .await
    }

    pub(crate) async fn size(&self, workspace: WorkspaceId, sha256: &str) -> Result<u64, BlobError> {
        let path = self.path(workspace, sha256)?;
        blocking(move || fs::metadata(path).map(|meta| meta.len()).map_err(BlobError::reading)).await
    }

    pub(crate) async fn read(&self, workspace: WorkspaceId, sha256: &str, range: Option<ByteRange>) -> Result<Reader, BlobError> {
        let path = self.path(workspace, sha256)?;
        let mut file = tokio::fs::File::open(path).await.map_err(BlobError::reading)?;
        let total = file.metadata().await.map_err(BlobError::reading)?.len();
        let range = range.unwrap_or(ByteRange { start: 0, end: total }).within(total)?;
        if range.start > 0 {
            file.seek(io::SeekFrom::Start(range.start)).await.map_err(BlobError::reading)?;
        }
        Ok(Reader { file, total, range, left: range.bytes() })
    }

    pub(crate) async fn delete(&self, workspace: WorkspaceId, sha256: &str) -> Result<bool, BlobError> {
        let path = self.path(workspace, sha256)?;
        blocking(move || match fs::remove_file(&path) {
            Ok(()) => {
                if let Some(folder) = path.parent() {
                    sync_folder(folder);
                }
                if path.exists() { Err(BlobError::Broken("a deleted file is still there".to_owned())) } else { Ok(true) }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(BlobError::writing(error)),
        })
        .await
    }

    pub(crate) async fn list(
        &self,
        workspace: WorkspaceId,
        after: Option<String>,
        count_max: usize,
    ) -> Result<Vec<Listed>, BlobError> {
        let home = self.root.join(workspace.to_string());
        blocking(move || {
            let after = after.unwrap_or_default();
            let mut listed = vec![];
            for prefix in names(&home)?.into_iter().filter(|prefix| prefix.as_str() >= after.get(..2).unwrap_or_default()) {
                for sha256 in names(&home.join(&prefix))?.into_iter().filter(|name| *name > after) {
                    if listed.len() >= count_max {
                        return Ok(listed);
                    }
                    match fs::metadata(home.join(&prefix).join(&sha256)) {
                        Ok(meta) => listed.push(Listed { sha256, bytes: meta.len(), put_at: changed_at(&meta) }),
                        // Deleted in this moment.
                        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                        Err(error) => return Err(BlobError::reading(error)),
                    }
                }
            }
            Ok(listed)
        })
        .await
    }

    pub(crate) async fn sweep_unfinished(&self, before: Timestamp) -> Result<u64, BlobError> {
        let tmp = self.tmp.clone();
        blocking(move || {
            let mut swept = 0;
            for name in names(&tmp)? {
                let path = tmp.join(name);
                let old = fs::metadata(&path).is_ok_and(|meta| changed_at(&meta) < before);
                if old && fs::remove_file(&path).is_ok() {
                    swept += 1;
                }
            }
            Ok(swept)
        })
        .await
    }
}

// Names in a folder, in order; a folder that is not there has none.
fn names(folder: &Path) -> Result<Vec<String>, BlobError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(BlobError::reading(error)),
    };
    let mut names = vec![];
    for entry in entries {
        names.extend(entry.map_err(BlobError::reading)?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

fn changed_at(meta: &fs::Metadata) -> Timestamp {
    let since_1970 = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH).duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

// A new name is only durable when its folder is on disk. Some file systems cannot do that; then the file alone has to do.
fn sync_folder(folder: &Path) {
    let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, BlobError> + Send + 'static) -> Result<T, BlobError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(BlobError::Broken(error.to_string())),
    }
}

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
