//! What people may ask of us about their own data: all of it in a file, or gone.

pub mod erase;
pub mod export;

pub use erase::{Erased, erase};
