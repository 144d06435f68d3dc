//! The look-ups that a mail needs before it is parsed: SPF, DKIM and DMARC by DNS (email.md 10). What they find is
//! stored with the raw mail, so that reading it again gives the same without asking anybody; `trust` judges it.
//!
//! SPF needs the server that brought the mail, which only our own LMTP door knows. Over IMAP only signatures can be
//! checked, and DMARC can pass by them but never fail.
//!
//! Bounded: so many signatures, so many bytes, so many seconds. What was not found out in time is a temporary error and
//! proves nothing.

use crate::address;
use crate::headers::Headers;
use crate::lmtp::{CLIENT_HELO, CLIENT_IP, ENVELOPE_FROM};
use crate::trust::{self, DkimFound, FOUND_VERSION, Found, Outcome};
use channel::{Evidence, FOLDER_ROLE, FolderRole, Fut, HISTORY, InboxSettings, RawEvent, SenderTrust};
use mail_auth::dmarc::Policy;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::system_conf::read_system_conf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{AuthenticatedMessage, DkimResult, DmarcResult, MessageAuthenticator, SpfResult};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Signatures of one mail that are checked; each costs a look-up.
const SIGNATURES_MAX: usize = 8;
/// A larger mail is not hashed.
const BYTES_MAX: usize = 60 * 1024 * 1024;
/// All look-ups of one mail together.
const TIME_MAX: Duration = Duration::from_secs(5);
/// One question to one server.
const QUESTION_MAX: Duration = Duration::from_millis(1_500);

/// A resolver to ask.
#[derive(Clone)]
pub struct LookUps {
    authenticator: MessageAuthenticator,
    host: String,
    time_max: Duration,
}

impl std::fmt::Debug for LookUps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LookUps")
    }
}

/// No resolver could be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no DNS resolver: {0}")]
pub struct NoResolver(String);

impl LookUps {
    /// The resolver that this computer is configured for. `host`: our own name, for SPF's macros.
    pub fn system(host: &str) -> Result<Self, NoResolver> {
        let (config, mut options) = read_system_conf().map_err(|error| NoResolver(error.to_string()))?;
        bound(&mut options);
        Self::of(config, options, host)
    }

    /// A resolver at an address of one's choice, at any port.
    pub fn at(server: SocketAddr, host: &str) -> Result<Self, NoResolver> {
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        connections.iter_mut().for_each(|connection| connection.port = server.port());
        let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
        name_server.connections = connections;
        let config = ResolverConfig::from_parts(None, vec![], vec![name_server]);
        let mut options = ResolverOpts::default();
        bound(&mut options);
        Self::of(config, options, host)
    }

    fn of(config: ResolverConfig, options: ResolverOpts, host: &str) -> Result<Self, NoResolver> {
        let authenticator = MessageAuthenticator::new(config, options).map_err(|error| NoResolver(error.to_string()))?;
        Ok(Self { authenticator, host: host.to_owned(), time_max: TIME_MAX })
    }

    /// Gives all look-ups of a mail so much time.
    pub fn within(mut self, time_max: Duration) -> Self {
        self.time_max = time_max;
        self
    }

    /// Looks up what can be known about the sender of a mail. `arrived`: the server that brought it, when we saw it.
    pub async fn find(&self, mail: &[u8], arrived: Option<&Arrived>) -> Found {
        let headers = Headers::read(mail);
        let sender = address::sender(&headers);
        let domain = sender.person.domain();
        let mut found =
            Found { version: FOUND_VERSION, from_domain: domain.clone(), direct: arrived.is_some(), ..Found::default() };
        // Nobody is believed here, whatever the look-ups would say.
        if !sender.is_plain() || domain.is_none() || mail.len() > BYTES_MAX {
            return found;
        }
        // Without the sending server and without a signature there is nothing that could pass, and nothing can fail.
        if arrived.is_none() && !headers.has("DKIM-Signature") {
            return found;
        }
        if tokio::time::timeout(self.time_max, self.fill(mail, arrived, &mut found)).await.is_err() {
            let late = |outcome: &mut Outcome| {
                if *outcome == Outcome::None {
                    *outcome = Outcome::Temperror;
                }
            };
            late(&mut found.dmarc_dkim);
            late(&mut found.dmarc_spf);
        }
        found
    }

    async fn fill(&self, mail: &[u8], arrived: Option<&Arrived>, found: &mut Found) {
        let Some(mut message) = AuthenticatedMessage::parse(mail) else { return };
        message.dkim_headers.truncate(SIGNATURES_MAX);
        // The first From is the one that `address` read; another reader's idea of it must not count.
        let asked = found.from_domain.clone().unwrap_or_default();
        let same = message.from.iter().all(|from| address::domain_of(from).is_some_and(|domain| domain == asked));
        if message.from.is_empty() || !same {
            return;
        }
        let spf = match arrived {
            Some(arrived) => {
                let helo = arrived.helo.as_deref().unwrap_or("unknown.invalid");
                let mailbox = arrived.envelope_from.trim();
                let parameters = match mailbox.contains('@') {
                    true => SpfParameters::verify_mail_from(arrived.ip, helo, &self.host, mailbox),
                    // A report has no sender; the server's own name is asked.
                    false => SpfParameters::verify_ehlo(arrived.ip, helo, &self.host),
                };
                let output = self.authenticator.verify_spf(parameters).await;
                found.spf = of_spf(output.result());
                found.spf_domain = Some(mailbox.rsplit_once('@').map_or(helo, |(_, domain)| domain).to_lowercase());
                Some(output)
            }
            None => None,
        };
        let dkim = self.authenticator.verify_dkim(&message).await;
        found.dkim = dkim
            .iter()
            .map(|output| {
                let (outcome, reason) = of_dkim(output.result());
                DkimFound {
                    domain: output.signature().map(|signature| signature.d.to_lowercase()).unwrap_or_default(),
                    outcome,
                    reason,
                }
            })
            .collect();
        // Without the sending server SPF stays "none", and only signatures can align.
        let nobody;
        let (spf, spf_domain) = match &spf {
            Some(output) => (output, found.spf_domain.clone().unwrap_or_default()),
            None => {
                nobody = mail_auth::SpfOutput::new(String::new());
                (&nobody, String::new())
            }
        };
        let dmarc = self.authenticator.verify_dmarc(DmarcParameters::new(&message, &dkim, &spf_domain, spf)).await;
        found.dmarc_dkim = of_dmarc(dmarc.dkim_result());
        found.dmarc_spf = of_dmarc(dmarc.spf_result());
        found.policy = dmarc.dmarc_record().map(|_| {
            match dmarc.policy() {
                Policy::Reject => "reject",
                Policy::Quarantine => "quarantine",
                Policy::None | Policy::Unspecified => "none",
            }
            .to_owned()
        });
    }
}

/// How a mail came to our own door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The sending server.
    pub ip: IpAddr,
    /// How it introduced itself.
    pub helo: Option<String>,
    /// The envelope's sender; empty for reports.
    pub envelope_from: String,
}

impl Arrived {
    /// From the headers that the LMTP door writes; `None` when it does not know the sending server.
    pub fn of(event: &RawEvent) -> Option<Self> {
        let ip = event.header(CLIENT_IP)?.trim().trim_start_matches("IPv6:").parse().ok()?;
        Some(Self {
            ip,
            helo: event.header(CLIENT_HELO).map(str::trim).filter(|helo| !helo.is_empty()).map(str::to_owned),
            envelope_from: event.header(ENVELOPE_FROM).unwrap_or_default().trim_matches(['<', '>', ' ']).to_owned(),
        })
    }
}

impl Evidence for LookUps {
    fn gather<'a>(&'a self, inbox: &'a InboxSettings, event: &'a RawEvent) -> Fut<'a, Vec<u8>> {
        Box::pin(async move {
            let arrived = Arrived::of(event);
            let needless = is_needless(event) || (arrived.is_none() && is_judged(inbox, &event.body));
            let found = match needless {
                true => Found { version: FOUND_VERSION, ..Found::default() },
                false => self.find(&event.body, arrived.as_ref()).await,
            };
            serde_json::to_vec(&found).unwrap_or_default()
        })
    }
}

// What we sent ourselves needs no proof, and the keys of old mail are gone.
fn is_needless(event: &RawEvent) -> bool {
    let sent = event.header(FOLDER_ROLE).and_then(FolderRole::parse) == Some(FolderRole::Sent);
    sent || event.header(HISTORY).is_some()
}

// The inbox's own provider has said it all: it saw the sending server, we did not.
fn is_judged(inbox: &InboxSettings, mail: &[u8]) -> bool {
    let known = inbox.settings.get("authserv_id").and_then(|id| id.as_str()).unwrap_or_default();
    let headers = Headers::read(mail);
    let verdict = trust::judge(&headers, &address::sender(&headers), None, Some(known));
    verdict.trust != SenderTrust::Unverified
}

fn bound(options: &mut ResolverOpts) {
    options.timeout = QUESTION_MAX;
    options.attempts = 1;
}

fn of_spf(result: SpfResult) -> Outcome {
    match result {
        SpfResult::Pass => Outcome::Pass,
        SpfResult::Fail => Outcome::Fail,
        SpfResult::SoftFail => Outcome::Softfail,
        SpfResult::Neutral => Outcome::Neutral,
        SpfResult::TempError => Outcome::Temperror,
        SpfResult::PermError => Outcome::Permerror,
        SpfResult::None => Outcome::None,
    }
}

fn of_dkim(result: &DkimResult) -> (Outcome, Option<String>) {
    match result {
        DkimResult::Pass => (Outcome::Pass, None),
        DkimResult::Neutral(error) => (Outcome::Neutral, Some(error.to_string())),
        DkimResult::Fail(error) => (Outcome::Fail, Some(error.to_string())),
        DkimResult::PermError(error) => (Outcome::Permerror, Some(error.to_string())),
        DkimResult::TempError(error) => (Outcome::Temperror, Some(error.to_string())),
        DkimResult::None => (Outcome::None, None),
    }
}

fn of_dmarc(result: &DmarcResult) -> Outcome {
    match result {
        DmarcResult::Pass => Outcome::Pass,
        DmarcResult::Fail(_) => Outcome::Fail,
        DmarcResult::TempError(_) => Outcome::Temperror,
        DmarcResult::PermError(_) => Outcome::Permerror,
        DmarcResult::None => Outcome::None,
    }
}
