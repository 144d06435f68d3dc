//! Continuo channel.
