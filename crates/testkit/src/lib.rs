//! Continuo testkit.

pub mod db;
pub mod desk;
pub mod pg;
