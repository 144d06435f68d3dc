//! Which people may be one: candidates by shared keys, levels of agreement, and a model that weighs them in bits. A score
//! only ever suggests; whether two contacts are one is decided by a person (or by the few automatic joins of `merge`).

pub mod blocking;
pub mod compare;
pub mod link;
pub mod model;
pub mod record;
pub mod similar;

pub use link::{Linkage, Pair};
pub use model::{Evidence, Model, Score};
pub use record::{Field, Person};

/// Shown as a possible duplicate from here up.
pub const SUGGEST_BITS: f64 = 8.0;
/// Called a strong match from here up.
pub const STRONG_BITS: f64 = 15.0;
