//! The settings of an e-mail inbox: addresses, servers, how to sign in, which folders are watched, limits. In: JSON as an
//! admin gave it. Out: typed settings, or one sentence that says which field is wrong. Secrets are only named here.

use channel::{InboxSettings, SettingsRefused};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::net::IpAddr;

/// Secret: the password for IMAP, and for SMTP when `SMTP_PASSWORD` is absent.
pub const PASSWORD: &str = "password";
/// Secret: the password for SMTP when it differs.
pub const SMTP_PASSWORD: &str = "smtp_password";
/// Secret: the OAuth refresh token; providers may replace it at any refresh.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// Secret: the OAuth client secret, for providers that gave one.
pub const CLIENT_SECRET: &str = "oauth_client_secret";

/// Mails above this stay on the server; headers and a note come in. An IMAP reader holds one mail in memory.
pub const FETCH_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// Encoded size that most providers take (email.md 12).
pub const MESSAGE_BYTES_MAX: u64 = 25 * 1024 * 1024;

/// Settings of an inbox of kind `email`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailSettings {
    /// The provider that these settings were filled from.
    pub preset: Option<String>,
    /// The inbox's own address.
    pub address: String,
    /// Name that customers see beside the address.
    pub from_name: Option<String>,
    /// More addresses that lead here.
    pub aliases: Vec<String>,
    /// Fetch by IMAP. Absent: yes when there is an IMAP server.
    pub pull: Option<bool>,
    /// Mail only comes in by forwarding to our LMTP door; there is no account to read.
    pub forwarding_only: bool,
    /// Where mail is read.
    pub imap: Option<Server>,
    /// Where mail is handed over for sending. Absent: this inbox cannot send.
    pub smtp: Option<Server>,
    /// How both servers are convinced.
    pub sign_in: SignInMethod,
    /// Which folders are watched beside INBOX.
    pub folders: Folders,
    /// A mail larger than this is not fetched whole.
    pub fetch_bytes_max: u64,
    /// A mail larger than this (encoded) is not sent.
    pub message_bytes_max: u64,
    /// PEM of a private certificate authority that signs the mail servers' certificates.
    pub trusted_ca: Option<String>,
    /// Mail to `name+anything@` arrives. Learned by the check.
    pub plus_addressing: Option<bool>,
    /// The name under which the provider writes Authentication-Results. Learned by the check.
    pub authserv_id: Option<String>,
    /// The provider puts sent mail into Sent by itself. Learned by the check.
    pub keeps_sent_copies: Option<bool>,
    /// Settings that others read (signatures, DKIM): kept as they are.
    #[serde(flatten)]
    pub more: Map<String, Json>,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            preset: None,
            address: String::new(),
            from_name: None,
            aliases: vec![],
            pull: None,
            forwarding_only: false,
            imap: None,
            smtp: None,
            sign_in: SignInMethod::Password,
            folders: Folders::default(),
            fetch_bytes_max: FETCH_BYTES_MAX,
            message_bytes_max: MESSAGE_BYTES_MAX,
            trusted_ca: None,
            plus_addressing: None,
            authserv_id: None,
            keeps_sent_copies: None,
            more: Map::new(),
        }
    }
}

/// A mail server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: TlsMode,
    /// Name to sign in with, when it is not the inbox's address.
    #[serde(default)]
    pub login_name: Option<String>,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsMode {
    /// TLS from the first byte (993, 465).
    #[default]
    Implicit,
    /// Plain at first, then STARTTLS, which must succeed (143, 587).
    Starttls,
    /// None at all: only inside one's own network.
    None,
}

/// How the account is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum SignInMethod {
    /// Name and password.
    #[default]
    Password,
    /// OAuth 2, by the provider's end points.
    Oauth(OauthSettings),
}

/// OAuth 2 by end points, so that any provider works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OauthSettings {
    /// How the token is shown to the mail server.
    pub mechanism: OauthMechanism,
    /// Where a browser asks for access.
    pub authorize_url: String,
    /// Where codes and refresh tokens become access tokens.
    pub token_url: String,
    /// Where a device code is asked for; absent: the provider has none.
    pub device_url: Option<String>,
    /// Our name at the provider.
    pub client_id: String,
    /// What we ask for.
    pub scopes: Vec<String>,
    /// More parameters of the authorisation address, such as `access_type=offline`.
    pub authorize_params: std::collections::BTreeMap<String, String>,
}

/// SASL mechanism that carries an access token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OauthMechanism {
    /// What Google and Microsoft speak.
    #[default]
    Xoauth2,
    /// RFC 7628.
    Oauthbearer,
}

/// Folders that are watched beside INBOX.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Folders {
    /// Name of the Sent folder; absent: the server says which it is, else its usual names.
    pub sent: Option<String>,
    /// Name of the Junk folder; absent: as above.
    pub junk: Option<String>,
    /// Answers written in a mail program appear as ours.
    pub watch_sent: bool,
    /// Nothing is lost in Junk.
    pub watch_junk: bool,
    /// More folders to read.
    pub others: Vec<String>,
}

impl Default for Folders {
    fn default() -> Self {
        Self { sent: None, junk: None, watch_sent: true, watch_junk: true, others: vec![] }
    }
}

impl Server {
    /// A server with the usual protection of its port.
    pub fn new(host: &str, port: u16, tls: TlsMode) -> Self {
        Self { host: host.to_owned(), port, tls, login_name: None }
    }
}

impl MailSettings {
    /// The settings of an inbox, as they were stored.
    pub fn of(inbox: &InboxSettings) -> Result<Self, SettingsRefused> {
        Self::read(&inbox.settings)
    }

    /// Reads settings from JSON.
    pub fn read(settings: &Json) -> Result<Self, SettingsRefused> {
        serde_json::from_value(settings.clone()).map_err(|error| refused("settings", format!("cannot be read: {error}")))
    }

    /// Whether mail is fetched by IMAP.
    pub fn pulls(&self) -> bool {
        self.imap.is_some() && !self.forwarding_only && self.pull.unwrap_or(true)
    }

    /// The name to sign in with at a server.
    pub fn login_name<'a>(&'a self, server: &'a Server) -> &'a str {
        server.login_name.as_deref().unwrap_or(&self.address)
    }

    /// The domain of the address.
    pub fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

fn refused(field: &str, text: impl Into<String>) -> SettingsRefused {
    SettingsRefused { field: field.to_owned(), text: text.into() }
}

/// Checks settings before they are stored and fills in what is missing.
pub fn validate(settings: &Json) -> Result<Json, SettingsRefused> {
    let mut mail = MailSettings::read(settings)?;
    mail.address = mail.address.trim().to_owned();
    check_address("address", &mail.address)?;
    for alias in &mut mail.aliases {
        *alias = alias.trim().to_owned();
        check_address("aliases", alias)?;
    }
    for (field, server) in [("imap", &mut mail.imap), ("smtp", &mut mail.smtp)] {
        if let Some(server) = server {
            check_server(field, server)?;
        }
    }
    if mail.imap.is_none() && mail.pull == Some(true) {
        return Err(refused("imap", "name the IMAP server, or set pull to false when mail comes in by LMTP or forwarding"));
    }
    if mail.forwarding_only && mail.pull == Some(true) {
        return Err(refused("pull", "an inbox that only gets forwarded mail has nothing to fetch; choose one of the two"));
    }
    if let SignInMethod::Oauth(oauth) = &mut mail.sign_in {
        check_oauth(oauth)?;
    }
    check_folders(&mut mail.folders)?;
    check_bytes("fetch_bytes_max", mail.fetch_bytes_max, 256 * 1024 * 1024)?;
    check_bytes("message_bytes_max", mail.message_bytes_max, 150 * 1024 * 1024)?;
    if let Some(pem) = &mail.trusted_ca
        && crate::wire::certificates(pem).is_empty()
    {
        return Err(refused(
            "trusted_ca",
            "holds no certificate; paste the PEM text that begins with -----BEGIN CERTIFICATE-----",
        ));
    }
    mail.pull = Some(mail.pulls());
    serde_json::to_value(&mail).map_err(|error| refused("settings", format!("cannot be stored: {error}")))
}

fn check_address(field: &str, address: &str) -> Result<(), SettingsRefused> {
    let wrong = |text: &str| Err(refused(field, format!("{address:?} is no e-mail address: {text}")));
    if address.len() > 254 {
        return wrong("it is longer than 254 characters");
    }
    let Some((local, domain)) = address.rsplit_once('@') else { return wrong("write it like support@example.com") };
    if local.is_empty()
        || local.len() > 64
        || local.contains(|c: char| c.is_whitespace() || c.is_control() || "<>(),:;\"[]\\@".contains(c))
    {
        return wrong("the part before the @ has characters that cannot stand there");
    }
    if !is_host(domain) {
        return wrong("the part behind the @ is no domain");
    }
    Ok(())
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
        })
}

fn check_server(field: &str, server: &mut Server) -> Result<(), SettingsRefused> {
    server.host = server.host.trim().trim_end_matches('.').to_owned();
    let ip = server.host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    if ip.is_none() && !is_host(&server.host) {
        return Err(refused(
            &format!("{field}.host"),
            format!("{:?} is no server name; write it like mail.example.com, without https:// and without a port", server.host),
        ));
    }
    if server.port == 0 {
        return Err(refused(&format!("{field}.port"), "a port is a number from 1 to 65535"));
    }
    if server.tls == TlsMode::None && !is_near(&server.host, ip) {
        return Err(refused(
            &format!("{field}.tls"),
            format!(
                "the password would travel readable to {}; choose implicit TLS or STARTTLS. Without TLS only servers in your own network are allowed.",
                server.host
            ),
        ));
    }
    if server.login_name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        server.login_name = None;
    }
    if let Some(name) = &server.login_name
        && (name.len() > 254 || name.contains(char::is_control))
    {
        return Err(refused(&format!("{field}.login_name"), "has characters that cannot stand in a name"));
    }
    Ok(())
}

/// This computer or a network of one's own.
pub(crate) fn is_near(host: &str, ip: Option<IpAddr>) -> bool {
    match ip {
        Some(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
        None => !host.contains('.'),
    }
}

fn check_oauth(oauth: &mut OauthSettings) -> Result<(), SettingsRefused> {
    for (field, url, must) in [
        ("sign_in.authorize_url", Some(&oauth.authorize_url), false),
        ("sign_in.token_url", Some(&oauth.token_url), true),
        ("sign_in.device_url", oauth.device_url.as_ref(), false),
    ] {
        let url = url.map_or("", String::as_str);
        if url.is_empty() && !must {
            continue;
        }
        let parsed = reqwest::Url::parse(url).map_err(|_| {
            refused(field, format!("{url:?} is no address of a web page; write it like https://provider.example/token"))
        })?;
        let host = parsed.host_str().unwrap_or_default();
        let loopback = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) || host == "localhost";
        if parsed.scheme() != "https" && !(parsed.scheme() == "http" && loopback) {
            return Err(refused(field, "must begin with https://, because tokens travel to it"));
        }
    }
    if oauth.client_id.trim().is_empty() {
        return Err(refused(
            "sign_in.client_id",
            "is missing: register Continuo at the provider and paste the client id that it shows",
        ));
    }
    if oauth.authorize_url.is_empty() && oauth.device_url.is_none() {
        return Err(refused(
            "sign_in.authorize_url",
            "name the provider's authorisation address, its device-code address, or both",
        ));
    }
    if oauth.device_url.as_deref() == Some("") {
        oauth.device_url = None;
    }
    Ok(())
}

fn check_folders(folders: &mut Folders) -> Result<(), SettingsRefused> {
    let names = [&mut folders.sent, &mut folders.junk].into_iter().flatten();
    for name in names.chain(folders.others.iter_mut()) {
        if name.trim().is_empty() || name.len() > 500 || name.contains(char::is_control) {
            return Err(refused("folders", format!("{name:?} is no folder name")));
        }
    }
    if folders.others.len() > 20 {
        return Err(refused("folders.others", "at most 20 more folders can be watched"));
    }
    Ok(())
}

fn check_bytes(field: &str, bytes: u64, most: u64) -> Result<(), SettingsRefused> {
    if (64 * 1024..=most).contains(&bytes) {
        return Ok(());
    }
    Err(refused(field, format!("must lie between 65536 and {most} bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn valid() -> Json {
        json!({
            "address": " support@shop.test ",
            "imap": {"host": "imap.shop.test", "port": 993},
            "smtp": {"host": "smtp.shop.test.", "port": 587, "tls": "starttls", "login_name": " "},
            "dkim_domain": "shop.test",
        })
    }

    #[test]
    fn what_is_missing_is_filled_in_and_what_others_read_is_kept() {
        let stored = validate(&valid()).unwrap();
        assert_eq!(stored["address"], "support@shop.test");
        assert_eq!(stored["imap"]["tls"], "implicit");
        assert_eq!(stored["smtp"]["host"], "smtp.shop.test");
        assert_eq!(stored["smtp"]["login_name"], Json::Null);
        assert_eq!((&stored["pull"], &stored["dkim_domain"]), (&json!(true), &json!("shop.test")));
        assert_eq!(stored["sign_in"], json!({"method": "password"}));
        assert_eq!(validate(&stored).unwrap(), stored, "checking twice changes nothing");
    }

    #[test]
    fn an_inbox_without_an_account_pulls_nothing() {
        let stored = validate(&json!({"address": "a@b.test", "forwarding_only": true})).unwrap();
        assert_eq!(stored["pull"], false);
    }

    #[test]
    fn each_wrong_field_is_named_with_the_way_out() {
        let cases = [
            (json!({"address": "support"}), "address", "write it like"),
            (json!({"address": "a b@shop.test"}), "address", "before the @"),
            (json!({"address": "a@-shop"}), "address", "no domain"),
            (json!({"aliases": ["x"]}), "aliases", "no e-mail address"),
            (json!({"imap": {"host": "https://x.test", "port": 993}}), "imap.host", "without https://"),
            (json!({"imap": {"host": "x.test", "port": 0}}), "imap.port", "1 to 65535"),
            (json!({"smtp": {"host": "x.test", "port": 25, "tls": "none"}}), "smtp.tls", "readable"),
            (json!({"imap": null, "pull": true}), "imap", "LMTP"),
            (json!({"forwarding_only": true, "pull": true}), "pull", "choose one"),
            (
                json!({"sign_in": {"method": "oauth", "token_url": "http://x.test/t", "client_id": "c"}}),
                "sign_in.token_url",
                "https://",
            ),
            (json!({"sign_in": {"method": "oauth", "token_url": "https://x.test/t"}}), "sign_in.client_id", "client id"),
            (
                json!({"sign_in": {"method": "oauth", "token_url": "https://x.test/t", "client_id": "c"}}),
                "sign_in.authorize_url",
                "device-code",
            ),
            (json!({"folders": {"others": [""]}}), "folders", "no folder name"),
            (json!({"fetch_bytes_max": 1}), "fetch_bytes_max", "between"),
            (json!({"trusted_ca": "hello"}), "trusted_ca", "BEGIN CERTIFICATE"),
            (json!({"imap": 7}), "settings", "cannot be read"),
        ];
        for (patch, field, words) in cases {
            let mut settings = valid();
            for (key, value) in patch.as_object().unwrap() {
                settings[key] = value.clone();
            }
            let refused = validate(&settings).expect_err(field);
            assert_eq!(refused.field, field, "{refused}");
            assert!(refused.text.contains(words), "{refused}");
        }
    }

    #[test]
    fn no_tls_is_allowed_inside_ones_own_network_only() {
        for (host, fine) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("10.1.2.3", true),
            ("postfix", true),
            ("8.8.8.8", false),
            ("mail.shop.test", false),
        ] {
            let mut settings = valid();
            settings["imap"] = json!({"host": host, "port": 143, "tls": "none"});
            assert_eq!(validate(&settings).is_ok(), fine, "{host}");
        }
    }
}
