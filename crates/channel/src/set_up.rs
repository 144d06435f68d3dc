//! Help for connecting an inbox: known providers, finding the right one for an address, signing in by OAuth, and a check that
//! tells its steps while it runs.

use crate::{CheckResult, Fut, InboxSettings, SecretText, SettingsRefused};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// What set-up offers for a kind of channel.
pub trait SetUp: Send + Sync {
    /// Known providers, best known first. Pure.
    fn presets(&self) -> Vec<Preset>;
    /// Looks for the provider of an address, by rules and where reachable by DNS and HTTP. `None`: only by hand.
    fn discover<'a>(&'a self, address: &'a str) -> Fut<'a, Option<Discovered>>;
    /// The address at which a person gives us access (authorisation code with PKCE). Pure.
    fn authorize_url(&self, inbox: &InboxSettings, request: &AuthorizeRequest) -> Result<String, SettingsRefused>;
    /// Exchanges the code of the way back for tokens: secrets to be stored under these names.
    fn exchange<'a>(
        &'a self,
        inbox: &'a InboxSettings,
        code: &'a str,
        request: &'a AuthorizeRequest,
    ) -> Fut<'a, Result<Tokens, SignInError>>;
    /// Begins signing in with a code that is typed on another device.
    fn begin_device<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Result<DeviceCode, SignInError>>;
    /// Asks whether the code was typed meanwhile.
    fn poll_device<'a>(
        &'a self,
        inbox: &'a InboxSettings,
        device_code: &'a SecretText,
    ) -> Fut<'a, Result<DevicePoll, SignInError>>;
}

/// A provider that we know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// Stable id such as `gmail`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// A merge patch for the settings of the inbox.
    pub settings: Json,
    /// Ways to sign in that it accepts, best first: `oauth`, `password`.
    pub sign_in: Vec<String>,
    /// What an admin has to know, in plain words; empty when nothing.
    pub note: String,
}

/// What was found for an address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Discovered {
    /// The provider, when it is a known one.
    pub preset: Option<String>,
    /// How it is called.
    pub name: String,
    /// By which rule: `domain`, `mx`, `srv`, `autoconfig`, `guess`.
    pub by: String,
    /// A merge patch for the settings of the inbox.
    pub settings: Json,
    /// Ways to sign in, best first.
    pub sign_in: Vec<String>,
}

/// One round to the provider's sign-in page and back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizeRequest {
    /// Where the provider sends the browser back.
    pub redirect_url: String,
    /// Unguessable, comes back unchanged.
    pub state: String,
    /// PKCE: 43 to 128 unreserved characters; the adapter derives the S256 challenge.
    pub verifier: String,
}

/// Secrets that a sign-in brought, by the names under which the adapter will look for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens(pub Vec<(String, SecretText)>);

/// A code to be typed elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// For `poll_device`; never shown.
    pub device_code: SecretText,
    /// What a person types.
    pub user_code: String,
    /// Where.
    pub verification_url: String,
    /// How long it can be typed.
    pub expires_in_s: i64,
    /// Ask no more often than this.
    pub interval_s: i64,
}

/// Whether the code was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DevicePoll {
    /// Not yet: ask again after so many seconds.
    Pending {
        /// How long to wait.
        interval_s: i64,
    },
    /// Typed: here are the tokens.
    Done(Tokens),
}

/// Why signing in did not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The provider says no; it will say so again.
    #[error("{0}")]
    Refused(String),
    /// No answer: try again.
    #[error("{0}")]
    Unreachable(String),
    /// These settings cannot sign in this way.
    #[error(transparent)]
    Settings(#[from] SettingsRefused),
}

/// One step of a check, told as soon as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckStep {
    /// What was found.
    pub result: CheckResult,
    /// A merge patch for the settings of the inbox: what the step has learned (that plus-addresses come back, say).
    pub learned: Option<Json>,
}

/// Who is told the steps of a check.
pub type StepReport<'a> = &'a (dyn Fn(CheckStep) + Send + Sync);
