//! Who is signed in: the cookie, the extractor that handlers ask for, and the origin check for requests that change
//! something. Rights are asked in the desk.

use crate::error::Problem;
use crate::front::{Caller, Config, Front, own_base};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use desk::Who;
use desk::people::login;
use http::header::{COOKIE, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use model::LoginSessionId;

/// The cookie's name.
pub const COOKIE_NAME: &str = "continuo_login";
/// How long a browser keeps it; the server's own limit is shorter and slides.
const COOKIE_AGE_S: i64 = 400 * 24 * 3_600;

/// A signed-in agent. A handler that takes this answers 401 to everybody else.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedIn {
    /// The agent.
    pub who: Who,
    /// The login session.
    pub session: LoginSessionId,
}

impl SignedIn {
    /// The form that the desk knows.
    pub fn login(&self) -> desk::people::SignedIn {
        desk::people::SignedIn { who: self.who.clone(), session: self.session }
    }
}

impl FromRequestParts<Front> for SignedIn {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Problem> {
        find(front, &parts.headers).await?.ok_or_else(Problem::not_signed_in)
    }
}

/// Who is signed in, if anybody.
pub async fn find(front: &Front, headers: &HeaderMap) -> Result<Option<SignedIn>, Problem> {
    for token in tokens(headers) {
        if let Some(found) = login::find(&front.desk, token).await? {
            return Ok(Some(SignedIn { who: found.who, session: found.session }));
        }
    }
    Ok(None)
}

// A parent domain may have set a cookie of the same name: at most a few are looked at.
fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value)
        .take(3)
}

/// The cookie of a new login session.
pub fn cookie(token: &str, from: &Caller) -> HeaderValue {
    header(token, COOKIE_AGE_S, from)
}

/// The cookie that takes it back.
pub fn no_cookie(from: &Caller) -> HeaderValue {
    header("", 0, from)
}

fn header(value: &str, age_s: i64, from: &Caller) -> HeaderValue {
    let secure = if from.is_https() { "; Secure" } else { "" };
    let text = format!("{COOKIE_NAME}={value}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).expect("tokens are plain ASCII")
}

/// Lets a request that changes something through only when it comes from our own pages, or from no browser at all. The
/// widget's paths have a check of their own against the site's allow-list.
pub async fn check_origin(State(front): State<Front>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || is_ours(request.headers(), &front.config) {
        return next.run(request).await;
    }
    Problem::wrong_origin().into_response()
}

/// Does this request come from one of our own pages? Sockets ask this too: browsers let any page open one.
pub fn is_ours(headers: &HeaderMap, config: &Config) -> bool {
    if let Some(origin) = headers.get(ORIGIN) {
        let Ok(origin) = origin.to_str() else { return false };
        return same_host(origin, &own_base(headers, config)) || config.public_url.as_deref().is_some_and(|own| origin == own);
    }
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(site) => site == b"same-origin" || site == b"none",
        // A browser sends one of the two with every request that changes something: this is curl, with our cookie only
        // if its owner gave it.
        None => true,
    }
}

// The scheme is left out: behind a proxy that ends https without telling us, ours looks like http. The host with its
// port is what another site cannot have.
fn same_host(origin: &str, own: &str) -> bool {
    let host = |url: &str| url.split_once("://").map(|(_, host)| host.to_ascii_lowercase());
    let bare = |url: &str| host(url).map(|host| host.trim_end_matches(":443").trim_end_matches(":80").to_owned());
    bare(origin).is_some_and(|origin| !origin.is_empty() && Some(origin) == bare(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(pairs: &[(&'static str, &str)]) -> bool {
        let headers: HeaderMap =
            pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect();
        is_ours(&headers, &Config { public_url: Some("https://desk.example.com".into()), ..Config::default() })
    }

    #[test]
    fn only_our_own_pages_change_things() {
        let host = ("host", "localhost:8080");
        assert!(asks(&[host, ("origin", "http://localhost:8080")]));
        assert!(asks(&[host, ("origin", "https://desk.example.com")]));
        assert!(asks(&[host]), "curl");
        assert!(asks(&[host, ("sec-fetch-site", "same-origin")]));
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://localhost:8081",
            "http://localhost:8080.evil.example",
            "http://xdesk.example.com",
        ] {
            assert!(!asks(&[host, ("origin", origin)]), "{origin}");
        }
        assert!(!asks(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!asks(&[host, ("sec-fetch-site", "same-site")]), "a neighbour of our domain is not us");
    }

    #[test]
    fn cookies_are_read_by_name_and_written_tight() {
        let headers: HeaderMap =
            [(COOKIE, HeaderValue::from_static("a=1; continuo_login=tok; xcontinuo_login=no"))].into_iter().collect();
        assert_eq!(tokens(&headers).collect::<Vec<_>>(), ["tok"]);
        let from = Caller { address: String::new(), device: String::new(), base: "https://desk.example.com".into() };
        let text = cookie("tok", &from).to_str().unwrap().to_owned();
        assert_eq!(text, "continuo_login=tok; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax; Secure");
    }
}
