//! The worker: knows *when* a job runs, how often and in which lane, never what it does. `registry` maps the names of jobs to
//! functions that `server` hands in, `runner` claims and runs them, `supervisor` keeps every long-running task of the process.
//!
//! Wake-ups only shorten the wait: a runner that hears nothing still finds its work within a second.

mod attempt;
pub mod follower;
pub mod jobs;
pub mod leader;
pub mod mailboxes;
pub mod recurring;
pub mod registry;
pub mod runner;
mod slots;
pub mod supervisor;

pub use follower::SearchFollower;
pub use registry::{JobContext, Outcome, Registry};
pub use runner::{DueReport, Runner, RunnerSettings, Waker};
pub use supervisor::{Stop, Supervisor};
