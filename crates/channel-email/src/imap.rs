//! One signed-in IMAP connection and the few commands that we need. Every answer is read up to its tagged line and its verdict:
//! a connection that ends in the middle of a list is an error, never a short list.

use crate::settings::MailSettings;
use crate::sign_in::{Proof, Side};
use crate::wire::{self, BoxStream, Times, Wire, within};
use async_imap::error::Error as ImapError;
use async_imap::imap_proto::{AttributeValue, MailboxDatum, NameAttribute, Response, ResponseCode, Status, StatusAttribute};
use async_imap::types::Capability;
use async_imap::{Authenticator, Client, Session};
use channel::{FolderRole, InboxSettings, PullError};
use std::collections::HashSet;
use std::time::Duration;

/// A signed-in connection.
pub(crate) struct Imap {
    link: Session<BoxStream>,
    times: Times,
    able: HashSet<String>,
    /// The server has told of new mail since the folder was opened: it says so once, and never again in IDLE.
    told: bool,
}

/// A folder as the server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    /// As the protocol wants it (modified UTF-7).
    pub(crate) wire_name: String,
    /// As people read it.
    pub(crate) name: String,
    /// What the server says it is for.
    pub(crate) role: FolderRole,
}

/// Numbers of a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) uidvalidity: u32,
    pub(crate) uid_next: Option<u32>,
    pub(crate) count: u32,
}

/// One line of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) uid: u32,
    pub(crate) bytes: u64,
    pub(crate) at: Option<i64>,
    pub(crate) deleted: bool,
}

/// Why a command did not work: the connection is gone, with words or without, or the server said no to this one.
#[derive(Debug)]
pub(crate) enum CommandError {
    Lost(PullError),
    /// The server closed the connection with these words.
    Closed(String),
    Refused(String),
}

impl From<PullError> for CommandError {
    fn from(error: PullError) -> Self {
        Self::Lost(error)
    }
}

impl CommandError {
    pub(crate) fn lost(self) -> PullError {
        match self {
            Self::Lost(error) => error,
            Self::Closed(text) => PullError::Lost(format!("the mail server closed the connection: {text}")),
            Self::Refused(text) => PullError::Lost(format!("the mail server refused: {text}")),
        }
    }
}

/// How long to wait for the first and each following line.
#[derive(Clone, Copy)]
enum Pace {
    Command,
    Body,
}

impl Imap {
    /// Connects and signs in to the inbox's server.
    pub(crate) async fn open(wire: &Wire, inbox: &InboxSettings, mail: &MailSettings) -> Result<Self, PullError> {
        let proof = wire.proof(inbox, mail, Side::Read).await?;
        match Self::open_with(wire, mail, &proof).await {
            // A token may have been taken back before its end: fetch a new one once.
            Err(PullError::SignInAgain) if matches!(proof, Proof::Token { .. }) => {
                wire.token_refused(inbox);
                let newer = wire.proof(inbox, mail, Side::Read).await?;
                if newer == proof {
                    return Err(PullError::SignInAgain);
                }
                let opened = Self::open_with(wire, mail, &newer).await;
                if matches!(opened, Err(PullError::SignInAgain)) {
                    wire.token_refused(inbox);
                }
                opened
            }
            other => other,
        }
    }

    async fn open_with(wire: &Wire, mail: &MailSettings, proof: &Proof) -> Result<Self, PullError> {
        let times = wire.times();
        let server = mail.imap.as_ref().ok_or_else(|| PullError::Settings("this inbox has no IMAP server".to_owned()))?;
        let client = connected(&times, mail).await?;
        let name = mail.login_name(server).to_owned();
        let signing_in = async {
            match proof {
                // LOGIN carries ASCII only.
                Proof::Password(password) if !name.is_ascii() || !password.expose().is_ascii() => {
                    let first = format!("\0{name}\0{}", password.expose()).into_bytes();
                    client.authenticate("PLAIN", Answers { first: Some(first), after: b"" }).await
                }
                Proof::Password(password) => client.login(&name, password.expose()).await,
                Proof::Token { mechanism, token } => {
                    let first = Proof::first_answer(*mechanism, &name, &server.host, server.port, token).into_bytes();
                    let answers = Answers { first: Some(first), after: mechanism.after_error() };
                    client.authenticate(mechanism.name(), answers).await
                }
            }
        };
        let link = within(times.command, "signing in", signing_in).await?.map_err(|(error, _)| sign_in_error(&error))?;
        let mut imap = Self { link, times, able: HashSet::new(), told: false };
        imap.able = imap.ask_able().await?;
        Ok(imap)
    }

    async fn ask_able(&mut self) -> Result<HashSet<String>, PullError> {
        let asking = self.link.capabilities();
        let able = within(self.times.command, "asking what the server can do", asking).await?.map_err(|error| lost(&error))?;
        Ok(able
            .iter()
            .map(|capability| match capability {
                Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
                Capability::Auth(name) => format!("AUTH={}", name.to_uppercase()),
                Capability::Atom(name) => name.to_uppercase(),
            })
            .collect())
    }

    /// Whether the server announced this. Nothing that was not announced is ever used.
    pub(crate) fn can(&self, capability: &str) -> bool {
        self.able.contains(capability)
    }

    /// Sends a command and hands each answer line over, until the tagged one.
    async fn run(&mut self, command: &str, pace: Pace, mut each: impl FnMut(&Response<'_>)) -> Result<(), CommandError> {
        let verb = command.split_ascii_whitespace().take(2).collect::<Vec<_>>().join(" ");
        let sending = self.link.run_command(command);
        let tag = within(self.times.command, &verb, sending).await?.map_err(|error| lost(&error))?;
        let limit = match pace {
            Pace::Command => self.times.command,
            Pace::Body => self.times.silence,
        };
        loop {
            let answer = match within(limit, &verb, self.link.read_response()).await? {
                Ok(Some(answer)) => answer,
                Ok(None) => return Err(PullError::Lost(format!("the connection was cut during {verb}")).into()),
                Err(error) => return Err(lost(&ImapError::Io(error)).into()),
            };
            match answer.parsed() {
                Response::Done { tag: done, status, outcome } if *done == tag => {
                    let said = outcome.information.as_deref().unwrap_or_default().to_owned();
                    return match status {
                        Status::Ok => {
                            each(answer.parsed());
                            Ok(())
                        }
                        _ => Err(CommandError::Refused(said)),
                    };
                }
                Response::Data { status: Status::Bye, outcome } => {
                    return Err(CommandError::Closed(outcome.information.as_deref().unwrap_or_default().to_owned()));
                }
                other => {
                    self.told |= matches!(other, Response::MailboxData(MailboxDatum::Exists(_)));
                    each(other);
                }
            }
        }
    }

    /// All folders that can hold mail.
    pub(crate) async fn folders(&mut self) -> Result<Vec<Folder>, PullError> {
        let mut folders = Vec::new();
        // SPECIAL-USE marks come in the plain list of every server that has them; RETURN is for LIST-EXTENDED servers only.
        let command = if self.can("SPECIAL-USE") && self.can("LIST-EXTENDED") {
            r#"LIST "" "*" RETURN (SPECIAL-USE)"#
        } else {
            r#"LIST "" "*""#
        };
        let listing = self.run(command, Pace::Command, |answer| {
            if let Response::MailboxData(MailboxDatum::List(found)) = answer
                && !found.name_attributes.contains(&NameAttribute::NoSelect)
            {
                let wire_name = found.name.to_string();
                let role = role_of(&wire_name, &found.name_attributes);
                folders.push(Folder { name: decode_name(&wire_name), wire_name, role });
            }
        });
        listing.await.map_err(CommandError::lost)?;
        Ok(folders)
    }

    /// Opens a folder without changing anything in it.
    pub(crate) async fn examine(&mut self, folder: &Folder) -> Result<Numbers, CommandError> {
        self.enter("EXAMINE", folder).await
    }

    /// Opens a folder for changes.
    pub(crate) async fn select(&mut self, folder: &Folder) -> Result<Numbers, CommandError> {
        self.enter("SELECT", folder).await
    }

    async fn enter(&mut self, verb: &str, folder: &Folder) -> Result<Numbers, CommandError> {
        let mut numbers = Numbers::default();
        let command = format!("{verb} {}", quoted(&folder.wire_name));
        self.run(&command, Pace::Command, |answer| match answer {
            Response::MailboxData(MailboxDatum::Exists(count)) => numbers.count = *count,
            Response::Data { outcome, .. } | Response::Done { outcome, .. } => match &outcome.code {
                Some(ResponseCode::UidValidity(value)) => numbers.uidvalidity = *value,
                Some(ResponseCode::UidNext(value)) => numbers.uid_next = Some(*value),
                _ => {}
            },
            _ => {}
        })
        .await?;
        // Its own count came with the opening.
        self.told = false;
        Ok(numbers)
    }

    /// Numbers of a folder without opening it.
    pub(crate) async fn status(&mut self, folder: &Folder) -> Result<Numbers, CommandError> {
        let mut numbers = Numbers::default();
        let command = format!("STATUS {} (MESSAGES UIDNEXT UIDVALIDITY)", quoted(&folder.wire_name));
        self.run(&command, Pace::Command, |answer| {
            if let Response::MailboxData(MailboxDatum::Status { status, .. }) = answer {
                for attribute in status {
                    match attribute {
                        StatusAttribute::Messages(count) => numbers.count = *count,
                        StatusAttribute::UidNext(next) => numbers.uid_next = Some(*next),
                        StatusAttribute::UidValidity(value) => numbers.uidvalidity = *value,
                        _ => {}
                    }
                }
            }
        })
        .await?;
        Ok(numbers)
    }

    /// UID, size, date and `\Deleted` of everything from a UID on, in order. `n:*` always names at least the last mail, also when
    /// its UID is smaller, so smaller ones are dropped here.
    pub(crate) async fn list_from(&mut self, first: u32) -> Result<Vec<Line>, CommandError> {
        match self.list_with(first, "(UID RFC822.SIZE INTERNALDATE FLAGS)", false).await {
            // One mail that the server cannot measure makes it refuse the whole list; the list must not hang on it.
            Err(CommandError::Refused(_)) => self.list_with(first, "(UID FLAGS)", true).await,
            listed => listed,
        }
    }

    async fn list_with(&mut self, first: u32, items: &str, sizeless: bool) -> Result<Vec<Line>, CommandError> {
        let mut lines = Vec::new();
        self.run(&format!("UID FETCH {first}:* {items}"), Pace::Body, |answer| {
            if let Response::Fetch(_, attributes) = answer
                && let Some(line) = line_of(attributes, sizeless)
                && line.uid >= first
            {
                lines.push(line);
            }
        })
        .await?;
        lines.sort_by_key(|line| line.uid);
        lines.dedup_by_key(|line| line.uid);
        Ok(lines)
    }

    /// The same of single mails; what is gone is absent.
    pub(crate) async fn lines_of(&mut self, uids: &[u32]) -> Result<Vec<Line>, CommandError> {
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let mut lines = Vec::new();
        let command = format!("UID FETCH {set} (UID RFC822.SIZE INTERNALDATE FLAGS)");
        self.run(&command, Pace::Body, |answer| {
            if let Response::Fetch(_, attributes) = answer
                && let Some(line) = line_of(attributes, false)
                && uids.contains(&line.uid)
            {
                lines.push(line);
            }
        })
        .await?;
        Ok(lines)
    }

    /// The newest mail of the open folder; `None`: it is empty.
    pub(crate) async fn last(&mut self) -> Result<Option<Line>, CommandError> {
        let mut last: Option<Line> = None;
        self.run("UID FETCH * (UID RFC822.SIZE INTERNALDATE FLAGS)", Pace::Command, |answer| {
            if let Response::Fetch(_, attributes) = answer
                && let Some(line) = line_of(attributes, false)
                && last.as_ref().is_none_or(|have| have.uid < line.uid)
            {
                last = Some(line);
            }
        })
        .await?;
        Ok(last)
    }

    /// Whole mails, without marking them as read. What is no longer there is absent.
    pub(crate) async fn bodies(&mut self, uids: &[u32]) -> Result<Vec<(u32, Vec<u8>)>, CommandError> {
        self.sections(uids, "BODY.PEEK[]").await
    }

    /// The header block of one mail.
    pub(crate) async fn header(&mut self, uid: u32) -> Result<Option<Vec<u8>>, CommandError> {
        Ok(self.sections(&[uid], "BODY.PEEK[HEADER]").await?.pop().map(|(_, bytes)| bytes))
    }

    async fn sections(&mut self, uids: &[u32], section: &str) -> Result<Vec<(u32, Vec<u8>)>, CommandError> {
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let mut found = Vec::new();
        self.run(&format!("UID FETCH {set} (UID {section})"), Pace::Body, |answer| {
            if let Response::Fetch(_, attributes) = answer {
                let uid = attributes.iter().find_map(|attribute| match attribute {
                    AttributeValue::Uid(uid) => Some(*uid),
                    _ => None,
                });
                let data = attributes.iter().find_map(|attribute| match attribute {
                    AttributeValue::BodySection { data: Some(data), .. } => Some(data.to_vec()),
                    _ => None,
                });
                if let (Some(uid), Some(data)) = (uid, data)
                    && uids.contains(&uid)
                {
                    found.push((uid, data));
                }
            }
        })
        .await?;
        Ok(found)
    }

    /// UIDs of mails in the open folder whose Message-ID field holds this id. Plain SEARCH: ESEARCH is not needed (and a server
    /// that never announced it answers `BAD` to `RETURN`).
    pub(crate) async fn search_message_id(&mut self, id: &str) -> Result<Vec<u32>, CommandError> {
        if id.contains(['"', '\\']) || id.contains(|c: char| c.is_control() || !c.is_ascii()) {
            return Ok(vec![]);
        }
        let mut found = Vec::new();
        self.run(&format!("UID SEARCH HEADER Message-ID \"{id}\""), Pace::Command, |answer| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = answer {
                found.extend_from_slice(uids);
            }
        })
        .await?;
        Ok(found)
    }

    /// Puts a mail into a folder, marked as read.
    pub(crate) async fn append(&mut self, folder: &Folder, mail: &[u8]) -> Result<(), PullError> {
        let adding = self.link.append(&folder.wire_name, Some("(\\Seen)"), None, mail);
        within(self.times.silence, "storing the copy in Sent", adding).await?.map_err(|error| lost(&error))
    }

    /// Takes mails out of the open folder for good.
    pub(crate) async fn remove(&mut self, uids: &[u32]) -> Result<(), CommandError> {
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        self.run(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"), Pace::Command, |_| {}).await?;
        // Without UIDPLUS an EXPUNGE would also take what others have marked.
        if self.can("UIDPLUS") {
            self.run(&format!("UID EXPUNGE {set}"), Pace::Command, |_| {}).await?;
        }
        Ok(())
    }

    /// Waits in IDLE until the server tells of something, or the time is over. The answer says which, with the connection ready
    /// for the next command.
    pub(crate) async fn idle(mut self, limit: Duration) -> Result<(Self, bool), PullError> {
        let told = self.link.unsolicited_responses.clone();
        let mut handle = self.link.idle();
        within(self.times.command, "IDLE", handle.init()).await?.map_err(|error| lost(&error))?;
        // Told while the last command ran, or while IDLE began: the server says it once, and never again in IDLE.
        let mut known = self.told || told.is_full();
        while let Ok(response) = told.try_recv() {
            known |= matches!(response, async_imap::types::UnsolicitedResponse::Exists(_));
        }
        let woken = known || {
            let (waiting, _stop) = handle.wait_with_timeout(limit);
            // The outer limit is absolute: `* OK Still here` restarts the inner one.
            match tokio::time::timeout(limit, waiting).await {
                Err(_) => false,
                Ok(Ok(async_imap::extensions::idle::IdleResponse::NewData(_))) => true,
                Ok(Ok(async_imap::extensions::idle::IdleResponse::Timeout)) => false,
                Ok(Ok(async_imap::extensions::idle::IdleResponse::ManualInterrupt)) => {
                    return Err(PullError::Lost("the mail server closed the connection while we listened".to_owned()));
                }
                Ok(Err(error)) => return Err(lost(&error)),
            }
        };
        self.link = within(self.times.command, "ending IDLE", handle.done()).await?.map_err(|error| lost(&error))?;
        Ok((self, woken))
    }

    /// Says good-bye; what comes of it does not matter.
    pub(crate) async fn close(mut self) {
        let _gone_anyway = tokio::time::timeout(Duration::from_secs(2), self.link.logout()).await;
    }
}

async fn connected(times: &Times, mail: &MailSettings) -> Result<Client<BoxStream>, PullError> {
    let server = mail.imap.as_ref().ok_or_else(|| PullError::Settings("this inbox has no IMAP server".to_owned()))?;
    let tcp = wire::connect(times, &server.host, server.port).await?;
    let greeting = format!("waiting for the greeting of {}", server.host);
    match server.tls {
        crate::settings::TlsMode::Implicit => {
            let mut client = Client::new(wire::protect(mail, times, &server.host, tcp).await?);
            greet(&mut client, times, &greeting).await?;
            Ok(client)
        }
        crate::settings::TlsMode::None => {
            let mut client = Client::new(Box::new(tcp) as BoxStream);
            greet(&mut client, times, &greeting).await?;
            Ok(client)
        }
        crate::settings::TlsMode::Starttls => {
            let mut client = Client::new(tcp);
            greet(&mut client, times, &greeting).await?;
            let asked = within(times.command, "STARTTLS", client.run_command_and_check_ok("STARTTLS", None)).await?;
            asked.map_err(|error| match error {
                ImapError::No(_) | ImapError::Bad(_) => PullError::Lost(format!(
                    "{} offers no STARTTLS on port {}; choose implicit TLS (993)",
                    server.host, server.port
                )),
                other => lost(&other),
            })?;
            // Whatever was sent before TLS began stays behind in the old reader.
            Ok(Client::new(wire::protect(mail, times, &server.host, client.into_inner()).await?))
        }
    }
}

async fn greet<T>(client: &mut Client<T>, times: &Times, what: &str) -> Result<(), PullError>
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + std::fmt::Debug + Send,
{
    let greeting = within(times.command, what, client.read_response()).await?;
    match greeting.map_err(|error| lost(&ImapError::Io(error)))? {
        Some(answer) => match answer.parsed() {
            Response::Data { status: Status::Ok | Status::PreAuth, .. } => Ok(()),
            Response::Data { outcome, .. } => {
                let said = outcome.information.as_deref().unwrap_or_default();
                Err(PullError::Lost(format!("the mail server takes nobody now: {said}")))
            }
            _ => Err(PullError::Lost("what answers there is no IMAP server".to_owned())),
        },
        None => Err(PullError::Lost("the mail server closed the connection at once".to_owned())),
    }
}

/// The token first; whatever is asked after that is an error challenge, and only the agreed answer makes the server say no
/// instead of waiting for ever.
struct Answers {
    first: Option<Vec<u8>>,
    after: &'static [u8],
}

impl Authenticator for Answers {
    type Response = Vec<u8>;
    fn process(&mut self, _challenge: &[u8]) -> Vec<u8> {
        self.first.take().unwrap_or_else(|| self.after.to_vec())
    }
}

fn sign_in_error(error: &ImapError) -> PullError {
    match error {
        ImapError::No(said) | ImapError::Bad(said) => {
            let upper = said.to_uppercase();
            let later = [
                "UNAVAILABLE",
                "INUSE",
                "[LIMIT]",
                "TOO MANY",
                "TEMPORAR",
                "TRY AGAIN",
                "SERVERBUG",
                "INTERNAL ERROR",
                "THROTTL",
                "MAXIMUM NUMBER OF CONNECTIONS",
            ];
            if later.iter().any(|word| upper.contains(word)) {
                return PullError::Lost(format!("the mail server cannot sign us in now: {said}"));
            }
            PullError::SignInAgain
        }
        // An error challenge that is no base64 is an error all the same.
        ImapError::Parse(async_imap::error::ParseError::Authentication(..)) => PullError::SignInAgain,
        ImapError::Validate(_) => {
            PullError::Settings("the name or the password has characters that IMAP cannot carry".to_owned())
        }
        other => lost(other),
    }
}

fn lost(error: &ImapError) -> PullError {
    PullError::Lost(match error {
        ImapError::Io(error) => wire::plain(error),
        ImapError::ConnectionLost => "the connection was cut".to_owned(),
        other => other.to_string(),
    })
}

fn line_of(attributes: &[AttributeValue<'_>], sizeless: bool) -> Option<Line> {
    let mut line = Line::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => line.uid = *uid,
            AttributeValue::Rfc822Size(bytes) => line.bytes = u64::from(*bytes),
            AttributeValue::InternalDate(date) => line.at = crate::date::parse(date).map(|at| at.ms()),
            AttributeValue::Flags(flags) => line.deleted = flags.iter().any(|flag| flag.eq_ignore_ascii_case("\\Deleted")),
            _ => {}
        }
    }
    // A change of flags that the server tells unasked has no size.
    let sized = attributes.iter().any(|attribute| matches!(attribute, AttributeValue::Rfc822Size(_)));
    (line.uid > 0 && (sized || sizeless)).then_some(line)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn role_of(name: &str, attributes: &[NameAttribute<'_>]) -> FolderRole {
    if name.eq_ignore_ascii_case("INBOX") {
        return FolderRole::Inbox;
    }
    for attribute in attributes {
        match attribute {
            NameAttribute::Sent => return FolderRole::Sent,
            NameAttribute::Junk => return FolderRole::Junk,
            _ => {}
        }
    }
    FolderRole::Other
}

/// Usual names of a role, for servers that do not say which folder is which; lower case, last part of the path.
pub(crate) fn usual_names(role: FolderRole) -> &'static [&'static str] {
    match role {
        FolderRole::Sent => &[
            "sent",
            "sent items",
            "sent messages",
            "sent mail",
            "gesendet",
            "gesendete elemente",
            "gesendete objekte",
            "envoyés",
            "éléments envoyés",
            "messages envoyés",
            "enviados",
            "elementos enviados",
            "inviati",
            "posta inviata",
            "verzonden",
            "verzonden items",
            "wysłane",
            "отправленные",
            "skickat",
            "sendt",
        ],
        FolderRole::Junk => &[
            "junk",
            "spam",
            "junk e-mail",
            "junk email",
            "bulk mail",
            "junk-e-mail",
            "spamverdacht",
            "courrier indésirable",
            "indésirables",
            "correo no deseado",
            "posta indesiderata",
            "ongewenste e-mail",
            "спам",
            "skräppost",
        ],
        FolderRole::Inbox | FolderRole::Other => &[],
    }
}

/// Reads modified UTF-7 (RFC 3501, 5.1.3); what is none stays as it is.
pub(crate) fn decode_name(name: &str) -> String {
    use base64::Engine;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&base64::alphabet::IMAP_MUTF7, config);
    let mut out = String::new();
    let mut rest = name;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('-').map(|end| at + end) else { return name.to_owned() };
        let coded = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if coded.is_empty() {
            out.push('&');
            continue;
        }
        let Ok(bytes) = engine.decode(coded) else { return name.to_owned() };
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        out.push_str(&String::from_utf16_lossy(&units));
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_are_read() {
        for (wire, name) in [
            ("INBOX", "INBOX"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("A&-B", "A&B"),
            ("&2D3eAA-", "😀"),
            ("&broken", "&broken"),
            ("~peter/&U,BTFw-", "~peter/台北"),
        ] {
            assert_eq!(decode_name(wire), name);
        }
    }

    #[test]
    fn internal_dates_are_read() {
        let line = |date: &str| {
            let attributes =
                [AttributeValue::Uid(1), AttributeValue::Rfc822Size(2), AttributeValue::InternalDate(date.to_owned().into())];
            line_of(&attributes, false).unwrap().at
        };
        assert_eq!(line("17-Jul-1996 02:44:25 -0700"), Some(837_596_665_000));
        assert_eq!(line(" 1-Jan-1970 00:00:00 +0000"), Some(0));
        assert_eq!(line("29-Feb-2024 23:59:59 +0130"), Some(1_709_245_799_000));
        assert_eq!(line("17-Foo-1996 02:44:25 -0700"), None);
    }

    #[test]
    fn only_a_refused_sign_in_asks_for_a_new_one() {
        let no = |text: &str| sign_in_error(&ImapError::No(text.to_owned()));
        assert_eq!(no("code: None, info: Some(\"[AUTHENTICATIONFAILED] Authentication failed.\")"), PullError::SignInAgain);
        assert_eq!(no("LOGIN failed."), PullError::SignInAgain);
        for later in ["[UNAVAILABLE] Temporary authentication failure", "[INUSE] x", "Too many simultaneous connections"] {
            assert!(matches!(no(later), PullError::Lost(_)), "{later}");
        }
        assert!(matches!(sign_in_error(&ImapError::ConnectionLost), PullError::Lost(_)));
    }
}
