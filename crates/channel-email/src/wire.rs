//! What all of mail transport shares: clock, randomness, TLS, HTTP, time limits, and the access tokens in memory. The adapter
//! holds one value for all inboxes; the traits `Pull`, `Stock`, `Listen`, `Reconcile` and `SetUp` are implemented on it in the
//! files of those jobs.

use crate::settings::MailSettings;
use channel::{PullError, SettingsRefused};
use mail_auth::hickory_resolver::TokioResolver;
use model::{Clock, InboxId, Random, Timestamp};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Time limits of mail transport. Tests shorten them.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Connecting, TLS included.
    pub connect: Duration,
    /// One command and its answer.
    pub command: Duration,
    /// Silence while a mail is being read.
    pub silence: Duration,
    /// The answer after the final dot (RFC 5321 wants ten minutes; a lease of ours is shorter).
    pub final_reply: Duration,
    /// IDLE is renewed: a connection that died silently is found by then.
    pub idle: Duration,
    /// The safety poll on a connection of its own.
    pub poll: Duration,
    /// How long the check waits for its own mail.
    pub probe: Duration,
    /// How long an LMTP peer may be silent.
    pub lmtp_silence: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            command: Duration::from_secs(60),
            silence: Duration::from_secs(60),
            final_reply: Duration::from_secs(120),
            idle: Duration::from_secs(300),
            poll: Duration::from_secs(90),
            probe: Duration::from_secs(60),
            lmtp_silence: Duration::from_secs(300),
        }
    }
}

/// Mail transport for all inboxes. Clones share one state.
#[derive(Clone)]
pub struct Wire(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    times: Times,
    resolver: Option<TokioResolver>,
    http: OnceLock<Result<reqwest::Client, String>>,
    tokens: Mutex<HashMap<InboxId, AccessToken>>,
    suspects: Mutex<HashMap<InboxId, Suspect>>,
}

/// An access token with its end.
#[derive(Clone)]
pub(crate) struct AccessToken {
    pub(crate) token: String,
    pub(crate) ends_at: Timestamp,
    /// Which refresh token and end point it came from: another sign-in makes it worthless.
    pub(crate) made_from: String,
}

/// Mails of one folder in whose fetching the connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub(crate) folder: String,
    pub(crate) uidvalidity: u32,
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// How often the server itself closed the connection over this mail alone.
    pub(crate) closed: u32,
    /// What it said.
    pub(crate) said: String,
}

impl Wire {
    /// Transport with the usual time limits and the system's name servers.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self::with(clock, random, Times::default(), None)
    }

    /// Transport with time limits and name servers of one's own.
    pub fn with(clock: Arc<dyn Clock>, random: Arc<dyn Random>, times: Times, resolver: Option<TokioResolver>) -> Self {
        Self(Arc::new(Shared {
            clock,
            random,
            times,
            resolver,
            http: OnceLock::new(),
            tokens: Mutex::default(),
            suspects: Mutex::default(),
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
    pub(crate) fn times(&self) -> Times {
        self.0.times
    }
    /// Random letters and digits for marks and multipart borders; not a secret.
    pub(crate) fn mark(&self) -> String {
        let mut bytes = [0; 12];
        self.0.random.fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
    /// The name servers to ask.
    pub(crate) fn resolver(&self) -> Result<TokioResolver, String> {
        if let Some(resolver) = &self.0.resolver {
            return Ok(resolver.clone());
        }
        TokioResolver::builder_tokio().and_then(|builder| builder.build()).map_err(|error| error.to_string())
    }

    /// The HTTP client: https with our TLS, small time limits, no redirects to surprising places.
    pub(crate) fn http(&self) -> Result<&reqwest::Client, String> {
        let made = self.0.http.get_or_init(|| {
            let tls = tls_config(None).map_err(|error| error.text)?;
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .connect_timeout(Duration::from_secs(10))
                .timeout(Duration::from_secs(30))
                .redirect(reqwest::redirect::Policy::limited(3))
                .user_agent(concat!("Continuo/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|error| error.to_string())
        });
        made.as_ref().map_err(Clone::clone)
    }

    pub(crate) fn kept_token(&self, inbox: InboxId) -> Option<AccessToken> {
        self.tokens().get(&inbox).cloned()
    }
    pub(crate) fn keep_token(&self, inbox: InboxId, token: AccessToken) {
        self.tokens().insert(inbox, token);
    }
    pub(crate) fn forget_token(&self, inbox: InboxId) {
        self.tokens().remove(&inbox);
    }
    pub(crate) fn suspect(&self, inbox: InboxId) -> Option<Suspect> {
        self.suspects().get(&inbox).cloned()
    }
    pub(crate) fn set_suspect(&self, inbox: InboxId, suspect: Option<Suspect>) {
        match suspect {
            Some(suspect) => self.suspects().insert(inbox, suspect),
            None => self.suspects().remove(&inbox),
        };
    }
    fn suspects(&self) -> std::sync::MutexGuard<'_, HashMap<InboxId, Suspect>> {
        self.0.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn tokens(&self) -> std::sync::MutexGuard<'_, HashMap<InboxId, AccessToken>> {
        self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits. Transport is paced by the real clock: the other end does not know of ours.
#[expect(clippy::disallowed_methods, reason = "polls and renewals of a network connection follow real time")]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Runs something with a time limit; what is lost is named in the error.
pub(crate) async fn within<T>(limit: Duration, what: &str, work: impl Future<Output = T>) -> Result<T, PullError> {
    tokio::time::timeout(limit, work)
        .await
        .map_err(|_| PullError::Lost(format!("no answer within {} s: {what}", limit.as_secs())))
}

/// A connection, protected or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync + std::fmt::Debug> Stream for T {}
pub(crate) type BoxStream = Box<dyn Stream>;

/// Opens a TCP connection.
pub(crate) async fn connect(times: &Times, host: &str, port: u16) -> Result<TcpStream, PullError> {
    let what = format!("connecting to {host}, port {port}");
    let stream = within(times.connect, &what, TcpStream::connect((host.trim_matches(['[', ']']), port))).await?;
    let stream = stream.map_err(|error| PullError::Lost(format!("{what}: {}", plain(&error))))?;
    // A hint only; without it small commands wait for each other.
    let _may_fail = stream.set_nodelay(true);
    Ok(stream)
}

/// Protects a connection.
pub(crate) async fn protect(
    settings: &MailSettings,
    times: &Times,
    host: &str,
    stream: TcpStream,
) -> Result<BoxStream, PullError> {
    let config = tls_config(settings.trusted_ca.as_deref()).map_err(|refused| PullError::Settings(refused.text))?;
    let bare = host.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(bare).map_err(|_| PullError::Settings(format!("{host} is no server name")))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
    match within(times.connect, &format!("setting up TLS with {host}"), handshake).await? {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(PullError::Lost(tls_words(host, &error.to_string()))),
    }
}

/// What a failed handshake means, in words.
pub(crate) fn tls_words(host: &str, error: &str) -> String {
    let reason = if error.contains("UnknownIssuer") {
        "its certificate is signed by nobody we know. For a certificate of your own paste its CA into the settings."
    } else if error.contains("NotValidForName") {
        "its certificate is for another name. Use the name that stands in the certificate."
    } else if error.contains("Expired") {
        "its certificate has run out."
    } else if error.contains("InvalidContentType") || error.contains("corrupt") {
        "it does not speak TLS on this port. Ports 143 and 587 usually want STARTTLS, 993 and 465 implicit TLS."
    } else {
        return format!("no secure connection to {host}: {error}");
    };
    format!("no secure connection to {host}: {reason}")
}

/// An i/o error in words for an admin.
pub(crate) fn plain(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => "nothing listens there (wrong port, or a firewall)".to_owned(),
        ErrorKind::TimedOut => "no answer".to_owned(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => {
            "the connection was cut".to_owned()
        }
        _ if error.to_string().contains("lookup") => "there is no server of this name".to_owned(),
        _ => error.to_string(),
    }
}

/// A server in one's own network that may want no sign-in at all.
pub(crate) fn is_open_relay(mail: &MailSettings) -> bool {
    mail.smtp.as_ref().is_some_and(|server| {
        let host = server.host.trim_matches(['[', ']']);
        server.tls == crate::settings::TlsMode::None && crate::settings::is_near(host, host.parse().ok())
    })
}

/// The certificates in PEM text.
pub(crate) fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok).collect()
}

/// The certificates that this computer trusts; read once.
pub(crate) fn system_roots() -> &'static [CertificateDer<'static>] {
    static ROOTS: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    ROOTS.get_or_init(|| rustls_native_certs::load_native_certs().certs)
}

fn tls_config(trusted_ca: Option<&str>) -> Result<ClientConfig, SettingsRefused> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    // A system's store may hold oddities that rustls does not take; the others count.
    let _counts = roots.add_parsable_certificates(system_roots().iter().cloned());
    let wrong = |text: String| SettingsRefused { field: "trusted_ca".to_owned(), text };
    for certificate in trusted_ca.map(certificates).unwrap_or_default() {
        roots.add(certificate).map_err(|error| wrong(format!("the certificate in trusted_ca cannot be used: {error}")))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(format!("TLS cannot be set up: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
