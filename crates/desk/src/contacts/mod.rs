//! The contacts of a workspace as a whole: files of people in and out, companies, fields, segments.

pub mod columns;
pub mod company;
pub mod duplicates;
pub mod field;
pub mod import;
pub mod segment;
pub mod separate;
pub mod table;
pub mod tombstone;

pub use separate::{Separation, separate};
