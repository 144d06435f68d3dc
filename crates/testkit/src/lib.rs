//! Continuo testkit.

pub mod db;
pub mod pg;
