//! Opens or resumes a visit: the only place where identity is checked, and where a visitor token is made.

use super::items::{Viewer, items_of, unread_of};
use super::site::{self, Known, Site};
use super::{config, take};
use crate::Front;
use crate::body::Path;
use crate::error::Problem;
use crate::front::Caller;
use crate::types::cursor;
use crate::types::file::Files;
use axum::Json;
use axum::extract::State;
use channel_webchat::frames::{BegunConversation, BegunVerified};
use channel_webchat::identity::{IdentityError, new_visitor_id, verify_hmac, verify_jwt};
use channel_webchat::{Begin, Begun, ClientFrame, VerifiedIdentity, VisitorToken};
use desk::view::visitor;
use http::HeaderMap;
use model::Timestamp;
use store::StoreError;

/// Items that the first answer holds.
const ITEMS_MAX: usize = 50;

/// `POST /w/:site/visitors`.
pub async fn begin(
    State(front): State<Front>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    from: Caller,
    body: axum::body::Body,
) -> Result<Json<Begun>, Problem> {
    let site = site::find(&front, &slug).await?;
    site::check(&front, &site, &headers, &from)?;
    let begin = Begin::parse(&take::body(body).await?).map_err(take::problem)?;
    check_origin(&front, &site, &headers, &begin)?;
    let now = front.desk.now();
    let verified = verify(&site, &begin, now)?;
    if site.settings.identity.required && verified.is_none() {
        return Err(Problem::forbidden("identity_required", "Please sign in on this page to chat."));
    }
    let before = match begin.visitor_token.as_deref().filter(|_| begin.new != Some(true)) {
        Some(token) => Some(site::read_token(&front, &site, token, now)?),
        None => None,
    };
    let token = token_of(&front, &site, before, verified, &from, now)?;
    let known = Known { token };
    if let Some(values) = begin.claimed.clone().filter(|values| !values.is_empty()) {
        // What a page claims goes the way of every frame; its loss would only be a name that is shown later.
        if let Err(refused) = take::store(&front, &site, &known, &ClientFrame::Claim { values }).await {
            tracing::debug!(%refused, "a claim was not taken");
        }
    }
    begun(&front, &site, &known, &begin.locale).await.map(Json)
}

// The embedding page is what the loader says it is; the panel's frame-ancestors hold the browser to the same list.
fn check_origin(front: &Front, site: &Site, headers: &HeaderMap, begin: &Begin) -> Result<(), Problem> {
    if !site::is_our_panel(front, headers) {
        return Err(Problem::wrong_origin());
    }
    let own = site::own_origin(front, headers);
    let at_home =
        begin.host_origin.is_empty() || begin.host_origin.eq_ignore_ascii_case(&own) || is_same_host(&begin.host_origin, &own);
    if at_home || site.settings.allows_origin(&begin.host_origin) { Ok(()) } else { Err(Problem::wrong_origin()) }
}

fn is_same_host(a: &str, b: &str) -> bool {
    let host = |url: &str| url.split_once("://").map(|(_, host)| host.to_ascii_lowercase());
    host(a).is_some() && host(a) == host(b)
}

fn verify(site: &Site, begin: &Begin, now: Timestamp) -> Result<Option<VerifiedIdentity>, Problem> {
    let identity = &site.settings.identity;
    let found = match (&begin.jwt, &begin.identify_id, &begin.identify_hash) {
        (Some(jwt), ..) => verify_jwt(jwt, identity.jwt_algorithm, identity.jwt_public_key.as_deref(), &site.secrets(), now),
        (None, Some(id), Some(hash)) => verify_hmac(id, hash, &site.secrets(), now),
        // An id without its hash proves nothing, and is not even looked at.
        _ => return Ok(None),
    };
    found.map(Some).map_err(|error| match error {
        IdentityError::Expired => Problem::unauthorized("expired_identity", "The sign-in of the page has expired."),
        other => {
            Problem::unauthorized("forged_identity", "The sign-in of the page could not be checked.").detail(other.to_string())
        }
    })
}

fn token_of(
    front: &Front,
    site: &Site,
    before: Option<Known>,
    verified: Option<VerifiedIdentity>,
    from: &Caller,
    now: Timestamp,
) -> Result<VisitorToken, Problem> {
    // Another signed-in customer at the same browser is another visitor; their chats never mix.
    let same_person = |token: &VisitorToken| match (&token.verified, &verified) {
        (Some(then), Some(now)) => then.id == now.id,
        _ => true,
    };
    if let Some(known) = before.filter(|known| same_person(&known.token)) {
        // Still signed in as far as the token itself says, although this page load brought no proof.
        let verified = verified.or_else(|| known.verified(now).cloned());
        return Ok(VisitorToken::new(known.token.visitor_id, now).proven(verified));
    }
    let per_hour = site.settings.rates.visitors_per_address_per_hour;
    front
        .live
        .doors()
        .new_visitor(site.inbox(), &from.address, per_hour, now)
        .map_err(|wait_ms| Problem::rate_limited(site::seconds(wait_ms)))?;
    Ok(VisitorToken::new(new_visitor_id(&*front.desk.random), now).proven(verified))
}

async fn begun(front: &Front, site: &Site, known: &Known, locale: &str) -> Result<Begun, Problem> {
    let now = front.desk.now();
    let (workspace, who) = (site.workspace, known.visitor(site.inbox(), now));
    let signed_in = who.account.is_some();
    let (chat, entries, before, agent) = front
        .desk
        .db
        .read(move |tx| -> Result<_, StoreError> {
            let chat = visitor::chat(tx, workspace, &who)?;
            let (entries, before) = visitor::before(tx, workspace, &chat, signed_in, None, ITEMS_MAX)?;
            let agent = match chat.conversation.as_ref().and_then(|c| c.agent_id) {
                Some(id) => store::agent::find(tx, workspace, id)?.map(|agent| agent.name),
                None => None,
            };
            Ok((chat, entries, before, agent))
        })
        .await?;
    let files = Files::new(&front.desk, workspace);
    let names = site.settings.show_agents;
    let items = chat.conversation.as_ref().map_or_else(Vec::new, |row| items_of(&entries, row, &files, Viewer { names }));
    let key = site::visitor_keys(front).into_iter().next().ok_or_else(Problem::internal)?;
    Ok(Begun {
        visitor_token: known.token.sign(&key, workspace, site.inbox()),
        visitor_id: known.token.visitor_id.clone(),
        verified: known.verified(now).map(|verified| BegunVerified { level: verified.level, name: verified.name.clone() }),
        conversation: chat.conversation.map(|c| BegunConversation {
            id: c.id,
            seq: c.seq,
            status: c.status,
            agent_name: agent.filter(|_| names),
        }),
        unread: unread_of(&entries),
        items,
        before: before.map(cursor::write),
        config: config::of(front, site, locale).await?,
    })
}
