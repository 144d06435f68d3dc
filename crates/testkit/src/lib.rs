//! Continuo testkit.

pub mod app;
pub mod db;
pub mod desk;
pub mod pg;
