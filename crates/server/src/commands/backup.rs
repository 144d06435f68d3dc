//! `continuo backup FILE`: a copy of the SQLite database as it is at one moment, also while the server writes.

use crate::settings::Settings;
use crate::{Failed, print, wiring};
use std::path::Path;

/// Writes the copy.
pub fn run(settings: &Settings, target: &str) -> Result<(), Failed> {
    let db = wiring::look(settings)?;
    db.backup_to(Path::new(target))?;
    db.close();
    print(&format!(
        "The database was copied to {target}. Not in it, and needed as well: the folder {} and the key file {}.\n",
        settings.data.join(wiring::FILES).display(),
        settings.key_file.display()
    ))
}
