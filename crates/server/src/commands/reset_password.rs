//! `continuo reset-password EMAIL`: a link for somebody who forgot the password and has nobody to ask. Whoever can run
//! this owns the machine, and so everything on it.

use super::runtime;
use crate::settings::Settings;
use crate::{Failed, print, wiring};
use keys::Keys;
use model::{Clock, OsRandom, SystemClock};

/// Prints the link.
pub fn run(settings: &Settings, email: &str) -> Result<(), Failed> {
    let db = wiring::look(settings)?;
    if !settings.key_file.exists() {
        return Err(Failed(format!(
            "there is no key file {}; has Continuo run on this data folder?",
            settings.key_file.display()
        )));
    }
    let keys = Keys::open(&settings.key_file, &OsRandom)?.keys;
    let token = runtime()?.block_on(desk::people::reset::make(&db, &keys, email, SystemClock.now()))?;
    db.close();
    let Some(token) = token else {
        return Err(Failed(format!("no agent signs in with the address {email}.")));
    };
    let base = settings.public_url.clone().unwrap_or_else(|| format!("http://{}", settings.listen));
    print(&format!("Open this link within a day; it works once:\n{base}/reset/{token}\n"))
}
