//! Continuo channel-webchat.
