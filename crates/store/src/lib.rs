//! Continuo store.
