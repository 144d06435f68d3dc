//! Continuo testkit.
