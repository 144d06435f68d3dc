//! `continuo migrate`: brings the database up to date and stops. `serve` does the same at each start; this is for those
//! who want to see it happen on its own.

use crate::settings::Settings;
use crate::{Failed, print, start_log, wiring};

/// Runs the migrations.
pub fn run(settings: &Settings) -> Result<(), Failed> {
    start_log(settings);
    let stores = wiring::open(settings)?;
    stores.search.close();
    stores.db.close();
    print("The database is up to date.\n")
}
