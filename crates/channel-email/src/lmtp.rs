//! The LMTP door (RFC 2033) behind the firm's own mail server. In: mail, from a server that has already taken it from the
//! world. Out: events, and one answer per receiver: 250 only after the commit, 451 while nothing can be stored (the server keeps
//! the mail and comes again), 552 when it is too large. Everything a peer says is bounded: lines, receivers, bytes, silence.

use crate::fetch::lane_of;
use crate::settings::FETCH_BYTES_MAX;
use crate::wire::{Times, Wire, pause};
use channel::{Door, Fut, Listen, PullError, RawEvent, SinkError, content_key};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use model::{InboxId, Timestamp};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Header of a heard mail: the envelope sender.
pub const ENVELOPE_FROM: &str = "continuo-envelope-from";
/// Header of a heard mail, once per receiver: the whole address, plus part included.
pub const ENVELOPE_TO: &str = "continuo-envelope-to";
/// Header of a heard mail: the computer that handed it to the mail server, as that one says.
pub const CLIENT_IP: &str = "continuo-client-ip";
/// Header of a heard mail: the name by which that computer greeted.
pub const CLIENT_HELO: &str = "continuo-client-helo";

const LINE_BYTES_MAX: usize = 4_096;
const RECEIVERS_MAX: usize = 1_000;
const CONNECTIONS_MAX: usize = 64;
// A peer that only talks nonsense is let go.
const MISTAKES_MAX: u32 = 20;

impl Listen for Wire {
    fn listen<'a>(&'a self, bind: SocketAddr, door: &'a dyn Door) -> Fut<'a, Result<(), PullError>> {
        Box::pin(async move {
            let listener = TcpListener::bind(bind)
                .await
                .map_err(|error| PullError::Settings(format!("nothing can listen for mail on {bind}: {error}")))?;
            self.listen_on(listener, door).await
        })
    }
}

impl Wire {
    /// Serves an open listener until dropped. One task serves all peers: each waits for the network or the store.
    pub async fn listen_on(&self, listener: TcpListener, door: &dyn Door) -> Result<(), PullError> {
        let mut peers = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if peers.len() >= CONNECTIONS_MAX => turn_away(stream).await,
                    Ok((stream, peer)) => peers.push(async move {
                        if let Err(error) = Peer::new(self, stream, door).serve().await {
                            tracing::debug!(%peer, %error, "an LMTP peer went away");
                        }
                    }),
                    // Out of file descriptors, say: it passes.
                    Err(error) => {
                        tracing::warn!(%error, "LMTP takes no connection now");
                        pause(Duration::from_millis(200)).await;
                    }
                },
                Some(()) = peers.next(), if !peers.is_empty() => {}
            }
        }
    }
}

async fn turn_away(mut stream: TcpStream) {
    let _gone =
        tokio::time::timeout(Duration::from_secs(1), stream.write_all(b"421 4.3.2 too many connections, come again\r\n")).await;
}

struct Peer<'a> {
    stream: TcpStream,
    door: &'a dyn Door,
    wire: &'a Wire,
    times: Times,
    kept: Vec<u8>,
    mistakes: u32,
    greeted: bool,
    client_ip: Option<String>,
    client_helo: Option<String>,
    mail: Option<Mail>,
}

#[derive(Default)]
struct Mail {
    from: String,
    to: Vec<(String, InboxId)>,
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Hello,
    From { address: String, bytes: u64 },
    To(String),
    Data,
    Reset,
    Nothing,
    Verify,
    Quit,
    Xforward(Vec<(String, String)>),
    OtherHello,
    Unknown,
    Broken(&'static str),
}

impl<'a> Peer<'a> {
    fn new(wire: &'a Wire, stream: TcpStream, door: &'a dyn Door) -> Self {
        Self {
            stream,
            door,
            wire,
            times: wire.times(),
            kept: vec![],
            mistakes: 0,
            greeted: false,
            client_ip: None,
            client_helo: None,
            mail: None,
        }
    }

    async fn serve(mut self) -> std::io::Result<()> {
        self.say("220 Continuo LMTP").await?;
        loop {
            let Some(line) = self.line().await? else {
                self.say("500 5.5.6 the line is too long").await?;
                if self.mistake().await? {
                    return Ok(());
                }
                continue;
            };
            let asked = read_command(&line);
            if asked == Asked::Quit {
                return self.say("221 2.0.0 bye").await;
            }
            let wrong = self.answer(asked).await?;
            if wrong && self.mistake().await? {
                return Ok(());
            }
        }
    }

    async fn mistake(&mut self) -> std::io::Result<bool> {
        self.mistakes += 1;
        if self.mistakes < MISTAKES_MAX {
            return Ok(false);
        }
        self.say("421 4.7.0 too many mistakes").await?;
        Ok(true)
    }

    /// Answers one command. True: it was a mistake.
    async fn answer(&mut self, asked: Asked) -> std::io::Result<bool> {
        let (answer, wrong) = match asked {
            Asked::Hello => {
                self.greeted = true;
                self.mail = None;
                let size = format!("250-SIZE {FETCH_BYTES_MAX}");
                let lines = ["250-continuo", "250-PIPELINING", "250-ENHANCEDSTATUSCODES", "250-8BITMIME", "250-SMTPUTF8", &size];
                for line in lines {
                    self.say(line).await?;
                }
                ("250 XFORWARD NAME ADDR PROTO HELO".to_owned(), false)
            }
            Asked::OtherHello => ("500 5.5.1 this is LMTP: say LHLO".to_owned(), true),
            Asked::From { .. } if !self.greeted => ("503 5.5.1 say LHLO first".to_owned(), true),
            Asked::From { .. } if self.mail.is_some() => ("503 5.5.1 one mail at a time".to_owned(), true),
            Asked::From { bytes, .. } if bytes > FETCH_BYTES_MAX => ("552 5.3.4 the mail is too large".to_owned(), false),
            Asked::From { address, .. } => {
                self.mail = Some(Mail { from: address, to: vec![] });
                ("250 2.1.0 fine".to_owned(), false)
            }
            Asked::To(address) => self.receiver(address).await,
            Asked::Data => return self.data().await,
            Asked::Reset => {
                self.mail = None;
                ("250 2.0.0 forgotten".to_owned(), false)
            }
            Asked::Nothing => ("250 2.0.0 fine".to_owned(), false),
            Asked::Verify => ("252 2.1.5 try and see".to_owned(), false),
            Asked::Xforward(facts) => {
                self.forwarded(facts);
                ("250 2.0.0 noted".to_owned(), false)
            }
            Asked::Unknown => ("500 5.5.2 no such command".to_owned(), true),
            Asked::Broken(text) => (format!("501 5.5.4 {text}"), true),
            Asked::Quit => ("221 2.0.0 bye".to_owned(), false),
        };
        self.say(&answer).await?;
        Ok(wrong)
    }

    fn forwarded(&mut self, facts: Vec<(String, String)>) {
        for (name, value) in facts {
            match name.as_str() {
                "ADDR" => {
                    self.client_ip = value.trim_start_matches("IPV6:").parse::<std::net::IpAddr>().ok().map(|ip| ip.to_string())
                }
                "HELO" if value != "[UNAVAILABLE]" => self.client_helo = Some(value),
                _ => {}
            }
        }
    }

    async fn receiver(&mut self, address: String) -> (String, bool) {
        let Some(mail) = &mut self.mail else { return ("503 5.5.1 say MAIL first".to_owned(), true) };
        if mail.to.len() >= RECEIVERS_MAX {
            return ("452 4.5.3 too many receivers in one mail".to_owned(), false);
        }
        match self.door.inbox_of(&address).await {
            Ok(Some(inbox)) => {
                mail.to.push((address, inbox));
                ("250 2.1.5 fine".to_owned(), false)
            }
            Ok(None) => ("550 5.1.1 nobody here has this address".to_owned(), false),
            Err(error) => {
                tracing::warn!(%error, "LMTP cannot say whose address it is; the mail server comes again");
                ("451 4.3.0 not now, come again".to_owned(), false)
            }
        }
    }

    async fn data(&mut self) -> std::io::Result<bool> {
        let Some(mail) = self.mail.take_if(|mail| !mail.to.is_empty()) else {
            let had_sender = self.mail.is_some();
            self.say(if had_sender { "503 5.5.1 no valid receiver" } else { "503 5.5.1 say MAIL and RCPT first" }).await?;
            return Ok(true);
        };
        self.say("354 go on, end with a dot").await?;
        let Some(mut body) = self.body().await? else {
            for _ in &mail.to {
                self.say("552 5.3.4 the mail is too large").await?;
            }
            return Ok(false);
        };
        // Receivers of one inbox are one mail; each still gets its own answer.
        let mut inboxes: Vec<InboxId> = Vec::new();
        for (_, inbox) in &mail.to {
            if !inboxes.contains(inbox) {
                inboxes.push(*inbox);
            }
        }
        let mut stored: Vec<(InboxId, Result<(), SinkError>)> = Vec::new();
        for (at, inbox) in inboxes.iter().enumerate() {
            // The last one gets the bytes themselves: a large mail is not held twice.
            let bytes = if at + 1 == inboxes.len() { std::mem::take(&mut body) } else { body.clone() };
            let event = self.event(&mail, *inbox, bytes);
            stored.push((*inbox, self.door.accept(*inbox, vec![event]).await));
        }
        for (_, inbox) in &mail.to {
            let outcome = stored.iter().find(|(have, _)| have == inbox).map(|(_, outcome)| outcome);
            let answer = match outcome {
                Some(Ok(())) => "250 2.0.0 stored",
                Some(Err(error)) => {
                    tracing::warn!(inbox.id = %inbox, %error, "a mail could not be stored; the mail server keeps it and comes again");
                    "451 4.3.0 it cannot be stored now, come again"
                }
                None => "451 4.3.0 come again",
            };
            self.say(answer).await?;
        }
        Ok(false)
    }

    fn event(&self, mail: &Mail, inbox: InboxId, body: Vec<u8>) -> RawEvent {
        let mut headers = vec![(ENVELOPE_FROM.to_owned(), mail.from.clone())];
        headers
            .extend(mail.to.iter().filter(|(_, of)| *of == inbox).map(|(address, _)| (ENVELOPE_TO.to_owned(), address.clone())));
        headers.extend(self.client_ip.clone().map(|ip| (CLIENT_IP.to_owned(), ip)));
        headers.extend(self.client_helo.clone().map(|name| (CLIENT_HELO.to_owned(), name)));
        RawEvent {
            // A server that lost our 250 sends the same bytes again.
            dedupe_key: format!("lmtp/{}", content_key(&body)),
            lane: lane_of(&body),
            body,
            headers,
            received_at: self.now(),
            evidence: None,
        }
    }

    fn now(&self) -> Timestamp {
        self.wire.now()
    }

    async fn say(&mut self, line: &str) -> std::io::Result<()> {
        let bytes = format!("{line}\r\n");
        match tokio::time::timeout(self.times.lmtp_silence, self.stream.write_all(bytes.as_bytes())).await {
            Ok(written) => written,
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }

    async fn more(&mut self) -> std::io::Result<()> {
        let mut some = [0; 16 * 1024];
        match tokio::time::timeout(self.times.lmtp_silence, self.stream.read(&mut some)).await {
            Ok(Ok(0)) => Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(Ok(count)) => {
                self.kept.extend_from_slice(&some[..count]);
                Ok(())
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
        }
    }

    /// One command line without its end; `None`: it was too long and is skipped.
    async fn line(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut too_long = false;
        loop {
            if let Some(end) = self.kept.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.kept.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok((!too_long && line.len() <= LINE_BYTES_MAX).then_some(line));
            }
            if self.kept.len() > LINE_BYTES_MAX {
                too_long = true;
                self.kept.clear();
            }
            self.more().await?;
        }
    }

    /// The mail up to the dot, unstuffed. Only CRLF, dot, CRLF ends it: anything laxer lets a mail smuggle in another one.
    /// `None`: too large, read to its end and thrown away.
    async fn body(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let limit = usize::try_from(FETCH_BYTES_MAX).unwrap_or(usize::MAX);
        let mut body = Unstuff::default();
        loop {
            let taken = std::mem::take(&mut self.kept);
            match body.feed(&taken, limit) {
                Some(rest) => {
                    self.kept = taken[taken.len() - rest..].to_vec();
                    return Ok((!body.over).then_some(body.out));
                }
                None => self.more().await?,
            }
        }
    }
}

/// Takes dots out of a body as it comes in pieces.
#[derive(Default)]
struct Unstuff {
    out: Vec<u8>,
    over: bool,
    state: At,
}

/// Where in a line the reader stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum At {
    #[default]
    LineStart,
    Middle,
    AfterCr,
    AfterDot,
    AfterDotCr,
}

impl Unstuff {
    /// Takes a piece. `Some(n)`: the mail ended, and the last `n` bytes of the piece are behind it.
    fn feed(&mut self, piece: &[u8], limit: usize) -> Option<usize> {
        for (at, byte) in piece.iter().enumerate() {
            self.state = match (self.state, byte) {
                (At::LineStart, b'.') => At::AfterDot,
                (At::AfterDot, b'\r') => At::AfterDotCr,
                (At::AfterDotCr, b'\n') => return Some(piece.len() - at - 1),
                (state, byte) => {
                    // A dot that was stuffed is dropped; a lone dot before a bare CR was text after all.
                    if state == At::AfterDotCr {
                        self.put(b'\r', limit);
                    }
                    self.put(*byte, limit);
                    match (state, byte) {
                        (At::AfterCr, b'\n') => At::LineStart,
                        (_, b'\r') => At::AfterCr,
                        _ => At::Middle,
                    }
                }
            };
        }
        None
    }

    fn put(&mut self, byte: u8, limit: usize) {
        if self.out.len() < limit {
            self.out.push(byte);
        } else if !self.over {
            self.over = true;
            // What is too large is not kept while its rest goes by.
            self.out = Vec::new();
        }
        if self.over {
            self.out.clear();
        }
    }
}

fn read_command(line: &[u8]) -> Asked {
    let Ok(line) = std::str::from_utf8(line) else { return Asked::Broken("the line is no text") };
    if line.contains(|c: char| c.is_control() && c != '\t') {
        return Asked::Broken("the line holds control characters");
    }
    let line = line.trim_end();
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match verb.to_ascii_uppercase().as_str() {
        "LHLO" if !rest.trim().is_empty() => Asked::Hello,
        "LHLO" => Asked::Broken("say who you are"),
        "HELO" | "EHLO" => Asked::OtherHello,
        "MAIL" => match path(rest, "FROM:") {
            Some((address, parameters)) => mail_from(address, parameters),
            None => Asked::Broken("write MAIL FROM:<address>"),
        },
        "RCPT" => match path(rest, "TO:") {
            Some((address, _)) if address.contains('@') => Asked::To(address),
            _ => Asked::Broken("write RCPT TO:<address>"),
        },
        "DATA" => Asked::Data,
        "RSET" => Asked::Reset,
        "NOOP" => Asked::Nothing,
        "VRFY" => Asked::Verify,
        "QUIT" => Asked::Quit,
        "XFORWARD" => Asked::Xforward(
            rest.split_ascii_whitespace()
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_ascii_uppercase(), xtext(value)))
                .collect(),
        ),
        _ => Asked::Unknown,
    }
}

fn mail_from(address: String, parameters: &str) -> Asked {
    let mut bytes = 0;
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" => match value.parse() {
                Ok(size) => bytes = size,
                Err(_) => return Asked::Broken("SIZE wants a number"),
            },
            "BODY" | "SMTPUTF8" => {}
            _ => return Asked::Broken("unknown parameter"),
        }
    }
    Asked::From { address, bytes }
}

/// `FROM:<address> parameters`; source routes are dropped, a quoted local part may hold anything.
fn path<'t>(rest: &'t str, word: &str) -> Option<(String, &'t str)> {
    let rest = rest.trim_start();
    let head = rest.get(..word.len())?;
    if !head.eq_ignore_ascii_case(word) {
        return None;
    }
    let rest = rest[word.len()..].trim_start().strip_prefix('<')?;
    let (mut quoted, mut escaped, mut end) = (false, false, None);
    for (at, c) in rest.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                end = Some(at);
                break;
            }
            _ => {}
        }
    }
    let end = end?;
    let address = &rest[..end];
    let address =
        if address.starts_with('@') { address.split_once(':').map_or(address, |(_, address)| address) } else { address };
    if address.len() > 320 || (!address.is_empty() && address.contains(char::is_whitespace) && !address.starts_with('"')) {
        return None;
    }
    Some((address.to_owned(), &rest[end + 1..]))
}

// RFC 1891: +XX is a byte in hex.
fn xtext(value: &str) -> String {
    let mut out = Vec::new();
    let bytes = value.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let coded =
            (bytes[at] == b'+').then(|| value.get(at + 1..at + 3)).flatten().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match coded {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).chars().filter(|c| !c.is_control()).take(255).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let from = |address: &str, bytes| Asked::From { address: address.to_owned(), bytes };
        let cases = [
            ("LHLO mx", Asked::Hello),
            ("lhlo", Asked::Broken("say who you are")),
            ("EHLO mx", Asked::OtherHello),
            ("MAIL FROM:<a@b.test> SIZE=12 BODY=8BITMIME", from("a@b.test", 12)),
            ("mail from: <>", from("", 0)),
            ("MAIL FROM:<@x,@y:a@b.test>", from("a@b.test", 0)),
            ("MAIL FROM:<a@b.test> SIZE=x", Asked::Broken("SIZE wants a number")),
            ("MAIL FROM:<a@b.test> AUTH=<>", Asked::Broken("unknown parameter")),
            ("MAIL FROM:a@b.test", Asked::Broken("write MAIL FROM:<address>")),
            ("RCPT TO:<\"a > b\"@c.test>", Asked::To("\"a > b\"@c.test".to_owned())),
            ("RCPT TO:<nobody>", Asked::Broken("write RCPT TO:<address>")),
            ("RCPT TO:<a b@c.test>", Asked::Broken("write RCPT TO:<address>")),
            ("RCPT", Asked::Broken("write RCPT TO:<address>")),
            ("DATA", Asked::Data),
            ("BDAT 1", Asked::Unknown),
            ("", Asked::Unknown),
            ("QUIT\u{7}", Asked::Broken("the line holds control characters")),
        ];
        for (line, want) in cases {
            assert_eq!(read_command(line.as_bytes()), want, "{line}");
        }
        assert_eq!(read_command(b"NOOP \xff"), Asked::Broken("the line is no text"));
        let facts = vec![("ADDR".to_owned(), "IPV6:::1".to_owned()), ("HELO".to_owned(), "a b".to_owned())];
        assert_eq!(read_command(b"XFORWARD ADDR=IPV6:::1 HELO=a+20b"), Asked::Xforward(facts));
    }

    fn whole(bytes: &[u8], step: usize) -> (Vec<u8>, Option<usize>) {
        let mut body = Unstuff::default();
        let mut seen = 0;
        for piece in bytes.chunks(step) {
            seen += piece.len();
            if let Some(rest) = body.feed(piece, 1_000) {
                return (body.out, Some(bytes.len() - seen + rest));
            }
        }
        (body.out, None)
    }

    #[test]
    fn a_body_ends_at_its_dot_however_it_is_cut() {
        for step in 1..12 {
            assert_eq!(whole(b"a\r\n..b\r\n.\r\nQUIT", step), (b"a\r\n.b\r\n".to_vec(), Some(4)), "{step}");
            assert_eq!(whole(b".\r\n", step), (vec![], Some(0)), "{step}");
            assert_eq!(whole(b"a\r\n.\rb\r\n.\r\n", step), (b"a\r\n\rb\r\n".to_vec(), Some(0)), "{step}");
        }
    }

    // CVE-2023-51764 and its like: a bare line feed must not end a mail.
    #[test]
    fn nothing_lax_ends_a_body() {
        for smuggled in [&b"a\n.\nMAIL"[..], b"a\n.\r\nMAIL", b"a\r\n.\nMAIL", b"a\r.\r\nMAIL"] {
            assert_eq!(whole(smuggled, 3).1, None, "{smuggled:?}");
        }
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let mut body = Unstuff::default();
        assert_eq!(body.feed(&vec![b'x'; 5_000], 1_000), None);
        assert_eq!(body.feed(b"\r\n.\r\n", 1_000), Some(0));
        assert!(body.over && body.out.is_empty());
    }
}
