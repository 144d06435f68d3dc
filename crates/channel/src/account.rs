//! What an admin does with an account at a provider: find its settings, sign in with the provider's own consent page, and
//! compare what lies at the provider with what we hold. Optional traits, like all others.

use crate::{Cursor, Fut, InboxSettings, PullError, RawSink, SecretText};
use model::Timestamp;
use serde::{Deserialize, Serialize};

/// Finds the settings of an account from its address.
pub trait Discover: Send + Sync {
    /// Providers that we know, for a list in set-up.
    fn presets(&self) -> Vec<Proposal>;
    /// Settings that may work for this address, best first. The network is asked; what does not answer is left out.
    fn discover<'a>(&'a self, address: &'a str) -> Fut<'a, Vec<Proposal>>;
}

/// Settings that an admin may start from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Stable word of where it comes from, such as `preset`, `srv`, `autoconfig`, `guess`.
    pub origin: String,
    /// Name that an admin recognises, such as the provider's.
    pub name: String,
    /// Settings for `Channel::validate_settings`; what only the admin knows is missing.
    pub settings: serde_json::Value,
    /// What an admin must know before starting, one sentence each.
    pub notes: Vec<String>,
}

/// Signs an account in on the provider's own page (OAuth 2), by the end points in the inbox's settings.
pub trait SignIn: Send + Sync {
    /// Authorisation code with PKCE: where to send the browser, and what to keep until it comes back.
    fn begin(&self, inbox: &InboxSettings, redirect_url: &str, state: &str) -> Result<Begun, SignInError>;
    /// The browser is back with a code. The grant is to be stored before anything else happens.
    fn finish<'a>(
        &'a self,
        inbox: &'a InboxSettings,
        redirect_url: &'a str,
        verifier: &'a SecretText,
        code: &'a str,
    ) -> Fut<'a, Result<Grant, SignInError>>;
    /// Device code: for a server whose own address the provider cannot reach.
    fn begin_device<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Result<DeviceCode, SignInError>>;
    /// Asks once whether the admin has agreed; not more often than `DeviceCode::interval_seconds`.
    fn poll_device<'a>(
        &'a self,
        inbox: &'a InboxSettings,
        device_code: &'a SecretText,
    ) -> Fut<'a, Result<DeviceAnswer, SignInError>>;
}

/// A sign-in that waits for the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Open this.
    pub url: String,
    /// The PKCE verifier: kept on the server, bound to `state`, used once.
    pub verifier: SecretText,
}

/// A device sign-in that waits for the admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// Names this sign-in to the provider; never shown.
    pub device_code: SecretText,
    /// What the admin types.
    pub code: String,
    /// Where the admin types it.
    pub url: String,
    /// The same with the code filled in, where the provider offers it.
    pub complete_url: Option<String>,
    /// Not valid after this.
    pub expires_at: Timestamp,
    /// Ask not more often than this.
    pub interval_seconds: u32,
}

/// How a device sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceAnswer {
    /// Not yet: ask again after the interval.
    Pending,
    /// Asked too often: add five seconds to the interval.
    SlowDown,
    /// Done.
    Granted(Grant),
}

/// What a sign-in gives: to be stored sealed, under these names, as secrets of the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Name and value.
    pub secrets: Vec<(String, SecretText)>,
}

/// Why a sign-in did not work, in words for an admin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The provider or the admin said no.
    #[error("{0}")]
    Refused(String),
    /// The provider could not be reached or is unwell: try again.
    #[error("{0}")]
    Lost(String),
    /// The settings do not allow it.
    #[error("{0}")]
    Settings(String),
}

/// Compares what lies at the provider with what we hold, and fetches single messages again.
pub trait Ledger: Send + Sync {
    /// Every message that is at the provider now, by the dedupe key that `Pull` gives it.
    fn survey<'a>(&'a self, inbox: &'a InboxSettings, cursor: &'a Cursor) -> Fut<'a, Result<Vec<FolderSurvey>, PullError>>;
    /// Hands these messages to the sink again, without a cursor. Gives how many were still there.
    fn refetch<'a>(
        &'a self,
        inbox: &'a InboxSettings,
        cursor: &'a Cursor,
        keys: &'a [String],
        sink: &'a dyn RawSink,
    ) -> Fut<'a, Result<u64, PullError>>;
}

/// What one folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderSurvey {
    /// The folder as the provider calls it.
    pub folder: String,
    /// What it is for: `inbox`, `sent`, `junk`, `other`.
    pub role: String,
    /// Changes when the provider renumbered everything.
    pub generation: String,
    /// Each message, oldest first.
    pub messages: Vec<OnServer>,
}

/// One message at the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnServer {
    /// The dedupe key of the event that it is, or would be.
    pub key: String,
    /// The rule by which it is not fetched: `deleted`, `before_start`, `too_old`. `None`: it must be stored, or is still to come.
    pub ignored: Option<String>,
    /// True when the cursor has not reached it yet.
    pub ahead: bool,
}
