//! Hands one mail to the inbox's submission server, phase by phase. Whatever fails before the final dot leaves was surely not
//! taken; whatever fails after it is uncertain, until the mail is found in Sent or a bounce comes.

use crate::fetch::{folder_of, read_settings};
use crate::imap::{CommandError, Imap};
use crate::settings::{MailSettings, Server, TlsMode};
use crate::sign_in::{Proof, Side};
use crate::wire::{self, Times, Wire, pause};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use channel::{
    Accepted, DeliveryState, FailureClass, FolderRole, Fut, InboxSettings, PullError, Reconcile, Reconciled, SendError,
    WireRequest,
};
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::{ClientId, Extension};
use lettre::transport::smtp::response::Response;
use std::error::Error as _;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Header of a request: the envelope sender.
pub const MAIL_FROM: &str = "mail-from";
/// Header of a request, once per receiver.
pub const RCPT_TO: &str = "rcpt-to";
/// Header of a request: our Message-ID without angle brackets.
pub const MESSAGE_ID: &str = "message-id";

const RETRY_LOST_SECONDS: i64 = 60;
const RETRY_LATER_SECONDS: i64 = 300;
const RETRY_QUOTA_SECONDS: i64 = 3_600;
// The copy in Sent is a courtesy: it must not keep the answer waiting.
const COPY_LIMIT: Duration = Duration::from_secs(30);
// A body goes out in pieces, so that a line on which nothing moves is told from a slow one.
const PIECE_BYTES: usize = 64 * 1024;

/// Where in the dialogue something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Connect,
    SignIn,
    Sender,
    Receiver,
    Data,
    AfterDot,
}

/// What went wrong, before it becomes the desk's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server said no: code, enhanced code, words, and whom it was about.
    Said { phase: Phase, code: u16, text: String, about: Option<String> },
    /// No answer, or no connection.
    Silent { phase: Phase, text: String },
    /// Settings that can never work.
    Settings(String),
    /// No secret, or a refused one.
    SignInAgain,
}

// A command as it stands.
struct Line(String);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\r\n", self.0)
    }
}

/// A request taken apart.
struct Envelope<'a> {
    from: &'a str,
    to: Vec<&'a str>,
    message_id: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    fn of(request: &'a WireRequest) -> Result<Self, Failure> {
        let all =
            |name: &'static str| request.headers.iter().filter(move |(have, _)| have == name).map(|(_, value)| value.as_str());
        let from = all(MAIL_FROM).next().unwrap_or_default();
        let to: Vec<&str> = all(RCPT_TO).collect();
        if to.is_empty() {
            return Err(Failure::Settings("the mail has no receiver".to_owned()));
        }
        if let Some(odd) = to.iter().chain([&from]).find(|address| !is_safe(address)) {
            return Err(Failure::Said {
                phase: Phase::Receiver,
                code: 553,
                text: format!("{odd:?} cannot be an address"),
                about: Some((*odd).to_owned()),
            });
        }
        Ok(Self { from, to, message_id: all(MESSAGE_ID).next() })
    }
}

// Nothing may end the command line early.
fn is_safe(address: &str) -> bool {
    address.len() <= 320 && !address.contains(|c: char| c.is_control() || c.is_whitespace() || c == '<' || c == '>')
}

impl Wire {
    /// Sends once, by the servers of this inbox.
    pub async fn submit(&self, inbox: &InboxSettings, request: &WireRequest) -> Result<Accepted, SendError> {
        let mail = MailSettings::of(inbox).map_err(|refused| self.decide(Failure::Settings(refused.to_string())))?;
        let envelope = Envelope::of(request).map_err(|failure| self.decide(failure))?;
        if request.body.len() as u64 > mail.message_bytes_max {
            return Err(SendError::Refused {
                class: FailureClass::Permanent,
                code: "552".to_owned(),
                text: format!(
                    "the mail has {} MB; this inbox sends at most {} MB",
                    request.body.len() / 1_048_576,
                    mail.message_bytes_max / 1_048_576
                ),
            });
        }
        let answer = self.hand_in(inbox, &mail, &envelope, &request.body).await.map_err(|failure| self.decide(failure))?;
        if mail.keeps_sent_copies != Some(true) && mail.imap.is_some() {
            self.keep_copy(inbox, &mail, &envelope, &request.body).await;
        }
        let ours = envelope.message_id.map(str::to_owned);
        Ok(Accepted { provider_id: returned_id(&answer).or(ours), state: DeliveryState::Accepted, cost: None })
    }

    async fn hand_in(
        &self,
        inbox: &InboxSettings,
        mail: &MailSettings,
        envelope: &Envelope<'_>,
        body: &[u8],
    ) -> Result<Response, Failure> {
        let mut smtp = Smtp::open(self, inbox, mail).await?;
        let sent = smtp.send(envelope, body).await;
        if sent.is_ok() {
            smtp.quit().await;
        }
        sent
    }

    /// What the desk shall do about a failure.
    fn decide(&self, failure: Failure) -> SendError {
        let at = |seconds| SendError::RetryAt(self.now().plus_seconds(seconds));
        match failure {
            Failure::Settings(text) => SendError::Refused { class: FailureClass::Permanent, code: "settings".to_owned(), text },
            Failure::SignInAgain => SendError::SignInAgain,
            Failure::Silent { phase: Phase::AfterDot, .. } => SendError::Uncertain,
            Failure::Silent { phase, text } => {
                tracing::info!(?phase, text, "the mail was not taken; it will be tried again");
                at(RETRY_LOST_SECONDS)
            }
            Failure::Said { phase, code, text, about } => self.decide_said(phase, code, &text, about.as_deref()),
        }
    }

    fn decide_said(&self, phase: Phase, code: u16, text: &str, about: Option<&str>) -> SendError {
        let at = |seconds| SendError::RetryAt(self.now().plus_seconds(seconds));
        let enhanced = enhanced_of(text);
        // Quotas come with permanent codes and pass all the same (Gmail 5.4.5, others 5.7.x with these words).
        let quota = enhanced.as_deref() == Some("5.4.5")
            || (code >= 500 && text.to_lowercase().contains("quota exceeded") && phase != Phase::Receiver);
        if quota {
            return at(RETRY_QUOTA_SECONDS);
        }
        if phase == Phase::SignIn && matches!(code, 530 | 534 | 535 | 538) {
            return SendError::SignInAgain;
        }
        // Some servers let one in without a proof and refuse the sender instead.
        if phase == Phase::Sender && code == 530 {
            return SendError::SignInAgain;
        }
        if code < 500 {
            return at(RETRY_LATER_SECONDS);
        }
        let class = class_of(phase, code, enhanced.as_deref());
        let whom = about.map(|address| format!("{address}: ")).unwrap_or_default();
        SendError::Refused { class, code: enhanced.unwrap_or_else(|| code.to_string()), text: format!("{whom}{text}") }
    }

    /// Puts a copy into Sent, unless the provider has done so. The mail is out already: a failure is a line in the log.
    async fn keep_copy(&self, inbox: &InboxSettings, mail: &MailSettings, envelope: &Envelope<'_>, body: &[u8]) {
        let copying = async {
            let mut imap = Imap::open(self, inbox, mail).await?;
            let all = imap.folders().await?;
            let Some(sent) = folder_of(FolderRole::Sent, mail.folders.sent.as_deref(), &all) else {
                imap.close().await;
                return Ok(());
            };
            // Unknown whether the provider does it: look first.
            let there = match (mail.keeps_sent_copies, envelope.message_id) {
                (None, Some(id)) => {
                    imap.examine(&sent).await.map_err(CommandError::lost)?;
                    !imap.search_message_id(id).await.map_err(CommandError::lost)?.is_empty()
                }
                _ => false,
            };
            if !there {
                imap.append(&sent, body).await?;
            }
            imap.close().await;
            Ok::<(), PullError>(())
        };
        match tokio::time::timeout(COPY_LIMIT, copying).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(inbox.id = %inbox.id, %error, "the mail is sent, but its copy could not be put into Sent")
            }
            Err(_) => tracing::warn!(inbox.id = %inbox.id, "the mail is sent, but putting its copy into Sent took too long"),
        }
    }
}

impl Reconcile for Wire {
    fn find<'a>(&'a self, inbox: &'a InboxSettings, request: &'a WireRequest) -> Fut<'a, Option<Reconciled>> {
        Box::pin(async move {
            let mail = read_settings(inbox).ok()?;
            let envelope = Envelope::of(request).ok()?;
            let id = envelope.message_id?;
            // Our own copy goes into Sent after the server's yes, so what stands there was taken. A mail to ourselves comes back.
            match self.find_message(inbox, &mail, id).await {
                Ok(true) => Some(Reconciled::Taken(Accepted::by_id(id))),
                // Not there says nothing: providers file late, and not all do.
                Ok(false) => None,
                Err(error) => {
                    tracing::info!(inbox.id = %inbox.id, %error, "could not look for the mail in Sent");
                    None
                }
            }
        })
    }
}

impl Wire {
    async fn find_message(&self, inbox: &InboxSettings, mail: &MailSettings, id: &str) -> Result<bool, PullError> {
        let mut imap = Imap::open(self, inbox, mail).await?;
        let all = imap.folders().await?;
        let sent = folder_of(FolderRole::Sent, mail.folders.sent.as_deref(), &all);
        let junk = folder_of(FolderRole::Junk, mail.folders.junk.as_deref(), &all);
        let own = all.iter().find(|folder| folder.role == FolderRole::Inbox).cloned();
        let mut found = false;
        for folder in [sent, own, junk].into_iter().flatten() {
            match imap.examine(&folder).await {
                Ok(_) => {}
                Err(CommandError::Refused(_)) => continue,
                Err(error) => return Err(error.lost()),
            }
            if !imap.search_message_id(id).await.map_err(CommandError::lost)?.is_empty() {
                found = true;
                break;
            }
        }
        imap.close().await;
        Ok(found)
    }
}

/// A signed-in connection to a submission server.
pub(crate) struct Smtp {
    link: AsyncSmtpConnection,
    times: Times,
}

impl Smtp {
    pub(crate) async fn open(wire: &Wire, inbox: &InboxSettings, mail: &MailSettings) -> Result<Self, Failure> {
        let server = mail.smtp.as_ref().ok_or_else(|| Failure::Settings("this inbox has no server to send with".to_owned()))?;
        let proof = match wire.proof(inbox, mail, Side::Send).await {
            Ok(proof) => Some(proof),
            // A server of one's own network may want no proof.
            Err(PullError::SignInAgain) if wire::is_open_relay(mail) => None,
            Err(error) => return Err(no_proof(error)),
        };
        match Self::open_with(wire, mail, server, proof.as_ref()).await {
            // A token may have been taken back before its end: fetch a new one once.
            Err(Failure::Said { phase: Phase::SignIn, .. }) if matches!(proof, Some(Proof::Token { .. })) => {
                wire.token_refused(inbox);
                let newer = wire.proof(inbox, mail, Side::Send).await.map_err(no_proof)?;
                let opened = Self::open_with(wire, mail, server, Some(&newer)).await;
                if opened.is_err() {
                    wire.token_refused(inbox);
                }
                opened
            }
            other => other,
        }
    }

    async fn open_with(wire: &Wire, mail: &MailSettings, server: &Server, proof: Option<&Proof>) -> Result<Self, Failure> {
        let times = wire.times();
        let host = server.host.trim_matches(['[', ']']);
        let ours = ClientId::Domain(if mail.domain().is_empty() { "localhost".to_owned() } else { mail.domain().to_owned() });
        let tls = match server.tls {
            TlsMode::None => None,
            TlsMode::Implicit | TlsMode::Starttls => Some(tls_parameters(host, mail)?),
        };
        let connecting = async {
            let first = tls.clone().filter(|_| server.tls == TlsMode::Implicit);
            let mut link =
                AsyncSmtpConnection::connect_tokio1((host, server.port), Some(times.connect), &ours, first, None).await?;
            if server.tls == TlsMode::Starttls
                && let Some(tls) = tls
            {
                link.starttls(tls, &ours).await?;
            }
            Ok(link)
        };
        let lost = |text: String| Failure::Silent { phase: Phase::Connect, text };
        let what = format!("connecting to {host}, port {}", server.port);
        let link = tokio::time::timeout(times.connect + times.command, connecting)
            .await
            .map_err(|_| lost(format!("{what}: no answer")))?
            .map_err(|error: lettre::transport::smtp::Error| connect_failure(server, &what, &error))?;
        let mut smtp = Self { link, times };
        if let Some(proof) = proof {
            smtp.sign_in(mail, server, proof).await?;
        }
        Ok(smtp)
    }

    async fn say(&mut self, phase: Phase, about: Option<&str>, line: String) -> Result<Response, Failure> {
        let saying = self.link.command(Line(line));
        let answer = tokio::time::timeout(self.times.command, saying)
            .await
            .map_err(|_| Failure::Silent { phase, text: "no answer".to_owned() })?;
        answer.map_err(|error| failure_of(phase, about, &error))
    }

    async fn sign_in(&mut self, mail: &MailSettings, server: &Server, proof: &Proof) -> Result<(), Failure> {
        let name = mail.login_name(server);
        let can = |mechanism| self.link.server_info().supports_auth_mechanism(mechanism);
        match proof {
            Proof::Password(password) if can(Mechanism::Plain) || !can(Mechanism::Login) => {
                // A server that announces no sign-in at all refuses this, or wants none.
                if !can(Mechanism::Plain) && wire::is_open_relay(mail) {
                    return Ok(());
                }
                let answer = STANDARD.encode(format!("\0{name}\0{}", password.expose()));
                self.say(Phase::SignIn, None, format!("AUTH PLAIN {answer}")).await?;
            }
            Proof::Password(password) => {
                self.say(Phase::SignIn, None, "AUTH LOGIN".to_owned()).await?;
                self.say(Phase::SignIn, None, STANDARD.encode(name)).await?;
                self.say(Phase::SignIn, None, STANDARD.encode(password.expose())).await?;
            }
            Proof::Token { mechanism, token } => {
                let first = STANDARD.encode(Proof::first_answer(*mechanism, name, &server.host, server.port, token));
                let answer = self.say(Phase::SignIn, None, format!("AUTH {} {first}", mechanism.name())).await?;
                if answer.has_code(334) {
                    // An error challenge: only this answer makes the server say its no.
                    self.say(Phase::SignIn, None, STANDARD.encode(mechanism.after_error())).await?;
                    return Err(Failure::Said {
                        phase: Phase::SignIn,
                        code: 535,
                        text: "the token was refused".to_owned(),
                        about: None,
                    });
                }
            }
        }
        Ok(())
    }

    async fn send(&mut self, envelope: &Envelope<'_>, body: &[u8]) -> Result<Response, Failure> {
        let info = self.link.server_info();
        let foreign = envelope.to.iter().chain([&envelope.from]).find(|address| !address.is_ascii());
        if let Some(address) = foreign
            && !info.supports_feature(Extension::SmtpUtfEight)
        {
            return Err(Failure::Said {
                phase: Phase::Receiver,
                code: 553,
                text: "5.6.7 the mail server cannot send to addresses with letters outside ASCII".to_owned(),
                about: Some((*address).to_owned()),
            });
        }
        let mut options = String::new();
        if foreign.is_some() {
            options.push_str(" SMTPUTF8");
        }
        if !body.is_ascii() && info.supports_feature(Extension::EightBitMime) {
            options.push_str(" BODY=8BITMIME");
        }
        self.say(Phase::Sender, None, format!("MAIL FROM:<{}>{options}", envelope.from)).await?;
        // All or nothing: a mail that reached half of its receivers is worse than one that an agent can correct.
        let mut refusal = None;
        for address in &envelope.to {
            match self.say(Phase::Receiver, Some(address), format!("RCPT TO:<{address}>")).await {
                Ok(_) => {}
                Err(Failure::Said { phase, code, text, about }) => {
                    let worse = refusal.as_ref().is_none_or(|(have, ..): &(u16, Failure)| *have < 500 && code >= 500);
                    if worse {
                        refusal = Some((code, Failure::Said { phase, code, text, about }));
                    }
                }
                Err(silent) => return Err(silent),
            }
        }
        if let Some((_, refusal)) = refusal {
            self.quit().await;
            return Err(refusal);
        }
        self.say(Phase::Data, None, "DATA".to_owned()).await?;
        let (dotted, progress) = (AtomicBool::new(false), AtomicU64::new(0));
        // The connection adds the line break before the dot itself.
        let body = body.strip_suffix(b"\r\n").unwrap_or(body);
        let pieces = body.chunks(PIECE_BYTES).map(Some).chain(std::iter::once(None)).filter_map(|piece| {
            progress.fetch_add(1, Ordering::SeqCst);
            // From here on the final dot may leave at any moment, and with it the whole mail.
            if piece.is_none() {
                dotted.store(true, Ordering::SeqCst);
            }
            piece
        });
        let times = self.times;
        let silent = async {
            let mut seen = 0;
            loop {
                let after_dot = dotted.load(Ordering::SeqCst);
                pause(if after_dot { times.final_reply } else { times.silence }).await;
                let now = progress.load(Ordering::SeqCst);
                if now == seen || after_dot {
                    return;
                }
                seen = now;
            }
        };
        let sent = tokio::select! {
            sent = self.link.message_iter(pieces) => Some(sent),
            () = silent => None,
        };
        let phase = if dotted.load(Ordering::SeqCst) { Phase::AfterDot } else { Phase::Data };
        match sent {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(failure_of(phase, None, &error)),
            None => Err(Failure::Silent { phase, text: "no answer".to_owned() }),
        }
    }

    pub(crate) async fn quit(&mut self) {
        let _gone_anyway = tokio::time::timeout(Duration::from_secs(2), self.link.quit()).await;
    }
}

fn no_proof(error: PullError) -> Failure {
    match error {
        PullError::SignInAgain => Failure::SignInAgain,
        PullError::Settings(text) => Failure::Settings(text),
        PullError::Lost(text) => Failure::Silent { phase: Phase::SignIn, text },
    }
}

fn failure_of(phase: Phase, about: Option<&str>, error: &lettre::transport::smtp::Error) -> Failure {
    match error.status() {
        Some(code) => {
            let text = error.source().map(ToString::to_string).unwrap_or_default();
            let code = code.to_string().parse().unwrap_or(if error.is_transient() { 451 } else { 554 });
            // A server that hangs up says 421 in whatever phase; before the dot that is a no, after it too (RFC 5321, 3.8).
            Failure::Said { phase, code, text, about: about.map(str::to_owned) }
        }
        None => Failure::Silent { phase, text: error.to_string() },
    }
}

fn connect_failure(server: &Server, what: &str, error: &lettre::transport::smtp::Error) -> Failure {
    let deep = deepest(error);
    if error.is_tls() || deep.contains("certificate") || deep.contains("InvalidContentType") {
        return Failure::Silent { phase: Phase::Connect, text: wire::tls_words(&server.host, &deep) };
    }
    if error.is_client() && deep.contains("STARTTLS") {
        return Failure::Silent {
            phase: Phase::Connect,
            text: format!("{} offers no STARTTLS on port {}; choose implicit TLS (465)", server.host, server.port),
        };
    }
    if let Failure::Said { code, text, .. } = failure_of(Phase::Connect, None, error) {
        return Failure::Said { phase: Phase::Connect, code, text, about: None };
    }
    let io = io_error(error).map_or(deep, wire::plain);
    Failure::Silent { phase: Phase::Connect, text: format!("{what}: {io}") }
}

fn io_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a std::io::Error> {
    let mut now = Some(error);
    while let Some(error) = now {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io);
        }
        now = error.source();
    }
    None
}

fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut now = error;
    while let Some(source) = now.source() {
        now = source;
    }
    now.to_string()
}

fn tls_parameters(host: &str, mail: &MailSettings) -> Result<TlsParameters, Failure> {
    let wrong = |error: lettre::transport::smtp::Error| Failure::Settings(format!("TLS cannot be set up: {error}"));
    let mut builder = TlsParameters::builder(host.to_owned());
    let own = mail.trusted_ca.as_deref().map(wire::certificates).unwrap_or_default();
    for certificate in wire::system_roots().iter().chain(&own) {
        // A system's store may hold what rustls does not take.
        if let Ok(certificate) = Certificate::from_der(certificate.to_vec()) {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build_rustls().map_err(wrong)
}

/// `5.1.1` at the beginning of what a server said.
fn enhanced_of(text: &str) -> Option<String> {
    let first = text.split_whitespace().next()?;
    let numbers: Vec<&str> = first.split('.').collect();
    let fine = numbers.len() == 3
        && ["2", "4", "5"].contains(&numbers[0])
        && numbers[1..].iter().all(|n| !n.is_empty() && n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit()));
    fine.then(|| first.to_owned())
}

fn class_of(phase: Phase, code: u16, enhanced: Option<&str>) -> FailureClass {
    let kind = enhanced.and_then(|text| text.split('.').nth(1));
    match (phase, kind) {
        (_, Some("7")) => FailureClass::Policy,
        (Phase::Receiver, Some("1")) => FailureClass::Address,
        // A full mailbox, a mail that is too large: the address is right.
        (Phase::Receiver, Some("2")) if enhanced != Some("5.2.1") => FailureClass::Permanent,
        (Phase::Receiver, None | Some("2" | "0")) if matches!(code, 550 | 551 | 553) => FailureClass::Address,
        (Phase::Sender, None | Some("1")) if code != 552 => FailureClass::Policy,
        _ => FailureClass::Permanent,
    }
}

/// The id under which the provider goes on, when it says so in its final answer in the way of Amazon SES: a bare id of digits
/// and hex in groups (`0102018f..-8c1d4f..-000000`). A queue number of a mail server is none.
pub(crate) fn returned_id(answer: &Response) -> Option<String> {
    let text = answer.message().collect::<Vec<_>>().join(" ");
    let id = text.split_whitespace().last()?.trim_matches(['<', '>']);
    let groups: Vec<&str> = id.split('@').next()?.split('-').collect();
    let plausible = id.len() >= 40
        && groups.len() >= 6
        && groups.last().is_some_and(|last| *last == "000000")
        && groups.iter().all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_hexdigit()));
    plausible.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{FakeClock, FakeRandom, Timestamp};
    use std::sync::Arc;

    fn wire() -> Wire {
        Wire::new(Arc::new(FakeClock::new(Timestamp(0))), Arc::new(FakeRandom::new(1)))
    }

    fn said(phase: Phase, code: u16, text: &str) -> SendError {
        wire().decide(Failure::Said { phase, code, text: text.to_owned(), about: None })
    }

    #[test]
    fn what_a_server_says_becomes_what_the_desk_does() {
        let class = |error: SendError| match error {
            SendError::Refused { class, code, .. } => (class, code),
            other => panic!("{other:?}"),
        };
        use FailureClass::{Address, Permanent, Policy};
        let cases = [
            (Phase::Receiver, 550, "5.1.1 <x@y.test>: unknown", Address, "5.1.1"),
            (Phase::Receiver, 550, "no such person", Address, "550"),
            (Phase::Receiver, 550, "5.7.1 blocked by a list", Policy, "5.7.1"),
            (Phase::Receiver, 552, "5.2.2 mailbox full", Permanent, "5.2.2"),
            (Phase::Receiver, 550, "5.2.1 account disabled", Address, "5.2.1"),
            (Phase::Sender, 553, "5.1.8 sender not owned", Policy, "5.1.8"),
            (Phase::Sender, 552, "5.3.4 too large", Permanent, "5.3.4"),
            (Phase::AfterDot, 554, "5.7.1 looks like spam", Policy, "5.7.1"),
            (Phase::AfterDot, 552, "too large", Permanent, "552"),
        ];
        for (phase, code, text, want, want_code) in cases {
            assert_eq!(class(said(phase, code, text)), (want, want_code.to_owned()), "{phase:?} {code} {text}");
        }
    }

    #[test]
    fn temporary_answers_are_tried_again_in_any_phase() {
        for phase in [Phase::Connect, Phase::SignIn, Phase::Sender, Phase::Receiver, Phase::Data, Phase::AfterDot] {
            assert_eq!(said(phase, 451, "4.3.0 later"), SendError::RetryAt(Timestamp(300_000)), "{phase:?}");
        }
        assert_eq!(said(Phase::Data, 550, "5.4.5 Daily user sending quota exceeded"), SendError::RetryAt(Timestamp(3_600_000)));
        assert_eq!(said(Phase::SignIn, 535, "5.7.8 no"), SendError::SignInAgain);
        assert_eq!(said(Phase::Sender, 530, "5.7.0 sign in first"), SendError::SignInAgain);
    }

    #[test]
    fn silence_is_uncertain_after_the_dot_only() {
        for phase in [Phase::Connect, Phase::SignIn, Phase::Sender, Phase::Receiver, Phase::Data] {
            let silent = wire().decide(Failure::Silent { phase, text: "cut".to_owned() });
            assert_eq!(silent, SendError::RetryAt(Timestamp(60_000)), "{phase:?}");
        }
        assert_eq!(wire().decide(Failure::Silent { phase: Phase::AfterDot, text: String::new() }), SendError::Uncertain);
    }

    #[test]
    fn an_id_is_taken_from_the_answer_only_when_it_is_one() {
        let id = |text: &str| returned_id(&format!("250 {text}\r\n").parse::<Response>().unwrap());
        let ses = "0102018f5c2f9d4e-3f6d2f1a-7c51-4a5e-9a60-1f0b6a2c3d4e-000000";
        assert_eq!(id(&format!("Ok {ses}")).as_deref(), Some(ses));
        for other in ["2.0.0 Ok: queued as 4TqX2k1z", "OK", "2.0.0 OK 1700000000 a1b2c3-20020a05.24 - gsmtp"] {
            assert_eq!(id(other), None, "{other}");
        }
    }

    #[test]
    fn no_address_ends_the_line() {
        for (address, fine) in [("a@b.test", true), ("", true), ("a@b.test>\r\nRCPT TO:<x@y.test", false), ("a b@c.test", false)]
        {
            assert_eq!(is_safe(address), fine, "{address:?}");
        }
    }
}
