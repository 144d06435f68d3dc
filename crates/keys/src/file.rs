//! The key file: 32 random bytes per master key, readable by its owner only, made at the first start.

use crate::Keys;
use model::Random;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Keys, and whether their file was made just now.
#[derive(Debug)]
pub struct Opened {
    /// The keys.
    pub keys: Keys,
    /// True at the first start: tell the owner to keep a copy of the file.
    pub made: bool,
}

/// Why there are no keys. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Strangers on this computer could read it.
    #[error("{} can be read by everybody on this computer (mode {mode:04o}); run: chmod 600 {}", path.display(), path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Not a key file.
    #[error(
        "{} is not a key file: it has {bytes} bytes, not 32 (or a multiple). Put back your copy of it; only if nothing is stored yet, delete it and a new one is made",
        path.display()
    )]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// How long it is.
        bytes: u64,
    },
    /// It could not be read or made.
    #[error("the key file {} cannot be {what}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// read, made, or replaced.
        what: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

const KEY_BYTES: usize = 32;
const KEYS_MAX: u64 = 1_000;

impl Keys {
    /// Reads the key file, or makes it when there is none.
    pub fn open(path: &Path, random: &dyn Random) -> Result<Opened, KeyFileError> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut root = [0; KEY_BYTES];
                random.fill(&mut root);
                let made = write(path, &root, false).map_err(io_error(path, "made"))?;
                Ok(Opened { keys: read(path)?, made })
            }
            _ => Ok(Opened { keys: read(path)?, made: false }),
        }
    }

    /// Adds a master key to the file. Old keys stay, for checking and opening what they made.
    pub fn rotate(path: &Path, random: &dyn Random) -> Result<Self, KeyFileError> {
        let mut keys = read(path)?;
        let mut root = [0; KEY_BYTES];
        random.fill(&mut root);
        keys.roots.push(root);
        write(path, &keys.roots.concat(), true).map_err(io_error(path, "replaced"))?;
        read(path)
    }
}

fn io_error(path: &Path, what: &'static str) -> impl FnOnce(io::Error) -> KeyFileError {
    let path = path.to_owned();
    move |error| KeyFileError::Io { path, what, error }
}

fn read(path: &Path) -> Result<Keys, KeyFileError> {
    let bytes = fs::metadata(path).map_err(io_error(path, "read"))?.len();
    if bytes == 0 || bytes % KEY_BYTES as u64 != 0 || bytes > KEYS_MAX * KEY_BYTES as u64 {
        return Err(KeyFileError::WrongSize { path: path.to_owned(), bytes });
    }
    refuse_open_mode(path)?;
    let content = fs::read(path).map_err(io_error(path, "read"))?;
    let roots: Vec<[u8; KEY_BYTES]> = content.chunks_exact(KEY_BYTES).filter_map(|chunk| chunk.try_into().ok()).collect();
    if roots.is_empty() {
        Err(KeyFileError::WrongSize { path: path.to_owned(), bytes: content.len() as u64 })
    } else {
        Ok(Keys { roots })
    }
}

// The group may read it: that is how containers hand secrets in.
#[cfg(unix)]
fn refuse_open_mode(path: &Path) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(io_error(path, "read"))?.permissions().mode() & 0o7777;
    if mode & 0o007 != 0 { Err(KeyFileError::TooOpen { path: path.to_owned(), mode }) } else { Ok(()) }
}

#[cfg(not(unix))]
fn refuse_open_mode(_path: &Path) -> Result<(), KeyFileError> {
    Ok(())
}

/// Writes beside the file and moves it there when it is safe on disk, so that a crash never leaves half a key. Gives
/// false when somebody else made the file first; then theirs counts.
fn write(path: &Path, content: &[u8], replace: bool) -> io::Result<bool> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = folder.join(name);
    let result = write_beside(&beside, path, content, replace);
    if !matches!(result, Ok(true)) {
        let _ = fs::remove_file(&beside);
    }
    if matches!(result, Ok(true)) {
        // The name is only safe when the folder is on disk too; some systems cannot sync a folder.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    result
}

fn write_beside(beside: &Path, path: &Path, content: &[u8], replace: bool) -> io::Result<bool> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    if replace {
        fs::rename(beside, path)?;
        return Ok(true);
    }
    // A hard link, unlike a rename, never replaces a key that another process made in this moment.
    match fs::hard_link(beside, path) {
        Ok(()) => fs::remove_file(beside).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        // File systems without hard links.
        Err(_) if !path.exists() => fs::rename(beside, path).map(|()| true),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Purpose;
    use model::FakeRandom;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn the_first_start_makes_a_key_that_later_starts_read() {
        let folder = folder();
        let path = folder.path().join("data/key");
        let first = Keys::open(&path, &FakeRandom::new(1)).unwrap();
        let second = Keys::open(&path, &FakeRandom::new(2)).unwrap();
        assert!(first.made && !second.made);
        assert_eq!(first.keys.current(Purpose::Node).expose(), second.keys.current(Purpose::Node).expose());
        assert_eq!(fs::read(&path).unwrap().len(), 32);
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.path().join("key");
        Keys::open(&path, &FakeRandom::new(1)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let said = Keys::open(&path, &FakeRandom::new(1)).unwrap_err().to_string();
        assert!(said.contains("chmod 600") && said.contains("0644"), "{said}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Keys::open(&path, &FakeRandom::new(1)).is_ok(), "a group may read it");
    }

    #[test]
    fn what_is_no_key_file_is_refused_and_left_alone() {
        let folder = folder();
        let path = folder.path().join("key");
        for content in [&b""[..], b"too short", &[0; 33]] {
            fs::write(&path, content).unwrap();
            let said = Keys::open(&path, &FakeRandom::new(1)).unwrap_err().to_string();
            assert!(said.contains("not a key file"), "{said}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
        let said = Keys::open(&path.join("below/a/file"), &FakeRandom::new(1)).unwrap_err().to_string();
        assert!(said.contains("the key file"), "{said}");
    }

    #[test]
    fn rotation_keeps_what_was() {
        let folder = folder();
        let path = folder.path().join("key");
        let before = Keys::open(&path, &FakeRandom::new(1)).unwrap().keys;
        let after = Keys::rotate(&path, &FakeRandom::new(2)).unwrap();
        assert_eq!((before.number(), after.number()), (1, 2));
        let old = after.numbered(Purpose::Secrets, 1).unwrap();
        assert_eq!(old.expose(), before.current(Purpose::Secrets).expose());
        assert_ne!(old.expose(), after.current(Purpose::Secrets).expose());
        assert!(Keys::open(&path, &FakeRandom::new(3)).is_ok());
    }
}
