//! Continuo testkit.

pub mod api_channel;
pub mod app;
pub mod cases;
pub mod db;
pub mod desk;
pub mod mailbed;
pub mod pg;
