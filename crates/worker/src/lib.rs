//! Continuo worker.
