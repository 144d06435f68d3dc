//! The lock beside a SQLite file: one process serves it. It is the operating system's lock, so a crash frees it.

use crate::error::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A held lock; dropping it gives it back.
#[derive(Debug)]
pub struct LockFile {
    // Held for its lock only.
    _file: File,
}

impl LockFile {
    /// The name of the lock of a database file.
    pub fn path_for(database: &Path) -> PathBuf {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        name.into()
    }
    /// Takes the lock, or says who has it.
    pub fn take(path: &Path) -> Result<Self, StoreError> {
        let broken = |what: &str, error: &std::io::Error| StoreError::Broken(format!("{what} {}: {error}", path.display()));
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| broken("cannot make the lock file", &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let holder = file.read_to_string(&mut holder).ok().and(holder.trim().parse::<u32>().ok());
                let who = holder.map_or_else(|| "another process".to_owned(), |pid| format!("the process with the number {pid}"));
                return Err(StoreError::Broken(format!(
                    "{who} already uses this database (lock file {}). Stop it first; `export`, `doctor` and `backup` work beside it.",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(broken("cannot lock", &error)),
        }
        let note = format!("{}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(note.as_bytes()))
            .map_err(|error| broken("cannot write the lock file", &error))?;
        Ok(Self { _file: file })
    }
}

/// The type of a network file system that holds `path`, by the table of mounts. SQLite's locks do not work there.
pub(crate) fn network_file_system<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    const REFUSED: [&str; 11] =
        ["nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone"];
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (_, folder, kind) = (words.next()?, words.next()?, words.next()?);
            // Blanks inside names are written as octal numbers.
            let folder = folder.replace("\\040", " ");
            path.starts_with(&folder).then_some((folder.len(), kind))
        })
        // The last of equals lies on top.
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind)
        .filter(|kind| REFUSED.contains(kind))
}

#[cfg(test)]
mod tests {
    use super::network_file_system;
    use std::path::Path;

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "/dev/sda / ext4 rw 0 0\nserver:/x /mnt/share nfs4 rw 0 0\n/dev/sdb /mnt/share/disk ext4 rw 0 0\n//nas/y /mnt/my\\040nas cifs rw 0 0\n";
        let at = |path: &str| network_file_system(mounts, Path::new(path));
        assert_eq!(at("/var/lib/x.db"), None);
        assert_eq!(at("/mnt/share/x.db"), Some("nfs4"));
        assert_eq!(at("/mnt/share/disk/x.db"), None);
        assert_eq!(at("/mnt/shared/x.db"), None);
        assert_eq!(at("/mnt/my nas/x.db"), Some("cifs"));
    }
}
