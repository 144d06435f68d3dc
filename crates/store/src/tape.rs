//! Writes down statements with their values while a bench asks for it, so that exactly the same can be run on the bare
//! engine beside it. Costs one relaxed read per statement while off. Values never leave the process.

use crate::value::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// One statement as it was run.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its text; the same statement has the same address.
    pub sql: &'static str,
    /// What was bound.
    pub values: Vec<Value>,
}

static RUNS: AtomicBool = AtomicBool::new(false);
static TAPE: Mutex<Vec<Recorded>> = Mutex::new(Vec::new());

/// Writes down everything that any store of this process runs from now on.
pub fn start() {
    RUNS.store(true, Ordering::SeqCst);
}

/// Stops, and gives what was written down since the last time.
pub fn take() -> Vec<Recorded> {
    RUNS.store(false, Ordering::SeqCst);
    std::mem::take(&mut *TAPE.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The text as SQLite wants it.
pub fn sqlite_text(sql: &str) -> String {
    crate::dialect::for_sqlite(sql).into_owned()
}

pub(crate) fn note(sql: &'static str, values: &[Value]) {
    if RUNS.load(Ordering::Relaxed) {
        TAPE.lock().unwrap_or_else(PoisonError::into_inner).push(Recorded { sql, values: values.to_vec() });
    }
}
