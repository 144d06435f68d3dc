//! The site of a request: its inbox and settings, and who the visitor is that asks.

use crate::Front;
use crate::error::Problem;
use crate::front::{Caller, own_base};
use channel_webchat::identity::{IdentitySecrets, VisitorKey};
use channel_webchat::{VerifiedIdentity, VisitorToken, WebchatSettings};
use desk::directory::{DirectoryError, OpenInbox};
use desk::view::visitor::Visitor;
use http::HeaderMap;
use http::header::{AUTHORIZATION, ORIGIN};
use keys::Purpose;
use model::{InboxId, Timestamp, WorkspaceId};
use std::sync::Arc;

/// Longest slug that is looked up.
const SLUG_CHARS_MAX: usize = 64;

/// A webchat inbox that takes visitors.
#[derive(Clone)]
pub struct Site {
    /// Whose.
    pub workspace: WorkspaceId,
    /// The inbox and its adapter.
    pub open: Arc<OpenInbox>,
    /// Its settings.
    pub settings: Arc<WebchatSettings>,
}

impl Site {
    /// The inbox.
    pub fn inbox(&self) -> InboxId {
        self.open.inbox.id
    }

    /// Keys that a site signs its customers' tokens with.
    pub fn secrets(&self) -> IdentitySecrets {
        let secrets = &self.open.settings.secrets;
        IdentitySecrets { current: secrets.get("identity"), previous: secrets.get("identity_previous") }
    }

    /// Is nothing of this network address taken?
    pub fn bans(&self, address: &str) -> bool {
        address.parse().is_ok_and(|address| self.settings.bans(address))
    }
}

fn no_such_site() -> Problem {
    Problem { code: "no_such_site", ..Problem::not_found() }
}

/// The site of a slug.
pub async fn find(front: &Front, slug: &str) -> Result<Site, Problem> {
    if slug.is_empty() || slug.len() > SLUG_CHARS_MAX {
        return Err(no_such_site());
    }
    let slug = slug.to_owned();
    let found = front.desk.db.read(move |tx| store::inbox::find_by_site(tx, &slug)).await?;
    let found = found.filter(|inbox| inbox.enabled).ok_or_else(no_such_site)?;
    of_inbox(front, found.workspace, found.id).await
}

/// The site of an inbox that is known: what a socket asks before each message.
pub async fn of_inbox(front: &Front, workspace: WorkspaceId, inbox: InboxId) -> Result<Site, Problem> {
    let open = front.desk.directory.open(&front.desk, workspace, inbox).await.map_err(|error| match error {
        DirectoryError::NotFound | DirectoryError::NoAdapter(_) => no_such_site(),
        DirectoryError::Store(error) => error.into(),
    })?;
    if !open.inbox.enabled {
        return Err(no_such_site());
    }
    let settings = WebchatSettings::of(&open.settings).map_err(|_| no_such_site())?;
    Ok(Site { workspace, open, settings: Arc::new(settings) })
}

/// A visitor whose token counts.
#[derive(Clone, Debug)]
pub struct Known {
    /// The token.
    pub token: VisitorToken,
}

impl Known {
    /// What the site proved about the visitor, while it counts.
    pub fn verified(&self, now: Timestamp) -> Option<&VerifiedIdentity> {
        self.token.verified_at(now)
    }
    /// The account that a signed token proved (level 3).
    pub fn account(&self, now: Timestamp) -> Option<String> {
        self.verified(now).filter(|verified| verified.level >= 3).map(|verified| verified.id.clone())
    }
    /// As the desk asks for what this visitor sees.
    pub fn visitor(&self, inbox: InboxId, now: Timestamp) -> Visitor {
        Visitor { inbox, id: self.token.visitor_id.clone(), account: self.account(now) }
    }
}

/// The keys of visitor tokens: the one that signs first.
pub fn visitor_keys(front: &Front) -> Vec<VisitorKey> {
    let all = front.desk.keys.all(Purpose::Visitor);
    all.iter().map(|key| VisitorKey { number: key.number, bytes: *key.expose() }).collect()
}

/// Reads a token of this site.
pub fn read_token(front: &Front, site: &Site, text: &str, now: Timestamp) -> Result<Known, Problem> {
    VisitorToken::verify(text, &visitor_keys(front), site.workspace, site.inbox(), now)
        .map(|token| Known { token })
        .map_err(|_| bad_token())
}

/// The token does not count: the client begins again without it.
pub fn bad_token() -> Problem {
    Problem::unauthorized("bad_token", "This visit has ended. Please begin again.")
}

/// The visitor of a request with `Authorization: Visitor <token>`.
pub fn of_request(
    front: &Front,
    site: &Site,
    headers: &HeaderMap,
    query: Option<&str>,
    now: Timestamp,
) -> Result<Known, Problem> {
    let header =
        headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.strip_prefix("Visitor "));
    let token = header.or(query).ok_or_else(bad_token)?;
    read_token(front, site, token.trim(), now)
}

/// Refuses who asks too much, who is banned, and pages of others: the panel is ours, so its origin must be.
pub fn check(front: &Front, site: &Site, headers: &HeaderMap, from: &Caller) -> Result<(), Problem> {
    let now = front.desk.now();
    front.live.doors().request(&from.address, now).map_err(|wait_ms| Problem::rate_limited(seconds(wait_ms)))?;
    if site.bans(&from.address) {
        return Err(banned());
    }
    if headers.contains_key(ORIGIN) && !is_our_panel(front, headers) {
        return Err(Problem::wrong_origin());
    }
    Ok(())
}

/// Was this sent by a page of our own?
pub fn is_our_panel(front: &Front, headers: &HeaderMap) -> bool {
    crate::auth::is_ours(headers, &front.config)
}

/// Our own origin, as the embedding page of the test page or of a panel that was opened by itself.
pub fn own_origin(front: &Front, headers: &HeaderMap) -> String {
    front.config.public_url.clone().unwrap_or_else(|| own_base(headers, &front.config))
}

/// Nothing is taken from this address.
pub fn banned() -> Problem {
    Problem::forbidden("banned", "Chat is not available for you.")
}

/// Milliseconds as seconds, at least one.
pub fn seconds(wait_ms: i64) -> i64 {
    (wait_ms.max(1) + 999) / 1_000
}
