//! Continuo desk.
