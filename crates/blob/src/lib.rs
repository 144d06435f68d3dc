//! Continuo blob.
