//! Continuo bus.
