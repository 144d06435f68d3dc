//! What every handler is given, and what it may know about the request: who sent it, from where, under which address.

use crate::live::Live;
use axum::extract::{ConnectInfo, FromRequestParts};
use desk::Desk;
use http::HeaderMap;
use http::header::{HOST, USER_AGENT};
use http::request::Parts;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The state of the router. Cheap to clone.
#[derive(Clone)]
pub struct Front {
    /// The product.
    pub desk: Desk,
    /// How this server is reached.
    pub config: Arc<Config>,
    /// Sockets of agents and visitors. `live.run(..)` must run somewhere, or they hear nothing.
    pub live: Live,
}

impl Front {
    /// The state of a server.
    pub fn new(desk: Desk, config: Config) -> Self {
        Self { live: Live::new(&desk), desk, config: Arc::new(config) }
    }
}

/// How this server is reached.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address for the outside, such as `https://desk.example.com`, without slash at the end. None: as the browser says.
    pub public_url: Option<String>,
    /// A proxy of ours stands in front: its `X-Forwarded-*` headers are believed. Without one they are anybody's word.
    pub behind_proxy: bool,
    /// Time zone of the server, offered in set-up.
    pub time_zone: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { public_url: None, behind_proxy: false, time_zone: "UTC".to_owned() }
    }
}

/// Where a request came from, as far as headers and socket tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Network address of the client.
    pub address: String,
    /// What the browser says it is.
    pub device: String,
    /// `http://host:port` or `https://host` as the browser sees us, without slash at the end.
    pub base: String,
}

impl Caller {
    /// True when the browser speaks https with us.
    pub fn is_https(&self) -> bool {
        self.base.starts_with("https://")
    }
}

impl FromRequestParts<Front> for Caller {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, front: &Front) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        Ok(Self {
            address: client(&parts.headers, peer, &front.config),
            device: text(&parts.headers, USER_AGENT.as_str()).unwrap_or_default().to_owned(),
            base: base(&parts.headers, &front.config),
        })
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

// The last hop is what our own proxy added; everything before it is the client's word.
fn client(headers: &HeaderMap, peer: Option<IpAddr>, config: &Config) -> String {
    let forwarded = config.behind_proxy.then(|| headers.get_all("x-forwarded-for").iter().next_back()).flatten();
    let forwarded = forwarded.and_then(|value| value.to_str().ok()).and_then(|value| value.rsplit(',').next());
    let address = forwarded.and_then(|text| text.trim().parse::<IpAddr>().ok()).or(peer);
    address.map_or_else(|| "unknown".to_owned(), |address| address.to_canonical().to_string())
}

/// Our own address for links: the one that was set, else the one that the browser used.
pub fn base(headers: &HeaderMap, config: &Config) -> String {
    if let Some(url) = &config.public_url {
        return url.clone();
    }
    own_base(headers, config)
}

/// The address that this very request was sent to.
pub fn own_base(headers: &HeaderMap, config: &Config) -> String {
    let forwarded = |name| config.behind_proxy.then(|| text(headers, name)).flatten().map(last_of);
    let scheme = forwarded("x-forwarded-proto").filter(|scheme| *scheme == "https").unwrap_or("http");
    let host = forwarded("x-forwarded-host").or_else(|| text(headers, HOST.as_str())).unwrap_or("localhost");
    // Goes into pages and snippets: only what a host can be made of.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]_".contains(c);
    let host = if !host.is_empty() && host.len() <= 255 && host.chars().all(plain) { host } else { "localhost" };
    format!("{scheme}://{}", host.to_ascii_lowercase())
}

fn last_of(list: &str) -> &str {
    list.rsplit(',').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn forwarded_headers_count_only_behind_our_own_proxy() {
        let all = headers(&[
            ("host", "desk.internal:8080"),
            ("x-forwarded-host", "desk.example.com"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-for", "203.0.113.9, 198.51.100.7"),
        ]);
        let peer = Some("192.0.2.1".parse().unwrap());
        let bare = Config::default();
        assert_eq!(own_base(&all, &bare), "http://desk.internal:8080");
        assert_eq!(client(&all, peer, &bare), "192.0.2.1");
        let proxied = Config { behind_proxy: true, ..Config::default() };
        assert_eq!(own_base(&all, &proxied), "https://desk.example.com");
        assert_eq!(client(&all, peer, &proxied), "198.51.100.7", "the hop that our proxy added");
    }

    #[test]
    fn a_hostile_host_does_not_get_into_pages() {
        let evil = headers(&[("host", "x\"><script>alert(1)</script>")]);
        assert_eq!(own_base(&evil, &Config::default()), "http://localhost");
        let set = Config { public_url: Some("https://desk.example.com".into()), ..Config::default() };
        assert_eq!(base(&evil, &set), "https://desk.example.com");
    }
}
