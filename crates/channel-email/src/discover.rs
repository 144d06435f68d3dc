//! Finds the servers of an address: by the domain, by the mail exchangers of the domain, by SRV records (RFC 6186, 8314), by
//! the provider's autoconfiguration file and the public collection of such files, and at last by trying the usual names. What
//! does not answer is left out; nothing here is trusted further than as a proposal that an admin sees.

use crate::presets::{self, PROVIDERS};
use crate::settings::{Server, TlsMode};
use crate::sign_in;
use crate::wire::{self, Wire};
use channel::{
    AuthorizeRequest, DeviceCode, DevicePoll, Discovered, Fut, InboxSettings, Preset, SecretText, SetUp, SettingsRefused,
    SignInError, Tokens,
};
use mail_auth::hickory_resolver::proto::rr::{RData, RecordType};
use serde_json::json;
use std::time::Duration;

const ASK_LIMIT: Duration = Duration::from_secs(5);
const FILE_BYTES_MAX: usize = 64 * 1024;
// Mozilla's collection, which all providers of some size are in.
const COLLECTION: &str = "https://autoconfig.thunderbird.net/v1.1/";

impl SetUp for Wire {
    fn presets(&self) -> Vec<Preset> {
        PROVIDERS.iter().map(presets::Provider::preset).collect()
    }

    fn discover<'a>(&'a self, address: &'a str) -> Fut<'a, Option<Discovered>> {
        Box::pin(async move {
            let (local, domain) = address.trim().rsplit_once('@')?;
            let domain = idna::domain_to_ascii(domain).ok().filter(|domain| domain.contains('.'))?;
            if local.is_empty() {
                return None;
            }
            if let Some(provider) = presets::by_domain(&domain) {
                return Some(known(provider, "domain"));
            }
            if let Some(provider) = self.exchangers(&domain).await.iter().find_map(|host| presets::by_exchanger(host)) {
                return Some(known(provider, "mx"));
            }
            if let Some(found) = self.by_srv(&domain).await {
                return Some(found);
            }
            if let Some(found) = self.by_files(address.trim(), &domain).await {
                return Some(found);
            }
            self.by_trying(&domain).await
        })
    }

    fn authorize_url(&self, inbox: &InboxSettings, request: &AuthorizeRequest) -> Result<String, SettingsRefused> {
        sign_in::authorize_url(inbox, request)
    }

    fn exchange<'a>(
        &'a self,
        inbox: &'a InboxSettings,
        code: &'a str,
        request: &'a AuthorizeRequest,
    ) -> Fut<'a, Result<Tokens, SignInError>> {
        Box::pin(self.exchange_code(inbox, code, request))
    }

    fn begin_device<'a>(&'a self, inbox: &'a InboxSettings) -> Fut<'a, Result<DeviceCode, SignInError>> {
        Box::pin(self.device_begin(inbox))
    }

    fn poll_device<'a>(
        &'a self,
        inbox: &'a InboxSettings,
        device_code: &'a SecretText,
    ) -> Fut<'a, Result<DevicePoll, SignInError>> {
        Box::pin(self.device_poll(inbox, device_code))
    }
}

fn known(provider: &presets::Provider, by: &str) -> Discovered {
    let preset = provider.preset();
    Discovered {
        preset: Some(preset.id),
        name: preset.name,
        by: by.to_owned(),
        settings: preset.settings,
        sign_in: preset.sign_in,
    }
}

fn found(by: &str, name: &str, imap: &Server, smtp: Option<&Server>) -> Discovered {
    Discovered {
        preset: None,
        name: name.to_owned(),
        by: by.to_owned(),
        settings: json!({"preset": "other", "imap": imap, "smtp": smtp}),
        sign_in: vec!["password".to_owned()],
    }
}

impl Wire {
    async fn exchangers(&self, domain: &str) -> Vec<String> {
        let mut hosts: Vec<(u16, String)> = Vec::new();
        for record in self.records(&format!("{domain}."), RecordType::MX).await {
            if let RData::MX(mx) = record {
                hosts.push((mx.preference, mx.exchange.to_ascii()));
            }
        }
        hosts.sort();
        hosts.into_iter().map(|(_, host)| host).collect()
    }

    async fn records(&self, name: &str, kind: RecordType) -> Vec<RData> {
        let Ok(resolver) = self.resolver() else { return vec![] };
        match tokio::time::timeout(ASK_LIMIT, resolver.lookup(name, kind)).await {
            Ok(Ok(lookup)) => lookup.answers().iter().map(|record| record.data.clone()).collect(),
            _ => vec![],
        }
    }

    async fn by_srv(&self, domain: &str) -> Option<Discovered> {
        let imap = match self.service("_imaps._tcp", domain, TlsMode::Implicit).await {
            Some(server) => server,
            None => self.service("_imap._tcp", domain, TlsMode::Starttls).await?,
        };
        let smtp = match self.service("_submissions._tcp", domain, TlsMode::Implicit).await {
            Some(server) => Some(server),
            None => self.service("_submission._tcp", domain, TlsMode::Starttls).await,
        };
        Some(found("srv", domain, &imap, smtp.as_ref()))
    }

    async fn service(&self, service: &str, domain: &str, tls: TlsMode) -> Option<Server> {
        let mut best: Option<(u16, u16, Server)> = None;
        for record in self.records(&format!("{service}.{domain}."), RecordType::SRV).await {
            let RData::SRV(srv) = record else { continue };
            let host = srv.target.to_ascii().trim_end_matches('.').to_owned();
            // A lone dot says: this service is not offered.
            if host.is_empty() {
                continue;
            }
            let better = best.as_ref().is_none_or(|(priority, weight, _)| {
                (srv.priority, std::cmp::Reverse(srv.weight)) < (*priority, std::cmp::Reverse(*weight))
            });
            if better {
                best = Some((srv.priority, srv.weight, Server::new(&host, srv.port, tls)));
            }
        }
        best.map(|(_, _, server)| server)
    }

    async fn by_files(&self, address: &str, domain: &str) -> Option<Discovered> {
        // The file in the collection is for everybody and gets no address.
        let with_address = format!("emailaddress={}", encoded(address));
        let places = [
            format!("https://autoconfig.{domain}/mail/config-v1.1.xml?{with_address}"),
            format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
            format!("{COLLECTION}{domain}"),
        ];
        for place in places {
            if let Some(text) = self.file(&place).await
                && let Some(found) = read_file(&text, address)
            {
                return Some(found);
            }
        }
        None
    }

    async fn file(&self, url: &str) -> Option<String> {
        let asking = async {
            let mut response = self.http().ok()?.get(url).send().await.ok()?;
            if !response.status().is_success() {
                return None;
            }
            let mut bytes = Vec::new();
            while let Some(piece) = response.chunk().await.ok()? {
                bytes.extend_from_slice(&piece);
                if bytes.len() > FILE_BYTES_MAX {
                    return None;
                }
            }
            String::from_utf8(bytes).ok()
        };
        tokio::time::timeout(ASK_LIMIT, asking).await.ok().flatten()
    }

    async fn by_trying(&self, domain: &str) -> Option<Discovered> {
        let imap = self.first_open(&[format!("imap.{domain}"), format!("mail.{domain}")], 993, TlsMode::Implicit).await?;
        let names = [format!("smtp.{domain}"), imap.host.clone()];
        let smtp = match self.first_open(&names, 465, TlsMode::Implicit).await {
            Some(server) => Some(server),
            None => self.first_open(&names, 587, TlsMode::Starttls).await,
        };
        Some(found("guess", domain, &imap, smtp.as_ref()))
    }

    async fn first_open(&self, hosts: &[String], port: u16, tls: TlsMode) -> Option<Server> {
        for host in hosts {
            let times = wire::Times { connect: Duration::from_secs(3), ..self.times() };
            if wire::connect(&times, host, port).await.is_ok() {
                return Some(Server::new(host, port, tls));
            }
        }
        None
    }
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// Reads Mozilla's file format as far as it names an IMAP and an SMTP server.
fn read_file(text: &str, address: &str) -> Option<Discovered> {
    let imap = servers(text, "incomingServer", "imap", address).into_iter().next()?;
    let smtp = servers(text, "outgoingServer", "smtp", address).into_iter().next();
    let name = element(text, "displayName").map(|(inner, _)| plain(inner)).filter(|name| !name.is_empty());
    let mut found = found("autoconfig", &name.unwrap_or_else(|| imap.host.clone()), &imap, smtp.as_ref());
    let block = element(text, "incomingServer").map_or("", |(inner, _)| inner);
    if block.contains("OAuth2") {
        found.sign_in.push("oauth".to_owned());
    }
    Some(found)
}

fn servers(text: &str, tag: &str, kind: &str, address: &str) -> Vec<Server> {
    let mut rest = text;
    let mut servers = Vec::new();
    while let Some(at) = rest.find(&format!("<{tag}")) {
        let block = &rest[at..];
        let head = block.split_once('>').map_or("", |(head, _)| head);
        let Some((inner, after)) = element(block, tag) else { break };
        rest = after;
        if !head.contains(&format!("\"{kind}\"")) && !head.contains(&format!("'{kind}'")) {
            continue;
        }
        let field = |name: &str| element(inner, name).map(|(value, _)| filled(&plain(value), address));
        let (Some(host), Some(port)) = (field("hostname"), field("port").and_then(|port| port.parse().ok())) else { continue };
        let tls = match field("socketType").as_deref() {
            Some("SSL") => TlsMode::Implicit,
            Some("STARTTLS") => TlsMode::Starttls,
            // A server that wants the password in the clear is no proposal.
            _ => continue,
        };
        let login_name = field("username").filter(|name| !name.is_empty() && name != address);
        servers.push(Server { login_name, ..Server::new(&host, port, tls) });
    }
    servers
}

/// What stands between `<tag ..>` and `</tag>`, and what comes after.
fn element<'t>(text: &'t str, tag: &str) -> Option<(&'t str, &'t str)> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(&format!("<{tag}"))?;
        let after = &text[at + 1 + tag.len()..];
        if after.starts_with(|c: char| c == '>' || c.is_whitespace()) {
            let inner = after.split_once('>')?.1;
            return inner.split_once(&format!("</{tag}>"));
        }
        from = at + 1;
    }
}

fn plain(text: &str) -> String {
    text.trim().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn filled(text: &str, address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    text.replace("%EMAILADDRESS%", address).replace("%EMAILLOCALPART%", local).replace("%EMAILDOMAIN%", domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<?xml version="1.0"?>
<clientConfig version="1.1">
  <emailProvider id="shop.test">
    <displayName>Shop &amp; Sons Mail</displayName>
    <incomingServer type="pop3"><hostname>pop.shop.test</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
    <incomingServer type="imap"><hostname>old.shop.test</hostname><port>143</port><socketType>plain</socketType></incomingServer>
    <incomingServer type="imap">
      <hostname>imap.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
      <username>%EMAILLOCALPART%</username><authentication>OAuth2</authentication>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>smtp.shop.test</hostname><port>587</port><socketType>STARTTLS</socketType><username>%EMAILADDRESS%</username>
    </outgoingServer>
  </emailProvider>
</clientConfig>"#;

    #[test]
    fn a_configuration_file_is_read() {
        let found = read_file(FILE, "support@shop.test").unwrap();
        assert_eq!((found.name.as_str(), found.by.as_str()), ("Shop & Sons Mail", "autoconfig"));
        assert_eq!(
            found.settings["imap"],
            json!({"host": "imap.shop.test", "port": 993, "tls": "implicit", "login_name": "support"})
        );
        assert_eq!(found.settings["smtp"], json!({"host": "smtp.shop.test", "port": 587, "tls": "starttls", "login_name": null}));
    }

    #[test]
    fn what_is_no_configuration_file_proposes_nothing() {
        let starts: Vec<&str> = (0..FILE.len()).filter(|at| FILE.is_char_boundary(*at)).map(|at| &FILE[..at]).collect();
        for text in starts.into_iter().chain(["<html>404</html>", "<incomingServer", "<incomingServer>></incomingServer>"]) {
            if let Some(found) = read_file(text, "a@b.test") {
                assert_eq!(found.settings["imap"]["port"], 993, "{text}");
            }
        }
    }
}
