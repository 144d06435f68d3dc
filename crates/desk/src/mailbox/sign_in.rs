//! Signing in at a provider: to its page and back (authorisation code with PKCE), or with a code that is typed on another
//! device. What comes back are secrets of the inbox; nothing of a round is kept in the open.

use crate::context::{Desk, Who};
use crate::directory::{DirectoryError, OpenInbox};
use crate::people::rights::may_set_up_inboxes;
use crate::people::{ChangeError, Invalid};
use crate::settings::news;
use crate::settings::secret::put_secrets;
use channel::{AuthorizeRequest, DevicePoll, Discovered, Preset, SecretText, SetUp, SignInError, Tokens};
use model::{Actor, Channel, InboxId, InboxState, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fmt::Write;
use std::sync::Arc;
use store::{Route, StoreError, inbox};

/// Under this name the open round to the provider's page is kept, sealed.
const ROUND: &str = "sign_in_round";
/// Under this name the open round with a code is kept, sealed.
const DEVICE_ROUND: &str = "sign_in_device_round";
const ROUND_MS: i64 = 15 * 60_000;

/// Why signing in did not work.
#[derive(Debug, thiserror::Error)]
pub enum SignInFailed {
    /// As with every change.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The provider said no, in words for an admin.
    #[error("{0}")]
    Refused(String),
    /// The provider did not answer.
    #[error("{0}")]
    Unreachable(String),
    /// The round is unknown, used or too old: begin again.
    #[error("this sign-in has expired; begin again")]
    Expired,
}

impl From<SignInError> for SignInFailed {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Refused(text) => Self::Refused(text),
            SignInError::Unreachable(text) => Self::Unreachable(text),
            SignInError::Settings(refused) => Self::Change(Invalid::new(refused.field, refused.text).into()),
        }
    }
}
impl From<StoreError> for SignInFailed {
    fn from(error: StoreError) -> Self {
        Self::Change(error.into())
    }
}

#[derive(Serialize, Deserialize)]
struct Round {
    state: String,
    verifier: String,
    redirect_url: String,
    at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct DeviceRound {
    device_code: String,
    until: Timestamp,
}

/// A code that a person types on another device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedCode {
    /// What to type.
    pub code: String,
    /// Where.
    pub url: String,
    /// Until when.
    pub until: Timestamp,
    /// Ask no more often than this.
    pub interval_s: i64,
}

/// Known providers of a kind of channel.
pub fn presets(desk: &Desk, kind: Channel) -> Vec<Preset> {
    desk.channels.get(kind).and_then(|adapter| adapter.set_up()).map(SetUp::presets).unwrap_or_default()
}

/// The provider of an address, as far as it can be found.
pub async fn discover(desk: &Desk, who: &Who, kind: Channel, address: &str) -> Result<Option<Discovered>, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let address = address.trim();
    let plain = address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    if !plain || address.len() > 320 || address.contains(char::is_whitespace) {
        return Err(Invalid::new("address", "a mail address").into());
    }
    let Some(set_up) = desk.channels.get(kind).and_then(|adapter| adapter.set_up()) else { return Ok(None) };
    Ok(set_up.discover(address).await)
}

async fn open(desk: &Desk, who: &Who, id: InboxId) -> Result<Arc<OpenInbox>, ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    // What was saved a moment ago counts.
    desk.directory.forget();
    match desk.directory.open(desk, who.workspace, id).await {
        Ok(open) => Ok(open),
        Err(DirectoryError::Store(error)) => Err(error.into()),
        Err(DirectoryError::NotFound | DirectoryError::NoAdapter(_)) => Err(ChangeError::NotFound),
    }
}

fn set_up(open: &OpenInbox) -> Result<&dyn SetUp, ChangeError> {
    open.channel.set_up().ok_or_else(|| Invalid::new("channel", "a channel with a sign-in").into())
}

fn random_hex(desk: &Desk) -> String {
    let mut bytes = [0; 32];
    desk.random.fill(&mut bytes);
    bytes.iter().fold(String::with_capacity(64), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

/// The address of the provider's page. `redirect_url` is ours: there the browser comes back.
pub async fn begin(desk: &Desk, who: &Who, id: InboxId, redirect_url: &str) -> Result<String, SignInFailed> {
    let open = open(desk, who, id).await?;
    let request = AuthorizeRequest {
        redirect_url: redirect_url.to_owned(),
        state: format!("{id}.{}", random_hex(desk)),
        verifier: random_hex(desk),
    };
    let url = set_up(&open)?
        .authorize_url(&open.settings, &request)
        .map_err(|refused| ChangeError::from(Invalid::new(refused.field, refused.text)))?;
    let round = Round { state: request.state, verifier: request.verifier, redirect_url: request.redirect_url, at: desk.now() };
    keep(desk, who, id, ROUND, &json!(round).to_string()).await?;
    Ok(url)
}

async fn keep(desk: &Desk, who: &Who, id: InboxId, name: &str, text: &str) -> Result<(), StoreError> {
    let put = put_secrets(desk, who.workspace, id, vec![(name.to_owned(), SecretText::new(text))]);
    let now = desk.now();
    desk.db.write(Route::Any, move |tx| put(tx, now)).await?;
    desk.directory.forget();
    Ok(())
}

/// The inbox that a state belongs to, as the browser brought it back.
pub fn inbox_of(state: &str) -> Option<InboxId> {
    InboxId::parse(state.split('.').next()?).ok()
}

/// The browser is back from the provider's page with a code.
pub async fn finish(desk: &Desk, who: &Who, state: &str, code: &str) -> Result<InboxId, SignInFailed> {
    let id = inbox_of(state).ok_or(SignInFailed::Expired)?;
    let open = open(desk, who, id).await?;
    let kept = open.settings.secrets.get(ROUND).ok_or(SignInFailed::Expired)?;
    let round: Round = serde_json::from_str(kept.expose()).map_err(|_| SignInFailed::Expired)?;
    let fresh = (0..ROUND_MS).contains(&desk.now().since(round.at));
    if !fresh || keys::Secret::from(round.state.as_str()) != keys::Secret::from(state) {
        return Err(SignInFailed::Expired);
    }
    // One use: whoever repeats the way back gets nothing.
    keep(desk, who, id, ROUND, "").await?;
    let request = AuthorizeRequest { redirect_url: round.redirect_url, state: round.state, verifier: round.verifier };
    let tokens = set_up(&open)?.exchange(&open.settings, code, &request).await?;
    store_tokens(desk, who, id, tokens).await?;
    Ok(id)
}

/// Begins signing in with a code that is typed on another device.
pub async fn begin_device(desk: &Desk, who: &Who, id: InboxId) -> Result<TypedCode, SignInFailed> {
    let open = open(desk, who, id).await?;
    let begun = set_up(&open)?.begin_device(&open.settings).await?;
    let until = desk.now().plus_seconds(begun.expires_in_s);
    let round = DeviceRound { device_code: begun.device_code.expose().to_owned(), until };
    keep(desk, who, id, DEVICE_ROUND, &json!(round).to_string()).await?;
    Ok(TypedCode { code: begun.user_code, url: begun.verification_url, until, interval_s: begun.interval_s })
}

/// Whether the code was typed. `Some`: not yet, ask again after so many seconds.
pub async fn poll_device(desk: &Desk, who: &Who, id: InboxId) -> Result<Option<i64>, SignInFailed> {
    let open = open(desk, who, id).await?;
    let kept = open.settings.secrets.get(DEVICE_ROUND).ok_or(SignInFailed::Expired)?;
    let round: DeviceRound = serde_json::from_str(kept.expose()).map_err(|_| SignInFailed::Expired)?;
    if desk.now() >= round.until {
        return Err(SignInFailed::Expired);
    }
    match set_up(&open)?.poll_device(&open.settings, &SecretText::new(round.device_code)).await? {
        DevicePoll::Pending { interval_s } => Ok(Some(interval_s)),
        DevicePoll::Done(tokens) => {
            keep(desk, who, id, DEVICE_ROUND, "").await?;
            store_tokens(desk, who, id, tokens).await?;
            Ok(None)
        }
    }
}

async fn store_tokens(desk: &Desk, who: &Who, id: InboxId, tokens: Tokens) -> Result<(), SignInFailed> {
    set_secrets(desk, who, id, tokens.0).await?;
    Ok(())
}

const NAME_CHARS_MAX: usize = 40;
const SECRET_BYTES_MAX: usize = 16 * 1024;

/// Sets secrets of an inbox (a password, tokens); an empty one is forgotten. An inbox that needed a sign-in works again.
pub async fn set_secrets(desk: &Desk, who: &Who, id: InboxId, secrets: Vec<(String, SecretText)>) -> Result<(), ChangeError> {
    if !may_set_up_inboxes(who.role) {
        return Err(ChangeError::NotAllowed);
    }
    let word = |name: &str| {
        !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    if let Some((name, _)) =
        secrets.iter().find(|(name, text)| !word(name) || text.expose().len() > SECRET_BYTES_MAX || name.starts_with("identity"))
    {
        return Err(Invalid::new(format!("secrets.{name}"), "a secret of this channel, of at most 16 KiB").into());
    }
    let names: Vec<String> = secrets.iter().map(|(name, _)| name.clone()).collect();
    let put = put_secrets(desk, who.workspace, id, secrets);
    let (now, who) = (desk.now(), who.clone());
    desk.db
        .write(Route::Any, move |tx| {
            let Some(mut found) = inbox::find(tx, who.workspace, id)? else {
                return Ok::<_, StoreError>(Err(ChangeError::NotFound));
            };
            put(tx, now)?;
            if found.state == InboxState::NeedsSignIn {
                found.state = InboxState::Ok;
            }
            // Also without another state: a new version starts the fetcher anew, with the new secrets.
            inbox::change(tx, &found)?;
            store::pull::forgive(tx, who.workspace, id)?;
            let payload = json!({ "inbox_id": id, "names": names });
            tx.log(news(who.workspace, "inbox.secrets_set", Actor::Agent(who.agent), now, payload));
            Ok(Ok(()))
        })
        .await??;
    desk.directory.forget();
    Ok(())
}
