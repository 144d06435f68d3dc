//! HTTP to the other side: names are resolved here, every address is held against the rules, and the connection goes to
//! exactly those addresses. No redirect is followed, no proxy of the environment is asked, answers have a limit.

use crate::address::{AddressRefused, allowed};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
const WHOLE_TIME_MAX: Duration = Duration::from_secs(15);

/// Two clients, each made when it is first needed: one for the open internet, one that may go into private networks.
#[derive(Default)]
pub(crate) struct Http {
    strict: OnceLock<Result<Client, String>>,
    lax: OnceLock<Result<Client, String>>,
}

struct Guard {
    private: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            // The port is set by the connector; only addresses matter here.
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let addresses = allowed(&host, found, private)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn client(private: bool) -> Result<Client, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(Guard { private }))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIME_MAX)
        .timeout(WHOLE_TIME_MAX)
        .user_agent(concat!("Continuo/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())
}

/// Why nothing was asked at all.
#[derive(Debug)]
pub(crate) enum NotAsked {
    /// The address is not one that we may go to.
    Refused(String),
    /// Our own side is broken.
    Broken,
}

impl Http {
    fn of(&self, private: bool) -> Result<&Client, NotAsked> {
        let place = if private { &self.lax } else { &self.strict };
        place.get_or_init(|| client(private)).as_ref().map_err(|_| NotAsked::Broken)
    }

    /// A client for this address. A host that is an address already never meets the resolver, so it is held to the rules here.
    pub(crate) fn to(&self, address: &str, private: bool) -> Result<(&Client, Url), NotAsked> {
        let url = Url::parse(address).map_err(|error| NotAsked::Refused(error.to_string()))?;
        if url.scheme() != "https" && !(private && url.scheme() == "http") {
            return Err(NotAsked::Refused("only https is allowed".to_owned()));
        }
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        if let Ok(ip) = host.parse() {
            allowed(&host, vec![std::net::SocketAddr::new(ip, 0)], private)
                .map_err(|AddressRefused(text)| NotAsked::Refused(text))?;
        }
        Ok((self.of(private)?, url))
    }
}

/// Was it our own rule that stopped the connection? Then nothing was sent, and trying again will not help.
pub(crate) fn refused_by_rule(error: &reqwest::Error) -> Option<String> {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(refused) = inner.downcast_ref::<AddressRefused>() {
            return Some(refused.0.clone());
        }
        source = inner.source();
    }
    None
}

/// The body up to a limit; `None` when there is more.
pub(crate) async fn body(mut answer: reqwest::Response, bytes_max: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut bytes = vec![];
    while let Some(chunk) = answer.chunk().await? {
        if bytes.len() + chunk.len() > bytes_max {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}
