//! Feeds worked cases of the domain rules to the product's own code and compares the answers. A case gets a database and a
//! workspace of its own, its state goes in through the store, its events through the doors that a channel uses.

mod format;
mod load;
mod threading;

pub use threading::threading;

use serde_json::Value as Json;

/// What came of a file of cases.
#[derive(Debug, Default)]
pub struct Report {
    /// One line per difference.
    pub differences: Vec<String>,
    /// One answer per case, in the order of the file.
    pub answers: Vec<Json>,
}

impl Report {
    /// The answers as JSON lines.
    pub fn lines(&self) -> String {
        self.answers.iter().map(|answer| format!("{answer}\n")).collect()
    }
}
