//! What an adapter is told about the inbox that it works for: settings, and a door to its secrets.

use crate::Fut;
use model::InboxId;
use std::sync::Arc;

/// One configured account on a channel, as its adapter sees it.
#[derive(Clone)]
pub struct InboxSettings {
    /// The inbox. Its text form is the scope of ids that are only unique inside it.
    pub id: InboxId,
    /// Kind of channel.
    pub channel: model::Channel,
    /// Name that agents gave it.
    pub name: String,
    /// The adapter's own settings; each adapter has a type for them and reads this once per call.
    pub settings: serde_json::Value,
    /// Opened secrets of this inbox.
    pub secrets: Arc<dyn Secrets>,
}

impl std::fmt::Debug for InboxSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InboxSettings({}, {})", self.id, self.channel)
    }
}

/// A secret as text. It prints as `[secret]` and has no serde form, so that it reaches neither logs nor answers.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The secret itself; the call site is where a reviewer looks.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

/// Secrets of one inbox. The desk opens and seals them; an adapter only names them.
pub trait Secrets: Send + Sync {
    /// The secret of this name, when there is one.
    fn get(&self, name: &str) -> Option<SecretText>;
    /// Compare and swap, committed before it returns, so that a rotated refresh token is never used and then lost.
    fn replace<'a>(&'a self, name: &'a str, old: &'a SecretText, new: SecretText) -> Fut<'a, Result<(), SecretError>>;
}

/// Why a secret was not replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Somebody else replaced it first: read it again.
    #[error("the secret was changed meanwhile")]
    Changed,
    /// It could not be stored.
    #[error("the secret could not be stored: {0}")]
    Broken(String),
}

/// An inbox without secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _name: &str) -> Option<SecretText> {
        None
    }
    fn replace<'a>(&'a self, _name: &'a str, _old: &'a SecretText, _new: SecretText) -> Fut<'a, Result<(), SecretError>> {
        Box::pin(async { Err(SecretError::Broken("this inbox keeps no secrets".to_owned())) })
    }
}
