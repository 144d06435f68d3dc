//! `/t/:token`: the link by which a customer goes on with a conversation. Looking at it uses nothing up, since mail scanners
//! and previews look too; before the press it tells the name of the business and nothing else.

use super::form::Form;
use super::shell::escape;
use crate::Front;
use crate::body::Path;
use crate::error::Problem;
use crate::front::Caller;
use crate::widget::site;
use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use channel_webchat::VisitorToken;
use channel_webchat::identity::new_visitor_id;
use desk::handoff::{self, Opened, Redeemed, Visiting};
use desk::placement::token::reply_token;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use model::{Channel, InboxId, WorkspaceId};

// The chat stands in a frame of our own; nothing comes from anywhere else.
const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; frame-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

/// Routes of this file.
pub fn router() -> Router<Front> {
    Router::new().route("/t/{token}", get(show).post(go_on))
}

fn page(status: StatusCode, business: &str, body: &str, chat: Option<&str>) -> Response {
    let title = if business.is_empty() { "Continue" } else { business };
    let loader = chat.map_or_else(String::new, |site| format!("<script src=\"/w/{}.js\" defer></script>", escape(site)));
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <meta name=\"referrer\" content=\"same-origin\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/page.css\"><script src=\"/page.js\" defer></script>{loader}</head>\
         <body><main class=\"card\"><div class=\"mark\"><span>{title}</span></div>{body}</main></body></html>",
        title = escape(title),
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // No other site learns the link. With "no-referrer" a browser would press with the origin "null", which is nobody's.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// The page for who asks too often.
fn limit(front: &Front, caller: &Caller) -> Option<Response> {
    let waits = front.live.doors().link(&caller.address, front.desk.now());
    waits.err().map(|_| {
        let body = "<h1>Please wait a little</h1><p>There were too many tries from your network.</p>";
        page(StatusCode::TOO_MANY_REQUESTS, "", body, None)
    })
}

async fn show(State(front): State<Front>, Path(token): Path<String>, caller: Caller) -> Result<Response, Problem> {
    if let Some(wait) = limit(&front, &caller) {
        return Ok(wait);
    }
    let opened = handoff::peek(&front.desk, &token).await?;
    let Opened::Works { business, checklist, target, workspace, .. } = opened else { return Ok(closed(opened)) };
    let list = match &checklist[..] {
        [] => String::new(),
        items => format!("<p>Have at hand: {}</p>", escape(&items.join(", "))),
    };
    // The browser's own visit, if it has one here: then the two histories become one.
    let chat = match target {
        Some(inbox) => {
            site_of(&front, workspace, inbox).await.map_or_else(String::new, |slug| format!(" data-chat=\"{}\"", escape(&slug)))
        }
        None => String::new(),
    };
    let body = format!(
        "<h1>Go on with your conversation here</h1><p>We will pick up where you left off.</p>{list}\
         <form method=\"post\"{chat}><input type=\"hidden\" name=\"visit\" value=\"\">\
         <button class=\"button\" type=\"submit\">Go on</button></form>\
         <p class=\"hint\">Not you? Close this page.</p>"
    );
    Ok(page(StatusCode::OK, &business, &body, None))
}

async fn site_of(front: &Front, workspace: WorkspaceId, inbox: InboxId) -> Option<String> {
    site::of_inbox(front, workspace, inbox).await.ok()?.open.inbox.site.clone()
}

fn closed(opened: Opened) -> Response {
    match opened {
        Opened::Used { business, .. } => {
            let body = "<h1>This link was used already</h1><p>It worked once. Your conversation is not lost: go on where you opened \
                it, or write to us again and ask for a new link.</p>";
            page(StatusCode::GONE, &business, body, None)
        }
        Opened::Over { business } => {
            let body = "<h1>This link has run out</h1><p>Your conversation is not lost. Write to us where you wrote before, and we \
                will send you a new one.</p>";
            page(StatusCode::GONE, &business, body, None)
        }
        Opened::Unknown | Opened::Works { .. } => {
            let body = "<h1>This link does not open</h1><p>It may be cut: please open it from the whole message, or ask for a new \
                one.</p>";
            page(StatusCode::NOT_FOUND, "", body, None)
        }
    }
}

async fn go_on(State(front): State<Front>, Path(token): Path<String>, caller: Caller, form: Form) -> Result<Response, Problem> {
    if let Some(wait) = limit(&front, &caller) {
        return Ok(wait);
    }
    let opened = handoff::peek(&front.desk, &token).await?;
    let Opened::Works { business, target, workspace, channel, .. } = opened else { return Ok(closed(opened)) };
    let chat = match (channel, target) {
        (Some(Channel::Webchat), Some(inbox)) => site::of_inbox(&front, workspace, inbox).await.ok(),
        _ => None,
    };
    let now = front.desk.now();
    let visit = chat.as_ref().map(|site| {
        let known = site::read_token(&front, site, form.get("visit"), now).ok();
        known.map_or_else(|| VisitorToken::new(new_visitor_id(&*front.desk.random), now), |known| known.token)
    });
    let visiting = chat
        .as_ref()
        .zip(visit.as_ref())
        .map(|(site, visit)| Visiting { inbox: site.inbox(), visitor: visit.visitor_id.clone() });
    let redeemed = match handoff::open_link(&front.desk, &token, visiting).await? {
        Ok(redeemed) => redeemed,
        // Somebody was faster: two presses at once.
        Err(opened) => return Ok(closed(opened)),
    };
    if let (Some(site), Some(visit)) = (chat, visit) {
        let key = site::visitor_keys(&front).into_iter().next().ok_or_else(Problem::internal)?;
        let slug = site.open.inbox.site.clone().unwrap_or_default();
        let words = if redeemed.linked {
            "<h1>You are back in your conversation</h1><p>The chat opens here. It goes on where you left off.</p>"
        } else {
            "<h1>Welcome to our chat</h1><p>The chat opens here. Please tell us who you are, and we go on together.</p>"
        };
        let body = format!(
            "{words}<p data-chat=\"{slug}\" data-visit=\"{token}\"><button class=\"button\" type=\"button\" data-open-chat>Open the chat</button></p>",
            slug = escape(&slug),
            token = escape(&visit.sign(&key, workspace, site.inbox())),
        );
        return Ok(page(StatusCode::OK, &business, &body, Some(&slug)));
    }
    elsewhere(&front, workspace, &business, target, &redeemed).await
}

/// Where no page of ours can go on: the words that say how.
async fn elsewhere(
    front: &Front,
    workspace: WorkspaceId,
    business: &str,
    target: Option<InboxId>,
    redeemed: &Redeemed,
) -> Result<Response, Problem> {
    let confirmed = if redeemed.linked { "<h1>Thank you, that worked</h1>" } else { "<h1>Thank you</h1>" };
    let open = match target {
        Some(inbox) => front.desk.directory.open(&front.desk, workspace, inbox).await.ok(),
        None => None,
    };
    let own = open.as_ref().and_then(|open| open.channel.own_address(&open.settings));
    let way = match (own, &open) {
        (Some(own), _) => {
            // An answer to this address lands in the same conversation, whoever opened the link.
            let token = reply_token(&front.desk.keys, workspace, redeemed.conversation);
            let address = own.with_token(&token).filter(|_| redeemed.linked).unwrap_or(own.address);
            format!(
                "<p>Write to us by email; it goes on in the same conversation.</p><p><a class=\"button\" href=\"mailto:{0}\">{0}</a></p>",
                escape(&address)
            )
        }
        (None, Some(open)) => {
            format!("<p>Please write to us on {} now; it goes on in the same conversation.</p>", escape(&open.inbox.name))
        }
        (None, None) => "<p>Please go on writing where you wrote before.</p>".to_owned(),
    };
    Ok(page(StatusCode::OK, business, &format!("{confirmed}{way}"), None))
}
